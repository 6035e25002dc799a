"""XML bodies as values, as far as a schema says how: names, attributes, wrapped lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from xml.etree import ElementTree as ET

from contracts.dotted import map_names, written
from contracts.pointers import follow
from contracts.values import Coercer, types_of
from interlock import xml_document

_MAX_DEPTH = 60


class NotXml(Exception):  # noqa: N818 - it says what the body is
    """The body is not well-formed."""


class OtherRoot(Exception):  # noqa: N818 - it says what the body is
    """The root element is not the one that is promised. `promised`, `seen`: their names without a namespace."""

    def __init__(self, promised: str, seen: str) -> None:
        super().__init__(f"has the root element <{seen}>, and <{promised}> is promised")
        self.promised, self.seen = promised, seen


class Unjudged(Exception):  # noqa: N818 - it says what came of it
    """Nothing can be said of the body."""


def value(body: bytes, pointer: str | None, coercer: Coercer) -> Any:
    """The value that an XML body stands for. Raises `NotXml`, `OtherRoot` or `Unjudged`."""
    try:
        root = xml_document.root(body)
    except xml_document.DocumentTypeError as exc:
        raise Unjudged(str(exc)) from exc
    except ValueError as exc:
        raise NotXml(str(exc.__cause__)) from exc
    schema = coercer.schema_at(pointer)
    if isinstance(schema, Mapping) and types_of(schema) == {"string"}:
        whole = body.decode(
            "utf-8", "replace"
        )  # where there is more than one element, it is promised of the text
        return whole if len(root) else root.text or ""
    if not isinstance(schema, Mapping) or not _says_anything(schema):
        raise Unjudged("its schema does not say how it is written as XML")
    promised = _root(coercer.document, pointer, schema)
    if promised is not None and promised != _local(root.tag):
        raise OtherRoot(promised, _local(root.tag))
    made = _element(root, schema, coercer, _MAX_DEPTH)
    return coercer.coerce(made, pointer)


def _root(document: Any, pointer: str | None, schema: Mapping[str, Any]) -> str | None:
    """The name of the root element, where the schema itself says it; a list that is not wrapped has none."""
    how = written(follow(document, pointer or ""), schema)
    name = how.get("name")
    nameless = "array" in types_of(schema) and how.get("wrapped") is not True
    return name.rpartition(":")[2] if isinstance(name, str) and name and not nameless else None


def _says_anything(schema: Mapping[str, Any]) -> bool:
    return bool({"properties", "items", "xml", "allOf"} & schema.keys())


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _element(element: ET.Element, schema: Any, coercer: Coercer, left: int) -> Any:
    schema = coercer.plain(schema)
    if left <= 0 or not isinstance(schema, Mapping):
        return element.text or "" if len(element) == 0 else {}
    types = types_of(schema)
    if "array" in types:
        return [_element(child, schema.get("items"), coercer, left - 1) for child in element]
    if (names := map_names(written(schema, None))) is not None:
        return _map(element, names, schema, coercer, left)
    properties = dict(_properties(schema, coercer, left))
    if not properties:
        return _loosely(element, left) if len(element) or "object" in types else element.text or ""
    made: dict[str, Any] = {}
    for name, inner in properties.items():
        found = _member(element, name, inner, coercer, left)
        if found is not None:
            made[name] = found
    known = {tag for name, inner in properties.items() for tag in _tags(name, inner, coercer)}
    others = [child for child in element if _local(child.tag) not in known]
    return {_local(child.tag): _loosely(child, left) or child.text or "" for child in others} | made


def _tags(name: str, given: Any, coercer: Coercer) -> set[str]:
    """The elements that a member may be written as."""
    schema = coercer.plain(given)
    how = written(given, schema)
    items = schema.get("items") if isinstance(schema, Mapping) else None
    inner = written(items, coercer.plain(items)).get("name") if how.get("wrapped") is not True else None
    return {name, str(how.get("name", name)), str(inner or name)}


def _properties(schema: Mapping[str, Any], coercer: Coercer, left: int) -> Iterator[tuple[str, Any]]:
    for part in schema.get("allOf", ()) if left > 0 else ():
        inner = coercer.plain(part)
        if isinstance(inner, Mapping):
            yield from _properties(inner, coercer, left - 1)
    own = schema.get("properties")
    if isinstance(own, Mapping):
        yield from own.items()


def _member(element: ET.Element, name: str, given: Any, coercer: Coercer, left: int) -> Any:
    schema = coercer.plain(given)
    how = written(given, schema)
    tag = str(how.get("name", name))
    if how.get("attribute") is True:
        return next((v for k, v in element.attrib.items() if _local(k) == tag), None)
    if how.get("x-text") is True:
        return element.text
    is_list = isinstance(schema, Mapping) and "array" in types_of(schema)
    if is_list and how.get("wrapped") is not True:
        items = schema.get("items")
        tags = {tag, str(written(items, coercer.plain(items)).get("name", tag))}
        found = [child for child in element if _local(child.tag) in tags]
        return [_element(child, items, coercer, left - 1) for child in found]
    if how.get("x-flattened") is True and (names := map_names(how)) is not None:
        entries = [each for each in element if _local(each.tag) == tag]
        return _map(entries, names, schema, coercer, left - 1) if entries else None
    child = next((each for each in element if _local(each.tag) == tag), None)
    return None if child is None else _element(child, schema, coercer, left - 1)


def _map(
    entries: Iterable[ET.Element],
    names: tuple[str, str],
    schema: Mapping[str, Any],
    coercer: Coercer,
    left: int,
) -> dict[str, Any]:
    """Entries of a key and a value each."""
    made = {}
    for entry in entries:
        parts = {_local(child.tag): child for child in entry}
        if names[0] in parts and names[1] in parts:
            key = parts[names[0]].text or ""
            made[key] = _element(parts[names[1]], schema.get("additionalProperties"), coercer, left - 1)
    return made


def _loosely(element: ET.Element, left: int) -> dict[str, Any]:
    """Where the schema names no members, the elements as they stand."""
    return {
        _local(child.tag): _loosely(child, left - 1) if len(child) and left > 0 else child.text or ""
        for child in element
    }
