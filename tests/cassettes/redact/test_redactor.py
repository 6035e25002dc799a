"""The redactor of recorded traffic: every class of secret goes, what stands there still fits, twice equals once."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re

import brotli
import jwt as pyjwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cassettes.redact import Hit, Redactor
from interlock.errors import UsageError
from interlock.records import Interaction, Message, Source
from interlock.secrets import Secret
from tests.cassettes.redact.planted import (
    BODIES,
    CANARY,
    HEADERS,
    SPELLINGS,
    URLS,
    b64,
    jwt,
    left,
    pem,
    provider_secrets,
)

REDACTOR = Redactor(key=b"a key for tests")
TAG = re.compile(r"redacted-[0-9a-f]{12}")


def _interaction(
    *, url: str = "https://h.example/", headers: tuple[tuple[str, str], ...] = (), body: bytes | None = None
) -> Interaction:
    state = "absent" if body is None else "full"
    return Interaction(
        source=Source(file="a.yaml", format="vcrpy", index=0, line=1),
        method="POST",
        url=url,
        request=Message(headers=headers, body=body, body_state=state),
        status=200,
        response=Message(headers=headers, body=body, body_state=state),
        error=None,
        http_version=None,
        recorded_at=None,
        elapsed_seconds=None,
        origin=None,
    )


@pytest.mark.parametrize("kind", HEADERS)
def test_headers(kind: str) -> None:
    clean, hits = REDACTOR.headers((HEADERS[kind], ("Date", "Fri, 31 Jul 2020 21:49:55 GMT")))
    assert not left(repr(clean)), clean
    assert hits
    assert hits[0].place == f"/{HEADERS[kind][0]}" or hits[0].place.startswith(f"/{HEADERS[kind][0]}/")
    assert clean[1] == ("Date", "Fri, 31 Jul 2020 21:49:55 GMT")
    assert REDACTOR.headers(clean) == (clean, ())


@pytest.mark.parametrize("kind", URLS)
def test_urls(kind: str) -> None:
    clean, hits = REDACTOR.url(URLS[kind])
    assert not left(clean), clean
    assert hits
    assert re.match(r"https://[^\s]+\Z", clean)
    assert REDACTOR.url(clean) == (clean, ())


@pytest.mark.parametrize("kind", BODIES)
def test_bodies(kind: str) -> None:
    body = BODIES[kind].encode()
    clean, hits = REDACTOR.body(body)
    assert not left(clean.decode()), clean
    assert hits
    assert CANARY not in repr(hits)
    assert REDACTOR.body(clean) == (clean, ())
    if BODIES[kind].startswith("{"):
        assert json.loads(clean).keys() == json.loads(body).keys()


@pytest.mark.parametrize("how", SPELLINGS)
@pytest.mark.parametrize("kind", provider_secrets())
def test_every_kind_of_every_provider(kind: str, how: str) -> None:
    """Found by its shape alone, in a place that says nothing, however it is written there."""
    secret = provider_secrets()[kind]
    body = f"answer: it was <{SPELLINGS[how](secret)}> all along"
    clean, hits = REDACTOR.body(body.encode())
    core = max(re.findall(r"[A-Za-z0-9]+", secret), key=len)
    assert not left(clean.decode(), secret), clean
    assert core not in clean.decode()
    assert [hit.rule for hit in hits]
    assert REDACTOR.body(clean) == (clean, ())


@pytest.mark.parametrize("how", SPELLINGS)
def test_known_values_go_wherever_they_stand(how: str) -> None:
    """A value that looks like nothing is found because the settings know it."""
    value = "horse battery staple"
    redactor = Redactor([Secret(value, name="env:X")], key=b"k")
    clean, hits = redactor.text(f"so [{SPELLINGS[how](value)}] it is")
    assert not left(clean, value)
    assert [hit.rule for hit in hits] == ["secret-known"]
    assert redactor.text(clean) == (clean, ())


def test_a_whole_interaction() -> None:
    """URL, headers and bodies on both sides; state and length follow; the rest stays."""
    body = json.dumps({"access_token": CANARY, "n": 1}).encode()
    headers = (
        ("Authorization", f"Bearer {CANARY}"),
        ("Content-Length", str(len(body))),
        ("Content-MD5", base64.b64encode(hashlib.md5(body).digest()).decode()),
        ("ETag", f'"{hashlib.md5(body).hexdigest()}"'),
    )
    recorded = _interaction(url=f"https://h.example/?token={CANARY}", headers=headers, body=body)
    clean, hits = REDACTOR.interaction(recorded)
    assert not left(repr(clean))
    assert not left(repr(hits))
    assert [hit.place for hit in hits] == [
        "/url/token",
        "/request/headers/Authorization",
        "/request/body/access_token",
        "/response/headers/Authorization",
        "/response/body/access_token",
    ]
    assert clean.response is not None
    for message in (clean.request, clean.response):
        named = dict(message.headers)
        assert message.body_state == "redacted"
        assert message.body is not None
        assert named["Content-Length"] == str(len(message.body))
        assert named["Content-MD5"] == base64.b64encode(hashlib.md5(message.body).digest()).decode()
        assert named["ETag"] == f'"{hashlib.md5(message.body).hexdigest()}"'
    assert REDACTOR.interaction(clean) == (clean, ())


def test_what_holds_no_secret_is_the_same_object_in_every_byte() -> None:
    body = b'{ "id": 1.50, "paging": {"next_page_token": "abc123def456"}, "token_type": "bearer" }\n'
    recorded = _interaction(headers=(("Content-Type", "application/json"),), body=body)
    assert REDACTOR.interaction(recorded) == (recorded, ())


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "zstd"])
def test_compressed_bodies_are_looked_into(encoding: str) -> None:
    import zlib  # noqa: PLC0415 - beside their use

    import zstandard  # noqa: PLC0415

    plain = json.dumps({"access_token": CANARY}).encode()
    pack = {
        "gzip": gzip.compress,
        "br": brotli.compress,
        "deflate": zlib.compress,
        "zstd": zstandard.ZstdCompressor().compress,
    }
    unpack = {
        "gzip": gzip.decompress,
        "br": brotli.decompress,
        "deflate": zlib.decompress,
        "zstd": zstandard.ZstdDecompressor().decompress,
    }
    clean, hits = REDACTOR.interaction(
        _interaction(headers=(("Content-Encoding", encoding),), body=pack[encoding](plain))
    )
    assert len(hits) == 2
    assert clean.request.body is not None
    assert TAG.fullmatch(json.loads(unpack[encoding](clean.request.body))["access_token"])


def test_placeholders_have_the_form_of_what_they_replace() -> None:
    """Basic stays Basic, a token of three parts stays one, hex keeps its length, a number is a number."""
    basic = REDACTOR.headers((HEADERS["authorization basic"],))[0][0][1]
    user, _, password = base64.b64decode(basic.removeprefix("Basic ")).decode().partition(":")
    assert TAG.fullmatch(user)
    assert TAG.fullmatch(password)
    token = REDACTOR.text(jwt())[0]
    claims = pyjwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] == 1800000000
    assert pyjwt.get_unverified_header(token)["alg"] == "HS256"
    body = {
        "password": 123456,
        "secret": 12345678901234,
        "token": "00112233445566778899aabbccddeeff",
        "api_key": "0011AABB-4455-6677-8899-AABBCCDDEEFF",
        "cvc": "123",
        "signature": base64.b64encode(bytes(range(32))).decode(),
        "client_secret": None,
        "otp": True,
    }
    clean = json.loads(REDACTOR.body(json.dumps(body).encode())[0])
    assert {name: type(value) for name, value in clean.items()} == {n: type(v) for n, v in body.items()}
    assert clean["password"] < 2**31
    assert all(clean[name] != value for name, value in body.items() if value not in {None, True})
    assert re.fullmatch("[0-9a-f]{32}", clean["token"])
    assert re.fullmatch("[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", clean["api_key"])
    assert clean["cvc"] == "000"
    assert len(base64.b64decode(clean["signature"], validate=True)) == 32


def test_a_placeholder_is_the_same_for_the_same_secret_and_key() -> None:
    """In a form, in JSON, in a URL; with another key it is another one."""
    seen = {
        TAG.findall(text)[0]
        for text in (
            REDACTOR.text(f"password={CANARY}&x=1")[0],
            REDACTOR.text(json.dumps({"token": CANARY}))[0],
            REDACTOR.url(f"https://h.example/?token={CANARY}")[0],
            Redactor([Secret(CANARY, name="env:X")], key=b"a key for tests").text(f"so {CANARY} it is")[0],
        )
    }
    assert len(seen) == 1
    assert (
        Redactor(key=b"another").text(f"password={CANARY}&x=1")[0]
        != REDACTOR.text(f"password={CANARY}&x=1")[0]
    )


PERSONAL = {
    "email": "anna.muster@mail-house.de",
    "phone": "+491701234567",
    "card": "4539578763621486",
    "iban": "DE89370400440532013000",
}


@pytest.mark.parametrize("rule", PERSONAL)
def test_personal_data_by_its_look(rule: str) -> None:
    """Replaced by something of the same form, and left where the rule is off."""
    text = f"sent to {PERSONAL[rule]} today"
    clean, hits = REDACTOR.text(text)
    assert PERSONAL[rule] not in clean
    assert [hit.rule for hit in hits] == [f"personal-{rule}"]
    assert REDACTOR.text(clean) == (clean, ())
    others = set(PERSONAL) - {rule}
    assert Redactor(key=b"k", personal=others).text(text) == (text, ())


def test_personal_data_by_its_name() -> None:
    body = {
        "customer": {"name": "Anna Muster", "email": "anna@mail-house.de", "phone": 4917012345678},
        "billing": {"line1": "Weg 1", "first_name": "Anna"},
        "product": {"name": "Chair"},
        "repo": {"full_name": "team/repo"},
        "dob": "1990-02-03",
    }
    clean = json.loads(REDACTOR.body(json.dumps(body).encode())[0])
    assert TAG.fullmatch(clean["customer"]["name"])
    assert clean["customer"]["email"].endswith("@example.com")
    assert isinstance(clean["customer"]["phone"], int)
    assert TAG.fullmatch(clean["billing"]["line1"])
    assert TAG.fullmatch(clean["billing"]["first_name"])
    assert clean["product"] == {"name": "Chair"}
    assert clean["repo"] == {"full_name": "team/repo"}
    assert clean["dob"] == "1900-01-01"


def test_a_rule_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="no rule for personal data is called 'shoe'"):
        Redactor(personal=["shoe"])


ORDINARY = (
    "GET https://api.example.com/v1/balance?limit=1&cursor=abc answered 200 in 0.231 s",
    "Basic authentication failed for this account; a bearer token is needed",
    "password = getpass.getpass(prompt)",
    "token=self.token, secret=settings.SECRET_KEY, api_key=os.environ['KEY2']",
    'curl -H "Authorization: Bearer $TOKEN" https://h.example/?key=${KEY}',
    "Authorization: Bearer <ACCESS_TOKEN>",
    '{"token": "[REDACTED]", "password": "********", "secret": "DUMMY_SECRET", "api_key": "<API_KEY>"}',
    "def test_token_is_refused(token: str) -> None:",
    "git@github.com:team/repo.git image@2x.png someone@example.com",
    'order 1234567890123456 of 2026-11-22T10:00:00+00:00, W/"d13752bbc4a282a7318b1ee3e52f041e"',
    'credentials.secret_key = "env:STRIPE_SECRET_KEY"',
    "4242424242424242 is a test card, +12025550143 a number of fiction",
)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays(text: str) -> None:
    assert REDACTOR.text(text) == (text, ())


anything = st.one_of(
    st.text(max_size=200),
    st.text(alphabet='ab1%&=?{}[]":,\\u0 -+/@.\n', max_size=80),
    st.lists(
        st.sampled_from(
            [
                *BODIES.values(),
                *URLS.values(),
                *PERSONAL.values(),
                pem(),
                jwt(),
                "&",
                "?",
                " ",
                '"',
                "%",
                "=",
                ":",
                "{",
                b64("x"),
            ]
        ),
        max_size=4,
    ).map("".join),
)


@settings(deadline=None, max_examples=300)
@given(text=anything)
def test_twice_equals_once(text: str) -> None:
    """Any text: nothing raises, what was cleaned is clean, and the answer is the same each time."""
    once, hits = REDACTOR.text(text)
    assert REDACTOR.text(once) == (once, ())
    assert REDACTOR.text(text) == (once, hits)
    assert bool(hits) == (once != text)


@settings(deadline=None, max_examples=200)
@given(
    body=st.binary(max_size=200),
    media=st.sampled_from(["", "text/plain; charset=latin-1", "a; charset=nope"]),
)
def test_any_bytes(body: bytes, media: str) -> None:
    once, _ = REDACTOR.body(body, media)
    assert REDACTOR.body(once, media) == (once, ())


def test_a_hit_never_holds_the_value() -> None:
    assert set(Hit.__slots__) == {"rule", "place", "replaced_by", "line"}
