"""The errors of a value, from its front until they are enough: a validator makes all of them at once, or none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from contracts.engine import Engine

FIRST = 1_000  # items of lists, and members of objects that have as many, that are looked at before more are
MUCH = 50_000  # errors, with those in branches: about a second
# What a list or an object may break only because it was cut.
_OF_LENGTH = frozenset({"minItems", "contains", "minProperties", "required", "dependentRequired"})
_Path = tuple[str | int, ...]
_Item = TypeVar("_Item")


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
    """How many items the lists of a value have, and its largest objects."""
    found, ahead = 0, [value]
    while ahead:
        each = ahead.pop()
        if isinstance(each, list):
            found += len(each)
            ahead += each
        elif isinstance(each, dict):
            found += len(each) if len(each) > FIRST else 0
            ahead += each.values()
    return found


class _Front:
    """The first items of a value, in the order of its text. `cut`: the lists and objects that lost some."""

    def __init__(self, most: int) -> None:
        self._left = most
        self.cut: set[_Path] = set()

    def of(self, value: Any, at: _Path) -> Any:
        if isinstance(value, dict):
            named = value.items() if len(value) <= FIRST else self._first(value.items(), at)
            return {name: self.of(each, (*at, name)) for name, each in named}
        if not isinstance(value, list):
            return value
        return [self.of(each, (*at, index)) for index, each in self._first(enumerate(value), at)]

    def _first(self, items: Iterable[_Item], at: _Path) -> Iterator[_Item]:
        for item in items:
            if self._left <= 0:
                self.cut.add(at)
                return
            self._left -= 1
            yield item


def _weight(error: Any) -> int:
    context = getattr(error.kind, "context", None)
    return 1 if context is None else 1 + sum(map(len, context))
