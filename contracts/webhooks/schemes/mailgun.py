"""Mailgun: the signature stands in the body and covers time and token, not the event.

Sources: https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks;
mailgun-python 1.10.0 `mailgun/security.py` (a window of 900 s, in both directions).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from contracts.webhooks.records import Delivery, Keys, Refusal
from contracts.webhooks.schemes.base import (
    Ask,
    Proof,
    Refused,
    epoch,
    hex_mac,
    is_form,
    is_multipart,
    match,
    raw,
    read_form,
    read_multipart,
    read_object,
    wanted,
)

_FIELDS = ("timestamp", "token", "signature")


def check(ask: Ask) -> Proof:
    """Hex HMAC-SHA-256 over `timestamp + token`. The event is not covered, so a token that came before is refused."""
    form = is_form(ask.delivery) or is_multipart(ask.delivery)
    fields = _form(ask.delivery) if form else _json(ask.delivery)
    stamp, token, came = (fields[name] for name in _FIELDS)
    proof = Proof().but(signed_at=epoch(stamp), replay_token=token)
    proof = ask.fresh(match(ask, raw(stamp + token), (came,), hex_mac, proof))
    if ask.ports.seen(token):
        raise Refused(Refusal.REPLAYED, "the token came before", proof)
    return proof


def sign(delivery: Delivery, keys: Keys, at: float, _version: str | None) -> Delivery:
    """The JSON body with a `signature` block; the token is made of body and time, so it differs where they do."""
    event = json.loads(delivery.body)
    event.pop("signature", None)
    stamp = str(int(at))
    token = hashlib.sha256(delivery.body + raw(stamp)).hexdigest()[:50]
    value = hex_mac(raw(wanted(keys.secrets, "a signing key")[0].reveal()), raw(stamp + token))
    block = {"timestamp": stamp, "token": token, "signature": value}
    return delivery.with_body(json.dumps({"signature": block, **event}, separators=(",", ":")).encode())


def _json(delivery: Delivery) -> dict[str, str]:
    block = read_object(delivery.body).get("signature")
    if not isinstance(block, dict):
        raise Refused(Refusal.SIGNATURE_MISSING, "the body holds no signature block")
    return _whole({name: _text(block.get(name)) for name in _FIELDS})


def _form(delivery: Delivery) -> dict[str, str]:
    """A route's or legacy webhook's form, with the three fields beside the others; with attachments in parts."""
    found = read_multipart(delivery) if is_multipart(delivery) else read_form(delivery.body)
    pairs = [(name, value) for name, value in found if name in _FIELDS]
    if len({name for name, _ in pairs}) != len(pairs):
        raise Refused(Refusal.SIGNATURE_DUPLICATED, "a field of the signature stands twice")
    return _whole({name: dict(pairs).get(name) for name in _FIELDS})


def _whole(found: dict[str, str | None]) -> dict[str, str]:
    missing = {
        "signature": Refusal.SIGNATURE_MISSING,
        "timestamp": Refusal.TIMESTAMP_MISSING,
        "token": Refusal.ID_MISSING,
    }
    for name, reason in missing.items():
        if not found[name]:
            raise Refused(reason, f"{name} is missing, empty or no text")
    return {name: value for name, value in found.items() if value is not None}


def _text(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**15:
        return str(value)
    return value if isinstance(value, str) else None
