"""The one writer of the inbox: a thread that commits what waits in one transaction, and then says so.

Whoever hands over a job is told when it is committed, never before. A duplicate is what the database's unique key
says, so that a race of equal deliveries keeps one. Raw bytes stand in a table of their own, with an end, and are
encrypted where a key is configured.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import logging
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy.dialects import postgresql, sqlite

from contracts.webhooks.inbox.records import Arrival, Due, Outcome, Stage
from contracts.webhooks.records import Delivery
from interlock import tables
from interlock.errors import StoreError, UsageError
from interlock.secrets import Secret
from interlock.store import Store

log = logging.getLogger(__name__)
BATCH = 500
LEASE_SECONDS = 120.0  # a delivery that was taken to be sent on, and of which nothing was heard, is due again
_T = TypeVar("_T")
_KEY_LENGTH = 200
_COUNTED_BY = ("integration", "outcome", "reason", "event_type")


@dataclass
class _Job:
    """Something to do within the next transaction, and whom to tell."""

    work: Callable[[sa.Connection], Any]
    done: Future[Any] = field(default_factory=Future)


class _Statements:
    """What is done for every delivery, built once: to build it costs several times what it costs to run it."""

    def __init__(self, dialect: str) -> None:
        insert = (postgresql if dialect == "postgresql" else sqlite).insert
        t, counts = tables.deliveries, tables.delivery_counts
        self.once = (
            insert(t).on_conflict_do_nothing(index_elements=["integration", "dedupe_key"]).returning(t.c.id)
        )
        same = (t.c.integration == sa.bindparam("of_integration")) & (
            t.c.dedupe_key == sa.bindparam("of_key")
        )
        self.again = sa.update(t).where(same).values(duplicates=t.c.duplicates + 1)
        self.body = sa.insert(tables.delivery_bodies)
        more = insert(counts)
        latest = sa.case(
            (counts.c.last_at > more.excluded.last_at, counts.c.last_at), else_=more.excluded.last_at
        )
        self.count = more.on_conflict_do_update(
            index_elements=list(_COUNTED_BY),
            set_={"count": counts.c.count + more.excluded.count, "last_at": latest},
        )


class Keeper:
    """Writes the inbox into a store. `with` starts and ends its thread; what is handed over is written first."""

    def __init__(self, store: Store, key: Secret | None = None) -> None:
        self._engine = store.engine
        self._statements = _Statements(self._engine.dialect.name)
        self._counted: dict[tuple[str, ...], tuple[int, dt.datetime]] = {}
        self._seal = _cipher(key)
        self._jobs: queue.Queue[_Job | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work_for_ever, name="inbox-keeper", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._jobs.put(None)
        self._thread.join()

    # -- what is asked of it ---------------------------------------------------------------------

    def keep(self, arrival: Arrival) -> Future[Outcome]:
        """Take a delivery once; the future is done when that is on disk. It may hold a `StoreError`."""
        return self._hand_over(lambda connection: self._keep(connection, arrival))

    def count(
        self, integration: str, outcome: Outcome, reason: str, at: dt.datetime, *, event_type: str = ""
    ) -> Future[None]:
        """Count what was not taken, or is not as it should be."""
        return self._hand_over(lambda _: self._count(at, integration, outcome, reason, event_type))

    def due(self, now: dt.datetime, limit: int) -> Future[list[Due]]:
        """The oldest deliveries that are to be sent on now, leased: nobody else gets them for a while."""
        return self._hand_over(lambda connection: self._due(connection, now, limit))

    def sent(
        self, due: Due, status: int | None, stage: Stage, again_at: dt.datetime | None, at: dt.datetime
    ) -> Future[None]:
        """What became of an attempt: where the delivery is now, and when it is due again if it is still queued."""
        return self._hand_over(lambda connection: self._sent(connection, due, status, stage, again_at, at))

    def replay(self, now: dt.datetime, integration: str | None, only: Sequence[str]) -> Future[int]:
        """Queue dead deliveries again, all or those named; how many."""
        return self._hand_over(lambda connection: _replay(connection, now, integration, only))

    def forget(self, wanted: Callable[[Delivery], bool]) -> Future[list[str]]:
        """Delete every delivery that is wanted gone, with its raw bytes; their ids."""
        return self._hand_over(lambda connection: self._forget(connection, wanted))

    def find(self, wanted: Callable[[Delivery], bool]) -> Future[list[str]]:
        """The ids of every delivery that is wanted."""
        return self._hand_over(lambda connection: self._find(connection, wanted))

    def prune(self, now: dt.datetime) -> Future[int]:
        """Delete raw bytes that are past their end; how many. A delivery that is still queued keeps its own."""
        return self._hand_over(lambda connection: _prune(connection, now))

    # -- the thread ------------------------------------------------------------------------------

    def _hand_over(self, work: Callable[[sa.Connection], _T]) -> Future[_T]:
        job = _Job(work)
        self._jobs.put(job)
        return job.done

    def _work_for_ever(self) -> None:
        while True:
            jobs, ended = self._take()
            if jobs:
                self._commit(jobs)
            if ended:
                return

    def _take(self) -> tuple[list[_Job], bool]:
        """Wait for one job, and take all that came meanwhile."""
        jobs: list[_Job] = []
        job = self._jobs.get()
        while job is not None:
            jobs.append(job)
            if len(jobs) >= BATCH:
                return jobs, False
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return jobs, False
        return jobs, True

    def _commit(self, jobs: list[_Job]) -> None:
        """All in one transaction; if that fails each on its own, so that one bad job spoils no other."""
        try:
            results = self._transact(jobs)
        except (sa.exc.SQLAlchemyError, OSError, UsageError, ValueError) as exc:
            if len(jobs) > 1:
                for job in jobs:
                    self._commit([job])
            elif isinstance(exc, UsageError):
                jobs[0].done.set_exception(exc)
            else:
                log.warning("the inbox cannot be written: %s", type(exc).__name__)
                jobs[0].done.set_exception(StoreError(f"the inbox cannot be written: {type(exc).__name__}"))
            return
        for job, result in zip(jobs, results, strict=True):
            job.done.set_result(result)

    def _transact(self, jobs: list[_Job]) -> list[Any]:
        with self._engine.connect() as connection:
            if self._engine.dialect.name == "sqlite":  # what is acknowledged outlives a power cut
                connection.connection.cursor().execute("PRAGMA synchronous = FULL")
            with connection.begin():
                self._counted.clear()
                results = [job.work(connection) for job in jobs]
                self._write_counts(connection)
                return results

    # -- what is done in a transaction -----------------------------------------------------------

    def _keep(self, connection: sa.Connection, arrival: Arrival) -> Outcome:
        checked = arrival.checked
        key = _bounded(checked.dedupe_key)
        row = {
            "id": arrival.id,
            "integration": arrival.integration,
            "scheme": checked.scheme,
            "received_at": arrival.received_at,
            "event_id": None if checked.event_id is None else _bounded(checked.event_id),
            "event_type": None if checked.event_type is None else _storable(checked.event_type)[:120],
            "dedupe_key": key,
            "dedupe_source": checked.dedupe_source,
            "key_fingerprint": checked.key_fingerprint,
            "state": Stage.QUEUED if arrival.forwarded else Stage.KEPT,
            "attempts": 0,
            "next_attempt_at": arrival.received_at if arrival.forwarded else None,
            "duplicates": 0,
        }
        inserted = connection.execute(self._statements.once, row).first() is not None
        outcome = Outcome.TAKEN if inserted else Outcome.DUPLICATE
        if inserted:
            connection.execute(self._statements.body, self._body(arrival))
        else:
            same = {"of_integration": arrival.integration, "of_key": key}
            connection.execute(self._statements.again, same)
        self._count(arrival.received_at, arrival.integration, outcome, "", checked.event_type or "")
        return outcome

    def _body(self, arrival: Arrival) -> dict[str, Any]:
        raw = _packed(arrival.delivery)
        return {
            "delivery_id": arrival.id,
            "integration": arrival.integration,
            "expires_at": arrival.kept_until,
            "sealed": self._seal is not None,
            "data": self._seal.encrypt(raw) if self._seal else raw,
        }

    def _count(
        self, at: dt.datetime, integration: str, outcome: Outcome, reason: str, event_type: str
    ) -> None:
        """One more, written at the end of this transaction."""
        key = (integration, outcome.value, _storable(reason), _storable(event_type)[:120])
        count, last_at = self._counted.get(key, (0, at))
        self._counted[key] = (count + 1, max(last_at, at))

    def _write_counts(self, connection: sa.Connection) -> None:
        """In one order, so that two inboxes at one database do not wait for each other."""
        rows = [
            dict(zip(_COUNTED_BY, key, strict=True)) | {"count": count, "last_at": last_at}
            for key, (count, last_at) in sorted(self._counted.items())
        ]
        if rows:
            connection.execute(self._statements.count, rows)

    def _due(self, connection: sa.Connection, now: dt.datetime, limit: int) -> list[Due]:
        t, bodies = tables.deliveries, tables.delivery_bodies
        ready = (t.c.state == Stage.QUEUED) & (t.c.next_attempt_at <= now)
        query = (
            sa.select(t.c.id, t.c.integration, t.c.event_type, t.c.attempts, bodies.c.data, bodies.c.sealed)
            .join(bodies, bodies.c.delivery_id == t.c.id, isouter=True)
            .where(ready)
            .order_by(t.c.next_attempt_at, t.c.received_at)
            .limit(limit)
        )
        rows = connection.execute(query).all()
        lease = now + dt.timedelta(seconds=LEASE_SECONDS)
        connection.execute(
            sa.update(t).where(t.c.id.in_([row.id for row in rows])).values(next_attempt_at=lease)
        )
        found = []
        for row in rows:
            delivery = self._unpacked(row.data, sealed=row.sealed) if row.data is not None else None
            if delivery is None:  # its bytes are gone, or sealed with another key: there is nothing to send
                self._end(connection, row.id, row.integration, row.event_type, now)
                continue
            found.append(
                Due(
                    id=row.id,
                    integration=row.integration,
                    event_type=row.event_type,
                    attempts=row.attempts,
                    delivery=delivery,
                )
            )
        return found

    def _end(
        self, connection: sa.Connection, name: str, integration: str, event_type: str | None, at: dt.datetime
    ) -> None:
        t = tables.deliveries
        connection.execute(sa.update(t).where(t.c.id == name).values(state=Stage.DEAD, next_attempt_at=None))
        self._count(at, integration, Outcome.DEAD, "no_body", event_type or "")

    def _sent(
        self,
        connection: sa.Connection,
        due: Due,
        status: int | None,
        stage: Stage,
        again_at: dt.datetime | None,
        at: dt.datetime,
    ) -> None:
        t = tables.deliveries
        changed = {
            "state": stage,
            "attempts": due.attempts + 1,
            "next_attempt_at": again_at,
            "answered_status": status,
        }
        connection.execute(sa.update(t).where(t.c.id == due.id).values(changed))
        if stage is not Stage.QUEUED:
            outcome = Outcome.FORWARDED if stage is Stage.FORWARDED else Outcome.DEAD
            self._count(at, due.integration, outcome, "", due.event_type or "")

    def _forget(self, connection: sa.Connection, wanted: Callable[[Delivery], bool]) -> list[str]:
        bodies, gone = tables.delivery_bodies, self._find(connection, wanted)
        for part in _parts(gone):
            connection.execute(sa.delete(bodies).where(bodies.c.delivery_id.in_(part)))
            connection.execute(sa.delete(tables.deliveries).where(tables.deliveries.c.id.in_(part)))
        return gone

    def _find(self, connection: sa.Connection, wanted: Callable[[Delivery], bool]) -> list[str]:
        bodies = tables.delivery_bodies
        gone = []
        for row in connection.execute(sa.select(bodies.c.delivery_id, bodies.c.data, bodies.c.sealed)):
            delivery = self._unpacked(row.data, sealed=row.sealed)
            if delivery is None:
                raise UsageError(
                    "a raw delivery cannot be read: it is sealed with another key",
                    hint="name the key with which it was kept: inbox.key",
                )
            if wanted(delivery):
                gone.append(row.delivery_id)
        return gone

    def _unpacked(self, data: bytes, *, sealed: bool) -> Delivery | None:
        if sealed and self._seal is None:
            return None
        try:
            return _unpack(self._seal.decrypt(data) if sealed and self._seal else data)
        except (InvalidToken, ValueError):
            return None


def _replay(connection: sa.Connection, now: dt.datetime, integration: str | None, only: Sequence[str]) -> int:
    t = tables.deliveries
    wanted = t.c.state == Stage.DEAD
    wanted &= (t.c.integration == integration) if integration else sa.true()
    wanted &= t.c.id.in_(only) if only else sa.true()
    changed = {"state": Stage.QUEUED, "attempts": 0, "next_attempt_at": now}
    return connection.execute(sa.update(t).where(wanted).values(changed)).rowcount


def _prune(connection: sa.Connection, now: dt.datetime) -> int:
    t, bodies = tables.deliveries, tables.delivery_bodies
    waiting = sa.select(t.c.id).where(t.c.state == Stage.QUEUED)
    old = (bodies.c.expires_at <= now) & bodies.c.delivery_id.not_in(waiting)
    return connection.execute(sa.delete(bodies).where(old)).rowcount


def _parts(names: Sequence[str]) -> Iterable[Sequence[str]]:
    return (names[start : start + BATCH] for start in range(0, len(names), BATCH))


def _storable(text: str) -> str:
    """Without what no database takes, half a pair of UTF-16 and the character 0: JSON may hold both."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def _bounded(text: str) -> str:
    """A name that fits its column: a long or a strange one by its digest, so that two of them stay two."""
    if len(text) <= _KEY_LENGTH and text == _storable(text):
        return text
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _cipher(key: Secret | None) -> Fernet | None:
    """AES-128-CBC with HMAC-SHA-256 (Fernet) by a key of any length: its SHA-256 is used."""
    if key is None:
        return None
    digest = hashlib.sha256(key.reveal().encode("utf-8", "surrogatepass")).digest()
    return Fernet(base64.urlsafe_b64encode(digest))


def _packed(delivery: Delivery) -> bytes:
    """Method, URL and headers as one line of JSON, then the raw body."""
    head = {"method": delivery.method, "url": delivery.url, "headers": delivery.headers}
    return json.dumps(head).encode() + b"\n" + delivery.body


def _unpack(raw: bytes) -> Delivery:
    """The opposite of `_packed`. Raises `ValueError`."""
    line, _, body = raw.partition(b"\n")
    head = json.loads(line)
    headers = tuple((name, value) for name, value in head["headers"])
    return Delivery(method=head["method"], url=head["url"], headers=headers, body=body)
