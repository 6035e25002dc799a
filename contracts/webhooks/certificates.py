"""Certificates that a delivery points to: read, in date, and led back to roots that were given.

The chain is built by cryptography's verifier (https://cryptography.io/en/latest/x509/verification/).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from contracts.webhooks.records import Refusal
from contracts.webhooks.schemes.base import Refused, public_fingerprint
from interlock.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """The signer's certificate, with what is asked of it.

    `chain`: itself first, as the file has them. `begins`, `ends`: epoch seconds. `name`: the subject's one common
    name, empty if there is none, or several. `fingerprint`: `sha256:` and 16 hexadecimal digits of the public key.
    """

    chain: tuple[x509.Certificate, ...]
    key: rsa.RSAPublicKey
    name: str
    begins: float
    ends: float
    fingerprint: str


@functools.lru_cache(maxsize=64)
def read(pem: bytes) -> Leaf:
    """The certificates of a PEM file, read once: a sender signs a great many deliveries with one."""
    try:
        chain = tuple(x509.load_pem_x509_certificates(pem))
    except (ValueError, UnsupportedAlgorithm):
        raise Refused(Refusal.CERTIFICATE_MALFORMED, "what was fetched is no PEM certificate") from None
    leaf, key = chain[0], _rsa_key(chain[0])
    return Leaf(
        chain=chain,
        key=key,
        name=_common_name(leaf),
        begins=leaf.not_valid_before_utc.timestamp(),
        ends=leaf.not_valid_after_utc.timestamp(),
        fingerprint=public_fingerprint(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)),
    )


def in_date(leaf: Leaf, now: float) -> None:
    """Refuses a certificate that is not valid yet, or no longer; `now` in epoch seconds."""
    if not leaf.begins <= now <= leaf.ends:
        moment = datetime.fromtimestamp(now, UTC)
        raise Refused(Refusal.CERTIFICATE_EXPIRED, f"the certificate is not valid at {moment:%Y-%m-%d}")


def led_back(leaf: Leaf, roots: tuple[str, ...], name: str, now: float) -> None:
    """Refuses a certificate that neither is one of the roots nor leads to one as that of the server `name`."""
    anchors = _anchors(roots)
    if leaf.chain[0] in anchors:
        return
    try:
        builder = PolicyBuilder().store(Store(list(anchors))).time(datetime.fromtimestamp(now, UTC))
        builder.build_server_verifier(x509.DNSName(name)).verify(leaf.chain[0], list(leaf.chain[1:]))
    except (VerificationError, ValueError):
        raise Refused(Refusal.CERTIFICATE_UNTRUSTED, "the certificate leads to no given root") from None


@functools.lru_cache(maxsize=16)
def _anchors(roots: tuple[str, ...]) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(each for root in roots for each in x509.load_pem_x509_certificates(root.encode()))
    except ValueError:
        raise UsageError("a configured root is no PEM certificate") from None


def _rsa_key(leaf: x509.Certificate) -> rsa.RSAPublicKey:
    try:
        key = leaf.public_key()
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPublicKey):
        raise Refused(Refusal.CERTIFICATE_MALFORMED, "the certificate holds no RSA key")
    return key


def _common_name(leaf: x509.Certificate) -> str:
    try:
        found = leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    except ValueError:
        return ""
    return str(found[0].value) if len(found) == 1 else ""
