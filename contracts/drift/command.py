"""`interlock drift BASE REVISION`: what changed from one contract to another, or to what was recorded."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from contracts.verify_command import redactor_of, say_rules, secret_shapes
from interlock import findings, options
from interlock import settings as settings_module
from interlock.errors import UsageError
from interlock.records import Severity

if TYPE_CHECKING:
    from contracts.contract import Contract
    from contracts.drift.report import Proof, Terms
    from interlock.output import Report
    from interlock.records import Finding, Interaction
    from interlock.settings import Settings


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line says. `levels`: of every rule, None is off."""

    settings: Settings | None
    levels: Mapping[str, Severity | None]
    now: dt.datetime


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was found. `report`: makes the report once it is known what is accepted; `proof`: what evidence needs."""

    report: Callable[[Terms], Report]
    proof: Proof


@click.command(short_help="Say what changed from a contract to another, or to recorded answers.")
@click.argument("base", required=False)
@click.argument("revisions", nargs=-1, metavar="[REVISION...]")
@options.config
@options.rules
@click.option("--rules", "list_rules", is_flag=True, help="List the rules and end.")
@options.baseline
@options.write_baseline
@options.fail_on
@click.option("--show", type=click.Choice(options.LEVELS), default="info", show_default=True,
              help="The least that the text lists; everything is counted.")  # fmt: skip
@options.form
@options.reports
@options.evidence
def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    base: str | None,
    revisions: tuple[str, ...],
    config: Path | None,
    rules: tuple[str, ...],
    baseline: Path | None,
    write_baseline: Path | None,
    fail_on: str,
    show: str,
    form: str,
    reports: tuple[str, ...],
    folder: Path | None,
    *,
    list_rules: bool,
) -> int:
    """Compare the contract BASE with REVISION.

    BASE is a document (OpenAPI, Swagger, Google discovery, AWS service model) or the name of a provider
    (`interlock contracts` lists them) or of an integration. REVISION is another document or name: what breaks
    clients is an error, what may break them a warning. Or it is recorded traffic, cassettes and folders of any
    format: then the answers in it are held against BASE. A name alone compares our library's contract with the
    one that was pulled.

    Exit status: 0 nothing at or above --fail-on; 1 findings; 3 nothing, or not everything, could be compared, and
    no finding fails; 2 the command or the settings are wrong. docs/drift-rules.md says what each rule finds.
    """
    if list_rules:
        from contracts.drift.table import RULES  # noqa: PLC0415 - keeps --help fast

        return say_rules(RULES.values())
    if base is None:
        raise UsageError("nothing to compare: name BASE and REVISION", hint="`interlock drift --help`")
    from contracts.drift.report import Terms, write_evidence  # noqa: PLC0415
    from contracts.drift.table import RULES  # noqa: PLC0415
    from contracts.rules.table import severities  # noqa: PLC0415
    from interlock.output import exit_status, parse_reports  # noqa: PLC0415
    from interlock.redacted import tell  # noqa: PLC0415

    wanted = parse_reports(reports)
    found = settings_module.wanted(config)
    asked = Asked(
        settings=found,
        levels=severities((*_rules_of(found), *rules), RULES, command="drift"),
        now=dt.datetime.now(dt.UTC),
    )
    accepted = findings.read_baseline(baseline) if baseline else frozenset()
    threshold = options.threshold(fail_on)
    told = compared(base, revisions, asked)
    if write_baseline:
        everything = told.report(Terms(accepted=frozenset(), fail_on=threshold, now=asked.now)).all_findings
        findings.write_baseline(write_baseline, everything)
        accepted |= findings.read_baseline(write_baseline)
    terms = Terms(accepted=accepted, fail_on=threshold, now=asked.now)
    report = told.report(terms)
    redactor = redactor_of(found)
    if folder:
        write_evidence(told.proof, report, terms, folder)
    shown = _worst(report, Severity(show)) if form == "text" else report
    tell(report, redactor, form, wanted, shown=shown)
    return exit_status(report, threshold)


def _rules_of(found: Settings | None) -> list[str]:
    return [f"{name}={level}" for name, level in found.drift.rules.items()] if found else []


def _worst(report: Report, least: Severity) -> Report:
    """The report without the findings below `least`; its closing line says how many those are."""
    hidden = sum(not findings.at_least(each, least) for each in report.all_findings)
    if not hidden:
        return report
    cases = tuple(
        dataclasses.replace(
            case, findings=tuple(each for each in case.findings if findings.at_least(each, least))
        )
        for case in report.cases
    )
    return dataclasses.replace(report, cases=cases, closing=f"{report.closing} ({hidden} not listed)")


def compared(base: str, revisions: Sequence[str], asked: Asked) -> Told:
    """Compare as it was asked. Raises `UsageError`."""
    if not revisions:
        return _contracts(*_both(base, asked), asked)
    one = contract_of(base, asked)
    if len(revisions) == 1 and not Path(revisions[0]).is_dir():
        try:
            two = contract_of(revisions[0], asked)
        except UsageError as exc:
            return _recordings(one, revisions, asked, no_contract=exc)
        return _contracts(one, two, asked)
    return _recordings(one, revisions, asked)


def contract_of(name: str, asked: Asked) -> Contract:
    """The contract in a file, or that of a provider. Raises `UsageError`."""
    from contracts import adapters  # noqa: PLC0415 - keeps --help fast
    from contracts.shelf import Shelf  # noqa: PLC0415

    path, shelf = Path(name), Shelf.of(asked.settings)
    if path.is_file():
        return adapters.load(path)
    called = shelf.called(name, asked.settings)
    if called in shelf.known():
        return shelf.load(called)
    what = (
        "a folder, not a contract" if path.is_dir() else "neither a file nor a contract that is known by name"
    )
    raise UsageError(f"{name}: is {what}", hint="`interlock contracts` lists the names")


def _both(name: str, asked: Asked) -> tuple[Contract, Contract]:
    """Our library's contract of a provider, and the one that was pulled, or the part of it that is named."""
    from contracts import adapters  # noqa: PLC0415
    from contracts.contract import FILE, LIBRARY, PULLED  # noqa: PLC0415
    from contracts.shelf import Shelf, provider_of  # noqa: PLC0415

    shelf = Shelf.of(asked.settings)
    known = shelf.known().get(shelf.called(name, asked.settings))
    if known is None or known.origin == FILE:
        contract_of(name, asked)  # what is no contract at all is said first
        raise UsageError(
            f"{name}: is compared with nothing",
            hint="name REVISION too: a document, a provider or recordings",
        )
    name, provider = known.name, provider_of(known.name)
    ours = shelf.library / provider / "openapi.yaml"
    if known.origin != PULLED or not ours.is_file():
        *parts, _ = shelf.family(name)
        raise UsageError(
            f"{name}: there is one contract of the whole alone"
            if parts
            else f"{name}: there is one contract of it alone",
            hint=f"its own documents are: {', '.join(parts)}"
            if parts
            else f"`interlock contracts pull {name}` fetches another",
        )
    source = f"contracts/library/{provider}/{ours.name}"
    base = adapters.load(ours, name=provider, source=source, origin=LIBRARY, partial=True)
    return base, shelf.load(name)


def _contracts(base: Contract, revision: Contract, asked: Asked) -> Told:
    from contracts.drift.compare import compare  # noqa: PLC0415
    from contracts.drift.report import Proof, of_contracts  # noqa: PLC0415

    found = compare(base, revision, today=asked.now.date(), levels=asked.levels)
    told = functools.partial(of_contracts, base, revision, found)
    return Told(report=told, proof=Proof.of_contracts(base, revision, found))


def _recordings(
    base: Contract, paths: Sequence[str], asked: Asked, *, no_contract: UsageError | None = None
) -> Told:
    from contracts.drift.recorded import recorded_drift  # noqa: PLC0415
    from contracts.drift.report import Proof, of_recordings  # noqa: PLC0415
    from contracts.rules.table import severities  # noqa: PLC0415
    from contracts.view import Bench, Rulebook  # noqa: PLC0415
    from interlock.redaction import Redactor  # noqa: PLC0415

    interactions, broken = _read(paths, no_contract)
    redactor = Redactor(shapes=[re.compile(shape) for shape in secret_shapes()])
    bench = Bench(base, Rulebook(severities=severities(()), now=asked.now, redactor=redactor))
    found = recorded_drift(interactions, bench, levels=asked.levels)
    told = functools.partial(of_recordings, base, ", ".join(paths), found, broken)
    return Told(report=told, proof=Proof.of_recordings(base, found))


def _read(paths: Sequence[str], no_contract: UsageError | None) -> tuple[list[Interaction], list[Finding]]:
    from cassettes import read  # noqa: PLC0415

    for path in paths:
        if not Path(path).exists():
            raise no_contract or UsageError(f"{path}: there is no such file or folder")
    interactions: list[Interaction] = []
    broken: list[Finding] = []
    for reading in read.read_paths([Path(path) for path in paths]):
        if reading.format is None and no_contract is not None:
            raise UsageError(
                f"{paths[0]}: is neither a contract nor a recording",
                hint=f"as a contract: {no_contract.message.removeprefix(f'{paths[0]}: ')}",
            )
        interactions += reading.interactions
        if reading.format is not None or any(
            findings.at_least(f, Severity.WARNING) for f in reading.findings
        ):
            broken += reading.findings
    return interactions, broken
