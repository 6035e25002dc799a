"""What passed is redacted, turned into a cassette and written: in a thread of its own, and whole or not at all."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path

from cassettes.matching import Tape, fits
from cassettes.read import read_file
from cassettes.redact import Redactor
from cassettes.write import entry, joined
from interlock.errors import UsageError
from interlock.evidence import write_whole
from interlock.records import Interaction

WRITTEN_EVERY_SECONDS = 1.0
_SHARE_OF_TIME = 20  # a large cassette is written less often: at most a twentieth of the time


class Mode(StrEnum):
    """When something is recorded, as vcrpy has it."""

    ONCE = "once"  # where there is no cassette yet, everything; else nothing
    NEW_EPISODES = "new_episodes"  # what the cassette does not hold
    NONE = "none"  # nothing
    ALL = "all"  # everything; what is recorded anew takes the place of what it matches


class Recorder:
    """One cassette that is being recorded. `add` may be called from the event loop: it does not wait.

    `recorded` counts interactions, `hits` what was replaced by placeholders, by rule.
    """

    def __init__(
        self,
        path: Path,
        redactor: Redactor,
        mode: Mode = Mode.ONCE,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        loaded = _load(path, mode)
        self._path, self._redactor, self._clock = path, redactor, clock
        self._replaces = mode is Mode.ALL
        self._plays = mode is not Mode.ALL and loaded is not None
        self.records = mode in {Mode.ALL, Mode.NEW_EPISODES} or (mode is Mode.ONCE and loaded is None)
        self.tape = Tape(loaded or ())
        self._kept = list(loaded or ()) if self.records else []
        self._entries: list[str] = []
        self.recorded = 0
        self.hits: Counter[str] = Counter()
        self._written_at, self._cost_seconds, self._unwritten = float("-inf"), 0.0, False
        self._worker = ThreadPoolExecutor(1, "interlock-record")
        self._trouble: BaseException | None = None

    def play(self, method: str, url: str) -> Interaction | None:
        """The recorded answer to a request, where the mode gives one and the cassette holds it."""
        return self.tape.take(method, url) if self._plays else None

    def add(self, interaction: Interaction) -> None:
        """Keep one interaction. It is redacted before anything of it reaches the disk."""
        self.recorded += 1
        self._worker.submit(self._keep, interaction)

    def close(self) -> None:
        """Write what is not written yet. Raises what went wrong on the way."""
        self._worker.submit(self._write)
        self._worker.shutdown()
        if self._trouble is not None:
            raise self._trouble

    def _keep(self, interaction: Interaction) -> None:
        try:
            clean, hits = self._redactor.interaction(interaction)
            self._entries.append(entry(clean))
            self.hits.update(hit.rule for hit in hits)
            if self._replaces:
                self._kept = [e for e in self._kept if not fits(e, clean.method, clean.url)]
            self._unwritten = True
            if self._clock() - self._written_at >= max(
                WRITTEN_EVERY_SECONDS, self._cost_seconds * _SHARE_OF_TIME
            ):
                self._write()
        except Exception as exc:  # noqa: BLE001 - said at the end, by whoever closes
            self._trouble = self._trouble or exc

    def _write(self) -> None:
        if not self._unwritten:
            return
        started = self._clock()
        try:
            kept = [entry(self._redactor.interaction(each)[0]) for each in self._kept]
            write_whole(self._path, joined([*kept, *self._entries]))
        except Exception as exc:  # noqa: BLE001 - said at the end
            self._trouble = self._trouble or exc
        self._unwritten = False
        self._written_at = self._clock()
        self._cost_seconds = self._written_at - started


def _load(path: Path, mode: Mode) -> tuple[Interaction, ...] | None:
    """What the cassette holds already; None where there is none. Raises `UsageError`."""
    if not path.exists():
        if mode is Mode.NONE:
            raise UsageError(f"{path} is not there, and mode none records nothing", hint="use --mode once")
        _writable(path)
        return None
    reading = read_file(path)
    if reading.findings:
        raise UsageError(f"{path} cannot be gone on with: {reading.findings[0].subject}")
    if mode in {Mode.NEW_EPISODES, Mode.ALL} and reading.format != "vcrpy-yaml":
        raise UsageError(
            f"{path} is a cassette of the format {reading.format}, and only vcrpy's YAML is written",
            hint="name another file with --out",
        )
    return reading.interactions


def _writable(path: Path) -> None:
    """Say before anything is recorded that it could not be kept. Raises `UsageError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as exc:
        raise UsageError(f"{path} cannot be written: {exc.strerror}") from exc
