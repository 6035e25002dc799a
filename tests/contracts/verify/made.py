"""A contract and interactions for the tests, made here."""

from __future__ import annotations

import copy
import datetime as dt
import json
from typing import Any

from contracts import adapters
from contracts.contract import Contract
from contracts.rules import severities
from contracts.verify import Verified, verify
from contracts.view import Bench, Rulebook
from interlock.records import Interaction, Message, Source
from interlock.redaction import Redactor

NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
HOST = "https://api.shop.example"
PET = {
    "type": "object",
    "required": ["id", "name"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "name": {"type": "string", "maxLength": 20},
        "kind": {"type": "string", "enum": ["cat", "dog"]},
        "owner": {"nullable": True, "anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/Owner"}]},
        "born": {"type": "string", "format": "date"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "secret": {"type": "string", "writeOnly": True},
    },
    "additionalProperties": False,
}
OWNER = {
    "type": "object",
    "required": ["object", "email"],
    "properties": {
        "object": {"type": "string", "enum": ["owner"]},
        "email": {"type": "string"},
        "address": {"nullable": True, "allOf": [{"$ref": "#/components/schemas/Address"}]},
    },
}
ADDRESS = {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}
ERROR = {"type": "object", "required": ["error"], "properties": {"error": {"type": "object"}}}
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def _media(schema: Any, name: str = JSON) -> dict[str, Any]:
    return {name: {"schema": schema}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


FIELDS = {
    "type": "object",
    "required": ["amount"],
    "properties": {
        "amount": {"type": "integer"},
        "currency": {"type": "string", "enum": ["eur", "usd"]},
        "items": {
            "type": "array",
            "items": {"type": "object", "required": ["price"], "properties": {"price": {"type": "string"}}},
        },
        "expand": {"type": "array", "items": {"type": "string"}},
        "metadata": {
            "anyOf": [{"type": "object", "additionalProperties": {"type": "string"}}, {"enum": [""]}]
        },
        "live": {"type": "boolean"},
    },
    "additionalProperties": False,
}


def document() -> dict[str, Any]:
    """A small shop, OpenAPI 3.0."""
    key = {"name": "key", "in": "path", "required": True, "schema": {"type": "integer"}}
    pet = {"200": {"description": "", "content": _media(_ref("Pet"))}}
    refused = {"4XX": {"description": "", "content": _media(_ref("Error"))}}
    listing = [
        {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}},
        {
            "name": "created",
            "in": "query",
            "style": "deepObject",
            "explode": True,
            "schema": {"type": "object", "properties": {"gte": {"type": "integer"}}},
        },
        {
            "name": "expand",
            "in": "query",
            "style": "deepObject",
            "explode": True,
            "schema": {"type": "array", "items": {"type": "string"}},
        },
        {"name": "old", "in": "query", "deprecated": True, "schema": {"type": "string"}},
        {"name": "X-Trace", "in": "header", "schema": {"type": "integer"}},
        {"name": "session", "in": "cookie", "schema": {"type": "integer"}},
    ]
    many = {
        "description": "",
        "headers": {"X-Total": {"required": True, "schema": {"type": "integer"}}},
        "content": _media({"type": "array", "items": _ref("Pet")}),
    }
    return {
        "openapi": "3.0.3",
        "info": {"title": "Shop", "version": "2026-01-01"},
        "servers": [{"url": f"{HOST}/v1"}],
        "security": [{"token": []}],
        "paths": {
            "/pets": {
                "get": {"parameters": listing, "responses": {"200": many} | refused},
                "post": {
                    "requestBody": {"required": True, "content": _media(_ref("Pet"))},
                    "responses": pet | refused,
                },
            },
            "/pets/{key}": {
                "parameters": [key],
                "get": {"responses": pet | refused},
                "delete": {"deprecated": True, "responses": {"204": {"description": ""}}},
            },
            "/pets/search": {"get": {"security": [], "responses": pet}},
            "/charges": {
                "post": {
                    "requestBody": {"required": True, "content": _media(FIELDS, FORM)},
                    "responses": {"200": {"description": "", "content": _media({"type": "object"})}},
                }
            },
        },
        "components": {
            "schemas": copy.deepcopy({"Pet": PET, "Owner": OWNER, "Address": ADDRESS, "Error": ERROR}),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def contract(given: dict[str, Any] | None = None, **about: Any) -> Contract:
    """A document as a contract."""
    data = json.dumps(document() if given is None else given).encode()
    return adapters.parse(data, name="shop", source="shop.json", **about)


def bench(given: Contract | None = None, *rules: str, complete: bool = False) -> Bench:
    """A contract ready to judge by."""
    book = Rulebook(
        severities=severities(rules),
        now=NOW,
        redactor=Redactor(),
        complete=complete,
        idempotency_header=lambda _: "Idempotency-Key",
    )
    return Bench(given or contract(), book)


def body(value: Any) -> bytes:
    """Bytes as they are, everything else as JSON."""
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def interaction(
    method: str = "GET",
    path: str = "/v1/pets/7",
    *,
    sent: Any = None,
    status: int | None = 200,
    got: Any = None,
    headers: dict[str, str] | None = None,
    answered: dict[str, str] | None = None,
    state: str = "full",
    index: int = 0,
    at: dt.datetime | None = None,
) -> Interaction:
    """One recorded request with its answer; JSON on both sides unless said otherwise."""
    request_headers = {"Authorization": "Bearer [redacted]"} | (
        {"Content-Type": JSON} if sent is not None else {}
    )
    request_headers |= headers or {}
    response_headers = ({"Content-Type": JSON} if got is not None else {}) | (answered or {})
    return Interaction(
        source=Source(file="shop.yaml", format="vcrpy", index=index, line=index + 1),
        method=method,
        url=path if "://" in path else HOST + path,
        request=Message(
            headers=tuple(request_headers.items()),
            body=body(sent) if sent is not None else b"",
            body_state=state,
        ),
        status=status,
        response=None
        if status is None
        else Message(
            headers=tuple(response_headers.items()),
            body=body(got) if got is not None else b"",
            body_state=state,
        ),
        error=None,
        http_version=None,
        recorded_at=at,
        elapsed_seconds=None,
        origin=None,
    )


def verified(*rules: str, **about: Any) -> Verified:
    """One interaction against the shop."""
    complete = about.pop("complete", False)
    return verify(interaction(**about), bench(None, *rules, complete=complete))


def places(found: Verified) -> list[tuple[str, str | None]]:
    """The rule and the pointer of every finding."""
    return [(each.rule, each.location.message_pointer) for each in found.findings]
