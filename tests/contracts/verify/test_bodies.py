"""Bodies that are not JSON: parts of a form, XML as its schema writes it; and the bodies of deliveries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from contracts.media import read
from contracts.pointers import follow
from contracts.shelf import Shelf
from contracts.values import Coercer
from contracts.verify import verify, verify_event
from contracts.view import Bench
from tests.contracts.verify.made import JSON, bench, contract, document, interaction, places, verified

PARTS = "multipart/form-data; boundary=made-up"
LISTED = {
    "type": "object",
    "required": ["Count", "Items"],
    "properties": {
        "Count": {"type": "integer"},
        "Open": {"type": "boolean"},
        "Id": {"type": "string", "xml": {"attribute": True, "name": "id"}},
        "Items": {
            "type": "array",
            "xml": {"wrapped": True},
            "items": {"type": "string", "xml": {"name": "Item"}},
        },
    },
}


def shop(schema: Any, media_type: str) -> Bench:
    """The shop with one operation more, which takes and gives a body of this type."""
    given = document()
    content = {media_type: {"schema": schema}}
    given["paths"]["/upload"] = {
        "post": {
            "security": [],
            "requestBody": {"required": True, "content": content},
            "responses": {"200": {"description": "", "content": content}},
        }
    }
    return bench(contract(given))


def sent(raw: bytes, schema: Any, content_type: str) -> list[tuple[str, str | None]]:
    """What is found in a request with this body."""
    asked = interaction("POST", "/v1/upload", sent=raw, status=None, headers={"Content-Type": content_type})
    return places(verify(asked, shop(schema, content_type.partition(";")[0])))


def parts(**fields: str) -> bytes:
    lines = [
        f'--made-up\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    return "".join([*lines, "--made-up--\r\n"]).encode()


FORM = {
    "type": "object",
    "required": ["amount"],
    "properties": {"amount": {"type": "integer"}, "file": {"type": "string", "format": "binary"}},
}


def test_the_fields_of_a_multipart_form_are_judged() -> None:
    assert sent(parts(amount="7", file="%PDF\x00"), FORM, PARTS) == []
    assert sent(parts(amount="seven"), FORM, PARTS) == [("request-body", "/request/body/amount")]
    assert sent(parts(file="x"), FORM, PARTS) == [("request-body", "/request/body/amount")]


@pytest.mark.parametrize("raw", [b"", b"amount=7", parts(amount="7")[:-6], b"--other\r\n\r\n--other--"])
def test_a_multipart_body_that_breaks_off_is_not_well_formed(raw: bytes) -> None:
    found = sent(raw, FORM, PARTS)
    assert [rule for rule, _ in found] == ["request-body-missing" if not raw else "request-body-syntax"]


def test_xml_is_judged_as_its_schema_writes_it() -> None:
    items = b"<Items><Item>a</Item><Item>b</Item></Items>"
    good = b'<List xmlns="urn:x" id="l1"><Count>2</Count><Open>true</Open>' + items + b"</List>"
    assert sent(good, LISTED, "application/xml") == []
    wrong = good.replace(b">2<", b">two<").replace(b">true<", b">perhaps<")
    assert sent(wrong, LISTED, "application/xml") == [
        ("request-body", "/request/body/Count"),
        ("request-body", "/request/body/Open"),
    ]
    assert sent(b"<List><Count>2", LISTED, "application/xml") == [("request-body-syntax", "/request/body")]
    assert sent(b"<List><Count>2</Count></List>", LISTED, "application/xml") == [
        ("request-body", "/request/body/Items")
    ]


@pytest.mark.parametrize(
    ("xml", "root", "found"),
    [
        ({"name": "List"}, "List", []),
        ({"name": "List"}, "Error", [("request-body", "/request/body")]),
        ({"name": "List", "prefix": "x"}, "x:List", []),
        ({}, "Error", []),  # the name that the schema has in the document is no promise
    ],
)
def test_the_root_of_xml_is_the_one_that_its_schema_names(
    xml: dict[str, Any], root: str, found: list[Any]
) -> None:
    raw = f'<{root} xmlns:x="urn:x" id="l1"><Count>2</Count><Items/></{root}>'
    assert sent(raw.encode(), LISTED | {"xml": xml}, "application/xml") == found


def test_the_root_of_a_list_is_named_only_where_it_is_wrapped() -> None:
    for wrapped, found in ((True, [("request-body", "/request/body")]), (False, [])):
        listed = {"type": "array", "items": {"type": "string"}, "xml": {"name": "Items", "wrapped": wrapped}}
        assert sent(b"<Other><Item>a</Item></Other>", listed, "application/xml") == found


def test_another_root_says_both_names() -> None:
    asked = interaction(
        "POST",
        "/v1/upload",
        sent=b"<Error/>",
        status=None,
        headers={"Content-Type": "application/xml"},
    )
    (finding,) = verify(asked, shop(LISTED | {"xml": {"name": "List"}}, "application/xml")).findings
    assert finding.subject.endswith("the request body has the root element <Error>, and <List> is promised")
    assert (finding.promised, finding.seen) == ("<List>", "<Error>")
    assert finding.location.contract_pointer == (
        "/paths/~1upload/post/requestBody/content/application~1xml/schema"
    )


def test_xml_with_a_document_type_is_not_judged_and_said_to_be() -> None:
    raw = '<!DOCTYPE a [<!ENTITY b "c">]><List><Count>&b;</Count></List>'
    found = read(raw.encode(), "application/xml", next(_media()), Coercer({}))
    assert (found.value, found.problem) == (None, None)
    assert found.opaque is not None


def _media() -> Any:
    made = contract(document())
    return (media for each in made.operations if each.body for media in each.body.media)


# -- deliveries --------------------------------------------------------------------------------------------


def written(example: Any, media_type: str) -> bytes:
    """An example as it goes over the wire."""
    if media_type == "application/x-www-form-urlencoded":
        return urlencode(example).encode()
    return example.encode() if isinstance(example, str) else json.dumps(example).encode()


@pytest.mark.parametrize("name", sorted(Shelf(Path("nowhere")).known()))
def test_deliveries_are_judged_by_the_event_that_they_say(name: str) -> None:
    one = Shelf(Path("nowhere")).load(name)
    judge = bench(one)
    for event in one.events.values():
        for media in event.media:
            raw = written(follow(one.document, media.pointer)["example"], media.media_type)
            assert verify_event(raw, media.media_type, event, judge) == ([], None), event.type
            broken, _ = verify_event(written({}, media.media_type), media.media_type, event, judge)
            assert broken, event.type
        assert verify_event(b"x", "image/png", event, judge)[0], event.type


# -- codings and parts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("coding", "got", "why"),
    [
        ("made-up", b"@@", "its coding made-up cannot be undone"),
        ("br", b"\x0b\x02\x80", "its coding br cannot be undone"),
        ("gzip", b'{"id": 7, "na', None),
        ("identity", b"\xff", None),
        ("", b"\xff", None),
    ],
)
def test_a_body_that_is_still_packed_is_not_judged(coding: str, got: bytes, why: str | None) -> None:
    """A recorder that undoes the coding keeps the header: what is wrong then is wrong."""
    found = verified(got=got, answered={"Content-Encoding": coding})
    if why is None:
        assert places(found) == [("response-body-syntax", "/response/body")]
    else:
        assert places(found) == [("body-unjudged", "/response/body")]
        assert found.unjudged == (f"/response/body: {why}",)


@pytest.mark.parametrize("promised", [{}, {"default": {"description": ""}}])
def test_a_part_is_answered_to_who_asked_for_one(promised: dict[str, Any]) -> None:
    given = document()
    answers = given["paths"]["/pets/search"]["get"]["responses"]
    answers |= promised
    asked: dict[str, Any] = {"path": "/v1/pets/search", "status": 206, "got": b'{"id": 7, "na'}
    found = verify(interaction(**asked, headers={"Range": "bytes=0-12"}), bench(contract(given)))
    assert found.findings == ()
    assert found.unjudged == ("/response/body: is a part of what was asked for",)
    rules = [each.rule for each in verify(interaction(**asked), bench(contract(given))).findings]
    assert rules == ([] if promised else ["response-status"])


def test_white_space_around_a_header_is_no_part_of_it() -> None:
    found = verified(path="/v1/pets", got=[], answered={"X-Total": " 5\t"})
    assert places(found) == []


# -- what is said ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "value", "promised"),
    [
        ({"not": {"required": ["a"]}}, {"a": "seen-here"}, 'nothing that fits {"required": ["a"]}'),
        ({"type": "integer", "multipleOf": 7}, 777777771, "a multiple of 7"),
        ({"contains": {"type": "integer"}}, ["seen-here"], "an item of a kind that is not among them"),
        ({"properties": {"a": False}}, {"a": "seen-here"}, "nothing"),
        ({"propertyNames": {"maxLength": 2}}, {"seen-here": 1}, "in names at most this many characters: 2"),
    ],
)
def test_what_was_promised_does_not_tell_what_was_seen(schema: Any, value: Any, promised: str) -> None:
    """Only what was seen is redacted."""
    given = document()
    given["openapi"] = "3.1.0"
    given["paths"]["/pets"]["post"]["requestBody"]["content"][JSON]["schema"] = schema
    found = verify(interaction("POST", "/v1/pets", sent=value), bench(contract(given))).findings
    assert [each.promised for each in found if each.rule == "request-body"] == [promised]


def test_a_body_that_is_wrong_and_too_deep_is_said_to_be_unjudged() -> None:
    """That it is wrong shows at once; everything that is wrong with it does not."""
    deep: Any = []
    for _ in range(900):
        deep = [deep]
    found = verify(
        interaction("POST", "/v1/pets", sent={"name": 7, "deep": deep}, status=None), bench(contract())
    )
    assert places(found) == []
    assert found.unjudged == ("/request/body: is nested too deeply",)


def test_a_list_in_a_form_is_a_list_where_one_is_promised() -> None:
    """Not the object, with numbers for names, that stands before it."""
    lines = {"type": "array", "items": {"type": "integer"}}
    either = {"anyOf": [{"type": "object", "additionalProperties": {"type": "string"}}, lines]}
    schema = {"type": "object", "properties": {"lines": either}}
    kind = "application/x-www-form-urlencoded"
    assert sent(b"lines[]=1&lines[]=2", schema, kind) == []
    assert sent(b"lines[]=1&lines[]=x", schema, kind) == [("request-body", "/request/body/lines/1")]


def unlabelled(raw: bytes, *promised: str) -> tuple[list[tuple[str, str | None]], tuple[str, ...]]:
    """What is found in an answer without a media type, and what is left unjudged."""
    given = document()
    schema = {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}
    content = {name: {"schema": schema} for name in promised}
    given["paths"]["/upload"] = {
        "get": {"security": [], "responses": {"200": {"description": "", "content": content}}}
    }
    asked = interaction(path="/v1/upload", got=raw, answered={"Content-Type": ""})
    found = verify(asked, bench(contract(given)))
    return places(found), found.unjudged


@pytest.mark.parametrize(
    ("raw", "promised", "rules"),
    [
        (b"oops not json", [JSON], ["response-body-syntax"]),
        (b"7", [JSON], ["response-body"]),
        (b'{"a": "b"}', [JSON], []),
        (b"<r><b>1</b></r>", [JSON, "application/xml"], ["response-body"]),
        (b"<r><a>1</a></r>", [JSON, "application/xml"], []),
        (b"\xef\xbb\xbf [1]", ["application/xml", JSON], ["response-body"]),
        (b"b=1", [JSON, "application/x-www-form-urlencoded"], ["response-body"]),
        (b"null", ["application/xml", JSON], ["response-body"]),
        (b"[\xff\xfe", ["*/*"], []),
        (b"[1]", ["*/*"], ["response-body"]),
    ],
)
def test_a_body_without_a_media_type_is_of_the_one_that_it_must_be_or_looks_like(
    raw: bytes, promised: list[str], rules: list[str]
) -> None:
    found, unjudged = unlabelled(raw, *promised)
    assert [rule for rule, _ in found] == rules
    assert unjudged == ()


def test_a_body_that_looks_like_nothing_that_is_promised_is_not_judged() -> None:
    said = ("/response/body: has no media type, and looks like none that is promised",)
    assert unlabelled(b"oops", JSON, "application/xml") == ([], said)
