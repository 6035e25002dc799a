"""Personal data: what it looks like, the names of fields that hold it, and what stands for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from cassettes.redact.placeholders import Placeholders, stands

RULES = ("email", "phone", "card", "iban", "name", "address", "birth-date", "national-id")
_NAMED = {
    "email": ("email", "emailaddress", "mail", "useremail", "customeremail", "receiptemail", "payeremail"),
    "phone": ("phone", "phonenumber", "mobile", "mobilephone", "msisdn", "telephone", "cellphone", "fax", "phone1"),
    "card": ("cardnumber", "creditcardnumber", "pan", "primaryaccountnumber"),
    "name": (
        "firstname", "lastname", "givenname", "familyname", "fullname", "middlename", "surname", "cardholdername",
        "accountholdername", "recipientname", "customername", "payername", "maidenname",
    ),
    "address": ("streetaddress", "street", "line1", "line2", "addressline1", "addressline2", "street1", "street2"),
    "birth-date": ("dob", "birthdate", "dateofbirth", "birthday"),
    "national-id": ("ssn", "socialsecuritynumber", "taxid", "nationalid", "idnumber", "passportnumber"),
}  # fmt: skip
_BY_NAME = {name: rule for rule, names in _NAMED.items() for name in names}
# Objects that describe a person: there, `name` is a name. Elsewhere it is that of a product, a branch, a bucket.
_PERSONS = frozenset(
    [
        "customer",
        "shipping",
        "billing",
        "billingdetails",
        "recipient",
        "payer",
        "cardholder",
        "contact",
        "person",
        "author",
        "committer",
        "sender",
        "buyer",
        "tagger",
        "personalization",
        "personalizations",
    ]
)
BIRTH_DATE = "1900-01-01"
_TEST_CARDS = frozenset(
    [
        "4242424242424242",
        "4111111111111111",
        "4012888888881881",
        "4000056655665556",
        "4222222222222",
        "5555555555554444",
        "5105105105105100",
        "2223003122003222",
        "5200828282828210",
        "378282246310005",
        "371449635398431",
        "6011111111111117",
        "6011000990139424",
        "30569309025904",
        "38520000023237",
        "3530111333300000",
        "3566002020360505",
        "4000000000000002",
        "4000000000009995",
        "4000000000000077",
        "4000000000000341",
        "4532015112830366",
    ]
)  # published by the payment providers for this purpose
_CARDS = re.compile(
    r"4\d{12}(?:\d{3})?|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|"
    r"6(?:011|5\d\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}"
)
_DIGITS = re.compile(r"(?<![\w.+/=-])\d(?:[ -]?\d){11,18}(?![\w/=-]|\.\d)")
_PHONE = re.compile(r"(?<![\w+/=.-])\+[1-9](?:[ .()-]{0,2}\d){7,14}(?![\w/=])")
_LOCAL_PART = re.compile(r"[A-Za-z0-9](?:[\w.+%-]{0,62}[\w+-])?\Z")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.){1,8}(?P<top>[A-Za-z]{2,24})(?![\w-])")
_NO_ADDRESS = re.compile(
    r"(?:.*\.)?(?:example\.(?:com|org|net)|example|test|invalid|localhost|iam\.gserviceaccount\.com|"
    r"users\.noreply\.github\.com)|.*\.(?:png|jpe?g|gif|svg|webp|js|css|git)",
    re.IGNORECASE,
)
_NOBODY = frozenset({"git", "noreply", "no-reply", "donotreply", "postmaster", "mailer-daemon"})
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_FICTITIOUS = re.compile(
    r"\+?1?\D{0,2}[2-9]\d\d\D{0,2}555\D{0,2}01\d\d|\+1500555\d{4}|\+?15550\d{6}|\+15005550\d{3}"
)


@lru_cache(maxsize=65536)
def personal_name(name: str) -> str | None:
    """The rule for what stands under a name of a field; None where the name says nothing."""
    last = re.findall(r"[^\[\].:/]+", name[:100])
    return _BY_NAME.get(re.sub(r"[^a-z0-9]", "", last[-1].lower())) if last else None


@lru_cache(maxsize=65536)
def is_person(name: str) -> bool:
    """Whether an object under this name describes a person, so that its `name` is theirs."""
    return re.sub(r"[^a-z0-9]", "", name[:100].lower()) in _PERSONS


def tells(name: str) -> bool:
    """Whether a name says that what stands under it is, or describes, a person's."""
    return personal_name(name) is not None or is_person(name)


def placeholder(rule: str, text: str, marks: Placeholders) -> str:
    """What stands for personal data: an address stays one, a number one, a card is a test card."""
    if rule == "email":
        return marks.email(text)
    if rule == "phone":
        return phone(text, marks)
    if rule == "card":
        return card(text)
    if rule == "birth-date":
        return BIRTH_DATE if re.match(r"\d{4}-\d\d-\d\d", text) else marks.plain(text)
    if rule == "national-id" and text.isascii() and text.isdigit():
        return marks.digits(text)
    return marks.plain(text)


def phone(text: str, marks: Placeholders) -> str:
    """A number that is kept free for fiction. source: ATIS-0300115, 555-0100 to 555-0199."""
    amount = int(marks.tag(re.sub(r"\D", "", text)), 16)
    number = f"1{2 + amount % 8}{amount // 8 % 9}{amount // 72 % 10}55501{amount // 720 % 100:02}"
    return number if text.isdigit() else f"+{number}"


def card(text: str) -> str:
    """The test number of its network."""
    digits = re.sub(r"\D", "", text)
    if len(digits) == 15:  # noqa: PLR2004 - of American Express
        return "378282246310005"
    return {"5": "5555555555554444", "2": "2223003122003222"}.get(digits[:1], "4242424242424242")


def is_nobodys(rule: str, text: str) -> bool:
    """Whether it belongs to nobody: a placeholder, an example, a test card, a number of fiction."""
    if stands(text) or text == BIRTH_DATE:
        return True
    if rule == "name":  # the full name of a repository is no person's
        return "/" in text
    if rule == "phone":
        return _FICTITIOUS.fullmatch(text) is not None or sum(map(str.isdigit, text)) < 7  # noqa: PLR2004
    if rule == "card":
        return re.sub(r"\D", "", text) in _TEST_CARDS
    if rule == "email":
        local, _, domain = text.rpartition("@")
        return local.lower() in _NOBODY or _NO_ADDRESS.fullmatch(domain) is not None
    return False


def find(text: str, wanted: frozenset[str]) -> Iterator[tuple[int, int, str]]:
    """Start, end and rule of what is personal by its look alone."""
    if "email" in wanted and "@" in text:
        yield from _emails(text)
    if "phone" in wanted and "+" in text:
        yield from ((*match.span(), "phone") for match in _PHONE.finditer(text))
    if "card" in wanted:
        for match in _DIGITS.finditer(text):
            if is_card(match[0]):
                yield (*match.span(), "card")
    if "iban" in wanted:
        for match in _IBAN.finditer(text):
            if _is_iban(match[0]):
                yield (*match.span(), "iban")


def _emails(text: str) -> Iterator[tuple[int, int, str]]:
    at = text.find("@")
    while at >= 0:
        before = _LOCAL_PART.search(text, max(0, at - 64), at)
        after = _DOMAIN.match(text, at + 1)
        if before and after:
            yield before.start(), after.end(), "email"
        at = text.find("@", at + 1)


def is_card(text: str) -> bool:
    """Whether the digits are those of a card: a network's prefix and length, and the check digit of Luhn."""
    digits = re.sub(r"\D", "", text)
    if not _CARDS.fullmatch(digits):
        return False
    values = [int(digit) for digit in reversed(digits)]
    return sum(v if i % 2 == 0 else v * 2 - 9 * (v > 4) for i, v in enumerate(values)) % 10 == 0  # noqa: PLR2004


def _is_iban(text: str) -> bool:
    """The check digits of ISO 13616."""
    plain = text.replace(" ", "")
    if not 15 <= len(plain) <= 34:  # noqa: PLR2004 - the shortest and the longest there are
        return False
    return int("".join(str(int(char, 36)) for char in plain[4:] + plain[:4])) % 97 == 1
