"""Days of scheduled probes in seconds: every slot in order, on a clock that is turned by hand."""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Sequence

from probes.probe import Planned
from scheduler.loop import Loop
from scheduler.slots import next_at, slot
from tests.records import NOON


class Days:
    """A loop without its scheduler."""

    def __init__(self) -> None:
        self.now = NOON

    def clock(self) -> dt.datetime:
        """For the loop's tools, and for the provider."""
        return self.now

    async def run(self, loop: Loop, plans: Sequence[Planned], days: float) -> int:
        """Every slot of so many days; how many there were."""
        end, count = self.now + dt.timedelta(days=days), 0
        due = [(next_at(self.now.timestamp(), p.key, p.every_seconds), n) for n, p in enumerate(plans)]
        heapq.heapify(due)
        while due[0][0] < end.timestamp():
            moment, number = heapq.heappop(due)
            self.now = dt.datetime.fromtimestamp(moment, dt.UTC)
            await loop._asked(plans[number], slot(moment))
            heapq.heappush(due, (moment + plans[number].every_seconds, number))
            count += 1
        return count
