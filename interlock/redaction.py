"""The one redactor that stands at every exit: known values in every spelling, then known shapes."""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from interlock.secrets import Secret

MINIMUM_LENGTH = 4  # shorter values would blot out ordinary text
MASK = "[redacted]"

# Shapes that are secret wherever they stand. Provider shapes come from the catalogue.
_SHAPES = (
    re.compile(r"(?i)(?<=authorization: )[^\r\n]+"),
    re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"\bey[JI][A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*"),
    re.compile(r"(?<=://)[^/@\s:]+:[^/@\s]+(?=@)"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(
        r"(?i)(?<=[?&])((?:access_token|api_key|apikey|api_secret|client_secret|key|password|secret|sig|token|"
        r"x-amz-credential|x-amz-security-token|x-amz-signature)=)[^&\s\"'#]+"
    ),
)


def spellings(value: str) -> set[str]:
    """The ways in which a value may stand in text: plain, percent-encoded, JSON-escaped and base64."""
    raw = value.encode()
    found = {value, quote(value, safe=""), quote(value), quote_plus(value), json.dumps(value)[1:-1]}
    found |= {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode(), raw.hex()}
    found |= _inside_base64(raw)
    found |= {text.rstrip("=") for text in found}
    return {text for text in found if len(text) >= MINIMUM_LENGTH}


def _inside_base64(raw: bytes) -> set[str]:
    """The part of base64 text that does not depend on the neighbours, at each of the three offsets."""
    found = set()
    for lead in range(3):
        text = base64.b64encode(b"\0" * lead + raw).decode().rstrip("=")
        start = (lead * 8 + 5) // 6
        end = ((lead + len(raw)) * 8) // 6
        if end - start >= 2 * MINIMUM_LENGTH:
            found.add(text[start:end])
            found.add(text[start:end].replace("+", "-").replace("/", "_"))
    return found


class Redactor:
    """Hides secrets in text and in JSON-ready values. Knows values (`learn`) and shapes (`shapes`)."""

    def __init__(self, secrets: Iterable[Secret] = (), shapes: Iterable[re.Pattern[str]] = ()) -> None:
        self._names: dict[str, str] = {}
        self._known: re.Pattern[str] | None = None
        self._shapes = (*_SHAPES, *shapes)
        self.learn(*secrets)

    def learn(self, *secrets: Secret) -> None:
        """Add values that must never leave."""
        for secret in secrets:
            for text in spellings(secret.reveal()):
                self._names.setdefault(text, secret.name)
        if self._names:
            longest_first = sorted(self._names, key=len, reverse=True)
            self._known = re.compile("|".join(map(re.escape, longest_first)))

    def text(self, text: str) -> str:
        """`text` with every known value and shape replaced by a mark."""
        if self._known is not None:
            text = self._known.sub(lambda m: f"[redacted {self._names[m.group()]}]", text)
        for shape in self._shapes:
            text = shape.sub(_mask, text)
        return text

    def value(self, value: Any) -> Any:
        """A JSON-ready value with every string in it redacted, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(k)): self.value(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(v) for v in value]
        return value


def _mask(match: re.Match[str]) -> str:
    """Keep the name in `name=value`, and a mark that stands already."""
    if match.group().startswith("[redacted"):
        return match.group()
    return f"{match.group(1)}{MASK}" if match.lastindex and match.group(1).endswith("=") else MASK


class RedactingFilter(logging.Filter):
    """Puts the redactor before a log handler: message, arguments and exception text."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor
        self._formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; always lets it pass."""
        record.msg, record.args = self._redactor.text(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self._redactor.text(record.exc_text)
        if record.stack_info:
            record.stack_info = self._redactor.text(record.stack_info)
        return True
