"""A provider on loopback, built from its catalogue file alone: credentials, limits, outages, faults."""

from __future__ import annotations

import asyncio
import datetime as dt
import difflib
import json
import random
import re
import ssl
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, quote, urlsplit

import trustme

from contracts.clients.faults import FAULTS, Reply, Request, Sleep
from contracts.clients.limits import QUOTA_BODIES, window
from contracts.clients.server import FaultServer
from contracts.clients.sign_in import GRANT, VERIFY, Clock, Keys, Seen, service_of
from interlock import catalogue, headroom
from interlock.catalogue import Ask, AuthWay, Example, Provider
from interlock.errors import UsageError
from interlock.headroom import Reading

# What a stand-in can be told to be. Any fault of `FAULTS` is a state too.
STATES = {
    "healthy": "answer as the provider does",
    "outage": "answer 503 to everything",
    "slow": "answer late",
    "throttled": "answer as the provider does when the limit is used up",
    "revoked": "take no credential any more",
    "down": "refuse connections",
}
SLOW_SECONDS = 5.0
THROTTLED_SECONDS = 30.0
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_JSON = ("content-type", "application/json")
_GOOD = range(200, 300)
_UNKNOWN = "the stand-in knows no such path"
_WHY = {Seen.LATE: "late_signature", Seen.FORGED: "bad_signature"}


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, slots=True)
class Mood:
    """The state that a stand-in is in. `seconds`: how late, or when to come back; None for the usual."""

    state: str
    seconds: float | None = None


class StandIn:
    """A provider on one loopback port. `async with` starts and stops it.

    `provider`: a name of the catalogue, or an entry. `requests_per_window`, `window_seconds`: other limits
    than the catalogue's. `token_seconds`: life of issued tokens. `clock`, `sleep`, `rng` are for tests.
    """

    def __init__(  # noqa: PLR0913 - clock, sleep and rng are the ports of the tests
        self,
        provider: str | Provider,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: bool = False,
        clock: Clock = _now,
        sleep: Sleep = asyncio.sleep,
        rng: random.Random | None = None,
        requests_per_window: int | None = None,
        window_seconds: float | None = None,
        token_seconds: float = 3600.0,
    ) -> None:
        self.provider = catalogue.load(provider) if isinstance(provider, str) else provider
        self.requests: Counter[tuple[str, int]] = Counter()
        self.mood = Mood("healthy")
        self._clock, self._rng, self._token_seconds = clock, rng or random.SystemRandom(), token_seconds
        self._window = window(self.provider, requests_per_window, window_seconds)
        self._authority = trustme.CA() if tls else None
        self._server = FaultServer(
            self._answer, host=host, port=port, tls=_context(self._authority, host), sleep=sleep
        )
        self._control = FaultServer(self._steer)
        self._stack = AsyncExitStack()
        self._keys: Keys
        self._host = host

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._server)
            await stack.enter_async_context(self._control)
            self._keys = Keys(self.provider, self.url, self._clock, self._rng, self._token_seconds)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    # --- what a client needs to know ---

    @property
    def url(self) -> str:
        """Where it listens. Every base of the provider is here; their paths do not meet."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104 - compared only
        host = f"[{host}]" if ":" in host else host
        return f"{'https' if self._authority else 'http'}://{host}:{self._server.port}"

    @property
    def urls(self) -> dict[str, str]:
        """The URL of each base, by its name."""
        return {base.name: self.url for base in self.provider.bases}

    @property
    def control_url(self) -> str:
        """Where it is steered from: GET tells the state, POST sets it. Always loopback, always plain HTTP."""
        return f"http://127.0.0.1:{self._control.port}/"

    @property
    def credentials(self) -> dict[str, str]:
        """Made-up credentials by name; keys differ from run to run."""
        return dict(self._keys.credentials)

    @property
    def parameters(self) -> dict[str, str]:
        """A made-up value for each parameter of the provider."""
        return {name: p.default or p.example for name, p in self.provider.parameters.items()}

    @property
    def ca_pem(self) -> str | None:
        """The throw-away authority's certificate, PEM; None without TLS."""
        return self._authority.cert_pem.bytes().decode() if self._authority else None

    def environment_name(self, credential: str) -> str:
        """The variable that holds a credential; never one that may hold a real one."""
        return f"STAND_IN_{self.provider.name}_{credential}".upper()

    @property
    def environ(self) -> dict[str, str]:
        """The credentials by the variables that `settings` refers to."""
        return {self.environment_name(name): value for name, value in self.credentials.items()}

    def settings(self, way: str | None = None, *, ca_file: Path | str | None = None) -> dict[str, Any]:
        """A ready `[integrations.NAME]` table that signs in by `way`; by the first one if None."""
        chosen = self.provider.auth[way or next(iter(self.provider.auth))]
        table: dict[str, Any] = {
            "provider": self.provider.name,
            "environment": "stand_in",
            "base_urls": self.urls,
            "credentials": {name: f"env:{self.environment_name(name)}" for name in chosen.credentials},
        }
        table |= {"parameters": self.parameters} if self.parameters else {}
        return table | ({"ca_file": str(ca_file)} if ca_file else {})

    # --- steering ---

    async def set_state(self, state: str, *, seconds: float | None = None) -> None:
        """Be `healthy`, `outage`, `slow`, `throttled`, `revoked`, `down`, or show a fault by its name.

        `seconds`: how late (slow), or what Retry-After says (throttled). Raises `UsageError`.
        """
        known = [*STATES, *FAULTS]
        if state not in known:
            near = difflib.get_close_matches(state, known, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise UsageError(
                f"no state or fault is called {state!r}{meant}", hint=f"there are: {', '.join(known)}"
            )
        self.mood = Mood(state, seconds)
        await (self._server.refuse() if state == "down" else self._server.accept())

    def use(self, count: int) -> None:
        """Use up `count` requests of the window, as other traffic of the same credential would."""
        now = self._clock()
        self._window.turn(now)
        self._window.used += count

    def answered(self, status: int) -> int:
        """How many requests were answered with a status."""
        return sum(count for (_, code), count in self.requests.items() if code == status)

    # --- answering ---

    async def _answer(self, request: Request) -> Reply:
        reply = self._decide(request)
        if self.mood.state in FAULTS:
            reply = replace(reply, fault=self.mood.state)
        elif self.mood.state == "slow":
            reply = replace(
                reply, delay_seconds=SLOW_SECONDS if self.mood.seconds is None else self.mood.seconds
            )
        self.requests[request.path, reply.status] += 1
        return reply

    def _decide(self, request: Request) -> Reply:
        """What the provider would answer, the present state considered."""
        if self.mood.state == "outage":
            return Reply(status=503, headers=(("content-type", "text/plain"),), body=b"service unavailable\n")
        ways = self.provider.auth.values()
        token_ways = [way for way in ways if way.scheme in GRANT and way.token_path == request.path]
        if token_ways and request.method == "POST":
            return self._token(token_ways, request)
        return self._api(request)

    def _api(self, request: Request) -> Reply:
        """An answer of the API itself: by what was asked, and by what the request shows of a credential."""
        asks = [ask for ask in self.provider.probes if self._fits(ask, request)]
        seen = {key: self._seen(way, request) for key, way in self.provider.auth.items()}
        right = {key for key, found in seen.items() if found is Seen.RIGHT}
        blind = next((ask for ask in asks if ask.cannot_tell), None)
        if self.mood.state == "throttled" and (right or blind or not asks):
            return self._throttled()
        if not right and not any(found.bad for found in seen.values()):
            return self._anonymous(asks, request)
        for ask in asks:
            if ask.credentialed and right and (not ask.auth or right & set(ask.auth)):
                return self._told(ask)
        if right and not any(ask.credentialed for ask in asks):
            return self._nothing(asks, request)
        return self._told(blind) if blind else self._refused(asks, request, set(seen.values()))

    def _seen(self, way: AuthWay, request: Request) -> Seen:
        found = VERIFY[way.scheme](self._keys, way, request)
        return Seen.WRONG if found is Seen.RIGHT and self.mood.state == "revoked" else found

    def _fits(self, ask: Ask, request: Request) -> bool:
        """Method and path agree, the query holds what was asked for, and so does the body."""
        if ask.places - self._keys.values().keys():
            return False
        path, _, query = ask.path.format_map(self._keys.values()).partition("?")
        wanted = parse_qsl(query, keep_blank_values=True)
        return (
            ask.method == request.method
            and path == request.path
            and set(wanted) <= set(request.query)
            and (ask.body is None or ask.body_with(self._keys.values()) == request.body)
        )

    def _token(self, ways: list[AuthWay], request: Request) -> Reply:
        """The token endpoint, which several ways may share: a fresh token, or the refusal."""
        way = next((way for way in ways if GRANT[way.scheme](self._keys, way, request)), None)
        if self.mood.state == "revoked" or way is None:
            return self._reply(ways[0].refusal or Example(status=401))
        if self.mood.state == "throttled":
            return self._throttled()
        good = way.example or Example(status=200, body={"token_type": "Bearer"})
        fresh = {"access_token": self._keys.token(), "expires_in": int(self._token_seconds)}
        return self._reply(good.model_copy(update={"body": {**(good.body or {}), **fresh}}))

    def _anonymous(self, asks: list[Ask], request: Request) -> Reply:
        """No credential: the public face where the path has one, the refusal where it does not."""
        public = next((ask for ask in asks if not ask.credentialed), None)
        if public is None:
            return self._refused(asks, request, set())
        return self._reply(public.example, body=self._quota_body(asks, public.example.body, None))

    def _refused(self, asks: list[Ask], request: Request, seen: Collection[Seen]) -> Reply:
        """What the provider says to a credential that is not good; 401 where the catalogue does not say."""
        why = [_WHY[found] for found in (Seen.LATE, Seen.FORGED) if found in seen]
        told = [self._worded(each, request) for each in why]
        told += [ask.refusal for ask in asks]
        told += [self._worded("unknown_key" if seen else "no_credential", request)]
        told += [ask.example for ask in asks if not ask.credentialed]
        told += [ask.refusal for ask in self.provider.probes]
        return self._reply(next(filter(None, told), Example(status=401)), asked=request)

    def _worded(self, what: str, request: Request) -> Example | None:
        """How the provider words this error, by the service that the request is signed for; None: it is not known."""
        service = service_of(request)
        return next(
            (
                error.answer
                for error in self.provider.errors
                if error.to == what
                and (service is None or error.service in {None, service})
                and re.search(error.path or "", request.path)
            ),
            None,
        )

    def _told(self, ask: Ask) -> Reply:
        """The right credential: the example, with what is left of the limit."""
        now = self._clock()
        if not ask.cost.free and not self._window.take(ask.cost.requests, now):
            return self._throttled()
        reading = self._window.reading(now)
        body = self._quota_body([ask], ask.example.body, reading)
        return self._reply(ask.example, body=body, reading=reading)

    def _nothing(self, asks: list[Ask], request: Request) -> Reply:
        """The right credential where none is asked for, or on a path that the catalogue does not know: it counts.

        What the stand-in does not know it refuses as the provider does what that does not know, and says in a header
        whose ignorance it is.
        """
        now = self._clock()
        if not self._window.take(1, now):
            return self._throttled()
        public = next((ask.example for ask in asks if ask.example.status in _GOOD), None)
        if public is not None:
            return self._reply(public, reading=self._window.reading(now))
        example = self._worded("unknown_path", request) or Example(status=404, body={"message": _UNKNOWN})
        extra = {"x-interlock-stand-in": _UNKNOWN}
        return self._reply(example, reading=self._window.reading(now), extra=extra, asked=request)

    def _throttled(self) -> Reply:
        """The provider's own answer to a client that has used up its limit."""
        limits, now = self.provider.rate_limits, self._clock()
        ordered = self.mood.state == "throttled"
        until = self._window.turn(now)
        if ordered:
            wait = THROTTLED_SECONDS if self.mood.seconds is None else self.mood.seconds
            until = now + dt.timedelta(seconds=wait)
        room = self._window.reading(now) or Reading(
            bucket=self._window.bucket, limit=None, remaining=None, reset_at=None
        )
        extra: dict[str, str] = {}
        if limits.retry_after or (ordered and self.mood.seconds is not None):
            extra = headroom.write_retry_after(until, now)
        return self._reply(
            limits.example or Example(status=429),
            reading=replace(room, remaining=0.0, reset_at=until),
            extra=extra,
        )

    def _quota_body(self, asks: list[Ask], body: Any, reading: Reading | None) -> Any:
        """The body of a quota endpoint, up to date; any other body as it is."""
        shared = (a for a in self.provider.probes if a.quota and any(a.path == ask.path for ask in asks))
        ask = next(shared, None)
        if ask is None or ask.quota is None:
            return body
        return QUOTA_BODIES[ask.quota](body, reading, self._clock())

    def _reply(
        self,
        example: Example,
        *,
        body: Any = None,
        reading: Reading | None = None,
        extra: Mapping[str, str] | None = None,
        asked: Request | None = None,
    ) -> Reply:
        """An example as bytes: places filled in, rate-limit headers in the provider's dialect."""
        fields = {name.lower(): value for name, value in example.headers.items()} | dict(extra or {})
        if reading is not None:
            for dialect in self.provider.rate_limits.dialects:
                fields |= headroom.write(dialect, reading, self._clock())
        raw = b""
        if example.text is not None:
            raw = self._filled(example.text, asked).encode()
        elif (content := example.body if body is None else body) is not None:
            raw = self._filled(json.dumps(content), asked).encode()
            fields.setdefault(*_JSON)
        return Reply(status=example.status, headers=tuple(fields.items()), body=raw)

    def _filled(self, text: str, asked: Request | None) -> str:
        values = self._keys.values()
        if asked is not None:  # quoted, so that it is text in JSON and in XML
            values |= {"method": asked.method, "path": quote(asked.path, safe="/:@.~-_")}
        for name, value in values.items():
            text = text.replace("{" + name + "}", value)
        return text

    # --- the control port ---

    async def _steer(self, request: Request) -> Reply:
        """GET tells the state; POST takes `{"state": ..., "seconds": ...}` or `{"use": N}`.

        A web page must not steer it: the host must be loopback, and JSON must be named as such.
        """
        host = urlsplit("//" + (request.header("host") or "")).hostname
        if host not in _LOOPBACK:
            return _json(403, {"error": "only loopback may steer a stand-in"})
        if request.method == "GET":
            return _json(200, self.report())
        if not (request.header("content-type") or "").startswith("application/json"):
            return _json(415, {"error": "send application/json"})
        try:
            await self._obey(json.loads(request.body))
        except (ValueError, TypeError, UsageError) as exc:
            return _json(400, {"error": str(exc)})
        return _json(200, self.report())

    async def _obey(self, told: Any) -> None:
        if not isinstance(told, dict) or not told or set(told) - {"state", "seconds", "use"}:
            raise ValueError("send an object with state, seconds or use")
        if "use" in told:
            self.use(int(told["use"]))
        if "state" in told:
            seconds = told.get("seconds")
            await self.set_state(str(told["state"]), seconds=None if seconds is None else float(seconds))

    def report(self) -> dict[str, Any]:
        """State, limits and counts, JSON-ready."""
        reading = self._window.reading(self._clock())
        return {
            "schema": "interlock.stand-in/1",
            "provider": self.provider.name,
            "urls": self.urls,
            "control_url": self.control_url,
            "state": self.mood.state,
            "states": STATES | {name: words for name, (words, _) in FAULTS.items()},
            "limit": reading and reading.limit,
            "remaining": reading and reading.remaining,
            "requests": [
                {"path": path, "status": status, "count": count}
                for (path, status), count in sorted(self.requests.items())
            ],
        }


def _json(status: int, body: Any) -> Reply:
    return Reply(status=status, headers=(_JSON,), body=json.dumps(body).encode())


def _context(authority: trustme.CA | None, host: str) -> ssl.SSLContext | None:
    if authority is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*sorted(_LOOPBACK | {host})).configure_cert(context)
    return context
