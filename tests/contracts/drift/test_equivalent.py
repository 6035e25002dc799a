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


def both(one: dict[str, Any], two: dict[str, Any]) -> list[dict[str, str]]:
    """What is found in requests and answers, there and back."""
    return [
        rules(make(*side), make(*other))
        for make in (asking, answering)
        for side, other in (((one,), (two,)), ((two,), (one,)))
    ]


NOTHING: list[dict[str, str]] = [{}, {}, {}, {}]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (STRING | {"enum": ["a", "b"]}, {"oneOf": [{"const": "a", "title": "A"}, {"const": "b", "title": "B"}]}),
        (STRING | {"enum": ["a", "b", "c"]}, {"anyOf": [STRING | {"enum": ["a", "b"]}, STRING | {"enum": ["c"]}]}),
        ({"type": ["string", "null"], "enum": ["a", "b", None]}, {"oneOf": [{"const": v} for v in ("a", "b", None)]}),
        ({"type": "boolean"}, {"enum": [True, False]}),
        ({"type": "null"}, {"const": None}),
        ({"type": "null"}, {"enum": [None]}),
        (INTEGER, {"type": "number", "multipleOf": 1}),
        (INTEGER | {"multipleOf": 1.0}, INTEGER),
        ({"type": "object", "anyOf": [shape(a=STRING)]}, shape(a=STRING)),
        (
            {"type": "array", "items": STRING, "maxItems": 2},
            {"type": "array", "prefixItems": [STRING, STRING], "items": False},
        ),
        ({"type": "array", "contains": STRING, "minContains": 0}, {"type": "array"}),
        (shape(a=STRING) | {"additionalProperties": False}, shape(a=STRING) | {"unevaluatedProperties": False}),
        (STRING | {"format": "binary"}, STRING | {"contentMediaType": "application/octet-stream"}),
        (STRING | {"format": "byte"}, STRING | {"contentEncoding": "base64"}),
        (STRING | {"format": "byte"}, STRING | {"contentEncoding": "base64", "contentMediaType": "image/png"}),
    ],
)  # fmt: skip
def test_the_same_in_other_keywords_is_no_drift(one: dict[str, Any], two: dict[str, Any]) -> None:
    assert both(one, two) == NOTHING


def test_a_reference_to_null_is_null() -> None:
    schemas = {"schemas": {"A": STRING, "N": {"type": "null"}}}
    one = {"anyOf": [{"$ref": "#/components/schemas/A"}, {"type": "null"}]}
    two = {"anyOf": [{"$ref": "#/components/schemas/N"}, {"$ref": "#/components/schemas/A"}]}
    for make in (asking, answering):
        assert rules(make(one, components=schemas), make(two, components=schemas)) == {}


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf", "allOf"])
def test_one_alternative_beside_nullable_may_be_null(keyword: str) -> None:
    one, two = {keyword: [shape(a=STRING)]}, {keyword: [shape(a=STRING)], "nullable": True}
    for plain in (one, shape(a=STRING)):
        made = [answering(each) | {"openapi": "3.0.3"} for each in (plain, two)]
        assert rules(*made) == {"response-property-became-nullable": "error"}


def test_null_alone_and_a_text_are_two_types() -> None:
    for one, two in (({"type": "null"}, STRING), (STRING, {"type": "null"})):
        for make in (asking, answering):
            assert "error" in rules(make(one), make(two)).values()


def test_a_value_in_two_alternatives_of_one_of_is_no_value_of_theirs() -> None:
    one = {"oneOf": [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]}
    assert rules(answering(one), answering({"enum": ["a", "b", "c"]})) != {}


def test_groups_of_alternatives_may_stand_in_another_order() -> None:
    apart = [{"oneOf": [shape(**{name: STRING}) for name in names]} for names in (("a", "b"), ("c", "d"))]
    assert both({"allOf": apart}, {"allOf": apart[::-1]}) == NOTHING
    wider = {"oneOf": [*apart[0]["oneOf"], shape(e=STRING)]}
    assert rules(answering({"allOf": apart}), answering({"allOf": [apart[1], wider]})) == {
        "response-property-alternative-added": "error"
    }


def test_a_member_that_is_gone_from_a_closed_object_is_refused() -> None:
    closed = {"additionalProperties": False}
    one, two = shape(a=STRING, b=STRING), shape(a=STRING)
    assert rules(asking(one | closed), asking(two | closed)) == {"request-property-refused": "error"}
    assert rules(asking(one), asking(two)) == {"request-property-removed": "warning"}
    assert rules(answering(one | closed), answering(two | closed)) == {"response-property-removed": "warning"}


def test_a_member_is_held_against_what_stands_for_it_on_the_other_side() -> None:
    one, two = (shape(**more) | {"additionalProperties": STRING} for more in ({}, {"n": INTEGER}))
    changed = {"request-property-type-changed": "error", "request-property-added": "info"}
    assert rules(asking(one), asking(two)) == changed
    assert rules(answering(two), answering(one))["response-property-type-changed"] == "error"
    free: tuple[Any, ...] = ({}, True)
    for anything in free:
        assert rules(
            asking(one | {"additionalProperties": anything}), asking(two | {"additionalProperties": anything})
        ) == {"request-property-added": "info"}


def test_a_parameter_of_swagger_with_one_value_may_get_another_one() -> None:
    def made(**about: Any) -> dict[str, Any]:
        kind = {"name": "kind", "in": "query", "type": "string", "required": True, "enum": ["a"], **about}
        return swagger(
            paths={"/a": {"get": {"parameters": [kind], "responses": {"200": {"description": ""}}}}}
        )

    assert rules(made(), made(enum=["a", "b"])) == {"request-parameter-enum-value-added": "info"}
    assert rules(made(), made(enum=["b"]))["request-parameter-enum-value-removed"] == "error"
    assert rules(made(), made(required=False)) == {"request-parameter-became-optional": "info"}


def test_a_file_of_swagger_is_bytes() -> None:
    field = {"name": "f", "in": "formData", "type": "file"}
    form = {
        "consumes": ["multipart/form-data"],
        "parameters": [field],
        "responses": {"200": {"description": ""}},
    }
    content = {"multipart/form-data": {"schema": shape(f=STRING | {"format": "binary"})}}
    one = swagger(paths={"/a": {"post": form}}, host="a.example.com")
    two = document(
        paths={
            "/a": {"post": {"requestBody": {"content": content}, "responses": {"200": {"description": ""}}}}
        },
        servers=[{"url": "https://a.example.com/v1"}],
    )
    assert rules(one, two) == {}


def test_servers_of_operations_and_paths_are_compared() -> None:
    def made(where: str, host: str) -> dict[str, Any]:
        operation: dict[str, Any] = {"responses": {"200": {"description": ""}}}
        item: dict[str, Any] = {"get": operation}
        more: dict[str, Any] = {"paths": {"/a": item}}
        {"operation": operation, "path": item, "document": more}[where]["servers"] = [
            {"url": f"https://{host}"}
        ]
        return document(**more)

    changed = {"server-removed": "warning", "server-added": "info"}
    for where in ("operation", "path", "document"):
        assert rules(made(where, "x.example"), made(where, "y.example")) == changed
        assert rules(made(where, "x.example"), made("document", "x.example")) == {}


def test_what_we_may_answer_to_a_delivery_is_compared() -> None:
    def made(statuses: list[str], headers: dict[str, Any]) -> dict[str, Any]:
        asked = {"responses": {each: {"description": "", "headers": headers} for each in statuses}}
        return document(webhooks={"e": {"post": asked}})

    header = {"X-Seen": {"schema": STRING}}
    needed = {"X-Seen": {"schema": STRING, "required": True}}
    assert rules(made(["200", "202", "410"], {}), made(["202"], {})) == {
        "reply-status-removed": "error", "reply-error-status-removed": "info"}  # fmt: skip
    assert rules(made(["200"], {}), made(["200", "202"], {})) == {"reply-status-added": "info"}
    assert rules(made(["200"], {}), made(["200"], needed)) == {"reply-header-added-required": "error"}
    assert rules(made(["200"], header), made(["200"], needed)) == {"reply-header-added-required": "error"}
    assert rules(made(["200"], {}), made(["200"], header)) == {"reply-header-added": "info"}
    assert rules(made(["200"], needed), made(["200"], {})) == {"reply-header-removed": "warning"}


@pytest.mark.parametrize("part", ["parameters", "requestBody"])
def test_what_a_lost_reference_hides_is_not_told_as_gone(part: str) -> None:
    def made(node: dict[str, Any]) -> dict[str, Any]:
        value: Any = [node] if part == "parameters" else node
        return document(paths={"/a": {"post": {part: value, "responses": {"200": {"description": ""}}}}})

    known = {"name": "q", "in": "query", "schema": STRING, "content": {JSON: {"schema": STRING}}}
    for one, two in ((known, {"$ref": "#/no"}), ({"$ref": "#/no"}, known)):
        found = compared(made(one), made(two))
        assert found.findings == ()
        assert "#/no" in found.unjudged[0]


def test_what_a_lost_reference_of_a_schema_hides_is_not_told_as_changed() -> None:
    for lost in ("#/components/schemas/No", "./other.json#/No"):
        for held in ({"$ref": lost}, {"allOf": [{"$ref": lost}, shape(b=STRING)]}):
            found = compared(answering(shape(a=shape(c=STRING))), answering(shape(a=held)))
            assert found.findings == ()
            assert lost in found.unjudged[0]


def test_a_scheme_is_what_it_does_and_one_that_nothing_uses_is_no_promise() -> None:
    def made(name: str, header: str, *used: str) -> dict[str, Any]:
        schemes = {name: {"type": "apiKey", "in": "header", "name": header}}
        security: list[dict[str, list[str]]] = [{each: []} for each in used]
        return document(components={"securitySchemes": schemes}, security=security)

    assert rules(made("a", "X-Key", "a"), made("b", "x-key", "b")) == {}
    assert rules(made("a", "X-Key"), made("a", "X-Other")) == {}
    assert rules(made("a", "X-Key", "a"), made("a", "X-Other", "a")) == {"security-scheme-changed": "error"}


def form(kind: str, schema: dict[str, Any], **encoding: Any) -> dict[str, Any]:
    """An operation that takes a form of one field."""
    media = {"schema": shape(f=schema)} | ({"encoding": {"f": encoding}} if encoding else {})
    asked = {"requestBody": {"content": {kind: media}}, "responses": {"200": {"description": ""}}}
    return document(paths={"/a": {"post": asked}})


def test_fields_of_forms_are_held_against_what_holds_where_nothing_is_said() -> None:
    changed = {"request-field-encoding-changed": "error"}
    form_data, words = "multipart/form-data", {"type": "array", "items": STRING}
    plain = "application/x-www-form-urlencoded"
    assert rules(form(plain, words), form(plain, words, style="form", explode=True)) == {}
    assert rules(form(plain, words), form(plain, words, style="pipeDelimited")) == changed
    assert rules(form(plain, STRING), form(plain, STRING, style="pipeDelimited")) == {}
    assert rules(form(form_data, STRING), form(form_data, STRING, contentType="text/plain")) == {}
    assert rules(form(form_data, STRING), form(form_data, STRING, contentType="image/png")) == changed
    assert rules(form(form_data, shape(a=STRING)), form(form_data, shape(a=STRING), contentType=JSON)) == {}
    several = {"contentType": "image/png, image/jpeg"}
    assert rules(form(form_data, STRING, contentType="image/png"), form(form_data, STRING, **several)) == {}
    assert (
        rules(form(form_data, STRING, **several), form(form_data, STRING, contentType="image/png")) == changed
    )
