"""How right receivers check a signature, written apart from the schemes, so that one does not hide the other's mistake.

Each says whether the request carries the signature that the secret gives, within the window. Sources: those of
the profiles.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
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
}


def digest(body: bytes) -> str:
    """What stands for an id where there is none."""
    return hashlib.sha256(body).hexdigest()
