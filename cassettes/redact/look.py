"""One look over one thing: by names first, then into what is encoded, then by shapes, then for known values."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cassettes.redact import credentials, encodings, finders, personal
from cassettes.redact.documents import (
    Alias,
    Edit,
    Node,
    Scalar,
    Sequence,
    UnreadableError,
    read_json,
    splice,
    write_json,
)
from cassettes.redact.documents import Mapping as Pairs
from cassettes.redact.finders import Path, Span
from cassettes.redact.hits import Hit, pointer
from cassettes.redact.placeholders import Placeholders, is_mask, stands
from interlock.secret_shapes import NameKind, Shape, secret_name

MAX_LAYERS = 6  # of encodings in encodings
_PASSES = 4  # a placeholder never looks like a secret; what it was part of may
_SHORTEST = 3  # characters of a value under a telling name; a flag is no secret
_SHORTEST_PATTERN = 6
_SMALLEST_NUMBER = 3  # digits
_VALUES = frozenset(
    [
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
    ]
)
_NAMES = frozenset(("name", "key", "header"))
_COOKIES = "cookies"
_FINDERS: tuple[finders.Finder, ...] = (
    finders.multipart,
    finders.form,
    finders.parameters,
    finders.elements,
    finders.assignments,
)
_DECODERS: tuple[finders.Finder, ...] = (finders.percents, finders.escapes, finders.base64s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is looked for.

    `known`: finds every spelling of the known values; `known_marks` says what stands for each. `personal`: names
    of rules of `personal.RULES`.
    """

    marks: Placeholders
    shapes: tuple[Shape, ...]
    personal: frozenset[str]
    known: re.Pattern[str] | None = None
    known_marks: Mapping[str, str] = field(default_factory=dict)


class Look:
    """Collects what it finds in `hits`; each method returns its argument without secrets."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.hits: list[Hit] = []
        self.offsets: list[int | None] = []  # of each hit in the document; None where it has none
        self._at: int | None = None
        self._layers = 0

    # -- texts ---------------------------------------------------------------------------------------

    def leaf(self, text: str, path: Path, name: str | None = None, kind: NameKind | None = None) -> str:
        """A text under a name. `kind`: what the name says of it, as `secret_name` has it."""
        if len(text) < _SHORTEST or stands(text):
            return text
        if kind is not None and kind is not NameKind.MAYBE:
            return self._secret(text, path, kind)
        rule = personal.personal_name(name) if name else None
        if rule in self.rules.personal and rule is not None and _is_one(text):
            return self.personal(text, path, rule)
        return self.inside(text, path)

    def inside(self, text: str, path: Path) -> str:
        """A text that may be anything."""
        if len(text) < _SHORTEST_PATTERN or self._layers >= MAX_LAYERS:
            return text
        self._layers += 1
        try:
            for _ in range(_PASSES):
                new = self._once(text, path)
                if new == text:
                    break
                text = new
        finally:
            self._layers -= 1
        return text

    def deeper(self, raw: bytes, path: Path) -> bytes:
        """Bytes behind an encoding: gzip, or text that can be read; anything else stays."""
        if (plain := encodings.inflated(raw)) is not None:
            text = plain.decode("utf-8", "surrogateescape")
            new = self.inside(text, path)
            return raw if new == text else encodings.deflated(new.encode("utf-8", "surrogateescape"))
        readable = encodings.as_text(raw)
        return raw if readable is None else self.inside(readable, path).encode("utf-8", "surrogateescape")

    def personal(self, text: str, path: Path, rule: str) -> str:
        """What stands for personal data."""
        if is_mask(text) or personal.is_nobodys(rule, text):
            return text
        new = personal.placeholder(rule, text, self.rules.marks)
        self.hit(f"personal-{rule}", path, new)
        return new

    def hit(self, rule: str, path: Path, new: str) -> None:
        """Note that something was found."""
        self.hits.append(Hit(rule=rule, place=pointer(path), replaced_by=new))
        self.offsets.append(self._at)

    def _secret(self, text: str, path: Path, kind: NameKind) -> str:
        if is_mask(text) or text.startswith("-----BEGIN PGP SIGNATURE"):
            return text
        if text.startswith(("http://", "https://")):
            return self.inside(text, path)
        if text.lstrip()[:1] == "{" and (new := self._json(text, path)) is not None:
            return new
        new = credentials.WRITERS[kind](text, self.rules.marks)
        if new != text:
            self.hit(f"secret-{kind.value}", path, new)
        return new

    def _once(self, text: str, path: Path) -> str:
        if text[:64].lstrip()[:1] in {"{", "["} and (new := self._json(text, path)) is not None:
            return new
        taken: list[Edit] = []
        before = len(self.hits)
        for span in self._spans(text, path):
            edit = Edit(span.start, span.end, span.new)
            at = bisect.bisect_left(taken, edit)
            if _overlaps(edit, taken[max(0, at - 1) : at + 1]):
                del self.hits[before:], self.offsets[before:]  # it was found twice
            else:
                taken.insert(at, edit)
                self._keep(span, path, before)
            before = len(self.hits)
        return splice(text, taken)

    def _keep(self, span: Span, path: Path, before: int) -> None:
        """Note a span; what was found in it while it was made stands where the span does."""
        if span.rule is not None:
            self.hit(span.rule, path, span.new)
        if self._layers == 1 and self._at is None:
            self.offsets[before:] = [span.start] * (len(self.offsets) - before)

    def _json(self, text: str, path: Path) -> str | None:
        try:
            roots = read_json(text)
        except UnreadableError:
            return None
        inner = Walk(self, at_home=False)
        inner.roots(roots, path)
        return splice(
            text, [Edit(s.start, s.end, write_json(s, new, text)) for s, new in inner.changed.values()]
        )

    def _spans(self, text: str, path: Path) -> Iterator[Span]:
        lowered = text.lower()
        if len(lowered) != len(text):  # some capitals have small forms of two characters
            lowered = "".join(char.lower() if char.isascii() else char for char in text)
        for finder in _FINDERS:
            yield from finder(self, text, lowered, path)
        yield from self._shapes(text, lowered)
        for finder in _DECODERS:
            yield from finder(self, text, lowered, path)
        if self.rules.known is not None:
            for match in self.rules.known.finditer(text):
                yield Span(*match.span(), self.rules.known_marks[match[0]], "secret-known")
        for start, end, rule in personal.find(text, self.rules.personal):
            if not personal.is_nobodys(rule, text[start:end]):
                new = personal.placeholder(rule, text[start:end], self.rules.marks)
                yield Span(start, end, new, f"personal-{rule}")

    def _shapes(self, text: str, lowered: str) -> Iterator[Span]:
        for shape in self.rules.shapes:
            if shape.needles and not any(needle in lowered for needle in shape.needles):
                continue
            for match in shape.pattern.finditer(text):
                groups = match.groupdict()
                keep = len(groups.get("keep") or groups.get("keep2") or "")
                secret = match[0][keep:]
                new = credentials.shaped(shape.rule, secret, self.rules.marks)
                if new != secret:
                    yield Span(match.start() + keep, match.end(), new, f"secret-{shape.rule}")


class Walk:
    """Goes through a document by the names in it; `changed` holds the scalars that must be written anew."""

    def __init__(self, look: Look, *, at_home: bool) -> None:
        """`at_home`: the document is the file itself, so that a scalar's place is one in the file."""
        self.look = look
        self.at_home = at_home
        self.changed: dict[int, tuple[Scalar, str]] = {}

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
            look._at = node.start  # noqa: SLF001 - the walk is the look's own
        new = (
            self._number(node, path, name, kind)
            if node.style == "number"
            else self._text(node, path, name, kind)
        )
        if new != node.value:
            self.changed[node.start] = (node, new)

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
        if kind in {NameKind.FIELD, NameKind.SIGNATURE}:
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

    def _mapping(self, node: Pairs, path: Path, name: str | None, kind: NameKind | None) -> None:
        named = _named(node)
        person = name is not None and personal.is_person(name)
        for key, value in node.pairs:
            text = key_text(key)
            here = (*path, text)
            low = text.lower()
            if named is not None and low in {"value", "values"}:
                self.node(value, (*path, named), named, _only(secret_name(named)) or kind)
                continue
            own = _only(secret_name(text))
            if own is None and kind is not None and (low in _VALUES or name == _COOKIES):
                own = kind
            if low == _COOKIES:
                own = NameKind.COOKIE if isinstance(value, Scalar) else NameKind.FIELD
            if person and low == "name" and isinstance(value, Scalar) and "name" in self.look.rules.personal:
                self._person(value, here)
                continue
            self.node(value, here, _COOKIES if low == _COOKIES else text, own)
            if isinstance(key, Scalar) and len(key.value) >= 16:  # noqa: PLR2004 - a name, no value
                self.scalar(key, here, None, None)

    def _person(self, value: Scalar, path: Path) -> None:
        if self.at_home:
            self.look._at = value.start  # noqa: SLF001
        if not is_binary(value) and (new := self.look.personal(value.value, path, "name")) != value.value:
            self.changed[value.start] = (value, new)


def _overlaps(edit: Edit, others: list[Edit]) -> bool:
    return any(edit.start < other.end and other.start < edit.end for other in others)


def _only(kind: NameKind | None) -> NameKind | None:
    """In a document, a name that only may tell tells nothing."""
    return None if kind is NameKind.MAYBE else kind


def _is_one(text: str) -> bool:
    """Whether a text can be one item of personal data, and not a document that holds some."""
    return len(text) <= 200 and text[:1] not in {"{", "[", "<"}  # noqa: PLR2004 - a line


def _pair(item: Node) -> tuple[str, Node] | None:
    """A header written as a list of two; only names that tell count."""
    if not (isinstance(item, Sequence) and len(item.items) == 2 and isinstance(item.items[0], Scalar)):  # noqa: PLR2004
        return None
    name = key_text(item.items[0])
    return (name, item.items[1]) if _only(secret_name(name)) is not None else None


def _named(node: Pairs) -> str | None:
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
