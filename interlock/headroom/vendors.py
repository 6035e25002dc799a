"""The dialects that one provider alone speaks."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from interlock.headroom.reading import (
    Fields,
    Reading,
    after,
    amount,
    named,
    present,
    seconds_left,
    seconds_to_wait,
    whole,
)
from interlock.headroom.x_ratelimit import read_epoch, read_wait, write_epoch

DAY_SECONDS, HOUR_SECONDS = 86400.0, 3600.0
_HUBSPOT = "x-hubspot-ratelimit"
_SALESFORCE = re.compile(
    r"(?P<name>[a-z-]+)=(?P<used>[0-9]+)/(?P<limit>[0-9]+)(?:\(appName=(?P<app>[^)]*)\))?", re.ASCII
)
# The day's calls are one bucket, whether a header or `/limits` tells them.
_SALESFORCE_BUCKETS = {"api-usage": ("DailyApiRequests", DAY_SECONDS)}
_AZURE = "x-ms-ratelimit-remaining-"
_AUTH0_QUOTAS = {"client": "auth0-client-quota-limit", "organization": "auth0-organization-quota-limit"}
_AUTH0_WINDOWS = {"per_hour": HOUR_SECONDS, "per_day": DAY_SECONDS}
_USAGE_PERCENT = ("call_count", "total_time", "total_cputime", "acc_id_util_pct")


def read_hubspot(fields: Fields) -> Iterable[Reading]:
    """The day, and the rolling interval of some seconds. No reset is told.

    Older answers tell a second instead of the interval; where both stand, the second is no longer enforced.
    """
    milliseconds = fields.count(f"{_HUBSPOT}-interval-milliseconds")
    readings = [
        _pair(fields, "daily", f"{_HUBSPOT}-daily", f"{_HUBSPOT}-daily-remaining", DAY_SECONDS),
        _pair(
            fields,
            "interval",
            f"{_HUBSPOT}-max",
            f"{_HUBSPOT}-remaining",
            None if milliseconds is None else milliseconds / 1000,
        ),
    ]
    if not readings[1].says_something:
        second = _pair(fields, "secondly", f"{_HUBSPOT}-secondly", f"{_HUBSPOT}-secondly-remaining", 1.0)
        readings.append(replace(second, confidence="low"))
    yield from (reading for reading in readings if reading.says_something)


def _pair(fields: Fields, bucket: str, limit: str, remaining: str, window: float | None) -> Reading:
    told = fields.count(limit), fields.count(remaining)
    return Reading(bucket=bucket, limit=told[0], remaining=told[1], window_seconds=window)


def write_hubspot(reading: Reading, _: dt.datetime) -> dict[str, str]:
    """The day for a bucket called daily or day, else the interval."""
    if reading.bucket in {"daily", "day"}:
        names = (f"{_HUBSPOT}-daily", f"{_HUBSPOT}-daily-remaining")
        return present(zip(names, (whole(reading.limit), whole(reading.remaining)), strict=True))
    window = reading.window_seconds
    return present(
        (
            (f"{_HUBSPOT}-max", whole(reading.limit)),
            (f"{_HUBSPOT}-remaining", whole(reading.remaining)),
            (f"{_HUBSPOT}-interval-milliseconds", whole(None if window is None else window * 1000)),
        )
    )


def read_salesforce(fields: Fields) -> Iterable[Reading]:
    """`Sforce-Limit-Info: api-usage=18/5000; per-app-api-usage=17/250(appName=shop)`: used, and the most."""
    text = fields.text("sforce-limit-info")
    if text is None:
        return
    found = list(_SALESFORCE.finditer(text))
    if not found:
        fields.doubt("sforce-limit-info", "has no part of the form name=used/limit")
    for match in found:
        name, app = match["name"], match["app"]
        used = fields.number("sforce-limit-info", match["used"])
        limit = fields.number("sforce-limit-info", match["limit"])
        if used is None or limit is None:
            continue
        bucket, window = _SALESFORCE_BUCKETS.get(name, (name, None))
        yield Reading(
            bucket=named(f"{bucket} {app}" if app else bucket),
            limit=limit,
            remaining=max(0.0, limit - used),
            used=used,
            window_seconds=window,
        )


def write_salesforce(reading: Reading, _: dt.datetime) -> dict[str, str]:
    """The day's calls."""
    if reading.limit is None or reading.remaining is None:
        return {}
    return {"sforce-limit-info": f"api-usage={reading.limit - reading.remaining:.0f}/{reading.limit:.0f}"}


def read_facebook(fields: Fields) -> Iterable[Reading]:
    """Three fields of JSON, in percent used. Of several figures for one bucket the fullest counts."""
    app, account = _json(fields, "x-app-usage"), _json(fields, "x-ad-account-usage")
    if (used := _fullest(fields, "x-app-usage", app)) is not None:
        yield _percent("app", used, window_seconds=HOUR_SECONDS)
    if (used := _fullest(fields, "x-ad-account-usage", account)) is not None:
        reset_at = after(amount(account.get("reset_time_duration")), fields.now)
        yield _percent("ad account", used, reset_at=reset_at)
    yield from _business(fields, "x-business-use-case-usage")


def _business(fields: Fields, name: str) -> Iterable[Reading]:
    """A list for each business; the time to regain access is in minutes, and 0 where there is access."""
    for owner, uses in _json(fields, name).items():
        for use in uses if isinstance(uses, list) else ():
            if isinstance(use, dict) and (used := _fullest(fields, name, use)) is not None:
                minutes = amount(use.get("estimated_time_to_regain_access"))
                reset_at = after(minutes * 60, fields.now) if minutes else None
                yield _percent(f"business {owner} {use.get('type', '')}", used, reset_at=reset_at)


def _fullest(fields: Fields, name: str, told: Mapping[str, Any]) -> float | None:
    """The highest percentage that is told; none is taken for 0."""
    found = [value for key in _USAGE_PERCENT if (value := amount(told.get(key))) is not None]
    if told and not found:
        fields.doubt(name, "has no percentage")
    return max(found, default=None)


def _percent(bucket: str, used: float, **more: Any) -> Reading:
    return Reading(
        bucket=named(bucket), limit=100.0, remaining=max(0.0, 100.0 - used), used=used, unit="percent", **more
    )


def _json(fields: Fields, name: str) -> Mapping[str, Any]:
    """A field that holds a JSON object; empty, with the reason noted, where it holds none."""
    text = fields.text(name)
    if text is None:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        fields.doubt(name, "is not a JSON object")
        return {}
    return found


def write_facebook(reading: Reading, _: dt.datetime) -> dict[str, str]:
    """The application's use, in whole percent; whatever the unit of the reading."""
    if reading.limit is None or reading.remaining is None or reading.limit <= 0:
        return {}
    used = math.floor(100 * (reading.limit - reading.remaining) / reading.limit)
    return {"x-app-usage": json.dumps(dict.fromkeys(_USAGE_PERCENT[:3], used))}


def read_twilio(fields: Fields) -> Iterable[Reading]:
    """How many of our requests are under way at once. The limit is not told, so nothing is left or used up."""
    if (used := fields.count("twilio-concurrent-requests")) is not None:
        yield Reading(bucket="concurrent", used=used, unit="concurrent")


def write_twilio(reading: Reading, _: dt.datetime) -> dict[str, str]:
    """A single request is always under way: the one that is answered."""
    return {"twilio-concurrent-requests": whole(reading.used) or "1"}


def read_azure(fields: Fields) -> Iterable[Reading]:
    """`x-ms-ratelimit-remaining-subscription-reads: 11999`, and `-resource: Group/Policy;107,...`."""
    for name in sorted(fields.headers):
        if not name.startswith(_AZURE):
            continue
        text, bucket = fields.text(name) or "", name.removeprefix(_AZURE)
        parts = text.split(",") if bucket == "resource" else [f"{bucket};{text}"]
        for part in parts:
            policy, _, count = part.partition(";")
            if (left := fields.number(name, count)) is not None:
                yield Reading(bucket=named(policy), remaining=left)


def write_azure(reading: Reading, _: dt.datetime) -> dict[str, str]:
    """What is left, by the bucket's name. No limit is told, and no reset."""
    if reading.remaining is None:
        return {}
    bucket = re.sub(r"[^a-z-]", "-", reading.bucket.lower())
    return {f"{_AZURE}{bucket}": f"{reading.remaining:.0f}"}


def read_segment(fields: Fields) -> Iterable[Reading]:
    """On a 429: `X-RateLimit-Reset`, in seconds to wait as `Retry-After` is. Nothing else is told."""
    told = list(read_wait(fields))
    reset_at = None if told else seconds_to_wait(fields.text("x-ratelimit-reset"), fields.now)
    yield from told
    if reset_at is not None:
        yield Reading(bucket="default", reset_at=reset_at)


def write_segment(reading: Reading, now: dt.datetime) -> dict[str, str]:
    """Only what is used up is told."""
    exhausted = reading.remaining == 0
    return present([("x-ratelimit-reset", seconds_left(reading, now) if exhausted else None)])


def read_auth0(fields: Fields) -> Iterable[Reading]:
    """`X-RateLimit-*` of the API, and the token quotas `b=per_hour;q=10;r=7;t=3540,b=per_day;...`."""
    yield from read_epoch(fields)
    for owner, name in _AUTH0_QUOTAS.items():
        for part in (fields.text(name) or "").split(","):
            told = dict(piece.strip().split("=", 1) for piece in part.split(";") if "=" in piece)
            reading = Reading(
                bucket=named(f"{owner} {told.get('b', 'default')}"),
                limit=fields.number(name, told["q"]) if "q" in told else None,
                remaining=fields.number(name, told["r"]) if "r" in told else None,
                reset_at=seconds_to_wait(told.get("t"), fields.now),
                window_seconds=_AUTH0_WINDOWS.get(told.get("b", "")),
                unit="requests",
            )
            if reading.says_something:
                yield reading
            elif part:
                fields.doubt(name, "has a part without a count")


def write_auth0(reading: Reading, now: dt.datetime) -> dict[str, str]:
    """A quota for a bucket that is called after a client or an organization, else the API's own fields."""
    owner, _, bucket = reading.bucket.partition(" ")
    if owner not in _AUTH0_QUOTAS:
        return write_epoch(reading, now)
    told = (
        ("b", bucket),
        ("q", whole(reading.limit)),
        ("r", whole(reading.remaining)),
        ("t", seconds_left(reading, now)),
    )
    return {_AUTH0_QUOTAS[owner]: ";".join(f"{k}={v}" for k, v in present(told).items())}


def read_tollbooth(fields: Fields) -> Iterable[Reading]:
    """`X-Rate-Limit-Limit: 40` in each `X-Rate-Limit-Duration: 1` seconds. What is left is not told."""
    limit, seconds = fields.count("x-rate-limit-limit"), fields.count("x-rate-limit-duration")
    if limit is not None:
        yield Reading(bucket="default", limit=limit, window_seconds=seconds)


def write_tollbooth(reading: Reading, _: dt.datetime) -> dict[str, str]:
    """Limit and window."""
    return present(
        (
            ("x-rate-limit-limit", whole(reading.limit)),
            ("x-rate-limit-duration", whole(reading.window_seconds)),
        )
    )
