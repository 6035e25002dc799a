"""A good answer is judged again by the rate limit that it tells of."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from interlock.answers import Judgement
from interlock.headroom import Unread
from interlock.integration import resolve
from interlock.records import Headroom, ProbeKind, Reason, State
from interlock.settings import IntegrationSettings, Network
from probes.kinds import plan
from probes.probe import Planned, Tools
from probes.weigh import weigh_headroom, weigh_pace
from tests.records import NOON, a_headroom

RESET = NOON + dt.timedelta(hours=1)


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> Planned:
    return make_plan(monkeypatch)


def make_plan(monkeypatch: pytest.MonkeyPatch, **probe: Any) -> Planned:
    monkeypatch.setenv("TOKEN", "ghp_" + "madeup" * 6)
    table = {"provider": "github", "credentials": {"token": "env:TOKEN"}, "probes": {"headroom": probe}}
    joined = resolve("code", IntegrationSettings.model_validate(table), network=Network(), folder=Path())
    (found,) = plan(joined, Tools(), frozenset({ProbeKind.HEADROOM}))
    return found


def good(*rooms: Headroom, **more: Any) -> Judgement:
    return Judgement(state=State.OPERATIONAL, reason=Reason.OK, detail="200", headrooms=rooms, **more)


def room(remaining: float, burn: float | None = None, **more: Any) -> Headroom:
    return a_headroom(**({"remaining": remaining, "reset_at": RESET, "burn_per_second": burn} | more))


def test_little_is_left_and_nobody_knows_whether_it_lasts(planned: Planned) -> None:
    found = weigh_headroom(good(room(5.0)), planned)
    assert (found.state, found.reason) == (State.DEGRADED, Reason.LOW_HEADROOM)
    assert found.detail == "5 of 100 requests left in default"


def test_little_is_left_but_it_lasts(planned: Planned) -> None:
    assert weigh_headroom(good(room(5.0, 0.0001)), planned).state is State.OPERATIONAL


def test_half_is_left_but_it_goes_fast(planned: Planned) -> None:
    found = weigh_headroom(good(room(45.0, 0.25), room(50.0, 0.0, bucket="other")), planned)
    assert (found.state, found.reason) == (State.DEGRADED, Reason.LOW_HEADROOM)
    assert found.detail == (
        "45 of 100 requests left in default; at this rate used up in 3 min, 57 min before the reset"
    )


def test_a_few_requests_in_a_row_are_no_stampede(planned: Planned) -> None:
    """With most of it left, the first look of many probes at once would be an alarm."""
    assert weigh_headroom(good(room(90.0, 0.5)), planned).state is State.OPERATIONAL


def test_of_several_worries_the_nearest_is_told(planned: Planned) -> None:
    found = weigh_headroom(good(room(40.0, 0.1), room(45.0, 0.5, bucket="search")), planned)
    assert "in search" in found.detail


def test_a_bar_in_the_settings_holds_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    barred = make_plan(monkeypatch, warn_below=0.5)
    assert weigh_headroom(good(room(40.0, 0.0)), barred).reason is Reason.LOW_HEADROOM
    assert weigh_headroom(good(room(60.0, 0.0)), barred).state is State.OPERATIONAL


def test_nothing_left_is_throttled_until_the_reset(planned: Planned) -> None:
    found = weigh_headroom(good(room(0.0)), planned)
    assert (found.state, found.reason, found.retry_at) == (State.THROTTLED, Reason.QUOTA_EXHAUSTED, RESET)


def test_what_third_parties_attest_is_told_and_settles_nothing(planned: Planned) -> None:
    for remaining in (0.0, 5.0):
        found = weigh_headroom(good(room(remaining, 9.0, confidence="low")), planned)
        assert found.state is State.OPERATIONAL
        assert found.detail.endswith("as far as is attested")
    beside = weigh_headroom(good(room(0.0, confidence="low"), room(90.0, bucket="sure")), planned)
    assert (beside.state, beside.detail) == (State.OPERATIONAL, "90 of 100 requests left in sure")


def test_garbage_is_unknown_with_a_reason_and_silence_with_another(planned: Planned) -> None:
    garbage = weigh_headroom(good(unread=(Unread("x-ratelimit-remaining", "is not a number"),)), planned)
    assert (garbage.state, garbage.reason) == (State.UNKNOWN, Reason.UNREADABLE)
    assert garbage.detail == "the rate limit cannot be read: x-ratelimit-remaining is not a number"
    silent = weigh_headroom(good(), planned)
    assert (silent.state, silent.reason) == (State.UNKNOWN, Reason.NOT_TOLD)


def test_only_a_good_answer_is_judged_again(planned: Planned) -> None:
    slow = Judgement(state=State.DEGRADED, reason=Reason.SLOW, detail="", headrooms=(room(0.0),))
    assert weigh_headroom(slow, planned) is slow
    assert weigh_pace(slow) is slow


def test_by_pace_alone_a_good_answer_stays_good_where_it_lasts() -> None:
    for lasting in (good(), good(room(5.0)), good(room(0.0)), good(room(40.0, 0.5, confidence="low"))):
        assert weigh_pace(lasting) is lasting
    assert weigh_pace(good(room(40.0, 0.5))).reason is Reason.LOW_HEADROOM
