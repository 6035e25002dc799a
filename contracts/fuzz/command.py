"""`interlock fuzz NAME --url URL`: made-up requests to a server that claims to keep a contract; its answers judged."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime as dt
import re
import secrets as random
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from interlock import options
from interlock.errors import CannotJudge, UsageError
from interlock.records import Reason

if TYPE_CHECKING:
    from contracts.contract import Contract
    from contracts.fuzz.tls import Trusted
    from interlock.integration import Integration
    from interlock.secrets import Secret
    from interlock.settings import Settings
    from interlock.settings_models import Network

_CONNECT_SECONDS = 5.0
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"(?:[!-~\x80-\xff][\t -~\x80-\xff]*)?")
_FRAMING = frozenset(
    {"connection", "content-length", "expect", "te", "trailer", "transfer-encoding", "upgrade"}
)
# These sign every request anew, or in its URL: a header that is the same for all cannot stand for them.
_SIGNED_EACH = frozenset({"sigv4", "sas", "query", "app_token", "introspection"})


@click.command(short_help="Ask a server that claims to keep a contract for all that it must answer.")
@click.argument("name", required=False)
@click.option(
    "--contract", "document", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="The contract: OpenAPI 3 or Swagger 2. If not said, that of NAME.",
)  # fmt: skip
@click.option("--url", required=True, help="The server's address: loopback, unless --i-own-this-host.")
@click.option(
    "--header", "headers", multiple=True, metavar="NAME=REF",
    help="A header for every request; REF is env:NAME or file:PATH. May be given again.",
)  # fmt: skip
@click.option(
    "--max-examples", type=click.IntRange(1, 10_000), default=50, show_default=True,
    help="Requests that are made up for an operation, beside those that cover its schema; sequences in a round.",
)  # fmt: skip
@click.option(
    "--steps", type=click.IntRange(0, 100), default=6, show_default=True,
    help="The most requests in a sequence; 0: no sequences.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), help="Makes the same requests again.")
@click.option(
    "--time", "seconds", type=click.FloatRange(min=0.1), metavar="SECONDS", help="Stop after this long."
)
@click.option("--strict", is_flag=True, help="Wrong requests and missing credentials must be refused, too.")
@click.option(
    "--refusals-suffice", is_flag=True,
    help="An operation of which no request succeeds is told, and is no reason to end with 3.",
)  # fmt: skip
@click.option(
    "--i-own-this-host", "own_host", is_flag=True, help="The host beyond loopback is yours to fuzz."
)
@options.config
@options.fail_on
@options.form
@options.reports
@options.evidence
def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    name: str | None,
    document: Path | None,
    url: str,
    headers: tuple[str, ...],
    max_examples: int,
    steps: int,
    seed: int | None,
    seconds: float | None,
    config: Path | None,
    fail_on: str,
    form: str,
    reports: tuple[str, ...],
    folder: Path | None,
    *,
    strict: bool,
    refusals_suffice: bool,
    own_host: bool,
) -> int:
    """Fuzz the server at --url by the contract of NAME, a provider or an integration of interlock.toml.

    An integration's own credential is sent where its environment is sandbox or stand_in; --header sends any other.
    The base path is the contract's, unless --url has a path. Ctrl-C ends it early, and the report says so. Over
    https the settings' ca_file and client_certificate hold.

    Where the answer to one operation has what another asks for, by the contract's links or by the names and shapes
    of what is there, they are asked in sequences, too: what was created must be there, what was deleted must be gone.
    A round of sequences ends at a fault that is new; then there is another, 8 at most.

    An operation of which no request succeeded (404 alone, say) is unproven: nobody has seen what it is for. Examples
    in the contract are asked for, too, and can name what is there. --refusals-suffice lets it be, but not where a
    credential is wanted (401, 403), it was too much (429), or nothing at all succeeded; and nothing is proven by it.

    Exit status: 0 every operation was asked, succeeded at least once, and every answer kept the contract; 1 findings
    at or above --fail-on; 3 the server cannot be reached, or an operation could not be judged; 2 the command or the
    settings are wrong.
    """
    from contracts.fuzz.engine import MAX_SEED, Wish, fuzz  # noqa: PLC0415 - keeps --help fast
    from contracts.fuzz.report import Setting, report_of, write_evidence  # noqa: PLC0415
    from contracts.fuzz.turns import prepared  # noqa: PLC0415
    from contracts.rehearsal import address, refuse_live  # noqa: PLC0415
    from interlock.integration import redactor_for, resolve_all  # noqa: PLC0415
    from interlock.output import exit_status, parse_reports  # noqa: PLC0415
    from interlock.redacted import tell  # noqa: PLC0415
    from interlock.settings import wanted as wanted_settings  # noqa: PLC0415

    wanted = parse_reports(reports)
    url = address(url, own_host=own_host, sends="a flood of odd requests")
    settings = wanted_settings(config)
    integrations = resolve_all(settings) if settings else ()
    own = next((each for each in integrations if each.name == name), None)
    contract = _contract(name, own, document, settings)
    prepared(contract, url)  # another format is refused before anything is sent
    redactor = redactor_for(settings, integrations)
    told = {key: _secret(key, reference) for key, reference in map(_pair, headers)}
    redactor.learn(*told.values())
    refuse_live(told.values())
    sent = {key: secret.reveal() for key, secret in told.items()}
    if own is not None and not told:
        sent = own_headers(own, url)
    wish = Wish(
        url=url, seed=random.randbelow(MAX_SEED) if seed is None else seed, headers=sent,
        max_examples=max_examples, steps=steps, seconds=seconds, strict=strict,
    )  # fmt: skip
    with (
        _way(url, own, settings) as there,
        _progress(len(contract.operations) * 3, shown=form == "text") as done,
    ):
        fuzzed = fuzz(contract, dataclasses.replace(wish, trusted=there), done)
    threshold = options.threshold(fail_on)
    setting = Setting(
        name=name or contract.name,
        contract=contract,
        wish=wish,
        now=dt.datetime.now(dt.UTC),
        fail_on=threshold,
        refusals_suffice=refusals_suffice,
    )
    report = report_of(fuzzed, setting)
    if folder is not None:
        write_evidence(fuzzed, report, setting, folder)
    tell(report, redactor, form, wanted)
    return exit_status(report, threshold)


# -- before anything is sent -----------------------------------------------------------------------------


def _contract(
    name: str | None, own: Integration | None, document: Path | None, settings: Settings | None
) -> Contract:
    from contracts import adapters  # noqa: PLC0415 - keeps --help fast
    from contracts.shelf import Shelf  # noqa: PLC0415

    if document is not None:
        return adapters.load(document, name=own.provider.name if own else name)
    if name is None:
        raise UsageError("NAME or --contract says what is promised", hint="interlock fuzz stripe --url URL")
    shelf = Shelf(settings.folder if settings else Path.cwd())
    return shelf.load(shelf.called(name, settings))


def _pair(text: str) -> tuple[str, str]:
    name, equals, reference = text.partition("=")
    if not equals or not _HEADER.fullmatch(name):
        raise UsageError("--header must be NAME=REF", hint="such as Authorization=env:TOKEN")
    if name.lower() in _FRAMING:
        raise UsageError(f"--header {name}= says where a request ends, which depends on the request")
    return name, reference


def _secret(name: str, reference: str) -> Secret:
    from interlock.secrets import SecretRef  # noqa: PLC0415 - keeps --help fast

    try:
        secret = SecretRef.parse(reference).resolve()
    except ValueError as exc:
        raise UsageError(f"--header {name}= {exc}") from exc
    if not _VALUE.fullmatch(secret.reveal()):
        raise UsageError(
            f"--header {name}={reference}: the value cannot stand in a header",
            hint="a header takes one line of Latin-1 that begins with no space",
        )
    return secret


def own_headers(own: Integration, url: str) -> dict[str, str]:
    """The headers by which an integration signs in; none where it has no credential. Raises `UsageError`."""
    from contracts.rehearsal import refuse_live  # noqa: PLC0415 - keeps --help fast
    from interlock.auth import TokenRefused, signer  # noqa: PLC0415 - keeps --help fast
    from interlock.http import Client, Draft  # noqa: PLC0415
    from interlock.records import Environment  # noqa: PLC0415
    from interlock.wire import WireError  # noqa: PLC0415

    if not own.secrets:
        return {}
    if own.environment is Environment.LIVE:
        raise UsageError(
            f"{own.name} is live: its credential is never sent to a server that is fuzzed",
            hint="--header NAME=REF sends one for tests in its place",
        )
    refuse_live(own.secrets.values())
    made = signer(own, Client(), lambda: dt.datetime.now(dt.UTC))
    if made is None or own.auth is None:
        return {}
    if own.auth.scheme in _SIGNED_EACH:
        raise UsageError(
            f"{own.name} signs in by {own.auth.scheme}, which no fixed header can stand for",
            hint="--header NAME=REF sends one in its place; name the provider to fuzz what needs no credential",
        )
    try:
        return dict(asyncio.run(made.sign(Draft(method="GET", url=url))).headers)
    except (TokenRefused, WireError) as exc:
        raise CannotJudge(f"{own.name}: no token could be had: {exc}") from exc


@contextlib.contextmanager
def _way(url: str, own: Integration | None, settings: Settings | None) -> Iterator[Trusted | None]:
    """What TLS trusts on the way, None without TLS. Raises `CannotJudge` where nobody answers, or nobody trusted."""
    from contracts.fuzz.tls import trusted  # noqa: PLC0415 - keeps --help fast
    from interlock.settings_models import Network  # noqa: PLC0415

    parts = urlsplit(url)
    if parts.scheme != "https":
        try:
            socket.create_connection((parts.hostname or "", parts.port or 80), _CONNECT_SECONDS).close()
        except OSError as exc:
            raise CannotJudge(f"--url {url}: cannot be reached ({exc.strerror or exc})") from exc
        yield None
        return
    network = own.network if own else settings.suite if settings else Network()
    folder = settings.folder if settings else Path.cwd()
    with trusted(network, folder) as there:
        _greet(url, network, folder)
        yield there


def _greet(url: str, network: Network, folder: Path) -> None:
    """One request over TLS, whatever is answered: of a client certificate nothing is heard before. `CannotJudge`."""
    from contracts.fuzz.engine import ANSWER_SECONDS  # noqa: PLC0415 - keeps --help fast
    from interlock.http import Client, Draft  # noqa: PLC0415
    from interlock.wire import WireError  # noqa: PLC0415

    direct = network.model_copy(update={"proxy": None})  # schemathesis is told of none
    draft = Draft(method="HEAD", url=url)
    try:
        asyncio.run(Client().ask(draft, network=direct, folder=folder, deadline_seconds=ANSWER_SECONDS))
    except WireError as exc:
        of_tls = exc.reason in {Reason.TLS, Reason.CERTIFICATE_INVALID}
        raise CannotJudge(
            f"--url {url}: cannot be reached ({exc.detail})",
            hint="ca_file and client_certificate of the settings hold here, too" if of_tls else None,
        ) from exc


@contextlib.contextmanager
def _progress(total: int, *, shown: bool) -> Iterator[Any]:
    """A progress bar on standard error where that is a terminal; else nothing."""
    if not (shown and sys.stderr.isatty()):
        yield lambda: None
        return
    from rich.console import Console  # noqa: PLC0415 - only for a terminal
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    columns = (TextColumn("fuzzing"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("fuzzing", total=total)
        yield lambda: bar.advance(task)
