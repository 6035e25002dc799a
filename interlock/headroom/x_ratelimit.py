"""`X-RateLimit-*` and its kin: three fields that differ in how the reset is written."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable
from dataclasses import replace

from interlock.headroom.reading import (
    Fields,
    Moment,
    Reading,
    epoch_milliseconds,
    epoch_seconds,
    iso_8601,
    named,
    present,
    seconds_left,
    seconds_to_wait,
    unambiguous,
    whole,
)
from interlock.headroom.structured import read_combined, read_ietf, read_separate

Reader = Callable[[Fields], Iterable[Reading]]
Writer = Callable[[Reading, dt.datetime], dict[str, str]]


def reader(written: Moment, *, prefix: str = "x-ratelimit", bucket: str | None = None) -> Reader:
    """Reads `PREFIX-limit`, `-remaining`, `-used` and `-reset`. `bucket`: the field that names the bucket."""

    def read(fields: Fields) -> Iterable[Reading]:
        reading = Reading(
            bucket=named(fields.text(bucket) or "default") if bucket else "default",
            limit=fields.count(f"{prefix}-limit"),
            remaining=fields.count(f"{prefix}-remaining"),
            reset_at=fields.moment(f"{prefix}-reset", written),
            used=fields.count(f"{prefix}-used"),
        )
        if reading.limit is not None or reading.remaining is not None:
            yield reading

    return read


def writer(written: Callable[[Reading, dt.datetime], str | None], *, prefix: str = "x-ratelimit") -> Writer:
    """The opposite of `reader`."""

    def write(reading: Reading, now: dt.datetime) -> dict[str, str]:
        return present(
            (
                (f"{prefix}-limit", whole(reading.limit)),
                (f"{prefix}-remaining", whole(reading.remaining)),
                (f"{prefix}-reset", written(reading, now)),
            )
        )

    return write


def in_epoch_seconds(reading: Reading, _: dt.datetime) -> str | None:
    """Whole seconds since the epoch, rounded up."""
    return str(math.ceil(reading.reset_at.timestamp())) if reading.reset_at else None


def in_epoch_milliseconds(reading: Reading, _: dt.datetime) -> str | None:
    """Whole milliseconds since the epoch, rounded up."""
    return str(math.ceil(reading.reset_at.timestamp() * 1000)) if reading.reset_at else None


def in_iso_8601(reading: Reading, _: dt.datetime) -> str | None:
    """Date and time in UTC."""
    return reading.reset_at.astimezone(dt.UTC).isoformat() if reading.reset_at else None


def in_decimals(reading: Reading, _: dt.datetime) -> str | None:
    """Seconds since the epoch with three decimals."""
    return f"{reading.reset_at.timestamp():.3f}" if reading.reset_at else None


read_epoch, write_epoch = reader(epoch_seconds), writer(in_epoch_seconds)
read_wait, write_wait = reader(seconds_to_wait), writer(seconds_left)
read_milliseconds, write_milliseconds = reader(epoch_milliseconds), writer(in_epoch_milliseconds)
read_iso, write_iso = reader(iso_8601), writer(in_iso_8601)
read_dashed = reader(epoch_seconds, prefix="x-rate-limit")
write_dashed = writer(in_epoch_seconds, prefix="x-rate-limit")
read_gitlab = reader(epoch_seconds, prefix="ratelimit", bucket="ratelimit-name")
read_github = reader(epoch_seconds, bucket="x-ratelimit-resource")
_read_bucketed = reader(epoch_seconds, bucket="x-ratelimit-bucket")


def write_gitlab(reading: Reading, now: dt.datetime) -> dict[str, str]:
    """GitLab's fields, with the name of the bucket."""
    return writer(in_epoch_seconds, prefix="ratelimit")(reading, now) | {"ratelimit-name": reading.bucket}


def write_github(reading: Reading, now: dt.datetime) -> dict[str, str]:
    """GitHub's fields, with the resource and what is used."""
    fields = write_epoch(reading, now) | {"x-ratelimit-resource": reading.bucket}
    if reading.limit is not None and reading.remaining is not None:
        fields["x-ratelimit-used"] = f"{reading.limit - reading.remaining:.0f}"
    return fields


def read_decimals(fields: Fields) -> Iterable[Reading]:
    """`X-RateLimit-Reset: 1470173023.123`, or better `X-RateLimit-Reset-After: 64.57`, which needs no clock."""
    wait = fields.moment("x-ratelimit-reset-after", seconds_to_wait)
    for reading in _read_bucketed(fields):
        yield replace(reading, reset_at=wait or reading.reset_at)


def write_decimals(reading: Reading, now: dt.datetime) -> dict[str, str]:
    """With the bucket's name, and the wait beside the moment."""
    fields = writer(in_decimals)(reading, now) | {"x-ratelimit-bucket": reading.bucket}
    if reading.reset_at is not None:
        fields["x-ratelimit-reset-after"] = f"{max(0.0, (reading.reset_at - now).total_seconds()):.3f}"
    return fields


def read_auto(fields: Fields) -> Iterable[Reading]:
    """For a service that nobody described: the first form that can be read without a guess.

    The standard's own forms are known by their shape. A reset in `X-RateLimit-Reset` counts only where a
    single way of writing it is believable: a small number may be seconds or milliseconds, and stays unknown.
    """
    ways = (
        read_ietf,
        read_combined,
        reader(unambiguous, prefix="x-ratelimit"),
        reader(unambiguous, prefix="x-rate-limit"),
        _read_bare,
    )
    for way in ways:
        attempt = Fields(fields.headers, fields.now)
        found = [replace(reading, confidence="low") for reading in way(attempt)]
        if found:
            fields.unread += attempt.unread
            yield from found
            return
        fields.unread += [each for each in attempt.unread if "another form" not in each.why]


def _read_bare(fields: Fields) -> Iterable[Reading]:
    """`RateLimit-*`: seconds to wait by the drafts, since the epoch at some; the two cannot be confused."""
    moment = epoch_seconds(fields.text("ratelimit-reset"), fields.now)
    if moment is None:
        yield from read_separate(fields)
        return
    rest = Fields({k: v for k, v in fields.headers.items() if k != "ratelimit-reset"}, fields.now)
    yield from (replace(reading, reset_at=moment) for reading in read_separate(rest))
    fields.unread += rest.unread
