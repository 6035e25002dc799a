"""What the schemes share: one header, one timestamp, one comparison, one way to refuse."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import json
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from hmac import HMAC, compare_digest, new
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from contracts.webhooks.records import Answer, Delivery, Keys, Policy, Ports, Refusal
from interlock.errors import UsageError
from interlock.secrets import Secret, fingerprint

_MOST_DIGITS = 15
_MAX_FIELDS = 5000
_T = TypeVar("_T")


class Proof:
    """What is known so far of a delivery; a refusal carries it too. The fields are those of `Checked`.

    It is filled in step by step within one check, and never leaves it: no dataclass, because thirteen fields that are
    set anew, and a copy for each step, cost as much as a MAC. `secret`: the one that fits; its fingerprint is made
    where somebody reads it.
    """

    version: str | None = None
    signed_at: float | None = None
    key_fingerprint: str | None = None
    secret: Secret | None = None
    signed: bytes | None = None
    came: str | None = None
    event_ids: tuple[str, ...] | None = None
    event_types: tuple[str, ...] | None = None
    body_signed: bool | None = None
    replay_token: str | None = None
    key_url: str | None = None
    confirm_url: str | None = None
    answer: Answer | None = None

    def but(self, **known: Any) -> Proof:
        """Another, with this known too."""
        assert known.keys() <= Proof.__annotations__.keys(), known
        found = Proof()
        found.__dict__.update(self.__dict__, **known)
        return found


class Refused(Exception):  # noqa: N818 - a finding on its way to the seam, not an error
    """Ends a check: the reason, a sentence, and what was known by then. Never leaves this package."""

    def __init__(self, reason: Refusal, detail: str = "", proof: Proof | None = None) -> None:
        super().__init__(reason.value)
        self.reason, self.detail, self.proof = reason, detail, proof or Proof()


@dataclass(slots=True)
class Ask:
    """One question: is this delivery the provider's? Nothing changes it; to freeze it would cost half a MAC."""

    delivery: Delivery
    keys: Keys
    policy: Policy
    ports: Ports
    _headers: dict[str, tuple[str, ...]] | None = None

    @property
    def url(self) -> str:
        """The URL that was signed: the configured one, else that of the request."""
        return self.keys.url or self.delivery.url

    def header(
        self, name: str, missing: Refusal = Refusal.SIGNATURE_MISSING, *, older: str | None = None
    ) -> str:
        """The only value of a header. Several are refused: who reads the first and who reads the last differ.

        `older`: the header of a retired signature; where that alone came, it is a downgrade.
        """
        values = (self._headers or self._indexed()).get(name.lower(), ())
        if len(values) == 1 and (text := values[0].strip()):
            return text if text == values[0] else values[0].strip(" \t")
        if len(values) > 1:
            raise Refused(Refusal.SIGNATURE_DUPLICATED, f"{name} stands {len(values)} times")
        if not values and older is not None and self.has(older):
            raise Refused(Refusal.SIGNATURE_DOWNGRADED, f"only the retired {older} came")
        raise Refused(missing, f"{name} is missing" if not values else f"{name} is empty")

    def has(self, name: str) -> bool:
        """Whether a header came."""
        return name.lower() in (self._headers or self._indexed())

    def _indexed(self) -> dict[str, tuple[str, ...]]:
        """The headers by their names in lower case, made when one is first sought: most schemes seek three."""
        found: dict[str, tuple[str, ...]] = {}
        for name, value in self.delivery.headers:
            key = name.lower()
            found[key] = (*found[key], value) if key in found else (value,)
        self._headers = found
        return found

    def allows(self, version: str) -> bool:
        """Whether policy lets this version of the scheme in."""
        return self.policy.versions is None or version in self.policy.versions

    def secrets(self) -> tuple[Secret, ...]:
        """The configured secrets. Raises `UsageError` if there is none."""
        return wanted(self.keys.secrets, "a secret")

    def fingerprint(self, secret: Secret) -> str:
        """A keyed hash that tells secrets apart."""
        return _fingerprint(secret, self.ports.fingerprint_key)

    def fresh(self, proof: Proof) -> Proof:
        """The proof, if its time is within the policy's bounds."""
        assert proof.signed_at is not None
        age = self.ports.now() - proof.signed_at
        tolerance, future = self.policy.tolerance_seconds, self.policy.future_seconds
        if tolerance is not None and age > tolerance:
            detail = f"signed {age:.0f} s ago, {tolerance:g} s are allowed"
            raise Refused(Refusal.TIMESTAMP_STALE, detail, proof)
        if future is not None and -age > future:
            detail = f"signed {-age:.0f} s in the future, {future:g} s are allowed"
            raise Refused(Refusal.TIMESTAMP_FUTURE, detail, proof)
        return proof


@functools.lru_cache(maxsize=256)
def _fingerprint(secret: Secret, key: bytes) -> str:
    return fingerprint({"secret": secret.reveal()}, key)


def wanted(value: _T | None, what: str) -> _T:
    """The configured value. Raises `UsageError` if it is missing: that is ours to mend, not the sender's."""
    if not value:
        raise UsageError(f"{what} is needed to check this scheme's deliveries, and none is configured")
    return value


def raw(text: str) -> bytes:
    """Text as bytes; never raises, so that a strange header is a mismatch and nothing else."""
    return text.encode("utf-8", "surrogatepass")


def hex_mac(key: bytes, message: bytes, algorithm: str = "sha256") -> str:
    """An HMAC as lower-case hexadecimal."""
    mac = _keyed(key, algorithm).copy()
    mac.update(message)
    return mac.hexdigest()


def base64_mac(key: bytes, message: bytes, algorithm: str = "sha256") -> str:
    """An HMAC in base64 with padding."""
    mac = _keyed(key, algorithm).copy()
    mac.update(message)
    return b2a_base64(mac.digest(), newline=False).decode()


@functools.lru_cache(maxsize=64)
def _keyed(key: bytes, algorithm: str) -> HMAC:
    """With the key taken in, to be copied: OpenSSL's set-up of a new one costs a third of a MAC over 2 KB."""
    return new(key, None, algorithm)


Mac = Callable[[bytes, bytes], str]


def match(ask: Ask, message: bytes, came: Sequence[str], mac: Mac, proof: Proof) -> Proof:
    """The proof with the fingerprint of the secret that fits; every secret is tried against every signature."""
    for secret in ask.keys.secrets or ask.secrets():
        expected = mac(secret.reveal_bytes(), message)
        for text in came:
            if text.isascii() and compare_digest(expected, text):
                proof.secret = secret
    proof.signed, proof.came = message, came[0] if len(came) == 1 else ",".join(came)
    if proof.secret is None:
        raise Refused(Refusal.SIGNATURE_MISMATCH, "no configured secret gives this signature", proof)
    return proof


def same(left: str, right: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ."""
    return compare_digest(raw(left), raw(right))


def epoch(text: str, *, milliseconds: bool = False) -> float:
    """Epoch seconds from decimal digits alone: no sign, no space, no underscore."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise Refused(Refusal.TIMESTAMP_MALFORMED, "the timestamp is not a number of digits alone")
    return float(text) / 1000 if milliseconds else float(text)


def unbase64(text: str, reason: Refusal = Refusal.SIGNATURE_MALFORMED) -> bytes:
    """Bytes from base64 in its one canonical spelling: padding whole, unused bits zero, no line breaks."""
    try:
        data = base64.b64decode(raw(text), validate=True)
    except (binascii.Error, ValueError):
        raise Refused(reason, "it is not base64") from None
    if base64.b64encode(data) != raw(text):
        raise Refused(reason, "it is not canonical base64")
    return data


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_once)  # json.loads would make one each time


def read_json(body: bytes | str) -> Any:
    """JSON, or a refusal. A name that stands twice is refused: readers differ on which one counts."""
    try:
        text = body if isinstance(body, str) else body.decode(json.detect_encoding(body), "surrogatepass")
        return _DECODER.decode(text)
    except (ValueError, RecursionError) as exc:
        detail = "a name stands twice" if "twice" in str(exc) else "the body is not JSON"
        raise Refused(Refusal.BODY_MALFORMED, detail) from None


def read_object(body: bytes | str) -> dict[str, Any]:
    """A JSON object, or a refusal."""
    found = read_json(body)
    if not isinstance(found, dict):
        raise Refused(Refusal.BODY_MALFORMED, "the body is not a JSON object")
    return found


def read_form(body: bytes) -> list[tuple[str, str]]:
    """The fields of a form, empty ones kept, or a refusal."""
    try:
        return parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=_MAX_FIELDS,
        )
    except ValueError:
        raise Refused(Refusal.BODY_MALFORMED, "the body is not a form in UTF-8") from None


def is_form(delivery: Delivery) -> bool:
    """Whether the content type is that of a form."""
    kind = "".join(delivery.values("content-type")[:1])
    return kind.split(";")[0].strip().lower() == "application/x-www-form-urlencoded"


def is_multipart(delivery: Delivery) -> bool:
    """Whether the content type is that of a form in parts."""
    kind = "".join(delivery.values("content-type")[:1])
    return kind.strip().lower().startswith("multipart/form-data;")


def read_multipart(delivery: Delivery) -> list[tuple[str, str]]:
    """The fields of a form in parts, files and fields that are not UTF-8 left out."""
    kind = raw(delivery.values("content-type")[0].replace("\r", "").replace("\n", ""))
    try:
        message = BytesParser().parsebytes(b"Content-Type: " + kind + b"\r\n\r\n" + delivery.body)
        parts = message.get_payload() if message.is_multipart() else []
        return [pair for part in parts if isinstance(part, Message) for pair in _field(part)]
    except (ValueError, LookupError, RecursionError, TypeError, AttributeError):
        raise Refused(Refusal.BODY_MALFORMED, "the body is not a form in parts") from None


def _field(part: Message) -> list[tuple[str, str]]:
    name = part.get_param("name", header="content-disposition")
    data = part.get_payload(decode=True)
    if not isinstance(name, str) or not isinstance(data, bytes) or part.get_filename() is not None:
        return []
    try:
        return [(name, data.decode("utf-8"))]
    except UnicodeDecodeError:
        return []


def public_fingerprint(der: bytes) -> str:
    """`sha256:` and 16 hexadecimal digits; of a public key it may be shown as it is."""
    return f"sha256:{hashlib.sha256(der).hexdigest()[:16]}"
