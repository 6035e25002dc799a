"""One batch, one transaction: outcomes, statuses, hours, headrooms and gauges, folded and written together.

What was read once is remembered for as long as nobody else wrote: SQLite tells by `PRAGMA data_version` (a
change by another connection, https://sqlite.org/pragma.html#pragma_data_version). PostgreSQL has no such word,
so there everything is read again for every batch.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from interlock import tables
from interlock.records import Outcome, Status
from interlock.rows import (
    Key,
    Sums,
    headroom_row,
    hour_of,
    hour_row,
    key_of,
    outcome_row,
    row_key,
    status_from_row,
    status_row,
    transition_row,
)
from interlock.status import Transition, fold
from interlock.tables import microseconds

LOCK = 7_230_115_204  # PostgreSQL advisory lock: one writing transaction at a time
PART = 200  # keys in one question
Slot = tuple[str, str, str, int | None]
HourKey = tuple[str, str, str, int]


@dataclass(frozen=True, slots=True)
class Recorded:
    """An outcome on its way into the store, with the bar for `down`."""

    outcome: Outcome
    failures_before_down: int = 3


@dataclass(frozen=True, slots=True)
class Gauge:
    """Something that a scheduler says of itself."""

    region: str
    name: str
    label: str
    value: float
    at: dt.datetime


class Statement:
    """A statement of Core, compiled once, and run with plain values."""

    def __init__(self, statement: sa.Insert, engine: sa.Engine) -> None:
        names = [c.name for c in statement.table.columns if c.name != "seq"]
        compiled = statement.compile(dialect=engine.dialect, column_keys=names)
        self._sql = str(compiled)
        self._order = compiled.positiontup  # None where the driver takes names

    def __call__(self, connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it for every row; nothing for none."""
        if rows:
            order = self._order
            values: Any = [tuple(row[n] for n in order) for row in rows] if order else list(rows)
            connection.exec_driver_sql(self._sql, values)


@dataclass
class Memory:
    """What the database held when this process wrote last."""

    statuses: dict[Key, tuple[Status, Sums]] = field(default_factory=dict)
    hours: dict[HourKey, Sums] = field(default_factory=dict)
    newest_slot: dict[Key, int] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget everything."""
        self.statuses.clear()
        self.hours.clear()
        self.newest_slot.clear()

    def forget_hours_before(self, hour: int) -> None:
        """Outcomes of a past hour are rare; its sums are read again for them."""
        if any(key[3] < hour for key in self.hours):
            self.hours = {key: sums for key, sums in self.hours.items() if key[3] >= hour}


class Pen:
    """Writes batches over a connection of its own. Used by one thread at a time."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._remembers = engine.dialect.name == "sqlite"
        self._memory = Memory()
        self._connection: sa.Connection | None = None
        self._version: int | None = None
        self._statements: dict[str, Statement] = {}

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def write(self, batch: Sequence[Recorded | Gauge]) -> list[Transition]:
        """Write a batch; returns the transitions that it caused. After an error nothing of it is written."""
        if self._connection is None:
            self._connection = self._engine.connect()
        try:
            with self._connection.begin():
                return self._write(self._connection, batch)
        except BaseException:
            self._memory.clear()
            self.close()
            raise

    def _write(self, connection: sa.Connection, batch: Sequence[Recorded | Gauge]) -> list[Transition]:
        self._look_around(connection)
        fresh = self._insert_outcomes(connection, [item for item in batch if isinstance(item, Recorded)])
        changes = self._fold_statuses(connection, fresh)
        self._add_hours(connection, [item.outcome for item in fresh])
        self._put_headrooms(connection, [item.outcome for item in fresh])
        self._put_gauges(connection, [item for item in batch if isinstance(item, Gauge)])
        return changes

    def _look_around(self, connection: sa.Connection) -> None:
        """Forget what is remembered if anybody else wrote since."""
        if not self._remembers:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
            self._memory.clear()
            return
        version = connection.exec_driver_sql("PRAGMA data_version").scalar_one()
        if version != self._version:
            self._memory.clear()
        self._version = version

    def _insert_outcomes(self, connection: sa.Connection, recorded: Sequence[Recorded]) -> list[Recorded]:
        """Insert, slot by slot; a slot that is filled already is left as it is. Returns what was new."""
        taken = self._taken(connection, recorded)
        fresh = []
        for item in recorded:
            key, number = key_of(item.outcome), item.outcome.slot
            if number is not None:
                if (*key, number) in taken:
                    continue
                taken.add((*key, number))
                newest = self._memory.newest_slot.get(key, number)
                self._memory.newest_slot[key] = max(newest, number)
            fresh.append(item)
        insert = self._statement("insert outcomes", lambda: sa.insert(tables.outcomes))
        insert(connection, [outcome_row(item.outcome) for item in fresh])
        return fresh

    def _taken(self, connection: sa.Connection, recorded: Sequence[Recorded]) -> set[Slot]:
        """The slots of a batch that are filled; one past the newest of its key cannot be."""
        slotted = [
            (key_of(item.outcome), item.outcome.slot) for item in recorded if item.outcome.slot is not None
        ]
        newest = self._newest_slots(connection, {key for key, _ in slotted})
        asked: list[Slot] = [(*key, number) for key, number in slotted if number <= newest.get(key, -1)]
        t = tables.outcomes.c
        columns = (t.integration, t.probe, t.region, t.slot)
        found: set[Slot] = set()
        for part in _parts(asked):
            rows = connection.execute(sa.select(*columns).where(sa.tuple_(*columns).in_(part)))
            found |= {(row[0], row[1], row[2], row[3]) for row in rows}
        return found

    def _newest_slots(self, connection: sa.Connection, keys: set[Key]) -> dict[Key, int]:
        """The newest slot of each key; those that are not remembered are read."""
        known, t = self._memory.newest_slot, tables.outcomes.c
        columns = (t.integration, t.probe, t.region)
        query = sa.select(*columns, sa.func.max(t.slot)).group_by(*columns)
        for part in _parts([key for key in keys if key not in known]):
            for row in connection.execute(query.where(sa.tuple_(*columns).in_(part))):
                if row[3] is not None:
                    known[row[0], row[1], row[2]] = row[3]
        return known

    def _fold_statuses(self, connection: sa.Connection, fresh: Sequence[Recorded]) -> list[Transition]:
        known = self._memory.statuses
        keys = list(dict.fromkeys(key_of(item.outcome) for item in fresh))
        for row in self._rows_for(connection, tables.statuses, [key for key in keys if key not in known]):
            known[row_key(row)] = (status_from_row(row), Sums.of(row))
        changes: list[Transition] = []
        for item in fresh:
            key = key_of(item.outcome)
            before, sums = known.get(key) or (None, Sums.of(None))
            after = fold(before, item.outcome, failures_before_down=item.failures_before_down)
            sums.add(item.outcome)
            known[key] = (after, sums)
            if before is None or before.state is not after.state:
                at = item.outcome.started_at
                changes.append(Transition(at, before.state if before else None, after.state, item.outcome))
        self._upsert(connection, tables.statuses, [status_row(key, *known[key]) for key in keys])
        add = self._statement("insert transitions", lambda: sa.insert(tables.transitions))
        add(connection, [transition_row(change) for change in changes])
        return changes

    def _add_hours(self, connection: sa.Connection, fresh: Sequence[Outcome]) -> None:
        known = self._memory.hours
        keys = list(dict.fromkeys((*key_of(outcome), hour_of(outcome.started_at)) for outcome in fresh))
        for row in self._rows_for(connection, tables.hours, [key for key in keys if key not in known]):
            known[(*row_key(row), row["hour"])] = Sums.of(row)
        for outcome in fresh:
            sums = known.setdefault((*key_of(outcome), hour_of(outcome.started_at)), Sums.of(None))
            sums.add(outcome, judged=not outcome.in_maintenance)
            sums.in_maintenance += outcome.in_maintenance
        self._upsert(connection, tables.hours, [hour_row(key[:3], key[3], known[key]) for key in keys])
        if keys:
            self._memory.forget_hours_before(max(key[3] for key in keys))

    def _put_headrooms(self, connection: sa.Connection, seen: Sequence[Outcome]) -> None:
        newest: dict[tuple[str, ...], dict[str, Any]] = {}
        for outcome in sorted((o for o in seen if o.headrooms), key=lambda o: o.started_at):
            for room in outcome.headrooms:
                row = headroom_row(outcome.integration, room)
                newest[outcome.integration, row["credential_fingerprint"], room.bucket, room.source] = row
        self._upsert(connection, tables.headrooms, list(newest.values()))

    def _put_gauges(self, connection: sa.Connection, gauges: Sequence[Gauge]) -> None:
        rows = {
            (g.region, g.name, g.label): {
                "region": g.region,
                "name": g.name,
                "label": g.label,
                "value": g.value,
                "at": microseconds(g.at),
            }
            for g in gauges
        }
        self._upsert(connection, tables.gauges, list(rows.values()))

    def _upsert(self, connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        self._statement(f"upsert {table.name}", lambda: self._upserting(table))(connection, rows)

    def _upserting(self, table: sa.Table) -> sa.Insert:
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(table)
        keys = [column.name for column in table.primary_key]
        rest = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
        upserting: sa.Insert = statement.on_conflict_do_update(index_elements=keys, set_=rest)
        return upserting

    def _statement(self, name: str, make: Callable[[], sa.Insert]) -> Statement:
        if name not in self._statements:
            self._statements[name] = Statement(make(), self._engine)
        return self._statements[name]

    def _rows_for(
        self, connection: sa.Connection, table: sa.Table, keys: Sequence[tuple[Any, ...]]
    ) -> Iterator[sa.RowMapping]:
        """The rows with these primary keys."""
        columns = tuple(table.primary_key)
        for part in _parts(keys):
            yield from connection.execute(sa.select(table).where(sa.tuple_(*columns).in_(part))).mappings()


def _parts(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), PART):
        yield items[start : start + PART]
