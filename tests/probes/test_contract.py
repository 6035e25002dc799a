"""The contract probe: the cheapest read call of every provider is as its contract says, and what is not is seen."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from contracts.clients.stand_in import StandIn
from contracts.contract import Contract
from contracts.shelf import LIBRARY_FOLDER, LOCK, Shelf
from interlock.catalogue import Example
from interlock.records import Outcome, ProbeKind, Reason, State
from probes.kinds import plan
from probes.probe import Tools
from probes.run import Limits, run, run_all
from tests.probes.test_account import answering
from tests.probes.test_http_probes import WAYS, ask, integration, joined

KIND = ProbeKind.CONTRACT
# Ways for which nothing is read: they may write alone, or no answer tells whether the credential is good.
WRITING = {
    ("amplitude", "ingestion"), ("google_analytics", "api_secret"), ("mailgun", "sending_key"),
    ("mixpanel", "project_token"), ("segment", "write_key"),
}  # fmt: skip
KNOWN = [(name, way) for name, way in WAYS if name in Shelf(LIBRARY_FOLDER).known()]


@pytest.mark.parametrize(("name", "way"), [each for each in KNOWN if each not in WRITING])
async def test_the_answer_that_the_catalogue_knows_is_what_the_contract_promises(
    name: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with StandIn(name) as stand_in:
        outcome = await ask(integration(stand_in, monkeypatch, way), KIND)
    assert (outcome.state, outcome.findings) == (State.OPERATIONAL, ()), outcome.detail
    assert "(library) promises" in outcome.detail


@pytest.mark.parametrize(("name", "way"), sorted(WRITING))
async def test_nothing_is_asked_where_nothing_can_be_read(
    name: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with StandIn(name) as stand_in:
        own = integration(stand_in, monkeypatch, way)
    assert plan(own, Tools(), frozenset({KIND})) == []


BALANCE = {
    "object": "balance", "livemode": False, "available": [{"amount": 1, "currency": "eur"}],
    "pending": [{"amount": 2, "currency": "eur"}],
}  # fmt: skip


async def balance(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], folder: Path | None = None
) -> Outcome:
    """Asked of a Stripe whose balance has these members changed."""
    entry = answering("stripe", ProbeKind.CREDENTIAL, Example(status=200, body=BALANCE | change))
    async with StandIn(entry) as stand_in:
        own = integration(stand_in, monkeypatch, "key")
        return await ask(dataclasses.replace(own, folder=folder) if folder else own, KIND)


async def test_another_type_degrades_it_with_the_finding_attached(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = await balance(monkeypatch, {"available": [{"amount": "1", "currency": "eur"}]})
    assert (outcome.state, outcome.reason) == (State.DEGRADED, Reason.SHAPE)
    (found,) = outcome.findings
    assert found.rule == "recorded-type-changed"
    assert found.location.message_pointer == "/response/body/available/*/amount"
    assert "amount" in outcome.detail
    assert found.integration == "acme"


async def test_what_the_contract_does_not_name_is_no_drift_of_a_partial_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outcome = await balance(monkeypatch, {"brand_new": {"a": 1}})
    assert outcome.state is State.OPERATIONAL


async def test_a_refused_key_says_nothing_of_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    async with StandIn("stripe") as stand_in:
        own = integration(stand_in, monkeypatch, "key")
        await stand_in.set_state("revoked")
        outcome = await ask(own, KIND)
    assert (outcome.state, outcome.findings) == (State.AUTH_FAILED, ())


def pin(folder: Path, paths: dict[str, Any]) -> None:
    document = {"openapi": "3.1.0", "info": {"title": "Own", "version": "7"}, "paths": paths}
    Shelf(folder).pin(
        "stripe", json.dumps(document).encode(), url="https://x.example/", pulled_at="2026-11-25"
    )


def answered(schema: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    return {"get": {"responses": {"200": {"description": "", "content": content}}}}


async def test_a_pulled_contract_goes_before_ours_and_is_read_again_when_it_changes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tools = Tools()
    async with StandIn("stripe") as stand_in:
        own = dataclasses.replace(integration(stand_in, monkeypatch, "key"), folder=tmp_path)
        pin(tmp_path, {"/v1/balance": answered({"required": ["gone"]})})
        first = await ask(own, KIND, tools)
        pin(tmp_path, {"/v1/balance": answered({"type": "object"})})
        second = await ask(own, KIND, tools)
    assert (first.state, [each.rule for each in first.findings]) == (
        State.DEGRADED,
        ["recorded-field-missing"],
    )
    assert "Own 7 (pulled)" in first.detail
    assert second.state is State.OPERATIONAL
    assert len(tools.benches) == 2


CREDENTIAL_AND_IT = frozenset({ProbeKind.CREDENTIAL, KIND})


async def test_beside_the_credential_probe_of_the_same_run_it_asks_nothing_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tools = Tools(heard={})
    async with StandIn("stripe") as stand_in:
        plans = plan(integration(stand_in, monkeypatch, "key"), tools, CREDENTIAL_AND_IT)
        outcomes = await run_all(plans, tools, limits=Limits())
        asked = sum(stand_in.requests.values())
    assert [(each.probe, each.state) for each in outcomes] == [
        (ProbeKind.CREDENTIAL, State.OPERATIONAL),
        (KIND, State.OPERATIONAL),
    ]
    assert "promises" in outcomes[1].detail
    assert asked == 1


@pytest.mark.parametrize(
    ("change", "reason", "words"),
    [
        ({}, Reason.SLOW, "s; but 200, as"),
        ({"available": [{"amount": "1", "currency": "eur"}]}, Reason.SHAPE, "not as"),
    ],
)
async def test_a_slow_answer_is_held_against_the_contract_too(
    change: dict[str, Any], reason: Reason, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = answering("stripe", ProbeKind.CREDENTIAL, Example(status=200, body=BALANCE | change))
    async with StandIn(entry) as stand_in:
        (planned,) = plan(integration(stand_in, monkeypatch, "key"), Tools(), frozenset({KIND}))
        outcome = await run(dataclasses.replace(planned, slow_after_seconds=0.0), Tools())
    assert (outcome.state, outcome.reason) == (State.DEGRADED, reason)
    assert words in outcome.detail


async def test_a_failure_is_seen_by_each_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two probes that fail are two witnesses of an outage, and must not be one that is counted twice."""
    tools = Tools(heard={})
    async with StandIn("stripe") as stand_in:
        plans = plan(integration(stand_in, monkeypatch, "key"), tools, CREDENTIAL_AND_IT)
        await stand_in.set_state("revoked")
        outcomes = await run_all(plans, tools, limits=Limits())
        asked = sum(stand_in.requests.values())
    assert [each.state for each in outcomes] == [State.AUTH_FAILED] * 2
    assert asked == 2


async def test_several_integrations_of_a_provider_read_its_contract_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loads: list[str] = []
    load = Shelf.load

    def counted(shelf: Shelf, name: str) -> Contract:
        loads.append(name)
        return load(shelf, name)

    monkeypatch.setattr(Shelf, "load", counted)
    tools = Tools()
    async with StandIn("stripe") as stand_in:
        one = integration(stand_in, monkeypatch, "key")
        many = [dataclasses.replace(one, name=f"shop-{n}") for n in range(5)]
        plans = [each for own in many for each in plan(own, tools, frozenset({KIND}))]
        outcomes = await run_all(plans, tools, limits=Limits())
    assert {each.state for each in outcomes} == {State.OPERATIONAL}
    assert loads == ["stripe"]


async def test_a_contract_that_does_not_know_the_call_leaves_it_unknown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pin(tmp_path, {"/v1/other": answered({})})
    outcome = await balance(monkeypatch, {}, folder=tmp_path)
    assert (outcome.state, outcome.reason) == (State.UNKNOWN, Reason.NOT_TOLD)
    assert "cannot be held against" in outcome.detail


async def test_a_pinned_file_that_was_changed_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pin(tmp_path, {"/v1/balance": answered({})})
    path = Shelf(tmp_path).known()["stripe"].path
    path.write_text(path.read_text() + " ")
    outcome = await balance(monkeypatch, {}, folder=tmp_path)
    assert (outcome.state, outcome.reason) == (State.UNKNOWN, Reason.NOT_CONFIGURED)
    assert "not what was pulled" in outcome.detail


async def test_a_broken_lock_is_said_by_the_contract_probe_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pin(tmp_path, {"/v1/balance": answered({})})
    (Shelf(tmp_path).folder / LOCK).write_text("{}")
    async with StandIn("stripe") as stand_in:
        own = dataclasses.replace(integration(stand_in, monkeypatch, "key"), folder=tmp_path)
        plans = plan(own, Tools(), CREDENTIAL_AND_IT)
        outcomes = {each.probe: each for each in await run_all(plans, Tools(), limits=Limits())}
    assert (outcomes[KIND].state, outcomes[KIND].reason) == (State.UNKNOWN, Reason.NOT_CONFIGURED)
    assert "is not a lock of contracts" in outcomes[KIND].detail
    assert outcomes[ProbeKind.CREDENTIAL].state is State.OPERATIONAL


async def test_without_a_credential_it_is_not_planned_for_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    async with StandIn("stripe") as stand_in:
        table = stand_in.settings(None)
        table.pop("credentials", None)
        assert plan(joined(table), Tools(), frozenset({KIND})) == []


async def test_a_pulled_contract_that_is_gone_is_said_and_how_to_have_it_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pin(tmp_path, {"/v1/balance": answered({})})
    Shelf(tmp_path).known()["stripe"].path.unlink()
    outcome = await balance(monkeypatch, {}, folder=tmp_path)
    assert (outcome.state, outcome.reason) == (State.UNKNOWN, Reason.NOT_CONFIGURED)
    assert "stripe.json: is in contracts.lock.json, and is not there" in outcome.detail
    assert "interlock contracts pull stripe" in outcome.detail
