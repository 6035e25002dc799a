"""Parameters and fields of forms: every way in which OpenAPI has them written, and in which clients write them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from contracts.verify import verify
from tests.contracts.verify.made import JSON, bench, contract, document, interaction, places

INTEGER, STRING = {"type": "integer"}, {"type": "string"}
POINT = {"type": "object", "properties": {"x": INTEGER, "y": INTEGER}, "required": ["x"]}
FORM = "application/x-www-form-urlencoded"
Found = list[tuple[str, str | None]]


def asked(parameters: list[Any], query: str = "", path: str = "/t", template: str = "/t") -> Found:
    """What is found in a request of an operation with these parameters."""
    document = {
        "openapi": "3.1.0",
        "info": {"title": "P", "version": "1"},
        "servers": [{"url": "https://api.made-up.example/v1"}],
        "paths": {template: {"get": {"parameters": parameters, "responses": {"200": {"description": ""}}}}},
    }
    made = verify(interaction(path=f"/v1{path}{query}", status=200, got=None), bench(contract(document)))
    return [(rule, at) for rule, at in places(made) if rule.startswith(("request-query", "request-path"))]


def query(schema: Any, **more: Any) -> list[Any]:
    """One parameter q."""
    return [{"name": "q", "in": "query", "schema": schema, **more}]


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        (query(POINT, required=True), "?x=1&y=2"),
        (query({"type": "object", "additionalProperties": INTEGER}), "?a=1&b=2"),
        (query({"anyOf": [{"type": "string", "format": "date"}, INTEGER]}), "?q=5"),
        (query({"oneOf": [{"type": "string", "pattern": "^[a-z]+$"}, INTEGER]}), "?q=5"),
        (query({"anyOf": [{"type": "array", "items": INTEGER}, STRING]}), "?q=abc"),
        (query({"type": "array", "items": {"oneOf": [{"type": "string", "format": "uuid"}, INTEGER]}}), "?q=1&q=2"),
        (query({"enum": [1, 2]}), "?q=1"),
        (query({"const": True}), "?q=true"),
        (query({"type": ["array", "null"], "items": INTEGER}), "?q=1"),
        (query({"anyOf": [{"type": "array", "items": INTEGER}, {"type": "null"}]}, explode=False), "?q=1,2"),
        (query({"allOf": [{"type": "array", "items": INTEGER}]}, explode=False), "?q=1,2"),
        (query({"type": "array", "items": STRING, "maxItems": 2}, explode=False), "?q=Doe%2C%20J,Roe"),
        (query({"type": "array", "items": STRING, "minItems": 2}, explode=False), "?q=Doe%2CRoe"),
        (query({"type": "boolean"}, allowEmptyValue=True), "?q="),
        (query(POINT, style="spaceDelimited", explode=False), "?q=x%201%20y%202"),
        (query(POINT, style="pipeDelimited", explode=False), "?q=x|1|y|2"),
        (
            query(
                {"type": "object", "properties": {"a": {"type": "array", "items": INTEGER, "minItems": 2}}},
                style="deepObject",
            ),
            "?q[a]=1&q[a]=2",
        ),
    ],
)  # fmt: skip
def test_what_is_written_as_promised_is_no_finding(parameters: list[Any], text: str) -> None:
    assert asked(parameters, text) == []


@pytest.mark.parametrize(
    ("parameters", "text", "name"),
    [
        (query(POINT), "?x=a&y=2", "x"),
        (query(POINT), "?y=2", "x"),
        (query({"type": "object", "additionalProperties": INTEGER}), "?a=b", "a"),
        (query({"anyOf": [{"type": "string", "format": "date"}, INTEGER]}), "?q=x", "q"),
        (query({"enum": [1, 2]}), "?q=3", "q"),
        (query({"type": "boolean"}), "?q=", "q"),
        (query({"type": "array", "items": STRING, "maxItems": 1}, explode=False), "?q=a,b", "q"),
    ],
)  # fmt: skip
def test_what_is_not_is_found_where_it_stands(parameters: list[Any], text: str, name: str) -> None:
    assert asked(parameters, text) == [("request-query", f"/request/query/{name}")]


@pytest.mark.parametrize(
    ("style", "explode", "text"),
    [
        ("simple", False, "x,1,y,2"),
        ("simple", True, "x=1,y=2"),
        ("label", False, ".x,1,y,2"),
        ("label", True, ".x=1.y=2"),
        ("matrix", False, ";p=x,1,y,2"),
        ("matrix", True, ";x=1;y=2"),
    ],
)
def test_objects_in_a_path_are_read_in_every_style(style: str, explode: bool, text: str) -> None:
    placed = [
        {"name": "p", "in": "path", "required": True, "schema": POINT, "style": style, "explode": explode}
    ]
    assert asked(placed, path=f"/t/{text}", template="/t/{p}") == []
    wrong = text.replace("1", "a")
    assert asked(placed, path=f"/t/{wrong}", template="/t/{p}") == [("request-path", "/request/path/p/x")]


def test_an_encoded_comma_is_one_of_the_value_in_a_path_too() -> None:
    schema = {"type": "array", "items": STRING, "maxItems": 1}
    placed = [{"name": "p", "in": "path", "required": True, "schema": schema}]
    assert asked(placed, path="/t/x%2Cy", template="/t/{p}") == []
    assert asked(placed, path="/t/x,y", template="/t/{p}") == [("request-path", "/request/path/p")]


def test_json_that_is_nested_too_deeply_is_unjudged() -> None:
    deep = "[" * 5000 + "]" * 5000
    content = [{"name": "q", "in": "query", "content": {JSON: {"schema": {"type": "array"}}}}]
    assert asked(content, f"?q={deep}") == []
    assert asked(query(POINT, explode=False), "?q=" + "%7B%22a%22%3A" * 5000) == []


def sent(raw: str, schema: Any, content_type: str = FORM, **media: Any) -> Found:
    """What is found in a body."""
    content = {content_type.partition(";")[0]: {"schema": schema, **media}}
    document = {
        "openapi": "3.0.3",
        "info": {"title": "P", "version": "1"},
        "servers": [{"url": "https://api.made-up.example/v1"}],
        "paths": {
            "/t": {"post": {"requestBody": {"content": content}, "responses": {"200": {"description": ""}}}}
        },
    }
    asked = interaction(
        "POST", "/v1/t", sent=raw.encode(), status=200, headers={"Content-Type": content_type}
    )
    return [(rule, at) for rule, at in places(verify(asked, bench(contract(document)))) if "body" in rule]


IDS: dict[str, Any] = {"type": "object", "properties": {"ids": {"type": "array", "items": INTEGER}}}


def test_fields_of_forms_are_read_as_their_encoding_says() -> None:
    for style, text in (("form", "1,2"), ("pipeDelimited", "1|2"), ("spaceDelimited", "1+2")):
        encoding = {"ids": {"style": style, "explode": False}}
        assert sent(f"ids={text}", IDS, encoding=encoding) == []
        assert sent(f"ids={text}x", IDS, encoding=encoding) == [("request-body", "/request/body/ids/1")]
    brackets = {"type": "object", "required": ["ids[]"], "properties": {"ids[]": IDS["properties"]["ids"]}}
    assert sent("ids[]=1&ids[]=2", brackets) == []


def test_an_object_in_a_form_or_in_a_part_is_json() -> None:
    schema = {"type": "object", "properties": {"meta": {"type": "object", "properties": {"a": INTEGER}}}}
    multipart = "multipart/form-data; boundary=made-up"
    part = '--made-up\r\nContent-Disposition: form-data; name="meta"\r\n%s\r\n{"a": %s}\r\n--made-up--\r\n'
    for head in ("", "Content-Type: application/json\r\n"):
        assert sent(part % (head, "1"), schema, multipart) == []
        assert sent(part % (head, '"x"'), schema, multipart) == [("request-body", "/request/body/meta/a")]
    assert sent("meta=%7B%22a%22%3A1%7D", schema) == []
    assert sent("meta=%7B%22a%22%3A%22x%22%7D", schema) == [("request-body", "/request/body/meta/a")]


def answered(raw: bytes, schema: Any, content_type: str) -> tuple[Found, list[str]]:
    """What is found in the body of an answer, and what could not be judged."""
    content = {content_type.partition(";")[0]: {"schema": schema}}
    document = {
        "openapi": "3.0.3",
        "info": {"title": "P", "version": "1"},
        "servers": [{"url": "https://api.made-up.example/v1"}],
        "paths": {"/t": {"get": {"responses": {"200": {"description": "", "content": content}}}}},
    }
    made = verify(
        interaction(path="/v1/t", status=200, got=raw, answered={"Content-Type": content_type}),
        bench(contract(document)),
    )
    return [(rule, at) for rule, at in places(made) if rule.startswith("response-body")], list(made.unjudged)


def test_texts_are_read_as_what_they_are() -> None:
    structure = {"type": "object"}
    for raw, kind in ((b'data: {"a":1}\n\n', "text/event-stream"), (b"a,b\n1,2", "text/csv")):
        found, unjudged = answered(raw, structure, kind)
        assert (found, len(unjudged)) == ([], 1)
    assert answered(
        "café".encode("latin-1"), {"type": "string", "pattern": "é"}, "text/plain; charset=iso-8859-1"
    ) == ([], [])
    assert answered(b"5\n", INTEGER, "text/plain") == ([], [])
    for raw in (b'{"a":' + b"1" * 5000 + b"}", b'{"a":1e400}'):
        found, unjudged = answered(raw, structure, JSON)
        assert (found, len(unjudged)) == ([], 1)
    assert answered(b'{"a":NaN}', structure, JSON)[0] == [("response-body-syntax", "/response/body")]


AN_OBJECT = {"type": "object", "required": ["a"], "properties": {"a": INTEGER}}


@pytest.mark.parametrize(
    ("media_type", "text", "places_of", "unjudged"),
    [
        ("application/xml", "<x><a>1</a></x>", [], None),
        ("application/xml", "<x><a>q</a></x>", ["/a"], None),
        ("application/x-www-form-urlencoded", "a=q", ["/a"], None),
        ("application/vnd.made-up+json", '{"a": "q"}', ["/a"], None),
        ("application/json", '{"a": NaN}', [""], None),
        ("application/json", "[REDACTED]", [], None),
        ("application/json", "1e999", [], "a number in it is too large to be judged"),
        ("text/csv", "a,b", [], "text/csv is not looked into"),
    ],
)
@pytest.mark.parametrize("place", ["query", "header"])
def test_a_parameter_that_is_a_document_is_read_by_its_media_type(
    media_type: str, text: str, places_of: list[str], unjudged: str | None, place: str
) -> None:
    given = document()
    content = {media_type: {"schema": AN_OBJECT}}
    given["paths"]["/pets/search"]["get"] |= {"parameters": [{"name": "p", "in": place, "content": content}]}
    asked = interaction(
        path=f"/v1/pets/search?p={quote(text)}" if place == "query" else "/v1/pets/search",
        headers={"p": text} if place == "header" else {},
        status=None,
    )
    found = verify(asked, bench(contract(given)))
    assert places(found) == [(f"request-{place}", f"/request/{place}/p{each}") for each in places_of]
    assert found.unjudged == (() if unjudged is None else (f"/request/{place}/p: {unjudged}",))
