"""What is told of a credential: dates in every form that providers write, scopes, identity, and the end."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.catalogue import Tells
from interlock.credentials import ending, missing_scopes, moment, read, token_ends_at
from interlock.records import CredentialFacts, Severity
from interlock.wire import Answer
from tests.records import NOON

DAY = dt.timedelta(days=1)


def answer(body: Any = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=200, headers=named, body=json.dumps(body).encode())


def facts(**changes: Any) -> CredentialFacts:
    return CredentialFacts(**({"expires_at": None, "identity": None, "scopes": None} | changes))


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        # docs.github.com: header github-authentication-token-expiration
        ("2026-11-22 12:00:00 UTC", NOON),
        ("2026-11-22 14:00:00 +0200", NOON),
        # developer.squareup.com: RetrieveTokenStatus, expires_at
        ("2026-11-22T12:00:00Z", NOON),
        # developers.facebook.com: debug_token, data.expires_at
        (int(NOON.timestamp()), NOON),
        (0, None),
        ("", None),
        ("never", None),
        ("2026-11-22T12:00:00", None),
        (True, None),
        (1e300, None),
        (None, None),
    ],
)
def test_a_date_is_read_in_every_form(value: Any, wanted: dt.datetime | None) -> None:
    assert moment(value) == wanted


@given(st.text() | st.integers() | st.floats() | st.booleans() | st.none() | st.lists(st.integers()))
def test_any_other_value_is_no_date(value: Any) -> None:
    found = moment(value)
    assert found is None or found.tzinfo is not None


def test_body_and_headers_are_read() -> None:
    tells = Tells(expires_pointer="/expires_at", identity_pointer="/merchant_id", scopes_pointer="/scopes")
    told = {"expires_at": "2026-12-22T12:00:00Z", "merchant_id": "M1", "scopes": ["B", "A"]}
    assert read(tells, answer(told), []) == facts(
        expires_at=NOON + 30 * DAY, identity="M1", scopes=("A", "B")
    )
    tells = Tells(expires_header="x-end", scopes_header="x-oauth-scopes")
    found = read(tells, answer({}, x_end="2026-12-22 12:00:00 UTC", x_oauth_scopes="repo, user"), [])
    assert found == facts(expires_at=NOON + 30 * DAY, scopes=("repo", "user"))


def test_what_is_not_told_is_not_known() -> None:
    tells = Tells(expires_pointer="/expires_at", scopes_header="x-oauth-scopes")
    assert read(tells, answer({"expires_at": ""}), []) is None
    assert read(tells, Answer(status=200, headers={}, body=b"<html>"), []) is None
    assert read(None, answer({"expires_at": "2026-12-22T12:00:00Z"}), ["no-token"]) is None


def test_an_empty_list_of_scopes_is_told_and_none_is_not() -> None:
    tells = Tells(scopes_header="x-oauth-scopes")
    empty = read(tells, answer({}, x_oauth_scopes=""), [])
    assert empty == facts(scopes=())
    assert missing_scopes(empty, ["repo"]) == ("repo",)
    assert missing_scopes(None, ["repo"]) == ()
    assert missing_scopes(facts(), ["repo"]) == ()


def test_a_token_tells_its_own_end() -> None:
    token = jwt.encode(
        {"exp": int((NOON + DAY).timestamp())}, "made-up-made-up-made-up-made-up!", algorithm="HS256"
    )
    assert token_ends_at(token) == NOON + DAY
    assert read(None, answer(), [token]) == facts(expires_at=NOON + DAY)


@given(
    st.text(max_size=60) | st.builds(lambda a, b: f"ey{a}.{b}.x", st.text(max_size=9), st.text(max_size=20))
)
def test_any_other_secret_has_no_end(secret: str) -> None:
    assert token_ends_at(secret) is None or "." in secret


@pytest.mark.parametrize(
    ("days", "severity"),
    [
        (31, None),
        (29.9, Severity.WARNING),
        (6.9, Severity.ERROR),
        (0.9, Severity.CRITICAL),
        (-1, Severity.CRITICAL),
    ],
)
def test_the_nearer_the_louder(days: float, severity: Severity | None) -> None:
    found = ending(facts(expires_at=NOON + days * DAY), NOON, "payments")
    assert (found.severity if found else None) is severity


def test_without_an_end_there_is_nothing_to_warn_of() -> None:
    assert ending(facts(), NOON, "payments") is None
    assert ending(None, NOON, "payments") is None
