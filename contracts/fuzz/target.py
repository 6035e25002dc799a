"""What is fuzzed, with which credential, and the way there; what must not be is refused before anything is sent."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from contracts import adapters
from contracts.contract import Contract
from contracts.fuzz.engine import ANSWER_SECONDS
from contracts.fuzz.tls import Trusted, trusted
from contracts.fuzz.turns import prepared
from contracts.rehearsal import address, refuse_live
from contracts.shelf import Shelf
from interlock.auth import TokenRefused, signer
from interlock.errors import CannotJudge, UsageError
from interlock.http import Client, Draft
from interlock.integration import Integration, redactor_for, resolve_all
from interlock.records import Environment, Reason
from interlock.redaction import Redactor
from interlock.secrets import Secret, SecretRef
from interlock.settings import Settings
from interlock.settings import wanted as wanted_settings
from interlock.settings_models import Network
from interlock.wire import WireError

_CONNECT_SECONDS = 5.0
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"(?:[!-~\x80-\xff][\t -~\x80-\xff]*)?")
_FRAMING = frozenset(
    {"connection", "content-length", "expect", "te", "trailer", "transfer-encoding", "upgrade"}
)
# These sign every request anew, or in its URL: a header that is the same for all cannot stand for them.
_SIGNED_EACH = frozenset({"sigv4", "sas", "query", "app_token", "introspection"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is fuzzed. `headers`: sent with every request, credentials among them, which the redactor knows.

    `network`: the private CA and our own certificate; `folder`: that of the settings, where they are.
    """

    url: str
    contract: Contract
    headers: Mapping[str, str] = field(repr=False)
    redactor: Redactor
    network: Network
    folder: Path


def found(
    name: str | None,
    document: Path | None,
    url: str,
    headers: tuple[str, ...],
    config: Path | None,
    *,
    own_host: bool,
) -> Target:
    """What the command line names. Raises `UsageError` and `CannotJudge`."""
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
        redactor.learn(*_tokens(sent))
    return Target(
        url=url,
        contract=contract,
        headers=sent,
        redactor=redactor,
        network=own.network if own else settings.suite if settings else Network(),
        folder=settings.folder if settings else Path.cwd(),
    )


def _contract(
    name: str | None, own: Integration | None, document: Path | None, settings: Settings | None
) -> Contract:
    if document is not None:
        return adapters.load(document, name=own.provider.name if own else name)
    if name is None:
        raise UsageError("NAME or --contract says what is promised", hint="interlock fuzz stripe --url URL")
    shelf = Shelf.of(settings)
    return shelf.load(shelf.called(name, settings))


def _pair(text: str) -> tuple[str, str]:
    name, equals, reference = text.partition("=")
    if not equals or not _HEADER.fullmatch(name):
        raise UsageError("--header must be NAME=REF", hint="such as Authorization=env:TOKEN")
    if name.lower() in _FRAMING:
        raise UsageError(f"--header {name}= says where a request ends, which depends on the request")
    return name, reference


def _secret(name: str, reference: str) -> Secret:
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


def _tokens(headers: Mapping[str, str]) -> Iterator[Secret]:
    """What was had with a credential, and is none of the settings."""
    for name, value in headers.items():
        if name.lower() == "authorization":
            yield Secret(value.rpartition(" ")[2], name="a token")


@contextlib.contextmanager
def way(target: Target) -> Iterator[Trusted | None]:
    """What TLS trusts on the way, None without TLS. Raises `CannotJudge` where nobody answers, or nobody trusted."""
    parts = urlsplit(target.url)
    if parts.scheme != "https":
        try:
            socket.create_connection((parts.hostname or "", parts.port or 80), _CONNECT_SECONDS).close()
        except OSError as exc:
            raise CannotJudge(f"--url {target.url}: cannot be reached ({exc.strerror or exc})") from exc
        yield None
        return
    with trusted(target.network, target.folder) as there:
        _greet(target)
        yield there


def _greet(target: Target) -> None:
    """One request over TLS, whatever is answered: of a client certificate nothing is heard before. `CannotJudge`."""
    direct = target.network.model_copy(update={"proxy": None})  # schemathesis is told of none
    draft = Draft(method="HEAD", url=target.url)
    try:
        asyncio.run(
            Client().ask(draft, network=direct, folder=target.folder, deadline_seconds=ANSWER_SECONDS)
        )
    except WireError as exc:
        of_tls = exc.reason in {Reason.TLS, Reason.CERTIFICATE_INVALID}
        raise CannotJudge(
            f"--url {target.url}: cannot be reached ({exc.detail})",
            hint="ca_file and client_certificate of the settings hold here, too" if of_tls else None,
        ) from exc
