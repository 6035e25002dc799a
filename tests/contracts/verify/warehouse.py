"""A document with what is rare in our library: nested forms, parameters in every place, closed objects."""

from __future__ import annotations

from typing import Any

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
HOST = "https://api.made-up.example"


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _kind(name: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["kind", *properties],
        "properties": {"kind": {"type": "string", "enum": [name]}, **properties},
    }


_TEXT, _COUNT = {"type": "string", "maxLength": 60}, {"type": "integer", "minimum": 0}
_BY_KIND = {
    "propertyName": "kind",
    "mapping": {"card": "#/components/schemas/Card", "bank": "#/components/schemas/Bank"},
}
_LINE: dict[str, Any] = {
    "type": "object",
    "required": ["sku", "count"],
    "properties": {"sku": _TEXT, "count": _COUNT, "unit": {"type": "string", "enum": ["box", "bag"]}},
    "additionalProperties": False,
}
_ORDER: dict[str, Any] = {
    "type": "object",
    "required": ["id", "payer", "lines"],
    "properties": {
        "id": _TEXT,
        "payer": {"oneOf": [_ref("Card"), _ref("Bank")], "discriminator": _BY_KIND},
        "place": {"anyOf": [_TEXT, _ref("Place")], "nullable": True},
        "lines": {"type": "array", "items": _ref("Line")},
        "state": {"allOf": [{"type": "string", "enum": ["open", "sent"]}], "nullable": True},
        "weights": {"type": "object", "additionalProperties": {"type": "number"}},
        "paid": {"type": "boolean"},
    },
    "additionalProperties": False,
}
_FIELDS: dict[str, Any] = {
    "type": "object",
    "required": ["total", "lines", "address"],
    "properties": {
        "total": _COUNT,
        "lines": {"type": "array", "items": _ref("Line")},
        "address": {
            "type": "object",
            "required": ["city", "zip"],
            "properties": {"city": _TEXT, "zip": _COUNT},
        },
        "currency": {"type": "string", "enum": ["eur", "usd"]},
        "until": {"anyOf": [{"type": "string", "enum": ["now"]}, {"type": "integer"}]},
        "expand": {"type": "array", "items": _TEXT},
    },
    "additionalProperties": False,
}


def _content(schema: Any, name: str = JSON) -> dict[str, Any]:
    return {"description": "", "content": {name: {"schema": schema}}}


def _query(name: str, schema: Any, **about: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, **about}


WAREHOUSE: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Warehouse", "version": "1"},
    "servers": [{"url": f"{HOST}/v2"}],
    "paths": {
        "/orders": {
            "get": {
                "parameters": [
                    _query("page", {"type": "integer", "minimum": 1}, required=True),
                    _query("state", {"type": "string", "enum": ["open", "sent"]}),
                    _query(
                        "states", {"type": "array", "items": {"type": "string", "enum": ["open", "sent"]}}
                    ),
                    _query("ids", {"type": "array", "items": {"type": "integer"}}, explode=False),
                    _query(
                        "made",
                        {
                            "type": "object",
                            "required": ["from"],
                            "properties": {"from": _COUNT, "to": _COUNT},
                        },
                        style="deepObject",
                        explode=True,
                    ),
                    {"name": "X-Depot", "in": "header", "required": True, "schema": {"type": "integer"}},
                    {"name": "shelf", "in": "cookie", "required": True, "schema": {"type": "integer"}},
                ],
                "responses": {
                    "200": {
                        **_content({"type": "array", "items": _ref("Order")}),
                        "headers": {"X-Total": {"required": True, "schema": {"type": "integer"}}},
                    },
                    "409": _content(_ref("Place")),
                },
            },
            "post": {
                "requestBody": {"required": True, **_content(_ref("Order"))},
                "responses": {"201": _content(_ref("Order")), "4XX": _content(_ref("Place"))},
            },
        },
        "/orders/{number}": {
            "get": {
                "parameters": [
                    {"name": "number", "in": "path", "required": True, "schema": {"type": "integer"}}
                ],
                "responses": {"200": _content({"anyOf": [_ref("Order"), _ref("Place")]})},
            }
        },
        "/bookings": {
            "post": {
                "requestBody": {"required": True, **_content(_FIELDS, FORM)},
                "responses": {"200": _content({"oneOf": [_ref("Card"), _ref("Bank"), _ref("Cash")]})},
            }
        },
        "/labels": {
            "post": {
                "requestBody": {"required": True, **_content(_FIELDS, MULTIPART)},
                "responses": {"200": _content({"allOf": [_ref("Place"), _ref("Cash")]})},
            }
        },
    },
    "components": {
        "schemas": {
            "Order": _ORDER,
            "Line": _LINE,
            "Place": {"type": "object", "required": ["city"], "properties": {"city": _TEXT, "floor": _COUNT}},
            "Card": _kind("card", last4=_TEXT, year=_COUNT),
            "Bank": _kind("bank", iban=_TEXT),
            "Cash": _kind("cash", coins={"type": "array", "items": _COUNT}),
        }
    },
}
