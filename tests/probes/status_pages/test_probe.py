"""The status-page probe on loopback: conditional requests, the order of engines, and pages that fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from interlock import catalogue
from interlock.integration import Integration, public_face, resolve
from interlock.records import Outcome, ProbeKind, Reason, State
from interlock.settings import IntegrationSettings, Network
from probes.kinds import plan
from probes.probe import Tools
from probes.run import run
from probes.status_pages.probe import page_of
from probes.status_pages.told import Incident, Level, Told, judge
from tests.loopback import server

WELL = {"status": {"indicator": "none"}, "components": [], "incidents": []}


def joined(**table: Any) -> Integration:
    settings = IntegrationSettings.model_validate({"provider": "stripe", "environment": "stand_in", **table})
    return resolve("payments", settings, network=Network(), folder=Path())


async def ask(integration: Integration, tools: Tools) -> Outcome:
    (planned,) = plan(integration, tools, frozenset({ProbeKind.STATUS_PAGE}))
    return await run(planned, tools)


class Pages:
    """Serves what it is given by path, with an ETag, and remembers what it was asked."""

    def __init__(self, **pages: Any) -> None:
        self.pages = pages
        self.asked: list[str] = []
        self.not_modified = 0

    async def __call__(self, head: bytes, _: object, writer: Any) -> None:
        path = head.split()[1].decode()
        self.asked.append(path)
        page = self.pages.get(path.strip("/").replace("/", "_").replace(".", "_"))
        if page is None:
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            return
        body = json.dumps(page).encode()
        etag = f'"{hash(body)}"'
        if f"if-none-match: {etag}".encode() in head.lower():
            self.not_modified += 1
            writer.write(f"HTTP/1.1 304 Not Modified\r\nETag: {etag}\r\n\r\n".encode())
            return
        writer.write(
            f"HTTP/1.1 200 OK\r\nETag: {etag}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )


async def test_a_page_that_has_not_changed_is_not_sent_again() -> None:
    pages = Pages(api_v2_summary_json=WELL)
    async with server(pages) as port:
        url = f"http://127.0.0.1:{port}/api/v2/summary.json"
        integration, tools = joined(status_page=url, status_page_engine="statuspage"), Tools()
        states = [(await ask(integration, tools)).state for _ in range(3)]
    assert states == [State.OPERATIONAL] * 3
    assert pages.not_modified == 2


async def test_incident_io_is_tried_first_and_remembered() -> None:
    """Its page answers on Atlassian's address too, and there it says less."""
    ongoing = {"name": "Errors", "status": "identified", "current_worst_impact": "full_outage"}
    pages = Pages(api_v1_summary={"ongoing_incidents": [ongoing]}, api_v2_summary_json=WELL)
    async with server(pages) as port:
        integration, tools = joined(status_page=f"http://127.0.0.1:{port}"), Tools()
        outcome = await ask(integration, tools)
        await ask(integration, tools)
    assert (outcome.state, outcome.reason) == (State.FAILING, Reason.PROVIDER_INCIDENT)
    assert "Errors" in outcome.detail
    assert pages.asked == ["/api/v1/summary", "/api/v1/summary"]


async def test_the_next_engine_is_tried_where_one_cannot_read() -> None:
    pages = Pages(summary_json={"page": {"status": "UP"}})
    async with server(pages) as port:
        outcome = await ask(joined(status_page=f"http://127.0.0.1:{port}"), Tools())
    assert outcome.state is State.OPERATIONAL
    assert pages.asked == ["/api/v1/summary", "/api/v2/summary.json", "/summary.json"]


async def test_a_page_that_cannot_be_read_or_reached_is_unknown() -> None:
    async with server(Pages(api_v1_summary=["All systems operational"])) as port:
        unreadable = await ask(joined(status_page=f"http://127.0.0.1:{port}"), Tools())
    silent = await ask(joined(status_page="http://127.0.0.1:1"), Tools())
    assert (unreadable.state, unreadable.reason) == (State.UNKNOWN, Reason.UNREADABLE)
    assert (silent.state, silent.reason) == (State.UNKNOWN, Reason.CONNECT)


async def test_a_status_page_never_gets_our_credential(monkeypatch: Any) -> None:
    monkeypatch.setenv("KEY", "sk_test_madeupmadeupmadeup1234")
    heads: list[bytes] = []

    async def note(head: bytes, _: object, writer: Any) -> None:
        heads.append(head)
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    async with server(note) as port:
        url = f"http://127.0.0.1:{port}"
        await ask(joined(status_page=url, credentials={"secret_key": "env:KEY"}), Tools())
    assert heads
    assert all(b"authorization" not in head.lower() and b"sk_test" not in head for head in heads)


def test_a_stand_in_has_no_status_page_of_the_real_provider() -> None:
    assert plan(joined(), Tools(), frozenset({ProbeKind.STATUS_PAGE})) == []


@pytest.mark.parametrize("provider", ["s3", "ses", "sns", "cognito", "gcs", "azure_blob", "fcm"])
def test_a_page_of_many_services_is_read_for_its_own(provider: str) -> None:
    """An outage of a neighbour on the same page is not this provider's; one that names nobody is not known."""
    page = page_of(public_face(catalogue.load(provider)))
    assert page is not None
    own = Incident(f"Errors in {page.components[0]}", Level.DEGRADED)
    neighbour = Incident("Errors elsewhere", Level.DEGRADED, ("A Neighbour",))
    nobody = Incident("Some customers see errors", Level.DEGRADED)
    states = [
        judge(Told(None, (), (each,)), page.components, "Acme").state for each in (own, neighbour, nobody)
    ]
    assert states == [State.DEGRADED, State.OPERATIONAL, State.UNKNOWN]
