"""Members that go one way alone: told wherever a schema hides them, and only where it surely means them."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.verify import verify
from interlock.records import Severity
from tests.contracts.verify.made import JSON, bench, contract, document, interaction

THING = {
    "type": "object",
    "required": ["id", "secret"],
    "properties": {
        "id": {"type": "string", "readOnly": True},
        "secret": {"type": "string", "writeOnly": True},
        "name": {"type": "string"},
        "inner": {"anyOf": [{"$ref": "#/components/schemas/Thing"}, {"$ref": "#/components/schemas/Thing"}]},
        "kind": {"enum": ["thing"]},
    },
}
REF = {"$ref": "#/components/schemas/Thing"}
SHUT = {"type": "object", "additionalProperties": False, "properties": {"name": {"type": "string"}}}


def told(schema: Any, sent: Any, got: Any) -> list[tuple[str, str | None]]:
    """What is found of one-way members in a request and its answer."""
    given = document()
    content = {JSON: {"schema": schema}}
    given["components"]["schemas"]["Thing"] = THING
    given["paths"]["/things"] = {
        "post": {
            "security": [],
            "requestBody": {"content": content},
            "responses": {"200": {"description": "", "content": content}},
        }
    }
    found = verify(interaction("POST", "/v1/things", sent=sent, got=got), bench(contract(given)))
    rules = {"request-read-only", "response-write-only"}
    return [(each.rule, each.location.message_pointer) for each in found.findings if each.rule in rules]


def test_like_members_of_a_long_list_are_one_finding_that_counts_them() -> None:
    items = [{"secret": "x"}] * 200 + [{"secret": "x", "id": "1"}] * 3
    found = told({"type": "array", "items": REF}, items, None)
    assert found == [("request-read-only", "/request/body/200/id")]


HIDDEN = [
    (REF, {}, ""),
    ({"type": "array", "items": REF}, [{}], "/0"),
    ({"allOf": [REF, {"type": "object"}]}, {}, ""),
    ({"oneOf": [REF, {"type": "array"}]}, {}, ""),
    ({"anyOf": [SHUT, REF]}, {}, ""),
    ({"oneOf": [REF, {"type": "object", "required": ["x"], "properties": {"x": {}}}]}, {}, ""),
    ({"type": "object", "additionalProperties": REF}, {"a/b": {}}, "/a~1b"),
    ({"type": "object", "additionalProperties": {"oneOf": [REF]}}, {"q": {}}, "/q"),
]


def put(value: Any, members: dict[str, Any]) -> Any:
    """The value with members in its innermost object."""
    if isinstance(value, list):
        return [put(each, members) for each in value]
    return {name: put(each, members) for name, each in value.items()} if value else members


@pytest.mark.parametrize(("schema", "value", "place"), HIDDEN)
def test_members_of_one_way_are_told_on_the_other(schema: Any, value: Any, place: str) -> None:
    both = put(value, {"id": "1", "secret": "made up", "name": "n"})
    assert told(schema, both, both) == [
        ("request-read-only", f"/request/body{place}/id"),
        ("response-write-only", f"/response/body{place}/secret"),
    ]
    assert told(schema, put(value, {"secret": "made up"}), put(value, {"id": "1"})) == []


def test_a_member_of_one_branch_is_not_told_where_another_may_be_meant() -> None:
    either = {"oneOf": [REF, {"type": "object", "properties": {"id": {"type": "string"}}}]}
    assert told(either, {"id": "1", "secret": "x"}, {"id": "1", "secret": "x"}) == []
    by_kind = {"oneOf": [REF, {"type": "object", "properties": {"kind": {"enum": ["other"]}}}]}
    assert told(by_kind, {"id": "1", "secret": "x", "kind": "thing"}, {"id": "1"}) == [
        ("request-read-only", "/request/body/id")
    ]
    assert told(by_kind, {"id": "1", "secret": "x", "kind": "other"}, {"id": "1"}) == []


def test_branches_that_lead_to_each_other_end() -> None:
    deep: dict[str, Any] = {"id": "1", "secret": "x"}
    for _ in range(11):
        deep = {"secret": "x", "inner": deep}
    assert told(REF, deep, {"id": "1"}) == [("request-read-only", f"/request/body{'/inner' * 11}/id")]


def test_an_answer_with_what_is_for_requests_alone_is_a_warning() -> None:
    found = verify(interaction(got={"id": 7, "name": "a", "secret": "made up"}), bench())
    assert [(each.rule, each.severity) for each in found.findings] == [
        ("response-write-only", Severity.WARNING)
    ]
    assert found.findings[0].location.contract_pointer == "/components/schemas/Pet/properties/secret"
