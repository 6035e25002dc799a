"""Rules on members that go one way alone: the provider's in a request, the client's in an answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from contracts.engine import REQUEST
from contracts.pointers import escape, follow, join, of_reference
from contracts.rules.requests import leniency
from contracts.schemas import Translator
from contracts.values import types_of
from contracts.view import View

_MAX_NESTING = 120
_INDEX = re.compile(r"/\d+(?=/|$)")
_NOWHERE: Mapping[str, str] = {}


def judge(view: View, value: Any, pointer: str, side: str) -> None:
    """The members of a body that its side should not hold."""
    sent = side == REQUEST
    if ("readOnly" if sent else "writeOnly") not in view.bench.one_way:
        return
    alike: dict[tuple[str, str], list[str]] = {}
    for where, at in _Walk(view, side).found(value, pointer, "", _MAX_NESTING).items():
        alike.setdefault((_INDEX.sub("/*", where), at), []).append(where)
    for (_, at), (where, *others) in alike.items():
        name = where.rpartition("/")[2]
        who = "is set by the provider alone" if sent else "is for requests alone, and is answered"
        view.add(
            "request-read-only" if sent else "response-write-only",
            f"{view.operation.name}: {name} {who}",
            f"/{side}/body{where}",
            at,
            promised="not sent",
            seen=f"it; {len(others)} more in the list like it" if others else None,
            at_most=leniency(view) if sent else None,
            fix="leave it out" if sent else "do not rely on it, and keep it out of logs",
        )


class _Walk:
    """Goes through a value along its schema. Everything found is by its place in the value."""

    def __init__(self, view: View, side: str) -> None:
        self._document = view.contract.document
        self._plain = view.bench.coercer.plain
        self._translator = Translator(view.contract, side)
        self._done: dict[
            tuple[int, str], Mapping[str, str]
        ] = {}  # branches meet again: each is gone along once

    def found(self, value: Any, at: str, where: str, left: int) -> Mapping[str, str]:
        """Where in the value such members stand, and where in the contract each is marked."""
        if not isinstance(value, dict | list):
            return _NOWHERE
        key = (id(value), at)
        if key not in self._done:
            self._done[key] = _NOWHERE  # a schema that leads to itself adds nothing
            self._done[key] = self._found(value, at, where, left)
        return self._done[key]

    def _found(self, value: Any, at: str, where: str, left: int) -> Mapping[str, str]:
        schema = follow(self._document, at)
        if not isinstance(schema, Mapping) or left <= 0:
            return _NOWHERE
        if (target := of_reference(schema.get("$ref"))) is not None:
            return self.found(value, target, where, left - 1)
        found: dict[str, str] = {}
        for index, _ in enumerate(_listed(schema, "allOf")):
            found |= self.found(value, join(at, "allOf", index), where, left - 1)
        for name in ("oneOf", "anyOf"):
            found |= self._branches(value, schema, join(at, name), where, left)
        if isinstance(value, dict):
            for name, inner in value.items():
                found |= self._member(name, inner, schema, at, where, left)
        elif "items" in schema:
            for index, inner in enumerate(value):
                found |= self.found(inner, join(at, "items"), f"{where}/{index}", left - 1)
        return found

    def _member(
        self, name: str, inner: Any, schema: Mapping[str, Any], at: str, where: str, left: int
    ) -> Mapping[str, str]:
        properties, place = schema.get("properties"), f"{where}/{escape(name)}"
        if isinstance(properties, Mapping) and name in properties:
            below, member = join(at, "properties", name), properties[name]
        elif isinstance(schema.get("additionalProperties"), Mapping) and "patternProperties" not in schema:
            below, member = join(at, "additionalProperties"), schema["additionalProperties"]
        else:
            return _NOWHERE
        return (
            {place: below} if self._translator.one_way(member) else self.found(inner, below, place, left - 1)
        )

    def _branches(
        self, value: Any, schema: Mapping[str, Any], at: str, where: str, left: int
    ) -> dict[str, str]:
        """What every branch says that the value may be of: one that it is not of says nothing."""
        fitting = [
            join(at, index)
            for index, each in enumerate(_listed(schema, at.rpartition("/")[2]))
            if self._may_be(value, self._plain(each))
        ]
        told = [self.found(value, each, where, left - 1) for each in fitting]
        first = told[0] if told else _NOWHERE
        return {place: below for place, below in first.items() if all(place in each for each in told)}

    def _may_be(self, value: Any, schema: Any) -> bool:
        """Whether a branch fits as far as its names go."""
        if not isinstance(schema, Mapping):
            return schema is not False
        types = types_of(schema)
        if types and ("object" if isinstance(value, dict) else "array") not in types:
            return False
        if not isinstance(value, dict):
            return True
        known = schema.get("properties")
        members: Mapping[str, Any] = known if isinstance(known, Mapping) else {}
        needed = (name for name in _listed(schema, "required") if name in members)
        if any(name not in value and not self._translator.one_way(members[name]) for name in needed):
            return False
        if _is_closed(schema) and value.keys() - members.keys():
            return False
        return all(
            _tagged(each, self._plain(members[name])) for name, each in value.items() if name in members
        )


def _tagged(value: Any, schema: Any) -> bool:
    """Whether a text is one of those that a branch tells itself by."""
    if not isinstance(schema, Mapping) or not isinstance(value, str):
        return True
    listed = schema.get("enum")
    return schema.get("const", value) == value and (not isinstance(listed, list) or value in listed)


def _is_closed(schema: Mapping[str, Any]) -> bool:
    return schema.get("additionalProperties") is False and "patternProperties" not in schema


def _listed(schema: Mapping[str, Any], name: str) -> list[Any]:
    found = schema.get(name)
    return found if isinstance(found, list) else []
