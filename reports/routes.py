"""The routes of the web face, ready to be mounted: pages, API, metrics, sign of life."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match, Route, Router, request_response
from starlette.types import ASGIApp, Receive, Scope, Send

from interlock.errors import StoreError
from interlock.records import plain
from reports.api import Api
from reports.exposition import encode, negotiate
from reports.face import Face
from reports.gate import Gate
from reports.history import History
from reports.metrics import families
from reports.pages import Pages


def routes(face: Face) -> list[BaseRoute]:
    """Everything that is read. Mount them last: the second one takes every address that is left.

    `/healthz` is open to everybody and says only whether we are alive; all else stands behind the gate.
    """
    history = History(face.store, face.integrations, region=face.region)

    def metrics(request: Request) -> Response:
        kind = negotiate(request.headers.get("accept", ""))
        return Response(encode(families(face), kind), headers={"Content-Type": kind, "Vary": "Accept"})

    def healthz(_: Request) -> Response:
        return sign_of_life(face, history)

    api, pages = Api(face, history), Pages(face, history)

    def nothing(request: Request) -> Response:
        return api.nothing(request) if "/api/" in request.url.path else pages.nothing(request)

    inner = [Route("/metrics", metrics), *api.routes(), *pages.routes()]
    guarded = Router(inner, redirect_slashes=False, default=request_response(nothing))
    return [
        Route("/healthz", Gate(request_response(healthz), face, guarded=False)),
        Everything(Gate(guarded, face)),
    ]


class Everything(BaseRoute):
    """Takes every address, those with line breaks too, which `Mount("/")` lets slip past the gate."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Every request; not the lifespan of the server."""
        return (Match.FULL if scope["type"] in {"http", "websocket"} else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on."""
        await self.app(scope, receive, send)


def sign_of_life(face: Face, history: History) -> Response:
    """200 while the store can be read and the scheduler has given a sign of life lately; else 503."""
    try:
        scheduler = history.scheduler(face.clock())
    except StoreError:
        return _health(store=False, scheduler=False, last_seen=None)
    return _health(store=True, scheduler=scheduler.alive, last_seen=plain(scheduler.last_seen))


def _health(*, store: bool, scheduler: bool, last_seen: str | None) -> Response:
    told = {"schema": "interlock.health/1", "store": store, "scheduler": scheduler, "last_seen": last_seen}
    return JSONResponse(told, 200 if store and scheduler else 503)
