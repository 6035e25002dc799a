"""The same promise in other words is no drift, and a narrower one is, whatever the words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.drift.made import JSON, answering, asking, compared, document, rules

STRING, INTEGER = {"type": "string"}, {"type": "integer"}


def shape(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members}


def test_the_title_of_an_alternative_says_nothing() -> None:
    one = {"oneOf": [{"title": "A", **shape(a=STRING)}, {"title": "B", **shape(b=STRING)}]}
    two = {"oneOf": [{"title": "A card", **shape(a=STRING)}, {"title": "B", **shape(b=STRING)}]}
    for make in (asking, answering):
        assert rules(make(one), make(two)) == rules(make(two), make(one)) == {}


@pytest.mark.parametrize("keyword", ["then", "else"])
def test_what_a_condition_requires_is_compared(keyword: str) -> None:
    def held(*names: str) -> dict[str, Any]:
        return {"if": {"required": ["a"]}, keyword: {"required": list(names)}}

    assert rules(asking(held("b")), asking(held("b", "c"))) == {"request-property-became-required": "error"}
    assert rules(answering(held("b", "c")), answering(held("b"))) == {
        "response-property-became-optional": "error"
    }


def test_a_schema_that_only_requires_is_compared_and_one_beside_it_that_says_more_is_not() -> None:
    assert rules(asking({"required": ["a"]}), asking({"required": ["a", "b"]})) == {
        "request-property-became-required": "error"
    }
    more = shape(a=STRING) | {"required": ["a"]}
    assert "request-property-became-optional" not in rules(asking({"required": ["a"]}), asking(more))


def test_one_and_true_are_two_values() -> None:
    for keyword in ("const", "enum"):
        one, two = ({keyword: value if keyword == "const" else [value]} for value in (1, True))
        assert "error" in rules(answering(shape(a=one)), answering(shape(a=two))).values()


def body(side: str, *kinds: str) -> dict[str, Any]:
    """An operation whose request or answer has these media types."""
    content = {kind: {"schema": shape(a=INTEGER)} for kind in kinds}
    if side == "request":
        return document({"requestBody": {"content": content}, "responses": {"200": {"description": ""}}})
    return document({"responses": {"200": {"description": "", "content": content}}})


def test_a_range_stands_for_the_media_types_within_it() -> None:
    for wide in ("*/*", "application/*"):
        assert rules(body("request", JSON), body("request", wide)) == {"request-media-type-added": "info"}
        assert rules(body("response", wide), body("response", JSON)) == {}
        assert "error" in rules(body("request", wide), body("request", JSON)).values()
        assert "error" in rules(body("response", JSON), body("response", wide)).values()


def test_default_is_the_answer_of_success_where_there_is_no_other() -> None:
    def answers(**by_status: Any) -> dict[str, Any]:
        return document(
            {
                "responses": {
                    status.removeprefix("s"): {"description": "", "content": {JSON: {"schema": schema}}}
                    for status, schema in by_status.items()
                }
            }
        )

    needed = shape(id=STRING) | {"required": ["id"]}
    removed = "response-property-removed-required"
    assert rules(answers(default=needed), answers(s200=shape()))[removed] == "error"
    assert rules(answers(default=needed), answers(default=needed, s200=shape()))[removed] == "error"
    assert removed not in rules(
        answers(s200=needed, default=needed), answers(s200=needed, default=shape(id=STRING))
    )


def test_a_member_that_belongs_to_the_other_direction_now_is_gone_from_this_one() -> None:
    one = shape(p=STRING) | {"required": ["p"]}
    for flag, make, rule, level in (
        ("writeOnly", answering, "response-property-removed-required", "error"),
        ("readOnly", asking, "request-property-removed", "warning"),
    ):
        two = shape(p=INTEGER | {flag: True}) | {"required": ["p"]}
        found = rules(make(one), make(two))
        assert found[rule] == level
        assert not [each for each in found if each.endswith("type-changed")]


@pytest.mark.parametrize(
    "reference",
    [{"$ref": "./c.json#/X"}, {"$ref": "#pet"}, {"$ref": "#/components/schemas/No"}, {"$dynamicRef": "#p"}],
)
@pytest.mark.parametrize("deep", [False, True])
def test_what_a_reference_hides_is_said_to_be_not_compared(reference: dict[str, Any], deep: bool) -> None:
    made = answering(shape(a=reference) if deep else reference)
    found = compared(made, made)
    assert found.findings == ()
    (why,) = found.unjudged
    assert next(iter(reference.values())) in why


@pytest.mark.parametrize("keyword", ["not", "if"])
def test_a_condition_behind_a_reference_is_compared_as_a_whole(keyword: str) -> None:
    def held(*values: str) -> dict[str, Any]:
        return asking(
            {keyword: {"$ref": "#/components/schemas/N"}},
            components={"schemas": {"N": {"enum": list(values)}}},
        )

    assert rules(held("a"), held("a", "b")) == {"request-property-condition-changed": "warning"}
    assert rules(held("a"), held("a")) == {}


def test_what_a_schema_with_a_discriminator_stands_for_is_compared() -> None:
    def pets(lives: dict[str, Any], *needed: str) -> dict[str, Any]:
        pet = shape(k=STRING) | {"discriminator": {"propertyName": "k"}}
        cat = {
            "allOf": [{"$ref": "#/components/schemas/Pet"}, shape(lives=lives) | {"required": list(needed)}]
        }
        return answering(
            {"$ref": "#/components/schemas/Pet"}, components={"schemas": {"Pet": pet, "Cat": cat}}
        )

    assert rules(pets(INTEGER), pets(STRING)) == {"response-property-type-changed": "error"}
    assert rules(pets(INTEGER, "lives"), pets(INTEGER)) == {"response-property-became-optional": "error"}
    assert rules(pets(INTEGER), pets(INTEGER)) == {}


def swagger(**about: Any) -> dict[str, Any]:
    """A document of Swagger 2."""
    return {
        "swagger": "2.0",
        "info": {"title": "S", "version": "1"},
        "basePath": "/v1",
        "paths": {"/a": {"get": {"security": [{"b": []}], "responses": {"200": {"description": ""}}}}},
        "securityDefinitions": {"b": {"type": "basic"}},
        **about,
    }


def test_hosts_of_swagger_are_servers_and_its_basic_is_that_of_http() -> None:
    one = swagger(host="a.example.com", schemes=["https"])
    two = {
        "openapi": "3.0.3",
        "info": {"title": "S", "version": "1"},
        "servers": [{"url": "https://a.example.com/v1"}],
        "paths": one["paths"],
        "components": {"securitySchemes": {"b": {"type": "http", "scheme": "basic"}}},
    }
    assert rules(one, two) == {}
    for about in ({"host": "b.example.com"}, {"schemes": ["http"]}):
        assert rules(one, one | about)["server-removed"] == "warning"


def test_alternatives_that_are_all_objects_are_an_object() -> None:
    one = {"oneOf": [shape(a=STRING), shape(b=STRING)]}
    for make in (asking, answering):
        assert rules(make(one), make(one | {"type": "object"})) == {}
        assert rules(make(one | {"type": "object"}), make(one)) == {}


@pytest.mark.parametrize(
    ("schema", "one", "two"),
    [
        (STRING, {"in": "path", "required": True}, {"style": "label"}),
        (
            {"anyOf": [STRING, {"type": "array", "items": STRING}]},
            {"in": "query", "explode": False},
            {"explode": True},
        ),
        ({"properties": {"a": STRING}}, {"in": "query"}, {"style": "deepObject"}),
    ],
)
def test_another_style_shows_in_whatever_it_is_written_by(
    schema: dict[str, Any], one: dict[str, Any], two: dict[str, Any]
) -> None:
    def made(**about: Any) -> dict[str, Any]:
        parameter = {"name": "id", "schema": schema, **one, **about}
        answers = {"200": {"description": ""}}
        return document(paths={"/a/{id}": {"get": {"parameters": [parameter], "responses": answers}}})

    assert rules(made(), made(**two)) == {"request-parameter-style-changed": "error"}
