"""Headless Chromium, and the app on loopback with a clock and a store that tests can change."""

from __future__ import annotations

import datetime as dt
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvicorn
from starlette.applications import Starlette

from interlock.store import Store
from reports.face import Face
from reports.routes import routes
from tests.reports import seed

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--force-prefers-reduced-motion",
)  # fmt: skip


@dataclass
class Site:
    """The running app. `now` is what its clock says."""

    url: str
    store: Store
    now: dt.datetime = field(default=seed.NOW)


@contextmanager
def running(store: Store) -> Iterator[Site]:
    """The app behind a real server."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        site = Site(f"http://127.0.0.1:{listening.getsockname()[1]}", store)
        face = Face(store=store, integrations=seed.listing(), clock=lambda: site.now)
        server = uvicorn.Server(
            uvicorn.Config(Starlette(routes=routes(face)), log_level="error", lifespan="off")
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield site
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="session")
def still(filled: Store) -> Iterator[Site]:
    """The eight stories, to be looked at only."""
    with running(filled) as site:
        yield site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """The eight stories, to be changed."""
    with seed.open_store(tmp_path) as store:
        seed.fill(store)
        with running(store) as site:
            yield site


def _found(*names: str) -> str:
    path = next((path for name in names if (path := shutil.which(name))), None)
    assert path, f"{names[0]} is missing: `make check` installs it"
    return path


@pytest.fixture(scope="session")
def chrome() -> Iterator[Chrome]:
    """One browser for all tests."""
    from selenium import webdriver  # noqa: PLC0415 - only where browser tests run

    options = webdriver.ChromeOptions()
    options.binary_location = _found("chromium", "chromium-browser", "google-chrome")
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(_found("chromedriver")))
    driver.set_page_load_timeout(30)
    yield driver
    driver.quit()
