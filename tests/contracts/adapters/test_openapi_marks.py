"""OpenAPI with the marks of our library: one path for many operations, keys with slashes, buckets in hosts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts import adapters
from contracts.verify import verify
from tests.contracts.verify.made import bench, interaction

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
DONE = {"responses": {"200": {"description": ""}, "404": {"description": ""}}}
STEP = {"name": "Bucket", "in": "path", "required": True, "schema": {"type": "string"}}
KEY = {"name": "Key", "in": "path", "required": True, "x-multi-segment": True, "schema": {"type": "string"}}


def _tells(name: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": True, "x-interlock-tells": True, "schema": schema}


DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "made up", "version": "1"},
    "servers": [
        {"url": "https://store.made-up.example"},
        {"url": "https://{Bucket}.store.made-up.example", "x-interlock-first-step": "Bucket"},
    ],
    "x-interlock-telling": ["versioning", "part"],
    "paths": {
        "/{Bucket}": {"parameters": [STEP], "get": {"operationId": "list", **DONE}},
        "/{Bucket}?list-type=2": {"parameters": [STEP], "get": {"operationId": "list2", **DONE}},
        "/{Bucket}/{Key}": {"parameters": [STEP, KEY], "get": {"operationId": "get", **DONE}},
        "/{Bucket}/{Key}?part": {
            "parameters": [STEP, KEY, _tells("part"), _tells("kind", const="whole")],
            "get": {"operationId": "part", **DONE},
        },
        "/#Action=Publish": {
            "post": {"operationId": "publish", **DONE},
            "get": {"operationId": "said", **DONE},
        },
        "/#X-Amz-Target=Made.Up": {"post": {"operationId": "target", **DONE}},
    },
}


@pytest.mark.parametrize(
    ("operation", "asked"),
    [
        ("GET /{Bucket}", {"path": "https://store.made-up.example/b"}),
        ("GET /{Bucket}?list-type=2", {"path": "https://b.store.made-up.example/?list-type=2"}),
        ("GET /{Bucket}/{Key}", {"path": "https://b.store.made-up.example/a/b/c"}),
        (
            "GET /{Bucket}/{Key}?part&kind=whole",
            {"path": "https://store.made-up.example/b/a/b?part=1&kind=whole"},
        ),
        (
            "POST / Action=Publish",
            {"method": "POST", "path": "/", "sent": b"Action=Publish", "headers": FORM},
        ),
        (
            "POST / Action=Publish",  # what its header is about is wrong, and that is another finding
            {
                "method": "POST",
                "path": "/",
                "sent": b"Action=Publish",
                "headers": {"Content-Type": "text/csv"},
            },
        ),
        ("GET /?Action=Publish", {"path": "https://store.made-up.example/?Action=Publish"}),
        (
            "POST / X-Amz-Target=Made.Up",
            {"method": "POST", "path": "/", "headers": {"X-Amz-Target": "Made.Up"}},
        ),
        (None, {"path": "https://store.made-up.example/b?versioning"}),
        (None, {"path": "https://store.made-up.example/b/a?part=1"}),
        (None, {"method": "POST", "path": "/", "sent": b"Action=Other", "headers": FORM}),
        (None, {"method": "POST", "path": "/", "sent": b'{"x": "&Action=Publish"}', "headers": {}}),
    ],
)
def test_operations_are_told_apart(operation: str | None, asked: dict[str, Any]) -> None:
    contract = adapters.parse(json.dumps(DOCUMENT).encode(), name="made", source="made.json")
    assert verify(interaction(**asked), bench(contract)).operation == operation
