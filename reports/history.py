"""Reads from the store: a constant number of queries for a page, whatever the number of integrations."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from interlock import tables
from interlock.records import Headroom, Outcome, ProbeKind, Reason, State, Status
from interlock.rows import headroom_from_plain, outcome_from_plain, outcome_from_row
from interlock.status import WORST_FIRST
from interlock.store import Store
from reports.face import Listed
from reports.views import (
    DAY_HOURS,
    ENOUGH_HOURS,
    HOUR,
    MONTH_HOURS,
    NEWEST,
    WEEK_HOURS,
    Change,
    Hour,
    IntegrationView,
    Latency,
    Overview,
    Room,
    Scheduler,
    Tally,
    Uptime,
    as_run,
    days,
    hour_of,
    integration_view,
    planned,
    probe_view,
    rooms,
    scheduler_of,
    share_of,
    tally,
)

Key = tuple[str, str, str]
T = TypeVar("T")
NEWEST_READ = 5000  # outcomes that are read for it, of all integrations together


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows, newest first, and the cursor of the next older ones; None at the end."""

    rows: tuple[T, ...]
    older: str | None


@dataclass(slots=True)
class _Sums:
    """What is added up for one probe over a window."""

    tally: Tally = field(default_factory=Tally)
    week: Tally = field(default_factory=Tally)  # the part of `tally` that is younger than a week


class History:
    """Reads for the pages. Remembers the sums of closed hours, so a long window is summed once an hour."""

    def __init__(self, store: Store, integrations: tuple[Listed, ...], *, region: str | None = None) -> None:
        """`integrations`: what is shown; the store may hold more. `region`: as in `Face`."""
        self._store = store
        self._listed = {each.name: each for each in integrations}
        self._region = region
        self._lock = threading.Lock()
        self._older: tuple[int, dict[Key, _Sums]] = (-1, {})

    def names(self) -> tuple[str, ...]:
        """The integrations that are shown."""
        return tuple(self._listed)

    def overview(self, now: dt.datetime) -> Overview:
        """Every integration as it stands: six queries, one less while the long window is remembered."""
        with self._store.reading() as connection:
            statuses = self._statuses(connection)
            told = self._headrooms(connection)
            recent = self._hours(connection, hour_of(now) - (DAY_HOURS - 1) * HOUR)
            older = self._older_sums(connection, hour_of(now))
            changes = self._changes(connection, limit=8)
            scheduler = self._scheduler(connection, now)
            newest = self._newest(connection) if _is_young(recent) else {}
        views = [
            self._view(
                as_run(each, scheduler),
                statuses.get(each.name, []),
                told.get(each.name, []),
                (recent, older),
                now,
            )
            for each in self._listed.values()
        ]
        views = [with_newest(view, newest) for view in views]
        views.sort(key=lambda v: (v.status is None, WORST_FIRST.index(v.state), v.listed.name))
        return Overview(at=now, scheduler=scheduler, integrations=tuple(views), changes=tuple(changes))

    def integration(self, name: str, now: dt.datetime) -> tuple[IntegrationView, Scheduler] | None:
        """One integration with its days and transitions; None if the settings do not have it."""
        if (shown := self._listed.get(name)) is None:
            return None
        first = hour_of(now) - (MONTH_HOURS - 1) * HOUR
        with self._store.reading() as connection:
            statuses = self._statuses(connection, name)
            told = self._headrooms(connection, name)
            month = self._hours(connection, first, name)
            changes = self._changes(connection, limit=20, name=name)
            scheduler = self._scheduler(connection, now)
            newest = self._newest(connection) if _is_young(month) else {}
        view = self._whole(as_run(shown, scheduler), statuses.get(name, []), told.get(name, []), month, now)
        return dataclasses.replace(with_newest(view, newest), changes=tuple(changes)), scheduler

    def scheduler(self, now: dt.datetime) -> Scheduler:
        """The scheduler's last sign of life. Raises `StoreError` if the store cannot be read."""
        with self._store.reading() as connection:
            return self._scheduler(connection, now)

    def outcomes(
        self,
        name: str,
        *,
        probe: ProbeKind | None = None,
        state: State | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> Page[Outcome]:
        """An integration's outcomes, newest first. `before`: a cursor that an earlier page gave."""
        t = tables.outcomes
        kinds = [probe] if probe else list(ProbeKind)
        each = []
        for kind in kinds:  # one stretch of the index for each probe, merged
            query = sa.select(t).where(t.c.integration == name, t.c.probe == kind.value)
            query = query.where(t.c.state == state.value) if state else query
            query = _older_than(query, t.c.started_at, t.c.seq, before)
            newest = query.order_by(t.c.started_at.desc(), t.c.seq.desc()).limit(limit + 1)
            each.append(sa.select(newest.subquery()))
        merged = sa.union_all(*each).subquery()
        query = sa.select(merged).order_by(merged.c.started_at.desc(), merged.c.seq.desc()).limit(limit + 1)
        with self._store.reading() as connection:
            rows = list(connection.execute(query).mappings())
        older = _cursor(rows[limit - 1], "started_at") if len(rows) > limit else None
        return Page(tuple(outcome_from_row(dict(row)) for row in rows[:limit]), older)

    def transitions(self, name: str, *, before: str | None = None, limit: int = 50) -> Page[Change]:
        """An integration's transitions, newest first."""
        t = tables.transitions
        query = _older_than(sa.select(t).where(t.c.integration == name), t.c.at, t.c.seq, before)
        with self._store.reading() as connection:
            found = connection.execute(query.order_by(t.c.at.desc(), t.c.seq.desc()).limit(limit + 1))
            rows = list(found.mappings())
        older = _cursor(rows[limit - 1], "at") if len(rows) > limit else None
        return Page(tuple(map(_change, rows[:limit])), older)

    def headrooms(self, name: str, now: dt.datetime) -> tuple[Room, ...]:
        """What is left of an integration's rate limits."""
        with self._store.reading() as connection:
            return rooms(self._headrooms(connection, name).get(name, []), now)

    # -- queries ---------------------------------------------------------------------------------

    def _statuses(
        self, connection: sa.Connection, name: str | None = None
    ) -> dict[str, list[tuple[str, Status]]]:
        t = tables.statuses
        columns = (t.c.integration, t.c.region, t.c.state, t.c.since, t.c.failures, t.c.last)
        query = sa.select(*columns).order_by(t.c.integration, t.c.probe, t.c.region)
        query = query.where(t.c.integration == name) if name else query
        found: dict[str, list[tuple[str, Status]]] = {}
        for integration, region, state, since, failures, last in connection.execute(query):
            outcome = outcome_from_plain(json.loads(last))
            status = Status(state=State(state), since=since, failures=failures, last=outcome)
            found.setdefault(integration, []).append((region, status))
        return found

    def _headrooms(self, connection: sa.Connection, name: str | None = None) -> dict[str, list[Headroom]]:
        t = tables.headrooms
        query = sa.select(t).where(t.c.integration == name) if name else sa.select(t)
        found: dict[str, list[Headroom]] = {}
        for row in connection.execute(query).mappings():
            found.setdefault(row["integration"], []).append(headroom_from_plain(dict(row)))
        return found

    def _hours(self, connection: sa.Connection, first: int, name: str | None = None) -> dict[Key, list[Hour]]:
        t = tables.hours
        columns = (
            t.c.integration,
            t.c.probe,
            t.c.region,
            t.c.hour,
            t.c.seen,
            t.c.in_maintenance,
            t.c.durations,
        )
        query = sa.select(*columns).where(t.c.hour >= first).order_by(t.c.hour)
        query = query.where(t.c.integration == name) if name else query
        found: dict[Key, list[Hour]] = {}
        for integration, probe, region, hour, seen, maintained, blob in connection.execute(query):
            each = Hour(hour, tally(seen), maintained, Latency(blob))
            found.setdefault((integration, probe, region), []).append(each)
        return found

    def _older_sums(self, connection: sa.Connection, hour: int) -> dict[Key, _Sums]:
        """Sums of the month without its last 24 hours: closed hours, so they hold until the next begins.

        Equal counts are grouped by the database as text; that works on every database alike.
        """
        with self._lock:
            if self._older[0] == hour:
                return self._older[1]
        t = tables.hours
        young = (t.c.hour >= hour - (WEEK_HOURS - 1) * HOUR).label("young")
        keys = (t.c.integration, t.c.probe, t.c.region, t.c.seen, young)
        first, end = hour - (MONTH_HOURS - 1) * HOUR, hour - (DAY_HOURS - 1) * HOUR
        query = sa.select(*keys, sa.func.count()).where(t.c.hour >= first, t.c.hour < end).group_by(*keys)
        found: dict[Key, _Sums] = {}
        for integration, probe, region, seen, is_young, times in connection.execute(query):
            sums, one = found.setdefault((integration, probe, region), _Sums()), tally(seen)
            many = Tally(one.up * times, one.judged * times)
            sums.tally += many
            sums.week += many if is_young else Tally()
        with self._lock:
            self._older = (hour, found)
        return found

    def _changes(self, connection: sa.Connection, *, limit: int, name: str | None = None) -> list[Change]:
        t = tables.transitions
        query = sa.select(t).order_by(t.c.at.desc(), t.c.seq.desc()).limit(limit)
        if name:
            query = query.where(t.c.integration == name)
        else:  # a first answer that is good is no news
            news = sa.or_(t.c.before.is_not(None), t.c.after != State.OPERATIONAL.value)
            query = query.where(t.c.integration.in_(self.names()), news)
        return [_change(row) for row in connection.execute(query).mappings()]

    def _newest(self, connection: sa.Connection) -> dict[Key, list[float]]:
        """Durations of the newest outcomes of all, oldest first: what a young store is drawn from."""
        t = tables.outcomes
        query = sa.select(t.c.integration, t.c.probe, t.c.region, t.c.duration_seconds)
        found: dict[Key, list[float]] = {}
        for *key, seconds in connection.execute(query.order_by(t.c.seq.desc()).limit(NEWEST_READ)):
            durations = found.setdefault((key[0], key[1], key[2]), [])
            if seconds is not None and len(durations) < NEWEST:
                durations.insert(0, seconds)
        return found

    def _scheduler(self, connection: sa.Connection, now: dt.datetime) -> Scheduler:
        t = tables.gauges
        wanted = ("scheduler_alive", "scheduler_lag_seconds", "missed_runs_total", "probe_interval_seconds")
        query = sa.select(t).where(t.c.name.in_(wanted))
        query = query.where(t.c.region == self._region) if self._region else query
        rows = list(connection.execute(query).mappings())
        return scheduler_of(rows, now)

    # -- putting together ------------------------------------------------------------------------

    def _view(
        self,
        shown: Listed,
        statuses: Sequence[tuple[str, Status]],
        told: Sequence[Headroom],
        sums: tuple[Mapping[Key, list[Hour]], Mapping[Key, _Sums]],
        now: dt.datetime,
    ) -> IntegrationView:
        recent, older = sums
        probes = []
        for kind, region, status in planned(shown, statuses):
            key = (shown.name, kind.value, region or "")
            hours, before = recent.get(key, []), older.get(key, _Sums())
            day = sum((h.tally for h in hours), Tally())
            shares = Uptime(day.share, (day + before.week).share, (day + before.tally).share)
            probes.append(probe_view(shown, (kind, region, status), shares, hours, now))
        return integration_view(shown, probes, told, now)

    def _whole(
        self,
        shown: Listed,
        statuses: Sequence[tuple[str, Status]],
        told: Sequence[Headroom],
        month: Mapping[Key, list[Hour]],
        now: dt.datetime,
    ) -> IntegrationView:
        probes = []
        for kind, region, status in planned(shown, statuses):
            hours = month.get((shown.name, kind.value, region or ""), [])
            shares = Uptime(
                *(share_of(hours, now, window) for window in (DAY_HOURS, WEEK_HOURS, MONTH_HOURS))
            )
            recent = [h for h in hours if h.start > hour_of(now) - DAY_HOURS * HOUR]
            probes.append(
                probe_view(shown, (kind, region, status), shares, recent, now, days=days(hours, now))
            )
        return integration_view(shown, probes, told, now)


def _is_young(hours: Mapping[Key, list[Hour]]) -> bool:
    """Whether no probe has enough hours for a line."""
    return all(len(each) < ENOUGH_HOURS for each in hours.values())


def with_newest(view: IntegrationView, newest: Mapping[Key, list[float]]) -> IntegrationView:
    """The same, with the newest durations where there are any."""
    if not newest:
        return view
    changed = {
        id(probe): dataclasses.replace(
            probe, newest=tuple(newest.get((view.listed.name, probe.kind.value, probe.region or ""), ()))
        )
        for probe in view.probes
    }
    probes = tuple(changed[id(probe)] for probe in view.probes)
    return dataclasses.replace(view, probes=probes, lead=changed[id(view.lead)] if view.lead else None)


def _older_than(
    query: sa.Select[Any], at: sa.Column[Any], seq: sa.Column[Any], before: str | None
) -> sa.Select[Any]:
    if before is None:
        return query
    moment, number = map(int, before.split("-"))
    when = sa.type_coerce(at, sa.BigInteger)
    return query.where(when <= moment, sa.or_(when < moment, seq < number))


def _cursor(row: sa.RowMapping, at: str) -> str:
    return f"{tables.microseconds(row[at])}-{row['seq']}"


def _change(row: sa.RowMapping) -> Change:
    names = ("integration", "probe", "region", "at", "detail", "outcome_id")
    return Change(
        **{name: row[name] for name in names},
        before=State(row["before"]) if row["before"] else None,
        after=State(row["after"]),
        reason=Reason(row["reason"]),
    )
