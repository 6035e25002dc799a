"""The inbox on a real PostgreSQL: the same behaviour by the same tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from interlock import tables
from interlock.store import Store
from tests.contracts.webhooks.inbox.behaviour import InboxBehaviour
from tests.postgres import cluster

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with cluster() as running:
        yield running


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        tables.metadata.drop_all(connection)
        connection.execute(sa.text("DROP TABLE IF EXISTS alembic_version"))
    engine.dispose()
    with Store(url) as opened:
        yield opened


class TestPostgresql(InboxBehaviour):
    """Everything that every inbox does."""
