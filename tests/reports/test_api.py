"""The JSON API against its own OpenAPI document."""

from __future__ import annotations

import copy
import dataclasses
import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, settings
from jsonschema import Draft202012Validator
from starlette.applications import Starlette
from starlette.routing import Route

from interlock.store import Store
from reports.api import DOCUMENT, Api
from reports.face import Face
from reports.history import History
from reports.routes import routes
from tests.reports import seed
from tests.reports.conftest import Client

NAMES = [story.name for story in seed.STORIES]


def document() -> dict[str, Any]:
    """The document with the names that exist, so that most of what is asked is there."""
    text: dict[str, Any] = copy.deepcopy(DOCUMENT)
    text["components"]["parameters"]["name"]["schema"] = {"type": "string", "enum": [*NAMES, "nobody"]}
    return text


@pytest.fixture(scope="module")
def url(face: Face) -> Iterator[str]:
    """The app behind a real server on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(Starlette(routes=routes(face)), log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


schema = schemathesis.openapi.from_dict(document())
everything = schemathesis.openapi.from_dict(DOCUMENT)


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_what_the_document_promises(case: schemathesis.Case[Any], url: str) -> None:
    case.call_and_validate(base_url=url)


@everything.parametrize()
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_name_is_answered_as_promised(case: schemathesis.Case[Any], url: str) -> None:
    case.call_and_validate(base_url=url)


def validate(name: str, value: object) -> None:
    root = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    Draft202012Validator(root).validate(value)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("integrations", "Integrations"),
        ("integrations?state=down", "Integrations"),
        *[(f"integrations/{name}", "Integration") for name in NAMES],
        ("integrations/payouts/outcomes?limit=3", "Outcomes"),
        ("integrations/payouts/transitions", "Transitions"),
        ("integrations/code/headrooms", "Headrooms"),
    ],
)
def test_real_answers_fit_their_schema(client: Client, path: str, name: str) -> None:
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 200
    assert re.fullmatch(r"interlock\.[a-z]+/1", answer.json()["schema"])
    validate(name, answer.json())


def test_answers_without_any_outcome_fit_too(store: Store, client_with: Callable[..., Client]) -> None:
    client = client_with(store=store)
    validate("Integrations", client.get("/api/v1/integrations").json())
    one = client.get("/api/v1/integrations/payments").json()
    validate("Integration", one)
    assert (one["state"], one["since"], one["uptime"]["day"]) == ("unknown", None, None)
    assert client.get("/api/v1/integrations/payments/outcomes").json()["outcomes"] == []


def test_the_document_names_every_address_and_no_other(face: Face) -> None:
    served = Api(face, History(face.store, face.integrations)).routes()
    paths = {route.path for route in served if isinstance(route, Route)} - {"/api/{rest:path}"}
    assert set(DOCUMENT["paths"]) == paths


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=0", "limit must be a whole number from 1 to 500"),
        ("limit=501", "limit must be a whole number from 1 to 500"),
        ("limit=x", "limit must be a whole number from 1 to 500"),
        ("before=x", "before must be the `older` of an earlier page"),
        ("state=fine", "state must be one of operational, degraded,"),
        ("probe=x", "probe must be one of reachability, credential,"),
    ],
)
def test_a_wrong_parameter_is_named(client: Client, query: str, message: str) -> None:
    answer = client.get(f"/api/v1/integrations/payouts/outcomes?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(message)


def test_outcomes_are_read_page_by_page(client: Client) -> None:
    seen: list[str] = []
    before = ""
    while True:
        page = client.get(f"/api/v1/integrations/payouts/outcomes?limit=10{before}").json()
        seen += [each["id"] for each in page["outcomes"]]
        if page["older"] is None:
            break
        before = f"&before={page['older']}"
    assert len(seen) == len(set(seen)) == 29


def test_what_is_not_there_is_said_in_json(client: Client) -> None:
    for path in (
        "/api/v1/integrations/nobody",
        "/api/v1/nothing",
        "/api",
        "/api/v2/integrations",
        "/api/v1/a%0Ab",
    ):
        answer = client.get(path)
        assert answer.status_code == 404
        if path != "/api":
            assert answer.json()["schema"] == "interlock.error/1"


def test_a_headroom_that_is_over_is_null_and_not_zero(client_with: Callable[..., Client], face: Face) -> None:
    late = dataclasses.replace(face, clock=lambda: seed.NOW + seed.HOUR)
    rooms = client_with(clock=late.clock).get("/api/v1/integrations/code/headrooms").json()["headrooms"]
    assert {(room["remaining"], room["ratio"], room["stale"]) for room in rooms} == {(None, None, True)}
