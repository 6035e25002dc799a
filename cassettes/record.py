"""`interlock record NAME --out FILE [-- COMMAND...]`: record any language's traffic with a provider."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from cassettes.destinations import Destinations
from cassettes.intercept import environment
from cassettes.proxy import RecordingProxy
from cassettes.recorder import Mode, Recorder
from cassettes.redact import Redactor
from interlock import catalogue, options
from interlock import settings as settings_module
from interlock.errors import InterlockError, UsageError
from interlock.http import Client
from interlock.integration import Integration, public_face, resolve_all
from interlock.listening import address
from interlock.settings import Settings

SCHEMA = "interlock.record/1"
_GRACE_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line asked for. `command`: empty to serve until a signal."""

    out: Path
    host: str
    port: int
    mode: Mode
    base: str | None
    command: tuple[str, ...]
    form: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """How it went. `status`: what the command ended with; None where there was none."""

    proxy: RecordingProxy
    recorder: Recorder
    out: Path
    status: int | None


@click.command(short_help="Record traffic with a provider, from any language.")
@click.argument("name")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The cassette.")
@click.option(
    "--listen", default="127.0.0.1:0", metavar="HOST:PORT", help="Where to listen; port 0 takes a free one."
)
@click.option(
    "--mode",
    type=click.Choice([each.value for each in Mode]),
    default=Mode.ONCE.value,
    show_default=True,
    help="When to record, as vcrpy has it.",
)
@click.option("--base", metavar="NAME", help="Which base URL the reverse proxy stands before.")
@options.config
@click.option("--i-own-this-host", "own_host", is_flag=True, help="Listen where others can reach it.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print the summary."
)
def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    name: str,
    command: tuple[str, ...],
    out: Path,
    listen: str,
    mode: str,
    base: str | None,
    config: Path | None,
    form: str,
    *,
    own_host: bool,
) -> int:
    """Stand between a client and its provider, and keep what passes in a cassette without secrets.

    NAME is an integration of interlock.toml or a provider of the catalogue. Point the client's base URL at
    the address that is printed; or give the command after `--`, and it gets the environment that leads it
    here, HTTPS included: then its host and its signatures stay as they are. Only the provider's own hosts
    are reached.

    Without a command it records until SIGINT or SIGTERM. Exit status: 0 recorded; 1 the command failed, or a
    request got no answer; 3 nothing was recorded or replayed; 2 the command line or the settings are wrong.
    """
    found = settings_module.wanted(config)
    integration = _integration(name, found)
    if base is not None and base not in integration.bases:
        raise UsageError(
            f"{name} has no base {base!r}", hint=f"it has: {', '.join(integration.bases) or 'none'}"
        )
    host, port = address(listen, own_host=own_host, what="the recorder")
    wish = Wish(out=out, host=host, port=port, mode=Mode(mode), base=base, command=command, form=form)
    recorder = Recorder(out, Redactor(_secrets(integration), key=_key(found)), wish.mode)
    recorded = asyncio.run(record(wish, integration, recorder))
    click.echo(_json(recorded) if form == "json" else _text(recorded), err=bool(command))
    return exit_status(recorded)


def _integration(name: str, found: Settings | None) -> Integration:
    """The integration of the settings, or the provider as anybody sees it. Raises `UsageError`."""
    if found is not None and name in found.integrations:
        return resolve_all(found, (name,))[0]
    return public_face(catalogue.load(name))


def _secrets(integration: Integration) -> list[Any]:
    known = integration.provider.credentials
    return [s for n, s in integration.secrets.items() if not (n in known and known[n].public)]


def _key(found: Settings | None) -> bytes | None:
    """The key that makes placeholders the same from run to run, where the settings have one."""
    reference = found.suite.fingerprint_key if found else None
    if found is None or reference is None:
        return None
    try:
        return reference.resolve(base=found.folder).reveal().encode()
    except InterlockError as exc:
        raise UsageError(f"suite.fingerprint_key: {exc.message}") from exc


async def record(wish: Wish, integration: Integration, recorder: Recorder) -> Recorded:
    """Serve until the command ends or a signal comes; whatever happens, what was recorded is written."""
    stop = _stop_at_signals()
    wire = Client().wire(integration.network, integration.folder)
    proxy = RecordingProxy(
        Destinations(integration, wish.base),
        recorder,
        wire,
        origin=integration.environment.value,
        host=wish.host,
        port=wish.port,
    )
    status = None
    try:
        async with contextlib.AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(proxy)
            except OSError as exc:
                raise UsageError(f"cannot listen on {wish.host}:{wish.port} ({exc.strerror})") from exc
            if wish.command:
                status = await _run(wish.command, proxy, stop)
            else:
                click.echo(_greeting(proxy, integration, wish), err=wish.form == "json")
                await stop.wait()
    finally:
        await asyncio.to_thread(recorder.close)
    return Recorded(proxy=proxy, recorder=recorder, out=wish.out, status=status)


def _stop_at_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _run(command: Sequence[str], proxy: RecordingProxy, stop: asyncio.Event) -> int:
    """The command's exit status, in the environment that leads it here; -N where signal N ended it."""
    with tempfile.TemporaryDirectory(prefix="interlock-record-") as folder:
        authority = Path(folder) / "authority.pem"
        authority.write_text(proxy.authority.pem, encoding="ascii")
        environ = environment(os.environ, proxy_url=proxy.url, authority=authority)
        try:
            process = await asyncio.create_subprocess_exec(*command, env=environ)
        except OSError as exc:
            raise UsageError(f"{command[0]} cannot be started: {exc.strerror}") from exc
        ended = asyncio.create_task(process.wait())
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not ended.done():  # Ctrl-C reached it as well; SIGTERM came to us alone
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await asyncio.wait({ended}, timeout=_GRACE_SECONDS)
        if not ended.done():
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        return await ended


def _greeting(proxy: RecordingProxy, integration: Integration, wish: Wish) -> str:
    before = Destinations(integration, wish.base).reverse_url
    if before is None:
        return f"recording at {proxy.url} as a proxy; the provider's address is not known, so not as its base URL"
    return f"recording {before} at {proxy.url} into {wish.out}; end with Ctrl-C"


def exit_status(recorded: Recorded) -> int:
    """1 where something went wrong on the way, 3 where nothing passed, else 0."""
    counts = recorded.proxy.counts
    if recorded.status or counts["missed"] or counts["failed"]:
        return 1
    return 0 if counts["recorded"] or counts["replayed"] else 3


def _text(recorded: Recorded) -> str:
    counts, hits = recorded.proxy.counts, recorded.recorder.hits
    done = [f"{counts[name]} {name}" for name in ("recorded", "replayed") if counts[name]]
    lines = [f"{', '.join(done) or 'nothing recorded'}: {recorded.out}"]
    if hits:
        kinds = ", ".join(f"{count} {rule}" for rule, count in hits.most_common())
        lines.append(f"{hits.total()} secrets and personal data replaced by placeholders: {kinds}")
    for host, count in recorded.proxy.refused_hosts.most_common():
        lines.append(f"refused {count} to {host}: no host of this provider")
    if counts["missed"]:
        lines.append(f"{counts['missed']} not in the cassette, and the mode records nothing new")
    for what, count in recorded.proxy.troubles.most_common():
        lines.append(f"{count} without an answer: {what}")
    if recorded.status:
        lines.append(f"the command ended with {_ended_with(recorded.status)}")
    return "\n".join(lines)


def _ended_with(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"status {status}"


def _json(recorded: Recorded) -> str:
    names = ("recorded", "replayed", "refused", "missed", "failed")
    form = {
        "schema": SCHEMA,
        "cassette": str(recorded.out),
        "counts": {name: recorded.proxy.counts[name] for name in names},
        "refused_hosts": dict(recorded.proxy.refused_hosts),
        "without_an_answer": dict(recorded.proxy.troubles),
        "replaced": dict(recorded.recorder.hits),
        "command_status": recorded.status,
    }
    return json.dumps(form, indent=2)
