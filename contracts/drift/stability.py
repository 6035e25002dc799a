"""Stability levels: what is a draft may change as it likes, and what was promised to stay may not become one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contracts.contract import Operation
from contracts.pointers import MISSING, follow

if TYPE_CHECKING:
    from contracts.drift.look import Look
    from contracts.drift.operations import Sides, Twin

_KEYWORD = "x-stability-level"
_LEVELS = ("draft", "alpha", "beta", "stable")
_LOOSE = frozenset({"draft", "alpha"})  # nothing is promised yet


def compare(twin: Twin, one: Mapping[str, Any], two: Mapping[str, Any]) -> None:
    """The level of an operation that is in both. What was stable stays promised, whatever it is called now."""
    if _of(twin.sides, twin.base, revised=False) in _LOOSE:
        mark(twin.sides, twin.revision, twin.name, revised=True)
    before, after = one.get(_KEYWORD), two.get(_KEYWORD)
    at, said = (twin.base.pointer, twin.revision.pointer), (_shown(before), _shown(after))
    change = _change(before, after)
    if change == "unreadable":
        twin.note("stability-unreadable", " has a stability level that is none", *at, *said)
    elif change:
        twin.note(f"operation-stability-{change}", f" is {said[1]} now", *at, *said)


def of_schema(look: Look) -> None:
    """The level of a part of a message."""
    before, after = (
        None if (found := shape.says(_KEYWORD)) is MISSING else found for shape in (look.base, look.revision)
    )
    said = (_shown(before), _shown(after))
    change = _change(before, after)
    if change == "unreadable":
        at = (look.base.at(_KEYWORD), look.revision.at(_KEYWORD))
        look.note("stability-unreadable", f"{look.label} has a stability level that is none", *at, *said)
    elif change:
        look.add(f"stability-{change}", f"is {said[1]} now", _KEYWORD, promised=said[0], seen=said[1])


def mark(sides: Sides, operation: Operation, name: str, *, revised: bool) -> None:
    """Remember an operation of which nothing is promised yet."""
    if (level := _of(sides, operation, revised=revised)) in _LOOSE:
        sides.loose[name] = str(level)


def _of(sides: Sides, operation: Operation, *, revised: bool) -> str | None:
    """The level of an operation. A callback that says nothing is what its operation is."""
    contract = sides.revision if revised else sides.base
    said = sides.node(operation, revised=revised).get(_KEYWORD)
    above, _, is_callback = operation.pointer.partition("/callbacks/")
    if said is None and is_callback and isinstance(node := follow(contract.document, above), Mapping):
        said = node.get(_KEYWORD)
    return _level(said)


def _change(before: object, after: object) -> str | None:
    """What becomes of a level: unreadable, decreased or increased. What is no promise yet is left out.

    Nothing is known of a level that could not be read before, so nothing became of it.
    """
    one, two = _level(before), _level(after)
    if before == after or one == two is not None:
        return None
    if two is None:
        return "unreadable"
    if one is None or one in _LOOSE:
        return None
    return "decreased" if _LEVELS.index(two) < _LEVELS.index(one) else "increased"


def _level(said: object) -> str | None:
    """Stable where nothing is said; None where it is no level."""
    if said is None:
        return "stable"
    return said if isinstance(said, str) and said in _LEVELS else None


def _shown(said: object) -> str:
    return _level(said) or f"{str(said)[:40]!r}"
