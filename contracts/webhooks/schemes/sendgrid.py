"""SendGrid: ECDSA on P-256 with SHA-256 over the timestamp and the raw bytes, the trailing CRLF among them.

Sources: sendgrid-python 6.12.5 `sendgrid/helpers/eventwebhook`;
https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features.
"""

from __future__ import annotations

import base64
import functools

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_private_key

from contracts.webhooks.records import Delivery, Keys, Refusal
from contracts.webhooks.schemes.base import (
    Ask,
    Proof,
    Refused,
    epoch,
    public_fingerprint,
    raw,
    unbase64,
    wanted,
)
from interlock.errors import UsageError

HEADER = "X-Twilio-Email-Event-Webhook-Signature"
TIME = "X-Twilio-Email-Event-Webhook-Timestamp"
_ECDSA = ec.ECDSA(hashes.SHA256())


def check(ask: Ask) -> Proof:
    """A base64 DER signature; every configured public key is tried. The SDK has no time window."""
    keys = [_public(text) for text in wanted(ask.keys.public_keys, "a public key")]
    came, stamp = ask.header(HEADER), ask.header(TIME, Refusal.TIMESTAMP_MISSING)
    signature = unbase64(came)
    message = raw(stamp) + ask.delivery.body
    proof = Proof()
    proof.signed_at, proof.signed, proof.came = epoch(stamp), message, came
    for key, name in keys:
        try:
            key.verify(signature, message, _ECDSA)
        except InvalidSignature:
            continue
        proof.key_fingerprint = name
        return ask.fresh(proof)
    raise Refused(Refusal.SIGNATURE_MISMATCH, "no configured public key fits this signature", proof)


def sign(delivery: Delivery, keys: Keys, at: float, _version: str | None) -> Delivery:
    """Signed with the private key."""
    stamp = str(int(at))
    try:
        key = load_pem_private_key(raw(wanted(keys.private_key, "a private key").reveal()), password=None)
    except (ValueError, TypeError):
        raise UsageError("the private key is no PEM key without a password") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise UsageError("the private key is not on an elliptic curve")
    signature = key.sign(raw(stamp) + delivery.body, ec.ECDSA(hashes.SHA256()))
    return delivery.with_headers({HEADER: base64.b64encode(signature).decode(), TIME: stamp})


@functools.lru_cache(maxsize=64)
def _public(text: str) -> tuple[ec.EllipticCurvePublicKey, str]:
    """A public key from PEM or from the base64 DER that SendGrid shows, and its fingerprint."""
    lines = [line for line in text.strip().splitlines() if not line.startswith("-----")]
    try:
        der = base64.b64decode("".join(lines), validate=True)
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError("a public key is neither PEM nor base64 DER") from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise UsageError("a public key is not on an elliptic curve")
    return key, public_fingerprint(der)
