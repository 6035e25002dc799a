"""Which alternative of one side is which of the other: by name, by what they say, else by what is left over."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from contracts.drift import kinds
from contracts.drift.keywords import LIMITS, canonical, closer, keeps
from contracts.drift.naming import component_at
from contracts.drift.shapes import Places, Shape, Shapes
from contracts.pointers import MISSING, follow

Pair = tuple[Places, Places]
_ANNOTATIONS = frozenset({"title", "description", "example", "examples", "$comment"})
_MANY = 2_500  # pairs of alternatives up to which each is held against each
_PLAIN = LIMITS.keys() | {
    "type", "enum", "const", "title", "description", "exclusiveMinimum", "exclusiveMaximum",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Paired:
    """Alternatives that belong together, those that are gone and those that are new."""

    pairs: tuple[Pair, ...]
    gone: tuple[Places, ...]
    new: tuple[Places, ...]


def paired(base: Shapes, revision: Shapes, one: Sequence[Places], two: Sequence[Places]) -> Paired:
    """Pair alternatives: by a component's name or a title, by what they say, by their types, then the last pair."""
    if len(one) == len(two) == 1:  # one that has another name now is still the one
        return Paired(((one[0], two[0]),), (), ())
    pairs: list[Pair] = []
    left, right = list(one), list(two)
    for key in (_name, _content, text, _kind):
        found, left, right = _by_key(key, base, revision, left, right)
        pairs += found
    last = len(left) == len(right) == 1 and not _both_named(base, left[0], revision, right[0])
    if last and _alike(base.of(left[0]), revision.of(right[0])):
        pairs.append((left.pop(), right.pop()))
    if len(one) * len(two) <= _MANY:
        left = [each for each in left if not _covered(base, each, revision, two)]
        right = [each for each in right if not _covered(revision, each, base, one)]
    return Paired(tuple(pairs), tuple(left), tuple(right))


def _by_key(
    key: Callable[[Shapes, Places], str],
    base: Shapes,
    revision: Shapes,
    left: list[Places],
    right: list[Places],
) -> tuple[list[Pair], list[Places], list[Places]]:
    """Those that a key pairs, and those that are left. Names decide alone: whoever has another one is another."""
    known: dict[str, list[Places]] = {}
    for each in right:
        known.setdefault(key(revision, each), []).append(each)
    pairs, alone = [], []
    for each in left:
        told = key(base, each)
        other = next((x for x in known.get(told, ()) if told), None)
        if other is None or (key not in _DECIDING and _both_named(base, each, revision, other)):
            alone.append(each)
        else:
            known[told].remove(other)
            pairs.append((each, other))
    taken = {other for _, other in pairs}
    return pairs, alone, [each for each in right if each not in taken]


def _both_named(own: Shapes, one: Places, other: Shapes, two: Places) -> bool:
    """Whether each has a name: then they are one only if it is the same name, whatever they say today."""
    return bool(_name(own, one) and _name(other, two))


def _covered(own: Shapes, places: Places, other: Shapes, branches: Sequence[Places]) -> bool:
    """Whether what an alternative takes is taken by those of the other side: by one, or each of its types by one."""
    said, shape = text(own, places), own.of(places)
    wide = [each for each in branches if not _both_named(own, places, other, each)]
    if any(text(other, each) == said for each in wide):
        return True
    several = shape.types if shape.types and shape.values is None else None
    single = [dataclasses.replace(shape, types=frozenset({each})) for each in sorted(several or ())] or [
        shape
    ]
    return all(any(_takes_all(other.of(each), one) for each in wide) for one in single)


def _takes_all(wide: Shape, narrow: Shape) -> bool:
    """Whether a schema that says no more than type, values and limits takes all that another one takes."""
    says_more = any(part.node.keys() - _PLAIN for part in wide.parts)
    if says_more or not kinds.covers(kinds.kinds(wide), kinds.kinds(narrow)):
        return False
    if wide.values is not None and (narrow.values is None or narrow.values.keys() - wide.values.keys()):
        return False
    if narrow.values is not None:
        return all(
            keeps(name, limit, value)
            for name, limit in wide.limits.items()
            for value in narrow.values.values()
        )
    return all(
        name in narrow.limits and not closer(name, limit, narrow.limits[name])
        for name, limit in wide.limits.items()
    )


def _name(shapes: Shapes, places: Places) -> str:
    """The component's name, or the title."""
    if len(places) != 1:
        return ""
    name, rest = component_at(places[0])
    if name and not rest:
        return name
    title = shapes.of(places).says("title")
    return f"title {title}" if isinstance(title, str) and title else ""


def text(shapes: Shapes, places: Places) -> str:
    """What an alternative says, as one text without its words."""
    return " ".join(
        canonical(None if (node := follow(shapes.document, p)) is MISSING else node) for p in places
    )


def _content(shapes: Shapes, places: Places) -> str:
    """What an alternative that is written out says, whatever its title; a component's name may be a discriminator's."""
    node = follow(shapes.document, places[0]) if len(places) == 1 else MISSING
    if not isinstance(node, dict) or "$ref" in node or component_at(places[0])[0]:
        return ""
    return canonical({name: value for name, value in node.items() if name not in _ANNOTATIONS})


_DECIDING = (_name, _content)


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
            yield f"{name}={next(iter(values))}"


def _alike(one: Shape, two: Shape) -> bool:
    """Whether two that are left over may be one that was changed: one takes the kinds of value of the other."""
    left, right = kinds.kinds(one), kinds.kinds(two)
    return kinds.covers(left, right) or kinds.covers(right, left)


def called(shapes: Shapes, places: Places) -> str:
    """How an alternative is called in a finding: by its name, else by its types."""
    told = _name(shapes, places).removeprefix("title ")
    return told or " or ".join(sorted(shapes.of(places).types or {"anything"}))
