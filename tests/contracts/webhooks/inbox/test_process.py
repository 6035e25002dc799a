"""The inbox as a process: kill -9 in the middle loses nothing that was acknowledged, and changes no id."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from contracts.webhooks.records import Delivery, Keys
from contracts.webhooks.signatures import sign
from interlock.store import Store
from tests.contracts.webhooks.inbox.household import SECRET
from tests.loopback import server

ROOT = Path(__file__).parents[4]
ACKNOWLEDGED = 150


@contextlib.contextmanager
def listening(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and the address of its hooks."""
    child = subprocess.Popen(
        [sys.executable, "-c", "from interlock.cli import main; main()", "webhooks", "listen", "--port", "0", *words],
        cwd=folder, env={**os.environ, "WH": SECRET.reveal(), "PYTHONPATH": str(ROOT)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert child.stdout is not None
        assert child.stderr is not None
        url = child.stdout.readline().strip()
        assert url.startswith("http://"), child.stderr.read()
        yield child, url
    finally:
        child.kill()
        child.communicate(timeout=20)


async def post(client: httpx.AsyncClient, url: str, number: int) -> bool:
    """Whether it was acknowledged."""
    draft = Delivery(url=url, body=b'{"id":"evt_%d","type":"invoice.paid"}' % number)
    sent = sign("stripe", draft, Keys(secrets=(SECRET,)), at=time.time())
    try:
        answer = await client.post(f"{url}pay", headers=list(sent.headers), content=sent.body)
    except httpx.HTTPError:
        return False
    return answer.status_code == 200


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "interlock.toml").write_text(
        '[integrations.pay]\nprovider = "stripe"\nwebhooks.secrets = ["env:WH"]\n'
    )
    return tmp_path


async def test_kill_9_loses_nothing_acknowledged_and_nothing_is_sent_under_a_new_id(folder: Path) -> None:
    acknowledged: set[int] = set()
    got: dict[str, set[str]] = {}

    async def target(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n") if b": " in line)
        body = await reader.readexactly(int(fields[b"content-length"]))
        got.setdefault(body.decode(), set()).add(fields[b"interlock-delivery"].decode())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    async with server(target) as port, httpx.AsyncClient(timeout=10) as client:
        forward = ("--forward", f"http://127.0.0.1:{port}/")
        with listening(folder, *forward) as (child, url):
            tasks = {
                asyncio.create_task(post(client, url, number)): number for number in range(2 * ACKNOWLEDGED)
            }
            for done in asyncio.as_completed(list(tasks)):
                await done
                acknowledged |= {number for task, number in tasks.items() if task.done() and task.result()}
                if len(acknowledged) >= ACKNOWLEDGED:
                    child.send_signal(signal.SIGKILL)
                    break
            await asyncio.gather(*tasks)
            acknowledged |= {number for task, number in tasks.items() if task.result()}
        assert len(acknowledged) >= ACKNOWLEDGED
        with Store(f"sqlite:///{folder}/interlock.db") as store, store.reading() as connection:
            kept = {row[0] for row in connection.exec_driver_sql("SELECT event_id FROM deliveries")}
        assert {f"evt_{number}" for number in acknowledged} <= kept
        with Store(f"sqlite:///{folder}/interlock.db") as store, store.engine.begin() as connection:
            # what the killed process had leased is due now, and not in two minutes
            connection.exec_driver_sql("UPDATE deliveries SET next_attempt_at = 0 WHERE state = 'queued'")
        with listening(folder, *forward) as (child, url):
            async with asyncio.timeout(30):
                while len(got) < len(kept):  # noqa: ASYNC110 - the other process tells nobody
                    await asyncio.sleep(0.02)
            child.send_signal(signal.SIGTERM)
            assert child.wait(20) == 0
    assert all(len(ids) == 1 for ids in got.values())


def test_a_wrong_start_is_said_in_one_line(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", "from interlock.cli import main; main()", "webhooks", "listen"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert told.returncode == 2
    assert told.stderr.startswith("error: there is no interlock.toml here or above\nhint: ")
