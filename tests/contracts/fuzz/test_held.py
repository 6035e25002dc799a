"""Whole numbers are held to their bits, and patterns that no engine takes are told with their places."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.fuzz.engine import Wish, fuzz
from contracts.fuzz.held import held
from tests.contracts.fuzz import shops

BAD = "(["


def document(schema: Any, parameter: Any = None) -> dict[str, Any]:
    """One operation that answers with this."""
    asked = [{"name": "q", "in": "query", "schema": parameter or {"type": "string"}}]
    operation = {"parameters": asked, "responses": {"200": shops.answer(schema)}}
    return {"openapi": "3.0.3", "info": {"title": "H", "version": "1"}, "paths": {"/a": {"get": operation}}}


def number(kind: str) -> dict[str, Any]:
    """A whole number of so many bits, or null."""
    return {"type": "integer", "format": kind, "nullable": True}


NUMBERS: list[tuple[str, bytes, bool]] = [
    ("int32", b"2147483647", True),
    ("int32", b"-2147483648", True),
    ("int32", b"2147483648", False),
    ("int64", b"9223372036854775807", True),
    ("int64", b"9223372036854775808", False),
    ("int64", b"-9223372036854775809", False),
    ("int32", b"null", True),
    ("unix-time", b"99999999999999999999", True),
]


def test_whole_numbers_are_held_to_their_bits() -> None:
    given = document({})
    given["paths"] = {
        f"/{index}": {"get": {"responses": {"200": shops.answer(number(kind))}}}
        for index, (kind, _, _) in enumerate(NUMBERS)
    }

    def served(path: str, _: dict[str, str]) -> shops.Reply:
        return 200, shops.JSON, NUMBERS[int(path[1:])][1] if path[1:].isdecimal() else {}

    with shops.served(served) as (url, _):
        found = fuzz(shops.contract(given), Wish(url=url, seed=7, max_examples=1))
    wrong = {(each.operation.name, each.check.rule) for each in found.faults}
    assert wrong == {
        (f"GET /{index}", "fuzz-body") for index, (_, _, right) in enumerate(NUMBERS) if not right
    }


def test_limits_of_a_contract_stay_as_they_are() -> None:
    contract = shops.contract(document({**number("int32"), "minimum": 3}))

    def limits(document: Any) -> Any:
        schema = document["paths"]["/a"]["get"]["responses"]["200"]["content"][shops.JSON]["schema"]
        return schema["minimum"], schema.get("maximum")

    assert limits(held(contract)[0].document) == (3, 2**31 - 1)
    assert limits(contract.document) == (3, None)


AT = "/paths/~1a/get/responses/200/content/application~1json/schema"


@pytest.mark.parametrize(
    ("schema", "parameter", "told"),
    [
        ({"type": "string", "pattern": BAD}, None, f"{AT}/pattern"),
        ({"properties": {"default": {"pattern": BAD}}}, None, f"{AT}/properties/default/pattern"),
        ({"patternProperties": {BAD: {}}}, None, f"{AT}/patternProperties/(["),
        (
            {"anyOf": [{}, {"pattern": BAD}]},
            {"pattern": BAD},
            "/paths/~1a/get/parameters/0/schema/pattern and 1 more",
        ),
        ({"type": "string", "pattern": r"^\p{Lu}(?<=A)$"}, None, None),
        ({"type": "string", "pattern": r"^[\w-.]+{$"}, None, None),
        ({"type": "object", "example": {"pattern": BAD}}, None, None),
    ],
)
def test_a_pattern_that_no_engine_takes_is_told_with_its_place(
    schema: Any, parameter: Any, told: str | None
) -> None:
    _, found = held(shops.contract(document(schema, parameter)))
    assert [each.partition(": ")[2] for each in found.values()] == ([] if told is None else [told])


def test_a_pattern_that_browsers_take_is_judged() -> None:
    given = document({"type": "string", "pattern": r"^[\w-.]+$"})
    with shops.served(lambda *_: (200, shops.JSON, "a b")) as (url, _):
        found = fuzz(shops.contract(given), Wish(url=url, seed=7, max_examples=1))
    assert [each.check.rule for each in found.faults] == ["fuzz-body"]
    assert found.unjudged == {}


def test_a_pattern_is_told_where_it_is_referred_to_and_nowhere_else() -> None:
    given = document({"$ref": "#/components/schemas/A"})
    given["components"] = {
        "schemas": {"A": {"properties": {"more": {"$ref": "#/components/schemas/A"}, "id": {"pattern": BAD}}}}
    }
    given["paths"]["/b"] = {"get": {"responses": {"200": {"description": ""}}}}
    with shops.served(lambda *_: (200, shops.JSON, {})) as (url, _):
        found = fuzz(shops.contract(given), Wish(url=url, seed=7, max_examples=1))
    assert found.unjudged == {
        "GET /a": "a pattern that no engine takes is neither made nor judged: "
        "/components/schemas/A/properties/id/pattern"
    }
