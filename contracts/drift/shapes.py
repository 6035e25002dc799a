"""Schemas resolved: references followed and `allOf` merged, so that only what is said counts and not how."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.contract import Contract
from contracts.pointers import MISSING, follow, join, of_reference

MAX_PARTS = 300  # schemas that hold for one value at the same time
_MAX_HOPS = 32
_TYPES = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})
# Each limit with whether a higher one is closer.
LIMITS = {
    "minimum": True, "maximum": False, "minLength": True, "maxLength": False, "minItems": True, "maxItems": False,
    "minProperties": True, "maxProperties": False, "minContains": True, "maxContains": False,
}  # fmt: skip
_LIMITING = LIMITS.keys() | {"exclusiveMinimum", "exclusiveMaximum"}
# Conditions that are compared as a whole, those that are a schema each, and those that are schemas by name.
_WHOLE = ("not", "if", "contentMediaType", "contentEncoding", "multipleOf")
_SCHEMAS = (
    "then",
    "else",
    "contains",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
)
_BY_NAME = ("dependentSchemas", "patternProperties")
_CONDITIONS = frozenset((*_WHOLE, *_SCHEMAS, *_BY_NAME, "dependentRequired", "uniqueItems"))
_ANNOTATIONS = frozenset(
    {"title", "description", "example", "examples", "externalDocs", "xml", "default", "deprecated", "discriminator"}
)  # fmt: skip
_JOINTS = frozenset({"allOf", "$ref"})  # a schema that says nothing but these says what they lead to
_NOTHING: Mapping[str, Any] = {}
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

    `types`: without null; None where any will do. `values`: those of enum or const; None where not bound.
    `limits`: by keyword, each as (value, whether the value itself is shut out). `closed`: the pointer that forbids
    further members. `others`: places of the schema of further members. `first`: of the items that have a
    schema of their own (prefixItems). `conditions`: by keyword and what it
    names, each with its text and the places of its schema, if it is one. `at`: where a keyword stands.
    """

    parts: tuple[Part, ...]
    types: frozenset[str] | None = None
    formats: frozenset[str] = frozenset()
    nullable: bool = False
    values: tuple[Any, ...] | None = None
    const: bool = False
    limits: Mapping[str, tuple[float, bool]] = field(default_factory=dict)
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
            part.node.keys() <= {"anyOf", "oneOf", "nullable", "x-nullable", *_ANNOTATIONS}
            for part in self.parts
        )


class Shapes:
    """The shapes of one contract, each made once. `looked_at`: how many schemas went into them."""

    def __init__(self, contract: Contract) -> None:
        self.document = contract.document
        self.old = contract.dialect != "openapi" or contract.format.startswith("openapi 3.0")
        self.looked_at = 0
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
            if not isinstance(node, Mapping) or pointer in seen:
                continue
            seen.add(pointer)
            takes_null |= node.get("nullable") is True or node.get("x-nullable") is True
            more = self._referred(node)
            own = node if not more or not self.old else _flags(node)
            if own.keys() - _JOINTS:
                parts[pointer] = Part(pointer, own, takes_null or _takes_null(own, self.document))
            more += [join(pointer, "allOf", i) for i, _ in enumerate(_list(own, "allOf"))]
            stack += [(each, takes_null) for each in reversed(more)]
            stack += [(each, True) for each in self._single(own, pointer)]
        self.looked_at += len(seen)
        return self._merged(tuple(parts.values()), impossible=impossible)

    def _referred(self, node: Mapping[str, Any]) -> list[str]:
        target = of_reference(node.get("$ref"))
        return [target] if target is not None else []

    def _single(self, node: Mapping[str, Any], at: str) -> Iterator[str]:
        """The one alternative that is left beside null: it is what is meant."""
        for keyword in ("anyOf", "oneOf"):
            left, had_null = self._branches(node, at, keyword)
            if len(left) == 1 and had_null:
                yield left[0]

    def _branches(self, node: Mapping[str, Any], at: str, keyword: str) -> tuple[list[str], bool]:
        """The pointers of alternatives other than null, and whether null is one."""
        every = list(_alternatives(node, at, keyword))
        left = [pointer for pointer, each in every if not _is_null(each)]
        return left, len(left) < len(every)

    def _merged(self, parts: tuple[Part, ...], *, impossible: bool) -> Shape:
        values, const = _values(parts)
        types = _types(parts, values)
        properties: dict[str, Places] = {}
        for part in parts:
            for name in _map(part.node, "properties"):
                places = self.places(join(part.pointer, "properties", name))
                properties[name] = tuple(dict.fromkeys((*properties.get(name, ()), *places)))
        return Shape(
            parts=parts,
            types=types,
            formats=frozenset(p.node["format"] for p in parts if isinstance(p.node.get("format"), str)),
            nullable=bool(parts) and all(part.takes_null for part in parts),
            values=values,
            const=const,
            limits=_limits(parts),
            patterns=frozenset(p.node["pattern"] for p in parts if isinstance(p.node.get("pattern"), str)),
            properties=properties,
            required=frozenset(name for p in parts for name in _list(p.node, "required") if isinstance(name, str)),
            closed=next((join(p.pointer, "additionalProperties") for p in parts if _closes(p.node)), None),
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
        part = max(parts, key=lambda each: len(_list(each.node, "prefixItems")), default=None)
        listed = _list(part.node, "prefixItems") if part else []
        return (
            tuple(self.places(join(part.pointer, "prefixItems", i)) for i, _ in enumerate(listed))
            if part
            else ()
        )

    def _conditions(self, parts: tuple[Part, ...]) -> dict[str, tuple[str, Places]]:
        texts: dict[str, set[str]] = {}
        places: dict[str, Places] = {}
        for part in parts:
            for name, said, at in _spoken(part):
                texts.setdefault(name, set()).add(canonical(said))
                places[name] = (*places.get(name, ()), *self.places(at))
        return {name: (" and ".join(sorted(texts[name])), places[name]) for name in sorted(texts)}

    def _groups(self, parts: tuple[Part, ...]) -> Iterator[Group]:
        for part in parts:
            for keyword in ("anyOf", "oneOf"):
                left, had_null = self._branches(part.node, part.pointer, keyword)
                if len(left) > 1 or (left and not had_null):
                    yield Group(
                        keyword, join(part.pointer, keyword), tuple(self.places(each) for each in left)
                    )


def _alternatives(node: Mapping[str, Any], at: str, keyword: str) -> Iterator[tuple[str, Any]]:
    """Alternatives with their pointers; those of an `anyOf` within an `anyOf` are its own."""
    for index, each in enumerate(_list(node, keyword)):
        where = join(at, keyword, index)
        if keyword == "anyOf" and isinstance(each, Mapping) and each.keys() - _ANNOTATIONS == {"anyOf"}:
            yield from _alternatives(each, where, keyword)
        else:
            yield where, each


def _flags(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """What counts beside a reference before OpenAPI 3.1: the flags that people write there all the same."""
    return {name: node[name] for name in ("readOnly", "writeOnly", "nullable", "x-nullable") if name in node}


def _list(node: Mapping[str, Any], name: str) -> list[Any]:
    value = node.get(name)
    return value if isinstance(value, list) else []


def _map(node: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = node.get(name)
    return value if isinstance(value, Mapping) else _NOTHING


def _named_types(node: Mapping[str, Any]) -> list[str]:
    said = node.get("type")
    listed = said if isinstance(said, list) else [said]
    found = [each for each in listed if isinstance(each, str)]
    return found if found and all(each in _TYPES for each in found) else []


def _is_null(node: Any) -> bool:
    return isinstance(node, Mapping) and (_named_types(node) == ["null"] or node.get("enum") == [None])


def _takes_null(node: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    types = _named_types(node)
    if types and "null" not in types:
        return False
    if isinstance(node.get("enum"), list) and None not in node["enum"]:
        return False
    if "const" in node and node["const"] is not None:
        return False
    for keyword in ("anyOf", "oneOf"):
        branches = _list(node, keyword)
        if branches and not any(_is_null(each) or _branch_takes_null(each, document) for each in branches):
            return False
    return True


def _branch_takes_null(node: Any, document: Mapping[str, Any]) -> bool:
    for _ in range(_MAX_HOPS):
        if not isinstance(node, Mapping):
            return node is not False
        if node.get("nullable") is True:
            return True
        target = of_reference(node.get("$ref"))
        if target is None:
            return "null" in _named_types(node) or not (node.keys() - _ANNOTATIONS)
        node = follow(document, target)
    return False


def _values(parts: tuple[Part, ...]) -> tuple[tuple[Any, ...] | None, bool]:
    """The values that are left when every list holds, without null; and whether a const binds them."""
    found: list[Any] | None = None
    const = False
    for part in parts:
        listed = part.node.get("enum")
        if "const" in part.node:
            listed, const = [part.node["const"]], True
        if not isinstance(listed, list) or not listed:
            continue
        mine = [_as_text(each) for each in listed] if _named_types(part.node) == ["string"] else listed
        mine = [each for each in mine if each is not None]
        found = mine if found is None else [each for each in found if each in mine]
    return (None if found is None else tuple(found)), const


def _as_text(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else value


def _types(parts: tuple[Part, ...], values: tuple[Any, ...] | None) -> frozenset[str] | None:
    found: frozenset[str] | None = None
    for part in parts:
        named = frozenset(_named_types(part.node)) - {"null"}
        if named:
            found = named if found is None else _common(found, named)
    if found is None and values:
        return frozenset(type_of(each) for each in values)
    return found


def _common(one: frozenset[str], two: frozenset[str]) -> frozenset[str]:
    both = one & two
    if ("integer" in one and "number" in two) or ("integer" in two and "number" in one):
        both |= {"integer"}
    return both


def type_of(value: Any) -> str:
    """The JSON type of a value; a whole number is an integer."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    names = {str: "string", float: "number", list: "array", dict: "object"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), "null")


def _limits(parts: tuple[Part, ...]) -> dict[str, tuple[float, bool]]:
    """The closest of each limit. A lower limit of nothing is none."""
    found: dict[str, tuple[float, bool]] = {}
    for part in parts:
        if not part.node.keys() & _LIMITING:
            continue
        for name, higher in LIMITS.items():
            for limit in _bounds(part.node, name):
                if name not in found or _closer(limit, found[name], higher=higher):
                    found[name] = limit
    return {k: v for k, v in found.items() if v[0] or k in {"minimum", "maximum"} or k.startswith("max")}


def _bounds(node: Mapping[str, Any], name: str) -> Iterator[tuple[float, bool]]:
    exclusive = {"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}.get(name)
    if _is_number(node.get(name)):
        yield node[name], exclusive is not None and node.get(exclusive) is True
    if exclusive and _is_number(node.get(exclusive)):
        yield node[exclusive], True
    # Discovery writes its limits as texts.
    if isinstance(text := node.get(name), str) and text.lstrip("-").isdecimal() and len(text) < 40:  # noqa: PLR2004
        yield int(text), False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _closer(one: tuple[float, bool], two: tuple[float, bool], *, higher: bool) -> bool:
    if one[0] == two[0]:
        return one[1] and not two[1]
    return (one[0] > two[0]) == higher


def closer(name: str, one: tuple[float, bool], two: tuple[float, bool]) -> bool:
    """Whether the first of two limits is the closer one."""
    return _closer(one, two, higher=LIMITS[name])


def keeps(name: str, limit: tuple[float, bool], value: Any) -> bool:
    """Whether a value keeps a limit; one of which the limit does not speak does."""
    about: dict[str, Any] = {"Length": str, "Items": list, "Properties": dict, "imum": (int, float)}
    kind = next((kind for ending, kind in about.items() if name.endswith(ending)), None)
    if kind is None or isinstance(value, bool) or not isinstance(value, kind):
        return True
    size: float = value if isinstance(value, int | float) else len(value)
    if size == limit[0]:
        return not limit[1]
    return (size > limit[0]) is LIMITS[name]


def _closes(node: Mapping[str, Any]) -> bool:
    return node.get("additionalProperties") is False


def _spoken(part: Part) -> Iterator[tuple[str, Any, str | None]]:
    """Every condition of a schema: its name, what it says, and its pointer where it is a schema."""
    node, at = part.node, part.pointer
    if not node.keys() & _CONDITIONS:
        return
    for name in _WHOLE:
        if name in node:
            yield name, node[name], None
    for name in _SCHEMAS:
        if name in node and node[name] is not True:
            yield name, node[name], join(at, name)
    for name in _BY_NAME:
        yield from ((f"{name}/{key}", each, join(at, name, key)) for key, each in _map(node, name).items())
    for name, needed in _map(node, "dependentRequired").items():
        yield from ((f"dependentRequired/{name}/{each}", each, None) for each in _list({"": needed}, ""))
    if node.get("uniqueItems") is True:
        yield "uniqueItems", True, None


def canonical(node: Any) -> str:
    """A schema as one text that is the same for the same promise: without its words."""
    return json.dumps(_bare_of_words(node), sort_keys=True, default=str)


def _bare_of_words(node: Any) -> Any:
    if isinstance(node, Mapping):
        inside = {
            k: v for k, v in node.items() if not isinstance(v, str) or k not in {"title", "description"}
        }
        return {
            k: _bare_of_words(v) for k, v in inside.items() if k not in {"example", "examples"} or k == "$ref"
        }
    return [_bare_of_words(each) for each in node] if isinstance(node, list) else node
