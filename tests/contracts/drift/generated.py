"""Schemas with one edit, and values at the edges of both: small enough that every one of them can be tried."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

Schema = dict[str, Any]
NAMES = ("a", "b", "c")
_WORDS = ("x", "yy", "zzz")
_small = st.integers(0, 4)


@st.composite
def _strings(draw: st.DrawFn) -> Schema:
    made: Schema = {"type": "string"}
    if draw(st.booleans()):
        made["enum"] = draw(st.lists(st.sampled_from(_WORDS), min_size=1, unique=True))
    elif draw(st.booleans()):
        made[draw(st.sampled_from(["minLength", "maxLength"]))] = draw(st.integers(1, 4))
    return made


@st.composite
def _numbers(draw: st.DrawFn) -> Schema:
    made: Schema = {"type": draw(st.sampled_from(["integer", "number"]))}
    if draw(st.booleans()):
        made[draw(st.sampled_from(["minimum", "maximum", "exclusiveMinimum"]))] = draw(_small)
    return made


NULL: Schema = {"type": "null"}
plain = st.one_of(_strings(), _numbers(), st.just({"type": "boolean"}))
# One in four may be null, in either way to say so.
scalars = st.one_of(
    plain, plain, plain, st.tuples(plain, st.booleans()).map(lambda two: _nullable(two[0], listed=two[1]))
)


@st.composite
def _objects(draw: st.DrawFn, inner: st.SearchStrategy[Schema]) -> Schema:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    made: Schema = {"type": "object", "properties": {name: draw(inner) for name in names}}
    if required := [name for name in names if draw(st.booleans())]:
        made["required"] = required
    if draw(st.booleans()):
        made["additionalProperties"] = draw(st.one_of(st.just(False), plain))
    return made


def _arrays(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    return st.builds(lambda items: {"type": "array", "items": items}, inner)


def _choices(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    kinds = st.tuples(inner, st.sampled_from([{"type": "boolean"}, {"type": "string"}, {"type": "integer"}]))
    apart = kinds.filter(lambda two: "anyOf" not in two[0] and _kind(two[0]) != _kind(two[1])).map(
        lambda two: {"anyOf": [*two]}
    )
    nulls = st.sampled_from([[], [], [NULL]])
    return st.tuples(apart, nulls).map(
        lambda two: {"anyOf": [*two[0]["anyOf"], *(() if _may_be_null(two[0]) else two[1])]}
    )


def _may_be_null(schema: Schema) -> bool:
    return any("null" in each.get("type", ()) for each in _said(schema))


def _kind(schema: Schema) -> object:
    kinds = schema.get("type", [_kind(each) for each in schema.get("anyOf", ())])
    kind = next((each for each in kinds if each != "null"), None) if isinstance(kinds, list) else kinds
    return "number" if kind == "integer" else str(kind)


schemas = st.recursive(
    scalars, lambda inner: st.one_of(_objects(inner), _arrays(inner), _choices(inner)), max_leaves=5
)


def _places(schema: Schema, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if schema == NULL:
        return
    yield at
    for name, inner in schema.get("properties", {}).items():
        yield from _places(inner, (*at, "properties", name))
    if "items" in schema:
        yield from _places(schema["items"], (*at, "items"))
    for index, inner in enumerate(schema.get("anyOf", [])):
        yield from _places(inner, (*at, "anyOf", index))


@st.composite
def edits(draw: st.DrawFn) -> tuple[Schema, Schema]:
    """A schema, and the same with one change somewhere in it."""
    base = draw(schemas)
    revision = copy.deepcopy(base)
    place = draw(st.sampled_from(list(_places(base))))
    node = revision
    for step in place:
        node = node[step]
    if node.get("type") == "object" and "properties" in node:
        changed = draw(st.sampled_from(_OF_OBJECTS))(node, draw)
    elif "anyOf" in node:
        changed = draw(st.sampled_from(list(_of_choices(node))))
    else:
        more: list[Schema] = [{"type": "object"}]
        if "anyOf" not in place:  # beside another list it might be one that is taken anyhow
            more.append({"type": "array", "items": node})
        wrapped = st.sampled_from(more).map(lambda other: {"anyOf": [node, other]})
        changed = draw(st.one_of(scalars, st.just(_nullable(node)), wrapped))
    if not place:
        return base, changed
    holder = revision
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = changed
    return base, revision


def _of_choices(node: Schema) -> Iterator[Schema]:
    """One alternative alone, one more, the same within one of others, null among them or not."""
    branches = node["anyOf"]
    others = [each for each in branches if each != NULL]
    yield others[0]
    yield {"anyOf": [*branches, {"type": "array"}]}
    yield {"oneOf": [node, {"type": "array"}]}
    yield {"anyOf": others if NULL in branches else [*branches, NULL]} if len(others) > 1 else others[0]


def _nullable(node: Schema, *, listed: bool = True) -> Schema:
    """The same that may be null, or may be no longer."""
    if not listed or "type" not in node:
        return {"anyOf": [node, NULL]}
    kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
    left = [kind for kind in kinds if kind != "null"]
    return (
        node
        | {"type": left if "null" in kinds else [*left, "null"]}
        | ({"enum": [*node["enum"], None]} if "enum" in node else {})
    )


def _toggled_member(node: Schema, draw: st.DrawFn) -> Schema:
    name = draw(st.sampled_from(NAMES))
    members = dict(node["properties"])
    if name in members and len(members) > 1:
        del members[name]
    else:
        members[name] = draw(scalars)
    required = [each for each in node.get("required", []) if each in members]
    return (
        {k: v for k, v in node.items() if k != "required"}
        | {"properties": members}
        | ({"required": required} if required else {})
    )


def _toggled_need(node: Schema, draw: st.DrawFn) -> Schema:
    name = draw(st.sampled_from(sorted(node["properties"])))
    required = sorted({*node.get("required", [])} ^ {name})
    return {k: v for k, v in node.items() if k != "required"} | ({"required": required} if required else {})


def _toggled_end(node: Schema, draw: st.DrawFn) -> Schema:
    if "additionalProperties" in node and draw(st.booleans()):
        return {k: v for k, v in node.items() if k != "additionalProperties"}
    return node | {
        "additionalProperties": draw(st.sampled_from([False, {"type": "string"}, {"type": "integer"}]))
    }


_OF_OBJECTS: tuple[Callable[[Schema, st.DrawFn], Schema], ...] = (
    _toggled_member,
    _toggled_need,
    _toggled_end,
)
_SCALARS: tuple[Any, ...] = (
    None,
    True,
    *range(-1, 6),
    -0.5,
    0.5,
    1.5,
    2.5,
    3.5,
    4.5,
    *_WORDS,
    "",
    "wwww",
    "vvvvv",
)


def values(one: Any, two: Any, is_valid: Callable[[Any, Any], bool]) -> Iterator[Any]:
    """Values at the edges of two schemas; an object differs from a good one in one member alone."""
    yield from _SCALARS
    yield from ([], {})
    both = [each for schema in (one, two) for each in _said(schema)]
    items = [each.get("items", {}) for each in both if each.get("type") == "array"]
    for before, after in itertools.product(items or [None], repeat=2) if items else ():
        yield from ([value] for value in values(before, after, is_valid))
    objects = [each for each in both if "properties" in each]
    names = sorted({name for each in objects for name in each["properties"]})
    for base in objects:
        good = {name: _good(base["properties"].get(name, {}), is_valid) for name in names}
        whole = {name: value[0] for name, value in good.items() if value}
        needed = {name: value for name, value in whole.items() if name in base.get("required", [])}
        for start in (whole, needed):
            yield from (start, *(start | {"extra": value} for value in (1, "x", "zzz", True, None, 2.5)))
            for name in names:
                yield {each: value for each, value in start.items() if each != name}
                inner = [each["properties"].get(name, {}) for each in objects]
                yield from (start | {name: value} for value in values(inner[0], inner[-1], is_valid))


def _said(schema: Any) -> Iterator[Schema]:
    """A schema and its alternatives, however deep."""
    if isinstance(schema, dict):
        yield schema
        for each in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
            yield from _said(each)


def _good(schema: Any, is_valid: Callable[[Any, Any], bool]) -> list[Any]:
    return list(itertools.islice((v for v in values(schema, schema, is_valid) if is_valid(schema, v)), 1))


@st.composite
def rewritten(draw: st.DrawFn) -> tuple[Schema, Schema, dict[str, Schema]]:
    """A schema, the same promise written in another way, and the components that this way needs."""
    base = draw(schemas)
    components: dict[str, Schema] = {}
    return base, _written(base, draw, components), components


def _written(node: Schema, draw: st.DrawFn, components: dict[str, Schema]) -> Schema:
    made: Schema = {}
    for name, value in node.items():
        if name == "properties":
            members = {key: _written(inner, draw, components) for key, inner in value.items()}
            made[name] = dict(sorted(members.items(), reverse=True))
        elif name == "items":
            made[name] = _written(value, draw, components)
        elif name == "anyOf":
            made[name] = [_written(inner, draw, components) for inner in reversed(value)]
        else:
            made[name] = list(reversed(value)) if name in {"enum", "required"} else value
    return _said_otherwise(made, draw, components)


def _said_otherwise(made: Schema, draw: st.DrawFn, components: dict[str, Schema]) -> Schema:
    way = draw(st.sampled_from(["plain", "allOf", "words", "list", "component", "split", "values", "nested"]))
    if way == "values":
        made = _in_other_values(made)
    elif way == "nested":
        made = _nested(made)
    elif way == "allOf":
        made = {"allOf": [made], "description": "written inside"}
    elif way == "words":
        made |= {"title": "Thing", "description": "another word", "examples": [1]}
    elif way == "list" and isinstance(made.get("type"), str):
        made |= {"type": [made["type"]]}
    elif way == "component":
        components[f"Part{len(components)}"] = made
        made = {"$ref": f"#/components/schemas/Part{len(components) - 1}"}
    elif way == "split" and "required" in made:
        made = {"allOf": [{"required": made.pop("required")}, made]}
    return made


def _nested(made: Schema) -> Schema:
    """Null as an alternative of its own, alternatives of which but one holds, some of them within one."""
    kinds = made.get("type")
    if isinstance(kinds, list) and len(kinds) == 2 and "null" in kinds and "enum" not in made:
        return {"oneOf": [NULL, made | {"type": next(each for each in kinds if each != "null")}]}
    if set(made) == {"anyOf"}:
        first, *others = made["anyOf"]
        return {"oneOf": [first, {"anyOf": others}]} if len(others) > 1 else {"oneOf": made["anyOf"]}
    return made


def _in_other_values(made: Schema) -> Schema:
    """Listed values as alternatives, truth as a list, whole numbers as multiples of one."""
    if "enum" in made and len(made["enum"]) > 1:
        first, *others = made["enum"]
        rest = {"enum": others, "title": "The others"}
        return {"oneOf": [{"const": first}, made | rest]}
    if made == {"type": "boolean"}:
        return {"enum": [False, True]}
    if made.get("type") == "integer":
        return made | {"type": "number", "multipleOf": 1}
    return {"anyOf": [made]}
