"""Square: base64 HMAC-SHA-256 over the notification URL and the body.

Sources: squareup 46.0.0 `square/utils/webhooks_helper.py`;
https://developer.squareup.com/docs/webhooks/step3validate.
"""

from __future__ import annotations

from contracts.webhooks.records import Delivery, Keys, Refusal
from contracts.webhooks.schemes.base import Ask, Proof, Refused, base64_mac, match, raw, wanted

HEADER = "x-square-hmacsha256-signature"
_RETIRED = "x-square-signature"  # SHA-1


def check(ask: Ask) -> Proof:
    """The URL is the subscription's, character for character. An empty body is refused, as in Square's Python."""
    came = ask.header(HEADER, older=_RETIRED)
    if not ask.delivery.body:
        raise Refused(Refusal.BODY_EMPTY, "Square never sends an empty body")
    return match(ask, raw(ask.url) + ask.delivery.body, (came,), base64_mac, Proof())


def sign(delivery: Delivery, keys: Keys, _at: float, _version: str | None) -> Delivery:
    """Signed with the first secret."""
    key = raw(wanted(keys.secrets, "a secret")[0].reveal())
    return delivery.with_headers({HEADER: base64_mac(key, raw(keys.url or delivery.url) + delivery.body)})
