"""What commands that look for findings print and write: text, JSON, JUnit, SARIF 2.1.0 and Markdown."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from interlock import __version__
from interlock.errors import UsageError
from interlock.findings import WORST_FIRST, at_least, in_order
from interlock.records import Finding, Severity, plain

PIPED_WIDTH = 120
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.ERROR: "red",
    Severity.WARNING: "yellow",
    Severity.INFO: "bright_black",
}
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "note",
}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class CaseState(StrEnum):
    """How one case ended. Only `PASSED` is a pass: what was not looked at proves nothing."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not_applicable"
    UNPROVEN = "unproven"  # it was to be looked at, and could not be judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing that was looked at: a file, an interaction, a fault, a delivery.

    `group`: what it belongs to. `detail`: one redacted sentence; why, where it is neither passed nor failed.
    `seconds`: how long it took, None where nothing was timed.
    """

    name: str
    group: str
    state: CaseState
    detail: str = ""
    findings: tuple[Finding, ...] = ()
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a command found. `schema`: of its JSON form, such as `interlock.verify/1`.

    `title`: the command as a reader knows it. `findings`: those that belong to no case. `summary`: counts and
    facts, JSON-ready, that stand in the JSON form. `closing`: the line that sums it up. `every_case`: whether
    the text form lists cases that passed too. `rules`: what a rule is about, in a sentence, by its name; where the
    command has no such sentence, the name alone stands in SARIF. `notes`: lines for people on what could not be
    looked into though its case was; programs have it in the summary.
    """

    schema: str
    title: str
    produced_at: dt.datetime
    cases: tuple[Case, ...] = ()
    findings: tuple[Finding, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)
    closing: str = ""
    every_case: bool = False
    rules: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def all_findings(self) -> list[Finding]:
        """Every finding, in the order in which they are shown."""
        return in_order([*self.findings, *(each for case in self.cases for each in case.findings)])


def parse_reports(wanted: tuple[str, ...], known: Collection[str] = ()) -> list[tuple[str, Path]]:
    """`FORMAT=FILE` pairs of `--report`; `known`: the formats, all but text if not said. Raises `UsageError`."""
    kinds = [kind for kind in (known or RENDERERS) if kind != "text"]
    found = []
    for text in wanted:
        kind, _, path = text.partition("=")
        if kind not in kinds or not path:
            raise UsageError(f"--report {text}: must be FORMAT=FILE with one of {', '.join(kinds)}")
        found.append((kind, Path(path)))
    return found


def render(report: Report, kind: str, *, terminal: bool = False) -> str:
    """The report in one of the formats."""
    return RENDERERS[kind](report, terminal)


def exit_status(report: Report, fail_on: Severity | None = Severity.ERROR) -> int:
    """1 for a finding at or above `fail_on` (None: never); 3 if nothing was judged; else 0."""
    if fail_on is not None and any(at_least(finding, fail_on) for finding in report.all_findings):
        return 1
    judged = [case for case in report.cases if case.state in {CaseState.PASSED, CaseState.FAILED}]
    unproven = any(case.state is CaseState.UNPROVEN for case in report.cases)
    return 3 if unproven or not judged else 0


def number(count: int, noun: str) -> str:
    """A count with its noun: `1 cassette`, `2 cassettes`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def counted(findings: Collection[Finding]) -> str:
    """How many of each severity, the worst first: `2 errors, 1 warning`."""
    parts = []
    for severity in WORST_FIRST:
        if count := sum(finding.severity is severity for finding in findings):
            name = severity.value if severity in {Severity.CRITICAL, Severity.INFO} else f"{severity.value}s"
            parts.append(f"{count} {severity.value if count == 1 else name}")
    return ", ".join(parts) or "no findings"


def place(finding: Finding) -> str:
    """Where a finding is, as one text: `file:line interaction 3 /body/amount`."""
    where = finding.location
    parts = [f"{where.file}:{where.line}" if where.file and where.line else where.file or ""]
    if where.interaction is not None:
        parts.append(f"interaction {where.interaction}")
    if where.message_pointer is not None:
        parts.append(where.message_pointer)
    return " ".join(part for part in parts if part)


def as_text(report: Report, terminal: bool) -> str:  # noqa: FBT001 - one signature for the table
    """Findings with place, promise and what was seen, then what could not be judged, and the closing line."""
    from rich.console import Console  # noqa: PLC0415 - only for text
    from rich.text import Text  # noqa: PLC0415

    stream = io.StringIO()
    width = Console().width if terminal else max(Console().width, PIPED_WIDTH)
    console = Console(file=stream, force_terminal=terminal, width=width, highlight=False)

    def line(text: str, style: str = "", indent: int = 0) -> None:
        console.print(Text(" " * indent + text, style=style if terminal else ""), soft_wrap=not terminal)

    for case in report.cases:
        if report.every_case or case.state in {CaseState.UNPROVEN, CaseState.NOT_APPLICABLE}:
            said = f": {case.detail}" if case.detail else ""
            line(f"{case.state.value:<14} {case.name}{said}")
    for finding in report.all_findings:
        head = f"{finding.severity.value} {finding.rule}: {finding.subject}"
        line(head, STYLES[finding.severity])
        for name, value in _told(finding):
            line(f"{name:<9} {value}", indent=2)
    for note in report.notes:
        line(note, "bright_black")
    line(report.closing or counted(report.all_findings))
    return "\n".join(each.rstrip() for each in stream.getvalue().splitlines()) + "\n"


def _told(finding: Finding) -> Iterator[tuple[str, str]]:
    rows = (
        ("at", place(finding)),
        ("contract", finding.location.contract_pointer),
        ("promised", finding.promised),
        ("seen", finding.seen),
        ("fix", finding.fix),
        ("source", finding.source),
    )
    return ((name, value) for name, value in rows if value)


def as_json(report: Report, _: bool) -> str:  # noqa: FBT001
    """The stable JSON form."""
    form = {
        "schema": report.schema,
        "tool_version": __version__,
        "produced_at": plain(report.produced_at),
        "summary": plain(report.summary),
        "closing": report.closing,
        "cases": [plain(case) for case in report.cases],
        "findings": [plain(finding) for finding in in_order(report.findings)],
    }
    return json.dumps(form, indent=2) + "\n"


def as_junit(report: Report, _: bool) -> str:  # noqa: FBT001
    """JUnit XML: a suite a group, a case a case; what could not be judged is an error, not a pass."""
    groups: dict[str, list[Case]] = {}
    for case in _with_loose_findings(report):
        groups.setdefault(case.group, []).append(case)
    lines = ['<?xml version="1.0" encoding="utf-8"?>', f"<testsuites name={_attribute(report.title)}>"]
    for name, cases in groups.items():
        count = {state: sum(case.state is state for case in cases) for state in CaseState}
        lines.append(
            f'  <testsuite name={_attribute(name)} tests="{len(cases)}" failures="{count[CaseState.FAILED]}" '
            f'errors="{count[CaseState.UNPROVEN]}" skipped="{count[CaseState.NOT_APPLICABLE]}" '
            f'timestamp="{report.produced_at:%Y-%m-%dT%H:%M:%S}">'
        )
        lines += [_junit_case(case) for case in cases]
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>", ""])


def _with_loose_findings(report: Report) -> Iterator[Case]:
    yield from report.cases
    for finding in in_order(report.findings):
        yield Case(name=finding.rule, group=report.title, state=CaseState.FAILED, findings=(finding,))


def _junit_case(case: Case) -> str:
    head = f"    <testcase classname={_attribute(case.group)} name={_attribute(case.name)}"
    head += "" if case.seconds is None else f' time="{case.seconds:.3f}"'
    if case.state is CaseState.NOT_APPLICABLE:
        return f"{head}><skipped message={_attribute(case.detail)}/></testcase>"
    if case.state is CaseState.UNPROVEN:
        return f"{head}><error message={_attribute(case.detail)}/></testcase>"
    if not case.findings:
        return f"{head}/>" if case.state is CaseState.PASSED else f"{head}><failure/></testcase>"
    told = "\n\n".join("\n".join((_said(f), *(f"{n}: {v}" for n, v in _told(f)))) for f in case.findings)
    if case.state is CaseState.PASSED:
        return f"{head}><system-out>{escape(_xml(told))}</system-out></testcase>"
    message = counted(case.findings)
    return f"{head}><failure message={_attribute(message)}>{escape(_xml(told))}</failure></testcase>"


def _said(finding: Finding) -> str:
    return f"{finding.severity.value} {finding.rule}: {finding.subject}"


def _attribute(text: str) -> str:
    return quoteattr(_xml(text))


def _xml(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return _NOT_XML.sub("\ufffd", text)


def as_sarif(report: Report, _: bool) -> str:  # noqa: FBT001
    """SARIF 2.1.0, as code-scanning services read it."""
    findings = report.all_findings
    rules = sorted({finding.rule for finding in findings})
    run = {
        "tool": {
            "driver": {
                "name": "interlock",
                "semanticVersion": __version__,
                "rules": [_rule(rule, report.rules.get(rule)) for rule in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, rules.index(finding.rule)) for finding in findings],
    }
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(name: str, about: str | None) -> dict[str, Any]:
    return {"id": name, "name": name} | ({"shortDescription": {"text": about}} if about else {})


def _result(finding: Finding, index: int) -> dict[str, Any]:
    where = finding.location
    message = "\n".join([finding.subject, *(f"{name}: {value}" for name, value in _told(finding))])
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": message},
        "partialFingerprints": {"interlock/v1": finding.fingerprint},
    }
    location: dict[str, Any] = {}
    if where.file:
        location["physicalLocation"] = {
            "artifactLocation": {"uri": quote(Path(where.file).as_posix())},
            "region": {"startLine": where.line or 1},
        }
    if named := " ".join(p for p in (where.message_pointer, where.contract_pointer) if p):
        location["logicalLocations"] = [{"fullyQualifiedName": named}]
    return result | ({"locations": [location]} if location else {})


def as_markdown(report: Report, _: bool) -> str:  # noqa: FBT001
    """A summary and a table of the findings, for a pull request."""
    findings = report.all_findings
    lines = [f"**{report.title}**: {report.closing or counted(findings)}", ""]
    if findings:
        lines += ["| severity | rule | what | where | promised | seen |", "|---|---|---|---|---|---|"]
        lines += [_row(f.severity.value, f.rule, f.subject, place(f), f.promised, f.seen) for f in findings]
        lines.append("")
    unjudged = [case for case in report.cases if case.state is CaseState.UNPROVEN]
    if unjudged:
        lines += ["| not judged | why |", "|---|---|", *(_row(c.name, c.detail) for c in unjudged), ""]
    if report.notes:
        lines += [*(f"- {note.replace('<', '&lt;')}" for note in report.notes), ""]
    return "\n".join(lines)


def _row(*cells: str | None) -> str:
    escaped = ((cell or "").replace("\\", "\\\\").replace("|", "\\|") for cell in cells)
    return "| " + " | ".join(" ".join(cell.split()).replace("<", "&lt;") for cell in escaped) + " |"


RENDERERS: dict[str, Callable[[Report, bool], str]] = {
    "text": as_text,
    "json": as_json,
    "junit": as_junit,
    "sarif": as_sarif,
    "markdown": as_markdown,
}
