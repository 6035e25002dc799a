"""Every fault shows on the wire what it promises, and the server survives what clients do."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import h11
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.clients import faults
from contracts.clients.faults import FAULTS, Reply, Request
from contracts.clients.server import MAX_REQUEST_BYTES, FaultServer

BODY = b'{"made": "up", "long": "enough to be cut in half"}'
GET = b"GET /a%20b?x=1&x=2 HTTP/1.1\r\nHost: stand-in\r\n\r\n"
SOON = 5.0


async def nothing(_: float) -> None:
    """A sleep that does not."""


@asynccontextmanager
async def serving(fault: str | None = None, reply: Reply | None = None) -> AsyncIterator[FaultServer]:
    async def answer(_: Request) -> Reply:
        good = Reply(status=200, headers=(("content-type", "application/json"),), body=BODY)
        return reply or Reply(status=200, headers=good.headers, body=BODY, fault=fault)

    async with asyncio.timeout(30), FaultServer(answer, sleep=nothing) as server:
        yield server


async def connect(server: FaultServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", server.port)


async def shown(fault: str, sent: bytes = GET) -> tuple[bytes, bool]:
    """All that a fault sends, and whether it ended with a reset."""
    async with serving(fault) as server:
        reader, writer = await connect(server)
        writer.write(sent)
        seen = b""
        try:
            while data := await asyncio.wait_for(reader.read(65536), SOON):
                seen += data
        except ConnectionResetError:
            return seen, True
        finally:
            writer.transport.abort()
        return seen, False


async def stalled(fault: str) -> bytes:
    """What a fault sends before it falls silent: the connection must stay open."""
    async with serving(fault) as server:
        reader, writer = await connect(server)
        writer.write(GET)
        seen = b""
        with contextlib.suppress(TimeoutError):
            while data := await asyncio.wait_for(reader.read(65536), 0.05):
                seen += data
        assert not reader.at_eof()
        writer.transport.abort()
        return seen


def claimed(seen: bytes) -> tuple[int, int]:
    """The length that the headers claim, and the length of what followed them."""
    start, _, body = seen.partition(b"\r\n\r\n")
    lines = dict(line.split(b": ", 1) for line in start.split(b"\r\n")[1:])
    return int(lines[b"content-length"]), len(body)


def test_every_fault_is_shown_in_this_file() -> None:
    """A new row of the table needs a test here."""
    text = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in FAULTS if f'"{name}"' not in text] == []


async def test_reset() -> None:
    assert await shown("reset") == (b"", True)


async def test_reset_in_headers() -> None:
    seen, was_reset = await shown("reset_in_headers")
    assert was_reset
    assert b"\r\n\r\n" not in seen


async def test_reset_in_body() -> None:
    assert (await shown("reset_in_body"))[1]


async def test_close() -> None:
    assert await shown("close") == (b"", False)


async def test_stall() -> None:
    assert await stalled("stall") == b""


async def test_stall_in_headers() -> None:
    seen = await stalled("stall_in_headers")
    assert seen.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\n\r\n" not in seen


async def test_stall_in_body() -> None:
    length, got = claimed(await stalled("stall_in_body"))
    assert 0 < got < length


async def test_truncate() -> None:
    seen, was_reset = await shown("truncate")
    length, got = claimed(seen)
    assert not was_reset
    assert got == len(BODY) // 2 < length


async def test_drip() -> None:
    seen, _ = await shown("drip")
    assert seen.endswith(BODY)


async def test_length_too_short() -> None:
    seen, _ = await shown("length_too_short")
    assert claimed(seen) == (len(BODY) // 2, len(BODY))


async def test_length_garbled() -> None:
    assert b"content-length: banana\r\n" in (await shown("length_garbled"))[0]


async def test_two_lengths() -> None:
    assert (await shown("two_lengths"))[0].count(b"content-length: ") == 2


async def test_garbage() -> None:
    assert not (await shown("garbage"))[0].startswith(b"HTTP/")


async def test_bad_chunks() -> None:
    assert b"transfer-encoding: chunked\r\n\r\nzz\r\n" in (await shown("bad_chunks"))[0]


async def test_an_answer_is_not_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """For sockets that do not call themselves TCP asyncio leaves Nagle's delay on: 40 ms for an answer over TLS."""
    seen: list[socket.socket] = []
    start = asyncio.start_server

    async def started(*given: Any, sock: socket.socket, **named: Any) -> asyncio.Server:
        seen.append(sock)
        return await start(*given, sock=sock, **named)

    monkeypatch.setattr(asyncio, "start_server", started)
    async with serving():
        assert [each.proto for each in seen] == [socket.IPPROTO_TCP]


@pytest.mark.parametrize("fault", ["oversize_body", "oversize_headers"])
async def test_oversize_ends_when_the_client_has_enough(fault: str) -> None:
    async with serving(fault) as server:
        reader, writer = await connect(server)
        writer.write(GET)
        assert len(await asyncio.wait_for(reader.readexactly(1024 * 1024), SOON)) == 1024 * 1024
        writer.transport.abort()


async def test_bad_gzip() -> None:
    seen, _ = await shown("bad_gzip")
    with pytest.raises((OSError, EOFError)):
        gzip.decompress(seen.partition(b"\r\n\r\n")[2])


async def test_gzip_bomb() -> None:
    seen, _ = await shown("gzip_bomb")
    body = seen.partition(b"\r\n\r\n")[2]
    assert len(body) < 100_000
    assert len(gzip.decompress(body)) == faults.OVERSIZE_BYTES


async def test_html() -> None:
    seen, _ = await shown("html")
    assert seen.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"content-type: text/html" in seen


async def test_empty() -> None:
    assert claimed((await shown("empty"))[0]) == (0, 0)


async def test_redirect() -> None:
    seen, _ = await shown("redirect")
    assert seen.startswith(b"HTTP/1.1 302 Found\r\nlocation: https://stand-in.invalid/\r\n")


async def test_server_error() -> None:
    assert (await shown("server_error"))[0].startswith(b"HTTP/1.1 500 Internal Server Error\r\n")


@pytest.mark.parametrize("fault", [f for f in FAULTS if not f.startswith(("stall", "oversize"))])
async def test_no_fault_answers_head_with_a_body_in_disguise(fault: str) -> None:
    """HEAD: what the good answer would carry is not sent, whatever else is broken."""
    seen, _ = await shown(fault, sent=GET.replace(b"GET", b"HEAD"))
    assert BODY not in seen


async def test_a_connection_serves_many_requests_also_pipelined() -> None:
    async with serving() as server:
        reader, writer = await connect(server)
        writer.write(GET * 3 + GET.replace(b"Host", b"Connection: close\r\nHost"))
        seen = await asyncio.wait_for(reader.read(-1), SOON)
        writer.close()
        assert seen.count(BODY) == 4
        assert seen.count(b"connection: close") == 1


async def test_what_the_handler_sees() -> None:
    got: list[Request] = []

    async def answer(request: Request) -> Reply:
        got.append(request)
        return Reply(status=204)

    async with FaultServer(answer) as server, httpx.AsyncClient(trust_env=False) as client:
        response = await client.post(f"http://127.0.0.1:{server.port}/a%20b?x=1&x=", content=b"body")
        assert (response.status_code, response.content) == (204, b"")
        assert "content-length" not in response.headers
    (request,) = got
    assert (request.method, request.path, request.query) == ("POST", "/a b", (("x", "1"), ("x", "")))
    assert (request.body, request.header("content-length"), request.header("no")) == (b"body", "4", None)


async def test_expect_continue_is_answered() -> None:
    async with serving() as server:
        reader, writer = await connect(server)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert await asyncio.wait_for(reader.readline(), SOON) == b"HTTP/1.1 100 Continue\r\n"
        writer.write(b"{}")
        assert b"200 OK" in await asyncio.wait_for(reader.readuntil(BODY), SOON)
        writer.close()


async def test_a_request_that_is_too_large_is_refused() -> None:
    async with serving() as server:
        reader, writer = await connect(server)
        size = MAX_REQUEST_BYTES + 1
        writer.write(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode() + b"x" * size)
        assert b" 413 " in await asyncio.wait_for(reader.readline(), SOON)
        writer.transport.abort()


async def test_stopping_does_not_wait_for_a_client_that_stays() -> None:
    async with asyncio.timeout(SOON):
        async with serving("stall") as server:
            reader, writer = await connect(server)
            writer.write(GET)
            await writer.drain()
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.transport.abort()


async def test_a_port_that_is_taken_raises_and_leaves_nothing_behind() -> None:
    async with serving() as server:
        with pytest.raises(OSError, match="in use"):
            async with FaultServer(lambda _: asyncio.sleep(0, Reply(status=200)), port=server.port):
                pass


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.binary(max_size=200))
def test_no_bytes_of_a_client_break_the_server(data: bytes) -> None:
    """Whatever comes first, the next client is served."""

    async def run() -> None:
        async with serving() as server:
            _, writer = await connect(server)
            writer.write(data)
            writer.write_eof()
            reader, other = await connect(server)
            other.write(GET)
            assert await asyncio.wait_for(reader.readuntil(BODY), SOON)
            writer.transport.abort()
            other.transport.abort()

    asyncio.run(run())


@given(
    status=st.sampled_from([200, 201, 400, 404, 429, 503]),
    body=st.binary(max_size=300),
    values=st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20), max_size=3),
)
def test_an_answer_without_a_fault_is_read_back_by_h11(status: int, body: bytes, values: list[str]) -> None:
    """The law of the writer: a strict reader sees status, headers and body as they were meant."""
    headers = tuple((f"x-{number}", value) for number, value in enumerate(values))
    reader = h11.Connection(h11.CLIENT)
    reader.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    reader.send(h11.EndOfMessage())
    reader.receive_data(faults.head(Reply(status=status, headers=headers, body=body)) + body)
    start = reader.next_event()
    assert isinstance(start, h11.Response)
    seen = b""
    while isinstance(event := reader.next_event(), h11.Data):
        seen += event.data
    assert isinstance(event, h11.EndOfMessage)
    told = dict(start.headers)
    assert (start.status_code, seen) == (status, body)
    assert all(told[name.encode()] == value.encode() for name, value in headers)
