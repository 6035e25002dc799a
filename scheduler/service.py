"""One process for all: the loop, the store, and the pages that `reports` returns, until SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.applications import Starlette

from interlock import serving
from interlock.integration import Integration, redactor_for
from interlock.records import Environment, Outcome, ProbeKind
from interlock.resolve import is_loopback
from interlock.settings import Settings, Web
from interlock.store import Store, open_store
from probes.kinds import plan
from probes.probe import Planned, Tools
from probes.run import Limits
from reports.face import Auth, Face, Listed, Receiving, listed
from reports.routes import routes
from scheduler.heartbeats import PROVIDER, Heartbeats, Job
from scheduler.ledger import Ledger
from scheduler.loop import Loop
from scheduler.manners import SHARE, share_out

log = logging.getLogger("interlock")
DRAIN_SECONDS = 15.0
FIRST_LOOK_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Running:
    """What a running service tells who started it."""

    url: str
    store: Store
    loop: Loop


def plans_for(integrations: Sequence[Integration], tools: Tools, share: float = SHARE) -> list[Planned]:
    """Every probe of every integration, at a polite interval: all together `share` of each limit."""
    return share_out([planned for each in integrations for planned in plan(each, tools)], share)


def face_for(
    settings: Settings,
    integrations: Sequence[Integration],
    plans: Sequence[Planned],
    store: Store,
    tools: Tools,
) -> Face:
    """What the pages stand on."""
    every: dict[str, dict[ProbeKind, float]] = {}
    for planned in plans:
        every.setdefault(planned.integration.name, {})[planned.kind] = planned.every_seconds
    web = settings.suite.web
    return Face(
        store=store,
        integrations=(
            *(listed(each, every.get(each.name)) for each in integrations),
            *_jobs_listed(settings),
        ),
        receiving=tuple(
            Receiving(
                name=each.name,
                title=each.provider.title,
                silent_after_seconds=each.settings.webhooks.silent_after,
            )
            for each in integrations
            if each.settings.webhooks is not None
        ),
        redactor=tools.redactor,
        clock=tools.clock,
        auth=_auth(web, settings),
        allowed_hosts=(*web.allowed_hosts, web.host),
        region=tools.region,
    )


def _jobs_listed(settings: Settings) -> list[Listed]:
    """The jobs that report in, as the pages show them beside the integrations."""
    return [
        Listed(
            name=name,
            provider=PROVIDER,
            title=name,
            environment=Environment.LIVE,
            owner=job.owner,
            every_seconds={ProbeKind.HEARTBEAT: job.every},
        )
        for name, job in settings.heartbeats.items()
    ]


def heartbeats_for(settings: Settings, store: Store, tools: Tools) -> Heartbeats:
    """What takes the reports of the jobs. Raises `SecretError` for a token that cannot be read."""
    jobs = {
        name: Job(
            name=name,
            every_seconds=job.every,
            grace_seconds=job.grace,
            token=job.token.resolve(base=settings.folder),
        )
        for name, job in settings.heartbeats.items()
    }
    return Heartbeats(jobs=jobs, store=store, redactor=tools.redactor, clock=tools.clock, region=tools.region)


def _auth(web: Web, settings: Settings) -> Auth:
    token = web.token.resolve(base=settings.folder) if web.token else None
    password = web.password.resolve(base=settings.folder) if web.password else None
    return Auth(token=token, username=web.username, password=password)


async def serve(
    settings: Settings,
    integrations: Sequence[Integration],
    *,
    host: str,
    port: int,
    started: Callable[[Running], Awaitable[None]],
    done: Callable[[Outcome], None] = lambda _: None,
    stop: asyncio.Event | None = None,
) -> None:
    """Run until SIGTERM, SIGINT or `stop`; then drain. Raises `UsageError`, `StoreError`."""
    stop = stop or asyncio.Event()
    sock = serving.bind(host, port)
    with contextlib.closing(sock), open_store(settings) as store:
        tools = tools_for(settings, integrations, store)
        plans = plans_for(integrations, tools, settings.suite.budget)
        tools.ready(plans)
        face = face_for(settings, integrations, plans, store, tools)
        serving.set_up_logging(tools.redactor)
        _warn(face, host, integrations)
        loop = Loop(
            plans,
            tools,
            store,
            limits=Limits(settings.suite.concurrency),
            retention=settings.suite.retention,
            done=done,
            ledger=Ledger(plans, settings.suite.budget),
        )
        heartbeats = heartbeats_for(settings, store, tools)
        loop.also = heartbeats.tick
        server = serving.server(Starlette(routes=[*heartbeats.routes(), *routes(face)]))
        serving.on_signals(stop)
        gc.collect()
        gc.freeze()  # settings and catalogue live as long as the process: no collection need look at them
        running = asyncio.create_task(server.serve(sockets=[sock]))
        loop.start()
        loop.ask_soon(FIRST_LOOK_SECONDS)
        await started(Running(serving.url(host, sock), store, loop))
        await serving.until(stop, running)
        log.info("stopping: waiting for what is under way")
        await loop.drain(DRAIN_SECONDS)
        server.should_exit = True
        await running


def tools_for(settings: Settings, integrations: Sequence[Integration], store: Store) -> Tools:
    """Tools with the redactor that knows every secret, and the store's key for fingerprints."""
    redactor = redactor_for(settings, integrations)
    redactor.prepare()
    own = settings.suite.fingerprint_key
    key = own.resolve(base=settings.folder).reveal().encode() if own else store.fingerprint_key()
    return Tools(redactor=redactor, fingerprint_key=key, region=settings.suite.region)


def _warn(face: Face, host: str, integrations: Sequence[Integration]) -> None:
    if not is_loopback(host) and not face.auth.wanted:
        log.warning("everybody who can reach %s can read these pages: set suite.web.token", host)
    for each in integrations:
        if each.missing and each.settings.credentials:
            log.warning("%s: %s", each.name, each.missing)
        for name, reference in each.settings.credentials.items():
            if careless := reference.warning(base=each.folder):
                log.warning("%s: credentials.%s: %s", each.name, name, careless)
