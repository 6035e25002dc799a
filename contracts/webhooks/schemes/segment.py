"""Segment: `X-Signature`, bare hexadecimal HMAC-SHA-1 over the JSON of the event, of a batch its first event.

Sources: segmentio/action-destinations `packages/destination-actions/src/destinations/webhook/index.ts`;
https://segment.com/docs/connections/destinations/catalog/webhooks.
"""

from __future__ import annotations

import json

from contracts.webhooks.records import Delivery, Keys, Refusal
from contracts.webhooks.schemes.base import Ask, Proof, Refused, hex_mac, match, raw, wanted

HEADER = "X-Signature"


def check(ask: Ask) -> Proof:
    """The bytes are those that came. The events after the first of a batch are not signed, and are said not to be."""
    came = ask.header(HEADER)
    message, whole = _message(ask.delivery.body)
    return match(ask, message, (came,), _mac, Proof().but(body_signed=whole))


def sign(delivery: Delivery, keys: Keys, _at: float, _version: str | None) -> Delivery:
    """Signed with the first secret."""
    key = raw(wanted(keys.secrets, "a secret")[0].reveal())
    return delivery.with_headers({HEADER: _mac(key, _message(delivery.body)[0])})


def _mac(key: bytes, message: bytes) -> str:
    return hex_mac(key, message, "sha1")


def _message(body: bytes) -> tuple[bytes, bool]:
    """What is signed, and whether that is the whole."""
    if not body.startswith(b"["):
        return body, True
    try:
        text = body.decode("utf-8")
        _, end = json.JSONDecoder().raw_decode(text, 1)
    except (ValueError, RecursionError):
        raise Refused(Refusal.BODY_MALFORMED, "the batch is not JSON") from None
    return text[1:end].encode(), text[end:] == "]"
