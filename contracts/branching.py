"""How much work a schema makes of a value: branches within branches multiply, and a validator tries each of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from contracts.pointers import follow, join, of_reference

BEYOND_MEASURE = "its schema branches beyond measure"
_MOST = 60_000  # visits: some seconds where all fail and are told
_OFTEN = 50  # a long body has as many, and few of them again and again
_SHALLOW = 8  # below it no schema of anybody's multiplies to much
_BRACKETS = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
_OTHERS = bytes(each for each in range(256) if each not in _BRACKETS)
_ONE = ("not", "if", "then", "else")


def is_shallow(text: bytes) -> bool:
    """Whether JSON is nested so little that its work need not be measured; told faster than of its value."""
    depths = itertools.accumulate(map(_BRACKETS.__getitem__, text.translate(None, _OTHERS)))
    return max(depths, default=0) <= _SHALLOW


def beyond_measure(document: Any, value: Any, pointer: str) -> bool:
    """Whether a validator would not come to an end in time."""
    try:
        if _is_flat(value, _SHALLOW):
            return False
        work = _Work(document)
        visits = work.of(value, pointer)
    except RecursionError:
        return True
    return visits > _MOST and visits > _OFTEN * work.places


def _is_flat(value: Any, left: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return all(left > 0 and _is_flat(each, left - 1) for each in inner if isinstance(each, dict | list))


class _Work:
    """Counts visits. What is visited again counts again, and is counted once."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._done: dict[tuple[int, str], int] = {}

    @property
    def places(self) -> int:
        """The pairs of a value and a schema that were met."""
        return len(self._done)

    def of(self, value: Any, at: str) -> int:
        """The visits that a value needs by the schema at a place."""
        if not isinstance(value, dict | list):
            return 1
        key = (id(value), at)
        if key not in self._done:
            self._done[key] = 1  # a schema that leads to itself
            self._done[key] = 1 + sum(self._parts(value, at))
        return self._done[key]

    def _parts(self, value: Any, at: str) -> Iterator[int]:
        schema = follow(self._document, at)
        if not isinstance(schema, Mapping):
            return
        if (target := of_reference(schema.get("$ref"))) is not None:
            yield self.of(value, target)
        for name in ("allOf", "anyOf", "oneOf"):
            listed = schema.get(name)
            for index, _ in enumerate(listed if isinstance(listed, list) else ()):
                yield self.of(value, join(at, name, index))
        yield from (self.of(value, join(at, name)) for name in _ONE if name in schema)
        if isinstance(value, list):
            yield from (self.of(each, join(at, "items")) for each in value if "items" in schema)
            return
        yield len(value)
        for name, each in ((n, each) for n, each in value.items() if isinstance(each, dict | list)):
            yield from (self.of(each, below) for below in _below(schema, at, name))


def _below(schema: Mapping[str, Any], at: str, name: str) -> Iterator[str]:
    properties, patterns = schema.get("properties"), schema.get("patternProperties")
    if isinstance(properties, Mapping) and name in properties:
        yield join(at, "properties", name)
    elif isinstance(schema.get("additionalProperties"), Mapping):
        yield join(at, "additionalProperties")
    if isinstance(patterns, Mapping):
        yield from (join(at, "patternProperties", each) for each in patterns)
