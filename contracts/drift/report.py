"""What `drift` says: one case for what was compared, with its denominators, and its evidence."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.contract import Contract
from contracts.drift.compare import Compared
from contracts.drift.recorded import Recorded
from contracts.drift.table import RULES
from contracts.reporting import EVIDENCE_VALID, weakest
from contracts.rules.table import promises
from contracts.running import facts
from interlock import evidence, findings
from interlock.output import Case, CaseState, Report, counted, number
from interlock.records import Finding, Severity, Verdict

SCHEMA = "interlock.drift/1"
DOCUMENT = "document"  # the origin of what is proven by documents alone: nothing was asked of anybody


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a report is made by. `accepted`: fingerprints of the baseline. `fail_on`: None never fails."""

    accepted: frozenset[str]
    fail_on: Severity | None
    now: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What evidence says of a comparison beyond its report.

    `revision`: the digest of the other document, None for recordings. `origin`: of what was held against the base.
    `covered`: the operations that were compared; `universe`: all that the base has.
    """

    base: Contract
    revision: str | None
    origin: str
    covered: tuple[str, ...]
    universe: tuple[str, ...]

    @classmethod
    def of_contracts(cls, base: Contract, revision: Contract, found: Compared) -> Proof:
        """Of two documents. What is gone is not covered."""
        universe = (*found.in_both, *found.in_base)
        return cls(
            base=base, revision=revision.digest, origin=DOCUMENT, covered=found.in_both, universe=universe
        )

    @classmethod
    def of_recordings(cls, base: Contract, found: Recorded) -> Proof:
        """Of recorded answers."""
        universe = tuple(each.name for each in base.operations)
        origin = weakest(set(found.origins))
        return cls(
            base=base, revision=None, origin=origin, covered=tuple(found.operations), universe=universe
        )


def write_evidence(proof: Proof, report: Report, terms: Terms, folder: Path) -> Path:
    """One piece: failed by what breaks, proven where something was compared and nothing was left out."""
    least = terms.fail_on or Severity.ERROR
    broken = [each.fingerprint for each in report.all_findings if findings.at_least(each, least)]
    whole = bool(proof.covered) and not any(case.detail for case in report.cases)
    piece = evidence.make(
        integration=proof.base.name,
        item="contract-drift",
        verdict=Verdict.FAILED if broken else Verdict.PROVEN if whole else Verdict.UNPROVEN,
        kind="drift",
        origin=proof.origin,
        covered=proof.covered,
        universe=proof.universe,
        produced_at=terms.now,
        valid_for=EVIDENCE_VALID,
        finding_ids=broken,
        contract_digest=proof.base.digest,
        subject_revision=proof.revision,
    )
    return evidence.write(piece, folder)


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
    gone = f"{found.gone} that the revision leaves out" if revision.partial else f"{found.gone} gone"
    new = f"{found.new} that the base leaves out" if base.partial else f"{found.new} new"
    # A partial contract leaves something out anyhow: that it is nothing here is no news.
    beside = [gone] * bool(found.gone or not revision.partial) + [new] * bool(found.new or not base.partial)
    said = ", ".join([f"{number(found.operations, 'operation')} compared", *beside])
    summary = {
        "base": facts(base),
        "revision": facts(revision),
        "same_document": base.digest == revision.digest,
        "operations": found.operations,
        "operations_gone": None if revision.partial else found.gone,
        "operations_new": None if base.partial else found.new,
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
    notes = [f"{count} not judged: {reason}" for reason, count in found.unjudged.items()]
    return _report(f"{base.source} -> {name}", said, every, why, summary, terms, notes)


def _report(
    name: str,
    said: str,
    found: Sequence[Finding],
    why: Sequence[str],
    summary: dict[str, Any],
    terms: Terms,
    notes: Sequence[str] = (),
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
        rules=promises(RULES),
        # Beside findings nobody would be told.
        notes=(*notes, *(why if state is CaseState.FAILED else ())),
    )
