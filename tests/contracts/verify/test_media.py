"""Media types as HTTP and OpenAPI write them: parameters, refusals in Accept, and the parts of a form."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.verify import Verified, verify
from tests.contracts.verify.made import JSON, bench, contract, document, interaction, places

VERSIONED = "application/vnd.shop+json"
FORM = "multipart/form-data"
INTEGER = {"type": "integer"}


def answered(promised: dict[str, Any], got: Any, **about: Any) -> Verified:
    """An answer before the schemas that are promised, by media type."""
    given = document()
    content = {name: {"schema": schema} for name, schema in promised.items()}
    given["paths"]["/pets/search"]["get"]["responses"]["200"]["content"] = content
    return verify(interaction(path="/v1/pets/search", got=got, **about), bench(contract(given)))


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        (f"{VERSIONED}; version=1; charset=utf-8", [("response-body", "/response/body")]),
        (f'{VERSIONED};charset=utf-8;Version="2"', []),
        (f"{VERSIONED}; version=3", [("response-media-type", "/response/header/content-type")]),
    ],
)
def test_parameters_tell_media_types_of_one_name_apart(sent: str, found: list[tuple[str, str]]) -> None:
    promised = {f"{VERSIONED};version=2": INTEGER, f"{VERSIONED};version=1": {"type": "string"}}
    assert places(answered(promised, 1, answered={"Content-Type": sent})) == found


def test_parameters_that_nobody_promised_are_named() -> None:
    promised = {f"{VERSIONED};version=2": INTEGER}
    found = answered(promised, 1, answered={"Content-Type": f"{VERSIONED};version=3"}).findings
    assert f"{VERSIONED};version=3 is not among" in found[0].subject


def test_a_charset_or_a_boundary_tells_nothing_apart() -> None:
    promised = {f"{JSON}; charset=utf-8": INTEGER}
    assert places(answered(promised, 1, answered={"Content-Type": f"{JSON};charset=ISO-8859-1"})) == []


@pytest.mark.parametrize(
    ("said", "good"),
    [
        (f"{JSON};q=0.1", True),
        (f"{JSON};q=0, text/html", False),
        (f"{JSON}; q=0.000", False),
        ("*/*;q=0.01", True),
    ],
)
def test_what_a_client_refuses_it_does_not_accept(said: str, good: bool) -> None:
    found = answered({JSON: INTEGER}, 1, headers={"Accept": said})
    assert places(found) == ([] if good else [("request-accept", "/request/header/accept")])


def part(name: str, content: str, kind: str | None = None, more: str = "") -> str:
    head = f'Content-Disposition: form-data; {more}name="{name}"\r\n'
    return head + (f"Content-Type: {kind}\r\n" if kind else "") + f"\r\n{content}\r\n"


def sent(parts: list[str], boundary: str = "made-up", encoding: Any = None, file: Any = None) -> Verified:
    """A form with a file and a number, both needed."""
    schema = {
        "type": "object",
        "required": ["file", "n"],
        "additionalProperties": False,
        "properties": {"file": file or {"type": "string"}, "n": INTEGER},
    }
    given = document()
    content = {FORM: {"schema": schema, "encoding": encoding or {}}}
    given["paths"]["/pets"]["post"] = {
        "requestBody": {"content": content},
        "responses": {"200": {"description": ""}},
    }
    raw = "".join(f"--{boundary}\r\n{each}" for each in parts) + f"--{boundary}--\r\n"
    quoted = f'"{boundary}"' if ";" in boundary else boundary
    headers = {"Content-Type": f"{FORM}; boundary={quoted}"}
    asked = interaction("POST", "/v1/pets", sent=raw.encode(), headers=headers)
    return verify(asked, bench(contract(given)))


@pytest.mark.parametrize(
    ("parts", "boundary"),
    [
        ([part("file", "x"), part("n", "1")], "a;b=c"),
        ([part("file", "x", more='filename="name=y; z"; '), part("n", "1")], "made-up"),
        ([part("file", "x --made-up y\r\n--made-upon\r\n\r\nname=z"), part("n", "1")], "made-up"),
        (["\r\nwithout a head\r\n", part("file", ""), part("n", "1")], "made-up"),
    ],
)
def test_parts_are_told_apart_as_they_are_written(parts: list[str], boundary: str) -> None:
    assert places(sent(parts, boundary)) == []
    assert places(sent([*parts[:-1], part("n", "x")], boundary)) == [("request-body", "/request/body/n")]


@pytest.mark.parametrize(
    ("kind", "good"),
    [("image/png", True), ("text/plain; charset=utf-8", True), ("image/gif", False), (None, True)],
)
def test_a_part_of_another_media_type_than_its_encoding_is_found(kind: str | None, good: bool) -> None:
    encoding = {"file": {"contentType": "image/png, text/*"}}
    found = sent([part("file", "x", kind), part("n", "1")], encoding=encoding)
    assert places(found) == ([] if good else [("request-media-type", "/request/body/file")])


def test_a_form_of_more_fields_than_are_read_is_said_to_be_unjudged() -> None:
    found = sent([part("n", "1")] * 10_001)
    assert found.unjudged == ("/request/body: it has more than 10000 fields",)


FILE = {"type": "string", "format": "binary"}
FILES = {"type": "array", "items": FILE}


@pytest.mark.parametrize("promised", [FILE, FILES, {"anyOf": [FILES, {"type": "null"}]}])
@pytest.mark.parametrize("content", ['{"a": 1}', "[1, 2]", "7", "null"])
def test_a_file_that_is_json_is_a_file_all_the_same(promised: Any, content: str) -> None:
    assert places(sent([part("file", content, JSON), part("n", "1")], file=promised)) == []


def test_a_field_that_says_json_is_read_as_what_it_is() -> None:
    wanted = {"type": "object", "properties": {"a": INTEGER}}
    assert places(sent([part("file", '{"a": 1}', JSON), part("n", "1")], file=wanted)) == []
    found = sent([part("file", '{"a": "x"}', JSON), part("n", "1")], file=wanted)
    assert places(found) == [("request-body", "/request/body/file/a")]
    found = sent([part("file", '{"a": "1"}', JSON), part("n", "1")], file=wanted)
    assert places(found) == [("request-body", "/request/body/file/a")]
    found = sent([part("file", '{"a": "1"}'), part("n", "1")], file=wanted)
    assert places(found) == [("request-body", "/request/body/file/a")]
    words = {"type": "array", "items": {"type": "string", "maxLength": 1}}
    assert places(sent([part("file", '["a", "b"]', JSON), part("n", "1")], file=words)) == []
    found = sent([part("file", '["a", "bb"]', JSON), part("n", "1")], file=words)
    assert places(found) == [("request-body", "/request/body/file/1")]


@pytest.mark.parametrize(
    ("got", "found", "unjudged"),
    [
        (b'{"a": 1}', [], False),
        (b'{"a": "x"}', [("response-body", "/response/body/a")], False),
        (b"{a: 1}", [("body-unjudged", "/response/body")], True),
        (b"a = 1", [("body-unjudged", "/response/body")], True),
    ],
)
def test_an_object_under_a_media_type_of_ones_own_is_judged_where_it_is_json(
    got: bytes, found: list[tuple[str, str]], unjudged: bool
) -> None:
    name = "application/vnd.shop.object"
    held = answered(
        {name: {"type": "object", "properties": {"a": INTEGER}}}, got, answered={"Content-Type": name}
    )
    assert places(held) == found
    assert bool(held.unjudged) == unjudged
