"""The inbox as a process: the door, the keeper, the forwarder, until SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime as dt
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from cassettes.redact import Redactor
from contracts.webhooks.configure import Receiver, lacking, receiver
from contracts.webhooks.inbox.after import After
from contracts.webhooks.inbox.door import Door
from contracts.webhooks.inbox.forward import Forwarder
from contracts.webhooks.inbox.keeper import Keeper
from contracts.webhooks.keys import KeyStore, over
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
        if wanted := lacking(
            each
        ):  # it would refuse everything: said at the start, not at the first delivery
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
    sock = _bind(host, inbox.port if wish.port is None else wish.port)
    with (
        contextlib.closing(sock),
        open_store(settings) as store,
        Keeper(store, inbox_key(settings)) as keeper,
    ):
        wire = Client().wire(settings.suite, settings.folder)
        forwarder = Forwarder(
            receivers=receivers, keeper=keeper, wire=wire, clock=clock, attempts=inbox.attempts
        )
        key = store.fingerprint_key()
        after = After(wake=forwarder.wake, wire=wire, redactor=Redactor(secrets, key=key), folder=wish.record)
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
        server = _Server(_config(Starlette(routes=list(door.routes()))))
        _on_signals(stop)
        async with asyncio.TaskGroup() as tasks:
            background = [tasks.create_task(forwarder.run()), tasks.create_task(_prune(keeper, clock))]
            serving = tasks.create_task(server.serve(sockets=[sock]))
            shown = f"[{host}]" if ":" in host else host
            await started(f"http://{shown}:{sock.getsockname()[1]}/hooks/")
            await _until(stop, serving)
            server.should_exit = True
            await serving
            await after.finish()
            for task in background:
                task.cancel()


async def _prune(keeper: Keeper, clock: Callable[[], dt.datetime]) -> None:
    while True:
        with contextlib.suppress(StoreError):
            await asyncio.wrap_future(keeper.prune(clock()))
        await asyncio.sleep(PRUNE_SECONDS)


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the service decides what a signal means."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=5,
    )


def _bind(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=1024)
    except OSError as exc:
        raise UsageError(
            f"cannot listen on {host} port {port}: {exc.strerror}",
            hint="choose another with --host and --port",
        ) from exc


async def _until(stop: asyncio.Event, serving: asyncio.Task[None]) -> None:
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait({waiting, serving}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


def _on_signals(stop: asyncio.Event) -> None:
    running = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(
            ValueError, RuntimeError
        ):  # not in the main thread: a test says when to stop
            running.add_signal_handler(number, stop.set)


def with_keeper(store: Store, settings: Settings) -> Keeper:
    """The keeper of a store, for a command that changes the inbox while nobody listens, or beside who does."""
    return Keeper(store, inbox_key(settings))
