"""Where text to scan comes from: files, folders, standard input, the history of a git repository."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cassettes.redact.files import is_binary
from interlock.errors import UsageError

STANDARD_INPUT = "-"
# Folders of tools, not of people: what is in them was made elsewhere.
PASSED_OVER = frozenset(
    (
        *(".git", ".hg", ".svn", "__pycache__", "node_modules", ".venv", "venv", ".tox", ".nox"),
        *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"),
    )
)
_COMMIT = re.compile(rb"\x01([0-9a-f]{40,64})\x02(.*)", re.DOTALL)
_RAW = re.compile(rb":\d+ \d+ [0-9a-f]+ ([0-9a-f]+) ([A-Z])\d*\Z")
_CHUNK_BYTES = 1 << 16
MESSAGE = "(message)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One text to look at. `raw`: None where it was not read, and `why` says why: binary, a link, too large.

    `lost`: whether what was not read is something that should have been. `commit`: of a git history. `path`: of
    a file; `name` is what can be printed of it.
    """

    name: str
    raw: bytes | None
    why: str = ""
    lost: bool = False
    commit: str | None = None
    path: Path | None = None


def pieces(paths: Iterable[Path], *, max_bytes: int, stdin: IO[bytes]) -> Iterator[Piece]:
    """What is named, folders with all that is in them, in sorted order. Raises `UsageError`."""
    for path in paths:
        if str(path) == STANDARD_INPUT:
            yield _judged("<stdin>", stdin.read(max_bytes + 1), max_bytes)
        elif path.is_dir():
            yield from _folder(path, max_bytes)
        elif path.exists():
            yield _file(path, max_bytes)
        else:
            raise UsageError(f"{path}: there is no such file or folder")


def _folder(folder: Path, max_bytes: int) -> Iterator[Piece]:
    closed: list[OSError] = []
    for root, folders, names in os.walk(folder, onerror=closed.append):
        for name in sorted(PASSED_OVER.intersection(folders)):
            yield Piece(name=_shown(Path(root, name)), raw=None, why="a folder of tools")
        folders[:] = sorted(name for name in folders if name not in PASSED_OVER)
        for name in sorted(names):
            path = Path(root, name)
            if os.path.islink(path):  # noqa: PTH114 - does not raise where nothing can be looked at
                yield Piece(name=_shown(path), raw=None, why="a link")
            else:
                yield _file(path, max_bytes)
    yield from (_closed(Path(exc.filename), exc) for exc in closed)


def _file(path: Path, max_bytes: int) -> Piece:
    try:
        if not path.is_file():
            return Piece(name=_shown(path), raw=None, why="not a regular file")
        with path.open("rb") as stream:
            piece = _judged(_shown(path), stream.read(max_bytes + 1), max_bytes)
    except OSError as exc:
        return _closed(path, exc)
    return dataclasses.replace(piece, path=path)


def _closed(path: Path, why: OSError) -> Piece:
    return Piece(name=_shown(path), raw=None, why=f"cannot be read ({why.strerror})", lost=True)


def _shown(path: Path) -> str:
    """A path that can be printed, whatever bytes its name has."""
    return os.fsencode(path).decode("utf-8", "replace")


def _judged(name: str, raw: bytes, max_bytes: int, commit: str | None = None) -> Piece:
    if is_binary(raw):
        return Piece(name=name, raw=None, why="binary", commit=commit)
    if len(raw) > max_bytes:
        return Piece(name=name, raw=None, why=_too_large(max_bytes), lost=True, commit=commit)
    return Piece(name=name, raw=raw, commit=commit)


def _too_large(max_bytes: int) -> str:
    return f"larger than {max_bytes} bytes; --max-bytes allows more"


# -- git ---------------------------------------------------------------------------------------------


def history(folder: Path, *, max_bytes: int) -> Iterator[Piece]:
    """Every version of every file that a repository's commits brought, each once, and the commits' messages.

    The oldest commit that has a version is named with it. Raises `UsageError`.
    """
    seen: set[bytes] = set()
    with _git(folder, "cat-file", "--batch") as blobs:
        for commit, name, blob in _changes(folder):
            if blob is None:
                yield _judged(MESSAGE, name, max_bytes, commit)
            elif blob not in seen:
                seen.add(blob)
                path = name.decode("utf-8", "replace")
                yield _blob(blobs, blob, path, max_bytes, commit)
        assert blobs.stdin is not None
        blobs.stdin.close()


def _blob(blobs: subprocess.Popen[bytes], blob: bytes, name: str, max_bytes: int, commit: str) -> Piece:
    assert blobs.stdin is not None
    assert blobs.stdout is not None
    blobs.stdin.write(blob + b"\n")
    blobs.stdin.flush()
    fields = blobs.stdout.readline().split()
    if len(fields) != 3:  # noqa: PLR2004 - name, kind and size, unless it is missing
        return Piece(name=name, raw=None, why="missing from the repository", lost=True, commit=commit)
    size = int(fields[2])
    raw, left = blobs.stdout.read(min(size, max_bytes + 1)), size - min(size, max_bytes + 1)
    while left > 0:
        left -= len(blobs.stdout.read(min(left, _CHUNK_BYTES)))
    blobs.stdout.read(1)
    return _judged(name, raw, max_bytes, commit)


def _changes(folder: Path) -> Iterator[tuple[str, bytes, bytes | None]]:
    """Commit, path and blob of each change, the oldest first; commit, message and None for each commit."""
    arguments = ("log", "--all", "--reverse", "--root", "-m", "--raw", "-z", "--no-abbrev", "--no-renames")
    with _git(folder, *arguments, "--no-ext-diff", "--no-textconv", "--format=%x01%H%x02%B%x03") as log:
        commit, blob = "", None
        for token in _tokens(log):
            if found := _COMMIT.match(token):
                commit = found[1].decode()
                yield commit, found[2].rstrip(b"\x03\n"), None
            elif change := _RAW.match(token.lstrip(b"\n")):
                blob = change[1] if change[2] != b"D" else None
            elif blob is not None:
                yield commit, token, blob
                blob = None


def _tokens(log: subprocess.Popen[bytes]) -> Iterator[bytes]:
    assert log.stdout is not None
    rest = b""
    while chunk := log.stdout.read(_CHUNK_BYTES):
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole
    yield rest
    if log.wait() != 0:
        raise UsageError(f"git log failed: {_said(log)}", hint="--git wants a folder of a git repository")


def _git(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    command = [
        "git",
        "-C",
        str(folder),
        "-c",
        "core.quotePath=off",
        "-c",
        "log.showSignature=false",
        *arguments,
    ]
    try:
        return subprocess.Popen(  # noqa: S603 - a fixed program; the folder is an argument of its own
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError as exc:
        raise UsageError(f"git cannot be started: {exc.strerror}", hint="--git needs git") from exc


def _said(process: subprocess.Popen[bytes]) -> str:
    assert process.stderr is not None
    lines = process.stderr.read(2000).decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it did not say why"
