"""Published keys and certificates: fetched over https alone, capped, cached, and fetched again when they rotate.

Which hosts may be asked is decided by the scheme before a URL ever comes here (`Checked.key_url`).
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from contracts.webhooks.records import Checked, Delivery, Keys, Policy, Ports, Refusal
from contracts.webhooks.signatures import verify
from interlock.errors import InterlockError
from interlock.http import Draft, call
from interlock.wire import Wire, WireError

Fetch = Callable[[str], Awaitable[bytes]]
MAX_KEY_BYTES = 256 * 1024
_HOPS = 3  # a discovery document, then its keys
_OK = 200


class FetchError(InterlockError):
    """A key or certificate could not be fetched from its provider."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a URL gave: `data` as of `fetched_at`, and when it was last asked (epoch seconds)."""

    data: bytes | None
    fetched_at: float
    asked_at: float


@dataclass
class KeyStore:
    """What was fetched, by URL. `ttl_seconds`: how long it counts; `cooldown_seconds`: between two fetches of a URL.

    The cool-down bounds what a flood of forged deliveries can make us ask: of a URL that fails, and of one whose
    keys do not hold the name that a token gives. `max_fetches` bounds all URLs together within one cool-down,
    `max_urls` the memory; what was fetched first goes first.
    """

    fetch: Fetch
    now: Callable[[], float]
    ttl_seconds: float = 3600.0
    cooldown_seconds: float = 30.0
    max_fetches: int = 20
    max_urls: int = 64
    _entries: OrderedDict[str, _Entry] = field(default_factory=OrderedDict, repr=False)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict, repr=False)
    _asked: deque[float] = field(default_factory=deque, repr=False)

    def held(self, url: str) -> bytes | None:
        """What was fetched from the URL and still counts; None if nothing was."""
        entry = self._entries.get(url)
        fresh = entry is not None and self.now() - entry.fetched_at <= self.ttl_seconds
        return entry.data if entry is not None and fresh else None

    async def load(self, url: str, *, again: bool = False) -> bool:
        """Fetch, unless it is held (`again`: even then) or was asked just now. True if it may be judged anew."""
        before = self._entries.get(url)
        async with self._locks.setdefault(url, asyncio.Lock()):
            if self._entries.get(url) is not before:  # another delivery fetched it meanwhile
                return self.held(url) is not None
            if urlsplit(url).scheme != "https" or (self.held(url) is not None and not again):
                return False
            return self._may_ask(before) and await self._ask(url, before)

    def _may_ask(self, before: _Entry | None) -> bool:
        now = self.now()
        while self._asked and now - self._asked[0] >= self.cooldown_seconds:
            self._asked.popleft()
        rested = before is None or now - before.asked_at >= self.cooldown_seconds
        return rested and len(self._asked) < self.max_fetches

    async def _ask(self, url: str, before: _Entry | None) -> bool:
        self._asked.append(self.now())
        try:
            data = await self.fetch(url)
        except FetchError:
            data = b""
        now = self.now()
        if 0 < len(data) <= MAX_KEY_BYTES:
            self._keep(url, _Entry(data, now, now))
            return True
        self._keep(
            url, _Entry(None, now, now) if before is None else dataclasses.replace(before, asked_at=now)
        )
        return False

    def _keep(self, url: str, entry: _Entry) -> None:
        self._entries[url] = entry
        self._entries.move_to_end(url)
        while len(self._entries) > self.max_urls:
            gone, _ = self._entries.popitem(last=False)
            self._locks.pop(gone, None)


async def check(
    name: str,
    delivery: Delivery,
    keys: Keys,
    ports: Ports,
    store: KeyStore,
    policy: Policy | None = None,
) -> Checked:
    """`verify`, with what it needs fetched; once more where a token names a key that was not published before."""
    ports = dataclasses.replace(ports, held=store.held)
    checked = verify(name, delivery, keys, ports, policy)
    for _ in range(_HOPS):
        rotated = checked.reason is Refusal.KEY_UNKNOWN
        if checked.key_url is None or not (rotated or checked.reason is Refusal.KEY_UNAVAILABLE):
            break
        if not await store.load(checked.key_url, again=rotated):
            break
        checked = verify(name, delivery, keys, ports, policy)
    return checked


def over(wire: Wire, *, deadline_seconds: float = 10.0) -> Fetch:
    """A `Fetch` on our wire: GET over https, 200 alone, no redirect, `MAX_KEY_BYTES`, a total deadline."""
    wire = dataclasses.replace(wire, max_body_bytes=MAX_KEY_BYTES)

    async def fetch(url: str) -> bytes:
        if urlsplit(url).scheme != "https":
            raise FetchError("a key is fetched over https alone")
        try:
            answer = await wire.exchange(
                call(Draft(method="GET", url=url)), deadline_seconds=deadline_seconds
            )
        except (WireError, ValueError) as exc:
            raise FetchError(f"the key could not be fetched: {exc}") from exc
        if answer.status != _OK or answer.truncated:
            raise FetchError(f"the key could not be fetched: status {answer.status}")
        return answer.body

    return fetch
