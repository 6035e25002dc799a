"""`interlock --help` beside `python -c pass`, the least that any Python program costs."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.shared import INTERLOCK, ROOT, Figure, environment, ratio, rounds, same, spend

ROUNDS = 15
NOTHING = (sys.executable, "-c", "pass")
CLICK = (sys.executable, "-c", "import click")


def run() -> list[Figure]:
    """CPU of whole processes, compiled modules in use and warm."""
    argv = (*INTERLOCK, "--help")
    check(argv)
    contenders = {
        "python -c pass": lambda: spend(NOTHING).cpu_seconds * 1000,
        "import click": lambda: spend(CLICK).cpu_seconds * 1000,
        "interlock --help": lambda: spend(argv).cpu_seconds * 1000,
    }
    seen = rounds("CPU of a process", contenders, count=ROUNDS, unit="ms", floor="python -c pass")
    return [
        Figure(
            "interlock --help / python -c pass, CPU",
            ratio(seen, "interlock --help", "python -c pass"),
            target=4.5,
        )
    ]


def check(argv: tuple[str, ...]) -> None:
    """It says every command; this also compiles what is not compiled yet."""
    from interlock.cli import COMMANDS  # noqa: PLC0415 - not while others are measured

    said = subprocess.run(
        argv, check=True, capture_output=True, text=True, cwd=ROOT, env=environment()
    ).stdout
    same("commands in the help", [name for name in COMMANDS if f"  {name} " in said], list(COMMANDS))
