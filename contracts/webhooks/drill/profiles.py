"""How a delivery of each scheme looks: payload, where id, signature and time stand, and its weaker version."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from contracts.webhooks.records import Delivery, Keys
from contracts.webhooks.signatures import sign

JSON_TYPE, FORM_TYPE = "application/json", "application/x-www-form-urlencoded"
Weaken = Callable[[Delivery, Keys, float], Delivery]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One scheme as the drill sends it.

    `document`: a payload; a mapping of text for a form. `id_at`, `type_at`: as in `Policy`. `signature`,
    `timestamp`: headers, None where they stand in the body, or the time beside the signature. `type`: a known one.
    `weaken`: validly signed, by a version that is retired; None: there is none. `source`: of what cannot be decided.
    """

    document: Any
    id_at: str | None
    type_at: str | None
    type: str
    source: str
    signature: str | None = None
    timestamp: str | None = None
    form: bool = False
    numeric: bool = False
    several: bool = False
    in_body: bool = False
    weaken: Weaken | None = None
    weaken_is_policy: bool = False


def _key(keys: Keys) -> bytes:
    return keys.secrets[0].reveal().encode()


def _stripe_v0(delivery: Delivery, keys: Keys, at: float) -> Delivery:
    value = hmac.digest(_key(keys), f"{int(at)}.".encode() + delivery.body, "sha256").hex()
    return delivery.with_headers({"Stripe-Signature": f"t={int(at)},v0={value}"})


def _hub_sha1(delivery: Delivery, keys: Keys, _at: float) -> Delivery:
    return delivery.with_headers(
        {"X-Hub-Signature": "sha1=" + hmac.digest(_key(keys), delivery.body, "sha1").hex()}
    )


def _square_sha1(delivery: Delivery, keys: Keys, _at: float) -> Delivery:
    message = (keys.url or delivery.url).encode() + delivery.body
    value = base64.b64encode(hmac.digest(_key(keys), message, "sha1")).decode()
    return delivery.with_headers({"x-square-signature": value})


def _hubspot_v1(delivery: Delivery, keys: Keys, at: float) -> Delivery:
    return sign("hubspot", delivery, keys, at=at, version="v1")


PROFILES: dict[str, Profile] = {
    "stripe": Profile(
        document={"id": "", "object": "event", "type": "", "data": {"object": {"amount": 1}}},
        id_at="/id", type_at="/type", type="invoice.paid", signature="Stripe-Signature", several=True,
        weaken=_stripe_v0, source="stripe-python 16.1.0 stripe/_webhook.py",
    ),
    "github": Profile(
        document={"action": "opened", "amount": 1}, id_at="header:X-GitHub-Delivery",
        type_at="header:X-GitHub-Event", type="issues", signature="X-Hub-Signature-256", weaken=_hub_sha1,
        source="https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries",
    ),
    "facebook": Profile(
        document={"object": "", "entry": [{"amount": 1}]}, id_at=None, type_at="/object", type="page",
        signature="X-Hub-Signature-256", weaken=_hub_sha1,
        source="https://developers.facebook.com/docs/graph-api/webhooks/getting-started",
    ),
    "square": Profile(
        document={"event_id": "", "type": "", "data": {"amount": 1}}, id_at="/event_id", type_at="/type",
        type="payment.created", signature="x-square-hmacsha256-signature", weaken=_square_sha1,
        source="squareup 46.0.0 square/utils/webhooks_helper.py",
    ),
    "mailgun": Profile(
        document={"event-data": {"id": "", "event": "", "amount": 1}}, id_at="/event-data/id",
        type_at="/event-data/event", type="opened", in_body=True,
        source="https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks",
    ),
    "hubspot": Profile(
        document=[{"eventId": "", "subscriptionType": "", "amount": 1}], id_at="/0/eventId",
        type_at="/0/subscriptionType", type="contact.creation", signature="X-HubSpot-Signature-v3",
        timestamp="X-HubSpot-Request-Timestamp", numeric=True, weaken=_hubspot_v1, weaken_is_policy=True,
        source="https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation",
    ),
    "twilio": Profile(
        document={"MessageStatus": "", "From": "+15550100", "amount": "1"},
        id_at="header:I-Twilio-Idempotency-Token", type_at="form:MessageStatus", type="delivered",
        signature="X-Twilio-Signature", form=True,
        source="https://www.twilio.com/docs/usage/webhooks/webhooks-security",
    ),
    "sendgrid": Profile(
        document=[{"sg_event_id": "", "event": "", "amount": 1}], id_at="/0/sg_event_id", type_at="/0/event",
        type="open", signature="X-Twilio-Email-Event-Webhook-Signature",
        timestamp="X-Twilio-Email-Event-Webhook-Timestamp",
        source="sendgrid-python 6.12.5 sendgrid/helpers/eventwebhook",
    ),
    "segment": Profile(
        document={"messageId": "", "type": "", "amount": 1}, id_at="/messageId", type_at="/type", type="track",
        signature="X-Signature", source="https://segment.com/docs/connections/destinations/catalog/webhooks",
    ),
    "standard-webhooks": Profile(
        document={"type": "", "data": {"amount": 1}}, id_at="header:webhook-id", type_at="/type",
        type="contact.created", signature="webhook-signature", timestamp="webhook-timestamp", several=True,
        source="https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md",
    ),
}  # fmt: skip


def compose(profile: Profile, document: Any, event_id: str, kind: str, url: str) -> Delivery:
    """An unsigned delivery of the payload with id and type at their places. `document` None: the profile's."""
    document = json.loads(json.dumps(profile.document if document is None else document))
    headers = {"Content-Type": FORM_TYPE if profile.form else JSON_TYPE}
    for where, value in ((profile.id_at, event_id), (profile.type_at, kind)):
        if where is None:
            continue
        how, _, name = where.partition(":")
        if how == "header":
            headers[name] = value
        elif how == "form":
            document[name] = value
        else:
            _place(document, where, int(value) if profile.numeric and value.isdigit() else value)
    body = urlencode(document) if profile.form else json.dumps(document, separators=(",", ":"))
    return Delivery(url=url, headers=tuple(headers.items()), body=body.encode())


def _place(document: Any, pointer: str, value: object) -> None:
    *way, last = pointer.split("/")[1:]
    for step in way:
        document = document[int(step)] if isinstance(document, list) else document[step]
    document[last] = value


def rewritten(
    profile: Profile, delivery: Delivery, change: Callable[[Any], None], **spelling: Any
) -> Delivery:
    """The delivery with its payload changed in place; `spelling` goes to `json.dumps`."""
    if profile.form:
        fields = dict(parse_qsl(delivery.body.decode(), keep_blank_values=True))
        change(fields)
        return delivery.with_body(urlencode(fields).encode())
    document = json.loads(delivery.body)
    change(document)
    spelling.setdefault("separators", (",", ":"))
    return delivery.with_body(json.dumps(document, **spelling).encode())


def without(delivery: Delivery, header: str) -> Delivery:
    """Without a header."""
    kept = tuple(pair for pair in delivery.headers if pair[0].lower() != header.lower())
    return Delivery(method=delivery.method, url=delivery.url, headers=kept, body=delivery.body)


def event_id(profile: Profile, run: str, name: str) -> str:
    """An id of this run, of the kind that the provider gives."""
    if profile.numeric:
        return str(int(hashlib.sha256(f"{run}-{name}".encode()).hexdigest()[:12], 16))
    return f"drill-{run}-{name}"
