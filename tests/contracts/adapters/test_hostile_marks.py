"""Marks in documents of others that make no sense change nothing, and break nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts import adapters
from contracts.verify import verify
from tests.contracts.verify.made import bench, interaction

MAPS: list[Any] = [[], ["key"], ["key", 7], "key", {"a": 1}, None]


def _document(schema: Any, **about: Any) -> dict[str, Any]:
    content = {"application/xml": {"schema": schema}}
    given = {
        "requestBody": {"content": content},
        "responses": {"200": {"description": "", "content": content}},
    }
    info = {"title": "made up", "version": "1"}
    return {"openapi": "3.1.0", "info": info, "paths": {"/a": {"post": given}}} | about


@pytest.mark.parametrize("names", MAPS)
def test_a_map_without_names_is_read_as_it_stands(names: Any) -> None:
    inner = {"type": "object", "xml": {"x-map": names, "x-flattened": True}}
    document = _document({"type": "object", "properties": {"m": inner}})
    contract = adapters.parse(json.dumps(document).encode(), name="made", source="made.json")
    xml, told = b"<r><m><key>k</key></m></r>", {"Content-Type": "application/xml"}
    assert not verify(
        interaction("POST", "/a", sent=xml, headers=told, got=xml, answered=told), bench(contract)
    ).findings


@pytest.mark.parametrize(
    "server",
    [
        {"url": "https://{a}.{a}.made-up.example/interlock-step", "x-interlock-first-step": "a"},
        {"url": "https://interlock-step.{a}.interlock-step.example", "x-interlock-first-step": "a"},
        {"url": "{a}", "x-interlock-first-step": "a"},
        {"url": "https://made-up.example", "x-interlock-first-step": 7},
    ],
)
def test_a_step_in_a_host_that_makes_no_sense_breaks_nothing(server: dict[str, Any]) -> None:
    document = _document({}, servers=[server], **{"x-interlock-telling": {"a": 1}})
    contract = adapters.parse(json.dumps(document).encode(), name="made", source="made.json")
    verify(interaction("POST", "https://x.made-up.example/a"), bench(contract))


@pytest.mark.parametrize(
    ("xml", "count"), [(b"<s>four</s>", 0), (b"<s>more than that</s>", 1), (b"<s><t>four</t></s>", 1)]
)
def test_one_element_is_judged_by_its_text(xml: bytes, count: int) -> None:
    document = _document({"type": "string", "maxLength": 10})
    contract = adapters.parse(json.dumps(document).encode(), name="made", source="made.json")
    asked = interaction("POST", "/a", sent=xml, headers={"Content-Type": "application/xml"}, status=None)
    assert len(verify(asked, bench(contract)).findings) == count
