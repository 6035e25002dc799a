"""Certificates that a delivery points to: read, in date, and led back to roots that were given.

The chain is built by cryptography's verifier (https://cryptography.io/en/latest/x509/verification/).
"""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from contracts.webhooks.records import Refusal
from contracts.webhooks.schemes.base import Refused, public_fingerprint
from interlock.errors import UsageError


def read(pem: bytes) -> list[x509.Certificate]:
    """The certificates of a PEM file, the signer's first."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise Refused(Refusal.CERTIFICATE_MALFORMED, "what was fetched is no PEM certificate") from None


def rsa_key(leaf: x509.Certificate) -> rsa.RSAPublicKey:
    """The RSA key of a certificate."""
    try:
        key = leaf.public_key()
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPublicKey):
        raise Refused(Refusal.CERTIFICATE_MALFORMED, "the certificate holds no RSA key")
    return key


def fingerprint(key: rsa.RSAPublicKey) -> str:
    """`sha256:` and 16 hexadecimal digits of the public key."""
    return public_fingerprint(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def in_date(leaf: x509.Certificate, now: float) -> None:
    """Refuses a certificate that is not valid yet, or no longer; `now` in epoch seconds."""
    moment = datetime.fromtimestamp(now, UTC)
    if not leaf.not_valid_before_utc <= moment <= leaf.not_valid_after_utc:
        raise Refused(Refusal.CERTIFICATE_EXPIRED, f"the certificate is not valid at {moment:%Y-%m-%d}")


def common_name(leaf: x509.Certificate) -> str:
    """The subject's one common name; empty if there is none, or several."""
    try:
        found = leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    except ValueError:
        return ""
    return str(found[0].value) if len(found) == 1 else ""


def led_back(chain: list[x509.Certificate], roots: tuple[str, ...], name: str, now: float) -> None:
    """Refuses a certificate that neither is one of the roots nor leads to one as that of the server `name`."""
    try:
        anchors = [x509.load_pem_x509_certificate(root.encode()) for root in roots]
    except ValueError:
        raise UsageError("a configured root is no PEM certificate") from None
    leaf = chain[0]
    if leaf in anchors:
        return
    try:
        builder = PolicyBuilder().store(Store(anchors)).time(datetime.fromtimestamp(now, UTC))
        builder.build_server_verifier(x509.DNSName(name)).verify(leaf, chain[1:])
    except (VerificationError, ValueError):
        raise Refused(Refusal.CERTIFICATE_UNTRUSTED, "the certificate leads to no given root") from None
