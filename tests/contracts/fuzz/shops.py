"""Small servers that claim to keep one contract: a right one, and some with one fault each."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from contracts import adapters
from contracts.contract import Contract

JSON = "application/json"
TOKEN = "made-up-shop-token-7"
ITEM: dict[str, Any] = {
    "type": "object",
    "required": ["id", "name"],
    "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
}
ERROR: dict[str, Any] = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}


def answer(schema: Any) -> dict[str, Any]:
    """What is promised of a JSON answer."""
    return {"description": "", "content": {JSON: {"schema": schema}}}


DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1"},
    "servers": [{"url": "https://api.shop.example/v1"}],
    "security": [{"token": []}],
    "paths": {
        "/items": {
            "get": {
                "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer"}}],
                "responses": {
                    "200": answer({"type": "array", "items": ITEM}),
                    "400": answer(ERROR),
                    "401": answer(ERROR),
                },
            },
        },
        "/items/{id}": {
            "get": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "responses": {"200": answer(ITEM), "401": answer(ERROR), "404": answer(ERROR)},
            },
        },
    },
    "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
}

Reply = tuple[int, str, Any]
SILENCE: Reply = (0, "", "silence")
GONE: Reply = (0, "", "gone")
Shop = Callable[[str, dict[str, str]], Reply]


def contract(document: dict[str, Any] | None = None) -> Contract:
    """The contract that all of them claim to keep."""
    return adapters.parse(json.dumps(document or DOCUMENT).encode(), name="shop", source="shop.json")


def right(path: str, query: dict[str, str]) -> Reply:
    """Keeps it."""
    if path == "/v1/items":
        if not query.get("limit", "0").lstrip("-").isdecimal():
            return 400, JSON, {"error": "limit is no number"}
        return 200, JSON, [{"id": 1, "name": "cup"}]
    number = path.rpartition("/")[2]
    if number.lstrip("-").isdecimal():
        return 200, JSON, {"id": int(number), "name": "cup"}
    return 404, JSON, {"error": "there is none"}


def fails_on_odd_input(path: str, query: dict[str, str]) -> Reply:
    """Falls over what is no number."""
    status, kind, body = right(path, query)
    return (500, JSON, {"error": "oops"}) if status == 400 else (status, kind, body)


def forgets_the_name(path: str, query: dict[str, str]) -> Reply:
    """Its items have no name where there are many."""
    status, kind, body = right(path, query)
    return status, kind, [{"id": 1}] if isinstance(body, list) else body


def answers_202(path: str, query: dict[str, str]) -> Reply:
    """A status that nobody promised."""
    status, kind, body = right(path, query)
    return 202 if path != "/v1/items" and status == 200 else status, kind, body


def speaks_text(path: str, query: dict[str, str]) -> Reply:
    """A media type that nobody promised."""
    status, _, body = right(path, query)
    return status, "text/plain", body


@contextlib.contextmanager
def served(
    shop: Shop, *, token: str | None = None, odd: int = 405, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[str, list[str]]]:
    """The address of a shop, and the requests that came. `token`: without it every answer is 401.

    `odd`: what methods other than GET are answered. A shop that says `SILENCE` gives no answer; one that says `GONE`
    gives none to anybody from then on.
    """
    came: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            came.append(self.path)
            parts = urlsplit(self.path)
            if token is not None and self.headers.get("Authorization") != f"Bearer {token}":
                reply: Reply = 401, JSON, {"error": "who are you?"}
            else:
                reply = shop(unquote(parts.path), dict(parse_qsl(parts.query, keep_blank_values=True)))
            status, kind, body = reply
            if status == 0:
                if reply == GONE:
                    assert isinstance(self.server, ThreadingHTTPServer)
                    self.server.socket.close()
                return
            text = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_other(self) -> None:
            self.send_response(odd)
            self.send_header("Allow", "GET")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_QUERY = do_other  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the standard library
            pass

    with listening(Handler, tls) as address:
        yield address, came


@contextlib.contextmanager
def listening(handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The address at which a handler serves, over TLS where there is a context."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
