"""From outcomes to a status: one failing answer degrades, N in a row are down, one good answer clears."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from interlock.records import Outcome, State, Status

# Worst first: what an integration shows when its probes differ.
WORST_FIRST = (
    State.DOWN,
    State.AUTH_FAILED,
    State.FAILING,
    State.DEGRADED,
    State.THROTTLED,
    State.UNKNOWN,
    State.OPERATIONAL,
)
HEALTHY = frozenset({State.OPERATIONAL})


@dataclass(frozen=True, slots=True)
class Transition:
    """A status changed. `before` is None for the first one ever seen."""

    at: dt.datetime
    before: State | None
    after: State
    outcome: Outcome


def fold(before: Status | None, outcome: Outcome, *, failures_before_down: int) -> Status:
    """The status after one more outcome. An outcome older than the last seen changes nothing.

    `unknown` neither counts as a failure nor clears one: what cannot be seen is not evidence.
    """
    if before is not None and outcome.started_at < before.last.started_at:
        return before
    earlier = before.failures if before else 0
    if outcome.state is State.FAILING:
        failures = earlier + 1
        state = State.DOWN if failures >= failures_before_down else State.DEGRADED
    elif outcome.state is State.UNKNOWN:
        failures, state = earlier, State.UNKNOWN
    else:
        failures, state = 0, outcome.state
    since = before.since if before and before.state is state else outcome.started_at
    return Status(state=state, since=since, failures=failures, last=outcome)


def worst(states: list[State]) -> State:
    """The state to show for several; `unknown` for none."""
    return min(states, key=WORST_FIRST.index, default=State.UNKNOWN)
