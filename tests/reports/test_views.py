"""The arithmetic of uptime, latency and headrooms."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock import histogram
from interlock.headroom import is_stale
from interlock.records import Environment, ProbeKind, Reason, State, Status
from reports.face import Listed
from reports.views import (
    BUCKETS_SHOWN,
    HOUR,
    Hour,
    Latency,
    ProbeView,
    Tally,
    Uptime,
    add_up,
    as_run,
    days,
    hour_of,
    lead,
    matching,
    rooms,
    scheduler_of,
    share_of,
    tally,
    uptime,
)
from tests.reports import seed
from tests.reports.conftest import Client
from tests.reports.seed import NOW, headroom, outcome

NO_UPTIME = Uptime()
counts = st.dictionaries(st.sampled_from([s.value for s in State]), st.integers(0, 1000))


def probe(state: State, *, kind: ProbeKind = ProbeKind.REACHABILITY, reason: Reason = Reason.OK, ago: int = 0,
          shares: Uptime = NO_UPTIME) -> ProbeView:  # fmt: skip
    at = NOW - dt.timedelta(seconds=ago)
    last = outcome(state=state, reason=reason, probe=kind, started_at=at)
    status = Status(state=state, since=at, failures=0, last=last)
    return ProbeView(
        kind=kind,
        region="local",
        status=status,
        every_seconds=60.0,
        uptime=shares,
        latency=Latency(),
        hours=(),
    )


@given(counts)
def test_no_judged_outcome_is_no_uptime_and_never_a_hundred_percent(seen: dict[str, int]) -> None:
    found = tally(json.dumps(seen))
    judged = sum(n for state, n in seen.items() if state != "unknown")
    assert found.judged == judged
    assert (found.share is None) == (judged == 0)
    if found.share is not None:
        assert 0 <= found.share <= 1
        assert (found.share == 1) == (not any(seen.get(s) for s in ("failing", "down", "auth_failed")))


@given(st.lists(counts, max_size=20))
def test_tallies_add_up_in_any_grouping(seen: list[dict[str, int]]) -> None:
    whole = sum((tally(json.dumps(each)) for each in seen), Tally())
    together = {state.value: sum(each.get(state.value, 0) for each in seen) for state in State}
    assert whole == tally(json.dumps(together))


def test_what_counts_as_up_is_what_the_definition_says() -> None:
    told = {state: tally(json.dumps({state.value: 1})) for state in State}
    up, not_up, out = Tally(1, 1), Tally(0, 1), Tally(0, 0)
    assert told == {
        State.OPERATIONAL: up,
        State.DEGRADED: up,
        State.THROTTLED: up,
        State.AUTH_FAILED: not_up,
        State.FAILING: not_up,
        State.DOWN: not_up,
        State.UNKNOWN: out,
    }


@given(st.lists(st.lists(st.floats(0.0001, 100), max_size=30), max_size=12))
def test_adding_blobs_as_numbers_equals_merging_histograms(durations: list[list[float]]) -> None:
    blobs = []
    for each in durations:
        one = histogram.empty()
        for seconds in each:
            histogram.add(one, seconds)
        blobs.append(one.tobytes())
    merged = list(histogram.load(add_up(blobs)) if add_up(blobs) else histogram.empty())
    assert merged == histogram.merge(blobs)
    everything = [seconds for each in durations for seconds in each]
    assert (Latency(add_up(blobs)).p50 is None) == (not everything)


@given(
    st.lists(st.tuples(st.integers(-5, 800), counts), unique_by=lambda pair: pair[0]), st.integers(0, 3599)
)
def test_windows_hold_exactly_their_hours(seen: list[tuple[int, dict[str, int]]], into_hour: int) -> None:
    now = dt.datetime.fromtimestamp(1_800_000_000 // HOUR * HOUR + into_hour, dt.UTC)
    hours = [Hour(hour_of(now) - ago * HOUR, tally(json.dumps(each))) for ago, each in seen]
    for window in (24, 168, 720):
        inside = sum((tally(json.dumps(each)) for ago, each in seen if ago < window), Tally())
        assert share_of(hours, now, window) == inside.share
    past = [(ago, each) for ago, each in seen if 0 <= ago < 720]
    assert sum(days(hours, now), Tally()) == sum((tally(json.dumps(each)) for _, each in past), Tally())
    assert days(hours, now)[-1] == sum((tally(json.dumps(each)) for ago, each in past if ago < 24), Tally())


def test_an_integration_is_as_available_as_the_weaker_of_its_service_probes() -> None:
    good = probe(State.OPERATIONAL, shares=Uptime(1.0, 1.0, None))
    refused = probe(State.AUTH_FAILED, kind=ProbeKind.CREDENTIAL, shares=Uptime(0.5, None, None))
    tls = probe(State.FAILING, kind=ProbeKind.TLS, shares=Uptime(0.0, 0.0, 0.0))
    assert uptime([good, refused, tls]) == Uptime(0.5, 1.0, None)
    assert uptime([tls]) == Uptime(0.0, 0.0, 0.0)
    assert uptime([]) == Uptime(None, None, None)


def test_the_worst_probe_leads_and_of_equals_the_one_that_changed_last() -> None:
    early, late = probe(State.DEGRADED, ago=500), probe(State.DEGRADED, ago=5, kind=ProbeKind.CREDENTIAL)
    assert lead([probe(State.OPERATIONAL), early, late]) is late
    assert lead([early, probe(State.DOWN, ago=900)]) is not early
    assert lead([]) is None


def test_a_provider_that_does_not_tell_makes_nothing_unknown() -> None:
    silent = probe(State.UNKNOWN, kind=ProbeKind.HEADROOM, reason=Reason.NOT_TOLD)
    good = probe(State.OPERATIONAL)
    assert lead([silent, good]) is good
    assert lead([silent]) is silent
    missing = probe(State.UNKNOWN, kind=ProbeKind.CREDENTIAL, reason=Reason.NO_CREDENTIAL)
    assert lead([missing, good]) is missing


def test_an_answer_to_a_credential_says_more_than_a_public_face() -> None:
    public = probe(State.OPERATIONAL, reason=Reason.PUBLIC_FACE)
    known = probe(State.OPERATIONAL, kind=ProbeKind.CREDENTIAL, ago=900)
    assert lead([public, known]) is known


def test_a_headroom_past_its_reset_is_no_longer_known() -> None:
    passed = rooms([headroom(reset_at=NOW)], NOW)[0]
    assert (passed.stale, passed.remaining, passed.ratio) == (True, None, None)
    fresh = rooms([headroom(remaining=0.0)], NOW)[0]
    assert (fresh.stale, fresh.remaining, fresh.ratio) == (False, 0.0, 0.0)
    assert is_stale(headroom(reset_at=None, seen_at=NOW - dt.timedelta(seconds=61)), NOW)
    assert not is_stale(headroom(reset_at=None, window_seconds=None), NOW)
    untold = rooms([headroom(remaining=None)], NOW)[0]
    assert (untold.remaining, untold.ratio) == (None, None)


def test_a_new_credential_replaces_the_headroom_of_the_old_one() -> None:
    old = headroom(credential_fingerprint="old", remaining=1.0, seen_at=NOW - dt.timedelta(hours=1))
    new = headroom(credential_fingerprint="new", remaining=90.0)
    assert [room.remaining for room in rooms([new, old], NOW)] == [90.0]


def test_a_bucket_that_header_and_endpoint_tell_of_is_one_and_the_newest_counts() -> None:
    older = headroom(source="endpoint", remaining=80.0, seen_at=NOW - dt.timedelta(seconds=9))
    newer = headroom(source="header", remaining=79.0)
    for told in ([older, newer], [newer, older]):
        assert [room.remaining for room in rooms(told, NOW)] == [79.0]


def test_what_strangers_get_and_what_we_reckon_stand_back() -> None:
    """A public face has a limit of its own; it is not ours, though it is told more often."""
    ours = headroom(credential_fingerprint="abc", limit=5000.0, seen_at=NOW - dt.timedelta(seconds=9))
    strangers = headroom(credential_fingerprint=None, limit=60.0)
    reckoned = headroom(credential_fingerprint="abc", limit=1000.0, source="observed")
    assert [room.told.limit for room in rooms([strangers, ours, reckoned], NOW)] == [5000.0]
    assert [room.told.limit for room in rooms([strangers], NOW)] == [60.0]


def test_it_is_said_when_a_limit_will_not_last() -> None:
    reset = NOW + dt.timedelta(hours=1)
    fast = headroom(remaining=60.0, reset_at=reset, seen_at=NOW, burn_per_second=1.0)
    slow = headroom(bucket="slow", remaining=60.0, reset_at=reset, burn_per_second=0.001)
    assert [room.exhausted_at for room in rooms([fast, slow], NOW)] == [NOW + dt.timedelta(minutes=1), None]
    assert rooms([fast], reset)[0].exhausted_at is None, "past its reset nothing is known"


def test_where_all_is_well_the_credential_leads() -> None:
    known = probe(State.OPERATIONAL, kind=ProbeKind.CREDENTIAL, ago=900)
    newer = [probe(State.OPERATIONAL, kind=kind) for kind in (ProbeKind.REACHABILITY, ProbeKind.TLS)]
    assert lead([*newer, known]) is known
    worse = probe(State.DEGRADED, kind=ProbeKind.TLS, ago=99)
    assert lead([known, worse]) is worse


def test_a_slot_that_is_left_out_on_purpose_is_not_overdue() -> None:
    shown = Listed(
        name="code",
        provider="github",
        title="GitHub",
        environment=Environment.LIVE,
        every_seconds={ProbeKind.CREDENTIAL: 300.0},
    )
    gauges = [
        {"name": "scheduler_alive", "label": "", "value": 1.0, "at": NOW},
        {"name": "probe_interval_seconds", "label": "code/credential", "value": 6000.0, "at": NOW},
    ]
    assert as_run(shown, scheduler_of(gauges, NOW)).every_seconds == {ProbeKind.CREDENTIAL: 6000.0}
    dead = scheduler_of(gauges, NOW + dt.timedelta(hours=1))
    assert as_run(shown, dead).every_seconds == {ProbeKind.CREDENTIAL: 300.0}


def test_buckets_are_bounded_and_the_fullest_comes_last() -> None:
    many = [headroom(bucket=f"b{n}", remaining=float(n)) for n in range(90)]
    found = rooms([*many, headroom(bucket="untold", remaining=None)], NOW)
    assert len(found) == BUCKETS_SHOWN
    ratios = [room.ratio for room in found if room.ratio is not None]
    assert ratios == sorted(ratios)
    assert found[-1].ratio is None or "untold" not in {room.told.bucket for room in found}


@pytest.mark.parametrize(("ago", "stale"), [(0, False), (240, False), (241, True)])
def test_a_probe_is_overdue_after_three_missing_runs_and_a_minute(ago: int, stale: bool) -> None:
    assert probe(State.OPERATIONAL, ago=ago).stale(NOW) is stale


def test_filters_fit_together() -> None:
    assert matching([], text="x") == ()
    assert len(seed.STORIES) == 8


def test_the_verdict_stands_on_the_pages_in_the_api_and_in_the_metrics(client: Client) -> None:
    told = {
        each["name"]: each["verdict"] for each in client.get("/api/v1/integrations").json()["integrations"]
    }
    assert told["payouts"]["blame"] == "theirs"
    assert told["code"]["blame"] == "ours"
    assert told["messages"]["blame"] == "throttled"
    assert told["payments"]["blame"] == "ok"
    assert told["payouts"]["evidence"][0].startswith("reachability: down, 9 in a row")
    page = client.get("/integrations/payouts").text
    assert "Whose is it?" in page
    assert "it is reached, and fails to answer" in page
    assert "Whose is it?" not in client.get("/integrations/payments").text
    metrics = client.get("/metrics").text
    assert 'interlock_integration_verdict{integration="payouts",verdict="theirs"} 1' in metrics
    assert 'interlock_integration_verdict{integration="payouts",verdict="ok"} 0' in metrics
