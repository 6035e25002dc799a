"""One question of the catalogue, asked of an integration and judged by the truth table."""

from __future__ import annotations

import asyncio

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
    if tools.heard is None or signer is None:
        return await _put(planned, integration, ask, url, tools, signer)
    question = (integration.name, integration.way, _draft(integration, ask, url))
    heard = tools.heard.setdefault(question, asyncio.get_running_loop().create_future())
    good = None
    try:
        answer, judgement = await _put(planned, integration, ask, url, tools, signer)
        good = answer if judgement.state is State.OPERATIONAL else None
    finally:
        if not heard.done():
            heard.set_result(good)
    return answer, judgement


async def overhear(
    planned: Planned, integration: Integration, ask: Ask, url: str, tools: Tools
) -> tuple[Answer, Judgement] | None:
    """The good answer that another probe of this run has, or is about to have, to the same signed question; else None.

    One that is not good is nobody else's: a failure that two probes tell of must have been seen twice.
    """
    heard = (tools.heard or {}).get((integration.name, integration.way, _draft(integration, ask, url)))
    answer = None if heard is None else await asyncio.shield(heard)
    return None if answer is None else (answer, _judged(planned, ask, answer, tools, credentialed=True))


async def _put(
    planned: Planned, integration: Integration, ask: Ask, url: str, tools: Tools, signer: Signer | None
) -> tuple[Answer, Judgement]:
    answer, judgement = await _once(planned, integration, ask, url, tools, signer)
    if judgement.state is State.AUTH_FAILED and signer is not None and signer.forget():
        answer, judgement = await _once(planned, integration, ask, url, tools, signer)
    return answer, judgement


async def _once(
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
    return answer, _judged(planned, ask, answer, tools, credentialed=signer is not None)


def _judged(planned: Planned, ask: Ask, answer: Answer, tools: Tools, *, credentialed: bool) -> Judgement:
    case = Case(
        provider=planned.integration.provider,
        ask=ask,
        answer=answer,
        now=tools.clock(),
        credentialed=credentialed,
        fingerprint=planned.credential_fingerprint if credentialed else None,
        slow_after_seconds=planned.slow_after_seconds,
    )
    return judge(case)


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
