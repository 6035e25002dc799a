"""What `interlock record` adds to a request on loopback: the same keep-alive client, straight and through it."""

from __future__ import annotations

import asyncio
import http.client
import statistics
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.shared import Figure, rounds, same, serving, worker

ROUNDS = 5
REQUESTS = 300
BODY = b'{"id": "ord_1", "lines": [' + b'{"sku": "A-1", "quantity": 2}, ' * 30 + b'{"sku": "B-2"}]}'


def run() -> list[Figure]:
    """Medians of single requests, in turn."""
    with tempfile.TemporaryDirectory() as folder, serving(origin) as port:
        path = str(Path(folder) / "a.yaml")
        with serving(recorder, path=path, upstream=port) as through:
            ports = {"straight": port, "recorded": through}
            same("the answer", *(worker(answer, port=each) for each in ports.values()))
            contenders = {name: partial(_median, each) for name, each in ports.items()}
            title = f"one request of {REQUESTS}, kept alive: median"
            seen = rounds(title, contenders, count=ROUNDS, unit="ms", floor="straight")
    added = [one - other for one, other in zip(seen["recorded"], seen["straight"], strict=True)]
    return [Figure("record adds to a loopback request, median", statistics.median(added), " ms", target=2.0)]


def _median(port: int) -> float:
    return float(worker(asked, port=port, count=REQUESTS)) * 1000


def asked(*, port: int, count: int) -> float:
    """The median of the seconds that a request takes."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    took: list[float] = []
    for number in range(count):
        began = time.perf_counter()
        _ask(connection, f"/v1/orders/{number}")
        took.append(time.perf_counter() - began)
    connection.close()
    return statistics.median(took)


def answer(*, port: int) -> Sequence[object]:
    """Status and body of one answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    status, body = _ask(connection, "/v1/orders")
    connection.close()
    return [status, body.decode()]


def _ask(connection: http.client.HTTPConnection, target: str) -> tuple[int, bytes]:
    connection.request("GET", target, headers={"Authorization": "Bearer made-up-0123456789-abcdefghij"})
    got = connection.getresponse()
    return got.status, got.read()


# -- in a process of its own ---------------------------------------------------------------------------


def origin() -> None:
    """Serve the same answer on kept connections; prints the port, then runs until ended."""
    asyncio.run(_origin())


async def _origin() -> None:
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
    )

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(head + BODY)
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def recorder(*, path: str, upstream: int) -> None:
    """Record everything that passes; prints the port, then runs until ended."""
    asyncio.run(_recorder(Path(path), upstream))


async def _recorder(path: Path, upstream: int) -> None:
    from cassettes.destinations import Destinations  # noqa: PLC0415 - not in the processes that only ask
    from cassettes.proxy import RecordingProxy  # noqa: PLC0415
    from cassettes.recorder import Recorder  # noqa: PLC0415
    from cassettes.redact import Redactor  # noqa: PLC0415
    from interlock.integration import resolve  # noqa: PLC0415
    from interlock.settings import IntegrationSettings, Network  # noqa: PLC0415
    from interlock.wire import Wire  # noqa: PLC0415

    settings = IntegrationSettings(provider="stripe", base_url=f"http://127.0.0.1:{upstream}")
    wanted = resolve("orders", settings, network=Network(), folder=Path())
    async with RecordingProxy(Destinations(wanted), Recorder(path, Redactor()), Wire()) as proxy:
        print(proxy.url.rpartition(":")[2], flush=True)
        await asyncio.Event().wait()
