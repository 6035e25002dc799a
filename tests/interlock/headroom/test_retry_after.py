"""When we are asked to come back: both forms of Retry-After, milliseconds, and bodies."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.headroom import retry_at, retry_in_body, write_retry_after

NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
AHEAD = NOW + dt.timedelta(seconds=50)


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({"retry-after": "50"}, AHEAD),
        ({"retry-after": "49.5"}, NOW + dt.timedelta(seconds=49.5)),
        ({"retry-after": "0"}, NOW),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:50 GMT"}, AHEAD),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:50 -0000"}, AHEAD),
        ({"retry-after": "Sunday, 22-Nov-26 12:00:50 GMT"}, AHEAD),
        ({"retry-after": "Sun Nov 22 12:00:50 2026"}, AHEAD),
        ({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT"}, NOW),
        ({"retry-after-ms": "50000"}, AHEAD),
        ({"x-ms-retry-after-ms": "50000"}, AHEAD),
        ({"x-amz-retry-after": "50000"}, AHEAD),
        ({"retry-after": "1", "retry-after-ms": "50000"}, NOW + dt.timedelta(seconds=1)),
        ({"retry-after": "soon", "retry-after-ms": "50000"}, AHEAD),
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "99999999999"}, None),
        ({"retry-after": "Sun, 22 Nov 2126 12:00:50 GMT"}, None),
        ({"retry-after": "Sun, 22 Nov 9999 23:59:59 -2359"}, None),
    ],
)
def test_when_to_come_back(headers: dict[str, str], wanted: dt.datetime | None) -> None:
    assert retry_at(headers, NOW) == wanted


@given(st.text(max_size=60))
def test_it_is_a_moment_to_come_or_nothing(text: str) -> None:
    moment = retry_at({"retry-after": text}, NOW)
    assert moment is None or NOW <= moment <= NOW + dt.timedelta(days=401)


@pytest.mark.parametrize("as_date", [False, True])
def test_it_is_written_in_both_forms(as_date: bool) -> None:
    assert retry_at(write_retry_after(AHEAD, NOW, as_date=as_date), NOW) == AHEAD


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"retry-seconds": 50}, AHEAD),
        ({"retry-seconds": "50"}, None),
        ({"retry-seconds": -1}, None),
        ({"retry-seconds": True}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_a_body_may_say_it_too(body: Any, wanted: dt.datetime | None) -> None:
    assert retry_in_body(body, NOW) == wanted
