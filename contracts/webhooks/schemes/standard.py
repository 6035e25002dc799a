"""Standard Webhooks and Svix: id, time and body under a base64 key; several signatures stand in one header.

Sources: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md and
`libraries/python/standardwebhooks/webhooks.py` there; https://docs.svix.com/receiving/verifying-payloads/how-manual.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib

from contracts.webhooks.records import Delivery, Keys, Refusal
from contracts.webhooks.schemes.base import Ask, Proof, Refused, base64_mac, epoch, match, raw, wanted
from interlock.errors import UsageError


def check(ask: Ask) -> Proof:
    """`v1,` and base64 HMAC-SHA-256 over `id.timestamp.body`; `v1a` (Ed25519) and unknown versions are ignored.

    The `webhook-` headers count; Svix's own `svix-` only where none of the former came.
    """
    own = any(ask.has(f"webhook-{name}") for name in ("signature", "id", "timestamp"))
    prefix = (
        "webhook"
        if own or not any(key.lower().startswith("svix-") for key, _ in ask.delivery.headers)
        else "svix"
    )
    came = ask.header(f"{prefix}-signature")
    message_id = ask.header(f"{prefix}-id", Refusal.ID_MISSING)
    stamp = ask.header(f"{prefix}-timestamp", Refusal.TIMESTAMP_MISSING)
    given = tuple(part[3:] for part in came.split(" ") if part.startswith("v1,"))
    if not given:
        raise Refused(Refusal.SIGNATURE_MALFORMED, f"{prefix}-signature holds no v1 signature")
    proof = Proof()
    proof.version, proof.signed_at = "v1", epoch(stamp)
    message = raw(f"{message_id}.{stamp}.") + ask.delivery.body
    proof = ask.fresh(match(ask, message, given, _mac, proof))
    proof.event_ids = (message_id,)
    return proof


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
    return base64_mac(_key(secret), message)


@functools.lru_cache(maxsize=64)
def _key(secret: bytes) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(b"whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raise UsageError("the secret of a Standard Webhooks receiver is whsec_ and base64") from None
