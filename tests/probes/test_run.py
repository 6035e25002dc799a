"""Asking many at once: no answer is timed by what we do for another."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from contracts.clients.stand_in import StandIn
from interlock.answers import Judgement
from interlock.auth import _Tooled
from interlock.records import Outcome, ProbeKind, Reason, State
from interlock.redaction import Redactor
from interlock.secrets import Secret
from interlock.wire import Wire
from probes import run as run_module
from probes.kinds import KINDS, plan
from probes.probe import Planned, Seen, Tools
from probes.run import Limits, run_all
from tests.probes.test_http_probes import integration

CREDENTIAL = frozenset({ProbeKind.CREDENTIAL})


class Noted:
    """A probe that notes when it begins, and when the event loop has had a turn since."""

    def __init__(self, notes: list[str]) -> None:
        self.notes = notes

    async def ask(self, planned: Planned, tools: Tools) -> Seen:  # noqa: ARG002 - as every probe is asked
        self.notes.append("begun")
        asyncio.get_running_loop().call_soon(self.notes.append, "turn")
        return Seen(judgement=Judgement(state=State.OPERATIONAL, reason=Reason.OK, detail="made up"))


async def test_the_loop_has_a_turn_between_one_probe_and_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the first connection waits until the last request is signed, and looks as slow as that is."""
    notes: list[str] = []
    async with StandIn("stripe") as stand_in:
        (planned,) = plan(integration(stand_in, monkeypatch, "key"), Tools(), CREDENTIAL)
    monkeypatch.setattr(run_module, "KINDS", {**KINDS, ProbeKind.CREDENTIAL: Noted(notes)})
    await run_all([planned] * 2, Tools(), limits=Limits())
    assert notes[:3] == ["begun", "turn", "begun"]


async def test_what_the_listener_raises_ends_the_run_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A progress bar on a terminal that is gone, say."""

    def gone(_: Outcome) -> None:
        raise BrokenPipeError

    async with StandIn("stripe") as stand_in:
        plans = plan(integration(stand_in, monkeypatch, "key"), Tools(), None)
        with pytest.raises(BrokenPipeError):
            await run_all(plans, Tools(), limits=Limits(), done=gone)


async def test_no_answer_waits_for_the_redactor_or_for_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes long is done before the first request, or not at all."""
    done: list[str] = []
    ready = _Tooled.ready

    def noted(signer: _Tooled) -> None:
        done.append("signer")
        ready(signer)

    monkeypatch.setattr(_Tooled, "ready", noted)
    monkeypatch.setattr(Redactor, "prepare", lambda _: done.append("redactor"))
    monkeypatch.setattr(Wire, "exchange", _noted(Wire.exchange, done))
    tools = Tools(redactor=Redactor([Secret("made-up-4711", name="env:A")]))
    async with StandIn("github") as stand_in:
        plans = plan(integration(stand_in, monkeypatch, "app"), tools, None)
        outcomes = await run_all(plans, tools, limits=Limits())
    assert len(outcomes) == len(plans) > 1
    assert done[: len(plans) + 1] == [*["signer"] * len(plans), "request"]
    assert "redactor" not in done


def _noted(exchange: Any, done: list[str]) -> Any:
    async def noted(*given: Any, **named: Any) -> Any:
        done.append("request")
        return await exchange(*given, **named)

    return noted
