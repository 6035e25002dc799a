"""Shapes found fast: a text is searched for the letters that a pattern cannot do without, and matched there alone.

A pattern costs 20 ns for each character of a text, and there are forty of them; a word costs a fiftieth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from interlock.secret_shapes import Shape

_parser: Any = vars(re)["_parser"]  # the parser of `re` itself, which has no public name
_MOST_WORDS = 24  # alternatives that a run of letters may have
_FURTHEST = 80  # characters before the letters, where the match may begin
_Run = tuple[int, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Sought:
    """A shape, and how it is found.

    `needles`: one of them is in the lower-case form of each match, at most `lead` characters after its start;
    empty where the pattern tells no letters, so that it is tried everywhere.
    """

    shape: Shape
    needles: tuple[str, ...]
    lead: int

    def matches(self, text: str, lowered: str) -> Iterator[re.Match[str]]:
        """Every match in the text; `lowered` is its lower-case form, of the same length."""
        pattern = self.shape.pattern
        if not self.needles:
            yield from pattern.finditer(text)
            return
        for needle in self.needles:
            at, after = lowered.find(needle), 0
            while at >= 0:
                for start in range(max(after, at - self.lead), at + 1):
                    if (match := pattern.match(text, start)) is not None and match.end() > match.start():
                        yield match
                        after = match.end()
                        break
                at = lowered.find(needle, max(at + 1, after))


def seek(shape: Shape) -> Sought:
    """How a shape is found best."""
    runs = list(_runs(list(_parser.parse(shape.pattern.pattern, shape.pattern.flags)), 0))
    usable = [(lead, words) for lead, words in runs if _worth(lead, words)]
    if not usable:
        return Sought(shape, (), 0)
    lead, words = max(usable, key=lambda run: (min(map(len, run[1])), -run[0]))
    return Sought(shape, tuple(sorted({word.lower() for word in words})), lead)


def _worth(lead: int, words: frozenset[str]) -> bool:
    shortest = min(map(len, words))
    return lead <= _FURTHEST and (shortest >= 3 or (shortest == 2 and lead <= 4))  # noqa: PLR2004 - else too many


def _runs(items: list[Any], position: int) -> Iterator[_Run]:
    """Runs of letters that every match has: how far after its start at most, and which they may be."""
    run: _Run | None = None
    for item in _flat(items):
        words, whole = _words(item)
        width = _width(item)
        if words and run is not None and len(run[1]) * len(words) <= _MOST_WORDS:
            run = (run[0], frozenset(a + b for a in run[1] for b in words))
        elif words:
            if run is not None:
                yield run
            run = (position, words)
        elif width:
            if run is not None:
                yield run
            run = None
            yield from _of_branches(item, position)
        if run is not None and not whole:
            yield run
            run = None
        position += width
    if run is not None:
        yield run


def _flat(items: list[Any]) -> Iterator[Any]:
    for item in items:
        if item[0] is _parser.SUBPATTERN:
            yield from _flat(list(item[1][3]))
        else:
            yield item


def _words(item: Any) -> tuple[frozenset[str], bool]:
    """The letters that an item begins with, and whether they are all of it."""
    code, value = item
    if code is _parser.LITERAL:
        return frozenset((chr(value),)), True
    if code is _parser.IN and len(value) <= 6 and all(each[0] is _parser.LITERAL for each in value):  # noqa: PLR2004 - a few
        return frozenset(chr(each[1]) for each in value), True
    if code is _parser.BRANCH:
        found, whole = [], True
        for branch in value[1]:
            first = next(_runs(list(branch), 0), (1, frozenset()))
            if first[0] or not first[1]:
                return frozenset(), False
            found.append(first[1])
            whole = whole and max(map(len, first[1])) == branch.getwidth()[1]
        return frozenset().union(*found), whole
    return frozenset(), _width(item) == 0


def _of_branches(item: Any, position: int) -> Iterator[_Run]:
    """Where the branches of an item do not begin with letters, the longest that each has."""
    if item[0] is not _parser.BRANCH:
        return
    of_each = [list(_runs(list(branch), 0)) for branch in item[1][1]]
    if all(of_each):
        best = [max(runs, key=lambda run: min(map(len, run[1]))) for runs in of_each]
        yield position + max(run[0] for run in best), frozenset().union(*(run[1] for run in best))


def _width(item: Any) -> int:
    """The most characters that an item matches."""
    if item[0] in {_parser.AT, _parser.ASSERT, _parser.ASSERT_NOT}:
        return 0
    state = _parser.State()
    return min(int(_parser.SubPattern(state, [item]).getwidth()[1]), _FURTHEST * 1000)
