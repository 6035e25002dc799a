"""A real PostgreSQL for the tests that say so: a cluster in a temporary folder, on a free port, ended by its id."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path


def program(name: str) -> str:
    """Where a PostgreSQL program is; Debian keeps them off the path."""
    found = [str(path) for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}")]
    path = max(found, default=None) or shutil.which(name)
    assert path, f"{name} is not installed; `make check` installs it"
    return path


@contextlib.contextmanager
def cluster() -> Iterator[str]:
    """The URL of an empty database. PostgreSQL refuses root, so root runs it as the user `postgres`."""
    folder = Path(tempfile.mkdtemp(prefix="interlock-postgres-"))
    as_user: list[str] = []
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    data = folder / "data"

    def run(*words: str) -> None:
        subprocess.run([*as_user, *words], check=True, stdout=subprocess.DEVNULL, cwd=folder)

    run(program("initdb"), "-D", str(data), "-A", "trust", "-U", "interlock")
    options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off"
    control = [program("pg_ctl"), "-D", str(data), "-w", "-t", "60"]
    run(*control, "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql+psycopg://interlock@127.0.0.1:{port}/postgres"
    finally:
        run(*control, "-m", "immediate", "stop")
        shutil.rmtree(folder)
