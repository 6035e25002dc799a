"""The IETF's `RateLimit` fields in their three forms, read and written with structured fields (RFC 9651)."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from typing import Any

import http_sf

from interlock.headroom.reading import (
    Fields,
    Reading,
    after,
    named,
    number,
    present,
    seconds_left,
    soon,
    whole,
)

UNITS = {"requests": "requests", "content-bytes": "bytes", "concurrent-requests": "concurrent"}
_QUOTA_UNITS = {unit: told for told, unit in UNITS.items() if unit != "requests"}


def read_ietf(fields: Fields) -> Iterable[Reading]:
    """`RateLimit: "name";r=50;t=30` with `RateLimit-Policy: "name";q=100;w=60` (draft 08 and later)."""
    told, policies = _named(fields, "ratelimit"), _named(fields, "ratelimit-policy")
    for name in dict.fromkeys([*told, *policies]):
        state, policy = told.get(name, {}), policies.get(name, {})
        reading = Reading(
            bucket=named(name),
            limit=_whole(fields, "ratelimit-policy", policy, "q"),
            remaining=_whole(fields, "ratelimit", state, "r"),
            reset_at=after(_whole(fields, "ratelimit", state, "t"), fields.now),
            window_seconds=_whole(fields, "ratelimit-policy", policy, "w"),
            unit=UNITS.get(str(policy.get("qu", "requests")), "requests"),
        )
        if reading.says_something:
            yield reading
        elif name in told:
            fields.doubt("ratelimit", "names a policy, but no number")


def write_ietf(reading: Reading, now: dt.datetime) -> dict[str, str]:
    """The newest form."""
    left = seconds_left(reading, now)
    told = {"r": _int(reading.remaining), "t": None if left is None else int(left)}
    unit = _QUOTA_UNITS.get(reading.unit)
    policy = {"q": _int(reading.limit), "qu": unit, "w": _int(reading.window_seconds)}
    fields = {"ratelimit": _item(reading.bucket, told)}
    return fields | ({"ratelimit-policy": _item(reading.bucket, policy)} if reading.limit is not None else {})


def read_combined(fields: Fields) -> Iterable[Reading]:
    """`RateLimit: limit=100, remaining=50, reset=30` with `RateLimit-Policy: 100;w=60` (draft 07)."""
    text = fields.text("ratelimit")
    if text is None:
        return
    told = _parsed(fields, "ratelimit", text, "dictionary")
    values = {k: v[0] for k, v in told.items() if isinstance(v, tuple)} if isinstance(told, dict) else {}
    limit = _whole(fields, "ratelimit", values, "limit")
    reading = Reading(
        bucket="default",
        limit=limit,
        remaining=_whole(fields, "ratelimit", values, "remaining"),
        reset_at=after(_whole(fields, "ratelimit", values, "reset"), fields.now),
        window_seconds=_window_of(fields, "ratelimit-policy", limit),
    )
    if reading.says_something:
        yield reading
    elif values:
        fields.doubt("ratelimit", "is in another form of this header")


def write_combined(reading: Reading, now: dt.datetime) -> dict[str, str]:
    """The form of draft 07."""
    told = (
        ("limit", whole(reading.limit)),
        ("remaining", whole(reading.remaining)),
        ("reset", seconds_left(reading, now)),
    )
    fields = {"ratelimit": ", ".join(f"{name}={value}" for name, value in present(told).items())}
    return fields | _policy(reading)


def read_separate(fields: Fields) -> Iterable[Reading]:
    """`RateLimit-Limit: 100, 100;w=60`, `-Remaining: 50`, `-Reset: 30`, in seconds to wait (to draft 06)."""
    limit = _first(fields, "ratelimit-limit")
    window = _window_of(fields, "ratelimit-policy", limit) or _window_of(fields, "ratelimit-limit", limit)
    reading = Reading(
        bucket="default",
        limit=limit,
        remaining=_first(fields, "ratelimit-remaining"),
        reset_at=_delta(fields, "ratelimit-reset"),
        window_seconds=window,
    )
    if reading.says_something:
        yield reading


def write_separate(reading: Reading, now: dt.datetime) -> dict[str, str]:
    """The form up to draft 06."""
    told = present(
        (
            ("ratelimit-limit", whole(reading.limit)),
            ("ratelimit-remaining", whole(reading.remaining)),
            ("ratelimit-reset", seconds_left(reading, now)),
        )
    )
    return told | _policy(reading)


def read_windowed(fields: Fields) -> Iterable[Reading]:
    """`RateLimit-Limit: 100;w=21600`, `RateLimit-Remaining: 76;w=21600`; several windows in a list."""
    limits, left = _by_window(fields, "ratelimit-limit"), _by_window(fields, "ratelimit-remaining")
    for window in dict.fromkeys([*limits, *left]):
        bucket = "default" if window is None else f"{window:.0f}s"
        limit, remaining = limits.get(window), left.get(window)
        yield Reading(bucket=bucket, limit=limit, remaining=remaining, window_seconds=window)


def write_windowed(reading: Reading, _: dt.datetime) -> dict[str, str]:
    """One window; no reset is told."""
    window = "" if reading.window_seconds is None else f";w={reading.window_seconds:.0f}"
    told = present(
        (("ratelimit-limit", whole(reading.limit)), ("ratelimit-remaining", whole(reading.remaining)))
    )
    return {name: value + window for name, value in told.items()}


def _parsed(fields: Fields, name: str, text: str, kind: str) -> Any:
    """A structured field of a kind (list, dictionary); None, with the reason noted, where it is none."""
    try:
        return http_sf.parse(text.encode("ascii"), tltype=kind)
    except (ValueError, UnicodeError, RecursionError):
        fields.doubt(name, f"is not a structured {kind}")
        return None


def _members(fields: Fields, name: str) -> list[tuple[Any, Mapping[str, Any]]]:
    """The items of a structured list with their parameters; inner lists are left out."""
    text = fields.text(name)
    found = _parsed(fields, name, text, "list") if text is not None else None
    pairs = [member for member in found or [] if isinstance(member, tuple)]
    return [(item, given) for item, given in pairs if not isinstance(item, list)]


def _named(fields: Fields, name: str) -> dict[str, Mapping[str, Any]]:
    """The members of a structured list that are named by a string or a token."""
    pairs = _members(fields, name)
    found = {str(item) or "default": given for item, given in pairs if isinstance(item, str | http_sf.Token)}
    if pairs and not found:
        fields.doubt(name, "is in another form of this header")
    return found


def _by_window(fields: Fields, name: str) -> dict[float | None, float]:
    found: dict[float | None, float] = {}
    for item, given in _members(fields, name):
        value, window = _count(item), _count(given.get("w"))
        if value is None:
            fields.doubt(name, "is not a number")
        else:
            found.setdefault(window, value)
    return found


def _first(fields: Fields, name: str) -> float | None:
    """The first number of a field: what follows it are policies."""
    text = fields.text(name)
    return None if text is None else fields.number(name, text.partition(",")[0].partition(";")[0])


def _delta(fields: Fields, name: str) -> dt.datetime | None:
    """Seconds to wait. A moment since the epoch is not taken for 50 years."""
    text = fields.text(name)
    if text is None:
        return None
    value = number(text.partition(",")[0].partition(";")[0])
    found = after(value, fields.now)
    if found is None or soon(found, fields.now) is None:
        fields.doubt(name, "is not in seconds to wait")
        return None
    return found


def _window_of(fields: Fields, name: str, limit: float | None) -> float | None:
    """The window of the policy that has this limit."""
    text = fields.text(name)
    if text is None or limit is None or ";" not in text:
        return None
    found = (_count(given.get("w")) for item, given in _members(fields, name) if _count(item) == limit)
    return next((window for window in found if window is not None), None)


def _policy(reading: Reading) -> dict[str, str]:
    if reading.limit is None or reading.window_seconds is None:
        return {}
    return {"ratelimit-policy": f"{reading.limit:.0f};w={reading.window_seconds:.0f}"}


def _whole(fields: Fields, name: str, given: Mapping[str, Any], key: str) -> float | None:
    """A parameter that holds a count; None, with the reason noted where it is there and holds none."""
    if key not in given:
        return None
    found = _count(given[key])
    if found is None:
        fields.doubt(name, f"has a parameter {key} that is no count")
    return found


def _count(value: Any) -> float | None:
    """A structured-field integer that is not negative."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _int(value: float | None) -> int | None:
    return None if value is None else math.floor(value)


def _item(name: str, given: Mapping[str, int | str | None]) -> str:
    members: Any = [(name, {k: v for k, v in given.items() if v is not None})]
    return str(http_sf.ser(members))
