"""PayPal: RSA over `id|time|webhook id|crc32`, with a certificate that a header points to.

Sources: paypalrestsdk 1.13.3 `paypalrestsdk/notifications.py`; https://developer.paypal.com/api/rest/webhooks/rest/;
paypal/paypal-rest-api-specifications `openapi/notifications_webhooks_v1.json`.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
import zlib
from datetime import UTC, datetime
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from contracts.webhooks import certificates
from contracts.webhooks.certificates import Leaf
from contracts.webhooks.records import Delivery, Keys, Refusal
from contracts.webhooks.schemes.base import Ask, Proof, Refused, raw, unbase64, wanted
from interlock.errors import UsageError
from interlock.secrets import Secret

_ID, _TIME = "PAYPAL-TRANSMISSION-ID", "PAYPAL-TRANSMISSION-TIME"
_SIGNATURE, _CERTIFICATE, _ALGORITHM = "PAYPAL-TRANSMISSION-SIG", "PAYPAL-CERT-URL", "PAYPAL-AUTH-ALGO"
_SHA256, _PADDING = hashes.SHA256(), padding.PKCS1v15()
_HOST = re.compile(r"(?:[a-z0-9-]+\.)*paypal\.com")
_NAME = re.compile(r"(?:[a-z0-9-]+\.)+paypal\.com")


def check(ask: Ask) -> Proof:
    """RSA PKCS #1 v1.5 with SHA-256; the CRC-32 of the raw body as an unsigned decimal number.

    The official SDK takes a certificate from any host: here only https on PayPal's own. It must be in date,
    bear a name of PayPal's, and be or lead to one of `Keys.roots`. No time window is the SDK's default.
    A CRC is no digest: who holds one delivery can make another body of the same CRC, so the body is bound weakly.
    """
    webhook_id = wanted(ask.keys.webhook_id, "the webhook id")
    roots = wanted(ask.keys.roots, "a root certificate")
    came = ask.header(_SIGNATURE)
    name = ask.header(_ID, Refusal.ID_MISSING)
    stamp = ask.header(_TIME, Refusal.TIMESTAMP_MISSING)
    if ask.header(_ALGORITHM, Refusal.ALGORITHM_UNSUPPORTED) != "SHA256withRSA":
        raise Refused(Refusal.ALGORITHM_UNSUPPORTED, f"{_ALGORITHM} is not SHA256withRSA")
    url = certificate_url(ask.header(_CERTIFICATE, Refusal.CERTIFICATE_URL_UNTRUSTED))
    signature = unbase64(came)
    proof = Proof()
    proof.signed, proof.came, proof.key_url = _message(name, stamp, webhook_id, ask.delivery.body), came, url
    proof.signed_at, proof.version = _epoch(stamp), "SHA256withRSA"
    leaf = _leaf(ask, url, roots, proof)
    verify_rsa(leaf.key, signature, proof, _SHA256)
    proof.key_fingerprint = leaf.fingerprint
    return ask.fresh(proof)


def sign(delivery: Delivery, keys: Keys, at: float, _version: str | None) -> Delivery:
    """Signed with the private key; the transmission id is kept where one stands, else made of the body."""
    found = delivery.values(_ID)
    name = found[0] if found else hashlib.sha256(delivery.body).hexdigest()[:32]
    stamp = _rfc3339(at)
    message = _message(name, stamp, wanted(keys.webhook_id, "the webhook id"), delivery.body)
    signature = rsa_signature(keys.private_key, message, hashes.SHA256())
    return delivery.with_headers(
        {
            _ID: name,
            _TIME: stamp,
            _SIGNATURE: signature,
            _CERTIFICATE: wanted(keys.certificate_url, "the URL of the certificate"),
            _ALGORITHM: "SHA256withRSA",
        }
    )


def certificate_url(text: str) -> str:
    """The URL, if it is https on a host of PayPal's, without user, port or fragment."""
    try:
        parts = urlsplit(text)
        plain = parts.scheme == "https" and parts.netloc == (parts.hostname or "") and not parts.fragment
    except ValueError:
        plain = False
    if not plain or not _HOST.fullmatch(parts.netloc):
        raise Refused(Refusal.CERTIFICATE_URL_UNTRUSTED, "the certificate is not on a host of PayPal's")
    return text


def verify_rsa(key: rsa.RSAPublicKey, signature: bytes, proof: Proof, how: hashes.HashAlgorithm) -> None:
    """Refuses a signature that is not that of the key over `proof.signed`."""
    assert proof.signed is not None
    try:
        key.verify(signature, proof.signed, _PADDING, how)
    except InvalidSignature:
        detail = "the certificate's key did not sign this"
        raise Refused(Refusal.SIGNATURE_MISMATCH, detail, proof) from None


def rsa_signature(private_key: Secret | None, message: bytes, how: hashes.HashAlgorithm) -> str:
    """RSA PKCS #1 v1.5 in base64."""
    key = private_rsa(wanted(private_key, "a private key"))
    return base64.b64encode(key.sign(message, padding.PKCS1v15(), how)).decode()


@functools.lru_cache(maxsize=8)
def private_rsa(secret: Secret) -> rsa.RSAPrivateKey:
    """A private key from PEM; kept, since its check on loading costs more than many signatures."""
    try:
        key = load_pem_private_key(raw(secret.reveal()), password=None)
    except (ValueError, TypeError):
        raise UsageError("the private key is no PEM key without a password") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise UsageError("the private key is not an RSA key")
    return key


def _leaf(ask: Ask, url: str, roots: tuple[str, ...], proof: Proof) -> Leaf:
    pem = ask.ports.held(url)
    if pem is None:
        raise Refused(Refusal.KEY_UNAVAILABLE, "the certificate is not held", proof)
    leaf = certificates.read(pem)
    name = leaf.name.lower()
    if not _NAME.fullmatch(name):
        raise Refused(Refusal.CERTIFICATE_UNTRUSTED, "the certificate's name is not one of PayPal's", proof)
    now = ask.ports.now()
    certificates.in_date(leaf, now)
    certificates.led_back(leaf, roots, name, now)
    return leaf


def _message(name: str, stamp: str, webhook_id: str, body: bytes) -> bytes:
    return raw(f"{name}|{stamp}|{webhook_id}|{zlib.crc32(body)}")


def _epoch(stamp: str) -> float:
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        moment = datetime.min  # noqa: DTZ901 - no time zone, so refused below
    if moment.tzinfo is None:
        raise Refused(Refusal.TIMESTAMP_MALFORMED, f"{_TIME} is not a time with its zone")
    return moment.timestamp()


def _rfc3339(at: float) -> str:
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
