"""XML bodies as values, as far as a schema says how: names, attributes, wrapped lists."""

from __future__ import annotations

import sys
from collections.abc import Container, Iterable, Mapping
from typing import Any
from xml.etree import ElementTree as ET

from contracts.dotted import map_names, written
from contracts.pointers import follow
from contracts.values import Coercer, types_of
from contracts.xml_shapes import Shape, Shapes
from interlock import xml_document

_MAX_DEPTH = 60
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_TRUE = frozenset({"true", "1"})
_NOTHING: Any = object()
_UNSAID = Shape("")
# What white space around it is no part of (XML Schema, part 2: 3.3.2 and 4.3.6); all other text is as it stands.
_COLLAPSED_TYPES = frozenset({"boolean", "integer", "number"})
_OF_NUMBERS = {"enum", "const", "multipleOf"}
_ABOVE, _BELOW = {"maximum", "exclusiveMaximum"}, {"minimum", "exclusiveMinimum"}
_UNBOUNDED: Mapping[str, frozenset[str]] = {
    "INF": frozenset(_OF_NUMBERS | _ABOVE),
    "+INF": frozenset(_OF_NUMBERS | _ABOVE),
    "-INF": frozenset(_OF_NUMBERS | _BELOW),
    "NaN": frozenset(_OF_NUMBERS | _ABOVE | _BELOW),
}
_COLLAPSED_FORMATS = frozenset({"date", "date-time"})


class NotXml(Exception):  # noqa: N818 - it says what the body is
    """The body is not well-formed."""


class OtherRoot(Exception):  # noqa: N818 - it says what the body is
    """The root element is not the promised one. `promised`, `seen`: their names, with namespaces that differ."""

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
    how = written(follow(coercer.document, pointer or ""), schema)
    promised = _root(how, schema)
    if promised is not None and promised != _local(root.tag):
        raise OtherRoot(promised, _local(root.tag))
    if _is_foreign(root, how):
        raise OtherRoot(f"{{{how['namespace']}}}{_local(root.tag)}", root.tag)
    return _Reader(coercer).element(root, pointer, _MAX_DEPTH)


def _root(how: Mapping[str, Any], schema: Mapping[str, Any]) -> str | None:
    """The name of the root element, where the schema itself says it; a list that is not wrapped has none."""
    name = how.get("name")
    nameless = "array" in types_of(schema) and how.get("wrapped") is not True
    return name.rpartition(":")[2] if isinstance(name, str) and name and not nameless else None


def _says_anything(schema: Mapping[str, Any]) -> bool:
    return bool({"properties", "items", "xml", "allOf"} & schema.keys())


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _is_foreign(element: ET.Element, how: Mapping[str, Any]) -> bool:
    """Whether an element has another namespace than the promised one; many leave it out, and mean it."""
    promised = how.get("namespace")
    own = element.tag.rpartition("}")[0].removeprefix("{")
    return isinstance(promised, str) and bool(promised and own) and own != promised


def _named(element: ET.Element, names: Container[str], how: Mapping[str, Any]) -> bool:
    return _local(element.tag) in names and not _is_foreign(element, how)


class _Reader:
    """Reads elements along the schemas of one contract. Each element is read once, whatever its schema branches to."""

    def __init__(self, coercer: Coercer) -> None:
        self._coercer = coercer
        self._shapes = Shapes(coercer.document)

    def element(self, element: ET.Element, at: str | None, left: int) -> Any:
        """The value that an element stands for."""
        shape = self._shapes.at(at) if at is not None and left > 0 else _UNSAID
        if element.get(_NIL, "").strip() in _TRUE:
            return None
        if not isinstance(shape.schema, Mapping):
            return element.text or "" if len(element) == 0 else {}
        several = len(element) > 1 and len({child.tag for child in element}) == 1
        if (listed := self._as_list(shape, several=several)) is not None:
            return self._wrapped(element, listed, left)
        if (names := map_names(shape.how)) is not None:
            return self._map(element, names, shape, left)
        members = self._members(element, shape, set())
        if not members and not len(element) and "object" not in shape.types:
            return self._text(element.text or "", shape)
        return self._object(element, shape, members, left)

    def _object(self, element: ET.Element, shape: Shape, members: Mapping[str, str], left: int) -> Any:
        made: dict[str, Any] = {}
        for name, at in members.items():
            found = self._member(element, name, at, left, needed=name in shape.required)
            if found is not _NOTHING:
                made[name] = found
        known = {tag: self._shapes.at(at).how for name, at in members.items() for tag in self._tags(name, at)}
        found_else = {
            (_local(child.tag) if _local(child.tag) not in known else child.tag): self._other(
                child, shape, left
            )
            for child in element
            if not _named(child, known, known.get(_local(child.tag), {}))
        }
        if shape.closed:  # an attribute that nobody promised; one with a namespace is about something else
            plain = {name: text for name, text in element.attrib.items() if not name.startswith("{")}
            found_else |= {name: text for name, text in plain.items() if name not in known}
        return found_else | made

    def _other(self, child: ET.Element, shape: Shape, left: int) -> Any:
        """A child that the schema does not name: as the others are promised, or as it stands."""
        if shape.others is not None:
            return self.element(child, shape.others, left - 1)
        return _loosely(child, left) if len(child) else child.text or ""

    def _member(self, element: ET.Element, name: str, at: str, left: int, *, needed: bool) -> Any:
        shape = self._shapes.at(at)
        how = shape.how
        tag = str(how.get("name", name))
        if how.get("attribute") is True:
            text = next((v for k, v in element.attrib.items() if _local(k) == tag), None)
            return _NOTHING if text is None else self._text(text, shape)
        if how.get("x-text") is True:
            return _NOTHING if element.text is None else self._text(element.text, shape)
        if how.get("wrapped") is not True:
            tags = self._item_tags(tag, shape)
            found = [child for child in element if _named(child, tags, how)]
            if (listed := self._as_list(shape, several=len(found) > 1)) is not None:
                read = [self.element(child, listed.items, left - 1) for child in found]
                return read if found or needed else _NOTHING  # an empty list leaves nothing behind
        found = [child for child in element if _named(child, {tag}, how)]
        if how.get("x-flattened") is True and (names := map_names(how)) is not None:
            return self._map(found, names, shape, left - 1) if found else _NOTHING
        if not found:
            return _NOTHING
        read = [self.element(child, at, left - 1) for child in found]
        return read[0] if len(read) == 1 else read  # a list where none is promised, for the schema to tell

    def _wrapped(self, element: ET.Element, listed: Shape, left: int) -> Any:
        """The items of a list; where other names stand in it, what is there, which is no list."""
        how = {} if listed.items is None else self._shapes.at(listed.items).how
        name = how.get("name")
        wanted = name.rpartition(":")[2] if isinstance(name, str) else ""
        if any(_is_foreign(child, how) or (wanted and _local(child.tag) != wanted) for child in element):
            return _loosely(element, left)
        return [self.element(child, listed.items, left - 1) for child in element]

    def _map(
        self, entries: Iterable[ET.Element], names: tuple[str, str], shape: Shape, left: int
    ) -> dict[str, Any]:
        """Entries of a key and a value each."""
        made = {}
        for entry in entries:
            parts = {_local(child.tag): child for child in entry}
            if names[0] in parts and names[1] in parts:
                made[parts[names[0]].text or ""] = self.element(parts[names[1]], shape.others, left - 1)
        return made

    def _text(self, text: str, shape: Shape) -> Any:
        """A text as its schema types it."""
        types = shape.types or {name for each in self._shapes.branches(shape) for name in each.types}
        of_values = types - {"null"}
        dated = of_values == {"string"} and str(shape.schema.get("format")) in _COLLAPSED_FORMATS
        if dated or (of_values and of_values <= _COLLAPSED_TYPES):
            text = " ".join(text.split())
        if of_values == {"boolean"}:
            text = {"1": "true", "0": "false"}.get(text, text)
        if of_values == {"number"} and (unbounded := _unbounded(text, shape.schema)) is not None:
            return unbounded
        return self._coercer.coerce(text, shape.at)

    def _tags(self, name: str, at: str) -> set[str]:
        """The elements that a member may be written as."""
        shape = self._shapes.at(at)
        tag = str(shape.how.get("name", name))
        return {name, tag} | (set() if shape.how.get("wrapped") is True else self._item_tags(tag, shape))

    def _item_tags(self, tag: str, shape: Shape) -> set[str]:
        """The elements that the items of a list may be written as, where nothing is wrapped around them."""
        listed = self._as_list(shape, several=True)
        items = None if listed is None or listed.items is None else self._shapes.at(listed.items)
        return {tag} if items is None else {tag, str(items.how.get("name", tag))}

    def _as_list(self, shape: Shape, *, several: bool) -> Shape | None:
        """The schema of the list that is meant: by itself, or by a branch where there are several, or no other."""
        if "array" in shape.types:
            return shape
        branches = self._shapes.branches(shape)
        lists = [each for each in branches if "array" in each.types]
        return lists[0] if lists and (several or len(lists) == len(branches)) else None

    def _members(self, element: ET.Element, shape: Shape, seen: set[str]) -> dict[str, str]:
        """Every member with its schema; of branches that name the same, the one that the element fits best."""
        found = dict(shape.members)
        branches = [each for each in self._shapes.branches(shape) if each.at not in seen]
        seen |= {each.at for each in branches}
        for each in sorted(branches, key=lambda branch: self._fit(element, branch), reverse=True):
            found = self._members(element, each, seen) | found
        return found

    def _fit(self, element: ET.Element, branch: Shape) -> tuple[bool, int]:
        """Whether an element has what a branch needs, and how many of its members."""
        there = {_local(child.tag): child for child in element}
        names = there.keys() | {_local(name) for name in element.attrib}
        shown = {name for name, at in branch.members.items() if self._tags(name, at) & names}
        named = (
            (there[name].text, self._shapes.at(at).schema)
            for name, at in branch.members.items()
            if name in there
        )
        return branch.required & branch.members.keys() <= shown and all(
            _is_one_of(text, schema) for text, schema in named
        ), len(shown)


def _unbounded(text: str, schema: Mapping[str, Any]) -> float | None:
    """The number for what `xs:double` and `xs:float` have and JSON has not, where no limit keeps it out.

    XML Schema, part 2, 3.2.5: NaN is within no limits, and infinity is beyond any.
    """
    limits = _UNBOUNDED.get(text)
    if limits is None or schema.get("format") not in {"float", "double"} or not limits.isdisjoint(schema):
        return None
    return {"N": 0.0, "-": -sys.float_info.max}.get(text[0], sys.float_info.max)


def _is_one_of(text: str | None, schema: Any) -> bool:
    """Whether a text may be what a branch tells itself by."""
    if not isinstance(schema, Mapping):
        return True
    listed = [schema["const"]] if "const" in schema else schema.get("enum")
    return not isinstance(listed, list) or (text or "").strip() in map(str, listed)


def _loosely(element: ET.Element, left: int) -> dict[str, Any]:
    """Where the schema names no members, the elements as they stand."""
    return {
        _local(child.tag): _loosely(child, left - 1) if len(child) and left > 0 else child.text or ""
        for child in element
    }
