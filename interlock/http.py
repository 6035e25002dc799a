"""The one module that imports httpx: it builds requests, and other clients get our measured transport."""

from __future__ import annotations

import dataclasses
import functools
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from interlock import __version__
from interlock.resolve import Resolver
from interlock.settings import Network
from interlock.trust import trust
from interlock.wire import Answer, Call, Proxy, Wire, WireError, basic

USER_AGENT = f"interlock/{__version__}"
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A request before it is signed: what a signer reads and adds to.

    `service`: the AWS service that is asked, where it is not the one of the way of signing in.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    service: str | None = None

    def with_headers(self, headers: Mapping[str, str]) -> Draft:
        """The same with these headers set; earlier ones of the same name are replaced."""
        names = {name.lower() for name in headers}
        kept = tuple(pair for pair in self.headers if pair[0].lower() not in names)
        return dataclasses.replace(self, headers=(*kept, *headers.items()))

    def with_url(self, url: str) -> Draft:
        """The same with another URL."""
        return dataclasses.replace(self, url=url)

    def with_body(self, body: bytes) -> Draft:
        """The same with another body."""
        return dataclasses.replace(self, body=body)


@functools.lru_cache(maxsize=4096)
def call(draft: Draft) -> Call:
    """The request as it goes on the wire; built once for a draft that stays the same.

    Raises `ValueError` for a URL that cannot be asked.
    """
    return built(draft)


def built(draft: Draft) -> Call:
    """The same for a draft that is sent once: nothing is remembered. Raises `ValueError`."""
    try:
        request = httpx.Request(draft.method, draft.url, headers=draft.headers, content=draft.body or None)
    except (httpx.InvalidURL, TypeError) as exc:
        raise ValueError(f"not a URL that can be asked: {exc}") from exc
    fixed = {"user-agent": USER_AGENT, "accept": "*/*", "accept-encoding": "identity", "connection": "close"}
    for name, value in fixed.items():
        request.headers.setdefault(name, value)
    return _call(request)


def _call(request: httpx.Request) -> Call:
    url = request.url
    if url.scheme not in _DEFAULT_PORTS or not url.host:
        raise ValueError("not an http:// or https:// URL with a host")
    return Call(
        scheme=url.scheme,
        host=url.raw_host.decode("ascii").strip("[]"),
        port=url.port or _DEFAULT_PORTS[url.scheme],
        method=request.method,
        target=url.raw_path.decode("ascii"),
        headers=tuple(request.headers.raw),
        body=request.content,
    )


@dataclass
class Client:
    """Asks with the way out that each integration has. One for a process: resolver and TLS are shared."""

    resolver: Resolver = field(default_factory=Resolver)
    _wires: dict[tuple[object, ...], Wire] = field(default_factory=dict)

    def wire(self, network: Network, folder: Path) -> Wire:
        """The wire for a proxy, private CA and client certificate; made once for each set of them."""
        own = network.client_certificate
        key = (network.proxy, network.proxy_username, network.proxy_password, network.ca_file, own, folder)
        if key not in self._wires:
            self._wires[key] = Wire(
                resolver=self.resolver, tls=_trust(network, folder), proxy=_proxy(network, folder)
            )
        return self._wires[key]

    async def ask(self, draft: Draft, *, network: Network, folder: Path, deadline_seconds: float) -> Answer:
        """Send once, follow nothing. Raises `WireError`."""
        return await self.wire(network, folder).exchange(call(draft), deadline_seconds=deadline_seconds)


def _trust(network: Network, folder: Path) -> ssl.SSLContext | None:
    if network.ca_file is None and network.client_certificate is None:
        return None
    own = network.client_certificate
    password = own.password.resolve(base=folder).reveal() if own and own.password else None
    return trust(
        folder / network.ca_file if network.ca_file else None,
        folder / own.certificate if own else None,
        folder / own.key if own else None,
        password,
    )


def _proxy(network: Network, folder: Path) -> Proxy | None:
    if network.proxy is None:
        return None
    parts = urlsplit(network.proxy)
    authorization = None
    if network.proxy_username is not None:
        password = network.proxy_password.resolve(base=folder).reveal() if network.proxy_password else ""
        authorization = basic(network.proxy_username, password)
    return Proxy(host=parts.hostname or "", port=parts.port or 3128, authorization=authorization)


class Transport(httpx.AsyncBaseTransport):
    """Our wire below httpx's interface: `httpx.AsyncClient(transport=Transport(wire))`.

    The response's extension `phases` holds the seconds by phase. The time-out of the request is the deadline of
    the whole exchange, and a body is cut at the wire's cap.
    """

    def __init__(self, wire: Wire, *, deadline_seconds: float = 30.0) -> None:
        self._wire = wire
        self._deadline_seconds = deadline_seconds

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange on a fresh connection. Raises `httpx.TransportError`."""
        await request.aread()
        request.headers["connection"] = "close"
        try:
            answer = await self._wire.exchange(_call(request), deadline_seconds=self._deadline_seconds)
        except WireError as exc:
            raise httpx.TransportError(exc.detail, request=request) from exc
        dropped = {"content-encoding", "transfer-encoding", "content-length"}
        headers = {name: value for name, value in answer.headers.items() if name not in dropped}
        return httpx.Response(
            answer.status,
            headers=headers,
            content=answer.body,
            request=request,
            extensions={"phases": answer.phases},
        )
