"""The schemas that hold for one value at the same time, merged keyword by keyword."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from contracts.drift import keywords
from contracts.drift.keywords import Limit

_OF_NUMBERS = frozenset({"minimum", "maximum"})


@dataclass(frozen=True, slots=True)
class Part:
    """One schema object that holds. `takes_null`: whether null is welcome, whatever it says else.

    `values`: those of enum and const without null, and of alternatives that list no more; None where it is not bound.
    `folded`: the keywords of those alternatives.
    """

    pointer: str
    node: Mapping[str, Any]
    takes_null: bool
    values: Mapping[str, Any] | None = None
    folded: frozenset[str] = frozenset()


def required(parts: tuple[Part, ...]) -> frozenset[str]:
    """The members that any of them needs."""
    names = (name for part in parts for name in keywords.listed(part.node, "required"))
    return frozenset(name for name in names if isinstance(name, str))


def shut_out(parts: tuple[Part, ...], names: Iterable[str]) -> frozenset[str]:
    """Members that a part refuses, because it takes none but those that it names itself."""
    closed = [
        part.node for part in parts if keywords.closes(part.node) and "patternProperties" not in part.node
    ]
    return frozenset(
        name for name in names if any(name not in keywords.mapped(node, "properties") for node in closed)
    )


def values_of(parts: tuple[Part, ...]) -> dict[str, Any] | None:
    """The values that are left when every list holds, without null."""
    found: dict[str, Any] | None = None
    for part in parts:
        if part.values is not None:
            mine = part.values
            found = dict(mine) if found is None else {k: v for k, v in found.items() if k in mine}
    return found


def open_values_of(parts: tuple[Part, ...]) -> dict[str, Any] | None:
    """The values that any of the extensible lists names."""
    lists = [part.node for part in parts if isinstance(part.node.get(keywords.EXTENSIBLE), list)]
    return dict(each for node in lists for each in keywords.named_values(node)) if lists else None


def types_of(parts: tuple[Part, ...], values: Mapping[str, Any] | None) -> frozenset[str] | None:
    """The types that all of them take, without null; None where any will do."""
    found: frozenset[str] | None = None
    for part in parts:
        if keywords.is_null(part.node):
            return frozenset()
        named = frozenset(keywords.named_types(part.node)) - {"null"}
        if named:
            found = named if found is None else keywords.common(found, named)
    if found is None and values:
        return frozenset(keywords.type_of(each) for each in values.values())
    if found and "number" in found and any(_is_whole(part.node.get("multipleOf")) for part in parts):
        return found - {"number"} | {"integer"}
    return found


def _is_whole(multiple: Any) -> bool:
    """Whether whatever is a multiple of it is a whole number."""
    return isinstance(multiple, int | float) and keywords.type_of(multiple) == "integer"


def says_all(types: frozenset[str] | None, values: Mapping[str, Any]) -> bool:
    """Whether a list names no more and no less than its type: true and false, or null alone."""
    return not types if not values else types == frozenset({"boolean"}) and values.keys() == {"true", "false"}


def limits_of(parts: tuple[Part, ...]) -> dict[str, Limit]:
    """The closest of each limit. A lower limit of nothing is none."""
    found: dict[str, Limit] = {}
    for part in parts:
        for name, limit in keywords.limits(part.node):
            if name not in found or keywords.closer(name, limit, found[name]):
                found[name] = limit
    return {k: v for k, v in found.items() if v[0] or k in {"minimum", "maximum"} or k.startswith("max")}


def whole(limits: Mapping[str, Limit]) -> dict[str, Limit]:
    """The same for whole numbers, of which the next one beyond a limit that is shut out is the limit."""
    return {
        name: _next_whole(name, limit) if name in _OF_NUMBERS else limit for name, limit in limits.items()
    }


def _next_whole(name: str, limit: Limit) -> Limit:
    value, shut_out = limit
    if isinstance(value, float) and not math.isfinite(value):
        return limit
    step = 1 if name == "minimum" else -1
    nearest = math.ceil(value) if step > 0 else math.floor(value)
    return nearest + (step if shut_out and nearest == value else 0), False
