"""What is read from the store, and with how many queries."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from interlock import histogram, tables
from interlock.records import ProbeKind, State
from interlock.store import Store
from interlock.writing import Gauge, Recorded
from reports.face import Listed
from reports.history import History
from reports.views import ALIVE_SECONDS, HOUR, hour_of
from tests.reports import seed
from tests.reports.seed import NOW, Story, outcome


@contextmanager
def counted(store: Store) -> Iterator[list[str]]:
    """The SELECTs that run inside."""
    seen: list[str] = []

    def note(_c: object, _cur: object, statement: str, *_: object) -> None:
        seen.append(statement)

    sa.event.listen(store.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(store.engine, "before_cursor_execute", note)


def queries(store: Store, listed: tuple[Listed, ...]) -> tuple[int, int, int]:
    history = History(store, listed)
    with counted(store) as seen:
        history.overview(NOW)
        first = sum("SELECT" in s for s in seen)
        history.overview(NOW)
        second = sum("SELECT" in s for s in seen) - first
        history.integration("i0", NOW)
    return first, second, sum("SELECT" in s for s in seen) - first - second


def test_the_number_of_queries_does_not_depend_on_the_number_of_integrations(store: Store) -> None:
    def stories(count: int) -> tuple[Story, ...]:
        return tuple(Story(name=f"i{n}", provider="stripe", title="Stripe") for n in range(count))

    seed.fill(store, stories=stories(1))
    one = queries(store, seed.listing(stories(1)))
    seed.fill(store, stories=stories(12))
    assert queries(store, seed.listing(stories(12))) == one == (6, 5, 5)


def test_the_overview_is_worst_first_and_knows_why(filled: Store) -> None:
    overview = History(filled, seed.listing()).overview(NOW)
    assert [(v.listed.name, v.state.value) for v in overview.integrations] == [
        ("payouts", "down"), ("code", "auth_failed"), ("blobs", "degraded"), ("mail", "degraded"),
        ("messages", "throttled"), ("files", "unknown"), ("payments", "operational"), ("uploads", "operational"),
    ]  # fmt: skip
    assert overview.scheduler.alive
    assert overview.scheduler.missed == 2
    assert all(
        change.before is not None or change.after is not State.OPERATIONAL for change in overview.changes
    )


def test_list_and_page_of_an_integration_tell_the_same_figures(filled: Store) -> None:
    history = History(filled, seed.listing())
    for view in history.overview(NOW).integrations:
        found = history.integration(view.listed.name, NOW)
        assert found is not None
        alone = found[0]
        assert (alone.uptime, alone.state, alone.rooms) == (view.uptime, view.state, view.rooms)
        assert [p.latency for p in alone.probes] == [p.latency for p in view.probes]


def test_uptime_over_three_windows_is_what_the_hours_say(store: Store) -> None:
    """Hours at the edges of each window, with maintenance left out by the store itself."""
    hour = hour_of(NOW)
    bad = {0: 1, 23: 1, 24: 1, 167: 1, 168: 1, 719: 1, 720: 100}
    rows = [
        {
            "integration": "payments", "probe": "reachability", "region": "local", "hour": hour - ago * HOUR,
            "seen": json.dumps({"operational": 9, "failing": bad.get(ago, 0)}), "in_maintenance": 0,
            "duration_sum": 0.0, "durations": histogram.empty().tobytes(),
        }
        for ago in range(730)
    ]  # fmt: skip
    with store.engine.begin() as connection:
        connection.execute(sa.insert(tables.hours), rows)
    store.write(
        [Recorded(outcome(in_maintenance=True, state=State.FAILING, started_at=NOW - dt.timedelta(days=100)))]
    )
    history = History(store, seed.listing(seed.STORIES[:1]))
    shares = history.overview(NOW).integrations[0].uptime
    assert shares.day == (24 * 9) / (24 * 9 + 2)
    assert shares.week == (168 * 9) / (168 * 9 + 4)
    assert shares.month == (720 * 9) / (720 * 9 + 6)
    alone = history.integration("payments", NOW)
    assert alone is not None
    assert alone[0].uptime == shares


def test_planned_maintenance_is_in_no_uptime(store: Store) -> None:
    down = outcome(state=State.FAILING, in_maintenance=True)
    store.write([Recorded(down), Recorded(outcome(id="o2", started_at=NOW - dt.timedelta(seconds=9)))])
    view = History(store, seed.listing(seed.STORIES[:1])).overview(NOW).integrations[0]
    assert view.uptime.day == 1.0
    assert view.probes[0].hours[-1].maintenance == 1


def test_before_the_first_outcome_everything_is_unknown_and_nothing_is_perfect(store: Store) -> None:
    history = History(store, seed.listing())
    overview = history.overview(NOW)
    assert not overview.scheduler.alive
    assert overview.scheduler.last_seen is None
    for view in overview.integrations:
        assert (view.state, view.uptime.day, view.uptime.month, view.last_seen) == (
            State.UNKNOWN,
            None,
            None,
            None,
        )
        assert [probe.kind for probe in view.probes] == list(seed.PLAN)
    assert history.integration("nobody", NOW) is None


def test_the_remembered_sums_are_made_anew_with_the_next_hour(filled: Store) -> None:
    history = History(filled, seed.listing())
    history.overview(NOW)
    fresh = History(filled, seed.listing()).overview(NOW + dt.timedelta(hours=1))
    assert [v.uptime for v in history.overview(NOW + dt.timedelta(hours=1)).integrations] == [
        v.uptime for v in fresh.integrations
    ]


def test_reading_does_not_wait_for_a_writer(store: Store) -> None:
    with store.engine.begin() as writing:
        writing.execute(sa.insert(tables.meta).values(key="k", value="v"))
        assert History(store, seed.listing()).overview(NOW).integrations


def test_a_young_store_is_drawn_from_its_newest_answers(store: Store, filled: Store) -> None:
    """Before three hours are known, and with one query more for all integrations together."""
    at = [NOW - dt.timedelta(seconds=ago) for ago in range(60, 0, -1)]
    store.write(
        [Recorded(outcome(id=f"o{n}", started_at=t, duration_seconds=n / 100)) for n, t in enumerate(at)]
    )
    history = History(store, seed.listing(seed.STORIES[:1]))
    (view,) = history.overview(NOW).integrations
    assert view.timed is not None
    assert view.timed.newest == tuple(n / 100 for n in range(20, 60))
    alone = history.integration("payments", NOW)
    assert alone is not None
    assert alone[0].probes[0].newest == view.probes[0].newest
    assert view.lead is view.probes[0]
    assert all(
        p.newest == () and p.drawable
        for p in History(filled, seed.listing()).overview(NOW).integrations[0].probes[:2]
    )


@pytest.mark.parametrize("limit", [1, 3, 50])
def test_pages_of_outcomes_join_without_gap_or_overlap(filled: Store, limit: int) -> None:
    history = History(filled, seed.listing())
    ids, cursor = [], None
    while True:
        page = history.outcomes("payouts", before=cursor, limit=limit)
        ids += [each.id for each in page.rows]
        if (cursor := page.older) is None:
            break
    whole = history.outcomes("payouts", limit=500).rows
    assert ids == [each.id for each in whole]
    assert len(set(ids)) == 29
    assert [o.started_at for o in whole] == sorted((o.started_at for o in whole), reverse=True)


def test_outcomes_are_chosen_by_probe_and_state(filled: Store) -> None:
    history = History(filled, seed.listing())
    bad = history.outcomes("payouts", probe=ProbeKind.REACHABILITY, state=State.FAILING).rows
    assert len(bad) == 9
    assert history.outcomes("payouts", probe=ProbeKind.CREDENTIAL, state=State.FAILING).rows == ()


def test_pages_of_transitions_join(filled: Store) -> None:
    history = History(filled, seed.listing())
    first = history.transitions("payouts", limit=2)
    rest = history.transitions("payouts", limit=50, before=first.older)
    assert [c.after.value for c in first.rows] == ["down", "degraded"]
    assert len(rest.rows) == 3
    assert rest.older is None


def test_a_silent_scheduler_is_dead_after_a_minute(store: Store) -> None:
    store.write(
        [Gauge("local", "scheduler_alive", "", 1.0, NOW), Gauge("other", "scheduler_alive", "", 1.0, NOW)]
    )
    later = NOW + dt.timedelta(seconds=ALIVE_SECONDS)
    assert History(store, ()).scheduler(later).alive
    assert not History(store, ()).scheduler(later + dt.timedelta(seconds=1)).alive
    assert not History(store, (), region="third").scheduler(NOW).alive
