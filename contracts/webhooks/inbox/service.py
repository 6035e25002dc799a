"""The inbox as a process: the door, the keeper, the forwarder, until SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime as dt
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from starlette.applications import Starlette

from cassettes.redact import Redactor
from contracts.shelf import Shelf
from contracts.webhooks.configure import TOKEN_SCHEMES, Receiver, lacking, receiver
from contracts.webhooks.inbox import shapes
from contracts.webhooks.inbox.after import After
from contracts.webhooks.inbox.door import Door
from contracts.webhooks.inbox.forward import Forwarder
from contracts.webhooks.inbox.keeper import Keeper
from contracts.webhooks.inbox.shapes import Shapes
from contracts.webhooks.keys import KeyStore, over
from interlock import serving
from interlock.errors import StoreError, UsageError
from interlock.http import Client
from interlock.integration import Integration
from interlock.secrets import Secret
from interlock.settings import Settings
from interlock.store import Store, open_store

log = logging.getLogger("interlock")
PRUNE_SECONDS = 3600.0


def utc_now() -> dt.datetime:
    """The wall clock, aware and in UTC."""
    return dt.datetime.now(dt.UTC)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wish:
    """What the command line asked for over the settings. `forward`: for receivers that name no target."""

    host: str | None = None
    port: int | None = None
    forward: str | None = None
    record: Path | None = None


def receivers_of(integrations: Sequence[Integration], forward: str | None) -> dict[str, Receiver]:
    """Every integration with a `webhooks` table. Raises `UsageError` if there is none, or a key is missing."""
    found = {each.name: receiver(each) for each in integrations if each.settings.webhooks is not None}
    if not found:
        raise UsageError(
            "no integration receives webhooks",
            hint='add integrations.NAME.webhooks.secrets = ["env:NAME"] to interlock.toml',
        )
    for name, each in found.items():
        if each.scheme in TOKEN_SCHEMES:
            raise UsageError(f"integrations.{name}: {each.scheme} is a check of tokens, not of deliveries")
        # it would refuse everything: said at the start, not at the first delivery
        if wanted := lacking(each, to_check=True):
            names = " and ".join(f"webhooks.{one}" for one in wanted)
            raise UsageError(f"integrations.{name}: {names} is needed to check deliveries, and is not set")
    if forward is not None:
        found = {name: dataclasses.replace(r, forward=r.forward or forward) for name, r in found.items()}
    return found


def inbox_key(settings: Settings) -> Secret | None:
    """The key that raw deliveries are encrypted with; None if the settings name none. Raises `SecretError`."""
    reference = settings.inbox.key
    return reference.resolve(base=settings.folder) if reference else None


async def serve(
    settings: Settings,
    receivers: Mapping[str, Receiver],
    secrets: Sequence[Secret],
    wish: Wish,
    *,
    started: Callable[[str], Awaitable[None]],
    stop: asyncio.Event | None = None,
    clock: Callable[[], dt.datetime] = utc_now,
) -> None:
    """Run until SIGTERM, SIGINT or `stop`. Raises `UsageError`, `StoreError`."""
    stop = stop or asyncio.Event()
    inbox = settings.inbox
    host = wish.host or inbox.host
    sock = serving.bind(host, inbox.port if wish.port is None else wish.port)
    with (
        contextlib.closing(sock),
        open_store(settings) as store,
        Keeper(store, inbox_key(settings)) as keeper,
        Shapes(shapes.benches(receivers, Shelf.of(settings), clock()), keeper, clock) as judge,
    ):
        wire = Client().wire(settings.suite, settings.folder)
        forwarder = Forwarder(
            receivers=receivers, keeper=keeper, wire=wire, clock=clock, attempts=inbox.attempts
        )
        key = store.fingerprint_key()
        after = After(
            wake=forwarder.wake,
            wire=wire,
            redactor=Redactor(secrets, key=key),
            folder=wish.record,
            shapes=judge,
        )
        door = Door(
            receivers=receivers,
            keeper=keeper,
            keys=KeyStore(fetch=over(wire), now=lambda: clock().timestamp()),
            clock=clock,
            largest_bytes=inbox.largest_bytes,
            keep=dt.timedelta(seconds=inbox.keep),
            fingerprint_key=key,
            taken=after,
        )
        server = serving.server(Starlette(routes=list(door.routes())))
        serving.on_signals(stop)
        async with asyncio.TaskGroup() as tasks:
            background = [tasks.create_task(forwarder.run()), tasks.create_task(_prune(keeper, clock))]
            running = tasks.create_task(server.serve(sockets=[sock]))
            await started(f"{serving.url(host, sock)}hooks/")
            await serving.until(stop, running)
            server.should_exit = True
            await running
            await after.finish()
            for task in background:
                task.cancel()


async def _prune(keeper: Keeper, clock: Callable[[], dt.datetime]) -> None:
    while True:
        with contextlib.suppress(StoreError):
            await asyncio.wrap_future(keeper.prune(clock()))
        await asyncio.sleep(PRUNE_SECONDS)


def with_keeper(store: Store, settings: Settings) -> Keeper:
    """The keeper of a store, for a command that changes the inbox while nobody listens, or beside who does."""
    return Keeper(store, inbox_key(settings))
