"""How long a headroom is known, how fast it goes down, and whether it lasts until its reset. Pure but `Trail`."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from interlock.records import Headroom

LONGEST_KNOWN_SECONDS = 86400.0  # where neither reset nor window is told
BASELINE_SECONDS = 60.0  # a shorter look says nothing of a rate: two probes at once are no stampede
SIGHTS_KEPT, BUCKETS_KEPT = 8, 5000
Bucket = tuple[str, str | None, str]


def is_stale(room: Headroom, now: dt.datetime) -> bool:
    """Whether the window has turned over since the headroom was told, or it is a day old."""
    if room.reset_at is not None:
        return room.reset_at <= now
    known = min(room.window_seconds or LONGEST_KNOWN_SECONDS, LONGEST_KNOWN_SECONDS)
    return room.seen_at + dt.timedelta(seconds=known) <= now


def fresh(room: Headroom, now: dt.datetime) -> Headroom:
    """What is still known of a headroom: past its reset, what is left and used are unknown."""
    if not is_stale(room, now):
        return room
    return dataclasses.replace(room, remaining=None, used=None, burn_per_second=None)


def burn(sights: Sequence[Headroom]) -> float | None:
    """How much of a bucket goes in a second, from two or more sights of it; None where they do not say.

    Where the window turned over between two sights, only what was used since counts; where it was filled up
    without a word, the pair says nothing. Sights may come in any order.
    """
    ordered = sorted((room for room in sights if room.remaining is not None), key=lambda room: room.seen_at)
    pairs = [_gone(earlier, later) for earlier, later in itertools.pairwise(ordered)]
    told = [pair for pair in pairs if pair is not None]
    seconds = sum(elapsed for _, elapsed in told)
    windows = [room.window_seconds for room in ordered if room.window_seconds]
    if not told or seconds < min([BASELINE_SECONDS, *(window / 10 for window in windows)]):
        return None
    return sum(gone for gone, _ in told) / seconds if seconds > 0 else None


def _gone(earlier: Headroom, later: Headroom) -> tuple[float, float] | None:
    """How much went between two sights, and in how many seconds; None where they do not say."""
    if earlier.remaining is None or later.remaining is None:
        return None
    began, had = earlier.seen_at, earlier.remaining
    if earlier.reset_at is not None and earlier.reset_at <= later.seen_at:
        if later.limit is None:
            return None
        began, had = _window_began(earlier.reset_at, later), later.limit
    gone, elapsed = had - later.remaining, (later.seen_at - began).total_seconds()
    return None if gone < 0 or elapsed < 0 else (gone, elapsed)


def _window_began(last_reset: dt.datetime, later: Headroom) -> dt.datetime:
    """When the window of a sight began: at the reset before it, or later where several have passed."""
    if later.reset_at is None or later.window_seconds is None:
        return last_reset
    return min(later.seen_at, max(last_reset, later.reset_at - dt.timedelta(seconds=later.window_seconds)))


def exhausted_at(room: Headroom) -> dt.datetime | None:
    """When nothing is left, if it goes on like this; None where that is not known, or never."""
    if room.remaining is None or not room.burn_per_second:
        return None
    seconds = room.remaining / room.burn_per_second
    return room.seen_at + dt.timedelta(seconds=seconds) if seconds < 1e9 else None  # noqa: PLR2004 - 30 years


def lasts(room: Headroom) -> bool | None:
    """Whether it lasts until the reset, if it goes on like this; None where that is not known."""
    if room.remaining is None or room.reset_at is None or room.burn_per_second is None:
        return None
    end = exhausted_at(room)
    return end is None or end >= room.reset_at


def worry(room: Headroom) -> str | None:
    """One sentence where it will be used up before its reset; None where it lasts, or nobody knows."""
    end = exhausted_at(room)
    if lasts(room) is not False or end is None or room.reset_at is None:
        return None
    ahead = lasting((end - room.seen_at).total_seconds())
    early = lasting((room.reset_at - end).total_seconds())
    of = "" if room.limit is None else f" of {room.limit:g}"
    left = f"{room.remaining:g}{of} {room.unit} left in {room.bucket}"
    return f"{left}; at this rate used up in {ahead}, {early} before the reset"


def lasting(seconds: float) -> str:
    """A length of time for a sentence: `40 s`, `12 min`, `3.5 h`."""
    for unit, length in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{max(0.0, seconds):.0f} s"


@dataclass
class Trail:
    """The last sights of each bucket, in memory: a restart begins anew, and tells no rate until the second."""

    _sights: OrderedDict[Bucket, deque[Headroom]] = field(default_factory=OrderedDict)

    def follow(self, provider: str, rooms: Iterable[Headroom]) -> tuple[Headroom, ...]:
        """Remember what was told, and tell it with the rate at which it goes down."""
        return tuple(self._followed(provider, room) for room in rooms)

    def _followed(self, provider: str, room: Headroom) -> Headroom:
        key = (provider, room.credential_fingerprint, room.bucket)
        sights = self._sights.setdefault(key, deque(maxlen=SIGHTS_KEPT))
        self._sights.move_to_end(key)
        if len(self._sights) > BUCKETS_KEPT:
            self._sights.popitem(last=False)
        sights.append(room)
        return dataclasses.replace(room, burn_per_second=burn(sights))
