"""HTTP probes against stand-ins: a right, a wrong and a missing credential told apart, for every provider."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import jwt
import pytest

from contracts.clients.faults import FAULTS
from contracts.clients.stand_in import StandIn
from interlock import catalogue
from interlock.answers import Judgement
from interlock.integration import Integration, resolve
from interlock.records import Environment, Outcome, ProbeKind, Reason, State
from interlock.redaction import Redactor
from interlock.secrets import Secret
from interlock.settings import IntegrationSettings, Network
from probes.kinds import plan
from probes.probe import Tools
from probes.run import run
from probes.weigh import weigh_headroom
from tests.loopback import says, server
from tests.records import a_headroom

WAYS = [(name, way) for name in catalogue.names() for way in catalogue.load(name).auth]


def integration(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, way: str | None = None, **more: Any
) -> Integration:
    for name, value in stand_in.environ.items():
        monkeypatch.setenv(name, value)
    return joined(stand_in.settings(way) | more)


def joined(table: dict[str, Any]) -> Integration:
    return resolve("acme", IntegrationSettings.model_validate(table), network=Network(), folder=Path())


async def ask(joined: Integration, kind: ProbeKind, tools: Tools | None = None) -> Outcome:
    tools = tools or Tools()
    (planned,) = plan(joined, tools, frozenset({kind}))
    return await run(planned, tools)


@pytest.mark.parametrize("name", catalogue.names())
async def test_anybody_can_reach_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with StandIn(name) as stand_in:
        outcome = await ask(integration(stand_in, monkeypatch), ProbeKind.REACHABILITY)
    assert outcome.state is State.OPERATIONAL, outcome.detail


@pytest.mark.parametrize(("name", "way"), WAYS)
async def test_a_good_credential_is_told_from_a_bad_one(
    name: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or neither is claimed, where the provider answers both alike."""
    async with StandIn(name) as stand_in:
        joined = integration(stand_in, monkeypatch, way)
        tools = Tools()
        good = await ask(joined, ProbeKind.CREDENTIAL, tools)
        await stand_in.set_state("revoked")
        revoked = await ask(joined, ProbeKind.CREDENTIAL, tools)
        await stand_in.set_state("healthy")
        back = await ask(joined, ProbeKind.CREDENTIAL, tools)
    question = joined.ask(ProbeKind.CREDENTIAL)
    if question is not None and question.cannot_tell:
        reasons = {(seen.state, seen.reason) for seen in (good, revoked, back)}
        assert reasons == {(State.UNKNOWN, Reason.NOT_TOLD)}
        return
    assert good.state is State.OPERATIONAL, good.detail
    assert revoked.state is State.AUTH_FAILED, revoked.detail
    assert back.state is State.OPERATIONAL, back.detail


@pytest.mark.parametrize(("name", "way"), WAYS)
async def test_a_throttled_provider_is_alive(name: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with StandIn(name) as stand_in:
        joined = integration(stand_in, monkeypatch, way)
        await stand_in.set_state("throttled", seconds=20)
        outcome = await ask(joined, ProbeKind.CREDENTIAL)
    assert outcome.state is State.THROTTLED, outcome.detail


@pytest.mark.parametrize("name", catalogue.names())
@pytest.mark.parametrize(("state", "reason"), [("outage", Reason.SERVER_ERROR), ("down", Reason.CONNECT)])
async def test_an_outage_is_theirs(
    name: str, state: str, reason: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with StandIn(name) as stand_in:
        joined = integration(stand_in, monkeypatch)
        await stand_in.set_state(state)
        outcome = await ask(joined, ProbeKind.REACHABILITY)
    assert (outcome.state, outcome.reason) == (State.FAILING, reason)


async def test_without_a_credential_nothing_is_claimed() -> None:
    table = {
        "provider": "stripe",
        "base_url": "http://127.0.0.1:1",
        "credentials": {"secret_key": "env:NOT_SET_AT_ALL"},
    }
    outcome = await ask(joined(table), ProbeKind.CREDENTIAL)
    assert (outcome.state, outcome.reason) == (State.UNKNOWN, Reason.NO_CREDENTIAL)
    assert outcome.detail == "env:NOT_SET_AT_ALL: the environment variable is not set"
    assert outcome.duration_seconds is None


async def test_a_token_is_fetched_once_and_again_when_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async with StandIn("paypal") as stand_in:
        joined = integration(stand_in, monkeypatch)
        tools = Tools()
        for _ in range(3):
            assert (await ask(joined, ProbeKind.CREDENTIAL, tools)).state is State.OPERATIONAL
        fetched = sum(count for (path, _), count in stand_in.requests.items() if "token" in path)
        assert fetched == 1
        await stand_in.set_state("revoked")
        assert (await ask(joined, ProbeKind.CREDENTIAL, tools)).state is State.AUTH_FAILED


async def test_a_token_is_renewed_before_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    now = dt.datetime.now(dt.UTC)

    def clock() -> dt.datetime:
        return now

    async with StandIn("paypal", clock=clock, token_seconds=600) as stand_in:
        joined = integration(stand_in, monkeypatch)
        tools = Tools(clock=clock)
        for minutes in (0, 5, 5):
            now += dt.timedelta(minutes=minutes)
            assert (await ask(joined, ProbeKind.CREDENTIAL, tools)).state is State.OPERATIONAL
        assert sum(count for (path, _), count in stand_in.requests.items() if "token" in path) == 2
        assert stand_in.answered(401) == 0


async def test_headroom_comes_from_the_quota_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    async with StandIn("github", requests_per_window=1000) as stand_in:
        joined = integration(stand_in, monkeypatch)
        stand_in.use(950)
        low = await ask(joined, ProbeKind.HEADROOM)
        stand_in.use(1000)
        gone = await ask(joined, ProbeKind.HEADROOM)
    assert (low.state, low.reason) == (State.DEGRADED, Reason.LOW_HEADROOM)
    core = next(room for room in low.headrooms if room.bucket == "core")
    assert (core.limit, core.source) == (1000, "endpoint")
    assert core.remaining is not None
    assert core.remaining <= 50
    assert core.credential_fingerprint
    assert gone.state is State.THROTTLED
    assert gone.retry_at is not None


def test_a_missing_number_is_never_zero() -> None:
    """A limit without a remainder, or no header at all, is unknown and not exhausted."""
    table = {"provider": "sendgrid", "base_url": "http://127.0.0.1:1", "credentials": {"api_key": "env:X"}}
    (planned,) = plan(joined(table), Tools(), frozenset({ProbeKind.HEADROOM}))
    for rooms in ((), (a_headroom(remaining=None),), (a_headroom(limit=None, remaining=5.0),)):
        judgement = Judgement(state=State.OPERATIONAL, reason=Reason.OK, detail="", headrooms=rooms)
        assert weigh_headroom(judgement, planned).state is State.UNKNOWN


@pytest.mark.parametrize(
    ("environment", "key", "state"),
    [
        (Environment.SANDBOX, "sk_live_madeupmadeupmadeup1234", State.DEGRADED),
        (Environment.LIVE, "sk_test_madeupmadeupmadeup1234", State.DEGRADED),
        (Environment.LIVE, "sk_live_madeupmadeupmadeup1234", State.OPERATIONAL),
    ],
)
async def test_a_key_of_the_other_mode_is_a_finding(
    environment: Environment, key: str, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", key)
    body = b'{"object":"balance","livemode":false,"available":[],"pending":[]}'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with server(says(head + body)) as port:
        table = {
            "provider": "stripe",
            "base_url": f"http://127.0.0.1:{port}",
            "credentials": {"secret_key": "env:KEY"},
        }
        outcome = await ask(joined(table | {"environment": environment.value}), ProbeKind.CREDENTIAL)
    assert outcome.state is state, outcome.detail
    assert bool(outcome.findings) == (state is State.DEGRADED)
    assert key not in repr(outcome)


async def test_a_redirect_is_not_followed_and_carries_no_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "sk_test_madeupmadeupmadeup1234")
    asked: list[bytes] = []

    async def note(head: bytes, _: object, __: object) -> None:
        asked.append(head)

    async with server(note) as other:
        raw = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{other}/x\r\nContent-Length: 0\r\n\r\n".encode()
        async with server(says(raw)) as port:
            table = {
                "provider": "stripe",
                "base_url": f"http://127.0.0.1:{port}",
                "credentials": {"secret_key": "env:KEY"},
            }
            outcome = await ask(joined(table), ProbeKind.CREDENTIAL)
    assert (outcome.state, outcome.reason) == (State.DEGRADED, Reason.REDIRECT)
    assert asked == []


async def test_the_generic_provider_is_described_by_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "made-up-token-1234")

    async def answer(head: bytes, _: object, writer: Any) -> None:
        good = b"authorization: bearer made-up-token-1234" in head.lower()
        status = b"200 OK" if good or b"GET /health" in head else b"401 Unauthorized"
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nok")

    async with server(answer) as port:
        table = {
            "provider": "generic",
            "base_url": f"http://127.0.0.1:{port}",
            "credentials": {"token": "env:TOKEN"},
            "service": {"auth": "bearer", "health": {"path": "/health"}, "identity": {"path": "/me"}},
        }
        tools = Tools()
        states = [
            (await ask(joined(table), kind, tools)).state
            for kind in (ProbeKind.REACHABILITY, ProbeKind.CREDENTIAL)
        ]
        monkeypatch.setenv("TOKEN", "another-token-1234")
        states.append((await ask(joined(table), ProbeKind.CREDENTIAL)).state)
    assert states == [State.OPERATIONAL, State.OPERATIONAL, State.AUTH_FAILED]


async def test_what_an_outcome_says_passes_the_redactor(monkeypatch: pytest.MonkeyPatch) -> None:
    tools = Tools(redactor=Redactor())
    monkeypatch.setenv("KEY", "sk_test_madeupmadeupmadeup1234")
    table = {
        "provider": "stripe",
        "base_url": "http://sk-test-madeupmadeupmadeup1234.invalid",
        "credentials": {"secret_key": "env:KEY"},
    }
    wanted = joined(table)
    tools.redactor.learn(Secret("sk-test-madeupmadeupmadeup1234", name="env:OTHER"))
    outcome = await ask(wanted, ProbeKind.CREDENTIAL, tools)
    assert outcome.state is State.FAILING
    assert "madeup" not in outcome.detail


@pytest.mark.parametrize("fault", ["reset", "garbage"])
async def test_a_fault_is_an_outcome_not_an_error(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = next(each for each in FAULTS if fault in each)
    async with StandIn("stripe") as stand_in:
        joined = integration(stand_in, monkeypatch)
        await stand_in.set_state(name)
        outcome = await ask(joined, ProbeKind.REACHABILITY)
    assert outcome.state is State.FAILING


@pytest.mark.parametrize(
    ("days", "state"), [(60, State.OPERATIONAL), (20, State.OPERATIONAL), (3, State.DEGRADED)]
)
async def test_a_credential_that_ends_soon_is_told(
    days: int, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token itself says when it ends; a week before, it is no longer called well."""
    end = dt.datetime.now(dt.UTC) + dt.timedelta(days=days, minutes=1)
    token = jwt.encode({"exp": int(end.timestamp())}, "made-up-made-up-made-up-made-up!", algorithm="HS256")
    monkeypatch.setenv("TOKEN", token)
    async with server(says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) as port:
        service = {"auth": "bearer", "identity": {"path": "/me"}}
        table = {"provider": "generic", "base_url": f"http://127.0.0.1:{port}", "service": service}
        outcome = await ask(joined(table | {"credentials": {"token": "env:TOKEN"}}), ProbeKind.CREDENTIAL)
    assert outcome.state is state, outcome.detail
    assert outcome.credential is not None
    assert outcome.credential.expires_at == end.replace(microsecond=0)
    assert bool(outcome.findings) == (days <= 30)
    assert (outcome.reason is Reason.CREDENTIAL_EXPIRES) == (days == 3)


async def test_a_scope_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with StandIn("square") as stand_in:
        enough = integration(stand_in, monkeypatch, required_scopes=["PAYMENTS_READ"])
        lacking = integration(stand_in, monkeypatch, required_scopes=["PAYMENTS_READ", "ORDERS_WRITE"])
        good, bad = await ask(enough, ProbeKind.CREDENTIAL), await ask(lacking, ProbeKind.CREDENTIAL)
    assert good.state is State.OPERATIONAL, good.detail
    assert (bad.state, bad.reason) == (State.DEGRADED, Reason.SCOPE)
    assert "it lacks ORDERS_WRITE" in bad.detail
