"""Schemathesis's engine against a server that claims to keep a contract: what was asked, and what was found.

Schemathesis is told the contract and the address, and its events are read; it prints nothing, writes no file, and
follows no redirect.
"""

from __future__ import annotations

import contextlib
import copy
import io
import os
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from contracts.contract import Contract, Operation
from contracts.fuzz import links
from contracts.fuzz.events import CHECKS, SEQUENCES, STRICT, Fault, Gathered, Sequences
from contracts.fuzz.tls import Trusted
from contracts.pointers import join, steps
from interlock.errors import InterlockError, UsageError

ANSWER_SECONDS = 10.0
MAX_SEED = 2**32
WANTS_CREDENTIAL = frozenset({401, 403})
_REFUSED = WANTS_CREDENTIAL | {429}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for. `headers`: sent with every request. `max_examples`: for an operation and phase.

    `steps`: the most requests in a sequence, fewer than 2: no sequences; `max_examples` of them are a round.
    `seconds`: when to stop, None for no limit. `strict`: whether wrong requests must be refused, too.
    `trusted`: what TLS trusts, None where requests chooses.
    """

    url: str
    seed: int
    headers: Mapping[str, str] = field(default_factory=dict)
    max_examples: int = 50
    steps: int = 6
    seconds: float | None = None
    strict: bool = False
    trusted: Trusted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuzzed:
    """What came of it. `answered`: statuses and their counts by operation; `faults`: in the order of the contract.

    `troubles`: why an operation could not be asked; `left_out`: operations that their path alone does not tell.
    `finished`: the names of those that were asked to the end. `stopped`: None where all was done, else why not.
    `sequences`: None where none were asked for, or no operation leads to another.
    """

    operations: tuple[Operation, ...]
    answered: Mapping[str, Mapping[int, int]]
    faults: tuple[Fault, ...]
    troubles: Mapping[str, str]
    left_out: tuple[Operation, ...]
    finished: frozenset[str]
    stopped: str | None
    sequences: Sequences | None

    @property
    def requests(self) -> int:
        """How many were answered."""
        return sum(count for each in self.answered.values() for count in each.values())


def fuzz(contract: Contract, wish: Wish, done: Callable[[], None] = lambda: None) -> Fuzzed:
    """Fuzz a server; `done` is called after each operation and phase. Raises `UsageError`, `InterlockError`.

    Ctrl-C and the end of `wish.seconds` end it early; what was found until then is told.
    """
    document, known, left_out = prepared(contract, wish.url)
    gathered = Gathered(known, wish.headers)
    with _quiet():
        stream = _engine(document, wish)
        stopped = _run(stream, gathered, wish.seconds, done)
    return Fuzzed(
        operations=tuple(known.values()),
        answered={name: dict(sorted(counts.items())) for name, counts in gathered.answered.items()},
        faults=gathered.in_order(),
        troubles=gathered.troubles,
        left_out=left_out,
        finished=frozenset(gathered.finished),
        stopped=stopped,
        sequences=gathered.sequences,
    )


def refused(answered: Mapping[int, int]) -> bool:
    """Whether nothing was answered but that a credential is wanted, or that it was too much."""
    return bool(answered) and answered.keys() <= _REFUSED


# -- what schemathesis is told ---------------------------------------------------------------------------


def prepared(
    contract: Contract, url: str
) -> tuple[dict[str, Any], dict[str, Operation], tuple[Operation, ...]]:
    """The document as it is served at `url`, its operations by schemathesis's label, and those that are left out.

    The contract's base paths hold, unless the URL has a path of its own. Raises `UsageError` for another format.
    """
    if not contract.format.startswith(("openapi 3", "swagger")):
        raise UsageError(
            f"{contract.source}: {contract.format} cannot be fuzzed", hint="OpenAPI 3 and Swagger 2 can"
        )
    document: dict[str, Any] = copy.deepcopy(dict(contract.document))
    for name in ("servers", "basePath", "host", "schemes", "webhooks"):
        document.pop(name, None)
    items, document["paths"] = document.get("paths", {}), {}
    known: dict[str, Operation] = {}
    moved: dict[str, str] = {}
    left_out: list[Operation] = []
    for operation in contract.operations:
        section, key, *_ = steps(operation.pointer)
        if section != "paths" or operation.selectors or key not in items:
            left_out.append(operation)
            continue
        path = ("" if urlsplit(url).path.strip("/") else operation.bases[0]) + operation.path
        item = document["paths"].setdefault(path, _shared(items[key]))
        method = operation.method.lower()
        if method in item or "{server}" in path:
            left_out.append(operation)
            continue
        item[method] = {name: value for name, value in items[key][method].items() if name != "servers"}
        known[f"{operation.method} {path}"] = operation
        moved[operation.pointer] = join("/paths", path, method)
    document["paths"] = {
        path: item for path, item in document["paths"].items() if item.keys() - {"parameters"}
    }
    links.lead(document, moved)
    return document, known, tuple(left_out)


def _shared(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"parameters": item["parameters"]} if "parameters" in item else {}


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
        | {"stateful": {"enabled": sequences, "max-steps": max(wish.steps, 2)}},
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


def _engine(document: dict[str, Any], wish: Wish) -> Any:
    import schemathesis  # noqa: PLC0415 - slow to import
    from schemathesis.engine import from_schema  # noqa: PLC0415

    try:
        config = schemathesis.Config.from_dict(settings(wish))
        return from_schema(schemathesis.openapi.from_dict(document, config=config)).execute()
    except (schemathesis.errors.SchemathesisError, ValueError) as exc:
        raise UsageError(f"schemathesis cannot use the contract: {exc}") from exc


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Nothing of it on standard output or in the working directory; no hooks, proxies or netrc of who runs it."""
    from hypothesis.configuration import set_hypothesis_home_dir  # noqa: PLC0415 - slow to import

    wanted = {"NO_PROXY": "*", "no_proxy": "*", "NETRC": os.devnull, "SCHEMATHESIS_HOOKS": None}
    before = {name: os.environ.get(name) for name in wanted}
    _set(wanted)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="interlock-") as folder,
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            set_hypothesis_home_dir(folder)
            yield
    finally:
        set_hypothesis_home_dir(None)
        _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


# -- what it tells ---------------------------------------------------------------------------------------


def _run(stream: Any, gathered: Gathered, seconds: float | None, done: Callable[[], None]) -> str | None:
    """Read the events to the end; why it stopped early, if it did. Raises `InterlockError` where it broke off."""
    from schemathesis.engine import events  # noqa: PLC0415

    interrupted = False
    with _until(stream, seconds) as late:
        try:
            for event in stream:
                interrupted |= isinstance(event, events.Interrupted) and not gathered.enough
                if isinstance(event, events.FatalError):
                    raise InterlockError(f"schemathesis broke off: {event.exception}") from event.exception
                if gathered.take(event):
                    done()
                if gathered.enough:
                    stream.stop()
        except KeyboardInterrupt:
            interrupted = True
            stream.stop()
            for event in stream:  # what was under way is still told; another Ctrl-C ends that, too
                gathered.take(event)
    if late.is_set():
        return "the time was up"
    return "it was interrupted" if interrupted else None


@contextlib.contextmanager
def _until(stream: Any, seconds: float | None) -> Iterator[threading.Event]:
    """Stops the stream when the time is up, and says so; with None there is all the time."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        stream.stop()

    timer = threading.Timer(seconds, stop) if seconds is not None else None
    if timer is None:
        yield late
        return
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
