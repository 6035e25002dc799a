"""A described HMAC: which header, prefix, algorithm and encoding, and what is signed.

Sources: RFC 2104 (https://www.rfc-editor.org/rfc/rfc2104) for the HMAC; the rest is what the user describes.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re

from contracts.webhooks.records import Delivery, HmacShape, Keys, Refusal
from contracts.webhooks.schemes.base import Ask, Mac, Proof, Refused, epoch, match, raw, wanted
from interlock.errors import UsageError

_PLACE = re.compile(r"\{(body|timestamp|id|method|url)\}")


def check(ask: Ask) -> Proof:
    """The signature in the described header over the described bytes."""
    shape = wanted(ask.keys.shape, "the description of the HMAC")
    came = ask.header(shape.header)
    if not came.startswith(shape.prefix):
        raise Refused(Refusal.SIGNATURE_MALFORMED, f"{shape.header} does not begin with its prefix")
    stamp = _field(ask, shape.timestamp_header, Refusal.TIMESTAMP_MISSING)
    name = _field(ask, shape.id_header, Refusal.ID_MISSING)
    at = None if stamp is None else epoch(stamp, milliseconds=shape.timestamp_unit == "ms")
    message = _message(shape, ask.delivery, ask.url, stamp or "", name or "")
    covered = set(_PLACE.findall(shape.signed))
    proof = Proof().but(
        signed_at=at if "timestamp" in covered else None,
        event_ids=(name,) if name and "id" in covered else None,
        body_signed="body" in covered,
    )
    proof = match(ask, message, (came.removeprefix(shape.prefix),), _mac(shape), proof)
    return proof if proof.signed_at is None else ask.fresh(proof)


def sign(delivery: Delivery, keys: Keys, at: float, _version: str | None) -> Delivery:
    """Signed with the first secret, the time and an id set where the description has headers for them."""
    shape = wanted(keys.shape, "the description of the HMAC")
    stamp = str(int(at * 1000) if shape.timestamp_unit == "ms" else int(at))
    found = delivery.values(shape.id_header) if shape.id_header else ()
    name = found[0] if found else "evt_1"
    message = _message(shape, delivery, keys.url or delivery.url, stamp, name)
    value = _mac(shape)(raw(wanted(keys.secrets, "a secret")[0].reveal()), message)
    extra = {shape.timestamp_header: stamp, shape.id_header: name}
    headers = {header: text for header, text in extra.items() if header}
    return delivery.with_headers({shape.header: shape.prefix + value, **headers})


def _field(ask: Ask, header: str | None, missing: Refusal) -> str | None:
    return None if header is None else ask.header(header, missing)


def _message(shape: HmacShape, delivery: Delivery, url: str, stamp: str, name: str) -> bytes:
    found = {
        "body": delivery.body,
        "timestamp": raw(stamp),
        "id": raw(name),
        "method": raw(delivery.method.upper()),
        "url": raw(url),
    }
    parts = _PLACE.split(shape.signed)  # text and names by turns
    return b"".join(found[part] if turn % 2 else raw(part) for turn, part in enumerate(parts))


def _mac(shape: HmacShape) -> Mac:
    def mac(secret: bytes, message: bytes) -> str:
        digest = hmac.digest(_key(shape, secret), message, shape.algorithm)
        if shape.encoding == "hex":
            return digest.hex()
        if shape.encoding == "base64":
            return base64.b64encode(digest).decode()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    return mac


def _key(shape: HmacShape, secret: bytes) -> bytes:
    try:
        if shape.key_encoding == "hex":
            return bytes.fromhex(secret.decode())
        if shape.key_encoding == "base64":
            return base64.b64decode(secret, validate=True)
    except (ValueError, binascii.Error):
        raise UsageError(f"the secret is not {shape.key_encoding}, as its description says") from None
    return secret
