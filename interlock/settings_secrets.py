"""Secrets that stand in the settings file themselves: found by shape, refused, and never repeated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from interlock import catalogue
from interlock.secret_shapes import JWT
from interlock.settings_mistakes import Mistake, at, suggested, variable
from interlock.toml_lines import KeyPath, locate

# Shapes that are secret wherever they stand, and how people call them.
_COMMON = (
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("a JSON web token", JWT.pattern),
    ("a password in a URL", re.compile(r"://[^/@\s:]*:[^/@\s]+@")),
    ("an authorization header", re.compile(r"(?i)^\s*(?:bearer|basic|token)\s+[A-Za-z0-9._~+/=-]{16,}\s*$")),
    ("a signed URL", re.compile(r"(?i)[?&](?:sig|x-amz-signature|x-goog-signature)=[^&\s]{8,}")),
)
# Only such text can match a provider's pattern: the catalogue is not read for a file without any.
_RUN = r"(?:[A-Za-z0-9_+=~|-]{16,}|(?=[A-Za-z_+=~|-]*(?:[0-9]|[a-z][A-Z]))[A-Za-z0-9_+=~|-]{12,})"
_CANDIDATE = re.compile(_RUN)
_CANDIDATE_IN_COMMENT = re.compile(rf"#.*(?:{_RUN}|-----BEGIN|://)")
_PLAIN_NAME = re.compile(r"[a-z_-]+|[A-Z][A-Z0-9_]*")  # of a key or an environment variable
# A pattern that fits any of these tells nothing.
_ORDINARY = (
    "payments",
    "team-checkout",
    "eu-west-1",
    "interlock.example.com",
    "https://api.example.com/v1/health",
    "sqlite:///var/lib/interlock/interlock.db",
    "/run/secrets/application/payments/keyfil",
    "ThisIsTheNameOfOneOfOurManyServicesToday",
    "the-team-that-looks-after-checkout-and-payments2",
    "health-check.payments.internal.example-company.com",
)
_REFERENCES = {
    "password",
    "token",
    "proxy_password",
    "store_password",
    "fingerprint_key",
    "verify_token",
    "secrets",
}
_REFERENCE = re.compile(r"\s*(env|file):(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Known:
    """A credential's shape. `whole` fits the whole value; `inside` finds it in other text."""

    provider: str
    credential: str
    title: str
    whole: re.Pattern[str] | None
    inside: re.Pattern[str] | None


def literal_secrets(data: Mapping[str, Any], text: str) -> tuple[list[Mistake], frozenset[str]]:
    """Every secret in the file, keys and comments included; and the texts that no message may repeat."""
    mistakes: list[Mistake] = []
    hidden: set[str] = set()
    for path, value, is_key in _strings(data):
        what = None if is_key and _PLAIN_NAME.fullmatch(value) else recognise(value, path, data)
        if what is not None:
            hidden.add(value)
            mistakes.append(Mistake(path, _advice(path, what, data, is_key=is_key)))
    if _CANDIDATE_IN_COMMENT.search(text):
        mistakes += _in_comments(text)
    return mistakes, frozenset(hidden)


def recognise(value: str, path: KeyPath, data: Mapping[str, Any]) -> str | None:
    """What kind of secret a text is; None if it is none that we know."""
    kind, target = _split(value)
    for name, pattern in _COMMON:
        if pattern.search(value):
            return name
    if not _CANDIDATE.search(target) or (kind == "env" and _PLAIN_NAME.fullmatch(target)):
        return None
    exempt = _is_parameter(path, value, data)
    for known in sorted(known_shapes(), key=lambda each: _likely(each, path, data)):
        if known.inside is not None and known.inside.search(value):
            return f"the {known.credential} of {known.title}"
        if known.whole is not None and kind != "file" and not exempt and known.whole.fullmatch(target):
            return f"the {known.credential} of {known.title}"
    return None


def _likely(known: _Known, path: KeyPath, data: Mapping[str, Any]) -> tuple[bool, bool]:
    """Several providers have keys of one shape: the one that is named here goes first, false before true."""
    table = at(data, path[:2])
    provider = table.get("provider") if isinstance(table, Mapping) else None
    return known.provider != provider, known.credential != path[-1]


def _split(value: str) -> tuple[str | None, str]:
    match = _REFERENCE.fullmatch(value)
    return (match.group(1), match.group(2)) if match else (None, value)


def _strings(data: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str, bool]]:
    """Every text of the document with its path; a key counts as text too."""
    if isinstance(data, str):
        yield path, data, False
    elif isinstance(data, Mapping):
        for key, value in data.items():
            yield (*path, key), key, True
            yield from _strings(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _strings(value, (*path, index))


def _in_comments(text: str) -> Iterator[Mistake]:
    try:
        comments = locate(text).comments
    except RecursionError:
        return
    for line, comment in comments:
        inside = ((f"the {each.credential} of {each.title}", each.inside) for each in known_shapes())
        for what, pattern in (*_COMMON, *inside):
            if pattern is not None and pattern.search(comment):
                said = f"this comment holds what looks like {what}; take it out, and replace the secret"
                yield Mistake((), said, line=line)
                break


def _advice(path: KeyPath, what: str, data: Mapping[str, Any], *, is_key: bool) -> str:
    if is_key:
        return f"this name looks like {what}; take it out, and replace the secret: it has been written down"
    place = _place_for(path, what, data)
    return f"this looks like {what}; {place}, and replace the secret: it has been written down"


def _place_for(path: KeyPath, what: str, data: Mapping[str, Any]) -> str:
    """Where the secret belongs instead."""
    last = str(path[-1])
    if what == "a password in a URL":
        beside = {"store": "store_password", "proxy": "proxy_password"}.get(last)
        if beside is None:
            return "take it out of the URL"
        return f'write the password as {beside} = "env:{variable((*path[:-1], beside))}"'
    if "credentials" in path or last in _REFERENCES:
        return f'put it in an environment variable and write "env:{suggested(path, data)}"'
    return "take it out (a secret is named by reference, under credentials)"


def _is_parameter(path: KeyPath, value: str, data: Mapping[str, Any]) -> bool:
    """Whether the catalogue says that such a value belongs here: an account number is no secret."""
    if len(path) != 4 or path[2] != "parameters":  # noqa: PLR2004 - integrations.NAME.parameters.KEY
        return False
    name = at(data, (*path[:2], "provider"))
    if not isinstance(name, str) or name not in catalogue.names():
        return False
    parameter = catalogue.load(name).parameters.get(str(path[3]))
    return parameter is not None and re.search(parameter.pattern, value) is not None


@cache
def known_shapes() -> tuple[_Known, ...]:
    """The shapes of every secret credential in the catalogue."""
    return tuple(
        _Known(provider.name, name, provider.title, _telling(each.pattern, whole=True), _telling(each.redact))
        for provider in catalogue.load_all()
        for name, each in provider.credentials.items()
        if not each.public
    )


def _telling(pattern: str | None, *, whole: bool = False) -> re.Pattern[str] | None:
    """The pattern, if it tells a secret from ordinary text."""
    if pattern is None:
        return None
    compiled = re.compile(pattern)
    fits = compiled.fullmatch if whole else compiled.search
    return None if any(map(fits, _ORDINARY)) else compiled
