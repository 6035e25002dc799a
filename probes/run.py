"""Asking: one probe under its limits, or all at once. Whatever goes wrong becomes an outcome."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from interlock.answers import judge_failure
from interlock.errors import InterlockError
from interlock.records import Outcome, Reason, State
from interlock.resolve import is_loopback
from interlock.settings import Concurrency
from interlock.wire import WireError
from probes.connectivity import HOSTS_NEEDED, as_offline, unreached
from probes.kinds import KINDS
from probes.probe import Planned, Seen, Tools, outcome, unknown

log = logging.getLogger(__name__)


@dataclass
class Limits:
    """How many probes may be under way: in all, for one provider, for one credential."""

    limits: Concurrency = field(default_factory=Concurrency)
    _gates: dict[tuple[str, str], asyncio.Semaphore] = field(default_factory=dict)

    @contextlib.asynccontextmanager
    async def place(self, planned: Planned) -> AsyncIterator[None]:
        """Wait for a place; the narrowest gate first, so that a busy credential holds no other place."""
        async with contextlib.AsyncExitStack() as stack:
            if planned.credential_fingerprint is not None:
                name = planned.credential_fingerprint
                await stack.enter_async_context(self._gate("credential", name, self.limits.credential))
            provider = planned.integration.provider.name
            await stack.enter_async_context(self._gate("provider", provider, self.limits.provider))
            await stack.enter_async_context(self._gate("total", "", self.limits.total))
            yield

    def _gate(self, kind: str, name: str, size: int) -> asyncio.Semaphore:
        return self._gates.setdefault((kind, name), asyncio.Semaphore(size))


async def run(planned: Planned, tools: Tools, *, slot: int | None = None) -> Outcome:
    """Ask once. Never raises for what a provider, the network or the settings did."""
    started_at = tools.clock()
    try:
        async with asyncio.timeout(planned.timeout_seconds * 3 + 5):  # token, probe, second look
            seen = await KINDS[planned.kind].ask(planned, tools)
    except WireError as exc:
        seen = Seen(judgement=judge_failure(exc.reason, exc.detail), phases=dict(exc.phases))
    except InterlockError as exc:
        detail = f"{exc.message}; {exc.hint}" if exc.hint else exc.message
        seen = unknown(Reason.NOT_CONFIGURED, detail)
    except Exception as exc:
        log.exception("the probe %s failed by a mistake of ours", planned.key)
        seen = unknown(Reason.INTERNAL, f"a mistake in interlock itself: {type(exc).__name__}; see the log")
    return outcome(planned, seen, tools=tools, started_at=started_at, slot=slot)


async def run_all(
    plans: Sequence[Planned],
    tools: Tools,
    *,
    limits: Limits,
    done: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """Ask all at the same time, within the limits; the outcomes in the order of the plans."""
    tools.ready(plans)

    async def one(planned: Planned) -> Outcome:
        async with limits.place(planned):
            result = await run(planned, tools)
        done(result)
        return result

    tasks: list[asyncio.Task[Outcome]] = []
    try:
        for planned in plans:
            tasks.append(asyncio.create_task(one(planned)))
            await asyncio.sleep(0)  # the first are heard while the next are signed, not timed until all are
        outcomes = await asyncio.gather(*tasks)
    finally:
        for each in tasks:
            each.cancel()
    return without_our_own_fault(plans, outcomes)


def without_our_own_fault(plans: Sequence[Planned], outcomes: Sequence[Outcome]) -> list[Outcome]:
    """If several hosts were asked and none could be reached, it is us: their outcomes become `unknown`."""
    outside = [(p, o) for p, o in zip(plans, outcomes, strict=True) if p.host and not is_loopback(p.host)]
    silent = {p.host for p, o in outside if unreached(o)}
    heard = any(not unreached(o) and o.state is not State.UNKNOWN for _, o in outside)
    if heard or len(silent) < HOSTS_NEEDED:
        return list(outcomes)
    ours = {o.id for _, o in outside if unreached(o)}
    return [as_offline(each) if each.id in ours else each for each in outcomes]
