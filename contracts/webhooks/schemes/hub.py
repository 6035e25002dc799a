"""GitHub and Facebook: `X-Hub-Signature-256`, `sha256=` and lower-case hexadecimal over the raw body.

Sources: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries;
https://developers.facebook.com/docs/graph-api/webhooks/getting-started.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

from contracts.webhooks.records import Answer, Delivery, Keys, Refusal
from contracts.webhooks.schemes.base import Ask, Proof, Refused, hex_mac, match, raw, same, wanted

HEADER = "X-Hub-Signature-256"
_LEGACY = "X-Hub-Signature"  # SHA-1
_FORM = re.compile(r"sha256=[0-9a-f]{64}")


def check(ask: Ask) -> Proof:
    """No time is signed. The legacy SHA-1 header alone is a downgrade; capitals are refused (@octokit does so)."""
    came = ask.header(HEADER, older=_LEGACY)
    if not _FORM.fullmatch(came):
        raise Refused(Refusal.SIGNATURE_MALFORMED, "not sha256= and 64 lower-case hexadecimal digits")
    return match(ask, ask.delivery.body, (came,), _mac, Proof())


def check_facebook(ask: Ask) -> Proof:
    """A GET is the handshake: the verify token must be ours, and the challenge is the answer's body."""
    return _handshake(ask) if ask.delivery.method.upper() == "GET" else check(ask)


def sign(delivery: Delivery, keys: Keys, _at: float, _version: str | None) -> Delivery:
    """Signed with the first secret."""
    key = raw(wanted(keys.secrets, "a secret")[0].reveal())
    return delivery.with_headers({HEADER: _mac(key, delivery.body)})


def _mac(key: bytes, message: bytes) -> str:
    return "sha256=" + hex_mac(key, message)


def _handshake(ask: Ask) -> Proof:
    token = wanted(ask.keys.verify_token, "the verify token of the handshake")
    fields = _query(ask.delivery.url)
    if [fields.get("hub.mode")] != ["subscribe"] or not fields.get("hub.challenge"):
        raise Refused(Refusal.HANDSHAKE_MALFORMED, "hub.mode is not subscribe, or hub.challenge is missing")
    if not same(fields.get("hub.verify_token", ""), token.reveal()):
        raise Refused(Refusal.HANDSHAKE_MISMATCH, "hub.verify_token is not the configured one")
    answer = Answer(
        headers=(("Content-Type", "text/plain; charset=utf-8"),), body=raw(fields["hub.challenge"])
    )
    return Proof().but(
        version="handshake", key_fingerprint=ask.fingerprint(token), event_ids=(), answer=answer
    )


def _query(url: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True, max_num_fields=100)
    except ValueError:
        raise Refused(Refusal.URL_MALFORMED, "the URL cannot be read") from None
    if len({name for name, _ in pairs}) != len(pairs):
        raise Refused(Refusal.HANDSHAKE_MALFORMED, "a parameter stands twice")
    return dict(pairs)
