"""Sending on: every delivery until the target takes it, with growing pauses, however long the target hangs."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime as dt
import logging
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import cast

import tenacity

from contracts.webhooks.configure import Receiver
from contracts.webhooks.inbox.keeper import Keeper
from contracts.webhooks.inbox.records import Due, Stage
from interlock.errors import StoreError
from interlock.http import Draft, built
from interlock.wire import Wire, WireError

log = logging.getLogger(__name__)
AT_ONCE = 16  # requests under way
DEADLINE_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 3600.0
LOOK_SECONDS = 0.5  # between two looks for what is due, while nothing is
ID_HEADER, ATTEMPT_HEADER = "Interlock-Delivery", "Interlock-Attempt"
# RFC 9110, 7.6.1: these belong to one connection. Host and length are those of the new request.
_HOP_BY_HOP = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
        "transfer-encoding", "upgrade", "host", "content-length", "accept-encoding", "expect",
    }
)  # fmt: skip
_PAUSES = tenacity.wait_random_exponential(multiplier=1, max=LONGEST_PAUSE_SECONDS)

Clock = Callable[[], dt.datetime]


def pause(attempt: int) -> float:
    """Seconds until the next attempt: anything up to one, two, four ... up to an hour (full jitter)."""
    return float(_PAUSES(cast("tenacity.RetryCallState", SimpleNamespace(attempt_number=attempt))))


def draft(due: Due, target: str) -> Draft:
    """The delivery as it came, to another address, with our id and the number of the attempt.

    Signature headers go with it, so that the target may check them once more.
    """
    kept = [(name, value) for name, value in due.delivery.headers if name.lower() not in _HOP_BY_HOP]
    own = [(ID_HEADER, due.id), (ATTEMPT_HEADER, str(due.attempts + 1))]
    return Draft(method="POST", url=target, headers=(*kept, *own), body=due.delivery.body)


@dataclasses.dataclass(kw_only=True)
class Forwarder:
    """Runs until it is cancelled. `attempts`: after so many a delivery is dead, and can be replayed."""

    receivers: Mapping[str, Receiver]
    keeper: Keeper
    wire: Wire
    clock: Clock
    attempts: int
    pause: Callable[[int], float] = pause
    wake: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Look for what is due, send it, and look again; a request that hangs holds up no other.

        `wake` says that something may be due; without it a look is taken twice a second.
        """
        under_way: set[asyncio.Task[None]] = set()
        try:
            while True:
                self.wake.clear()
                found = await self._look(AT_ONCE - len(under_way))
                for due in found:
                    task = asyncio.create_task(self.send(due))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
                if len(under_way) >= AT_ONCE:
                    await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                elif not found:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self.wake.wait(), LOOK_SECONDS)
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _look(self, room: int) -> list[Due]:
        if room <= 0:
            return []
        try:
            return await asyncio.wrap_future(self.keeper.due(self.clock(), room))
        except StoreError:
            return []  # said by the keeper; what is due stays due

    async def send(self, due: Due) -> None:
        """One attempt, and what became of it."""
        target = self.receivers[due.integration].forward if due.integration in self.receivers else None
        status = None if target is None else await self._asked(due, target)
        stage, again_at, now = Stage.QUEUED, None, self.clock()
        if status is not None and 200 <= status < 300:  # noqa: PLR2004 - RFC 9110, 15.3
            stage = Stage.FORWARDED
        elif due.attempts + 1 >= self.attempts:
            stage = Stage.DEAD
            log.warning(
                "%s: delivery %s is dead after %d attempts", due.integration, due.id, due.attempts + 1
            )
        else:
            again_at = now + dt.timedelta(seconds=self.pause(due.attempts + 1))
        try:
            await asyncio.wrap_future(self.keeper.sent(due, status, stage, again_at, now))
        except StoreError:
            log.warning("%s: delivery %s may be sent on once more", due.integration, due.id)

    async def _asked(self, due: Due, target: str) -> int | None:
        try:
            answer = await self.wire.exchange(built(draft(due, target)), deadline_seconds=DEADLINE_SECONDS)
        except (WireError, ValueError):
            return None
        return answer.status
