"""The door: one HTTP request in, one answer out. What is not let in is refused as its provider understands it.

An answer of 2xx is given only after the delivery is committed. If that does not happen by half of the time that the
provider waits, the answer is 503, so that it is sent again.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts.webhooks.configure import Receiver
from contracts.webhooks.inbox.keeper import Keeper
from contracts.webhooks.inbox.records import Arrival, Outcome
from contracts.webhooks.keys import KeyStore, check
from contracts.webhooks.records import Checked, Delivery, Ports, Refusal
from interlock.errors import StoreError, UsageError

log = logging.getLogger(__name__)
Clock = Callable[[], dt.datetime]
Taken = Callable[[Receiver, Arrival], Awaitable[None]]
_HANDSHAKES = frozenset({"handshake", "options", "validation"})
_TOO_LARGE, _UNAVAILABLE, _TIMEOUT = 413, 503, 408
_STATUS = {Refusal.BODY_TOO_LARGE: _TOO_LARGE, Refusal.KEY_UNAVAILABLE: _UNAVAILABLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Takes `POST /hooks/NAME`. `keep`: how long raw bytes are kept. `taken` is told of what is new, afterwards."""

    receivers: Mapping[str, Receiver]
    keeper: Keeper
    keys: KeyStore
    clock: Clock
    largest_bytes: int
    keep: dt.timedelta
    fingerprint_key: bytes
    taken: Taken | None = None

    def routes(self) -> list[Route]:
        """The addresses of all receivers, and a sign of life."""
        methods = ["GET", "POST", "OPTIONS"]
        return [
            Route("/hooks/{name}", self.take, methods=methods),
            Route("/healthz", self.alive, methods=["GET"]),
        ]

    async def alive(self, _: Request) -> Response:
        """200 while the inbox can be written, 503 while it cannot."""
        try:
            await asyncio.wait_for(asyncio.wrap_future(self.keeper.prune(self.clock())), 5)
        except (StoreError, TimeoutError):
            return JSONResponse({"schema": "interlock.inbox-health/1", "store": False}, _UNAVAILABLE)
        return JSONResponse({"schema": "interlock.inbox-health/1", "store": True})

    async def take(self, request: Request) -> Response:
        """Check, keep, answer."""
        receiver = self.receivers.get(request.path_params["name"])
        if receiver is None:
            return Response(status_code=404)
        try:
            async with asyncio.timeout(receiver.timeout_seconds / 2):
                return await self._take(request, receiver)
        except TimeoutError:
            self.keeper.count(receiver.name, Outcome.NOT_KEPT, "late", self.clock())
            return Response(status_code=_UNAVAILABLE, headers={"Retry-After": "5"})
        except UsageError as exc:  # ours to mend; until then the provider is asked to come again
            log.warning("%s: %s", receiver.name, exc.message)
            self.keeper.count(receiver.name, Outcome.NOT_KEPT, "misconfigured", self.clock())
            return Response(status_code=_UNAVAILABLE, headers={"Retry-After": "5"})
        except ClientDisconnect:
            return Response(status_code=_TIMEOUT)

    async def _take(self, request: Request, receiver: Receiver) -> Response:
        now = self.clock()
        body = await _body(request, self.largest_bytes)
        if body is None:
            return self._refused(receiver, Refusal.BODY_TOO_LARGE, now)
        delivery = _delivery(request, body, receiver.keys.url)
        ports = Ports(now=now.timestamp, fingerprint_key=self.fingerprint_key)
        keys = dataclasses.replace(receiver.keys, url=None)  # it is in the delivery, with the query that came
        checked = await check(receiver.scheme, delivery, keys, ports, self.keys, receiver.policy)
        if checked.reason is not None:
            return self._refused(receiver, checked.reason, now)
        if checked.version in _HANDSHAKES:
            self.keeper.count(receiver.name, Outcome.HANDSHAKE, "", now)
            return _answer(checked)
        arrival = Arrival(
            id=uuid.uuid4().hex,
            integration=receiver.name,
            checked=checked,
            delivery=delivery,
            received_at=now,
            forwarded=receiver.forward is not None,
            kept_until=now + self.keep,
        )
        return await self._kept(receiver, arrival)

    async def _kept(self, receiver: Receiver, arrival: Arrival) -> Response:
        try:
            outcome = await asyncio.wrap_future(self.keeper.keep(arrival))
        except StoreError:
            return Response(status_code=_UNAVAILABLE, headers={"Retry-After": "5"})
        if outcome is Outcome.TAKEN and self.taken is not None:
            await self.taken(receiver, arrival)
        return _answer(arrival.checked)

    def _refused(self, receiver: Receiver, reason: Refusal, now: dt.datetime) -> Response:
        """Without a word about why: that is told to us, by the counts, and not to a forger."""
        self.keeper.count(receiver.name, Outcome.REFUSED, reason.value, now)
        return Response(status_code=_STATUS.get(reason, receiver.refuses))


def _answer(checked: Checked) -> Response:
    if checked.answer is None:
        return Response(status_code=200)
    told = checked.answer
    return Response(told.body, told.status, headers=dict(told.headers))


async def _body(request: Request, largest_bytes: int) -> bytes | None:
    """The raw body; None if it is larger, without reading the rest."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > largest_bytes:
            return None
        parts.append(part)
    return b"".join(parts)


def _delivery(request: Request, body: bytes, public_url: str | None) -> Delivery:
    """With the URL that the provider was given, where that is known, and the query that came."""
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw)
    came = urlsplit(str(request.url))
    known = urlsplit(public_url) if public_url else came
    url = urlunsplit((known.scheme, known.netloc, known.path, came.query, ""))
    return Delivery(method=request.method, url=url, headers=headers, body=body)
