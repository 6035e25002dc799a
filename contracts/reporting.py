"""What `verify` says of a run: its report with the denominators, and its evidence."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from contracts.contract import LIBRARY
from contracts.rules.table import promises
from contracts.running import Options, Outcome, contracts_of
from contracts.shelf import provider_of
from interlock import evidence, findings
from interlock.output import Case, CaseState, Report, counted, number
from interlock.records import Finding, Severity, Verdict

SCHEMA = "interlock.verify/1"
EVIDENCE_VALID = dt.timedelta(days=30)
_MOST_REASONS, _MOST_SHOWN = 20, 5
_WEAKEST_FIRST = ("generated", "stand_in", "sandbox", "live")


def report_of(
    outcomes: Sequence[Outcome], options: Options, *, accepted: frozenset[str], fail_on: Severity | None
) -> Report:
    """The report: one case for each cassette, one that cannot be read too; other files are counted alone."""
    cases, shown = [], []
    for each in outcomes:
        if each.format is None and not _is_named(each, options) and not is_broken(each):
            continue
        new = findings.beyond(each.findings, accepted)
        shown += new
        state, detail = _state(each, new, fail_on, options)
        cases.append(Case(name=each.file, group="verify", state=state, detail=detail, findings=tuple(new)))
    summary = summary_of(outcomes, accepted)
    unreadable = f", {number(summary['unreadable'], 'file')} unreadable" if summary["unreadable"] else ""
    closing = (
        f"{number(summary['cassettes'], 'cassette')}, {number(summary['interactions'], 'interaction')}, "
        f"{summary['matched']} held against a contract, {summary['partly_judged']} of them in part{unreadable}: "
        f"{counted(shown)}"
    )
    return Report(
        schema=SCHEMA,
        title="interlock verify",
        produced_at=dt.datetime.fromisoformat(options.now),
        cases=tuple(cases),
        summary=summary,
        closing=closing,
        rules=promises(),
        notes=tuple(_notes(summary["not_judged"])),
    )


def _notes(unjudged: Mapping[str, int]) -> Iterator[str]:
    """What could not be judged, the most frequent first; JSON has more of it."""
    for reason, count in [*unjudged.items()][:_MOST_SHOWN]:
        yield f"not judged: {reason} ({count})"
    if len(unjudged) > _MOST_SHOWN:
        yield "not judged: more, which --format json lists"


def _is_named(outcome: Outcome, options: Options) -> bool:
    return outcome.file in options.paths


def is_broken(outcome: Outcome) -> bool:
    """Whether a file looks like a cassette and cannot be read. What is no cassette at all is worth a notice only."""
    return outcome.format is None and any(
        findings.at_least(each, Severity.WARNING) for each in outcome.findings
    )


def _state(
    outcome: Outcome, new: Sequence[Finding], fail_on: Severity | None, options: Options
) -> tuple[CaseState, str]:
    if fail_on is not None and any(findings.at_least(each, fail_on) for each in new):
        return CaseState.FAILED, ""
    if not outcome.interactions:
        return CaseState.UNPROVEN, "no interaction could be read in it"
    if not outcome.known:
        return CaseState.UNPROVEN, f"no contract is known for {', '.join(outcome.hosts)}"
    if not outcome.matched:
        return CaseState.UNPROVEN, _left_out(outcome, options)
    return (
        CaseState.PASSED,
        "" if not outcome.partly else f"{outcome.partly} of {outcome.matched} judged in part",
    )


def _left_out(outcome: Outcome, options: Options) -> str:
    """That nothing matched, and where the whole contract is, if ours is a part of it and that was not pulled."""
    ours = [name for name, facts in outcome.contracts.items() if facts["origin"] == LIBRARY]
    if ours:  # a lock is read where it counts alone: what was named needs none
        pulled = {provider_of(name) for name in options.shelf.lock()}
        ours = [name for name in ours if name not in pulled]
    rest = f"; our library has a part: `interlock contracts pull {ours[0]}` fetches the whole" if ours else ""
    return f"nothing in its {number(outcome.interactions, 'interaction')} is an operation of a contract{rest}"


def summary_of(outcomes: Sequence[Outcome], accepted: frozenset[str]) -> dict[str, Any]:
    """The denominators: what was looked at, what could be judged, what was not."""
    cassettes = [each for each in outcomes if each.format is not None]
    broken = sum(map(is_broken, outcomes))
    everything = [found for each in outcomes for found in each.findings]
    unjudged: Counter[str] = Counter()
    for each in cassettes:
        for reason, count in each.unjudged.items():
            unjudged[_why(reason)] += count
    contracts = {name: facts for each in cassettes for name, facts in each.contracts.items()}
    return {
        "cassettes": len(cassettes),
        "unreadable": broken,
        "other_files": len(outcomes) - len(cassettes) - broken,
        "interactions": sum(each.interactions for each in cassettes),
        "of_a_known_provider": sum(each.known for each in cassettes),
        "matched": sum(each.matched for each in cassettes),
        "partly_judged": sum(each.partly for each in cassettes),
        "findings_by_rule": dict(sorted(Counter(each.rule for each in everything).items())),
        "accepted_by_baseline": sum(each.fingerprint in accepted for each in everything),
        "not_judged": dict(unjudged.most_common(_MOST_REASONS)),
        "contracts": dict(sorted(contracts.items())),
        "operations": _operations(cassettes),
    }


def _why(reason: str) -> str:
    """A reason without the place in the message, so that like ones count together."""
    return reason.partition(": ")[2] or reason


def _operations(outcomes: Sequence[Outcome]) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    for each in outcomes:
        for name, counts in each.operations.items():
            found.setdefault(name, Counter()).update(counts)
    return {name: dict(sorted(counts.items())) for name, counts in sorted(found.items())}


def write_evidence(
    outcomes: Sequence[Outcome],
    options: Options,
    folder: Path,
    *,
    fail_on: Severity | None,
    accepted: frozenset[str],
) -> None:
    """One piece for each contract: which of its operations were seen, and whether every promise was kept."""
    covered = _operations(outcomes)
    known = {each.name: each for each in contracts_of(options, {n for o in outcomes for n in o.contracts})}
    for name, contract in sorted(known.items()):
        own = [outcome for outcome in outcomes if name in outcome.contracts]
        told = [found for outcome in own for found in findings.beyond(outcome.findings, accepted)]
        new = [found for found in told if found.source in {None, contract.source}]  # a file may be of several
        broken = [found for found in new if findings.at_least(found, fail_on or Severity.ERROR)]
        universe = {each.name for each in contract.operations}
        seen = universe.intersection(covered.get(name, ()))  # HEAD shows nothing of what GET promises
        piece = evidence.make(
            integration=name,
            item="contract-verify",
            verdict=Verdict.FAILED if broken else Verdict.PROVEN if seen else Verdict.UNPROVEN,
            kind="verify",
            origin=weakest({origin for outcome in own for origin in outcome.origins.get(name, ())}),
            covered=seen,
            universe=universe,
            produced_at=dt.datetime.fromisoformat(options.now),
            valid_for=EVIDENCE_VALID,
            finding_ids=[found.fingerprint for found in broken],
            contract_digest=contract.digest,
        )
        evidence.write(piece, folder)


def weakest(origins: set[str]) -> str:
    """What is mixed proves as much as the least of it."""
    return next((each for each in _WEAKEST_FIRST if each in origins), _WEAKEST_FIRST[0])
