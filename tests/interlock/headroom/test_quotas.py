"""Quota endpoints: what their bodies say, and that another shape says nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.headroom import QUOTAS, read_quota

NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
AHEAD = NOW + dt.timedelta(seconds=50)
DAY = 86400.0
CORE = {"limit": 5000, "used": 1, "remaining": 4999, "reset": int(AHEAD.timestamp())}
HUBSPOT = {"name": "app", "usageLimit": 250000, "currentUsage": 10, "collectedAt": "2026-11-22T11:59:00Z"}

FIXTURES: list[tuple[str, Any, list[tuple[Any, ...]]]] = [
    (
        "github",
        {"resources": {"core": CORE, "odd": 5, "empty": {}}, "rate": CORE},
        [("core", "requests", 5000, 4999, AHEAD, None)],
    ),
    (
        "ses",
        {
            "SendQuota": {"Max24HourSend": 200.0, "MaxSendRate": 1.0, "SentLast24Hours": 50.0},
            "SendingEnabled": True,
        },
        [("24 hours", "messages", 200, 150, None, DAY), ("second", "messages", 1, None, None, 1)],
    ),
    (
        "ses",
        {"Max24HourSend": -1, "MaxSendRate": 14, "SentLast24Hours": 7},
        [("24 hours", "messages", None, None, None, DAY), ("second", "messages", 14, None, None, 1)],
    ),
    (
        "salesforce",
        {
            "DailyApiRequests": {"Max": 15000, "Remaining": 14998, "App": {"Max": 0, "Remaining": 0}},
            "HourlyODataCallout": {"Max": 20000, "Remaining": 0},
            "DataStorageMB": {"Max": 5, "Remaining": 0},
            "DailyGenericStreamingApiEvents": {"Max": 0, "Remaining": 0},
        },
        [
            ("DailyApiRequests", "requests", 15000, 14998, None, DAY),
            ("HourlyODataCallout", "requests", 20000, 0, None, 3600),
        ],
    ),
    (
        "hubspot",
        {
            "results": [
                HUBSPOT | {"fetchStatus": "SUCCESS", "resetsAt": "2026-11-22T12:00:50Z"},
                HUBSPOT | {"fetchStatus": "TIMEOUT", "currentUsage": 0},
            ]
        },
        [("daily", "requests", 250000, 249990, AHEAD, DAY)],
    ),
    (
        "sendgrid-credits",
        {
            "remain": 20,
            "total": 100,
            "overage": 0,
            "used": 80,
            "last_reset": "2026-11-01",
            "next_reset": "2026-12-01",
            "reset_frequency": "monthly",
        },
        [("credits", "messages", 100, 20, dt.datetime(2026, 12, 1, tzinfo=dt.UTC), None)],
    ),
    (
        "mailgun-monthly",
        {"limit": 1000, "current": 1200, "period": "1m"},
        [("monthly", "messages", 1000, 0, None, None)],
    ),
]


@pytest.mark.parametrize(("name", "body", "wanted"), FIXTURES)
def test_a_quota_body_is_read(name: str, body: Any, wanted: list[tuple[Any, ...]]) -> None:
    rooms = read_quota(name, body, NOW, "abc")
    assert [(r.bucket, r.unit, r.limit, r.remaining, r.reset_at, r.window_seconds) for r in rooms] == wanted
    assert {(r.source, r.told_by, r.seen_at, r.credential_fingerprint) for r in rooms} == {
        ("endpoint", name, NOW, "abc")
    }


def test_every_quota_body_has_a_fixture_and_a_source() -> None:
    assert {name for name, _, _ in FIXTURES} == set(QUOTAS)
    assert all(quota.source.startswith("https://") and quota.name == name for name, quota in QUOTAS.items())


def test_what_hubspot_had_in_its_cache_is_of_low_confidence() -> None:
    (room,) = read_quota("hubspot", {"results": [HUBSPOT | {"fetchStatus": "CACHED"}]}, NOW, None)
    assert (room.confidence, room.reset_at) == ("low", None)


@pytest.mark.parametrize("name", sorted(QUOTAS))
def test_a_missing_member_is_never_read_as_zero(name: str) -> None:
    for _, body, _ in [fixture for fixture in FIXTURES if fixture[0] == name]:
        exhausted = sum(room.remaining == 0 for room in read_quota(name, body, NOW, None))
        for pruned in without_one(body):
            rooms = read_quota(name, pruned, NOW, None)
            assert sum(room.remaining == 0 for room in rooms) <= exhausted


def without_one(body: Any) -> list[Any]:
    """The same body with one member less, at every depth."""
    if isinstance(body, list):
        return [[*body[:i], each, *body[i + 1 :]] for i, old in enumerate(body) for each in without_one(old)]
    if not isinstance(body, dict):
        return []
    less = [{k: v for k, v in body.items() if k != key} for key in body]
    return less + [body | {key: each} for key, value in body.items() for each in without_one(value)]


MEMBERS = st.sampled_from(
    [
        *(
            "resources",
            "core",
            "limit",
            "remaining",
            "reset",
            "SendQuota",
            "Max24HourSend",
            "SentLast24Hours",
        ),
        *("DailyApiRequests", "Max", "Remaining", "results", "usageLimit", "currentUsage", "fetchStatus"),
        *("remain", "total", "next_reset", "current"),
    ]
)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS, inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(sorted(QUOTAS)), ODD)
def test_a_body_of_any_shape_neither_raises_nor_says_less_than_nothing(name: str, body: Any) -> None:
    for room in read_quota(name, body, NOW, None):
        for count in (room.limit, room.remaining, room.used):
            assert count is None or 0 <= count < float("inf")
