"""Alternatives: which belong together, whether null is among them, and lists of values beside what they settle."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.drift.made import answering, asking, rules
from tests.contracts.drift.test_equivalent import INTEGER, NOTHING, STRING, both, shape

NULL, BOOLEAN = {"type": "null"}, {"type": "boolean"}


def component(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def held(schema: dict[str, Any], **components: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A schema in a request and in an answer."""
    kept = {"components": {"schemas": components}}
    return asking(schema, **kept), answering(schema, **kept)


def found(one: tuple[dict[str, Any], ...], two: tuple[dict[str, Any], ...]) -> list[dict[str, str]]:
    """What is found in the request and in the answer."""
    return [rules(*sides) for sides in zip(one, two, strict=True)]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"anyOf": [STRING, NULL, BOOLEAN]}, {"anyOf": [{"type": ["string", "null"]}, BOOLEAN]}),
        ({"anyOf": [STRING, NULL, BOOLEAN]}, {"anyOf": [STRING, {"oneOf": [BOOLEAN, NULL]}]}),
        ({"oneOf": [STRING, shape(a=INTEGER), NULL]}, {"oneOf": [STRING, shape(a=INTEGER) | {"nullable": True}]}),
        ({"anyOf": [STRING, {"oneOf": [BOOLEAN, INTEGER]}]}, {"oneOf": [STRING, BOOLEAN, INTEGER]}),
        ({"type": "integer", "enum": [3]}, {"type": "number", "enum": [3]}),
        ({"type": "integer", "enum": [3]}, {"type": "integer", "enum": [3], "format": "int64"}),
        (STRING | {"enum": ["x"]}, STRING | {"enum": ["x"], "pattern": "^[a-z]$"}),
        ({"anyOf": [NULL]}, NULL),
    ],
)  # fmt: skip
def test_the_same_in_other_alternatives_is_no_drift(one: dict[str, Any], two: dict[str, Any]) -> None:
    assert both(one, two) == NOTHING


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
def test_one_more_alternative_beside_null_leaves_null_as_it_was(keyword: str) -> None:
    one, two = {keyword: [STRING, NULL]}, {keyword: [STRING, NULL, INTEGER]}
    assert both(one, two) == [
        {"request-property-alternative-added": "info"}, {"request-property-alternative-removed": "error"},
        {"response-property-alternative-added": "error"}, {"response-property-alternative-removed": "info"},
    ]  # fmt: skip


def test_null_within_an_alternative_of_an_alternative_is_seen() -> None:
    one, two = {"anyOf": [STRING, INTEGER]}, {"anyOf": [STRING, {"anyOf": [INTEGER, NULL]}]}
    assert both(one, two) == [
        {"request-property-became-nullable": "info"}, {"request-property-became-not-nullable": "error"},
        {"response-property-became-nullable": "error"}, {"response-property-became-not-nullable": "info"},
    ]  # fmt: skip


def test_a_truth_value_that_may_be_a_word_too_is_not_bound_now() -> None:
    two = {"oneOf": [BOOLEAN, STRING | {"enum": ["auto"]}]}
    assert both(BOOLEAN, two)[0] == {
        "request-property-type-widened": "info",
        "request-property-enum-value-added": "info",
    }


def test_a_pattern_that_listed_values_do_not_fit_is_told() -> None:
    listed = STRING | {"enum": ["x", "Y"]}
    assert rules(asking(listed), asking(listed | {"pattern": "^[a-z]$"})) == {
        "request-property-pattern-added": "error"
    }


def test_a_format_that_listed_values_do_not_fit_is_told() -> None:
    listed = STRING | {"enum": ["x"]}
    assert rules(asking(listed), asking(listed | {"format": "date"})) == {
        "request-property-type-narrowed": "error"
    }


def test_alternatives_that_stand_within_another_one_now_are_still_there() -> None:
    cards = {"A": shape(n=STRING), "B": shape(i=STRING), "C": shape(x=BOOLEAN)}
    union = {"oneOf": [component("A"), component("B")]}
    one, two = (
        held(component("U"), U=union, **cards),
        held({"oneOf": [component("U"), component("C")]}, U=union, **cards),
    )
    assert found(one, two) == [
        {"request-property-alternative-added": "info"}, {"response-property-alternative-added": "error"},
    ]  # fmt: skip
    assert found(two, one) == [
        {"request-property-alternative-removed": "error"}, {"response-property-alternative-removed": "info"},
    ]  # fmt: skip


def test_alternatives_that_stand_within_themselves_come_to_an_end() -> None:
    many = {f"U{n}": {"anyOf": [component(f"U{m}") for m in range(12)]} for n in range(12)}
    one, two = held(component("U0"), **many), held({"anyOf": [component("U1"), STRING]}, **many)
    assert found(one, two)[0].keys() <= {
        "request-property-alternative-added",
        "request-property-alternative-removed",
    }


def test_a_component_that_was_renamed_is_the_alternative_that_it_was() -> None:
    def union(name: str, **about: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        made = {"oneOf": [component(name), component("B")], **about}
        return held(made, **{name: shape(n=STRING), "B": shape(i=STRING)})

    assert found(union("A"), union("ACard")) == [{}, {}]
    told = {"discriminator": {"propertyName": "k"}}  # then the name is what stands in messages
    assert "error" in found(union("A", **told), union("ACard", **told))[0].values()


def test_alternatives_are_one_by_the_tag_of_their_discriminator() -> None:
    def union(name: str, kind: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        mapping = {"card": f"#/components/schemas/{name}", "bank": "B"}
        told = {"propertyName": "k", "mapping": mapping}
        made = {"oneOf": [component(name), component("B")], "discriminator": told}
        return held(made, **{name: shape(n=kind), "B": shape(i=STRING)})

    told = "property-discriminator-changed"
    assert found(union("Card", STRING), union("CardV2", STRING)) == [
        {f"request-{told}": "info"}, {f"response-{told}": "info"}
    ]  # fmt: skip
    assert found(union("Card", STRING), union("CardV2", INTEGER)) == [
        {f"request-{told}": "info", "request-property-type-changed": "error"},
        {f"response-{told}": "info", "response-property-type-changed": "error"},
    ]


def test_members_beside_a_part_that_closes_without_naming_them_are_refused() -> None:
    one = shape(a=STRING) | {"additionalProperties": False}
    two = {"type": "object", "additionalProperties": False, "allOf": [shape(a=STRING)]}
    assert both(one, two) == [
        {"request-property-refused": "error"}, {"request-property-added": "info"},
        {"response-property-removed": "warning"}, {"response-property-added": "info"},
    ]  # fmt: skip
    assert both(two, two) == NOTHING


def test_a_component_that_is_read_only_now_is_no_part_of_requests() -> None:
    def made(**about: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return held(shape(id=component("Id")) | {"required": ["id"]}, Id=STRING | about)

    assert found(made(), made(readOnly=True)) == [
        {"request-property-removed": "warning", "request-property-access-changed": "info"},
        {"response-property-access-changed": "info"},
    ]
    assert found(made(), made(writeOnly=True))[1]["response-property-removed-required"] == "error"


def test_an_object_that_changed_is_paired_with_the_only_object_there_is() -> None:
    words = {"type": "array", "items": STRING}
    one, two = {"anyOf": [shape(a=STRING), STRING]}, {"anyOf": [shape(a=INTEGER), words, STRING]}
    assert rules(asking(one), asking(two)) == {
        "request-property-type-changed": "error",
        "request-property-alternative-added": "info",
    }
    one, two = {"anyOf": [shape(a=STRING), NULL]}, {"anyOf": [shape(a=STRING), NULL, words]}
    assert rules(asking(one), asking(two)) == {"request-property-alternative-added": "info"}


def test_alternatives_of_what_took_anything_come_as_before() -> None:
    one, two = {"nullable": True, "example": 1}, {"anyOf": [STRING, shape(a=STRING), NULL]}
    assert rules(answering(one), answering(two)) == {"response-property-alternative-removed": "info"}
    assert rules(asking(one), asking(two)) == {"request-property-alternative-removed": "error"}


def test_objects_without_names_are_paired_by_what_they_have_in_common() -> None:
    one = {"oneOf": [shape(a=STRING, b=STRING), shape(c=BOOLEAN, d=STRING)]}
    two = {"oneOf": [shape(a=STRING, b=INTEGER), shape(c=INTEGER, d=STRING, e=STRING)]}
    assert rules(asking(one), asking(two)) == {
        "request-property-type-changed": "error",
        "request-property-added": "info",
    }


def test_what_names_no_type_is_not_asked_for_null() -> None:
    one = {"properties": {"a": STRING}}
    assert both(one, {"anyOf": [one, BOOLEAN]})[0] == {"request-property-alternative-added": "info"}


def test_an_alternative_that_another_takes_by_its_format_is_none() -> None:
    one = STRING | {"format": "binary"}
    assert both(one, {"anyOf": [one, STRING | {"minLength": 1}]})[2] == {}


def test_null_behind_an_all_of_of_one_is_seen() -> None:
    one, two = STRING, {"type": ["string", "null"]}
    assert "response-property-became-nullable" in rules(
        answering({"anyOf": [BOOLEAN, {"allOf": [one]}]}), answering({"anyOf": [BOOLEAN, {"allOf": [two]}]})
    )
