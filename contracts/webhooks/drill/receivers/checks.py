"""How right receivers check a signature, written apart from the schemes, so that one does not hide the other's mistake.

Each says whether the request carries the signature that the secret gives, within the window. Sources: those of
the profiles.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """A request. `headers`: lower-case names, the last of doubles. `now`: epoch seconds."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    now: float


Check = Callable[[Came, str, float], bool]

# What the reference receivers are configured with, beside their key.
WEBHOOK_ID, AUDIENCE = "drill-webhook", "drill-audience"
ACCOUNT = "drill@drill.iam.gserviceaccount.com"
TOPIC = "arn:aws:sns:us-east-1:000000000000:drill"


def _mac(key: bytes, message: bytes, algorithm: str = "sha256") -> bytes:
    return hmac.new(key, message, algorithm).digest()


def _equal(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())


def _in_time(text: str, came: Came, window: float) -> bool:
    return text.isdigit() and abs(came.now - int(text)) <= window


def stripe(came: Came, secret: str, window: float) -> bool:
    """`t` and any `v1`."""
    pairs = [
        part.split("=", 1) for part in came.headers.get("stripe-signature", "").split(",") if "=" in part
    ]
    stamp = next((value for name, value in pairs if name == "t"), "")
    expected = _mac(secret.encode(), stamp.encode() + b"." + came.body).hex()
    fits = any(name == "v1" and _equal(value, expected) for name, value in pairs)
    return fits and _in_time(stamp, came, window)


def hub(came: Came, secret: str, _window: float) -> bool:
    """GitHub and Facebook."""
    expected = "sha256=" + _mac(secret.encode(), came.body).hex()
    return _equal(came.headers.get("x-hub-signature-256", ""), expected)


def square(came: Came, secret: str, _window: float) -> bool:
    """URL and body."""
    expected = base64.b64encode(_mac(secret.encode(), came.url.encode() + came.body)).decode()
    return _equal(came.headers.get("x-square-hmacsha256-signature", ""), expected)


def mailgun(came: Came, secret: str, window: float) -> bool:
    """Time and token, from the body."""
    block = json.loads(came.body).get("signature", {})
    stamp, token = str(block.get("timestamp", "")), str(block.get("token", ""))
    expected = _mac(secret.encode(), (stamp + token).encode()).hex()
    return _equal(str(block.get("signature", "")), expected) and _in_time(stamp, came, window)


def hubspot(came: Came, secret: str, window: float) -> bool:
    """Version 3 alone."""
    stamp = came.headers.get("x-hubspot-request-timestamp", "")
    message = came.method.encode() + came.url.encode() + came.body + stamp.encode()
    expected = base64.b64encode(_mac(secret.encode(), message)).decode()
    fits = _equal(came.headers.get("x-hubspot-signature-v3", ""), expected)
    return fits and stamp.isdigit() and abs(came.now - int(stamp) / 1000) <= window


def twilio(came: Came, secret: str, _window: float) -> bool:
    """URL without its port, as Twilio's own checkers also try it, and the sorted fields."""
    scheme, _, rest = came.url.partition("://")
    host, slash, path = rest.partition("/")
    fields = sorted(set(parse_qsl(came.body.decode(), keep_blank_values=True)))
    text = "".join(name + value for name, value in fields)
    came_as = came.headers.get("x-twilio-signature", "")
    return any(
        _equal(
            came_as,
            base64.b64encode(
                _mac(secret.encode(), f"{scheme}://{each}{slash}{path}{text}".encode(), "sha1")
            ).decode(),
        )
        for each in (host, host.partition(":")[0])
    )


def segment(came: Came, secret: str, _window: float) -> bool:
    """SHA-1 over the body, in hexadecimal."""
    return _equal(came.headers.get("x-signature", ""), _mac(secret.encode(), came.body, "sha1").hex())


def sendgrid(came: Came, public_key: str, _window: float) -> bool:
    """ECDSA over time and body."""
    key = load_der_public_key(base64.b64decode(public_key))
    stamp = came.headers.get("x-twilio-email-event-webhook-timestamp", "")
    signature = came.headers.get("x-twilio-email-event-webhook-signature", "")
    assert isinstance(key, ec.EllipticCurvePublicKey)
    try:
        key.verify(base64.b64decode(signature), stamp.encode() + came.body, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def standard(came: Came, secret: str, window: float) -> bool:
    """Id, time and body; any of several signatures."""
    name, stamp = came.headers.get("webhook-id", ""), came.headers.get("webhook-timestamp", "")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    message = f"{name}.{stamp}.".encode() + came.body
    expected = "v1," + base64.b64encode(_mac(key, message)).decode()
    given = came.headers.get("webhook-signature", "").split(" ")
    return bool(name) and any(_equal(one, expected) for one in given) and _in_time(stamp, came, window)


def described(came: Came, secret: str, window: float) -> bool:
    """The HMAC that the self-test describes: `id.timestamp.body`, SHA-512 in base64, milliseconds."""
    name, stamp = came.headers.get("x-made-up-id", ""), came.headers.get("x-made-up-time", "")
    expected = base64.b64encode(_mac(secret.encode(), f"{name}.{stamp}.".encode() + came.body, "sha512"))
    fits = _equal(came.headers.get("x-made-up-signature", ""), f"v1={expected.decode()}")
    return fits and stamp.isdigit() and abs(came.now - int(stamp) / 1000) <= window


def paypal(came: Came, public_key: str, _window: float) -> bool:
    """RSA over id, time, webhook id and CRC-32. Which certificate is meant is the receiver's own to know."""
    headers = came.headers
    parts = (
        headers.get("paypal-transmission-id", ""),
        headers.get("paypal-transmission-time", ""),
        WEBHOOK_ID,
    )
    message = "|".join((*parts, str(zlib.crc32(came.body))))
    return _rsa(public_key, headers.get("paypal-transmission-sig", ""), message.encode())


def sns(came: Came, public_key: str, _window: float) -> bool:
    """RSA over the named fields of the message, for our topic alone."""
    found = json.loads(came.body)
    if found.get("Type") != "Notification" or found.get("TopicArn") != TOPIC:
        return False
    names = [
        name for name in ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type") if name in found
    ]
    message = "".join(f"{name}\n{found[name]}\n" for name in names)
    return _rsa(public_key, found.get("Signature", ""), message.encode(), hashes.SHA1())  # noqa: S303 - as SNS signs


def _rsa(public_key: str, signature: str, message: bytes, how: hashes.HashAlgorithm | None = None) -> bool:
    key = load_der_public_key(base64.b64decode(public_key))
    assert isinstance(key, rsa.RSAPublicKey)
    try:
        key.verify(base64.b64decode(signature), message, padding.PKCS1v15(), how or hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def pubsub(came: Came, public_key: str, _window: float) -> bool:
    """A token for our audience, of our service account, in time."""
    claims = _claims(came.headers.get("authorization", "").removeprefix("Bearer "), public_key)
    return (
        claims.get("aud") == AUDIENCE
        and claims.get("email") == ACCOUNT
        and claims.get("email_verified") is True
        and claims.get("iat", 0) <= came.now <= claims.get("exp", 0)
    )


def risc(came: Came, public_key: str, _window: float) -> bool:
    """The body is a token for our client; events are historical, so no window."""
    return bool(_claims(came.body.decode("latin-1"), public_key).get("aud") == AUDIENCE)


def _claims(token: str, public_key: str) -> dict[str, Any]:
    """What a token says, if RS256 of the key signs it; empty otherwise."""
    head, _, signature = token.rpartition(".")
    try:
        alg = json.loads(_unurlsafe(token.partition(".")[0]))["alg"]
        fits = _rsa(public_key, base64.b64encode(_unurlsafe(signature)).decode(), head.encode("latin-1"))
        claims = json.loads(_unurlsafe(head.partition(".")[2]))
    except (ValueError, LookupError, TypeError):
        return {}
    return claims if fits and alg == "RS256" else {}


def _unurlsafe(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def query_key(came: Came, secret: str, _window: float) -> bool:
    """A key in the address."""
    return _equal(dict(parse_qsl(urlsplit(came.url).query)).get("code", ""), secret)


def static(came: Came, secret: str, _window: float) -> bool:
    """The value of a header."""
    return _equal(came.headers.get("authorization", ""), secret)


def basic(came: Came, secret: str, _window: float) -> bool:
    """User name and password."""
    return _equal(
        came.headers.get("authorization", ""), "Basic " + base64.b64encode(secret.encode()).decode()
    )


def organization(came: Came, secret: str, _window: float) -> bool:
    """The organisation's id in the message."""
    found = re.findall(rb"<OrganizationId>([^<]*)</OrganizationId>", came.body)
    return len(found) == 1 and _equal(found[0].decode("latin-1"), secret)


# by scheme: the check, and the window of time in seconds
CHECKS: dict[str, tuple[Check, float]] = {
    "stripe": (stripe, 300),
    "github": (hub, 0),
    "facebook": (hub, 0),
    "square": (square, 0),
    "mailgun": (mailgun, 900),
    "hubspot": (hubspot, 300),
    "twilio": (twilio, 0),
    "segment": (segment, 0),
    "sendgrid": (sendgrid, 0),
    "standard-webhooks": (standard, 300),
    "hmac": (described, 300),
    "paypal": (paypal, 0),
    "sns": (sns, 0),
    "google-pubsub-push": (pubsub, 0),
    "google-risc": (risc, 0),
    "event-grid": (query_key, 0),
    "auth0": (static, 0),
    "amplitude": (static, 0),
    "mixpanel": (basic, 0),
    "salesforce": (organization, 0),
}


def told(came: Came, scheme: str) -> tuple[int, bytes]:
    """How a right receiver answers what it took, in the words of the provider's manual."""
    if scheme == "google-risc":
        return 202, b""
    if scheme == "mixpanel":
        return 200, json.dumps({"action": json.loads(came.body).get("action"), "status": "success"}).encode()
    if scheme == "salesforce":
        return 200, b"<notificationsResponse><Ack>true</Ack></notificationsResponse>"
    if scheme == "event-grid" and came.headers.get("aeg-event-type") == "SubscriptionValidation":
        code = json.loads(came.body)[0]["data"]["validationCode"]
        return 200, json.dumps({"validationResponse": code}).encode()
    return 200, b""


def event_of(came: Came, scheme: str) -> str | None:
    """The id of an event where it stands in no JSON body and no header: in a token, or in XML."""
    if scheme == "google-risc":
        return str(json.loads(_unurlsafe(came.body.decode("latin-1").split(".")[1])).get("jti") or "") or None
    found = re.search(rb"<Id>([^<]*)</Id>", came.body)
    return found[1].decode() if scheme == "salesforce" and found else None


def digest(body: bytes) -> str:
    """What stands for an id where there is none."""
    return hashlib.sha256(body).hexdigest()
