"""What a stand-in counts: a window of requests, and what headers and quota bodies say of it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from interlock.catalogue import Provider
from interlock.headroom import Reading


@dataclass
class Window:
    """A fixed window of requests. `limit` None: nothing is counted out."""

    bucket: str
    limit: int | None
    seconds: float
    used: int = 0
    ends_at: dt.datetime | None = None

    def turn(self, now: dt.datetime) -> dt.datetime:
        """Begin anew where the window is over; when the present one ends."""
        if self.ends_at is None or now >= self.ends_at:
            self.used, self.ends_at = 0, now + dt.timedelta(seconds=self.seconds)
        return self.ends_at

    def take(self, count: int, now: dt.datetime) -> bool:
        """Use up `count` requests; False, and nothing used, where so many are not left."""
        self.turn(now)
        if self.limit is not None and self.used + count > self.limit:
            return False
        self.used += count
        return True

    def reading(self, now: dt.datetime) -> Reading | None:
        """What is left; None where nothing is counted out."""
        ends_at = self.turn(now)
        if self.limit is None:
            return None
        return Reading(
            bucket=self.bucket,
            limit=float(self.limit),
            remaining=float(max(0, self.limit - self.used)),
            reset_at=ends_at,
            window_seconds=self.seconds,
        )


def window(provider: Provider, limit: int | None, seconds: float | None) -> Window:
    """The window that the provider's own headers speak of, else the first published limit."""
    limits = provider.rate_limits
    told = limits.example.headers.get("x-ratelimit-limit") if limits.example else None
    fitting = (d for d in limits.declared if told is None or d.limit == float(told))
    published = next(fitting, None)
    usual = int(told) if told else int(published.limit) if published else None
    length = published.window_seconds if published else 60.0
    return Window(published.bucket if published else "default", limit or usual, seconds or length)


def _quota_github(body: Any, reading: Reading | None, now: dt.datetime) -> Any:
    """`/rate_limit` with what is left of our bucket, and no reset that has passed."""
    resources = {}
    for name, told in body["resources"].items():
        fresh = told | {"reset": int((now + dt.timedelta(hours=1)).timestamp())}
        if reading is not None and name == reading.bucket:
            limit, remaining = int(reading.limit or 0), int(reading.remaining or 0)
            fresh |= {"limit": limit, "remaining": remaining, "used": limit - remaining}
            fresh |= {"reset": math.ceil(reading.reset_at.timestamp())} if reading.reset_at else {}
        resources[name] = fresh
    return body | {"resources": resources}


def _quota_ses(body: Any, reading: Reading | None, _: dt.datetime) -> Any:
    """`GetAccount` with the messages of the last 24 hours; as it is where nothing is counted out."""
    if reading is None or reading.limit is None or reading.remaining is None:
        return body
    used = {"Max24HourSend": reading.limit, "SentLast24Hours": reading.limit - reading.remaining}
    return body | {"SendQuota": body["SendQuota"] | used}


# The bodies of quota endpoints, written. The reading side is `interlock.headroom.QUOTAS`.
QUOTA_BODIES: dict[str, Callable[[Any, Reading | None, dt.datetime], Any]] = {
    "github": _quota_github,
    "ses": _quota_ses,
}
