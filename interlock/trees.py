"""The body of an answer as a tree, whether JSON or XML, and what stands at a pointer in it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

from interlock import xml_document
from interlock.answers import at_pointer
from interlock.wire import Answer


def tree(answer: Answer) -> Any:
    """The body: JSON as it is; of XML an object by element name, without namespaces. Raises `ValueError`.

    A repeated element is a list; one with text alone is that text. A document type is refused, so that no
    entity can be declared.
    """
    if answer.body.lstrip()[:1] != b"<":
        return answer.json()
    top = xml_document.root(answer.body)
    try:
        return {_name(top): _content(top)}
    except RecursionError as exc:
        raise ValueError("it is nested too deeply") from exc


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _content(element: ET.Element) -> Any:
    if len(element) == 0:
        return (element.text or "").strip()
    found: dict[str, Any] = {}
    for child in element:
        name, value = _name(child), _content(child)
        if name in found:
            before = found[name]
            found[name] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            found[name] = value
    return found


def members(pointer: str, body: Any) -> list[Any] | None:
    """The list at a pointer; one XML element alone is a list of one, an empty one of none. None: no list."""
    found = at_pointer(pointer, body)
    if isinstance(found, list):
        return found
    if isinstance(found, dict):
        return [found]
    return [] if found == "" else None


def each(pointer: str, body: Any) -> Iterator[tuple[Any, Any]]:
    """The member and the value for every match of a pointer in which `/*` stands once, or not at all.

    Without `/*` the member is the whole body. Where nothing stands, the value is None.
    """
    head, star, tail = pointer.partition("/*")
    if not star:
        yield body, at_pointer(pointer, body)
        return
    for member in members(head, body) or []:
        yield member, at_pointer(tail, member)
