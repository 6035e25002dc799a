"""Schemas of two contracts side by side: every pair that messages can reach is compared once for each direction."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.contract import Contract
from contracts.drift.keywords import NAMED, WHOLE, elsewhere, refers
from contracts.drift.naming import component
from contracts.drift.shapes import Places, Shape, Shapes
from contracts.pointers import MISSING, follow, of_reference
from contracts.schemas import RESPONSE

# More than any honest pair of documents has (GitHub's: 43,000 pairs, 162,000 schemas and members);
# hostile ones multiply.
MAX_PAIRS = 100_000
MAX_SCHEMAS = 500_000
MAX_STEPS = 20_000_000
_VALUES = frozenset({"example", "examples", "default", "enum", "const"})  # what stands there is no schema


@dataclass(frozen=True, slots=True)
class Lane:
    """The direction of a schema. `side`: how its rules begin; `left_out`: the flag of members that it leaves out."""

    side: str
    left_out: str | None

    @property
    def sent(self) -> bool:
        """Whether it is what we send."""
        return self.side.startswith("request-")


SENT, RECEIVED = Lane("request-property", "readOnly"), Lane("response-property", "writeOnly")
SENT_PARAMETER, RECEIVED_HEADER = Lane("request-parameter", "readOnly"), Lane("response-header", "writeOnly")
# Deliveries turn the directions round, so that neither flag says who leaves what out.
DELIVERED, ANSWERED = Lane("response-property", None), Lane("request-property", None)
DELIVERED_HEADER, ANSWERED_HEADER = Lane("response-header", None), Lane("request-parameter", None)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two schemas that stand for the same, seen from one side; empty places where nothing is said.

    `null_told`: they are alternatives, and whether null is taken is told of all alternatives together.
    """

    lane: Lane
    base: Places
    revision: Places
    null_told: bool = False


@dataclass(frozen=True, slots=True)
class Noted:
    """One change, as it was found. Pointers lead into the two documents; None for no place."""

    rule: str
    subject: str
    base: str | None
    revision: str | None
    promised: str | None = None
    seen: str | None = None


@dataclass(slots=True)
class Walk:
    """Pairs that wait and pairs that are done; which pair led to which, for the operations behind a finding."""

    base: Shapes
    revision: Shapes
    waiting: deque[tuple[Pair, str]] = field(default_factory=deque)
    above: dict[Pair, list[Pair]] = field(default_factory=dict)
    roots: dict[Pair, list[str]] = field(default_factory=dict)
    notes: dict[Noted, list[Pair]] = field(default_factory=dict)
    left_over: bool = False
    _steps: int = 0
    _order: dict[str, int] = field(default_factory=dict)
    _references: dict[int, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, base: Contract, revision: Contract, direction: str = RESPONSE) -> Walk:
        """A walk over two contracts that has not begun, for one direction or, where that says no more, for both."""
        return cls(Shapes(base, direction), Shapes(revision, direction))

    def begin(self, lane: Lane, base: str | None, revision: str | None, label: str, operation: str) -> None:
        """Put a pair of an operation's schemas on the list."""
        pair = Pair(lane, self.base.places(base), self.revision.places(revision))
        self.roots.setdefault(pair, []).append(operation)
        self._order.setdefault(operation, len(self._order))
        self._put(pair, label)

    def step(
        self, pair: Pair, base: Places, revision: Places, label: str, *, null_told: bool = False
    ) -> None:
        """Put a pair that another one holds on the list."""
        inner = Pair(pair.lane, base, revision, null_told)
        if self._put(inner, label):
            self.above[inner].append(pair)

    def _put(self, pair: Pair, label: str) -> bool:
        if pair not in self.above:
            if len(self.above) >= MAX_PAIRS:
                self.left_over = True
                return False
            self.above[pair] = []
            names = {component(places) for places in (pair.base, pair.revision) if places}
            # What refers to another component now is called by who refers to it.
            self.waiting.append((pair, (names.pop() if len(names) == 1 else "") or label))
        return True

    @property
    def is_cut(self) -> bool:
        """Whether something was left out, because there was too much of it."""
        return self.left_over or self.base.cut or self.revision.cut

    def note(self, pair: Pair, noted: Noted) -> None:
        """Keep a change."""
        self.notes.setdefault(noted, []).append(pair)

    def pairs(self) -> Iterator[tuple[Pair, str, Shape, Shape]]:
        """The pairs one by one with their label and shapes; those that say the same lead on without a look."""
        while self.waiting:
            if self.base.looked_at + self.revision.looked_at > MAX_SCHEMAS:
                self.left_over = True
                return
            pair, label = self.waiting.popleft()
            one, two = self.base.subtypes(pair.base), self.revision.subtypes(pair.revision)
            for name in sorted(one.keys() & two.keys()):
                self.step(pair, (one[name],), (two[name],), name)
            if not self._same(pair, label):
                yield pair, label, self.base.of(pair.base), self.revision.of(pair.revision)

    def _same(self, pair: Pair, label: str) -> bool:
        """Whether both are written alike, so that only what they refer to may differ. Those references are put on."""
        if len(pair.base) != 1 or len(pair.revision) != 1 or self.base.old is not self.revision.old:
            return pair.base == pair.revision == ()
        one, two = follow(self.base.document, pair.base[0]), follow(self.revision.document, pair.revision[0])
        if one != two or repr(one) != repr(two):  # to Python 1 and true are equal
            return False
        if one is MISSING:
            self.base.lost.add(f"#{pair.base[0]}")
        names = self._references.get(id(one))
        if names is None:
            names = self._references[id(one)] = tuple(dict.fromkeys(_references(one)))
        if _MERGED in names:
            return False
        for name in names:
            if name.startswith(_LOST):
                self.base.lost.add(name.removeprefix(_LOST))
                continue
            before, after = self.base.places(name), self.revision.places(name)
            flags = self.base.access(before)
            if flags != self.revision.access(after):
                return False  # whoever holds it has to say so
            if pair.lane.left_out not in flags:
                self.step(pair, before, after, f"{label} ({name.rpartition('/')[2]})")
        return True

    def operations(self, pairs: list[Pair]) -> list[str]:
        """The operations that lead to any of the pairs, in the order in which they were put on.

        Empty once looking for them has taken more steps than any honest pair of documents needs.
        """
        seen, stack = set(pairs), list(pairs)
        found: set[str] = set()
        while stack and self._steps < MAX_STEPS:
            pair = stack.pop()
            self._steps += 1
            found.update(self.roots.get(pair, ()))
            more = [each for each in self.above[pair] if each not in seen]
            seen.update(more)
            stack += more
        return [] if stack else sorted(found, key=self._order.__getitem__)


_MERGED = "allOf"
_LOST = "lost "  # before a reference that is not followed


def _is_whole(node: Mapping[str, Any]) -> bool:
    """Whether a condition that is compared as a whole refers to something."""
    return not WHOLE.isdisjoint(node) and any(name in node and refers(node[name]) for name in WHOLE)


def _references(node: Any) -> Iterator[str]:
    """Where the references of a schema lead; `allOf` where it has parts that count only together."""
    stack = [(node, False)]
    while stack:
        each, named = stack.pop()
        if isinstance(each, list):
            stack += [(inner, False) for inner in each]
        elif isinstance(each, Mapping) and named:
            stack += [(inner, False) for inner in each.values()]
        elif isinstance(each, Mapping):
            # Flags decide by the direction what counts; merged parts can make up for each other.
            if "allOf" in each or "readOnly" in each or "writeOnly" in each or _is_whole(each):
                yield _MERGED
                return
            target = of_reference(each.get("$ref"))
            if target is not None:
                yield target
            yield from (f"{_LOST}{name}" for name in elsewhere(each))
            stack += [(inner, key in NAMED) for key, inner in each.items() if key not in _VALUES]
