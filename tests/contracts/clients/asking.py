"""Asks a service as interlock does: settings, catalogue, signer, wire and truth table, without a store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from interlock.answers import Case, Judgement, judge
from interlock.auth import TokenRefused, signer
from interlock.http import Client, Draft
from interlock.integration import Integration, resolve
from interlock.records import ProbeKind
from interlock.settings import IntegrationSettings, Network

DEADLINE_SECONDS = 10.0


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def integrate(
    table: Mapping[str, Any], environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> Integration:
    """The integration that a settings table describes, its variables set for this test."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    settings = IntegrationSettings.model_validate(dict(table))
    return resolve("it", settings, network=Network(), folder=Path("/"))


async def ask(integration: Integration, kind: ProbeKind, clock: Any = now) -> Judgement:
    """Put one question and judge the answer."""
    question = integration.provider.ask(kind, integration.way, integration.parameters)
    assert question is not None, f"{integration.provider.name} has no probe {kind}"
    url = integration.url(question)
    assert url is not None
    client = Client()
    draft = Draft(
        method=question.method,
        url=url,
        headers=tuple(question.headers.items()),
        body=integration.body(question),
        service=question.service,
    )
    try:
        if question.credentialed:
            signs = signer(integration, client, clock)
            assert signs is not None
            draft = await signs.sign(draft)
        answer = await client.ask(
            draft, network=integration.network, folder=integration.folder, deadline_seconds=DEADLINE_SECONDS
        )
    except TokenRefused as exc:
        answer = exc.answer
    return judge(
        Case(
            provider=integration.provider,
            ask=question,
            answer=answer,
            now=clock(),
            credentialed=question.credentialed,
        )
    )
