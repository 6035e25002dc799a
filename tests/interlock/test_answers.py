"""The truth table, row by row, and that nothing a provider sends can break it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.answers import Case, Judgement, judge, judge_failure
from interlock.catalogue import Ask, Example, Expectation, Provider, Rule, load
from interlock.records import ProbeKind, Reason, State
from interlock.wire import Answer

NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
TOLD = {"source": "a test", "verified": dt.date(2026, 11, 22)}
SCHEMA = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
RESET = str(int(NOW.timestamp()) + 90)
EXHAUSTED = {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "0", "x-ratelimit-reset": RESET}


def provider() -> Provider:
    return Provider.model_validate(
        {
            "schema": 1,
            "name": "acme",
            "title": "Acme",
            "category": "other",
            "documentation": "https://acme.example",
            "summary": "A test.",
            "auth_failed": (
                Rule(status=(400,), pointer="/error/code", values=(190,)),
                Rule(status=(403,), pattern="<Code>ExpiredToken</Code>", expired=True),
            ),
            "rate_limits": {
                "dialects": ("ietf", "github"),
                "throttled": ({"status": (503,), "pattern": "SlowDown"},),
            },
        },
        strict=False,
    )


def ask(**changes: Any) -> Ask:
    fields: dict[str, Any] = {
        "kind": ProbeKind.CREDENTIAL,
        "path": "/me",
        "expect": Expectation(json_schema=SCHEMA),
        "scope": (Rule(status=(403,), pattern="scope"),),
        "example": Example(status=200),
        **TOLD,
    }
    return Ask(**(fields | changes))


def judged(
    status: int,
    body: bytes = b'{"id": "1"}',
    headers: dict[str, str] | None = None,
    *,
    credentialed: bool = True,
    asked: Ask | None = None,
    total: float = 0.1,
    truncated: bool = False,
) -> Judgement:
    answer = Answer(
        status=status, headers=headers or {}, body=body, truncated=truncated, phases={"total": total}
    )
    return judge(
        Case(
            provider=provider(),
            ask=asked or ask(),
            answer=answer,
            now=NOW,
            credentialed=credentialed,
            slow_after_seconds=1.0,
        )
    )


ROWS: list[tuple[str, dict[str, Any], State, Reason]] = [
    ("as promised", {"status": 200}, State.OPERATIONAL, Reason.OK),
    ("slow", {"status": 200, "total": 1.5}, State.DEGRADED, Reason.SLOW),
    ("drifted", {"status": 200, "body": b'{"ID": "1"}'}, State.DEGRADED, Reason.SHAPE),
    ("no JSON", {"status": 200, "body": b"<html>"}, State.DEGRADED, Reason.SHAPE),
    ("nested for ever", {"status": 200, "body": b"[" * 200_000}, State.DEGRADED, Reason.SHAPE),
    (
        "an error in the body",
        {"status": 200, "body": b'{"error": "x"}'},
        State.DEGRADED,
        Reason.ERROR_IN_BODY,
    ),
    ("cut", {"status": 200, "truncated": True}, State.UNKNOWN, Reason.TOO_LARGE),
    ("429", {"status": 429, "body": b""}, State.THROTTLED, Reason.RATE_LIMITED),
    ("fast and 429", {"status": 429, "total": 0.001}, State.THROTTLED, Reason.RATE_LIMITED),
    (
        "throttle code",
        {"status": 503, "body": b"<Code>SlowDown</Code>"},
        State.THROTTLED,
        Reason.RATE_LIMITED,
    ),
    ("403 exhausted", {"status": 403, "headers": EXHAUSTED}, State.THROTTLED, Reason.QUOTA_EXHAUSTED),
    ("400 exhausted", {"status": 400, "headers": EXHAUSTED}, State.THROTTLED, Reason.QUOTA_EXHAUSTED),
    ("401 exhausted", {"status": 401, "headers": EXHAUSTED}, State.AUTH_FAILED, Reason.BAD_CREDENTIAL),
    ("200 exhausted", {"status": 200, "headers": EXHAUSTED}, State.OPERATIONAL, Reason.OK),
    ("401", {"status": 401, "body": b""}, State.AUTH_FAILED, Reason.BAD_CREDENTIAL),
    (
        "auth code",
        {"status": 400, "body": b'{"error": {"code": 190}}'},
        State.AUTH_FAILED,
        Reason.BAD_CREDENTIAL,
    ),
    (
        "other code",
        {"status": 400, "body": b'{"error": {"code": 7}}'},
        State.DEGRADED,
        Reason.UNEXPECTED_STATUS,
    ),
    (
        "expired",
        {"status": 403, "body": b"<Code>ExpiredToken</Code>"},
        State.AUTH_FAILED,
        Reason.EXPIRED_CREDENTIAL,
    ),
    ("scope", {"status": 403, "body": b"missing scope"}, State.DEGRADED, Reason.SCOPE),
    ("bare 403", {"status": 403, "body": b""}, State.DEGRADED, Reason.UNEXPECTED_STATUS),
    ("500", {"status": 500}, State.FAILING, Reason.SERVER_ERROR),
    ("503", {"status": 503}, State.FAILING, Reason.SERVER_ERROR),
    (
        "503 and Retry-After",
        {"status": 503, "headers": {"retry-after": "60"}},
        State.FAILING,
        Reason.SERVER_ERROR,
    ),
    (
        "302",
        {"status": 302, "headers": {"location": "https://else.example/x"}},
        State.DEGRADED,
        Reason.REDIRECT,
    ),
    ("404", {"status": 404}, State.DEGRADED, Reason.UNEXPECTED_STATUS),
    ("204", {"status": 204}, State.DEGRADED, Reason.UNEXPECTED_STATUS),
]


@pytest.mark.parametrize(
    ("given_", "state", "reason"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_the_table(given_: dict[str, Any], state: State, reason: Reason) -> None:
    found = judged(**given_)
    assert (found.state, found.reason) == (state, reason)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_stranger_is_refused_by_a_live_service(status: int) -> None:
    face = ask(kind=ProbeKind.REACHABILITY, credentialed=False, expect=Expectation(status=(401, 403, 404)))
    found = judged(status, b"", credentialed=False, asked=face)
    assert (found.state, found.reason) == (State.OPERATIONAL, Reason.PUBLIC_FACE)


def test_somebody_elses_refusal_is_not_the_providers() -> None:
    """A captive portal answers 401 too; the body tells that it is not the provider."""
    face = ask(credentialed=False, expect=Expectation(status=(401,), pattern="Acme"))
    assert judged(401, b"please log in to the hotel", credentialed=False, asked=face).state is State.DEGRADED


def test_what_only_third_parties_attest_is_said_to_be_so() -> None:
    assert "attested" in judged(200, asked=ask(certainty="attested")).detail


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "30"}, 30),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:45 GMT"}, 45),
        (EXHAUSTED, 90),
        ({**EXHAUSTED, "retry-after": "5"}, 5),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({}, None),
    ],
)
def test_when_to_come_back(headers: dict[str, str], seconds: int | None) -> None:
    wanted = None if seconds is None else NOW + dt.timedelta(seconds=seconds)
    assert judged(429, b"", headers).retry_at == wanted


def of(name: str, status: int, headers: dict[str, str], body: bytes = b"{}") -> Judgement:
    """An answer of a provider of the catalogue to a question with a credential."""
    known = load(name)
    asked = known.ask(ProbeKind.CREDENTIAL, next(iter(known.auth)))
    assert asked is not None
    answer = Answer(status=status, headers=headers, body=body, truncated=False, phases={})
    return judge(Case(provider=known, ask=asked, answer=answer, now=NOW, credentialed=True))


def test_a_header_that_others_attest_makes_no_throttle_alone() -> None:
    told = {"x-ratelimit-limit": "300", "x-ratelimit-remaining": "0", "x-ratelimit-reset": RESET + "000"}
    assert of("mailgun", 503, told).state is State.FAILING
    throttled = of("mailgun", 429, told)
    assert (throttled.state, throttled.reason) == (State.THROTTLED, Reason.QUOTA_EXHAUSTED)
    assert throttled.headrooms[0].confidence == "low"


def test_a_body_or_a_reset_alone_may_say_when_to_come_back() -> None:
    assert of("mailgun", 429, {}, b'{"retry-seconds": 60}').retry_at == NOW + dt.timedelta(seconds=60)
    assert of("segment", 429, {"x-ratelimit-reset": "60"}).retry_at == NOW + dt.timedelta(seconds=60)


def test_a_rate_limit_that_cannot_be_read_is_named_and_not_quoted() -> None:
    found = of("sendgrid", 200, {"x-ratelimit-limit": "a-lot", "x-ratelimit-remaining": "-1"})
    assert found.headrooms == ()
    assert [str(each) for each in found.unread] == [
        "x-ratelimit-limit is not a number",
        "x-ratelimit-remaining is negative",
    ]


def test_headroom_is_taken_from_every_answer() -> None:
    for status in (200, 401, 404, 429, 500):
        assert judged(status, headers=EXHAUSTED).headrooms[0].limit == 60


def test_no_part_of_an_answer_is_in_what_is_said() -> None:
    secret = "made-up-value-4711"
    body = f'{{"id": 5, "{secret}": "{secret}", "error": "{secret}"}}'.encode()
    headers = {"location": f"https://else.example/?token={secret}", "www-authenticate": secret}
    for status in (200, 302, 400, 401, 403, 404, 429, 500, 503):
        assert secret not in judged(status, body, headers).detail


@pytest.mark.parametrize("reason", [Reason.DNS, Reason.CONNECT, Reason.TLS, Reason.TIMEOUT, Reason.PROTOCOL])
def test_no_answer_is_failing(reason: Reason) -> None:
    assert judge_failure(reason, "x").state is State.FAILING


def test_our_own_missing_network_is_unknown() -> None:
    assert judge_failure(Reason.OFFLINE, "x").state is State.UNKNOWN


@given(
    st.integers(200, 599),
    st.binary(max_size=200),
    st.dictionaries(
        st.sampled_from(
            [
                "x-ratelimit-limit",
                "x-ratelimit-remaining",
                "x-ratelimit-reset",
                "retry-after",
                "ratelimit",
                "location",
            ]
        ),
        st.text(max_size=40),
    ),
)
def test_nothing_that_comes_back_raises_or_passes_for_health(
    status: int, body: bytes, headers: dict[str, str]
) -> None:
    found = judged(status, body, headers)
    if found.state is State.OPERATIONAL:
        assert status == 200
    assert all(room.remaining is None or room.remaining >= 0 for room in found.headrooms)
    assert found.retry_at is None or found.retry_at >= NOW
