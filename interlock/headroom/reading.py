"""One bucket as an answer tells it, and the numbers and moments that it is told in.

A value that is absent, garbled or negative gives no number, and what was there but could not be read is named
with the reason. Nothing here raises for what a provider sent, and no text of an answer stands in a reason.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Headers = Mapping[str, str]  # lower-case names; values of repeated fields joined by ", "
Moment = Callable[[str, dt.datetime], dt.datetime | None]  # how a reset is written, and when it was read
LONGEST_RESET = dt.timedelta(days=400)
NAME_LIMIT = 80  # characters of a bucket's name
_LARGEST = 1e15
_COUNT = re.compile(
    r"[0-9]+(?:\.[0-9]+)?"
)  # `float` alone would take 1_000, nan, and digits of other scripts
_NEGATIVE = re.compile(r"-[0-9.]+")
_LATEST_EPOCH_SECONDS = 4e9  # the year 2096; milliseconds are far above
_EARLIEST_EPOCH_MILLISECONDS = 1e11  # the year 1973; seconds are far below


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one answer says of one bucket, before it is joined with whose quota it is.

    `limit`, `remaining`, `used` are in `unit`; None where not told. `confidence`: high or low.
    """

    bucket: str
    limit: float | None = None
    remaining: float | None = None
    reset_at: dt.datetime | None = None
    window_seconds: float | None = None
    unit: str = "requests"
    used: float | None = None
    confidence: str = "high"

    @property
    def says_something(self) -> bool:
        """Whether there is any number in it."""
        return not (self.limit is None and self.remaining is None and self.used is None)


@dataclass(frozen=True, slots=True)
class Unread:
    """A header field, or a member of a quota body, that is there and cannot be read. `why` never quotes it."""

    field: str
    why: str

    def __str__(self) -> str:
        return f"{self.field} {self.why}"


class Fields:
    """The header fields of one answer. `unread` grows as readers meet what they cannot read."""

    def __init__(self, headers: Headers, now: dt.datetime) -> None:
        self.headers, self.now = headers, now
        self.unread: list[Unread] = []

    def text(self, name: str) -> str | None:
        """A field's value without the space around it; None if it is absent or empty."""
        return self.headers.get(name, "").strip() or None

    def doubt(self, name: str, why: str) -> None:
        """Note that a field was there and could not be read."""
        self.unread.append(Unread(name, why))

    def count(self, name: str) -> float | None:
        """A field that holds one count. Sent several times it must say the same each time."""
        text = self.text(name)
        return None if text is None else self.number(name, text)

    def number(self, name: str, text: str) -> float | None:
        """A count, from a part of the field `name`."""
        values = {number(part) for part in text.split(",")}
        if len(values) == 1 and None not in values:
            return values.pop()
        self.doubt(name, "says several things at once" if len(values) > 1 else why_no_number(text))
        return None

    def moment(self, name: str, written: Moment) -> dt.datetime | None:
        """A field that holds the reset, in the way of its dialect."""
        text = self.text(name)
        if text is None:
            return None
        parts = {part.strip() for part in text.split(",")} if "," in text else {text}
        found = written(parts.pop() if len(parts) == 1 else text, self.now)
        if found is None:
            self.doubt(name, "is no moment that can be believed in this dialect")
        return found


def number(text: str | None) -> float | None:
    """A count that is not negative, in ASCII digits; None for anything else."""
    found = _COUNT.fullmatch((text or "").strip())
    if found is None:
        return None
    value = float(found[0])
    return value if value <= _LARGEST else None


def why_no_number(text: str) -> str:
    """What is the matter with a text that is no count."""
    return "is negative" if _NEGATIVE.fullmatch(text.strip()) else "is not a number"


def amount(value: Any) -> float | None:
    """A number of a JSON body that is not negative; None for anything else, `true` included."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) and 0 <= found <= _LARGEST else None


def named(text: object) -> str:
    """A bucket's name, cut to what the store holds."""
    return str(text).strip()[:NAME_LIMIT] or "default"


def soon(moment: dt.datetime, now: dt.datetime) -> dt.datetime | None:
    """A reset that is believable: at most an hour past (clock skew), at most 400 days ahead."""
    return moment if -dt.timedelta(hours=1) <= moment - now <= LONGEST_RESET else None


def epoch_seconds(text: str | None, now: dt.datetime) -> dt.datetime | None:
    """A reset told as seconds since the epoch, decimals allowed; None if it is not believable."""
    value = number(text)
    if value is None or value > _LATEST_EPOCH_SECONDS:
        return None
    return soon(dt.datetime.fromtimestamp(value, dt.UTC), now)


def epoch_milliseconds(text: str | None, now: dt.datetime) -> dt.datetime | None:
    """A reset told as milliseconds since the epoch; None if it is not believable."""
    value = number(text)
    if value is None or not _EARLIEST_EPOCH_MILLISECONDS <= value <= _LATEST_EPOCH_SECONDS * 1000:
        return None
    return soon(dt.datetime.fromtimestamp(value / 1000, dt.UTC), now)


def seconds_to_wait(text: str | None, now: dt.datetime) -> dt.datetime | None:
    """A reset told as seconds from now, decimals allowed; None if it is more than 400 days."""
    value = number(text)
    return None if value is None else after(value, now)


def after(seconds: float | None, now: dt.datetime) -> dt.datetime | None:
    """So many seconds from now; None if it is not told, or more than 400 days."""
    if seconds is None or seconds > LONGEST_RESET.total_seconds():
        return None
    return now + dt.timedelta(seconds=seconds)


def iso_8601(text: str | None, now: dt.datetime) -> dt.datetime | None:
    """A reset told as a date and time with its zone, as in RFC 3339; None for anything else.

    A time without a zone is not believed: nobody knows whose noon it is. A bare number is no date.
    """
    compact = re.sub(r"^(\S+)\s+(\S+)\s+([+-])", r"\1T\2\3", (text or "").strip())
    if not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]", compact):
        return None
    try:
        moment = dt.datetime.fromisoformat(compact)
        return None if moment.tzinfo is None else soon(moment.astimezone(dt.UTC), now)
    except (ValueError, OverflowError):
        return None


def unambiguous(text: str | None, now: dt.datetime) -> dt.datetime | None:
    """A reset in whichever way it can be, where only one is believable; a small number might be anything."""
    found = {way(text, now) for way in (epoch_seconds, epoch_milliseconds, iso_8601)} - {None}
    return found.pop() if len(found) == 1 else None


def whole(value: float | None) -> str | None:
    """A count as a header says it."""
    return None if value is None else f"{value:.0f}"


def present(fields: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """The header fields that have a value."""
    return {name: value for name, value in fields if value is not None}


def seconds_left(reading: Reading, now: dt.datetime) -> str | None:
    """Whole seconds to the reset, rounded up."""
    if reading.reset_at is None:
        return None
    return str(max(0, math.ceil((reading.reset_at - now).total_seconds())))
