"""What the receiver has done, read back: `url:ADDRESS`, `file:PATH` or `command:WORDS`, ids of events that acted."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

from interlock.errors import UsageError
from interlock.http import Draft, built
from interlock.wire import Wire, WireError

Read = Callable[[], Awaitable[bytes]]
_HINT = (
    "url:http://127.0.0.1:8000/effects, file:PATH or command:WORDS; "
    "a JSON list of event ids, null for what has none, or an id a line"
)
_DEADLINE_SECONDS = 10.0


def reader(reference: str, wire: Wire) -> Read:
    """How to fetch them. Raises `UsageError` for a reference that is none."""
    kind, colon, target = reference.partition(":")
    if not colon or not target:
        raise UsageError("--effects is no reference", hint=_HINT)
    if kind == "url":
        return lambda: _url(target, wire)
    if kind == "file":
        return lambda: _file(Path(target))
    if kind == "command":
        words = _words(target)
        return lambda: _command(words)
    raise UsageError(f"--effects {kind}: is not known", hint=_HINT)


def parse(raw: bytes) -> Counter[str]:
    """How often each event acted; what has no id, as the empty name. Raises `UsageError`: unreadable is not nothing."""
    try:
        text = raw.decode("utf-8-sig").strip()
        if not text.startswith("["):
            return Counter(line.strip() for line in text.splitlines() if line.strip())
        found = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise UsageError("what --effects gives is neither a JSON list nor lines of text", hint=_HINT) from exc
    if not all(each is None or isinstance(each, str | int) for each in found):
        raise UsageError("what --effects gives is no list of event ids", hint=_HINT)
    return Counter("" if each is None else str(each) for each in found)


def _words(text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError as exc:
        raise UsageError(f"--effects command: {exc}", hint=_HINT) from exc
    if not words:
        raise UsageError("--effects command: names no command", hint=_HINT)
    return words


async def _url(address: str, wire: Wire) -> bytes:
    try:
        answer = await wire.exchange(
            built(Draft(method="GET", url=address)), deadline_seconds=_DEADLINE_SECONDS
        )
    except (WireError, ValueError) as exc:
        raise UsageError(f"--effects could not be asked: {exc}") from exc
    if answer.status != 200 or answer.truncated:  # noqa: PLR2004
        raise UsageError(f"--effects was answered with {answer.status}, or with too much")
    return answer.body


async def _file(path: Path) -> bytes:
    try:
        return path.read_bytes()  # noqa: ASYNC240 - a short local file
    except OSError as exc:
        raise UsageError(f"--effects {path}: {exc.strerror}") from exc


async def _command(words: list[str]) -> bytes:
    try:
        process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    except OSError as exc:
        raise UsageError(f"--effects command: {exc.strerror}") from exc
    try:
        out, _ = await asyncio.wait_for(process.communicate(), _DEADLINE_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise UsageError(f"--effects command: no end within {_DEADLINE_SECONDS:g} s") from None
    if process.returncode:
        raise UsageError(f"--effects command: it ended with {process.returncode}")
    return out
