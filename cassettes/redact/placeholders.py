"""What stands for a secret: marked, the same for the same secret, and of the form that its place demands."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from typing import Any

MARK = "redacted-"
_TAG_DIGITS = 12
_HEX_MARK = b"redacted".hex()
_BASE64_MARK = base64.b64encode(b"redacted")[:10].decode()  # the letters that only the word decides
_NUMBER_MARK = "73322833"  # the word on the keys of a telephone
_KEEPS_LENGTH_FROM = 24  # characters of hex and base64; in shorter ones the mark leaves no room
_INT32 = 2**31
_ALGORITHMS = {
    f"{family}{bits}" for family in ("HS", "RS", "ES", "PS") for bits in (256, 384, 512)
}  # RFC 7518
_CLAIMS_KEPT = ("exp", "iat", "nbf")  # numbers that a client reads without the key

_OURS = re.compile(
    rf"{MARK}[0-9a-f]{{{_TAG_DIGITS}}}(?:@example\.com)?"
    rf"|{_HEX_MARK}[0-9a-f]*"
    r"|72656461-6374-4564-8[0-9a-f]{3}-[0-9a-f]{12}"
    rf"|0+|{_NUMBER_MARK}\d*(?:\.\d+)?",
    re.IGNORECASE,
)
_OURS_BASE64 = re.compile(rf"{_BASE64_MARK}[A-Za-z0-9+/_-]*={{0,2}}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HEX = re.compile(r"(?:[0-9a-f]{2})+|(?:[0-9A-F]{2})+")
_BASE64 = re.compile(r"(?=.*[+/=])(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_JWT = re.compile(r"(ey[\w-]+)\.(ey[\w-]+)\.([\w-]*)")
# What other people write where a secret was, and words that are none.
_MASK = re.compile(
    r"<{1,3}[^<>]{1,80}>{1,3}|\[[^\[\]]{1,80}\]|\{\{?[^{}]{1,80}\}?\}|\$[{(]?[\w.]+[})]?|%\(?\w*\)?[%sdr]|\W+|[\W_xX]{3,}"
    r"|(?i:(?:[\w. -]*[\W_])?(?:redacted|filtered|sanitized|masked|scrubbed|placeholder|dummy|omitted|removed|fake|"
    r"hidden|changeme|your)(?:[\W_][\w. -]*)?)"
    r"|(?i:true|false|yes|no|null|none|nil|undefined|required|optional|bearer|basic|token|password|secret|string)"
)
_LONGEST_MASK = 100


def is_mask(text: str) -> bool:
    """Whether somebody else took the secret out, or the text is a word that is none."""
    return len(text) < _LONGEST_MASK and _MASK.fullmatch(text) is not None


class Placeholders:
    """Makes placeholders with a key: who does not have it cannot try secrets until one fits."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def tag(self, secret: str) -> str:
        """Hex digits that are the same for the same secret."""
        return self._digest(secret).hex()[:_TAG_DIGITS]

    def plain(self, secret: str) -> str:
        """For where anything may stand; needs no escaping in a URL, a header, JSON, YAML or XML."""
        return MARK + self.tag(secret)

    def token(self, secret: str) -> str:
        """Of the secret's own form: a JWT, a UUID, hex or base64 of the same length, digits; else plain."""
        if _JWT.fullmatch(secret):
            return self.jwt(secret)
        if secret.isascii() and secret.isdigit():
            return self.digits(secret)
        if _UUID.fullmatch(secret):
            return self._uuid(secret)
        if len(secret) >= _KEEPS_LENGTH_FROM:
            if _HEX.fullmatch(secret):
                return self.hex(secret)
            if _BASE64.fullmatch(secret):
                return self.base64(secret)
        return self.plain(secret)

    def hex(self, text: str) -> str:
        """Hex digits of the same length and case."""
        filled = (_HEX_MARK + self._stream(text, len(text)).hex())[: len(text)]
        return filled.upper() if text.upper() == text else filled

    def base64(self, text: str) -> str:
        """Base64 of the same length, with the same padding."""
        letters = text.rstrip("=")
        raw = b"redacted" + self._stream(text, len(text))
        return base64.b64encode(raw).decode()[: len(letters)].replace("+", "A").replace("/", "A") + (
            "=" * (len(text) - len(letters))
        )

    def digits(self, text: str) -> str:
        """Digits of the same number; short ones are all zero, since a mark does not fit."""
        if len(text) <= len(_NUMBER_MARK) + 1:
            return "0" * len(text)
        return (_NUMBER_MARK + str(int(self._digest(text).hex(), 16)))[: len(text)]

    def number(self, text: str) -> str:
        """A JSON number of the same type; one that fits 32 bits still does."""
        amount = int(self._digest(text).hex()[:_TAG_DIGITS], 16)
        if not re.fullmatch(r"-?\d+", text):
            return f"{_NUMBER_MARK}{amount % 10}.5"
        if abs(int(text)) < _INT32:
            return f"{_NUMBER_MARK}{amount % 10}"
        return f"{_NUMBER_MARK}{amount % 10**6:06}"

    def email(self, text: str) -> str:
        """An address at a domain that nobody has. source: RFC 2606."""
        return f"{self.plain(text.lower())}@example.com"

    def jwt(self, text: str) -> str:
        """Three parts, of which header and payload can be decoded; times stay, other claims go."""
        header, payload, _ = text.split(".")
        algorithm = _claims(header).get("alg")
        claims = {name: value for name, value in _claims(payload).items() if name in _CLAIMS_KEPT}
        kept = {name: value for name, value in claims.items() if isinstance(value, int | float)}
        head = {
            "alg": algorithm if isinstance(algorithm, str) and algorithm in _ALGORITHMS else "none",
            "typ": "JWT",
        }
        parts = (_compact(head), _compact(kept | {"sub": self.plain(text)}), self.plain(text).encode())
        return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)

    def _uuid(self, text: str) -> str:
        digest = self._digest(text.lower()).hex()
        filled = f"72656461-6374-4564-8{digest[:3]}-{digest[3:15]}"
        return filled.upper() if text.upper() == text else filled

    def _digest(self, secret: str) -> bytes:
        return hmac.digest(self._key, secret.encode("utf-8", "surrogatepass"), hashlib.sha256)

    def _stream(self, secret: str, length: int) -> bytes:
        """Bytes that only the secret decides, at least `length`."""
        block = self._digest(secret)
        return block * (length // len(block) + 1)


def stands(text: str) -> bool:
    """Whether a text is a placeholder that we made: by any key, in any form."""
    if _OURS.fullmatch(text) or _OURS_BASE64.fullmatch(text):
        return True
    match = _JWT.fullmatch(text)
    return match is not None and _OURS.fullmatch(_decoded(match[3])) is not None


def _claims(part: str) -> dict[str, Any]:
    try:
        found = json.loads(_decoded(part))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _decoded(part: str) -> str:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
