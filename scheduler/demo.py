"""The demo: stand-in providers on loopback, probed every two seconds, and a small drama that repeats."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from contracts.clients.stand_in import StandIn
from interlock.integration import resolve_all
from interlock.records import Outcome, State, Status
from interlock.settings import FILE_NAME, Settings
from interlock.status import fold
from scheduler.service import Running, serve

EVERY = "2s"
FAILURES_BEFORE_DOWN = 3
CAST = {  # the provider and the owner of each integration
    "payments": ("stripe", "checkout"),
    "payouts": ("paypal", "finance"),
    "messages": ("twilio", "notifications"),
    "mail": ("sendgrid", "notifications"),
    "code": ("github", "platform"),
    "uploads": ("s3", "platform"),
    "archive": ("gcs", "data"),
    "exports": ("azure_blob", "data"),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """At `at` seconds of each round, a provider's state changes. `seconds` as in `StandIn.set_state`."""

    at: float
    integration: str
    state: str
    line: str
    seconds: float | None = None


ROUND_SECONDS = 90.0
SCENES = (
    Scene(8, "messages", "throttled", "Twilio throttles us", 20),
    Scene(14, "mail", "revoked", "SendGrid revokes our key"),
    Scene(20, "payouts", "down", "PayPal goes down"),
    Scene(28, "messages", "healthy", "Twilio lets us in again"),
    Scene(36, "archive", "slow", "Google Cloud Storage becomes slow", 1.2),
    Scene(44, "payouts", "healthy", "PayPal comes back"),
    Scene(52, "archive", "healthy", "Google Cloud Storage is fast again"),
    Scene(60, "mail", "healthy", "SendGrid takes our key again"),
)


async def play(*, host: str, port: int, for_seconds: float | None = None) -> None:
    """Start everything, print the page's address, and play until a signal or for so many seconds."""
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="interlock-demo-")))
        stand_ins = {}
        for name, (provider, _) in CAST.items():
            stand_ins[name] = await stack.enter_async_context(StandIn(provider, tls=name == "payments"))
        settings = settings_for(stand_ins, folder)
        stop = asyncio.Event()
        if for_seconds is not None:
            asyncio.get_running_loop().call_later(for_seconds, stop.set)
        acting: list[asyncio.Task[None]] = []

        async def started(running: Running) -> None:
            say(f"the health page is at {running.url}")
            say(f"{len(CAST)} stand-in providers are probed every {EVERY}; Ctrl-C ends it")
            acting.append(asyncio.create_task(act(stand_ins)))

        try:
            await serve(
                settings,
                resolve_all(settings),
                host=host,
                port=port,
                started=started,
                done=Narrator(),
                stop=stop,
            )
        finally:
            for task in acting:
                task.cancel()
            await asyncio.gather(*acting, return_exceptions=True)
    say("the demo is over; nothing was kept")


def settings_for(stand_ins: dict[str, StandIn], folder: Path) -> Settings:
    """Settings that point at the stand-ins. Their made-up credentials go into this process's environment."""
    tables: dict[str, Any] = {}
    for name, stand_in in stand_ins.items():
        os.environ.update(stand_in.environ)
        ca_file = None
        if stand_in.ca_pem is not None:
            ca_file = folder / f"{name}.pem"
            ca_file.write_text(stand_in.ca_pem, encoding="ascii")
        probes = {kind: {"every": EVERY} for kind in ("reachability", "credential", "headroom")}
        tables[name] = stand_in.settings(ca_file=ca_file) | {
            "owner": CAST[name][1],
            "every": EVERY,
            "timeout": "1900ms",
            "slow_after": "1s",
            "failures_before_down": FAILURES_BEFORE_DOWN,
            "probes": probes,
        }
    suite = {"store": "sqlite:///demo.db", "region": "demo"}
    return Settings.model_validate({"suite": suite, "integrations": tables, "path": folder / FILE_NAME})


async def act(stand_ins: dict[str, StandIn]) -> None:
    """Play the scenes, round after round."""
    while True:
        await one_round(stand_ins, SCENES)


async def one_round(stand_ins: dict[str, StandIn], scenes: Sequence[Scene]) -> None:
    """Play the scenes once, and wait for the end of the round."""
    now = 0.0
    for scene in scenes:
        await asyncio.sleep(scene.at - now)
        now = scene.at
        say(f"scene: {scene.line}")
        await stand_ins[scene.integration].set_state(scene.state, seconds=scene.seconds)
    await asyncio.sleep(ROUND_SECONDS - now)


class Narrator:
    """Says on the terminal when a status changes, as the store will see it."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], Status] = {}

    def __call__(self, outcome: Outcome) -> None:
        """Take one outcome; speak if it changes anything after the first look."""
        key = (outcome.integration, outcome.probe.value)
        before = self._seen.get(key)
        after = fold(before, outcome, failures_before_down=FAILURES_BEFORE_DOWN)
        self._seen[key] = after
        first_look = before is None and after.state is State.OPERATIONAL
        if not first_look and (before is None or before.state is not after.state):
            say(f"  {outcome.integration} {outcome.probe.value}: {after.state.value} ({outcome.detail})")


def say(line: str) -> None:
    """One line on standard error, with the time."""
    click.echo(f"{dt.datetime.now(dt.UTC):%H:%M:%S} {line}", err=True)
