"""`interlock drift` as a stranger uses it: documents, recordings, names, reports, baselines and wrong input."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from contracts.shelf import Shelf
from interlock.cli import root
from interlock.errors import UsageError
from tests.contracts.drift.made import answering, document
from tests.contracts.verify import made as shop
from tests.contracts.verify.test_command import CASSETTE


def _write(path: Path, value: Any) -> None:
    path.write_text(value if isinstance(value, str) else json.dumps(value))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    _write(tmp_path / "old.json", answering({"type": "string"}))
    _write(tmp_path / "new.json", answering({"type": ["string", "null"]}))
    _write(tmp_path / "more.json", answering({"type": "string", "deprecated": True, "default": "a"}))
    _write(tmp_path / "else.json", document(paths={"/else": {"get": {}}}))
    _write(tmp_path / "shop.json", shop.document())
    _write(tmp_path / "kept.yaml", CASSETTE % '{"id": 7, "name": "Tom"}')
    _write(tmp_path / "drifted.yaml", CASSETTE % '{"id": "7", "name": "Tom"}')
    _write(tmp_path / "foreign.yaml", (CASSETTE % "{}").replace("/v1/pets/7", "/elsewhere"))
    _write(tmp_path / "letter.txt", "Dear all,\n")
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(root, ["drift", *words], standalone_mode=False)


def test_what_breaks_fails_and_every_report_names_both_places(folder: Path) -> None:
    kinds = ("json", "junit", "sarif", "markdown")
    result = run("old.json", "new.json", *(f"--report={kind}=out.{kind}" for kind in kinds))
    assert result.return_value == 1, result.output
    assert "response-property-became-nullable" in result.output
    place = "/paths/~1things/get/responses/200/content/application~1json/schema/type"
    assert f"new.json {place}" in result.output
    assert f"contract  {place}" in result.output
    assert all("response-property-became-nullable" in (folder / f"out.{kind}").read_text() for kind in kinds)
    summary = json.loads((folder / "out.json").read_text())["summary"]
    assert (summary["operations"], summary["same_document"]) == (1, False)
    (rule,) = json.loads((folder / "out.sarif").read_text())["runs"][0]["tool"]["driver"]["rules"]
    assert rule["shortDescription"] == {"text": "a part of an answer may be null now"}


def test_the_same_document_has_no_drift_and_says_so(folder: Path) -> None:
    result = run("old.json", "old.json")
    assert result.return_value == 0
    assert result.output == "1 operation compared, 0 gone, 0 new: no findings\n"


def test_what_is_only_told_passes_unless_it_is_asked_to_fail(folder: Path) -> None:
    assert run("old.json", "more.json").return_value == 0
    assert run("old.json", "more.json", "--fail-on", "info").return_value == 1
    hidden = run("old.json", "more.json", "--show", "error")
    assert hidden.output == "1 operation compared, 0 gone, 0 new: 1 info (1 not listed)\n"


def test_nothing_in_common_is_no_pass(folder: Path) -> None:
    result = run("old.json", "else.json", "--fail-on", "never")
    assert result.return_value == 3
    assert "no operation is in both" in result.output


def test_rules_and_baselines_are_those_of_verify(folder: Path) -> None:
    rule = "response-property-became-nullable"
    assert run("old.json", "new.json", "--rule", f"{rule}=warning").return_value == 0
    assert run("old.json", "new.json", "--rule", f"{rule}=off").output.endswith("no findings\n")
    assert run("old.json", "new.json", "--write-baseline", "known.json").return_value == 0
    accepted = run("old.json", "new.json", "--baseline", "known.json")
    assert accepted.return_value == 0
    assert "1 accepted by the baseline" in accepted.output
    (folder / "interlock.toml").write_text(f'[drift.rules]\n{rule} = "warning"\n')
    assert run("old.json", "new.json").return_value == 0
    assert run("old.json", "new.json", "--rule", f"{rule}=error").return_value == 1
    listed = run("--rules").output
    assert f"{rule:<40}" in listed


def test_recordings_are_held_against_the_contract(folder: Path) -> None:
    assert run("shop.json", "kept.yaml").return_value == 0
    drifted = run("shop.json", "kept.yaml", "drifted.yaml", "letter.txt")
    assert drifted.return_value == 1
    assert "recorded-type-changed" in drifted.output
    assert "in 1 of 2 answers" in drifted.output
    assert "drifted.yaml:3 interaction 0 /response/body/id" in drifted.output
    assert "2 interactions, 2 of the contract, 2 judged" in drifted.output
    whole = run("shop.json", ".")
    assert whole.return_value == 1
    assert "3 interactions, 2 of the contract, 2 judged" in whole.output


def test_recordings_of_which_none_could_be_judged_are_no_pass(folder: Path) -> None:
    result = run("shop.json", "foreign.yaml")
    assert result.return_value == 3
    assert "none of 1 interaction could be held against the contract" in result.output


def test_a_name_is_a_contract_of_the_shelf(folder: Path) -> None:
    assert run("stripe", "stripe").return_value == 0
    alone = run("stripe").exception
    assert isinstance(alone, UsageError)
    assert alone.message == "stripe: there is one contract of it alone"


def test_a_name_alone_compares_our_library_with_what_was_pulled(folder: Path) -> None:
    """Ours is partial: what the provider's own document has beyond it is not new."""
    pulled = document(
        paths={"/v1/balance": {"get": {"responses": {}}}, "/v1/beyond": {"get": {"responses": {}}}}
    )
    Shelf(folder).pin(
        "stripe", json.dumps(pulled).encode(), url="https://docs.example/s", pulled_at="2026-11-25"
    )
    found = json.loads(run("stripe", "--format", "json").output)
    (case,) = found["cases"]
    assert case["name"] == "contracts/library/stripe/openapi.yaml -> .interlock/contracts/stripe.json"
    rules = {each["rule"] for each in case["findings"]}
    assert "operation-removed" in rules
    assert "operation-added" not in rules
    assert found["summary"]["operations"] == 1


def test_one_of_several_documents_is_compared_with_our_library_as_far_as_it_goes(folder: Path) -> None:
    pulled = document(paths={"/v2/payments/captures/{id}": {"get": {"responses": {}}}})
    shelf = Shelf(folder)
    shelf.pin(
        "paypal.payments", json.dumps(pulled).encode(), url="https://d.example/", pulled_at="2026-11-26"
    )
    whole = run("paypal").exception
    assert isinstance(whole, UsageError)
    assert (whole.message, whole.hint) == (
        "paypal: there is one contract of the whole alone",
        "its own documents are: paypal.payments",
    )
    found = json.loads(run("paypal.payments", "--format", "json").output)
    (case,) = found["cases"]
    assert (
        case["name"] == "contracts/library/paypal/openapi.yaml -> .interlock/contracts/paypal.payments.json"
    )
    assert not {each["rule"] for each in case["findings"]} & {"operation-removed", "operation-added"}
    told = found["summary"]
    assert (told["operations"], told["operations_gone"], told["operations_new"]) == (1, None, None)
    assert "1 operation compared, 16 that the revision leaves out: " in run("paypal.payments").output


def evidence(folder: Path, name: str) -> dict[str, Any]:
    (path,) = folder.iterdir()
    assert path.name == f"{name}.contract-drift.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_evidence_has_the_digests_and_the_operations_of_both_documents(folder: Path) -> None:
    two = {f"/{name}": {"get": {"responses": {"200": {"description": ""}}}} for name in ("kept", "gone")}
    one = {"/kept": two["/kept"], "/new": two["/gone"]}
    hooks = {"paid": {"post": {"responses": {"200": {"description": ""}}}}}
    _write(folder / "two.json", document(paths=two, webhooks=hooks))
    _write(folder / "one.json", document(paths=one, webhooks=hooks))
    assert run("two.json", "one.json", "--evidence", "proof").return_value == 1
    proof = evidence(folder / "proof", "two")
    assert (proof["verdict"], proof["kind"], proof["origin"]) == ("failed", "drift", "document")
    assert proof["covered"] == ["GET /kept", "webhook paid"]
    assert proof["universe"] == ["GET /gone", "GET /kept", "webhook paid"]
    assert proof["not_exercised"] == ["GET /gone"]
    assert (proof["contract_digest"], proof["subject_revision"]) == tuple(
        digest(folder / name) for name in ("two.json", "one.json")
    )
    assert len(proof["finding_ids"]) == 1


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        (("old.json", "more.json"), "proven"),
        (("old.json", "more.json", "--fail-on", "info"), "failed"),
        (("old.json", "new.json"), "failed"),
        (("old.json", "new.json", "--fail-on", "never"), "failed"),
        (("old.json", "new.json", "--write-baseline", "known.json"), "proven"),
        (("old.json", "else.json", "--rule", "operation-removed=off"), "unproven"),
    ],
)
def test_evidence_is_failed_by_what_breaks_and_proves_nothing_where_nothing_was_compared(
    folder: Path, words: tuple[str, ...], verdict: str
) -> None:
    run(*words, "--evidence", "proof")
    assert evidence(folder / "proof", "old")["verdict"] == verdict


@pytest.mark.parametrize(
    ("name", "verdict", "origin", "covered"),
    [
        ("kept.yaml", "proven", "live", ["GET /pets/{key}"]),
        ("drifted.yaml", "failed", "live", ["GET /pets/{key}"]),
        ("foreign.yaml", "unproven", "generated", []),
    ],
)
def test_evidence_of_recordings_covers_the_operations_that_were_judged(
    folder: Path, name: str, verdict: str, origin: str, covered: list[str]
) -> None:
    run("shop.json", name, "--evidence", "proof")
    proof = evidence(folder / "proof", "shop")
    assert (proof["verdict"], proof["origin"], proof["covered"]) == (verdict, origin, covered)
    assert len(proof["universe"]) == 6
    assert (proof["contract_digest"], proof["subject_revision"]) == (digest(folder / "shop.json"), None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nothing to compare: name BASE and REVISION"),
        (("old.json",), "old.json: is compared with nothing"),
        (("nobody",), "nobody: is neither a file nor a contract that is known by name"),
        (("gone.json", "new.json"), "gone.json: is neither a file nor a contract that is known by name"),
        (("old.json", "gone.json"), "gone.json: is neither a file nor a contract that is known by name"),
        ((".", "old.json"), ".: is a folder, not a contract"),
        (("letter.txt", "old.json"), "letter.txt: is not an object, so it is no contract"),
        (("kept.yaml", "old.json"), "kept.yaml: is in no format that is known"),
        (("old.json", "letter.txt"), "letter.txt: is neither a contract nor a recording"),
        (("old.json", "new.json", "--rule", "nonsense=off"), "no rule is called 'nonsense'"),
        (("old.json", "new.json", "--baseline", "new.json"), "new.json: is not a baseline file"),
        (("old.json", "new.json", "--report", "pdf=x"),
         "--report pdf=x: must be FORMAT=FILE with one of json, junit, sarif, markdown"),
    ],
)  # fmt: skip
def test_a_wrong_command_says_what_is_wrong(folder: Path, words: tuple[str, ...], said: str) -> None:
    result = run(*words)
    assert isinstance(result.exception, UsageError), result.output
    assert result.exception.message == said


def test_the_order_is_the_same_from_run_to_run(folder: Path) -> None:
    runs = [json.loads(run("stripe", "shop.json", "--format", "json").output)["cases"] for _ in range(2)]
    assert runs[0] == runs[1]
    assert len(runs[0][0]["findings"]) > 5


def test_what_was_not_compared_is_told_beside_findings(folder: Path) -> None:
    _write(folder / "event.json", answering(True, webhooks={"paid": {"post": {"responses": {}}}}))
    _write(folder / "plain.json", document(openapi="3.0.3"))
    result = run("event.json", "plain.json")
    assert result.return_value == 1, result.output
    assert "the revision has no place for webhooks, and these are not compared: paid" in result.output


def test_why_answers_were_not_judged_is_told(folder: Path) -> None:
    result = run("shop.json", "kept.yaml", "foreign.yaml")
    assert result.return_value == 0, result.output
    assert "1 not judged: it is no operation of the contract" in result.output
