"""How long a headroom is known, how fast it goes down, and whether that is a reason to warn."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.headroom import Trail, burn, exhausted_at, fresh, is_stale, lasting, lasts, worry
from interlock.records import Headroom
from tests.records import NOON, a_headroom

HOUR = 3600.0


def at(seconds: float) -> dt.datetime:
    return NOON + dt.timedelta(seconds=seconds)


def sight(seconds: float, remaining: float | None, reset: float | None = HOUR, **more: object) -> Headroom:
    """Of a limit of 100 an hour, so many seconds after noon."""
    told = {
        "remaining": remaining,
        "seen_at": at(seconds),
        "reset_at": None if reset is None else at(reset),
        "window_seconds": HOUR,
    }
    return a_headroom(**(told | more))


def test_past_its_reset_nothing_is_known_of_what_is_left() -> None:
    room = sight(0, 7, 60, used=93.0, burn_per_second=1.0)
    assert fresh(room, at(59)) is room
    over = fresh(room, at(60))
    assert (over.remaining, over.ratio, over.used, over.burn_per_second) == (None, None, None, None)
    assert over.limit == 100, "the limit itself still holds"


def test_without_a_reset_the_window_ends_it_and_without_a_window_a_day() -> None:
    assert not is_stale(sight(0, 7, None, window_seconds=10.0), at(9))
    assert is_stale(sight(0, 7, None, window_seconds=10.0), at(10))
    assert not is_stale(sight(0, 7, None, window_seconds=None), at(86399))
    assert is_stale(sight(0, 7, None, window_seconds=None), at(86400))
    assert is_stale(sight(0, 7, None, window_seconds=1e18), at(86400)), "whatever the provider says"


@pytest.mark.parametrize(
    ("sights", "wanted"),
    [
        ([], None),
        ([sight(0, 50)], None),
        ([sight(0, 50), sight(100, 40)], 0.1),
        ([sight(100, 40), sight(0, 50)], 0.1),
        ([sight(0, 50), sight(100, 40), sight(200, 35)], 0.075),
        ([sight(0, 50), sight(100, 50)], 0.0),
        ([sight(0, 50), sight(100, None)], None),
        # two probes at once are no stampede
        ([sight(0, 50), sight(0.1, 49)], None),
        ([sight(0, 50), sight(0, 49)], None),
        # filled up without a word: the pair says nothing, the others do
        ([sight(0, 50), sight(100, 90)], None),
        ([sight(0, 50), sight(100, 90), sight(200, 80)], 0.1),
        # the window turned over at 60: 10 of the 100 are gone in the 40 s since
        ([sight(0, 95, 60), sight(100, 90, 3660), sight(200, 80, 3660)], 20 / 140),
        # several windows have passed: the present one began an hour before its end
        ([sight(0, 95, 60), sight(7360, 90, 60 + 3 * HOUR)], 10 / 100),
        # turned over, and the limit is not told
        ([sight(0, 95, 60), sight(200, 10, 3660, limit=None)], None),
        # a short window needs a shorter look
        ([sight(0, 50, 10, window_seconds=10.0), sight(2, 40, 10, window_seconds=10.0)], 5.0),
    ],
)
def test_the_rate_at_which_it_goes_down(sights: list[Headroom], wanted: float | None) -> None:
    assert burn(sights) == (None if wanted is None else pytest.approx(wanted))


@given(
    st.lists(
        st.builds(
            sight,
            st.integers(0, 10**6),
            st.none() | st.integers(0, 200),
            st.none() | st.integers(-(10**6), 2 * 10**6),
            window_seconds=st.none() | st.integers(0, 10**6).map(float),
            limit=st.none() | st.just(100.0),
        ),
        max_size=8,
    )
)
def test_a_rate_is_never_negative_and_nothing_raises(sights: list[Headroom]) -> None:
    rate = burn(sights)
    assert rate is None or 0 <= rate < float("inf")
    for room in sights:
        paced = dataclasses.replace(room, burn_per_second=rate)
        end = exhausted_at(paced)
        assert end is None or end >= room.seen_at
        assert (worry(paced) is None) == (lasts(paced) is not False)


def test_it_warns_only_where_exhaustion_comes_before_the_reset() -> None:
    slow, fast = sight(0, 50, burn_per_second=0.01), sight(0, 50, burn_per_second=0.05)
    assert lasts(slow)
    assert worry(slow) is None, "50 last 5000 s, and the reset is in 3600 s"
    assert not lasts(fast)
    assert worry(fast) == (
        "50 of 100 requests left in default; at this rate used up in 16.7 min, 43.3 min before the reset"
    )


@pytest.mark.parametrize(
    "room",
    [
        sight(0, 50),
        sight(0, 50, burn_per_second=0.0),
        sight(0, None, burn_per_second=1.0),
        sight(0, 50, None, burn_per_second=1.0),
    ],
)
def test_what_is_not_known_is_no_reason_to_warn(room: Headroom) -> None:
    assert worry(room) is None


def test_nothing_left_has_been_used_up_already() -> None:
    assert exhausted_at(sight(5, 0, burn_per_second=1.0)) == at(5)


def test_a_trail_tells_the_rate_from_the_second_sight_on() -> None:
    trail = Trail()
    (first,) = trail.follow("github", [sight(0, 50)])
    (second,) = trail.follow("github", [sight(100, 40)])
    assert first.burn_per_second is None
    assert second.burn_per_second == pytest.approx(0.1)


def test_buckets_and_credentials_and_providers_are_apart() -> None:
    trail = Trail()
    trail.follow("github", [sight(0, 50)])
    for provider, sighted in (
        ("github", sight(100, 40, bucket="other")),
        ("github", sight(100, 40, credential_fingerprint="b")),
        ("gitlab", sight(100, 40)),
    ):
        (room,) = trail.follow(provider, [sighted])
        assert room.burn_per_second is None


def test_a_provider_that_invents_buckets_does_not_fill_the_memory() -> None:
    trail = Trail()
    for number in range(6000):
        trail.follow("odd", [sight(number, 50, bucket=f"b{number}")])
    assert len(trail._sights) == 5000


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59.6, "60 s"), (600, "10 min"), (9000, "2.5 h"), (200000, "2.31 d")]
)
def test_lengths_of_time_in_words(seconds: float, words: str) -> None:
    assert lasting(seconds) == words
