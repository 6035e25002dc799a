"""What the benchmarks share: fresh processes and what they cost, alternating rounds, ratios and targets."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
INTERLOCK = (sys.executable, "-c", "from interlock.cli import main; main()")
MEBIBYTE = 1024 * 1024


class MissingProgramError(Exception):
    """A peer is not installed. Its message names the Debian package that brings it."""


class DifferentAnswersError(Exception):
    """What is compared does not do the same work, so its times say nothing."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure beside its target.

    `target`: at most this, or at least if `at_least`; None where there is none. `beyond`: the next target.
    """

    what: str
    value: float
    unit: str = "x"
    target: float | None = None
    beyond: float | None = None
    at_least: bool = False

    def within(self, limit: float) -> bool:
        """Whether the figure keeps a limit."""
        return self.value >= limit if self.at_least else self.value <= limit

    @property
    def verdict(self) -> str:
        """What was reached, in words."""
        if self.target is None:
            return ""
        if not self.within(self.target):
            return "MISSED"
        return "reached, and beyond" if self.beyond is not None and self.within(self.beyond) else "reached"

    def __str__(self) -> str:
        """One line: what, how much, the target, the verdict."""
        sign = ">=" if self.at_least else "<="
        wanted = "" if self.target is None else f"target {sign} {self.target:g}{self.unit}"
        return f"{self.what:<64} {self.value:>9.3g}{self.unit:<4} {wanted:<20} {self.verdict}".rstrip()


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process or a piece of work cost, in seconds. CPU is user and system together."""

    cpu_seconds: float
    wall_seconds: float


def same(what: str, first: object, second: object) -> None:
    """Assert that two contenders give the same answer. Raises `DifferentAnswersError`."""
    if first != second:
        raise DifferentAnswersError(f"{what}: {str(first)[:300]} and {str(second)[:300]}")


def corpus(part: str) -> Path:
    """A part of the corpus of recordings and documents, which lies beside the project or where INTERLOCK_CORPUS says.

    Raises `MissingProgramError` where it is not there.
    """
    named = os.environ.get("INTERLOCK_CORPUS")
    path = (Path(named) if named else ROOT.parent / "shared" / "corpus") / part
    if not path.exists():
        raise MissingProgramError(f"{path} is not there; INTERLOCK_CORPUS names the folder of the corpus")
    return path


# -- processes ---------------------------------------------------------------------------------------


def program(name: str, package: str) -> str:
    """The path of a peer. Raises `MissingProgramError`."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise MissingProgramError(f"{name} is not installed; on Debian: apt-get install {package}")
    return found


def environment(**more: str) -> dict[str, str]:
    """This process's environment with compiled modules in use, as an installed interlock has them."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | more


def spend(argv: Sequence[str], **more: str) -> Spent:
    """Run a program to its end and say what it cost. Raises `CalledProcessError`."""
    began = time.perf_counter()
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, cwd=ROOT, env=environment(**more)) as process:
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, argv)
    return Spent(used.ru_utime + used.ru_stime, wall)


def worker(function: Callable[..., object], **arguments: Any) -> Any:
    """Call a module's function in a fresh process; what it returns comes back as JSON."""
    argv = [*_worker_argv(function), json.dumps(arguments)]
    return json.loads(
        subprocess.run(argv, check=True, capture_output=True, cwd=ROOT, env=environment()).stdout
    )


def _worker_argv(function: Callable[..., object]) -> list[str]:
    return [sys.executable, "-m", "benchmarks.worker", f"{function.__module__}:{function.__name__}"]


@contextlib.contextmanager
def serving(function: Callable[..., object], **arguments: Any) -> Iterator[Any]:
    """Run a function that serves in a fresh process; yields the one line of JSON that it prints first."""
    argv = [*_worker_argv(function), json.dumps(arguments)]
    with started(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise subprocess.CalledProcessError(process.wait(), argv)
        yield json.loads(line)


@contextlib.contextmanager
def started(argv: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended, by its id, when the block ends."""
    process = subprocess.Popen(argv, cwd=ROOT, env=environment(), **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


def cpu_seconds(pids: Sequence[int]) -> float:
    """User and system time of these processes so far, from /proc."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def pss_bytes(pids: Sequence[int]) -> int:
    """Proportional set size of these processes together, from /proc: shared pages are split between sharers."""
    total = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines()
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


def peak_rss_bytes() -> int:
    """The most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


# -- measuring ---------------------------------------------------------------------------------------


def spent(work: Callable[[], object]) -> Spent:
    """What a piece of work costs this process, all its threads included."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Spent(time.process_time() - cpu, time.perf_counter() - wall)


def rounds(
    title: str, contenders: Mapping[str, Callable[[], float]], *, count: int, unit: str, floor: str
) -> dict[str, list[float]]:
    """Let the contenders take turns; prints each round with its ratios to `floor`, then the medians."""
    print(f"\n{title}")
    names = list(contenders)
    seen: dict[str, list[float]] = {name: [] for name in names}
    for number in range(count):
        turn = names[number % len(names) :] + names[: number % len(names)]  # nobody always goes first
        for name in turn:
            seen[name].append(contenders[name]())
        print(f"  round {number + 1}: " + _line({n: seen[n][-1] for n in names}, floor, unit))
    print("  median:  " + _line({n: statistics.median(seen[n]) for n in names}, floor, unit), flush=True)
    return seen


def together(
    title: str, work: Callable[[], Mapping[str, float]], *, count: int, unit: str, floor: str
) -> dict[str, list[float]]:
    """The same for contenders that take turns inside `work`: closer together in time, where each is short."""
    print(f"\n{title}")
    seen: dict[str, list[float]] = {}
    for number in range(count):
        told = work()
        for name, value in told.items():
            seen.setdefault(name, []).append(value)
        print(f"  round {number + 1}: " + _line(told, floor, unit))
    print(
        "  median:  " + _line({n: statistics.median(each) for n, each in seen.items()}, floor, unit),
        flush=True,
    )
    return seen


def _line(values: Mapping[str, float], floor: str, unit: str) -> str:
    parts = []
    for name, value in values.items():
        ratio = "" if name == floor else f" ({value / values[floor]:.2f}x)"
        parts.append(f"{name} {value:.4g} {unit}{ratio}")
    return ", ".join(parts)


def ratio(seen: Mapping[str, Sequence[float]], name: str, floor: str) -> float:
    """The median of the ratios of each round."""
    pairs = zip(seen[name], seen[floor], strict=True)
    return statistics.median(one / other for one, other in pairs)
