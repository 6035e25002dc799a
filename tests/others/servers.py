"""Start a server of somebody else's as a process, wait until it listens, end it by its id."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

WAIT_SECONDS = 60.0


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


@contextlib.contextmanager
def running(
    words: Sequence[str], port: int, *, cwd: Path, environ: Mapping[str, str] | None = None
) -> Iterator[None]:
    """The process while it runs; what it says is shown if it does not start."""
    log = cwd / "server.log"
    with log.open("wb") as stream:
        child = subprocess.Popen(
            words,
            cwd=cwd,
            env={**os.environ, **(environ or {})},
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    try:
        _wait(child, port, log)
        yield
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(10)


def _wait(child: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert child.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(log.read_text())
