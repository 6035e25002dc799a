"""The contract probe: is the answer to the cheapest read call still as its contract promises?"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from interlock.catalogue import Ask, Cost
from interlock.errors import CannotJudge, UsageError
from interlock.findings import at_least
from interlock.integration import Integration
from interlock.records import Finding, Interaction, Message, ProbeKind, Reason, Severity, Source, State
from interlock.wire import Answer
from probes.asking import overhear, put, unset
from probes.probe import Planned, Seen, Tools, unknown

if TYPE_CHECKING:
    from contracts.shelf import Known, Shelf
    from contracts.view import Bench

# What is asked with our credential and answered with what we use; a stranger's refusal says little of a contract.
_READ = (ProbeKind.CREDENTIAL, ProbeKind.ACCOUNT, ProbeKind.HEADROOM)


@dataclass(frozen=True, slots=True)
class ContractProbe:
    """Asked only where a contract is known: named by the settings, pulled and pinned, or our library's."""

    def cost(self, integration: Integration) -> Cost | None:
        """Of the cheapest read call; None where there is none, no contract or never a credential."""
        ask, stranger = cheapest(integration), not (integration.way or integration.settings.credentials)
        return ask.cost if ask and not stranger and _known(integration) else None

    def host(self, integration: Integration) -> str | None:
        """Of the address that the catalogue and the settings make."""
        ask = cheapest(integration)
        url = integration.url(ask) if ask else None
        return urlsplit(url).hostname if url else None

    async def ask(self, planned: Planned, tools: Tools) -> Seen:
        """Ask, and hold a good answer against the contract."""
        integration = planned.integration
        ask = cheapest(integration)
        assert ask is not None, "only what can be asked is planned"
        if integration.missing is not None:
            return unknown(Reason.NO_CREDENTIAL, integration.missing)
        url = integration.url(ask)
        if url is None:
            return unknown(Reason.NOT_CONFIGURED, f"the address is not known: set {unset(integration, ask)}")
        heard = await overhear(planned, integration, ask, url, tools)
        bench = await _bench(integration, tools)
        answer, judgement = heard or await put(
            planned, integration, ask, url, tools, tools.signer(integration)
        )
        seen = Seen(judgement=judgement, phases=dict(answer.phases), status_code=answer.status)
        if judgement.state is not State.OPERATIONAL and judgement.reason is not Reason.SLOW:
            return seen
        return _held(
            seen, _interaction(integration, ask, url, answer, tools.clock()), bench, integration.name
        )


def cheapest(integration: Integration) -> Ask | None:
    """The read call that costs least, of those that the way of signing in allows; the first of equal ones."""
    found = [ask for kind in _READ if (ask := integration.ask(kind)) is not None and ask.credentialed]
    reading = [ask for ask in found if ask.cannot_tell is None]
    return min(reading, key=lambda ask: (not ask.cost.free, ask.cost.requests), default=None)


def _known(integration: Integration) -> bool:
    try:
        return _kept(integration)[1] is not None
    except UsageError:
        return True  # there may be one; the probe says what is wrong with the shelf


def _kept(integration: Integration) -> tuple[Shelf, Known | None]:
    """Where its contract is kept, and which it is: its own, else its provider's. Raises `UsageError`."""
    from contracts.shelf import Own, Shelf  # noqa: PLC0415 - only where contracts are asked for

    own = Own.of(integration.settings)
    shelf = Shelf(integration.folder, own={integration.name: own} if own else {})
    known = shelf.known()
    return shelf, known.get(integration.name) or known.get(integration.provider.name)


async def _bench(integration: Integration, tools: Tools) -> Bench:
    """Read and compiled once, and again when the file has changed. Raises `UsageError`."""
    shelf, known = _kept(integration)
    name, path = (known.name, known.path) if known else (integration.provider.name, integration.folder)
    key = (name, path, path.stat().st_mtime_ns if path.is_file() else 0)  # `load` says what is missing
    if key not in tools.benches:
        reading = asyncio.to_thread(_read, shelf, name, tools)
        tools.benches[key] = asyncio.ensure_future(reading)
    try:
        return await asyncio.shield(tools.benches[key])
    except Exception:  # it may be mended by the next time
        tools.benches.pop(key, None)
        raise


def _read(shelf: Shelf, name: str, tools: Tools) -> Bench:
    from contracts.view import Bench, Rulebook  # noqa: PLC0415 - only where contracts are asked for

    book = Rulebook(severities={}, now=tools.clock(), redactor=tools.redactor)
    return Bench(shelf.load(name), book)


def _interaction(
    integration: Integration, ask: Ask, url: str, answer: Answer, now: dt.datetime
) -> Interaction:
    """What was exchanged, without the credential: the question's own address, whatever host stood in for it."""
    body = integration.body(ask)
    return Interaction(
        source=Source(
            file=f"{integration.name}/{ProbeKind.CONTRACT.value}", format="live", index=0, line=None
        ),
        method=ask.method,
        url=_promised(integration, ask) or url,
        request=Message(
            headers=ask.headers_with(integration.parameters),
            body=body or None,
            body_state="full" if body else "absent",
        ),
        status=answer.status,
        response=Message(
            headers=tuple(answer.headers.items()),
            body=answer.body,
            body_state="truncated" if answer.truncated else "full",
        ),
        error=None,
        http_version=answer.http_version,
        recorded_at=now,
        elapsed_seconds=answer.phases.get("total"),
        origin=integration.environment.value,
    )


def _promised(integration: Integration, ask: Ask) -> str | None:
    """The address at the provider itself: a stand-in or a proxy may have another path before it."""
    base = next((each.url for each in integration.provider.bases if each.name == ask.base), None)
    try:
        return None if base is None else (base + ask.path).format_map(integration.parameters)
    except KeyError:
        return None


def _held(seen: Seen, interaction: Interaction, bench: Bench, name: str) -> Seen:
    from contracts.drift import answer_drift  # noqa: PLC0415 - only where contracts are asked for

    contract, judgement = bench.contract, seen.judgement
    slow = judgement.reason is Reason.SLOW
    try:
        found = tuple(
            dataclasses.replace(each, integration=name) for each in answer_drift(interaction, bench)
        )
    except CannotJudge as exc:
        if slow:
            return seen
        judgement = dataclasses.replace(
            judgement, state=State.UNKNOWN, reason=Reason.NOT_TOLD, detail=exc.message
        )
        return dataclasses.replace(seen, judgement=judgement)
    broken = [each for each in found if at_least(each, Severity.ERROR)]
    title = f"{contract.title} {contract.version} ({contract.origin})"
    if not broken:
        kept = f"{seen.status_code}, as {title} promises"
        judgement = dataclasses.replace(judgement, detail=f"{judgement.detail}; but {kept}" if slow else kept)
        return dataclasses.replace(seen, judgement=judgement, findings=found)
    words = "; ".join(_said(each) for each in broken)
    judgement = dataclasses.replace(
        judgement, state=State.DEGRADED, reason=Reason.SHAPE, detail=f"not as {title} promises: {words}"
    )
    return dataclasses.replace(seen, judgement=judgement, findings=found)


def _said(found: Finding) -> str:
    return f"{found.subject}: {found.seen}" if found.seen else found.subject
