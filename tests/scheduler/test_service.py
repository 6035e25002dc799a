"""`interlock run` and `interlock demo` as processes: they answer, they end on SIGTERM with 0, they resume."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO

import pytest

SETTINGS = """
[suite]
store = "sqlite:///interlock.db"
{suite}

[integrations.billing]
provider = "generic"
environment = "stand_in"
base_url = "http://127.0.0.1:{port}"
every = "1s"
timeout = "900ms"
slow_after = "800ms"
service = {{ health = {{ path = "/", status = [200] }} }}
"""


class Lines:
    """What a child says on standard error, read as it comes."""

    def __init__(self, stream: IO[str]) -> None:
        self.all: list[str] = []
        self._stream = stream
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._more = threading.Condition()
        self._thread.start()

    def _read(self) -> None:
        for line in self._stream:
            with self._more:
                self.all.append(line)
                self._more.notify_all()

    def wait_for(self, pattern: str, *, within_seconds: float = 30) -> re.Match[str]:
        """The first line that matches. Fails if none comes."""
        deadline = time.monotonic() + within_seconds
        with self._more:
            while True:
                for line in self.all:
                    if match := re.search(pattern, line):
                        return match
                left = deadline - time.monotonic()
                assert left > 0, f"no line matches {pattern!r}:\n{''.join(self.all)}"
                self._more.wait(left)


@contextlib.contextmanager
def interlock(
    *words: str, cwd: Path, environ: dict[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[str], Lines]]:
    child = subprocess.Popen(
        [sys.executable, "-c", "from interlock.cli import main; main()", *words],
        cwd=cwd,
        env=os.environ | (environ or {}),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert child.stderr is not None
    lines = Lines(child.stderr)
    try:
        yield child, lines
    finally:
        if child.poll() is None:
            child.kill()
        child.wait(30)
        lines._thread.join(10)
        child.stderr.close()


@pytest.fixture
def provider() -> Iterator[int]:
    """A server in a thread that says 200 to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join(10)


def get(url: str, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, exc.read().decode()


def post(url: str, body: bytes, token: str) -> int:
    request = urllib.request.Request(
        url, data=body, method="POST", headers={"Authorization": f"Bearer {token}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code


def outcomes(folder: Path) -> int:
    with contextlib.closing(sqlite3.connect(folder / "interlock.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM outcomes").fetchone()[0])


def wait_for_outcomes(folder: Path, wanted: int) -> None:
    deadline = time.monotonic() + 30
    while not (folder / "interlock.db").exists() or outcomes(folder) < wanted:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_serves_and_ends_on_a_signal_with_0(
    number: signal.Signals, provider: int, tmp_path: Path
) -> None:
    (tmp_path / "interlock.toml").write_text(SETTINGS.format(port=provider, suite=""))
    with interlock("run", "--port", "0", cwd=tmp_path) as (child, lines):
        url = lines.wait_for(r"interlock is running: (\S+)")[1]
        wait_for_outcomes(tmp_path, 2)
        assert get(f"{url}healthz")[0] in {200, 503}
        assert 'interlock_probe_state{integration="billing"' in get(f"{url}metrics")[1]
        assert "billing" in get(url)[1]
        assert json.loads(get(f"{url}api/v1/integrations")[1])["integrations"][0]["name"] == "billing"
        child.send_signal(number)
        assert child.wait(30) == 0
    assert not [line for line in lines.all if "Traceback" in line or "Error" in line]


def test_kill_9_and_a_new_start_go_on_where_it_was(provider: int, tmp_path: Path) -> None:
    (tmp_path / "interlock.toml").write_text(SETTINGS.format(port=provider, suite=""))
    with interlock("run", "--port", "0", cwd=tmp_path) as (child, lines):
        lines.wait_for("is running")
        wait_for_outcomes(tmp_path, 3)
        child.kill()
    before = outcomes(tmp_path)
    with interlock("run", "--port", "0", cwd=tmp_path) as (child, lines):
        lines.wait_for("is running")
        wait_for_outcomes(tmp_path, before + 2)
        child.terminate()
        assert child.wait(30) == 0
    with contextlib.closing(sqlite3.connect(tmp_path / "interlock.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM transitions").fetchone() == (1,)


def test_the_pages_can_ask_for_a_token(provider: int, tmp_path: Path) -> None:
    suite = '[suite.web]\ntoken = "env:PAGE_TOKEN"'
    (tmp_path / "interlock.toml").write_text(SETTINGS.format(port=provider, suite=suite))
    environ = {"PAGE_TOKEN": "made-up-page-token"}
    with interlock("run", "--port", "0", cwd=tmp_path, environ=environ) as (_, lines):
        url = lines.wait_for(r"interlock is running: (\S+)")[1]
        assert get(url)[0] == get(f"{url}metrics")[0] == get(f"{url}api/v1/integrations")[0] == 401
        assert get(url, Authorization="Bearer made-up-page-token")[0] == 200
        assert get(url, Authorization="Bearer wrong")[0] == 401


def test_a_port_that_is_taken_is_said_and_exits_2(provider: int, tmp_path: Path) -> None:
    (tmp_path / "interlock.toml").write_text(SETTINGS.format(port=provider, suite=""))
    with interlock("run", "--port", str(provider), cwd=tmp_path) as (child, lines):
        assert child.wait(30) == 2
        lines.wait_for(f"cannot listen on 127.0.0.1 port {provider}: Address already in use")


def test_without_settings_run_says_how_to_get_them(tmp_path: Path) -> None:
    with interlock("run", cwd=tmp_path) as (child, lines):
        assert child.wait(30) == 2
        lines.wait_for("there is no interlock.toml here or above")
        lines.wait_for("interlock init.*interlock demo")


def test_the_demo_plays_and_ends_by_itself(tmp_path: Path) -> None:
    with interlock("demo", "--port", "0", "--for", "17", cwd=tmp_path) as (child, lines):
        url = lines.wait_for(r"the health page is at (\S+)")[1]
        lines.wait_for("messages credential: throttled")
        lines.wait_for("mail credential: auth_failed", within_seconds=40)
        page = get(url)[1]
        assert "payments" in page
        assert child.wait(60) == 0
        lines.wait_for("nothing was kept")
    assert list(tmp_path.iterdir()) == []
    assert not [line for line in lines.all if "Traceback" in line]


def test_a_job_reports_in_and_is_shown(provider: int, tmp_path: Path) -> None:
    beats = '[heartbeats.crm-sync]\nevery = "1h"\ntoken = "env:BEAT"\n'
    (tmp_path / "interlock.toml").write_text(SETTINGS.format(port=provider, suite="") + beats)
    with interlock("run", "--port", "0", cwd=tmp_path, environ={"BEAT": "made-up-beat"}) as (_, lines):
        url = lines.wait_for(r"interlock is running: (\S+)")[1]
        told = json.dumps({"event": "failure", "detail": "no rows came"}).encode()
        assert post(f"{url}heartbeats/crm-sync", told, "wrong") == 401
        assert post(f"{url}heartbeats/crm-sync", told, "made-up-beat") == 204
        deadline = time.monotonic() + 20
        while "no rows came" not in (page := get(f"{url}integrations/crm-sync")[1]):
            assert time.monotonic() < deadline, page
            time.sleep(0.1)
        assert get(f"{url}heartbeats/crm-sync")[0] in {404, 405}
