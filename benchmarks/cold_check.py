"""A cold `interlock check` of 22 stand-ins beside the slowest answer among them and an httpx script."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.shared import INTERLOCK, ROOT, Figure, environment, ratio, rounds, same, serving, spend

STAND_INS = 22
PROVIDERS = ("stripe", "twilio", "github", "paypal", "s3", "sendgrid", "gcs", "azure_blob")
SLOWEST_SECONDS = 1.0
ROUNDS = 7


def run() -> list[Figure]:
    """Whole processes, compiled modules in use: imports are most of the cost."""
    with tempfile.TemporaryDirectory() as name, serving(serve, folder=name, count=STAND_INS) as environ:
        folder = Path(name)
        argvs = commands(folder)
        same_answers(argvs, environ)
        print(f"  one of the {STAND_INS} answers after {SLOWEST_SECONDS:g} s, the others at once")
        walls: list[float] = []

        def cost(name: str) -> float:
            found = spend(argvs[name], **environ)
            if name == "interlock check":
                walls.append(found.wall_seconds - SLOWEST_SECONDS)
            return found.cpu_seconds

        contenders = {name: partial(cost, name) for name in argvs}
        seen = rounds("CPU of a process", contenders, count=ROUNDS, unit="s", floor="httpx script")
    print("  wall beyond the slowest answer: " + ", ".join(f"{wall:.2f} s" for wall in walls))
    return [
        Figure(
            "cold check of 22 stand-ins: wall beyond the slowest",
            statistics.median(walls),
            unit=" s",
            target=0.6,
            beyond=0.2,
        ),
        Figure(
            "cold check of 22 stand-ins / httpx script, CPU", ratio(seen, "interlock check", "httpx script")
        ),
        Figure("cold check of 22 stand-ins, CPU", statistics.median(seen["interlock check"]), unit=" s"),
    ]


def commands(folder: Path) -> dict[str, list[str]]:
    """The contenders; the script has no signing to do: its requests are signed already."""
    return {
        "httpx script": [sys.executable, "-m", "benchmarks.asking", str(folder / "requests.json")],
        "interlock check": [
            *INTERLOCK,
            "check",
            "--config",
            str(folder / "interlock.toml"),
            "--format",
            "json",
        ],
    }


def same_answers(argvs: dict[str, list[str]], environ: dict[str, str]) -> None:
    """Both got the same status from every address; this also compiles what is not compiled yet."""
    said = {
        name: json.loads(
            subprocess.run(argv, check=True, capture_output=True, cwd=ROOT, env=environment(**environ)).stdout
        )
        for name, argv in argvs.items()
    }
    ours = {
        f"{each['name']}/{probe['probe']}": probe["status_code"]
        for each in said["interlock check"]["integrations"]
        for probe in each["probes"]
    }
    same("status of every answer", ours, said["httpx script"])


# -- inside the worker ---------------------------------------------------------------------------------


def serve(*, folder: str, count: int) -> None:
    """Serve the stand-ins; `folder` gets settings and signed requests. Prints the environment of a check."""
    asyncio.run(_serve(Path(folder), count))


async def _serve(folder: Path, count: int) -> None:
    from contracts.clients.stand_in import StandIn  # noqa: PLC0415 - not in the process that measures
    from interlock.catalogue import load  # noqa: PLC0415

    ways = [(name, way) for name in PROVIDERS for way in load(name).auth]
    environ: dict[str, str] = {}
    lines = ["[suite]", 'store = "sqlite:///bench.db"']
    async with contextlib.AsyncExitStack() as stack:
        running = []
        for number in range(count):
            provider, way = ways[number % len(ways)]
            stand_in = await stack.enter_async_context(StandIn(provider))
            running.append(stand_in)
            table = stand_in.settings(way)
            for name in table["credentials"]:
                variable = f"STAND_IN_{number}_{name}".upper()
                environ[variable] = stand_in.credentials[name]
                table["credentials"][name] = f"env:{variable}"
            lines += _table(f"integrations.{provider}-{number}", table)
        (folder / "interlock.toml").write_text("\n".join(lines), encoding="utf-8")
        os.environ.update(environ)
        requests = await _signed(folder)
        (folder / "requests.json").write_text(json.dumps(requests), encoding="utf-8")
        await running[0].set_state("slow", seconds=SLOWEST_SECONDS)
        print(json.dumps(environ), flush=True)
        await asyncio.Event().wait()


def _table(name: str, table: dict[str, Any]) -> list[str]:
    """A TOML table; strings as JSON writes them are TOML too."""
    plain = [f"{key} = {json.dumps(value)}" for key, value in table.items() if not isinstance(value, dict)]
    inner = [_table(f"{name}.{key}", value) for key, value in table.items() if isinstance(value, dict)]
    return [f"[{name}]", *plain, *(line for lines in inner for line in lines)]


async def _signed(folder: Path) -> list[dict[str, Any]]:
    """Every request that a check makes, signed now; the token requests are left out."""
    from interlock.http import Draft  # noqa: PLC0415
    from interlock.integration import resolve_all  # noqa: PLC0415
    from interlock.records import ProbeKind  # noqa: PLC0415
    from interlock.settings import load  # noqa: PLC0415
    from probes.contract import cheapest  # noqa: PLC0415
    from probes.kinds import plan  # noqa: PLC0415
    from probes.probe import Tools  # noqa: PLC0415

    tools, found = Tools(), []
    for integration in resolve_all(load(folder / "interlock.toml")):
        for planned in plan(integration, tools):
            contract = planned.kind is ProbeKind.CONTRACT
            ask = cheapest(integration) if contract else integration.ask(planned.kind)
            assert ask is not None
            body = (ask.body or "").encode()
            draft = Draft(
                method=ask.method,
                url=integration.url(ask) or "",
                headers=tuple(ask.headers.items()),
                body=body,
            )
            signer = tools.signer(integration) if ask.credentialed else None
            draft = await signer.sign(draft) if signer else draft
            found.append(
                {
                    "name": planned.key, "method": draft.method, "url": draft.url,
                    "headers": draft.headers, "body": draft.body.decode(),
                }
            )  # fmt: skip
    return found
