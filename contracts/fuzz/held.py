"""What a contract says that schemathesis passes over: the range of whole numbers, and patterns that no engine takes."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import jsonschema_rs

from contracts import patterns
from contracts.contract import Contract, Media, Operation, Parameter
from contracts.pointers import follow, join, nodes, of_reference

# A client that reads the number into as many bits breaks on what is beyond them.
_RANGES = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
# No schemas, though they may look like some.
_DATA = frozenset({"const", "default", "enum", "example", "examples"})


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
    part = functools.cache(functools.partial(_part, contract.document, frozenset(out)))
    found = {each.name: sorted(_of(each, part)) for each in contract.operations if out}
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


def _of(operation: Operation, part: Callable[[str], tuple[set[str], list[str]]]) -> set[str]:
    """Which of the places are in what an operation asks for and promises. `part`: what is in a schema alone."""
    holders: list[Parameter | Media] = [
        *operation.parameters,
        *(operation.body.media if operation.body else ()),
    ]
    for answer in operation.answers:
        holders += (*answer.media, *answer.headers)
    ahead = [each.schema for each in holders if each.schema]
    seen: set[str] = set()
    found: set[str] = set()
    while ahead:
        if (at := ahead.pop()) not in seen:
            seen.add(at)
            within, others = part(at)
            found |= within
            ahead += others
    return found


def _part(document: Mapping[str, Any], out: frozenset[str], pointer: str) -> tuple[set[str], list[str]]:
    """Which of these places are in a schema, and where its references lead; a large one is of many operations."""
    within: set[str] = set()
    others: list[str] = []
    ahead = [(pointer, follow(document, pointer))]
    while ahead:
        at, node = ahead.pop()
        within |= {at} & out
        if isinstance(node, Mapping):
            to = of_reference(node.get("$ref"))
            others += [to] if to is not None else []
            ahead += [
                (join(at, name), each)
                for name, each in node.items()
                if name not in _DATA or at.endswith("/properties")
            ]
        elif isinstance(node, list):
            ahead += [(join(at, index), each) for index, each in enumerate(node)]
    return within, others


def _told(places: list[str]) -> str:
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return f"a pattern that no engine takes is neither made nor judged: {places[0]}{more}"
