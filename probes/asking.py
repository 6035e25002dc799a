"""One question of the catalogue, asked of an integration and judged by the truth table."""

from __future__ import annotations

from interlock.answers import Case, Judgement, judge
from interlock.auth import Signer, TokenRefused
from interlock.catalogue import Ask, places
from interlock.http import Draft
from interlock.integration import Integration
from interlock.records import State
from interlock.wire import Answer
from probes.probe import Planned, Tools


async def put(
    planned: Planned, integration: Integration, ask: Ask, url: str, tools: Tools, signer: Signer | None
) -> tuple[Answer, Judgement]:
    """Ask, and ask once more where a cached token may have been refused. Raises `WireError`, `UsageError`."""
    answer, judgement = await _put(planned, integration, ask, url, tools, signer)
    if judgement.state is State.AUTH_FAILED and signer is not None and signer.forget():
        answer, judgement = await _put(planned, integration, ask, url, tools, signer)
    return answer, judgement


async def _put(
    planned: Planned, integration: Integration, ask: Ask, url: str, tools: Tools, signer: Signer | None
) -> tuple[Answer, Judgement]:
    draft = _draft(integration, ask, url)
    try:
        signed = await signer.sign(draft) if signer else draft
        answer = await tools.client.ask(
            signed,
            network=integration.network,
            folder=integration.folder,
            deadline_seconds=planned.timeout_seconds,
        )
    except TokenRefused as exc:
        answer = exc.answer
    case = Case(
        provider=integration.provider,
        ask=ask,
        answer=answer,
        now=tools.clock(),
        credentialed=signer is not None,
        fingerprint=planned.credential_fingerprint if signer is not None else None,
        slow_after_seconds=planned.slow_after_seconds,
    )
    return answer, judge(case)


def _draft(integration: Integration, ask: Ask, url: str) -> Draft:
    headers = ask.headers_with(integration.parameters)
    return Draft(method=ask.method, url=url, headers=headers, body=integration.body(ask), service=ask.service)


def unset(integration: Integration, ask: Ask) -> str:
    """The settings that are missing for the address of a question, as they are written."""
    wanted = ask.places
    for base in integration.provider.bases:
        if base.name == ask.base:
            wanted |= places(base.url)
    names = sorted(wanted - set(integration.parameters)) or ["base_url"]
    given = integration.provider.credentials
    return ", ".join(
        f"credentials.{n}" if n in given else n if n == "base_url" else f"parameters.{n}" for n in names
    )
