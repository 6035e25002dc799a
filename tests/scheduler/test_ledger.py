"""What all probes of a credential were told and used together; and days of it against a strict provider."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.clients.stand_in import StandIn
from interlock.catalogue import Cost, load
from interlock.integration import resolve
from interlock.records import Headroom, Outcome, ProbeKind, State
from interlock.settings import IntegrationSettings, Network
from interlock.store import Store
from probes.kinds import plan
from probes.probe import Planned, Tools
from scheduler.ledger import Ledger
from scheduler.loop import Loop
from scheduler.manners import share_out
from tests.days import Days
from tests.records import NOON, a_headroom, an_outcome

HOUR = 3600.0
KINDS = frozenset({ProbeKind.REACHABILITY, ProbeKind.CREDENTIAL, ProbeKind.HEADROOM})


def at(seconds: float) -> dt.datetime:
    return NOON + dt.timedelta(seconds=seconds)


def planned(monkeypatch: pytest.MonkeyPatch, name: str = "code", **more: Any) -> Planned:
    monkeypatch.setenv("TOKEN", "ghp_" + "madeup" * 6)
    table = {"provider": "github", "credentials": {"token": "env:TOKEN"}, **more}
    joined = resolve(name, IntegrationSettings.model_validate(table), network=Network(), folder=Path())
    (found,) = plan(joined, Tools(), frozenset({ProbeKind.CREDENTIAL}))
    return dataclasses.replace(found, cost=Cost(bucket="core"))


def core(limit: float, remaining: float | None, **more: Any) -> Headroom:
    """The bucket `core`, told at noon, whole again in an hour."""
    told = {"bucket": "core", "limit": limit, "remaining": remaining, "reset_at": at(HOUR)}
    return a_headroom(**(told | {"window_seconds": None} | more))


def told(*rooms: Headroom) -> Outcome:
    return an_outcome(headrooms=rooms)


def test_nothing_is_stretched_while_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = planned(monkeypatch)
    ledger = Ledger([probe])
    assert ledger.until(probe, NOON) is None
    ledger.ask(probe, NOON)
    assert ledger.until(probe, at(300)) is None
    assert ledger.interval(probe, NOON) == 300


def test_a_limit_that_is_told_is_shared_as_a_published_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """60 an hour where 5000 were published: a hundredth of it is one request in 100 minutes."""
    probe = planned(monkeypatch)
    ledger = Ledger([probe])
    ledger.ask(probe, NOON)
    ledger.note(probe, told(core(60, 59)))
    assert ledger.interval(probe, NOON) == pytest.approx(6000)
    assert ledger.until(probe, at(5990)) == at(6000)
    assert ledger.until(probe, at(6000)) is None


def test_who_shares_a_credential_shares_its_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    probes = [planned(monkeypatch, f"code-{n}") for n in range(3)]
    ledger = Ledger(probes)
    ledger.note(probes[0], told(core(60, 59)))
    assert [ledger.interval(each, NOON) for each in probes] == [pytest.approx(18000)] * 3


def test_little_that_is_left_stretches_and_the_reset_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = planned(monkeypatch)
    ledger = Ledger([probe])
    ledger.note(probe, told(core(5000, 500)))
    assert ledger.interval(probe, NOON) == pytest.approx(1500), "a tenth is left: five times as long"
    ledger.note(probe, told(core(5000, 0)))
    assert ledger.interval(probe, NOON) == pytest.approx(HOUR), "nothing is left: not before the reset"
    assert ledger.interval(probe, at(HOUR)) == 300, "past its reset nothing is known, and nothing stretched"


def test_an_interval_of_the_settings_is_stretched_by_what_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    probe = planned(monkeypatch, probes={"credential": {"every": "20s"}})
    ledger = Ledger([probe])
    ledger.note(probe, told(core(60, 59)))
    assert ledger.interval(probe, NOON) == 20
    ledger.note(probe, told(core(60, 3)))
    assert ledger.interval(probe, NOON) == pytest.approx(200)


@pytest.mark.parametrize(
    "room",
    [
        core(60, None),
        core(60, 1, unit="messages"),
        core(60, 1, bucket="search", source="endpoint"),
        core(60, 1, bucket="search", credential_fingerprint="other", source="endpoint"),
    ],
)
def test_what_our_asking_does_not_use_up_stretches_nothing(
    room: Headroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = planned(monkeypatch, probes={"credential": {"every": "20s"}})
    ledger = Ledger([probe])
    ledger.note(probe, told(room))
    assert ledger.interval(probe, NOON) == 20


def test_intervals_are_told_while_they_are_stretched_and_once_when_they_no_longer_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    probe = planned(monkeypatch)
    ledger = Ledger([probe])
    assert ledger.stretched(NOON) == {}
    ledger.note(probe, told(core(5000, 500)))
    assert ledger.stretched(NOON) == {"code/credential": pytest.approx(1500)}
    assert ledger.stretched(at(HOUR)) == {"code/credential": 300}
    assert ledger.stretched(at(HOUR)) == {}


def test_our_own_use_is_counted_by_integration_and_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    probes = [planned(monkeypatch, name) for name in ("code", "docs")]
    ledger = Ledger(probes)
    for number in range(3):
        ledger.ask(probes[0], at(number))
    ledger.ask(probes[1], NOON)
    assert ledger.requests == {("code", "core"): 3, ("docs", "core"): 1}


def silent(monkeypatch: pytest.MonkeyPatch, **limits: Any) -> Planned:
    """Of a provider that tells nothing, with one published limit."""
    probe = planned(monkeypatch)
    provider = load("github")
    declared = provider.rate_limits.declared[0].model_copy(update=limits)
    rates = provider.rate_limits.model_copy(update={"tells": False, "declared": (declared,)})
    joined = dataclasses.replace(
        probe.integration, provider=provider.model_copy(update={"rate_limits": rates})
    )
    return dataclasses.replace(probe, integration=joined)


def test_where_nothing_is_told_we_reckon_with_our_own_use(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = silent(monkeypatch)
    ledger = Ledger([probe])
    for number in range(3):
        ledger.ask(probe, at(number))
    (room,) = ledger.note(probe, an_outcome()).headrooms
    assert (room.limit, room.remaining, room.used) == (5000, 4997, 3)
    assert (room.source, room.confidence, room.reset_at) == ("observed", "low", at(HOUR))
    ledger.ask(probe, at(HOUR))
    (room,) = ledger.note(probe, an_outcome(started_at=at(HOUR))).headrooms
    assert (room.remaining, room.reset_at) == (4999, at(2 * HOUR)), "a new window"


def test_in_a_short_window_only_the_published_limit_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = silent(monkeypatch, limit=100.0, window_seconds=1.0)
    ledger = Ledger([probe])
    ledger.ask(probe, NOON)
    (room,) = ledger.note(probe, an_outcome()).headrooms
    assert (room.limit, room.remaining, room.used, room.source) == (100, None, None, "declared")


def test_what_is_told_is_never_mixed_with_what_we_reckon(monkeypatch: pytest.MonkeyPatch) -> None:
    probe, telling = silent(monkeypatch), planned(monkeypatch)
    ledger = Ledger([probe])
    assert len(ledger.note(probe, told(core(60, 59))).headrooms) == 1
    assert ledger.note(telling, an_outcome()).headrooms == ()
    assert ledger.note(probe, an_outcome(status_code=None, state=State.FAILING)).headrooms == ()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store("sqlite:///x.db", folder=tmp_path) as opened:
        yield opened


def joined(stand_in: StandIn, names: list[str], days: Days) -> tuple[list[Planned], Tools]:
    tools = Tools(clock=days.clock)
    plans = []
    for name in names:
        settings = IntegrationSettings.model_validate(stand_in.settings())
        integration = resolve(name, settings, network=Network(), folder=Path())
        plans += plan(integration, tools, KINDS)
    return share_out(plans), tools


@pytest.mark.parametrize("sharers", [1, 8])
async def test_a_provider_with_60_requests_an_hour_never_has_to_say_429(
    sharers: int, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two days under default settings: by one integration, and by eight that share the credential.

    No limit is published; that it is 60 stands in the answers alone. Eight at their usual interval would ask
    192 times an hour.
    """
    days, seen = Days(), list[Outcome]()
    async with StandIn("sendgrid", requests_per_window=60, window_seconds=HOUR, clock=days.clock) as stand_in:
        for name, value in stand_in.environ.items():
            monkeypatch.setenv(name, value)
        plans, tools = joined(stand_in, [f"code-{n}" for n in range(sharers)], days)
        loop = Loop(plans, tools, store, ledger=Ledger(plans), done=seen.append)
        slots = await days.run(loop, plans, days=2 if sharers == 1 else 0.5)
        refused = stand_in.answered(403) + stand_in.answered(429)
    asked = [o for o in seen if o.probe is not ProbeKind.REACHABILITY]
    assert slots > 1000
    assert refused == 0
    assert {o.state for o in seen} == {State.OPERATIONAL}
    hours = (days.now - NOON).total_seconds() / HOUR
    assert len(asked) <= 2 * sharers + 0.01 * 60 * hours + 1, "after the first look, a hundredth of the limit"
    assert len(asked) >= 2 * sharers, "and it is asked"
    assert not loop._missed, "a slot that is left out on purpose is not a missed run"


async def test_what_others_use_of_the_same_quota_makes_us_ask_less(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The team itself uses nine tenths of each hour; the probes step back and do not take the rest."""
    days, seen = Days(), list[Outcome]()
    async with StandIn("sendgrid", requests_per_window=60, window_seconds=HOUR, clock=days.clock) as stand_in:
        for name, value in stand_in.environ.items():
            monkeypatch.setenv(name, value)
        plans, tools = joined(stand_in, ["code"], days)
        loop = Loop(plans, tools, store, ledger=Ledger(plans), done=seen.append)
        for _ in range(12):
            stand_in.use(54)
            await days.run(loop, plans, days=1 / 24)
        refused = stand_in.answered(403) + stand_in.answered(429)
    assert refused == 0
    assert sum(o.probe is not ProbeKind.REACHABILITY for o in seen) <= 0.01 * 60 * 12 + 3
