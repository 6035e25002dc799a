"""The status-page probe: reads what the provider says of itself, and asks again only for what has changed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from interlock.catalogue import Cost, places
from interlock.http import Draft
from interlock.integration import Integration
from interlock.records import Environment, Reason
from interlock.wire import Answer, WireError
from probes.probe import Planned, Seen, Tools, unknown
from probes.status_pages.engines import ENGINES, TRIED
from probes.status_pages.told import Told, Unreadable, judge

NOT_MODIFIED = 304


@dataclass(frozen=True, slots=True)
class Page:
    """Where a page is, how it is written, and which components matter."""

    engine: str
    url: str
    components: tuple[str, ...]
    certainty: str


@dataclass(slots=True)
class Remembered:
    """The last answer that could be read: for conditional requests, and for the engine of an `auto` page."""

    url: str
    engine: str
    told: Told
    validators: dict[str, str]


@dataclass
class StatusPageProbe:
    """Nobody's quota is used: a status page is public."""

    _memory: dict[tuple[str, str], Remembered] = field(default_factory=dict)

    def cost(self, integration: Integration) -> Cost | None:
        """Free; None where there is no page, or where nobody real is asked."""
        return Cost(requests=1, free=True) if page_of(integration) else None

    def host(self, integration: Integration) -> str | None:
        """Of the page."""
        page = page_of(integration)
        return urlsplit(page.url).hostname if page else None

    async def ask(self, planned: Planned, tools: Tools) -> Seen:
        """Read the page. A page that cannot be reached or read says nothing of the provider: `unknown`."""
        page = page_of(planned.integration)
        assert page is not None, "only a page that is known is planned"
        title = planned.integration.provider.title
        problem = "it could not be read"
        for engine, url in self._candidates(page):
            try:
                answer, told = await self._read(engine, url, page, planned, tools)
            except WireError as exc:
                # the reason stays, so that our own lost connection can be told from their silent page
                return dataclasses.replace(
                    unknown(exc.reason, f"{title}'s status page gives no answer: {exc.detail}"),
                    phases=dict(exc.phases),
                )
            except Unreadable as exc:
                problem = str(exc)
                continue
            judgement = judge(told, page.components, title)
            return Seen(judgement=judgement, phases=dict(answer.phases), status_code=answer.status)
        return unknown(Reason.UNREADABLE, f"{title}'s status page says nothing that can be read: {problem}")

    def _candidates(self, page: Page) -> list[tuple[str, str]]:
        if page.engine != "auto":
            return [(page.engine, page.url)]
        known = self._memory.get((page.engine, page.url))
        return (
            [(known.engine, known.url)] if known else [(e, page.url.rstrip("/") + path) for e, path in TRIED]
        )

    async def _read(
        self, engine: str, url: str, page: Page, planned: Planned, tools: Tools
    ) -> tuple[Answer, Told]:
        known = self._memory.get((page.engine, page.url))
        headers = {
            "Accept": "application/json, application/xml;q=0.9, */*;q=0.5",
            **(known.validators if known else {}),
        }
        answer = await tools.client.ask(
            Draft(method="GET", url=url, headers=tuple(headers.items())),
            network=planned.integration.network,
            folder=planned.integration.folder,
            deadline_seconds=planned.timeout_seconds,
        )
        if answer.status == NOT_MODIFIED and known is not None:
            return answer, known.told
        if answer.status != 200:  # noqa: PLR2004 - anything else is no page
            raise Unreadable(f"it answers {answer.status}")
        if answer.truncated:
            raise Unreadable(f"it is larger than {len(answer.body)} bytes")
        told = ENGINES[engine](answer.body, tools.clock())
        self._memory[page.engine, page.url] = Remembered(url, engine, told, _validators(answer))
        return answer, told


def _validators(answer: Answer) -> dict[str, str]:
    """What to send along next time (RFC 9110, 13.1)."""
    pairs = (("If-None-Match", "etag"), ("If-Modified-Since", "last-modified"))
    return {name: answer.headers[field] for name, field in pairs if field in answer.headers}


def page_of(integration: Integration) -> Page | None:
    """The page that the settings name, else the catalogue's; a stand-in has none unless the settings name it."""
    told, settings = integration.provider.status_page, integration.settings
    if settings.status_page is not None:
        engine = settings.status_page_engine or "auto"
        return Page(engine, settings.status_page, settings.status_components, "verified")
    if told is None or integration.environment is Environment.STAND_IN:
        return None
    if places(told.url) - set(integration.parameters):
        return None  # each instance has a page of its own, and which one is ours is not set
    url = told.url.format_map(integration.parameters)
    return Page(told.engine, url, settings.status_components or told.components, told.certainty)
