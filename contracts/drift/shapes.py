"""Schemas resolved: references followed and `allOf` merged, so that only what is said counts and not how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.contract import Contract
from contracts.drift import keywords
from contracts.drift.keywords import Limit
from contracts.drift.parts import (
    Part,
    limits_of,
    open_values_of,
    required,
    says_all,
    shut_out,
    types_of,
    values_of,
    whole,
)
from contracts.drift.unions import Unions
from contracts.pointers import MISSING, follow, join, of_reference
from contracts.schemas import RESPONSE

MAX_PARTS = 300  # schemas that hold for one value at the same time
_MAX_HOPS = 32
_MAX_EXPANDED = 6  # references within references, of what is compared as a text
_MAX_TEXT = 3_000  # objects that are written into one such text
_MAX_DEEP = 150  # levels of it
_ACCESS = ("readOnly", "writeOnly")
_JOINTS = frozenset({"allOf", "$ref"})  # a schema that says nothing but these says what they lead to
# The places whose schemas all hold for one value; empty where anything goes.
Places = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Alternatives. `keyword`: anyOf or oneOf; `pointer`: of the keyword; `branches`: their places, null left out."""

    keyword: str
    pointer: str
    branches: tuple[Places, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """All that is said of a value.

    `lists`: alternatives that do no more than list values, so that they are among `values` and not among `groups`.
    `unknown`: whether a reference leads nowhere, so that more may be said than is known.
    `types`: without null; None where any will do. `values`: those of enum or const by their
    JSON text; None where not bound. `open_values`: those of extensible lists, likewise; None where there is none.
    `limits`: by keyword, each as (value, whether the value itself is shut out). `closed`: the pointer that forbids
    further members; `shut_out`: named members that it forbids all the same, because another part names them.
    `others`: places of the schema of further members. `first`: those of the items that have a schema
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
    shut_out: frozenset[str] = frozenset()
    others: Places = ()
    items: Places = ()
    first: tuple[Places, ...] = ()
    groups: tuple[Group, ...] = ()
    lists: tuple[Group, ...] = ()
    conditions: Mapping[str, tuple[str, Places]] = field(default_factory=dict)
    impossible: bool = False
    unknown: bool = False

    def at(self, *keywords: str) -> str | None:
        """The pointer of the first of the keywords that is there, else of the schema; None for no schema."""
        for part in self.parts:
            for keyword in keywords:
                if keyword in part.node:
                    return join(part.pointer, keyword)
        return self.parts[0].pointer if self.parts else None

    def member_at(self, name: str) -> str | None:
        """Where a member stands, whatever its schema refers to."""
        return next(
            (
                join(part.pointer, "properties", name)
                for part in self.parts
                if name in keywords.mapped(part.node, "properties")
            ),
            None,
        )

    @property
    def shuts(self) -> bool:
        """Whether no member is taken that is not named."""
        unevaluated, _ = self.conditions.get("unevaluatedProperties", ("", ()))
        return self.closed is not None or unevaluated == "false"

    def says(self, keyword: str) -> Any:
        """The first value of an annotation; `MISSING` if there is none."""
        return next((part.node[keyword] for part in self.parts if keyword in part.node), MISSING)

    def flagged(self, flag: str) -> bool:
        """Whether a flag such as `deprecated` is up."""
        return any(part.node.get(flag) is True for part in self.parts)

    @property
    def only_grouped(self) -> bool:
        """Whether alternatives are all that is said."""
        return len(self.groups) == 1 and self._says_no_more

    @property
    def only_listed(self) -> bool:
        """Whether alternatives that list values are all that is said."""
        return len(self.lists) == 1 and not self.groups and self._says_no_more

    @property
    def _says_no_more(self) -> bool:
        return all(
            part.node.keys() <= {"anyOf", "oneOf", "nullable", "x-nullable", *keywords.ANNOTATIONS}
            for part in self.parts
        )


class Shapes:
    """The shapes of one contract, each made once. `looked_at`: how many schemas and members went into them.

    `cut`: whether one has more parts than are merged. `lost`: references that lead nowhere in the document.
    `extensible`: which of them have extensible lists, so far as
    that was asked.
    """

    def __init__(self, contract: Contract, direction: str = RESPONSE) -> None:
        """`direction`: of what is said for requests or answers alone, as service models have it."""
        self._own = f"x-interlock-{direction}"
        self.document, self.partial = contract.document, contract.partial
        self.old = contract.dialect != "openapi" or contract.format.startswith("openapi 3.0")
        self.looked_at = 0
        self.cut = False
        self.lost: set[str] = set()
        self._unions = Unions(contract.document)
        self._built_on: dict[str, dict[str, str]] | None = None
        self.extensible: dict[Places, bool] = {}
        self._known: dict[Places, Shape] = {}
        self._access: dict[Places, frozenset[str]] = {}

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

    def access(self, places: Places) -> frozenset[str]:
        """Which of `readOnly` and `writeOnly` hold for a schema; told without making its shape."""
        if (known := self._access.get(places)) is None:
            found, seen, stack = set[str](), set[str](), list(places)
            while stack and len(seen) < MAX_PARTS:
                node = follow(self.document, pointer := stack.pop())
                if isinstance(node, Mapping) and pointer not in seen:
                    seen.add(pointer)
                    found.update(flag for flag in _ACCESS if node.get(flag) is True)
                    stack += self._referred(node)
                    stack += [join(pointer, "allOf", i) for i, _ in enumerate(keywords.listed(node, "allOf"))]
            known = self._access[places] = frozenset(found)
        return known

    def _made(self, places: Places) -> Shape:
        parts: dict[str, Part] = {}
        seen: set[str] = set()
        impossible = unknown = False
        stack = [(pointer, False) for pointer in reversed(places)]
        while stack and len(seen) < MAX_PARTS:
            pointer, takes_null = stack.pop()
            node = follow(self.document, pointer)
            impossible |= node is False
            if node is MISSING:
                self.lost.add(f"#{pointer}")
                unknown = True
            if not isinstance(node, Mapping) or pointer in seen:
                continue
            seen.add(pointer)
            if isinstance(own := node.get(self._own), Mapping):
                node = {**node, **own}
            if hidden := keywords.elsewhere(node):
                self.lost.update(hidden)
                unknown = True
            takes_null |= node.get("nullable") is True or node.get("x-nullable") is True
            more = self._referred(node)
            own = node if not more or not self.old else keywords.flags(node)
            if own.keys() - _JOINTS:
                null = takes_null or self._unions.takes_null(own)
                parts[pointer] = Part(pointer, own, null, *self._listed(own))
            more += [join(pointer, "allOf", i) for i, _ in enumerate(keywords.listed(own, "allOf"))]
            stack += [(each, takes_null) for each in reversed(more)]
            stack += [(each, takes_null or had_null) for each, had_null in self._single(own, pointer)]
        self.looked_at += len(seen)
        self.cut |= bool(stack)
        return self._merged(tuple(parts.values()), impossible=impossible, unknown=unknown)

    def _listed(self, node: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, frozenset[str]]:
        """The values to which it is bound, and the keywords whose alternatives do no more than list values."""
        found = dict(keywords.values(node)) if keywords.bound(node) else None
        folded = set()
        for keyword in {"anyOf", "oneOf"} & node.keys():
            mine = self._unions.listed(node, keyword)
            if mine is not None:
                folded.add(keyword)
                found = mine if found is None else {k: v for k, v in found.items() if k in mine}
        return found, frozenset(folded)

    def _referred(self, node: Mapping[str, Any]) -> list[str]:
        target = of_reference(node.get("$ref"))
        return [target] if target is not None else []

    def _single(self, node: Mapping[str, Any], at: str) -> Iterator[tuple[str, bool]]:
        """The one alternative that there is beside null: it is what is meant. With it, whether null was there."""
        for keyword in ("anyOf", "oneOf"):
            left, had_null = self._branches(node, at, keyword)
            if len(left) == 1:
                yield left[0], had_null

    def _branches(self, node: Mapping[str, Any], at: str, keyword: str) -> tuple[list[str], bool]:
        """The pointers of alternatives other than null, and whether null is one."""
        every = list(keywords.alternatives(node, at, keyword))
        left = [
            pointer for pointer, each in every if not keywords.is_null(keywords.meant(each, self.document))
        ]
        return left, len(left) < len(every)

    def _merged(self, parts: tuple[Part, ...], *, impossible: bool, unknown: bool) -> Shape:
        values = values_of(parts)
        types = types_of(parts, values)
        if values is not None and types is not None and says_all(types, values):
            values = None
        limits = limits_of(parts)
        first = self._first(parts)
        if first and any(part.node.get("items") is False for part in parts):
            limits["maxItems"] = min((len(first), False), limits.get("maxItems", (len(first), False)))
        properties: dict[str, Places] = {}
        for part in parts:
            for name in keywords.mapped(part.node, "properties"):
                places = self.places(join(part.pointer, "properties", name))
                properties[name] = tuple(dict.fromkeys((*properties.get(name, ()), *places)))
        self.looked_at += len(properties)
        return Shape(
            parts=parts,
            types=types,
            formats=frozenset(p.node["format"] for p in parts if isinstance(p.node.get("format"), str)),
            nullable=bool(parts) and all(part.takes_null for part in parts),
            values=values,
            open_values=open_values_of(parts),
            const=any("const" in part.node for part in parts),
            limits=whole(limits) if types == frozenset({"integer"}) else limits,
            patterns=frozenset(p.node["pattern"] for p in parts if isinstance(p.node.get("pattern"), str)),
            properties=properties,
            required=required(parts),
            closed=next((join(p.pointer, "additionalProperties") for p in parts if keywords.closes(p.node)), None),
            shut_out=shut_out(parts, properties) if len(parts) > 1 else frozenset(),
            others=self._all_at(parts, "additionalProperties"),
            items=self._all_at(parts, "items"),
            first=first,
            groups=tuple(self._groups(parts, folded=False)),
            lists=tuple(self._groups(parts, folded=True)),
            conditions=self._conditions(parts, types),
            impossible=impossible,
            unknown=unknown,
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

    def _conditions(
        self, parts: tuple[Part, ...], types: frozenset[str] | None
    ) -> dict[str, tuple[str, Places]]:
        texts: dict[str, set[str]] = {}
        places: dict[str, Places] = {}
        for part in parts:
            for name, said, at in keywords.conditions(part.node, part.pointer):
                if name == "multipleOf" and said == 1 and types is not None and "number" not in types:
                    continue
                whole = self._expanded(said) if at is None and keywords.refers(said) else said
                texts.setdefault(name, set()).add(keywords.canonical(whole))
                places[name] = tuple(dict.fromkeys((*places.get(name, ()), *self.places(at))))
        return {name: (" and ".join(sorted(texts[name])), places[name]) for name in sorted(texts)}

    def _expanded(self, said: Any) -> Any:
        """With what its references stand for in their places, so that it can be compared as a whole."""
        written = 0

        def made(node: Any, left: int, deep: int) -> Any:
            nonlocal written
            if isinstance(node, list):
                return [made(each, left, deep + 1) for each in node]
            if not isinstance(node, Mapping):
                return node
            written += 1
            target = of_reference(node.get("$ref"))
            if target is not None and (written > _MAX_TEXT or deep > _MAX_DEEP):
                self.cut = True
            elif target is not None and left > 0:
                found = follow(self.document, target)
                beside = {} if self.old else {name: each for name, each in node.items() if name != "$ref"}
                inner = made(found, left - 1, deep + 1) if found is not MISSING else target
                return {"allOf": [inner, made(beside, left, deep + 1)]} if beside else inner
            return {name: made(each, left, deep + 1) for name, each in node.items()}

        return made(said, _MAX_EXPANDED, 0)

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

    def _groups(self, parts: tuple[Part, ...], *, folded: bool) -> Iterator[Group]:
        for part in parts:
            for keyword in ("anyOf", "oneOf"):
                left, _ = self._branches(part.node, part.pointer, keyword)
                if len(left) > 1 and (keyword in part.folded) is folded:
                    yield Group(
                        keyword, join(part.pointer, keyword), tuple(self.places(each) for each in left)
                    )
