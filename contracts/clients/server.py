"""A raw HTTP/1.1 server on one port: h11 parses requests, answers go out as bytes, and a fault may spoil them."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Self

import h11

from contracts.clients.faults import BODILESS, FAULTS, Reply, Request, Sleep, Wire, head, whole

MAX_REQUEST_BYTES = 1024 * 1024

Handler = Callable[[Request], Awaitable[Reply]]


class FaultServer:
    """Serves a handler on one loopback port. `async with` starts and stops it."""

    def __init__(
        self,
        handler: Handler,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._handler, self._tls, self._sleep = handler, tls, sleep
        self._address = (host, port)
        self._server: asyncio.Server | None = None
        self._holder: socket.socket | None = None
        self._tasks: dict[asyncio.Task[None], Wire] = {}

    async def __aenter__(self) -> Self:
        self._holder = _bound(self._address)
        self._address = (self._address[0], self._holder.getsockname()[1])
        await self.accept()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        self._server = None
        if self._holder is not None:
            self._holder.close()
        await self._drop()

    @property
    def port(self) -> int:
        """The port; known once started, and the same until stopped."""
        return self._address[1]

    async def refuse(self) -> None:
        """Stop listening and reset what is open: connections are refused. The port stays ours."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        self._holder = _bound(self._address)
        for wire in self._tasks.values():
            wire.reset()
        await self._drop()

    async def accept(self) -> None:
        """Listen, for the first time or again."""
        if self._holder is None:
            return
        holder, self._holder = self._holder, None
        self._server = await asyncio.start_server(self._serve, sock=holder, ssl=self._tls)

    async def _drop(self) -> None:
        current = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not current]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        wire = self._tasks[task] = Wire(reader, writer, self._sleep)
        try:
            while await self._exchange(wire):
                pass
            await wire.close()
        except (OSError, asyncio.CancelledError):
            pass  # the client hung up, or we are stopping: either way this connection is over
        finally:
            self._tasks.pop(task, None)
            wire.abort()

    async def _exchange(self, wire: Wire) -> bool:
        """One request and its answer; whether the connection may serve another."""
        try:
            request = await _read_request(wire)
        except h11.RemoteProtocolError as exc:
            await whole(wire, Reply(status=exc.error_status_hint))
            return False
        if request is None:
            return False
        reply = await self._handler(request)
        if request.method == "HEAD":
            reply = replace(reply, body=b"")
        if reply.delay_seconds:
            await self._sleep(reply.delay_seconds)
        if reply.fault is not None:
            await FAULTS[reply.fault][1](wire, reply)
            return False
        body = b"" if reply.status in BODILESS else reply.body
        await wire.send(head(reply, close=not request.keep_alive) + body)
        return request.keep_alive


def _bound(address: tuple[str, int]) -> socket.socket:
    """A socket that holds a port and does not listen: who connects is refused.

    It calls itself TCP, or asyncio would leave Nagle's delay on.
    """
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)  # noqa: FBT003 - the name of the standard library
    return sock


async def _read_request(wire: Wire) -> Request | None:
    """The next request; None where the client is done. Raises `h11.RemoteProtocolError`."""
    parser = h11.Connection(h11.SERVER)
    if wire.unread:
        parser.receive_data(wire.unread)
    start: h11.Request | None = None
    body = bytearray()
    while True:
        event = parser.next_event()
        if event is h11.NEED_DATA:
            if parser.they_are_waiting_for_100_continue:
                await wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            parser.receive_data(await wire.read())
        elif isinstance(event, h11.Request):
            start = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MAX_REQUEST_BYTES:
                raise h11.RemoteProtocolError("the request is too large", error_status_hint=413)
        elif isinstance(event, h11.EndOfMessage) and start is not None:
            wire.unread = parser.trailing_data[0]
            return _request(start, bytes(body))
        else:
            return None


def _request(start: h11.Request, body: bytes) -> Request:
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in start.headers)
    asked_to_close = any(name == "connection" and "close" in value.lower() for name, value in headers)
    return Request(
        method=start.method.decode("ascii"),
        target=start.target.decode("latin-1"),
        headers=headers,
        body=body,
        keep_alive=start.http_version == b"1.1" and not asked_to_close,
    )
