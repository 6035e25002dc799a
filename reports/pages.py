"""The pages: the list, and one for each integration. Jinja escapes; the redactor reads every value first."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from interlock import __version__
from interlock.advice import Advice, advise
from interlock.records import Environment, Outcome, Reason, State, Status
from interlock.status import WORST_FIRST
from reports import charts, inbox, wording
from reports.api import CURSOR
from reports.face import Face
from reports.history import History
from reports.views import IntegrationView, Overview, ProbeView, matching

FOLDER = Path(__file__).parent
ROWS = 200  # integrations on one page of the list
OUTCOMES = 25  # outcomes on the page of an integration
REFRESH_SECONDS = 10
MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
QUIET = frozenset({Reason.OK, Reason.PUBLIC_FACE})


class Pages:
    """The handlers. Each is a plain function of the request, run beside the event loop."""

    def __init__(self, face: Face, history: History) -> None:
        self._face, self._history = face, history
        self._files = {path.name: path.read_bytes() for path in sorted((FOLDER / "static").iterdir())}
        self._environment = self._jinja()

    def routes(self) -> list[BaseRoute]:
        """Every address of the pages."""
        return [
            Route("/", self.home),
            Route("/integrations/{name}", self.integration),
            Route("/webhooks", self.webhooks),
            Route("/static/{file}", self.static),
        ]

    def home(self, request: Request) -> Response:
        """The list of all integrations, worst first."""
        overview = self._history.overview(self._face.clock())
        words = request.query_params
        state = words.get("state", "")
        chosen = matching(
            overview.integrations,
            state=State(state) if state in set(State) else None,
            owner=words.get("owner"),
            text=words.get("q"),
        )
        pages = max(1, math.ceil(len(chosen) / ROWS))
        page = min(pages, max(1, int(text) if (text := words.get("page", "1")[:6]).isdecimal() else 1))
        return self._page(
            request,
            "home.html",
            overview.at,
            overview=overview,
            shown=chosen[(page - 1) * ROWS : page * ROWS],
            found=len(chosen),
            page=page,
            pages=pages,
            counts=_counts(overview),
            owners=sorted({v.listed.owner for v in overview.integrations if v.listed.owner}),
            chosen={name: words.get(name, "") for name in ("state", "owner", "q")},
            scheduler=overview.scheduler if overview.integrations else None,
        )

    def integration(self, request: Request) -> Response:
        """One integration: its probes, limits, transitions and newest outcomes."""
        now = self._face.clock()
        name = request.path_params["name"]
        if (found := self._history.integration(name, now)) is None:
            return self.nothing(request)
        before = request.query_params.get("before", "")
        before = before if CURSOR.fullmatch(before) else ""
        view, scheduler = found
        outcomes = self._history.outcomes(name, before=before or None, limit=OUTCOMES)
        template = "integration.html"
        return self._page(
            request, template, now, view=view, outcomes=outcomes, before=before, scheduler=scheduler
        )

    def webhooks(self, request: Request) -> Response:
        """What the inbox took, refused and sent on."""
        now = self._face.clock()
        scheduler = self._history.scheduler(now)
        return self._page(
            request,
            "webhooks.html",
            now,
            scheduler=scheduler,
            taken=inbox.read(self._face.store, self._face.receiving),
        )

    def static(self, request: Request) -> Response:
        """Style, script and icon; their addresses change with their content."""
        name = request.path_params["file"]
        if name not in self._files:
            return self.nothing(request)
        kept = {"Cache-Control": "private, max-age=31536000, immutable"}
        return Response(self._files[name], media_type=MEDIA_TYPES[Path(name).suffix], headers=kept)

    def nothing(self, request: Request) -> Response:
        """There is no such page."""
        return self._page(request, "nothing.html", self._face.clock(), status=404, scheduler=None)

    # -- rendering -------------------------------------------------------------------------------

    def _page(
        self, request: Request, template: str, now: dt.datetime, *, status: int = 200, **values: Any
    ) -> Response:
        prefix = request.scope.get("root_path", "")
        here = {"prefix": prefix, "now": now, "refresh": REFRESH_SECONDS, "here": request.url.path}
        html = self._environment.get_template(template).render(here | values)
        return HTMLResponse(html.encode("utf-8", "replace"), status)

    def _jinja(self) -> jinja2.Environment:
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            finalize=self._clean,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        words = (wording.span, wording.duration, wording.percent, wording.amount, wording.clock, wording.iso)
        environment.filters.update({each.__name__: each for each in words})
        environment.filters |= {"ago": wording.ago, "sentence": wording.sentence}
        environment.globals |= {
            "version": __version__,
            "files": {name: _digest(data) for name, data in self._files.items()},
            "charts": charts,
            "state_words": wording.STATE_WORDS,
            "verdict_words": wording.VERDICT_WORDS,
            "phase_words": wording.PHASE_WORDS,
            "environment_words": wording.ENVIRONMENT_WORDS,
            "outcome_words": wording.OUTCOME_WORDS,
            "receives": bool(self._face.receiving),
            "State": State,
            "Environment": Environment,
            "worst_first": WORST_FIRST,
            "advice": _advice,
            "quiet": _quiet,
            "query": _query,
            "hours_of": _hours_of,
            "every": _every,
        }
        return environment

    def _clean(self, value: Any) -> Any:
        """The last gate: text passes the redactor before it is escaped. None is nothing."""
        if value is None:
            return ""
        return (
            self._face.redactor.text(value) if isinstance(value, str) and type(value) is not Markup else value
        )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


def _counts(overview: Overview) -> dict[State, int]:
    """How many integrations have each state, worst first; those without an outcome are not counted."""
    counts = Counter(view.state for view in overview.integrations if view.status)
    return {state: counts[state] for state in WORST_FIRST if counts[state]}


def _advice(seen: Outcome | Status, title: str, now: dt.datetime) -> Advice:
    return advise(seen, title, now=now)


def _quiet(seen: Status) -> bool:
    """Whether there is nothing to say."""
    return seen.last.reason in QUIET


def _query(chosen: Mapping[str, str], **changes: str | int) -> str:
    """A query string with some parameters changed; empty ones are left out."""
    merged = {**chosen, **{name: str(value) for name, value in changes.items()}}
    return "?" + urlencode({name: value for name, value in merged.items() if value})


def _hours_of(probe: ProbeView) -> list[dt.datetime]:
    return [dt.datetime.fromtimestamp(hour.start, dt.UTC) for hour in probe.hours]


def _every(view: IntegrationView) -> float | None:
    """How soon first answers come: the shortest interval; None where it is not known."""
    return min(view.listed.every_seconds.values(), default=None)
