"""Rate-limit headroom: one table of header dialects and one of quota bodies, both read and written.

A value that is absent, garbled or negative gives no number. Nothing here raises for what a provider sent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from interlock.headroom.burn import Trail, burn, exhausted_at, fresh, is_stale, lasting, lasts, worry
from interlock.headroom.dialects import DIALECTS, Dialect
from interlock.headroom.quotas import QUOTAS, Quota
from interlock.headroom.reading import Fields, Headers, Reading, Unread
from interlock.headroom.retry_after import retry_at, retry_in_body, write_retry_after
from interlock.records import Headroom

__all__ = [
    "DIALECTS",
    "QUOTAS",
    "Dialect",
    "Headers",
    "Quota",
    "Reading",
    "Trail",
    "Unread",
    "burn",
    "exhausted_at",
    "fresh",
    "is_stale",
    "lasting",
    "lasts",
    "read",
    "read_quota",
    "retry_at",
    "retry_in_body",
    "unread",
    "worry",
    "write",
    "write_retry_after",
]


def read(
    dialects: Iterable[str], headers: Headers, now: dt.datetime, fingerprint: str | None
) -> tuple[Headroom, ...]:
    """What the headers of one answer say, in the first of `dialects` that says anything. Never raises."""
    for name in dialects:
        dialect = DIALECTS[name]
        found = {r.bucket: r for r in reversed(list(dialect.read(Fields(headers, now))))}
        if found:
            least = "high" if dialect.certainty == "verified" else "low"
            return tuple(
                _told(reading, ("header", name, least), now, fingerprint)
                for reading in reversed(list(found.values()))
            )
    return ()


def unread(dialects: Iterable[str], headers: Headers, now: dt.datetime) -> tuple[Unread, ...]:
    """The header fields of these dialects that are there and cannot be read, with the reason."""
    doubts: dict[Unread, None] = {}
    for name in dialects:
        fields = Fields(headers, now)
        list(DIALECTS[name].read(fields))
        doubts |= dict.fromkeys(fields.unread)
    return tuple(doubts)


def write(dialect: str, room: Reading | Headroom, now: dt.datetime) -> dict[str, str]:
    """The headers that say `room` in a dialect; names in lower case."""
    reading = Reading(
        bucket=room.bucket,
        limit=room.limit,
        remaining=room.remaining,
        reset_at=room.reset_at,
        window_seconds=room.window_seconds,
        unit=room.unit,
        used=room.used,
    )
    return DIALECTS[dialect].write(reading, now)


def read_quota(name: str, body: Any, now: dt.datetime, fingerprint: str | None) -> tuple[Headroom, ...]:
    """What a quota endpoint's parsed JSON body says; empty if it says nothing that can be read."""
    quota = QUOTAS[name]
    least = "high" if quota.certainty == "verified" else "low"
    return tuple(
        _told(reading, ("endpoint", name, least), now, fingerprint) for reading in quota.read(body, now)
    )


def _told(
    reading: Reading, provenance: tuple[str, str, str], now: dt.datetime, fingerprint: str | None
) -> Headroom:
    """With whose quota it is, and where it comes from: source, name of the dialect, least confidence."""
    source, told_by, least = provenance
    return Headroom(
        credential_fingerprint=fingerprint,
        bucket=reading.bucket,
        unit=reading.unit,
        limit=reading.limit,
        remaining=reading.remaining,
        window_seconds=reading.window_seconds,
        reset_at=reading.reset_at,
        source=source,
        confidence=least if reading.confidence == "high" else "low",
        seen_at=now,
        used=reading.used,
        told_by=told_by,
    )
