"""Deliveries are judged event by event, each by its own type, in lists and in envelopes."""

from __future__ import annotations

import base64
import copy
import json
from pathlib import Path
from typing import Any

import pytest

from contracts.events_judged import MAX_EVENTS, JudgedEvent, judge_delivery
from contracts.media import claims
from contracts.pointers import follow
from contracts.shelf import Shelf
from contracts.view import Bench
from interlock import catalogue
from tests.contracts.verify.made import bench, contract
from tests.contracts.verify.test_bodies import written

JSON = "application/json"


def library(name: str) -> Bench:
    return bench(Shelf(Path("nowhere")).load(name))


def where(name: str) -> str | None:
    hooks = catalogue.load(name).webhooks
    return hooks.event_type if hooks else None


def example(name: str, event: str) -> Any:
    one = library(name).contract
    return copy.deepcopy(follow(one.document, one.events[event].media[0].pointer)["example"])


def judged(name: str, body: Any, content_type: str = JSON, **headers: str) -> list[tuple[Any, ...]]:
    """Pointer, type, whether it is known, and the places that are wrong, of each event."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    found = judge_delivery(library(name), raw, content_type, tuple(headers.items()), where(name))
    return [(each.pointer, each.type, each.known, [f.pointer for f in each.faults]) for each in found]


@pytest.mark.parametrize("name", sorted(Shelf(Path("nowhere")).known()))
def test_every_example_of_the_library_is_good(name: str) -> None:
    known = library(name)
    place = where(name)
    for event in known.contract.events.values():
        for media in event.media:
            raw = written(follow(known.contract.document, media.pointer)["example"], media.media_type)
            headers = (
                ((place.partition(":")[2], event.type),) if place and place.startswith("header:") else ()
            )
            (found, *_) = judge_delivery(known, raw, media.media_type, headers, place)
            assert (found.type, found.faults, found.unjudged) == (event.type, (), None)


def test_the_events_of_a_list_are_judged_each_by_its_own_type() -> None:
    (opened,), (bounce,) = example("sendgrid", "open"), example("sendgrid", "bounce")
    del bounce["email"]
    assert judged("sendgrid", [opened, bounce, {"event": "unheard of"}, 7]) == [
        ("/0", "open", True, []),
        ("/1", "bounce", True, ["/1/email"]),
        ("/2", "unheard of", False, []),
        ("/3", None, False, []),
    ]


def test_an_empty_list_holds_no_event() -> None:
    assert judged("sendgrid", []) == []


def test_one_event_may_come_without_its_list() -> None:
    (event,) = example("hubspot", "contact.creation")
    assert judged("hubspot", event) == [("", "contact.creation", True, [])]
    del event["objectId"]
    assert judged("hubspot", event) == [("", "contact.creation", True, ["/objectId"])]


def test_an_envelope_of_sns_is_opened() -> None:
    envelope = example("sns", "Notification")
    event = example("ses", "Bounce")
    assert judged("ses", {**envelope, "Message": json.dumps(event)}, "text/plain") == [
        ("/Message", "Bounce", True, [])
    ]
    event["mail"] = {}
    (found,) = judged("ses", {**envelope, "Message": json.dumps(event)}, "text/plain")
    assert all(pointer.startswith("/Message/") for pointer in found[3])
    assert found[3]
    assert judged("sns", {**envelope, "Message": json.dumps(event)}, "text/plain")[0][1] == "Notification"


def test_the_older_notifications_of_ses_say_their_type_elsewhere() -> None:
    event = example("ses", "Bounce")
    event["notificationType"] = event.pop("eventType")
    assert judged("ses", event)[0][:3] == ("", "Bounce", True)


def test_the_type_may_stand_in_a_header_or_a_form() -> None:
    event = example("github", "ping")
    assert judged("github", event, JSON, **{"x-github-event": "ping"}) == [("", "ping", True, [])]
    form = "application/x-www-form-urlencoded"
    assert judged("twilio", b"CallStatus=completed&CallSid=1", form)[0][1] == "completed"


@pytest.mark.parametrize("body", [b"", b"\xff", b"null", b"[" * 100_000, b"ey.ey.", b"Type=Notification"])
def test_what_cannot_be_read_has_no_type(body: bytes) -> None:
    for name in ("stripe", "ses", "twilio"):
        assert judged(name, body)[0][1:] == (None, False, [])


def _token(said: Any) -> bytes:
    parts = (b'{"alg":"RS256"}', json.dumps(said).encode(), b"made up")
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)


@pytest.mark.parametrize("content_type", ["application/secevent+jwt", "application/json", ""])
def test_a_security_event_of_google_is_read_out_of_its_token(content_type: str) -> None:
    claimed = example("google_oauth", "account-disabled")
    assert judged("google_oauth", _token(claimed), content_type) == [("", "account-disabled", True, [])]
    del claimed["jti"]
    assert judged("google_oauth", _token(claimed), content_type) == [("", "account-disabled", True, ["/jti"])]


def test_a_test_message_of_s3_says_its_type_elsewhere() -> None:
    assert judged("s3", example("s3", "s3:TestEvent")) == [("", "s3:TestEvent", True, [])]
    (found,) = judged(
        "s3", {**example("sns", "Notification"), "Message": json.dumps(example("s3", "ObjectCreated:Put"))}
    )
    assert found == ("/Message", "ObjectCreated:Put", True, [])


def test_what_is_nested_too_deeply_is_said_to_be_unjudged() -> None:
    (event,) = example("sendgrid", "open")
    del event["email"]
    body = json.dumps([event]).replace("}", ', "a": ' + "[" * 900 + "]" * 900 + "}", 1).encode()
    (found,) = judge_delivery(library("sendgrid"), body, JSON, (), where("sendgrid"))
    assert (found.type, found.faults) == ("open", ())
    assert found.unjudged == "it is nested too deeply"


def _delivered(schema: Any, body: Any) -> JudgedEvent:
    """A delivery of the only event of a contract, which has this schema."""
    loop = {"$ref": "#/components/schemas/Loop"}
    side = {"type": "object", "properties": {"a": loop}}
    content = {"content": {JSON: {"schema": schema}}}
    given = {
        "openapi": "3.1.0",
        "info": {"title": "Made up", "version": "1"},
        "webhooks": {"told": {"post": {"requestBody": content}}},
        "components": {"schemas": {"Loop": {"properties": {"a": loop}, "oneOf": [side, side]}}},
    }
    (found,) = judge_delivery(bench(contract(given)), json.dumps(body).encode(), JSON, (), None)
    return found


def test_an_event_whose_schema_multiplies_is_said_to_be_unjudged() -> None:
    body: dict[str, Any] = {}
    for _ in range(18):
        body = {"a": body}
    found = _delivered({"$ref": "#/components/schemas/Loop"}, body)
    assert (found.faults, found.unjudged) == ((), "its schema branches beyond measure")


def test_what_a_broken_reference_hides_of_an_event_is_said() -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "#/nowhere"}, "b": {"type": "integer"}}}
    found = _delivered(schema, {"a": 1, "b": "x"})
    assert [each.pointer for each in found.faults] == ["/b"]
    assert found.unjudged == "the contract is broken behind its schema"


def test_what_was_redacted_in_an_event_is_said() -> None:
    found = _delivered({"type": "object", "properties": {"a": {"type": "integer"}}}, {"a": "<REDACTED>"})
    assert (found.faults, found.unjudged) == ((), "something in it was redacted")


def test_of_a_list_that_is_very_long_the_rest_is_said_to_be_unjudged() -> None:
    body = json.dumps([{"event": "no such"}] * (MAX_EVENTS + 1)).encode()
    found = judge_delivery(library("sendgrid"), body, JSON, (), where("sendgrid"))
    assert len(found) == MAX_EVENTS + 1
    assert (found[-1].pointer, found[-1].known) == (f"/{MAX_EVENTS}", False)
    assert found[-1].unjudged == "the delivery has more than 10000 events"


def test_a_contract_without_events_judges_none() -> None:
    assert judge_delivery(bench(contract()), b"{}", JSON, (), "/type") == ()


def test_a_token_is_read_for_what_it_claims() -> None:
    head, said = (
        base64.urlsafe_b64encode(part).rstrip(b"=") for part in (b'{"alg":"RS256"}', b'{"jti":"made up"}')
    )
    assert claims(b".".join((head, said, b"signature"))).value == {"jti": "made up"}
    assert claims(b'{"jti": 1}').value == {"jti": 1}
    assert claims(b"made.up").problem == "is not a signed token: it has not three parts"
    assert claims(b"a.!.b").problem == "is not a signed token: its claims are not base64"
