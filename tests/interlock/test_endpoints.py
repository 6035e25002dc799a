"""Registered webhook endpoints: there, switched on, sent what we want, and delivered to."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock import catalogue, endpoints
from interlock.catalogue import Endpoints
from interlock.endpoints import Registered, Unreadable, Wanted
from interlock.records import ProbeKind
from tests.records import NOON

FORM = Endpoints(
    members="/data",
    name="/id",
    url=("/url",),
    enabled="/status",
    enabled_values=("enabled",),
    events="/events",
    every=("*",),
    last_status="/last",
    version="/version",
    more="/more",
)
FAILED = Endpoints(members="/data", failed_at="/created")
SUBSCRIBED = Endpoints(members="/results", enabled="/active", events="/type")
URL = "https://hooks.acme.example/pay"


def one(**more: Any) -> dict[str, Any]:
    return {"id": "we_1", "url": URL, "status": "enabled", "events": ["a", "b"], **more}


def rules(
    *members: dict[str, Any], more: bool = False, plus: Registered | None = None, **wanted: Any
) -> list[str] | None:
    registered = endpoints.read(FORM, {"data": list(members), "more": more}) + (plus or Registered())
    fields = {"integration": "acme", "url": URL, "events": ("a",)} | wanted
    found = endpoints.judge(registered, Wanted(**fields), NOON)
    return None if found is None else [each.rule for each in found]


def test_one_that_is_as_it_should_be_has_no_finding() -> None:
    assert rules(one(), one(url="https://other.example/")) == []


@pytest.mark.parametrize(
    ("member", "wanted", "rule"),
    [
        (one(url="https://hooks.acme.example/old"), {}, "webhook-endpoint-missing"),
        (one(url="http://hooks.acme.example/pay"), {}, "webhook-endpoint-missing"),
        (one(status="disabled"), {}, "webhook-endpoint-disabled"),
        (one(), {"events": ("a", "c")}, "webhook-endpoint-events"),
        (one(events=[]), {}, "webhook-endpoint-events"),
        (one(last=500), {}, "webhook-delivery-failures"),
        (one(version="2024-01-01"), {"version": "2026-01-01"}, "webhook-endpoint-version"),
    ],
)
def test_what_is_wrong_has_its_own_name(member: dict[str, Any], wanted: dict[str, Any], rule: str) -> None:
    assert rules(member, **wanted) == [rule]


def test_none_at_all_is_missing_and_a_longer_list_tells_nothing() -> None:
    assert rules() == ["webhook-endpoint-missing"]
    assert rules(one(url="https://other.example/"), more=True) is None
    assert rules(one(), more=True) == []


def test_two_at_one_address_that_share_events_deliver_twice() -> None:
    assert rules(one(), one(id="we_2", events=["b"])) == ["webhook-endpoint-twice"]
    assert rules(one(events=["a"]), one(id="we_2", events=["c"])) == []


@pytest.mark.parametrize("events", [["*"], ["*", "a"]])
def test_one_that_gets_everything_misses_nothing(events: list[str]) -> None:
    assert rules(one(events=events), events=("anything",)) == []


def test_what_is_not_told_is_not_held_against_it() -> None:
    assert rules({"id": "we_1", "url": URL}) == []


@pytest.mark.parametrize(
    ("hours", "found"), [(1, ["webhook-delivery-failures"]), (23, ["webhook-delivery-failures"]), (25, [])]
)
def test_failures_count_for_a_day(hours: int, found: list[str]) -> None:
    created = int((NOON - dt.timedelta(hours=hours)).timestamp())
    assert rules(one(), plus=endpoints.read(FAILED, {"data": [{"created": created}]})) == found


def test_subscriptions_that_hold_for_all_endpoints_count_if_they_are_active() -> None:
    body = {"results": [{"active": True, "type": "a"}, {"active": False, "type": "c"}]}
    plus = endpoints.read(SUBSCRIBED, body)
    bare = {"id": "we_1", "url": URL}
    assert rules(bare, plus=plus, events=("a",)) == []
    assert rules(bare, plus=plus, events=("c",)) == ["webhook-endpoint-events"]


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("HTTPS://Hooks.Acme.Example:443/pay?token=x", True),
        ("https://user@hooks.acme.example/pay", True),
        ("https://hooks.acme.example/pay/", False),
        ("https://hooks.acme.example:8443/pay", False),
        ("https://hooks.acme.example:port/pay", False),
        ("https://[hooks/pay", False),
    ],
)
def test_two_addresses_are_one(other: str, same: bool) -> None:
    assert endpoints.same(other, URL) is same


def test_a_finding_names_hosts_alone_never_a_whole_address() -> None:
    """An address may hold a token."""
    registered = endpoints.read(FORM, {"data": [one(url="https://other.example/in?token=madeup-4711")]})
    found = endpoints.judge(registered, Wanted(integration="acme", url=URL), NOON)
    assert found is not None
    assert "other.example" in (found[0].seen or "")
    assert "4711" not in str(found)


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": "x"}, [], "x"])
def test_no_list_is_unreadable_and_not_empty(body: Any) -> None:
    with pytest.raises(Unreadable):
        endpoints.read(FORM, body)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["id", "url", "status", "events", "last", "version"]),
            st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text() | st.integers()),
        )
    )
)
def test_nothing_raises_whatever_a_provider_sends(members: list[dict[str, Any]]) -> None:
    rules(*members, version="1")


def test_the_providers_that_tell_it_are_asked() -> None:
    asked = {
        p.name for p in catalogue.load_all() if any(a.kind is ProbeKind.WEBHOOK_ENDPOINT for a in p.probes)
    }
    assert asked == {"stripe", "github", "square", "twilio", "sendgrid", "hubspot", "sns"}
