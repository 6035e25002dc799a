"""XML bodies as values, as far as a schema says how: names, attributes, wrapped lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree as ET

from contracts.values import Coercer, types_of
from interlock import xml_document

_MAX_DEPTH = 60


class NotXml(Exception):  # noqa: N818 - it says what the body is
    """The body is not well-formed."""


class Unjudged(Exception):  # noqa: N818 - it says what came of it
    """Nothing can be said of the body."""


def value(body: bytes, pointer: str | None, coercer: Coercer) -> Any:
    """The value that an XML body stands for. Raises `NotXml` or `Unjudged`."""
    try:
        root = xml_document.root(body)
    except xml_document.DocumentTypeError as exc:
        raise Unjudged(str(exc)) from exc
    except ValueError as exc:
        raise NotXml(str(exc.__cause__)) from exc
    schema = coercer.schema_at(pointer)
    if not isinstance(schema, Mapping) or not _says_anything(schema):
        raise Unjudged("its schema does not say how it is written as XML")
    made = _element(root, schema, coercer, _MAX_DEPTH)
    return coercer.coerce(made, pointer)


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
    properties = dict(_properties(schema, coercer, left))
    if not properties:
        return _loosely(element, left) if len(element) or "object" in types else element.text or ""
    made: dict[str, Any] = {}
    for name, inner in properties.items():
        found = _member(element, name, coercer.plain(inner), coercer, left)
        if found is not None:
            made[name] = found
    return made


def _properties(schema: Mapping[str, Any], coercer: Coercer, left: int) -> Iterator[tuple[str, Any]]:
    for part in schema.get("allOf", ()) if left > 0 else ():
        inner = coercer.plain(part)
        if isinstance(inner, Mapping):
            yield from _properties(inner, coercer, left - 1)
    own = schema.get("properties")
    if isinstance(own, Mapping):
        yield from own.items()


def _member(element: ET.Element, name: str, schema: Any, coercer: Coercer, left: int) -> Any:
    said = schema.get("xml") if isinstance(schema, Mapping) else None
    how: Mapping[str, Any] = said if isinstance(said, Mapping) else {}
    tag = str(how.get("name", name))
    if how.get("attribute") is True:
        return next((v for k, v in element.attrib.items() if _local(k) == tag), None)
    if how.get("x-text") is True:
        return element.text
    is_list = isinstance(schema, Mapping) and "array" in types_of(schema)
    if is_list and how.get("wrapped") is not True:
        items = coercer.plain(schema.get("items"))
        inner = items.get("xml") if isinstance(items, Mapping) else None
        tags = {tag, str(inner.get("name", tag)) if isinstance(inner, Mapping) else tag}
        found = [child for child in element if _local(child.tag) in tags]
        return [_element(child, items, coercer, left - 1) for child in found]
    child = next((each for each in element if _local(each.tag) == tag), None)
    return None if child is None else _element(child, schema, coercer, left - 1)


def _loosely(element: ET.Element, left: int) -> dict[str, Any]:
    """Where the schema names no members, the elements as they stand."""
    return {
        _local(child.tag): _loosely(child, left - 1) if len(child) and left > 0 else child.text or ""
        for child in element
    }
