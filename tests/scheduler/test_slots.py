"""Slots: every restart and every process finds the same moments, spread over the interval."""

from __future__ import annotations

import collections

from hypothesis import given
from hypothesis import strategies as st

from scheduler.slots import due_at, missed, next_at, phase_seconds, slot

KEYS = st.text(min_size=1, max_size=30)
EVERY = st.sampled_from([1.0, 2.0, 30.0, 60.0, 300.0, 3600.0, 86400.0])
NOW = st.floats(1.7e9, 2.0e9)


@given(KEYS, EVERY)
def test_the_phase_lies_in_the_interval_and_never_changes(key: str, every: float) -> None:
    assert 0 <= phase_seconds(key, every) < every
    assert phase_seconds(key, every) == phase_seconds(key, every)


@given(KEYS, EVERY, NOW)
def test_now_lies_between_two_moments(key: str, every: float, now: float) -> None:
    due, following = due_at(now, key, every), next_at(now, key, every)
    assert due <= now + 0.001 * every
    assert now < following + 0.001 * every
    assert abs(following - due - every) < 1e-3


@given(KEYS, EVERY, NOW)
def test_a_run_that_starts_late_still_has_its_slot(key: str, every: float, now: float) -> None:
    due = due_at(now, key, every)
    assert slot(due_at(due + every * 0.99, key, every)) == slot(due)
    assert slot(due_at(due + 0.0001, key, every)) == slot(due)


@given(KEYS, EVERY, NOW)
def test_two_moments_never_share_a_slot(key: str, every: float, now: float) -> None:
    due = due_at(now, key, every)
    assert slot(due) != slot(due_at(due + every * 1.01, key, every))


@given(EVERY, st.integers(1, 50))
def test_moments_between_two_runs_are_missed(every: float, steps: int) -> None:
    assert missed(1000.0, 1000.0 + steps * every, every) == steps - 1
    assert missed(None, 1000.0, every) == 0


def test_a_thousand_probes_spread_over_their_interval() -> None:
    counts = collections.Counter(int(phase_seconds(f"integration-{n}/credential", 30.0)) for n in range(1000))
    assert len(counts) == 30
    assert max(counts.values()) < 2 * 1000 / 30
