"""What schemathesis's events say: each fault once, with the requests that show it, and what was asked and answered."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from contracts.contract import Contract, Operation
from contracts.fuzz.bodies import Bodies, Wrong, constants
from contracts.fuzz.checks import CHECKS, SEQUENCES, STRICT, Check
from contracts.fuzz.unanswered import no_answer
from contracts.matching import selector_reader, told_by
from contracts.pointers import join, pointer

if TYPE_CHECKING:
    from schemathesis import Response
    from schemathesis.engine.events import EngineEvent, NonFatalError, ScenarioFinished
    from schemathesis.engine.recorder import (
        CheckFailureInfo,
        CheckNode,
        Interaction,
        Request,
        ScenarioRecorder,
    )

_FORM = "application/x-www-form-urlencoded"
_MAX_CURL = 2000
_NO_BRANCH = "is not valid under any of the schemas"  # as the validator says it of anyOf and oneOf
# What every client sends anew.
_UNSAID = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "user-agent", "x-schemathesis-testcaseid"}
)
_PHASES = {"examples", "coverage", "fuzzing"}
# A round of sequences ends at a fault that is new, and another begins; a server with many would never be done.
MAX_ROUNDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong with the answers of one operation, as it was seen first. `times`: how often.

    `message_pointer`: in the exchange; `curl`: the line that shows it, or several, not yet redacted.
    """

    check: Check
    operation: Operation
    title: str
    seen: str
    message_pointer: str
    curl: str
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequences:
    """What became of the sequences. `asked`: how many there were; `trouble`: why there were no more, else None."""

    asked: int
    trouble: str | None = None


class Gathered:
    """What the events say, by operation. `hidden`: headers that are not shown.

    `too_deep`: the ids of the cases whose answers were nested too deeply to be read.
    """

    def __init__(self, contract: Contract, hidden: Iterable[str], too_deep: Collection[str]) -> None:
        self._order = {each.name: number for number, each in enumerate(contract.operations)}
        self._bodies = Bodies(contract)
        self.unjudged: dict[str, str] = {}
        self._known: Mapping[str, Operation] = {}
        self._too_deep = too_deep
        self._hidden = _UNSAID | {name.lower() for name in hidden}
        self.answered: dict[str, Counter[int]] = {}
        self.troubles: dict[str, str] = {}
        self.finished: set[str] = set()
        self._faults: dict[tuple[str, str, str, str], Fault] = {}
        self._times: Counter[tuple[str, str, str, str]] = Counter()
        self._sequences = self._rounds = 0
        self._more = False
        self._trouble: str | None = None
        self.gone = False

    def turn(self, known: Mapping[str, Operation]) -> None:
        """What comes now is of these operations, by schemathesis's labels."""
        self._known, self._rounds = known, 0

    @property
    def enough(self) -> bool:
        """Whether every round of sequences that may be had found something new."""
        return self._rounds >= MAX_ROUNDS

    @property
    def sequences(self) -> Sequences | None:
        """What became of them; None where there were none to be asked."""
        if not self._sequences and self._trouble is None:
            return None
        more = f"each of {MAX_ROUNDS} rounds found something new, and there may be more"
        return Sequences(asked=self._sequences, trouble=self._trouble or (more if self._more else None))

    def take(self, event: EngineEvent) -> bool:
        """Keep what an event tells; whether it ends an operation's turn in a phase."""
        from schemathesis.engine import Status, events  # noqa: PLC0415
        from schemathesis.engine.run import PhaseName  # noqa: PLC0415

        if isinstance(event, events.NonFatalError):
            self._fell(event)
        if isinstance(event, events.SuiteFinished) and event.phase is PhaseName.STATEFUL_TESTING:
            self._rounds += event.status is Status.FAILURE
            self._more |= self.enough
        if not isinstance(event, events.ScenarioFinished):
            return False
        self._scenario(event)
        if event.phase is PhaseName.STATEFUL_TESTING:
            self._sequences += bool(event.recorder.interactions)
        if event.phase is PhaseName.FUZZING and event.status in {Status.SUCCESS, Status.FAILURE}:
            self.finished.update(each.name for label, each in self._known.items() if label == event.label)
        return event.phase.value in _PHASES

    def _fell(self, event: NonFatalError) -> None:
        """Keep why an operation, or the sequences, could not be asked; a request without an answer is a fault."""
        from schemathesis.engine.errors import ServerUnavailable  # noqa: PLC0415
        from schemathesis.engine.run import PhaseName  # noqa: PLC0415

        self.gone |= isinstance(event.value, ServerUnavailable)
        operation, told = self._known.get(event.label), no_answer(event)
        why = one_line(told[-1] if told else event.info.message)
        if operation is not None:
            self.troubles.setdefault(operation.name, why)
            self._unanswered(operation, event, told)
        elif event.phase is PhaseName.STATEFUL_TESTING:
            self._trouble = self._trouble or why

    def _unanswered(
        self, operation: Operation, event: NonFatalError, told: tuple[Check, str, str] | None
    ) -> None:
        """The request was sent, and no answer came that could be read. Who cannot be reached at all is no fault."""
        sent = getattr(event.value, "request", None)
        if told is None or (sent is not None and sent.method != operation.method):
            return
        from schemathesis.engine.recorder import Request  # noqa: PLC0415 - slow to import

        request = None if sent is None else Request.from_prepared_request(sent)
        if request is not None and not _is_of(request, operation):
            return
        check, title, seen = told
        self._keep(
            Fault(
                check=check,
                operation=operation,
                title=title,
                seen=one_line(seen),
                message_pointer=check.at,
                curl="" if request is None else curl(request, self._hidden),
                times=1,
            )
        )

    def _scenario(self, event: ScenarioFinished) -> None:
        recorder = event.recorder
        for case_id, interaction in recorder.interactions.items():
            operation, response = self._operation(recorder, case_id), interaction.response
            if operation is None or response is None:
                continue
            self.answered.setdefault(operation.name, Counter())[response.status_code] += 1
            self._body(operation, interaction.request, response)
        for case_id, nodes in recorder.checks.items():
            for node in nodes:
                odd = node.name == "unsupported_method"
                operation = self._operation(recorder, case_id, odd=odd)
                if node.failure_info is not None and operation is not None:
                    self._fault(operation, node, recorder, case_id)

    def _body(self, operation: Operation, request: Request, response: Response) -> None:
        """Judge what schemathesis passes over."""
        if (why := self._bodies.unjudged(operation, response)) is not None:
            self.unjudged.setdefault(operation.name, why)
        for each in self._bodies.wrong(operation, response):
            self._wrong(operation, request, response, each)

    def _wrong(self, operation: Operation, request: Request, response: Response, wrong: Wrong) -> None:
        check = CHECKS["response_schema_conformance"]
        self._keep(
            Fault(
                check=check,
                operation=operation,
                title="Response violates schema",
                seen=one_line(f"{response.status_code}: {wrong.seen}"),
                message_pointer=check.at + wrong.pointer,
                curl=curl(request, self._hidden),
                times=1,
            )
        )

    def _operation(self, recorder: ScenarioRecorder, case_id: str, *, odd: bool = False) -> Operation | None:
        """The operation that was asked; where another method was tried on its path, None unless that is `odd`.

        None, too, where the request lacks what tells the operation from others of its path: it is one of those.
        """
        node = recorder.cases.get(case_id)
        if node is None:
            return None
        case = node.value
        if case.method.upper() != case.operation.method.upper() and not odd:
            return None
        operation, sent = self._known.get(case.operation.label), recorder.interactions.get(case_id)
        if operation is not None and sent is not None and not _is_of(sent.request, operation):
            return None
        return operation

    def _fault(self, operation: Operation, node: CheckNode, recorder: ScenarioRecorder, case_id: str) -> None:
        check = (CHECKS | SEQUENCES | STRICT).get(node.name)
        info = node.failure_info
        if check is None or info is None:
            return
        answer = recorder.interactions.get(info.failure.case_id or case_id)
        status = answer.response.status_code if answer and answer.response else None
        within = ""
        if node.name == "response_schema_conformance":
            within = pointer(getattr(info.failure, "instance_path", ()))
            if self._said_better(operation, answer, info.failure.message, within):
                return
        place = check.at + within
        deep = check.rule == "fuzz-body" and (info.failure.case_id or case_id) in self._too_deep
        title, message = info.failure.title, info.failure.message
        if deep:
            title, message = "JSON that is nested too deeply to be read", ""
        self._keep(
            Fault(
                check=check,
                operation=operation,
                title=title,
                seen=str(status) if check.at == "/response/status" else _seen(status, message),
                message_pointer=place,
                curl=self._shown(info, recorder, case_id),
                times=1,
            )
        )

    def _said_better(
        self, operation: Operation, answer: Interaction | None, message: str, within: str
    ) -> bool:
        """Whether it is said more exactly: what is no JSON, or what is wrong with the branch that was meant."""
        if answer is None or answer.response is None:
            return False
        if within in constants(answer.response):
            return True
        leaves = self._bodies.leaves(operation, answer.response) if _NO_BRANCH in message else ()
        for each in leaves:
            self._wrong(operation, answer.request, answer.response, each)
        return bool(leaves)

    def _keep(self, fault: Fault) -> None:
        key = (fault.check.rule, fault.operation.name, fault.title, fault.message_pointer)
        self._times[key] += 1
        self._faults.setdefault(key, fault)

    def _shown(self, info: CheckFailureInfo, recorder: ScenarioRecorder, case_id: str) -> str:
        """The lines that show a fault, in their order: of a sequence all those that it needs."""
        wanted = [step.case_id for step in info.steps] or [info.failure.case_id or case_id]
        found = (recorder.interactions.get(each) for each in wanted)
        return " && ".join(curl(each.request, self._hidden) for each in found if each is not None)

    def in_order(self) -> tuple[Fault, ...]:
        """As the operations stand in the contract, then by rule and place."""
        keys = sorted(self._faults, key=lambda key: (self._order[key[1]], key))
        return tuple(replace(self._faults[key], times=self._times[key]) for key in keys)


def _is_of(request: Request, operation: Operation) -> bool:
    """Whether a request has what tells the operation."""

    def form() -> dict[str, str]:
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        body = (request.body or b"") if kind == _FORM else b""
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))

    headers = {name.lower(): ", ".join(values) for name, values in request.headers.items()}
    query = dict(parse_qsl(urlsplit(request.uri).query, keep_blank_values=True))
    return told_by(operation, selector_reader(query, headers, form))


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
    first, _, more = message.partition("\n\n")
    said = one_line(f"{first} {more}" if first.endswith(":") else first or message)
    return f"{status}: {said}" if said else str(status)


def one_line(text: str, most: int = 300) -> str:
    """A text without its line ends, cut where it is longer than `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 3]}..."


def contract_pointer(fault: Fault) -> str:
    """Where the contract says otherwise."""
    return join(fault.operation.pointer, "responses")
