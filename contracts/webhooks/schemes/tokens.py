"""Tokens: Google's Pub/Sub push and RISC, ID tokens of Auth0, tokens of Cognito, and Entra's for Event Grid.

A token is a compact JWS (RFC 7515) whose signature PyJWT verifies; the algorithm is pinned to RS256, and the
claims are compared here, so that the clock is ours.

Sources: https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions; google-auth 2.62.2
`google/oauth2/id_token.py` and `google/auth/jwt.py`; https://developers.google.com/identity/protocols/risc;
auth0-python 6.8.0 `auth0/authentication/token_verifier.py`; aws-jwt-verify 5.2.1;
https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt
from jwt.api_jws import PyJWS

from contracts.webhooks.records import Answer, Delivery, Keys, Refusal
from contracts.webhooks.schemes.base import Ask, Proof, Refused, raw, read_object, wanted
from contracts.webhooks.schemes.paypal import private_rsa

GOOGLE_KEYS = "https://www.googleapis.com/oauth2/v3/certs"
GOOGLE_ISSUERS = ("https://accounts.google.com", "accounts.google.com")
RISC_CONFIGURATION = "https://accounts.google.com/.well-known/risc-configuration"
_RISC_HOST = re.compile(r"(?:[a-z0-9-]+\.)*(?:google|googleapis)\.com")
_MAX_TOKEN_BYTES = 64 * 1024
_HOUR_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Token:
    """A token whose signature fits: its claims, and the proof so far."""

    claims: Mapping[str, Any]
    proof: Proof


def check_pubsub(ask: Ask) -> Proof:
    """The token names our audience and our service account, verified; without the latter any Google account passes.

    The body is not covered. Skew is 0 s, as google-auth's; `Policy.future_seconds` allows more.
    """
    account = wanted(ask.keys.account, "the service account's address")
    audiences = wanted(ask.keys.audiences, "an audience")
    token = _verified(ask, _bearer(ask), ask.keys.jwks_url or GOOGLE_KEYS)
    _issuer(token, ask.keys.issuers or GOOGLE_ISSUERS)
    _audience(token, audiences, listed=False)  # one text, as google-auth has it
    proof = _in_time(ask, token)
    if token.claims.get("email") != account:
        raise Refused(Refusal.ACCOUNT_MISMATCH, "the token is of another account", proof)
    if token.claims.get("email_verified") is not True:
        raise Refused(Refusal.EMAIL_UNVERIFIED, "email_verified is not true", proof)
    return proof


def check_risc(ask: Ask) -> Proof:
    """The body is the token. `exp` is not looked at: events are historical. The issuer is the discovered one."""
    audiences = wanted(ask.keys.audiences, "an OAuth client id")
    issuers, url = ask.keys.issuers, ask.keys.jwks_url
    if not issuers or (url is None and ask.keys.jwks is None):
        found_issuer, found_url = _discovered(ask)
        issuers, url = issuers or (found_issuer,), url or found_url
    token = _verified(ask, _ascii(ask.delivery.body.strip()), url or "")
    _issuer(token, issuers)
    _audience(token, audiences)
    issued = _number(token, "iat")
    events = token.claims.get("events")
    if not isinstance(events, dict) or not events:
        raise Refused(Refusal.CLAIM_MISSING, "events is missing or empty", token.proof)
    types = tuple(str(name).rpartition("/")[2] for name in events)
    proof = token.proof.but(signed_at=issued, event_types=types, answer=Answer(status=202))
    return ask.fresh(proof.but(event_ids=(_claim(token, "jti"),)))


def check_auth0_id(ask: Ask) -> Proof:
    """Issuer (its slash counts), audience, `exp`, `iat`, and `azp` where there are several audiences. Leeway 0 s."""
    issuers = wanted(ask.keys.issuers, "the issuer")
    audiences = wanted(ask.keys.audiences, "the client id")
    url = ask.keys.jwks_url or f"{issuers[0].rstrip('/')}/.well-known/jwks.json"
    token = _verified(ask, _bearer(ask), url)
    _issuer(token, issuers)
    _claim(token, "sub")
    _audience(token, audiences)
    several = isinstance(token.claims.get("aud"), list) and len(token.claims["aud"]) > 1
    if several and token.claims.get("azp") not in audiences:
        raise Refused(Refusal.AUDIENCE_MISMATCH, "azp is not our client id", token.proof)
    return _in_time(ask, token)


def check_cognito(ask: Ask) -> Proof:
    """Issuer, `exp`, `token_use`; the client id stands in `aud` of an ID token, in `client_id` of an access token."""
    issuers = wanted(ask.keys.issuers, "the pool's issuer")
    clients = wanted(ask.keys.audiences, "the app client id")
    use = wanted(ask.keys.token_use, "token_use")
    token = _verified(ask, _bearer(ask), ask.keys.jwks_url or f"{issuers[0]}/.well-known/jwks.json")
    _issuer(token, issuers)
    if token.claims.get("token_use") != use:
        raise Refused(Refusal.TOKEN_USE_MISMATCH, f"this is not an {use} token", token.proof)
    if use == "id":
        _audience(token, clients)
    elif token.claims.get("client_id") not in clients:
        raise Refused(Refusal.AUDIENCE_MISMATCH, "client_id is not ours", token.proof)
    return _in_time(ask, token, issued=False)


def check_bearer(ask: Ask) -> Proof:
    """A bearer token of a known issuer for a known audience, in time (Entra ID before Event Grid)."""
    audiences = wanted(ask.keys.audiences, "an audience")
    issuers = wanted(ask.keys.issuers, "the issuer")
    token = _verified(ask, _bearer(ask), ask.keys.jwks_url or "")
    _issuer(token, issuers)
    _audience(token, audiences)
    if ask.keys.account is not None and ask.keys.account not in (
        token.claims.get("azp"),
        token.claims.get("appid"),
    ):
        raise Refused(Refusal.ACCOUNT_MISMATCH, "the token is of another application", token.proof)
    return _in_time(ask, token)


def sign_pubsub(delivery: Delivery, keys: Keys, at: float, _version: str | None) -> Delivery:
    """A token of an hour for the account and audience."""
    claims = {
        "iss": (keys.issuers or GOOGLE_ISSUERS)[0],
        "email": wanted(keys.account, "the service account's address"),
        "email_verified": True,
    }
    return _with_bearer(delivery, keys, at, claims)


def sign_auth0_id(delivery: Delivery, keys: Keys, at: float, _version: str | None) -> Delivery:
    """An ID token of an hour."""
    return _with_bearer(delivery, keys, at, {"iss": wanted(keys.issuers, "the issuer")[0], "sub": "auth0|1"})


def sign_cognito(delivery: Delivery, keys: Keys, at: float, _version: str | None) -> Delivery:
    """An ID or access token of an hour, as `token_use` says."""
    claims = {"iss": wanted(keys.issuers, "the issuer")[0], "token_use": wanted(keys.token_use, "token_use")}
    if keys.token_use == "access":  # noqa: S105 - a kind of token
        claims["client_id"] = wanted(keys.audiences, "the app client id")[0]
    return _with_bearer(delivery, keys, at, claims, audience=keys.token_use == "id")  # noqa: S105 - a name


def sign_bearer(delivery: Delivery, keys: Keys, at: float, _version: str | None) -> Delivery:
    """A token of an hour from the first issuer."""
    return _with_bearer(
        delivery, keys, at, {"iss": wanted(keys.issuers, "the issuer")[0], "azp": keys.account}
    )


def sign_risc(delivery: Delivery, keys: Keys, at: float, _version: str | None) -> Delivery:
    """The body, a JSON object of claims (`jti`, `events`), as a signed token."""
    claims = json.loads(delivery.body)
    claims |= {"iss": wanted(keys.issuers, "the issuer")[0], "iat": int(at)}
    claims.setdefault("aud", wanted(keys.audiences, "an OAuth client id")[0])
    return delivery.with_body(raw(_encode(keys, claims, "secevent+jwt")))


def _with_bearer(
    delivery: Delivery, keys: Keys, at: float, claims: dict[str, Any], *, audience: bool = True
) -> Delivery:
    times = {"iat": int(at), "exp": int(at) + _HOUR_SECONDS}
    aud = {"aud": wanted(keys.audiences, "an audience")[0]} if audience else {}
    return delivery.with_headers({"Authorization": f"Bearer {_encode(keys, aud | times | claims, 'JWT')}"})


def _encode(keys: Keys, claims: dict[str, Any], kind: str) -> str:
    key = private_rsa(wanted(keys.private_key, "a private key"))
    headers = {"kid": wanted(keys.key_id, "the id of the key"), "typ": kind}
    return PyJWS().encode(json.dumps(claims).encode(), key, algorithm="RS256", headers=headers)


def _bearer(ask: Ask) -> str:
    scheme, _, token = ask.header("Authorization").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused(Refusal.SIGNATURE_MALFORMED, "Authorization is not Bearer and a token")
    return token.strip()


def _ascii(body: bytes) -> str:
    if not body:
        raise Refused(Refusal.BODY_EMPTY, "the body should be a token")
    try:
        return body.decode("ascii")
    except UnicodeDecodeError:
        raise Refused(Refusal.TOKEN_MALFORMED, "the body is no compact token") from None


def _verified(ask: Ask, text: str, url: str) -> Token:
    """The token, if its signature is that of the published key that it names."""
    header = _header(text)
    name, proof = (
        header["kid"],
        Proof().but(came=text.rpartition(".")[2], signed=raw(text.rpartition(".")[0])),
    )
    proof = proof.but(key_url=url or None, version="RS256")
    key = _key(_key_set(ask, url, proof), name, proof)
    try:
        payload = PyJWS().decode(text, key, algorithms=["RS256"])
    except jwt.InvalidSignatureError:
        raise Refused(Refusal.SIGNATURE_MISMATCH, "the named key did not sign this", proof) from None
    except (jwt.PyJWTError, ValueError, TypeError):
        raise Refused(Refusal.TOKEN_MALFORMED, "no compact token", proof) from None
    return Token(_claims(payload), proof.but(key_fingerprint=f"kid:{name}"))


def _header(text: str) -> dict[str, str]:
    """The token's header, once it is certain that the token has one spelling and one algorithm."""
    parts = text.split(".")
    if len(text) > _MAX_TOKEN_BYTES or len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        raise Refused(Refusal.TOKEN_MALFORMED, "no compact token of three parts")
    decoded = [_unurlsafe(part) for part in parts]
    header = _claims(decoded[0])
    if header.get("alg") != "RS256" or "crit" in header or header.get("b64", True) is not True:
        raise Refused(Refusal.ALGORITHM_UNSUPPORTED, "the token is not signed with RS256")
    if not isinstance(header.get("kid"), str):
        raise Refused(Refusal.KEY_UNKNOWN, "the token names no key")
    return {"kid": header["kid"]}


def _unurlsafe(part: str) -> bytes:
    try:
        data = base64.urlsafe_b64decode(raw(part) + b"=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        data = b""
    if base64.urlsafe_b64encode(data).rstrip(b"=") != raw(part):
        raise Refused(Refusal.TOKEN_MALFORMED, "a part of the token is not canonical base64url")
    return data


def _claims(payload: bytes) -> dict[str, Any]:
    try:
        return read_object(payload)
    except Refused:
        raise Refused(Refusal.TOKEN_MALFORMED, "a part of the token is no JSON object") from None


def _key_set(ask: Ask, url: str, proof: Proof) -> list[Any]:
    """The published keys: the configured set, or what is held from the URL."""
    data = ask.keys.jwks
    if data is None:
        data = ask.ports.held(wanted(url, "the URL of the published keys"))
    if data is None:
        raise Refused(Refusal.KEY_UNAVAILABLE, "the published keys are not held", proof)
    try:
        keys = read_object(data).get("keys")
    except Refused:
        keys = None
    if not isinstance(keys, list):
        raise Refused(Refusal.KEY_MALFORMED, "what was fetched is no set of keys", proof)
    return keys


def _key(keys: list[Any], name: str, proof: Proof) -> jwt.PyJWK:
    for one in keys:
        if not isinstance(one, dict) or one.get("kid") != name:
            continue
        if one.get("kty") != "RSA" or one.get("use", "sig") != "sig" or one.get("alg", "RS256") != "RS256":
            continue
        try:
            return jwt.PyJWK(one, algorithm="RS256")
        except (jwt.PyJWTError, ValueError, TypeError):
            raise Refused(Refusal.KEY_MALFORMED, "the published key cannot be read", proof) from None
    raise Refused(Refusal.KEY_UNKNOWN, "the token names a key that is not published", proof)


def _discovered(ask: Ask) -> tuple[str, str]:
    """RISC's issuer and the URL of its keys, on a host of Google's."""
    proof = Proof().but(key_url=RISC_CONFIGURATION)
    data = ask.ports.held(RISC_CONFIGURATION)
    if data is None:
        raise Refused(Refusal.KEY_UNAVAILABLE, "the RISC configuration is not held", proof)
    try:
        found = read_object(data)
        parts = urlsplit(str(found.get("jwks_uri")))
    except (Refused, ValueError):
        raise Refused(Refusal.KEY_MALFORMED, "the RISC configuration cannot be read", proof) from None
    if parts.scheme != "https" or not _RISC_HOST.fullmatch(parts.netloc):
        raise Refused(Refusal.KEY_MALFORMED, "jwks_uri is not https on a host of Google's", proof)
    return str(found.get("issuer")), str(found["jwks_uri"])


def _issuer(token: Token, issuers: tuple[str, ...]) -> None:
    if token.claims.get("iss") not in issuers:
        raise Refused(Refusal.ISSUER_MISMATCH, "iss is not the configured issuer", token.proof)


def _audience(token: Token, audiences: tuple[str, ...], *, listed: bool = True) -> None:
    found = token.claims.get("aud")
    named = found if listed and isinstance(found, list) else [found]
    if not any(one in audiences for one in named if isinstance(one, str)):
        raise Refused(Refusal.AUDIENCE_MISMATCH, "aud is not ours", token.proof)


def _claim(token: Token, name: str) -> str:
    value = token.claims.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(Refusal.CLAIM_MISSING, f"{name} is missing or no text", token.proof)
    return value


def _number(token: Token, name: str) -> float:
    value = token.claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 10**12:
        raise Refused(Refusal.CLAIM_MISSING, f"{name} is missing or no time", token.proof)
    return float(value)


def _in_time(ask: Ask, token: Token, *, issued: bool = True) -> Proof:
    """The proof, if the token is neither expired nor issued (`iat`) or valid (`nbf`) only later."""
    now, skew = ask.ports.now(), ask.policy.future_seconds or 0.0
    expires = _number(token, "exp")
    at = _number(token, "iat") if issued or "iat" in token.claims else None
    proof = token.proof.but(signed_at=at)
    if now > expires + skew:
        raise Refused(Refusal.TOKEN_EXPIRED, f"expired {now - expires:.0f} s ago", proof)
    begins = max([at] if at is not None else [now], default=now)
    begins = max(begins, _number(token, "nbf")) if "nbf" in token.claims else begins
    if begins > now + skew:
        raise Refused(Refusal.TOKEN_EARLY, f"valid only in {begins - now:.0f} s", proof)
    return proof if at is None else ask.fresh(proof)
