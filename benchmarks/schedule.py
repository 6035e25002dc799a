"""10,000 jobs every 30 s on our loop, with a probe that returns at once, beside a bare heap of due times."""

from __future__ import annotations

import asyncio
import dataclasses
import heapq
import statistics
import time
from functools import partial
from typing import Any

from benchmarks.shared import Figure, ratio, rounds, same, worker

JOBS, EVERY_SECONDS = 10_000, 30.0
WARM_UP_SECONDS, WINDOW_SECONDS = 2.0, 31.0
ROUNDS = 2


def run() -> list[Figure]:
    """Each for one whole interval in turn, so that every job runs once in each window."""
    found: dict[str, list[dict[str, float]]] = {"heap": [], "loop": []}

    def cost(name: str) -> float:
        told = worker(
            WORKERS[name], jobs=JOBS, every=EVERY_SECONDS, warm_up=WARM_UP_SECONDS, window=WINDOW_SECONDS
        )
        found[name].append(told)
        return float(told["core"]) * 100

    title = f"{JOBS} jobs every {EVERY_SECONDS:g} s: CPU in % of a core"
    seen = rounds(title, {name: partial(cost, name) for name in found}, count=ROUNDS, unit="%", floor="heap")
    for name, each in found.items():
        print(
            f"  lag of {name}: "
            + ", ".join(f"p99 {t['p99'] * 1000:.1f} ms, worst {t['worst'] * 1000:.0f} ms" for t in each)
        )
    check(found)
    p99 = {name: statistics.median(t["p99"] for t in each) * 1000 for name, each in found.items()}
    return [
        Figure("10,000 jobs every 30 s: p99 lag", p99["loop"], unit=" ms", target=100),
        Figure("10,000 jobs every 30 s: p99 lag of a bare heap", p99["heap"], unit=" ms"),
        Figure("10,000 jobs every 30 s: CPU, % of a core", statistics.median(seen["loop"]), unit=" %"),
        Figure("10,000 jobs every 30 s: CPU / a bare heap", ratio(seen, "loop", "heap")),
    ]


def check(found: dict[str, list[dict[str, float]]]) -> None:
    """Every job ran, and none ran twice in an interval."""
    for name, each in found.items():
        for told in each:
            same(f"different jobs run by {name}", int(told["different"]), int(told["jobs"]))
            same(f"jobs run twice at one moment by {name}", int(told["twice"]), 0)


@dataclasses.dataclass
class Kept:
    """Which job ran for which moment, and how late (seconds)."""

    runs: list[tuple[str, float, float]] = dataclasses.field(default_factory=list)

    def note(self, key: str, due: float) -> None:
        """One run."""
        self.runs.append((key, due, time.time() - due))

    def told(self, jobs: int, core: float) -> dict[str, float]:
        """What comes back from a worker. `core`: part of a core, 0 to 1."""
        lags = sorted(lag for _, _, lag in self.runs)
        moments = {(key, due) for key, due, _ in self.runs}
        return {
            "jobs": jobs,
            "different": len({key for key, _ in moments}),
            "twice": len(self.runs) - len(moments),
            "core": core,
            "p99": lags[int(len(lags) * 0.99)],
            "worst": lags[-1],
        }


async def _window(kept: Kept, jobs: int, warm_up: float, window: float) -> dict[str, float]:
    await asyncio.sleep(warm_up)
    kept.runs.clear()
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.sleep(window)
    core = (time.process_time() - cpu) / (time.perf_counter() - wall)
    return kept.told(jobs, core)


def heap(*, jobs: int, every: float, warm_up: float, window: float) -> dict[str, float]:
    """The floor: one heap, one sleep, a task for each job."""
    from scheduler.slots import next_at  # noqa: PLC0415 - each worker imports only what it measures

    async def main() -> dict[str, float]:
        kept, now = Kept(), time.time()
        due = [(next_at(now, key, every), key) for key in map(_key, range(jobs))]
        heapq.heapify(due)

        async def job(key: str, at: float) -> None:
            kept.note(key, at)

        async def turn() -> None:
            running: set[asyncio.Task[None]] = set()
            while True:
                at, key = due[0]
                if (wait := at - time.time()) > 0:
                    await asyncio.sleep(wait)
                heapq.heapreplace(due, (at + every, key))
                task = asyncio.create_task(job(key, at))
                running.add(task)
                task.add_done_callback(running.discard)

        turning = asyncio.create_task(turn())
        told = await _window(kept, jobs, warm_up, window)
        turning.cancel()
        return told

    return asyncio.run(main())


def _key(number: int) -> str:
    return f"service-{number:05}/heartbeat"


def loop(*, jobs: int, every: float, warm_up: float, window: float) -> dict[str, float]:
    """Ours: APScheduler, limits, manners, outcome and all, but for network and disk."""
    from interlock.answers import Judgement  # noqa: PLC0415
    from interlock.catalogue import Cost  # noqa: PLC0415
    from interlock.integration import resolve  # noqa: PLC0415
    from interlock.records import ProbeKind, Reason, State  # noqa: PLC0415
    from interlock.settings import IntegrationSettings, Network  # noqa: PLC0415
    from probes.kinds import KINDS  # noqa: PLC0415
    from probes.probe import Planned, Seen, Tools  # noqa: PLC0415
    from scheduler.loop import Loop  # noqa: PLC0415
    from scheduler.slots import due_at  # noqa: PLC0415

    kept = Kept()

    class AtOnce:
        """A probe that returns at once."""

        def cost(self, _: Any) -> Cost:
            """Nothing."""
            return Cost(requests=0, free=True)

        def host(self, _: Any) -> str:
            """Loopback."""
            return "127.0.0.1"

        async def ask(self, planned: Planned, _: Tools) -> Seen:
            """Note when."""
            kept.note(planned.key, due_at(time.time(), planned.key, every))
            return Seen(judgement=Judgement(state=State.OPERATIONAL, reason=Reason.OK, detail="at once"))

    class Nowhere:
        """A store that keeps nothing."""

        lost = 0

        def put(self, _: Any) -> None:
            """Drop it."""

        set_gauge = put

        def flush(self) -> None:
            """There is nothing to write."""

    from pathlib import Path  # noqa: PLC0415

    KINDS[ProbeKind.HEARTBEAT] = AtOnce()
    settings = IntegrationSettings.model_validate({"provider": "generic", "base_url": "http://127.0.0.1:1"})
    one = resolve("one", settings, network=Network(), folder=Path.cwd())
    plans = [
        Planned(
            integration=dataclasses.replace(one, name=f"service-{number:05}"),
            kind=ProbeKind.HEARTBEAT,
            every_seconds=every,
            timeout_seconds=10.0,
            slow_after_seconds=3.0,
            failures_before_down=3,
            cost=Cost(requests=0, free=True),
            host="127.0.0.1",
            credential_fingerprint=None,
        )
        for number in range(jobs)
    ]

    async def main() -> dict[str, float]:
        running = Loop(plans, Tools(), Nowhere())  # type: ignore[arg-type]
        running.start()
        told = await _window(kept, jobs, warm_up, window)
        await running.drain(5.0)
        return told

    try:
        return asyncio.run(main())
    finally:
        del KINDS[ProbeKind.HEARTBEAT]  # a test in the same process knows the real kinds alone


WORKERS = {"heap": heap, "loop": loop}
