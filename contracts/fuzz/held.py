"""What a contract says that schemathesis passes over: the range of whole numbers, and patterns that no engine takes."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import jsonschema_rs

from contracts import patterns
from contracts.contract import Contract, Media, Operation, Parameter
from contracts.pointers import follow, join, nodes, of_reference

# A client that reads the number into as many bits breaks on what is beyond them.
_RANGES = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
_DATA = frozenset(
    {"const", "default", "enum", "example", "examples"}
)  # no schemas, though they may look like some


def held(contract: Contract) -> tuple[Contract, dict[str, str]]:
    """The contract as a server is held to it, and why something of an operation is left out of it, by its name.

    Whole numbers of 32 and 64 bits have limits, and patterns are written as our engine takes them, or left out.
    """
    document = copy.deepcopy(dict(contract.document))
    for node in nodes(document):
        limits = _RANGES.get(str(node.get("format")))
        if limits is not None and "integer" in _types(node):
            node.setdefault("minimum", limits[0])
            node.setdefault("maximum", limits[1])
    out: dict[str, str] = {}
    patterns.mend(document, "", _taken, out)
    found = {each.name: sorted(_of(contract.document, each, out)) for each in contract.operations if out}
    return replace(contract, document=document), {name: _told(found[name]) for name in found if found[name]}


def _types(node: Mapping[str, Any]) -> list[Any]:
    said = node.get("type")
    return said if isinstance(said, list) else [said]


def _taken(schema: dict[str, Any]) -> bool:
    try:
        jsonschema_rs.Draft202012Validator(schema)
    except ValueError:
        return False
    return True


def _of(document: Mapping[str, Any], operation: Operation, out: Collection[str]) -> set[str]:
    """Which of these places are in what an operation asks for and promises."""
    holders: list[Parameter | Media] = [
        *operation.parameters,
        *(operation.body.media if operation.body else ()),
    ]
    for answer in operation.answers:
        holders += (*answer.media, *answer.headers)
    ahead = [each.schema for each in holders if each.schema]
    seen: set[str] = set()
    while ahead:
        at = ahead.pop()
        if at in seen:
            continue
        seen.add(at)
        node = follow(document, at)
        if isinstance(node, Mapping):
            to = of_reference(node.get("$ref"))
            ahead += [to] if to is not None else []
            ahead += [join(at, name) for name in node if name not in _DATA or at.endswith("/properties")]
        elif isinstance(node, list):
            ahead += [join(at, index) for index in range(len(node))]
    return seen & set(out)


def _told(places: list[str]) -> str:
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return f"a pattern that no engine takes is neither made nor judged: {places[0]}{more}"
