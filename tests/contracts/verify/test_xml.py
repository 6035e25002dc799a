"""XML bodies read along their schemas: white space, nil, branches, lists and what stands where it should not."""

from __future__ import annotations

from typing import Any

import pytest

from contracts import xml_bodies
from contracts.values import Coercer
from contracts.verify import verify
from tests.contracts.verify.made import bench, contract, document, interaction, places

XML = "application/xml"
INTEGER, TEXT = {"type": "integer"}, {"type": "string"}
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
TAGS = {
    "type": "array",
    "xml": {"name": "Tags", "wrapped": True},
    "items": {"type": "string", "xml": {"name": "Tag"}},
}
PET: dict[str, Any] = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "integer", "xml": {"attribute": True}},
        "name": TEXT,
        "tags": TAGS,
        "n": {"type": "array", "items": INTEGER},
        "on": {"type": "boolean"},
        "when": {"type": "string", "format": "date"},
    },
}


def found(raw: str, schema: Any) -> list[tuple[str, str | None]]:
    """What is found in an answer with this body."""
    given = document()
    content = {XML: {"schema": schema}}
    given["paths"]["/one"] = {
        "get": {"security": [], "responses": {"200": {"description": "", "content": content}}}
    }
    asked = interaction(path="/v1/one", got=raw.encode(), answered={"Content-Type": XML})
    return places(verify(asked, bench(contract(given))))


def value(raw: str, schema: Any) -> Any:
    """The value that is read."""
    return xml_bodies.value(raw.encode(), "/schema", Coercer({"schema": schema}))


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        ("<r><name>x</name></r>", None),
        ("<r><name>x</name><on>1</on></r>", None),
        ("<r><name>x</name><on>\n 0 </on></r>", None),
        ("<r><name>x</name><on> true </on></r>", None),
        ("<r><name>x</name><on>2</on></r>", "on"),
        ("<r><name>x</name><n> 1 </n><n>\n2</n></r>", None),
        ("<r><name>x</name><n>1 2</n></r>", "n/0"),
        ("<r id=' 7 '><name>x</name></r>", None),
        ("<r><name>x</name><when> 2026-01-02\n</when></r>", None),
        ("<r><name>x</name><when> 2026-13-02\n</when></r>", "when"),
        ("<r><name>x</name><Tags><Tag>a</Tag></Tags></r>", None),
        ("<r><name>x</name><Tags/></r>", None),
        ("<r><name>x</name><Tags><Dog>a</Dog></Tags></r>", "tags"),
        ("<r><name>x</name><name>y</name></r>", "name"),
        ("<r foo='2'><name>x</name></r>", "foo"),
        (f"<r {XSI} xsi:type='Pet'><name>x</name></r>", None),
        ("<r><name>x</name><zip>1</zip></r>", "zip"),
    ],
)
def test_xml_is_judged_as_xml_writes_it(raw: str, place: str | None) -> None:
    rule = "response-format" if place == "when" else "response-body"
    assert found(raw, PET) == ([] if place is None else [(rule, f"/response/body/{place}")])


DOUBLE = {"type": "number", "format": "double"}


@pytest.mark.parametrize(
    ("text", "schema", "good"),
    [
        ("INF", DOUBLE, True),
        (" -INF ", DOUBLE | {"format": "float", "nullable": True}, True),
        ("NaN", DOUBLE, True),
        ("INF", DOUBLE | {"minimum": 0}, True),
        ("INF", DOUBLE | {"maximum": 5}, False),
        ("-INF", DOUBLE | {"minimum": 0}, False),
        ("NaN", DOUBLE | {"minimum": 0}, False),
        ("Infinity", DOUBLE, False),
        ("INF", {"type": "number"}, False),
    ],
)
def test_numbers_beyond_all_limits_are_numbers_of_xml(text: str, schema: dict[str, Any], good: bool) -> None:
    place = [] if good else [("response-body", "/response/body/a")]
    assert found(f"<r><a>{text}</a></r>", {"type": "object", "properties": {"a": schema}}) == place


SPACED = {
    "type": "object",
    "xml": {"name": "Pet", "namespace": "http://pets.example/"},
    "additionalProperties": False,
    "properties": {
        "a": TEXT | {"xml": {"namespace": "http://a.example/", "prefix": "a"}},
        "b": {"type": "array", "items": INTEGER, "xml": {"namespace": "http://b.example/"}},
        "c": {
            "type": "array",
            "xml": {"wrapped": True},
            "items": TEXT | {"xml": {"name": "i", "namespace": "http://i.example/"}},
        },
    },
}


@pytest.mark.parametrize(
    ("raw", "places"),
    [
        ("<Pet><a>1</a><b>1</b><c><i>x</i></c></Pet>", []),
        ("<p:Pet xmlns:p='http://pets.example/'><a>1</a></p:Pet>", []),
        ("<Pet xmlns='http://other.example/'><a>1</a></Pet>", [""]),
        ("<Pet><a xmlns='http://a.example/'>1</a><b xmlns='http://b.example/'>1</b></Pet>", []),
        ("<Pet><a xmlns='http://b.example/'>1</a></Pet>", ["{http:~1~1b.example~1}a"]),
        ("<Pet><b xmlns='http://a.example/'>1</b></Pet>", ["{http:~1~1a.example~1}b"]),
        ("<Pet><c><i xmlns='http://i.example/'>1</i></c></Pet>", []),
        ("<Pet><c><i xmlns='http://j.example/'>1</i></c></Pet>", ["c"]),
    ],
)
def test_another_namespace_than_the_promised_one_is_another_element(raw: str, places: list[str]) -> None:
    told = [("response-body", f"/response/body{'/' if place else ''}{place}") for place in places]
    assert found(raw, SPACED) == told


def test_text_keeps_its_white_space() -> None:
    assert value("<r><name> x </name></r>", PET) == {"name": " x "}


def test_nil_is_null() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": INTEGER | {"nullable": True},
            "b": {"type": "object", "nullable": True, "required": ["q"], "properties": {"q": INTEGER}},
            "c": INTEGER,
        },
    }
    for name in ("a", "b"):
        assert found(f"<r {XSI}><{name} xsi:nil='true'/></r>", schema) == []
    assert found(f"<r {XSI}><c xsi:nil='true'/></r>", schema) == [("response-body", "/response/body/c")]


EITHER = {
    "type": "object",
    "properties": {
        "p": {
            "oneOf": [
                {"type": "object", "required": ["a"], "properties": {"a": INTEGER}},
                {
                    "type": "object",
                    "required": ["b"],
                    "properties": {"b": {"type": "array", "items": INTEGER}},
                },
            ]
        }
    },
}


@pytest.mark.parametrize("inner", ["<a>1</a>", "<b>1</b>", "<b>1</b><b>2</b>"])
def test_each_branch_says_how_its_own_members_are_read(inner: str) -> None:
    assert found(f"<r><p>{inner}</p></r>", EITHER) == []
    assert found(f"<r><p>{inner.replace('1', 'x')}</p></r>", EITHER) != []


def test_where_branches_name_the_same_member_the_one_that_fits_is_read() -> None:
    schema = {
        "type": "object",
        "properties": {"x": TEXT},
        "oneOf": [
            {"required": ["kind"], "properties": {"kind": {"enum": ["one"]}, "v": INTEGER}},
            {
                "required": ["kind"],
                "properties": {"kind": {"enum": ["many"]}, "v": {"type": "array", "items": TEXT}},
            },
        ],
    }
    assert value("<r><kind>one</kind><v>1</v></r>", schema) == {"kind": "one", "v": 1}
    assert value("<r><kind>many</kind><v>1</v></r>", schema) == {"kind": "many", "v": ["1"]}


def test_a_member_is_a_list_where_a_branch_says_so_and_several_came() -> None:
    schema = {
        "type": "object",
        "properties": {"v": {"oneOf": [INTEGER, {"type": "array", "items": INTEGER}]}},
    }
    assert value("<r><v>1</v></r>", schema) == {"v": 1}
    assert value("<r><v>1</v><v>2</v></r>", schema) == {"v": [1, 2]}


def test_a_list_that_is_not_wrapped_and_empty_leaves_nothing_behind() -> None:
    schema = {
        "type": "object",
        "required": ["m"],
        "properties": {
            "m": {"type": "array", "items": TEXT},
            "n": {"type": "array", "minItems": 1, "items": TEXT},
        },
    }
    assert found("<r/>", schema) == []


def test_what_a_list_is_may_stand_behind_all_of() -> None:
    schema = {"type": "object", "properties": {"n": {"allOf": [{"type": "array", "items": INTEGER}]}}}
    assert value("<r><n>1</n></r>", schema) == {"n": [1]}


def test_unnamed_members_are_read_as_the_others() -> None:
    schema = {"type": "object", "properties": {"m": {"type": "object", "additionalProperties": INTEGER}}}
    assert value("<r><m><a> 1 </a></m></r>", schema) == {"m": {"a": 1}}


def test_branches_that_nest_are_read_once_each() -> None:
    own = {"a": {"$ref": "#/schema"}, "q": INTEGER}
    branch = {"type": "object", "properties": {"a": {"$ref": "#/schema"}}}
    schema = {"type": "object", "properties": own, "oneOf": [branch, branch, {"$ref": "#/schema"}]}
    read = value("<r>" + "<a>" * 40 + "<q>1</q>" + "</a>" * 40 + "</r>", schema)
    for _ in range(40):
        read = read["a"]
    assert read == {"q": 1}
