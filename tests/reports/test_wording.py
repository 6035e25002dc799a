"""Numbers and times as people read them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.records import State
from reports import wording
from tests.reports.seed import NOW


@given(st.floats(0, 1, exclude_max=True))
def test_only_the_perfect_is_a_hundred_percent(share: float) -> None:
    assert wording.percent(share) != "100 %"
    assert float(wording.percent(share).removesuffix(" %")) / 100 <= share + 1e-9


@pytest.mark.parametrize(
    ("share", "text"),
    [(None, wording.UNKNOWN), (1.0, "100 %"), (0.99999, "99.99 %"), (0.0, "0.00 %"), (0.9583, "95.83 %")],
)
def test_percent(share: float | None, text: str) -> None:
    assert wording.percent(share) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, wording.UNKNOWN), (0, "0 s"), (59.9, "59 s"), (61, "1 min 1 s"), (3600, "1 h"), (3660, "1 h 1 min"),
     (86400 + 61, "1 d"), (90000, "1 d 1 h"), (-3, "0 s")],
)  # fmt: skip
def test_span(seconds: float | None, text: str) -> None:
    assert wording.span(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, wording.UNKNOWN),
        (0.0042, "4.2 ms"),
        (0.00004, "0.04 ms"),
        (0.0999, "100 ms"),
        (0.9996, "1.00 s"),
        (12.34, "12.3 s"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert wording.duration(seconds) == text


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (0, "just now"),
        (12, "12 s ago"),
        (200, "3 min ago"),
        (7300, "2 h ago"),
        (-90, "in 1 min"),
        (-0.5, "in 0 s"),
    ],
)
def test_ago(ago: float, text: str) -> None:
    assert wording.ago(NOW - dt.timedelta(seconds=ago), NOW) == text


def test_never_is_a_word() -> None:
    assert wording.ago(None, NOW) == "never"
    assert wording.iso(None) == ""
    assert wording.clock(None) == wording.UNKNOWN


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, wording.UNKNOWN),
        (0, "0"),
        (4312, "4\u202f312"),
        (1.5, "1.50"),
        (2_500_000, "2.5 M"),
        (3e9, "3 G"),
    ],
)
def test_amount(value: float | None, text: str) -> None:
    assert wording.amount(value) == text


def test_every_state_has_a_word() -> None:
    assert set(wording.STATE_WORDS) == set(State)
