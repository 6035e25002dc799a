"""Findings: made with a stable fingerprint, ranked by severity, and held against a baseline."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from interlock.errors import UsageError
from interlock.evidence import write_whole
from interlock.records import Finding, Location, Severity

BASELINE_SCHEMA = "interlock.baseline/1"
WORST_FIRST = (Severity.CRITICAL, Severity.ERROR, Severity.WARNING, Severity.INFO)
_RANK = {severity: rank for rank, severity in enumerate(reversed(WORST_FIRST))}


def make(  # noqa: PLR0913 - one argument for each field of the record
    rule: str,
    severity: Severity,
    subject: str,
    *,
    location: Location | None = None,
    integration: str | None = None,
    promised: str | None = None,
    seen: str | None = None,
    fix: str | None = None,
    source: str | None = None,
    told_apart_by: str = "",
) -> Finding:
    """A finding with its fingerprint: of rule, subject and place, without line number and what was seen.

    So it stays the same while a file grows above it, and from run to run. `told_apart_by` tells two findings
    of one rule at one place from each other.
    """
    place = location or Location()
    parts = (
        rule,
        integration,
        subject,
        place.file,
        place.interaction,
        place.message_pointer,
        place.contract_pointer,
        told_apart_by,
    )
    text = "\0".join("" if part is None else str(part) for part in parts)
    return Finding(
        fingerprint=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24],
        rule=rule,
        severity=severity,
        integration=integration,
        subject=subject,
        location=place,
        promised=promised,
        seen=seen,
        fix=fix,
        source=source,
    )


def at_least(finding: Finding, threshold: Severity) -> bool:
    """Whether a finding is as bad as `threshold`, or worse."""
    return _RANK[finding.severity] >= _RANK[threshold]


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """By file, interaction, line, then the worst first: the same order from run to run."""

    def place(finding: Finding) -> tuple[str, int, int, int, str, str, str, str]:
        where = finding.location
        interaction = -1 if where.interaction is None else where.interaction
        return (
            where.file or "",
            interaction,
            where.line or 0,
            -_RANK[finding.severity],
            finding.rule,
            where.message_pointer or "",
            where.contract_pointer or "",
            finding.fingerprint,
        )

    return sorted(findings, key=place)


def read_baseline(path: Path) -> frozenset[str]:
    """The fingerprints that a baseline file holds. Raises `UsageError`."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["schema"] != BASELINE_SCHEMA:
            raise UsageError(f"{path}: is a {data['schema']!r}, not an {BASELINE_SCHEMA!r}")
        return frozenset(str(entry["fingerprint"]) for entry in data["findings"])
    except OSError as exc:
        raise UsageError(f"{path} cannot be read: {exc.strerror}", hint="--write-baseline makes it") from exc
    except (ValueError, KeyError, TypeError) as exc:
        raise UsageError(f"{path}: is not a baseline file", hint="--write-baseline makes one") from exc


def placed(paths: Iterable[Path], baseline: Path | None) -> tuple[Path, ...]:
    """Paths as they are from the working directory, so that a finding is known again however its file was spelled.

    What lies outside of it stays as it is, and so does all where the baseline was written with absolute paths.
    """
    found = tuple(paths)
    return found if baseline and _is_absolute(baseline) else tuple(map(_placed, found))


def _placed(path: Path) -> Path:
    here = Path.cwd()
    for whole in (Path(os.path.abspath(path)), Path(os.path.realpath(path))):  # noqa: PTH100 - by its text alone
        if whole.is_relative_to(here) and os.path.realpath(whole) == os.path.realpath(path):
            return whole.relative_to(here)
    return path


def _is_absolute(baseline: Path) -> bool:
    try:
        entries = json.loads(baseline.read_text(encoding="utf-8"))["findings"]
        return any(Path(each.get("file") or "").is_absolute() for each in entries)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False  # what is no baseline is said where it is read


def write_baseline(path: Path, findings: Iterable[Finding]) -> None:
    """Write the findings of today as accepted: fingerprints, and what a reviewer needs to know them by."""
    entries = [
        {
            "fingerprint": finding.fingerprint,
            "rule": finding.rule,
            "subject": finding.subject,
            "file": finding.location.file,
        }
        for finding in in_order(findings)
    ]
    write_whole(path, json.dumps({"schema": BASELINE_SCHEMA, "findings": entries}, indent=2) + "\n")


def beyond(findings: Iterable[Finding], baseline: frozenset[str]) -> list[Finding]:
    """Those that the baseline does not hold."""
    return [finding for finding in findings if finding.fingerprint not in baseline]
