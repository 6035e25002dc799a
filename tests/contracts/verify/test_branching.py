"""Schemas that branch within branches: what a validator would not end with is not begun, and said."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from contracts.branching import beyond_measure, is_shallow
from contracts.verify import Verified, verify
from tests.contracts.verify.made import FORM, JSON, bench, contract, document, interaction

LOOP = {"$ref": "#/components/schemas/Loop"}
SIDE = {"type": "object", "properties": {"a": LOOP}}
BRANCHING = {
    "type": "object",
    "properties": {"a": LOOP, "q": {"type": "integer"}},
    "oneOf": [SIDE, SIDE],
}


def answered(raw: str, media_type: str, schema: Any = BRANCHING) -> Verified:
    """An answer of this type, which `Loop` describes."""
    given = document()
    given["components"]["schemas"]["Loop"] = schema
    content = {media_type: {"schema": LOOP}}
    given["paths"]["/loop"] = {
        "get": {"security": [], "responses": {"200": {"description": "", "content": content}}}
    }
    asked = interaction(path="/v1/loop", got=raw.encode(), answered={"Content-Type": media_type})
    return verify(asked, bench(contract(given)))


def nested(deep: int, media_type: str) -> str:
    if media_type == FORM:
        return f"a{'[a]' * (deep - 1)}[q]=x"
    if media_type == JSON:
        return '{"a":' * deep + '{"q": "x"}' + "}" * deep
    return "<r>" + "<a>" * deep + "<q>x</q>" + "</a>" * deep + "</r>"


@pytest.mark.parametrize("media_type", [JSON, "application/xml", FORM])
def test_a_body_whose_schema_multiplies_is_not_judged(media_type: str) -> None:
    found = answered(nested(18, media_type), media_type)
    assert [each.rule for each in found.findings] == ["body-unjudged"]
    assert found.unjudged == ("/response/body: its schema branches beyond measure",)


def test_a_parameter_whose_schema_multiplies_is_not_judged() -> None:
    given = document()
    given["components"]["schemas"]["Loop"] = BRANCHING
    parameter = {"name": "p", "in": "query", "content": {JSON: {"schema": LOOP}}}
    given["paths"]["/pets/search"]["get"]["parameters"] = [parameter]
    asked = interaction(path=f"/v1/pets/search?p={quote(nested(18, JSON))}", status=None)
    found = verify(asked, bench(contract(given)))
    assert found.findings == ()
    assert found.unjudged == ("/request/query/p: its schema branches beyond measure",)


@pytest.mark.parametrize("media_type", [JSON, "application/xml", FORM])
def test_one_that_is_nested_as_bodies_are_is_judged(media_type: str) -> None:
    found = answered(nested(3, media_type), media_type)
    assert "response-body" in {each.rule for each in found.findings}
    assert found.unjudged == ()


def test_depth_alone_is_no_reason() -> None:
    plain = {"type": "object", "properties": {"a": LOOP, "q": {"type": "integer"}}}
    found = answered(nested(40, JSON), JSON, plain)
    assert [each.rule for each in found.findings] == ["response-body"]
    assert found.unjudged == ()


def test_length_alone_is_no_reason() -> None:
    deep = json.loads(nested(25, JSON))
    either = {"anyOf": [{"$ref": "#/s"}, {"type": "string"}]}
    schema = {"s": {"properties": {"a": either}}, "l": {"items": {"$ref": "#/s"}}}
    many = [json.loads(json.dumps(deep)) for _ in range(600)]
    assert not beyond_measure(schema, many, "/l")


def test_a_schema_that_leads_to_itself_is_counted_once() -> None:
    value = json.loads(nested(30, JSON))
    assert not beyond_measure({"s": {"allOf": [{"$ref": "#/s"}]}}, value, "/s")
    either = {
        "s": {"anyOf": [{"additionalProperties": {"$ref": "#/s"}}, {"properties": {"a": {"$ref": "#/s"}}}]}
    }
    assert beyond_measure(either, value, "/s")


@pytest.mark.parametrize(
    ("text", "flat"), [(b"{}", True), (b'{"a":[{}]}' * 9, True), (b"[" * 9 + b"]" * 9, False), (b"", True)]
)
def test_what_is_nested_little_is_told_from_the_text(text: bytes, flat: bool) -> None:
    assert is_shallow(text) is flat
