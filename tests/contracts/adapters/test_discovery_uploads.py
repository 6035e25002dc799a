"""Uploads of Google's discovery documents: at once, or in parts to the address that the start was answered with."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts import adapters
from contracts.verify import verify
from tests.contracts.verify.made import bench, interaction, places

DOCUMENT: dict[str, Any] = {
    "kind": "discovery#restDescription",
    "title": "made up",
    "version": "v1",
    "rootUrl": "https://store.made-up.example/",
    "servicePath": "store/v1/",
    "schemas": {"Object": {"id": "Object", "type": "object", "properties": {"name": {"type": "string"}}}},
    "methods": {
        "insert": {
            "id": "store.insert",
            "path": "b/{bucket}/o",
            "httpMethod": "POST",
            "parameters": {
                "bucket": {"type": "string", "location": "path", "required": True},
                "name": {"type": "string", "location": "query", "required": True},
            },
            "request": {"$ref": "Object"},
            "response": {"$ref": "Object"},
            "mediaUpload": {
                "protocols": {
                    "simple": {"multipart": True, "path": "/upload/store/v1/b/{bucket}/o"},
                    "resumable": {"multipart": True, "path": "/resumable/upload/store/v1/b/{bucket}/o"},
                }
            },
        }
    },
}
UPLOAD = "https://store.made-up.example/upload/store/v1/b/box/o"


@pytest.mark.parametrize(
    ("method", "query", "found"),
    [
        ("POST", "?name=a&uploadType=resumable", []),
        ("PUT", "?uploadType=resumable&upload_id=abc", []),
        ("PUT", "?uploadType=resumable", [("operation-unknown", "/request/path")]),
        ("POST", "?uploadType=resumable", [("request-query", "/request/query/name")]),
    ],
)
def test_a_resumable_upload_goes_on_by_put(method: str, query: str, found: list[tuple[str, str]]) -> None:
    document = DOCUMENT | {"parameters": {"uploadType": {"type": "string", "location": "query"}}}
    contract = adapters.parse(json.dumps(document).encode(), name="store", source="store.json")
    asked = interaction(
        method, UPLOAD + query, sent=b"\0", headers={"Content-Type": "image/png"}, got={"name": "a"}
    )
    assert places(verify(asked, bench(contract))) == found


def test_what_an_upload_is_answered_is_judged_in_parts_too() -> None:
    contract = adapters.parse(json.dumps(DOCUMENT).encode(), name="store", source="store.json")
    part = {
        "Content-Type": "application/json",
        "Content-Range": "bytes 0-4/9",
    }  # of a file that is JSON as a whole
    about: dict[str, Any] = {"path": f"{UPLOAD}?upload_id=abc", "sent": b'{"a":', "headers": part}
    found = verify(interaction("PUT", **about, got={"name": 1}), bench(contract))
    assert places(found) == [("response-body", "/response/body/name")]
    assert "/request/body: is a part of what is sent" in found.unjudged
    assert places(verify(interaction("PUT", **about, status=308), bench(contract))) == []
