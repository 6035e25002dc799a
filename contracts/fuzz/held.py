"""What a contract says that schemathesis passes over: the range of whole numbers, and patterns that no engine takes."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import jsonschema_rs

from contracts.contract import Contract, Media, Operation, Parameter
from contracts.pointers import follow, join, nodes, of_reference

# A client that reads the number into as many bits breaks on what is beyond them.
_RANGES = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
_DATA = frozenset(
    {"const", "default", "enum", "example", "examples"}
)  # no schemas, though they may look like some


def with_ranges(contract: Contract) -> Contract:
    """The contract, with limits for its whole numbers of 32 and 64 bits where it names none."""
    document = copy.deepcopy(dict(contract.document))
    for node in nodes(document):
        limits = _RANGES.get(str(node.get("format")))
        if limits is not None and "integer" in _types(node):
            node.setdefault("minimum", limits[0])
            node.setdefault("maximum", limits[1])
    return replace(contract, document=document)


def _types(node: Mapping[str, Any]) -> list[Any]:
    said = node.get("type")
    return said if isinstance(said, list) else [said]


def untaken(contract: Contract) -> dict[str, str]:
    """Why something of an operation is neither made nor judged, by its name: its patterns that no engine takes."""
    said = {pattern for node in nodes(contract.document) for _, pattern in _patterns(node)}
    bad = {pattern for pattern in said if not _taken(pattern)}
    if not bad:
        return {}
    found = {each.name: sorted(set(_places(contract.document, each, bad))) for each in contract.operations}
    return {name: _told(places) for name, places in found.items() if places}


def _patterns(node: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The patterns of a schema, each with the steps to it."""
    if isinstance(pattern := node.get("pattern"), str):
        yield ("pattern",), pattern
    if isinstance(named := node.get("patternProperties"), Mapping):
        yield from ((("patternProperties", str(each)), str(each)) for each in named)


def _taken(pattern: str) -> bool:
    try:
        jsonschema_rs.Draft202012Validator({"pattern": pattern})
    except ValueError:
        return False
    return True


def _places(document: Mapping[str, Any], operation: Operation, bad: set[str]) -> Iterator[str]:
    """The pointers of these patterns in what an operation asks for and promises."""
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
            yield from (join(at, *steps) for steps, pattern in _patterns(node) if pattern in bad)
            to = of_reference(node.get("$ref"))
            ahead += [to] if to is not None else []
            ahead += [join(at, name) for name in node if name not in _DATA or at.endswith("/properties")]
        elif isinstance(node, list):
            ahead += [join(at, index) for index in range(len(node))]


def _told(places: list[str]) -> str:
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return f"a pattern that no engine of ours takes is neither made nor judged: {places[0]}{more}"
