"""One side of an HTTP/1.1 connection: h11 parses, asyncio streams carry, bodies pass in parts."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterable
from typing import Any

import h11

from cassettes.bodies import Headers

CHUNK_BYTES = 64 * 1024
_CLOSE_SECONDS = 2.0
Fields = list[tuple[bytes, bytes]]

# What concerns one connection alone (RFC 9110, 7.6.1); Transfer-Encoding is h11's to keep.
_OF_THE_CONNECTION = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"upgrade",
    }
)


class BrokenOffError(ConnectionError):
    """The other side ended in the middle of a message."""


class Peer:
    """A client that asks us, or a server that we ask, on one connection."""

    def __init__(self, ours: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """`ours`: `h11.SERVER` where a client asks us, `h11.CLIENT` where we ask."""
        self.state = h11.Connection(ours)
        self.reader, self.writer = reader, writer
        self.waiting: h11.Request | None = None  # a request that was read and not answered yet

    async def event(self) -> Any:
        """The next event. Raises `h11.RemoteProtocolError` for what is no HTTP, or breaks off."""
        while True:
            event = self.state.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self.state.they_are_waiting_for_100_continue:
                await self.send(h11.InformationalResponse(status_code=100, headers=[]))
            self.state.receive_data(await self.reader.read(CHUNK_BYTES))

    async def request(self) -> h11.Request | None:
        """The next request of a client; None where it is done."""
        event = await self.event()
        return event if isinstance(event, h11.Request) else None

    async def response(self) -> h11.Response:
        """A server's answer, informational ones left out. Raises `BrokenOffError` where none comes."""
        while True:
            event = await self.event()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise BrokenOffError("the server closed the connection without an answer")

    async def body(self) -> AsyncIterator[bytes]:
        """The parts of the body that follows, as they come."""
        while isinstance(event := await self.event(), h11.Data):
            yield bytes(event.data)

    async def send(self, event: h11.Event) -> None:
        """Send one event, and wait while the other side does not take more."""
        data = self.state.send(event)
        if data:
            self.writer.write(data)
            await self.writer.drain()

    async def answer(self, status: int, headers: Headers, body: bytes, reason: str = "") -> None:
        """A whole response."""
        fields = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers]
        head = h11.Response(status_code=status, headers=fields, reason=reason.encode("latin-1", "replace"))
        data = self.state.send(head) or b""
        if body:
            data += self.state.send(h11.Data(data=body)) or b""
        data += self.state.send(h11.EndOfMessage()) or b""
        self.writer.write(data)
        await self.writer.drain()

    def again(self) -> bool:
        """Whether another exchange may follow on this connection."""
        if self.state.our_state is not h11.DONE or self.state.their_state is not h11.DONE:
            return False
        self.state.start_next_cycle()
        return True

    @property
    def open(self) -> bool:
        """Whether the other side has not hung up, as far as can be told."""
        return not self.reader.at_eof() and not self.writer.is_closing()

    async def close(self) -> None:
        """End the connection in order, and do not wait long for it."""
        self.writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self.writer.wait_closed()

    def abort(self) -> None:
        """End it at once: who waits for the rest of a message learns that it does not come."""
        self.writer.transport.abort()


def passed_on(headers: Any) -> Fields:
    """The fields that go on to the next connection, in their own spelling and order."""
    named = {
        token.strip().lower()
        for name, value in headers
        if name == b"connection"
        for token in value.split(b",")
    }
    left_out = (_OF_THE_CONNECTION | named) - {b"transfer-encoding", b"content-length", b"host"}
    return [(name, value) for name, value in headers.raw_items() if name.lower() not in left_out]


def as_text(fields: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Header fields as the records have them."""
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in fields)


async def first_byte(writer: asyncio.StreamWriter) -> bytes:
    """What a client begins with, left unread: a TLS client is known by it."""
    loop = asyncio.get_running_loop()
    transport = writer.transport
    assert isinstance(transport, asyncio.ReadTransport)
    transport.pause_reading()
    try:
        with transport.get_extra_info("socket").dup() as peer:
            ready: asyncio.Future[None] = loop.create_future()
            loop.add_reader(peer.fileno(), _settle, ready)
            try:
                await ready
            finally:
                loop.remove_reader(peer.fileno())
            found: bytes = peer.recv(1, socket.MSG_PEEK)
            return found
    finally:
        transport.resume_reading()


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
