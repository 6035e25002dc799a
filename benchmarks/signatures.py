"""Checking signatures of 2 KB deliveries beside the official SDKs; with public keys beside bare cryptography.

What is compared is the decision, as the SDKs make it. `verify` gives the record of it too, with the events read from
the body: that is measured beside, and has no peer.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from functools import partial
from urllib.parse import parse_qsl, urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from benchmarks.shared import Figure, ratio, rounds, same, spent
from contracts.webhooks.records import Delivery, Keys, Ports
from contracts.webhooks.signatures import refusal, sign
from tests.contracts.webhooks.signers import SNS_URL, URL, held, senders

ROUNDS, REPEAT = 7, 400
BODY = json.dumps({"id": "evt_1", "type": "invoice.paid", "data": ["made up"] * 180}).encode()
FIELDS = {"MessageStatus": "sent", **{f"Field{number}": "made up value" for number in range(80)}}
FORM = urlencode(FIELDS).encode()
FORM_TYPE = (("Content-Type", "application/x-www-form-urlencoded"),)

Check = Callable[[], bool]


def run() -> list[Figure]:
    """Every pair in turn; each must let the delivery in, and refuse it with another body."""
    figures = []
    for name, make in {**_HMAC, **_PUBLIC}.items():
        peer, target = ("the SDK", 0.75) if name in _HMAC else ("bare cryptography", 1.1)
        ours, theirs = make(changed=True)
        same(f"{name}: a changed body is refused", (ours(), theirs()), (False, False))
        ours, theirs = make(changed=False)
        same(f"{name}: the right one is let in", (ours(), theirs()), (True, True))
        contenders = {"interlock": partial(_cost, ours), peer: partial(_cost, theirs)}
        seen = rounds(f"{name}: one check, CPU", contenders, count=ROUNDS, unit="us", floor=peer)
        figures.append(Figure(f"{name}: a check / {peer}", ratio(seen, "interlock", peer), target=target))
    return figures


def _cost(check: Check) -> float:
    def often() -> None:
        for _ in range(REPEAT):
            check()

    return spent(often).cpu_seconds / REPEAT * 1e6


def _ours(scheme: str, delivery: Delivery, keys: Keys) -> Check:
    ports = Ports(now=time.time, held=held().get)
    return lambda: refusal(scheme, delivery, keys, ports) is None


def _sent(scheme: str, keys: Keys, *, changed: bool, body: bytes = BODY, form: bool = False) -> Delivery:
    draft = Delivery(url=URL, headers=FORM_TYPE if form else (), body=body)
    sent = sign(scheme, draft, keys, at=time.time())
    return sent.with_body(body.replace(b"made", b"mede", 1)) if changed else sent


def _stripe(*, changed: bool) -> tuple[Check, Check]:
    import stripe  # noqa: PLC0415 - each SDK where it is measured

    keys = senders()["stripe"].keys
    sent = _sent("stripe", keys, changed=changed)
    header, secret, text = sent.values("Stripe-Signature")[0], keys.secrets[0].reveal(), sent.body.decode()

    def theirs() -> bool:
        try:
            return bool(stripe.WebhookSignature.verify_header(text, header, secret, 300))
        except stripe.SignatureVerificationError:
            return False

    return _ours("stripe", sent, keys), theirs


def _standard(*, changed: bool) -> tuple[Check, Check]:
    from standardwebhooks.webhooks import Webhook, WebhookVerificationError  # noqa: PLC0415

    keys = senders()["standard"].keys
    sent = _sent("standard-webhooks", keys, changed=changed)
    hook, headers, text = Webhook(keys.secrets[0].reveal()), dict(sent.headers), sent.body.decode()

    def theirs() -> bool:
        try:
            hook.verify(text, headers)
        except WebhookVerificationError:
            return False
        return True

    return _ours("standard-webhooks", sent, keys), theirs


def _twilio(*, changed: bool) -> tuple[Check, Check]:
    from twilio.request_validator import RequestValidator  # noqa: PLC0415

    keys = senders()["twilio-form"].keys
    sent = _sent("twilio", keys, changed=changed, body=FORM, form=True)
    validator, header = RequestValidator(keys.secrets[0].reveal()), sent.values("X-Twilio-Signature")[0]
    # a form is parsed by both: ours has the bytes, and a framework does it for the SDK
    return _ours("twilio", sent, keys), lambda: bool(
        validator.validate(URL, dict(parse_qsl(sent.body.decode(), keep_blank_values=True)), header)
    )


def _square(*, changed: bool) -> tuple[Check, Check]:
    from square.utils.webhooks_helper import verify_signature  # noqa: PLC0415

    keys = senders()["square"].keys
    sent = _sent("square", keys, changed=changed)
    header, text = sent.values("x-square-hmacsha256-signature")[0], sent.body.decode()
    key = keys.secrets[0].reveal()
    return _ours("square", sent, keys), lambda: bool(
        verify_signature(request_body=text, signature_header=header, signature_key=key, notification_url=URL)
    )


def _hubspot(*, changed: bool) -> tuple[Check, Check]:
    from hubspot.utils.signature import Signature  # noqa: PLC0415

    keys = senders()["hubspot-v3"].keys
    sent = _sent("hubspot", keys, changed=changed)
    header, stamp = sent.values("X-HubSpot-Signature-v3")[0], sent.values("X-HubSpot-Request-Timestamp")[0]
    secret, text = keys.secrets[0].reveal(), sent.body.decode()
    return _ours("hubspot", sent, keys), lambda: bool(
        Signature.is_valid(header, secret, text, URL, "POST", "v3", stamp)
    )


def _sendgrid(*, changed: bool) -> tuple[Check, Check]:
    keys = senders()["sendgrid"].keys
    sent = _sent("sendgrid", keys, changed=changed)
    key = load_der_public_key(base64.b64decode(keys.public_keys[0]))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    signature = base64.b64decode(sent.values("X-Twilio-Email-Event-Webhook-Signature")[0])
    message = sent.values("X-Twilio-Email-Event-Webhook-Timestamp")[0].encode() + sent.body
    return _ours("sendgrid", sent, keys), partial(
        _bare, lambda: key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    )


def _sns(*, changed: bool) -> tuple[Check, Check]:
    keys = senders()["sns-2"].keys
    told = {
        "Type": "Notification",
        "MessageId": "m1",
        "TopicArn": "arn:aws:sns:eu-west-1:1:t",
        "Message": BODY.decode(),
    }
    draft = Delivery(url=URL, body=json.dumps(told).encode())
    sent = sign("sns", draft, keys, at=time.time(), version="2")
    if changed:
        sent = sent.with_body(sent.body.replace(b"made", b"mede", 1))
    message = json.loads(sent.body)
    names = ("Message", "MessageId", "Timestamp", "TopicArn", "Type")
    text = "".join(f"{name}\n{message[name]}\n" for name in names).encode()
    key = x509.load_pem_x509_certificate(held()[SNS_URL]).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    signature = base64.b64decode(message["Signature"])
    return _ours("sns", sent, keys), partial(
        _bare, lambda: key.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
    )


def _bare(work: Callable[[], None]) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415

    try:
        work()
    except InvalidSignature:
        return False
    return True


_HMAC = {
    "Stripe": _stripe,
    "Standard Webhooks": _standard,
    "Twilio, a form": _twilio,
    "Square": _square,
    "HubSpot v3": _hubspot,
}
_PUBLIC = {"SendGrid, ECDSA": _sendgrid, "SNS, RSA": _sns}
