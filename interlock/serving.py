"""A web server as one part of a process: the address it takes, the signals that end it, the log it writes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette

from interlock.errors import UsageError
from interlock.redaction import RedactingFilter, Redactor

_BACKLOG = 1024  # a burst of webhooks waits in the kernel, not in the provider's retries


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the service decides what a signal means."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server(app: Starlette) -> uvicorn.Server:
    """A server that says nothing of itself; `serve(sockets=[...])` runs it until `should_exit` is set."""
    return _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=5,
        )
    )


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `UsageError` if the address is taken or not ours.

    It calls itself TCP: for others asyncio leaves Nagle's delay on, and a kept-alive client waits 40 ms for an answer
    that is written in two parts.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        sock = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as exc:
        raise UsageError(
            f"cannot listen on {host} port {port}: {exc.strerror}",
            hint="choose another with --host and --port",
        ) from exc
    return socket.socket(sock.family, sock.type, socket.IPPROTO_TCP, fileno=sock.detach())


def url(host: str, sock: socket.socket) -> str:
    """Where a bound socket is reached by `host`, with the port that it really has."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{sock.getsockname()[1]}/"


def on_signals(stop: asyncio.Event) -> None:
    """SIGTERM and SIGINT set `stop`; outside the main thread, where there are no signals, nothing does."""
    running = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(ValueError, RuntimeError):
            running.add_signal_handler(number, stop.set)


async def until(stop: asyncio.Event, serving: asyncio.Task[None]) -> None:
    """Wait for the signal; a web server that ends by itself is a mistake to be heard of."""
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait({waiting, serving}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


def set_up_logging(redactor: Redactor) -> None:
    """Diagnostics to standard error, behind the redactor."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(RedactingFilter(redactor))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("interlock").setLevel(logging.INFO)
