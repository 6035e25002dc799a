"""Heartbeats: a sync or polling job reports in, and one that is late past its grace is down.

A job says `POST /heartbeats/NAME` with its token in the `Authorization` header, never in the URL, and may say more
in a JSON body: `{"event": "start" | "success" | "failure", "duration_seconds": 12.5, "detail": "..."}`.
"""

from __future__ import annotations

import datetime as dt
import hmac
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from interlock import tables
from interlock.records import Environment, Outcome, ProbeKind, Reason, State
from interlock.redaction import Redactor
from interlock.secrets import Secret
from interlock.store import Store
from interlock.writing import Recorded

PROVIDER = "heartbeat"
EVENTS = frozenset({"start", "success", "failure"})
MAX_BODY_BYTES = 4096
MAX_DETAIL = 200
LONGEST_RUN_SECONDS = 30 * 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job that reports in: at least every `every_seconds`, and `grace_seconds` later it is late."""

    name: str
    every_seconds: float
    grace_seconds: float
    token: Secret


@dataclass(slots=True)
class Pulse:
    """What is known of one job. `expected_from`: when its present turn began; `running_since`: None if it is not."""

    expected_from: dt.datetime
    running_since: dt.datetime | None = None
    told_late_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a job says."""

    event: str
    duration_seconds: float | None
    detail: str


@dataclass(kw_only=True)
class Heartbeats:
    """Takes reports, and says once a turn that a job is late. Call `tick` now and then."""

    jobs: Mapping[str, Job]
    store: Store
    redactor: Redactor
    clock: Callable[[], dt.datetime]
    region: str
    _pulses: dict[str, Pulse] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Go on where the store left off; a job that was never heard has its first turn from now."""
        now = self.clock()
        heard = _last_heard(self.store)
        self._pulses = {name: Pulse(expected_from=heard.get(name, now)) for name in self.jobs}

    def routes(self) -> list[BaseRoute]:
        """`POST /heartbeats/NAME`; mount it before the pages."""
        return [Route("/heartbeats/{name}", self._answer, methods=["POST"])]

    async def _answer(self, request: Request) -> Response:
        job = self.jobs.get(request.path_params["name"])
        if request.url.query:
            return _refusal(
                400, "a heartbeat takes nothing in the URL; the token goes into the Authorization header"
            )
        # an unknown name is answered like a wrong token, so that names cannot be guessed
        if not _admitted(job, request.headers.get("authorization", "")) or job is None:
            return _refusal(401, "the Authorization header must be `Bearer` with this heartbeat's token")
        try:
            report = read(await _body(request))
        except ValueError as exc:
            return _refusal(400, str(exc))
        self.take(job.name, report)
        return Response(status_code=204)

    def take(self, name: str, report: Report) -> None:
        """Take a report; a start alone is no outcome, it only begins the turn."""
        now, pulse = self.clock(), self._pulses[name]
        if report.event == "start":
            pulse.running_since = now
            return
        took = report.duration_seconds
        if took is None and pulse.running_since is not None:
            took = (now - pulse.running_since).total_seconds()
        well = report.event == "success"
        detail = report.detail or ("the job reported success" if well else "the job reported that it failed")
        self._put(name, well=well, reason=Reason.OK if well else Reason.JOB_FAILED, detail=detail, took=took)
        self._pulses[name] = Pulse(expected_from=now)

    def tick(self) -> None:
        """Say of every job that is late that it is, once a turn."""
        now = self.clock()
        for name, job in self.jobs.items():
            pulse = self._pulses[name]
            due = pulse.expected_from + dt.timedelta(seconds=job.every_seconds + job.grace_seconds)
            again = pulse.told_late_at is None or now - pulse.told_late_at >= dt.timedelta(
                seconds=job.every_seconds
            )
            if now > due and again:
                pulse.told_late_at = now
                late = (now - due).total_seconds()
                begun = " It began and did not report its end." if pulse.running_since else ""
                since = f"{pulse.expected_from:%Y-%m-%d %H:%M:%S} UTC"
                detail = f"nothing was heard since {since}, {late:.0f} s past its grace."
                self._put(name, well=False, reason=Reason.LATE, detail=detail + begun, took=None)

    def _put(self, name: str, *, well: bool, reason: Reason, detail: str, took: float | None) -> None:
        outcome = Outcome(
            id=uuid.uuid4().hex,
            integration=name,
            provider=PROVIDER,
            environment=Environment.LIVE,
            probe=ProbeKind.HEARTBEAT,
            region=self.region,
            slot=None,
            started_at=self.clock(),
            duration_seconds=took,
            phases={"total": took} if took is not None else {},
            state=State.OPERATIONAL if well else State.FAILING,
            reason=reason,
            detail=self.redactor.text(detail),
        )
        self.store.put(Recorded(outcome, failures_before_down=1))


def read(body: bytes) -> Report:
    """A report; an empty body is a success. Raises `ValueError` with what is wrong."""
    if not body.strip():
        return Report("success", None, "")
    try:
        told: Any = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise ValueError("the body is not JSON") from exc
    if not isinstance(told, dict) or (unknown := set(told) - {"event", "duration_seconds", "detail"}):
        names = ", ".join(sorted(unknown)) if isinstance(told, dict) else "no object"
        raise ValueError(
            f"the body must be an object with event, duration_seconds, detail; it has {names[:100]}"
        )
    event, took, detail = told.get("event", "success"), told.get("duration_seconds"), told.get("detail", "")
    if event not in EVENTS:
        raise ValueError("event must be start, success or failure")
    if took is not None and not _seconds(took):
        raise ValueError("duration_seconds must be a number of seconds")
    if not isinstance(detail, str):
        raise ValueError("detail must be text")  # noqa: TRY004 - a job's mistake, answered as such
    return Report(event, None if took is None else float(took), " ".join(detail.split())[:MAX_DETAIL])


def _seconds(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 <= value <= LONGEST_RUN_SECONDS


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise ValueError(f"the body is larger than {MAX_BODY_BYTES} bytes")
    return body


def _admitted(job: Job | None, authorization: str) -> bool:
    """Whether the token is the job's; takes as long for a job that does not exist."""
    kind, _, given = authorization.partition(" ")
    wanted = job.token.reveal() if job else uuid.uuid4().hex
    same = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), wanted.encode())
    return same and kind.lower() == "bearer" and job is not None


def _refusal(status: int, message: str) -> JSONResponse:
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}  # noqa: PLR2004 - RFC 9110, 11.6.1
    return JSONResponse({"schema": "interlock.error/1", "error": message}, status, headers=headers)


def _last_heard(store: Store) -> dict[str, dt.datetime]:
    """When each job itself was heard last; what was said of its lateness does not count."""
    t = tables.outcomes.c
    query = sa.select(t.integration, sa.func.max(t.started_at)).group_by(t.integration)
    query = query.where(t.probe == ProbeKind.HEARTBEAT.value, t.reason != Reason.LATE.value)
    with store.reading() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}
