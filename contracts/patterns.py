r"""Patterns that the validator's engine refuses: written as it takes them, or left out and told.

`{` that counts nothing, and `-` after a class such as `\w`, stand for themselves (ECMA-262, annex B).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from typing import Any

from contracts.pointers import join
from contracts.schemas import NULL_GUARD

Takes = Callable[[dict[str, Any]], bool]
_COUNT = re.compile(r"\{\d+(?:,\d*)?\}")
_PART = re.compile(r"\\[pPux]\{[^}]*\}|\\.|\[\^?\]|\[\^?|.", re.DOTALL)
_INSIDE = re.compile(r"\\[pPux]\{[^}]*\}|\\.|\]|.", re.DOTALL)
_CLASSES = frozenset(("\\w", "\\W", "\\d", "\\D", "\\s", "\\S"))
_ANY, _NONE = "[\\s\\S]", "[^\\s\\S]"


def mend(schema: Any, at: str, takes: Takes, broken: dict[str, str]) -> None:
    """Mend the patterns of a schema in place. One that stays refused is told in `broken`, by its place."""
    if isinstance(schema, dict):
        _own(schema, at, takes, broken)
        for key, child in schema.items():
            guarded = key == "then" and schema.get(NULL_GUARD)
            mend(child, at if guarded else join(at, key), takes, broken)
    elif isinstance(schema, list):
        for index, child in enumerate(schema):
            mend(child, join(at, index), takes, broken)


def _own(schema: dict[str, Any], at: str, takes: Takes, broken: dict[str, str]) -> None:
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and not takes({"pattern": pattern}):
        other = as_taken(pattern)
        if takes({"pattern": other}):
            schema["pattern"] = other
        else:
            del schema["pattern"]
            broken[join(at, "pattern")] = f"the pattern {pattern}, which no engine takes"
    named = schema.get("patternProperties")
    if isinstance(named, dict):
        _names(named, join(at, "patternProperties"), takes, broken)


def _names(named: dict[str, Any], at: str, takes: Takes, broken: dict[str, str]) -> None:
    for pattern in [each for each in named if not takes({"pattern": each})]:
        inner, other = named.pop(pattern), as_taken(pattern)
        if takes({"pattern": other}):
            named[other] = inner
        else:
            broken[join(at, pattern)] = f"the pattern {pattern}, which no engine takes"


def as_taken(pattern: str) -> str:
    """The same pattern with what stands for itself escaped."""
    return "".join(_parts(pattern))


def _parts(pattern: str) -> Iterator[str]:
    at = 0
    while at < len(pattern):
        found = _PART.match(pattern, at)
        assert found is not None
        part, at = found[0], found.end()
        if part in {"[]", "[^]"}:
            yield _NONE if part == "[]" else _ANY
        elif part in {"[", "[^"}:
            yield part
            at = yield from _class(pattern, at)
        elif part == "{" and not (count := _COUNT.match(pattern, at - 1)):
            yield "\\{"
        elif part == "{":
            assert count is not None
            yield count[0]
            at = count.end()
        else:
            yield "\\}" if part == "}" else part


def _class(pattern: str, at: int) -> Generator[str, None, int]:
    """The rest of a class in brackets; where it ends."""
    before = ""
    while at < len(pattern):
        found = _INSIDE.match(pattern, at)
        assert found is not None
        part, at = found[0], found.end()
        if part == "]":
            yield part
            break
        beside = before in _CLASSES or pattern[at : at + 2] in _CLASSES
        yield "\\-" if part == "-" and beside else "\\[" if part == "[" else part
        before = part
    return at
