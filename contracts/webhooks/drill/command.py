"""`interlock drill webhook`: forgeries, replays and odd deliveries against the team's own receiver."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import secrets as random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlock import evidence, options
from interlock import settings as settings_module
from interlock.errors import UsageError
from interlock.findings import at_least
from interlock.output import Case, CaseState, Report, counted, exit_status, parse_reports
from interlock.records import Severity, Verdict
from interlock.redacted import tell
from interlock.redaction import Redactor

if TYPE_CHECKING:
    from contracts.webhooks.configure import Receiver
    from contracts.webhooks.drill.records import Bench
    from interlock.wire import Wire

SCHEMA, PLAN_SCHEMA = "interlock.drill/1", "interlock.drill-plan/1"
EVIDENCE_VALID = dt.timedelta(days=30)
_NOWHERE = "http://127.0.0.1/hook"  # stands for the receiver in a plan that is made without one


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def group() -> None:
    """Drills: what the team's own software does when a provider, or somebody in its name, is odd."""


@group.command(name="webhook", short_help="Forge, replay and garble deliveries to the team's own receiver.")
@click.argument("name", required=False)
@click.option("--url", help="The receiver's address: loopback, unless --i-own-this-host.")
@click.option(
    "--secret", "reference", metavar="REF",
    help="env:NAME or file:PATH to sign with; if not said, what the settings name. SendGrid, PayPal, SNS, Google: "
    "a private key (PEM) whose public half the receiver under test trusts.",
)  # fmt: skip
@click.option(
    "--key-id", metavar="KID", default="interlock-drill", show_default=True,
    help="Name of the private key in the key set that the receiver under test reads (Google).",
)  # fmt: skip
@click.option(
    "--certificate-url", metavar="URL",
    help="Where the receiver under test reads the certificate of the private key (PayPal, SNS).",
)  # fmt: skip
@click.option(
    "--effects", "effects_at", metavar="REF",
    help="Where the ids of the events that acted are read: url:ADDRESS, file:PATH or command:WORDS; "
    "a JSON list (null for one without id), or an id a line.",
)  # fmt: skip
@click.option(
    "--payload", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="A payload of your own (JSON) that the receiver takes; id and type are set in it.",
)  # fmt: skip
@click.option(
    "--settle", type=click.FloatRange(0, 60), default=2.0, show_default=True, metavar="SECONDS",
    help="How long effects may take.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="List what would be sent, and send nothing.")
@click.option("--self-test", is_flag=True, help="Hold the drill itself against receivers with known faults.")
@click.option(
    "--i-own-this-host", "own_host", is_flag=True, help="The host beyond loopback is yours to drill."
)
@options.config
@options.fail_on
@options.form
@options.reports
@options.evidence
def webhook(  # noqa: PLR0913, PLR0917 - one argument for each option
    name: str | None,
    url: str | None,
    reference: str | None,
    key_id: str,
    certificate_url: str | None,
    effects_at: str | None,
    payload: Path | None,
    settle: float,
    config: Path | None,
    fail_on: str,
    form: str,
    reports: tuple[str, ...],
    folder: Path | None,
    *,
    dry_run: bool,
    self_test: bool,
    own_host: bool,
) -> int:
    """Send the receiver at --url what NAME's provider would send, and what a forger would, and judge the answers.

    NAME is an integration of interlock.toml, a provider of the catalogue, or a signature scheme. Without --effects,
    cases that need to know how often an event acted stay unproven.

    Exit status: 0 it lets in what it must and nothing else, once; 1 findings; 3 a valid delivery was not taken, or a
    case stayed unproven; 2 the command or the settings are wrong.
    """
    wanted = parse_reports(reports)
    threshold = options.threshold(fail_on)
    if self_test:
        return _self_tested(form, wanted)
    url = url or (_NOWHERE if dry_run else None)
    if name is None or url is None:
        raise UsageError(
            "NAME and --url say what is drilled", hint="interlock drill webhook stripe --url URL"
        )
    signing = _Signing(reference, key_id, certificate_url)
    made, redactor, wire = _bench(name, url, signing, payload, config, own_host=own_host, dry_run=dry_run)
    if dry_run:
        click.echo(redactor.text(planned(made, form)), nl=False)
        return 0
    report = report_of(made.receiver, _drilled(made, wire(), effects_at, settle))
    if folder is not None:
        write_evidence(made, report, folder)
    tell(report, redactor, form, wanted)
    return exit_status(report, threshold)


@dataclass(frozen=True, slots=True)
class _Signing:
    """What the command line says of it."""

    reference: str | None
    key_id: str
    certificate_url: str | None


def _bench(
    name: str,
    url: str,
    signing: _Signing,
    payload: Path | None,
    config: Path | None,
    *,
    own_host: bool,
    dry_run: bool,
) -> tuple[Bench, Redactor, Callable[[], Wire]]:
    """What is drilled, the redactor that knows its secrets, the way there. Raises `UsageError` before it sends."""
    from contracts.rehearsal import address, refuse_live  # noqa: PLC0415
    from contracts.shelf import Shelf  # noqa: PLC0415 - keeps --help fast
    from contracts.webhooks import commands  # noqa: PLC0415
    from contracts.webhooks.drill import setting  # noqa: PLC0415
    from interlock.integration import redactor_for, resolve_all  # noqa: PLC0415
    from interlock.settings_models import Network  # noqa: PLC0415

    url = address(url, own_host=own_host, sends="forgeries and floods")
    settings = settings_module.wanted(config)
    integrations = resolve_all(settings) if settings else ()
    told = (commands.reference(signing.reference),) if signing.reference else ()
    receiver = commands.chosen_receiver(name, () if dry_run or told else None, integrations)
    held = [*told, *receiver.keys.secrets, *filter(None, [receiver.keys.verify_token])]
    refuse_live(held)
    signer = setting.Signer(secrets=told, key_id=signing.key_id, certificate_url=signing.certificate_url)
    if dry_run:
        receiver, signer = setting.planning(receiver, signer)
    made = setting.bench(
        receiver, signer, url=url, now=dt.datetime.now(dt.UTC).timestamp(), run=random.token_hex(4),
        document=setting.payload(payload) if payload else None,
        contract=Shelf.of(settings).of_events(receiver.provider, receiver.name),
    )  # fmt: skip
    redactor = redactor_for(settings, integrations)
    redactor.learn(*held)
    own = next((each for each in integrations if each.name == name), None)
    network = own.network if own else settings.suite if settings else Network()
    folder = settings.folder if settings else Path.cwd()
    return made, redactor, lambda: setting.wire(network, folder, url)


def _drilled(made: Bench, wire: Wire, effects_at: str | None, settle: float) -> tuple[Case, ...]:
    from contracts.webhooks.drill.effects import reader  # noqa: PLC0415 - keeps --help fast
    from contracts.webhooks.drill.run import Ports, drill  # noqa: PLC0415

    effects = reader(effects_at, wire) if effects_at else None
    return asyncio.run(drill(made, Ports(wire=wire, effects=effects, settle_seconds=settle)))


def _self_tested(form: str, wanted: Sequence[tuple[str, Path]]) -> int:
    from contracts.webhooks.drill.self_test import self_test  # noqa: PLC0415 - keeps --help fast

    cases = asyncio.run(self_test())
    wrong = sum(case.state is CaseState.FAILED for case in cases)
    verdict = f"the drill is wrong about {wrong} of them" if wrong else "the drill is right about each"
    report = Report(
        schema=SCHEMA, title="interlock drill webhook --self-test", produced_at=dt.datetime.now(dt.UTC),
        cases=cases, closing=f"{len(cases)} reference receivers: {verdict}", every_case=True,
    )  # fmt: skip
    tell(report, Redactor(), form, wanted)
    return 1 if wrong else 0


def planned(made: Bench, form: str) -> str:
    """What would be sent: cases, how many deliveries, what a right receiver does. No secret, no signature."""
    from contracts.webhooks.drill.cases import plan  # noqa: PLC0415 - keeps --help fast
    from contracts.webhooks.drill.records import WhyNot  # noqa: PLC0415

    rows: list[dict[str, Any]] = [
        {
            "case": each.row.name,
            "proves": each.row.proves,
            "deliveries": sum(shot.at_once for shot in each.shots),
            "bytes": sum(len(shot.delivery.body) * shot.at_once for shot in each.shots),
            "right": list(dict.fromkeys(shot.expect.value for shot in each.shots)),
            "not_applicable": each.made.reason if isinstance(each.made, WhyNot) else None,
        }
        for each in plan(made)
    ]
    total = sum(row["deliveries"] for row in rows)
    if form == "json":
        told = {"schema": PLAN_SCHEMA, "url": made.url, "scheme": made.receiver.scheme, "cases": rows}
        return json.dumps(told, indent=2) + "\n"
    lines = [
        f"{row['case']:<20} {row['deliveries'] or '-':>3}  "
        + (f"not sent: {row['not_applicable']}" if row["not_applicable"] else "; then ".join(row["right"]))
        for row in rows
    ]
    head = f"{'case':<20} {'#':>3}  what a right receiver answers"
    return "\n".join([head, *lines, f"{total} deliveries would be sent to {made.url}, none was", ""])


def report_of(receiver: Receiver, cases: tuple[Case, ...]) -> Report:
    """The cases as one report."""
    count = {state: sum(case.state is state for case in cases) for state in CaseState}
    found = [each for case in cases for each in case.findings]
    words = ", ".join(
        f"{number} {state.value.replace('_', ' ')}" for state, number in count.items() if number
    )
    return Report(
        schema=SCHEMA,
        title=f"interlock drill webhook {receiver.name}",
        produced_at=dt.datetime.now(dt.UTC),
        cases=cases,
        summary={"scheme": receiver.scheme, **{state.value: number for state, number in count.items()}},
        closing=f"{receiver.title}: {words}; {counted(found)}",
        every_case=True,
    )


def write_evidence(bench: Bench, report: Report, folder: Path) -> Path:
    """One piece: proven only where every case that applies has passed. With the contract that the events are of."""
    applying = [case for case in report.cases if case.state is not CaseState.NOT_APPLICABLE]
    judged = [case.name for case in applying if case.state in {CaseState.PASSED, CaseState.FAILED}]
    bad = any(at_least(each, Severity.ERROR) for each in report.all_findings)
    verdict = Verdict.PROVEN if len(judged) == len(applying) else Verdict.UNPROVEN
    piece = evidence.make(
        integration=bench.receiver.name,
        item="webhook-drill",
        verdict=Verdict.FAILED if bad else verdict,
        kind="drill",
        origin="local",
        covered=judged,
        universe=[case.name for case in applying],
        produced_at=report.produced_at,
        valid_for=EVIDENCE_VALID,
        finding_ids=[each.fingerprint for each in report.all_findings],
        contract_digest=bench.contract_digest,
    )
    return evidence.write(piece, folder)
