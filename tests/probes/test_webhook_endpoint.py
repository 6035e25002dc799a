"""The webhook-endpoint probe against stand-ins of every provider that tells what is registered."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.clients.stand_in import StandIn
from interlock import catalogue
from interlock.catalogue import Example
from interlock.records import Outcome, ProbeKind, Reason, State
from probes.kinds import plan
from probes.probe import Tools
from tests.probes.test_account import answering
from tests.probes.test_http_probes import ask, integration

KIND = ProbeKind.WEBHOOK_ENDPOINT
URL = "https://hooks.made-up.example/events"
# provider, way, an event that its example subscribes to, one that it does not; None where events are not told
TOLD = [
    ("stripe", "secret_key", "charge.refunded", "invoice.paid"),
    ("github", "token", "push", "issues"),
    ("square", "token", "payment.created", "refund.created"),
    ("sendgrid", "api_key", "bounce", "click"),
    ("hubspot", "developer", "deal.creation", "company.creation"),
    ("twilio", "auth_token", None, None),
    ("sns", "keys", None, None),
]


async def seen(monkeypatch: pytest.MonkeyPatch, name: str, way: str, **more: Any) -> Outcome:
    async with StandIn(name) as stand_in:
        way = way if way in stand_in.provider.auth else next(iter(stand_in.provider.auth))
        return await ask(integration(stand_in, monkeypatch, way, webhooks={"url": URL} | more), KIND)


@pytest.mark.parametrize(("name", "way", "wanted", "other"), TOLD)
async def test_our_address_is_registered(
    name: str, way: str, wanted: str | None, other: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = await seen(monkeypatch, name, way, events=[wanted] if wanted else [])
    assert (outcome.state, outcome.findings) == (State.OPERATIONAL, ()), outcome.detail


@pytest.mark.parametrize(("name", "way", "wanted", "other"), TOLD)
async def test_another_address_is_missed(
    name: str, way: str, wanted: str | None, other: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = await seen(monkeypatch, name, way, url="https://hooks.made-up.example/other")
    assert (outcome.state, outcome.reason) == (State.DEGRADED, Reason.WEBHOOK_ENDPOINT)
    assert [finding.rule for finding in outcome.findings] == ["webhook-endpoint-missing"]


@pytest.mark.parametrize(("name", "way", "wanted", "other"), [row for row in TOLD if row[3]])
async def test_an_event_that_is_not_sent_is_missed(
    name: str, way: str, wanted: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = await seen(monkeypatch, name, way, events=[wanted, other])
    assert [finding.rule for finding in outcome.findings] == ["webhook-endpoint-events"]
    assert f"it does not get {other}" in outcome.detail


@pytest.mark.parametrize(("name", "way", "wanted", "other"), TOLD)
async def test_a_refused_key_is_auth_failed(
    name: str, way: str, wanted: str | None, other: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with StandIn(name) as stand_in:
        way = way if way in stand_in.provider.auth else next(iter(stand_in.provider.auth))
        joined = integration(stand_in, monkeypatch, way, webhooks={"url": URL})
        await stand_in.set_state("revoked")
        outcome = await ask(joined, KIND)
    assert outcome.state is State.AUTH_FAILED, outcome.detail


async def test_a_subscription_that_waits_for_its_confirmation_is_switched_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = next(a for a in catalogue.load("sns").probes if a.kind is KIND)
    text = (asked.example.text or "").replace("{topic_arn}:madeup", "PendingConfirmation")
    entry = answering("sns", KIND, asked.example.model_copy(update={"text": text}))
    async with StandIn(entry) as stand_in:
        outcome = await ask(integration(stand_in, monkeypatch, "keys", webhooks={"url": URL}), KIND)
    assert [finding.rule for finding in outcome.findings] == ["webhook-endpoint-disabled"]


async def test_an_answer_without_a_list_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = answering(
        "github",
        KIND,
        Example(status=200, body={"message": "moved"}, headers={"content-type": "application/json"}),
    )
    async with StandIn(entry) as stand_in:
        outcome = await ask(integration(stand_in, monkeypatch, webhooks={"url": URL}), KIND)
    assert (outcome.state, outcome.reason) == (State.UNKNOWN, Reason.UNREADABLE)


async def test_hubspot_is_asked_with_the_key_that_may_and_the_rest_with_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The settings name both: the token for the calls, the developer's key for the app's webhooks."""
    async with StandIn("hubspot") as stand_in:
        table = stand_in.settings("token")
        both = table["credentials"] | stand_in.settings("developer")["credentials"]
        joined = integration(stand_in, monkeypatch, credentials=both, webhooks={"url": URL})
        assert joined.way == "token"
        hooks = await ask(joined, KIND)
        credential = await ask(joined, ProbeKind.CREDENTIAL)
    assert (hooks.state, credential.state) == (State.OPERATIONAL, State.OPERATIONAL), hooks.detail


async def test_it_is_planned_only_where_an_address_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with StandIn("stripe") as stand_in:
        without = plan(integration(stand_in, monkeypatch), Tools(), frozenset({KIND}))
        (planned,) = plan(
            integration(stand_in, monkeypatch, webhooks={"url": URL}), Tools(), frozenset({KIND})
        )
    assert without == []
    assert planned.cost.requests == 2
    assert planned.every_seconds == 3600


async def test_without_the_repository_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    async with StandIn("github") as stand_in:
        outcome = await ask(integration(stand_in, monkeypatch, webhooks={"url": URL}, parameters={}), KIND)
    assert (outcome.state, outcome.reason) == (State.UNKNOWN, Reason.NOT_CONFIGURED)
    assert "parameters.owner, parameters.repo or parameters.organization" in outcome.detail
