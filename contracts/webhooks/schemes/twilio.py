"""Twilio: base64 HMAC over the URL and the sorted parameters; SHA-1 with the auth token, SHA-256 with a shared key.

Sources: twilio-python 9.13.0 `twilio/request_validator.py`; https://www.twilio.com/docs/usage/webhooks/webhooks-security;
https://www.twilio.com/docs/usage/webhooks/webhook-shared-keys.
"""

from __future__ import annotations

import hashlib
from functools import partial
from urllib.parse import SplitResult, parse_qsl, urlsplit, urlunsplit

from contracts.webhooks.records import Delivery, Keys, Refusal
from contracts.webhooks.schemes.base import (
    Ask,
    Proof,
    Refused,
    base64_mac,
    is_form,
    match,
    raw,
    read_form,
    same,
    wanted,
)

HEADER = "X-Twilio-Signature"
SETTINGS = "X-Twilio-Webhooks-Signature-Settings"
_ALGORITHMS = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}


def check(ask: Ask) -> Proof:
    """The URL counts without and with its port, since Twilio's own back ends differ. No time is signed."""
    came = ask.header(HEADER)
    version = _version(ask)
    if not ask.allows(version):
        raise Refused(Refusal.SIGNATURE_DOWNGRADED, f"{version} came, which policy does not let in")
    mac = partial(base64_mac, algorithm=_ALGORITHMS[version])
    bare, ported = _urls(ask.url)
    parameters = _parameters(ask.delivery, ask.url)
    try:
        return match(ask, raw(bare) + parameters, (came,), mac, Proof().but(version=version))
    except Refused as refused:
        if refused.reason is not Refusal.SIGNATURE_MISMATCH:
            raise
        return match(ask, raw(ported) + parameters, (came,), mac, Proof().but(version=version))


def sign(delivery: Delivery, keys: Keys, _at: float, version: str | None) -> Delivery:
    """Signed with the first secret as `version` (default HMAC_SHA1); the digest of another body goes into the URL."""
    version = version or "HMAC_SHA1"
    if delivery.body and not is_form(delivery):
        base = keys.url or delivery.url
        url = f"{base}{'&' if '?' in base else '?'}bodySHA256={_digest(delivery.body)}"
        delivery = Delivery(method=delivery.method, url=url, headers=delivery.headers, body=delivery.body)
    else:
        url = keys.url or delivery.url
    message = raw(_urls(url)[0]) + _parameters(delivery, url)
    key = raw(wanted(keys.secrets, "an auth token")[0].reveal())
    headers = {HEADER: base64_mac(key, message, _ALGORITHMS[version])}
    if version != "HMAC_SHA1":
        headers[SETTINGS] = f"key={keys.key_id or 'webhooks_sharedkey_1'},algorithm={version}"
    return delivery.with_headers(headers)


def _version(ask: Ask) -> str:
    """The algorithm that the settings header names; without that header it is HMAC_SHA1."""
    if not ask.delivery.values(SETTINGS):
        return "HMAC_SHA1"
    pairs = [part.strip().partition("=") for part in ask.header(SETTINGS).split(",")]
    names = [value for name, _, value in pairs if name == "algorithm"]
    if len(names) != 1 or names[0] not in _ALGORITHMS:
        raise Refused(Refusal.ALGORITHM_UNSUPPORTED, f"{SETTINGS} names no algorithm that is known")
    return names[0]


def _urls(url: str) -> tuple[str, str]:
    """The URL without and with a port, its fragment gone."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused(Refusal.URL_MALFORMED, "the URL cannot be read") from None
    bare = parts.netloc if port is None else parts.netloc.rpartition(":")[0]
    ported = f"{bare}:{port or (443 if parts.scheme == 'https' else 80)}"
    return _join(parts, bare), _join(parts, ported)


def _join(parts: SplitResult, netloc: str) -> str:
    return urlunsplit((parts.scheme, netloc, parts.path, parts.query, ""))


def _parameters(delivery: Delivery, url: str) -> bytes:
    """Names and values of a form, sorted, each once; of another body its digest in the URL is compared instead."""
    if is_form(delivery):
        pairs = sorted(set(read_form(delivery.body)))
        return raw("".join(name + value for name, value in pairs))
    if delivery.body:
        _compare_body(delivery.body, url)
    return b""


def _compare_body(body: bytes, url: str) -> None:
    try:
        pairs = parse_qsl(urlsplit(url).query, max_num_fields=1000)
    except ValueError:
        raise Refused(Refusal.URL_MALFORMED, "the URL cannot be read") from None
    named = [value for name, value in pairs if name == "bodySHA256"]
    if not named:
        raise Refused(Refusal.BODY_UNSIGNED, "the body is no form, and the URL carries no bodySHA256")
    if len(named) > 1:
        raise Refused(Refusal.SIGNATURE_DUPLICATED, "bodySHA256 stands twice")
    if not same(named[0], _digest(body)):
        raise Refused(Refusal.BODY_DIGEST_MISMATCH, "bodySHA256 is not the digest of the body")


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
