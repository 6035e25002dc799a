"""Which alternative of one side is which of the other: by tag or name, by what they say, else by what is left over."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from contracts.drift import kinds
from contracts.drift.keywords import ANNOTATIONS, LIMITS, canonical, closer, keeps, mapped
from contracts.drift.naming import component_at
from contracts.drift.shapes import Places, Shape, Shapes
from contracts.pointers import MISSING, follow, join, of_reference

Pair = tuple[Places, Places]
_ANNOTATIONS = frozenset({"title", "description", "example", "examples", "$comment"})
_HALF = 0.5  # of their members, so that two are taken for one
_NESTED = 4  # alternatives within alternatives that are read as one list
_MANY = 2_500  # pairs of alternatives up to which each is held against each
_PLAIN = LIMITS.keys() | ANNOTATIONS | {
    "type", "format", "enum", "const", "exclusiveMinimum", "exclusiveMaximum", "nullable", "x-nullable",
    "readOnly", "writeOnly",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Paired:
    """Alternatives that belong together, those that are gone and those that are new."""

    pairs: tuple[Pair, ...]
    gone: tuple[Places, ...]
    new: tuple[Places, ...]


class Side:
    """The alternatives of one side. `tags`: by what a discriminator tells them, by their pointers; None without one."""

    def __init__(
        self, shapes: Shapes, places: Sequence[Places], *, of: Places, others: Sequence[str]
    ) -> None:
        """`of`: the schema whose alternatives they are; `others`: the names of those of the other side."""
        self.shapes = shapes
        self.tags: dict[str, str] | None = None
        self._opened: set[Places] = set()
        self._texts: dict[Places, str] = {}
        self._tag(of)
        self.places = self._spread(places, frozenset(others), _NESTED)

    def _tag(self, places: Places) -> None:
        told = self.shapes.of(places).says("discriminator")
        if not isinstance(told, Mapping):
            return
        self.tags = self.tags or {}
        for tag, said in sorted(mapped(told, "mapping").items(), key=str):
            target = of_reference(said) or join("/components/schemas", str(said))
            for pointer in self.shapes.places(target):
                self.tags[pointer] = f"{self.tags[pointer]}, {tag}" if pointer in self.tags else str(tag)

    def _spread(self, places: Sequence[Places], others: frozenset[str], left: int) -> list[Places]:
        """Alternatives with those that stand within one of them, unless the other side has that one too."""
        found: list[Places] = []
        for each in places:
            shape = self.shapes.of(each)
            if each in self._opened:
                continue
            if left > 0 and shape.only_grouped and _name(self.shapes, each) not in others:
                self._opened.add(each)
                self._tag(each)
                found += self._spread(shape.groups[0].branches, others, left - 1)
            else:
                found.append(each)
            if len(found) > _MANY:
                return list(places)
        return list(dict.fromkeys(found))

    def tag(self, places: Places) -> str:
        """By what a message says that it is this one; a component's name where nothing else is agreed."""
        if self.tags is None or len(places) != 1:
            return ""
        return self.tags.get(places[0]) or component_at(places[0])[0]

    def name(self, places: Places) -> str:
        """The component's name, or the title."""
        return _name(self.shapes, places)

    def content(self, places: Places) -> str:
        """What one that is written out says, whatever its title; a component's name may be a discriminator's."""
        node = follow(self.shapes.document, places[0]) if len(places) == 1 else MISSING
        if not isinstance(node, dict) or "$ref" in node or component_at(places[0])[0]:
            return ""
        return canonical({name: value for name, value in node.items() if name not in _ANNOTATIONS})

    def text(self, places: Places) -> str:
        """What it says."""
        if (known := self._texts.get(places)) is None:
            known = self._texts[places] = text(self.shapes, places)
        return known

    def kind(self, places: Places) -> str:
        """What tells scalars apart: nothing but their type; objects are told apart by their tags."""
        shape = self.shapes.of(places)
        if self.name(places) or shape.groups or shape.types is None:
            return ""
        if shape.types == {"object"}:
            return " ".join(_constants(self.shapes, shape))
        return " ".join(sorted(shape.types))

    def knows(self, places: Places) -> bool:
        """Whether there is a component of the same name; a title is no name of one."""
        at = places[0]
        return not component_at(at)[0] or follow(self.shapes.document, at) is not MISSING


_DECIDING = (Side.tag, Side.name, Side.content)


def paired(base: Side, revision: Side) -> Paired:
    """Pair alternatives: by tag, by a component's name or a title, by what they say, by their types, the last pair."""
    one, two = base.places, revision.places
    if len(one) == len(two) == 1:  # one that has another name now is still the one
        return Paired(((one[0], two[0]),), (), ())
    pairs: list[Pair] = []
    left, right = list(one), list(two)
    for key in (*_DECIDING, Side.text, Side.kind):
        found, left, right = _by_key(key, base, revision, left, right)
        pairs += found
    for before, after in list(_likest(base, revision, left, right)):
        pairs.append((before, after))
        left.remove(before)
        right.remove(after)
    if len(one) * len(two) <= _MANY:
        left = [each for each in left if not _covered(base, each, revision)]
        right = [each for each in right if not _covered(revision, each, base)]
    return Paired(tuple(pairs), tuple(left), tuple(right))


def _by_key(
    key: Callable[[Side, Places], str], base: Side, revision: Side, left: list[Places], right: list[Places]
) -> tuple[list[Pair], list[Places], list[Places]]:
    """Those that a key pairs, and those that are left. Names decide alone: whoever has another one is another."""
    known: dict[str, list[Places]] = {}
    for each in right:
        known.setdefault(key(revision, each), []).append(each)
    pairs, alone = [], []
    for each in left:
        told = key(base, each)
        other = next((x for x in known.get(told, ()) if told), None)
        if other is None or (key not in _DECIDING and _are_two(base, each, revision, other)):
            alone.append(each)
        else:
            known[told].remove(other)
            pairs.append((each, other))
    taken = {other for _, other in pairs}
    return pairs, alone, [each for each in right if each not in taken]


def _likest(base: Side, revision: Side, left: Sequence[Places], right: Sequence[Places]) -> Iterator[Pair]:
    """Those left that may be one that was changed: the last of either side, else those that are most alike."""
    last = len(left) == len(right) == 1
    if not last and len(left) * len(right) > _MANY:
        return
    likeness = [
        (_likeness(base.shapes.of(before), revision.shapes.of(after)), before, after)
        for before, after in itertools.product(left, right)
        if not _both_named(base, before, revision, after)
    ]
    befores, afters = set[Places](), set[Places]()
    for alike, before, after in sorted(likeness, key=lambda each: -each[0]):
        if (alike >= _HALF or (last and alike >= 0)) and before not in befores and after not in afters:
            befores.add(before)
            afters.add(after)
            yield before, after


def _likeness(one: Shape, two: Shape) -> float:
    """How many of their members two have in common; below zero where neither takes the kinds of value of the other."""
    left, right = kinds.kinds(one), kinds.kinds(two)
    if not (kinds.covers(left, right) or kinds.covers(right, left)):
        return -1
    names = one.properties.keys() | two.properties.keys()
    if one.types != two.types:
        return 0
    return len(one.properties.keys() & two.properties.keys()) / len(names) if names else _HALF


def _both_named(own: Side, one: Places, other: Side, two: Places) -> bool:
    """Whether each has a name: then they are one only if it is the same name, whatever they say today."""
    return bool(own.name(one) and other.name(two))


def _are_two(own: Side, one: Places, other: Side, two: Places) -> bool:
    """Whether two that say the same are two all the same: by their names, unless the one was renamed to the other.

    Where a discriminator tells alternatives apart, their names may stand in messages.
    """
    if not _both_named(own, one, other, two):
        return False
    both_known = own.knows(two) and other.knows(one)
    return both_known or own.tags is not None or other.tags is not None


def _covered(own: Side, places: Places, other: Side) -> bool:
    """Whether what an alternative takes is taken by those of the other side: by one, or each of its types by one."""
    said, shape = own.text(places), own.shapes.of(places)
    wide = [each for each in other.places if not _both_named(own, places, other, each)]
    if any(other.text(each) == said for each in wide):
        return True
    several = shape.types if shape.types and shape.values is None else None
    single = [dataclasses.replace(shape, types=frozenset({each})) for each in sorted(several or ())] or [
        shape
    ]
    return all(any(_takes_all(other.shapes.of(each), one) for each in wide) for one in single)


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


def names(shapes: Shapes, branches: Sequence[Places]) -> list[str]:
    """The names of those that have one."""
    return [name for each in branches if (name := _name(shapes, each))]


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


def _constants(shapes: Shapes, shape: Shape) -> Iterator[str]:
    for name, places in sorted(shape.properties.items()):
        values = shapes.of(places).values
        if values is not None and len(values) == 1:
            yield f"{name}={next(iter(values))}"


def called(shapes: Shapes, places: Places) -> str:
    """How an alternative is called in a finding: by its name, else by its types."""
    told = _name(shapes, places).removeprefix("title ")
    return told or " or ".join(sorted(shapes.of(places).types or {"anything"}))
