"""The one redactor that stands at every exit: known values in every spelling, then known shapes."""

from __future__ import annotations

import base64
import html
import json
import logging
import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from interlock.secret_shapes import HEADERS, NAMES, SHAPES, Shape
from interlock.secrets import Secret

MINIMUM_LENGTH = 4  # shorter values would blot out ordinary text
MINIMUM_ENCODED = 6  # the same for the part of base64 text that does not depend on its neighbours
MINIMUM_SHOWN = 8  # characters, of what follows the scheme in a header
MINIMUM_PART = 16  # and for a part of a secret: a line of a PEM file, a field of a JSON key
MASK = "[redacted]"
# Characters: so many are looked through before a pattern is made; a text costs so many more.
_MANY = 300_000
_A_LOOK = 300
_AS_HEADER = re.compile(
    r"(?i:bearer|basic|token|apikey|bot|key) +(\S+)"
)  # a whole Authorization, RFC 9110, 11.6.2
_PASSES = 8  # one is enough, unless a mark and its neighbours happen to spell a secret

_SENSITIVE_KEY = re.compile(rf"(?:{NAMES}|{HEADERS}|assertion|sig)", re.IGNORECASE)
_SENSITIVE_PART = re.compile(r"(?:key|sig|secret|token|password)\Z", re.IGNORECASE)


def spellings(value: str) -> set[str]:
    """The ways in which a value may stand in text.

    Plain; percent-encoded (either case, once or twice) and form-encoded; escaped for JSON (by several
    writers), HTML and Python; base64 and its part inside longer base64 at each offset; hex.
    """
    raw = value.encode("utf-8", "surrogatepass")
    encoded = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    encoded |= {text.rstrip("=") for text in encoded}
    found = {raw.hex(), raw.hex().upper(), *_escaped(value, raw), *_inside_base64(raw)}
    for text in (value, *encoded):
        found.add(text)
        for quoted in (quote(text, safe=b"", errors="surrogatepass"), quote(text, errors="surrogatepass")):
            found |= {quoted, _lower_percent(quoted), quote(quoted)}
    found |= {_form(value), _lower_percent(_form(value))}
    return {text for text in found if len(text) >= MINIMUM_LENGTH}


def _form(value: str) -> str:
    return quote_plus(value, errors="surrogatepass")


def _lower_percent(text: str) -> str:
    return re.sub("%..", lambda match: match.group().lower(), text)


def _escaped(value: str, raw: bytes) -> Iterator[str]:
    for ascii_only in (True, False):
        text = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield from (text, text.replace("/", "\\/"))
        yield _unicode_escape(text, "<>&'+")
    units = [f"{unit:04x}" for unit in _utf16(value)]
    yield "".join(f"\\u{unit}" for unit in units)
    yield "".join(f"\\u{unit.upper()}" for unit in units)
    yield from (html.escape(value), html.escape(value, quote=False))
    yield html.escape(value).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")
    yield from (repr(value)[1:-1], repr(raw)[2:-1])


def _unicode_escape(text: str, characters: str) -> str:
    return "".join(f"\\u{ord(char):04x}" if char in characters else char for char in text)


def _utf16(value: str) -> Iterator[int]:
    raw = value.encode("utf-16-be", "surrogatepass")
    return (raw[at] << 8 | raw[at + 1] for at in range(0, len(raw), 2))


def _inside_base64(raw: bytes) -> Iterator[str]:
    """The part of base64 text that does not depend on the neighbours, at each of the three offsets."""
    for lead in range(3):
        text = base64.b64encode(b"\0" * lead + raw).decode().rstrip("=")
        start = (lead * 8 + 5) // 6
        end = ((lead + len(raw)) * 8) // 6
        if end - start >= MINIMUM_ENCODED:
            part = text[start:end]
            yield from (part, part.replace("+", "-").replace("/", "_"), quote(part, safe=""))
            yield from (_lower_percent(quote(part, safe="")), part.replace("/", "\\/"))


def parts(value: str) -> Iterator[str]:
    """What is secret by itself inside a secret: lines of a PEM file, fields of a JSON key or a query."""
    yield value
    yield from (line for line in map(str.strip, value.splitlines()) if len(line) >= MINIMUM_PART)
    if (shown := _AS_HEADER.fullmatch(value)) is not None and len(shown[1]) >= MINIMUM_SHOWN:
        yield shown[1]
    for name, text in _fields(value):
        if _SENSITIVE_PART.search(name) and len(text) >= MINIMUM_PART:
            yield from (text, unquote(text))
            yield from (line for line in map(str.strip, text.splitlines()) if len(line) >= MINIMUM_PART)


def _fields(value: str) -> Iterator[tuple[str, str]]:
    if value.startswith("{"):
        try:
            data = json.loads(value)
        except (ValueError, RecursionError):
            return
        yield from ((name, text) for name, text in data.items() if isinstance(text, str))
    elif "=" in value:
        for pair in re.split("[&;]", value):
            name, _, text = pair.partition("=")
            yield name.lstrip("?"), text


class Redactor:
    """Hides secrets in text and in JSON-ready values. Knows values (`learn`) and shapes (`shapes`)."""

    def __init__(self, secrets: Iterable[Secret] = (), shapes: Iterable[re.Pattern[str]] = ()) -> None:
        self._marks: dict[str, str] = {}
        self._known: re.Pattern[str] | None = None
        self._stale = False
        self._seen = 0
        self._lock = threading.Lock()
        self._shapes = (*SHAPES, *(Shape("provider", shape) for shape in shapes))
        self.learn(*secrets)

    def learn(self, *secrets: Secret) -> None:
        """Add values that must never leave."""
        with self._lock:
            for secret in secrets:
                mark = _mark(secret)
                for part in parts(secret.reveal()):
                    for text in spellings(part):
                        self._marks.setdefault(text, mark)
            self._stale = self._stale or bool(secrets)

    def prepare(self) -> None:
        """Make ready now for many texts, in any thread: with a private key that takes 0.2 s."""
        with self._lock:
            if self._stale:
                marks = {mark for mark in self._marks.values() if mark} | {MASK}
                self._known = re.compile(alternation({*self._marks, *marks}), re.DOTALL)
                self._stale = False

    def text(self, text: str) -> str:
        """`text` with every known value and shape replaced by a mark. Redacting twice equals once."""
        for _ in range(_PASSES):
            redacted = self._once(text)
            if redacted == text:
                return text
            text = redacted
        return MASK

    def value(self, value: Any) -> Any:
        """A JSON-ready value with every string in it redacted, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self._field(str(key), item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value

    def _field(self, key: str, value: Any) -> Any:
        """What stands under a name that tells it is secret is hidden whole."""
        if isinstance(value, str) and value and _SENSITIVE_KEY.fullmatch(key):
            inner = self.text(value)
            return inner if _is_mark(inner) else MASK
        return self.value(value)

    def _once(self, text: str) -> str:
        known = self._pattern(text)
        if known is not None:
            text = known.sub(self._replace, text)
        lowered = text.lower()
        for shape in self._shapes:
            if not shape.needles or any(needle in lowered for needle in shape.needles):
                text = shape.pattern.sub(_mask, text)
        return text

    def _replace(self, match: re.Match[str]) -> str:
        return self._marks.get(match.group(), match.group())  # a mark that stands already stays

    def _pattern(self, text: str) -> re.Pattern[str] | None:
        """What hides the known values in a text; None where none is in it.

        A few texts are looked through for each value: that is done long before one pattern for all of them is made.
        """
        if self._stale:
            with self._lock:
                self._seen += len(text) + _A_LOOK
                if self._seen < _MANY and not any(each in text for each in self._marks):
                    return None
            self.prepare()
        return self._known


def _mark(secret: Secret) -> str:
    """What stands for the secret: its name, unless a mark itself would spell the secret."""
    for mark in (f"[redacted {secret.name}]", MASK, "[***]"):
        if not any(text in mark for text in spellings(secret.reveal())):
            return mark
    return ""


def _is_mark(text: str) -> bool:
    return text == MASK or re.fullmatch(r"\[redacted (?:env|file):[^\]\r\n]*\]", text) is not None


def _mask(match: re.Match[str]) -> str:
    """Keep what the shape says stays, and a mark that stands already."""
    groups = match.groupdict()
    keep = groups.get("keep") or groups.get("keep2") or ""
    secret = match.group()[len(keep) :]
    scheme, _, rest = secret.partition(" ")
    if _is_mark(secret) or (_is_mark(rest) and scheme.lower() in {"bearer", "basic", "token"}):
        return match.group()
    return keep + MASK


def alternation(words: set[str]) -> str:
    """One pattern for many words, as a tree of first letters: `re` tries plain alternatives one by one."""
    groups: dict[str, set[str]] = {}
    for word in words - {""}:
        groups.setdefault(word[0], set()).add(word)
    branches = [_branch(group) for _, group in sorted(groups.items())]
    if not branches:
        return ""
    whole = len(branches) == 1 and "" not in words
    return branches[0] if whole else f"(?:{'|'.join(branches)}){'?' if '' in words else ''}"


def _branch(words: set[str]) -> str:
    prefix = os.path.commonprefix([min(words), max(words)])  # noqa: RUF071 - letters are meant, not paths
    return re.escape(prefix) + alternation({word[len(prefix) :] for word in words})


class RedactingFilter(logging.Filter):
    """Puts the redactor before a log handler: message, arguments, extra fields and exception text."""

    _OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor
        self._formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; always lets it pass."""
        record.msg, record.args = self._redactor.text(_message(record)), None
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        record.exc_info = None  # a formatter of another kind would write it out again
        if record.exc_text:
            record.exc_text = self._redactor.text(record.exc_text)
        if record.stack_info:
            record.stack_info = self._redactor.text(record.stack_info)
        for name in vars(record).keys() - self._OWN:
            setattr(record, name, self._redactor.value(getattr(record, name)))
        return True


def _message(record: logging.LogRecord) -> str:
    """The message; where the arguments do not fit it, logging itself would print both to standard error."""
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - an argument's own __str__ may raise anything
        return f"{record.msg} (its arguments do not fit)"
