"""Credentials: of the scheme that is promised, all that are needed, and nothing said where none can be seen."""

from __future__ import annotations

import dataclasses

import pytest

from contracts.verify import Verified, verify, verify_all
from tests.contracts.verify.made import bench, contract, document, interaction, places

SCHEMES = {
    "key": {"type": "apiKey", "in": "query", "name": "api_key"},
    "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "basic": {"type": "http", "scheme": "basic"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "own": {"type": "http", "scheme": "ApiKey"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "sid"},
    "oauth": {"type": "oauth2", "flows": {}},
}
AUTHORIZATION, MISSING = "/request/header/authorization", "credential-missing"


def asked(
    wanted: list[list[str]], headers: dict[str, str], query: str = "", *, complete: bool = True
) -> Verified:
    """A request with these headers and no others, of an operation that wants one of these."""
    given = document()
    given["components"]["securitySchemes"] = SCHEMES
    security: list[dict[str, list[str]]] = [{key: [] for key in each} for each in wanted]
    given["paths"]["/quiet"] = {"get": {"security": security, "responses": {"200": {"description": ""}}}}
    if query:
        given["paths"]["/quiet"]["get"]["parameters"] = [
            {"name": "api_key", "in": "query", "schema": {"type": "string"}}
        ]
    sent = interaction(path=f"/v1/quiet{query}")
    request = dataclasses.replace(sent.request, headers=tuple(headers.items()))
    return verify(dataclasses.replace(sent, request=request), bench(contract(given), complete=complete))


@pytest.mark.parametrize(
    ("scheme", "value", "seen"),
    [
        ("basic", "Basic bWFkZTp1cA==", None),
        ("basic", "basic bWFkZTp1cA==", None),
        ("basic", "Bearer x", "Bearer"),
        ("bearer", "Basic x", "Basic"),
        ("bearer", "", "an empty value"),
        ("bearer", "Bearer ", "an empty value"),
        ("bearer", "made-up", "a value without the scheme"),
        ("bearer", "token x", None),  # GitHub's other word for it
        ("basic", "Bearer [redacted]", None),  # whoever replaced it may have replaced the scheme too
        ("basic", "<TOKEN>", None),
        ("basic", "REDACTED", None),
        ("own", "made-up", None),  # no scheme of HTTP's registry
        ("oauth", "Basic x", None),  # how a client shows itself where it asks for a token
    ],
)
def test_a_credential_has_the_scheme_that_is_promised(scheme: str, value: str, seen: str | None) -> None:
    found = asked([[scheme]], {"Authorization": value})
    assert places(found) == ([] if seen is None else [(MISSING, AUTHORIZATION)])
    assert [each.seen for each in found.findings] == ([] if seen is None else [seen])
    assert found.unjudged == ()


def test_another_scheme_is_told_though_the_recording_leaves_headers_out() -> None:
    found = asked([["bearer"]], {"Authorization": "Basic x"}, complete=False)
    assert places(found) == [(MISSING, AUTHORIZATION)]
    assert found.findings[0].promised == "header Authorization, Bearer"


@pytest.mark.parametrize("value", ["", "Bearer ", "made-up"])
def test_what_may_be_left_of_a_credential_that_was_taken_out_is_not_judged(value: str) -> None:
    found = asked([["bearer"]], {"Authorization": value}, complete=False)
    assert found.findings == ()
    assert found.unjudged == (f"{AUTHORIZATION}: the recording does not show the credential",)


def test_any_of_the_promised_schemes_will_do() -> None:
    assert places(asked([["bearer"], ["basic"]], {"Authorization": "Basic x"})) == []
    found = asked([["key"], ["bearer"]], {"Authorization": "Basic x"})
    assert places(found) == [(MISSING, AUTHORIZATION)]
    assert found.findings[0].promised == "query api_key, header Authorization, Bearer"


def test_an_empty_key_is_none() -> None:
    found = asked([["key"]], {}, "?api_key=")
    assert places(found) == [(MISSING, "/request/query/api_key")]
    assert found.findings[0].seen == "an empty value"
    assert places(asked([["key"]], {}, "?api_key=madeup")) == []


def test_only_the_cookie_that_is_named_counts() -> None:
    assert places(asked([["cookie"]], {"Cookie": "other=1"})) == [(MISSING, "/request/cookie/sid")]
    assert places(asked([["cookie"]], {"Cookie": "other=1; sid=2"})) == []
    for whole in ("[redacted]", "other: bWFkZQ==", "made up"):  # nothing tells which cookies these were
        assert places(asked([["cookie"]], {"Cookie": whole})) == []
    assert asked([["cookie"]], {"Cookie": "other=1"}, complete=False).unjudged == ()


@pytest.mark.parametrize(
    ("headers", "query", "place", "promised", "seen"),
    [
        ({}, "?api_key=madeup", "/request/header/x-key", "header X-Key", "query api_key alone"),
        ({"X-Key": "madeup"}, "", "/request/query/api_key", "query api_key", "header X-Key alone"),
        ({}, "", "/request/query/api_key", "query api_key, header X-Key", "nothing"),
    ],
)
def test_of_several_credentials_the_missing_one_is_named(
    headers: dict[str, str], query: str, place: str, promised: str, seen: str
) -> None:
    found = asked([["key", "header"]], headers, query)
    assert places(found) == [(MISSING, place)]
    assert (found.findings[0].promised, found.findings[0].seen) == (promised, seen)
    assert places(asked([["key", "header"]], {"X-Key": "madeup"}, "?api_key=madeup")) == []


def test_a_credential_that_the_contract_does_not_define_cannot_be_judged() -> None:
    found = asked([["nowhere"]], {})
    assert [(each.rule, each.location.contract_pointer) for each in found.findings] == [
        ("contract-reference", "/paths/~1quiet/get/security/0/nowhere")
    ]
    assert found.unjudged == ("/request: the contract does not define the credential nowhere",)
    assert asked([["nowhere"], ["bearer"]], {"Authorization": "Bearer x"}).unjudged == ()


@pytest.mark.parametrize("given", [{"openapi": "3.1.0"}, {"swagger": "2.0", "basePath": "/v1"}])
def test_a_credential_for_all_that_is_not_defined_is_told_once(given: dict[str, str]) -> None:
    paths = {name: {"get": {"responses": {"200": {"description": ""}}}} for name in ("/a", "/b")}
    about = {"info": {"title": "Shop", "version": "1"}, "servers": [{"url": "/v1"}]}
    made = contract(given | about | {"security": [{"nowhere": []}], "paths": paths})
    assert [each.location.contract_pointer for each in made.notes] == ["/security/0/nowhere"]
    own = bench(made)
    held = verify_all([interaction(path="/v1/a"), interaction(path="/v1/b", index=1)], lambda _: [own])
    assert [places(each) for each in held] == [[("contract-reference", "")], []]
