"""What ends by a date: pinned versions, and the headers that announce an end."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock import catalogue, lifecycle
from interlock.records import Severity
from tests.records import NOON


def versions(
    name: str, pinned: str | None, now: dt.datetime = NOON, **headers: str
) -> list[tuple[str, Severity]]:
    provider = catalogue.load(name)
    assert provider.versions is not None
    parameters = {} if pinned is None else {provider.versions.parameter: pinned}
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    found = lifecycle.version_findings(provider, parameters, named, now, "acme")
    return [(each.rule, each.severity) for each in found]


@pytest.mark.parametrize(
    ("name", "pinned", "severity"),
    [
        ("facebook", "v26.0", None),
        ("facebook", "v22.0", Severity.WARNING),  # until 2027-05-20
        ("facebook", "v20.0", Severity.CRITICAL),  # until 2026-09-24
        ("facebook", "v2.12", Severity.CRITICAL),
        ("salesforce", "59.0", None),
        ("salesforce", "35.0", None),  # in 2028
        ("salesforce", "30.0", Severity.CRITICAL),
        ("salesforce", "9.0", Severity.CRITICAL),
        ("stripe", "2020-08-27", None),  # no end is published
    ],
)
def test_a_pinned_version_is_held_to_its_end(name: str, pinned: str, severity: Severity | None) -> None:
    assert versions(name, pinned) == ([("api-version", severity)] if severity else [])


@pytest.mark.parametrize(
    ("days", "severity"),
    [
        (181, None),
        (180, Severity.WARNING),
        (30, Severity.ERROR),
        (0, Severity.CRITICAL),
        (-1, Severity.CRITICAL),
    ],
)
def test_it_grows_louder_as_the_end_comes_near(days: int, severity: Severity | None) -> None:
    end = dt.datetime(2027, 1, 21, tzinfo=dt.UTC)  # of v21.0
    found = versions("facebook", "v21.0", end - dt.timedelta(days=days))
    assert found == ([("api-version", severity)] if severity else [])


def test_another_version_that_answers_is_told() -> None:
    assert versions("facebook", "v26.0", facebook_api_version="v26.0") == []
    assert versions("facebook", "v26.0", facebook_api_version="v27.0") == [
        ("api-version-differs", Severity.ERROR)
    ]
    assert versions("stripe", None) == []


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({}, []),
        ({"sunset": "Sat, 21 Nov 2026 00:00:00 GMT"}, [("sunset", Severity.CRITICAL)]),
        ({"sunset": "Sat, 05 Dec 2026 00:00:00 GMT"}, [("sunset", Severity.ERROR)]),
        ({"sunset": "Wed, 31 Dec 2031 23:59:59 GMT"}, [("sunset", Severity.INFO)]),
        ({"sunset": "soon"}, []),
        ({"deprecation": "@1688169599"}, [("deprecation", Severity.WARNING)]),  # RFC 9745, 2.1
        ({"deprecation": "Sun, 11 Nov 2018 23:59:59 GMT"}, [("deprecation", Severity.WARNING)]),
        ({"deprecation": "true"}, [("deprecation", Severity.WARNING)]),
        ({"deprecation": "false"}, []),
        ({"deprecation": ""}, []),
    ],
)
def test_an_announced_end_is_a_dated_finding(
    headers: dict[str, str], told: list[tuple[str, Severity]]
) -> None:
    found = lifecycle.announced(headers, NOON, "GET /v1/things", "acme")
    assert [(each.rule, each.severity) for each in found] == told


def test_the_date_stands_in_the_finding() -> None:
    [found] = lifecycle.announced({"deprecation": "@1688169599"}, NOON, "GET /v1", "acme")
    assert found.seen == "Deprecation: since 2023-06-30"
    [end] = lifecycle.announced({"sunset": "Sat, 05 Dec 2026 00:00:00 GMT"}, NOON, "GET /v1", "acme")
    assert end.seen == "Sunset: it ends on 2026-12-05"


@given(st.text() | st.from_regex(r"@-?\d{1,14}", fullmatch=True))
def test_any_text_is_a_date_or_none(text: str) -> None:
    found = lifecycle.when(text)
    assert found is None or found.tzinfo is not None
    lifecycle.announced({"deprecation": text, "sunset": text}, NOON, "x", "acme")
