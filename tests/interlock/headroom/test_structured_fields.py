"""The public tests of structured fields, for the types that the RateLimit fields are made of.

They hold the library that reads them, so that what we build on is known; deviations are listed, none is new.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from decimal import Decimal
from typing import Any

import http_sf
import pytest

from interlock.headroom import Unread, read, unread
from tests.corpus import folder

# Items and their types, lists and dictionaries with parameters: what `r=50`, `"name"` and `limit=100` are.
FILES = (
    *("item", "list", "dictionary", "param-list", "param-dict", "number", "number-generated", "string"),
    *(
        "string-generated",
        "token",
        "token-generated",
        "key-generated",
        "large-generated",
        "boolean",
        "binary",
    ),
)
# What the library does otherwise; each is looked at below.
KNOWN: frozenset[str] = frozenset()
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def plain(value: Any) -> Any:
    """A parsed field as the tests write it."""
    if isinstance(value, http_sf.Token):
        return {"__type": "token", "value": str(value)}
    if isinstance(value, bytes):
        return {"__type": "binary", "value": value}
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return [[key, plain(each)] for key, each in value.items()]
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def wanted(value: Any) -> Any:
    """The tests' own form, with binary decoded and numbers alike."""
    if isinstance(value, dict) and value.get("__type") == "binary":
        text = value["value"]
        return {"__type": "binary", "value": base64.b32decode(text)}
    if isinstance(value, list):
        return [wanted(each) for each in value]
    return value


def deviations(name: str) -> list[str]:
    """What the library makes otherwise of the cases in one file."""
    found = []
    for case in json.loads(
        (folder("conformance/structured-field-tests") / f"{name}.json").read_text("utf-8")
    ):
        raw = ",".join(case["raw"]).encode("utf-8", "surrogateescape")
        try:
            got = plain(http_sf.parse(raw, tltype=case["header_type"]))
        except (ValueError, UnicodeError) as exc:
            if not (case.get("must_fail") or case.get("can_fail")):
                found.append(f"{case['name']}: refused ({exc})")
            continue
        if case.get("must_fail"):
            found.append(f"{case['name']}: accepted")
        elif got != wanted(case["expected"]) and not case.get("can_fail"):
            found.append(f"{case['name']}: {got!r} where {wanted(case['expected'])!r} is right")
    return found


@pytest.mark.parametrize("name", FILES)
def test_the_library_reads_the_types_that_are_used(name: str) -> None:
    new = [line for line in deviations(name) if line.partition(":")[0] not in KNOWN]
    assert new == []


def test_what_must_fail_is_no_headroom_and_says_why() -> None:
    """Every broken list and dictionary of the tests, put into `RateLimit`: no number comes of it."""
    count = 0
    for name in FILES:
        for case in json.loads(
            (folder("conformance/structured-field-tests") / f"{name}.json").read_text("utf-8")
        ):
            kind = {"list": "ietf", "dictionary": "ietf-combined"}.get(case["header_type"])
            headers = {"ratelimit": ", ".join(case["raw"])}
            if kind is None or not case.get("must_fail") or not headers["ratelimit"].strip():
                continue
            count += 1
            assert read([kind], headers, NOW, None) == (), case
            assert all(isinstance(doubt, Unread) for doubt in unread([kind], headers, NOW))
            assert unread([kind], headers, NOW), case
    assert count > 100
