"""The store: SQLAlchemy Core over SQLite (WAL) or PostgreSQL, one writer thread, batches, Alembic."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import queue
import secrets as randomness
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from interlock import tables
from interlock.errors import StoreError, UsageError
from interlock.records import Status
from interlock.rows import status_from_row
from interlock.settings import Settings
from interlock.status import Transition
from interlock.writing import LOCK, Gauge, Pen, Recorded

log = logging.getLogger(__name__)
HEAD = "0003"  # the newest migration; a test holds it to the folder
BATCH = 1000
LINGER_SECONDS = 1.0  # longer batches cost less for each record, and a kill -9 loses more of them
QUEUE_LIMIT = 50_000
PRUNE_STEP = 5000
BUSY_SECONDS = 30.0


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
        self._pen = Pen(self.engine)
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
        self._pen.close()
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
        return self._pen.write(batch)

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
            return [status_from_row(row) for row in connection.execute(query).mappings()]

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
