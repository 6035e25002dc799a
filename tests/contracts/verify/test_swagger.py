"""What only Swagger 2 has: forms made of parameters, and lists written in five ways."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from contracts import adapters
from contracts.verify import Verified, verify
from tests.contracts.verify.made import FORM, HOST, JSON, bench, body, interaction

FIELD = {"name": "n", "in": "formData", "type": "integer", "required": True}
LIST = {"name": "ids", "in": "formData", "type": "array", "items": {"type": "integer"}}


def held(
    paths: dict[str, Any], sent: str | None = None, *, form: str = FORM, path: str = "/t", **about: Any
) -> Verified:
    """A POST to `/t` of a service with these paths, whose answer is an empty object."""
    document = {
        "swagger": "2.0",
        "info": {"title": "Old", "version": "1"},
        "host": HOST.rpartition("/")[2],
        "paths": paths,
        "x-deep": {"path items": {"t": paths.get("/kept", {})}},
    }
    contract = adapters.parse(body(document), name="old", source="old.json")
    raw = None if sent is None else sent.encode()
    headers = about.pop("headers", {}) | ({"Content-Type": form} if sent else {})
    asked = interaction("POST", path, sent=raw, got={}, headers=headers, **about)
    return verify(asked, bench(contract))


def post(*parameters: dict[str, Any], **answer: Any) -> dict[str, Any]:
    return {"parameters": list(parameters), "responses": {"200": {"description": "", "schema": {}} | answer}}


def told(found: Verified) -> list[tuple[str, str | None, str | None]]:
    """The rule of every finding, and its places in the message and in the contract."""
    return [
        (each.rule, each.location.message_pointer, each.location.contract_pointer) for each in found.findings
    ]


WRITTEN = {"csv": "1,2", "ssv": "1 2", "tsv": "1\t2", "pipes": "1|2", None: "1,2"}


def written(way: str | None) -> dict[str, str]:
    return {} if way is None else {"collectionFormat": way}


@pytest.mark.parametrize("way", WRITTEN)
def test_the_lists_of_a_header_are_read_as_they_are_written(way: str | None) -> None:
    header = {"type": "array", "items": {"type": "integer"}} | written(way)
    paths = {"/t": {"post": post(headers={"X-A": header})}}
    assert told(held(paths, answered={"X-A": WRITTEN[way]})) == []
    (found,) = told(held(paths, answered={"X-A": WRITTEN[way].replace("2", "x")}))
    assert found[:2] == ("response-header", "/response/header/x-a/1")


@pytest.mark.parametrize("way", WRITTEN)
def test_the_lists_of_a_form_are_read_as_they_are_written(way: str | None) -> None:
    paths = {"/t": {"post": post(LIST | written(way))}}
    assert told(held(paths, f"ids={quote(WRITTEN[way])}")) == []
    assert told(held(paths, "ids=1")) == []
    assert told(held(paths, f"ids={quote(WRITTEN[way].replace('2', 'x'))}")) == [
        ("request-body", "/request/body/ids/1", "/paths/~1t/post/parameters/0/items/type")
    ]


INNER = {"type": "array", "items": {"type": "integer"}}


@pytest.mark.parametrize(
    ("outer", "inner", "text"),
    [
        ("pipes", None, "1,2|3"),
        ("csv", "pipes", "1|2,3"),
        ("multi", "ssv", "1 2"),
        ("pipes", "csv", "1, 2|3"),
    ],
)
@pytest.mark.parametrize("place", ["query", "formData", "header"])
def test_lists_within_lists_are_read_as_they_are_written(
    outer: str, inner: str | None, text: str, place: str
) -> None:
    if (outer, place) == ("multi", "header"):
        outer, text = "csv", "1 2"  # a header comes once
    field = {"name": "ids", "in": place, "type": "array", "items": INNER | written(inner)} | written(outer)
    paths = {"/t": {"post": post(field)}}

    def asked(given: str) -> list[tuple[str, str | None, str | None]]:
        if place == "header":
            return told(held(paths, headers={"ids": given}))
        if place == "formData":
            return told(held(paths, f"ids={quote(given)}"))
        return told(held(paths, path=f"/t?ids={quote(given)}"))

    assert asked(text) == []
    rule, where = {"formData": ("request-body", "body")}.get(place, (f"request-{place}", place))
    assert [(rule, f"/request/{where}/ids/0/1")] == [each[:2] for each in asked(text.replace("2", "x"))]


def test_a_list_of_several_fields_is_not_taken_apart() -> None:
    paths = {"/t": {"post": post(LIST | {"collectionFormat": "multi"})}}
    assert told(held(paths, "ids=1&ids=2")) == []
    assert [rule for rule, _, _ in told(held(paths, "ids=1,2"))] == ["request-body"]


@pytest.mark.parametrize(
    ("paths", "place"),
    [
        ({"/t": {"post": post(FIELD)}}, "/paths/~1t/post/parameters/0"),
        ({"/t": {"post": post(LIST, FIELD)}}, "/paths/~1t/post/parameters/1"),
        ({"/t": {"post": post(), "parameters": [FIELD]}}, "/paths/~1t/parameters/0"),
        ({"/{any}": {"post": post(FIELD)}}, "/paths/~1{any}/post/parameters/0"),
        (
            {"/t": {"$ref": "#/x-deep/path%20items/t"}, "/kept": {"post": post(FIELD)}},
            "/x-deep/path items/t/post/parameters/0",
        ),
    ],
)
def test_a_field_of_a_form_is_told_where_the_document_has_it(paths: dict[str, Any], place: str) -> None:
    assert told(held(paths, "n=1")) == []
    assert told(held(paths, "n=x")) == [("request-body", "/request/body/n", f"{place}/type")]
    assert told(held(paths, "m=x")) == [("request-body", "/request/body/n", place)]


def test_a_form_that_is_none_is_told_at_its_parameters() -> None:
    paths = {"/t": {"post": post(FIELD) | {"consumes": ["multipart/form-data"]}}}
    found = told(held(paths, "n=1", form="multipart/form-data; boundary=made-up"))
    assert found == [("request-body-syntax", "/request/body", "/paths/~1t/post/parameters")]
    shared = {"/t": {"post": {"responses": post()["responses"], "consumes": [FORM]}, "parameters": [FIELD]}}
    assert told(held(shared, '{"n": 1}', form=JSON)) == [
        ("request-media-type", "/request/header/content-type", "/paths/~1t/post")
    ]


def in_path(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "type": "string"} | more


@pytest.mark.parametrize(
    ("pattern", "asked", "found"),
    [
        ("^[a-z]+(?:/[a-z]+)*$", "/box/a/b", []),
        ("^[a-z]+(?:/[a-z]+)*$", "/box/a/B", ["request-path"]),
        ("^[^/]+$", "/box/a/b", ["operation-unknown"]),
        ("^(?!.*/).+$", "/box/a/b", ["operation-unknown"]),
        ("^[a-z]+$", "/box/a/b", ["operation-unknown"]),
    ],
)
def test_a_name_whose_pattern_has_slashes_may_have_them(pattern: str, asked: str, found: list[str]) -> None:
    paths = {"/box/{name}": {"post": post(in_path("name", pattern=pattern))}}
    assert [rule for rule, _, _ in told(held(paths, path=asked))] == found


def test_operations_of_one_address_are_told_apart_by_what_one_of_them_needs() -> None:
    start = {"name": "start", "in": "query", "type": "string", "required": True}
    source = {"name": "X-Source", "in": "header", "type": "string", "required": True}
    both = {"name": "size", "in": "query", "type": "integer", "required": True}
    paths = {
        "/t?do=put&plain": {"post": post(both)},
        "/t?do=put&part": {"post": post(start, both)},
        "/t?do=put&fromUrl": {"post": post(source, both)},
    }
    for path, headers in (("", {}), ("&start=5", {}), ("", {"X-Source": "u"})):
        assert told(held(paths, path=f"/t?do=put&size=1{path}", headers=headers)) == []
        (wrong,) = told(held(paths, path=f"/t?do=put&size=x{path}", headers=headers))
        assert wrong[:2] == ("request-query", "/request/query/size")
    found = held(paths, path="/t?do=put", headers={"X-Source": "u"})
    assert found.operation == "POST /t?do=put X-Source"
    assert told(found)[0][:2] == ("request-query", "/request/query/size")


def test_operations_that_all_need_something_of_their_own_leave_one_for_the_rest() -> None:
    one, other = (
        {"name": name, "in": "query", "type": "string", "required": True} for name in ("one", "other")
    )
    paths = {"/t?do=put&one": {"post": post(one)}, "/t?do=put&other": {"post": post(other)}}
    assert [rule for rule, _, _ in told(held(paths, path="/t?do=put"))] == ["request-query"]


def test_a_file_is_nothing_that_could_be_judged() -> None:
    file = {"name": "body", "in": "body", "required": True, "schema": {"type": "object", "format": "file"}}
    found = held({"/t": {"post": post(file)}}, "\0", form="application/octet-stream")
    assert (told(found), found.unjudged) == ([], ())
