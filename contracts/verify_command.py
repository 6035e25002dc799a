"""`interlock verify PATH...`: recorded traffic held against what the providers promised, run by pytest."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from interlock import findings, options
from interlock import settings as settings_module
from interlock.errors import CannotJudge, InterlockError, UsageError
from interlock.progress import progress

if TYPE_CHECKING:
    from contracts.rules.table import Rule
    from contracts.running import Options, Outcome
    from interlock.redaction import Redactor
    from interlock.settings import Settings


@click.command(short_help="Hold recorded traffic against what the providers promised.")
@click.argument("paths", nargs=-1, metavar="PATH...", type=click.Path(path_type=Path))
@click.option(
    "--provider", metavar="NAME", help="Hold everything against the contract of this provider or integration."
)
@click.option(
    "--contract", "contracts", multiple=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Hold everything against this document: OpenAPI, Swagger, Google discovery or a service model of "
    "botocore (botocore:s3 is the installed one). May be given again.",
)  # fmt: skip
@options.config
@options.rules
@click.option("--rules", "list_rules", is_flag=True, help="List the rules and end.")
@options.baseline
@options.write_baseline
@click.option("--old-after", type=click.FloatRange(min=0), default=365.0, show_default=True, metavar="DAYS",
              help="Age from which a recording is old.")  # fmt: skip
@click.option(
    "--complete", is_flag=True, help="The recordings show every header that was sent, credentials too."
)
@click.option(
    "-n",
    "--jobs",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes to spread files over.",
)
@options.fail_on
@options.form
@options.reports
@options.evidence
def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    paths: tuple[Path, ...],
    provider: str | None,
    contracts: tuple[Path, ...],
    config: Path | None,
    rules: tuple[str, ...],
    baseline: Path | None,
    write_baseline: Path | None,
    old_after: float,
    jobs: int,
    fail_on: str,
    form: str,
    reports: tuple[str, ...],
    folder: Path | None,
    *,
    list_rules: bool,
    complete: bool,
) -> int:
    """Verify cassettes of any format, files or folders, against contracts.

    Without --provider or --contract the provider is found out by the host of each request; its contract is the
    one that the settings name (`contract` of an integration), else the one that was pulled (`interlock contracts
    pull`), else that of our library.

    Exit status: 0 every promise kept; 1 findings at or above --fail-on; 3 a cassette of which nothing could be
    held against a contract, or nothing to look at; 2 the command or the settings are wrong.
    """
    if list_rules:
        from contracts.rules.table import RULES  # noqa: PLC0415 - keeps --help fast

        return say_rules(RULES.values())
    from contracts.reporting import report_of, write_evidence  # noqa: PLC0415 - keeps --help fast
    from contracts.running import Options  # noqa: PLC0415
    from contracts.shelf import Shelf  # noqa: PLC0415
    from interlock.output import exit_status, parse_reports  # noqa: PLC0415
    from interlock.redacted import tell  # noqa: PLC0415

    wanted = parse_reports(reports)
    found = settings_module.wanted(config)
    accepted = findings.read_baseline(baseline) if baseline else frozenset()
    asked = Options(
        paths=tuple(map(str, findings.placed(_existing(paths), baseline))),
        root=str(found.folder if found else Path.cwd()),
        now=dt.datetime.now(dt.UTC).isoformat(),
        provider=_called(provider, found) if provider else None,
        contracts=tuple(str(path) for path in contracts),
        rules=(*_rules_of(found), *rules),
        old_after_days=old_after,
        complete=complete,
        shapes=tuple(secret_shapes()),
        own=Shelf.of(found).own,
    )
    outcomes = run(asked, jobs=jobs, shown=form == "text")
    threshold = options.threshold(fail_on)
    if write_baseline:
        findings.write_baseline(write_baseline, [each for outcome in outcomes for each in outcome.findings])
        accepted |= findings.read_baseline(write_baseline)
    report = report_of(outcomes, asked, accepted=accepted, fail_on=threshold)
    redactor = redactor_of(found)
    if folder:
        write_evidence(outcomes, asked, folder, fail_on=threshold, accepted=accepted)
    tell(report, redactor, form, wanted)
    return exit_status(report, threshold)


def say_rules(rules: Collection[Rule]) -> int:
    """The table of rules as text."""
    width = max(len(rule.name) for rule in rules)
    for rule in rules:
        click.echo(
            f"{rule.name:<{width}}  {rule.severity.value if rule.severity else 'off':<8}  {rule.promise}"
        )
    return 0


def _called(name: str, found: Settings | None) -> str:
    from contracts.shelf import Shelf  # noqa: PLC0415 - keeps --help fast

    return Shelf.of(found).called(name, found)


def _existing(paths: Sequence[Path]) -> Sequence[Path]:
    if not paths:
        raise UsageError("nothing to look at: name cassettes or folders", hint="`interlock verify --help`")
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: there is no such file or folder")
    return paths


def _rules_of(found: Settings | None) -> list[str]:
    return [f"{name}={level}" for name, level in found.verify.rules.items()] if found else []


def secret_shapes() -> list[str]:
    """Patterns of the credentials of every provider."""
    from interlock.catalogue import load_all  # noqa: PLC0415

    shapes = [c.redact for each in load_all() for c in each.credentials.values() if c.redact and not c.public]
    return list(dict.fromkeys(shapes))


def redactor_of(found: Settings | None) -> Redactor:
    """Knows every secret that the settings name. It is asked last, when the report is a text."""
    from interlock.integration import redactor_for, resolve_all  # noqa: PLC0415

    return redactor_for(found, resolve_all(found) if found else ())


def run(asked: Options, *, jobs: int = 1, shown: bool = False) -> Sequence[Outcome]:
    """Verify every file in a pytest session, spread over `jobs` processes. Raises `InterlockError`."""
    from contracts import session  # noqa: PLC0415 - pytest, only now
    from contracts.running import Runner, chooser  # noqa: PLC0415

    runner = Runner(asked)
    files = runner.files()
    if not files:
        raise CannotJudge("there is no file in what was named")
    chooser(asked, runner.book)  # a wrong document or lock is said at once, not once for each file
    collected = session.Collected()
    with (
        _options_file(asked) as path,
        _quiet(session.environment()),
        progress("verifying", len(files), shown=shown and len(files) > 1) as collected.done,
    ):
        import pytest  # noqa: PLC0415

        code = pytest.main(session.arguments(path, min(jobs, len(files))), plugins=[collected])
    if code == pytest.ExitCode.INTERRUPTED:
        raise click.Abort
    if collected.refused:
        raise collected.refused[min(collected.refused)]
    if collected.problems or len(collected.outcomes) != len(files):
        first = collected.problems[0] if collected.problems else f"pytest ended with {code!r}"
        raise InterlockError(f"the session broke off: {first}")
    return collected.in_order()


@contextlib.contextmanager
def _options_file(asked: Options) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="interlock-") as folder:
        path = Path(folder) / "verify.json"
        path.write_text(json.dumps(asked.to_json()), encoding="utf-8")
        yield path


@contextlib.contextmanager
def _quiet(wanted: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
