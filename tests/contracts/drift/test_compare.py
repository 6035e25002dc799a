"""Contract against contract: every rule fires where its promise changes, with its level for each direction."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts import adapters
from contracts.drift import compare
from contracts.drift.compare import LEVELS
from tests.contracts.drift.made import JSON, TODAY, answering, asking, compared, contract, document, rules

STRING, INTEGER = {"type": "string"}, {"type": "integer"}


def thing(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members}


BASE64 = STRING | {"contentEncoding": "base64"}
TAGGED = thing(a=STRING) | {"discriminator": {"propertyName": "a"}}
CLOSED = {"additionalProperties": False}
OPEN_A, OPEN_AB = {"x-extensible-enum": ["a"]}, {"x-extensible-enum": ["a", "b"]}
# Two schemas, the rule without its side, the level where we send it, and where it comes to us.
SCHEMAS = [
    (STRING, INTEGER, "type-changed", "error", "error"),
    (INTEGER, {"type": "number"}, "type-widened", "info", "error"),
    ({"type": ["string", "integer"]}, STRING, "type-narrowed", "error", "info"),
    (STRING, STRING | {"format": "uuid"}, "type-narrowed", "error", "info"),
    (INTEGER | {"format": "int32"}, INTEGER | {"format": "int64"}, "type-widened", "info", "error"),
    (STRING | {"format": "uri"}, STRING, "format-changed", "warning", "warning"),
    (STRING, {"type": ["string", "null"]}, "became-nullable", "info", "error"),
    (STRING, {"anyOf": [STRING, {"type": "null"}]}, "became-nullable", "info", "error"),
    (STRING | {"nullable": True}, STRING, "became-not-nullable", "error", "info"),
    (STRING, STRING | {"enum": ["a"]}, "became-enum", "error", "info"),
    (STRING | {"enum": ["a"]}, STRING, "no-longer-enum", "info", "warning"),
    (STRING | {"enum": ["a", "b"]}, STRING | {"enum": ["a"]}, "enum-value-removed", "error", "info"),
    (STRING | {"enum": ["a"]}, STRING | {"enum": ["a", "b"]}, "enum-value-added", "info", "warning"),
    (STRING | OPEN_AB, STRING | OPEN_A, "extensible-enum-value-removed", "error", "info"),
    (STRING | OPEN_A, STRING | OPEN_AB, "extensible-enum-value-added", "info", "info"),
    (STRING | OPEN_A | {"enum": ["a"]}, STRING | OPEN_AB | {"enum": ["a", "b"]},
     "extensible-enum-value-added", "info", "info"),
    (STRING | OPEN_A | {"enum": ["a", "b"]}, STRING | OPEN_A | {"enum": ["a"]},
     "extensible-enum-value-removed", "error", "info"),
    (STRING | {"enum": ["a"]}, STRING | OPEN_AB, "no-longer-enum", "info", "warning"),
    (STRING | OPEN_AB, STRING | {"enum": ["a"]}, "became-enum", "error", "info"),
    (STRING, STRING | {"const": "a"}, "const-added", "error", "info"),
    (STRING | {"const": "a"}, STRING, "const-removed", "info", "error"),
    (STRING | {"const": "a"}, STRING | {"const": "b"}, "const-changed", "error", "error"),
    (INTEGER, INTEGER | {"maximum": 5}, "limit-set", "warning", "info"),
    (INTEGER | {"maximum": 5}, INTEGER | {"exclusiveMaximum": 5}, "limit-tightened", "error", "info"),
    (STRING | {"maxLength": 5}, STRING | {"maxLength": 6}, "limit-relaxed", "info", "error"),
    (STRING | {"minLength": 5}, STRING, "limit-removed", "info", "error"),
    (STRING, STRING | {"pattern": "^a"}, "pattern-added", "error", "info"),
    (STRING | {"pattern": "^a"}, STRING | {"pattern": "^b"}, "pattern-changed", "warning", "info"),
    (STRING | {"pattern": "^a"}, STRING, "pattern-removed", "info", "info"),
    (thing(a=STRING), thing(a=STRING) | {"required": ["a"]}, "became-required", "error", "info"),
    (thing(a=STRING) | {"required": ["a"]}, thing(a=STRING), "became-optional", "info", "error"),
    (thing(a=STRING), thing(a=STRING) | CLOSED, "additional-properties-closed", "error", "info"),
    (thing(a=STRING) | CLOSED, thing(a=STRING), "additional-properties-opened", "info", "warning"),
    ({"oneOf": [STRING, INTEGER]}, {"oneOf": [STRING, INTEGER, thing()]}, "alternative-added", "info", "error"),
    ({"anyOf": [STRING, INTEGER]}, STRING, "alternative-removed", "error", "info"),
    (thing(), thing() | {"propertyNames": {"maxLength": 3}}, "condition-added", "error", "info"),
    ({"type": "array", "uniqueItems": True}, {"type": "array"}, "condition-removed", "info", "error"),
    (STRING | {"not": {"const": "a"}}, STRING | {"not": {"const": "b"}}, "condition-changed", "warning", "warning"),
    (BASE64, STRING | {"contentEncoding": "base16"}, "content-changed", "error", "error"),
    (STRING | {"default": "a"}, STRING | {"default": "b"}, "default-changed", "info", "info"),
    (thing(a=STRING), TAGGED, "discriminator-changed", "info", "info"),
    (thing(a=STRING), thing(a=STRING | {"deprecated": True}), "deprecated", "info", "info"),
    (thing(a=STRING | {"deprecated": True}), thing(a=STRING), "reactivated", "info", "info"),
    (thing(a=STRING), thing(a=STRING, b=STRING), "added", "info", "info"),
    (thing(a=STRING, b=STRING), thing(a=STRING), "removed", "warning", "warning"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "two", "rule", "sent", "received"), SCHEMAS)
def test_what_happens_to_a_schema_is_as_bad_as_its_direction(
    one: Any, two: Any, rule: str, sent: str, received: str
) -> None:
    assert rules(asking(one), asking(two)) == {f"request-property-{rule}": sent}
    assert rules(answering(one), answering(two)) == {f"response-property-{rule}": received}


def test_a_list_of_types_and_alternatives_of_a_type_each_are_the_same() -> None:
    listed, apart = {"type": ["string", "number"]}, {"oneOf": [STRING, {"type": "number"}]}
    for make in (asking, answering):
        assert rules(make(listed), make(apart)) == {}
        assert rules(make(apart), make(listed)) == {}
    assert rules(answering(listed), answering({"oneOf": [STRING, thing()]})) == {
        "response-property-alternative-added": "error",
        "response-property-alternative-removed": "info",
    }


def test_a_list_to_which_more_may_come_binds_nobody_that_it_comes_or_goes() -> None:
    for make in (asking, answering):
        assert rules(make(STRING | OPEN_A), make(STRING)) == rules(make(STRING), make(STRING | OPEN_A)) == {}
        assert rules(make(STRING | OPEN_A), make(STRING | {"x-extensible-enum": "a"})) == {}
    held = {"allOf": [STRING | OPEN_A, {"x-extensible-enum": ["b", None]}]}
    assert rules(answering(held), answering(STRING | OPEN_AB)) == {}


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"minimum": 3}, {"exclusiveMinimum": 2}),
        ({"maximum": 3}, {"exclusiveMaximum": 4}),
        ({"minimum": 3}, {"minimum": 2.5}),
        ({"maximum": -3}, {"exclusiveMaximum": -2.5}),
    ],
)
def test_a_whole_number_has_the_same_limit_however_it_is_written(one: Any, two: Any) -> None:
    for make in (asking, answering):
        assert rules(make(INTEGER | one), make(INTEGER | two)) == {}
        assert rules(make({"type": "number"} | one), make({"type": "number"} | two)) != {}


def test_a_required_member_that_is_new_breaks_senders_and_one_that_is_gone_breaks_readers() -> None:
    bare, full = thing(a=STRING), thing(a=STRING, b=STRING) | {"required": ["b"]}
    assert rules(asking(bare), asking(full)) == {"request-property-added-required": "error"}
    assert rules(answering(full), answering(bare)) == {"response-property-removed-required": "error"}


def test_read_only_members_are_no_part_of_a_request_nor_write_only_ones_of_an_answer() -> None:
    for flag, make in (("readOnly", asking), ("writeOnly", answering)):
        one = thing(a=STRING | {flag: True}, b=STRING)
        two = thing(a=INTEGER | {flag: True}, b=STRING) | {"required": ["a"]}
        assert rules(make(one), make(two)) == {}
        assert rules(make(one), make(thing(b=STRING))) == {}


def test_a_member_that_becomes_ours_to_send_is_an_error_where_it_is_required() -> None:
    one, two = (thing(a=STRING | {"readOnly": flag}) | {"required": ["a"]} for flag in (True, False))
    assert rules(asking(one), asking(two)) == {
        "request-property-access-changed": "info",
        "request-property-became-required": "error",
    }


def operation(**more: Any) -> dict[str, Any]:
    return {"responses": {"200": {"description": ""}}} | more


def parameter(name: str = "q", place: str = "query", **more: Any) -> dict[str, Any]:
    return {"name": name, "in": place, "schema": STRING} | more


def body(**more: Any) -> dict[str, Any]:
    return {"content": {JSON: {"schema": STRING}}} | more


def answers(**statuses: Any) -> dict[str, Any]:
    return {
        "responses": {name.removeprefix("s"): {"description": ""} | each for name, each in statuses.items()}
    }


def header(**more: Any) -> dict[str, Any]:
    return {"headers": {"X-A": {"schema": STRING} | more}}


OLD: dict[str, Any] = {"deprecated": True}
LISTS = {"type": "array", "items": STRING}
OPERATIONS = [
    (operation(), operation(**OLD), "operation-deprecated", "info"),
    (operation(**OLD), operation(), "operation-reactivated", "info"),
    (operation(operationId="a"), operation(operationId="b"), "operation-id-changed", "info"),
    (operation(tags=["a"]), operation(tags=["b"]), "operation-tags-changed", "info"),
    (operation(**OLD, **{"x-sunset": "2027-01-01"}), operation(**OLD), "sunset-removed", "error"),
    (
        operation(**OLD, **{"x-sunset": "2027-03-01"}),
        operation(**OLD, **{"x-sunset": "2027-02-01"}),
        "sunset-earlier",
        "error",
    ),
    (operation(**OLD), operation(**OLD, **{"x-sunset": "soon"}), "sunset-unreadable", "error"),
    (operation(), operation(parameters=[parameter()]), "request-parameter-added", "info"),
    (operation(), operation(parameters=[parameter(required=True)]), "request-parameter-added-required", "error"),
    (operation(parameters=[parameter()]), operation(), "request-parameter-removed", "warning"),
    (operation(parameters=[parameter(**OLD)]), operation(), "request-parameter-removed-after-deprecation", "info"),
    (operation(parameters=[parameter()]), operation(parameters=[parameter(required=True)]),
     "request-parameter-became-required", "error"),
    (operation(parameters=[parameter()]), operation(parameters=[parameter(**OLD)]),
     "request-parameter-deprecated", "info"),
    (operation(parameters=[parameter(schema=LISTS)]), operation(parameters=[parameter(schema=LISTS, explode=False)]),
     "request-parameter-style-changed", "error"),
    (operation(parameters=[parameter(schema=STRING)]), operation(parameters=[parameter(schema=LISTS)]),
     "request-parameter-type-widened", "info"),
    (operation(parameters=[parameter(schema=STRING)]), operation(parameters=[parameter(schema=INTEGER)]),
     "request-parameter-type-changed", "error"),
    (operation(parameters=[parameter(schema=STRING)]), operation(parameters=[
        parameter(schema=STRING | {"default": "a"})]),
     "request-parameter-default-changed", "error"),
    (operation(parameters=[parameter(**OLD, **{"x-sunset": "2027-01-01"})]), operation(parameters=[parameter(**OLD)]),
     "request-parameter-sunset-removed", "error"),
    (operation(), operation(requestBody=body()), "request-body-added", "info"),
    (operation(), operation(requestBody=body(required=True)), "request-body-added-required", "error"),
    (operation(requestBody=body()), operation(), "request-body-removed", "error"),
    (operation(requestBody=body()), operation(requestBody=body(required=True)),
     "request-body-became-required", "error"),
    (operation(requestBody=body(required=True)), operation(requestBody=body()), "request-body-became-optional", "info"),
    (operation(requestBody=body()), operation(requestBody={"content": {JSON: {}}}), "request-schema-removed", "info"),
    (operation(requestBody={"content": {JSON: {}}}), operation(requestBody=body()), "request-schema-added", "error"),
    (answers(s200={}), answers(s200={}, s201={}), "response-status-added", "info"),
    (answers(s200={}, s201={}), answers(s200={}), "response-status-removed", "error"),
    (answers(s200={}, s404={}), answers(s200={}), "response-error-status-removed", "info"),
    (answers(s200=body()), answers(s200={"content": {JSON: {}}}), "response-schema-removed", "warning"),
    (answers(s200={}), answers(s200=header()), "response-header-added", "info"),
    (answers(s200=header()), answers(s200={}), "response-header-removed", "warning"),
    (answers(s200=header(required=True)), answers(s200={}), "response-header-removed-required", "error"),
    (answers(s200=header(required=True)), answers(s200=header()), "response-header-became-optional", "error"),
    (answers(s200=header()), answers(s200=header(schema=INTEGER)), "response-header-type-changed", "error"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "two", "rule", "level"), OPERATIONS)
def test_what_happens_to_an_operation(one: Any, two: Any, rule: str, level: str) -> None:
    assert rules(document(one), document(two)) == {rule: level}


def test_another_status_is_one_gone_and_one_new_but_a_range_stands_for_its_statuses() -> None:
    assert rules(document(answers(s200={})), document(answers(s201={}))) == {
        "response-status-added": "info",
        "response-status-removed": "error",
    }
    assert rules(document(answers(s200={})), document(answers(s2XX={}))) == {}
    assert rules(document(answers(s2XX={})), document(answers(s200={}))) == {}


def test_media_types_come_and_go() -> None:
    more = body(content={JSON: {"schema": STRING}, "text/plain": {"schema": STRING}})
    assert rules(document(operation(requestBody=body())), document(operation(requestBody=more))) == {
        "request-media-type-added": "info"
    }
    assert rules(document(operation(requestBody=more)), document(operation(requestBody=body()))) == {
        "request-media-type-removed": "error"
    }
    assert rules(document(answers(s200=more)), document(answers(s200=body()))) == {
        "response-media-type-removed": "error"
    }
    named = body(content={"application/json; charset=utf-8": {"schema": STRING}})
    assert rules(document(answers(s200=body())), document(answers(s200=named))) == {}


@pytest.mark.parametrize(
    ("gone", "rule", "level"),
    [
        ({}, "operation-removed", "error"),
        (OLD, "operation-removed-after-deprecation", "info"),
        (OLD | {"x-sunset": "2026-11-24"}, "operation-removed-after-deprecation", "info"),
        (OLD | {"x-sunset": "2026-11-26T00:00:00Z"}, "operation-removed-before-sunset", "error"),
        (OLD | {"x-sunset": "one day"}, "sunset-unreadable", "error"),
    ],
)
def test_an_operation_may_go_once_its_last_day_is_over(gone: dict[str, Any], rule: str, level: str) -> None:
    paths = {"/a": {"get": operation()}, "/b": {"get": operation(**gone)}}
    found = compared(document(paths=paths), document(paths={"/a": {"get": operation()}}))
    assert [(each.rule, each.severity.value) for each in found.findings] == [(rule, level)]
    assert (found.operations, found.gone, found.new) == (1, 1, 0)


def test_places_in_a_path_have_no_names() -> None:
    one, two = (
        document(
            paths={f"/a/{{{name}}}": {"get": operation(parameters=[parameter(name, "path", required=True)])}}
        )
        for name in ("id", "key")
    )
    assert rules(one, two) == {}


def test_a_path_may_move_into_the_server() -> None:
    one = document(paths={"/v1/a": {"get": operation()}}, servers=[{"url": "https://x.example"}])
    two = document(paths={"/a": {"get": operation()}}, servers=[{"url": "https://x.example/v1"}])
    assert rules(one, two) == {}


KEY = {"type": "apiKey", "in": "header", "name": "X-Key"}
SCHEMES = {"securitySchemes": {"key": KEY, "token": {"type": "http", "scheme": "bearer"}}}


@pytest.mark.parametrize(
    ("one", "two", "rule"),
    [
        ([{"key": []}], [{"token": []}], {"security-alternative-removed", "security-alternative-added"}),
        ([{"key": []}], [{"key": []}, {"token": []}], {"security-alternative-added"}),
        ([{"key": []}], [{"key": [], "token": []}], {"security-alternative-removed"}),
        ([], [{"key": []}], {"security-alternative-removed"}),
        ([{"key": []}], [], {"security-alternative-added"}),
    ],
)
def test_a_way_to_sign_in_that_is_gone_is_said_once_for_all_operations(
    one: Any, two: Any, rule: set[str]
) -> None:
    paths = {f"/{name}": {"get": operation()} for name in "abc"}
    found = compared(
        document(paths=paths, components=SCHEMES, security=one),
        document(paths=paths, components=SCHEMES, security=two),
    )
    assert {each.rule for each in found.findings} == rule
    assert len(found.findings) == len(rule)


def test_a_credential_may_change_its_name_but_not_its_place() -> None:
    one = document(components={"securitySchemes": {"key": KEY}}, security=[{"key": []}])
    renamed = document(components={"securitySchemes": {"other": KEY}}, security=[{"other": []}])
    moved = document(components={"securitySchemes": {"key": KEY | {"in": "query"}}}, security=[{"key": []}])
    assert rules(one, renamed) == {}
    assert rules(one, moved) == {"security-scheme-changed": "error"}


def test_tokens_from_another_address_are_a_warning() -> None:
    def oauth(url: str) -> dict[str, Any]:
        flows = {"clientCredentials": {"tokenUrl": url, "scopes": {}}}
        return document(
            components={"securitySchemes": {"o": {"type": "oauth2", "flows": flows}}}, security=[{"o": []}]
        )

    assert rules(oauth("https://a.example/t"), oauth("https://b.example/t")) == {
        "security-endpoint-changed": "warning"
    }


def signed(*ways: dict[str, list[str]], offered: Any = (), flow: str = "implicit") -> dict[str, Any]:
    flows = {flow: {"authorizationUrl": "https://a.example", "scopes": dict.fromkeys(offered, "")}}
    held = {"o": {"type": "oauth2", "flows": flows}, **SCHEMES["securitySchemes"]}
    return document(operation(security=list(ways)), components={"securitySchemes": held})


READ, WRITE, ADMIN = {"o": ["read"]}, {"o": ["write"]}, {"o": ["admin"]}
MORE, GONE, NEW, LESS = (
    f"security-{name}"
    for name in ("scope-added", "alternative-removed", "alternative-added", "scope-removed")
)


@pytest.mark.parametrize(
    ("one", "two", "found"),
    [
        ([READ], [{"o": ["write", "read"]}], {MORE: "GET /things: o needs write as well"}),
        ([{"o": []}], [READ], {MORE: "GET /things: o needs read as well"}),
        ([READ], [WRITE], {MORE: "GET /things: o needs write as well", LESS: "GET /things: o needs read no longer"}),
        ([{"o": ["read", "write"]}], [READ], {LESS: "GET /things: o needs write no longer"}),
        ([{"o": ["read", "write"]}], [{"o": ["write", "read"]}], {}),
        ([{"o": ["read", "write"], "key": []}], [READ | {"key": []}], {LESS: "GET /things: o needs write no longer"}),
        ([READ, WRITE], [WRITE, READ], {}),
        ([READ, WRITE], [READ, WRITE, ADMIN], {NEW: "GET /things: o (admin) is enough now"}),
        ([READ, WRITE], [READ], {GONE: "GET /things: o (write) is enough no longer"}),
        ([READ, {"key": []}], [WRITE, {"key": []}],
         {MORE: "GET /things: o needs write as well", LESS: "GET /things: o needs read no longer"}),
        ([READ | {"key": []}], [READ], {NEW: "GET /things: o (read) is enough now"}),
    ],
)  # fmt: skip
def test_an_operation_may_need_less_of_a_token_but_not_more(
    one: Any, two: Any, found: dict[str, str]
) -> None:
    levels = {MORE: "error", GONE: "error", NEW: "info", LESS: "info"}
    made = compared(signed(*one), signed(*two)).findings
    assert {each.rule: each.subject for each in made} == found
    assert all(each.severity.value == levels[each.rule] for each in made)


def test_a_scope_that_the_whole_document_needs_is_said_once() -> None:
    paths = {f"/{name}": {"get": operation()} for name in "abc"}
    one, two = (document(paths=paths, security=[way]) for way in (READ, {"o": ["read", "write"]}))
    (finding,) = compared(one, two).findings
    assert (finding.rule, finding.location.contract_pointer) == ("security-scope-added", "/security")
    assert (finding.promised, finding.seen) == (
        "o (read)",
        "o (read, write); reached from GET /a, GET /b, GET /c",
    )


def test_scopes_that_tokens_are_given_for_come_and_go_flow_by_flow() -> None:
    one, two = signed(READ, offered=["read", "old"]), signed(READ, offered=["read", "new"])
    assert rules(one, two) == {
        "security-scheme-scope-removed": "warning",
        "security-scheme-scope-added": "info",
    }
    assert [each.subject for each in compared(one, two).findings] == [
        "o: implicit offers old no longer", "o: implicit offers new too",
    ]  # fmt: skip
    moved = signed(READ, offered=["read"], flow="password")
    assert rules(signed(READ, offered=["read"]), moved) == rules(one, two)
    assert rules(signed(READ), signed(READ)) == {}
    elsewhere = signed(READ)
    schemes = elsewhere["components"]["securitySchemes"]
    elsewhere["components"]["x-held"] = schemes | {"o": two["components"]["securitySchemes"]["o"]}
    schemes["o"] = {"$ref": "#/components/x-held/o"}
    assert rules(one, elsewhere) == rules(one, two)


def test_scopes_are_the_same_in_every_format() -> None:
    offered = {"read": "", "write": ""}
    flow = {"type": "oauth2", "flow": "accessCode", "scopes": offered}
    paths = {"/things": {"get": {"responses": {"200": {"description": ""}}, "security": [READ]}}}
    swagger = {"swagger": "2.0", "info": {"title": "T", "version": "1"}, "paths": paths,
               "securityDefinitions": {"o": flow}}  # fmt: skip
    made = signed({"o": ["read", "write"]}, offered=offered, flow="authorizationCode")
    assert rules(swagger, made) == {"security-scope-added": "error"}
    assert rules(made, swagger) == {"security-scope-removed": "info"}


def discovered(*scopes: str) -> dict[str, Any]:
    method = {"id": "t.get", "path": "things", "httpMethod": "GET", "scopes": list(scopes)}
    return {"kind": "discovery#restDescription", "name": "t", "version": "v1", "rootUrl": "https://t.example/",
            "servicePath": "", "auth": {"oauth2": {"scopes": {each: {} for each in scopes}}},
            "methods": {"get": method}}  # fmt: skip


def test_of_the_scopes_in_a_discovery_document_any_one_is_enough() -> None:
    one, two = discovered("all", "read"), discovered("all")
    assert rules(one, two) == {
        "security-alternative-removed": "error",
        "security-scheme-scope-removed": "warning",
    }
    assert rules(two, one) == {"security-alternative-added": "info", "security-scheme-scope-added": "info"}
    assert rules(one, discovered("read", "all")) == {}
    finding = next(each for each in compared(one, two).findings if each.severity.value == "error")
    assert finding.subject == "GET /things: google (read) is enough no longer"
    assert finding.location.contract_pointer == "/methods/get/scopes"


def test_scopes_of_a_partial_contract_are_not_compared() -> None:
    bare, full = signed({"o": []}), signed(READ, offered=["read"])
    assert compare(contract(bare, partial=True), contract(full), today=TODAY).findings == ()
    assert compare(contract(full), contract(bare, partial=True), today=TODAY).findings == ()


def test_the_scopes_of_a_webhook_are_the_providers_own_affair() -> None:
    one, two = (document(webhooks={"paid": {"post": operation(security=[way])}}) for way in (READ, ADMIN))
    assert rules(one, two) == {}


def test_a_webhook_comes_to_us_so_that_its_directions_are_turned_round() -> None:
    def hooked(schema: Any, answer: Any = STRING) -> dict[str, Any]:
        hook = {
            "requestBody": body(content={JSON: {"schema": schema}}),
            **answers(s200=body(content={JSON: {"schema": answer}})),
        }
        return document(webhooks={"order.paid": {"post": hook}})

    need = thing(a=STRING) | {"required": ["a"]}
    assert rules(hooked(need), hooked(thing(a=STRING))) == {"response-property-became-optional": "error"}
    assert rules(hooked(STRING, thing(a=STRING)), hooked(STRING, need)) == {
        "request-property-became-required": "error"
    }
    assert rules(hooked(STRING | OPEN_AB, STRING | OPEN_A), hooked(STRING | OPEN_A, STRING | OPEN_AB)) == {
        "response-property-extensible-enum-value-removed": "info",
        "request-property-extensible-enum-value-added": "info",
    }
    assert rules(hooked(STRING, STRING | OPEN_AB), hooked(STRING, STRING | OPEN_A)) == {
        "request-property-extensible-enum-value-removed": "error"
    }
    assert rules(hooked(STRING), document()) == {"webhook-removed": "error"}
    assert rules(document(), hooked(STRING)) == {"webhook-added": "info"}


def test_a_callback_comes_to_us_too() -> None:
    def calling(schema: Any) -> dict[str, Any]:
        called = {
            "{$request.body#/url}": {"post": operation(requestBody=body(content={JSON: {"schema": schema}}))}
        }
        return document(operation(callbacks={"done": called}))

    assert rules(calling(STRING | {"enum": ["a"]}), calling(STRING | {"enum": ["a", "b"]})) == {
        "response-property-enum-value-added": "warning"
    }
    assert rules(calling(STRING), document()) == {"callback-removed": "error"}
    assert rules(document(), calling(STRING)) == {"callback-added": "info"}


def shared(schema: Any) -> dict[str, Any]:
    inside = body(content={JSON: {"schema": {"$ref": "#/components/schemas/Thing"}}})
    paths = {
        f"/{name}": {"get": answers(s200=inside), "post": operation(requestBody=inside)} for name in "abcd"
    }
    return document(paths=paths, components={"schemas": {"Thing": schema}})


def test_a_change_of_a_shared_schema_is_one_finding_that_names_the_operations() -> None:
    found = compared(
        shared(thing(a=STRING | {"enum": ["x"]})), shared(thing(a=STRING | {"enum": ["x", "y"]}))
    )
    assert [each.rule for each in found.findings] == [
        "response-property-enum-value-added",
        "request-property-enum-value-added",
    ]
    finding = found.findings[0]
    assert finding.subject == 'Thing.a has gained "y"'
    assert finding.location.contract_pointer == "/components/schemas/Thing/properties/a/enum"
    assert finding.location.message_pointer == "/components/schemas/Thing/properties/a/enum"
    assert finding.seen == 'one of "x", "y"; reached from GET /a, GET /b, GET /c and 1 more'
    assert finding.promised == '"x"'


def test_the_fingerprint_does_not_hang_on_the_name_of_the_file() -> None:
    one, two = contract(shared(STRING)), contract(shared(INTEGER))
    other = adapters.parse(json.dumps(shared(INTEGER)).encode(), name="things", source="elsewhere.json")
    prints = [[f.fingerprint for f in compare(one, each, today=TODAY).findings] for each in (two, other)]
    assert prints[0] == prints[1] != []


def test_schemas_that_hold_themselves_are_compared_once() -> None:
    """Also where each holds two of the other, which doubles at every step."""
    deep = thing(
        left={"$ref": "#/components/schemas/Thing"}, right={"allOf": [{"$ref": "#/components/schemas/Thing"}]}
    )
    other = json.loads(json.dumps(deep)) | {"required": ["left"]}
    found = compared(shared(deep), shared(other))
    assert {each.rule for each in found.findings} == {
        "request-property-became-required",
        "response-property-became-required",
    }
    assert found.schemas < 20
    circle = {"allOf": [{"$ref": "#/components/schemas/Thing"}]}
    assert compared(shared(circle), shared(circle | {"title": "x"})).findings == ()


@pytest.mark.parametrize("name", ["default", "example", "enum", "const", "title", "properties"])
def test_a_member_may_be_called_as_a_keyword_is(name: str) -> None:
    """Also where only what it refers to has changed."""

    def held(inner: Any) -> dict[str, Any]:
        schema = {"oneOf": [thing(**{name: {"$ref": "#/components/schemas/Inner"}}), STRING]}
        return answering(schema, components={"schemas": {"Inner": inner}})

    assert rules(held(STRING), held(INTEGER)) == {"response-property-type-changed": "error"}


def test_hostile_pairs_are_capped_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Schemas whose members merge others multiply at every step; no more is looked at than honest ones have."""
    names = [f"S{index}" for index in range(12)]

    def merged(start: int, step: int) -> dict[str, Any]:
        return {
            "allOf": [{"$ref": f"#/components/schemas/{names[(start * k + step) % 12]}"} for k in range(1, 6)]
        }

    schemas = {
        name: thing(**{f"p{step}": merged(index + 1, step) for step in range(6)})
        for index, name in enumerate(names)
    }
    one = answering({"$ref": "#/components/schemas/S0"}, components={"schemas": schemas})
    two = json.loads(json.dumps(one).replace('"object"', '"object", "title": "x"'))
    monkeypatch.setattr("contracts.drift.walk.MAX_SCHEMAS", 3000)
    found = compared(one, two)
    assert found.unjudged == ("its schemas multiply beyond measure: the rest was not compared",)
    assert found.schemas < 3000


def test_rules_can_be_turned_off_and_changed() -> None:
    one, two = contract(answering(STRING)), contract(answering(INTEGER))
    assert (
        compare(one, two, today=TODAY, levels={**LEVELS, "response-property-type-changed": None}).findings
        == ()
    )


def test_what_a_partial_contract_leaves_out_is_neither_new_nor_gone() -> None:
    small = document(paths={"/a": {"get": operation()}})
    large = document(paths={"/a": {"get": operation(parameters=[parameter()])}, "/b": {"get": operation()}})
    assert compare(contract(small, partial=True), contract(large), today=TODAY).findings == ()
    assert compare(contract(large), contract(small, partial=True), today=TODAY).findings == ()
    assert len(compare(contract(small), contract(large), today=TODAY).findings) == 2


def test_formats_of_contract_are_compared_with_each_other() -> None:
    """A Swagger document and the same as OpenAPI 3.1: written in another way, promised the same."""
    swagger = {
        "swagger": "2.0",
        "info": {"title": "Things", "version": "1"},
        "paths": {
            "/a/{id}": {
                "post": {
                    "consumes": [JSON],
                    "produces": [JSON],
                    "parameters": [
                        {"name": "id", "in": "path", "required": True, "type": "integer"},
                        {"name": "q", "in": "query", "type": "string", "enum": ["a"]},
                        {"name": "b", "in": "body", "schema": {"$ref": "#/definitions/T"}},
                    ],
                    "responses": {"200": {"description": "", "schema": {"$ref": "#/definitions/T"}}},
                }
            }
        },
        "definitions": {"T": thing(a=STRING | {"x-nullable": True})},
    }
    reference = body(content={JSON: {"schema": {"$ref": "#/components/schemas/T"}}})
    asked = answers(s200=reference) | {
        "parameters": [
            parameter("key", "path", required=True, schema=INTEGER),
            parameter(schema=STRING | {"enum": ["a"]}),
        ],
        "requestBody": reference,
    }
    openapi = document(
        paths={"/a/{key}": {"post": asked}},
        components={"schemas": {"T": thing(a={"type": ["string", "null"]})}},
    )
    assert rules(swagger, openapi) == {}
    assert rules(openapi, swagger) == {}
