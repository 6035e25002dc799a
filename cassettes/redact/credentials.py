"""How a credential is taken out of the form that carries it: a header's scheme, a cookie, a shape in text."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Callable

from cassettes.redact.placeholders import Placeholders, is_mask, stands
from interlock.secret_shapes import NameKind

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9-]{0,30})(\s+)(\S.*)", re.DOTALL)
_AWS = re.compile(r"(Credential=)([^/,\s]+)|(Signature=)([^,\s]+)")
_PARAMETER = re.compile(r"([A-Za-z_][\w.-]*)(\s*=\s*)(\"[^\"]*\"|[^\s,\"]+)")
# Parts of a challenge's answer that anybody may know.
_HARMLESS = frozenset(
    [
        "realm",
        "algorithm",
        "uri",
        "qop",
        "nc",
        "signedheaders",
        "oauth_version",
        "oauth_timestamp",
        "oauth_signature_method",
        "version",
        "headers",
        "alg",
        "typ",
        "t",
        "ts",
        "timestamp",
        "v0",
    ]
)
_USERS = frozenset(
    ("", "api", "apikey", "x-access-token", "x-oauth-basic", "oauth2", "git", "user", "username")
)
_SHARED_KEY = frozenset(("sharedkey", "sharedkeylite", "aws", "goog1"))
_COOKIE = re.compile(r"([^=;\s]+)(=)([^;]*)")
_SIGNED = re.compile(r"(?P<prefix>(?:sha\d+|v\d+|hmac[\w-]*)[=,:])?(?P<value>.+)", re.DOTALL | re.IGNORECASE)


def one(text: str, marks: Placeholders) -> str:
    """A single secret; what somebody else took out stays as it is."""
    return text if stands(text) or is_mask(text) else marks.token(text)


def authorization(text: str, marks: Placeholders) -> str:
    """`Authorization`: the scheme stays, and so does what is no proof, so that a recording still matches."""
    match = _SCHEME.fullmatch(text.strip())
    if match is None:  # Stripe's card authorizations have such an identifier, under the same name
        return text if text.startswith("iauth_") else one(text, marks)
    scheme, space, rest = match.groups()
    new = _answer(scheme.lower(), rest, marks)
    return one(text, marks) if new is None else scheme + space + new


def _answer(scheme: str, rest: str, marks: Placeholders) -> str | None:
    """What follows a scheme, without its proof; None where it is no scheme but part of the secret."""
    if scheme == "basic":
        return basic(rest, marks)
    if scheme.startswith(("aws4-", "goog4-")):
        return _AWS.sub(lambda m: _second(m, marks), rest)
    if scheme in _SHARED_KEY and ":" in rest:
        account, _, proof = rest.partition(":")
        return f"{account}:{one(proof, marks)}"
    if _PARAMETER.match(rest) and ("," in rest or '"' in rest):
        return _PARAMETER.sub(lambda m: _parameter(m, marks), rest)
    return None if " " in rest else one(rest, marks)


def _second(match: re.Match[str], marks: Placeholders) -> str:
    name, value = (match[1], match[2]) if match[1] else (match[3], match[4])
    return name + one(value, marks)


def _parameter(match: re.Match[str], marks: Placeholders) -> str:
    name, sign, value = match.groups()
    if name.lower() in _HARMLESS:
        return match[0]
    quoted = value.startswith('"')
    inner = value[1:-1] if quoted else value
    new = one(inner, marks) if inner else inner
    return f'{name}{sign}"{new}"' if quoted else name + sign + new


def basic(text: str, marks: Placeholders) -> str:
    """User and password in base64; it stays decodable."""
    try:
        plain = b64decode(text + "=" * (-len(text) % 4), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return one(text, marks)
    if ":" not in plain:
        return one(text, marks)
    user, _, password = plain.partition(":")
    new_user = user if user.lower() in _USERS else one(user, marks)
    new_password = one(password, marks) if password else password
    if (new_user, new_password) == (user, password):
        return text
    return b64encode(f"{new_user}:{new_password}".encode()).decode()


def cookie(text: str, marks: Placeholders) -> str:
    """`Cookie`: the value of each pair."""
    if "=" not in text:
        return one(text, marks)
    return _COOKIE.sub(lambda m: m[1] + m[2] + _cookie_value(m[3], marks), text)


def set_cookie(text: str, marks: Placeholders) -> str:
    """`Set-Cookie`: the value of the first pair; several that were joined by commas as well."""
    cookies = re.split(r"(,\s*(?=[\w.-]+=[^;,]*(?:;|\Z)))", text)
    return "".join(
        part if index % 2 else _COOKIE.sub(lambda m: m[1] + m[2] + _cookie_value(m[3], marks), part, count=1)
        for index, part in enumerate(cookies)
    )


def _cookie_value(value: str, marks: Placeholders) -> str:
    inner = value.strip().strip('"')
    if not inner or stands(inner) or is_mask(inner) or inner.lower() == "deleted":
        return value
    return value.replace(inner, marks.token(inner), 1)


def signature(text: str, marks: Placeholders) -> str:
    """A signature keeps its prefix, length and alphabet; of `t=...,v1=...` the time stays."""
    if re.match(r"\w{1,4}=[^,]+,\s*\w{1,4}=", text):
        return _PARAMETER.sub(lambda m: _parameter(m, marks), text)
    match = _SIGNED.fullmatch(text)
    if match is None:
        return one(text, marks)
    return (match["prefix"] or "") + one(match["value"], marks)


def shaped(rule: str, text: str, marks: Placeholders) -> str:
    """What a shape found in text."""
    if rule == "private-key":
        return marks.plain(text)
    if rule == "url-password":
        user, colon, password = text.partition(":")
        if not colon:
            return one(text, marks)
        return (user if user.lower() in _USERS else one(user, marks)) + colon + one(password, marks)
    if rule == "authorization" and ":" in _plain(text):
        return basic(text, marks)
    return one(text, marks)


def _plain(text: str) -> str:
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return ""


WRITERS: dict[NameKind, Callable[[str, Placeholders], str]] = {
    NameKind.AUTHORIZATION: authorization,
    NameKind.COOKIE: cookie,
    NameKind.SET_COOKIE: set_cookie,
    NameKind.FIELD: one,
    NameKind.SIGNATURE: signature,
}
