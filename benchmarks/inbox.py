"""The inbox under load: 500 deliveries a second for a minute, each stored once, while its forward target hangs.

Beside it a bare server on the same stack (Starlette and uvicorn) that answers 200 and does nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from benchmarks.shared import DifferentAnswersError, Figure
from contracts.webhooks.records import Delivery, Keys
from contracts.webhooks.signatures import sign
from interlock.secrets import Secret

ROOT = Path(__file__).parent.parent
SECRET = Secret("whsec_madeup4711madeup", name="env:WH")
CONNECTIONS, SECONDS, RATE = 50, 60.0, 500.0
SETTINGS = """\
[integrations.pay]
provider = "stripe"
webhooks.secrets = ["env:WH"]
webhooks.forward = "{target}"
"""
BARE = """\
import socket, sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
async def take(request):
    await request.body()
    return Response()
sock = socket.create_server(("127.0.0.1", 0), backlog=1024)
print(f"http://127.0.0.1:{sock.getsockname()[1]}/hooks/", flush=True)
app = Starlette(routes=[Route("/hooks/pay", take, methods=["POST"])])
config = uvicorn.Config(app, log_config=None, access_log=False)
uvicorn.Server(config).run(sockets=[sock])
"""


@contextlib.contextmanager
def process(words: list[str], folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server as a process, and its port."""
    child = subprocess.Popen(
        words, cwd=folder, env={**os.environ, "WH": SECRET.reveal(), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    try:
        yield child, int(child.stdout.readline().rpartition(":")[2].partition("/")[0])
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(30)


def requests(count: int) -> list[bytes]:
    """As many signed deliveries, ready to be written."""
    keys, at, found = Keys(secrets=(SECRET,)), time.time(), []
    for number in range(count):
        body = b'{"id":"evt_%d","type":"invoice.paid","data":{"object":{"amount":%d}}}' % (number, number)
        sent = sign("stripe", Delivery(body=body), keys, at=at)
        lines = [b"POST /hooks/pay HTTP/1.1", b"Host: 127.0.0.1", b"Content-Type: application/json"]
        lines += [f"{name}: {value}".encode() for name, value in sent.headers]
        lines += [b"Content-Length: %d" % len(body), b"", body]
        found.append(b"\r\n".join(lines))
    return found


async def load(port: int, sent: list[bytes], rate: float) -> tuple[list[float], int]:
    """Seconds of each acknowledgement, and how many requests got no 2xx."""
    waiting: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()
    took: list[float] = []
    failed = 0

    async def client() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (job := await waiting.get()) is not None:
            due, raw = job
            writer.write(raw)
            head = await reader.readuntil(b"\r\n\r\n")
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n") if b": " in line)
            await reader.readexactly(int(fields.get(b"content-length", b"0")))
            took.append(time.perf_counter() - due)
            failed += not head.startswith(b"HTTP/1.1 2")
        writer.close()

    clients = [asyncio.create_task(client()) for _ in range(CONNECTIONS)]
    begin = time.perf_counter()
    for number, raw in enumerate(sent):
        due = begin + number / rate
        if (pause := due - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        waiting.put_nowait((due, raw))
    for _ in clients:
        waiting.put_nowait(None)
    await asyncio.gather(*clients)
    return took, failed


@contextlib.asynccontextmanager
async def hanging() -> AsyncIterator[int]:
    """A target that takes every connection and never answers."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while await reader.read(65536):
                pass
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


def cpu_of_children() -> float:
    """User and system seconds of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def told(name: str, took: list[float], failed: int, cpu: float) -> float:
    """One line of figures; returns the latency in seconds below which 99 of 100 lie."""
    took = sorted(took)
    p50, p99 = (took[int(len(took) * q)] for q in (0.5, 0.99))
    figures = f"p50 {p50 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms, {cpu:.1f} s CPU"
    print(f"  {name:<6} {len(took):>6} answers, {failed} not 2xx, {figures}")
    return p99


async def main(seconds: float, rate: float) -> list[Figure]:
    """Both servers, one after the other, with the same load."""
    sent = requests(int(seconds * rate))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before = cpu_of_children()
        with process([sys.executable, "-c", BARE], folder) as (_, port):
            took, failed = await load(port, sent, rate)
        bare = cpu_of_children() - before
        told("bare", took, failed, bare)
        async with hanging() as target:
            (folder / "interlock.toml").write_text(SETTINGS.format(target=f"http://127.0.0.1:{target}/"))
            words = [
                sys.executable,
                "-c",
                "from interlock.cli import main; main()",
                "webhooks",
                "listen",
                "--port",
                "0",
            ]
            before = cpu_of_children()
            with process(words, folder) as (_, port):
                took, failed = await load(port, sent, rate)
            own = cpu_of_children() - before
        p99 = told("inbox", took, failed, own)
        with contextlib.closing(sqlite3.connect(folder / "interlock.db")) as database:
            (kept,) = database.execute("SELECT count(DISTINCT event_id) FROM deliveries").fetchone()
            (rows,) = database.execute("SELECT count(*) FROM deliveries").fetchone()
        print(f"  stored: {rows} deliveries, {kept} events of {len(sent)}")
        if not rows == kept == len(sent) - failed:
            raise DifferentAnswersError("the inbox does not hold what it acknowledged, once")
    return [
        Figure("inbox: acknowledgement at 500 a second, p99", p99 * 1000, " ms", target=100.0),
        Figure("inbox: CPU beside a server that keeps nothing", own / bare),
    ]


def run() -> list[Figure]:
    """A minute for each of the two."""
    return asyncio.run(main(SECONDS, RATE))
