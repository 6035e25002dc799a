"""Which alternative of one side is which of the other: by name, by what they say, else by what is left over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from contracts.drift import kinds
from contracts.drift.shapes import Places, Shape, Shapes, canonical
from contracts.pointers import MISSING, follow, steps

Pair = tuple[Places, Places]


@dataclass(frozen=True, slots=True)
class Paired:
    """Alternatives that belong together, those that are gone and those that are new."""

    pairs: tuple[Pair, ...]
    gone: tuple[Places, ...]
    new: tuple[Places, ...]


def paired(base: Shapes, revision: Shapes, one: Sequence[Places], two: Sequence[Places]) -> Paired:
    """Pair alternatives: by the name of a component or title, by text, by their types alone, then the last pair."""
    pairs: list[Pair] = []
    left, right = list(one), list(two)
    for key in (_name, _text, _kind):
        known = {key(revision, each): each for each in reversed(right)}
        for each in list(left):
            told = key(base, each)
            other = known.pop(told, None) if told else None
            if other is not None:
                pairs.append((each, other))
                left.remove(each)
                right.remove(other)
    nameless = not any(_name(base, each) for each in left) or not any(_name(revision, each) for each in right)
    if len(left) == len(right) == 1 and nameless and _alike(base.of(left[0]), revision.of(right[0])):
        pairs.append((left.pop(), right.pop()))
    return Paired(tuple(pairs), tuple(left), tuple(right))


def _name(shapes: Shapes, places: Places) -> str:
    """The component's name, or the title."""
    if len(places) != 1:
        return ""
    if name := schema_name(places[0]):
        return name
    title = shapes.of(places).says("title")
    return f"title {title}" if isinstance(title, str) and title else ""


def schema_name(pointer: str) -> str:
    """The name of a component, where a pointer leads to the whole of one; else nothing."""
    match steps(pointer):
        case ["components", "schemas", name] | ["definitions" | "schemas", name]:
            return name
    return ""


def _text(shapes: Shapes, places: Places) -> str:
    return " ".join(
        canonical(None if (node := follow(shapes.document, p)) is MISSING else node) for p in places
    )


def _kind(shapes: Shapes, places: Places) -> str:
    """What tells scalars apart: nothing but their type; objects are told apart by their tags."""
    shape = shapes.of(places)
    if _name(shapes, places) or shape.groups or shape.types is None:
        return ""
    if shape.types == {"object"}:
        return " ".join(_tags(shapes, shape))
    return " ".join(sorted(shape.types))


def _tags(shapes: Shapes, shape: Shape) -> Iterator[str]:
    for name, places in sorted(shape.properties.items()):
        values = shapes.of(places).values
        if values is not None and len(values) == 1:
            yield f"{name}={values[0]}"


def _alike(one: Shape, two: Shape) -> bool:
    """Whether two that are left over may be one that was changed: one takes the kinds of value of the other."""
    left, right = kinds.kinds(one), kinds.kinds(two)
    return kinds.covers(left, right) or kinds.covers(right, left)


def named(shapes: Shapes) -> Callable[[Places], str]:
    """How an alternative is called in a finding."""

    def name(places: Places) -> str:
        told = _name(shapes, places).removeprefix("title ")
        shape = shapes.of(places)
        return told or " or ".join(sorted(shape.types or {"anything"}))

    return name
