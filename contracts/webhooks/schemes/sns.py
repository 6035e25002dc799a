"""Amazon SNS, and SES and S3 through it: RSA over named fields, with a certificate that the message points to.

Sources: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html;
aws/aws-js-sns-message-validator 0.3.5 `index.js` (the pattern of hosts).
That validator leaves `Token` out for UnsubscribeConfirmation; the guide signs it, and so does this.
"""

from __future__ import annotations

import functools
import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes

from contracts.webhooks import certificates
from contracts.webhooks.certificates import Leaf
from contracts.webhooks.events import identify
from contracts.webhooks.records import Delivery, Keys, Refusal
from contracts.webhooks.schemes.base import Ask, Proof, Refused, raw, read_object, unbase64, wanted
from contracts.webhooks.schemes.paypal import rsa_signature, verify_rsa

_HOST = re.compile(r"sns\.[a-zA-Z0-9-]{3,}\.amazonaws\.com(?:\.cn)?")
_HASHES: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303 - as SNS signs
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONTROL = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_FIELDS = {
    "Notification": _NOTIFICATION,
    "SubscriptionConfirmation": _CONTROL,
    "UnsubscribeConfirmation": _CONTROL,
}


def check(ask: Ask) -> Proof:
    """SignatureVersion 1 is SHA-1, 2 is SHA-256. The signature proves a topic, not that it is ours: see the policy.

    The certificate comes over https from an SNS host alone and must be in date; given roots, it must lead to one.
    """
    message = read_object(ask.delivery.body)
    version = _text(message, "SignatureVersion", Refusal.ALGORITHM_UNSUPPORTED)
    if version not in _HASHES:
        raise Refused(Refusal.ALGORITHM_UNSUPPORTED, "SignatureVersion is neither 1 nor 2")
    if not ask.allows(version):
        raise Refused(Refusal.SIGNATURE_DOWNGRADED, f"version {version} came, which policy does not let in")
    came = _text(message, "Signature", Refusal.SIGNATURE_MISSING)
    url = aws_url(_text(message, "SigningCertURL", Refusal.CERTIFICATE_URL_UNTRUSTED), suffix=".pem")
    proof = Proof()
    proof.version, proof.signed, proof.came, proof.key_url = version, _canonical(message), came, url
    signature = unbase64(came)
    proof.signed_at = _epoch(message["Timestamp"])
    leaf = _leaf(ask, url, proof)
    verify_rsa(leaf.key, signature, proof, _HASHES[version])
    proof.key_fingerprint = leaf.fingerprint
    return ask.fresh(_ours(ask, message, proof))


def sign(delivery: Delivery, keys: Keys, at: float, version: str | None) -> Delivery:
    """The body, an SNS message in JSON, with `Timestamp`, `Signature`, `SignatureVersion` (default 1) and URL set."""
    message = json.loads(delivery.body)
    version = version or "1"
    stamp = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    message |= {"Timestamp": stamp, "SignatureVersion": version}
    message["SigningCertURL"] = wanted(keys.certificate_url, "the URL of the certificate")
    message["Signature"] = rsa_signature(keys.private_key, _canonical(message), _HASHES[version])
    headers = {"x-amz-sns-message-type": message["Type"], "x-amz-sns-message-id": message["MessageId"]}
    return delivery.with_body(json.dumps(message).encode()).with_headers(headers)


@functools.lru_cache(maxsize=64)
def aws_url(text: str, *, suffix: str = "", reason: Refusal = Refusal.CERTIFICATE_URL_UNTRUSTED) -> str:
    """The URL, if it is https on a host of SNS, without user, port or fragment."""
    try:
        parts = urlsplit(text)
    except ValueError:
        raise Refused(reason, "the URL cannot be read") from None
    plain = parts.scheme == "https" and not parts.fragment and parts.path.endswith(suffix)
    if not plain or not _HOST.fullmatch(parts.netloc):
        raise Refused(reason, "the URL is not https on a host of SNS")
    return text


def _ours(ask: Ask, message: dict[str, Any], proof: Proof) -> Proof:
    """The proof with events and confirmation, if the topic is one of ours."""
    if ask.policy.topics is not None and message["TopicArn"] not in ask.policy.topics:
        raise Refused(Refusal.TOPIC_MISMATCH, "signed by AWS, for a topic that is not ours", proof)
    if message["Type"] != "Notification":
        url = aws_url(message["SubscribeURL"], reason=Refusal.SUBSCRIBE_URL_UNTRUSTED)
        proof.confirm_url = url if message["Type"] == "SubscriptionConfirmation" else None
    proof.event_ids, proof.event_types = (message["MessageId"],), _types(ask, message)
    return proof


def _types(ask: Ask, message: dict[str, Any]) -> tuple[str, ...]:
    """The type inside `Message` where the policy says where it stands there; else the type of the message."""
    pointer = ask.policy.event_type
    if message["Type"] == "Notification" and pointer not in {None, "/Type"}:
        assert pointer is not None
        inner = identify(ask.delivery.with_body(raw(message["Message"])), pointer)
        if inner:
            return inner
    return (message["Type"],)


def _leaf(ask: Ask, url: str, proof: Proof) -> Leaf:
    pem = ask.ports.held(url)
    if pem is None:
        raise Refused(Refusal.KEY_UNAVAILABLE, "the certificate is not held", proof)
    leaf = certificates.read(pem)
    now = ask.ports.now()
    certificates.in_date(leaf, now)
    if ask.keys.roots:
        certificates.led_back(leaf, ask.keys.roots, leaf.name, now)
    return leaf


def _canonical(message: dict[str, Any]) -> bytes:
    """Name and value, a line each, in byte order; `Subject` only where it came."""
    kind = _text(message, "Type", Refusal.TYPE_UNKNOWN)
    if kind not in _FIELDS:
        raise Refused(Refusal.TYPE_UNKNOWN, "Type is none that SNS sends")
    names = [name for name in _FIELDS[kind] if name != "Subject" or message.get(name) is not None]
    values = [_text(message, name, Refusal.BODY_MALFORMED, empty=True) for name in names]
    return raw("".join(f"{name}\n{value}\n" for name, value in zip(names, values, strict=True)))


def _text(message: dict[str, Any], name: str, missing: Refusal, *, empty: bool = False) -> str:
    value = message.get(name)
    if not isinstance(value, str) or not (value or empty):
        raise Refused(missing, f"{name} is missing or no text")
    return value


def _epoch(stamp: str) -> float:
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        raise Refused(Refusal.TIMESTAMP_MALFORMED, "Timestamp is not a time") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
