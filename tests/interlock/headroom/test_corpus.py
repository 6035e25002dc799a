"""Real recordings: every rate-limit header in them, and what is made of it. No number that was not told.

The list is printed: `pytest -rP tests/interlock/headroom/test_corpus.py` shows it.
"""

from __future__ import annotations

import base64
import datetime as dt
import functools
import gzip
import json
import re
from collections import Counter
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from interlock.headroom import DIALECTS, read, read_quota, retry_at, unread
from interlock.headroom.reading import epoch_seconds
from interlock.records import Headroom
from tests.corpus import Found, folder, responses

WANTED = re.compile(
    r"(.*-)?rate-?limit(-.*)?|retry-after(-ms)?|.*-retry-after(-ms)?|sforce-limit-info|.*-usage"
    r"|twilio-concurrent-.*|.*quota.*|.*-burst.*|gh-limited-by|.*-throttl.*"
)
# What the catalogue would choose for these providers.
SPOKEN = {
    "github": "github",
    "hubspot": "hubspot",
    "auth0": "auth0",
    "sendgrid": "sendgrid",
    "mailgun": "mailgun",
}
# Where each dialect says limit and remainder of a bucket: the oracle, beside the readers.
PLACES = {
    ("github", ""): ("x-ratelimit-limit", "x-ratelimit-remaining"),
    ("auth0", "default"): ("x-ratelimit-limit", "x-ratelimit-remaining"),
    ("sendgrid", "default"): ("x-ratelimit-limit", "x-ratelimit-remaining"),
    ("mailgun", "default"): ("x-ratelimit-limit", "x-ratelimit-remaining"),
    ("auto", "default"): ("x-ratelimit-limit", "x-ratelimit-remaining"),
    ("tollbooth", "default"): ("x-rate-limit-limit", ""),
    ("hubspot", "daily"): ("x-hubspot-ratelimit-daily", "x-hubspot-ratelimit-daily-remaining"),
    ("hubspot", "interval"): ("x-hubspot-ratelimit-max", "x-hubspot-ratelimit-remaining"),
    ("hubspot", "secondly"): ("x-hubspot-ratelimit-secondly", "x-hubspot-ratelimit-secondly-remaining"),
}


@functools.cache
def recordings(cassettes: Path) -> tuple[Found, ...]:
    """What is looked at, read once."""
    return tuple(responses(cassettes, WANTED))


def dialect_of(found: Found) -> str:
    """As the catalogue would choose: by the provider, else the one for services that nobody described."""
    if "x-rate-limit-duration" in found.headers:
        return "tollbooth"
    return SPOKEN.get(found.provider, "auto")


def moment_of(found: Found) -> dt.datetime:
    """When it was answered: its `Date`, or shortly before its reset, or some noon."""
    try:
        return parsedate_to_datetime(found.headers.get("date", "")).astimezone(dt.UTC)
    except ValueError:
        reset = found.headers.get("x-ratelimit-reset", "")
        if re.fullmatch(r"[0-9]{9,10}", reset):
            return dt.datetime.fromtimestamp(int(reset) - 600, dt.UTC)
        return dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def told(headers: dict[str, str], name: str) -> float | None:
    """The oracle: a field of ASCII digits is its number; anything else is none."""
    text = headers.get(name, "")
    return float(int(text)) if re.fullmatch(r"[0-9]{1,15}", text) else None


def held_to_what_was_told(found: Found, dialect: str, room: Headroom, now: dt.datetime) -> None:
    """Limit, remainder and reset are those that stand in the headers, digit by digit."""
    bucket = "" if dialect == "github" else room.bucket
    limit, remaining = PLACES[dialect, bucket]
    assert room.limit == told(found.headers, limit), (found, room)
    assert room.remaining == told(found.headers, remaining), (found, room)
    if room.reset_at is not None:
        assert room.reset_at == epoch_seconds(found.headers["x-ratelimit-reset"], now), (found, room)
    if dialect == "github":
        assert room.bucket == found.headers.get("x-ratelimit-resource", "default")


def test_every_header_of_the_recordings_and_what_is_made_of_it() -> None:
    made: dict[str, Counter[str]] = {}
    rooms_seen, files = Counter[str](), set[str]()
    for found in recordings(folder("cassettes")):
        dialect, now = dialect_of(found), moment_of(found)
        rooms = read([dialect], found.headers, now, None)
        for room in rooms:
            held_to_what_was_told(found, dialect, room, now)
            rooms_seen[f"{dialect}: {room.bucket}, {room.confidence} confidence"] += 1
        doubts = {doubt.field: doubt.why for doubt in unread([dialect], found.headers, now)}
        for name, value in found.headers.items():
            if name != "date":
                files.add(found.path)
                made.setdefault(name, Counter())[outcome_of(name, value, rooms, doubts, now)] += 1
    lines = [f"{len(made)} headers in {len(files)} files"]
    for name in sorted(made):
        lines += [f"{count:6} x {name}: {words}" for words, count in made[name].most_common()]
    lines += ["buckets:", *(f"{count:6} x {words}" for words, count in rooms_seen.most_common())]
    print("\n" + "\n".join(lines))  # noqa: T201 - the list is asked for
    assert sum(rooms_seen.values()) > 300, "the recordings were read"
    assert {"x-ratelimit-limit", "x-ratelimit-remaining", "x-hubspot-ratelimit-daily", "retry-after"} <= set(
        made
    )


def outcome_of(
    name: str, value: str, rooms: tuple[Headroom, ...], doubts: dict[str, str], now: dt.datetime
) -> str:
    """What was made of one header, in words."""
    if name in doubts:
        return f"unknown: {doubts[name]}"
    if name.endswith("retry-after"):
        moment = retry_at({name: value}, now)
        return "a moment to come back" if moment else "unknown: no moment"
    digits = told({name: value}, name)
    numbers = {n for r in rooms for n in (r.limit, r.remaining, r.used, r.window_seconds)}
    if digits is not None and (digits in numbers or digits / 1000 in numbers):
        return "read as a count"
    if rooms and name.endswith("-reset"):
        return "read as the reset" if any(r.reset_at for r in rooms) else "unknown: no reset"
    if any(room.bucket == value for room in rooms):
        return "read as the bucket's name"
    return "not used: another header of the same answer tells more" if rooms else "not used"


def test_the_quota_bodies_of_the_recordings() -> None:
    """Every `/rate_limit` body: what is read stands there, number by number."""
    count = 0
    for path in sorted(folder("cassettes").rglob("*rate*limit*.json")):
        for body in bodies(path):
            now = dt.datetime.fromtimestamp(body["resources"]["core"]["reset"] - 600, dt.UTC)
            rooms = read_quota("github", body, now, None)
            for room in rooms:
                there = body["resources"][room.bucket]
                assert (room.limit, room.remaining) == (there["limit"], there["remaining"])
            assert {room.bucket for room in rooms} == set(body["resources"])
            count += 1
    assert count >= 1


def bodies(path: Path) -> list[Any]:
    """The quota bodies of a recording that keeps bodies as base64 of gzip."""
    found = []
    for packed in re.findall(r'"base64_string": "([^"]*)"', path.read_text(encoding="utf-8")):
        text = gzip.decompress(base64.b64decode(packed))
        if b'"resources"' in text:
            found.append(json.loads(text))
    return found


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_no_recording_upsets_a_dialect_that_it_is_not_written_in(dialect: str) -> None:
    """Whatever dialect the settings name by mistake: no remainder that does not stand in the answer."""
    for found in recordings(folder("cassettes")):
        now = moment_of(found)
        numbers = {float(n) for value in found.headers.values() for n in re.findall(r"[0-9]{1,15}", value)}
        for room in read([dialect], found.headers, now, None):
            assert {room.limit, room.remaining} <= numbers | {None}, (found, room)
