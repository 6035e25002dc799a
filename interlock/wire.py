"""One HTTP/1.1 exchange on a fresh connection, measured: DNS, connect, TLS, first byte, total.

Built on asyncio and httptools. The answer is capped in size and the whole exchange in time, so that a hostile
or dripping server costs no more than it was given.
"""

from __future__ import annotations

import asyncio
import base64
import errno
import json
import os
import socket
import ssl
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import aiohappyeyeballs
import httptools

from interlock.records import Reason
from interlock.resolve import Resolver
from interlock.trust import peer_chain, reason, trust, unverified

MAX_BODY_BYTES = 1024 * 1024
MAX_HEADER_BYTES = 64 * 1024
_UNREACHABLE = {errno.ENETUNREACH, errno.ENETDOWN}
_CONNECT_LIMIT = 16 * 1024


class WireError(Exception):
    """The exchange gave no answer. `reason` says in which step, `phases` how far it came (seconds)."""

    def __init__(self, reason: Reason, detail: str, phases: Mapping[str, float]) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.phases = phases


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """An egress proxy, spoken to in plain HTTP; `authorization` is the whole header value."""

    host: str
    port: int
    authorization: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request as it goes on the wire, without its framing. `target` is path and query."""

    scheme: str
    host: str
    port: int
    method: str
    target: str
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes = b""

    @property
    def authority(self) -> str:
        """`host:port`, with brackets around IPv6."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. `headers`: lower-case names, repeated fields joined by ", ".

    `truncated`: the body was cut at the cap. `phases`: seconds by name. `chain`: DER certificates, leaf first.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool = False
    phases: Mapping[str, float] = field(default_factory=dict)
    http_version: str = "1.1"
    chain: tuple[bytes, ...] = ()

    def json(self) -> Any:
        """The body as JSON. Raises `ValueError` for anything that is not, too deep nesting included."""
        try:
            return json.loads(self.body)
        except RecursionError as exc:
            raise ValueError("nested too deeply") from exc

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")


class Stopwatch:
    """Lays one phase after the other on a monotonic clock."""

    __slots__ = ("_last", "_start", "phases")

    def __init__(self) -> None:
        self.phases: dict[str, float] = {}
        self._start = self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """End the phase `name` now."""
        now = time.perf_counter()
        self.phases[name] = now - self._last
        self._last = now

    def total(self) -> None:
        """End the exchange now."""
        self.phases["total"] = time.perf_counter() - self._start


class _Exchange(asyncio.Protocol):
    """Writes the request when the connection stands, and reads one response."""

    def __init__(self, request: bytes, *, head: bool, watch: Stopwatch, limit: int, secure: bool) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.status = 0
        self.version = "1.1"
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.truncated = False
        self.chain: tuple[bytes, ...] = ()
        self._request, self._head, self._watch, self._limit, self._secure = (
            request,
            head,
            watch,
            limit,
            secure,
        )
        self._parser = httptools.HttpResponseParser(self)
        self._seen_bytes = 0
        self._headers_end = False
        self._transport: asyncio.Transport | None = None

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if self._secure:
            self._watch.lap("tls")
            self.chain = peer_chain(transport.get_extra_info("ssl_object"))
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            return
        if self._seen_bytes == 0:
            self._watch.lap("first_byte")
        self._seen_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as exc:
            self._fail(f"the answer is not HTTP/1.1: {exc or type(exc).__name__}")
            return
        if not self._headers_end and self._seen_bytes > MAX_HEADER_BYTES:
            self._fail(f"the answer's headers are larger than {MAX_HEADER_BYTES} bytes")

    def connection_lost(self, exc: Exception | None) -> None:
        if self.done.done():
            return
        until_end = "content-length" not in self.headers and "chunked" not in self.headers.get(
            "transfer-encoding", ""
        )
        if exc is None and self._headers_end and until_end:
            self._finish()
        elif self._seen_bytes == 0:
            self._fail(
                "the connection was closed before any answer" if exc is None else f"reset: {_say(exc)}"
            )
        else:
            self._fail("the connection was closed in the middle of the answer")

    # httptools' side

    def on_header(self, name: bytes, value: bytes) -> None:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1").strip()
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        self.version = self._parser.get_http_version()
        if self.status >= 200:  # noqa: PLR2004 - 1xx comes before the answer
            self._headers_end = True
            if self._head:
                self._finish()

    def on_body(self, data: bytes) -> None:
        room = self._limit - len(self.body)
        self.body += data[:room]
        if len(data) > room:
            self.truncated = True
            self._finish()

    def on_message_complete(self) -> None:
        if self._headers_end:
            self._finish()
        else:
            self.headers.clear()

    def _finish(self) -> None:
        if not self.done.done():
            self._watch.total()
            self.done.set_result(None)

    def _fail(self, detail: str) -> None:
        if not self.done.done():
            self.done.set_exception(WireError(Reason.PROTOCOL, detail, self._watch.phases))

    def close(self) -> None:
        """Drop the connection at once: a probe never uses it again.

        The circle with the parser is broken, else TLS buffers of 256 KiB wait for the garbage collector.
        """
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
        if not self.done.cancel() and not self.done.cancelled():
            self.done.exception()  # who was cancelled in the middle asks for it no more: it counts as heard
        del self._parser


@dataclass
class Wire:
    """Makes exchanges. One for a process: it holds the resolver and what TLS trusts.

    `tls`: the SSL context; None builds the system's at the first https call.
    """

    resolver: Resolver = field(default_factory=Resolver)
    tls: ssl.SSLContext | None = None
    proxy: Proxy | None = None
    max_body_bytes: int = MAX_BODY_BYTES

    async def exchange(self, call: Call, *, deadline_seconds: float) -> Answer:
        """Send one request and read its answer. Raises `WireError`; nothing outlasts the deadline."""
        watch = Stopwatch()
        try:
            async with asyncio.timeout(deadline_seconds):
                return await self._exchange(call, watch)
        except TimeoutError:
            reached = "the name was not resolved" if "dns" not in watch.phases else _reached(watch.phases)
            watch.total()
            raise WireError(
                Reason.TIMEOUT, f"no answer within {deadline_seconds:g} s: {reached}", watch.phases
            ) from None

    async def handshake(
        self, host: str, port: int, *, deadline_seconds: float, verify: bool = True
    ) -> Answer:
        """Connect and shake hands only: an `Answer` with status 0 and the chain. Raises `WireError`."""
        watch = Stopwatch()
        context = self._context() if verify else unverified()
        call = Call(scheme="https", host=host, port=port, method="", target="", headers=())
        try:
            async with asyncio.timeout(deadline_seconds):
                sock = await self._connect(call, watch)
                protocol = _Handshake(watch)
                transport = await self._secure(protocol, sock, call, context, watch)
                transport.abort()
        except TimeoutError:
            watch.total()
            detail = f"no TLS handshake within {deadline_seconds:g} s"
            raise WireError(Reason.TIMEOUT, detail, watch.phases) from None
        watch.total()
        return Answer(status=0, headers={}, body=b"", phases=watch.phases, chain=protocol.chain)

    async def streams(
        self, call: Call, *, deadline_seconds: float
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to `call`'s host, for more than one exchange. Raises `WireError`."""
        watch = Stopwatch()
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            async with asyncio.timeout(deadline_seconds):
                sock = await self._connect(call, watch)
                if call.scheme == "https":
                    transport = await self._secure(protocol, sock, call, self._context(), watch)
                else:
                    loop = asyncio.get_running_loop()
                    transport, _ = await loop.create_connection(lambda: protocol, sock=sock)
        except TimeoutError:
            watch.total()
            detail = f"no connection to {call.host} within {deadline_seconds:g} s"
            raise WireError(Reason.TIMEOUT, detail, watch.phases) from None
        return reader, asyncio.StreamWriter(transport, protocol, reader, asyncio.get_running_loop())

    async def _exchange(self, call: Call, watch: Stopwatch) -> Answer:
        sock = await self._connect(call, watch)
        secure = call.scheme == "https"
        protocol = _Exchange(
            frame(call, None if secure else self.proxy),
            head=call.method == "HEAD",
            watch=watch,
            limit=self.max_body_bytes,
            secure=secure,
        )
        try:
            if secure:
                await self._secure(protocol, sock, call, self._context(), watch)
            else:
                await asyncio.get_running_loop().create_connection(lambda: protocol, sock=sock)
            await protocol.done
        finally:
            protocol.close()
        return _answer(protocol, watch, self.max_body_bytes)

    async def _connect(self, call: Call, watch: Stopwatch) -> socket.socket:
        host, port = (self.proxy.host, self.proxy.port) if self.proxy else (call.host, call.port)
        try:
            addresses = await self.resolver(host, port)
        except OSError as exc:
            watch.lap("dns")
            watch.total()
            raise WireError(Reason.DNS, f"{host} does not resolve: {_say(exc)}", watch.phases) from exc
        watch.lap("dns")
        try:
            sock = await _open(addresses)
        except OSError as exc:
            watch.lap("connect")
            watch.total()
            reason = Reason.OFFLINE if exc.errno in _UNREACHABLE else Reason.CONNECT
            raise WireError(
                reason, f"cannot connect to {host} port {port}: {_say(exc)}", watch.phases
            ) from exc
        watch.lap("connect")
        if self.proxy is not None and call.scheme == "https":
            try:
                await _tunnel(sock, call, self.proxy)
            except (OSError, WireError) as exc:
                sock.close()
                detail = exc.detail if isinstance(exc, WireError) else _say(exc)
                raise WireError(
                    Reason.PROXY, f"the proxy {host}:{port} refused: {detail}", watch.phases
                ) from exc
            except BaseException:
                sock.close()
                raise
            watch.lap("proxy")
        return sock

    async def _secure(
        self,
        protocol: asyncio.Protocol,
        sock: socket.socket,
        call: Call,
        context: ssl.SSLContext,
        watch: Stopwatch,
    ) -> asyncio.Transport:
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.create_connection(
                lambda: protocol, sock=sock, ssl=context, server_hostname=call.host
            )
        except ssl.SSLCertVerificationError as exc:
            watch.total()
            raise WireError(Reason.CERTIFICATE_INVALID, _certificate_problem(exc), watch.phases) from exc
        except (ssl.SSLError, OSError) as exc:
            watch.total()
            raise WireError(Reason.TLS, f"the TLS handshake failed: {_say(exc)}", watch.phases) from exc
        return transport

    def _context(self) -> ssl.SSLContext:
        if self.tls is None:
            self.tls = trust()
        return self.tls


class _Handshake(asyncio.Protocol):
    """Keeps the chain of a connection that is closed right after its handshake."""

    def __init__(self, watch: Stopwatch) -> None:
        self.chain: tuple[bytes, ...] = ()
        self._watch = watch

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._watch.lap("tls")
        self.chain = peer_chain(transport.get_extra_info("ssl_object"))


async def _open(addresses: Sequence[Any]) -> socket.socket:
    """The first address that connects; several are raced as RFC 8305 says."""
    if not addresses:
        raise OSError("the name has no address")
    if len(addresses) > 1:
        return await aiohappyeyeballs.start_connection(addresses, happy_eyeballs_delay=0.25)
    family, kind, protocol, _, address = addresses[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)  # noqa: FBT003 - the standard library's name
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


async def _tunnel(sock: socket.socket, call: Call, proxy: Proxy) -> None:
    """CONNECT through an egress proxy (RFC 9110, 9.3.6)."""
    loop = asyncio.get_running_loop()
    lines = [f"CONNECT {call.authority} HTTP/1.1", f"Host: {call.authority}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    await loop.sock_sendall(sock, "\r\n".join([*lines, "", ""]).encode("latin-1"))
    received = b""
    while b"\r\n\r\n" not in received:
        if len(received) > _CONNECT_LIMIT:
            raise WireError(Reason.PROXY, "its answer is too long", {})
        # nothing can follow the head: a TLS server waits for our ClientHello
        part = await loop.sock_recv(sock, 4096)
        if not part:
            raise WireError(Reason.PROXY, "it closed the connection", {})
        received += part
    status_line = received.partition(b"\r\n")[0].decode("latin-1")
    words = status_line.split(" ", 2)
    if len(words) < 2 or not words[1].startswith("2"):  # noqa: PLR2004 - version and status
        raise WireError(Reason.PROXY, status_line[:200], {})


def frame(call: Call, proxy: Proxy | None = None) -> bytes:
    """The request's bytes. Through a plain-HTTP proxy the target is absolute (RFC 9112, 3.2.2)."""
    target = f"http://{call.authority}{call.target}" if proxy else call.target
    lines = [f"{call.method} {target} HTTP/1.1".encode("ascii")]
    lines += [name + b": " + value for name, value in call.headers]
    if proxy and proxy.authorization:
        lines.append(b"Proxy-Authorization: " + proxy.authorization.encode("latin-1"))
    if any(b"\r" in line or b"\n" in line for line in lines):
        raise ValueError("a line break in a request header")
    return b"\r\n".join([*lines, b"", b""]) + call.body


def _answer(protocol: _Exchange, watch: Stopwatch, limit: int) -> Answer:
    body, truncated = bytes(protocol.body), protocol.truncated
    encoding = protocol.headers.get("content-encoding", "").lower()
    if encoding in {"gzip", "x-gzip", "deflate"} and body:
        body, truncated = _inflate(body, encoding, limit, watch, truncated=truncated)
    return Answer(
        status=protocol.status,
        headers=protocol.headers,
        body=body,
        truncated=truncated,
        phases=watch.phases,
        http_version=protocol.version,
        chain=protocol.chain,
    )


def _inflate(
    body: bytes, encoding: str, limit: int, watch: Stopwatch, *, truncated: bool
) -> tuple[bytes, bool]:
    """Unpack at most `limit` bytes: a small bomb stays small."""
    unpacker = zlib.decompressobj(wbits=47 if encoding != "deflate" else 15)
    try:
        plain = unpacker.decompress(body, limit)
    except zlib.error as exc:
        raise WireError(Reason.PROTOCOL, f"the body is not {encoding}", watch.phases) from exc
    return plain, truncated or bool(unpacker.unconsumed_tail)


def basic(username: str, password: str) -> str:
    """The value of a Basic authorization header (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def _certificate_problem(exc: ssl.SSLCertVerificationError) -> str:
    return f"the certificate is not trusted: {exc.verify_message or _say(exc)}"


def _reached(phases: Mapping[str, float]) -> str:
    if "connect" not in phases:
        return "not connected"
    return "the answer began but did not end" if "first_byte" in phases else "connected, but nothing came"


def _say(exc: BaseException) -> str:
    """The system's words for an error, without class names, numbers and addresses."""
    if (
        isinstance(exc, OSError)
        and not isinstance(exc, ssl.SSLError | socket.gaierror)
        and exc.errno is not None
    ):
        return os.strerror(exc.errno)
    return reason(exc)
