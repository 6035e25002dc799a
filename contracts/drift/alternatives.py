"""The alternatives of two schemas: which are gone or new, and which belong together and are compared."""

from __future__ import annotations

import itertools

from contracts.drift import branches
from contracts.drift.look import Look
from contracts.drift.shapes import Group, Places
from contracts.view import listed


def alone(look: Look) -> bool:
    """Whether alternatives are all that one side says: then the other is one alternative. Compares them so."""
    base, revision = look.base, look.revision
    if base.only_grouped and revision.only_grouped:
        one, two = base.groups[0].branches, revision.groups[0].branches
    elif base.only_grouped and revision.only_listed:
        one, two = base.groups[0].branches, revision.lists[0].branches
    elif base.only_listed and revision.only_grouped:
        one, two = base.lists[0].branches, revision.groups[0].branches
    elif base.only_grouped and revision.parts and not revision.groups:
        one, two = base.groups[0].branches, (look.pair.revision,)
    elif revision.only_grouped and base.parts and not base.groups:
        one, two = (look.pair.base,), revision.groups[0].branches
    else:
        return False
    if all(shape.groups or shape.lists or shape.types is not None for shape in (base, revision)):
        look.nullable()  # what names no type is not asked for null
    _compare(look, one, two)
    return True


def beside(look: Look) -> None:
    """Alternatives beside other keywords, each group with the one that is most like it."""
    befores, afters = dict.fromkeys(look.base.groups), dict.fromkeys(look.revision.groups)
    for before, after in _nearest_first(look) if befores and afters else ():
        if before in befores and after in afters:
            del befores[before], afters[after]
            _compare(look, before.branches, after.branches)
    for group in befores:
        word = group.keyword
        look.add("condition-removed", f"has no {word} any more", word, promised=word, seen="nothing")
    for group in afters:
        word = group.keyword
        look.add("condition-added", f"has {word} now", word, promised="nothing", seen=word)


def _nearest_first(look: Look) -> list[tuple[Group, Group]]:
    """Every two groups, first those with the most alternatives in common; of several the first, as they stand."""
    every = list(itertools.product(look.base.groups, look.revision.groups))
    if len(every) == 1:
        return every
    one, two = (
        {group: {branches.text(shapes, each) for each in group.branches} for group in shape.groups}
        for shapes, shape in ((look.walk.base, look.base), (look.walk.revision, look.revision))
    )
    return sorted(every, key=lambda each: -len(one[each[0]] & two[each[1]]))


def _compare(look: Look, one: tuple[Places, ...], two: tuple[Places, ...]) -> None:
    walk, pair = look.walk, look.pair
    names = branches.names(walk.base, one), branches.names(walk.revision, two)
    base = branches.Side(walk.base, one, of=pair.base, others=names[1])
    revision = branches.Side(walk.revision, two, of=pair.revision, others=names[0])
    found = branches.paired(base, revision)
    for before, after in found.pairs:
        null_told = walk.base.of(before).nullable is not walk.revision.of(after).nullable
        walk.step(pair, before, after, look.label, null_told=null_told)
    gone = [branches.called(walk.base, each) for each in found.gone]
    new = [branches.called(walk.revision, each) for each in found.new]
    every = [listed(branches.called(side.shapes, each) for each in side.places) for side in (base, revision)]
    for name in gone:
        look.add("alternative-removed", f"has no alternative {name} any more", "anyOf", "oneOf",
                 promised=name, seen=every[1])  # fmt: skip
    for name in new:
        look.add("alternative-added", f"has the alternative {name} too", "anyOf", "oneOf",
                 promised=every[0], seen=name)  # fmt: skip
