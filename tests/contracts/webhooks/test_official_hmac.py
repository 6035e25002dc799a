"""The same answer as the official SDKs that sign with shared secrets, over thousands of deliveries and mutations.

Each known difference is named with its reason, and is allowed in one direction alone: ours is the stricter one.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from typing import Any
from unittest import mock
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.webhooks.records import Checked, Delivery, Keys, Ports, Refusal
from contracts.webhooks.schemes import SCHEMES
from contracts.webhooks.signatures import sign, verify
from tests.contracts.webhooks.signers import NOW, Sender, senders

AT = int(NOW)
MANY = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
BODIES = st.one_of(
    st.binary(min_size=1, max_size=120),
    st.text(min_size=1, max_size=80).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from([b'{"id":"e1"}', b'{"id":"e1"}\n', "{“ü”:1}".encode(), b"[]", b"\x00"]),
)
TIMES = st.sampled_from(
    [AT - 10_000, AT - 301, AT - 300, AT - 299, AT - 1, AT, AT + 1, AT + 299, AT + 10_000]
)


@dataclasses.dataclass(frozen=True)
class Change:
    """One mutation of a signed delivery."""

    name: str
    make: Callable[[Delivery, str], Delivery]


def _header(change: Callable[[str], str]) -> Callable[[Delivery, str], Delivery]:
    def make(delivery: Delivery, name: str) -> Delivery:
        values = delivery.values(name)
        return delivery.with_headers({name: change(values[0])}) if values else delivery

    return make


def _flip(value: str) -> str:
    return value[:-1] + ("0" if value[-1:] != "0" else "1")


CHANGES = [
    Change("as it is", lambda delivery, _: delivery),
    Change("body longer", lambda delivery, _: delivery.with_body(delivery.body + b"x")),
    Change("body cut", lambda delivery, _: delivery.with_body(delivery.body[:-1])),
    Change("last digit", _header(_flip)),
    Change("in capitals", _header(str.upper)),
    Change("cut", _header(lambda value: value[: len(value) // 2])),
    Change("doubled", _header(lambda value: value + value)),
    Change("empty", _header(lambda _: "")),
    Change("nonsense", _header(lambda _: "nonsense")),
    Change("blanks around", _header(lambda value: f" {value} ")),
]
MUTATED = st.sampled_from(CHANGES)


def _sent(sender: Sender, body: bytes, at: float) -> Delivery:
    return sender.send(body, at=at)


def _ours(sender: Sender, delivery: Delivery) -> Checked:
    return sender.check(delivery)


def _agree(ours: Checked, theirs: bool, known: bool, change: Change) -> None:
    assert ours.accepted == theirs or (known and not ours.accepted), (change.name, ours.reason, ours.detail)


class Clock(dt.datetime):
    """Stands at `AT`."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Clock:
        return cls.fromtimestamp(AT, tz)


@MANY
@given(BODIES, TIMES, MUTATED)
def test_stripe(body: bytes, at: int, change: Change) -> None:
    """Differences: a body that is not UTF-8 is let in by us, whose bytes are signed; the SDK cannot read it."""
    stripe = pytest.importorskip("stripe")
    sender = senders()["stripe"]
    delivery = change.make(_sent(sender, body, at), "Stripe-Signature")
    ours = _ours(sender, delivery)
    secret = sender.keys.secrets[0].reveal()
    value = delivery.values("Stripe-Signature")[0].strip(" \t")
    try:
        text = delivery.body.decode()
    except UnicodeDecodeError:
        return
    with mock.patch("stripe._webhook.time.time", return_value=float(AT)):
        try:
            theirs = stripe.WebhookSignature.verify_header(text, value, secret, tolerance=300)
        except stripe.SignatureVerificationError:
            theirs = False
    _agree(ours, bool(theirs), known=False, change=change)


@MANY
@given(BODIES, MUTATED)
def test_square(body: bytes, change: Change) -> None:
    """No difference but the blanks around a header, which no HTTP library hands on."""
    helper = pytest.importorskip("square.utils.webhooks_helper")
    sender = senders()["square"]
    name = "x-square-hmacsha256-signature"
    delivery = change.make(_sent(sender, body, NOW), name)
    try:
        text = delivery.body.decode()
    except UnicodeDecodeError:
        return
    theirs = helper.verify_signature(
        request_body=text,
        signature_header=delivery.values(name)[0].strip(" \t"),
        signature_key=sender.keys.secrets[0].reveal(),
        notification_url=delivery.url,
    )
    _agree(_ours(sender, delivery), bool(theirs), known=False, change=change)


@MANY
@given(
    st.dictionaries(st.text(min_size=1, max_size=12), st.text(max_size=12), max_size=6),
    MUTATED,
    st.sampled_from(
        ["https://a.example/x", "https://a.example:443/x?y=1", "http://a.example:8080/", "https://a.example"]
    ),
)
def test_twilio(fields: dict[str, str], change: Change, url: str) -> None:
    validator = pytest.importorskip("twilio.request_validator")
    keys = senders()["twilio-form"].keys
    try:
        body = urlencode(fields).encode()
    except UnicodeEncodeError:
        return
    form = (("Content-Type", "application/x-www-form-urlencoded"),)
    draft = Delivery(url=url, headers=form, body=body)
    name = "X-Twilio-Signature"
    signed = sign("twilio", draft, keys, at=NOW)
    delivery = change.make(signed, name)
    changed_body = delivery.body != signed.body
    ours = verify("twilio", delivery, keys, Ports(now=lambda: NOW))
    if changed_body:
        return  # the SDK is given fields, not bytes
    theirs = validator.RequestValidator(keys.secrets[0].reveal()).validate(
        url, fields, delivery.values(name)[0].strip(" \t")
    )
    _agree(ours, bool(theirs), known=False, change=change)


@MANY
@given(BODIES, TIMES, MUTATED, st.sampled_from(["hubspot-v1", "hubspot-v2", "hubspot-v3"]))
def test_hubspot(body: bytes, at: int, change: Change, which: str) -> None:
    """Differences: the SDK compares whole seconds with `<`, so a delivery of exactly 300 s is over for it."""
    signature = pytest.importorskip("hubspot.utils.signature")
    exceptions = pytest.importorskip("hubspot.exceptions")
    sender = senders()[which]
    version = which[-2:]
    name = "X-HubSpot-Signature-v3" if version == "v3" else "X-HubSpot-Signature"
    delivery = change.make(_sent(sender, body, at), name)
    ours = _ours(sender, delivery)
    try:
        text = delivery.body.decode()
    except UnicodeDecodeError:
        return
    with mock.patch.object(signature, "datetime", Clock):
        try:
            theirs = signature.Signature.is_valid(
                signature=delivery.values(name)[0].strip(" \t"),
                client_secret=sender.keys.secrets[0].reveal(),
                request_body=text,
                http_uri=delivery.url,
                http_method=delivery.method,
                signature_version=version,
                timestamp=(delivery.values("X-HubSpot-Request-Timestamp") or (None,))[0],
            )
        except (exceptions.InvalidSignatureTimestampError, ValueError, TypeError):
            theirs = False
    edge = version == "v3" and AT - at == 300
    assert ours.accepted == bool(theirs) or edge, (ours.reason, ours.detail)


@MANY
@given(BODIES, TIMES, MUTATED)
def test_standard_webhooks(body: bytes, at: int, change: Change) -> None:
    """The library reads the body as JSON after its check: what is no JSON is let in by both as far as signed."""
    library = pytest.importorskip("standardwebhooks.webhooks")
    sender = senders()["standard"]
    delivery = change.make(_sent(sender, body, at), "webhook-signature")
    ours = _ours(sender, delivery)
    try:
        text = delivery.body.decode()
    except UnicodeDecodeError:
        return
    theirs = _standard(library, sender.keys, text, dict(delivery.headers))
    _agree(ours, theirs, known=False, change=change)


def _standard(library: Any, keys: Keys, text: str, headers: dict[str, str]) -> bool:
    headers = {name: value.strip(" \t") for name, value in headers.items()}
    with mock.patch.object(library, "datetime", Clock):
        try:
            library.Webhook(keys.secrets[0].reveal()).verify(text, headers)
        except json.JSONDecodeError:
            return True
        except (library.WebhookVerificationError, ValueError):  # the latter for a list that it cannot split
            return False
    return True


@MANY
@given(BODIES, TIMES, MUTATED)
def test_sendgrid(body: bytes, at: int, change: Change) -> None:
    """Differences: the SDK raises where a signature is no ECDSA signature; that is a refusal."""
    events = pytest.importorskip("sendgrid.helpers.eventwebhook")
    sender = senders()["sendgrid"]
    name = "X-Twilio-Email-Event-Webhook-Signature"
    delivery = change.make(_sent(sender, body, at), name)
    try:
        text = delivery.body.decode()
    except UnicodeDecodeError:
        return
    helper = events.EventWebhook(sender.keys.public_keys[0])
    stamp = delivery.values("X-Twilio-Email-Event-Webhook-Timestamp")[0]
    try:
        theirs = helper.verify_signature(text, delivery.values(name)[0].strip(" \t"), stamp)
    except Exception:  # noqa: BLE001 - it raises of every kind for what is no signature
        theirs = False
    ours = _ours(sender, delivery)
    # ours reads base64 in its canonical spelling alone, and never the leftovers behind a whole signature
    _agree(ours, bool(theirs), known=ours.reason is Refusal.SIGNATURE_MALFORMED, change=change)


@pytest.mark.parametrize("name", ["stripe", "square", "hubspot-v3", "standard", "sendgrid", "twilio-form"])
def test_the_right_delivery_is_let_in(name: str) -> None:
    """So that agreement is not agreement to refuse."""
    sender = senders()[name]
    assert _ours(sender, sender.send()).accepted
    assert sender.scheme in SCHEMES
