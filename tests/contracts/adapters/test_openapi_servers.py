"""What a server of an OpenAPI document stands for: its variables have values, and its URL may be relative."""

from __future__ import annotations

import re
from typing import Any

import pytest

from contracts.contract import Contract
from contracts.verify import verify
from tests.contracts.verify.made import bench, contract, interaction, places

HOST = "https://api.x.example"


def served(url: str, **variables: dict[str, Any]) -> Contract:
    """A contract of one operation, `GET /t`, at this server."""
    answer = {"200": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}}
    return contract(
        {
            "openapi": "3.0.3",
            "info": {"title": "Served", "version": "1"},
            "servers": [{"url": url, "variables": variables}],
            "paths": {"/t": {"get": {"responses": answer}}},
        }
    )


def known(found: Contract, url: str) -> bool:
    """Whether what is asked there is the operation."""
    return verify(interaction("GET", url, got={}), bench(found)).operation == "GET /t"


def serves(found: Contract, host: str) -> bool:
    """Whether the contract speaks of a host."""
    return any(re.fullmatch(pattern, host) for pattern in found.hosts)


@pytest.mark.parametrize(
    ("url", "default", "path"),
    [
        (f"{HOST}/{{base}}", "api/v1", "/api/v1"),
        (f"{HOST}{{base}}", "/api", "/api"),
        ("{base}", f"{HOST}/v1", "/v1"),
        (f"{HOST}/v3/{{base}}", "", "/v3"),
        (f"{HOST}/v{{base}}", 2, "/v2"),
        (f"{HOST}/v{{base}}", 1.5, "/v1.5"),
        ("/v3/{base}", "", "/v3"),
        ("{base}/v4", HOST, "/v4"),
        ("https://{base}api.x.example/v5?x=1#y", "", "/v5"),
        (f"{HOST}/v6/{{base}}", "{base}", "/v6/%7Bbase%7D"),
    ],
)
def test_the_default_of_a_variable_makes_the_base_path_and_the_host(
    url: str, default: Any, path: str
) -> None:
    found = served(url, base={"default": default})
    assert known(found, f"{HOST}{path}/t")
    assert serves(found, "api.x.example") is (url[0] != "/")
    assert places(verify(interaction("GET", f"{HOST}/no/where/t", got={}), bench(found))) != []


def test_what_is_asked_first_is_the_default() -> None:
    found = served(f"{HOST}/{{a}}/{{b}}", a={"default": "one"}, b={"default": "x", "enum": ["x", "y"]})
    assert found.operations[0].bases == ("/one/x", "/one/y", "/{server}/x", "/{server}/y")


def test_a_variable_with_an_enum_is_one_of_it_and_any_other_may_be_anything() -> None:
    one = served(f"{HOST}/{{v}}", v={"default": "v1", "enum": ["v1", "v2"]})
    assert [known(one, f"{HOST}/{each}/t") for each in ("v1", "v2", "v3")] == [True, True, False]
    other = served(f"{HOST}/{{v}}", v={"default": "v1"})
    assert [known(other, f"{HOST}/{each}/t") for each in ("v1", "v2", "v3/v4")] == [True, True, False]


def test_more_values_than_can_be_tried_leave_the_places_open() -> None:
    many = {"default": "0", "enum": [str(each) for each in range(100)]}
    found = served(f"{HOST}/{{a}}/{{b}}/{{c}}", a=many, b=many, c=many)
    assert len(found.operations[0].bases) < 100
    assert found.operations[0].bases[0] == "/0/0/0"
    assert known(found, f"{HOST}/99/98/97/t")


@pytest.mark.parametrize("variables", [{}, {"v": {}}, {"v": {"default": None, "enum": "x"}}, {"v": []}])
def test_a_variable_of_which_nothing_is_said_stays_open(variables: dict[str, Any]) -> None:
    found = served(f"{HOST}/{{v}}", **variables)
    assert found.operations[0].bases == ("/{server}",)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("v1", "/v1"),
        ("./v2", "/v2"),
        ("../v3/", "/v3"),
        ("/v4/", "/v4"),
        ("", ""),
        (".", ""),
        ("./", ""),
        ("/", ""),
        ("{base}", ""),
        ("//api.x.example/v5", "/v5"),
        ("https://[::1//[x", "//[x"),
        ("/v6//x", "/v6//x"),
    ],
)
def test_a_relative_url_counts_from_the_root(url: str, base: str) -> None:
    assert served(url).operations[0].bases == (base,)
