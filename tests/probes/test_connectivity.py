"""Our own offline hour counts against nobody."""

from __future__ import annotations

import datetime as dt

from interlock.records import Outcome, Reason, State
from interlock.resolve import is_loopback
from probes.connectivity import Guard, unreached
from tests.records import NOON, an_outcome

SECOND = dt.timedelta(seconds=1)


def silent(second: float, reason: Reason = Reason.DNS, **more: object) -> Outcome:
    return an_outcome(
        state=State.FAILING, reason=reason, started_at=NOON + second * SECOND, phases={}, **more
    )


def heard(second: float) -> Outcome:
    return an_outcome(started_at=NOON + second * SECOND)


def test_one_silent_host_is_that_hosts_affair() -> None:
    guard = Guard()
    for second in range(5):
        assert guard.correct("a.example", silent(second)).state is State.FAILING


def test_all_hosts_silent_is_our_own_connection() -> None:
    guard = Guard()
    guard.correct("a.example", heard(0))
    assert guard.correct("a.example", silent(10)).state is State.FAILING
    corrected = guard.correct("b.example", silent(11))
    assert (corrected.state, corrected.reason) == (State.UNKNOWN, Reason.OFFLINE)


def test_one_host_that_answers_is_proof_of_a_connection() -> None:
    guard = Guard()
    guard.correct("a.example", silent(0))
    guard.correct("c.example", heard(1))
    assert guard.correct("b.example", silent(2)).state is State.FAILING


def test_after_the_window_old_silence_is_forgotten() -> None:
    guard = Guard(window_seconds=60)
    guard.correct("a.example", silent(0))
    assert guard.correct("b.example", silent(100)).state is State.FAILING


def test_loopback_says_nothing_about_the_network() -> None:
    guard = Guard()
    for host in ("127.0.0.1", "localhost", "::1", "x.localhost"):
        assert is_loopback(host)
        assert guard.correct(host, silent(0)).state is State.FAILING


def test_a_host_that_stalls_was_reached() -> None:
    stalled = an_outcome(reason=Reason.TIMEOUT, state=State.FAILING, phases={"dns": 0.1, "connect": 0.1})
    assert not unreached(stalled)
    assert unreached(silent(0, Reason.TIMEOUT))
