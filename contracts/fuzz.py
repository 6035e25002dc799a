"""Schemathesis's engine against a server that claims to keep a contract: what was asked, and what was found.

Schemathesis is told the contract and the address, and its events are read; it prints nothing, writes no file, and
follows no redirect.
"""

from __future__ import annotations

import contextlib
import copy
import io
import os
import shlex
import tempfile
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from contracts.contract import Contract, Operation
from contracts.pointers import join, pointer, steps
from interlock.errors import InterlockError, UsageError
from interlock.records import Severity

if TYPE_CHECKING:
    from schemathesis.engine.events import EngineEvent, ScenarioFinished
    from schemathesis.engine.recorder import CheckNode, Request, ScenarioRecorder

ANSWER_SECONDS = 10.0
MAX_SEED = 2**32
_MAX_CURL = 2000
# What every client sends anew.
_UNSAID = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "user-agent", "x-schemathesis-testcaseid"}
)
WANTS_CREDENTIAL = frozenset({401, 403})
_REFUSED = WANTS_CREDENTIAL | {429}
_PHASES = {"examples", "coverage", "fuzzing"}


@dataclass(frozen=True, slots=True)
class Check:
    """One of schemathesis's checks, as a rule of ours. `at`: where in the exchange it looks."""

    rule: str
    severity: Severity
    at: str
    promised: str


_E, _W = Severity.ERROR, Severity.WARNING
CHECKS: dict[str, Check] = {
    "not_a_server_error": Check(
        "fuzz-server-error", _E, "/response/status", "no request makes the server fail"
    ),
    "status_code_conformance": Check(
        "fuzz-status", _E, "/response/status", "every status is in the contract"
    ),
    "content_type_conformance": Check(
        "fuzz-media-type", _E, "/response/header/content-type", "a media type of the contract"
    ),
    "response_headers_conformance": Check(
        "fuzz-header", _E, "/response/header", "the headers that the contract names"
    ),
    "response_schema_conformance": Check("fuzz-body", _E, "/response/body", "a body as its schema says"),
}
# What a server does with wrong requests: a contract says what is right, and seldom how wrong is answered.
STRICT: dict[str, Check] = {
    "negative_data_rejection": Check("fuzz-takes-wrong", _W, "/request", "a wrong request is refused"),
    "positive_data_acceptance": Check("fuzz-refuses-right", _W, "/request", "a right request is taken"),
    "missing_required_header": Check(
        "fuzz-takes-wrong", _W, "/request/header", "a request without its header is refused"
    ),
    "unsupported_method": Check("fuzz-method", _W, "/request/method", "another method is answered 405"),
    "ignored_auth": Check("fuzz-ignores-credential", _E, "/request/header", "no credential, no answer"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for. `headers`: sent with every request. `max_examples`: for an operation and phase.

    `seconds`: when to stop, None for no limit. `strict`: whether wrong requests must be refused, too.
    """

    url: str
    seed: int
    headers: Mapping[str, str] = field(default_factory=dict)
    max_examples: int = 50
    seconds: float | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong with the answers of one operation, as it was seen first. `times`: how often.

    `message_pointer`: in the exchange; `curl`: the line that shows it, not yet redacted.
    """

    check: Check
    operation: Operation
    title: str
    seen: str
    message_pointer: str
    curl: str
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuzzed:
    """What came of it. `answered`: statuses and their counts by operation; `faults`: in the order of the contract.

    `troubles`: why an operation could not be asked; `left_out`: operations that their path alone does not tell.
    `finished`: the names of those that were asked to the end. `stopped`: None where all was done, else why not.
    """

    operations: tuple[Operation, ...]
    answered: Mapping[str, Mapping[int, int]]
    faults: tuple[Fault, ...]
    troubles: Mapping[str, str]
    left_out: tuple[Operation, ...]
    finished: frozenset[str]
    stopped: str | None

    @property
    def requests(self) -> int:
        """How many were answered."""
        return sum(count for each in self.answered.values() for count in each.values())


def fuzz(contract: Contract, wish: Wish, done: Callable[[], None] = lambda: None) -> Fuzzed:
    """Fuzz a server; `done` is called after each operation and phase. Raises `UsageError`, `InterlockError`.

    Ctrl-C and the end of `wish.seconds` end it early; what was found until then is told.
    """
    document, known, left_out = prepared(contract, wish.url)
    gathered = _Gathered(known, wish.headers)
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
    document["paths"] = {
        path: item for path, item in document["paths"].items() if item.keys() - {"parameters"}
    }
    return document, known, tuple(left_out)


def _shared(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"parameters": item["parameters"]} if "parameters" in item else {}


def settings(wish: Wish) -> dict[str, Any]:
    """Schemathesis's configuration, in its own words."""
    used = CHECKS | STRICT if wish.strict else CHECKS
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
        | {"stateful": {"enabled": False}},
        "generation": {"max-examples": wish.max_examples, "database": "none"},
    }
    if wish.headers:
        config["headers"] = {name: value.replace("${", "$${") for name, value in wish.headers.items()}
        config["generation"]["with-security-parameters"] = False
    return config


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


def _run(stream: Any, gathered: _Gathered, seconds: float | None, done: Callable[[], None]) -> str | None:
    """Read the events to the end; why it stopped early, if it did. Raises `InterlockError` where it broke off."""
    from schemathesis.engine import events  # noqa: PLC0415

    late = threading.Event()

    def stop() -> None:
        late.set()
        stream.stop()

    timer = threading.Timer(seconds, stop) if seconds is not None else None
    if timer is not None:
        timer.daemon = True
        timer.start()
    interrupted = False
    try:
        try:
            for event in stream:
                interrupted |= isinstance(event, events.Interrupted)
                if isinstance(event, events.FatalError):
                    raise InterlockError(f"schemathesis broke off: {event.exception}") from event.exception
                if gathered.take(event):
                    done()
        except KeyboardInterrupt:
            interrupted = True
            stream.stop()
            for event in stream:  # what was under way is still told; another Ctrl-C ends that, too
                gathered.take(event)
    finally:
        if timer is not None:
            timer.cancel()
    if late.is_set():
        return "the time was up"
    return "it was interrupted" if interrupted else None


class _Gathered:
    """What the events say, by operation."""

    def __init__(self, known: Mapping[str, Operation], hidden: Iterable[str]) -> None:
        self._known = known
        self._hidden = _UNSAID | {name.lower() for name in hidden}
        self.answered: dict[str, Counter[int]] = {}
        self.troubles: dict[str, str] = {}
        self.finished: set[str] = set()
        self._faults: dict[tuple[str, str, str, str], Fault] = {}
        self._times: Counter[tuple[str, str, str, str]] = Counter()

    def take(self, event: EngineEvent) -> bool:
        """Keep what an event tells; whether it ends an operation's turn in a phase."""
        from schemathesis.engine import Status, events  # noqa: PLC0415
        from schemathesis.engine.run import PhaseName  # noqa: PLC0415

        if isinstance(event, events.NonFatalError) and event.label in self._known:
            self.troubles.setdefault(self._known[event.label].name, _one_line(event.info.message))
        if not isinstance(event, events.ScenarioFinished) or event.phase.value not in _PHASES:
            return False
        self._scenario(event)
        if event.phase is PhaseName.FUZZING and event.status in {Status.SUCCESS, Status.FAILURE}:
            self.finished.update(each.name for label, each in self._known.items() if label == event.label)
        return True

    def _scenario(self, event: ScenarioFinished) -> None:
        recorder = event.recorder
        for case_id, interaction in recorder.interactions.items():
            operation = self._operation(recorder, case_id)
            if operation is not None and interaction.response is not None:
                counts = self.answered.setdefault(operation.name, Counter())
                counts[interaction.response.status_code] += 1
        for case_id, nodes in recorder.checks.items():
            for node in nodes:
                odd = node.name == "unsupported_method"
                operation = self._operation(recorder, case_id, odd=odd)
                if node.failure_info is not None and operation is not None:
                    self._fault(operation, node, recorder, case_id)

    def _operation(self, recorder: ScenarioRecorder, case_id: str, *, odd: bool = False) -> Operation | None:
        """The operation that was asked; where another method was tried on its path, None unless that is `odd`."""
        node = recorder.cases.get(case_id)
        if node is None:
            return None
        case = node.value
        if case.method.upper() != case.operation.method.upper() and not odd:
            return None
        return self._known.get(case.operation.label)

    def _fault(self, operation: Operation, node: CheckNode, recorder: ScenarioRecorder, case_id: str) -> None:
        check = (CHECKS | STRICT).get(node.name)
        info = node.failure_info
        if check is None or info is None:
            return
        answer = recorder.interactions.get(info.failure.case_id or case_id)
        status = answer.response.status_code if answer and answer.response else None
        path = getattr(info.failure, "instance_path", ())
        place = check.at + (pointer(path) if node.name == "response_schema_conformance" else "")
        key = (check.rule, operation.name, info.failure.title, place)
        self._times[key] += 1
        if key not in self._faults:
            self._faults[key] = Fault(
                check=check,
                operation=operation,
                title=info.failure.title,
                seen=str(status) if check.at == "/response/status" else _seen(status, info.failure.message),
                message_pointer=place,
                curl=curl(answer.request, self._hidden) if answer else "",
                times=1,
            )

    def in_order(self) -> tuple[Fault, ...]:
        """As the operations stand in the contract, then by rule and place."""
        order = {each.name: number for number, each in enumerate(self._known.values())}
        keys = sorted(self._faults, key=lambda key: (order[key[1]], key))
        return tuple(replace(self._faults[key], times=self._times[key]) for key in keys)


def curl(request: Request, hidden: Collection[str]) -> str:
    """The line that sends a request again, without the headers of these names: credentials are given by reference."""
    words = ["curl", "-i", "-X", request.method, request.uri]
    for name, values in request.headers.items():
        if name.lower() not in hidden:
            words += ["-H", f"{name}: {', '.join(values)}"]
    if request.body:
        words += ["--data-binary", request.body.decode("utf-8", "replace")]
    line = shlex.join(words)
    return line if len(line) <= _MAX_CURL else f"{line[:_MAX_CURL]}... (cut)"


def _seen(status: int | None, message: str) -> str:
    said = _one_line(message.partition("\n\n")[0] or message)
    return f"{status}: {said}" if said else str(status)


def _one_line(text: str, most: int = 300) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 3]}..."


def contract_pointer(fault: Fault) -> str:
    """Where the contract says otherwise."""
    return join(fault.operation.pointer, "responses")
