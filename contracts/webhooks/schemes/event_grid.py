"""Azure Event Grid: nothing is signed; a key in the URL or a bearer token, and two handshakes.

Sources: https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema;
https://learn.microsoft.com/azure/event-grid/end-point-validation-cloud-events-schema;
https://learn.microsoft.com/azure/event-grid/secure-webhook-delivery;
https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from contracts.webhooks.records import Answer, Delivery, Keys, Refusal
from contracts.webhooks.schemes import tokens
from contracts.webhooks.schemes.base import Ask, Proof, Refused, raw, read_json, wanted
from contracts.webhooks.schemes.static import compare

VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent"
_QUERY = "code"
_RATE = re.compile(r"[1-9][0-9]{0,6}")


def check(ask: Ask) -> Proof:
    """First the caller, by key or token; then whether it shakes hands, and what is to be answered (200, in 30 s)."""
    proof = tokens.check_bearer(ask) if ask.keys.issuers else compare(ask, raw(_came(ask)))
    proof = proof.but(body_signed=False)
    if ask.delivery.method.upper() == "OPTIONS":
        return proof.but(version="options", event_ids=(), answer=_origin(ask))
    named = ask.delivery.values("aeg-event-type")
    told = any(value.strip() == "SubscriptionValidation" for value in named)
    events = _events(ask.delivery.body) if told or VALIDATION.encode() in ask.delivery.body else []
    if told or any(_is_validation(event) for event in events):
        return proof.but(version="validation", answer=_validation(events, told=told))
    return proof


def sign(delivery: Delivery, keys: Keys, at: float, version: str | None) -> Delivery:
    """The first secret in the query, or a bearer token where issuers are configured."""
    if keys.issuers:
        return tokens.sign_bearer(delivery, keys, at, version)
    name, value = keys.query or _QUERY, wanted(keys.secrets, "a secret")[0].reveal()
    parts = urlsplit(delivery.url)
    kept = [part for part in parts.query.split("&") if part and part.partition("=")[0] != name]
    query = "&".join((*kept, f"{name}={quote(value, safe='')}"))
    url = urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
    return Delivery(method=delivery.method, url=url, headers=delivery.headers, body=delivery.body)


def _came(ask: Ask) -> str:
    """The value of the query's key, which must stand once."""
    name = ask.keys.query or _QUERY
    try:
        pairs = parse_qsl(urlsplit(ask.delivery.url).query, keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        raise Refused(Refusal.URL_MALFORMED, "the URL cannot be read") from None
    found = [value for key, value in pairs if key == name]
    if len(found) > 1:
        raise Refused(Refusal.SIGNATURE_DUPLICATED, f"{name} stands {len(found)} times in the URL")
    if not found or not found[0]:
        raise Refused(Refusal.CREDENTIAL_MISSING, f"the URL carries no {name}")
    return found[0]


def _origin(ask: Ask) -> Answer:
    """The answer to the abuse protection of CloudEvents: the origin that asks, and the rate that it asks for."""
    origin = ask.header("WebHook-Request-Origin", Refusal.HANDSHAKE_MALFORMED)
    if origin not in ask.policy.origins:
        raise Refused(Refusal.HANDSHAKE_MISMATCH, "the origin is not one that policy lets in")
    asked = ask.delivery.values("WebHook-Request-Rate")
    rate = asked[0] if asked and _RATE.fullmatch(asked[0]) else "*"
    return Answer(headers=(("WebHook-Allowed-Origin", origin), ("WebHook-Allowed-Rate", rate)))


def _events(body: bytes) -> list[Any]:
    found = read_json(body)
    return found if isinstance(found, list) else [found]


def _is_validation(event: Any) -> bool:
    return isinstance(event, dict) and event.get("eventType") == VALIDATION


def _validation(events: list[Any], *, told: bool) -> Answer:
    if not told or len(events) != 1 or not _is_validation(events[0]):
        raise Refused(
            Refusal.HANDSHAKE_MALFORMED, "header and event do not both say that this is a validation"
        )
    data = events[0].get("data")
    code = data.get("validationCode") if isinstance(data, dict) else None
    if not isinstance(code, str) or not code:
        raise Refused(Refusal.HANDSHAKE_MALFORMED, "the event holds no validationCode")
    body = json.dumps({"validationResponse": code}).encode()
    return Answer(headers=(("Content-Type", "application/json"),), body=body)
