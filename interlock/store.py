"""The store: SQLAlchemy Core over SQLite (WAL) or PostgreSQL, one writer thread, batches, Alembic."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import queue
import secrets as randomness
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from interlock import histogram, tables
from interlock.errors import StoreError, UsageError
from interlock.records import (
    CredentialFacts,
    Environment,
    Finding,
    Headroom,
    Location,
    Outcome,
    ProbeKind,
    Reason,
    Severity,
    State,
    Status,
    plain,
)
from interlock.settings import Settings
from interlock.status import Transition, fold

log = logging.getLogger(__name__)
HEAD = "0002"  # the newest migration; a test holds it to the folder
BATCH = 1000
LINGER_SECONDS = 1.0  # longer batches cost less for each record, and a kill -9 loses more of them
QUEUE_LIMIT = 50_000
PRUNE_STEP = 5000
BUSY_SECONDS = 30.0
LOCK = 7_230_115_204  # PostgreSQL advisory lock: one writing transaction at a time
Key = tuple[str, str, str]


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


class Store:
    """Opens (and migrates) the database; `put` and `set_gauge` hand over to the writer thread."""

    def __init__(
        self,
        url: str,
        *,
        password: str | None = None,
        folder: Path | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """A relative SQLite path starts at `folder`. Raises `StoreError`, `UsageError`."""
        self.engine = _engine(url, password, folder)
        self._sleep = sleep
        self._queue: queue.Queue[Recorded | Gauge | threading.Event | None] = queue.Queue(QUEUE_LIMIT)
        self._hurry = threading.Event()  # somebody waits for what is in the queue
        self._lasts: dict[Key, tuple[str, Outcome]] = {}  # last outcomes as written, so as not to parse them
        self._failure: BaseException | None = None
        self._writer: threading.Thread | None = None
        self.lost = 0  # records dropped because the database took none for too long
        try:
            _migrate(self.engine)
        except (SQLAlchemyError, OSError) as exc:
            self.engine.dispose()
            raise StoreError(f"the store {_shown(self.engine)} cannot be opened: {_cause(exc)}") from exc
        except StoreError:
            self.engine.dispose()
            raise

    # -- writing ---------------------------------------------------------------------------------

    def put(self, recorded: Recorded) -> None:
        """Hand an outcome to the writer; returns at once. It is on disk after `flush()`."""
        self._hand_over(recorded)

    def set_gauge(self, gauge: Gauge) -> None:
        """Hand a gauge to the writer; the newest value of a name, region and label stays."""
        self._hand_over(gauge)

    def flush(self, timeout_seconds: float = BUSY_SECONDS) -> None:
        """Wait until everything handed over so far is committed. Raises `StoreError` if it cannot be."""
        if self._writer is None:
            return
        done = threading.Event()
        self._queue.put(done)
        self._hurry.set()
        if not done.wait(timeout_seconds) or self.lost:
            raise StoreError(
                f"the store {_shown(self.engine)} does not take what is written: {self._failure}"
            )

    def close(self) -> None:
        """Write what is left, end the writer thread, close the connections."""
        if self._writer is not None:
            self._queue.put(None)
            self._hurry.set()
            self._writer.join(BUSY_SECONDS)
            self._writer = None
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _hand_over(self, item: Recorded | Gauge) -> None:
        if self._writer is None:
            self._writer = threading.Thread(target=self._write_for_ever, name="store-writer", daemon=True)
            self._writer.start()
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            self.lost += 1

    def _write_for_ever(self) -> None:
        while True:
            batch, events, ended = self._take()
            self._write_patiently(batch)
            for event in events:
                event.set()
            if ended:
                return

    def _take(self) -> tuple[list[Recorded | Gauge], list[threading.Event], bool]:
        """Wait for one item, linger for more; a flush or the end is answered at once.

        It sleeps while it lingers: to be woken for each item costs more than to write it.
        """
        batch: list[Recorded | Gauge] = []
        item = self._queue.get()
        if isinstance(item, Recorded | Gauge):
            self._hurry.wait(LINGER_SECONDS)
        self._hurry.clear()
        while isinstance(item, Recorded | Gauge):
            batch.append(item)
            if len(batch) >= BATCH:
                self._hurry.set()  # more may be waiting
                return batch, [], False
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return batch, [], False
        self._hurry.set()
        return batch, [item] if item else [], item is None

    def _write_patiently(self, batch: list[Recorded | Gauge]) -> None:
        """A locked or full database is tried again; a batch that is itself wrong is dropped and logged."""
        for attempt in range(6):
            try:
                if batch:
                    self.write(batch)
            except (OperationalError, OSError) as exc:
                self._failure = exc
                log.warning("the store is busy or full, attempt %d: %s", attempt + 1, _cause(exc))
                self._sleep(min(0.2 * 2**attempt, 5.0))
            except Exception as exc:
                self._failure = exc
                log.exception("a batch of %d records could not be written", len(batch))
                break
            else:
                return
        self.lost += len(batch)

    def write(self, batch: Sequence[Recorded | Gauge]) -> list[Transition]:
        """Write a batch in one transaction; returns the transitions that it caused."""
        recorded = [item for item in batch if isinstance(item, Recorded)]
        with self.engine.begin() as connection:
            if self.engine.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
            fresh = self._insert_outcomes(connection, recorded)
            changes = self._fold_statuses(connection, fresh)
            self._add_hours(connection, fresh)
            self._upsert_headrooms(connection, [item.outcome for item in fresh])
            self._upsert_gauges(connection, [item for item in batch if isinstance(item, Gauge)])
        return changes

    def _insert_outcomes(self, connection: sa.Connection, recorded: Sequence[Recorded]) -> list[Recorded]:
        """Insert, slot by slot; a slot that is filled already is left as it is. Returns what was new."""
        if not recorded:
            return []
        slots = [
            (*_key(item.outcome), item.outcome.slot) for item in recorded if item.outcome.slot is not None
        ]
        taken = self._taken(connection, slots)
        fresh = []
        for item in recorded:
            slot = (*_key(item.outcome), item.outcome.slot)
            if item.outcome.slot is None or slot not in taken:
                taken.add(slot)
                fresh.append(item)
        if fresh:
            connection.execute(sa.insert(tables.outcomes), [outcome_row(item.outcome) for item in fresh])
        return fresh

    def _taken(self, connection: sa.Connection, slots: Sequence[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
        t = tables.outcomes.c
        columns = (t.integration, t.probe, t.region, t.slot)
        found: set[tuple[Any, ...]] = set()
        for part in _parts(slots, 200):
            rows = connection.execute(sa.select(*columns).where(sa.tuple_(*columns).in_(part)))
            found |= {tuple(row) for row in rows}
        return found

    def _fold_statuses(self, connection: sa.Connection, fresh: Sequence[Recorded]) -> list[Transition]:
        t = tables.statuses
        rows = {_row_key(row): row for row in self._rows_for(connection, t, {_key(i.outcome) for i in fresh})}
        folded = {key: self._status_of(row) for key, row in rows.items()}
        sums = {key: _Sums.of(row) for key, row in rows.items()}
        changes: list[Transition] = []
        for item in fresh:
            key, before = _key(item.outcome), folded.get(_key(item.outcome))
            after = fold(before, item.outcome, failures_before_down=item.failures_before_down)
            if before is None or before.state is not after.state:
                at = item.outcome.started_at
                changes.append(Transition(at, before.state if before else None, after.state, item.outcome))
            folded[key] = after
            sums.setdefault(key, _Sums.of(None)).add(item.outcome)
        values = []
        for key, status in folded.items():
            row = _status_row(key, status)
            self._lasts[key] = (row["last"], status.last)
            values.append(row | sums[key].row())
        self._upsert(connection, t, values)
        if changes:
            connection.execute(sa.insert(tables.transitions), [_transition_row(c) for c in changes])
        return changes

    def _status_of(self, row: sa.RowMapping) -> Status:
        """As `_status`; a last outcome that this process wrote itself is not parsed again."""
        text, last = self._lasts.get(_row_key(row), ("", None))
        if last is None or text != row["last"]:
            return _status(row)
        return Status(state=State(row["state"]), since=row["since"], failures=row["failures"], last=last)

    def _add_hours(self, connection: sa.Connection, fresh: Sequence[Recorded]) -> None:
        by_hour: dict[tuple[str, str, str, int], list[Outcome]] = {}
        for item in fresh:
            by_hour.setdefault((*_key(item.outcome), _hour(item.outcome.started_at)), []).append(item.outcome)
        t = tables.hours
        columns = (t.c.integration, t.c.probe, t.c.region, t.c.hour)
        before: dict[tuple[Any, ...], sa.RowMapping] = {}
        for part in _parts(list(by_hour), 200):
            for row in connection.execute(sa.select(t).where(sa.tuple_(*columns).in_(part))).mappings():
                before[(row["integration"], row["probe"], row["region"], row["hour"])] = row
        values = []
        for key, seen in by_hour.items():
            earlier = before.get(key)
            sums = _Sums.of(earlier)
            for outcome in seen:
                sums.add(outcome, judged=not outcome.in_maintenance)
            planned = (earlier["in_maintenance"] if earlier else 0) + sum(o.in_maintenance for o in seen)
            names = dict(zip(("integration", "probe", "region", "hour"), key, strict=True))
            values.append(names | sums.row() | {"in_maintenance": planned})
        self._upsert(connection, t, values)

    def _upsert_headrooms(self, connection: sa.Connection, seen: Sequence[Outcome]) -> None:
        newest: dict[tuple[str, ...], dict[str, Any]] = {}
        for outcome in sorted(seen, key=lambda o: o.started_at):
            for room in outcome.headrooms:
                fingerprint = room.credential_fingerprint or ""
                key = (outcome.integration, fingerprint, room.bucket, room.source)
                newest[key] = _headroom_row(outcome.integration, room)
        self._upsert(connection, tables.headrooms, list(newest.values()))

    def _upsert_gauges(self, connection: sa.Connection, gauges: Sequence[Gauge]) -> None:
        newest = {(g.region, g.name, g.label): g for g in gauges}
        values = [
            {"region": g.region, "name": g.name, "label": g.label, "value": g.value, "at": g.at}
            for g in newest.values()
        ]
        self._upsert(connection, tables.gauges, values)

    def _upsert(
        self, connection: sa.Connection, table: sa.Table, values: Sequence[Mapping[str, Any]]
    ) -> None:
        if not values:
            return
        dialect = postgresql if self.engine.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(table)
        keys = [column.name for column in table.primary_key]
        rest = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=rest), list(values))

    def _rows_for(
        self, connection: sa.Connection, table: sa.Table, keys: set[Key]
    ) -> Iterator[sa.RowMapping]:
        columns = (table.c.integration, table.c.probe, table.c.region)
        for part in _parts(sorted(keys), 200):
            yield from connection.execute(sa.select(table).where(sa.tuple_(*columns).in_(part))).mappings()

    # -- reading ---------------------------------------------------------------------------------

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that only reads. Raises `StoreError`."""
        try:
            with self.engine.connect().execution_options(reads_only=True) as connection:
                yield connection
        except DBAPIError as exc:
            raise StoreError(f"the store {_shown(self.engine)} cannot be read: {_cause(exc)}") from exc

    def statuses(self, integration: str | None = None) -> list[Status]:
        """The current status of every probe, or of one integration's, in order of their names."""
        t = tables.statuses
        query = sa.select(t).order_by(t.c.integration, t.c.probe, t.c.region)
        if integration is not None:
            query = query.where(t.c.integration == integration)
        with self.reading() as connection:
            return [_status(row) for row in connection.execute(query).mappings()]

    def fingerprint_key(self) -> bytes:
        """The key of this store's fingerprints, made at the first call: 32 random bytes."""
        t = tables.meta
        dialect = postgresql if self.engine.dialect.name == "postgresql" else sqlite
        fresh = dialect.insert(t).values(key="fingerprint_key", value=randomness.token_hex(32))
        with self.engine.begin() as connection:
            connection.execute(fresh.on_conflict_do_nothing())
            value = connection.execute(sa.select(t.c.value).where(t.c.key == "fingerprint_key")).scalar_one()
        return bytes.fromhex(value)

    def prune(self, *, outcomes_before: dt.datetime, hours_before: dt.datetime) -> int:
        """Delete what is older; returns the number of outcomes deleted. Small steps, so writers can go on."""
        deleted, t = 0, tables.outcomes
        while True:
            old = sa.select(t.c.seq).where(t.c.started_at < outcomes_before)
            old = old.order_by(t.c.seq).limit(PRUNE_STEP)
            with self.engine.begin() as connection:
                count = connection.execute(sa.delete(t).where(t.c.seq.in_(old))).rowcount
            deleted += count
            if count < PRUNE_STEP:
                break
        with self.engine.begin() as connection:
            connection.execute(sa.delete(tables.hours).where(tables.hours.c.hour < hours_before.timestamp()))
            connection.execute(sa.delete(tables.transitions).where(tables.transitions.c.at < hours_before))
        return deleted


def open_store(settings: Settings) -> Store:
    """The store that the settings name. Raises `StoreError`, `UsageError`, `SecretError`."""
    reference = settings.suite.store_password
    password = reference.resolve(base=settings.folder).reveal() if reference else None
    return Store(settings.suite.store, password=password, folder=settings.folder)


class _Sums:
    """Counts by state and durations, as a row of `statuses` or `hours` holds them."""

    def __init__(self, seen: dict[str, int], duration_sum: float, durations: bytes | None) -> None:
        self.seen, self.duration_sum, self.durations = seen, duration_sum, histogram.load(durations)

    @classmethod
    def of(cls, row: sa.RowMapping | None) -> _Sums:
        if row is None:
            return cls({}, 0.0, None)
        return cls(json.loads(row["seen"]), row["duration_sum"], row["durations"])

    def add(self, outcome: Outcome, *, judged: bool = True) -> None:
        if judged:
            self.seen[outcome.state.value] = self.seen.get(outcome.state.value, 0) + 1
        if outcome.duration_seconds is not None:
            self.duration_sum += outcome.duration_seconds
            histogram.add(self.durations, outcome.duration_seconds)

    def row(self) -> dict[str, Any]:
        return {
            "seen": json.dumps(self.seen),
            "duration_sum": self.duration_sum,
            "durations": self.durations.tobytes(),
        }


def _engine(url: str, password: str | None, folder: Path | None) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as exc:
        raise UsageError("the store is not a database URL", hint='write "sqlite:///interlock.db"') from exc
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise UsageError(f"the store cannot be {parsed.get_backend_name()!r}: use sqlite or postgresql")
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg", password=password or parsed.password)
        return _postgres(parsed)
    if parsed.database not in {None, "", ":memory:"}:
        path = (folder or Path()) / str(parsed.database)
        path.parent.mkdir(parents=True, exist_ok=True)
        parsed = parsed.set(database=str(path))
    engine = sa.create_engine(parsed, connect_args={"timeout": BUSY_SECONDS})
    sa.event.listen(engine, "connect", _on_sqlite_connect)
    sa.event.listen(engine, "begin", _on_sqlite_begin)
    return engine


def _postgres(url: sa.URL) -> sa.Engine:
    from interlock.errors import MissingExtra  # noqa: PLC0415 - only on the way out

    try:
        return sa.create_engine(url, pool_pre_ping=True)
    except ModuleNotFoundError as exc:
        raise MissingExtra("postgres", needed_for="a PostgreSQL store") from exc


def _on_sqlite_begin(connection: sa.Connection) -> None:
    """A reader takes a snapshot and no lock, so that writers and readers never wait for each other."""
    reads = connection.get_execution_options().get("reads_only", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _on_sqlite_connect(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # `_on_sqlite_begin` says BEGIN itself
    try:
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "mmap_size = 0"):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()  # the pool does not know it yet
        raise


def _migrate(engine: sa.Engine) -> None:
    """Bring the tables to `HEAD`. Alembic is imported only where there is something to do."""
    with engine.connect() as connection:
        found = None
        if sa.inspect(connection).has_table("alembic_version"):
            found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    if found == HEAD:
        return
    from alembic import command  # noqa: PLC0415 - slow, and needed once
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except Exception as exc:
            known = "newer than this version of interlock" if found else _cause(exc)
            raise StoreError(
                f"the store {_shown(engine)} cannot be migrated from {found!r}: {known}"
            ) from exc


def _shown(engine: sa.Engine) -> str:
    return engine.url.render_as_string(hide_password=True)


def _cause(exc: BaseException) -> str:
    return str(getattr(exc, "orig", None) or exc).strip().partition("\n")[0]


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _key(outcome: Outcome) -> Key:
    return (outcome.integration, outcome.probe.value, outcome.region)


def _row_key(row: sa.RowMapping) -> Key:
    return (row["integration"], row["probe"], row["region"])


def _hour(moment: dt.datetime) -> int:
    return int(moment.timestamp()) // 3600 * 3600


_ENUM_COLUMNS = ("environment", "probe", "state", "reason")
_MORE = ("phases", "headrooms", "findings", "credential")
_PLAIN_COLUMNS = tuple(c.name for c in tables.outcomes.columns if c.name not in {"seq", "more"})


def outcome_row(outcome: Outcome) -> dict[str, Any]:
    """An outcome as a row of `outcomes`. Enums go as plain text: drivers are slow with anything else."""
    row = {name: getattr(outcome, name) for name in _PLAIN_COLUMNS}
    row |= {name: row[name].value for name in _ENUM_COLUMNS}
    more = {k: plain(v) for k in _MORE if (v := getattr(outcome, k))}
    row["more"] = json.dumps(more) if more else None
    return row


def _status_row(key: Key, status: Status) -> dict[str, Any]:
    names = dict(zip(("integration", "probe", "region"), key, strict=True))
    last = json.dumps(plain(status.last))
    return names | {"state": status.state, "since": status.since, "failures": status.failures, "last": last}


def _transition_row(change: Transition) -> dict[str, Any]:
    o = change.outcome
    names = {"integration": o.integration, "probe": o.probe, "region": o.region, "outcome_id": o.id}
    why = {"reason": o.reason, "detail": o.detail}
    return names | why | {"at": change.at, "before": change.before, "after": change.after}


def _headroom_row(integration: str, room: Headroom) -> dict[str, Any]:
    row = {c.name: getattr(room, c.name) for c in tables.headrooms.columns if c.name != "integration"}
    return row | {"integration": integration, "credential_fingerprint": room.credential_fingerprint or ""}


def _status(row: sa.RowMapping) -> Status:
    last = outcome_from_plain(json.loads(row["last"]))
    return Status(state=State(row["state"]), since=row["since"], failures=row["failures"], last=last)


def outcome_from_row(row: Mapping[str, Any] | sa.RowMapping) -> Outcome:
    """An `Outcome` from a row of `outcomes`."""
    more = json.loads(row["more"]) if row["more"] else {}
    plain_columns = {name: row[name] for name in _PLAIN_COLUMNS}
    return outcome_from_plain(plain_columns | more)


def outcome_from_plain(data: Mapping[str, Any]) -> Outcome:
    """The opposite of `plain(outcome)`."""
    return Outcome(
        **{
            **data,
            "environment": Environment(data["environment"]),
            "probe": ProbeKind(data["probe"]),
            "state": State(data["state"]),
            "reason": Reason(data["reason"]),
            "started_at": _moment(data["started_at"]),
            "retry_at": _moment(data["retry_at"]),
            "certificate_expires_at": _moment(data["certificate_expires_at"]),
            "phases": data.get("phases") or {},
            "headrooms": tuple(headroom_from_plain(each) for each in data.get("headrooms") or ()),
            "credential": credential_from_plain(data.get("credential")),
            "findings": tuple(finding_from_plain(each) for each in data.get("findings") or ()),
        }
    )


def headroom_from_plain(data: Mapping[str, Any]) -> Headroom:
    """The opposite of `plain(headroom)`; also reads a row of `headrooms`."""
    fields = {name: data[name] for name in Headroom.__dataclass_fields__ if name in data}
    times = {"reset_at": _moment(data["reset_at"]), "seen_at": _moment(data["seen_at"])}
    return Headroom(**{**fields, **times, "credential_fingerprint": data["credential_fingerprint"] or None})


def credential_from_plain(data: Mapping[str, Any] | None) -> CredentialFacts | None:
    """The opposite of `plain(credential facts)`."""
    if data is None:
        return None
    scopes = None if data["scopes"] is None else tuple(data["scopes"])
    return CredentialFacts(expires_at=_moment(data["expires_at"]), identity=data["identity"], scopes=scopes)


def finding_from_plain(data: Mapping[str, Any]) -> Finding:
    """The opposite of `plain(finding)`."""
    location = Location(**data["location"])
    return Finding(**{**data, "severity": Severity(data["severity"]), "location": location})


def _moment(value: Any) -> Any:
    return dt.datetime.fromisoformat(value) if isinstance(value, str) else value
