"""A reference receiver on asyncio: right as it is, wrong in one way with a planted fault. Loopback alone."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import math
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import parse_qsl, urlsplit

from contracts.webhooks.drill import places
from contracts.webhooks.drill.profiles import Profile
from contracts.webhooks.drill.receivers.checks import CHECKS, Came, digest, event_of, told
from contracts.webhooks.events import identify
from contracts.webhooks.records import Delivery
from interlock import xml_document

LARGEST_BYTES = 1024 * 1024
SLOW_SECONDS = 7.0  # of the ten that most providers wait
_TURNS = 200
_ORDER_SECONDS = 30  # that a queue may mix up


class Fault(StrEnum):
    """What can be wrong with a receiver."""

    CHECKS_NOTHING = "checks no signature"
    TAKES_UNSIGNED = "takes what carries no signature"
    TAKES_EMPTY = "takes an empty signature"
    SECOND_SECRET = "also knows a secret from an example"  # noqa: S105 - a description
    IGNORES_A_FIELD = "checks the body without one of its fields"
    ROUNDS_TIME = "checks the time of the second before too"
    IGNORES_ID = "does not check the id"
    NO_PAST = "takes a delivery of any age"
    NO_FUTURE = "takes a delivery from the future"
    TAKES_WEAKER = "takes a retired version of the signature"
    BREAKS_ON_FORGERY = "answers 500 to a bad signature"
    ACTS_FIRST = "acts, and checks afterwards"
    ACTS_AGAIN = "acts on every delivery"
    KEYED_BY_SIGNATURE = "tells events apart by their signature"
    RACES = "looks whether it acted, and notes it later"
    NEEDS_ID = "breaks without an id"
    NULL_IS_NO_KEY = "acts again on what has no id, for a unique key takes nulls"
    INVENTS_ID = "makes up an id where none came"
    IN_ORDER = "refuses what is older than what it has"
    NEEDS_KNOWN_TYPE = "breaks on a type that it does not know"
    BREAKS_ON_JSON = "breaks on a body that is no JSON"
    BREAKS_ON_CONTENT_TYPE = "breaks on another content type"
    BREAKS_ON_SIZE = "breaks on a large body"
    FIRST_SIGNATURE = "tries the first signature alone"
    BREAKS_ON_DOUBLES = "breaks on a header that comes twice"
    RESERIALISES = "checks the body as it would write it"
    ASCII_ONLY = "reads the body as ASCII"
    STRIPS = "strips the body before it is checked"
    ONE_PIECE = "takes the first piece for the whole body"
    NO_ECHO = "does not answer the handshake"
    SLOW = "takes longer than half of what the provider waits"
    HANGS = "never answers a type that it does not know"
    BREAKS_ON_A_TYPE = "breaks on one type of the contract"
    UNACKNOWLEDGED = "does not write what the provider wants to read"
    ANY_TOKEN = "takes any token of the handshake"  # noqa: S105 - a description


# Under which name what has no id is kept, by how much was kept before.
_NAMED_ANEW: dict[Fault | None, Callable[[int], str]] = {
    Fault.NULL_IS_NO_KEY: lambda _: "",
    Fault.INVENTS_ID: lambda turn: f"invented-{turn}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    came: Came
    doubles: bool
    large: bool


class _Answered(Exception):  # noqa: N818 - ends a request early, with its status
    def __init__(self, status: int, body: bytes = b"") -> None:
        super().__init__(status)
        self.status, self.body = status, body


@dataclass(kw_only=True)
class Reference:
    """One receiver. `secret`: what it checks with; `second`: one from an example, used with that fault alone.

    `pause`: sleeps, in seconds; what never answers sleeps for ever.
    """

    scheme: str
    profile: Profile
    secret: str
    now: Callable[[], float]
    verify_token: str = ""
    second: str = ""
    fault: Fault | None = None
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    weaker: Callable[[Came, str], bool] | None = None
    effects: list[str] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _newest: float = 0.0
    _scheme: str = "http"

    async def read_effects(self) -> bytes:
        """What it has done, as `--effects` gives it: null where no id came."""
        return json.dumps([each or None for each in self.effects]).encode()

    @contextlib.asynccontextmanager
    async def serving(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
        """Its address, while it stands; over TLS where a context is given."""
        tasks: set[asyncio.Task[None]] = set()
        self._scheme = "https" if tls else "http"

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            with contextlib.suppress(asyncio.CancelledError):  # the server ends: asyncio would log it
                await self._connected(reader, writer)
            writer.close()
            tasks.discard(task)

        server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        async with server:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{port}/hook"
            for task in tasks:  # what hangs
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = b""
        try:
            request = await self._read(reader)
            status, body = await self._answer(request)
        except _Answered as answered:
            status, body = answered.status, answered.body
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            status = 400
        head = f"HTTP/1.1 {status} Answer\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        with contextlib.suppress(ConnectionError):
            writer.write(head.encode() + body)
            await writer.drain()
            writer.close()
            await writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader) -> _Request:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8", "replace").split("\r\n")
        method, target, _ = lines[0].split(" ")
        pairs = [line.split(": ", 1) for line in lines[1:] if ": " in line]
        headers = {name.lower(): value for name, value in pairs}
        size = int(headers.get("content-length", "0"))
        if self.fault is Fault.ONE_PIECE and size:
            body = await reader.read(size)
        else:
            body = await reader.readexactly(size)
        url = f"{self._scheme}://{headers.get('host', '')}{target}"
        came = Came(method=method, url=url, headers=headers, body=body, now=self.now())
        return _Request(came=came, doubles=len(headers) < len(pairs), large=size > LARGEST_BYTES)

    async def _answer(self, request: _Request) -> tuple[int, bytes]:
        came = request.came
        if came.method != "POST":
            return self._greeted(came) if came.method == "GET" else (405, b"")
        if request.large:
            raise _Answered(500 if self.fault is Fault.BREAKS_ON_SIZE else 413)
        if request.doubles and self.fault is Fault.BREAKS_ON_DOUBLES:
            raise _Answered(500)
        if came.headers.get("content-type", "") != self.profile.content_type:
            raise _Answered(500 if self.fault is Fault.BREAKS_ON_CONTENT_TYPE else 415)
        if self.fault is Fault.ACTS_FIRST:
            self.effects.append(self._key(came))
        if not self._fits(came):
            raise _Answered(500 if self.fault is Fault.BREAKS_ON_FORGERY else 401)
        self._readable(came)
        await self._idled(came)
        if came.headers.get("aeg-event-type") != "SubscriptionValidation":
            await self._act(came)
        return (200, b"ok") if self.fault is Fault.UNACKNOWLEDGED else told(came, self.scheme)

    async def _idled(self, came: Came) -> None:
        """What a slow receiver does with a type that it does not know."""
        wait = {Fault.SLOW: SLOW_SECONDS, Fault.HANGS: math.inf}.get(self.fault) if self.fault else None
        if wait is not None and b"interlock.unknown" in came.body:
            await self.pause(wait)

    def _greeted(self, came: Came) -> tuple[int, bytes]:
        asked = dict(parse_qsl(urlsplit(came.url).query))
        if asked.get("hub.verify_token") != self.verify_token and self.fault is not Fault.ANY_TOKEN:
            return 403, b""
        return 200, b"ok" if self.fault is Fault.NO_ECHO else asked.get("hub.challenge", "").encode()

    def _fits(self, came: Came) -> bool:
        fault, given = self.fault, came.headers.get(_header(self.profile))
        check, window = CHECKS[self.scheme]
        if fault is Fault.CHECKS_NOTHING:
            return True
        if (fault is Fault.TAKES_UNSIGNED and given is None) or (fault is Fault.TAKES_EMPTY and given == ""):
            return True
        if fault is Fault.TAKES_WEAKER and self.weaker is not None and self.weaker(came, self.secret):
            return True
        secrets = (self.secret, self.second) if fault is Fault.SECOND_SECRET else (self.secret,)
        return any(
            check(each, secret, window) for each in variants(came, fault, self.profile) for secret in secrets
        )

    def _readable(self, came: Came) -> None:
        """Refused with 400 where a right receiver cannot read the body."""
        if self.scheme in {"twilio", "google-risc"}:
            return
        try:
            xml_document.root(came.body) if self.scheme == "salesforce" else json.loads(came.body)
        except ValueError:
            raise _Answered(500 if self.fault is Fault.BREAKS_ON_JSON else 400) from None
        if self.fault is Fault.BREAKS_ON_A_TYPE and b"charge.refunded" in came.body:
            raise _Answered(500)
        if self.fault is Fault.NEEDS_KNOWN_TYPE and b"interlock.unknown" in came.body:
            raise _Answered(500)
        if self.fault is Fault.NEEDS_ID and not self._ids(came):
            raise _Answered(500)
        if self.fault is Fault.IN_ORDER:
            stamp = float(came.headers.get("stripe-signature", "t=0").split(",")[0][2:])
            if stamp < self._newest - _ORDER_SECONDS:
                raise _Answered(409)
            self._newest = max(stamp, self._newest)

    def _ids(self, came: Came) -> tuple[str, ...]:
        if self.profile.id_at is None or self.profile.id_at.startswith("element:"):
            return ()
        delivery = Delivery(headers=tuple(came.headers.items()), body=came.body)
        return identify(delivery, self.profile.id_at)

    def _key(self, came: Came) -> str:
        return event_of(came, self.scheme) or next(iter(self._ids(came)), digest(came.body))

    async def _act(self, came: Came) -> None:
        own = key = self._key(came)
        if self.fault is Fault.KEYED_BY_SIGNATURE:
            key = _signature(came, self.profile)
        if self.fault in _NAMED_ANEW and not self._ids(came):
            self.effects.append(_NAMED_ANEW[self.fault](len(self.effects)))
            return
        if key in self._seen and self.fault is not Fault.ACTS_AGAIN:
            return
        if self.fault is Fault.RACES:
            for _ in range(_TURNS):
                await asyncio.sleep(0)
        self._seen.add(key)
        if self.fault is not Fault.ACTS_FIRST:
            self.effects.append(own)


Variant = Callable[[Came, Profile], list[Came]]


def variants(came: Came, fault: Fault | None, profile: Profile) -> list[Came]:
    """What is checked: the request as it came, or what a receiver with this fault makes of it."""
    made = _VARIANTS.get(fault) if fault else None
    return made(came, profile) if made else [came]


def _header(profile: Profile) -> str:
    """The header that the signature stands in, empty if none."""
    return (places.header_of(profile.signature) or "").lower()


def _signature(came: Came, profile: Profile) -> str:
    return came.headers.get(_header(profile), "")


def _headed(came: Came, name: str, text: str) -> Came:
    return dataclasses.replace(came, headers={**came.headers, name.lower(): text})


def _bodied(came: Came, body: bytes) -> Came:
    return dataclasses.replace(came, body=body)


def _stamp(came: Came, profile: Profile) -> str:
    """The time of a Stripe signature."""
    return _signature(came, profile).removeprefix("t=").partition(",")[0]


def _first_signature(came: Came, profile: Profile) -> list[Came]:
    first = ",".join(_signature(came, profile).split(",")[:2])
    return [_headed(came, _header(profile), first)]


def _without_a_field(came: Came, _: Profile) -> list[Came]:
    return [came, _bodied(came, came.body.replace(b',"interlock_tampered":"9"', b""))]


def _a_second_before(came: Came, profile: Profile) -> list[Came]:
    stamp, signature = _stamp(came, profile), _signature(came, profile)
    if not stamp.isdigit():
        return [came]
    earlier = signature.replace(stamp, str(int(stamp) - 1), 1)
    return [came, _headed(came, _header(profile), earlier)]


def _another_id(came: Came, profile: Profile) -> list[Came]:
    header = (profile.id_at or "").removeprefix("header:")
    return [came, _headed(came, header, came.headers.get(header, "").removesuffix("-other"))]


def _rewritten(came: Came, _: Profile) -> list[Came]:
    try:
        return [_bodied(came, json.dumps(json.loads(came.body), separators=(",", ":")).encode())]
    except ValueError:
        return [came]


def _as_if_now(*, past: bool) -> Variant:
    """With the clock where the time is within bounds, on the side that is not looked at."""

    def made(came: Came, profile: Profile) -> list[Came]:
        stamp = _stamp(came, profile)
        at = float(stamp) if stamp.isdigit() else came.now
        blind = at < came.now if past else at > came.now
        return [dataclasses.replace(came, now=at) if blind else came]

    return made


_VARIANTS: dict[Fault, Variant] = {
    Fault.FIRST_SIGNATURE: _first_signature,
    Fault.IGNORES_A_FIELD: _without_a_field,
    Fault.ROUNDS_TIME: _a_second_before,
    Fault.IGNORES_ID: _another_id,
    Fault.RESERIALISES: _rewritten,
    Fault.STRIPS: lambda came, _: [_bodied(came, came.body.strip())],
    Fault.ASCII_ONLY: lambda came, _: [_bodied(came, came.body.decode("ascii", "replace").encode())],
    Fault.NO_PAST: _as_if_now(past=True),
    Fault.NO_FUTURE: _as_if_now(past=False),
}
