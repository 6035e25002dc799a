"""The routes of the web face, ready to be mounted: pages, API, metrics, sign of life."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router

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

    inner: list[BaseRoute] = [Route("/metrics", metrics), *Api(face, history).routes()]
    inner += Pages(face, history).routes()
    open_door = Router([Route("/healthz", healthz)], redirect_slashes=False)
    return [
        Route("/healthz", Gate(open_door, face, guarded=False)),
        Mount("/", app=Gate(Router(inner, redirect_slashes=False), face)),
    ]


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
