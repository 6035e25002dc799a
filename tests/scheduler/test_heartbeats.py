"""Heartbeats: taken with the right token only, late past the grace, told once a turn."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

from interlock import tables
from interlock.records import Reason, State, Status
from interlock.redaction import Redactor
from interlock.secrets import Secret
from interlock.store import Store
from scheduler.heartbeats import Heartbeats, Job, Report, read
from tests.records import NOON

MINUTE = dt.timedelta(minutes=1)
TOKEN = Secret("made-up-heartbeat-token", name="env:BEAT")


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store("sqlite:///x.db", folder=tmp_path) as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    return Clock()


def made(store: Store, clock: Clock) -> Heartbeats:
    job = Job(name="crm-sync", every_seconds=3600, grace_seconds=300, token=TOKEN)
    return Heartbeats(
        jobs={"crm-sync": job}, store=store, redactor=Redactor([TOKEN]), clock=clock, region="local"
    )


@pytest.fixture
def beats(store: Store, clock: Clock) -> Heartbeats:
    return made(store, clock)


def status(store: Store) -> Status | None:
    store.flush()
    return next(iter(store.statuses("crm-sync")), None)


def post(
    beats: Heartbeats, *, token: str = TOKEN.reveal(), path: str = "/heartbeats/crm-sync", **more: Any
) -> int:
    async def send() -> int:
        transport = httpx.ASGITransport(Starlette(routes=beats.routes()))
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            answer = await client.post(path, headers=headers, **more)
            assert TOKEN.reveal() not in answer.text
            return answer.status_code

    return asyncio.run(send())


def test_a_success_is_operational(beats: Heartbeats, store: Store) -> None:
    assert post(beats) == 204
    found = status(store)
    assert found is not None
    assert (found.state, found.last.provider, found.last.duration_seconds) == (
        State.OPERATIONAL,
        "heartbeat",
        None,
    )


def test_a_failure_is_down_at_once(beats: Heartbeats, store: Store) -> None:
    assert post(beats, json={"event": "failure", "detail": "no rows", "duration_seconds": 3}) == 204
    found = status(store)
    assert found is not None
    assert (found.state, found.last.reason, found.last.duration_seconds) == (State.DOWN, Reason.JOB_FAILED, 3)
    assert found.last.detail == "no rows"


def test_a_start_and_an_end_give_the_duration(beats: Heartbeats, store: Store, clock: Clock) -> None:
    assert post(beats, json={"event": "start"}) == 204
    assert status(store) is None, "a start is no outcome"
    clock.now += 2 * MINUTE
    assert post(beats, json={"event": "success"}) == 204
    found = status(store)
    assert found is not None
    assert found.last.duration_seconds == 120


@pytest.mark.parametrize("token", ["", "wrong", TOKEN.reveal() + "x", TOKEN.reveal()[:-1]])
def test_without_the_right_token_nothing_is_taken(token: str, beats: Heartbeats, store: Store) -> None:
    assert post(beats, token=token) == 401
    assert status(store) is None


def test_a_job_that_is_not_known_looks_like_a_wrong_token(beats: Heartbeats) -> None:
    assert post(beats, path="/heartbeats/nobody") == 401


def test_nothing_is_taken_from_the_url(beats: Heartbeats, store: Store) -> None:
    assert post(beats, path=f"/heartbeats/crm-sync?token={TOKEN.reveal()}") == 400
    assert status(store) is None


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"event": "party"}',
        b'{"events": "success"}',
        b'{"duration_seconds": -1}',
        b'{"duration_seconds": true}',
        b'{"detail": 5}',
        b"x" * 5000,
    ],
)
def test_a_wrong_body_is_refused(body: bytes, beats: Heartbeats, store: Store) -> None:
    assert post(beats, content=body) == 400
    assert status(store) is None


OBJECTS = st.dictionaries(st.text(max_size=9), st.integers() | st.text())


@given(st.binary(max_size=200) | OBJECTS.map(lambda told: json.dumps(told).encode()))
def test_reading_a_body_raises_value_error_or_gives_a_report(body: bytes) -> None:
    try:
        found = read(body)
    except ValueError:
        return
    assert isinstance(found, Report)


def test_late_past_its_grace_is_down_and_told_once_a_turn(
    beats: Heartbeats, store: Store, clock: Clock
) -> None:
    beats.take("crm-sync", Report("success", None, ""))
    clock.now += 64 * MINUTE
    beats.tick()
    assert status(store).state is State.OPERATIONAL  # type: ignore[union-attr]
    for _ in range(30):
        clock.now += MINUTE
        beats.tick()
    found = status(store)
    assert found is not None
    assert (found.state, found.last.reason) == (State.DOWN, Reason.LATE)
    with store.reading() as connection:
        late = connection.execute(
            sa.select(tables.outcomes.c.id).where(tables.outcomes.c.reason == "late")
        ).all()
    assert len(late) == 1
    beats.take("crm-sync", Report("success", None, ""))
    assert status(store).state is State.OPERATIONAL  # type: ignore[union-attr]


def test_a_job_that_began_and_did_not_end_is_said_to(beats: Heartbeats, store: Store, clock: Clock) -> None:
    beats.take("crm-sync", Report("start", None, ""))
    clock.now += 70 * MINUTE
    beats.tick()
    assert "did not report its end" in status(store).last.detail  # type: ignore[union-attr]


def test_a_restart_forgives_nothing(store: Store, clock: Clock) -> None:
    first = made(store, clock)
    first.take("crm-sync", Report("success", None, ""))
    store.flush()
    clock.now += 50 * MINUTE
    second = made(store, clock)
    clock.now += 20 * MINUTE
    second.tick()
    assert status(store).last.reason is Reason.LATE  # type: ignore[union-attr]


def test_what_a_job_says_passes_the_redactor(beats: Heartbeats, store: Store) -> None:
    post(beats, json={"event": "failure", "detail": f"could not use {TOKEN.reveal()}"})
    assert TOKEN.reveal() not in status(store).last.detail  # type: ignore[union-attr]
