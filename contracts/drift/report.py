"""What `drift` says: one case for what was compared, with its denominators."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contracts.contract import Contract
from contracts.drift.compare import Compared
from contracts.drift.recorded import Recorded
from contracts.running import facts
from interlock import findings
from interlock.output import Case, CaseState, Report, counted, number
from interlock.records import Finding, Severity

SCHEMA = "interlock.drift/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a report is made by. `accepted`: fingerprints of the baseline. `fail_on`: None never fails."""

    accepted: frozenset[str]
    fail_on: Severity | None
    now: dt.datetime


def of_contracts(
    base: Contract,
    revision: Contract,
    found: Compared,
    terms: Terms,
) -> Report:
    """The report on two contracts."""
    why = list(found.unjudged)
    if not found.operations:
        why.append("no operation is in both")
    name = f"{base.source} -> {revision.source}"
    said = f"{number(found.operations, 'operation')} compared, {found.gone} gone, {found.new} new"
    summary = {
        "base": facts(base),
        "revision": facts(revision),
        "same_document": base.digest == revision.digest,
        "operations": found.operations,
        "operations_gone": found.gone,
        "operations_new": found.new,
        "schemas_compared": found.schemas,
    }
    return _report(name, said, found.findings, why, summary, terms)


def of_recordings(
    base: Contract,
    name: str,
    found: Recorded,
    broken: Sequence[Finding],
    terms: Terms,
) -> Report:
    """The report on recordings. `broken`: what of them could not be read."""
    why = []
    if not found.judged:
        why.append(f"none of {number(found.interactions, 'interaction')} could be held against the contract")
    said = (
        f"{number(found.interactions, 'interaction')}, {found.matched} of the contract, {found.judged} judged"
    )
    summary = {
        "base": facts(base),
        "interactions": found.interactions,
        "matched": found.matched,
        "judged": found.judged,
        "answers_by_operation": dict(found.operations),
        "not_judged": dict(found.unjudged),
    }
    every = [*broken, *found.findings]
    return _report(f"{base.source} -> {name}", said, every, why, summary, terms)


def _report(
    name: str,
    said: str,
    found: Sequence[Finding],
    why: Sequence[str],
    summary: dict[str, Any],
    terms: Terms,
) -> Report:
    new = findings.beyond(found, terms.accepted)
    state = CaseState.PASSED
    if terms.fail_on is not None and any(findings.at_least(each, terms.fail_on) for each in new):
        state = CaseState.FAILED
    elif why:
        state = CaseState.UNPROVEN
    known = len(found) - len(new)
    summary |= {
        "findings_by_rule": dict(sorted(Counter(each.rule for each in found).items())),
        "accepted_by_baseline": known,
    }
    case = Case(name=name, group="drift", state=state, detail="; ".join(why), findings=tuple(new))
    closing = f"{said}: {counted(new)}{f', {known} accepted by the baseline' if known else ''}"
    return Report(
        schema=SCHEMA,
        title="interlock drift",
        produced_at=terms.now,
        cases=(case,),
        summary=summary,
        closing=closing,
    )
