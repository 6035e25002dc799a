"""The recording proxy: one port that is a reverse proxy, a plain proxy and, by CONNECT, an intercepting one.

What passes goes on in parts as it comes, so that a stream stays a stream; what is kept is a copy.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from cassettes.bodies import MAX_BODY_BYTES
from cassettes.destinations import Destinations, Route
from cassettes.exchange import Copy, Exchange, interaction
from cassettes.http1 import BrokenOffError, Peer, as_text, first_byte, passed_on
from cassettes.intercept import Authority
from cassettes.listener import Listener
from cassettes.recorder import Recorder
from cassettes.replay import recorded_answer
from interlock.wire import Call, Wire, WireError

CONNECT_SECONDS = 30.0
_TLS = b"\x16"  # what a TLS handshake begins with (RFC 8446, 5.1)
_TEXT = (("content-type", "text/plain; charset=utf-8"),)
_TROUBLE = (OSError, h11.RemoteProtocolError, h11.LocalProtocolError)
_PORTS = {"http": 80, "https": 443}


class _OverError(Exception):
    """All that is to be said to this client is said."""


@dataclass(frozen=True, slots=True)
class Tunnel:
    """What a CONNECT opened: every request in it goes to this host."""

    scheme: str
    host: str
    port: int


class RecordingProxy(Listener):
    """Serves on one port. `async with` starts and stops it.

    `counts`: requests `recorded`, `replayed`, `refused` (another host), `missed` (the mode records nothing new),
    `failed` (no answer, or one that broke off). `refused_hosts`: how often each was asked for.
    """

    def __init__(
        self,
        destinations: Destinations,
        recorder: Recorder,
        wire: Wire,
        *,
        origin: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.refused_hosts: Counter[str] = Counter()
        self.troubles: Counter[str] = Counter()
        self.authority = Authority()
        self._destinations, self._recorder, self._wire, self._origin = destinations, recorder, wire, origin
        self._now = now
        super().__init__(host, port)

    # -- one client --------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Peer(h11.SERVER, reader, writer)
        session = _Session(self._wire)
        try:
            tunnel = await self._opening(client)
            if tunnel is not None:
                client = Peer(h11.SERVER, reader, writer)
            while await self._exchange(client, tunnel, session):
                pass
            await client.close()
        except _OverError:
            await client.close()
        except (*_TROUBLE, asyncio.CancelledError):
            pass  # the client hung up, is no HTTP client, or we are stopping: this connection is over
        finally:
            session.abort()
            client.abort()

    async def _opening(self, client: Peer) -> Tunnel | None:
        """Answer a CONNECT, if the connection begins with one; None where it does not."""
        request = await self._first(client)
        if request is None or request.method != b"CONNECT":
            client.waiting = request
            return None
        host, _, port = request.target.decode("latin-1").rpartition(":")
        host = host.strip("[]")
        number = int(port) if port.isdigit() else 0
        if self._destinations.through("https", host, number, "/") is None:
            await self._refuse(client, host, number)
            raise _OverError
        client.writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await client.writer.drain()
        if await first_byte(client.writer) != _TLS:
            return Tunnel("http", host, number)
        await client.writer.start_tls(self.authority.context(host))
        return Tunnel("https", host, number)

    async def _first(self, client: Peer) -> h11.Request | None:
        try:
            return await client.request()
        except h11.RemoteProtocolError as exc:
            await client.answer(exc.error_status_hint, _TEXT, b"this is no HTTP/1.1 request\n")
            raise _OverError from exc

    async def _exchange(self, client: Peer, tunnel: Tunnel | None, session: _Session) -> bool:
        """One request and its answer; whether another may follow."""
        request, client.waiting = client.waiting or await self._first(client), None
        if request is None:
            return False
        route = self._route(request, tunnel)
        if route is None:
            host, port = _asked_host(request, tunnel)
            await self._drain(client)
            await self._refuse(client, host, port)
        elif (recorded := self._recorder.play(request.method.decode(), route.url)) is not None:
            await self._drain(client)
            status, headers, body, reason = recorded_answer(recorded)
            self.counts["replayed"] += 1
            await client.answer(status, headers, body, reason)
        elif not self._recorder.records:
            await self._drain(client)
            await self._say(
                client, 501, "missed", "the cassette holds no answer to this, and nothing is recorded"
            )
        else:
            await self._forward(client, request, route, session)
        return client.again()

    def _route(self, request: h11.Request, tunnel: Tunnel | None) -> Route | None:
        target = request.target.decode("latin-1")
        if tunnel is not None:
            return self._destinations.through(tunnel.scheme, tunnel.host, tunnel.port, _path_of(target))
        if target.startswith("/"):
            return self._destinations.behind(target)
        parts = urlsplit(target)
        with contextlib.suppress(ValueError):
            if parts.scheme in _PORTS and parts.hostname:
                port = parts.port or _PORTS[parts.scheme]
                return self._destinations.through(parts.scheme, parts.hostname, port, _path_of(target))
        return None

    async def _drain(self, client: Peer) -> None:
        async for _ in client.body():
            pass

    async def _refuse(self, client: Peer, host: str, port: int) -> None:
        self.refused_hosts[f"{host}:{port}" if host else "(no host)"] += 1
        sentence = f"{host}:{port} is no host of the provider that is recorded, so nothing goes there"
        if not host:
            sentence = "the provider's address is not known here: settings with its parameters tell it"
        await self._say(client, 403, "refused", sentence)

    async def _say(self, client: Peer, status: int, count: str, sentence: str) -> None:
        self.counts[count] += 1
        await client.answer(status, _TEXT, f"interlock record: {sentence}\n".encode())

    # -- going on to the provider ------------------------------------------------------------------------

    async def _forward(self, client: Peer, request: h11.Request, route: Route, session: _Session) -> None:
        """Send on, pass back, keep a copy. What breaks off here breaks off for the client too."""
        started_at = self._now()
        passing = _Passing(client, session.head(request, route))
        try:
            upstream, reused = await session.to(route)
            try:
                await passing.through(upstream)
            except _TROUBLE:
                if not (reused and passing.may_be_repeated):
                    raise
                session.abort()  # the provider had closed the kept connection: that is no failure
                await passing.through((await session.to(route))[0])
        except (WireError, *_TROUBLE) as exc:
            session.abort()
            await self._failed(client, exc)
            return
        self.counts["recorded"] += 1
        self._recorder.add(interaction(passing.exchange(route.url, started_at, self._origin)))
        session.done()

    async def _failed(self, client: Peer, exc: BaseException) -> None:
        """Say that there was no answer, where the client has not seen the beginning of one."""
        detail = exc.detail if isinstance(exc, WireError) else str(exc) or type(exc).__name__
        self.troubles[detail] += 1
        if client.state.our_state is not h11.SEND_RESPONSE:
            self.counts["failed"] += 1
            client.abort()
            raise BrokenOffError(detail) from exc
        await self._drain(client)
        await self._say(client, 502, "failed", f"the provider gave no answer: {detail}")


class _Passing:
    """One request on its way to the provider, and the answer on its way back."""

    def __init__(self, client: Peer, request: h11.Request) -> None:
        self._client, self._request = client, request
        self._sent, self._got = Copy(MAX_BODY_BYTES), Copy(MAX_BODY_BYTES)
        self._response: h11.Response | None = None
        self._elapsed_seconds = 0.0

    @property
    def may_be_repeated(self) -> bool:
        """Whether nothing is lost if it is sent again: nothing came back, and no body was sent."""
        return self._response is None and not self._sent.body and self._client.state.their_state is h11.DONE

    async def through(self, upstream: Peer) -> None:
        """Pass both ways at once: an answer may begin before the upload ends."""
        began = time.perf_counter()
        await upstream.send(self._request)
        pump = asyncio.create_task(self._pump(upstream))
        try:
            self._response = response = await upstream.response()
            await self._client.send(_copied(response))
            async for part in upstream.body():
                self._got.add(part)
                await self._client.send(h11.Data(data=part))
            self._elapsed_seconds = time.perf_counter() - began
            await self._client.send(h11.EndOfMessage())
        finally:
            self._sent.whole = await _ended(pump) and self._sent.whole

    async def _pump(self, upstream: Peer) -> None:
        """The upload. A client that gives up takes the request with it; a server that wants no more may answer."""
        try:
            async for part in self._client.body():
                self._sent.add(part)
                await upstream.send(h11.Data(data=part))
        except (BrokenOffError, h11.RemoteProtocolError):
            upstream.abort()
            raise
        await upstream.send(h11.EndOfMessage())

    def exchange(self, url: str, started_at: dt.datetime, origin: str | None) -> Exchange:
        """What passed."""
        response = self._response
        assert response is not None
        return Exchange(
            method=self._request.method.decode(),
            url=url,
            request_headers=as_text(passed_on(self._request.headers)),
            sent=self._sent,
            status=response.status_code,
            reason=bytes(response.reason).decode("latin-1"),
            response_headers=as_text(response.headers.raw_items()),
            got=self._got,
            http_version=bytes(response.http_version).decode(),
            started_at=started_at,
            elapsed_seconds=self._elapsed_seconds,
            origin=origin,
        )


class _Session:
    """The connection to the provider that belongs to one client's connection; kept alive while both do."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._upstream: Peer | None = None
        self._place: tuple[str, str, int] | None = None

    async def to(self, route: Route) -> tuple[Peer, bool]:
        """A connection to the route's host, and whether it was there already. Raises `WireError`."""
        place = (route.scheme, route.host, route.port)
        if self._upstream is not None and self._place == place and self._upstream.open:
            return self._upstream, True
        self.abort()
        call = Call(scheme=route.scheme, host=route.host, port=route.port, method="", target="", headers=())
        streams = await self._wire.streams(call, deadline_seconds=CONNECT_SECONDS)
        self._upstream, self._place = Peer(h11.CLIENT, *streams), place
        return self._upstream, False

    def head(self, request: h11.Request, route: Route) -> h11.Request:
        """The request as it goes on: its own fields, without those of the client's connection."""
        fields = [(n, v) for n, v in passed_on(request.headers) if n.lower() != b"expect"]
        if route.host_header is not None:
            fields = [(n, v) for n, v in fields if n.lower() != b"host"]
            fields.insert(0, (b"Host", route.host_header.encode("latin-1")))
        target = route.target
        if self._wire.proxy is not None and route.scheme == "http":
            target = f"http://{route.host}:{route.port}{target}"
            if self._wire.proxy.authorization:
                fields.append((b"Proxy-Authorization", self._wire.proxy.authorization.encode("latin-1")))
        return h11.Request(method=request.method, target=target.encode("latin-1"), headers=fields)

    def done(self) -> None:
        """The exchange is over: keep the connection if it can serve another."""
        if self._upstream is not None and not self._upstream.again():
            self.abort()

    def abort(self) -> None:
        """End the connection, if there is one."""
        if self._upstream is not None:
            self._upstream.abort()
        self._upstream = None


async def _ended(pump: asyncio.Task[None]) -> bool:
    """Whether the upload came to its end; a server that answered before does not want the rest."""
    if not pump.done():
        await asyncio.sleep(0)
    whole = pump.done()
    if not whole:
        pump.cancel()
    with contextlib.suppress(asyncio.CancelledError, *_TROUBLE):
        await pump
        return whole
    return False


def _copied(response: h11.Response) -> h11.Response:
    fields = passed_on(response.headers)
    return h11.Response(status_code=response.status_code, headers=fields, reason=response.reason)


def _path_of(target: str) -> str:
    """Path and query of a target in any form."""
    if target.startswith("/"):
        return target
    rest = target.partition("://")[2]
    at = min((i for i in (rest.find("/"), rest.find("?")) if i >= 0), default=len(rest))
    found = rest[at:]
    return found if found.startswith("/") else f"/{found}"


def _asked_host(request: h11.Request, tunnel: Tunnel | None) -> tuple[str, int]:
    if tunnel is not None:
        return tunnel.host, tunnel.port
    parts = urlsplit(request.target.decode("latin-1"))
    try:
        return parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return parts.hostname or "", 0
