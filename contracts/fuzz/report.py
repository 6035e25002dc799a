"""What `fuzz` says of a run: a case for each operation, its findings, the denominators, its evidence."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.contract import Contract, Operation
from contracts.fuzz.checks import RULES
from contracts.fuzz.engine import REFUSED, WANTS_CREDENTIAL, Fuzzed, Wish, refused
from contracts.fuzz.events import Fault, Sequences, contract_pointer
from contracts.running import facts
from interlock import evidence, findings
from interlock.output import Case, CaseState, Report, counted, number
from interlock.records import Finding, Location, Severity, Verdict

SCHEMA = "interlock.fuzz/1"
EVIDENCE_VALID = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What was fuzzed. `name`: as the user called it; `fail_on`: the least that fails, None for never.

    `refusals_suffice`: whether an operation of which no request succeeded is told, and no more.
    """

    name: str
    contract: Contract
    wish: Wish
    now: dt.datetime
    fail_on: Severity | None
    refusals_suffice: bool = False


def report_of(fuzzed: Fuzzed, setting: Setting) -> Report:
    """The report; it does not depend on how long anything took."""
    found: dict[str, list[Finding]] = {}
    for fault in fuzzed.faults:
        found.setdefault(fault.operation.name, []).append(_finding(fault, setting))
    asked = [each for each in fuzzed.operations if fuzzed.answered.get(each.name)]
    good = [each for each in asked if succeeded(each, fuzzed.answered[each.name])]
    setting = dataclasses.replace(setting, refusals_suffice=setting.refusals_suffice and bool(good))
    cases = [_case(each, fuzzed, found.get(each.name, []), setting) for each in fuzzed.operations]
    cases += [
        Case(name=name, group="fuzz", state=CaseState.UNPROVEN, detail=why)
        for name, why in fuzzed.left_out.items()
    ]
    count = len(cases)
    if fuzzed.sequences is not None:
        cases.append(_in_sequence(fuzzed.sequences, fuzzed.stopped))
    if fuzzed.stopped and all(each.state is not CaseState.UNPROVEN for each in cases):
        cases.append(Case(name="the run", group="fuzz", state=CaseState.UNPROVEN, detail=fuzzed.stopped))
    early = f"; {fuzzed.stopped} before all was asked" if fuzzed.stopped else ""
    closing = (
        f"{number(fuzzed.requests, 'request')} answered by {len(asked)} of {number(count, 'operation')}"
        f"{_never(len(asked) - len(good))}, seed {setting.wish.seed}{early}: "
        f"{counted([each for case in cases for each in case.findings])}"
    )
    return Report(
        schema=SCHEMA,
        title=f"interlock fuzz {setting.name}",
        produced_at=setting.now,
        cases=tuple(cases),
        summary=_summary(fuzzed, setting),
        closing=closing,
        rules=RULES,
    )


def _never(count: int) -> str:
    return f", {count} of them never with success" if count else ""


def _summary(fuzzed: Fuzzed, setting: Setting) -> dict[str, Any]:
    return {
        "url": setting.wish.url,
        "seed": setting.wish.seed,
        "max_examples": setting.wish.max_examples,
        "steps": setting.wish.steps,
        "strict": setting.wish.strict,
        "stopped": fuzzed.stopped,
        "requests": fuzzed.requests,
        "sequences": fuzzed.sequences.asked if fuzzed.sequences else 0,
        "statuses": {
            name: {str(status): count for status, count in counts.items()}
            for name, counts in sorted(fuzzed.answered.items())
        },
        "outcomes": {name: _outcomes(counts) for name, counts in sorted(fuzzed.answered.items())},
        "contract": facts(setting.contract),
    }


def _outcomes(counts: Mapping[int, int]) -> dict[str, int]:
    """How many answers were of which kind."""
    kinds = (("successes", range(400)), ("refusals", range(400, 500)), ("failures", range(500, 1000)))
    return {
        kind: sum(count for status, count in counts.items() if status in within) for kind, within in kinds
    }


def _case(operation: Operation, fuzzed: Fuzzed, found: list[Finding], setting: Setting) -> Case:
    counts = fuzzed.answered.get(operation.name, {})
    detail = ", ".join(f"{status} x {count}" for status, count in counts.items())
    if setting.fail_on is not None and any(findings.at_least(each, setting.fail_on) for each in found):
        state = CaseState.FAILED
    elif refused(counts):
        state = CaseState.UNPROVEN
        detail = f"every answer was a refusal ({detail}){_advice(counts, setting.wish)}"
    elif why := _open(operation, fuzzed):
        state, detail = CaseState.UNPROVEN, f"{why} ({detail})" if detail else why
    elif not succeeded(operation, counts):
        soft = setting.refusals_suffice and not counts.keys() & REFUSED
        state = CaseState.NOT_APPLICABLE if soft else CaseState.UNPROVEN
        detail = f"no request succeeded ({detail}){_advice(counts, setting.wish) or _ADVICE}"
    else:
        state = CaseState.PASSED
    return Case(name=operation.name, group="fuzz", state=state, detail=detail, findings=tuple(found))


def _open(operation: Operation, fuzzed: Fuzzed) -> str | None:
    """Why it was not asked, or not to the end, or not judged."""
    name = operation.name
    trouble = fuzzed.troubles.get(name)
    if not fuzzed.answered.get(name):
        return trouble or fuzzed.stopped or "no answer came"
    if trouble or name not in fuzzed.finished:
        return f"{trouble or fuzzed.stopped or 'it broke off'} before all was asked"
    return fuzzed.unjudged.get(name)


def succeeded(operation: Operation, counts: Mapping[int, int]) -> bool:
    """Whether some answer was as good as the best that is promised: a 2xx, else a 3xx, else anything.

    Who is only ever told 404 has seen nothing of what the operation is for.
    """
    promised = {each.status[:1] for each in operation.answers}
    best = next((kind for kind in "23" if kind in promised), "2" if "d" in promised else None)
    return best is None or any(str(status).startswith(best) for status in counts)


def _in_sequence(sequences: Sequences, stopped: str | None) -> Case:
    """What was wrong in them is said of the operation that showed it."""
    detail, trouble = number(sequences.asked, "sequence"), sequences.trouble
    if stopped:
        trouble = f"{stopped} before all was asked"
    return Case(
        name="sequences of requests",
        group="fuzz",
        state=CaseState.UNPROVEN if trouble else CaseState.PASSED,
        detail=f"{trouble} ({detail})" if trouble else detail,
    )


_ADVICE = ": one that succeeds can stand in the contract as an example"


def _advice(counts: Mapping[int, int], wish: Wish) -> str:
    if not counts.keys() & WANTS_CREDENTIAL:
        return ""
    return ": the credential is not taken" if wish.headers else ": --header NAME=REF sends a credential"


def _finding(fault: Fault, setting: Setting) -> Finding:
    return findings.make(
        fault.check.rule,
        fault.check.severity,
        f"{fault.operation.name}: {_within(fault.title)}",
        location=Location(message_pointer=fault.message_pointer, contract_pointer=contract_pointer(fault)),
        integration=setting.name,
        promised=fault.check.promised,
        seen=fault.seen if fault.times == 1 else f"{fault.seen} ({fault.times} times)",
        fix=f"seen with: {fault.curl}" if fault.curl else None,
        source=setting.contract.source,
    )


def _within(title: str) -> str:
    """A title as it goes on within a sentence; what is written in capitals stays so."""
    return title if title[:2].isupper() else f"{title[:1].lower()}{title[1:]}"


def write_evidence(fuzzed: Fuzzed, report: Report, setting: Setting, folder: Path) -> Path:
    """One piece: proven only where every operation of the contract was asked and kept it."""
    universe = [*(each.name for each in fuzzed.operations), *fuzzed.left_out]
    settled = {case.name for case in report.cases if case.state in {CaseState.PASSED, CaseState.FAILED}}
    judged = [name for name in universe if name in settled]
    least = setting.fail_on or Severity.ERROR
    bad = [each.fingerprint for each in report.all_findings if findings.at_least(each, least)]
    open_ends = not universe or any(case.state is CaseState.UNPROVEN for case in report.cases)
    proven = Verdict.UNPROVEN if open_ends or len(judged) < len(universe) else Verdict.PROVEN
    piece = evidence.make(
        integration=setting.name,
        item="contract-fuzz",
        verdict=Verdict.FAILED if bad else proven,
        kind="fuzz",
        origin="stand_in",  # the provider's own hosts are never fuzzed
        covered=judged,
        universe=universe,
        produced_at=setting.now,
        valid_for=EVIDENCE_VALID,
        finding_ids=bad,
        contract_digest=setting.contract.digest,
    )
    return evidence.write(piece, folder)
