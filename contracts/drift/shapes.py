"""Schemas resolved: references followed and `allOf` merged, so that only what is said counts and not how."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.contract import Contract
from contracts.drift import keywords
from contracts.drift.keywords import Limit
from contracts.pointers import MISSING, follow, join, of_reference

MAX_PARTS = 300  # schemas that hold for one value at the same time
_MAX_HOPS = 32
_MAX_EXPANDED = 6  # references within references, of what is compared as a text
_OF_NUMBERS = frozenset({"minimum", "maximum"})
_JOINTS = frozenset({"allOf", "$ref"})  # a schema that says nothing but these says what they lead to
# The places whose schemas all hold for one value; empty where anything goes.
Places = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One schema object that holds. `takes_null`: whether null is welcome, whatever it says else."""

    pointer: str
    node: Mapping[str, Any]
    takes_null: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Alternatives. `keyword`: anyOf or oneOf; `pointer`: of the keyword; `branches`: their places, null left out."""

    keyword: str
    pointer: str
    branches: tuple[Places, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """All that is said of a value.

    `types`: without null; None where any will do. `values`: those of enum or const by their
    JSON text; None where not bound. `open_values`: those of extensible lists, likewise; None where there is none.
    `limits`: by keyword, each as (value, whether the value itself is shut out). `closed`: the pointer that forbids
    further members. `others`: places of the schema of further members. `first`: those of the items that have a schema
    of their own (prefixItems). `conditions`: by keyword and what it names, each with its text and the places of its
    schema, if it is one.
    """

    parts: tuple[Part, ...]
    types: frozenset[str] | None = None
    formats: frozenset[str] = frozenset()
    nullable: bool = False
    values: Mapping[str, Any] | None = None
    open_values: Mapping[str, Any] | None = None
    const: bool = False
    limits: Mapping[str, Limit] = field(default_factory=dict)
    patterns: frozenset[str] = frozenset()
    properties: Mapping[str, Places] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    closed: str | None = None
    others: Places = ()
    items: Places = ()
    first: tuple[Places, ...] = ()
    groups: tuple[Group, ...] = ()
    conditions: Mapping[str, tuple[str, Places]] = field(default_factory=dict)
    impossible: bool = False

    def at(self, *keywords: str) -> str | None:
        """The pointer of the first of the keywords that is there, else of the schema; None for no schema."""
        for part in self.parts:
            for keyword in keywords:
                if keyword in part.node:
                    return join(part.pointer, keyword)
        return self.parts[0].pointer if self.parts else None

    def says(self, keyword: str) -> Any:
        """The first value of an annotation; `MISSING` if there is none."""
        return next((part.node[keyword] for part in self.parts if keyword in part.node), MISSING)

    def flagged(self, flag: str) -> bool:
        """Whether a flag such as `deprecated` is up."""
        return any(part.node.get(flag) is True for part in self.parts)

    @property
    def only_grouped(self) -> bool:
        """Whether alternatives are all that is said."""
        return len(self.groups) == 1 and all(
            part.node.keys() <= {"anyOf", "oneOf", "nullable", "x-nullable", *keywords.ANNOTATIONS}
            for part in self.parts
        )


class Shapes:
    """The shapes of one contract, each made once. `looked_at`: how many schemas went into them.

    `cut`: whether one has more parts than are merged. `lost`: references that lead nowhere in the document.
    `extensible`: which of them have extensible lists, so far as
    that was asked.
    """

    def __init__(self, contract: Contract) -> None:
        self.document = contract.document
        self.old = contract.dialect != "openapi" or contract.format.startswith("openapi 3.0")
        self.looked_at = 0
        self.cut = False
        self.lost: set[str] = set()
        self._built_on: dict[str, dict[str, str]] | None = None
        self.extensible: dict[Places, bool] = {}
        self._known: dict[Places, Shape] = {}

    def places(self, pointer: str | None) -> Places:
        """The places of a schema; bare references are followed, so that one schema has one name."""
        if pointer is None:
            return ()
        for _ in range(_MAX_HOPS):
            node = follow(self.document, pointer)
            if not isinstance(node, Mapping) or "$ref" not in node:
                break
            target = of_reference(node["$ref"])
            if target is None or (not self._bare(node)):
                break
            pointer = target
        return (pointer,)

    def _bare(self, node: Mapping[str, Any]) -> bool:
        flags = {"nullable", "x-nullable", "readOnly", "writeOnly"} & node.keys()
        return not flags if self.old else len(node) == 1

    def of(self, places: Places) -> Shape:
        """The shape of what holds at all of the places."""
        if (known := self._known.get(places)) is None:
            known = self._known[places] = self._made(places)
        return known

    def _made(self, places: Places) -> Shape:
        parts: dict[str, Part] = {}
        seen: set[str] = set()
        impossible = False
        stack = [(pointer, False) for pointer in reversed(places)]
        while stack and len(seen) < MAX_PARTS:
            pointer, takes_null = stack.pop()
            node = follow(self.document, pointer)
            impossible |= node is False
            if node is MISSING:
                self.lost.add(f"#{pointer}")
            if not isinstance(node, Mapping) or pointer in seen:
                continue
            seen.add(pointer)
            takes_null |= node.get("nullable") is True or node.get("x-nullable") is True
            more = self._referred(node)
            own = node if not more or not self.old else keywords.flags(node)
            if own.keys() - _JOINTS:
                parts[pointer] = Part(pointer, own, takes_null or keywords.takes_null(own, self.document))
            more += [join(pointer, "allOf", i) for i, _ in enumerate(keywords.listed(own, "allOf"))]
            stack += [(each, takes_null) for each in reversed(more)]
            stack += [(each, True) for each in self._single(own, pointer)]
        self.looked_at += len(seen)
        self.cut |= bool(stack)
        return self._merged(tuple(parts.values()), impossible=impossible)

    def _referred(self, node: Mapping[str, Any]) -> list[str]:
        target = of_reference(node.get("$ref"))
        self.lost.update(keywords.elsewhere(node))
        return [target] if target is not None else []

    def _single(self, node: Mapping[str, Any], at: str) -> Iterator[str]:
        """The one alternative that is left beside null: it is what is meant."""
        for keyword in ("anyOf", "oneOf"):
            left, had_null = self._branches(node, at, keyword)
            if len(left) == 1 and had_null:
                yield left[0]

    def _branches(self, node: Mapping[str, Any], at: str, keyword: str) -> tuple[list[str], bool]:
        """The pointers of alternatives other than null, and whether null is one."""
        every = list(keywords.alternatives(node, at, keyword))
        left = [pointer for pointer, each in every if not keywords.is_null(each)]
        return left, len(left) < len(every)

    def _merged(self, parts: tuple[Part, ...], *, impossible: bool) -> Shape:
        values = _values(parts)
        types = _types(parts, values)
        properties: dict[str, Places] = {}
        for part in parts:
            for name in keywords.mapped(part.node, "properties"):
                places = self.places(join(part.pointer, "properties", name))
                properties[name] = tuple(dict.fromkeys((*properties.get(name, ()), *places)))
        return Shape(
            parts=parts,
            types=types,
            formats=frozenset(p.node["format"] for p in parts if isinstance(p.node.get("format"), str)),
            nullable=bool(parts) and all(part.takes_null for part in parts),
            values=values,
            open_values=_open_values(parts),
            const=any("const" in part.node for part in parts),
            limits=_whole(_limits(parts)) if types == frozenset({"integer"}) else _limits(parts),
            patterns=frozenset(p.node["pattern"] for p in parts if isinstance(p.node.get("pattern"), str)),
            properties=properties,
            required=_required(parts),
            closed=next((join(p.pointer, "additionalProperties") for p in parts if keywords.closes(p.node)), None),
            others=self._all_at(parts, "additionalProperties"),
            items=self._all_at(parts, "items"),
            first=self._first(parts),
            groups=tuple(self._groups(parts)),
            conditions=self._conditions(parts),
            impossible=impossible,
        )  # fmt: skip

    def _all_at(self, parts: tuple[Part, ...], keyword: str) -> Places:
        found = [
            self.places(join(p.pointer, keyword))
            for p in parts
            if isinstance(p.node.get(keyword), Mapping)
            or (keyword == "items" and p.node.get(keyword) is False)
        ]
        return tuple(dict.fromkeys(place for places in found for place in places))

    def _first(self, parts: tuple[Part, ...]) -> tuple[Places, ...]:
        """Of several lists the longest: they are hardly ever merged."""
        lists = [(part.pointer, keywords.listed(part.node, "prefixItems")) for part in parts]
        at, longest = max(lists, key=lambda each: len(each[1]), default=("", []))
        return tuple(self.places(join(at, "prefixItems", index)) for index, _ in enumerate(longest))

    def _conditions(self, parts: tuple[Part, ...]) -> dict[str, tuple[str, Places]]:
        texts: dict[str, set[str]] = {}
        places: dict[str, Places] = {}
        for part in parts:
            for name, said, at in keywords.conditions(part.node, part.pointer):
                whole = self._expanded(said, _MAX_EXPANDED) if at is None and keywords.refers(said) else said
                texts.setdefault(name, set()).add(keywords.canonical(whole))
                places[name] = tuple(dict.fromkeys((*places.get(name, ()), *self.places(at))))
        return {name: (" and ".join(sorted(texts[name])), places[name]) for name in sorted(texts)}

    def _expanded(self, node: Any, left: int) -> Any:
        """With what its references stand for in their places, so that it can be compared as a whole."""
        if isinstance(node, list):
            return [self._expanded(each, left) for each in node]
        if not isinstance(node, Mapping):
            return node
        target = of_reference(node.get("$ref"))
        if target is None or left <= 0:
            return {name: self._expanded(each, left) for name, each in node.items()}
        found = follow(self.document, target)
        beside = {} if self.old else {name: each for name, each in node.items() if name != "$ref"}
        inner = self._expanded(found, left - 1) if found is not MISSING else target
        return {"allOf": [inner, self._expanded(beside, left)]} if beside else inner

    def subtypes(self, places: Places) -> dict[str, str]:
        """The components that a schema with a discriminator stands for, by their names: those that are built on it."""
        node = follow(self.document, places[0]) if len(places) == 1 else None
        if not isinstance(node, Mapping) or "discriminator" not in node:
            return {}
        if self._built_on is None:
            self._built_on = {}
            for base in ("/components/schemas", "/definitions"):
                found = follow(self.document, base)
                for name, node in found.items() if isinstance(found, Mapping) else ():
                    for part in keywords.listed(node, "allOf") if isinstance(node, Mapping) else ():
                        parent = of_reference(part.get("$ref")) if isinstance(part, Mapping) else None
                        if parent is not None:
                            self._built_on.setdefault(parent, {})[str(name)] = join(base, name)
        return self._built_on.get(places[0], {})

    def _groups(self, parts: tuple[Part, ...]) -> Iterator[Group]:
        for part in parts:
            for keyword in ("anyOf", "oneOf"):
                left, had_null = self._branches(part.node, part.pointer, keyword)
                if len(left) > 1 or (left and not had_null):
                    yield Group(
                        keyword, join(part.pointer, keyword), tuple(self.places(each) for each in left)
                    )


def _required(parts: tuple[Part, ...]) -> frozenset[str]:
    names = (name for part in parts for name in keywords.listed(part.node, "required"))
    return frozenset(name for name in names if isinstance(name, str))


def _values(parts: tuple[Part, ...]) -> dict[str, Any] | None:
    """The values that are left when every list holds, without null."""
    found: dict[str, Any] | None = None
    for part in parts:
        if keywords.bound(part.node):
            mine = dict(keywords.values(part.node))
            found = mine if found is None else {text: each for text, each in found.items() if text in mine}
    return found


def _open_values(parts: tuple[Part, ...]) -> dict[str, Any] | None:
    """The values that any of the extensible lists names."""
    lists = [part.node for part in parts if isinstance(part.node.get(keywords.EXTENSIBLE), list)]
    return dict(each for node in lists for each in keywords.named_values(node)) if lists else None


def _types(parts: tuple[Part, ...], values: Mapping[str, Any] | None) -> frozenset[str] | None:
    found: frozenset[str] | None = None
    for part in parts:
        named = frozenset(keywords.named_types(part.node)) - {"null"}
        if named:
            found = named if found is None else keywords.common(found, named)
    if found is None and values:
        return frozenset(keywords.type_of(each) for each in values.values())
    return found


def _limits(parts: tuple[Part, ...]) -> dict[str, Limit]:
    """The closest of each limit. A lower limit of nothing is none."""
    found: dict[str, Limit] = {}
    for part in parts:
        for name, limit in keywords.limits(part.node):
            if name not in found or keywords.closer(name, limit, found[name]):
                found[name] = limit
    return {k: v for k, v in found.items() if v[0] or k in {"minimum", "maximum"} or k.startswith("max")}


def _whole(limits: Mapping[str, Limit]) -> dict[str, Limit]:
    """The same for whole numbers, of which the next one beyond a limit that is shut out is the limit."""
    return {
        name: _next_whole(name, limit) if name in _OF_NUMBERS else limit for name, limit in limits.items()
    }


def _next_whole(name: str, limit: Limit) -> Limit:
    value, shut_out = limit
    if isinstance(value, float) and not math.isfinite(value):
        return limit
    step = 1 if name == "minimum" else -1
    nearest = math.ceil(value) if step > 0 else math.floor(value)
    return nearest + (step if shut_out and nearest == value else 0), False
