"""One made-up sender for each scheme: what it sends, what it signs with, what the receiver holds."""

from __future__ import annotations

import base64
import datetime as dt
import functools
import json
from dataclasses import dataclass, field

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID
from jwt.algorithms import RSAAlgorithm

from contracts.webhooks.records import Checked, Delivery, HmacShape, Keys, Policy, Ports
from contracts.webhooks.signatures import sign, verify
from interlock.secrets import Secret

NOW = 1_790_000_000.0
URL = "https://receiver.example/hook"
PAYPAL_URL = "https://api.paypal.com/v1/notifications/certs/CERT-own"
SNS_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-own.pem"


def secret(text: str) -> Secret:
    return Secret(text, name="test")


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> Secret:
    return secret(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


@functools.cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@functools.cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@functools.cache
def certificate(name: str) -> str:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
    builder = builder.public_key(rsa_key().public_key()).serial_number(1)
    builder = builder.not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    builder = builder.not_valid_after(dt.datetime(2090, 1, 1, tzinfo=dt.UTC))
    return builder.sign(rsa_key(), hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def issued(authority: trustme.CA, name: str) -> bytes:
    """A server's certificate for our RSA key, as a public authority would issue it."""
    parent = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    signer = load_pem_private_key(authority.private_key_pem.bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    identifier = parent.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = x509.CertificateBuilder().issuer_name(parent.subject).serial_number(7)
    builder = builder.subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
    builder = builder.public_key(rsa_key().public_key())
    builder = builder.not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    builder = builder.not_valid_after(dt.datetime(2090, 1, 1, tzinfo=dt.UTC))
    for extension in (
        x509.SubjectAlternativeName([x509.DNSName(name)]),
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
    ):
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM)


@functools.cache
def key_set(kid: str = "kid-1") -> bytes:
    jwk = RSAAlgorithm.to_jwk(rsa_key().public_key(), as_dict=True)
    return json.dumps({"keys": [{**jwk, "kid": kid, "alg": "RS256", "use": "sig", "key_ops": None}]}).encode()


@functools.cache
def held() -> dict[str, bytes]:
    return {
        PAYPAL_URL: certificate("messageverificationcerts.paypal.com").encode(),
        SNS_URL: certificate("sns.amazonaws.com").encode(),
    }


@dataclass(frozen=True)
class Sender:
    """`signature`: the header that carries it. `body_bound`: a changed body is refused."""

    name: str
    scheme: str
    keys: Keys
    body: bytes = b'{"id":"e1","type":"made.up","n":1}\n'
    version: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    signature: str | None = None
    body_bound: bool = True
    secret_bound: bool = True
    policy: Policy | None = None
    seen: frozenset[str] = field(default_factory=frozenset)

    def send(self, body: bytes | None = None, *, at: float = NOW, keys: Keys | None = None) -> Delivery:
        body = self.body if body is None else body
        draft = Delivery(url=URL, headers=self.headers, body=body)
        return sign(self.scheme, draft, keys or self.keys, at=at, version=self.version)

    def check(self, delivery: Delivery, *, keys: Keys | None = None, now: float = NOW) -> Checked:
        ports = Ports(now=lambda: now, held=held().get, seen=self.seen.__contains__)
        return verify(self.scheme, delivery, keys or self.keys, ports, self.policy)


def _shared(text: str = "made-up-secret", **more: object) -> Keys:
    return Keys(secrets=(secret(text),), **more)  # type: ignore[arg-type]


FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
SHAPE = HmacShape(header="X-Sig", prefix="v9=", signed="{timestamp}.{body}", timestamp_header="X-Time")


@functools.cache
def senders() -> dict[str, Sender]:
    """By name."""
    private = pem(rsa_key())
    sns = b'{"Type":"Notification","MessageId":"m1","TopicArn":"arn:aws:sns:eu-west-1:1:t","Message":"a\\n\\u00e9"}'
    token = {"private_key": private, "key_id": "kid-1", "jwks": key_set(), "audiences": ("client-1",)}
    points = ec_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    whsec = "whsec_" + base64.b64encode(b"made-up-secret-of-24-byt").decode()
    found = [
        Sender("stripe", "stripe", _shared("whsec_made-up"), signature="Stripe-Signature"),
        Sender("square", "square", _shared(), signature="x-square-hmacsha256-signature"),
        Sender("github", "github", _shared(), signature="X-Hub-Signature-256"),
        Sender("facebook", "facebook", _shared(), signature="X-Hub-Signature-256"),
        Sender("hubspot-v1", "hubspot", _shared(), version="v1", signature="X-HubSpot-Signature"),
        Sender("hubspot-v2", "hubspot", _shared(), version="v2", signature="X-HubSpot-Signature"),
        Sender("hubspot-v3", "hubspot", _shared(), signature="X-HubSpot-Signature-v3"),
        Sender("segment", "segment", _shared(), signature="X-Signature"),
        Sender("standard", "standard-webhooks", _shared(whsec), signature="webhook-signature"),
        Sender("hmac", "hmac", _shared(shape=SHAPE), signature="X-Sig"),
        Sender(
            "twilio-form", "twilio", _shared(), b"From=%2B1555&Body=hi&MessageStatus=sent",
            headers=FORM, signature="X-Twilio-Signature",
        ),
        Sender(
            "twilio-shared-key", "twilio", _shared(), b"From=%2B1555&Body=hi", "HMAC_SHA256",
            headers=FORM, signature="X-Twilio-Signature",
        ),
        Sender("twilio-json", "twilio", _shared(), signature="X-Twilio-Signature"),
        Sender("mailgun", "mailgun", _shared(), b'{"event-data":{"id":"e1","event":"opened"}}', body_bound=False),
        Sender(
            "sendgrid", "sendgrid",
            Keys(public_keys=(base64.b64encode(points).decode(),), private_key=pem(ec_key())),
            b'[{"sg_event_id":"e1","event":"open"}]\r\n',
            signature="X-Twilio-Email-Event-Webhook-Signature", secret_bound=False,
        ),
        Sender(
            "paypal", "paypal",
            Keys(
                webhook_id="WID1", private_key=private, certificate_url=PAYPAL_URL,
                roots=(certificate("messageverificationcerts.paypal.com"),),
            ),
            signature="PAYPAL-TRANSMISSION-SIG", secret_bound=False,
        ),
        Sender("sns-1", "sns", Keys(private_key=private, certificate_url=SNS_URL), sns, "1", secret_bound=False),
        Sender("sns-2", "sns", Keys(private_key=private, certificate_url=SNS_URL), sns, "2", secret_bound=False),
        Sender(
            "pubsub", "google-pubsub-push", Keys(account="a@b.example", **token),  # type: ignore[arg-type]
            b'{"message":{"messageId":"e1"}}', signature="Authorization", body_bound=False, secret_bound=False,
        ),
        Sender(
            "risc", "google-risc", Keys(issuers=("https://accounts.google.com/",), **token),  # type: ignore[arg-type]
            b'{"jti":"e1","events":{"https://schemas.openid.net/x/account-disabled":{}}}', secret_bound=False,
        ),
        Sender(
            "auth0-id", "auth0-id-token", Keys(issuers=("https://own.auth0.example/",), **token),  # type: ignore[arg-type]
            signature="Authorization", body_bound=False, secret_bound=False,
        ),
        Sender(
            "cognito", "cognito-token",
            Keys(issuers=("https://cognito-idp.example/p",), token_use="access", **token),  # type: ignore[arg-type]
            signature="Authorization", body_bound=False, secret_bound=False,
        ),
        Sender("event-grid", "event-grid", _shared(), b'[{"id":"e1","eventType":"T"}]', body_bound=False),
        Sender(
            "event-grid-token", "event-grid", Keys(issuers=("https://sts.example/",), **token),  # type: ignore[arg-type]
            signature="Authorization", body_bound=False, secret_bound=False,
        ),
        Sender("auth0", "auth0", _shared("Bearer made-up"), signature="Authorization", body_bound=False),
        Sender("amplitude", "amplitude", _shared(header="X-Token"), signature="X-Token", body_bound=False),
        Sender("mixpanel", "mixpanel", _shared("user:made-up"), signature="Authorization", body_bound=False),
    ]  # fmt: skip
    return {sender.name: sender for sender in found}
