"""The loop: APScheduler says when, a probe is asked under its limits, the outcome goes to the store."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from interlock.records import Outcome
from interlock.settings import Retention
from interlock.store import Store
from interlock.writing import Gauge, Recorded
from probes.connectivity import Guard
from probes.probe import Planned, Tools
from probes.run import Limits, run
from scheduler.ledger import Ledger
from scheduler.manners import Holds
from scheduler.slots import due_at, missed, next_at, slot

log = logging.getLogger(__name__)
GAUGES_EVERY_SECONDS = 5.0
PRUNE_EVERY_SECONDS = 3600.0


@dataclass
class Loop:
    """Runs plans until `drain`. `done` is called with every outcome, after it went to the store."""

    plans: Sequence[Planned]
    tools: Tools
    store: Store
    limits: Limits = field(default_factory=Limits)
    retention: Retention = field(default_factory=Retention)
    done: Callable[[Outcome], None] = lambda _: None
    also: Callable[[], None] = lambda: None  # called every few seconds
    guard: Guard = field(default_factory=Guard)
    holds: Holds = field(default_factory=Holds)
    ledger: Ledger = field(default_factory=Ledger)
    _scheduler: AsyncIOScheduler | None = None
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)
    _last_due: dict[str, float] = field(default_factory=dict)
    _missed: dict[str, int] = field(default_factory=dict)
    _worst_lag_seconds: float = 0.0

    def start(self) -> None:
        """Plan every probe, each at its own phase. Must be called in a running event loop."""
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        scheduler = AsyncIOScheduler(
            timezone=dt.UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        now = self.tools.clock().timestamp()
        for planned in self.plans:
            start = dt.datetime.fromtimestamp(next_at(now, planned.key, planned.every_seconds), dt.UTC)
            trigger = IntervalTrigger(seconds=planned.every_seconds, start_date=start, timezone=dt.UTC)
            scheduler.add_job(self._due, trigger, args=(planned,), id=planned.key)
        scheduler.add_job(self._tell, IntervalTrigger(seconds=GAUGES_EVERY_SECONDS, timezone=dt.UTC))
        scheduler.add_job(self._prune, IntervalTrigger(seconds=PRUNE_EVERY_SECONDS, timezone=dt.UTC))
        scheduler.start()
        self._scheduler = scheduler

    def ask_soon(self, within_seconds: float) -> None:
        """Ask, once and spread over the next seconds, every probe that would not be asked in them anyway."""
        now = self.tools.clock().timestamp()
        late = [p for p in self.plans if next_at(now, p.key, p.every_seconds) - now > within_seconds]
        for index, planned in enumerate(late):
            self._keep(self._first(planned, within_seconds * index / len(late)))

    async def _first(self, planned: Planned, delay_seconds: float) -> None:
        await asyncio.sleep(delay_seconds)
        await self._asked(planned, None)

    async def _due(self, planned: Planned) -> None:
        """One scheduled moment of one probe."""
        now = self.tools.clock().timestamp()
        due = due_at(now, planned.key, planned.every_seconds)
        self._worst_lag_seconds = max(self._worst_lag_seconds, now - due)
        if count := missed(self._last_due.get(planned.key), due, planned.every_seconds):
            self._missed[planned.key] = self._missed.get(planned.key, 0) + count
        self._last_due[planned.key] = due
        await self._keep(self._asked(planned, slot(due)))

    def _keep(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task that outlives APScheduler's shutdown, so that it can be waited for."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _asked(self, planned: Planned, due_slot: int | None) -> None:
        now = self.tools.clock()
        if self.holds.until(planned, now) is not None or self.ledger.until(planned, now) is not None:
            return  # we were told to stay away, or little is left; what was said last still holds
        self.ledger.ask(planned, now)
        async with self.limits.place(planned):
            outcome = await run(planned, self.tools, slot=due_slot)
        outcome = self.guard.correct(planned.host, outcome)
        self.holds.note(planned, outcome)
        outcome = self.ledger.note(planned, outcome)
        self.store.put(Recorded(outcome, planned.failures_before_down))
        self.done(outcome)

    async def _tell(self) -> None:
        """Write what the scheduler says of itself, and look after what else is due."""
        self.also()
        now, region = self.tools.clock(), self.tools.region
        said = {("scheduler_alive", ""): 1.0, ("scheduler_lag_seconds", ""): self._worst_lag_seconds}
        said[("store_lost_total", "")] = float(self.store.lost)
        said |= {("missed_runs_total", key): float(count) for key, count in self._missed.items()}
        said |= {
            ("probe_requests_total", f"{integration}/{bucket}"): float(count)
            for (integration, bucket), count in self.ledger.requests.items()
        }
        said |= {("probe_interval_seconds", key): each for key, each in self.ledger.stretched(now).items()}
        self._worst_lag_seconds = 0.0
        for (name, label), value in said.items():
            self.store.set_gauge(Gauge(region, name, label, value, now))

    async def _prune(self) -> None:
        now = self.tools.clock()
        await asyncio.to_thread(
            self.store.prune,
            outcomes_before=now - dt.timedelta(seconds=self.retention.outcomes),
            hours_before=now - dt.timedelta(seconds=self.retention.hours),
        )

    async def drain(self, timeout_seconds: float) -> None:
        """Start nothing new, wait for what is under way, write it all; drop what is not done in time."""
        if self._scheduler is not None:
            self._scheduler.remove_all_jobs()
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=timeout_seconds)
            for task in late:
                task.cancel()
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
        await asyncio.to_thread(self.store.flush)
