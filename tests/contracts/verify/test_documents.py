"""Documents from outside cannot hurt: bombs, circles, depth and remote references."""

from __future__ import annotations

import json

import pytest

from contracts import documents
from contracts.verify import verify
from interlock.errors import UsageError
from tests.contracts.verify.made import bench, contract, document, interaction, places

BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (BOMB.encode(), "its aliases stand for more than"),
        (b"a: &a\n  b: *a\n", "an alias stands inside itself"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "is nested more than 200 levels deep"),
        (b'{"a":' * 100_000, "is nested too deeply"),
        (b'{"a": ' + b"1" * 5_000 + b"}", "digits"),
        (b"a: " + b"1" * 5_000, "digits"),
        (b"{a: &a 1, b: *a, c: " + b"[" * 900 + b"]" * 900 + b"}", "is nested"),
        (b"- 1\n", "is not an object, so it is no contract"),
        (b"a: [1\n", "d.yaml:2: "),
        (b"a: !!python/object/apply:os.getcwd []\n", "could not determine a constructor"),
    ],
)
def test_what_is_hostile_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        documents.parse(data, "d.yaml")
    assert said in caught.value.message


def test_yaml_has_the_plain_values_of_json_alone() -> None:
    found = documents.parse(b"200: no\nwhen: 2026-01-01\noctal: 012\nyes: true\n", "d.yaml")
    assert found == {"200": "no", "when": "2026-01-01", "octal": "012", "yes": True}


def test_a_place_in_a_list_of_thousands_of_digits_leads_nowhere() -> None:
    given, digits = document(), "1" * 5_000
    given["components"]["schemas"]["Pet"]["properties"]["kind"] = {"$ref": f"#/servers/{digits}"}
    found = verify(interaction(got={"id": 1, "name": 7, "kind": 5, digits: 1}), bench(contract(given)))
    assert {rule for rule, _ in places(found)} >= {"contract-reference", "response-body"}


def test_a_place_of_thousands_of_digits_in_the_name_of_a_field_is_a_name() -> None:
    given, digits = document(), "1" * 5_000
    parameters = [{"name": "q", "in": "query", "style": "deepObject", "schema": {"type": "object"}}]
    given["paths"] = {"/t": {"get": {"parameters": parameters, "responses": {"200": {"description": ""}}}}}
    asked = interaction(path=f"/v1/t?q[{digits}]=1&q[0]=2", status=200, got=None)
    assert [rule for rule, _ in places(verify(asked, bench(contract(given))))] == []


def test_a_remote_reference_is_not_fetched_and_promises_nothing() -> None:
    given = document()
    given["components"]["schemas"]["Pet"]["properties"]["kind"] = {"$ref": "http://127.0.0.1:1/kind.json"}
    found = verify(interaction(got={"id": 1, "name": "Tom", "kind": 5}), bench(contract(given)))
    assert places(found) == [("contract-reference", "/response/body")]


def test_references_that_lead_round_in_a_circle_end() -> None:
    given = json.loads(json.dumps(document()))
    given["components"]["schemas"]["Pet"]["properties"]["kind"] = {"$ref": "#/components/schemas/A"}
    given["components"]["schemas"] |= {
        "A": {"$ref": "#/components/schemas/B"},
        "B": {"$ref": "#/components/schemas/A"},
    }
    found = verify(interaction(got={"id": 1, "name": "Tom", "kind": 5}), bench(contract(given)))
    assert places(found) == [("contract-reference", "/response/body")]
