"""Documents made to take for ever, or to break something off: each is compared, and soon.

What is exponential, or a multiple of two long lists, would not end within the patience of anybody who runs this.
"""

from __future__ import annotations

from typing import Any

import pytest

from contracts.drift import walk
from tests.contracts.drift.made import answering, compared, document, rules

STRING, INTEGER = {"type": "string"}, {"type": "integer"}
OK = {"200": {"description": ""}}


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def components(**schemas: Any) -> dict[str, Any]:
    return {"components": {"schemas": schemas}}


def test_alternatives_that_multiply_and_list_nothing_are_read_once() -> None:
    inner = {f"L{i}": {"anyOf": [ref(f"L{i + 1}")] * 200} for i in range(4)} | {
        "L4": {"const": 1, "enum": [2]}
    }
    held = {"type": "object", "properties": {"a": ref("L0")}}
    assert rules(answering(ref("L0"), **components(**inner)), answering(held, **components(**inner)))


def test_null_is_found_at_the_end_of_a_long_chain_and_through_a_circle() -> None:
    def chain(last: Any) -> dict[str, Any]:
        links = {f"U{i}": {"anyOf": [ref(f"U{i + 1}"), STRING]} for i in range(700)}
        return answering({"anyOf": [ref("U0"), INTEGER]}, **components(**links, U700=last))

    assert "response-property-became-nullable" in rules(chain(INTEGER), chain({"type": ["integer", "null"]}))

    def circle(last: Any) -> dict[str, Any]:
        # Whether X takes null hangs on Y, which is being asked just then.
        held = {"X": {"anyOf": [ref("Y"), STRING]}, "Y": {"anyOf": [ref("X"), last]}}
        both = {"anyOf": [ref("Y"), INTEGER], "oneOf": [ref("X"), INTEGER]}
        return answering({"anyOf": [both, {"type": "boolean"}]}, **components(**held))

    assert "response-property-became-nullable" in rules(circle(INTEGER), circle({"type": "null"}))


@pytest.mark.parametrize("day", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_last_day_that_no_calendar_has_is_no_date(day: str) -> None:
    gone = {"responses": OK, "deprecated": True}
    assert rules(document(gone), document(gone | {"x-sunset": day})) == {"sunset-unreadable": "error"}


def test_a_limit_that_is_no_number_is_none() -> None:
    assert not rules(answering(INTEGER | {"minimum": "--5"}), answering(INTEGER))


def test_lost_references_are_not_looked_through_for_each_operation() -> None:
    def lost(count: int) -> dict[str, Any]:
        each = {"get": {"parameters": [{"$ref": "#/nowhere"}], "responses": OK}}
        return document(paths={f"/p{i}": each for i in range(count)})

    found = compared(lost(2_000), lost(2_001))
    assert [each.rule for each in found.findings] == ["operation-added"]
    assert found.unjudged


def test_a_condition_that_multiplies_or_goes_deep_behind_references_is_not_compared() -> None:
    def many(last: Any) -> dict[str, Any]:
        levels = {f"L{i}": {"anyOf": [ref(f"L{i + 1}")] * 40} for i in range(6)}
        return answering({"not": ref("L0")}, **components(**levels, L6=last))

    def deep(last: Any) -> dict[str, Any]:
        levels = {}
        for at, count in enumerate((140, 190, 190)):
            inner = ref(f"L{at + 1}")
            for _ in range(count):
                inner = {"not": inner}
            levels[f"L{at}"] = inner
        return answering({"not": ref("L0")}, **components(**levels, L3=last))

    for made in (many, deep):
        assert compared(made(STRING), made(INTEGER)).unjudged


def test_one_large_schema_in_many_others_is_counted_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    def large(first: Any) -> dict[str, Any]:
        members = {f"m{i}": STRING for i in range(100)} | {"m0": first}
        others = {f"S{i}": {"allOf": [ref("Large"), {"title": f"{i}"}]} for i in range(1_000)}
        held = {"type": "object", "properties": {name: ref(name) for name in others}}
        return answering(held, **components(**others, Large={"type": "object", "properties": members}))

    monkeypatch.setattr(walk, "MAX_SCHEMAS", 20_000)
    assert compared(large(STRING), large(INTEGER)).unjudged


@pytest.mark.parametrize("place", ["servers", "security"])
def test_what_a_whole_document_says_is_compared_once(place: str) -> None:
    def said(name: str) -> dict[str, Any]:
        lists: dict[str, Any] = {
            "servers": [{"url": f"https://{name}{i}.example"} for i in range(300)],
            "security": [{"key": [f"{name}{i}"]} for i in range(300)],
        }
        scheme = {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}
        paths = {f"/p{i}": {"get": {"responses": OK}} for i in range(300)}
        return document(paths=paths, components={"securitySchemes": scheme}, **{place: lists[place]})

    found = compared(said("a"), said("b")).findings
    assert len(found) == 600
    assert all(each.promised is not None and each.promised.count(" or ") <= 12 for each in found)
