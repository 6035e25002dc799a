"""What schemathesis is told: every operation of a contract, those of one path and method in turns."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from contracts.fuzz.engine import Fuzzed, Wish, fuzz
from contracts.fuzz.turns import prepared
from contracts.shelf import Shelf
from tests.contracts.fuzz import shops

SOMEWHERE = "http://127.0.0.1:1"
FORM = "application/x-www-form-urlencoded"


def test_base_paths_are_the_contracts_unless_the_address_has_one() -> None:
    (turn,) = prepared(shops.contract(), f"{SOMEWHERE}/").turns
    assert list(turn.document()["paths"]) == ["/v1/items", "/v1/items/{id}"]
    assert list(turn.known) == ["GET /v1/items", "GET /v1/items/{id}"]
    (turn,) = prepared(shops.contract(), f"{SOMEWHERE}/shop").turns
    assert list(turn.document()["paths"]) == ["/items", "/items/{id}"]


def test_every_operation_of_the_library_has_a_turn() -> None:
    for name in Shelf(Path("nowhere")).known():
        contract = Shelf(Path("nowhere")).load(name)
        made = prepared(contract, SOMEWHERE)
        assert made.left_out == {}
        asked = [each.name for turn in made.turns for each in turn.known.values()]
        assert sorted(asked) == sorted(each.name for each in contract.operations), name
        for turn in made.turns:
            paths = turn.document()["paths"].values()
            assert sum(len(item.keys() - {"parameters"}) for item in paths) == len(turn.known)


def answers(text: str) -> dict[str, Any]:
    """An answer that is this text alone."""
    return {"200": shops.answer({"const": text})}


def sends(**fields: Any) -> dict[str, Any]:
    """A form that must have these fields."""
    schema = {"type": "object", "required": list(fields), "properties": fields}
    return {"required": True, "content": {FORM: {"schema": schema}}}


def parameter(name: str, place: str, **schema: Any) -> dict[str, Any]:
    """A parameter that tells an operation from others."""
    return {"name": name, "in": place, "x-interlock-tells": True, "schema": {"type": "string", **schema}}


SEVERAL: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Several", "version": "1"},
    "paths": {
        "/box": {"get": {"responses": answers("plain")}},
        "/box?list-type=2": {"get": {"responses": answers("listed")}},
        "/box?copied": {
            "get": {"parameters": [parameter("X-Copied", "header")], "responses": answers("copied")}
        },
        "/#Action=Send": {"post": {"requestBody": sends(Action={"const": "Send"}), "responses": answers("Send")}},
        "/#Action=List": {"post": {"requestBody": sends(Most={"type": "integer"}), "responses": answers("List")}},
        "/#X-Target=Look": {"post": {"responses": answers("Look")}},
    },
}  # fmt: skip


class Several(BaseHTTPRequestHandler):
    """Keeps that contract: what has several ways to be told is told by each."""

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        listed = query.get("list-type") == ["2"]
        self._say("listed" if listed else "copied" if self.headers.get("X-Copied") is not None else "plain")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        action = parse_qs(body.decode("utf-8", "replace")).get("Action", [""])[0]
        self._say(self.headers.get("X-Target") or action)

    def _say(self, text: str) -> None:
        body = json.dumps(text).encode()
        self.send_response(200)
        self.send_header("Content-Type", shops.JSON)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the standard library
        pass


def asked(handler: type[BaseHTTPRequestHandler], document: dict[str, Any]) -> Fuzzed:
    """A server of these, fuzzed a little."""
    with shops.listening(handler) as url:
        return fuzz(shops.contract(document), Wish(url=url, seed=7, max_examples=8))


def test_operations_of_one_path_are_asked_each_by_what_tells_it() -> None:
    found = asked(Several, SEVERAL)
    assert found.faults == ()
    assert [each.name for each in found.operations] == [
        "GET /box",
        "GET /box?list-type=2",
        "GET /box X-Copied",
        "POST / Action=Send",
        "POST / Action=List",
        "POST / X-Target=Look",
    ]
    assert found.finished == set(found.answered) == {each.name for each in found.operations}


def test_a_fault_of_one_of_them_is_that_ones() -> None:
    class Wrong(Several):
        def _say(self, text: str) -> None:
            super()._say("nothing" if text in {"listed", "List"} else text)

    found = asked(Wrong, SEVERAL)
    assert {each.operation.name for each in found.faults} == {"GET /box?list-type=2", "POST / Action=List"}
    assert {each.check.rule for each in found.faults} == {"fuzz-body"}


def test_swagger_has_them_too() -> None:
    swagger = {
        "swagger": "2.0",
        "info": {"title": "Several", "version": "1"},
        "produces": [shops.JSON],
        "paths": {
            path: {"get": {"responses": {"200": {"description": "", "schema": {"type": "string", "enum": [text]}}}}}
            for path, text in {"/box": "plain", "/box?list-type=2": "listed"}.items()
        },
    }  # fmt: skip
    found = asked(Several, swagger)
    assert found.faults == ()
    assert found.finished == {"GET /box", "GET /box?list-type=2"}


def test_path_items_that_stand_apart_and_references_into_paths_are_followed() -> None:
    said = {"$ref": "#/paths/~1box/get/responses/200"}
    document = {
        **SEVERAL,
        "servers": [{"url": "https://several.example/"}],
        "paths": {
            "/box": {"get": {"responses": answers("plain")}},
            "/same": {"$ref": "#/components/pathItems/Same"},
            "/again": {"$ref": "#/paths/~1box"},
        },
        "components": {"pathItems": {"Same": {"get": {"responses": {"200": said}}}}},
    }
    found = asked(Several, document)
    assert found.faults == ()
    assert found.finished == {"GET /box", "GET /same", "GET /again"}


@pytest.mark.parametrize(
    ("where", "path", "count"), [({}, "", 1), ({}, "/here", 0), ({"where": {"default": "a"}}, "", 0)]
)
def test_a_base_path_that_nobody_said_is_not_asked(where: dict[str, Any], path: str, count: int) -> None:
    document = {**SEVERAL, "servers": [{"url": "https://x.example/{where}", "variables": where}]}
    made = prepared(shops.contract(document), SOMEWHERE + path)
    assert bool(made.left_out) is bool(count)
    assert len(made.left_out) + sum(len(turn.known) for turn in made.turns) == 6
