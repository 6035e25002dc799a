"""A store that keeps what is put into it, and some that have one fault which no single request shows."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.contracts.fuzz.shops import ERROR, ITEM, JSON, answer, listening

NEW: dict[str, Any] = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string"}},
    "additionalProperties": False,
}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Store", "version": "1"},
    "servers": [{"url": "https://api.store.example/v1"}],
    "paths": {
        "/items": {
            "post": {
                "requestBody": {"required": True, "content": {JSON: {"schema": NEW}}},
                "responses": {"201": answer(ITEM), "400": answer(ERROR)},
            },
        },
        "/items/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
            "get": {
                "operationId": "look",
                "responses": {"200": answer(ITEM), "400": answer(ERROR), "404": answer(ERROR)},
            },
            "delete": {
                "responses": {"204": {"description": ""}, "400": answer(ERROR), "404": answer(ERROR)},
            },
        },
    },
}


class Store:
    """What is in it, by number. Faults: `keeps` what is deleted, or `loses` what is put in."""

    def __init__(self, *, keeps: bool = False, loses: bool = False) -> None:
        self.keeps, self.loses = keeps, loses
        self.items: dict[str, dict[str, Any]] = {}
        self.put = 0

    def asked(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """Status and body of an answer."""
        if path == "/v1/items" and method == "POST":
            return self._put(body)
        number = path.removeprefix("/v1/items/")
        if not number.removeprefix("-").isdecimal():
            return 400, {"error": "that is no number"}
        if number not in self.items:
            return 404, {"error": "there is none"}
        if method == "GET":
            return 200, self.items[number]
        if not self.keeps:
            del self.items[number]
        return 204, None

    def _put(self, body: bytes) -> tuple[int, Any]:
        try:
            new = json.loads(body)
        except ValueError:
            new = None
        if not isinstance(new, dict) or new.keys() != {"name"} or not isinstance(new["name"], str):
            return 400, {"error": "it has no name"}
        self.put += 1
        item = {"id": self.put, "name": new["name"]}
        if not self.loses:
            self.items[str(self.put)] = item
        return 201, item


@contextlib.contextmanager
def served(store: Store) -> Iterator[str]:
    """The address of a store."""

    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content = 405, None
            if self.command in {"GET", "DELETE"} or (self.command, self.path) == ("POST", "/v1/items"):
                status, content = store.asked(self.command, self.path.partition("?")[0], body)
            text = b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            if content is not None:
                self.send_header("Content-Type", JSON)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_QUERY = do  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the standard library
            pass

    with listening(Handler) as url:
        yield url
