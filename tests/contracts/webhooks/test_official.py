"""The same answer as google-auth and as PyJWT's own claims check, over many tokens; each difference is named."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from unittest import mock

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt.api_jws import PyJWS

from contracts.webhooks.records import Delivery, Keys, Ports, Refusal
from contracts.webhooks.schemes.tokens import GOOGLE_ISSUERS
from contracts.webhooks.signatures import verify
from tests.contracts.webhooks.signers import NOW, certificate, key_set, rsa_key

AT = int(NOW)
TIMES = st.sampled_from([None, AT - 4000, AT - 1, AT, AT + 1, AT + 4000, "1", 1.5, True])
CLAIMS = st.fixed_dictionaries(
    {},
    optional={
        "iss": st.sampled_from([*GOOGLE_ISSUERS, "https://accounts.google.com/", "", None, 1]),
        "aud": st.sampled_from(["client-1", "client-2", ["client-1"], ["x", "client-1"], [], None, 1]),
        "iat": TIMES,
        "exp": TIMES,
        "email": st.sampled_from(["a@b.example", "c@d.example", None]),
        "email_verified": st.sampled_from([True, False, "true"]),
    },
)
RIGHT: dict[str, Any] = {
    "iss": GOOGLE_ISSUERS[0], "aud": "client-1", "iat": AT, "exp": AT + 60,
    "email": "a@b.example", "email_verified": True,
}  # fmt: skip


def _token(claims: dict[str, Any]) -> str:
    headers = {"kid": "kid-1"}
    return PyJWS().encode(json.dumps(claims).encode(), rsa_key(), algorithm="RS256", headers=headers)


def _ours(scheme: str, token: str, **keys: Any) -> Refusal | None:
    delivery = Delivery(headers=(("Authorization", f"Bearer {token}"),))
    held = Keys(jwks=key_set(), audiences=("client-1",), **keys)
    return verify(scheme, delivery, held, Ports(now=lambda: NOW)).reason


def _google(token: str) -> bool:
    """`verify_oauth2_token` and the two comparisons that Google's guide adds, the clock pinned."""
    google_jwt = pytest.importorskip("google.auth.jwt")
    helpers = pytest.importorskip("google.auth._helpers")
    moment = dt.datetime.fromtimestamp(AT, dt.UTC).replace(tzinfo=None)  # it reckons without a zone
    with mock.patch.object(helpers, "utcnow", return_value=moment):
        try:
            claims = google_jwt.decode(
                token, certs={"kid-1": certificate("google.test")}, audience="client-1"
            )
        except Exception:  # noqa: BLE001 - it raises of every kind, TypeError for a text as a time too
            return False
    verified = claims.get("email_verified") is True and claims.get("email") == "a@b.example"
    return verified and claims["iss"] in GOOGLE_ISSUERS


@settings(deadline=None, max_examples=150)
@given(CLAIMS)
def test_pubsub_answers_as_google_auth(changes: dict[str, Any]) -> None:
    """Differences: google-auth reads a time that is text or a truth value as a number; here it is refused."""
    claims = {**RIGHT, **changes}
    strange = any(isinstance(claims.get(name), str | bool) for name in ("iat", "exp"))
    ours = _ours("google-pubsub-push", _token(claims), account="a@b.example") is None
    assert ours == _google(_token(claims)) or (strange and not ours)


@settings(deadline=None, max_examples=150)
@given(CLAIMS)
def test_an_id_token_answers_as_pyjwt(changes: dict[str, Any]) -> None:
    """Differences: PyJWT takes times as text, and an `exp` of this very second is over for it; azp is ours alone."""
    claims = {**RIGHT, "sub": "s", **changes}
    token = _token(claims)
    ours = _ours("auth0-id-token", token, issuers=(GOOGLE_ISSUERS[0],))
    assert (ours is None) == _pyjwt(token) or _known(claims, ours)


def _known(claims: dict[str, Any], ours: Refusal | None) -> bool:
    strange = any(isinstance(claims.get(name), str | bool) for name in ("iat", "exp"))
    return (
        strange or claims.get("exp") == AT or (ours is Refusal.AUDIENCE_MISMATCH and len(claims["aud"]) > 1)
    )


def _pyjwt(token: str) -> bool:
    moment = dt.datetime.fromtimestamp(AT, dt.UTC)
    with mock.patch("jwt.api_jwt.datetime") as clock:
        clock.now.return_value = moment
        try:
            jwt.decode(
                token, rsa_key().public_key(), algorithms=["RS256"], audience="client-1",
                issuer=GOOGLE_ISSUERS[0], options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )  # fmt: skip
        except jwt.PyJWTError:
            return False
    return True


def test_the_right_token_is_let_in_by_all() -> None:
    """So that agreement is not agreement to refuse."""
    assert _google(_token(RIGHT))
    assert _pyjwt(_token({**RIGHT, "sub": "s"}))
    assert _ours("google-pubsub-push", _token(RIGHT), account="a@b.example") is None
