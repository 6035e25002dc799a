"""What every store does, whatever the database: these tests run on SQLite, and on PostgreSQL in `make check`."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

import sqlalchemy as sa

from interlock import tables
from interlock.histogram import load
from interlock.records import Finding, Reason, Severity, State, Status
from interlock.rows import outcome_from_row
from interlock.store import Store
from interlock.writing import Gauge, Recorded
from tests.records import NOON, a_headroom, an_outcome

MINUTE = dt.timedelta(minutes=1)


def count(store: Store, table: sa.Table) -> int:
    with store.reading() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def status_of(store: Store) -> Status:
    (status,) = store.statuses("payments")
    return status


class StoreBehaviour:
    """Mixed into a test class that has the fixture `store` and the fixture `again` (opens it once more)."""

    def test_an_outcome_comes_back_as_it_went_in(self, store: Store) -> None:
        finding = Finding(
            fingerprint="f",
            rule="r",
            severity=Severity.ERROR,
            integration="payments",
            subject="credentials.key",
        )
        put = an_outcome(
            slot=5,
            retry_at=NOON + MINUTE,
            in_maintenance=True,
            headrooms=(a_headroom(),),
            findings=(finding,),
            certificate_expires_at=NOON + MINUTE,
            catalogue_digest="d",
            detail="Grüße, „quoted“ \u2603",
        )
        store.put(Recorded(put))
        store.flush()
        with store.reading() as connection:
            (row,) = connection.execute(sa.select(tables.outcomes)).mappings()
        assert outcome_from_row(row) == put
        assert status_of(store).last == put

    def test_what_is_not_known_stays_unknown(self, store: Store) -> None:
        put = an_outcome(duration_seconds=None, phases={}, status_code=None)
        store.put(Recorded(put))
        store.flush()
        with store.reading() as connection:
            (row,) = connection.execute(sa.select(tables.outcomes)).mappings()
        assert outcome_from_row(row) == put
        assert row["duration_seconds"] is None

    def test_a_slot_is_filled_once(self, store: Store, again: Callable[[], Store]) -> None:
        """Two schedulers of one region, or a restart within the slot, count one answer."""
        for each in (store, again()):
            each.put(Recorded(an_outcome(slot=7, state=State.FAILING)))
            each.put(Recorded(an_outcome(slot=7, state=State.FAILING)))
            each.flush()
        assert count(store, tables.outcomes) == 1
        assert status_of(store).failures == 1

    def test_what_another_process_wrote_is_seen(self, store: Store, again: Callable[[], Store]) -> None:
        """Whatever a writer remembers, the database has the last word: slots, statuses and hours."""
        other = again()
        for turn in range(6):
            each = (store, other)[turn % 2]
            for slot in (turn, 10, 5 - turn):
                outcome = an_outcome(slot=slot, state=State.FAILING, started_at=NOON + turn * MINUTE)
                each.put(Recorded(outcome, failures_before_down=100))
            each.flush()
        assert count(store, tables.outcomes) == 7
        assert status_of(store).failures == 7
        with store.reading() as connection:
            (row,) = connection.execute(sa.select(tables.hours)).mappings()
        assert sum(load(row["durations"])) == 7

    def test_asking_by_hand_fills_no_slot(self, store: Store) -> None:
        for _ in range(3):
            store.put(Recorded(an_outcome(slot=None)))
        store.flush()
        assert count(store, tables.outcomes) == 3

    def test_failures_in_a_row_become_down_and_every_change_is_kept(self, store: Store) -> None:
        for minute, state in enumerate([State.OPERATIONAL, State.FAILING, State.FAILING, State.OPERATIONAL]):
            outcome = an_outcome(slot=minute, state=state, started_at=NOON + minute * MINUTE)
            store.put(Recorded(outcome, failures_before_down=2))
            if minute == 1:
                store.flush()  # the count goes on from what is stored
        store.flush()
        with store.reading() as connection:
            rows = connection.execute(
                sa.select(tables.transitions).order_by(tables.transitions.c.seq)
            ).mappings()
            changes = [(row["before"], row["after"]) for row in rows]
        assert changes == [
            (None, "operational"),
            ("operational", "degraded"),
            ("degraded", "down"),
            ("down", "operational"),
        ]
        assert status_of(store).since == NOON + 3 * MINUTE

    def test_hours_add_up(self, store: Store) -> None:
        for minute in range(90):
            store.put(Recorded(an_outcome(slot=minute, started_at=NOON + minute * MINUTE)))
            if minute % 20 == 0:
                store.flush()
        store.flush()
        with store.reading() as connection:
            rows = connection.execute(sa.select(tables.hours).order_by(tables.hours.c.hour)).mappings().all()
        assert [sum(load(row["durations"])) for row in rows] == [60, 30]
        assert [row["hour"] for row in rows] == [int(NOON.timestamp()), int(NOON.timestamp()) + 3600]

    def test_the_newest_headroom_of_a_bucket_stays(self, store: Store) -> None:
        for minute, remaining in enumerate((50.0, 40.0)):
            room = a_headroom(remaining=remaining, seen_at=NOON + minute * MINUTE)
            store.put(Recorded(an_outcome(started_at=NOON + minute * MINUTE, headrooms=(room,))))
        store.put(Recorded(an_outcome(headrooms=(a_headroom(bucket="other", limit=None, remaining=None),))))
        store.flush()
        with store.reading() as connection:
            rows = (
                connection.execute(sa.select(tables.headrooms).order_by(tables.headrooms.c.bucket))
                .mappings()
                .all()
            )
        assert [(row["bucket"], row["remaining"]) for row in rows] == [("default", 40.0), ("other", None)]

    def test_the_newest_value_of_a_gauge_stays(self, store: Store) -> None:
        for value in (1.0, 2.0):
            store.set_gauge(Gauge("local", "scheduler_lag_seconds", "", value, NOON))
        store.flush()
        with store.reading() as connection:
            (row,) = connection.execute(sa.select(tables.gauges)).mappings()
        assert row["value"] == 2.0

    def test_old_outcomes_go_and_sums_stay(self, store: Store) -> None:
        for day in range(10):
            store.put(Recorded(an_outcome(slot=day, started_at=NOON + dt.timedelta(days=day))))
        store.flush()
        border = NOON + dt.timedelta(days=5)
        assert store.prune(outcomes_before=border, hours_before=NOON) == 5
        assert count(store, tables.outcomes) == 5
        assert count(store, tables.hours) == 10
        store.prune(outcomes_before=border, hours_before=border)
        assert count(store, tables.hours) == 5

    def test_several_writers_share_it(self, store: Store, again: Callable[[], Store]) -> None:
        stores = [store, again(), again()]

        def fill(each: Store, first: int) -> None:
            for number in range(200):
                each.put(
                    Recorded(an_outcome(slot=first + number, state=State.FAILING, reason=Reason.CONNECT))
                )
            each.flush()

        threads = [
            threading.Thread(target=fill, args=(each, 150 * index)) for index, each in enumerate(stores)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert count(store, tables.outcomes) == 500
        assert status_of(store).failures == 500

    def test_all_processes_have_the_same_fingerprint_key(
        self, store: Store, again: Callable[[], Store]
    ) -> None:
        key = store.fingerprint_key()
        assert len(key) == 32
        assert again().fingerprint_key() == key
