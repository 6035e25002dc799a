"""A filled store, made once, and clients that read from it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from interlock.store import Store
from reports.face import Face
from reports.routes import routes
from tests.reports import seed


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The eight stories. Tests only read it."""
    with seed.open_store(tmp_path_factory.mktemp("filled")) as store:
        seed.fill(store)
        yield store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store of the test's own."""
    with seed.open_store(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="session")
def face(filled: Store) -> Face:
    return Face(store=filled, integrations=seed.listing(), clock=lambda: seed.NOW)


class Client:
    """Asks the app in this process, as a browser or a scraper would."""

    def __init__(self, face: Face) -> None:
        self._app = Starlette(routes=routes(face))

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return self.request("GET", path, headers)

    def request(self, method: str, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return asyncio.run(self._request(method, path, dict(headers or {})))

    async def _request(self, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, path, headers=headers)


@pytest.fixture
def client(face: Face) -> Client:
    return Client(face)


@pytest.fixture
def client_with(face: Face) -> Callable[..., Client]:
    """A client of the filled face, with what is changed."""

    def make(**changes: Any) -> Client:
        return Client(dataclasses.replace(face, **changes))

    return make
