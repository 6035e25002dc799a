"""What in one recorded answer is not as its contract says: seen by the matcher, the engine and the shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from contracts.contract import Answer, Media
from contracts.drift.keywords import EXTENSIBLE, text_of, type_of
from contracts.drift.look import shown
from contracts.drift.shapes import Places, Shape, Shapes
from contracts.engine import RESPONSE, TooDeep
from contracts.explain import Broken, explain
from contracts.media import Read, chosen, essence, is_json, read
from contracts.placeholders import in_bytes, in_text
from contracts.pointers import escape, follow, steps
from contracts.view import Bench, View, listed
from interlock.records import Message

_BODY = "/response/body"
_BODILESS = frozenset({204, 205, 304})
_FAILED = 400
_MORE = "more in the list like it"  # how an explanation ends that stands for several items
_RULES = {
    "required": "recorded-field-missing",
    "additionalProperties": "recorded-field-new",
    "unevaluatedProperties": "recorded-field-new",
    "type": "recorded-type-changed",
    "anyOf": "recorded-type-changed",
    "oneOf": "recorded-type-changed",
    "enum": "recorded-enum-value-new",
    "const": "recorded-enum-value-new",
}
_EXTENSIBLE_RULE = "recorded-extensible-enum-value-new"
_VERBS = {
    "recorded-field-missing": "is missing",
    "recorded-field-new": "is new",
    "recorded-type-changed": "is of another type",
    "recorded-enum-value-new": "has a new value",
    "recorded-extensible-enum-value-new": "has a new value",
    "recorded-value-changed": "is not as promised",
}
_MAX_NESTING, _MAX_ITEMS = 40, 100


@dataclass(frozen=True, slots=True)
class Sighting:
    """One thing that is not as promised. `pointer`: into the message, with `*` for the index of a list."""

    rule: str
    operation: str
    subject: str
    pointer: str
    contract_pointer: str | None
    promised: str | None
    seen: str


@dataclass(frozen=True, slots=True)
class Met:
    """One object of an answer, and the members that its schema names: what is never met has vanished, or is rare."""

    operation: str
    pointer: str
    contract_pointer: str | None
    named: frozenset[str]
    there: frozenset[str]


@dataclass(frozen=True, slots=True)
class Look:
    """What one answer showed. `unjudged`: why it could not be looked into; None where it was."""

    operation: str | None
    sightings: tuple[Sighting, ...] = ()
    met: tuple[Met, ...] = ()
    unjudged: str | None = None


_KNOWN: WeakKeyDictionary[Bench, Shapes] = WeakKeyDictionary()


def look(view: View) -> Look:
    """One answer before its contract."""
    if view.match is None:
        return Look(None, unjudged="it is no operation of the contract")
    name, status, message = view.operation.name, view.interaction.status, view.interaction.response
    if status is None or message is None:
        return Look(name, unjudged="it has no answer")
    if view.answer is None:
        return Look(name, (_status(view, status),))
    if not view.answer.media or view.interaction.method.upper() == "HEAD" or status in _BODILESS:
        return Look(name)
    return _message(view, view.answer, message)


def _message(view: View, answer: Answer, message: Message) -> Look:
    name = view.operation.name
    if message.body is None or message.body_state in {"truncated", "absent"}:
        return Look(name, unjudged=f"its body is {message.body_state}")
    if not message.body.strip():
        return Look(name, tuple(_no_body(view, answer)))
    said = view.response_headers.get("content-type", "")
    kind = said if said and not in_text(said) else "application/json"
    media = chosen(answer.media, kind)
    if media is None:
        return Look(name, (_media_type(view, answer, kind),))
    return _body(view, media, read(message.body, kind, media, view.bench.coercer), message.body)


def _sighting(
    view: View, rule: str, what: str, pointer: str, at: str | None, promised: str | None, seen: str
) -> Sighting:
    clean = view.bench.book.redactor.text
    name = view.operation.name
    return Sighting(rule, name, clean(f"{name}{what}"), clean(pointer), at, promised, clean(seen))


def _status(view: View, status: int) -> Sighting:
    promised = listed(each.status for each in view.operation.answers)
    at = f"{view.operation.pointer}/responses"
    return _sighting(
        view, "recorded-status-new", f" answers {status}", "/response/status", at, promised, str(status)
    )


def _no_body(view: View, answer: Answer) -> Iterator[Sighting]:
    wants = [m for m in answer.media if m.schema and is_json(essence(m.media_type))]
    if wants and len(wants) == len(answer.media) and answer.status != "default":
        promised = listed(m.media_type for m in wants)
        yield _sighting(
            view,
            "recorded-field-missing",
            ": the whole body is missing",
            _BODY,
            answer.pointer,
            promised,
            "nothing",
        )


def _failed(view: View) -> bool:
    return (view.interaction.status or 0) >= _FAILED


def _media_type(view: View, answer: Answer, kind: str) -> Sighting:
    rule = "recorded-error-changed" if _failed(view) else "recorded-media-type-new"
    promised = listed(m.media_type for m in answer.media)
    what, header = f": {_asked(view)} is of another media type", "/response/header/content-type"
    return _sighting(view, rule, what, header, answer.pointer, promised, essence(kind))


def _body(view: View, media: Media, got: Read, body: bytes) -> Look:
    name = view.operation.name
    if got.problem is not None:
        if in_bytes(body):
            return Look(name, unjudged="its body is redacted")
        rule = "recorded-error-changed" if _failed(view) else "recorded-type-changed"
        what = f": {_asked(view)} {got.problem.partition(' at ')[0]}"
        promised, seen = media.media_type, "another format"
        if got.root is not None:
            promised, seen = (f"<{each}>" for each in got.root)
        return Look(name, (_sighting(view, rule, what, _BODY, media.pointer, promised, seen),))
    if got.opaque is not None or media.schema is None:
        return Look(name, unjudged=got.opaque)
    try:
        broken = _broken(view, media, got.value)
    except TooDeep:
        return Look(name, unjudged="it is nested too deeply")
    if _failed(view) and (told := tuple(_envelope(view, media, broken))):
        return Look(name, told)
    members, places = _Members(view), shapes_of(view.bench).places(media.schema)
    found = [(each, members.folded(each.pointer, places)) for each in broken if each.keyword != "ambiguous"]
    sightings = [_of_broken(view, each, pointer) for each, pointer in found]
    members.walk(got.value, [places], "", _MAX_NESTING)
    return Look(name, tuple(dict.fromkeys((*sightings, *members.new))), tuple(members.met))


def _asked(view: View) -> str:
    return f"the body of {view.interaction.status}"


def _broken(view: View, media: Media, value: Any) -> list[Broken]:
    assert media.schema is not None
    engine = view.bench.engine
    if engine.valid(media.schema, value, RESPONSE):
        return []
    return [b for b in explain(engine, view.contract, media.schema, value, RESPONSE) if not b.placeholder]


def _envelope(view: View, media: Media, broken: list[Broken]) -> Iterator[Sighting]:
    """A refusal whose outermost members are not as promised: whoever reads errors reads it wrong."""
    outermost = [each for each in broken if each.pointer.count("/") <= 1 and each.keyword in _RULES]
    outermost = [
        each
        for each in outermost
        if _RULES[each.keyword] not in {"recorded-field-new", "recorded-enum-value-new"}
    ]
    if outermost:
        promised = listed(dict.fromkeys(each.promised for each in outermost))
        seen = listed(dict.fromkeys(f"{each.pointer or 'the body'}: {_type_of(each)}" for each in outermost))
        at = outermost[0].contract_pointer
        what = f": {_asked(view)} is of another shape"
        yield _sighting(view, "recorded-error-changed", what, _BODY, at or media.schema, promised, seen)


def _of_broken(view: View, broken: Broken, pointer: str) -> Sighting:
    rule = _RULES.get(broken.keyword, "recorded-value-changed")
    if broken.keyword == "enum" and _is_extensible(view, broken.contract_pointer):
        rule = _EXTENSIBLE_RULE
    what = f" {view.answer.status if view.answer else ''}: {_spelled(pointer)} {_VERBS[rule]}"
    seen = broken.seen
    if seen.endswith(_MORE):
        seen = seen.rpartition("; ")[0]
    if rule in {"recorded-field-new", "recorded-type-changed"}:
        seen = _type_of(broken)
    return _sighting(view, rule, what, _BODY + pointer, broken.contract_pointer, broken.promised, seen)


def _is_extensible(view: View, pointer: str) -> bool:
    """Whether beside a keyword it says that more values may come."""
    node = follow(view.contract.document, pointer.rpartition("/")[0])
    return isinstance(node, Mapping) and isinstance(node.get(EXTENSIBLE), list)


def _type_of(broken: Broken) -> str:
    """What was seen without the value: the type says it, and a value is somebody's."""
    return broken.seen.partition(" ")[0].rstrip(";")


def _spelled(pointer: str) -> str:
    """`/data/*/price` as people write it: `data[].price`."""
    text = pointer.replace("/*", "[]").replace("/", ".").lstrip(".")
    return text if text and not text.startswith("[]") else f"the body{text}"


def shapes_of(bench: Bench) -> Shapes:
    """The shapes of a bench's contract, made once."""
    found = _KNOWN.get(bench)
    if found is None:
        found = _KNOWN[bench] = Shapes(bench.contract)
    return found


class _Members:
    """Walks an answer beside its schema. `new`: members that nothing names; `met`: objects and what they hold."""

    def __init__(self, view: View) -> None:
        self.view, self.shapes = view, shapes_of(view.bench)
        self.new: dict[Sighting, None] = {}
        self.met: list[Met] = []

    def walk(self, value: Any, candidates: list[Places], pointer: str, left: int) -> None:
        """One value, and the schemas of which one is meant."""
        plain = not isinstance(value, dict | list)
        if left <= 0 or (plain and not any(self._extensible(each) for each in candidates)):
            return
        shapes = [s for s in self._all(candidates) if s.types is None or type_of(value) in s.types]
        if plain:
            self._listed(value, shapes, pointer)
            return
        if isinstance(value, list):
            items = [shape.items for shape in shapes if shape.items]
            for inner in value[:_MAX_ITEMS] if items else ():
                self.walk(inner, items, f"{pointer}/*", left - 1)
            return
        self._object(value, shapes, pointer, left)

    def folded(self, pointer: str, places: Places) -> str:
        """A pointer in which `*` stands for the index of a list, and for a key that the contract does not name."""
        text, candidates = "", [places]
        for step in steps(pointer):
            shapes = self._all(candidates)
            named = [shape.properties[step] for shape in shapes if step in shape.properties]
            listed_ones = [shape.items for shape in shapes if shape.items] if step.isdecimal() else []
            candidates = named or listed_ones or [shape.others for shape in shapes if shape.others]
            text += "/*" if (candidates and not named) or step.isdecimal() else f"/{escape(step)}"
        return text

    def _all(self, candidates: list[Places]) -> list[Shape]:
        """The shapes of candidates and of their alternatives."""
        found: dict[Places, Shape] = {}
        stack = list(candidates)
        while stack and len(found) < _MAX_ITEMS:
            places = stack.pop()
            if places not in found:
                found[places] = shape = self.shapes.of(places)
                stack += [branch for group in shape.groups for branch in group.branches]
        return list(found.values())

    def _object(self, value: Mapping[str, Any], shapes: list[Shape], pointer: str, left: int) -> None:
        naming = [shape for shape in shapes if shape.properties]
        free = any(
            s.others or s.says("additionalProperties") is True or "patternProperties" in s.conditions
            for s in shapes
        )
        closed = any(shape.closed for shape in shapes)
        for name, inner in value.items():
            places = [shape.properties[name] for shape in naming if name in shape.properties]
            if places:
                self.walk(inner, places, f"{pointer}/{escape(name)}", left - 1)
            elif naming and not free and not closed:
                self._unnamed(name, inner, naming[0], pointer)
            elif others := [shape.others for shape in shapes if shape.others]:
                self.walk(inner, others, f"{pointer}/*", left - 1)
        if len(naming) == 1 and len(shapes) == 1:
            self._note(value, naming[0], pointer)

    def _extensible(self, places: Places) -> bool:
        """Whether a schema, or an alternative of it, has an extensible list: hardly any does."""
        known = self.shapes.extensible.get(places)
        if known is None:
            known = any(shape.open_values is not None for shape in self._all([places]))
            self.shapes.extensible[places] = known
        return known

    def _listed(self, value: Any, shapes: list[Shape], pointer: str) -> None:
        """A value that none of the extensible lists names, where every schema that takes it has one."""
        takes = [shape for shape in shapes if shape.values is None and not shape.groups]
        lists = [shape.open_values for shape in takes if shape.open_values is not None]
        if not lists or len(lists) < len(takes) or any(text_of(value) in each for each in lists):
            return
        if value is None or (isinstance(value, str) and in_text(value)):
            return
        what = f" {self.view.answer.status if self.view.answer else ''}: {_spelled(pointer)} {_VERBS[_EXTENSIBLE_RULE]}"
        promised = f"one of {listed(lists[0])}, or a new one" if lists[0] else "a value that is not known yet"
        at = takes[0].at(EXTENSIBLE)
        found = _sighting(self.view, _EXTENSIBLE_RULE, what, _BODY + pointer, at, promised, shown(value))
        self.new[found] = None

    def _unnamed(self, name: str, inner: Any, shape: Shape, pointer: str) -> None:
        if self.view.contract.partial or in_text(name):
            return  # our own contracts name the members that matter, and no more
        at = f"{pointer}/{escape(name)}"
        what = f" {self.view.answer.status if self.view.answer else ''}: {_spelled(at)} is new"
        found = _sighting(
            self.view,
            "recorded-field-new",
            what,
            _BODY + at,
            shape.at("properties"),
            "no such member",
            type_of(inner),
        )
        self.new[found] = None

    def _note(self, value: Mapping[str, Any], shape: Shape, pointer: str) -> None:
        named = [n for n, at in shape.properties.items() if not self.shapes.of(at).flagged("writeOnly")]
        there = frozenset(name for name in named if name in value)
        met = Met(self.view.operation.name, _BODY + pointer, shape.at("properties"), frozenset(named), there)
        self.met.append(met)
