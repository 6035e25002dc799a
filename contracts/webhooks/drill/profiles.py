"""How a delivery of each scheme looks: payload, where id, signature and time stand, and its weaker version."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from contracts.webhooks.drill import places
from contracts.webhooks.drill.places import FORM_TYPE
from contracts.webhooks.records import Delivery, HmacShape, Keys
from contracts.webhooks.signatures import sign

JSON_TYPE, TOKEN_TYPE = "application/json", "application/secevent+jwt"
Weaken = Callable[[Delivery, Keys, float], Delivery]
_HOUR_SECONDS = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One scheme as the drill sends it; every place is one of `places`.

    `document`: a payload; text for XML, a mapping of text for a form. `id_at`, `type_at`: None where it names none.
    `signature`: what proves the sender; `timestamp`: the time that is signed. `type`: a known one.
    `apart_at`: where the id stands in the body too, if `id_at` is a header: no two events have the same body.
    `tamper_at`: a place that is signed, where a member more would not be. `signs`: if not what the scheme signs.
    `lifetime_seconds`: of a token. `needs_id`: without one nothing can be signed.
    `weaken`: signed by a version that is retired; None: there is none. `weaker_at`: where that signature stands
    beside the new one, which the provider still sends too. `source`: of what cannot be decided.
    """

    document: Any
    id_at: str | None
    type_at: str | None
    type: str
    source: str
    signature: str
    timestamp: str | None = None
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)
    numeric: bool = False
    several: bool = False
    tamper_at: str | None = None
    apart_at: str | None = None
    signs: frozenset[str] | None = None
    lifetime_seconds: float | None = None
    needs_id: bool = False
    weaken: Weaken | None = None
    weaker_at: str | None = None
    weaken_is_policy: bool = False

    @property
    def json(self) -> bool:
        """Whether the body is JSON whose spelling is kept: the signature stands elsewhere."""
        return self.content_type == JSON_TYPE and not places.in_body(self.signature)


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


def _unsigned_token(scheme: str) -> Weaken:
    """The token with `alg: none` and no signature (RFC 8725, 2.1)."""

    def made(delivery: Delivery, keys: Keys, at: float) -> Delivery:
        signed = sign(scheme, delivery, keys, at=at)
        claims = places.claims(signed)
        head = {"alg": "none", "typ": "JWT", "kid": keys.key_id}
        return places.with_token(signed, f"{places.packed(head)}.{places.packed(claims)}.")

    return made


_SOAP = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    '<notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId></OrganizationId>'
    "<ActionId>04k000000000001AAA</ActionId><Notification><Id></Id>"
    '<sObject xmlns:sf="urn:sobject.enterprise.soap.sforce.com" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="">'
    "<sf:Id>001000000000001AAA</sf:Id><sf:amount>1</sf:amount></sObject></Notification></notifications>"
    "</soapenv:Body></soapenv:Envelope>"
)
_RISC_EVENT = "https://schemas.openid.net/secevent/risc/event-type/sessions-revoked"
_AUTHORIZATION = "header:Authorization"

PROFILES: dict[str, Profile] = {
    "stripe": Profile(
        document={"id": "", "object": "event", "type": "", "data": {"object": {"amount": 1}}},
        id_at="/id", type_at="/type", type="invoice.paid", signature="header:Stripe-Signature", several=True,
        timestamp="part:Stripe-Signature:t", weaken=_stripe_v0, source="stripe-python 16.1.0 stripe/_webhook.py",
    ),
    "github": Profile(
        document={"action": "opened", "amount": 1}, id_at="header:X-GitHub-Delivery",
        type_at="header:X-GitHub-Event", type="issues", apart_at="/issue/node_id",
        signature="header:X-Hub-Signature-256", weaken=_hub_sha1,
        weaker_at="header:X-Hub-Signature",
        source="https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries",
    ),
    "facebook": Profile(
        document={"object": "", "entry": [{"amount": 1}]}, id_at=None, type_at="/object", type="page",
        signature="header:X-Hub-Signature-256", weaken=_hub_sha1, weaker_at="header:X-Hub-Signature",
        source="https://developers.facebook.com/docs/graph-api/webhooks/getting-started",
    ),
    "square": Profile(
        document={"event_id": "", "type": "", "data": {"amount": 1}}, id_at="/event_id", type_at="/type",
        type="payment.created", signature="header:x-square-hmacsha256-signature", weaken=_square_sha1,
        source="squareup 46.0.0 square/utils/webhooks_helper.py",
    ),
    "mailgun": Profile(
        document={"event-data": {"id": "", "event": "", "amount": 1}}, id_at="/event-data/id",
        type_at="/event-data/event", type="opened", signature="/signature/signature",
        timestamp="/signature/timestamp",
        source="https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks",
    ),
    "hubspot": Profile(
        document=[{"eventId": "", "subscriptionType": "", "amount": 1}], id_at="/0/eventId",
        type_at="/0/subscriptionType", type="contact.creation", signature="header:X-HubSpot-Signature-v3",
        timestamp="header:X-HubSpot-Request-Timestamp", numeric=True, weaken=_hubspot_v1, weaken_is_policy=True,
        source="https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation",
    ),
    "twilio": Profile(
        document={"MessageStatus": "", "From": "+15550100", "amount": "1"}, content_type=FORM_TYPE,
        id_at="header:I-Twilio-Idempotency-Token", type_at="form:MessageStatus", type="delivered",
        apart_at="form:MessageSid",
        signature="header:X-Twilio-Signature",
        source="https://www.twilio.com/docs/usage/webhooks/webhooks-security",
    ),
    "sendgrid": Profile(
        document=[{"sg_event_id": "", "event": "", "amount": 1}], id_at="/0/sg_event_id", type_at="/0/event",
        type="open", signature="header:X-Twilio-Email-Event-Webhook-Signature",
        timestamp="header:X-Twilio-Email-Event-Webhook-Timestamp",
        source="sendgrid-python 6.12.5 sendgrid/helpers/eventwebhook",
    ),
    "segment": Profile(
        document={"messageId": "", "type": "", "amount": 1}, id_at="/messageId", type_at="/type", type="track",
        signature="header:X-Signature",
        source="https://segment.com/docs/connections/destinations/catalog/webhooks",
    ),
    "standard-webhooks": Profile(
        document={"type": "", "data": {"amount": 1}}, id_at="header:webhook-id", type_at="/type",
        type="contact.created", apart_at="/data/id", signature="header:webhook-signature",
        timestamp="header:webhook-timestamp", several=True,
        source="https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md",
    ),
    "hmac": Profile(
        document={"data": {"amount": 1}}, id_at="/id", type_at="/type", type="made.up", signature="",
        source="the description in the settings",
    ),
    "paypal": Profile(
        document={"id": "", "event_type": "", "resource": {"amount": "1"}}, id_at="/id", type_at="/event_type",
        type="PAYMENT.CAPTURE.COMPLETED", signature="header:PAYPAL-TRANSMISSION-SIG",
        timestamp="header:PAYPAL-TRANSMISSION-TIME",
        source="paypalrestsdk 1.13.3 paypalrestsdk/notifications.py",
    ),
    "sns": Profile(
        document={
            "Type": "Notification", "MessageId": "", "TopicArn": "arn:aws:sns:us-east-1:000000000000:drill",
            "Message": '{"amount":1}',
        },
        id_at="/MessageId", type_at=None, type="Notification", content_type="text/plain; charset=UTF-8",
        signature="/Signature", timestamp="/Timestamp", tamper_at="/Message", needs_id=True,
        source="https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html",
    ),
    "google-pubsub-push": Profile(
        document={
            "message": {"messageId": "", "attributes": {"eventType": ""}, "data": ""},
            "subscription": "projects/drill/subscriptions/drill",
        },
        id_at="/message/messageId", type_at="/message/attributes/eventType", type="OBJECT_FINALIZE",
        signature="token:", timestamp="claim:exp", signs=frozenset({"timestamp"}), lifetime_seconds=_HOUR_SECONDS,
        weaken=_unsigned_token("google-pubsub-push"),
        source="https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions",
    ),
    "google-risc": Profile(
        document={"jti": "", "events": {_RISC_EVENT: {"subject": {"subject_type": "iss-sub", "sub": "1"}}}},
        id_at="/jti", type_at="key:/events", type=_RISC_EVENT, content_type=TOKEN_TYPE,
        signature="token:", timestamp="claim:iat", weaken=_unsigned_token("google-risc"),
        source="https://developers.google.com/identity/protocols/risc",
    ),
    "event-grid": Profile(
        document=[{
            "id": "", "eventType": "", "subject": "/drill", "eventTime": "2026-01-01T00:00:00Z",
            "dataVersion": "1", "data": {"amount": 1},
        }],
        id_at="/0/id", type_at="/0/eventType", type="Microsoft.Storage.BlobCreated", signature="query:code",
        headers={"aeg-event-type": "Notification"},
        source="https://learn.microsoft.com/azure/event-grid/secure-webhook-delivery",
    ),
    "auth0": Profile(
        document={"id": "", "type": "", "data": {"object": {"amount": 1}}}, id_at="/id", type_at="/type",
        type="user.created", signature=_AUTHORIZATION, source="https://auth0.com/docs/customize/events",
    ),
    "amplitude": Profile(
        document={"message_id": "", "amount": 1}, id_at="/message_id", type_at=None, type="",
        signature=_AUTHORIZATION, source="https://amplitude.com/docs/data/destination-catalog/webhooks",
    ),
    "mixpanel": Profile(
        document={"action": "", "parameters": {"mixpanel_session_id": "", "members": []}},
        id_at="/parameters/mixpanel_session_id", type_at="/action", type="members", signature=_AUTHORIZATION,
        source="https://docs.mixpanel.com/docs/cohort-sync/webhooks",
    ),
    "salesforce": Profile(
        document=_SOAP, id_at="element:Id", type_at="attribute:xsi:type", type="sf:Account",
        content_type="text/xml; charset=utf-8", signature="element:OrganizationId",
        source="https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging.htm",
    ),
}  # fmt: skip


def fitted(scheme: str, keys: Keys) -> Profile:
    """The profile of a scheme as these keys have it: where a credential stands, what a described HMAC signs."""
    told: Profile = PROFILES[scheme]
    changes: dict[str, Any] = {}
    if scheme == "hmac" and keys.shape is not None:
        changes = _described(keys.shape)
    elif scheme in {"auth0", "amplitude"} and keys.header:
        changes = {"signature": f"header:{keys.header}"}
    elif scheme == "event-grid" and keys.issuers:
        changes = {
            "signature": "token:", "timestamp": "claim:exp", "signs": frozenset({"timestamp"}),
            "lifetime_seconds": _HOUR_SECONDS, "weaken": _unsigned_token(scheme),
        }  # fmt: skip
    elif scheme == "event-grid" and keys.query:
        changes = {"signature": f"query:{keys.query}"}
    return dataclasses.replace(told, **changes)


def _described(shape: HmacShape) -> dict[str, Any]:
    return {
        "signature": f"header:{shape.header}",
        "timestamp": f"header:{shape.timestamp_header}" if shape.timestamp_header else None,
        "id_at": f"header:{shape.id_header}" if shape.id_header else "/id",
        "apart_at": "/data/id" if shape.id_header else None,
        "signs": frozenset(re.findall(r"\{(\w+)\}", shape.signed)),
    }


def compose(
    profile: Profile, document: Any, event_id: str, kind: str | None, url: str, *, make: bool = False
) -> Delivery:
    """An unsigned delivery of the payload with id and type at their places.

    `document` None: the profile's. `kind` None: the type is left as it is. `make`: places that are missing are made.
    """
    ours = document is None
    make = make or ours
    document = profile.document if ours else document
    if isinstance(document, str):
        body = document
    elif profile.content_type == FORM_TYPE:
        body = urlencode(document)
    else:
        body = json.dumps(document, separators=(",", ":"))
    headers = {"Content-Type": profile.content_type, **profile.headers}
    made = Delivery(url=url, headers=tuple(headers.items()), body=body.encode())
    apart = profile.apart_at if ours else None
    for where, value in ((profile.id_at, event_id), (apart, event_id), (profile.type_at, kind)):
        if where is not None and value is not None:
            numeric = profile.numeric and value.isdigit()
            made = places.put(made, where, int(value) if numeric else value, make=make)
    return made


def respelled(delivery: Delivery) -> Delivery:
    """A body of JSON with white space that a machine would not write."""
    text = json.dumps(json.loads(delivery.body), indent=2, separators=(", ", " : "))
    return delivery.with_body(text.encode() + b"\n")


def event_id(profile: Profile, run: str, name: str) -> str:
    """An id of this run, of the kind that the provider gives."""
    if profile.numeric:
        return str(int(hashlib.sha256(f"{run}-{name}".encode()).hexdigest()[:12], 16))
    return f"drill-{run}-{name}"
