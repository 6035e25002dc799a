"""Standard Webhooks and Svix: id, time and body under a base64 key; several signatures stand in one header.

Sources: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md and
`libraries/python/standardwebhooks/webhooks.py` there; https://docs.svix.com/receiving/verifying-payloads/how-manual.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib

from contracts.webhooks.records import Delivery, Keys, Refusal
from contracts.webhooks.schemes.base import Ask, Proof, Refused, base64_mac, epoch, match, raw, wanted
from interlock.errors import UsageError

_PREFIXES = ("webhook", "svix")


def check(ask: Ask) -> Proof:
    """`v1,` and base64 HMAC-SHA-256 over `id.timestamp.body`; `v1a` (Ed25519) and unknown versions are ignored.

    The `webhook-` headers count; Svix's own `svix-` only where none of the former came.
    """
    names = ("id", "timestamp", "signature")
    prefix = next((p for p in _PREFIXES if any(ask.delivery.values(f"{p}-{n}") for n in names)), "webhook")
    came = ask.header(f"{prefix}-signature")
    message_id = ask.header(f"{prefix}-id", Refusal.ID_MISSING)
    stamp = ask.header(f"{prefix}-timestamp", Refusal.TIMESTAMP_MISSING)
    given = tuple(part[3:] for part in came.split(" ") if part.startswith("v1,"))
    if not given:
        raise Refused(Refusal.SIGNATURE_MALFORMED, f"{prefix}-signature holds no v1 signature")
    proof = Proof(version="v1", signed_at=epoch(stamp))
    message = raw(f"{message_id}.{stamp}.") + ask.delivery.body
    proof = ask.fresh(match(ask, message, given, _mac, proof))
    return dataclasses.replace(proof, event_ids=(message_id,))


def sign(delivery: Delivery, keys: Keys, at: float, _version: str | None) -> Delivery:
    """Signed with every secret. The id is kept where one stands, else made of the body."""
    found = delivery.values("webhook-id")
    message_id = found[0] if found else f"msg_{hashlib.sha256(delivery.body).hexdigest()[:24]}"
    message = raw(f"{message_id}.{int(at)}.") + delivery.body
    secrets = wanted(keys.secrets, "a secret")
    values = " ".join(f"v1,{_mac(raw(secret.reveal()), message)}" for secret in secrets)
    return delivery.with_headers(
        {"webhook-id": message_id, "webhook-timestamp": str(int(at)), "webhook-signature": values}
    )


def _mac(secret: bytes, message: bytes) -> str:
    try:
        key = base64.b64decode(secret.removeprefix(b"whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raise UsageError("the secret of a Standard Webhooks receiver is whsec_ and base64") from None
    return base64_mac(key, message)
