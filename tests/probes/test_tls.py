"""The TLS probe against real handshakes: days left of the whole chain, and why a chain is refused."""

from __future__ import annotations

import datetime as dt
import ssl
from pathlib import Path

import pytest
import trustme

from interlock.integration import resolve
from interlock.records import Outcome, ProbeKind, Reason, State
from interlock.settings import IntegrationSettings, Network
from probes.kinds import plan
from probes.probe import Tools
from probes.run import run
from probes.tls import Certificate, explain, judge
from tests.loopback import says, server, server_context
from tests.records import NOON

DAY = dt.timedelta(days=1)


async def ask(port: int, folder: Path, *, host: str = "localhost", now: dt.datetime | None = None) -> Outcome:
    table = {"provider": "stripe", "base_url": f"https://{host}:{port}", "ca_file": "ca.pem"}
    joined = resolve("acme", IntegrationSettings.model_validate(table), network=Network(), folder=folder)
    tools = Tools(clock=lambda: now or dt.datetime.now(dt.UTC))
    (planned,) = plan(joined, tools, frozenset({ProbeKind.TLS}))
    return await run(planned, tools)


@pytest.fixture
def folder(tmp_path: Path, authority: trustme.CA) -> Path:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return tmp_path


async def test_a_good_chain_tells_its_end(authority: trustme.CA, folder: Path) -> None:
    async with server(says(b""), tls=server_context(authority, "localhost")) as port:
        outcome = await ask(port, folder)
    assert outcome.state is State.OPERATIONAL
    assert outcome.certificate_expires_at is not None
    assert outcome.certificate_expires_at > dt.datetime.now(dt.UTC)
    assert {"dns", "connect", "tls", "total"} == set(outcome.phases)


async def test_a_chain_that_ends_soon_warns(authority: trustme.CA, folder: Path) -> None:
    soon = dt.datetime.now(dt.UTC) + 5 * DAY
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", not_after=soon).configure_cert(context)
    async with server(says(b""), tls=context) as port:
        outcome = await ask(port, folder)
    assert (outcome.state, outcome.reason) == (State.DEGRADED, Reason.CERTIFICATE_EXPIRES)
    assert "ends in 5 days" in outcome.detail


async def test_an_ended_certificate_is_named(authority: trustme.CA, folder: Path) -> None:
    ended = dt.datetime.now(dt.UTC) - 2 * DAY
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", not_before=ended - DAY, not_after=ended).configure_cert(context)
    async with server(says(b""), tls=context) as port:
        outcome = await ask(port, folder)
    assert (outcome.state, outcome.reason) == (State.FAILING, Reason.CERTIFICATE_INVALID)
    assert f"ended on {ended:%Y-%m-%d}" in outcome.detail
    assert outcome.certificate_expires_at is not None


async def test_a_strange_authority_and_a_wrong_name_are_refused(authority: trustme.CA, folder: Path) -> None:
    async with server(says(b""), tls=server_context(trustme.CA(), "localhost")) as port:
        stranger = await ask(port, folder)
    async with server(says(b""), tls=server_context(authority, "elsewhere.example")) as port:
        wrong_name = await ask(port, folder)
    assert {stranger.reason, wrong_name.reason} == {Reason.CERTIFICATE_INVALID}
    assert "elsewhere.example" in wrong_name.detail or "mismatch" in wrong_name.detail


def certificate(subject: str, issuer: str, days: float) -> Certificate:
    return Certificate(subject, issuer, NOON - 10 * DAY, NOON + days * DAY)


def test_the_weakest_part_of_the_chain_counts() -> None:
    chain = (certificate("CN=leaf", "CN=middle", 80), certificate("CN=middle", "CN=root", 4))
    judgement = judge(chain, NOON, 21)
    assert judgement.reason is Reason.CERTIFICATE_EXPIRES
    assert "CN=middle in its chain ends in 4 days" in judgement.detail


def test_no_chain_is_no_good_chain() -> None:
    assert judge((), NOON, 21).state is State.UNKNOWN


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        ((certificate("CN=a", "CN=a", 9),), "CN=a is signed by itself"),
        ((certificate("CN=a", "CN=b", 9),), "the chain ends at CN=b"),
        ((certificate("CN=a", "CN=b", -1),), "CN=a ended on 2026-11-21"),
        ((), None),
    ],
)
def test_why_a_chain_is_refused(chain: tuple[Certificate, ...], words: str | None) -> None:
    assert explain(chain, NOON) == words


def test_a_provider_over_plain_http_has_no_tls_probe() -> None:
    table = {"provider": "stripe", "base_url": "http://127.0.0.1:1"}
    joined = resolve("acme", IntegrationSettings.model_validate(table), network=Network(), folder=Path())
    assert plan(joined, Tools(), frozenset({ProbeKind.TLS})) == []
