"""The store: inserts beside stdlib sqlite3, and pages over 24 h of 1,000 probes beside GROUP BY over raw rows."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import statistics
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.made import KIND, START, listed, name_of, outcome
from benchmarks.shared import Figure, ratio, rounds, same, spent, worker
from interlock import histogram, tables
from interlock.records import Outcome, State
from interlock.rows import outcome_row
from interlock.store import Store
from interlock.writing import Recorded, Statement
from reports.history import History

INSERT_ROUNDS = 7
PROBES, EVERY_SECONDS, HOURS = 1000, 30, 24
INSERTED, BATCH = 20_000, 1000
PAGE_ROUNDS = 5
COLUMNS = [column.name for column in tables.outcomes.columns if column.name != "seq"]
NOW = START + dt.timedelta(hours=HOURS) - dt.timedelta(seconds=1)


def run() -> list[Figure]:
    """Writing first, then reading."""
    return [*writing(), *reading()]


# -- writing -------------------------------------------------------------------------------------------


def writing() -> list[Figure]:
    """The same rows by executemany, by Core, and through the whole writer with its sums."""
    same(
        "rows of each way of writing",
        *_distinct([worker(written, name=name, count=BATCH) for name in WRITERS]),
    )

    def cost(name: str) -> float:
        return INSERTED / float(worker(insert, name=name, count=INSERTED)) / 1000

    title = f"inserts, {BATCH} in a transaction, with indexes: thousand rows for a second of CPU"
    contenders = {name: partial(cost, name) for name in WRITERS}
    seen = rounds(title, contenders, count=INSERT_ROUNDS, unit="k", floor="sqlite3")
    return [
        Figure(
            "Core insert / stdlib executemany, rows for CPU",
            ratio(seen, "core", "sqlite3"),
            target=0.8,
            at_least=True,
        ),
        Figure("the whole writer / stdlib executemany, rows for CPU", ratio(seen, "writer", "sqlite3")),
        Figure("the whole writer, rows for a second of CPU", statistics.median(seen["writer"]), unit=" k"),
    ]


def _distinct(found: Sequence[Any]) -> tuple[Any, Any]:
    """The first, and one that differs from it if there is any."""
    return found[0], next((each for each in found if each != found[0]), found[0])


def made(count: int) -> list[Outcome]:
    """As many outcomes, as a scheduler hands them over: all probes in turn, one slot after the other."""
    return [
        outcome(n % PROBES, at, slot=int(at.timestamp()), seconds=0.05 + n % 97 / 1000)
        for n in range(count)
        for at in [START + dt.timedelta(seconds=n // PROBES * EVERY_SECONDS)]
    ]


def insert(*, name: str, count: int) -> float:
    """CPU seconds for so many inserts into an empty store."""
    with tempfile.TemporaryDirectory() as folder, _store(folder) as store:
        work = WRITERS[name](store, made(count))
        return spent(work).cpu_seconds


def written(*, name: str, count: int) -> list[list[Any]]:
    """What stands in the store afterwards."""
    with tempfile.TemporaryDirectory() as folder, _store(folder) as store:
        WRITERS[name](store, made(count))()
        with sqlite3.connect(Path(folder) / "bench.db") as connection:
            rows = connection.execute(f"SELECT {_names()} FROM outcomes ORDER BY seq").fetchall()
        return [list(row) for row in rows]


def _store(folder: str) -> Store:
    return Store(f"sqlite:///{Path(folder) / 'bench.db'}")


def _names() -> str:
    return ", ".join(f'"{name}"' for name in COLUMNS)


def _sqlite3(store: Store, outcomes: Sequence[Outcome]) -> Callable[[], None]:
    """The floor: tuples of what SQLite takes as it is, ready before the clock runs."""
    rows = [tuple(_plain(row[name]) for name in COLUMNS) for row in map(_row, outcomes)]
    connection = sqlite3.connect(str(store.engine.url.database), isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
    statement = f"INSERT INTO outcomes ({_names()}) VALUES ({', '.join('?' * len(COLUMNS))})"

    def work() -> None:
        for start in range(0, len(rows), BATCH):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(statement, rows[start : start + BATCH])
            connection.execute("COMMIT")
        connection.close()

    return work


def _row(each: Outcome) -> dict[str, Any]:
    """A row of `outcomes` by its definition, made apart from the store's own code."""
    row = {name: getattr(each, name) for name in COLUMNS if name != "more"}
    return row | {"more": json.dumps({"phases": dict(each.phases)})}


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return tables.microseconds(value)
    return int(value) if isinstance(value, bool) else str(value) if isinstance(value, str) else value


def _core(store: Store, outcomes: Sequence[Outcome]) -> Callable[[], None]:
    """A Core insert of ready rows, compiled once, as the writer makes it."""
    rows = [outcome_row(each) for each in outcomes]
    statement = Statement(sa.insert(tables.outcomes), store.engine)

    def work() -> None:
        for start in range(0, len(rows), BATCH):
            with store.engine.begin() as connection:
                statement(connection, rows[start : start + BATCH])

    return work


def _writer(store: Store, outcomes: Sequence[Outcome]) -> Callable[[], None]:
    """All that the store does: records to rows, slots looked up, statuses and hours folded."""
    recorded = [Recorded(each) for each in outcomes]

    def work() -> None:
        for start in range(0, len(recorded), BATCH):
            store.write(recorded[start : start + BATCH])

    return work


WRITERS = {"sqlite3": _sqlite3, "core": _core, "writer": _writer}


# -- reading -------------------------------------------------------------------------------------------


def reading() -> list[Figure]:
    """The front page and one integration's page, from hourly sums; and GROUP BY over all raw rows."""
    with tempfile.TemporaryDirectory() as folder:
        rows = worker(day, folder=folder, probes=PROBES, hours=HOURS)
        same_uptime(folder, PROBES)

        def cost(name: str) -> float:
            return float(worker(page, name=name, folder=folder, probes=PROBES)) * 1000

        title = (
            f"{HOURS} h of {PROBES} probes, {rows / 1e6:.2f} M outcomes: CPU of the first read of a process"
        )
        contenders = {name: partial(cost, name) for name in READERS}
        seen = rounds(title, contenders, count=PAGE_ROUNDS, unit="ms", floor="group_by")
    front, own = (statistics.median(seen[name]) / 1000 for name in ("front_page", "one_page"))
    return [
        Figure("24 h of 1,000 probes: front page, first read, CPU", front, unit=" s", target=0.5),
        Figure("24 h of 1,000 probes: one integration's page, CPU", own, unit=" s", target=0.5),
        Figure("front page / GROUP BY over the raw rows, CPU", ratio(seen, "front_page", "group_by")),
    ]


def day(*, folder: str, probes: int, hours: int) -> int:
    """Fill a store with every outcome of a day and the sums of them; returns the number of outcomes.

    Each hour follows one of some patterns, so the sums come from the same numbers as the rows.
    """
    with _store(folder) as store:
        store.write([Recorded(outcome(number, NOW)) for number in range(probes)])
    with sqlite3.connect(Path(folder) / "bench.db") as connection:
        connection.execute("DELETE FROM hours")
        connection.execute("DELETE FROM outcomes")
        patterns = [_pattern(number) for number in range(PATTERNS)]
        connection.execute("CREATE TEMP TABLE pattern (number, step, state, seconds)")
        steps = [(n, step, *each) for n, steps in enumerate(patterns) for step, each in enumerate(steps)]
        connection.executemany("INSERT INTO pattern VALUES (?, ?, ?, ?)", steps)
        sums = [_sums(each) for each in patterns]
        starts = [int(START.timestamp()) + 3600 * hour for hour in range(hours)]
        connection.executemany(
            "INSERT INTO hours (integration, probe, region, hour, seen, in_maintenance, duration_sum, durations)"
            " VALUES (?, ?, 'local', ?, ?, 0, ?, ?)",
            [
                (name_of(number), KIND.value, start, *sums[(number + start // 3600) % PATTERNS])
                for start in starts
                for number in range(probes)
            ],
        )
        return _raw(connection)


PATTERNS = 64
_INDEXES = ("outcomes_by_time",)


def _pattern(number: int) -> list[tuple[str, float]]:
    """State and seconds of each outcome of an hour."""
    bad = {n for n in range(120) if (n * 7 + number) % 97 < number % 3}
    return [
        (
            (State.FAILING if n in bad else State.OPERATIONAL).value,
            0.02 * (1 + (n * 31 + number * 17) % 89 / 10),
        )
        for n in range(3600 // EVERY_SECONDS)
    ]


def _sums(steps: Sequence[tuple[str, float]]) -> tuple[str, float, bytes]:
    counts = histogram.empty()
    seen: dict[str, int] = {}
    for state, seconds in steps:
        histogram.add(counts, seconds)
        seen[state] = seen.get(state, 0) + 1
    return json.dumps(seen), sum(seconds for _, seconds in steps), counts.tobytes()


def _raw(connection: sqlite3.Connection) -> int:
    """Every outcome behind the rows of `hours`, written by the database itself; its index comes afterwards."""
    index = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'outcomes_by_time'").fetchone()[0]
    connection.execute("DROP INDEX outcomes_by_time")
    at = f"(hour + step * {EVERY_SECONDS})"
    count = connection.execute(
        "INSERT INTO outcomes (id, integration, probe, region, slot, provider, environment, started_at,"
        " duration_seconds, state, reason, detail, status_code, in_maintenance)"
        f" SELECT integration || {at}, integration, probe, region, {at}, 'generic', 'live', {at} * 1000000,"
        " pattern.seconds, pattern.state, 'ok', '200, as Generic HTTP API answers when it is well', 200, 0"
        " FROM hours JOIN pattern"
        f" ON pattern.number = (CAST(substr(integration, 9) AS INTEGER) + hour / 3600) % {PATTERNS}"
    ).rowcount
    connection.execute(index)
    connection.commit()
    connection.execute("ANALYZE")
    return count


GROUP_BY = (
    "SELECT integration, probe, region, started_at / 3600000000 * 3600, state, count(*), avg(duration_seconds)"
    " FROM outcomes WHERE started_at >= ? GROUP BY 1, 2, 3, 4, 5"
)


def same_uptime(folder: str, probes: int) -> None:
    """Uptime by the page and by GROUP BY is the same for every integration."""
    sums: dict[str, list[int]] = {}
    for name, _, _, _, state, count, _ in _grouped(folder):
        up, judged = sums.setdefault(name, [0, 0])
        sums[name] = [up + count * (state == "operational"), judged + count]
    with _store(folder) as store:
        views = History(store, listed(probes)).overview(NOW).integrations
    shown = {view.listed.name: view.uptime.day for view in views}
    same("uptime by page and by GROUP BY", shown, {name: up / judged for name, (up, judged) in sums.items()})


def _grouped(folder: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(Path(folder) / "bench.db") as connection:
        return connection.execute(GROUP_BY, (tables.microseconds(START),)).fetchall()


def page(*, name: str, folder: str, probes: int) -> float:
    """CPU seconds of one read."""
    if name == "group_by":
        return spent(lambda: _grouped(folder)).cpu_seconds
    with _store(folder) as store:
        history = History(store, listed(probes))
        return spent(lambda: READERS[name](history)).cpu_seconds


READERS: dict[str, Callable[[History], object]] = {
    "group_by": lambda _: None,
    "front_page": lambda history: history.overview(NOW),
    "one_page": lambda history: history.integration(name_of(7), NOW),
}
