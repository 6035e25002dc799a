"""Rate-limit headroom: one table of header dialects and one of quota bodies, both read and written.

A value that is absent, garbled or negative gives no number. Nothing here raises for what a provider sent.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

import http_sf

from interlock.records import Headroom

Headers = Mapping[str, str]  # lower-case names; values of repeated fields joined by ", "
LONGEST_RESET = dt.timedelta(days=400)
_LARGEST = 1e15


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one answer says of one bucket, before it is joined with whose quota it is."""

    bucket: str
    limit: float | None
    remaining: float | None
    reset_at: dt.datetime | None
    window_seconds: float | None = None
    unit: str = "requests"


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way of telling headroom in headers. `source` is the document that defines it."""

    name: str
    read: Callable[[Headers, dt.datetime], Iterable[Reading]]
    write: Callable[[Reading, dt.datetime], dict[str, str]]
    source: str


def number(text: str | None) -> float | None:
    """A count that is not negative; None for anything else."""
    try:
        value = float((text or "").strip())
    except ValueError:
        return None
    return value if 0 <= value <= _LARGEST and math.isfinite(value) else None


def _soon(moment: dt.datetime, now: dt.datetime) -> dt.datetime | None:
    """A reset that is believable: at most an hour past (clock skew), at most 400 days ahead."""
    return moment if -dt.timedelta(hours=1) <= moment - now <= LONGEST_RESET else None


def epoch_seconds(text: str | None, now: dt.datetime) -> dt.datetime | None:
    """A reset told as seconds since the epoch; None if it is not believable."""
    value = number(text)
    if value is None or value > 4e9:  # noqa: PLR2004 - the year 2096; milliseconds are far above
        return None
    return _soon(dt.datetime.fromtimestamp(value, dt.UTC), now)


def retry_at(headers: Headers, now: dt.datetime) -> dt.datetime | None:
    """When `Retry-After` asks us to come back (RFC 9110, 10.2.3: seconds or a date); None if it does not."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    seconds = number(text)
    if seconds is not None:
        return now + dt.timedelta(seconds=seconds) if seconds <= LONGEST_RESET.total_seconds() else None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return max(moment, now) if moment - now <= LONGEST_RESET else None


def write_retry_after(moment: dt.datetime, now: dt.datetime, *, as_date: bool = False) -> dict[str, str]:
    """`Retry-After` for a moment, in seconds (rounded up) or as a date."""
    if as_date:
        return {"retry-after": format_datetime(moment.astimezone(dt.UTC), usegmt=True)}
    return {"retry-after": str(max(0, math.ceil((moment - now).total_seconds())))}


def _read_x_ratelimit(headers: Headers, now: dt.datetime) -> Iterable[Reading]:
    limit, remaining = number(headers.get("x-ratelimit-limit")), number(headers.get("x-ratelimit-remaining"))
    if limit is None and remaining is None:
        return
    reset_at = epoch_seconds(headers.get("x-ratelimit-reset"), now)
    bucket = headers.get("x-ratelimit-resource", "").strip() or "default"
    yield Reading(bucket=bucket[:80], limit=limit, remaining=remaining, reset_at=reset_at)


def _write_x_ratelimit(reading: Reading, _: dt.datetime) -> dict[str, str]:
    fields = {
        "x-ratelimit-limit": _text(reading.limit),
        "x-ratelimit-remaining": _text(reading.remaining),
        "x-ratelimit-reset": _text(math.ceil(reading.reset_at.timestamp()) if reading.reset_at else None),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _write_github(reading: Reading, now: dt.datetime) -> dict[str, str]:
    fields = _write_x_ratelimit(reading, now) | {"x-ratelimit-resource": reading.bucket}
    if reading.limit is not None and reading.remaining is not None:
        fields["x-ratelimit-used"] = str(_text(reading.limit - reading.remaining))
    return fields


def _read_ietf(headers: Headers, now: dt.datetime) -> Iterable[Reading]:
    """`RateLimit: "name";r=50;t=30` with `RateLimit-Policy: "name";q=100;w=60`."""
    policies = dict(_items(headers.get("ratelimit-policy")))
    for name, told in _items(headers.get("ratelimit")):
        policy = policies.get(name, {})
        remaining, after = _whole(told.get("r")), _whole(told.get("t"))
        limit, window = _whole(policy.get("q")), _whole(policy.get("w"))
        if remaining is None and limit is None:
            continue
        reset_at = None if after is None else _soon(now + dt.timedelta(seconds=min(after, 4e7)), now)
        yield Reading(
            bucket=name[:80], limit=limit, remaining=remaining, reset_at=reset_at, window_seconds=window
        )


def _write_ietf(reading: Reading, now: dt.datetime) -> dict[str, str]:
    told = {"r": _int(reading.remaining)}
    if reading.reset_at is not None:
        told["t"] = max(0, math.ceil((reading.reset_at - now).total_seconds()))
    policy = {"q": _int(reading.limit), "w": _int(reading.window_seconds)}
    fields = {"ratelimit": _item(reading.bucket, told)}
    return fields | ({"ratelimit-policy": _item(reading.bucket, policy)} if reading.limit is not None else {})


def _items(text: str | None) -> list[tuple[str, Mapping[str, Any]]]:
    """The members of a structured list that have a name; a list that does not parse is empty."""
    if not text:
        return []
    try:
        members: Any = http_sf.parse(text.encode("ascii"), tltype="list")
    except (ValueError, UnicodeError, RecursionError):
        return []
    named = (str, http_sf.Token)
    pairs = [member for member in members if isinstance(member, tuple) and isinstance(member[0], named)]
    return [(str(name) or "default", given) for name, given in pairs]


def _item(name: str, given: Mapping[str, int | None]) -> str:
    members: Any = [(name, {k: v for k, v in given.items() if v is not None})]
    return str(http_sf.ser(members))


def _whole(value: Any) -> float | None:
    """A structured-field integer that is not negative."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _int(value: float | None) -> int | None:
    return None if value is None else int(value)


def _text(value: float | None) -> str | None:
    return None if value is None else f"{value:.0f}"


DIALECTS: dict[str, Dialect] = {
    d.name: d
    for d in (
        Dialect(
            "github",
            _read_x_ratelimit,
            _write_github,
            "https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api",
        ),
        Dialect(
            "x-ratelimit",
            _read_x_ratelimit,
            _write_x_ratelimit,
            "https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/rate-limits",
        ),
        Dialect(
            "ietf",
            _read_ietf,
            _write_ietf,
            "https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/",
        ),
    )
}


def read(
    dialects: Iterable[str], headers: Headers, now: dt.datetime, fingerprint: str | None
) -> tuple[Headroom, ...]:
    """What the headers of one answer say, in the first of `dialects` that says anything. Never raises."""
    for name in dialects:
        found = tuple(_told(r, "header", now, fingerprint) for r in DIALECTS[name].read(headers, now))
        if found:
            return found
    return ()


def write(dialect: str, room: Reading | Headroom, now: dt.datetime) -> dict[str, str]:
    """The headers that say `room` in a dialect; names in lower case."""
    reading = Reading(
        bucket=room.bucket,
        limit=room.limit,
        remaining=room.remaining,
        reset_at=room.reset_at,
        window_seconds=room.window_seconds,
        unit=room.unit,
    )
    return DIALECTS[dialect].write(reading, now)


def _told(reading: Reading, source: str, now: dt.datetime, fingerprint: str | None) -> Headroom:
    return Headroom(
        credential_fingerprint=fingerprint,
        bucket=reading.bucket,
        unit=reading.unit,
        limit=reading.limit,
        remaining=reading.remaining,
        window_seconds=reading.window_seconds,
        reset_at=reading.reset_at,
        source=source,
        confidence="high",
        seen_at=now,
    )


def _quota_github(body: Any, now: dt.datetime) -> Iterable[Reading]:
    """`GET /rate_limit`: `{"resources": {"core": {"limit", "used", "remaining", "reset"}, ...}}`."""
    resources = body.get("resources") if isinstance(body, dict) else None
    for name, told in (resources if isinstance(resources, dict) else {}).items():
        if isinstance(told, dict):
            limit, remaining = number(_json_number(told, "limit")), number(_json_number(told, "remaining"))
            reset_at = epoch_seconds(_json_number(told, "reset"), now)
            if limit is not None or remaining is not None:
                yield Reading(bucket=str(name)[:80], limit=limit, remaining=remaining, reset_at=reset_at)


def _json_number(told: Mapping[str, Any], key: str) -> str | None:
    value = told.get(key)
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


# Quota endpoints: what their JSON body says.
QUOTAS: dict[str, Callable[[Any, dt.datetime], Iterable[Reading]]] = {"github": _quota_github}


def read_quota(name: str, body: Any, now: dt.datetime, fingerprint: str | None) -> tuple[Headroom, ...]:
    """What a quota endpoint's parsed JSON body says; empty if it says nothing that can be read."""
    return tuple(_told(reading, "endpoint", now, fingerprint) for reading in QUOTAS[name](body, now))
