"""The account probe against stand-ins: an account that is well, one that is not, one of which nothing is told."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from contracts.clients.stand_in import StandIn
from interlock import catalogue
from interlock.catalogue import Example, Provider
from interlock.records import Outcome, ProbeKind, Reason, Severity, State
from probes.probe import Tools
from tests.probes.test_http_probes import ask, integration

KIND = ProbeKind.ACCOUNT
KEYED = ("gcs", "fcm", "google_analytics", "google_oauth")


def answering(name: str, kind: ProbeKind, example: Example) -> Provider:
    """The provider, with another answer to one of its questions, whoever else asks the same."""
    provider = catalogue.load(name)
    paths = {ask.path for ask in provider.probes if ask.kind is kind}
    asks = tuple(a.model_copy(update={"example": example}) if a.path in paths else a for a in provider.probes)
    return provider.model_copy(update={"probes": asks})


async def seen(
    monkeypatch: pytest.MonkeyPatch, name: str, example: Example | None = None, **more: Any
) -> Outcome:
    entry = answering(name, KIND, example) if example else catalogue.load(name)
    async with StandIn(entry) as stand_in:
        way = "service_account" if name in KEYED else None
        return await ask(integration(stand_in, monkeypatch, way, **more), KIND)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("twilio", "balance: 12.34 EUR"),
        ("ses", "sending: true; reputation: HEALTHY"),
        ("sendgrid", "credits: 200 messages"),
        ("mailgun", "state of mail.made-up.example: active"),
    ],
)
async def test_an_account_that_is_well_says_so(name: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = await seen(monkeypatch, name)
    assert (outcome.state, outcome.detail, outcome.findings) == (State.OPERATIONAL, said, ())


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("twilio", {"balance": "0", "currency": "EUR"}, "the prepaid balance is used up, or nearly (0 EUR)"),
        (
            "ses",
            {"SendingEnabled": False, "EnforcementStatus": "SHUTDOWN", "SendQuota": {}},
            "sending is paused in this region",
        ),
        ("ses", {"SendingEnabled": True, "EnforcementStatus": "PROBATION", "SendQuota": {}}, "under review"),
        ("sendgrid", {"remain": 0}, "the credits are used up"),
        ("mailgun", {"items": [{"name": "a.example", "state": "unverified"}]}, "the domain may not send"),
    ],
)
async def test_an_account_that_is_not_well_is_degraded(
    name: str, body: Any, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = await seen(monkeypatch, name, Example(status=200, body=body))
    assert (outcome.state, outcome.reason) == (State.DEGRADED, Reason.ACCOUNT)
    assert words in outcome.detail
    assert {finding.rule for finding in outcome.findings} == {"account-standing"}


async def test_the_minimum_of_the_settings_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = await seen(monkeypatch, "twilio", probes={"account": {"minimum": 50.0}})
    assert (outcome.state, outcome.reason) == (State.DEGRADED, Reason.ACCOUNT)
    assert outcome.findings[0].promised == "at least 50"


@pytest.mark.parametrize(
    ("name", "example", "reason"),
    [
        ("ses", Example(status=200, body={"SendQuota": {}}), Reason.NOT_TOLD),
        ("twilio", Example(status=200, body={"balance": None}), Reason.NOT_TOLD),
        ("sendgrid", Example(status=404), Reason.NOT_TOLD),
    ],
)
async def test_what_is_not_told_is_unknown(
    name: str, example: Example, reason: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = await seen(monkeypatch, name, example)
    assert (outcome.state, outcome.reason) == (State.UNKNOWN, reason)


@pytest.mark.parametrize("name", ["twilio", "ses", "sendgrid", "mailgun"])
async def test_a_revoked_key_is_auth_failed_here_too(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with StandIn(name) as stand_in:
        joined = integration(stand_in, monkeypatch)
        await stand_in.set_state("revoked")
        assert (await ask(joined, KIND)).state is State.AUTH_FAILED


@pytest.mark.parametrize("name", KEYED)
async def test_the_age_of_a_google_key_is_that_of_its_certificate(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = dt.datetime.now(dt.UTC)
    outcome = await seen(monkeypatch, name)
    assert outcome.state is State.OPERATIONAL, outcome.detail
    assert outcome.credential is not None
    assert outcome.credential.issued_at is not None
    assert abs(now - dt.timedelta(days=30) - outcome.credential.issued_at) < dt.timedelta(minutes=5)


async def test_a_key_that_has_grown_old_is_a_finding_and_no_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = await seen(monkeypatch, "gcs", probes={"account": {"oldest_days": 20.0}})
    assert outcome.state is State.OPERATIONAL
    assert [(f.rule, f.severity) for f in outcome.findings] == [("credential-age", Severity.WARNING)]
    assert "the key is 30 days old" in outcome.detail


async def test_a_key_that_google_does_not_publish_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = await seen(
        monkeypatch, "gcs", Example(status=200, headers={"content-type": "application/json"}, body={"x": "y"})
    )
    assert (outcome.state, outcome.reason) == (State.DEGRADED, Reason.ACCOUNT)
    assert outcome.findings[0].rule == "credential-unpublished"


async def test_a_salesforce_session_tells_its_end_by_introspection(monkeypatch: pytest.MonkeyPatch) -> None:
    end = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
    body = {"active": True, "exp": int(end.timestamp()), "username": "a@made-up.example", "scope": "api"}
    provider = answering(
        "salesforce",
        ProbeKind.CREDENTIAL,
        Example(status=200, body=body, headers={"content-type": "application/json"}),
    )
    tools = Tools(clock=lambda: end - dt.timedelta(hours=2))
    async with StandIn(provider) as stand_in:
        joined = integration(stand_in, monkeypatch, "introspected")
        outcome = await ask(joined, ProbeKind.CREDENTIAL, tools)
        await stand_in.set_state("revoked")
        over = await ask(joined, ProbeKind.CREDENTIAL, tools)
    assert (outcome.state, outcome.reason) == (State.DEGRADED, Reason.CREDENTIAL_EXPIRES)
    assert outcome.credential is not None
    assert (outcome.credential.expires_at, outcome.credential.scopes) == (end, ("api",))
    assert over.state is State.AUTH_FAILED


@pytest.mark.parametrize("name", ["s3", "ses", "sns", "cognito"])
async def test_a_temporary_aws_key_ends_when_its_environment_says(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = dt.datetime.now(dt.UTC) + dt.timedelta(hours=5)
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", end.isoformat())
    async with StandIn(name) as stand_in:
        table = stand_in.settings("temporary")
        table["credentials"] |= {"session_expiration": "env:AWS_CREDENTIAL_EXPIRATION"}
        outcome = await ask(
            integration(stand_in, monkeypatch, "temporary", credentials=table["credentials"]),
            ProbeKind.CREDENTIAL,
        )
    assert (outcome.state, outcome.reason) == (State.DEGRADED, Reason.CREDENTIAL_EXPIRES)
    assert outcome.credential is not None
    assert outcome.credential.expires_at == end


async def test_a_version_that_has_ended_spoils_a_good_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async with StandIn("salesforce") as stand_in:
        joined = integration(
            stand_in, monkeypatch, "token", parameters=stand_in.parameters | {"version": "29.0"}
        )
        outcome = await ask(joined, ProbeKind.REACHABILITY)
    assert (outcome.state, outcome.reason) == (State.DEGRADED, Reason.API_VERSION)
    assert "retired with the Summer '25 release" in outcome.detail
    assert [finding.rule for finding in outcome.findings] == ["api-version"]


async def test_an_announced_end_is_kept_with_the_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = catalogue.load("sendgrid")
    good = provider.ask(ProbeKind.CREDENTIAL, "api_key")
    assert good is not None
    headers = {
        **good.example.headers,
        "Deprecation": "@1688169599",
        "Sunset": "Wed, 31 Dec 2031 23:59:59 GMT",
    }
    entry = answering("sendgrid", ProbeKind.CREDENTIAL, good.example.model_copy(update={"headers": headers}))
    async with StandIn(entry) as stand_in:
        outcome = await ask(integration(stand_in, monkeypatch), ProbeKind.CREDENTIAL)
    assert outcome.state is State.OPERATIONAL
    assert [finding.rule for finding in outcome.findings] == ["sunset", "deprecation"]


def test_the_key_itself_never_leaves_by_its_derived_parameters() -> None:
    """Whose key it is and which one may be shown; the private half may not."""
    example = json.loads(catalogue.load("gcs").credentials["service_account"].example)
    assert {"client_email", "private_key_id"} <= set(example)
    assert catalogue.DERIVED["google_service_account"] == ("service_account_email", "service_account_key_id")
