"""What we serve ourselves, fuzzed: our own API keeps its document, and our stand-ins the contracts of our library."""

from __future__ import annotations

import asyncio
import copy
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette

from contracts.clients.stand_in import StandIn
from contracts.fuzz.engine import Fuzzed, Wish, fuzz, refused
from contracts.fuzz.target import own_headers
from contracts.shelf import Shelf
from reports.api import DOCUMENT
from reports.face import Face
from reports.routes import routes
from tests.contracts.clients.asking import integrate
from tests.contracts.fuzz import shops
from tests.reports import seed

ASKED = ("/{name}", "/transitions", "/headrooms")
NAMES = [story.name for story in seed.STORIES]


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Our API over a filled store, on loopback."""
    with seed.open_store(tmp_path) as store, socket.create_server(("127.0.0.1", 0)) as listening:
        seed.fill(store)
        face = Face(store=store, integrations=seed.listing(), clock=lambda: seed.NOW)
        app = Starlette(routes=routes(face))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


def test_our_own_api_keeps_its_document(url: str) -> None:
    document = copy.deepcopy(DOCUMENT)  # with the names that exist, so that most of what is asked is there
    document["components"]["parameters"]["name"]["schema"] = {"type": "string", "enum": [*NAMES, "nobody"]}
    # the rest is asked by schemathesis itself in the tests of the API
    document["paths"] = {path: item for path, item in document["paths"].items() if path.endswith(ASKED)}
    found = fuzz(shops.contract(document), Wish(url=url, seed=7, max_examples=3, steps=0))
    assert found.faults == ()
    assert found.stopped is None
    assert len(found.finished) == len(found.operations) == len(ASKED)
    assert all(200 in counts for counts in found.answered.values())


# A stand-in answers what the catalogue knows; for the rest it has a 404 of its own, whose body is nobody's.
SIGNED_IN = ("amplitude", "github", "hubspot", "segment", "sendgrid", "stripe")


@pytest.mark.parametrize("name", SIGNED_IN)
def test_a_stand_in_keeps_the_contract_of_the_library(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> Fuzzed:
        async with StandIn(name, requests_per_window=100_000) as stand_in:
            settings = stand_in.settings()
            own = integrate(settings, stand_in.environ, monkeypatch)
            headers = await asyncio.to_thread(own_headers, own, stand_in.url)
            wish = Wish(url=stand_in.url, seed=7, max_examples=1, steps=0, headers=headers)
            return await asyncio.to_thread(fuzz, Shelf(Path("nowhere")).load(name), wish)

    found = asyncio.run(run())
    assert [each for each in found.faults if not each.seen.startswith("404: ")] == []
    assert any(200 in counts for counts in found.answered.values())
    assert not all(refused(counts) for counts in found.answered.values())
    assert found.finished == {each.name for each in found.operations}
