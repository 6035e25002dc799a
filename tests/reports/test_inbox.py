"""The inbox on the page and in the metrics: counted, dated, silent where nothing came, and nothing made up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from interlock import tables
from interlock.store import Store
from reports.face import Face, Receiving
from reports.inbox import OTHER, TYPES_SHOWN, read
from tests.reports import seed
from tests.reports.conftest import Client
from tests.reports.seed import NOW
from tests.reports.test_metrics import of, scrape
from tests.reports.test_pages import Reader, text_of

HOUR = dt.timedelta(hours=1)
PAY = Receiving(name="payments", title="Stripe", silent_after_seconds=3600.0)
QUIET = Receiving(name="quiet", title="Square", silent_after_seconds=86400.0)
PLAIN = Receiving(name="plain", title="GitHub")
HOSTILE = "<script>alert(1)</script>"


def count(outcome: str, number: int, at: dt.datetime, reason: str = "", kind: str = "") -> dict[str, Any]:
    return {
        "integration": "payments", "outcome": outcome, "reason": reason, "event_type": kind, "count": number,
        "last_at": at,
    }  # fmt: skip


def waiting(name: str, state: str, at: dt.datetime) -> dict[str, Any]:
    return {
        "id": name, "integration": "payments", "scheme": "stripe", "received_at": at, "dedupe_key": name,
        "dedupe_source": "signed_id", "state": state, "attempts": 0, "duplicates": 0,
    }  # fmt: skip


@pytest.fixture
def inbox(store: Store) -> Store:
    rows = [
        count("taken", 12, NOW - 2 * HOUR, kind="invoice.paid"),
        count("taken", 1, NOW - 3 * HOUR, kind=HOSTILE),
        count("duplicate", 3, NOW - 4 * HOUR, kind="invoice.paid"),
        count("refused", 7, NOW - HOUR / 2, reason="signature_mismatch"),
        count("forwarded", 9, NOW - 2 * HOUR, kind="invoice.paid"),
        count("misshapen", 4, NOW - 2 * HOUR, kind="invoice.paid", reason="/data/object/amount"),
        count("misshapen", 1, NOW - 2 * HOUR, kind="invoice.paid", reason="/id"),
    ]
    with store.engine.begin() as connection:
        connection.execute(sa.insert(tables.delivery_counts), rows)
        connection.execute(
            sa.insert(tables.deliveries),
            [waiting("a", "queued", NOW - HOUR), waiting("b", "queued", NOW), waiting("c", "dead", NOW)],
        )
    store.write(seed.heartbeat(NOW))
    return store


def face(store: Store, *receiving: Receiving) -> Face:
    return Face(store=store, integrations=seed.listing(), receiving=receiving, clock=lambda: NOW)


def test_what_came_is_counted_by_type_and_outcome(inbox: Store) -> None:
    series = scrape(face(inbox, PAY, QUIET, PLAIN))
    name = "interlock_webhook_deliveries_total"
    assert of(series, name, event_type="invoice.paid", outcome="taken") == [12]
    assert of(series, name, outcome="refused") == []
    assert of(series, name, outcome="misshapen") == [], "they were taken, and are counted as such"
    assert of(series, "interlock_webhook_misshapen_events_total", event_type="invoice.paid") == [5]
    assert of(series, "interlock_webhook_refusals_total", reason="signature_mismatch") == [7]
    assert of(series, "interlock_webhook_queue", integration="payments", state="queued") == [2]
    assert of(series, "interlock_webhook_queue", integration="payments", state="dead") == [1]
    last = "interlock_webhook_last_delivery_timestamp_seconds"
    assert of(series, last, integration="payments") == [(NOW - 2 * HOUR).timestamp()]
    assert of(series, last, integration="quiet") == []
    oldest = "interlock_webhook_oldest_waiting_timestamp_seconds"
    assert of(series, oldest) == [(NOW - HOUR).timestamp()]


def test_silence_is_a_finding_where_a_limit_is_set_and_a_refusal_breaks_it_not(inbox: Store) -> None:
    series = scrape(face(inbox, PAY, QUIET, PLAIN))
    silent = "interlock_webhook_silent"
    assert of(series, silent, integration="payments") == [1]  # two hours, and only a forgery since
    assert of(series, silent, integration="quiet") == [1]  # never anything
    assert of(series, silent, integration="plain") == []


def test_without_receivers_there_is_nothing_to_read(inbox: Store) -> None:
    assert not [name for name, _ in scrape(face(inbox)) if "webhook" in name]
    assert read(inbox, ()) == ()


def test_many_types_are_bounded(store: Store) -> None:
    rows = [count("taken", 1 + number, NOW, kind=f"t{number}") for number in range(TYPES_SHOWN + 20)]
    with store.engine.begin() as connection:
        connection.execute(sa.insert(tables.delivery_counts), rows)
    (taken,) = read(store, (PAY,))
    assert len(taken.types) == TYPES_SHOWN + 1
    assert sum(taken.types.values()) == sum(row["count"] for row in rows)
    assert taken.types[OTHER, "taken"] == sum(range(1, 21))


def test_the_page_says_what_came_and_what_to_do(inbox: Store, client_with: Callable[..., Client]) -> None:
    answer = client_with(store=inbox, receiving=(PAY, QUIET)).get("/webhooks")
    said = text_of(answer.text)
    assert answer.status_code == 200
    assert "payments Stripe 2 h ago silent 13 3 7 9 2 since 1 h ago 1" in said
    assert "Nothing has come for longer than 1 h" in said
    assert "interlock webhooks replay payments" in said
    assert "Not as promised" in said
    assert "/data/object/amount" in said
    assert "signature mismatch refused, last 30 min ago 7" in said
    assert "quiet Square never silent 0 0 0 0 0 0" in said
    assert [(a.get("src") or "")[:12] for t, a in Reader(answer.text).tags if t == "script"] == [
        "/static/app."
    ]


def test_the_page_says_how_to_begin(store: Store, client_with: Callable[..., Client]) -> None:
    said = text_of(client_with(store=store, receiving=()).get("/webhooks").text)
    assert "No integration receives webhooks" in said


def test_the_list_links_to_it_where_webhooks_are_received(
    inbox: Store, client_with: Callable[..., Client]
) -> None:
    assert 'href="/webhooks"' in client_with(store=inbox, receiving=(PAY,)).get("/").text
    assert 'href="/webhooks"' not in client_with(store=inbox).get("/").text
