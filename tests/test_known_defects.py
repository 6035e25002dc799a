"""Defects that are known in other monitors, each by its name: none of them is here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from interlock.integration import Integration, resolve
from interlock.records import Outcome, ProbeKind, Reason, State
from interlock.settings import IntegrationSettings, Network
from interlock.store import Store
from interlock.writing import Recorded
from probes.kinds import plan
from probes.probe import Planned, Tools
from probes.run import run
from reports.exposition import PLAIN, encode
from reports.face import Face, listed
from reports.metrics import families
from scheduler.ledger import Ledger
from scheduler.loop import Loop
from tests.days import Days
from tests.loopback import says, server
from tests.records import NOON

KEY = "k3y-that-must-not-be-seen"
FAST = "HTTP/1.1 {} X\r\nContent-Length: 2\r\n{}\r\nok"
TOLD = "X-RateLimit-Limit: 60\r\nX-RateLimit-Remaining: {}\r\n"


def answer(status: int, fields: str = "") -> bytes:
    return FAST.format(status, fields).encode()


def joined(port: int, **more: Any) -> Integration:
    """A service that nobody described: the key in its query, limits in its headers."""
    service = {"auth": "query", "query": "api_key", "identity": {}, "rate_limit_headers": ["x-ratelimit"]}
    table = {
        "provider": "generic",
        "base_url": f"http://127.0.0.1:{port}/v1/accounts",
        "credentials": {"token": "env:DEFECT_KEY"},
        "service": service,
        **more,
    }
    settings = IntegrationSettings.model_validate(table)
    return resolve("acme", settings, network=Network(), folder=Path())


def planned(port: int, tools: Tools) -> Planned:
    (found,) = plan(joined(port), tools, frozenset({ProbeKind.CREDENTIAL}))
    return found


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEFECT_KEY", KEY)


async def seen(status: int, fields: str = "") -> Outcome:
    tools = Tools(clock=lambda: NOON)
    async with server(says(answer(status, fields))) as port:
        return await run(planned(port, tools), tools)


async def scraped(*outcomes: Outcome, folder: Path) -> str:
    with Store("sqlite:///x.db", folder=folder) as store:
        store.write([Recorded(outcome) for outcome in outcomes])
        face = Face(store=store, integrations=(listed(joined(1)),), clock=lambda: NOON)
        return encode(families(face), PLAIN).decode()


async def test_missing_field_read_as_zero(tmp_path: Path) -> None:
    """`X-RateLimit-Remaining` is not sent: nothing is known to be left, and nothing is known to be gone."""
    found = await seen(200, "X-RateLimit-Limit: 60\r\n")
    assert found.state is State.OPERATIONAL
    assert [(room.limit, room.remaining, room.ratio) for room in found.headrooms] == [(60, None, None)]
    text = await scraped(found, folder=tmp_path)
    assert "interlock_headroom_limit{" in text
    assert "interlock_headroom_remaining" not in text
    assert "interlock_headroom_ratio" not in text


async def test_url_with_a_key_as_a_metric_label(tmp_path: Path) -> None:
    """The key goes in the query; no label, and nothing else of a scrape, has the address."""
    text = await scraped(await seen(200), await seen(500), await seen(429), folder=tmp_path)
    assert 'integration="acme"' in text
    for piece in (KEY, "api_key", "/v1/accounts", "127.0.0.1", "http:"):
        assert piece not in text


async def test_429_counted_as_healthy_because_it_was_fast(tmp_path: Path) -> None:
    """A refusal is quick; it is no sign of health, and the credential is not known to be good by it."""
    found = await seen(429)
    assert found.duration_seconds is not None
    assert found.duration_seconds < 1
    assert (found.state, found.reason) == (State.THROTTLED, Reason.RATE_LIMITED)
    text = await scraped(found, folder=tmp_path)
    assert 'state="throttled"} 1.0' in text
    assert 'state="operational"} 0.0' in text
    assert "interlock_credential_valid{" not in text


async def test_a_header_metric_that_vanishes_on_429(tmp_path: Path) -> None:
    """What is left is told by every answer, and most wanted of the one that refuses us."""
    for status, left in ((200, 1), (429, 0), (403, 0), (404, 1), (500, 1)):
        found = await seen(status, TOLD.format(left))
        assert [(room.limit, room.remaining) for room in found.headrooms] == [(60, left)], status
        folder = tmp_path / str(status)
        folder.mkdir()
        assert f'bucket="default",source="header"}} {left:.1f}' in await scraped(found, folder=folder)


@pytest.mark.parametrize("retry_after", ["86400", "Mon, 23 Nov 2026 12:00:00 GMT"])
async def test_503_with_retry_after_during_an_outage_that_never_becomes_down(
    retry_after: str, tmp_path: Path
) -> None:
    """It asks for a day of patience. We are patient for five minutes at a time, and it is down in twenty."""
    days = Days()
    tools = Tools(clock=days.clock)
    async with server(says(answer(503, f"Retry-After: {retry_after}\r\n"))) as port:
        plans = [planned(port, tools)]
        with Store("sqlite:///x.db", folder=tmp_path) as store:
            loop = Loop(plans, tools, store, ledger=Ledger(plans))
            slots = await days.run(loop, plans, days=20 / 1440)
            store.flush()
            (status,) = store.statuses()
    assert slots >= 3
    assert (status.state, status.last.reason) == (State.DOWN, Reason.SERVER_ERROR)
    assert status.last.retry_at is not None, "and what it asked for is told"
