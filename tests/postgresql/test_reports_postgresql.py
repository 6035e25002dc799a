"""The pages, the API and the metrics say the same from PostgreSQL as from SQLite."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from interlock.store import Store
from reports.face import Face
from tests.postgres import cluster
from tests.reports import seed
from tests.reports.conftest import Client

pytestmark = pytest.mark.postgres
PATHS = [
    "/",
    "/?state=degraded",
    "/integrations/payments",
    "/integrations/messages",
    "/metrics",
    "/healthz",
    "/api/v1/integrations",
    "/api/v1/integrations/code",
    "/api/v1/integrations/code/outcomes?limit=20",
    "/api/v1/integrations/code/transitions",
    "/api/v1/integrations/code/headrooms",
]


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Face, Face]]:
    """The same eight stories, in both databases."""
    with (
        cluster() as url,
        Store(url) as postgresql,
        seed.open_store(tmp_path_factory.mktemp("sqlite")) as sqlite,
    ):
        found = []
        for store in (sqlite, postgresql):
            seed.fill(store)
            found.append(Face(store=store, integrations=seed.listing(), clock=lambda: seed.NOW))
        yield found[0], found[1]


@pytest.mark.parametrize("path", PATHS)
def test_both_say_the_same(path: str, faces: tuple[Face, Face]) -> None:
    sqlite, postgresql = (Client(face).get(path) for face in faces)
    assert postgresql.status_code == sqlite.status_code
    assert postgresql.text == sqlite.text
    assert len(sqlite.text) > 50


def test_a_page_reads_while_another_process_writes(faces: tuple[Face, Face]) -> None:
    _, face = faces
    with face.store.engine.begin() as connection:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7230115204)")
        assert Client(dataclasses.replace(face)).get("/").status_code == 200
