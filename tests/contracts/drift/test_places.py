"""Where a finding points, how what changed is called, and what whole documents say outside their schemas."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from contracts.drift import compare
from contracts.pointers import MISSING, follow
from interlock.records import Finding
from tests.contracts.drift.made import TODAY, answering, asking, compared, contract, document, rules
from tests.contracts.drift.test_equivalent import INTEGER, STRING, form, shape, swagger


def model(**shapes: Any) -> dict[str, Any]:
    """A service model of one operation, `Put`, whose input and output are `Asked` and `Told`."""
    about = {
        "protocol": "json",
        "jsonVersion": "1.1",
        "targetPrefix": "T",
        "endpointPrefix": "t",
        "serviceId": "T",
    }
    put = {
        "name": "Put", "http": {"method": "POST", "requestUri": "/"},
        "input": {"shape": "Asked"}, "output": {"shape": "Told"},
    }  # fmt: skip
    made = {
        "Name": {"type": "string", "max": 128},
        "Asked": {"type": "structure", "members": {"name": {"shape": "Name", "locationName": "Name"}}},
        "Told": {"type": "structure", "members": {"name": {"shape": "Name"}}},
        **shapes,
    }
    return {"version": "2.0", "metadata": about, "operations": {"Put": put}, "shapes": made}


def found(one: dict[str, Any], two: dict[str, Any]) -> tuple[Finding, ...]:
    """What is found; every place is one that the documents have as they are written."""
    written = copy.deepcopy(one), copy.deepcopy(two)
    findings = compare(contract(one), contract(two), today=TODAY).findings
    for each in findings:
        for at, whole in (
            (each.location.contract_pointer, written[0]),
            (each.location.message_pointer, written[1]),
        ):
            assert at is None or follow(whole, at) is not MISSING, (each.rule, at)
    return findings


def test_the_limits_of_a_service_model_hold_for_requests_alone() -> None:
    (told,) = found(model(), model(Name={"type": "string", "max": 64}))
    assert (told.rule, told.severity.value) == ("request-property-limit-tightened", "error")
    assert told.location.message_pointer == "/shapes/Name/max"


def test_a_member_of_a_service_model_is_pointed_at_by_its_own_name() -> None:
    (told,) = found(model(), model(Asked={"type": "structure", "members": {}}))
    assert told.rule == "request-property-refused"
    assert told.location.contract_pointer == "/shapes/Asked/members/name"
    assert told.location.message_pointer == "/shapes/Asked/members"


def test_an_operation_of_a_service_model_is_gone_from_its_operations() -> None:
    (told,) = found(model(), model() | {"operations": {}})
    assert (told.rule, told.location.message_pointer) == ("operation-removed", "/operations")


def test_a_member_that_refers_to_a_component_is_pointed_at_where_it_stands() -> None:
    kept = {"components": {"schemas": {"Owner": shape(n=STRING)}}}
    owner = {"$ref": "#/components/schemas/Owner"}
    (told,) = found(answering(shape(a=STRING, owner=owner), **kept), answering(shape(a=STRING), **kept))
    assert told.location.contract_pointer is not None
    assert told.location.contract_pointer.endswith("/schema/properties/owner")


def test_what_refers_to_another_component_is_called_by_who_refers_to_it() -> None:
    components = {"components": {"schemas": {"A": STRING, "B": INTEGER}}}
    one, two = (answering(shape(a={"$ref": f"#/components/schemas/{name}"}), **components) for name in "AB")
    (told,) = found(one, two)
    assert told.subject == "GET /things 200 body.a is of another type"


def test_the_discriminator_of_swagger_is_that_of_openapi() -> None:
    def made(discriminator: Any, section: str) -> dict[str, Any]:
        pet = shape(k=STRING) | {"discriminator": discriminator}
        held = {"schema": {"$ref": f"#/{section.replace('.', '/')}/Pet"}, "description": ""}
        answers = {"200": held if section == "definitions" else {"description": "", "content": {"*/*": held}}}
        whole: dict[str, Any] = {"paths": {"/a": {"get": {"responses": answers}}}}
        if section == "definitions":
            return swagger(definitions={"Pet": pet}, host="a.example.com", produces=["*/*"], **whole)
        servers = [{"url": "https://a.example.com/v1"}]
        return document(servers=servers, components={"schemas": {"Pet": pet}}, **whole)

    named = {"propertyName": "k"}
    assert rules(made("k", "definitions"), made(named, "components.schemas")) == {}
    told = {"response-property-discriminator-changed": "info"}
    assert rules(made("k", "definitions"), made({"propertyName": "kind"}, "components.schemas")) == told


def served(url: str, **variables: list[str]) -> dict[str, Any]:
    about = {name: {"default": values[0], "enum": values} for name, values in variables.items()}
    return document(servers=[{"url": url, "variables": about}])


@pytest.mark.parametrize(
    ("one", "two", "gone", "new"),
    [
        (["eu", "us"], ["us", "ap"], ["https://eu.example"], ["https://ap.example"]),
        (["eu", "us"], ["us", "eu"], [], []),
        (["eu"], ["eu", "us"], [], ["https://us.example"]),
    ],
)
def test_a_server_is_one_for_each_value_of_its_variables(
    one: list[str], two: list[str], gone: list[str], new: list[str]
) -> None:
    told = found(served("https://{region}.example", region=one), served("https://{area}.example", area=two))
    assert [each.promised for each in told if each.rule == "server-removed"] == gone
    assert [each.seen for each in told if each.rule == "server-added"] == new


def test_an_address_with_any_value_stands_for_those_with_listed_ones() -> None:
    listed, free = served("https://{region}.example", region=["eu"]), served("https://{region}.example")
    assert rules(listed, free) == {"server-added": "info"}
    assert rules(free, listed) == {"server-removed": "warning"}


def test_the_host_of_a_discovery_document_is_its_server() -> None:
    def made(root: str) -> dict[str, Any]:
        methods = {"list": {"id": "t.list", "path": "things", "httpMethod": "GET"}}
        about = {"kind": "discovery#restDescription", "rootUrl": root, "servicePath": "v1/"}
        return about | {"resources": {"things": {"methods": methods}}, "schemas": {}}

    one, two = made("https://a.example/"), made("https://b.example/")
    assert {each.rule: each.location.contract_pointer for each in found(one, two)} == {
        "server-removed": "/rootUrl", "server-added": "/rootUrl",
    }  # fmt: skip
    assert compared(one, one).findings == ()


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (STRING, STRING | {"enum": ["a"]}),
        (STRING, STRING | {"pattern": "^a"}),
        (STRING, STRING | {"maxLength": 7}),
        (shape(a=STRING), shape(a=STRING) | {"additionalProperties": False}),
        (shape(a={}), shape(a=STRING)),
        ({"type": "array"}, {"type": "array", "items": STRING}),
    ],
)
def test_what_a_partial_contract_leaves_out_of_a_schema_is_no_promise(one: Any, two: Any) -> None:
    for make in (asking, answering):
        assert compare(contract(make(one), partial=True), contract(make(two)), today=TODAY).findings == ()
        assert compare(contract(make(two)), contract(make(one), partial=True), today=TODAY).findings == ()


def test_how_fields_are_written_is_no_promise_of_a_partial_contract_that_leaves_it_out() -> None:
    one, two = (
        form("application/x-www-form-urlencoded", shape(a=STRING), **way)
        for way in ({}, {"style": "deepObject"})
    )
    assert compare(contract(one, partial=True), contract(two), today=TODAY).findings == ()
    assert compare(contract(one), contract(two, partial=True), today=TODAY).findings != ()


def test_webhooks_are_not_gone_from_a_document_that_has_no_place_for_them() -> None:
    one = document(webhooks={"paid": {"post": {"responses": {"200": {"description": ""}}}}})
    old = document(openapi="3.0.3")
    told = compared(one, old)
    assert told.findings == ()
    assert told.unjudged == ("the revision has no place for webhooks, and these are not compared: paid",)
    assert rules(one, document()) == {"webhook-removed": "error"}
    assert rules(one, old | {"x-webhooks": {"sent": one["webhooks"]["paid"]}})["webhook-removed"] == "error"
