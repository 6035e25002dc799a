"""The store on SQLite: behaviour, migrations, crashes, a database that is busy or broken."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import interlock.migrations
from interlock import tables
from interlock.errors import StoreError, UsageError
from interlock.records import ProbeKind
from interlock.store import HEAD, Store
from interlock.writing import Recorded
from tests.interlock.store_behaviour import StoreBehaviour, count
from tests.records import an_outcome


@pytest.fixture
def again(tmp_path: Path) -> Iterator[Callable[[], Store]]:
    opened: list[Store] = []

    def open_it() -> Store:
        opened.append(Store("sqlite:///interlock.db", folder=tmp_path))
        return opened[-1]

    yield open_it
    for store in opened:
        store.close()


@pytest.fixture
def store(again: Callable[[], Store]) -> Store:
    return again()


class TestSqlite(StoreBehaviour):
    """Everything that every store does."""


def test_the_newest_migration_is_the_one_the_store_asks_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(interlock.migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_the_migrations_make_the_tables_that_the_code_uses(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, tables.metadata) == []


def test_it_reads_and_writes_at_the_same_time(store: Store) -> None:
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_kill_9_loses_at_most_the_batch_in_flight_and_corrupts_nothing(tmp_path: Path) -> None:
    """A process writes and says what it has flushed; killed in the middle, all that it said is there."""
    script = (
        "import sys; from pathlib import Path\n"
        "from interlock.store import Store; from interlock.writing import Recorded\n"
        "from tests.records import an_outcome\n"
        "store = Store('sqlite:///interlock.db', folder=Path(sys.argv[1]))\n"
        "for number in range(1_000_000):\n"
        "    store.put(Recorded(an_outcome(slot=number)))\n"
        "    if number % 100 == 99:\n"
        "        store.flush(); print(number + 1, flush=True)\n"
    )
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        said = [int(child.stdout.readline()) for _ in range(4)]
        child.kill()
        child.wait(30)
        child.stdout.close()
        with sqlite3.connect(tmp_path / "interlock.db") as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            (found,) = connection.execute("SELECT count(*) FROM outcomes").fetchone()
            (seen,) = connection.execute("SELECT seen FROM statuses").fetchone()
        connection.close()
        assert found >= said[-1]
        assert seen == f'{{"operational": {found}}}', "sums and rows are of one transaction"
    with Store("sqlite:///interlock.db", folder=tmp_path) as store:
        assert store.statuses("payments")


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "interlock.db").write_text("this is not a database, and never was one at all" * 100)
    with pytest.raises(StoreError, match=r"interlock\.db cannot be opened: file is not a database"):
        Store("sqlite:///interlock.db", folder=tmp_path)


def test_a_database_from_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    Store("sqlite:///interlock.db", folder=tmp_path).close()
    with sqlite3.connect(tmp_path / "interlock.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match="newer than this version"):
        Store("sqlite:///interlock.db", folder=tmp_path)


@pytest.mark.parametrize(
    ("url", "words"), [("nonsense", "not a database URL"), ("mysql://x/y", "use sqlite or postgresql")]
)
def test_another_database_is_refused(url: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Store(url)


def test_a_database_that_stays_locked_loses_the_batch_and_says_so(tmp_path: Path) -> None:
    naps: list[float] = []
    store = Store("sqlite:///interlock.db", folder=tmp_path, sleep=naps.append)
    sa.event.listen(store.engine, "connect", lambda c, _: c.execute("PRAGMA busy_timeout = 1"))
    store.engine.dispose()
    holder = sqlite3.connect(tmp_path / "interlock.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    store.put(Recorded(an_outcome()))
    with pytest.raises(StoreError, match="database is locked"):
        store.flush()
    assert store.lost == 1
    assert naps == sorted(naps)
    holder.execute("COMMIT")
    holder.close()
    store.close()


def test_one_wrong_batch_does_not_end_the_writer(store: Store) -> None:
    store.put(Recorded(an_outcome(detail=None)))
    store.put(Recorded(an_outcome(probe=ProbeKind.TLS)))
    with pytest.raises(StoreError):
        store.flush()
    store.put(Recorded(an_outcome(probe=ProbeKind.HEADROOM)))
    with pytest.raises(StoreError, match="does not take"):
        store.flush()
    assert count(store, tables.outcomes) == 1
