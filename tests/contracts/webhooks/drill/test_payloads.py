"""Payloads made from a contract are what the contract promises, the same each time, and carry id and type."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contracts.shelf import LIBRARY_FOLDER, Shelf
from contracts.verify import verify_event
from contracts.webhooks.drill import payloads
from contracts.webhooks.drill.profiles import PROFILES, compose
from interlock import catalogue
from tests.contracts.verify.made import bench

DRILLED = [
    name
    for name in catalogue.names()
    if (known := catalogue.load(name).webhooks) and known.scheme in PROFILES
]
SHELF = Shelf(LIBRARY_FOLDER)


@pytest.mark.parametrize("name", [name for name in DRILLED if name in SHELF.known()])
def test_every_event_type_has_payloads_that_its_schema_allows(name: str) -> None:
    contract = SHELF.load(name)
    judge = bench(contract)
    for event in contract.events.values():
        media = event.media[0]
        drawn = payloads.made(contract, media, 3) if media.schema and "json" in media.media_type else ()
        assert drawn or "json" not in media.media_type, event.type
        for document in drawn:
            body = json.dumps(document).encode()
            assert verify_event(body, media.media_type, event, judge) == ([], None), event.type


@pytest.mark.parametrize("name", ["stripe", "github", "twilio", "sendgrid", "ses", "gcs"])
def test_the_drill_knows_every_type_and_makes_the_same_each_time(name: str) -> None:
    known = catalogue.load(name).webhooks
    assert known is not None
    contract, profile = SHELF.load(name), PROFILES[known.scheme]
    first = payloads.of(contract, profile)
    assert {each.type for each in first} == set(contract.events)
    assert all(each.example is not None for each in first)
    assert sum(len(each.made) for each in first) > len(first), "some were made"
    assert payloads.of(contract, profile) == first


def test_a_confirmation_of_a_subscription_is_not_sent() -> None:
    types = {each.type for each in payloads.of(SHELF.load("sns"), PROFILES["sns"])}
    assert types == {"Notification"}


def test_a_pulled_contract_without_events_leaves_those_to_the_library(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    document = {"openapi": "3.1.0", "info": {"title": "Own", "version": "7"}, "paths": {}}
    shelf.pin("stripe", json.dumps(document).encode(), url="https://x.example/", pulled_at="2026-11-25")
    assert shelf.load("stripe").events == {}
    found = shelf.of_events("stripe")
    assert found is not None
    assert found.origin == "library"
    hook = {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}}}
    shelf.pin(
        "stripe",
        json.dumps(document | {"webhooks": {"own.event": hook}}).encode(),
        url="https://x.example/",
        pulled_at="2026-11-25",
    )
    pulled = shelf.of_events("stripe")
    assert pulled is not None
    assert [(each.type, each.example) for each in payloads.of(pulled, PROFILES["stripe"])] == [
        ("own.event", None)
    ]
    assert shelf.of_events("nobody") is None


@pytest.mark.parametrize("name", [name for name, profile in PROFILES.items() if profile.id_at])
def test_no_two_events_have_the_same_body(name: str) -> None:
    """A receiver that tells events apart by a digest of the body is a right one."""
    profile = PROFILES[name]
    bodies = {compose(profile, None, event, profile.type, "http://127.0.0.1/").body for event in ("1", "2")}
    assert len(bodies) == 2
