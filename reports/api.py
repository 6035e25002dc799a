"""The JSON API, version 1: what the pages show, for machines. `openapi.json` describes it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from interlock.advice import advise
from interlock.records import Finding, Outcome, ProbeKind, State, plain
from reports.face import Face
from reports.history import History, Page
from reports.views import (
    Change,
    IntegrationView,
    Latency,
    ProbeView,
    Room,
    Scheduler,
    Uptime,
    matching,
)

PREFIX = "/api/v1"
LARGEST_PAGE, USUAL_PAGE = 500, 50
CURSOR = re.compile(r"[0-9]{1,18}-[0-9]{1,18}")
DOCUMENT = json.loads((Path(__file__).parent / "openapi.json").read_text(encoding="utf-8"))
E = TypeVar("E", bound=StrEnum)


class BadRequestError(Exception):
    """A parameter is wrong; the message says which, and what it may be."""


class Api:
    """The handlers. Each is a plain function of the request, run beside the event loop."""

    def __init__(self, face: Face, history: History) -> None:
        self._face, self._history = face, history

    def routes(self) -> list[BaseRoute]:
        """Every address of the API."""
        one = f"{PREFIX}/integrations/{{name}}"
        return [
            Route(f"{PREFIX}/openapi.json", self._answer(self.document)),
            Route(f"{PREFIX}/integrations", self._answer(self.integrations)),
            Route(one, self._answer(self.integration)),
            Route(f"{one}/outcomes", self._answer(self.outcomes)),
            Route(f"{one}/transitions", self._answer(self.transitions)),
            Route(f"{one}/headrooms", self._answer(self.headrooms)),
        ]

    def nothing(self, _: Request) -> Response:
        """There is nothing at this address."""
        return self._json(_error("there is nothing here"), 404)

    def _answer(self, read: Callable[[Request], dict[str, Any] | None]) -> Callable[[Request], Response]:
        """Turn what a reader returns into an answer: None is 404, a wrong parameter 400."""

        def endpoint(request: Request) -> Response:
            try:
                found = read(request)
            except BadRequestError as exc:
                return self._json(_error(str(exc)), 400)
            return self.nothing(request) if found is None else self._json(found)

        return endpoint

    def _json(self, value: dict[str, Any], status: int = 200) -> Response:
        clean = self._face.redactor.value(plain(value))
        text = json.dumps(clean, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return Response(text.encode("utf-8", "replace"), status, media_type="application/json")

    # -- readers ---------------------------------------------------------------------------------

    def document(self, _: Request) -> dict[str, Any]:
        """The OpenAPI document of this API."""
        found: dict[str, Any] = DOCUMENT
        return found

    def integrations(self, request: Request) -> dict[str, Any]:
        """Every integration as it stands, worst first; `state`, `owner` and `q` choose."""
        state = choice(request, "state", State)
        overview = self._history.overview(self._face.clock())
        words = request.query_params
        chosen = matching(overview.integrations, state=state, owner=words.get("owner"), text=words.get("q"))
        return {
            "schema": "interlock.integrations/1",
            "at": overview.at,
            "scheduler": _scheduler(overview.scheduler),
            "integrations": [self._summary(view) for view in chosen],
        }

    def integration(self, request: Request) -> dict[str, Any] | None:
        """One integration with its probes, headrooms and newest transitions."""
        now = self._face.clock()
        if (found := self._history.integration(request.path_params["name"], now)) is None:
            return None
        view, scheduler = found
        return {
            "schema": "interlock.integration/1",
            "at": now,
            "scheduler": _scheduler(scheduler),
            **self._summary(view),
            "probes": [self._probe(view, probe) for probe in view.probes],
            "transitions": [_change(change) for change in view.changes],
        }

    def outcomes(self, request: Request) -> dict[str, Any] | None:
        """An integration's outcomes, newest first, page by page."""
        if (name := self._known(request)) is None:
            return None
        page = self._history.outcomes(
            name,
            probe=choice(request, "probe", ProbeKind),
            state=choice(request, "state", State),
            before=cursor(request),
            limit=limit(request),
        )
        return _page("outcomes", page, outcome)

    def transitions(self, request: Request) -> dict[str, Any] | None:
        """An integration's transitions, newest first, page by page."""
        if (name := self._known(request)) is None:
            return None
        page = self._history.transitions(name, before=cursor(request), limit=limit(request))
        return _page("transitions", page, _change)

    def headrooms(self, request: Request) -> dict[str, Any] | None:
        """What is left of an integration's rate limits."""
        if (name := self._known(request)) is None:
            return None
        now = self._face.clock()
        rooms = [_room(room) for room in self._history.headrooms(name, now)]
        return {"schema": "interlock.headrooms/1", "at": now, "headrooms": rooms}

    def _known(self, request: Request) -> str | None:
        name: str = request.path_params["name"]
        return name if name in self._history.names() else None

    # -- shapes ----------------------------------------------------------------------------------

    def _summary(self, view: IntegrationView) -> dict[str, Any]:
        timed, listed = view.timed, view.listed
        return {
            "name": listed.name,
            "provider": listed.provider,
            "title": listed.title,
            "environment": listed.environment,
            "owner": listed.owner,
            "documentation": listed.documentation or None,
            "state": view.state,
            "since": view.since,
            "last_seen": view.last_seen,
            "in_maintenance": bool(view.status and view.status.last.in_maintenance),
            **self._words(view, view.lead),
            "verdict": view.verdict,
            "uptime": _uptime(view.uptime),
            "latency": {"probe": timed.kind, **_latency(timed.latency)} if timed else None,
            "headrooms": [_room(room) for room in view.rooms],
        }

    def _words(self, view: IntegrationView, probe: ProbeView | None) -> dict[str, Any]:
        if probe is None or probe.status is None:
            return {"why": None, "what_to_do": None, "whose": None}
        advice = advise(probe.status, view.listed.title, now=self._face.clock())
        return {"why": advice.why, "what_to_do": advice.what_to_do, "whose": advice.whose}

    def _probe(self, view: IntegrationView, probe: ProbeView) -> dict[str, Any]:
        status = probe.status
        return {
            "probe": probe.kind,
            "region": probe.region,
            "every_seconds": probe.every_seconds,
            "state": status.state if status else State.UNKNOWN,
            "since": status.since if status else None,
            "failures": status.failures if status else 0,
            "stale": probe.stale(self._face.clock()),
            **self._words(view, probe),
            "uptime": _uptime(probe.uptime),
            "latency": _latency(probe.latency) if probe.latency.blob else None,
            "last": outcome(status.last) if status else None,
        }


def outcome(each: Outcome) -> dict[str, Any]:
    """An outcome without its headrooms, which stand on their own."""
    names = (
        "id", "probe", "region", "environment", "slot", "started_at", "duration_seconds", "state", "reason",
        "detail", "status_code", "retry_at", "in_maintenance", "certificate_expires_at",
    )  # fmt: skip
    more = {"phases": dict(each.phases), "credential": each.credential}
    return (
        {name: getattr(each, name) for name in names}
        | more
        | {"findings": [_finding(f) for f in each.findings]}
    )


def _finding(found: Finding) -> dict[str, Any]:
    names = ("fingerprint", "rule", "severity", "subject", "promised", "seen", "fix", "source")
    return {name: getattr(found, name) for name in names}


def choice(request: Request, name: str, kind: type[E]) -> E | None:
    """A query parameter that names a member of `kind`; None where it is absent."""
    if (text := request.query_params.get(name)) is None:
        return None
    try:
        return kind(text)
    except ValueError as exc:
        raise BadRequestError(f"{name} must be one of {', '.join(kind)}") from exc


def limit(request: Request) -> int:
    """How many rows a page holds."""
    text = request.query_params.get("limit", str(USUAL_PAGE))
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= LARGEST_PAGE:
        raise BadRequestError(f"limit must be a whole number from 1 to {LARGEST_PAGE}")
    return int(text)


def cursor(request: Request) -> str | None:
    """Where a page begins: the `older` of the page before."""
    text = request.query_params.get("before")
    if text is not None and not CURSOR.fullmatch(text):
        raise BadRequestError("before must be the `older` of an earlier page")
    return text


def _error(message: str) -> dict[str, Any]:
    return {"schema": "interlock.error/1", "error": message}


def _page(name: str, page: Page[Any], shape: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    return {"schema": f"interlock.{name}/1", name: [shape(row) for row in page.rows], "older": page.older}


def _scheduler(seen: Scheduler) -> dict[str, Any]:
    return {
        "alive": seen.alive,
        "last_seen": seen.last_seen,
        "lag_seconds": seen.lag_seconds,
        "missed_runs": seen.missed,
    }


def _uptime(shares: Uptime) -> dict[str, Any]:
    return {"day": shares.day, "week": shares.week, "month": shares.month}


def _latency(seen: Latency) -> dict[str, Any]:
    return {"p50_seconds": seen.p50, "p95_seconds": seen.p95, "p99_seconds": seen.p99}


def _room(room: Room) -> dict[str, Any]:
    names = (
        "bucket",
        "unit",
        "limit",
        "window_seconds",
        "reset_at",
        "source",
        "confidence",
        "told_by",
        "seen_at",
    )
    told = {name: getattr(room.told, name) for name in names}
    known = ("remaining", "used", "ratio", "exhausted_at", "stale")
    return told | {name: getattr(room, name) for name in known}


def _change(change: Change) -> dict[str, Any]:
    names = ("probe", "region", "at", "before", "after", "reason", "detail", "outcome_id")
    return {name: getattr(change, name) for name in names}
