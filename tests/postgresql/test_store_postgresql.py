"""The store on a real PostgreSQL: the same behaviour by the same tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from interlock import tables
from interlock.errors import StoreError
from interlock.store import Store
from tests.interlock.store_behaviour import StoreBehaviour
from tests.postgres import cluster

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with cluster() as running:
        yield running


@pytest.fixture
def again(url: str) -> Iterator[Callable[[], Store]]:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        tables.metadata.drop_all(connection)
        connection.execute(sa.text("DROP TABLE IF EXISTS alembic_version"))
    engine.dispose()
    opened: list[Store] = []

    def open_it() -> Store:
        opened.append(Store(url))
        return opened[-1]

    yield open_it
    for store in opened:
        store.close()


@pytest.fixture
def store(again: Callable[[], Store]) -> Store:
    return again()


class TestPostgresql(StoreBehaviour):
    """Everything that every store does."""


def test_a_server_that_is_away_is_named_without_its_password() -> None:
    with pytest.raises(StoreError, match="cannot be opened") as caught:
        Store("postgresql://interlock:made-up-password@127.0.0.1:1/postgres")
    assert "made-up-password" not in str(caught.value)
