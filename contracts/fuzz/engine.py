"""Schemathesis's engine against a server that claims to keep a contract: what was asked, and what was found.

Schemathesis is told the contract and the address, and its events are read; it prints nothing, writes no file, and
follows no redirect.
"""

from __future__ import annotations

import contextlib
import io
import os
import queue
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.contract import Contract, Operation
from contracts.fuzz.calm import calming
from contracts.fuzz.checks import CHECKS, SEQUENCES, STRICT
from contracts.fuzz.events import Fault, Gathered, Sequences, one_line
from contracts.fuzz.halt import Halt
from contracts.fuzz.held import held
from contracts.fuzz.tls import Trusted
from contracts.fuzz.turns import Turn, prepared
from interlock.errors import UsageError

ANSWER_SECONDS = 10.0
_LAST_SECONDS = 2.0  # for what is under way when it is stopped
_BEGIN_SECONDS = 10.0  # where it has not even begun: the beginning writes into the folder that then goes
_END, _WAKE = object(), object()
MAX_SEED = 2**32
WANTS_CREDENTIAL = frozenset({401, 403})
REFUSED = WANTS_CREDENTIAL | {429}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for. `headers`: sent with every request. `max_examples`: for an operation and phase.

    `steps`: the most requests in a sequence, fewer than 2: no sequences; `max_examples` of them are a round.
    `seconds`: when to stop, None for no limit. `strict`: whether wrong requests must be refused, too.
    `trusted`: what TLS trusts, None where requests chooses.
    """

    url: str
    seed: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    max_examples: int = 50
    steps: int = 6
    seconds: float | None = None
    strict: bool = False
    trusted: Trusted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuzzed:
    """What came of it. `answered`: statuses and their counts by operation; `faults`: in the order of the contract.

    `troubles`: why an operation could not be asked; `left_out`: why an operation was not, by its name.
    `unjudged`: why something of an operation, or of its answers, could not be judged.
    `finished`: the names of those that were asked to the end. `stopped`: None where all was done, else why not.
    `sequences`: None where none were asked for, or no operation leads to another.
    """

    operations: tuple[Operation, ...]
    answered: Mapping[str, Mapping[int, int]]
    faults: tuple[Fault, ...]
    troubles: Mapping[str, str]
    left_out: Mapping[str, str]
    unjudged: Mapping[str, str]
    finished: frozenset[str]
    stopped: str | None
    sequences: Sequences | None

    @property
    def requests(self) -> int:
        """How many were answered."""
        return sum(count for each in self.answered.values() for count in each.values())


def fuzz(
    contract: Contract, wish: Wish, done: Callable[[], None] = lambda: None, halt: Halt | None = None
) -> Fuzzed:
    """Fuzz a server; `done` is called after each operation and phase. Raises `UsageError`.

    `halt`, the end of `wish.seconds` and a fault of schemathesis's end it early; what was found until then is told.
    """
    halt = halt or Halt()
    contract, left = held(contract)
    turns = prepared(contract, wish.url)
    too_deep: set[str] = set()
    gathered = Gathered(contract, wish.headers, too_deep)
    stopped = None
    end = None if wish.seconds is None else time.monotonic() + wish.seconds
    with _quiet() as broken:
        for turn in turns.turns:
            gathered.turn(turn.known)
            stopped = _run(_Told(_beginning(turn, wish, too_deep), broken, halt), gathered, end, done)
            if stopped is not None:
                break
    return Fuzzed(
        operations=turns.operations,
        answered={name: dict(sorted(counts.items())) for name, counts in gathered.answered.items()},
        faults=gathered.in_order(),
        troubles=gathered.troubles,
        left_out=turns.left_out,
        unjudged={**left, **turns.unmade, **gathered.unjudged},
        finished=frozenset(gathered.finished),
        stopped=stopped,
        sequences=gathered.sequences,
    )


def refused(answered: Mapping[int, int]) -> bool:
    """Whether nothing was answered but that a credential is wanted, or that it was too much."""
    return bool(answered) and answered.keys() <= REFUSED


# -- what schemathesis is told ---------------------------------------------------------------------------


def settings(wish: Wish) -> dict[str, Any]:
    """Schemathesis's configuration, in its own words."""
    sequences = wish.steps > 1
    used = CHECKS | (SEQUENCES if sequences else {}) | (STRICT if wish.strict else {})
    config: dict[str, Any] = {
        "base-url": wish.url.rstrip("/"),
        "seed": wish.seed,
        "workers": 1,
        "max-redirects": 0,
        "request-timeout": ANSWER_SECONDS,
        "continue-on-failure": True,
        "cache": {"enabled": False},
        "checks": {"enabled": False} | {name: {"enabled": True} for name in used},
        "phases": {name: {"enabled": True} for name in ("examples", "coverage", "fuzzing")}
        | {"stateful": {"enabled": sequences, "max-steps": max(wish.steps, 2)}}
        | ({} if wish.strict else {"coverage": {"enabled": True, "unexpected-methods": []}}),
        "generation": {"max-examples": wish.max_examples, "database": "none"},
    }
    if wish.headers:
        config["headers"] = {name: _literal(value) for name, value in wish.headers.items()}
        config["generation"]["with-security-parameters"] = False
    return config | (_tls(wish.trusted) if wish.trusted else {})


def _tls(trusted: Trusted) -> dict[str, Any]:
    files = {
        "tls-verify": trusted.authorities,
        "request-cert": trusted.certificate,
        "request-cert-key": trusted.key,
    }
    return {name: _literal(str(path)) for name, path in files.items() if path is not None}


def _literal(text: str) -> str:
    """As it stands there: schemathesis would put variables of the environment in."""
    return text.replace("${", "$${")


def _beginning(turn: Turn, wish: Wish, too_deep: set[str]) -> Callable[[], Any]:
    """What begins a turn, which takes its time with a large contract, and gives the stream of events."""

    def begin() -> Any:
        import schemathesis  # noqa: PLC0415 - slow to import
        from schemathesis.engine import from_schema  # noqa: PLC0415

        try:
            config = schemathesis.Config.from_dict(settings(wish))
            schema = schemathesis.openapi.from_dict(turn.document(), config=config)
            schema.hook("after_call")(calming(too_deep))
            return from_schema(schema).execute()
        except Exception as exc:  # whatever it falls over: nothing is asked
            raise UsageError(f"schemathesis cannot use the contract: {exc}") from exc

    return begin


@contextlib.contextmanager
def _quiet() -> Iterator[list[BaseException]]:
    """Nothing of it on standard output or in the working directory; no hooks, proxies or netrc of who runs it.

    What its threads fall over is not printed either, but kept in the list.
    """
    from hypothesis.configuration import set_hypothesis_home_dir  # noqa: PLC0415 - slow to import

    from contracts.fuzz.way import bounded  # noqa: PLC0415 - slow to import

    wanted = {"NO_PROXY": "*", "no_proxy": "*", "NETRC": os.devnull, "SCHEMATHESIS_HOOKS": None}
    before = {name: os.environ.get(name) for name in wanted}
    broken: list[BaseException] = []
    excepthook, threading.excepthook = threading.excepthook, lambda fell: broken.append(_fell(fell))
    _set(wanted)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="interlock-", ignore_cleanup_errors=True) as folder,
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            bounded(),
        ):
            warnings.simplefilter("ignore")
            set_hypothesis_home_dir(folder)
            yield broken
    finally:
        threading.excepthook = excepthook
        set_hypothesis_home_dir(None)
        _set(before)


def _fell(thread: threading.ExceptHookArgs) -> BaseException:
    return thread.exc_value or thread.exc_type()


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


# -- what it tells ---------------------------------------------------------------------------------------


def _run(told: _Told, gathered: Gathered, end: float | None, done: Callable[[], None]) -> str | None:
    """Read the events to the end, or until `end`; why it stopped early, if it did."""
    from schemathesis.engine import events  # noqa: PLC0415

    for event in told.until(end):
        if isinstance(event, events.FatalError):
            told.broken.append(event.exception)
        if gathered.take(event):
            done()
        if gathered.enough:
            told.stop()
    if told.refused is not None:
        raise told.refused
    stopped = told.halt.why or ("the time was up" if told.late else None)
    if stopped is not None:
        told.stop()
        last = time.monotonic() + (_LAST_SECONDS if told.begun else _BEGIN_SECONDS)
        for event in told.until(last, heeding=False):  # what was under way is still told
            gathered.take(event)
    if told.broken and stopped is None:
        fell = told.broken[0]
        stopped = f"schemathesis broke off: {one_line(f'{type(fell).__name__}: {fell}')}"
    if gathered.gone and stopped is None:
        stopped = "the server answered no more"
    return stopped


class _Told:
    """The events of a stream, read in a thread of its own: no request that hangs holds up who waits for them.

    `late`: whether the time was up before the end; `broken`: what schemathesis and its threads fell over; `refused`:
    why it did not begin.
    """

    def __init__(self, begin: Callable[[], Any], broken: list[BaseException], halt: Halt) -> None:
        self.late = False
        self.broken, self.halt = broken, halt
        self.refused: UsageError | None = None
        self._stream: Any = None
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._ended = self._stopping = False
        halt.wake = lambda: self._events.put(_WAKE)
        threading.Thread(target=self._read, args=(begin,), name="fuzz events", daemon=True).start()

    @property
    def begun(self) -> bool:
        """Whether there is a stream."""
        return self._stream is not None

    def stop(self) -> None:
        """Let it end early: what is under way is ended first."""
        self._stopping = True
        if self._stream is not None:
            self._stream.stop()

    def until(self, end: float | None, *, heeding: bool = True) -> Iterator[Any]:
        """The events until there are no more, or until `end`, seconds of `time.monotonic`.

        `heeding`: or until it is to halt.
        """
        while not self._ended and not (heeding and self.halt.signal is not None):
            left = None if end is None else end - time.monotonic()
            try:
                event = self._events.get(timeout=left if left is None else max(left, 0.0))
            except queue.Empty:
                self.late = True
                return
            if event is _END:
                self._ended = True
            elif event is not _WAKE:
                yield event

    def _read(self, begin: Callable[[], Any]) -> None:
        try:
            self._stream = begin()
            for event in () if self._stopping else self._stream:
                self._events.put(event)
        except UsageError as exc:
            self.refused = exc
        except Exception as exc:  # noqa: BLE001 - whatever it fell over, what it told before is kept
            self.broken.append(exc)
        finally:
            self._events.put(_END)
