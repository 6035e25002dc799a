"""Name resolution that a hung resolver cannot stop: at most one daemon thread for a host, shared by all.

asyncio's own `getaddrinfo` runs in a small pool that other work shares, and whose threads are joined at exit.
"""

from __future__ import annotations

import asyncio
import functools
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

AddrInfo = tuple[Any, ...]
Lookup = Callable[[str, int], list[AddrInfo]]
THREAD_LIMIT = 256
LOCALHOST = "localhost"


def _getaddrinfo(host: str, port: int) -> list[AddrInfo]:
    return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


class ResolverBusy(OSError):  # noqa: N818 - it says what happened
    """Too many names hang in the resolver already."""


def is_localhost(host: str) -> bool:
    """Whether a host is `localhost` or a name below it (RFC 6761, 6.3)."""
    return host == LOCALHOST or host.endswith(f".{LOCALHOST}")


@functools.lru_cache(maxsize=4096)
def is_loopback(host: str) -> bool:
    """Whether a host of a URL, by name or number, is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return is_localhost(host)


@dataclass
class Resolver:
    """Looks up hosts, each at most once at a time. `lookup` blocks; it runs in a daemon thread.

    A name below `localhost` is looked up as `localhost`, so that no other resolver is asked where it is.
    """

    lookup: Lookup = _getaddrinfo
    _flights: dict[tuple[str, int], asyncio.Future[list[AddrInfo]]] = field(default_factory=dict)

    async def __call__(self, host: str, port: int) -> list[AddrInfo]:
        """The addresses of a host, as `getaddrinfo` gives them. Raises `OSError` (`socket.gaierror`)."""
        if (literal := _literal(host, port)) is not None:
            return literal
        key = (LOCALHOST if is_localhost(host) else host, port)
        flight = self._flights.get(key)
        if flight is None:
            flight = self._start(key)
        return await asyncio.shield(flight)

    def _start(self, key: tuple[str, int]) -> asyncio.Future[list[AddrInfo]]:
        if len(self._flights) >= THREAD_LIMIT:
            raise ResolverBusy("the resolver does not answer: too many lookups hang")
        loop = asyncio.get_running_loop()
        flight: asyncio.Future[list[AddrInfo]] = loop.create_future()
        self._flights[key] = flight
        threading.Thread(
            target=self._run, args=(loop, flight, key), name=f"dns {key[0]}", daemon=True
        ).start()
        return flight

    def _run(
        self, loop: asyncio.AbstractEventLoop, flight: asyncio.Future[list[AddrInfo]], key: tuple[str, int]
    ) -> None:
        found: list[AddrInfo] | None = None
        problem: Exception | None = None
        try:
            found = self.lookup(*key)
        except (OSError, UnicodeError) as exc:
            problem = exc if isinstance(exc, OSError) else OSError(f"{key[0]!r} is not a host name")
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._land, flight, key, found, problem)

    def _land(
        self,
        flight: asyncio.Future[list[AddrInfo]],
        key: tuple[str, int],
        found: list[AddrInfo] | None,
        problem: Exception | None,
    ) -> None:
        self._flights.pop(key, None)
        if flight.done():
            return
        if problem is not None:
            flight.set_exception(problem)
            flight.exception()  # nobody may be waiting any more
        else:
            flight.set_result(found or [])


@functools.lru_cache(maxsize=4096)
def _literal(host: str, port: int) -> list[AddrInfo] | None:
    """An address that needs no lookup."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if address.version == 4:  # noqa: PLR2004 - IPv4
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))]
    return [(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port, 0, 0))]
