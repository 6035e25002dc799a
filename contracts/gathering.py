"""The errors of a value, from its front until they are enough: a validator makes all of them at once, or none."""

from __future__ import annotations

from typing import Any

from contracts.engine import Engine

FIRST = 1_000  # items of lists that are looked at before more are
MUCH = 50_000  # errors, with those in branches: about a second
_OF_LENGTH = frozenset({"minItems", "contains"})  # what a list may break only because it was cut
_Path = tuple[str | int, ...]


def gathered(engine: Engine, pointer: str, value: Any, direction: str) -> tuple[list[Any], bool]:
    """The errors of a value that is wrong, as the validator says them; and whether they are all that there are."""
    items, most = _items(value), FIRST
    while most < items:
        front = _Front(most)
        part = front.of(value, ())
        errors = [
            each
            for each in engine.errors(pointer, part, direction)
            if each.kind.name not in _OF_LENGTH or tuple(each.instance_path[1:]) not in front.cut
        ]
        if sum(map(_weight, errors)) >= MUCH:
            return errors, False
        most *= 2
    return engine.errors(pointer, value, direction), True


def _items(value: Any) -> int:
    """How many items the lists of a value have."""
    found, ahead = 0, [value]
    while ahead:
        each = ahead.pop()
        if isinstance(each, list):
            found += len(each)
            ahead += each
        elif isinstance(each, dict):
            ahead += each.values()
    return found


class _Front:
    """The first items of the lists of a value, in the order of its text. `cut`: the lists that lost some."""

    def __init__(self, most: int) -> None:
        self._left = most
        self.cut: set[_Path] = set()

    def of(self, value: Any, at: _Path) -> Any:
        if isinstance(value, dict):
            return {name: self.of(each, (*at, name)) for name, each in value.items()}
        if not isinstance(value, list):
            return value
        found = []
        for index, each in enumerate(value):
            if self._left <= 0:
                self.cut.add(at)
                break
            self._left -= 1
            found.append(self.of(each, (*at, index)))
        return found


def _weight(error: Any) -> int:
    context = getattr(error.kind, "context", None)
    return 1 if context is None else 1 + sum(map(len, context))
