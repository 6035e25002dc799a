"""Contract against contract: everything that has changed from one to the other, each change once."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from contracts.adapters import openapi
from contracts.contract import Contract, Operation
from contracts.drift import lifecycle, pairing, security, servers, stability
from contracts.drift.naming import as_written, section
from contracts.drift.operations import Sides, Twin, compare_operation
from contracts.drift.schemas import compare_schemas
from contracts.drift.table import RULES, SIDES
from contracts.drift.walk import Noted
from contracts.view import listed
from interlock import findings
from interlock.records import Finding, Location, Severity

LEVELS: Mapping[str, Severity | None] = {name: rule.severity for name, rule in RULES.items()}
# What a partial contract leaves out is neither new in the other one nor gone from it.
_THINGS = (
    "operation", "webhook", "callback", "server", "request-parameter", "request-media-type", "request-schema",
    "request-property", "response-status", "response-media-type", "response-schema", "response-property",
    "response-header",
)  # fmt: skip
_NEW = frozenset((
    *(f"{thing}-added" for thing in _THINGS),
    *(f"{side}-{narrowed}" for side in SIDES for narrowed in
      ("additional-properties-closed", "became-enum", "limit-set", "pattern-added")),
))  # fmt: skip
_GONE = frozenset((
    *(f"{thing}-removed{how}" for thing in (*_THINGS, "response-error-status")
      for how in ("", "-required", "-after-deprecation", "-before-sunset")),
    *(f"{side}-{widened}" for side in SIDES for widened in
      ("additional-properties-opened", "no-longer-enum", "limit-removed", "pattern-removed")),
))  # fmt: skip
_NAMED = 3  # operations that a finding names


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What a comparison found, with its denominators.

    `in_both`, `in_base`, `in_revision`: the operations that are in both or in one alone, webhooks and callbacks too.
    `schemas`: pairs that were looked at. `unjudged`: what could not be compared, and why.
    """

    findings: tuple[Finding, ...]
    in_both: tuple[str, ...]
    in_base: tuple[str, ...]
    in_revision: tuple[str, ...]
    schemas: int
    unjudged: tuple[str, ...] = ()

    @property
    def operations(self) -> int:
        """How many were compared."""
        return len(self.in_both)

    @property
    def gone(self) -> int:
        """How many are in the base alone."""
        return len(self.in_base)

    @property
    def new(self) -> int:
        """How many are in the revision alone."""
        return len(self.in_revision)


@dataclass(slots=True)
class _Names:
    """The operations in both and in one alone, so far."""

    both: list[str] = field(default_factory=list)
    base: list[str] = field(default_factory=list)
    revision: list[str] = field(default_factory=list)


def compare(
    base: Contract, revision: Contract, *, today: dt.date, levels: Mapping[str, Severity | None] = LEVELS
) -> Compared:
    """Everything that has changed from `base` to `revision`. `today`: what last days are held against."""
    sides = Sides.of(base, revision)
    names, twins = _Names(), list[Twin]()
    for one, two in pairing.operations(base.operations, revision.operations):
        if one is not None and two is not None:
            names.both.append(one.name)
            twins.append(Twin(sides, one, two, one.name))
            compare_operation(twins[-1])
        elif one is not None:
            names.base.append(one.name)
            lifecycle.gone(sides, one, today)
        elif two is not None:
            names.revision.append(two.name)
            noted = Noted("operation-added", f"{two.name} is new", section(base), two.pointer)
            sides.note(noted, two.name)
    unjudged = list(_incoming(sides, names))
    servers.compare(sides, twins)
    security.schemes(sides)
    for walk in sides.walks:
        compare_schemas(walk)
    is_cut = any(walk.is_cut for walk in sides.walks)
    unjudged += ["its schemas multiply beyond measure: the rest was not compared"] if is_cut else []
    if lost := sorted(sides.lost()):
        unjudged.append(f"references lead nowhere, and nothing is compared behind them: {listed(lost)}")
    passed_over = (_NEW if base.partial else frozenset()) | (_GONE if revision.partial else frozenset())
    levels = {name: None if name in passed_over else level for name, level in levels.items()}
    found = findings.in_order(_findings(sides, levels))
    return Compared(
        findings=tuple(found),
        in_both=tuple(names.both),
        in_base=tuple(names.base),
        in_revision=tuple(names.revision),
        schemas=sum(len(walk.above) for walk in sides.walks),
        unjudged=tuple(unjudged),
    )


def _incoming(sides: Sides, names: _Names) -> Iterator[str]:
    """Webhooks and callbacks: what the provider asks of us. Yields why some could not be compared."""
    one, two = (_requests_of_us(contract) for contract in (sides.base, sides.revision))
    if not _may_name_events(sides.revision, two):
        events = [name for kind, name in one if kind == "webhook"]
        one = {key: each for key, each in one.items() if key[0] != "webhook"}
        if events:
            yield f"the revision has no place for webhooks, and these are not compared: {listed(events, _NAMED)}"
    for kind, name in sorted(one.keys() | two.keys()):
        before, after, called = one.get((kind, name)), two.get((kind, name)), f"{kind} {name}"
        if before is None and after is not None:
            names.revision.append(called)
            sides.note(Noted(f"{kind}-added", f"{called} is new", None, after.pointer), called)
        elif after is None and before is not None:
            names.base.append(called)
            stability.mark(sides, before, called, revised=False)
            sides.note(Noted(f"{kind}-removed", f"{called} is gone", before.pointer, None), called)
        elif before is not None and after is not None:
            names.both.append(called)
            compare_operation(Twin(sides, before, after, called, incoming=True))


def _may_name_events(contract: Contract, named: Mapping[tuple[str, str], Operation]) -> bool:
    """Whether webhooks that it does not name are none: before OpenAPI 3.1 there was no place for them."""
    is_new = contract.dialect == "openapi" and not contract.format.startswith("openapi 3.0")
    return is_new or any(kind == "webhook" for kind, _ in named)


def _requests_of_us(contract: Contract) -> dict[tuple[str, str], Operation]:
    if contract.dialect != "openapi":
        return {}
    return {(kind, name): operation for kind, name, operation in openapi.incoming(contract.document)}


def _findings(sides: Sides, levels: Mapping[str, Severity | None]) -> Iterator[Finding]:
    for noted, operations in sides.notes.items():
        yield from _finding(sides, noted, operations, levels, named=len(operations) == 1)
    for walk, noted, pairs in ((w, *each) for w in sides.walks for each in w.notes.items()):
        reached = walk.operations(pairs)
        # It says itself whose schema it is.
        named = len(reached) == 1 and noted.subject.startswith(reached[0])
        yield from _finding(sides, noted, reached, levels, named=named)


def _finding(
    sides: Sides, noted: Noted, operations: list[str], levels: Mapping[str, Severity | None], *, named: bool
) -> Iterator[Finding]:
    """`operations`: those that it holds for; `named`: whether the subject names them."""
    level, seen = levels.get(noted.rule), noted.seen
    if level is None:
        return
    if operations and not named:
        more = f" and {len(operations) - _NAMED} more" if len(operations) > _NAMED else ""
        seen = f"{seen or 'changed'}; reached from {', '.join(operations[:_NAMED])}{more}"
    if noted.rule != "operation-stability-decreased" and (loose := _loose(sides, operations)):
        level, seen = Severity.INFO, f"{seen}; promised as {loose}" if seen else f"promised as {loose}"
    made = findings.make(
        noted.rule,
        level,
        noted.subject,
        location=Location(
            message_pointer=as_written(sides.revision, noted.revision),
            contract_pointer=as_written(sides.base, noted.base),
        ),
        promised=noted.promised,
        seen=seen,
        source=sides.base.source,
        told_apart_by=noted.seen or "",
    )
    # The name of the file is no part of what a finding is: the next revision is another file.
    yield dataclasses.replace(made, location=dataclasses.replace(made.location, file=sides.revision.source))


def _loose(sides: Sides, operations: list[str]) -> str:
    """Which levels they have, if nothing is promised yet of any of them; else nothing."""
    levels = {sides.loose.get(name, "") for name in operations}
    return "" if "" in levels else " or ".join(sorted(levels))
