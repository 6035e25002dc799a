"""`interlock stand-in NAME`: serve a provider on loopback until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shlex
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from cassettes.matching import Tape
from cassettes.replay import ReplayServer, load
from contracts.clients.faults import FAULTS
from contracts.clients.stand_in import STATES, StandIn
from interlock import options
from interlock.called import provider_asked
from interlock.errors import UsageError
from interlock.listening import address


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line asked for. `for_seconds`: None to serve until a signal."""

    name: str
    host: str
    port: int
    tls: bool
    ca_file: Path | None
    state: str
    requests_per_window: int | None
    for_seconds: float | None
    form: str


def _toml(value: Any) -> str:
    """A TOML value: text, a list or an inline table of text. JSON's escapes are TOML's."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


def snippet(stand_in: StandIn, *, ca_file: Path | None = None) -> str:
    """The table for interlock.toml that points an integration at a stand-in."""
    table = stand_in.settings(ca_file=ca_file)
    lines = [f"[integrations.{stand_in.provider.name.replace('_', '-')}-stand-in]"]
    return "\n".join(lines + [f"{key} = {_toml(value)}" for key, value in table.items()])


def _text(stand_in: StandIn, ca_file: Path | None) -> str:
    parts = [f"# {stand_in.provider.title} stands in at {stand_in.url}"]
    parts += [f"# steer it at {stand_in.control_url}"]
    parts += ["", "# credentials, made up for this run"]
    parts += [f"export {name}={shlex.quote(value)}" for name, value in stand_in.environ.items()]
    parts += ["", "# for interlock.toml", snippet(stand_in, ca_file=ca_file)]
    return "\n".join(parts)


def _json(stand_in: StandIn, ca_file: Path | None) -> str:
    told = stand_in.report() | {
        "environ": stand_in.environ,
        "settings": stand_in.settings(ca_file=ca_file),
        "ca_pem": stand_in.ca_pem,
    }
    return json.dumps(told, ensure_ascii=False)


def _authority(stand_in: StandIn, wish: Wish, folder: str) -> Path | None:
    """The throw-away authority's certificate, where clients can read it; None without TLS."""
    if stand_in.ca_pem is None:
        return None
    path = wish.ca_file or Path(folder) / "stand-in-ca.pem"
    try:
        path.write_text(stand_in.ca_pem, encoding="ascii")
    except OSError as exc:
        raise UsageError(f"{path}: cannot be written ({exc.strerror})") from exc
    return path.absolute()


async def replay(tape: Tape, host: str, port: int, *, for_seconds: float | None, form: str) -> int:
    """Serve a recording until a signal or the end of `for_seconds`; 1 where something was asked in vain."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = ReplayServer(tape, host=host, port=port)
    async with contextlib.AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(server)
        except OSError as exc:
            raise UsageError(f"cannot listen on {host}:{port} ({exc.strerror})") from exc
        told = {"schema": "interlock.replay/1", "url": server.url, "interactions": len(tape)}
        text = f"# {len(tape)} recorded interactions are served at {server.url}"
        click.echo(json.dumps(told) if form == "json" else text)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(for_seconds):
                await stop.wait()
    for what, count in server.missed.most_common():
        click.echo(f"not in the cassette: {count} {what}", err=True)
    return 1 if server.missed else 0


async def serve(wish: Wish) -> None:
    """Serve until SIGTERM, SIGINT or the end of `for_seconds`. Raises `UsageError` for a port in use."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    stand_in = StandIn(
        wish.name, host=wish.host, port=wish.port, tls=wish.tls, requests_per_window=wish.requests_per_window
    )
    async with contextlib.AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(stand_in)
        except OSError as exc:
            raise UsageError(f"cannot listen on {wish.host}:{wish.port} ({exc.strerror})") from exc
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="interlock-stand-in-"))
        ca_file = _authority(stand_in, wish, folder)
        await stand_in.set_state(wish.state)
        click.echo(_json(stand_in, ca_file) if wish.form == "json" else _text(stand_in, ca_file))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wish.for_seconds):
                await stop.wait()


@click.command(name="stand-in")
@click.argument("name")
@click.option(
    "--listen", default="127.0.0.1:0", metavar="HOST:PORT", help="Where to listen; port 0 takes a free one."
)
@click.option("--tls", is_flag=True, help="Serve HTTPS with a throw-away authority.")
@click.option(
    "--ca-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the authority's certificate here.",
)
@click.option(
    "--fault",
    default="healthy",
    metavar="NAME",
    help=f"Start in a state ({', '.join(STATES)}) or with a fault ({', '.join(FAULTS)}).",
)
@click.option(
    "--cassette",
    "cassettes",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Serve this recording, of any format, instead of the catalogue's examples.",
)
@click.option("--repeats", is_flag=True, help="Give a recorded answer again when none is left.")
@click.option("--requests-per-window", type=click.IntRange(min=1), help="Throttle after so many requests.")
@click.option("--for", "for_seconds", type=click.FloatRange(min=0), metavar="SECONDS", help="Stop by itself.")
@click.option("--i-own-this-host", "own_host", is_flag=True, help="Listen where others can reach it.")
@options.config
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it."
)
def stand_in(
    name: str, listen: str, fault: str, config: Path | None, form: str, *, own_host: bool, **rest: Any
) -> int:
    """Serve a provider on loopback, as the catalogue says, until SIGTERM or SIGINT.

    NAME is a provider, or an integration of interlock.toml, which stands for its provider.

    Prints its address, made-up credentials as export lines, and a table for interlock.toml. With --cassette it
    gives recorded answers: by method, path and query, each once, in recorded order; to what the recording does
    not hold it answers 501, and ends with exit status 1.
    """
    name = provider_asked(name, config)
    host, port = address(listen, own_host=own_host)
    cassettes, repeats = rest.pop("cassettes"), rest.pop("repeats")
    if cassettes:
        if rest["tls"] or rest["ca_file"] or fault != "healthy" or rest["requests_per_window"]:
            raise UsageError("--cassette gives what was recorded: it goes without --tls, --fault and limits")
        tape = Tape(load(cassettes), repeats=repeats)
        return asyncio.run(replay(tape, host, port, for_seconds=rest["for_seconds"], form=form))
    if rest["ca_file"] and not rest["tls"]:
        raise UsageError("--ca-file needs --tls")
    asyncio.run(serve(Wish(name=name, host=host, port=port, state=fault, form=form, **rest)))
    return 0
