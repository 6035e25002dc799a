"""What one schema object says, keyword by keyword, in the words of every dialect."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeGuard

from contracts.pointers import follow, join, of_reference

_MAX_HOPS = 32
_TYPES = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})
# Each limit with whether a higher one is closer.
LIMITS = {
    "minimum": True, "maximum": False, "minLength": True, "maxLength": False, "minItems": True, "maxItems": False,
    "minProperties": True, "maxProperties": False, "minContains": True, "maxContains": False,
}  # fmt: skip
_EXCLUSIVE = {"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}
_LIMITING = LIMITS.keys() | set(_EXCLUSIVE.values())
# Conditions that are compared as a whole, those that are a schema each, and those that are schemas by name.
WHOLE = frozenset({"not", "if", "contentMediaType", "contentEncoding", "multipleOf"})
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
_CONDITIONS = frozenset((*WHOLE, *_SCHEMAS, *_BY_NAME, "dependentRequired", "uniqueItems"))
ANNOTATIONS = frozenset(
    {"title", "description", "example", "examples", "externalDocs", "xml", "default", "deprecated", "discriminator"}
)  # fmt: skip
EXTENSIBLE = "x-extensible-enum"
_WORDS = frozenset({"title", "description", "example", "examples", "externalDocs"})
# Their keys are names of members, not keywords.
NAMED = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs"})
_NOTHING: Mapping[str, Any] = {}
TRUTH: Mapping[str, Any] = {"true": True, "false": False}
# A limit: its value, and whether the value itself is shut out.
Limit = tuple[float, bool]


def elsewhere(node: Mapping[str, Any]) -> list[str]:
    """The references of a schema that lead out of the document, or go by names: they are not followed."""
    found = (node.get(name) for name in ("$ref", "$dynamicRef"))
    return [str(each) for each in found if each is not None and of_reference(each) is None]


def listed(node: Mapping[str, Any], name: str) -> list[Any]:
    """A keyword that is a list; empty where it is none."""
    value = node.get(name)
    return value if isinstance(value, list) else []


def mapped(node: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A keyword that is an object; empty where it is none."""
    value = node.get(name)
    return value if isinstance(value, Mapping) else _NOTHING


def named_types(node: Mapping[str, Any]) -> list[str]:
    """The types it names; none where one of them is no type."""
    said = node.get("type")
    listed = said if isinstance(said, list) else [said]
    found = [each for each in listed if isinstance(each, str)]
    return found if found and all(each in _TYPES for each in found) else []


def is_null(node: Any) -> bool:
    """Whether null is all that it takes."""
    if not isinstance(node, Mapping):
        return False
    if named_types(node) == ["null"] or node.get("enum") == [None] or node.get("const", 0) is None:
        return True
    return any(
        all(isinstance(each, Mapping) and named_types(each) == ["null"] for each in branches)
        for branches in choices(node)
    )


def welcomes_null(node: Any) -> bool:
    """Whether it says itself that null is welcome, whatever it refers to."""
    return is_null(node) or (isinstance(node, Mapping) and node.get("nullable") is True)


def choices(node: Mapping[str, Any]) -> list[list[Any]]:
    """The alternatives of each keyword that has some."""
    return [branches for keyword in ("anyOf", "oneOf") if (branches := listed(node, keyword))]


def meant(node: Any, document: Mapping[str, Any], stop: Callable[[Any], bool] | None = None) -> Any:
    """What a reference that stands alone leads to, or an `allOf` of one; anything else is itself.

    `stop`: what ends the way sooner.
    """
    for _ in range(_MAX_HOPS):
        further = node if stop is not None and stop(node) else _next(node, document)
        if further is node:
            return node
        node = further
    return node


def _next(node: Any, document: Mapping[str, Any]) -> Any:
    """One step of the way to what is meant; itself where there is none."""
    said = node.keys() - ANNOTATIONS if isinstance(node, Mapping) else set()
    target = of_reference(node["$ref"]) if said == {"$ref"} else None
    if target is not None:
        return follow(document, target)
    return node["allOf"][0] if said == {"allOf"} and len(listed(node, "allOf")) == 1 else node


def alternatives(node: Mapping[str, Any], at: str, keyword: str) -> Iterator[tuple[str, Any]]:
    """Alternatives with their pointers; those of an `anyOf` within an `anyOf` are its own."""
    for index, each in enumerate(listed(node, keyword)):
        where = join(at, keyword, index)
        if keyword == "anyOf" and isinstance(each, Mapping) and each.keys() - ANNOTATIONS == {"anyOf"}:
            yield from alternatives(each, where, keyword)
        else:
            yield where, each


def flags(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """What counts beside a reference before OpenAPI 3.1: the flags that people write there all the same."""
    return {name: node[name] for name in ("readOnly", "writeOnly", "nullable", "x-nullable") if name in node}


def _as_text(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else value


def common(one: frozenset[str], two: frozenset[str]) -> frozenset[str]:
    """The types of which both are; a whole number is both integer and number."""
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


def limits(node: Mapping[str, Any]) -> Iterator[tuple[str, Limit]]:
    """Every limit, by the name of its inclusive keyword."""
    if not node.keys() & _LIMITING:
        return
    for name in LIMITS:
        value, exclusive = node.get(name), node.get(_EXCLUSIVE.get(name, ""))
        if _is_number(value):
            yield name, (value, exclusive is True)
        if _is_number(exclusive):
            yield name, (exclusive, True)
        # Discovery writes its limits as texts.
        if isinstance(value, str) and value.removeprefix("-").isdecimal() and len(value) < 40:  # noqa: PLR2004
            yield name, (int(value), False)


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def closer(name: str, one: Limit, two: Limit) -> bool:
    """Whether the first of two limits is the closer one."""
    if one[0] == two[0]:
        return one[1] and not two[1]
    return (one[0] > two[0]) is LIMITS[name]


def keeps(name: str, limit: Limit, value: Any) -> bool:
    """Whether a value keeps a limit; one of which the limit does not speak does."""
    about: dict[str, Any] = {"Length": str, "Items": list, "Properties": dict, "imum": (int, float)}
    kind = next((kind for ending, kind in about.items() if name.endswith(ending)), None)
    if kind is None or isinstance(value, bool) or not isinstance(value, kind):
        return True
    size: float = value if isinstance(value, int | float) else len(value)
    if size == limit[0]:
        return not limit[1]
    return (size > limit[0]) is LIMITS[name]


def closes(node: Mapping[str, Any]) -> bool:
    """Whether it forbids members that it does not name."""
    return node.get("additionalProperties") is False


def refers(node: Any) -> bool:
    """Whether there is a reference anywhere in it."""
    if isinstance(node, Mapping):
        return "$ref" in node or any(map(refers, node.values()))
    return isinstance(node, list) and any(map(refers, node))


def conditions(node: Mapping[str, Any], at: str) -> Iterator[tuple[str, Any, str | None]]:
    """Every condition of a schema: its name, what it says, and its pointer where it is a schema."""
    if not node.keys() & _CONDITIONS:
        return
    for name in sorted(WHOLE):
        if name in node:
            yield name, node[name], None
    for name in _SCHEMAS:
        if name in node and node[name] is not True and not (name == "contains" and _none_has_to(node)):
            yield name, node[name], join(at, name)
    for name in _BY_NAME:
        yield from ((f"{name}/{key}", each, join(at, name, key)) for key, each in mapped(node, name).items())
    for name, needed in mapped(node, "dependentRequired").items():
        for each in needed if isinstance(needed, list) else ():
            yield f"dependentRequired/{name}/{each}", each, None
    if node.get("uniqueItems") is True:
        yield "uniqueItems", True, None


def _none_has_to(node: Mapping[str, Any]) -> bool:
    """Whether not one item has to be as `contains` says."""
    return node.get("minContains") == 0 and "maxContains" not in node


def values(node: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The values of enum or const other than null, each with its JSON text, by which it is told from others."""
    named = listed(node, "enum")
    if "const" in node:
        named = [node["const"]] if not named or node["const"] in named else []
    yield from _told_apart(node, named)


def named_values(node: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The same of the values in an extensible list: more may come, so that it binds nobody."""
    yield from _told_apart(node, listed(node, EXTENSIBLE))


def _told_apart(node: Mapping[str, Any], values: list[Any]) -> Iterator[tuple[str, Any]]:
    as_text = named_types(node) == ["string"]
    for each in values:
        value = _as_text(each) if as_text else each
        if value is not None:
            yield text_of(value), value


def text_of(value: Any) -> str:
    """A value as JSON, a whole number without its fraction."""
    whole = isinstance(value, float) and value.is_integer()
    return json.dumps(int(value) if whole else value, sort_keys=True, default=str)


def bound(node: Mapping[str, Any]) -> bool:
    """Whether it is bound to listed values."""
    return "const" in node or bool(listed(node, "enum"))


def canonical(node: Any) -> str:
    """A schema as one text that is the same for the same promise: without its words."""
    return json.dumps(_bare_of_words(node, named=False), sort_keys=True, default=str)


def _bare_of_words(node: Any, *, named: bool) -> Any:
    """`named`: the keys are names of members, not keywords."""
    if isinstance(node, Mapping):
        return {
            key: _bare_of_words(value, named=not named and key in NAMED)
            for key, value in node.items()
            if named or key not in _WORDS
        }
    return [_bare_of_words(each, named=False) for each in node] if isinstance(node, list) else node
