"""One look over one thing: by names first, then into what is encoded, then by shapes, then for known values."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from cassettes.redact import credentials, encodings, finders, personal
from cassettes.redact.documents import Edit, UnreadableError, read_json, splice, write_json
from cassettes.redact.finders import Path, Span
from cassettes.redact.hits import Hit, pointer
from cassettes.redact.placeholders import Placeholders, is_mask, stands
from cassettes.redact.sought import Sought
from cassettes.redact.walk import Walk
from interlock.secret_shapes import NameKind, secret_name

MAX_LAYERS = 6  # of encodings in encodings
PASSES = 4  # a placeholder never looks like a secret; what it was part of may
_SHORTEST = 3  # characters of a value under a telling name; a flag is no secret
_SHORTEST_PATTERN = 6
_REMEMBERED = 200  # characters of a text that is worth remembering
_PAIRED = frozenset(("value", "values", "cookies"))  # what they hold is named beside them
_JSON_FIRST = re.compile(r"\[\s{0,40}\"([A-Za-z-]{3,80})\"\s{0,8},")  # the name in a list of two
_JSON_NAME = re.compile(r"\"([^\"\\\n]{1,80})\"\s{0,8}:")
_FINDERS: tuple[finders.Finder, ...] = (
    finders.multipart,
    finders.form,
    finders.parameters,
    finders.elements,
    finders.assignments,
)
_DECODERS: tuple[finders.Finder, ...] = (finders.percents, finders.escapes, finders.base64s)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What is looked for.

    `known`: finds every spelling of the known values; `known_marks` says what stands for each. `personal`: names
    of rules of `personal.RULES`.
    """

    marks: Placeholders
    shapes: tuple[Sought, ...]
    personal: frozenset[str]
    known: re.Pattern[str] | None = None
    known_marks: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def needleless(self) -> tuple[Sought, ...]:
        """The shapes that any text may have."""
        return tuple(shape for shape in self.shapes if not shape.needles)

    @cached_property
    def needles(self) -> tuple[str, ...]:
        """One of these is in any text that has one of the shapes."""
        return tuple(dict.fromkeys(needle for shape in self.shapes for needle in shape.needles))


class Look:
    """Collects what it finds in `hits`; each method returns its argument without secrets."""

    def __init__(self, rules: Rules, *, strict: bool = True, passes: int = PASSES) -> None:
        """`strict`: what stands under a telling name is secret, as in a recording; else only if it looks like it.

        `passes`: one is enough where only the hits are wanted.
        """
        self.rules = rules
        self.strict = strict
        self.passes = passes
        self.hits: list[Hit] = []
        self.offsets: list[int | None] = []  # of each hit in the document; None where it has none
        self.at: int | None = None  # where in the document the scalar stands that is looked at
        self._layers = 0
        self._clean: set[str] = (
            set()
        )  # short texts that were looked at and hold nothing: headers say the same again

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
        if len(text) < _SHORTEST_PATTERN or self._layers >= MAX_LAYERS or text in self._clean:
            return text
        self._layers += 1
        try:
            for _ in range(self.passes):
                new = self._once(text, path)
                if new == text:
                    break
                text = new
        finally:
            self._layers -= 1
        if self._layers == 0 and len(text) <= _REMEMBERED:
            self._clean.add(text)
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
        self.offsets.append(self.at)

    def _secret(self, text: str, path: Path, kind: NameKind) -> str:
        if is_mask(text) or text.startswith("-----BEGIN PGP SIGNATURE"):
            return text
        if text.startswith(("http://", "https://")) or not (self.strict or _looks(text, kind)):
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
        if self._layers == 1 and self.at is None:
            self.offsets[before:] = [span.start] * (len(self.offsets) - before)

    def _json(self, text: str, path: Path) -> str | None:
        """The text as JSON, by its names; None if it is none, or if no name in it tells and its strings are plain."""
        if self._is_flat(text):
            return None
        try:
            roots = read_json(text)
        except UnreadableError:
            return None
        inner = Walk(self, at_home=False)
        inner.roots(roots, path)
        return splice(
            text, [Edit(s.start, s.end, write_json(s, new, text)) for s, new in inner.changed.values()]
        )

    def _is_flat(self, text: str) -> bool:
        if "\\" in text or ("=" in text and finders.may_be_form(text)):
            return False
        names = set(_JSON_NAME.findall(text))
        if any(name in _PAIRED or secret_name(name) or personal.tells(name) for name in names):
            return False
        return not any(secret_name(name) for name in _JSON_FIRST.findall(text))

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
        found = {needle for needle in self.rules.needles if needle in lowered}
        for sought in self.rules.shapes if found else self.rules.needleless:
            if sought.needles and found.isdisjoint(sought.needles):
                continue
            for match in sought.matches(text, lowered):
                groups = match.groupdict()
                keep = len(groups.get("keep") or groups.get("keep2") or "")
                secret = match[0][keep:]
                new = credentials.shaped(sought.shape.rule, secret, self.rules.marks)
                if new != secret:
                    yield Span(match.start() + keep, match.end(), new, f"secret-{sought.shape.rule}")


def _looks(text: str, kind: NameKind) -> bool:
    """Whether a value under a telling name looks as that name says."""
    if kind is NameKind.AUTHORIZATION:
        return " " in text or finders.plausible(text)
    return "=" in text if kind in {NameKind.COOKIE, NameKind.SET_COOKIE} else finders.plausible(text)


def _overlaps(edit: Edit, others: list[Edit]) -> bool:
    return any(edit.start < other.end and other.start < edit.end for other in others)


def _is_one(text: str) -> bool:
    """Whether a text can be one item of personal data, and not a document that holds some."""
    return len(text) <= 200 and text[:1] not in {"{", "[", "<"}  # noqa: PLR2004 - a line
