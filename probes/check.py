"""`interlock check`: every probe once, all at the same time, and what it means."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from interlock import evidence, options
from interlock import settings as settings_module
from interlock.advice import Advice, advise
from interlock.catalogue import load_all, names
from interlock.errors import CannotJudge, UsageError
from interlock.evidence import write_whole
from interlock.integration import Integration, public_face, redactor_for, resolve_all
from interlock.progress import progress
from interlock.records import Outcome, ProbeKind, State, Verdict, plain
from interlock.settings import Settings
from interlock.status import WORST_FIRST, fold, worst
from interlock.verdict import Weighed, heard, weigh
from probes.kinds import plan
from probes.probe import Planned, Tools, utc_now
from probes.run import Limits, run_all

SCHEMA = "interlock.check/1"
EVIDENCE_VALID = dt.timedelta(days=1)
BAD = frozenset({State.DEGRADED, State.THROTTLED, State.AUTH_FAILED, State.FAILING, State.DOWN})
FAIL_ON = {"failing": {State.FAILING}, "auth_failed": {State.FAILING, State.AUTH_FAILED}}
FAIL_ON["throttled"] = FAIL_ON["auth_failed"] | {State.THROTTLED}
FAIL_ON["degraded"] = set(BAD)


@dataclass(frozen=True, slots=True)
class Checked:
    """What one check brought: the integrations, and each planned probe with its outcome."""

    at: dt.datetime
    integrations: tuple[Integration, ...]
    plans: tuple[Planned, ...]
    outcomes: tuple[Outcome, ...]
    unasked: tuple[tuple[str, str], ...]

    def of(self, name: str) -> list[Outcome]:
        """The outcomes of one integration."""
        return [each for each in self.outcomes if each.integration == name]

    def verdict(self, name: str) -> Weighed:
        """Whose it is. One look proves less than a status: no probe is down by it."""
        own = [fold(None, each, failures_before_down=2) for each in self.of(name)]
        return weigh([heard(status) for status in own])


@click.command(short_help="Run every probe once, all at the same time.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@options.config
@click.option(
    "--probe", "kinds", multiple=True, type=click.Choice([k.value for k in ProbeKind]), help="Only this kind."
)
@click.option(
    "--timeout", type=click.FloatRange(min=0.1), metavar="SECONDS", help="Give up on a probe after this long."
)
@click.option(
    "--fail-on",
    type=click.Choice(list(FAIL_ON)),
    default="degraded",
    show_default=True,
    help="The least that counts as unhealthy.",
)
@options.form
@click.option(
    "--report", "reports", multiple=True, metavar="FORMAT=FILE", help="Also write json, junit or markdown."
)
@options.evidence
@click.option("--record", is_flag=True, help="Keep the outcomes in the store of the settings.")
def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    names: tuple[str, ...],
    config: Path | None,
    kinds: tuple[str, ...],
    timeout: float | None,
    fail_on: str,
    form: str,
    reports: tuple[str, ...],
    folder: Path | None,
    *,
    record: bool,
) -> int:
    """Ask every integration of interlock.toml, or those named, and say what is wrong and what to do.

    Without a settings file, every provider of the catalogue is asked what it answers to anybody, without
    credentials. Exit status: 0 all well; 1 something is unhealthy; 3 something could not be judged; 2 the
    command or the settings are wrong.
    """
    from probes.report import parse_reports, render  # noqa: PLC0415 - keeps the start short

    wanted = parse_reports(reports)
    found = settings_module.wanted(config)
    only = frozenset(ProbeKind(kind) for kind in kinds) or None
    integrations = chosen(found, names)
    redactor = redactor_for(found, integrations, every_shape=False)
    tools = Tools(redactor=redactor, region=found.suite.region if found else "local", heard={})
    checked = look(
        integrations, tools, only=only, timeout=timeout, limits=_limits(found), shown=form == "text"
    )
    if record:
        keep(checked, found)
    write_evidence(checked, folder)
    for kind, path in wanted:
        text = render(checked, kind)
        write_whole(path, redactor.text(text) if kind == "markdown" else text)
    text = render(checked, form, terminal=sys.stdout.isatty())
    click.echo(redactor.text(text) if form == "text" else text, nl=False)
    return exit_status(checked, fail_on)


def chosen(found: Settings | None, only: tuple[str, ...]) -> tuple[Integration, ...]:
    """What is asked: the settings' integrations, or every provider's public face. Raises `UsageError`."""
    if found is not None:
        if not found.integrations:
            raise CannotJudge("the settings have no integrations", hint="add an [integrations.NAME] table")
        return resolve_all(found, only)
    if unknown := [name for name in only if name not in names()]:
        raise UsageError(f"no provider is called {unknown[0]!r}", hint="`interlock providers` lists them")
    return tuple(public_face(each) for each in load_all() if not only or each.name in only)


def look(
    integrations: Sequence[Integration],
    tools: Tools,
    *,
    only: frozenset[ProbeKind] | None,
    timeout: float | None,
    limits: Limits,
    shown: bool = False,
) -> Checked:
    """Run the probes, with a progress bar on a terminal. Raises `CannotJudge` if there is none to run."""
    plans: list[Planned] = []
    unasked = []
    for integration in integrations:
        own = plan(integration, tools, only)
        without_settings = not integration.settings.credentials and not integration.settings.base_url
        known = (
            [p for p in own if p.host is not None]
            if without_settings and not integration.settings.parameters
            else own
        )
        if not known:
            unasked.append((integration.name, _why_unasked(integration)))
        plans += known
    if timeout is not None:
        plans = [dataclasses.replace(each, timeout_seconds=timeout) for each in plans]
    if not plans:
        raise CannotJudge(
            "there is no probe to run", hint="; ".join(f"{n}: {why}" for n, why in unasked) or None
        )
    at = utc_now()
    with progress("probing", len(plans), shown=shown) as advance:
        outcomes = asyncio.run(run_all(plans, tools, limits=limits, done=lambda _: advance()))
    return Checked(at, tuple(integrations), tuple(plans), tuple(outcomes), tuple(unasked))


def _why_unasked(integration: Integration) -> str:
    if wanted := sorted(set(integration.provider.parameters) - set(integration.parameters)):
        return f"its address needs {', '.join(wanted)}, which only settings can tell"
    return "it has no probe of this kind"


def _limits(found: Settings | None) -> Limits:
    return Limits(found.suite.concurrency) if found else Limits()


def keep(checked: Checked, found: Settings | None) -> None:
    """Put the outcomes into the store, beside those of the scheduler."""
    if found is None:
        raise UsageError(
            "--record needs settings: without them there is no store", hint="`interlock init` writes them"
        )
    from interlock.store import open_store  # noqa: PLC0415 - slow to import
    from interlock.writing import Recorded  # noqa: PLC0415 - slow to import

    with open_store(found) as store:
        for planned, each in zip(checked.plans, checked.outcomes, strict=True):
            store.put(Recorded(each, planned.failures_before_down))
        store.flush()


def write_evidence(checked: Checked, folder: Path | None) -> None:
    """One piece of evidence for each integration and probe kind that its provider offers."""
    if folder is None:
        return
    for integration in checked.integrations:
        for each in checked.of(integration.name):
            piece = evidence.make(
                integration=each.integration,
                item=f"probe-{each.probe.value}",
                verdict=verdict(each),
                kind="probe",
                origin=each.environment.value,
                covered=[each.probe.value] if each.state is not State.UNKNOWN else [],
                universe=[each.probe.value],
                produced_at=each.started_at,
                valid_for=EVIDENCE_VALID,
                finding_ids=[finding.fingerprint for finding in each.findings],
                contract_digest=each.catalogue_digest,
            )
            evidence.write(piece, folder)


def verdict(outcome: Outcome) -> Verdict:
    """What an outcome proves: only `operational` proves, and what could not be judged proves nothing."""
    if outcome.state is State.UNKNOWN:
        return Verdict.UNPROVEN
    return Verdict.PROVEN if outcome.state is State.OPERATIONAL else Verdict.FAILED


def exit_status(checked: Checked, fail_on: str) -> int:
    """1 unhealthy before 3 could not judge before 0."""
    states = {each.state for each in checked.outcomes if not each.in_maintenance}
    if states & FAIL_ON[fail_on]:
        return 1
    return 3 if State.UNKNOWN in states or not states else 0


def as_json(checked: Checked) -> dict[str, Any]:
    """The stable JSON form."""
    entries = []
    for integration in checked.integrations:
        own = checked.of(integration.name)
        entries.append(
            {
                "name": integration.name,
                "provider": integration.provider.name,
                "title": integration.provider.title,
                "environment": integration.environment.value,
                "owner": integration.settings.owner,
                "state": worst([each.state for each in own]).value,
                "verdict": plain(checked.verdict(integration.name)),
                "probes": [_probe_json(each, integration, checked.at) for each in own],
            }
        )
    return {
        "schema": SCHEMA,
        "checked_at": plain(checked.at),
        "integrations": entries,
        "not_asked": [{"name": name, "why": why} for name, why in checked.unasked],
        "summary": {
            state.value: sum(o.state is state for o in checked.outcomes) for state in WORST_FIRST[1:]
        },
    }


def _probe_json(outcome: Outcome, integration: Integration, now: dt.datetime) -> dict[str, Any]:
    words = advice_for(outcome, integration, now)
    fields: dict[str, Any] = plain(outcome)
    return fields | {"why": words.why, "what_to_do": words.what_to_do, "whose": words.whose.value}


def advice_for(outcome: Outcome, integration: Integration, now: dt.datetime) -> Advice:
    """Why it is so and what to do."""
    return advise(outcome, integration.provider.title, now=now)


def json_text(checked: Checked) -> str:
    """The JSON form as text."""
    return json.dumps(as_json(checked), indent=2) + "\n"
