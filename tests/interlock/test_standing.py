"""What is said of an account: well, half well, bad, and not told, which is never well."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock import catalogue, standing
from interlock.catalogue import Standing
from interlock.records import ProbeKind, Severity

BALANCE = Standing(name="balance", pointer="/balance", amount=True, unit="/currency", says="it is low")
SENDING = Standing(name="sending", pointer="/on", good=(True,), says="it is paused")
REVIEW = Standing(name="review", pointer="/word", good=("HEALTHY",), warn=("PROBATION",), says="under review")
STATES = Standing(name="state", pointer="/items/*/state", of="/name", good=("active",), says="may not send")


def read(one: Standing, body: Any, minimum: float | None = None) -> standing.Stood:
    return standing.read([one], body, minimum=minimum, integration="acme", source="a page")


@pytest.mark.parametrize(
    ("one", "body", "minimum", "severity"),
    [
        (BALANCE, {"balance": "12.34", "currency": "EUR"}, None, None),
        (BALANCE, {"balance": "12.34", "currency": "EUR"}, 20.0, Severity.WARNING),
        (BALANCE, {"balance": "0.00", "currency": "EUR"}, None, Severity.CRITICAL),
        (BALANCE, {"balance": -3, "currency": "EUR"}, None, Severity.CRITICAL),
        (SENDING, {"on": True}, None, None),
        (SENDING, {"on": False}, None, Severity.CRITICAL),
        (SENDING, {"on": 1}, None, Severity.CRITICAL),  # 1 is not true
        (REVIEW, {"word": "HEALTHY"}, None, None),
        (REVIEW, {"word": "PROBATION"}, None, Severity.WARNING),
        (REVIEW, {"word": "SHUTDOWN"}, None, Severity.CRITICAL),
        (REVIEW, {"word": "something new"}, None, Severity.CRITICAL),
        (STATES, {"items": [{"name": "a", "state": "active"}]}, None, None),
        (STATES, {"items": [{"name": "a", "state": "disabled"}]}, None, Severity.CRITICAL),
        (STATES, {"items": []}, None, None),  # no domain, none that may not send
    ],
)
def test_an_account_stands(
    one: Standing, body: Any, minimum: float | None, severity: Severity | None
) -> None:
    stood = read(one, body, minimum)
    assert [each.severity for each in stood.findings] == ([severity] if severity else [])
    assert stood.untold == ()


@pytest.mark.parametrize(
    ("one", "body"),
    [
        (BALANCE, {}),
        (BALANCE, {"balance": None}),
        (BALANCE, {"balance": "a lot"}),
        (BALANCE, {"balance": "nan"}),
        (BALANCE, {"balance": "1e999"}),
        (BALANCE, {"balance": True}),
        (BALANCE, []),
        (SENDING, {"on": None}),
        (STATES, {}),
        (STATES, {"items": [{"name": "a"}]}),
    ],
)
def test_what_is_not_told_is_no_number_and_not_well(one: Standing, body: Any) -> None:
    stood = read(one, body)
    assert (stood.findings, stood.said, len(stood.untold)) == ((), (), 1)


def test_a_finding_names_the_member_the_promise_and_what_was_seen() -> None:
    [found] = read(STATES, {"items": [{"name": "a.example", "state": "disabled"}]}).findings
    assert (found.subject, found.promised, found.seen) == (
        "state of a.example",
        "active",
        "may not send (disabled)",
    )
    [low] = read(BALANCE, {"balance": "1.5", "currency": "EUR"}, 10.0).findings
    assert (low.promised, low.seen) == ("at least 10", "it is low (1.5 EUR)")


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(["balance", "items", "state", "on", "word", "currency", "name"]), x
            )
        ),
    )
)
def test_nothing_raises_whatever_a_provider_sends(body: Any) -> None:
    for one in (BALANCE, SENDING, REVIEW, STATES):
        stood = read(one, body, 1.0)
        if one is not STATES:  # of two things without a name one may be bad and the other untold
            assert not set(stood.untold) & {finding.subject for finding in stood.findings}


def test_of_two_things_without_a_name_one_may_be_bad_and_the_other_untold() -> None:
    stood = read(STATES, {"items": [None, {"state": False}]})
    assert ([each.subject for each in stood.findings], stood.untold) == (["state"], ("state",))


def test_the_providers_that_tell_it_are_asked() -> None:
    """Who tells what: balance, paused or reviewed sending, credits, domains, age of a key."""
    asked = {p.name for p in catalogue.load_all() if any(a.kind is ProbeKind.ACCOUNT for a in p.probes)}
    keys = {"gcs", "fcm", "google_analytics", "google_oauth"}
    assert asked == {"twilio", "ses", "sendgrid", "mailgun"} | keys
