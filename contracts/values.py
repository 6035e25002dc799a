"""Texts of URLs, headers and forms as the values that their schemas speak of."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, unquote_plus

from contracts.contract import Parameter
from contracts.pointers import MISSING, follow, number, of_reference
from contracts.schemas import validator_of_own

MAX_FIELDS = 10_000
_MAX_DEPTH = 24
_MAX_STEPS = 200_000  # for one value: branches within branches multiply
_INTEGER = re.compile(r"[-+]?\d{1,400}")
_NUMBER = re.compile(r"[-+]?(?:\d{1,400}(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,3})?")
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_HOPS = 16
_NOTHING: Any = object()
_COLLECTED = {"csv": ",", "ssv": " ", "tsv": "\t", "pipes": "|"}


def pairs(text: str) -> list[tuple[str, str]]:
    """The fields of a query or form, decoded. Raises `ValueError` beyond `MAX_FIELDS`."""
    return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS) if text else []


def grouped(fields: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Every value by name, in order."""
    found: dict[str, list[str]] = {}
    for name, value in fields:
        found.setdefault(name, []).append(value)
    return found


def nested(fields: Iterable[tuple[str, str]], known: Container[str] = ()) -> dict[str, Any]:
    """Fields with brackets in their names as objects and lists: `a[b]=1`, `a[]=1`, `a[0][b]=1`.

    A name that comes again is a list; one that is `known` is what it is, with its brackets.
    """
    root: dict[str, Any] = {}
    for name, value in fields:
        base, bracket, _ = name.partition("[")
        apart = bracket and base and name.endswith("]") and name not in known
        steps = [base, *_BRACKETS.findall(name)] if apart else [name]
        _put(root, steps[:_MAX_DEPTH], value)
    return {name: _lists(value) for name, value in root.items()}


def _put(into: dict[str, Any], steps: list[str], value: str) -> None:
    for step in steps[:-1]:
        key = step or str(len(into))
        inner = into.get(key)
        if not isinstance(inner, dict):
            inner = {}
            into[key] = inner
        into = inner
    last = steps[-1]
    if not last:
        into[str(len(into))] = value
    elif not isinstance(before := into.get(last, {}), dict):
        into[last] = [*before, value] if isinstance(before, list) else [before, value]
    else:
        into[last] = value


def _lists(value: Any) -> Any:
    """Objects whose keys count 0, 1, 2 are lists."""
    if not isinstance(value, dict):
        return value
    inner = {key: _lists(each) for key, each in value.items()}
    if inner and all(number(key) is not None for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


class Coercer:
    """Gives texts the type that their schema asks for, where they can have it; what cannot stays text."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self._known: dict[str, Any] = {}
        self._own: dict[int, Any] = {}
        self._steps = _MAX_STEPS

    def coerce(self, value: Any, pointer: str | None) -> Any:
        """`value` as the schema at `pointer` would have it."""
        self._steps = _MAX_STEPS
        return self._as(value, self.schema_at(pointer), _MAX_DEPTH)

    def kinds(self, schema: Any, left: int = _HOPS) -> set[str]:
        """The types that a schema takes, by itself and by what it is composed of; none where anything goes."""
        schema = self.plain(schema)
        if not isinstance(schema, Mapping) or left <= 0:
            return set()
        found = types_of(schema)
        for part in _listed(schema, "allOf"):
            inner = self.kinds(part, left - 1)
            found = (found & inner or found or inner) if inner else found
        branches = [
            self.kinds(each, left - 1) for name in ("anyOf", "oneOf") for each in _listed(schema, name)
        ]
        if branches and all(branches):
            either = set().union(*branches)
            found = found & either or found or either
        return found | {"null"} if found and schema.get("nullable") is True else found

    def members(self, schema: Any, left: int = _HOPS) -> set[str]:
        """The names of the members that a schema has, by itself and by what it is composed of."""
        schema = self.plain(schema)
        if not isinstance(schema, Mapping) or left <= 0:
            return set()
        properties = schema.get("properties")
        found = set(map(str, properties)) if isinstance(properties, Mapping) else set()
        for name in ("allOf", "anyOf", "oneOf"):
            found.update(*(self.members(each, left - 1) for each in _listed(schema, name)))
        return found

    def member(self, schema: Any, name: str, left: int = _HOPS) -> Any:
        """The schema of a member by its name, None where nothing is said of it."""
        schema = self.plain(schema)
        if not isinstance(schema, Mapping) or left <= 0:
            return None
        properties = schema.get("properties")
        if isinstance(properties, Mapping) and name in properties:
            return properties[name]
        parts = (
            self.member(each, name, left - 1)
            for key in ("allOf", "anyOf", "oneOf")
            for each in _listed(schema, key)
        )
        return next((each for each in parts if each is not None), None)

    def _as(self, value: Any, schema: Any, left: int) -> Any:
        schema = self.plain(schema)
        self._steps -= 1
        if not isinstance(schema, Mapping) or left <= 0 or self._steps <= 0:
            return value
        branches = [each for name in ("anyOf", "oneOf") for each in _listed(schema, name)]
        if branches:
            return self._nearest(value, schema, branches, left)
        for each in _listed(schema, "allOf"):
            value = self._as(value, each, left - 1)
        types = types_of(schema)
        if isinstance(value, str):
            return self._text(value, schema, types, left)
        if isinstance(value, list) and "items" in schema:
            return [self._as(each, schema["items"], left - 1) for each in value]
        if isinstance(value, list) and "object" in types and "array" not in types:
            value = {str(index): each for index, each in enumerate(value)}
        if isinstance(value, dict):
            return self._object(value, schema, left)
        return value

    def _text(  # noqa: PLR0911 - one for each type
        self, value: str, schema: Mapping[str, Any], types: set[str], left: int
    ) -> Any:
        listed = values_of(schema)
        if listed is not None and (same := _of_these(value, listed)) is not _NOTHING:
            return same
        if "string" in types and (listed is None or not types - {"string", "null"}):
            return value
        if "boolean" in types and value in {"true", "false"}:
            return value == "true"
        if "integer" in types and _INTEGER.fullmatch(value):
            return int(value)
        if "number" in types and _NUMBER.fullmatch(value):
            return float(value) if not _INTEGER.fullmatch(value) else int(value)
        if not value and ("null" in types or schema.get("nullable") is True):
            return None
        if types - {"null"} == {"array"}:
            return [self._as(each, schema.get("items"), left - 1) for each in self._parts(value, schema)]
        return value

    def _parts(self, value: str, schema: Mapping[str, Any]) -> list[str]:
        """The items of a list within a list: Swagger 2 alone says how they are written (Items Object)."""
        if not value:
            return []
        if "swagger" not in self.document:
            return [value]
        delimiter = _COLLECTED.get(str(schema.get("collectionFormat", "csv")))
        return [part.strip() for part in value.split(delimiter)] if delimiter else [value]

    def _object(self, value: dict[str, Any], schema: Mapping[str, Any], left: int) -> dict[str, Any]:
        properties = schema.get("properties")
        known = properties if isinstance(properties, Mapping) else {}
        others = schema.get("additionalProperties")
        return {name: self._as(each, known.get(name, others), left - 1) for name, each in value.items()}

    def _nearest(self, value: Any, schema: Mapping[str, Any], branches: list[Any], left: int) -> Any:
        """As the first branch that takes it, else whose type it gets; fields beside the branches hold too.

        A list is a list where one is promised, before it is an object with numbers for names.
        """
        if isinstance(value, list):
            branches = sorted(branches, key=lambda each: not self._has_type(value, self.plain(each)))
        nearest, found = value, False
        for branch in branches:
            made, plain = self._as(value, branch, left - 1), self.plain(branch)
            if self._has_type(made, plain):
                fits = self._fits(made, plain)
                if fits or not found:
                    nearest, found = made, True
                if fits:
                    break
        value = nearest
        beside = {
            name: schema[name] for name in ("properties", "additionalProperties", "items") if name in schema
        }
        return self._as(value, beside, left - 1) if beside else value

    def _has_type(self, value: Any, schema: Any) -> bool:
        if not isinstance(schema, Mapping):
            return True
        if "enum" in schema and isinstance(schema["enum"], list):
            return value in schema["enum"]
        types = types_of(schema)
        if not types:
            return not any(name in schema for name in ("anyOf", "oneOf", "allOf")) or isinstance(value, str)
        return bool(types & types_of_value(value))

    def _fits(self, value: Any, schema: Any) -> bool:
        """Whether a text, a number or the like is as the schema itself says, whatever it is composed of."""
        if not isinstance(schema, Mapping) or isinstance(value, dict | list):
            return True
        key = id(schema)  # it lives as long as the document
        if key not in self._own:
            self._own[key] = validator_of_own(schema)
        held = self._own[key]
        try:
            return held is None or held.is_valid(value)
        except ValueError:
            return False

    def schema_at(self, pointer: str | None) -> Any:
        """The schema at a pointer, behind its references; None where there is none."""
        if not pointer:
            return None
        if pointer not in self._known:  # as many as the contract has places, whatever is recorded
            self._known[pointer] = self.plain(follow(self.document, pointer))
        return self._known[pointer]

    def is_free(self, pointer: str) -> bool:
        """Whether a schema promises nothing of a body."""
        schema = self.schema_at(pointer)
        if not isinstance(schema, Mapping) or not schema:
            return True
        return schema.get("type") == "file" or schema.get("format") in {"binary", "base64", "byte", "file"}

    def plain(self, schema: Any) -> Any:
        """A schema behind its references."""
        for _ in range(_HOPS):
            target = of_reference(schema.get("$ref")) if isinstance(schema, Mapping) else None
            if target is None:
                return schema
            schema = follow(self.document, target)
        return None if schema is MISSING else schema


def types_of(schema: Mapping[str, Any]) -> set[str]:
    """The types that a schema names, or those that its other words give away."""
    named = schema.get("type")
    if isinstance(named, str):
        return {named}
    if isinstance(named, list):
        return {each for each in named if isinstance(each, str)}
    if "properties" in schema:
        return {"object"}
    return {"array"} if "items" in schema else set()


def types_of_value(value: Any) -> set[str]:
    """The names that JSON Schema has for what a value is."""
    if isinstance(value, bool):
        return {"boolean"}
    if isinstance(value, int):
        return {"integer", "number"}
    if isinstance(value, float):
        return {"number"}
    if value is None:
        return {"null"}
    return {"string"} if isinstance(value, str) else {"object"} if isinstance(value, dict) else {"array"}


def _listed(schema: Mapping[str, Any], name: str) -> list[Any]:
    found = schema.get(name)
    return found if isinstance(found, list) else []


def values_of(schema: Mapping[str, Any]) -> list[Any] | None:
    """The values that a schema lists, None where it lists none."""
    listed = schema.get("enum")
    if isinstance(listed, list):
        return listed
    return [schema["const"]] if "const" in schema else None


def _of_these(text: str, listed: list[Any]) -> Any:
    """The one of these values that a text is, or stands for."""
    for reading in (text, *_scalars(text)):
        if any(type(each) is type(reading) and each == reading for each in listed):
            return reading
    return _NOTHING


def _scalars(text: str) -> Iterator[Any]:
    """What a text can stand for, beside itself."""
    if _INTEGER.fullmatch(text):
        yield int(text)
    if _NUMBER.fullmatch(text):
        yield float(text)
    if text in {"true", "false"}:
        yield text == "true"
    if not text:
        yield None


# What stands between the members of an object: OpenAPI 3.0 and 3.1 differ on label.
_BETWEEN = {"label": (".", ","), "matrix": (";", ",")}
DELIMITERS = {"spaceDelimited": " ", "pipeDelimited": "|", "tsv": "\t"}


def readings(
    parameter: Parameter, texts: list[str], coercer: Coercer, raws: list[str] | None = None
) -> list[Any]:
    """What the texts of a parameter's name can stand for, the likeliest first. `raws`: the same, percent-encoded.

    Raises `RecursionError` where it is JSON that is nested too deeply.
    """
    kinds = coercer.kinds(coercer.schema_at(parameter.schema)) - {"null"}
    found: list[Any] = []
    if kinds - {"array"} or not kinds:
        plain: Any = texts[0] if len(texts) == 1 else texts
        if parameter.place == "path" and isinstance(plain, str):
            plain = _unstyled(parameter, plain)
        found.append(plain)
    if "array" in kinds:
        found += _arrays(parameter, texts, raws)
    if "object" in kinds and len(texts) == 1:
        found = (
            [_fields(parameter, texts[0]), *found]
            if kinds == {"object"}
            else [*found, _fields(parameter, texts[0])]
        )
    taken = [coercer.coerce(each, parameter.schema) for each in found]
    return [*taken, found[0]] if "string" in kinds and len(kinds) > 1 else taken


def _arrays(parameter: Parameter, texts: list[str], raws: list[str] | None) -> list[list[str]]:
    """The list as it is written; a comma that is percent-encoded may be one of a value, or one between values."""
    if parameter.place == "query" and (len(texts) > 1 or parameter.explode):
        return [texts]
    found = [_array(parameter, texts[0])]
    if raws and "%2" in raws[0] and parameter.style not in DELIMITERS:
        decode = unquote_plus if parameter.place == "query" else unquote
        found.append([decode(part) for part in _array(parameter, raws[0])])
    return found


def _array(parameter: Parameter, text: str) -> list[str]:
    text = _unstyled(parameter, text)
    if not text:
        return []
    delimiter = DELIMITERS.get(parameter.style, ",")
    if parameter.style in {"label", "matrix"} and parameter.explode:
        delimiter = "." if parameter.style == "label" else ";"
    name = f"{parameter.name}="
    return [part.strip().removeprefix(name) for part in text.split(delimiter)]


def _unstyled(parameter: Parameter, text: str) -> str:
    """Without the marks that label and matrix put before a value."""
    if parameter.style == "label":
        return text.removeprefix(".")
    if parameter.style == "matrix":
        text = text.removeprefix(";")
        return text if parameter.explode and ";" in text else text.removeprefix(f"{parameter.name}=")
    return text


def _fields(parameter: Parameter, text: str) -> Any:
    """`a=1,b=2` where it is exploded, `a,1,b,2` where not; JSON is taken too, for many send it."""
    if text.startswith("{"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    text = _unstyled(parameter, text)
    for delimiter in _BETWEEN.get(parameter.style, (DELIMITERS.get(parameter.style, ","),)):
        parts = text.split(delimiter)
        if all("=" in part for part in parts):
            return dict(part.split("=", 1) for part in parts)
        if len(parts) % 2 == 0:
            return dict(zip(parts[::2], parts[1::2], strict=True))
    return text


def cookies(text: str) -> dict[str, str]:
    """The cookies of a Cookie header."""
    found = {}
    for part in text.split(";"):
        name, equals, value = part.strip().partition("=")
        if equals:
            found[name] = unquote(value.strip('"'))
    return found
