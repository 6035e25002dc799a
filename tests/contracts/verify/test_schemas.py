"""Schemas that are odd: one that no validator takes spoils no other, and what only answers carry is not asked for."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from contracts.engine import REQUEST, RESPONSE, Engine, TooDeep
from contracts.verify import Verified, verify
from tests.contracts.verify.made import JSON, bench, contract, interaction, places

ROOT = "/paths/~1t/post/requestBody/content/application~1json/schema"
OTHER = "/paths/~1u/post/requestBody/content/application~1json/schema"


def engine(schema: Any, other: Any = True, **components: Any) -> Engine:
    """An engine of two operations that take these."""

    def takes(what: Any) -> dict[str, Any]:
        return {"post": {"requestBody": {"content": {JSON: {"schema": what}}}, "responses": {}}}

    return Engine(
        contract(
            {
                "openapi": "3.1.0",
                "info": {"title": "Odd", "version": "1"},
                "paths": {"/t": takes(schema), "/u": takes(other)},
                "components": {"schemas": components},
            }
        )
    )


@pytest.mark.parametrize(
    "odd",
    [
        {"dependentRequired": {"a": "b"}},
        {"minLength": True},
        {"maximum": float("inf")},
        {"multipleOf": 10**400},
        {"enum": [float("nan")]},
        {"const": "\ud800"},
    ],
)
def test_a_schema_that_no_validator_takes_spoils_no_other(odd: dict[str, Any]) -> None:
    made = engine({"type": "object", "properties": {"a": {"type": "integer"}}}, odd)
    assert made.valid(ROOT, {"a": 1}, REQUEST)
    made.valid(OTHER, "anything", REQUEST)  # now both are compiled together
    assert not made.valid(ROOT, {"a": "x"}, REQUEST)


def test_what_the_provider_alone_sets_is_asked_of_no_request_wherever_that_is_said() -> None:
    base = {
        "type": "object",
        "properties": {"id": {"type": "string", "readOnly": True}, "n": {"type": "string"}},
    }
    for schema in (
        {"allOf": [{"$ref": "#/components/schemas/B"}, {"required": ["id", "n"]}]},
        {"allOf": [{"$ref": "#/components/schemas/B"}], "required": ["id", "n"]},
        {"allOf": [{"allOf": [base]}, {"oneOf": [{"required": ["id", "n"]}]}]},
    ):
        made = engine(schema, B=base)
        assert made.valid(ROOT, {"n": "x"}, REQUEST)
        assert not made.valid(ROOT, {}, REQUEST)
        assert not made.valid(ROOT, {"n": "x"}, RESPONSE)


def test_a_text_that_is_none_is_said_to_be_so() -> None:
    made = engine({"type": "string", "pattern": "a"})
    with pytest.raises(TooDeep, match="half of a pair"):
        made.valid(ROOT, "\ud800", REQUEST)


def answered(schema: Any, body: Any, **components: Any) -> Verified:
    """An answer with this body against this schema."""
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Odd", "version": "1"},
        "servers": [{"url": "https://api.made-up.example/v1"}],
        "paths": {
            "/t": {
                "get": {
                    "parameters": [{"$ref": "#/components/parameters/P"}],
                    "responses": {"200": {"description": "", "content": {JSON: {"schema": schema}}}},
                }
            }
        },
        "components": {"schemas": components, "parameters": {"P": {"name": "p", "in": "query"}}},
    }
    return verify(interaction(path="/v1/t", got=body), bench(contract(document)))


@pytest.mark.parametrize("reference", ["#/components/schemas/No", "./other.yaml#/X", "#nobody"])
def test_what_a_broken_reference_hides_is_unjudged_and_said(reference: str) -> None:
    found = answered(
        {"type": "object", "properties": {"a": {"$ref": reference}, "n": {"type": "integer"}}}, {"n": "x"}
    )
    assert places(found) == [
        ("response-body", "/response/body/n"),
        ("contract-reference", "/response/body"),
    ]
    assert found.findings[1].seen == reference
    assert len(found.unjudged) == 1
    assert answered({"type": "object"}, {}).unjudged == ()


@pytest.mark.parametrize(
    ("reference", "named"),
    [
        ({"$ref": "#pet"}, {"$anchor": "pet"}),
        ({"$ref": "Pet"}, {"$id": "Pet"}),
        ({"$dynamicRef": "#pet"}, {"$dynamicAnchor": "pet"}),
    ],
)
def test_references_by_name_are_followed(reference: dict[str, Any], named: dict[str, Any]) -> None:
    pet = {"type": "integer", **named}
    assert places(answered(reference, 1, Pet=pet)) == []
    assert places(answered(reference, "x", Pet=pet)) == [("response-body", "/response/body")]
    twice = answered(reference, "x", Pet=pet, Other=pet)
    assert places(twice) == [("contract-reference", "/response/body")]


ITS_OWN = {"$defs": {"A": {"type": "integer", "$anchor": "a"}}}


@pytest.mark.parametrize(
    ("schema", "others"),
    [
        ({"$id": "https://x.example/y", "$ref": "#/$defs/A"} | ITS_OWN, {}),
        ({"$id": "https://x.example/y", "$ref": "#a"} | ITS_OWN, {}),
        ({"$id": "https://x.example/y", "$ref": "y#/$defs/A"} | ITS_OWN, {}),
        ({"$ref": "https://x.example/y#/$defs/A"}, {"Y": {"$id": "https://x.example/y"} | ITS_OWN}),
        ({"$ref": "y.json#a"}, {"Y": {"$id": "y.json"} | ITS_OWN}),
        ({"$id": "urn:x:y", "$ref": "#/$defs/A"} | ITS_OWN, {}),
        (
            {
                "$id": "https://x.example/y",
                "items": {"$id": "z", "$ref": "#/$defs/A"} | ITS_OWN,
                "$ref": "z#a",
            },
            {},
        ),
        # An author who names a schema, and refers to the document from it all the same.
        ({"$id": "https://x.example/y", "$ref": "#/components/schemas/Y"}, {"Y": {"type": "integer"}}),
    ],
)
def test_references_count_from_the_schema_that_has_a_name(
    schema: dict[str, Any], others: dict[str, Any]
) -> None:
    whole = {"type": "object", "properties": {"q": schema}}
    assert places(answered(whole, {"q": 1}, **others)) == []
    assert places(answered(whole, {"q": "x"}, **others)) == [("response-body", "/response/body/q")]


def test_what_counts_from_elsewhere_is_told_as_it_was() -> None:
    lost = {"$id": "https://x.example/y", "$ref": "https://x.example/other#/$defs/A"}
    (finding,) = answered(lost, 1).findings
    assert (finding.rule, finding.seen) == ("contract-reference", "https://x.example/other#/$defs/A")


def test_a_name_in_an_example_is_none() -> None:
    example = {"$id": "https://x.example/y", "$ref": "#/$defs/A"}
    schema = {"type": "object", "example": example, "properties": {"default": {"$ref": "y#a"}}}
    named = {"$id": "y"} | ITS_OWN
    assert places(answered(schema, {"default": "x"}, Y=named)) == [
        ("response-body", "/response/body/default")
    ]
    given = {"openapi": "3.1.0", "paths": {}, "components": {"schemas": {"S": schema, "Y": named}}}
    assert contract(given).document["components"]["schemas"]["S"]["example"] == example


@pytest.mark.parametrize("name", ["a b", "{id}", "100%", "größe", "a/b~c", 'q"<>'])
def test_references_to_places_with_signs_are_followed_and_told(name: str) -> None:
    pointer = name.replace("~", "~0").replace("/", "~1")
    inner = {"type": "object", "properties": {"q": {"type": "integer"}}}
    found = answered(
        {"$ref": f"#/components/schemas/{quote(pointer, safe='~')}"}, {"q": "x"}, **{name: inner}
    )
    assert places(found) == [("response-body", "/response/body/q")]
    assert found.findings[0].location.contract_pointer == f"/components/schemas/{pointer}/properties/q/type"


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"^[\w-.]+$", "a-b.c", "a b"),
        (r"^[+-\d]+$", "+-1", "a"),
        (r"^{{\w+}}$", "{{a}}", "a"),
        (r"^a{,3}$", "a{,3}", "aa"),
        (r"^\p{Lu}{2}[^][\w-]?$", "ÄB\nc", "äb"),
    ],
)
def test_patterns_that_browsers_take_are_judged(pattern: str, good: str, bad: str) -> None:
    for schema in ({"pattern": pattern}, {"patternProperties": {pattern: False}}):
        one, other = (good, bad) if "pattern" in schema else ({bad: 1}, {good: 1})
        assert places(answered(schema, one)) == []
        assert [each.rule for each in answered(schema, other).findings] == ["response-body"]


def test_a_pattern_that_nobody_takes_is_told_and_spoils_nothing_else() -> None:
    schema = {"type": "object", "properties": {"a": {"pattern": "(?>a)"}, "b": {"pattern": "^b"}}}
    found = answered(schema, {"a": "x", "b": "x"})
    assert places(found) == [("response-body", "/response/body/b"), ("contract-reference", "/response/body")]
    assert (found.findings[1].location.contract_pointer or "").endswith("/schema/properties/a/pattern")
    assert found.unjudged == ("/response/body: the contract is broken behind its schema",)


def test_a_name_that_is_none_is_named() -> None:
    names = {"propertyNames": {"pattern": "^a"}}
    (finding,) = answered(names, {"a": 1, "b": 2}).findings
    assert (finding.location.message_pointer, finding.seen) == ("/response/body/b", 'the name "b"')
    assert len(answered(names, {f"b{number}": 1 for number in range(600)}).findings) == 1


BRANCHES = [
    {
        "type": "object",
        "required": [f"k{number}"],
        "properties": {"t": {"enum": [f"t{number}"]}, "n": {"type": "integer"}},
    }
    for number in range(50)
]


def test_a_value_that_is_wrong_all_over_is_told_from_its_front() -> None:
    """The validator makes every error of every branch at once: a long list would take it half a minute."""
    listed = {"type": "array", "minItems": 2_500, "items": {"anyOf": BRANCHES}}
    found = answered(listed, [{"x": 1, "n": 1}] * 3_000)
    assert [each.rule for each in found.findings] == ["response-body"]
    assert (found.findings[0].seen or "").endswith("more in the list like it")
    assert found.unjudged == ("/response/body: has so many faults that not all were looked for",)


def test_an_object_that_is_wrong_all_over_is_told_from_its_front_and_misses_nothing_beyond() -> None:
    named = {"type": "object", "required": ["m2999"], "additionalProperties": {"anyOf": BRANCHES}}
    found = answered(named, {f"m{number}": {"x": 1, "n": 1} for number in range(3_000)})
    assert "/response/body/m2999" not in [pointer for _, pointer in places(found)]
    assert (
        found.findings[0].promised == " or ".join(f"'k{n}'" for n in range(12)) + " or 38 more must be there"
    )
    assert found.unjudged == ("/response/body: has so many faults that not all were looked for",)


def test_faults_that_are_few_are_all_found_in_a_long_value() -> None:
    listed = {"type": "array", "items": {"anyOf": BRANCHES}}
    good = {"k7": 1, "t": "t7", "n": 1}
    body = {"a": [good] * 3_000, "b": [good] * 3_000}
    body["b"] = [*body["b"], good | {"n": "x"}]
    found = answered({"type": "object", "properties": {"a": listed, "b": listed}}, body)
    assert places(found) == [("response-body", "/response/body/b/3000/n")]
    assert found.unjudged == ()


def test_of_very_many_like_faults_the_first_are_told() -> None:
    closed = {"type": "object", "additionalProperties": False, "properties": {"a": {"type": "integer"}}}
    found = answered(closed, {f"m{number:05}": 1 for number in range(2000)})
    assert len(found.findings) == 51
    assert (found.findings[-1].seen or "").endswith("1949 more members like it")
    listed = {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "boolean"}]}}
    (finding,) = answered(listed, ["x"] * 2000).findings
    assert (finding.seen or "").endswith("many more in the list like it")


def test_null_that_is_welcome_twice_is_not_ambiguous() -> None:
    choice = {
        "oneOf": [{"type": "string", "enum": ["new"]}, {"enum": [""]}, {"enum": [None]}],
        "nullable": True,
    }
    given = {
        "openapi": "3.0.3",
        "info": {"title": "Orders", "version": "1"},
        "paths": {
            "/t": {"get": {"responses": {"200": {"description": "", "content": {JSON: {"schema": choice}}}}}}
        },
    }
    held = bench(contract(given))
    for value in (b"null", "", "new"):
        assert places(verify(interaction(path="/t", got=value), held)) == []
    assert places(verify(interaction(path="/t", got="old"), held)) == [("response-enum", "/response/body")]


def test_an_object_is_told_by_the_branch_that_knows_its_members() -> None:
    user = {
        "type": "object",
        "required": ["id", "node", "kind"],
        "properties": {name: {"type": "string"} for name in ("id", "node", "kind", "url", "name")},
    }
    choice = {
        "oneOf": [user, {"type": "object", "properties": {}, "additionalProperties": False}],
        "nullable": True,
    }
    given = {
        "openapi": "3.0.3",
        "info": {"title": "Users", "version": "1"},
        "paths": {
            "/t": {"get": {"responses": {"200": {"description": "", "content": {JSON: {"schema": choice}}}}}}
        },
    }
    got = {"id": "1", "url": "u", "name": "n"}
    found = verify(interaction(path="/t", got=got), bench(contract(given)))
    assert places(found) == [
        ("response-body", "/response/body/kind"),
        ("response-body", "/response/body/node"),
    ]
