"""Where a text of no known structure may hold a secret: each finder yields the places, and what should stand there."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol
from urllib.parse import unquote_plus

from cassettes.redact import encodings, personal
from cassettes.redact.placeholders import is_mask, stands
from interlock.secret_shapes import NameKind, secret_name

Path = tuple[str, ...]


class Span(NamedTuple):
    """`text[start:end]` is to become `new`; `rule` is None where whoever looked inside has noted it."""

    start: int
    end: int
    new: str
    rule: str | None = None


class Looker(Protocol):
    """What a finder needs of the look that it serves."""

    def leaf(self, text: str, path: Path, name: str | None = None, kind: NameKind | None = None) -> str:
        """The text without its secrets, where its name is known."""

    def inside(self, text: str, path: Path) -> str:
        """The same, where no name is known."""

    def deeper(self, raw: bytes, path: Path) -> bytes:
        """The same for the bytes behind an encoding."""


Finder = Callable[[Looker, str, str, Path], Iterator[Span]]

_PARAMETER = re.compile(
    r"(?:[?&#;]|\\u0026|\\u003[fF]|&amp;)(?P<name>[\w.\-\[\]%~$]{1,80})(?:=|\\u003[dD])"
    r"(?P<value>[^&#;\s\"'<>\\`)]+)"
)
_FORM = re.compile(r"[\w.\-\[\]%+~$!*:]{1,200}=[^&\s\"<>{}]*(?:&[^&\s\"<>]*)*\s*")
_PAIR = re.compile(r"([^=&]{1,200})=([^&\s]*)")
_ELEMENT = re.compile(r"<([A-Za-z][\w:.-]{0,80})(?:\s[^<>]{0,500})?>([^<>]{3,})</")
_INPUT = re.compile(r"\bname=\"([^\"<>]{1,80})\"[^<>]{0,200}?\bvalue=\"([^\"<>]{3,})\"")
_PERCENT = re.compile(r"[A-Za-z0-9_.~%-]{8,}")
_U_RUN = re.compile(r"(?:\\u00[2-7][0-9a-fA-F]|[\w.~/:@-]){8,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_LINES = re.compile(r"[A-Za-z0-9+/]{16,}\r?\n[A-Za-z0-9+/\r\n]*={0,2}\s*")
_PART_NAME = re.compile(r"content-disposition:[^\r\n]*?\bname=\"?([^\";\r\n]{1,200})", re.IGNORECASE)
_HEADERS_END = re.compile(r"\r?\n\r?\n")
# The words in which a telling name ends, and what follows: a quote that closes the name, then `:`, `=` or `=>`.
_WORDS = (
    "token",
    "secret",
    "passw",
    "pwd",
    "key",
    "authorization",
    "cookie",
    "signature",
    "passphrase",
    "sig",
)
_SHORT_NAMES = ("cvc", "cvv", "otp=", "pin=", "pass", "jwt", "code=", "auth")
_AFTER = re.compile(r"[A-Za-z0-9]{0,12}\\?[\"']?\s{0,4}(?::=|=>|[:=])[ \t]{0,4}(?P<quote>\\?[\"'`])?")
_NAME_BEFORE = re.compile(r"[A-Za-z0-9_.$-]{0,60}\Z")
_BARE = re.compile(r"[^\s\"'`,;&|<>(){}\[\]\\]{1,4000}")
_LINE = re.compile(r"[^\r\n\"'`]{1,4000}")
_ENVIRONMENT = re.compile(r"[A-Z][A-Z0-9_]*")
_WORD = re.compile(r"\w*")
_LONGEST = 4000
_TOLD_BY = 256  # characters by which a value is told from a word
_DIGIT, _LETTER = re.compile(r"\d"), re.compile(r"[^\W\d_]")
_SHORTEST_PASSWORD = 6
_NOT_A_VALUE = re.compile(
    r"(?:env:|file:|os\.|self\.|this\.|process\.|\$|\{|%|<|\.|/|@)|[A-Za-z_]+(?:\.[A-Za-z_]\w*)+\Z|[^\d]{0,256}\s"
)


def may_be_form(text: str) -> bool:
    """Whether a field of a form in the text may be secret by its name."""
    lowered = text.lower()
    return any(word in lowered for word in (*_WORDS, *_SHORT_NAMES))


def plausible(value: str) -> bool:
    """Whether a value in text that may be anything looks like a secret, and not like a word or a piece of code."""
    if len(value) < 8 or is_mask(value) or _NOT_A_VALUE.match(value):  # noqa: PLR2004 - a short word
        return False
    return _DIGIT.search(value, 0, _TOLD_BY) is not None and _LETTER.search(value, 0, _TOLD_BY) is not None


def parameters(look: Looker, text: str, _: str, path: Path) -> Iterator[Span]:
    """Query parameters and fragments of URLs, absolute or not, as they stand or escaped for JSON or HTML."""
    if "=" not in text and "\\u003" not in text:
        return
    for match in _PARAMETER.finditer(text):
        yield from _pair(look, match["name"], match["value"], match.start("value"), path)


def form(look: Looker, text: str, _: str, path: Path) -> Iterator[Span]:
    """Fields of a form, and a bare query string."""
    if "=" in text and _FORM.fullmatch(text):
        for match in _PAIR.finditer(text):
            yield from _pair(look, match[1], match[2], match.start(2), path)


def _pair(look: Looker, raw_name: str, raw: str, start: int, path: Path) -> Iterator[Span]:
    name = unquote_plus(raw_name)
    kind = secret_name(name)
    if kind is NameKind.MAYBE:
        kind = NameKind.FIELD if len(raw) >= 16 and plausible(raw) else None  # noqa: PLR2004 - no page number
    if kind is None and "%" not in raw and "+" not in raw and personal.personal_name(name) is None:
        return
    value = encodings.form_decoded(raw)
    new = look.leaf(value, (*path, name), name, kind)
    if new != value:
        yield Span(start, start + len(raw), encodings.percent_encoded(new, raw))


def elements(look: Looker, text: str, _: str, path: Path) -> Iterator[Span]:
    """Elements of XML and fields of HTML whose names tell."""
    if "</" in text:
        for match in _ELEMENT.finditer(text):
            yield from _named(look, match[1], match, 2, path)
    if 'value="' in text:
        for match in _INPUT.finditer(text):
            yield from _named(look, html.unescape(match[1]), match, 2, path)


def _named(look: Looker, name: str, match: re.Match[str], group: int, path: Path) -> Iterator[Span]:
    kind = secret_name(name)
    kind = None if kind is NameKind.MAYBE else kind
    if kind is None and personal.personal_name(name) is None:
        return
    value = html.unescape(match[group])
    new = look.leaf(value, (*path, name), name, kind)
    if new != value:
        yield Span(*match.span(group), html.escape(new, quote=False))


def multipart(look: Looker, text: str, lowered: str, path: Path) -> Iterator[Span]:
    """The parts of a multipart body, by the names of their fields."""
    if not text.startswith("--") or "content-disposition" not in lowered:
        return
    boundary = re.match(r"--[^\r\n]{1,200}", text)
    at = boundary.end() if boundary else len(text)
    while boundary and (end := text.find("\n" + boundary[0], at)) >= 0:
        head = _HEADERS_END.search(text, at, end)
        named = _PART_NAME.search(text, at, head.start() + 2 if head else at)
        if head and named:
            stop = end - 1 if text[end - 1] == "\r" else end
            value = text[head.end() : stop]
            new = look.leaf(value, (*path, named[1]), named[1], secret_name(named[1]))
            if new != value:
                yield Span(head.end(), stop, new)
        at = end + 1 + len(boundary[0])


def assignments(look: Looker, text: str, lowered: str, path: Path) -> Iterator[Span]:
    """Lines of headers, environment files, source and logs: a telling name, a sign, a value."""
    for word in _WORDS:
        at = lowered.find(word)
        while at >= 0:
            after = _AFTER.match(text, at + len(word))
            if after is not None:
                yield from _assigned(look, text, at, after, path)
            at = lowered.find(word, at + len(word))


def _assigned(look: Looker, text: str, at: int, after: re.Match[str], path: Path) -> Iterator[Span]:
    before = _NAME_BEFORE.search(text, max(0, at - 60), at)
    start = before.start() if before else at
    word = _WORD.match(text, at)
    name = text[start : word.end() if word else at]
    kind = secret_name(name)
    if kind is None or kind is NameKind.MAYBE:
        return
    headers = kind in {NameKind.AUTHORIZATION, NameKind.COOKIE, NameKind.SET_COOKIE}
    begin, end = after.end(), _value_end(text, after, whole_line=headers)
    value = text[begin:end]
    is_environment = _ENVIRONMENT.fullmatch(name) and text[after.start() : begin].strip(" \t") in {
        "=",
        "='",
        '="',
    }
    if headers:
        looks = any(plausible(part) for part in re.split(r"[ ;=,]", value[:_TOLD_BY]))
    elif is_environment:
        looks = len(value) >= _SHORTEST_PASSWORD and not _NOT_A_VALUE.match(value)
    else:
        looks = plausible(value)
    if looks and (new := look.leaf(value, (*path, name), name, kind)) != value:
        yield Span(begin, end, new)


def _value_end(text: str, after: re.Match[str], *, whole_line: bool) -> int:
    begin, quote = after.end(), after["quote"]
    if quote:
        end = text.find(quote, begin, begin + _LONGEST)
        line = text.find("\n", begin, begin + _LONGEST)
        if end >= 0 and not 0 <= line < end:
            return end
    match = (_LINE if whole_line else _BARE).match(text, begin)
    return match.end() if match else begin


def percents(look: Looker, text: str, _: str, path: Path) -> Iterator[Span]:
    """Runs of percent-encoded text: a URL in a parameter, a key with its marks escaped."""
    if "%" not in text:
        return
    for match in _PERCENT.finditer(text):
        if "%" in match[0] and (value := encodings.percent_decoded(match[0])) != match[0]:
            new = look.inside(value, path)
            if new != value:
                yield Span(*match.span(), encodings.percent_encoded(new, ""))


def escapes(look: Looker, text: str, _: str, path: Path) -> Iterator[Span]:
    """Runs with JSON's escapes in text that is no JSON as a whole."""
    if "\\u00" not in text:
        return
    for match in _U_RUN.finditer(text):
        if "\\u" in match[0]:
            value = encodings.u_decoded(match[0])
            new = look.inside(value, path)
            if new != value:
                yield Span(*match.span(), encodings.u_encoded(new))


def base64s(look: Looker, text: str, _: str, path: Path) -> Iterator[Span]:
    """Base64 of something that can be read, and of gzip."""
    pattern = _LINES if _LINES.fullmatch(text) else _BASE64
    for match in pattern.finditer(text):
        run = match[0]
        if run.islower() or run.isdigit() or stands(run) or (raw := encodings.base64_decoded(run)) is None:
            continue
        new = look.deeper(raw, path)
        if new != raw:
            yield Span(*match.span(), encodings.base64_encoded(new, run))
