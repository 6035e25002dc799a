"""HubSpot: v3 is a base64 HMAC with a time in milliseconds, v2 and v1 are plain SHA-256 over the secret and more.

Sources: https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation;
hubspot-api-client 12.0.0 `hubspot/utils/signature.py`; @hubspot/api-client 13.5.0 `src/utils/signature.ts`.
"""

from __future__ import annotations

import hashlib
import re

from contracts.webhooks.records import Delivery, Keys, Refusal
from contracts.webhooks.schemes.base import Ask, Proof, Refused, base64_mac, epoch, match, raw, wanted

V3 = "X-HubSpot-Signature-v3"
TIME = "X-HubSpot-Request-Timestamp"
OLD = "X-HubSpot-Signature"
VERSION = "X-HubSpot-Signature-Version"
_ENCODED = re.compile(r"%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)


def check(ask: Ask) -> Proof:
    """Where v3 came, v3 counts alone: an older signature beside it (HubSpot sends them) lets nothing in."""
    if ask.has(V3):
        return _check_v3(ask)
    version = ask.header(VERSION) if ask.delivery.values(VERSION) else "v1"
    came = ask.header(OLD)
    if version not in {"v1", "v2"}:
        raise Refused(Refusal.ALGORITHM_UNSUPPORTED, f"{VERSION} is neither v1 nor v2")
    if not ask.allows(version):
        raise Refused(Refusal.SIGNATURE_DOWNGRADED, f"only {version} came, which policy does not let in")
    proof = Proof().but(version=version)
    return match(ask, _old_message(ask.delivery, ask.url, version), (came,), _plain, proof)


def sign(delivery: Delivery, keys: Keys, at: float, version: str | None) -> Delivery:
    """Signed with the first secret as `version` (default v3)."""
    key, url = raw(wanted(keys.secrets, "a secret")[0].reveal()), keys.url or delivery.url
    if version in {"v1", "v2"}:
        value = _plain(key, _old_message(delivery, url, version))
        return delivery.with_headers({VERSION: version, OLD: value})
    stamp = str(int(at * 1000))
    value = base64_mac(key, _message(delivery, url, stamp))
    return delivery.with_headers({V3: value, TIME: stamp})


def _check_v3(ask: Ask) -> Proof:
    came, stamp = ask.header(V3), ask.header(TIME, Refusal.TIMESTAMP_MISSING)
    if not ask.allows("v3"):
        raise Refused(Refusal.SIGNATURE_DOWNGRADED, "policy does not let v3 in")
    proof = Proof()
    proof.version, proof.signed_at = "v3", epoch(stamp, milliseconds=True)
    message = _message(ask.delivery, ask.url, stamp)
    return ask.fresh(match(ask, message, (came,), base64_mac, proof))


def _message(delivery: Delivery, url: str, stamp: str) -> bytes:
    """Method, URL, body, time. HubSpot signs the URL with twelve reserved characters decoded."""
    decoded = _ENCODED.sub(lambda found: chr(int(found[1], 16)), url) if "%" in url else url
    return raw(delivery.method.upper() + decoded) + delivery.body + raw(stamp)


def _old_message(delivery: Delivery, url: str, version: str) -> bytes:
    return delivery.body if version == "v1" else raw(delivery.method.upper() + url) + delivery.body


def _plain(key: bytes, message: bytes) -> str:
    """SHA-256 over secret and message: no HMAC, so v1 can be extended by who holds one; policy can forbid it."""
    return hashlib.sha256(key + message).hexdigest()
