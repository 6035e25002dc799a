"""From outcomes to a status."""

from __future__ import annotations

import dataclasses
import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from interlock.records import Environment, Outcome, ProbeKind, Reason, State, Status
from interlock.status import fold, worst

BEGIN = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
OUTCOME_STATES = [state for state in State if state is not State.DOWN]


def outcome(state: State, minute: int = 0) -> Outcome:
    return Outcome(
        id=f"o{minute}",
        integration="payments",
        provider="stripe",
        environment=Environment.LIVE,
        probe=ProbeKind.CREDENTIAL,
        region="local",
        slot=None,
        started_at=BEGIN + dt.timedelta(minutes=minute),
        duration_seconds=0.1,
        state=state,
        reason=Reason.OK,
        detail="",
    )


def after(*states: State, bar: int = 3) -> Status:
    status = None
    for minute, state in enumerate(states):
        status = fold(status, outcome(state, minute), failures_before_down=bar)
    assert status is not None
    return status


def test_one_failure_degrades_and_the_third_is_down() -> None:
    failing = State.FAILING
    assert [after(*[failing] * n).state for n in (1, 2, 3, 4)] == [
        State.DEGRADED,
        State.DEGRADED,
        State.DOWN,
        State.DOWN,
    ]


def test_one_good_answer_clears() -> None:
    status = after(State.FAILING, State.FAILING, State.FAILING, State.OPERATIONAL)
    assert (status.state, status.failures) == (State.OPERATIONAL, 0)


def test_being_refused_or_throttled_is_being_alive() -> None:
    for alive in (State.THROTTLED, State.AUTH_FAILED, State.DEGRADED):
        assert after(State.FAILING, State.FAILING, alive, State.FAILING).state is State.DEGRADED


def test_unknown_neither_fails_nor_clears() -> None:
    assert after(State.UNKNOWN, State.UNKNOWN, State.UNKNOWN).state is State.UNKNOWN
    assert after(State.FAILING, State.FAILING, State.UNKNOWN, State.FAILING).state is State.DOWN


def test_since_is_when_the_state_began() -> None:
    status = after(State.OPERATIONAL, State.THROTTLED, State.THROTTLED)
    assert status.since == BEGIN + dt.timedelta(minutes=1)
    assert status.last.id == "o2"


def test_an_older_outcome_changes_nothing() -> None:
    status = after(State.OPERATIONAL, State.OPERATIONAL)
    late = dataclasses.replace(outcome(State.FAILING), started_at=BEGIN - dt.timedelta(hours=1))
    assert fold(status, late, failures_before_down=1) == status


@given(st.lists(st.sampled_from(OUTCOME_STATES), min_size=1), st.integers(1, 5))
def test_down_means_as_many_failures_in_a_row_as_the_bar(states: list[State], bar: int) -> None:
    known = [state for state in states if state is not State.UNKNOWN]
    tail = known[-bar:]
    down = len(tail) == bar and set(tail) == {State.FAILING} and states[-1] is not State.UNKNOWN
    assert (after(*states, bar=bar).state is State.DOWN) == down


def test_the_worst_is_shown() -> None:
    assert worst([State.OPERATIONAL, State.THROTTLED, State.AUTH_FAILED]) is State.AUTH_FAILED
    assert worst([]) is State.UNKNOWN
