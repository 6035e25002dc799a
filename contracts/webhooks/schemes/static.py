"""Auth0 streams, Amplitude, Mixpanel: nothing is signed; a fixed value stands in a header.

Sources: https://auth0.com/docs/customize/log-streams/custom-log-streams and
https://auth0.com/docs/customize/events (webhook authorization: basic, bearer or custom header);
https://amplitude.com/docs/data/destination-catalog/webhooks (custom headers);
https://docs.mixpanel.com/docs/cohort-sync/webhooks (optional HTTP Basic, and the answer it wants).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json

from contracts.webhooks.events import identify
from contracts.webhooks.records import Answer, Delivery, Keys, Refusal
from contracts.webhooks.schemes.base import Ask, Proof, Refused, raw, wanted
from interlock.secrets import Secret

AUTHORIZATION = "Authorization"


def check(ask: Ask) -> Proof:
    """The whole value of the header (`Authorization`, or the configured one) is the secret.

    Amplitude has no header of its own for this: whichever custom header is set there is configured here.
    """
    ask.secrets()  # what we lack is said before what the sender left out
    return compare(ask, raw(ask.header(ask.keys.header or AUTHORIZATION, Refusal.CREDENTIAL_MISSING)))


def check_mixpanel(ask: Ask) -> Proof:
    """HTTP Basic; the answer repeats the action, or Mixpanel counts the delivery as failed."""
    scheme, _, value = ask.header(AUTHORIZATION, Refusal.CREDENTIAL_MISSING).partition(" ")
    try:
        came = base64.b64decode(raw(value), validate=True)
    except (binascii.Error, ValueError):
        came = b""
    if scheme.lower() != "basic" or base64.b64encode(came) != raw(value):
        raise Refused(Refusal.CREDENTIAL_MISMATCH, "Authorization is not Basic")
    proof = compare(ask, came)
    action = "".join(identify(ask.delivery, "/action")[:1])
    body = json.dumps({"action": action, "status": "success"}).encode()
    answer = Answer(headers=(("Content-Type", "application/json"),), body=body)
    return Proof().but(key_fingerprint=proof.key_fingerprint, answer=answer)


def compare(ask: Ask, given: bytes) -> Proof:
    """The proof, if what came is one of the secrets; every one is compared."""
    fits: Secret | None = None
    for secret in ask.secrets():
        if hmac.compare_digest(raw(secret.reveal()), given):
            fits = secret
    if fits is None:
        raise Refused(Refusal.CREDENTIAL_MISMATCH, "the value is not the configured one")
    return Proof().but(key_fingerprint=ask.fingerprint(fits))


def sign(delivery: Delivery, keys: Keys, _at: float, _version: str | None) -> Delivery:
    """The first secret in its header."""
    value = wanted(keys.secrets, "a secret")[0].reveal()
    return delivery.with_headers({keys.header or AUTHORIZATION: value})


def sign_mixpanel(delivery: Delivery, keys: Keys, _at: float, _version: str | None) -> Delivery:
    """The first secret, `username:password`, as HTTP Basic."""
    value = base64.b64encode(raw(wanted(keys.secrets, "a secret")[0].reveal())).decode()
    return delivery.with_headers({AUTHORIZATION: f"Basic {value}"})
