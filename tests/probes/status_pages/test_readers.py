"""Every engine: a page that is well, one that is not, and one that cannot be read is never called operational."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from interlock.answers import Judgement
from interlock.records import Reason, State
from probes.status_pages.engines import ENGINES
from probes.status_pages.told import Component, Incident, Level, Told, Unreadable, judge
from tests.records import NOON


def statuspage(indicator: str = "none", **more: Any) -> dict[str, Any]:
    components = [
        {"name": "API", "status": "operational", "group": False},
        {"name": "Dashboard", "status": "operational", "group": False},
    ]
    return {"status": {"indicator": indicator}, "components": components, "incidents": [], **more}


def rss(title: str, at: dt.datetime, words: str = "") -> str:
    date = at.strftime("%a, %d %b %Y %H:%M:%S GMT")
    item = f"<item><title>{title}</title><pubDate>{date}</pubDate><description>{words}</description></item>"
    return f'<rss version="2.0"><channel><title>x</title>{item}</channel></rss>'


def atom(title: str, at: dt.datetime, words: str = "") -> str:
    entry = (
        f"<entry><title>{title}</title><updated>{at.isoformat()}</updated><content>{words}</content></entry>"
    )
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title>{entry}</feed>'


HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
ONGOING = {"name": "Slow API", "status": "investigating", "current_worst_impact": "partial_outage"}
GOOGLE = {"external_desc": "GCS is slow", "most_recent_update": {"status": "SERVICE_DISRUPTION"}}
CASES: list[tuple[str, str, Any, Level]] = [
    ("statuspage", "well", statuspage(), Level.OPERATIONAL),
    ("statuspage", "minor", statuspage("minor"), Level.DEGRADED),
    ("statuspage", "critical", statuspage("critical"), Level.MAJOR_OUTAGE),
    ("statuspage", "only status.json", {"status": {"indicator": "none"}}, Level.OPERATIONAL),
    ("statuspage", "no components", statuspage(components=[]), Level.OPERATIONAL),
    (
        "statuspage",
        "planned work goes on",
        statuspage(scheduled_maintenances=[{"name": "db", "status": "in_progress"}]),
        Level.MAINTENANCE,
    ),
    (
        "statuspage",
        "planned for later",
        statuspage(scheduled_maintenances=[{"name": "db", "status": "scheduled"}]),
        Level.OPERATIONAL,
    ),
    ("incident-io", "well", {"ongoing_incidents": [], "in_progress_maintenances": []}, Level.OPERATIONAL),
    ("incident-io", "partial", {"ongoing_incidents": [ONGOING]}, Level.PARTIAL_OUTAGE),
    (
        "incident-io",
        "work",
        {"ongoing_incidents": [], "in_progress_maintenances": [ONGOING]},
        Level.MAINTENANCE,
    ),
    ("instatus", "well", {"page": {"status": "UP"}}, Level.OPERATIONAL),
    ("instatus", "issues", {"page": {"status": "HASISSUES"}}, Level.DEGRADED),
    (
        "instatus",
        "major",
        {"page": {"status": "HASISSUES"}, "activeIncidents": [{"name": "x", "impact": "MAJOROUTAGE"}]},
        Level.MAJOR_OUTAGE,
    ),
    ("salesforce", "well", {"key": "EU45", "status": "OK", "Incidents": []}, Level.OPERATIONAL),
    ("salesforce", "minor", {"key": "EU45", "status": "MINOR_INCIDENT_NONCORE"}, Level.DEGRADED),
    ("salesforce", "major", {"key": "EU45", "status": "MAJOR_INCIDENT_CORE"}, Level.MAJOR_OUTAGE),
    ("google-cloud", "well", [], Level.OPERATIONAL),
    ("google-cloud", "over", [{**GOOGLE, "end": "2026-11-21T00:00:00+00:00"}], Level.OPERATIONAL),
    ("google-cloud", "goes on", [GOOGLE], Level.PARTIAL_OUTAGE),
    ("stripe", "well", {"largestatus": "up", "statuses": {"api": "up"}}, Level.OPERATIONAL),
    ("stripe", "down", {"largestatus": "down", "message": "API down"}, Level.MAJOR_OUTAGE),
    ("aws", "well, in UTF-16", "[]".encode("utf-16"), Level.OPERATIONAL),
    (
        "aws",
        "an event, in UTF-16",
        json.dumps([{"status": "3", "service": "s3"}]).encode("utf-16"),
        Level.MAJOR_OUTAGE,
    ),
    ("rss", "well", '<rss version="2.0"><channel><title>x</title></channel></rss>', Level.OPERATIONAL),
    ("rss", "news", rss("Elevated error rates", NOON - HOUR), Level.DEGRADED),
    ("rss", "old news", rss("Elevated error rates", NOON - 2 * DAY), Level.OPERATIONAL),
    ("rss", "over", rss("Resolved: elevated error rates", NOON - HOUR), Level.OPERATIONAL),
    (
        "rss",
        "over in the text",
        rss("Errors", NOON - HOUR, "Nov 22 - Resolved - all is well"),
        Level.OPERATIONAL,
    ),
    ("rss", "planned", rss("Scheduled maintenance", NOON - HOUR), Level.MAINTENANCE),
    ("atom", "news", atom("Initial Notification: checkout errors", NOON - HOUR), Level.DEGRADED),
    ("atom", "over", atom("Resolved: checkout errors", NOON - HOUR), Level.OPERATIONAL),
]
BAD: list[tuple[str, Any]] = [
    ("salesforce", {"key": "EU45", "status": "WONDERFUL"}),
    ("salesforce", {"key": "EU45"}),
    ("statuspage", {"status": {"indicator": "wonderful"}}),
    ("statuspage", {"page": {}}),
    ("statuspage", "<!doctype html><title>All systems operational</title>"),
    ("incident-io", {"ongoing_incidents": None}),
    ("incident-io", {}),
    ("instatus", {"page": {"status": "FINE"}}),
    ("google-cloud", {"incidents": []}),
    ("stripe", {"largestatus": "sideways"}),
    ("aws", "<html>"),
    ("rss", "<html><body>operational</body></html>"),
    ("rss", "<rss><channel><item><title>no date</title></item></channel></rss>"),
    ("rss", '<!DOCTYPE x [<!ENTITY a "b">]><rss version="2.0"></rss>'),
    ("atom", atom("x", NOON).replace(NOON.isoformat(), "yesterday")),
]


def body(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


@pytest.mark.parametrize(("engine", "case", "page", "level"), CASES, ids=[f"{e} {c}" for e, c, _, _ in CASES])
def test_a_page_is_read(engine: str, case: str, page: Any, level: Level) -> None:
    assert case
    found = judge(ENGINES[engine](body(page), NOON), (), "Acme")
    assert found.state is STATES[level], found.detail


STATES = {
    Level.OPERATIONAL: State.OPERATIONAL,
    Level.MAINTENANCE: State.DEGRADED,
    Level.DEGRADED: State.DEGRADED,
    Level.PARTIAL_OUTAGE: State.DEGRADED,
    Level.MAJOR_OUTAGE: State.FAILING,
}


@pytest.mark.parametrize(("engine", "page"), BAD)
def test_a_page_that_cannot_be_read_says_nothing(engine: str, page: Any) -> None:
    with pytest.raises(Unreadable):
        ENGINES[engine](body(page), NOON)


def test_every_engine_has_a_good_and_a_bad_page() -> None:
    assert {engine for engine, *_ in CASES} == set(ENGINES) == {engine for engine, _ in BAD}


WORDS = [
    "status",
    "indicator",
    "components",
    "incidents",
    "page",
    "ongoing_incidents",
    "name",
    "largestatus",
    "end",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)


@example("statuspage", b'{"status": {"indicator": "none"}, "incidents": [{"status": []}]}')
@example("stripe", b'{"largestatus": []}')
@example("statuspage", b'{"status": {"indicator": {}}}')
@settings(max_examples=400)
@given(st.sampled_from(sorted(ENGINES)), st.binary(max_size=80) | JSON.map(lambda v: json.dumps(v).encode()))
def test_nothing_that_stands_there_raises_anything_else(engine: str, page: bytes) -> None:
    try:
        told = ENGINES[engine](page, NOON)
    except Unreadable:
        return
    assert isinstance(judge(told, ("api",), "Acme"), Judgement)


def told(*components: Component, incidents: tuple[Incident, ...] = ()) -> Told:
    return Told(Level.OPERATIONAL, components, incidents)


API, OTHER = Component("API", Level.OPERATIONAL), Component("Dashboard", Level.MAJOR_OUTAGE)


def test_only_the_chosen_components_count() -> None:
    assert judge(told(API, OTHER), ("api",), "Acme").state is State.OPERATIONAL
    assert judge(told(API, OTHER), ("dashboard",), "Acme").state is State.FAILING
    assert judge(told(API, OTHER), (), "Acme").state is State.FAILING


def test_a_chosen_component_that_is_not_there_is_unknown() -> None:
    found = judge(told(API), ("webhooks",), "Acme")
    assert (found.state, found.reason) == (State.UNKNOWN, Reason.UNREADABLE)


def test_an_unknown_word_for_a_chosen_component_is_unknown() -> None:
    assert judge(told(Component("API", None)), ("api",), "Acme").state is State.UNKNOWN


def test_a_name_is_found_as_a_word() -> None:
    assert (
        judge(told(Component("Capital", Level.MAJOR_OUTAGE), API), ("API",), "Acme").state
        is State.OPERATIONAL
    )


def test_an_incident_that_touches_nothing_we_chose_does_not_count() -> None:
    elsewhere = Incident("Emails late", Level.MAJOR_OUTAGE, ("Mail",))
    assert judge(told(API, incidents=(elsewhere,)), ("API",), "Acme").state is State.OPERATIONAL


def test_an_incident_that_does_not_say_what_it_touches_cannot_be_set_aside() -> None:
    vague = Incident("Some customers see errors", Level.DEGRADED)
    assert judge(told(API, incidents=(vague,)), ("API",), "Acme").state is State.UNKNOWN
