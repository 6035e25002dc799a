"""What is put at a place is found there again, what is dropped is gone, and nothing else changes."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.webhooks.drill import places
from contracts.webhooks.drill.profiles import PROFILES, Profile, compose
from contracts.webhooks.drill.self_test import _held, _receiver
from contracts.webhooks.drill.setting import Signer, bench
from contracts.webhooks.records import Delivery
from contracts.webhooks.signatures import sign

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=20)
PLACES = {
    "header:X-One": Delivery(headers=(("X-One", "a"), ("X-Two", "b"))),
    "query:code": Delivery(url="http://127.0.0.1/hook?code=a&kept=b"),
    "form:One": Delivery(headers=(("Content-Type", places.FORM_TYPE),), body=b"One=a&Two=b"),
    "/a/0/b": Delivery(body=b'{"a":[{"b":"a","c":1}],"d":2}'),
    "/Message/b": Delivery(body=b'{"Message":"{\\"b\\":\\"a\\",\\"c\\":1}"}'),
    "element:Id": Delivery(body=b"<x><Id>a</Id><sf:Id>kept</sf:Id></x>"),
    "attribute:xsi:type": Delivery(body=b'<x xsi:type="a" other="kept"></x>'),
    "claim:jti": Delivery(body=b"e30.eyJqdGkiOiJhIiwia2VwdCI6MX0.c2ln"),
}


@pytest.mark.parametrize("place", PLACES)
@given(text=TEXT)
def test_what_is_put_is_read_and_put_back(place: str, text: str) -> None:
    before = PLACES[place]
    assert places.get(before, place) == "a"
    changed = places.put(before, place, text)
    assert places.get(changed, place) == text
    assert places.get(places.put(changed, place, "a"), place) == "a"


@pytest.mark.parametrize("place", PLACES)
def test_what_is_dropped_is_gone_and_the_rest_stays(place: str) -> None:
    gone = places.drop(PLACES[place], place)
    assert places.get(gone, place) is None
    kept = {
        "header:X-One": "header:X-Two",
        "form:One": "form:Two",
        "/a/0/b": "/a/0/c",
        "/Message/b": "/Message/c",
    }
    kept |= {
        "query:code": "query:kept",
        "attribute:xsi:type": "attribute:other",
        "element:Id": "element:sf:Id",
    }
    kept |= {"claim:jti": "claim:kept"}
    assert places.get(gone, kept[place]) == places.get(PLACES[place], kept[place]) is not None


def test_a_part_of_a_header_is_read_and_set() -> None:
    came = Delivery(headers=(("Stripe-Signature", "t=12,v1=ab"),))
    assert places.get(came, "part:Stripe-Signature:t") == "12"
    later = places.put(came, "part:Stripe-Signature:t", places.later("12"))
    assert later.values("Stripe-Signature") == ("t=13,v1=ab",)


@pytest.mark.parametrize(("text", "later"), [("9", "10"), ("2026-11-25T10:00:59Z", "2026-11-25T10:01:00Z")])
def test_a_time_is_one_second_later(text: str, later: str) -> None:
    assert places.later(text) == later


def test_a_key_is_renamed_and_a_token_loses_its_signature() -> None:
    named = places.put(Delivery(body=b'{"events":{"one":{"x":1}}}'), "key:/events", "other")
    assert json.loads(named.body) == {"events": {"other": {"x": 1}}}
    assert places.get(named, "key:/events") == "other"
    bearer = Delivery(headers=(("Authorization", "Bearer e30.e30.c2ln"),))
    assert places.put(bearer, "token:", "").values("Authorization") == ("Bearer e30.e30.",)
    assert places.drop(bearer, "token:").values("Authorization") == ()


def profile(scheme: str) -> Profile:
    receiver, _ = _receiver(scheme)
    signer = Signer(
        secrets=(_held(scheme).signs,), certificate_url="https://sns.us-east-1.amazonaws.com/x.pem"
    )
    return bench(receiver, signer, url="http://127.0.0.1/hook", now=1_790_000_000.0, run="t").profile


@pytest.mark.parametrize("scheme", sorted(PROFILES))
def test_a_signed_delivery_has_its_id_its_type_and_its_signature_at_their_places(scheme: str) -> None:
    own, (receiver, _) = profile(scheme), _receiver(scheme)
    draft = compose(own, None, "77", "made.up", "http://127.0.0.1/hook")
    assert own.id_at is None or places.get(draft, own.id_at) == "77"
    assert own.type_at is None or places.get(draft, own.type_at) == "made.up"
    signer = Signer(
        secrets=(_held(scheme).signs,), certificate_url="https://sns.us-east-1.amazonaws.com/x.pem"
    )
    keys = bench(receiver, signer, url="http://127.0.0.1/hook", now=1_790_000_000.0, run="t").keys
    signed = sign(scheme, draft, dataclasses.replace(keys), at=1_790_000_000.0)
    assert places.get(signed, own.signature)
    assert own.timestamp is None or places.get(signed, own.timestamp)
