"""Stripe: `t` and any number of `v1` in one header; the key is the whole `whsec_` text.

Sources: stripe-python 16.1.0 `stripe/_webhook.py` (`WebhookSignature`); https://docs.stripe.com/webhooks/signature.
"""

from __future__ import annotations

from contracts.webhooks.records import Delivery, Keys, Refusal
from contracts.webhooks.schemes.base import Ask, Proof, Refused, epoch, hex_mac, match, raw, wanted

HEADER = "Stripe-Signature"


def check(ask: Ask) -> Proof:
    """HMAC-SHA-256, hex, over `t.body`; every `v1` is tried (one for each active secret), others are ignored.

    The time is compared after the signature, in whole seconds, and only the past is bounded by default.
    """
    times, came, retired = [], [], False
    for part in ask.header(HEADER).split(","):
        name, _, value = part.strip().partition("=")
        if name == "v1":
            came.append(value)
        elif name == "t":
            times.append(value)
        elif name == "v0":
            retired = True
    if not times:
        raise Refused(Refusal.TIMESTAMP_MISSING, f"{HEADER} holds no t")
    if len(times) > 1:
        raise Refused(Refusal.SIGNATURE_DUPLICATED, f"{HEADER} holds t {len(times)} times")
    if not came:
        reason = Refusal.SIGNATURE_DOWNGRADED if retired else Refusal.SIGNATURE_MISSING
        raise Refused(reason, f"{HEADER} holds no v1")
    proof = Proof()
    proof.version, proof.signed_at = "v1", epoch(times[0])
    message = raw(times[0] + ".") + ask.delivery.body
    return ask.fresh(match(ask, message, came, hex_mac, proof))


def sign(delivery: Delivery, keys: Keys, at: float, _version: str | None) -> Delivery:
    """Signed with every secret, as Stripe does while a secret is rolled."""
    message = raw(f"{int(at)}.") + delivery.body
    secrets = wanted(keys.secrets, "a secret")
    values = [f"v1={hex_mac(raw(secret.reveal()), message)}" for secret in secrets]
    return delivery.with_headers({HEADER: ",".join((f"t={int(at)}", *values))})
