"""What no contract speaks of: HEAD and OPTIONS of a known path, URLs that are none, queries without end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from contracts.contract import PULLED
from contracts.verify import verify, verify_all
from interlock.cli import root
from interlock.records import Severity
from tests.contracts.verify.made import bench, contract, document, interaction, places, verified

KEY = {"Idempotency-Key": "made up"}
CAT = {"id": 7, "name": "Tom"}


def test_head_is_held_against_what_get_promises_without_its_body() -> None:
    found = verified(method="HEAD", path="/v1/pets?limit=101", answered={"Content-Type": "application/json"})
    assert found.operation == "HEAD /pets"
    assert places(found) == [("request-query", "/request/query/limit")]  # and X-Total may be left out
    assert verified(method="HEAD", status=503).findings[0].subject.startswith("HEAD /pets/{key} answers 503")


def test_head_of_a_path_without_get_is_another_method() -> None:
    found = verified(method="HEAD", path="/v1/charges")
    assert places(found) == [("method-unknown", "/request/method")]


def test_head_that_is_promised_itself_is_held_against_that() -> None:
    given = document()
    given["paths"]["/pets"]["head"] = {"responses": {"204": {"description": ""}}}
    asked = interaction("HEAD", "/v1/pets", status=200)
    assert places(verify(asked, bench(contract(given)))) == [("response-status", "/response/status")]


def test_head_proves_nothing_of_what_get_promises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("shop.json").write_text(json.dumps(document()))
    asked: dict[str, object] = {
        "method": "HEAD",
        "uri": "https://api.shop.example/v1/pets/7",
        "headers": {},
        "body": None,
    }
    said = {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": ""}}
    Path("seen.json").write_text(
        json.dumps({"version": 1, "interactions": [{"request": asked, "response": said}]})
    )
    words = ["verify", "seen.json", "--contract", "shop.json", "--evidence", "proof", "--format", "json"]
    result = CliRunner().invoke(root, words, standalone_mode=False)
    assert result.return_value == 0, result.output
    assert json.loads(result.output)["summary"]["operations"] == {"shop": {"HEAD /pets/{key}": 1}}
    proof = json.loads(Path("proof/shop.contract-verify.json").read_text())
    assert (proof["verdict"], proof["covered"]) == ("unproven", [])


def test_options_of_a_known_path_is_passed_over_and_told() -> None:
    found = verified(method="OPTIONS", path="/v1/pets", status=204)
    assert (found.operation, found.findings) == (None, ())
    assert found.unjudged == ("/request: OPTIONS of a known path is promised by no contract",)
    assert places(verified(method="OPTIONS", path="/v1/cows")) == [("operation-unknown", "/request/path")]


def test_a_method_that_the_service_itself_refused_is_a_remark() -> None:
    (found,) = verified(method="PUT", path="/v1/pets", status=405).findings
    assert (found.rule, found.severity) == ("method-unknown", Severity.INFO)
    (taken,) = verified(method="PUT", path="/v1/pets", status=200).findings
    assert taken.severity is Severity.ERROR


def test_of_several_contracts_the_one_that_knows_the_path_speaks() -> None:
    other = bench(contract(document() | {"paths": {"/cows": {"get": {"responses": {}}}}}))
    part = bench(contract(document(), origin=PULLED, partial=True))
    asked = [interaction("OPTIONS", "/v1/pets"), interaction("PUT", "/v1/pets", got=CAT)]
    preflight, put = verify_all(asked, lambda _: [part, other, bench()])
    assert (preflight.findings, len(preflight.unjudged)) == ((), 1)
    assert places(put) == [("method-unknown", "/request/method")]


@pytest.mark.parametrize("url", ["https://[::1/v1/pets", "https://api.shop.example:port/v1/pets"])
def test_a_url_that_is_none_is_said_to_be_none(url: str) -> None:
    given = document()
    given["paths"]["/"] = {"get": {"responses": {"200": {"description": ""}}}}
    given["servers"] = [{"url": "/"}]
    found = verify(interaction(path=url, got=CAT), bench(contract(given)))
    assert (found.operation, places(found)) == (None, [("request-url", "/request/url")])
    assert found.unjudged == ("/request/url: it cannot be read",)


def test_a_url_that_is_none_comes_again_and_breaks_nothing() -> None:
    asked = [
        interaction("POST", "https://[::1/v1/pets", sent=CAT, status=503, index=index, headers=KEY)
        for index in range(2)
    ]
    found = list(verify_all(asked, lambda _: [bench()]))
    assert [places(each) for each in found] == [[("request-url", "/request/url")]] * 2


def test_a_url_in_which_something_was_redacted_is_no_fault() -> None:
    found = verified(path="https://[REDACTED]/v1/pets/7")
    assert found.findings == ()
    assert found.unjudged == ("/request/url: it cannot be read",)


def test_a_query_that_is_cut_is_said_and_misses_nothing_beyond() -> None:
    given = document()
    given["paths"]["/pets"]["get"]["parameters"].append(
        {"name": "last", "in": "query", "required": True, "schema": {"type": "integer"}}
    )
    given["components"]["securitySchemes"]["token"] = {"type": "apiKey", "in": "query", "name": "made_up"}
    many = "limit=101&" + "&".join("expand[]=x" for _ in range(10_000))
    asked = interaction(path=f"/v1/pets?{many}&last=1&made_up=x", got=[CAT], answered={"X-Total": "1"})
    found = verify(asked, bench(contract(given), complete=True))
    assert places(found) == [("request-query", "/request/query/limit")]
    assert found.unjudged == ("/request/query: has more than 10000 fields, the first are judged",)
