"""Recorded answers against a contract: each change once for an operation and a place, however often it was seen."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from contracts.choosing import origin_of
from contracts.drift.answers import Look, Met, Sighting, look
from contracts.drift.compare import LEVELS
from contracts.view import Bench, View, listed
from interlock import findings
from interlock.errors import CannotJudge
from interlock.records import Finding, Interaction, Location, Severity, Source

ENOUGH = 10  # objects without a member before it is said that it was in none of them
_SHOWN = 5  # values that a finding shows

Levels = Mapping[str, Severity | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What recordings showed, with the denominators.

    `interactions`: all; `matched`: those of an operation of the contract; `judged`: those whose answer could be
    looked into. `operations`: how many answers of each were looked into. `unjudged`: counts of why not. `origins`:
    where those that were judged were recorded.
    """

    findings: tuple[Finding, ...]
    interactions: int
    matched: int
    judged: int
    operations: Mapping[str, int]
    unjudged: Mapping[str, int]
    origins: frozenset[str]


@dataclass(slots=True)
class _Often:
    """How often one thing was seen, where first, and what exactly."""

    first: Source
    count: int = 0
    seen: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class _Objects:
    """The objects at one place of an operation's answers."""

    first: Source
    contract_pointer: str | None
    named: frozenset[str]
    count: int = 0
    there: set[str] = field(default_factory=set)


def answer_drift(interaction: Interaction, bench: Bench, *, levels: Levels = LEVELS) -> tuple[Finding, ...]:
    """How one live answer differs from what is promised; empty where it does not.

    Raises `CannotJudge` where nothing can be said: it belongs to no operation of the contract, or its answer or
    body is not there.
    """
    seen = look(View(interaction, bench))
    if seen.unjudged is not None:
        raise CannotJudge(f"the answer cannot be held against {bench.contract.name}: {seen.unjudged}")
    gathered = _Gathered()
    gathered.take(
        interaction, dataclasses.replace(seen, met=())
    )  # one answer does not say what is never there
    return tuple(gathered.findings(bench, levels))


def recorded_drift(interactions: Iterable[Interaction], bench: Bench, *, levels: Levels = LEVELS) -> Recorded:
    """How the answers of many interactions differ from what is promised."""
    gathered, origins = _Gathered(), set[str]()
    for each in interactions:
        seen = look(View(each, bench))
        gathered.take(each, seen)
        if seen.operation is not None and seen.unjudged is None:
            origins.add(origin_of(each, bench.contract))
    return Recorded(
        findings=tuple(findings.in_order(gathered.findings(bench, levels))),
        interactions=gathered.interactions,
        matched=gathered.matched,
        judged=sum(gathered.operations.values()),
        operations=dict(sorted(gathered.operations.items())),
        unjudged=dict(sorted(gathered.unjudged.items())),
        origins=frozenset(origins),
    )


class _Gathered:
    def __init__(self) -> None:
        self.interactions = self.matched = 0
        self.operations: dict[str, int] = {}
        self.unjudged: dict[str, int] = {}
        self._sightings: dict[Sighting, _Often] = {}
        self._objects: dict[tuple[str, str], _Objects] = {}

    def take(self, interaction: Interaction, seen: Look) -> None:
        """Add one answer."""
        self.interactions += 1
        self.matched += seen.operation is not None
        if seen.operation is None or seen.unjudged is not None:
            why = seen.unjudged or ""
            self.unjudged[why] = self.unjudged.get(why, 0) + 1
            return
        self.operations[seen.operation] = self.operations.get(seen.operation, 0) + 1
        counted: set[Sighting] = set()
        for each in seen.sightings:
            # Values differ from answer to answer; what was promised, and where, does not.
            key = dataclasses.replace(each, seen="")
            often = self._sightings.setdefault(key, _Often(interaction.source))
            often.count += key not in counted
            often.seen[each.seen] = None
            counted.add(key)
        for met in seen.met:
            self._meet(interaction, met)

    def _meet(self, interaction: Interaction, met: Met) -> None:
        known = self._objects.setdefault(
            (met.operation, met.pointer), _Objects(interaction.source, met.contract_pointer, met.named)
        )
        known.count += 1
        known.named |= met.named
        known.there |= met.there

    def findings(self, bench: Bench, levels: Levels) -> Iterator[Finding]:
        """One for each change."""
        for key, often in self._sightings.items():
            of = self.operations.get(key.operation, 0)
            values = listed(list(often.seen)[:_SHOWN]) + (" and others" if len(often.seen) > _SHOWN else "")
            counted = f", in {often.count} of {of} answers" if self.interactions > 1 else ""
            yield from _finding(bench, levels, key, often.first, f"{values}{counted}")
        for (operation, pointer), objects in sorted(self._objects.items()):
            missing = sorted(objects.named - objects.there)
            if missing and objects.count >= ENOUGH:
                subject = f"{operation}: {listed(missing)} in none of the answers"
                key = Sighting(
                    "recorded-field-unseen",
                    operation,
                    subject,
                    pointer,
                    objects.contract_pointer,
                    listed(missing),
                    "",
                )
                yield from _finding(bench, levels, key, objects.first, f"none in {objects.count} objects")


def _finding(bench: Bench, levels: Levels, key: Sighting, first: Source, seen: str) -> Iterator[Finding]:
    level = levels.get(key.rule)
    if level is None:
        return
    place = Location(message_pointer=key.pointer, contract_pointer=key.contract_pointer)
    made = findings.make(
        key.rule,
        level,
        key.subject,
        location=place,
        promised=key.promised,
        seen=seen,
        source=bench.contract.source,
        told_apart_by=key.promised or "",
    )
    # Which recording showed it first is no part of what it is: another one may show it next time.
    where = dataclasses.replace(place, file=first.file, line=first.line, interaction=first.index)
    yield dataclasses.replace(made, location=where)
