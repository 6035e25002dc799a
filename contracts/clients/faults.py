"""Answers that are broken on purpose: one row in a table for each fault, written as bytes on a raw connection."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gzip
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote, urlsplit

OVERSIZE_BYTES = 64 * 1024 * 1024
CHUNK = 64 * 1024
BODILESS = {204, 304}  # answers that have no body, whatever their headers say
_CLOSE_SECONDS = 1.0
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time: close sends RST

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it came. Header names are lower case; `target` is path and query, as sent."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    keep_alive: bool = True

    def header(self, name: str) -> str | None:
        """The first value of a header; `name` in lower case."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def path(self) -> str:
        """The path, percent-decoded."""
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> tuple[tuple[str, str], ...]:
        """The query's names and values, decoded, in order."""
        return tuple(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to answer. `delay_seconds`: wait before the first byte. `fault`: a row of `FAULTS`, or None."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    delay_seconds: float = 0.0
    fault: str | None = None


def head(reply: Reply, *, length: str | None = None, close: bool = True) -> bytes:
    """Status line and headers. `length`: what Content-Length claims; the truth if None."""
    try:
        phrase = HTTPStatus(reply.status).phrase
    except ValueError:
        phrase = ""
    fields = list(reply.headers)
    if reply.status not in BODILESS:
        fields.append(("content-length", str(len(reply.body)) if length is None else length))
    if close:
        fields.append(("connection", "close"))
    lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{name}: {value}" for name, value in fields)]
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"


class Wire:
    """One connection, as a fault sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sleep: Sleep) -> None:
        self._reader, self._writer = reader, writer
        self.sleep = sleep
        self.unread = b""

    async def read(self) -> bytes:
        """The next bytes of the client; empty at its end."""
        return await self._reader.read(CHUNK)

    async def send(self, data: bytes) -> None:
        """Write and wait until the kernel has taken it."""
        self._writer.write(data)
        await self._writer.drain()

    async def gone(self) -> None:
        """Wait until the client hangs up."""
        while await self.read():
            pass

    def reset(self) -> None:
        """End the connection with RST: what was sent and not yet read may be lost."""
        sock = self._writer.get_extra_info("socket")
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._writer.transport.abort()

    async def close(self) -> None:
        """End the connection in order, and wait for it; for a TLS client that does not answer, not long."""
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._writer.wait_closed()

    def abort(self) -> None:
        """End the connection at once; nothing happens if it has ended."""
        self._writer.transport.abort()


# The faults. Each is given the answer that would have been right.


async def _reset(wire: Wire, _: Reply) -> None:
    wire.reset()


async def _reset_in_headers(wire: Wire, reply: Reply) -> None:
    await wire.send(head(reply)[:-6])
    wire.reset()


async def _reset_in_body(wire: Wire, reply: Reply) -> None:
    await wire.send(head(reply, length=_more(reply)) + _half(reply))
    wire.reset()


async def _close(_: Wire, __: Reply) -> None:
    return


async def _stall(wire: Wire, _: Reply) -> None:
    await wire.gone()


async def _stall_in_headers(wire: Wire, reply: Reply) -> None:
    await wire.send(head(reply)[:-6])
    await wire.gone()


async def _stall_in_body(wire: Wire, reply: Reply) -> None:
    await wire.send(head(reply, length=_more(reply)) + _half(reply))
    await wire.gone()


async def _truncate(wire: Wire, reply: Reply) -> None:
    await wire.send(head(reply, length=_more(reply)) + _half(reply))


async def _drip(wire: Wire, reply: Reply) -> None:
    """One byte a second: no single read times out, only the whole does."""
    for byte in head(reply) + reply.body:
        await wire.send(bytes((byte,)))
        await wire.sleep(1.0)


async def _length_too_short(wire: Wire, reply: Reply) -> None:
    await wire.send(head(reply, length=str(len(reply.body) // 2)) + reply.body)


async def _length_garbled(wire: Wire, reply: Reply) -> None:
    await wire.send(head(reply, length="banana") + reply.body)


async def _two_lengths(wire: Wire, reply: Reply) -> None:
    other = replace(reply, headers=(*reply.headers, ("content-length", str(len(reply.body) + 7))))
    await wire.send(head(other) + reply.body)


async def _garbage(wire: Wire, _: Reply) -> None:
    await wire.send(b"\x16\x03\x01 this is not HTTP \x00\xff\r\n\r\n" * 4)


async def _bad_chunks(wire: Wire, reply: Reply) -> None:
    fields = "".join(f"{name}: {value}\r\n" for name, value in reply.headers)
    start = f"HTTP/1.1 {reply.status} -\r\n{fields}transfer-encoding: chunked\r\n\r\n"
    await wire.send(start.encode("latin-1", "replace") + b"zz\r\n" + reply.body + b"\r\n")


async def _oversize_body(wire: Wire, reply: Reply) -> None:
    await wire.send(head(reply, length=str(OVERSIZE_BYTES)))
    for _ in range(OVERSIZE_BYTES // CHUNK):
        await wire.send(b"x" * CHUNK)


async def _oversize_headers(wire: Wire, reply: Reply) -> None:
    await wire.send(head(reply)[:-2])
    for number in range(OVERSIZE_BYTES // CHUNK):
        await wire.send(f"x-{number}: ".encode() + b"x" * CHUNK + b"\r\n")


async def _bad_gzip(wire: Wire, reply: Reply) -> None:
    await wire.send(head(_packed(reply, b"\x1f\x8b not gzip")) + b"\x1f\x8b not gzip")


async def _gzip_bomb(wire: Wire, reply: Reply) -> None:
    await wire.send(head(_packed(reply, _bomb())) + _bomb())


async def _html(wire: Wire, reply: Reply) -> None:
    """The right status with a web page for a body: a captive portal, a proxy's error page."""
    page = b"<!doctype html><title>Sign in to the network</title><h1>Sign in to the network</h1>"
    await whole(wire, replace(reply, headers=(("content-type", "text/html"),), body=page))


async def _empty(wire: Wire, reply: Reply) -> None:
    await whole(wire, replace(reply, body=b""))


async def _redirect(wire: Wire, _: Reply) -> None:
    """To another host, where no credential may follow."""
    await whole(wire, Reply(status=302, headers=(("location", "https://stand-in.invalid/"),)))


async def _server_error(wire: Wire, _: Reply) -> None:
    await whole(wire, Reply(status=500, headers=(("content-type", "text/plain"),), body=b"server error"))


async def whole(wire: Wire, reply: Reply) -> None:
    """The answer without a fault."""
    await wire.send(head(reply) + reply.body)


def _half(reply: Reply) -> bytes:
    return reply.body[: len(reply.body) // 2]


def _more(reply: Reply) -> str:
    """A length that is never reached, also where the body is empty."""
    return str(len(reply.body) + 1024)


def _packed(reply: Reply, body: bytes) -> Reply:
    return replace(reply, headers=(*reply.headers, ("content-encoding", "gzip")), body=body)


@functools.cache
def _bomb() -> bytes:
    return gzip.compress(bytes(OVERSIZE_BYTES), compresslevel=6, mtime=0)


Fault = Callable[[Wire, Reply], Awaitable[None]]

# name: (what it does, in words; how).
FAULTS: dict[str, tuple[str, Fault]] = {
    "reset": ("reset the connection before the first byte", _reset),
    "reset_in_headers": ("reset the connection within the headers", _reset_in_headers),
    "reset_in_body": ("reset the connection within the body", _reset_in_body),
    "close": ("close the connection before the first byte", _close),
    "stall": ("send nothing, for ever", _stall),
    "stall_in_headers": ("fall silent within the headers", _stall_in_headers),
    "stall_in_body": ("fall silent within the body", _stall_in_body),
    "truncate": ("close the connection within the body", _truncate),
    "drip": ("send one byte a second", _drip),
    "length_too_short": ("claim half of the length that is sent", _length_too_short),
    "length_garbled": ("claim a length that is no number", _length_garbled),
    "two_lengths": ("claim two different lengths", _two_lengths),
    "garbage": ("send bytes that are not HTTP", _garbage),
    "bad_chunks": ("send chunks whose size is no number", _bad_chunks),
    "oversize_body": ("send a body of 64 MiB", _oversize_body),
    "oversize_headers": ("send 64 MiB of headers", _oversize_headers),
    "bad_gzip": ("claim gzip and send something else", _bad_gzip),
    "gzip_bomb": ("send a small body that unpacks to 64 MiB", _gzip_bomb),
    "html": ("send a web page with the right status", _html),
    "empty": ("send the right status without a body", _empty),
    "redirect": ("redirect to another host", _redirect),
    "server_error": ("answer 500", _server_error),
}
