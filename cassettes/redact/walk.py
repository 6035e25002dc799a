"""A document by the names in it: whatever its format, a recording tells its secrets by what they are called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cassettes.redact import encodings, personal
from cassettes.redact.documents import Alias, Mapping, Node, Scalar, Sequence
from cassettes.redact.finders import Path
from cassettes.redact.placeholders import stands
from interlock.secret_shapes import NameKind, secret_name

if TYPE_CHECKING:
    from cassettes.redact.look import Look

_SMALLEST_NUMBER = 3  # digits
# Under a telling name, these hold the value: matchers of WireMock, headers of HAR, bodies.
_VALUES = frozenset(
    (
        "value",
        "values",
        "equalto",
        "equaltoignorecase",
        "contains",
        "matches",
        "string",
        "text",
        "data",
        "content",
    )
)
_NAMES = frozenset(("name", "key", "header"))
_BODIES = frozenset(("body", "string", "text", "content", "base64_string", "base64body", "data"))
_LENGTHS = frozenset(("content-length", "content_length", "contentlength", "bodysize", "size"))
_COOKIES = "cookies"
_LONG_NAME = 16  # characters; a longer key may be a value


class Walk:
    """Goes through a document by the names in it; `changed` holds the scalars that must be written anew."""

    def __init__(self, look: Look, *, at_home: bool) -> None:
        """`at_home`: the document is the file itself, so that a scalar's place is one in the file."""
        self.look = look
        self.at_home = at_home
        self.changed: dict[int, tuple[Scalar, str]] = {}
        self._lengths: dict[str, str] = {}  # of bodies of the message at hand that changed, old to new

    def roots(self, roots: list[Node], path: Path) -> None:
        """Every document of the text."""
        for index, node in enumerate(roots):
            self.node(node, path if len(roots) == 1 else (*path, str(index)))

    def node(self, node: Node, path: Path, name: str | None = None, kind: NameKind | None = None) -> None:
        """One node under a name; `kind`: what that name says."""
        if isinstance(node, Scalar):
            self.scalar(node, path, name, kind)
        elif isinstance(node, Sequence):
            self._sequence(node, path, name, kind)
        elif isinstance(node, Alias):
            if isinstance(node.target, Scalar) and kind is not None:
                self.scalar(node.target, path, name, kind)
        else:
            self._mapping(node, path, name, kind)

    def scalar(self, node: Scalar, path: Path, name: str | None, kind: NameKind | None) -> None:
        """Look at one value; a change is kept until the text is written."""
        if node.style == "bare" or node.start in self.changed:
            return
        look = self.look
        if self.at_home:
            look.at = node.start
        new = (
            self._number(node, path, name, kind)
            if node.style == "number"
            else self._text(node, path, name, kind)
        )
        if new != node.value:
            self.changed[node.start] = (node, new)
            if name is not None and name.lower() in _BODIES:
                self._note_length(node.value, new)

    def _text(self, node: Scalar, path: Path, name: str | None, kind: NameKind | None) -> str:
        if not is_binary(node):
            return self.look.leaf(node.value, path, name, kind)
        raw = encodings.base64_decoded(node.value)
        if raw is None:
            return node.value
        text = encodings.as_text(raw)
        new = self.look.deeper(raw, path) if text is None else self.look.leaf(text, path, name, kind).encode()
        return node.value if new == raw else encodings.base64_encoded(new, node.value)

    def _number(self, node: Scalar, path: Path, name: str | None, kind: NameKind | None) -> str:
        look, text = self.look, node.value
        if len(text) < _SMALLEST_NUMBER or stands(text):
            return text
        if kind in {NameKind.FIELD, NameKind.SIGNATURE} and look.strict:
            new = look.rules.marks.number(text)
            look.hit(f"secret-{kind.value}", path, new)
            return new
        rule = (personal.personal_name(name) if name else None) or (
            "card" if personal.is_card(text) else None
        )
        if rule in {"phone", "card", "national-id"} and rule in look.rules.personal and text.isdigit():
            return look.personal(text, path, rule)
        return text

    def _sequence(self, node: Sequence, path: Path, name: str | None, kind: NameKind | None) -> None:
        for index, item in enumerate(node.items):
            here = (*path, str(index))
            pair = _pair(item)
            if pair is not None:
                header, value = pair
                self.node(value, (*path, header), header, secret_name(header))
            else:
                self.node(item, here, name, kind)

    def _mapping(self, node: Mapping, path: Path, name: str | None, kind: NameKind | None) -> None:
        names = [key_text(key) for key, _ in node.pairs]
        named = _named(node)
        message = "headers" in names
        outer, self._lengths = self._lengths, {} if message else self._lengths
        person = name is not None and personal.is_person(name) and "name" in self.look.rules.personal
        for text, (key, value) in zip(names, node.pairs, strict=True):
            low = text.lower()
            if named is not None and low in {"value", "values"}:
                self.node(value, (*path, named), named, _only(secret_name(named)) or kind)
            elif person and low == "name" and isinstance(value, Scalar):
                self._person(value, (*path, text))
            else:
                within = kind if low in _VALUES or (name == _COOKIES and named is None) else None
                own = _cookie_kind(value) if low == _COOKIES else _only(secret_name(text)) or within
                self.node(value, (*path, text), low if low == _COOKIES else text, own)
            if len(text) >= _LONG_NAME and isinstance(key, Scalar):
                self.scalar(key, (*path, text), None, None)
        if message:
            self._mend_lengths(node)
            self._lengths = outer

    def _mend_lengths(self, node: Mapping) -> None:
        """The length that a message tells of its body follows the body."""
        for scalar in _told_lengths(node) if self._lengths else ():
            if scalar.value in self._lengths and scalar.start not in self.changed:
                self.changed[scalar.start] = (scalar, self._lengths[scalar.value])

    def _note_length(self, old: str, new: str) -> None:
        self._lengths[str(_size(old))] = str(_size(new))
        raw, new_raw = encodings.base64_decoded(old), encodings.base64_decoded(new)
        if raw is not None and new_raw is not None:
            self._lengths[str(len(raw))] = str(len(new_raw))

    def _person(self, value: Scalar, path: Path) -> None:
        if self.at_home:
            self.look.at = value.start
        if not is_binary(value) and (new := self.look.personal(value.value, path, "name")) != value.value:
            self.changed[value.start] = (value, new)


def _only(kind: NameKind | None) -> NameKind | None:
    """In a document, a name that only may tell tells nothing."""
    return None if kind is NameKind.MAYBE else kind


def _cookie_kind(value: Node) -> NameKind:
    return NameKind.COOKIE if isinstance(value, Scalar) else NameKind.FIELD


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _told_lengths(node: Node, name: str = "") -> Iterator[Scalar]:
    """Where a message and what is in it may say how long its body is."""
    if isinstance(node, Scalar):
        if name in _LENGTHS:
            yield node
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _told_lengths(item, name)
    elif isinstance(node, Mapping):
        named = _named(node)
        for key, value in node.pairs:
            text = key_text(key).lower()
            yield from _told_lengths(value, named.lower() if named and text == "value" else text)


def _pair(item: Node) -> tuple[str, Node] | None:
    """A header written as a list of two; only names that tell count."""
    if not (isinstance(item, Sequence) and len(item.items) == 2 and isinstance(item.items[0], Scalar)):  # noqa: PLR2004
        return None
    name = key_text(item.items[0])
    return (name, item.items[1]) if _only(secret_name(name)) is not None else None


def _named(node: Mapping) -> str | None:
    """The name in a mapping of the kind `{name: ..., value: ...}`."""
    name, has_value = None, False
    if len(node.pairs) > 12:  # noqa: PLR2004 - a cookie in HAR has 9
        return None
    for key, value in node.pairs:
        text = key_text(key).lower()
        if text in _NAMES and isinstance(value, Scalar) and name is None:
            name = key_text(value)
        has_value = has_value or text in {"value", "values"}
    return name if has_value else None


def is_binary(node: Scalar) -> bool:
    """Whether YAML holds it as base64: `!!binary`, or `!binary` of Ruby."""
    return node.tag in {"tag:yaml.org,2002:binary", "!binary"}


def key_text(key: Node) -> str:
    """The text of a key, which Ruby may write in base64; empty for a key that is no text."""
    if not isinstance(key, Scalar):
        return ""
    if is_binary(key):
        return (encodings.base64_decoded(key.value) or b"").decode("utf-8", "replace")
    return key.value
