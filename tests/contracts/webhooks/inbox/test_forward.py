"""Sending on: until it is taken, with pauses that grow, under one id, and whatever the target does."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.webhooks.inbox.forward import LONGEST_PAUSE_SECONDS, Forwarder, draft, pause
from contracts.webhooks.inbox.keeper import Keeper
from contracts.webhooks.inbox.records import Due, Stage
from interlock.store import Store
from interlock.wire import Wire
from tests.contracts.webhooks.inbox.household import House, delivery, receiver
from tests.loopback import never, server


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with Store(f"sqlite:///{tmp_path}/inbox.db") as store, Keeper(store) as keeper:
        yield House(store, keeper)


@dataclasses.dataclass
class Target:
    """A server that answers with one status after the other, the last one for ever; None hangs."""

    statuses: list[int | None]
    heads: list[bytes] = dataclasses.field(default_factory=list)

    async def handle(self, head: bytes, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append(head)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status is None:
            await never()
        writer.write(b"HTTP/1.1 %d x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % (status or 0))

    def ids(self) -> list[str]:
        return [self._field(head, b"interlock-delivery") for head in self.heads]

    @staticmethod
    def _field(head: bytes, name: bytes) -> str:
        lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n") if b": " in line)
        return lines[name].decode()


@contextlib.asynccontextmanager
async def sending(house: House, target: Target) -> AsyncIterator[Forwarder]:
    async with server(target.handle) as port:
        house.receivers = {"pay": receiver(forward=f"http://127.0.0.1:{port}/in")}
        forwarder = Forwarder(
            receivers=house.receivers, keeper=house.keeper, wire=Wire(), clock=house.clock, attempts=3, pause=float,
        )  # fmt: skip
        yield forwarder


async def attempt(house: House, forwarder: Forwarder) -> int:
    """Send everything that is due now; how many that were."""
    due = house.keeper.due(house.clock(), 100).result(10)
    for each in due:
        await forwarder.send(each)
    return len(due)


async def test_it_is_sent_on_as_it_came_with_our_id(house: House) -> None:
    target = Target([204])
    async with sending(house, target) as forwarder:
        await house.post(delivery())
        assert await attempt(house, forwarder) == 1
    [row] = house.rows()
    assert (row["state"], row["attempts"], row["answered_status"]) == (Stage.FORWARDED, 1, 204)
    assert target.ids() == [row["id"]]
    head = target.heads[0].lower()
    assert head.startswith(b"post /in http/1.1\r\n")
    assert b"stripe-signature: t=" in head
    assert b"content-length: %d\r\n" % len(delivery().body) in head
    assert house.counts()["forwarded", ""] == 1


@pytest.mark.parametrize("refusal", [500, 404, 301, 100])
async def test_it_is_tried_again_later_under_the_same_id(refusal: int, house: House) -> None:
    target = Target([refusal, 200])
    async with sending(house, target) as forwarder:
        await house.post(delivery())
        await attempt(house, forwarder)
        assert await attempt(house, forwarder) == 0  # not yet
        house.clock.move(1)
        assert await attempt(house, forwarder) == 1
    assert len(set(target.ids())) == 1
    assert house.rows()[0]["state"] == Stage.FORWARDED


async def test_after_so_many_attempts_it_is_dead_and_counted(house: House) -> None:
    target = Target([503])
    async with sending(house, target) as forwarder:
        await house.post(delivery())
        for _ in range(5):
            await attempt(house, forwarder)
            house.clock.move(100)
    [row] = house.rows()
    assert (row["state"], row["attempts"], len(target.heads)) == (Stage.DEAD, 3, 3)
    assert house.counts()["dead", ""] == 1


async def test_a_target_that_is_away_is_like_one_that_fails(house: House) -> None:
    target = Target([200])
    async with sending(house, target) as forwarder:
        house.receivers["pay"] = receiver(forward="http://127.0.0.1:1/")  # type: ignore[index]
        await house.post(delivery())
        await attempt(house, forwarder)
    [row] = house.rows()
    assert (row["state"], row["answered_status"]) == (Stage.QUEUED, None)


async def test_a_target_that_hangs_holds_up_neither_answers_nor_other_deliveries(house: House) -> None:
    target = Target([None, 200])
    async with sending(house, target) as forwarder:
        running = asyncio.create_task(forwarder.run())
        for number in range(4):
            assert (await house.post(delivery(number))).status_code == 200
            forwarder.wake.set()
        async with asyncio.timeout(10):
            while sum(row["state"] == Stage.FORWARDED for row in house.rows()) < 3:  # noqa: ASYNC110 - the store tells nobody
                await asyncio.sleep(0)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    assert [row["state"] for row in house.rows()].count(Stage.QUEUED) == 1


@given(st.integers(1, 10_000))
def test_a_pause_lies_between_nothing_and_its_bound(number: int) -> None:
    assert 0 <= pause(number) <= min(2 ** min(number - 1, 40), LONGEST_PAUSE_SECONDS)


def test_what_belongs_to_one_connection_is_not_sent_on() -> None:
    sent = delivery().with_headers({"Host": "old", "Connection": "close", "TE": "x", "X-Own": "kept"})
    due = Due(id="d", integration="pay", event_type=None, attempts=4, delivery=sent)
    names = {name.lower(): value for name, value in draft(due, "http://127.0.0.1/").headers}
    assert {"host", "connection", "te"} & names.keys() == set()
    assert (names["x-own"], names["interlock-delivery"], names["interlock-attempt"]) == ("kept", "d", "5")
