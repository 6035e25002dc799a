"""`interlock scan` finds secrets in recordings and any text; `interlock scrub` writes recordings without them."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from cassettes.redact import personal, report, sources
from cassettes.redact.files import Looked, UnwritableError, look_at
from cassettes.redact.redactor import Redactor, wanted
from cassettes.redact.sources import Piece
from interlock import findings, options
from interlock import settings as settings_module
from interlock.errors import InterlockError, UsageError
from interlock.evidence import write_whole
from interlock.integration import known_secrets, resolve_all
from interlock.output import Case, CaseState, Report, counted, exit_status, number, parse_reports, render
from interlock.records import Finding, Severity
from interlock.secrets import Secret, SecretRef
from interlock.settings import Settings

SCAN_SCHEMA = "interlock.scan/1"
SCRUB_SCHEMA = "interlock.scrub/1"
DEFAULT_MAX_BYTES = 32 * 1024 * 1024

_CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also look for the secrets that it names.",
)
_MAX_BYTES = click.option(
    "--max-bytes", type=click.IntRange(min=1), default=DEFAULT_MAX_BYTES, show_default=True,
    help="Leave larger files alone, and say so.",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One text that was looked at; `looked` is None where it could not be, `why` says why."""

    piece: Piece
    looked: Looked | None
    why: str = ""
    lost: bool = False


@click.command(short_help="Find secrets in recordings, sources, logs and git history.")
@click.argument("paths", nargs=-1, metavar="PATH...", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--git", is_flag=True, help="Look at the history of the repositories at PATH (default: here).")
@click.option(
    "--personal",
    "rules",
    metavar="RULES",
    help=f"Also find personal data: all, or some of {', '.join(personal.RULES)}.",
)
@_CONFIG
@options.baseline
@options.write_baseline
@options.fail_on
@_MAX_BYTES
@options.form
@options.reports
def scan(  # noqa: PLR0913, PLR0917 - one argument for each option
    paths: tuple[Path, ...],
    rules: str | None,
    config: Path | None,
    baseline: Path | None,
    write_baseline: Path | None,
    fail_on: str,
    max_bytes: int,
    form: str,
    reports: tuple[str, ...],
    *,
    git: bool,
) -> int:
    """Find secrets in cassettes of any format and in any text: files, folders, - for standard input.

    Each is named by place and kind; its value is never shown. Placeholders that scrub and record left are no
    findings. Folders of tools (.git, node_modules and the like), links and binary files are passed over.

    Exit status: 0 nothing found; 1 findings at or above --fail-on; 3 something could not be looked at, or
    there was nothing to look at; 2 the command or the settings are wrong.
    """
    wanted_reports = parse_reports(reports)
    accepted = findings.read_baseline(baseline) if baseline else frozenset[str]()
    redactor = Redactor(_known(_settings(config)), personal=_rules(rules, none=True))
    placed = findings.placed(paths, baseline)
    looks = _progress(
        _look(_to_scan(placed, max_bytes, git=git), redactor, scrub=False), "scanning", shown=form == "text"
    )
    found = [_light(each) for each in looks]
    made = _scan_report(found, accepted)
    if write_baseline:
        findings.write_baseline(write_baseline, _all_findings(found))
        made = _scan_report(found, frozenset(each.fingerprint for each in _all_findings(found)))
    _show(made, form, wanted_reports)
    return exit_status(made, options.threshold(fail_on))


@click.command(short_help="Write recordings without the secrets in them.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@click.option("--in-place", is_flag=True, help="Replace the files.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Write copies here."
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if something would change.")
@click.option(
    "--personal", "rules", metavar="RULES", default="all", show_default=True,
    help=f"Personal data to take out too: all, none, or some of {', '.join(personal.RULES)}.",
)  # fmt: skip
@click.option(
    "--key",
    metavar="REF",
    help="env:NAME or file:PATH: with the same key, the same secret gets the same placeholder.",
)
@_CONFIG
@_MAX_BYTES
@options.form
@options.reports
def scrub(  # noqa: PLR0913, PLR0917 - one argument for each option
    paths: tuple[Path, ...],
    out: Path | None,
    rules: str,
    key: str | None,
    config: Path | None,
    max_bytes: int,
    form: str,
    reports: tuple[str, ...],
    *,
    in_place: bool,
    check: bool,
) -> int:
    """Take secrets and personal data out of cassettes of any format, in the format that they have.

    Only the values that hold one are written anew; all else stays, byte for byte. A placeholder has the form
    of what it replaces, so that a recording still replays. The placeholders of one run agree with each other;
    those of two runs if --key, or the settings' fingerprint_key, is the same.

    Exit status: 0 done; 1 --check found something; 3 a file could not be done; 2 the command is wrong.
    """
    if in_place + (out is not None) + check != 1:
        raise UsageError("scrub needs one of --in-place, --out DIR and --check")
    if any(str(path) == sources.STANDARD_INPUT for path in paths):
        raise UsageError("scrub wants files or folders, not standard input")
    wanted_reports = parse_reports(reports)
    settings = _settings(config)
    redactor = Redactor(_known(settings), key=_key(key, settings), personal=_rules(rules, none=False))
    sought = sources.pieces(paths, max_bytes=max_bytes, stdin=sys.stdin.buffer)
    seen = []
    for each in _progress(_look(sought, redactor, scrub=True), "scrubbing", shown=form == "text"):
        if each.looked is not None and not check:
            _write(each, paths, out)
        seen.append(_light(each))
    made = _scrub_report(seen, check=check)
    _show(made, form, wanted_reports)
    return exit_status(made, Severity.INFO if check else None)


# -- what is looked for ------------------------------------------------------------------------------


def _settings(config: Path | None) -> Settings | None:
    return None if config is None else settings_module.wanted(config)


def _known(settings: Settings | None) -> list[Secret]:
    """The secrets that the settings name; one that is not set here cannot be looked for."""
    return [] if settings is None else list(known_secrets(settings, resolve_all(settings)))


def _rules(text: str | None, *, none: bool) -> frozenset[str]:
    if text is None or text == "none":
        return frozenset()
    if text == "all":
        return frozenset(personal.RULES)
    return wanted([name for name in (part.strip() for part in text.split(",")) if name or none])


def _key(reference: str | None, settings: Settings | None) -> bytes | None:
    if reference is not None:
        try:
            return SecretRef.parse(reference).resolve().reveal().encode()
        except ValueError as exc:
            raise UsageError(f"--key {exc}") from None
    if settings is None or settings.suite.fingerprint_key is None:
        return None
    with contextlib.suppress(InterlockError):  # it is not set here: the placeholders are this run's own
        return settings.suite.fingerprint_key.resolve(base=settings.folder).reveal().encode()
    return None


def _to_scan(paths: tuple[Path, ...], max_bytes: int, *, git: bool) -> Iterator[Piece]:
    if not git:
        if not paths:
            raise UsageError(
                "scan needs a PATH", hint="`interlock scan .` looks at this folder; - at standard input"
            )
        yield from sources.pieces(paths, max_bytes=max_bytes, stdin=sys.stdin.buffer)
    for folder in (paths or (Path(),)) if git else ():
        yield from sources.history(folder, max_bytes=max_bytes)


def _look(sought: Iterable[Piece], redactor: Redactor, *, scrub: bool) -> Iterator[Seen]:
    for piece in sought:
        if piece.raw is None:
            yield Seen(piece=piece, looked=None, why=piece.why, lost=piece.lost)
            continue
        try:
            yield Seen(
                piece=piece,
                looked=look_at(piece.raw, piece.name, redactor, strict=scrub or None, rewrite=scrub),
            )
        except UnwritableError as exc:
            yield Seen(piece=piece, looked=None, why=str(exc), lost=True)


def _light(seen: Seen) -> Seen:
    """The same without the text itself: a tree or a history is larger than memory."""
    looked = None if seen.looked is None else dataclasses.replace(seen.looked, raw=b"")
    return dataclasses.replace(seen, piece=dataclasses.replace(seen.piece, raw=None), looked=looked)


# -- what is written ---------------------------------------------------------------------------------


def _write(seen: Seen, paths: tuple[Path, ...], out: Path | None) -> None:
    assert seen.looked is not None
    path = seen.piece.path
    assert path is not None
    if out is not None:
        write_whole(out / _below(path, paths), seen.looked.raw, mode=_mode(path))
    elif seen.looked.hits:
        write_whole(Path(os.path.realpath(path)), seen.looked.raw, mode=_mode(path))


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644


def _below(path: Path, paths: tuple[Path, ...]) -> Path:
    """Where a file is written below `--out`: as it lies in the folder that was named."""
    for folder in paths:
        if folder.is_dir() and path.is_relative_to(folder):
            return path.relative_to(folder)
    return Path(path.name)


# -- what is said ------------------------------------------------------------------------------------


def _all_findings(found: Iterable[Seen]) -> Iterator[Finding]:
    for each in found:
        if each.looked is not None:
            yield from report.of(each.piece, each.looked)


def _scan_report(found: list[Seen], accepted: frozenset[str]) -> Report:
    cases, known = [], 0
    for each in found:
        own = [] if each.looked is None else list(report.of(each.piece, each.looked))
        new = findings.beyond(own, accepted)
        known += len(own) - len(new)
        if case := _case(each, tuple(new), "scan"):
            cases.append(case)
    counts = _counts(found)
    shown = [finding for case in cases for finding in case.findings]
    closing = f"{counted(shown)} in {number(counts['looked_at'], 'text')}{_passed_over(counts)}"
    if known:
        closing += f"; {known} in the baseline"
    return Report(
        schema=SCAN_SCHEMA, title="interlock scan", produced_at=dt.datetime.now(dt.UTC), cases=tuple(cases),
        summary=counts | {"in_baseline": known, "by_rule": _by_rule(shown)}, closing=closing,
        rules=_about(cases),
    )  # fmt: skip


def _scrub_report(seen: list[Seen], *, check: bool) -> Report:
    cases = []
    for each in seen:
        own = () if each.looked is None else tuple(report.of(each.piece, each.looked))
        if case := _case(each, own if check else (), "scrub"):
            cases.append(case)
    counts = _counts(seen)
    changed = [each for each in seen if each.looked is not None and each.looked.hits]
    replaced = sum(len(each.looked.hits) for each in changed if each.looked is not None)
    verb = "would be replaced" if check else "replaced"
    closing = f"{number(replaced, 'value')} in {len(changed)} of {number(counts['looked_at'], 'file')} {verb}"
    closing += _passed_over(counts)
    return Report(
        schema=SCRUB_SCHEMA, title="interlock scrub", produced_at=dt.datetime.now(dt.UTC), cases=tuple(cases),
        summary=counts | {"changed": [each.piece.name for each in changed], "replaced": replaced}, closing=closing,
        rules=_about(cases),
    )  # fmt: skip


def _about(cases: Iterable[Case]) -> dict[str, str]:
    return {found.rule: report.said(found.rule) for case in cases for found in case.findings}


def _case(seen: Seen, own: tuple[Finding, ...], group: str) -> Case | None:
    """What was looked at, or should have been; what is passed over stands in the summary alone."""
    name = seen.piece.name + (f" ({seen.piece.commit[:12]})" if seen.piece.commit else "")
    if seen.looked is None:
        return Case(name=name, group=group, state=CaseState.UNPROVEN, detail=seen.why) if seen.lost else None
    state = CaseState.FAILED if own else CaseState.PASSED
    return Case(name=name, group=group, state=state, findings=own)


def _counts(found: list[Seen]) -> dict[str, Any]:
    passed = [each for each in found if each.looked is None and not each.lost]
    reasons = sorted({each.why for each in passed})
    return {
        "looked_at": sum(each.looked is not None for each in found),
        "not_looked_at": sum(each.lost for each in found),
        "passed_over": {why: sum(each.why == why for each in passed) for why in reasons},
    }


def _passed_over(counts: dict[str, Any]) -> str:
    said = [f"{count} {why}" for why, count in counts["passed_over"].items()]
    if counts["not_looked_at"]:
        said.append(f"{counts['not_looked_at']} that could not be looked at")
    return f"; passed over: {', '.join(said)}" if said else ""


def _by_rule(shown: list[Finding]) -> dict[str, int]:
    rules = sorted({finding.rule for finding in shown})
    return {rule: sum(finding.rule == rule for finding in shown) for rule in rules}


def _show(made: Report, form: str, wanted_reports: list[tuple[str, Path]]) -> None:
    for kind, path in wanted_reports:
        write_whole(path, render(made, kind))
    click.echo(render(made, form, terminal=sys.stdout.isatty()), nl=False)


def _progress(seen: Iterator[Seen], what: str, *, shown: bool) -> Iterator[Seen]:
    """The same, counted on standard error where that is a terminal."""
    if not (shown and sys.stderr.isatty()):
        yield from seen
        return
    from rich.console import Console  # noqa: PLC0415 - only for a terminal
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (
        SpinnerColumn(),
        TextColumn(f"{what} {{task.completed}} {{task.description}}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        for each in seen:
            bar.update(task, advance=1, description=each.piece.name[-60:])
            yield each
