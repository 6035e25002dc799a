"""Headroom: what every dialect says, and that garbage says nothing."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.headroom import DIALECTS, Reading, read, read_quota, retry_at, write, write_retry_after

NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
AHEAD = NOW + dt.timedelta(seconds=50)


@pytest.mark.parametrize(
    ("dialect", "headers", "wanted"),
    [
        (
            "github",
            {
                "x-ratelimit-limit": "5000",
                "x-ratelimit-remaining": "4999",
                "x-ratelimit-reset": f"{AHEAD.timestamp():.0f}",
                "x-ratelimit-resource": "core",
            },
            ("core", 5000, 4999, AHEAD),
        ),
        (
            "x-ratelimit",
            {
                "x-ratelimit-limit": "600",
                "x-ratelimit-remaining": "0",
                "x-ratelimit-reset": f"{AHEAD.timestamp():.0f}",
            },
            ("default", 600, 0, AHEAD),
        ),
        (
            "ietf",
            {"ratelimit": '"default";r=50;t=50', "ratelimit-policy": '"default";q=100;w=60'},
            ("default", 100, 50, AHEAD),
        ),
        ("ietf", {"ratelimit": "default;r=50;t=50"}, ("default", None, 50, AHEAD)),
        ("x-ratelimit", {"x-ratelimit-remaining": "7"}, ("default", None, 7, None)),
        (
            "x-ratelimit",
            {"x-ratelimit-limit": "7", "x-ratelimit-remaining": "lots"},
            ("default", 7, None, None),
        ),
        (
            "x-ratelimit",
            {"x-ratelimit-limit": "7", "x-ratelimit-remaining": "-1"},
            ("default", 7, None, None),
        ),
        # a reset in milliseconds is not believable as seconds: no reset, rather than a wrong one
        (
            "x-ratelimit",
            {"x-ratelimit-limit": "7", "x-ratelimit-reset": "1795348800000"},
            ("default", 7, None, None),
        ),
        ("x-ratelimit", {"x-ratelimit-limit": "7", "x-ratelimit-reset": "60"}, ("default", 7, None, None)),
    ],
)
def test_a_dialect_is_read(
    dialect: str, headers: dict[str, str], wanted: tuple[str, float | None, float | None, dt.datetime | None]
) -> None:
    (room,) = read([dialect], headers, NOW, "abc")
    assert (room.bucket, room.limit, room.remaining, room.reset_at) == wanted
    assert (room.source, room.confidence, room.seen_at, room.credential_fingerprint) == (
        "header",
        "high",
        NOW,
        "abc",
    )


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-ratelimit-limit": ""},
        {"ratelimit": "default"},
        {"ratelimit": '"a";r=-1'},
        {"ratelimit": "((("},
    ],
)
def test_what_says_nothing_gives_no_headroom(headers: dict[str, str]) -> None:
    assert read(DIALECTS, headers, NOW, None) == ()


def test_several_buckets_in_one_header() -> None:
    rooms = read(["ietf"], {"ratelimit": '"a";r=1;t=5, "b";r=2;t=9'}, NOW, None)
    assert [(room.bucket, room.remaining) for room in rooms] == [("a", 1), ("b", 2)]


@given(
    st.sampled_from(sorted(DIALECTS)),
    st.integers(1, 10**9),
    st.integers(0, 10**9),
    st.integers(0, 86400),
)
def test_what_is_written_is_read_back(dialect: str, limit: int, remaining: int, seconds: int) -> None:
    reset = NOW + dt.timedelta(seconds=seconds)
    told = Reading(bucket="default", limit=limit, remaining=min(limit, remaining), reset_at=reset)
    (room,) = read([dialect], write(dialect, told, NOW), NOW, None)
    assert (room.limit, room.remaining, room.reset_at) == (told.limit, told.remaining, reset)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "ratelimit",
                "ratelimit-policy",
                "x-ratelimit-limit",
                "x-ratelimit-reset",
                "x-ratelimit-remaining",
                "x-ratelimit-resource",
            ]
        ),
        st.text(max_size=60),
    )
)
def test_garbage_never_raises_and_is_never_negative(headers: dict[str, str]) -> None:
    for room in read(DIALECTS, headers, NOW, None):
        assert room.remaining is None or room.remaining >= 0
        assert room.limit is None or room.limit >= 0
        assert room.ratio is None or 0 <= room.ratio <= 1


@given(st.text(max_size=60))
def test_retry_after_is_a_moment_to_come_or_nothing(text: str) -> None:
    moment = retry_at({"retry-after": text}, NOW)
    assert moment is None or NOW <= moment <= NOW + dt.timedelta(days=401)


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_written_in_both_forms(as_date: bool) -> None:
    assert retry_at(write_retry_after(AHEAD, NOW, as_date=as_date), NOW) == AHEAD


def test_a_date_without_zone_is_utc() -> None:
    assert retry_at({"retry-after": "Sun, 22 Nov 2026 12:00:50 -0000"}, NOW) == AHEAD


def test_the_quota_body_of_github() -> None:
    core = {"limit": 5000, "used": 1, "remaining": 4999, "reset": int(AHEAD.timestamp())}
    rooms = read_quota(
        "github", {"resources": {"core": core, "odd": 5, "empty": {}}, "rate": core}, NOW, None
    )
    assert [(r.bucket, r.limit, r.remaining, r.reset_at, r.source) for r in rooms] == [
        ("core", 5000, 4999, AHEAD, "endpoint")
    ]


@pytest.mark.parametrize("body", [None, [], {}, {"resources": []}, {"resources": {"core": {"limit": True}}}])
def test_a_quota_body_of_another_shape_says_nothing(body: object) -> None:
    assert read_quota("github", body, NOW, None) == ()
