"""The loop on a real APScheduler: slots, limits, holds, drain."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from interlock import tables
from interlock.integration import resolve
from interlock.records import Outcome, ProbeKind, State
from interlock.settings import Concurrency, IntegrationSettings, Network
from interlock.store import Store
from probes.kinds import plan
from probes.probe import Planned, Tools
from probes.run import Limits, run_all
from scheduler.loop import Loop
from scheduler.manners import Holds
from tests.loopback import Handler, says, server

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def plans(port: int, tools: Tools, count: int = 1, every: str = "1s", **more: object) -> list[Planned]:
    found = []
    for number in range(count):
        table = {
            "provider": "generic",
            "base_url": f"http://127.0.0.1:{port}",
            "every": every,
            "timeout": "900ms",
            "service": {},
            **more,
        }
        settings = IntegrationSettings.model_validate(table)
        joined = resolve(f"acme-{number}", settings, network=Network(), folder=Path())
        found += plan(joined, tools, frozenset({ProbeKind.REACHABILITY}))
    return found


async def until(condition: Callable[[], bool], *, within_seconds: float = 20) -> None:
    """Wait for something that happens; fail if it does not."""
    async with asyncio.timeout(within_seconds):
        while not condition():  # noqa: ASYNC110 - what it waits for tells nobody
            await asyncio.sleep(0.02)


async def test_every_slot_is_asked_once_and_stored(tmp_path: Path) -> None:
    seen: list[Outcome] = []
    tools = Tools()
    async with server(says(OK)) as port:
        with Store("sqlite:///x.db", folder=tmp_path) as store:
            loop = Loop(plans(port, tools, count=3), tools, store, done=seen.append)
            loop.start()
            await until(lambda: len(seen) >= 9)
            await loop.drain(5)
            with store.reading() as connection:
                rows = connection.execute(
                    sa.select(tables.outcomes.c.integration, tables.outcomes.c.slot)
                ).all()
    assert len(rows) == len(set(rows)) == len(seen)
    assert {outcome.state for outcome in seen} == {State.OPERATIONAL}
    for name in ("acme-0", "acme-1", "acme-2"):
        slots = sorted(slot for integration, slot in rows if integration == name)
        assert slots == list(range(slots[0], slots[0] + len(slots))), (
            "one slot a second, none twice, none left out"
        )


async def test_drain_waits_for_what_is_under_way_and_writes_it(tmp_path: Path) -> None:
    arrived, go = asyncio.Event(), asyncio.Event()

    async def slow(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await go.wait()
        writer.write(OK)

    tools = Tools()
    async with server(slow) as port:
        with Store("sqlite:///x.db", folder=tmp_path) as store:
            loop = Loop(plans(port, tools, every="2s"), tools, store)
            loop.start()
            await arrived.wait()
            draining = asyncio.create_task(loop.drain(5))
            await asyncio.sleep(0)
            go.set()
            await draining
            (status,) = store.statuses()
    assert status.state is State.OPERATIONAL


class Counting(Holds):
    """Notes each time that it is asked."""

    def __init__(self, rounds: list[dt.datetime]) -> None:
        super().__init__()
        self._rounds = rounds

    def until(self, planned: Planned, now: dt.datetime) -> dt.datetime | None:
        self._rounds.append(now)
        return super().until(planned, now)


async def test_a_probe_that_stays_away_asks_nothing(tmp_path: Path) -> None:
    asked: list[bytes] = []

    async def throttle(head: bytes, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(head)
        writer.write(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n")

    tools = Tools()
    rounds: list[dt.datetime] = []
    async with server(throttle) as port:
        with Store("sqlite:///x.db", folder=tmp_path) as store:
            loop = Loop(plans(port, tools), tools, store)
            loop.holds = Counting(rounds)
            loop.start()
            await until(lambda: len(rounds) >= 3)
            await loop.drain(5)
    assert len(asked) == 1


async def test_the_scheduler_says_of_itself_that_it_lives(tmp_path: Path) -> None:
    tools = Tools()
    with Store("sqlite:///x.db", folder=tmp_path) as store:
        loop = Loop([], tools, store)
        await loop._tell()
        store.flush()
        with store.reading() as connection:
            names = set(connection.execute(sa.select(tables.gauges.c.name)).scalars())
    assert names == {"scheduler_alive", "scheduler_lag_seconds", "store_lost_total"}


async def test_moments_that_were_missed_are_counted(tmp_path: Path) -> None:
    now = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
    tools = Tools(clock=lambda: now)
    async with server(says(OK)) as port:
        with Store("sqlite:///x.db", folder=tmp_path) as store:
            (planned,) = plans(port, tools, every="60s")
            loop = Loop([planned], tools, store)
            await loop._due(planned)
            now += dt.timedelta(minutes=5)
            await loop._due(planned)
            await loop._tell()
            store.flush()
            with store.reading() as connection:
                query = sa.select(tables.gauges.c.value).where(tables.gauges.c.name == "missed_runs_total")
                assert connection.execute(query).scalar_one() == 4


def counting(most: list[int]) -> Handler:
    """Answers after a moment, and notes how many requests were under way at once."""
    under_way = 0

    async def handle(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way
        under_way += 1
        most.append(under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        writer.write(OK)

    return handle


@pytest.mark.parametrize(
    ("limits", "most_at_once"),
    [
        ({"total": 3, "provider": 100, "credential": 100}, 3),
        ({"total": 100, "provider": 2, "credential": 100}, 2),
        ({"total": 100, "provider": 100, "credential": 1}, 1),
    ],
)
async def test_no_more_at_once_than_allowed(
    limits: dict[str, int], most_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "made-up-token-1234")
    most: list[int] = []
    tools = Tools()
    service = {"auth": "bearer", "identity": {"path": "/me"}}
    async with server(counting(most)) as port:
        many = plans(port, tools, 20, credentials={"token": "env:TOKEN"}, service=service)
        outcomes = await run_all(many, tools, limits=Limits(Concurrency(**limits)))
    assert max(most) == most_at_once
    assert {outcome.state for outcome in outcomes} == {State.OPERATIONAL}
