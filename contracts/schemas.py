"""Schemas of every dialect as one JSON Schema 2020-12, whose places keep the pointers of the document.

The result is one wrapper: `properties` holds each schema that can be reached, under its own pointer. A value is
judged as `{pointer: value}`, and the place of an error names its pointer at once. One wrapper compiles in a
fraction of the time and memory that the schemas take one by one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import jsonschema_rs

from contracts.contract import Contract
from contracts.pointers import MISSING, escape, follow, join, of_reference

REQUEST = "request"
RESPONSE = "response"
# Asserted, because a client breaks on them. Others (uri, email, hostname) are written too loosely to hold anybody to.
FORMATS = frozenset({"date", "date-time", "uuid", "ipv4", "ipv6"})
NULL_GUARD = "x-null"  # marks a schema that stands under `then`, because null is allowed beside it
_TYPES = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})
_COUNTS = (
    "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minContains", "maxContains",
)  # fmt: skip
_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_LIMITS = frozenset((*_COUNTS, *_NUMBERS, "multipleOf"))
_ONE = frozenset((
    "items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else",
    "unevaluatedItems", "unevaluatedProperties",
))  # fmt: skip
_LISTS = frozenset(("allOf", "anyOf", "oneOf", "prefixItems"))
_MAPS = frozenset(("properties", "patternProperties", "dependentSchemas"))
_COMPOSED = ("$ref", "allOf", "anyOf", "oneOf", "not", "if", "const")
_MAX_HOPS = 32
_PLAIN = "/~!$&'()*+,;=:@?"  # what stands in a fragment as it is (RFC 3986, 3.5)


class Translator:
    """Turns schemas of one contract, for one direction, into the wrapper. `broken`: references that lead nowhere."""

    def __init__(self, contract: Contract, direction: str) -> None:
        self._document = contract.document
        self._old = contract.dialect != "openapi" or contract.format.startswith("openapi 3.0")
        self._own = f"x-interlock-{direction}"
        self._flag = "readOnly" if direction == REQUEST else "writeOnly"
        self._directional = contract.directional
        self._waiting: list[str] = []
        self._targets: dict[str, str | None] = {}
        self.schemas: dict[str, Any] = {}
        self.broken: dict[str, str] = {}

    def wrapper(self, roots: Iterable[str]) -> dict[str, Any]:
        """The schema that holds all of `roots` and what they refer to."""
        self._waiting += roots
        while self._waiting:
            pointer = self._waiting.pop()
            if pointer not in self.schemas:
                self.schemas[pointer] = True
                self.schemas[pointer] = self._schema(follow(self._document, pointer), pointer)
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", "properties": self.schemas}

    def _schema(self, node: Any, at: str, beside: frozenset[str] = frozenset()) -> Any:
        """`beside`: what belongs to the other direction alone, by what is said of the same object elsewhere."""
        if not isinstance(node, dict):
            return node if isinstance(node, bool) else True
        if isinstance(more := node.get(self._own), dict):
            node = {**node, **more}
        nullable = node.get("nullable") is True or node.get("x-nullable") is True
        made = self._reference(node, at, beside) if "$ref" in node else self._keywords(node, at, beside)
        return _with_null(made) if nullable else made

    def _reference(self, node: Mapping[str, Any], at: str, beside: frozenset[str]) -> Any:
        reference = str(node["$ref"])
        if reference not in self._targets:
            self._targets[reference] = self._target(node["$ref"])
        target = self._targets[reference]
        if target is None:
            self.broken.setdefault(join(at, "$ref"), reference)
            return True
        self._waiting.append(target)
        found = {"$ref": f"#/properties/{quote(escape(target), safe=_PLAIN)}"}
        # Before 3.1 what stands beside a reference is without effect.
        return found if self._old or len(node) == 1 else found | self._keywords(node, at, beside)

    def _target(self, reference: Any) -> str | None:
        """Where a reference leads, None if nowhere."""
        target = of_reference(reference)
        lost = target is None or follow(self._document, target) is MISSING or self._circle(target)
        return None if lost else target

    def _circle(self, target: str) -> bool:
        """Whether a reference leads only to further references, for ever."""
        for _ in range(_MAX_HOPS):
            node = follow(self._document, target)
            further = of_reference(node.get("$ref")) if isinstance(node, Mapping) else None
            if further is None:
                return False
            target = further
        return True

    def _keywords(self, node: Mapping[str, Any], at: str, beside: frozenset[str]) -> dict[str, Any]:
        if self._directional:
            beside |= self._one_way_names(node, _MAX_HOPS)
        made: dict[str, Any] = {}
        types = _types(node.get("type"))
        if types:
            made["type"] = types[0] if len(types) == 1 else types
        _limits(node, made)
        if isinstance(node.get("enum"), list) and node["enum"]:
            made["enum"] = _as_text(node["enum"]) if types == ["string"] else list(node["enum"])
        if "const" in node:
            made["const"] = node["const"]
        if isinstance(node.get("pattern"), str):
            made["pattern"] = node["pattern"]
        if str(node.get("format")) in FORMATS and (not types or "string" in types):
            made["format"] = node["format"]
        if node.get("uniqueItems") is True:
            made["uniqueItems"] = True
        if dependent := _dependent(node.get("dependentRequired")):
            made["dependentRequired"] = dependent
        if required := [name for name in _names(node.get("required")) if name not in beside]:
            made["required"] = required
        self._inner(node, at, made, beside)
        return made

    def _inner(self, node: Mapping[str, Any], at: str, made: dict[str, Any], beside: frozenset[str]) -> None:
        for name, inner in node.items():  # most have none of these names, or one
            if name in _ONE and isinstance(inner, dict | bool):
                made[name] = self._schema(inner, join(at, name))
            elif name in _LISTS and isinstance(inner, list) and inner:
                same = beside if name != "prefixItems" else frozenset()
                made[name] = [self._schema(each, join(at, name, n), same) for n, each in enumerate(inner)]
            elif name in _MAPS and isinstance(inner, dict):
                base = join(at, name)
                made[name] = {str(key): self._schema(each, join(base, key)) for key, each in inner.items()}

    def _one_way_names(self, node: Any, left: int) -> frozenset[str]:
        """What a request need not carry though it is required, because only the provider may set it; or the reverse."""
        if not isinstance(node, Mapping) or left <= 0:
            return frozenset()
        found = set()
        properties = node.get("properties")
        for name, schema in properties.items() if isinstance(properties, Mapping) else ():
            if self.one_way(schema):
                found.add(str(name))
        parts = node.get("allOf")
        for part in parts if isinstance(parts, list) else ():
            found |= self._one_way_names(part, left - 1)
        target = of_reference(node.get("$ref"))
        if target is not None:
            found |= self._one_way_names(follow(self._document, target), left - 1)
        return frozenset(found)

    def one_way(self, schema: Any) -> bool:
        """Whether a property belongs to the other direction alone."""
        for _ in range(_MAX_HOPS):
            if not isinstance(schema, Mapping):
                return False
            if schema.get(self._flag) is True:
                return True
            target = of_reference(schema.get("$ref"))
            if target is None:
                return False
            schema = follow(self._document, target)
        return False


def validator_of_own(node: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator | None:
    """A validator for what a schema says of texts, numbers and the like by itself; None where it says nothing."""
    made: dict[str, Any] = {}
    _limits(node, made)
    for name in ("enum", "const", "pattern"):
        if name in node:
            made[name] = node[name]
    if str(node.get("format")) in FORMATS:
        made["format"] = node["format"]
    if not made:
        return None
    try:
        return jsonschema_rs.Draft202012Validator(made, validate_formats=True)
    except (ValueError, jsonschema_rs.ReferencingError):
        return None


def _names(value: Any) -> list[str]:
    return (
        list(dict.fromkeys(name for name in value if isinstance(name, str)))
        if isinstance(value, list)
        else []
    )


def _dependent(value: Any) -> dict[str, list[str]]:
    if not isinstance(value, Mapping):
        return {}
    return {str(name): _names(wanted) for name, wanted in value.items() if isinstance(wanted, list)}


def _types(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value] if value in _TYPES else []
    listed = value if isinstance(value, list) else [value]
    found = [each for each in listed if isinstance(each, str)]
    return list(dict.fromkeys(found)) if found and all(each in _TYPES for each in found) else []


def _limits(node: Mapping[str, Any], made: dict[str, Any]) -> None:
    if _LIMITS.isdisjoint(node):
        return
    for name in _COUNTS:
        if name in node and isinstance(value := _whole(node[name]), int) and value >= 0:
            made[name] = value
    for name in _NUMBERS:
        if _is_number(node.get(name)):
            made[name] = node[name]
    for name, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if node.get(name) is True and limit in made:
            made[name] = made.pop(limit)
    if _is_number(node.get("multipleOf")) and node["multipleOf"] > 0:
        made["multipleOf"] = node["multipleOf"]


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and (
        isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    )


def _whole(value: Any) -> Any:
    """A whole number, or None for what is none."""
    if not _is_number(value):
        return None
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _as_text(values: list[Any]) -> list[Any]:
    """YAML reads the 1 of an enum of texts as a number; its author meant a text."""
    return [str(each) if _is_number(each) else each for each in values]


def _with_null(made: Any) -> Any:
    """`nullable` as the world means it: null is welcome, whatever else the schema says."""
    if not isinstance(made, dict):
        return made
    if not any(name in made for name in _COMPOSED):
        if "type" in made:
            types = made["type"] if isinstance(made["type"], list) else [made["type"]]
            made["type"] = list(dict.fromkeys([*types, "null"]))
        if "enum" in made and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]
        return made
    if set(made) == {"anyOf"}:
        return {"anyOf": [*made["anyOf"], {"type": "null"}]}
    # Another branch of oneOf might hold for null where one of its own takes null already.
    return {"if": {"not": {"type": "null"}}, "then": made, NULL_GUARD: True}
