"""The webhook endpoints that are registered at a provider, held to the one that we want. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from interlock import findings, trees
from interlock.answers import at_pointer
from interlock.catalogue import Endpoints
from interlock.credentials import moment
from interlock.records import Finding, Severity

RECENT = dt.timedelta(days=1)
_PORTS = {"http": 80, "https": 443}


class Unreadable(ValueError):  # noqa: N818 - it says what happened
    """The answer holds no list of endpoints where one is promised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One registered endpoint. What the provider does not tell is None.

    `events`: types that it gets; `every`: it gets all. `last_status`: HTTP status of the last delivery.
    """

    name: str | None
    urls: tuple[str, ...]
    enabled: bool | None
    events: frozenset[str] | None
    every: bool
    last_status: int | None
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """All that is registered. `whole`: no further page. `subscribed`: events of all endpoints, where told apart.

    `failed_at`: when deliveries failed, newest first.
    """

    endpoints: tuple[Endpoint, ...] = ()
    whole: bool = True
    subscribed: frozenset[str] | None = None
    failed_at: tuple[dt.datetime, ...] = ()

    def __add__(self, other: Registered) -> Registered:
        subscribed = self.subscribed if other.subscribed is None else other.subscribed
        return Registered(
            endpoints=self.endpoints + other.endpoints,
            whole=self.whole and other.whole,
            subscribed=subscribed,
            failed_at=self.failed_at + other.failed_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the settings want: our address, the event types that it must get, and the pinned version."""

    integration: str
    url: str
    events: tuple[str, ...] = ()
    version: str | None = None
    source: str = field(default="")


def read(form: Endpoints, body: Any) -> Registered:
    """What one answer tells. Raises `Unreadable`."""
    listed = trees.members(form.members, body)
    if listed is None and form.optional and isinstance(body, dict):
        listed = []
    alone = isinstance(body, dict) and not form.members and form.url  # the one endpoint that there is
    if listed is None or (alone and all(at_pointer(pointer, body) is None for pointer in form.url)):
        raise Unreadable("it holds no list of webhook endpoints")
    whole = not at_pointer(form.more, body) if form.more else True
    members = [member for member in listed if isinstance(member, dict) and member]
    if form.failed_at is not None:
        moments = [moment(at_pointer(form.failed_at, member)) for member in members]
        return Registered(failed_at=tuple(sorted((m for m in moments if m), reverse=True)))
    if not form.url:
        subscribed = (_events(form, member) for member in members if _enabled(form, member) is not False)
        return Registered(whole=whole, subscribed=frozenset().union(*(each or () for each in subscribed)))
    return Registered(endpoints=tuple(_endpoint(form, member) for member in members), whole=whole)


def _endpoint(form: Endpoints, member: dict[str, Any]) -> Endpoint:
    urls = (at_pointer(pointer, member) for pointer in form.url)
    events = _events(form, member)
    status = at_pointer(form.last_status, member) if form.last_status else None
    version = at_pointer(form.version, member) if form.version else None
    name = at_pointer(form.name, member) if form.name else None
    return Endpoint(
        name=str(name)[:80] if isinstance(name, str | int) else None,
        urls=tuple(url for url in urls if isinstance(url, str) and url),
        enabled=_enabled(form, member),
        events=events,
        every=bool(events and events & set(form.every)),
        last_status=status if isinstance(status, int) and not isinstance(status, bool) else None,
        version=version if isinstance(version, str) and version else None,
    )


def _enabled(form: Endpoints, member: dict[str, Any]) -> bool | None:
    if form.enabled is None:
        return None
    value = at_pointer(form.enabled, member)
    if not isinstance(value, bool | str):
        return None
    if form.disabled_values:
        return value not in form.disabled_values
    return value in form.enabled_values


def _events(form: Endpoints, member: dict[str, Any]) -> frozenset[str] | None:
    if form.event_flags:
        return frozenset(event for flag, event in form.event_flags.items() if member.get(flag) is True)
    if form.events is None:
        return None
    told = at_pointer(form.events, member)
    if isinstance(told, str):
        return frozenset({told})
    return frozenset(each for each in told if isinstance(each, str)) if isinstance(told, list) else None


def judge(found: Registered, wanted: Wanted, now: dt.datetime) -> tuple[Finding, ...] | None:
    """What is wrong with what is registered, the worst first; nothing if all is as it should be.

    None where that cannot be told: our address is not on this page of a list that is longer.
    """
    ours = [each for each in found.endpoints if any(same(url, wanted.url) for url in each.urls)]
    if not ours:
        return (_missing(found, wanted),) if found.whole else None
    live = [each for each in ours if each.enabled is not False]
    problems = [*_disabled(ours, live, wanted), *_events_missing(found, live, wanted)]
    problems += [*_failures(found, live, wanted, now), *_versions(live, wanted), *_twice(live, wanted)]
    return tuple(problems)


def same(one: str, other: str) -> bool:
    """Whether two addresses are one: scheme, host, port and path; user and query are left out of it."""
    return _parts(one) == _parts(other)


def _parts(url: str) -> tuple[str, str, int | None, str] | str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return url
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").rstrip("."), port or _PORTS.get(scheme), parts.path or "/"


def _make(rule: str, severity: Severity, wanted: Wanted, promised: str, seen: str, fix: str) -> Finding:
    return findings.make(
        rule, severity, "webhook endpoint", integration=wanted.integration, promised=promised, seen=seen,
        fix=fix, source=wanted.source or None,
    )  # fmt: skip


def _missing(found: Registered, wanted: Wanted) -> Finding:
    hosts = sorted({urlsplit(url).hostname or "?" for each in found.endpoints for url in each.urls})[:5]
    seen = f"registered are endpoints at {', '.join(hosts)}" if hosts else "no endpoint is registered"
    return _make(
        "webhook-endpoint-missing", Severity.CRITICAL, wanted, f"an endpoint at {wanted.url}", seen,
        "register the address at the provider, or mend webhooks.url",
    )  # fmt: skip


def _disabled(ours: Sequence[Endpoint], live: Sequence[Endpoint], wanted: Wanted) -> Iterable[Finding]:
    if not live:
        names = ", ".join(each.name or "one" for each in ours)
        yield _make(
            "webhook-endpoint-disabled", Severity.CRITICAL, wanted, "an endpoint that is switched on",
            f"switched off: {names}", "find out why it was switched off, mend that, and switch it on",
        )  # fmt: skip


def _events_missing(found: Registered, live: Sequence[Endpoint], wanted: Wanted) -> Iterable[Finding]:
    told = [each for each in live if each.events is not None]
    if not live or any(each.every for each in live) or (not told and found.subscribed is None):
        return
    got = frozenset().union(*(each.events or frozenset() for each in told), found.subscribed or frozenset())
    if missing := sorted(set(wanted.events) - got):
        yield _make(
            "webhook-endpoint-events", Severity.ERROR, wanted, f"events {', '.join(wanted.events)}",
            f"it does not get {', '.join(missing)}", "add these event types to the endpoint",
        )  # fmt: skip


def _failures(
    found: Registered, live: Sequence[Endpoint], wanted: Wanted, now: dt.datetime
) -> Iterable[Finding]:
    recent = [each for each in found.failed_at if now - RECENT <= each]
    bad = [each for each in live if each.last_status is not None and not 200 <= each.last_status < 300]  # noqa: PLR2004 - RFC 9110, 15.3
    if not recent and not bad:
        return
    seen = f"the last delivery got {bad[0].last_status}" if bad else f"{len(recent)} failed in a day or less"
    yield _make(
        "webhook-delivery-failures", Severity.ERROR, wanted, "deliveries that are answered with 2xx", seen,
        "look at the receiver's log for that time, and have the provider deliver again",
    )  # fmt: skip


def _versions(live: Sequence[Endpoint], wanted: Wanted) -> Iterable[Finding]:
    other = sorted({each.version for each in live if each.version is not None} - {wanted.version})
    if wanted.version is not None and other:
        yield _make(
            "webhook-endpoint-version", Severity.WARNING, wanted, f"events of version {wanted.version}",
            f"its events are of version {', '.join(other)}", "give the endpoint the version that the code reads",
        )  # fmt: skip


def _twice(live: Sequence[Endpoint], wanted: Wanted) -> Iterable[Finding]:
    for index, one in enumerate(live):
        for other in live[index + 1 :]:
            shared = (one.events or frozenset()) & (other.events or frozenset())
            if shared or one.every or other.every:
                yield _make(
                    "webhook-endpoint-twice", Severity.WARNING, wanted, "one endpoint for an event",
                    f"{len(live)} endpoints at this address are switched on, and share events",
                    "remove one of them: every event is delivered twice",
                )  # fmt: skip
                return
