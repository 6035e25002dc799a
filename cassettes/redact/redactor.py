"""The redactor of recorded traffic: takes secrets and personal data out of an interaction, and says what it took."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import secrets as randomness
from base64 import b64encode
from collections.abc import Collection, Iterable
from functools import cache
from typing import Any
from urllib.parse import unquote

from cassettes.redact import encodings, personal
from cassettes.redact.hits import Hit
from cassettes.redact.look import Look, Rules
from cassettes.redact.placeholders import Placeholders
from cassettes.redact.sought import Sought, seek
from interlock.catalogue import load_all
from interlock.errors import UsageError
from interlock.records import Interaction, Message
from interlock.redaction import alternation, parts, spellings
from interlock.secret_shapes import JWT, PEM, SCHEME, SERVICE_KEYS, USERINFO, Shape, secret_name
from interlock.secrets import Secret

Headers = tuple[tuple[str, str], ...]
KEY_BYTES = 32
_BASE64 = re.compile(r"[A-Za-z0-9+/_=-]+")


class Redactor:
    """Replaces secrets by placeholders. Pure: the same input and key give the same output.

    `secrets`: values that must not be left, in any spelling. `key`: of the hash that placeholders carry; without
    one they are the same within this redactor alone. `personal`: which of `personal.RULES` are replaced too.
    """

    def __init__(
        self,
        secrets: Iterable[Secret] = (),
        *,
        key: bytes | None = None,
        personal: Collection[str] = personal.RULES,
    ) -> None:
        marks = Placeholders(key or randomness.token_bytes(KEY_BYTES))
        known = _known(secrets, marks)
        self.rules = Rules(
            marks=marks,
            shapes=shapes(),
            personal=wanted(personal),
            known=re.compile(alternation(set(known)), re.DOTALL) if known else None,
            known_marks=known,
        )

    def interaction(self, interaction: Interaction) -> tuple[Interaction, tuple[Hit, ...]]:
        """A recorded interaction without secrets in its URL, headers, bodies, error and extras.

        Where a body changed, its state is `redacted` and the headers that are reckoned from it follow.
        """
        look = Look(self.rules)
        clean = dataclasses.replace(
            interaction,
            url=look.inside(interaction.url, ("url",)),
            request=_message(interaction.request, look, "request"),
            response=_message(interaction.response, look, "response") if interaction.response else None,
            error=look.inside(interaction.error, ("error",)) if interaction.error else interaction.error,
            extras=_value(dict(interaction.extras), look, ("extras",)),
        )
        return clean, tuple(look.hits)

    def headers(self, headers: Headers) -> tuple[Headers, tuple[Hit, ...]]:
        """Header fields, each value by its name."""
        look = Look(self.rules)
        return _headers(headers, look, ()), tuple(look.hits)

    def url(self, url: str) -> tuple[str, tuple[Hit, ...]]:
        """A URL: its userinfo, its query and fragment by names, the rest by shapes."""
        return self.text(url)

    def body(self, body: bytes, content_type: str = "") -> tuple[bytes, tuple[Hit, ...]]:
        """A body of any kind: what it is is read from itself; `content_type` names the encoding of text."""
        look = Look(self.rules)
        return _body(body, content_type, "", look, ()), tuple(look.hits)

    def text(self, text: str) -> tuple[str, tuple[Hit, ...]]:
        """Any text."""
        look = Look(self.rules)
        return look.inside(text, ()), tuple(look.hits)

    def value(self, value: Any) -> tuple[Any, tuple[Hit, ...]]:
        """JSON-ready data, by the names in it."""
        look = Look(self.rules)
        return _value(value, look, ()), tuple(look.hits)


def wanted(names: Collection[str]) -> frozenset[str]:
    """The rules for personal data by their names. Raises `UsageError` for one that does not exist."""
    if unknown := sorted(set(names) - set(personal.RULES)):
        raise UsageError(
            f"no rule for personal data is called {unknown[0]!r}; there are {', '.join(personal.RULES)}"
        )
    return frozenset(names)


@cache
def shapes() -> tuple[Sought, ...]:
    """What is secret by its look alone: everybody's, every provider's, other services'."""
    return tuple(seek(shape) for shape in (PEM, JWT, USERINFO, SCHEME, *provider_shapes(), *SERVICE_KEYS))


def provider_shapes() -> tuple[Shape, ...]:
    """The shapes of every provider's secret credentials, but those that a name before them tells as well."""
    found: dict[str, Shape] = {}
    for provider in load_all():
        for name, each in provider.credentials.items():
            if each.redact and not each.public and not each.redact.startswith(("(?<=", "-----BEGIN")):
                rule = f"{provider.name}-{name}".replace("_", "-")
                found.setdefault(each.redact, Shape(rule, re.compile(each.redact)))
    return tuple(found.values())


def _known(secrets: Iterable[Secret], marks: Placeholders) -> dict[str, str]:
    found: dict[str, str] = {}
    for secret in secrets:
        for part in parts(secret.reveal()):
            for text in spellings(part):
                found.setdefault(text, _spelled(text, part, marks))
    return found


def _spelled(text: str, plain: str, marks: Placeholders) -> str:
    """What stands for one spelling: in hex and base64, which may be part of more, as many characters."""
    plain.encode("utf-8", "surrogatepass").hex()
    if text == plain or unquote(text) == plain or not text.isascii():
        return marks.token(plain)
    if (
        text == plain.encode("utf-8", "surrogatepass").hex()
        or text == plain.encode("utf-8", "surrogatepass").hex().upper()
    ):
        return marks.hex(text)
    return marks.base64(text) if _BASE64.fullmatch(text) else marks.plain(plain)


def _message(message: Message, look: Look, side: str) -> Message:
    headers = _headers(message.headers, look, (side, "headers"))
    if not message.body:
        return dataclasses.replace(message, headers=headers)
    named = {name.lower(): value for name, value in message.headers}
    body = _body(
        message.body, named.get("content-type", ""), named.get("content-encoding", ""), look, (side, "body")
    )
    if body == message.body:
        return dataclasses.replace(message, headers=headers)
    state = message.body_state if message.body_state == "truncated" else "redacted"
    return Message(headers=_reckoned(headers, message.body, body), body=body, body_state=state)


def _headers(headers: Headers, look: Look, path: tuple[str, ...]) -> Headers:
    return tuple((name, look.leaf(value, (*path, name), name, secret_name(name))) for name, value in headers)


def _reckoned(headers: Headers, old: bytes, new: bytes) -> Headers:
    """Length and checksums that fitted the old body fit the new one."""
    follow = {form(old): form(new) for form in (_md5_base64, _md5_hex, _sha256_hex)}
    follow |= {f'"{_md5_hex(old)}"': f'"{_md5_hex(new)}"'}
    lengths = {str(len(old)): str(len(new))}
    return tuple(
        (name, (lengths if name.lower() == "content-length" else follow).get(value, value))
        for name, value in headers
    )


def _md5_base64(raw: bytes) -> str:
    return b64encode(hashlib.md5(raw, usedforsecurity=False).digest()).decode()


def _md5_hex(raw: bytes) -> str:
    return hashlib.md5(raw, usedforsecurity=False).hexdigest()


def _sha256_hex(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _body(body: bytes, content_type: str, encoding: str, look: Look, path: tuple[str, ...]) -> bytes:
    if (plain := encodings.inflated(body)) is not None:
        new = _body(plain, content_type, "", look, path)
        return body if new == plain else encodings.deflated(new)
    if encoding and (undone := encodings.undone(body, encoding)) is not None:
        plain, again = undone
        new = _body(plain, content_type, "", look, path)
        return body if new == plain else again(new)
    charset = encodings.charset(body, content_type)
    text = body.decode(charset, "surrogateescape")
    new_text = look.inside(text, path)
    return body if new_text == text else new_text.encode(charset, "surrogateescape")


def _value(value: Any, look: Look, path: tuple[str, ...], name: str | None = None) -> Any:
    if isinstance(value, str):
        kind = secret_name(name) if name else None
        return look.leaf(value, path, name, kind)
    if isinstance(value, dict):
        return {key: _value(item, look, (*path, str(key)), str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_value(item, look, (*path, str(index)), name) for index, item in enumerate(value))
    if isinstance(value, bytes):
        return _body(value, "", "", look, path)
    return value
