"""The verdict: a higher bar to claim an outage than to clear one, and never a claim without evidence."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.records import ProbeKind, Reason, State, Status
from interlock.status import fold
from interlock.verdict import Blame, heard, weigh
from tests.records import NOON, an_outcome

REACH, CREDENTIAL, PAGE, TLS = (
    ProbeKind.REACHABILITY,
    ProbeKind.CREDENTIAL,
    ProbeKind.STATUS_PAGE,
    ProbeKind.TLS,
)


def status(probe: ProbeKind, state: State, reason: Reason, times: int = 1) -> Status:
    """The status after so many equal outcomes; three failures in a row are down."""
    found = None
    for minute in range(times):
        at = NOON + dt.timedelta(minutes=minute)
        outcome = an_outcome(probe=probe, state=state, reason=reason, started_at=at)
        found = fold(found, outcome, failures_before_down=3)
    assert found is not None
    return found


def well(probe: ProbeKind) -> Status:
    return status(probe, State.OPERATIONAL, Reason.OK)


def failing(probe: ProbeKind, reason: Reason, times: int = 1) -> Status:
    return status(probe, State.FAILING, reason, times)


INCIDENT = status(PAGE, State.DEGRADED, Reason.PROVIDER_INCIDENT)
CASES: list[tuple[str, list[Status], Blame]] = [
    ("all well", [well(REACH), well(CREDENTIAL)], Blame.OK),
    ("an incident that does not reach us", [well(REACH), well(CREDENTIAL), INCIDENT], Blame.OK),
    ("only hearsay", [INCIDENT], Blame.UNKNOWN),
    ("nothing", [], Blame.UNKNOWN),
    ("one 503", [failing(REACH, Reason.SERVER_ERROR), well(TLS)], Blame.UNKNOWN),
    ("three 503 in a row", [failing(REACH, Reason.SERVER_ERROR, 3)], Blame.THEIRS),
    (
        "two probes with 503",
        [failing(REACH, Reason.SERVER_ERROR), failing(CREDENTIAL, Reason.SERVER_ERROR)],
        Blame.THEIRS,
    ),
    ("one 503 and an incident", [failing(REACH, Reason.SERVER_ERROR), INCIDENT], Blame.THEIRS),
    ("one timeout and an incident", [failing(REACH, Reason.TIMEOUT), INCIDENT], Blame.THEIRS),
    ("not reached", [failing(REACH, Reason.TIMEOUT, 3), failing(TLS, Reason.TIMEOUT, 3)], Blame.NETWORK),
    ("one part not reached", [failing(REACH, Reason.CONNECT, 3), well(CREDENTIAL)], Blame.THEIRS),
    ("our proxy", [failing(REACH, Reason.PROXY, 3), failing(CREDENTIAL, Reason.PROXY, 3)], Blame.OURS),
    (
        "we are offline",
        [status(REACH, State.UNKNOWN, Reason.OFFLINE), status(CREDENTIAL, State.UNKNOWN, Reason.OFFLINE)],
        Blame.NETWORK,
    ),
    ("a bad key", [well(REACH), status(CREDENTIAL, State.AUTH_FAILED, Reason.BAD_CREDENTIAL)], Blame.OURS),
    ("no key", [well(REACH), status(CREDENTIAL, State.UNKNOWN, Reason.NO_CREDENTIAL)], Blame.OURS),
    ("throttled", [well(REACH), status(CREDENTIAL, State.THROTTLED, Reason.RATE_LIMITED)], Blame.THROTTLED),
    ("little left", [well(REACH), status(CREDENTIAL, State.DEGRADED, Reason.LOW_HEADROOM)], Blame.THROTTLED),
    ("another shape", [well(REACH), status(CREDENTIAL, State.DEGRADED, Reason.SHAPE)], Blame.THEIRS),
    ("slow", [well(REACH), status(CREDENTIAL, State.DEGRADED, Reason.SLOW)], Blame.UNKNOWN),
    (
        "slow in an incident",
        [well(REACH), status(CREDENTIAL, State.DEGRADED, Reason.SLOW), INCIDENT],
        Blame.THEIRS,
    ),
    ("unreadable", [status(REACH, State.UNKNOWN, Reason.UNREADABLE)], Blame.UNKNOWN),
]


@pytest.mark.parametrize(("statuses", "blame"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_the_verdict(statuses: list[Status], blame: Blame) -> None:
    found = weigh([heard(s) for s in statuses])
    assert found.blame is blame, found
    assert len(found.evidence) == len(statuses)


def test_one_good_answer_clears_an_outage() -> None:
    down = failing(REACH, Reason.SERVER_ERROR, 5)
    assert weigh([heard(down)]).blame is Blame.THEIRS
    after = fold(
        down, an_outcome(probe=REACH, started_at=NOON + dt.timedelta(hours=1)), failures_before_down=3
    )
    assert weigh([heard(after)]).blame is Blame.OK


def test_the_telling_evidence_stands_first() -> None:
    found = weigh([heard(well(REACH)), heard(status(CREDENTIAL, State.AUTH_FAILED, Reason.BAD_CREDENTIAL))])
    assert found.evidence[0].startswith("credential: auth_failed")


def a_status() -> st.SearchStrategy[Any]:
    states = st.sampled_from([state for state in State if state is not State.DOWN])
    return st.builds(status, st.sampled_from(ProbeKind), states, st.sampled_from(Reason), st.integers(1, 4))


@given(st.lists(a_status(), max_size=5))
def test_theirs_is_never_claimed_by_hearsay_or_a_single_failure(statuses: list[Status]) -> None:
    found = weigh([heard(s) for s in statuses])
    asked = [s for s in statuses if s.last.probe is not PAGE]
    if found.blame is Blame.OK:
        assert any(s.state is State.OPERATIONAL for s in asked)
        assert all(s.last.state is not State.FAILING for s in asked)
    if found.blame is Blame.THEIRS:
        assert asked
        lone = [s for s in asked if s.last.state is State.FAILING]
        witnessed = any(s.state is State.DOWN for s in lone) or len({s.last.probe for s in lone}) > 1
        page = any(s.last.reason is Reason.PROVIDER_INCIDENT for s in statuses if s.last.probe is PAGE)
        assert not lone or witnessed or page
