"""Why a signature fails: each usual mistake is made, and named; what cannot be told is not guessed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.webhooks.configure import Receiver, made
from contracts.webhooks.explain import Explained, explain
from contracts.webhooks.records import Delivery, Ports, Refusal
from contracts.webhooks.signatures import sign
from interlock import catalogue
from interlock.secrets import Secret

NOW = 1_790_000_000.0
URL = "https://shop.example.com/hooks/pay"
BODY = b'{"id": "evt_1", "type": "made.up", "name": "Zo\xc3\xab", "amount": 10}\n'
SECRETS = {"stripe": "whsec_madeup4711", "github": "madeup-hub-4711", "square": "madeup-square-4711"}


def receiver(name: str, secret: str | None = None) -> Receiver:
    provider = catalogue.load(name)
    assert provider.webhooks is not None
    value = Secret(secret or SECRETS[name], name="env:RIGHT")
    return made(name, provider, provider.webhooks.scheme, [value])


def sent(name: str, body: bytes = BODY, at: float = NOW, url: str = URL) -> Delivery:
    draft = Delivery(url=url, headers=(("Content-Type", "application/json"),), body=body)
    return sign(receiver(name).scheme, draft, receiver(name).keys, at=at)


def told(name: str, delivery: Delivery, secret: str | None = None, **others: str) -> Explained:
    known = {key: Secret(value, name=f"env:{key}") for key, value in others.items()}
    return explain(receiver(name, secret), delivery, Ports(now=lambda: NOW), known)


def rewritten(**how: Any) -> Callable[[bytes], bytes]:
    return lambda body: json.dumps(json.loads(body), **how).encode()


@pytest.mark.parametrize("name", SECRETS)
def test_a_delivery_that_fits_has_no_mistake(name: str) -> None:
    found = told(name, sent(name))
    assert (found.checked.accepted, found.likely, found.expected) == (True, None, None)
    assert dict(found.steps())["signed"].endswith(found.checked.signed_digest or "?")


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (rewritten(), "parsed and written again"),
        (rewritten(separators=(",", ":")), "parsed and written again"),
        (rewritten(indent=2, ensure_ascii=False), "parsed and written again"),
        (lambda body: body.rstrip(b"\n"), "lost the line break"),
        (lambda body: body + b"\n", "line break was added"),
    ],
)
def test_a_body_in_another_spelling(name: str, change: Callable[[bytes], bytes], words: str) -> None:
    """The sender wrote compact JSON with a line break, or another spelling; the receiver saw it changed."""
    original = BODY if "line break" in words else rewritten(separators=(",", ":"), ensure_ascii=False)(BODY)
    if change(original) == original:
        original = rewritten(indent=4)(BODY)
    delivery = sent(name, original)
    found = told(name, delivery.with_body(change(original)))
    assert found.checked.reason is Refusal.SIGNATURE_MISMATCH
    assert found.likely is not None
    assert words in found.likely


@pytest.mark.parametrize("name", SECRETS)
def test_the_secret_of_another_receiver(name: str) -> None:
    found = told(name, sent(name), "madeup-wrong", live=SECRETS[name])
    assert found.likely == "the secret of live fits: this is its delivery, or the secrets are swapped"


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ('"whsec_madeup4711"', "quotes or blanks"),
        ("madeup4711", "the secret's whsec_ was cut off"),
    ],
)
def test_a_secret_that_was_stored_otherwise(stored: str, words: str) -> None:
    found = told("stripe", sent("stripe"), stored)
    assert found.likely is not None
    assert words in found.likely


@pytest.mark.parametrize(
    "seen",
    [
        "http://shop.example.com/hooks/pay",
        "https://shop.example.com:8443/hooks/pay",
        "https://shop.example.com/hooks/pay/",
        "http://10.0.0.7:8080/hooks/pay",
    ],
)
def test_a_url_behind_a_proxy(seen: str) -> None:
    delivery = sent("square").with_headers({"X-Forwarded-Host": "shop.example.com"})
    moved = Delivery(method="POST", url=seen, headers=delivery.headers, body=delivery.body)
    found = told("square", moved)
    assert found.likely is not None
    assert "the URL that was signed is not the one" in found.likely
    assert found.fix == f"verify with the URL that the provider was given: {URL}"


def test_a_prefix_that_was_cut_off_and_a_signature_in_another_encoding() -> None:
    delivery = sent("github")
    value = delivery.values("X-Hub-Signature-256")[0].removeprefix("sha256=")
    found = told("github", delivery.with_headers({"X-Hub-Signature-256": value}))
    assert found.likely == "the signature's sha256= was cut off"
    encoded = base64.b64encode(bytes.fromhex(value)).decode()
    found = told("github", delivery.with_headers({"X-Hub-Signature-256": f"sha256={encoded}"}))
    assert found.likely == "the signature came in base64, and hexadecimal is meant"


def test_a_header_that_did_not_arrive_names_those_that_did() -> None:
    found = told("github", Delivery(url=URL, headers=(("Host", "x"), ("X-Trace", "y")), body=BODY))
    assert found.likely == "the signature's header did not arrive; headers that did: Host, X-Trace"


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (NOW - 7200, "about 2 h off: a clock is set to local time"),
        (NOW - 900, "the delivery is old"),
    ],
)
def test_a_clock_that_is_off(at: float, words: str) -> None:
    found = told("stripe", sent("stripe", at=at))
    assert found.checked.reason is Refusal.TIMESTAMP_STALE
    assert found.likely is not None
    assert words in found.likely


@pytest.mark.parametrize("name", SECRETS)
def test_what_is_expected_is_what_the_secret_gives(name: str) -> None:
    """And only for the bytes that came: the right signature of the changed body."""
    changed = sent(name).with_body(b"changed")
    found = told(name, changed)
    again = told(name, sent(name, b"changed"))
    assert found.expected == again.checked.came


@pytest.mark.parametrize("name", SECRETS)
def test_a_forgery_has_no_likely_mistake(name: str) -> None:
    delivery = sent(name).with_body(b'{"id": "evt_1", "amount": 99999}')
    assert told(name, delivery, other="madeup-other").likely is None


@given(st.binary(max_size=200), st.lists(st.tuples(st.text(max_size=20), st.text(max_size=40)), max_size=4))
def test_nothing_raises_and_nothing_forged_is_let_in(body: bytes, headers: list[tuple[str, str]]) -> None:
    for name in SECRETS:
        found = told(name, Delivery(url=URL, headers=tuple(headers), body=body))
        assert not found.checked.accepted
        assert found.steps()
