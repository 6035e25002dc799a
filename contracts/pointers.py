"""JSON pointers: made, taken apart and followed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

MISSING: Any = object()
_DIGITS = 18  # Python refuses to read thousands of them


def escape(part: object) -> str:
    """One step of a pointer, as it is written."""
    return str(part).replace("~", "~0").replace("/", "~1")


def join(base: str, *parts: object) -> str:
    """`base` and more steps."""
    return "/".join((base, *map(escape, parts)))


def pointer(parts: Iterable[object]) -> str:
    """A pointer of steps; empty for the whole."""
    return "".join(f"/{escape(part)}" for part in parts)


def steps(text: str) -> list[str]:
    """The steps of a pointer."""
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def of_reference(reference: object) -> str | None:
    """The pointer in a local `$ref`; None for anything else: nothing is fetched."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    text = unquote(reference[1:])
    return text if not text or text.startswith("/") else None


def number(step: str) -> int | None:
    """The place in a list that a step names; None for a name, and for more digits than any list has items."""
    return int(step) if len(step) <= _DIGITS and step.isdecimal() else None


def nodes(document: Any) -> Iterator[dict[str, Any]]:
    """Every object of a document, itself included, in no order that means anything; one may be changed meanwhile."""
    ahead = [document]
    while ahead:
        at = ahead.pop()
        if isinstance(at, dict):
            ahead += at.values()
            yield at
        elif isinstance(at, list):
            ahead += at


def follow(document: Any, text: str) -> Any:
    """What stands at a pointer, or `MISSING`."""
    at = document
    for part in steps(text):
        if isinstance(at, Mapping):
            at = at.get(part, MISSING)
        elif isinstance(at, list) and (index := number(part)) is not None and index < len(at):
            at = at[index]
        else:
            return MISSING
        if at is MISSING:
            return MISSING
    return at
