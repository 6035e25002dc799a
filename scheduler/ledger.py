"""What was told of each limit and what we used of it, shared by all probes of a credential. In memory."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from interlock.catalogue import DeclaredLimit
from interlock.headroom import fresh
from interlock.records import Headroom, Outcome
from probes.probe import Planned
from scheduler.manners import (
    SHARE,
    Bucket,
    costs_by_bucket,
    has_own_interval,
    limits_of,
    spacing,
    stretched,
    who,
)

PACED_UNITS = frozenset({"requests", "percent"})  # what our asking uses up
SHORTEST_OBSERVED_SECONDS = 60.0  # in a shorter window our own use is always about nothing
SLACK_SECONDS = 1.0  # a slot that comes this much too early is in time


@dataclass
class _Use:
    """Our own requests in one window."""

    began: dt.datetime
    requests: int = 0


@dataclass
class Ledger:
    """Decides how long a probe waits, from what all that share its credential were told.

    `share`: the part of a limit that our probes may use together.
    """

    plans: Sequence[Planned] = ()
    share: float = SHARE
    requests: Counter[tuple[str, str]] = field(default_factory=Counter)  # ours, by integration and bucket
    _costs: dict[Bucket, int] = field(default_factory=dict)
    _rooms: dict[Bucket, Headroom] = field(default_factory=dict)
    _windows: dict[Bucket, float] = field(default_factory=dict)  # the longest time to a reset that was seen
    _buckets: dict[str, set[str]] = field(default_factory=dict)  # what a probe's own answers told of
    _asked: dict[str, dt.datetime] = field(default_factory=dict)
    _used: dict[Bucket, _Use] = field(default_factory=dict)
    _stretched: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._costs = costs_by_bucket(self.plans)

    def until(self, planned: Planned, now: dt.datetime) -> dt.datetime | None:
        """Until when a probe is to leave its slots out; None if it may ask now."""
        last = self._asked.get(planned.key)
        if last is None or planned.cost.free:
            return None
        due = last + dt.timedelta(seconds=self.interval(planned, now))
        return due if due - now > dt.timedelta(seconds=SLACK_SECONDS) else None

    def interval(self, planned: Planned, now: dt.datetime) -> float:
        """The seconds between two runs of a probe as things stand."""
        if planned.cost.free:
            return planned.every_seconds
        return max(
            (self._needed(planned, room, now) for room in self._rooms_of(planned)),
            default=planned.every_seconds,
        )

    def stretched(self, now: dt.datetime) -> dict[str, float]:
        """The intervals of the probes that run less often than planned, and of those that did until now."""
        intervals = {
            planned.key: (planned.every_seconds, self.interval(planned, now)) for planned in self.plans
        }
        longer = {key for key, (every, interval) in intervals.items() if interval > every}
        told, self._stretched = longer | self._stretched, longer
        return {key: intervals[key][1] for key in told}

    def ask(self, planned: Planned, now: dt.datetime) -> None:
        """Take down that a probe is asked."""
        self._asked[planned.key] = now
        if planned.cost.free or not planned.cost.requests:
            return
        self.requests[planned.integration.name, planned.cost.bucket] += planned.cost.requests
        use = self._use(planned, now)
        if use is not None:
            use.requests += planned.cost.requests

    def note(self, planned: Planned, outcome: Outcome) -> Outcome:
        """Learn from an outcome; the outcome, with what we reckon where the provider tells nothing."""
        owner = who(planned)
        for room in outcome.headrooms:
            key = (owner, room.bucket)
            self._rooms[key] = room
            if room.source == "header":
                self._buckets.setdefault(planned.key, set()).add(room.bucket)
            if room.reset_at is not None:
                ahead = (room.reset_at - room.seen_at).total_seconds()
                self._windows[key] = max(ahead, self._windows.get(key, 0.0))
        reckoned = self._reckoned(planned, outcome)
        return dataclasses.replace(outcome, headrooms=(*outcome.headrooms, reckoned)) if reckoned else outcome

    def _rooms_of(self, planned: Planned) -> list[Headroom]:
        owner = who(planned)
        buckets = self._buckets.get(planned.key, set()) | {planned.cost.bucket}
        found = (self._rooms.get((owner, bucket)) for bucket in buckets)
        return [room for room in found if room is not None and room.unit in PACED_UNITS]

    def _needed(self, planned: Planned, room: Headroom, now: dt.datetime) -> float:
        """The interval that one limit asks for: our share of it, longer where little is left."""
        every = planned.every_seconds
        if room.unit == "requests" and room.limit and not has_own_interval(planned):
            window = room.window_seconds or self._window(planned, room.bucket)
            costs = self._costs.get((who(planned), planned.cost.bucket), planned.cost.requests)
            every = max(every, spacing(costs, room.limit, window or 0.0, self.share))
        known = fresh(room, now)
        left = None if room.reset_at is None else (room.reset_at - now).total_seconds()
        return stretched(every, known.ratio, left)

    def _window(self, planned: Planned, bucket: str) -> float | None:
        declared = [d.window_seconds for d in limits_of(planned) if d.bucket == bucket]
        return max([*declared, self._windows.get((who(planned), bucket), 0.0)])

    def _declared(self, planned: Planned) -> DeclaredLimit | None:
        """The longest published window of the bucket that a probe counts against."""
        fitting = [d for d in limits_of(planned) if d.bucket == planned.cost.bucket and d.unit == "requests"]
        return max(fitting, key=lambda d: d.window_seconds, default=None)

    def _use(self, planned: Planned, now: dt.datetime) -> _Use | None:
        """Our use of the published limit in the window under way; None where no limit is published."""
        declared = self._declared(planned)
        if declared is None:
            return None
        key = (who(planned), planned.cost.bucket)
        use = self._used.get(key)
        if use is None or now >= use.began + dt.timedelta(seconds=declared.window_seconds):
            use = self._used[key] = _Use(now)
        return use

    def _reckoned(self, planned: Planned, outcome: Outcome) -> Headroom | None:
        """The published limit, less our own use of it; for a provider that tells nothing itself."""
        declared = self._declared(planned)
        counts = not planned.cost.free and planned.cost.requests > 0
        tells = planned.integration.provider.rate_limits.tells
        if declared is None or not counts or tells or outcome.headrooms or outcome.status_code is None:
            return None
        now = outcome.started_at
        use = self._use(planned, now)
        seen = use is not None and declared.window_seconds >= SHORTEST_OBSERVED_SECONDS
        began = use.began if use is not None else now
        used = float(use.requests) if use is not None and seen else None
        return Headroom(
            credential_fingerprint=planned.credential_fingerprint,
            bucket=declared.bucket,
            unit=declared.unit,
            limit=declared.limit,
            remaining=None if used is None else max(0.0, declared.limit - used),
            window_seconds=declared.window_seconds,
            reset_at=began + dt.timedelta(seconds=declared.window_seconds) if seen else None,
            source="observed" if seen else "declared",
            confidence="low",
            seen_at=now,
            used=used,
        )
