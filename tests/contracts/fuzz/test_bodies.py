"""What schemathesis passes over is judged all the same, or said to be unproven."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts.fuzz.engine import Fuzzed, Wish, fuzz
from contracts.fuzz.report import Setting, report_of, write_evidence
from interlock.output import CaseState, exit_status
from interlock.records import Severity
from tests.contracts.fuzz import shops
from tests.contracts.verify.made import NOW

VALUE = {"type": "object", "required": ["v"], "properties": {"v": {"type": "integer"}}}
XML, TEXT = "application/xml", "text/plain"


def document(schema: Any, kind: str, **operation: Any) -> dict[str, Any]:
    """One operation that answers with this."""
    answer = {"200": {"description": "", "content": {kind: {"schema": schema}}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "B", "version": "1"},
        "paths": {"/a": {"get": {"responses": answer, **operation}}},
    }


def asked(given: dict[str, Any], kind: str, body: bytes) -> tuple[Fuzzed, Setting]:
    """A server that answers everything with this body."""
    contract = shops.contract(given)
    with shops.served(lambda *_: (200, kind, body)) as (url, _):
        wish = Wish(url=url, seed=7, max_examples=3)
        return fuzz(contract, wish), Setting(
            name="b", contract=contract, wish=wish, now=NOW, fail_on=Severity.ERROR
        )


@pytest.mark.parametrize(
    ("schema", "kind", "body", "seen"),
    [
        (VALUE, XML, b"<r><v>abc</v></r>", "200: integer is promised, and string"),
        (VALUE, XML, b"no xml <<<", "200: the body is not XML"),
        ({"enum": ["ok"]}, TEXT, b"wrong", "200: one of"),
        ({"type": "integer"}, "text/csv", b"abc", "200: integer is promised"),
    ],
)
def test_bodies_that_are_no_json_are_judged(schema: Any, kind: str, body: bytes, seen: str) -> None:
    found, _ = asked(document(schema, kind), kind, body)
    (fault,) = found.faults
    assert fault.check.rule == "fuzz-body"
    assert fault.message_pointer == ("/response/body/v" if b"<v>" in body else "/response/body")
    assert fault.seen.startswith(seen)
    assert fault.curl.startswith("curl ")


@pytest.mark.parametrize(
    ("body", "places"),
    [
        (b'{"v": NaN}', {"/v": "NaN"}),
        (
            b'{"v": 1, "more": [0, -Infinity, {"a/b": Infinity}]}',
            {"/more/1": "-Infinity", "/more/2/a~1b": "Infinity"},
        ),
        (b'{"v": 1, "more": "NaN is no number"}', {}),
        (b'{"more": NaN}', {"/more": "NaN", "": None}),
    ],
)
def test_what_json_has_no_word_for_is_told_where_it_stands(
    body: bytes, places: dict[str, str | None]
) -> None:
    found, _ = asked(document(VALUE, shops.JSON), shops.JSON, body)
    told = {each.message_pointer.removeprefix("/response/body"): each.seen for each in found.faults}
    assert told.keys() == places.keys()
    for place, name in places.items():
        said = f"the body is not JSON, which has no {name}" if name else '"v" is a required property'
        assert told[place] == f"200: {said}"


def test_of_many_things_that_json_has_no_word_for_the_first_are_told() -> None:
    found, _ = asked(document({"type": "array"}, shops.JSON), shops.JSON, b"[" + b"NaN," * 5_000 + b"NaN]")
    assert [each.message_pointer for each in found.faults] == sorted(f"/response/body/{n}" for n in range(20))


def test_what_fits_no_branch_is_told_where_it_is_wrong() -> None:
    inner = {
        "oneOf": [
            {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}},
            {"type": "null"},
        ]
    }
    a = {"type": "object", "required": ["kind", "a"], "properties": {"kind": {"const": "a"}, "a": inner}}
    b = {
        "type": "object",
        "required": ["kind", "b"],
        "properties": {"kind": {"const": "b"}, "b": {"type": "string"}},
    }
    found, _ = asked(document({"oneOf": [a, b]}, shops.JSON), shops.JSON, b'{"kind": "a", "a": {"n": "no"}}')
    (fault,) = found.faults
    assert fault.message_pointer == "/response/body/a/n"
    assert fault.seen == '200: integer is promised, and string "no" came'


@pytest.mark.parametrize(
    ("schema", "kind", "body", "why"),
    [
        (VALUE, "application/x-ndjson", b'{"v":1}\n{"v":2}', "x-ndjson is not looked into"),
        (
            {"$ref": "#/components/schemas/Nope"},
            shops.JSON,
            b"{}",
            "leads nowhere: #/components/schemas/Nope",
        ),
        (
            {"type": "object", "properties": {"v": {"$ref": "./other.json#/X"}}},
            shops.JSON,
            b"{}",
            "./other.json",
        ),
    ],
)
def test_what_nobody_can_judge_proves_nothing(
    schema: Any, kind: str, body: bytes, why: str, tmp_path: Path
) -> None:
    found, setting = asked(document(schema, kind), kind, body)
    assert found.faults == ()
    report = report_of(found, setting)
    case = next(each for each in report.cases if each.name == "GET /a")
    assert case.state is CaseState.UNPROVEN
    assert why in case.detail
    assert exit_status(report) == 3
    assert json.loads(write_evidence(found, report, setting, tmp_path).read_text())["verdict"] == "unproven"


def test_right_bodies_of_every_kind_pass() -> None:
    for schema, kind, body in (
        (VALUE, XML, b"<r><v>1</v></r>"),
        ({"enum": ["ok"]}, TEXT, b"ok"),
        ({"type": "string", "format": "binary"}, "application/octet-stream", b"\0\1"),
    ):
        found, setting = asked(document(schema, kind), kind, body)
        assert found.faults == ()
        assert exit_status(report_of(found, setting)) == 0


def test_operations_that_nothing_tells_apart_and_bodies_that_cannot_be_made_are_unproven() -> None:
    given = document(VALUE, shops.JSON)
    given["paths"] = {"/a?one": given["paths"]["/a"], "/a?two": given["paths"]["/a"]}
    found, setting = asked(given, shops.JSON, b'{"v":1}')
    assert found.left_out == {"GET /a at /paths/~1a?two/get": "nothing tells it from another"}
    assert exit_status(report_of(found, setting)) == 3
    weird = document(VALUE, shops.JSON)
    taken = {kind: {"schema": {"type": "object"}} for kind in ("application/x-weird", shops.JSON)}
    weird["paths"]["/a"]["post"] = {**weird["paths"]["/a"].pop("get"), "requestBody": {"content": taken}}
    found, _ = asked(weird, shops.JSON, b'{"v":1}')
    assert found.unjudged == {"POST /a": "no request of application/x-weird can be made"}


def test_an_operation_that_was_asked_for_a_part_is_unproven() -> None:
    given = document(VALUE, shops.JSON)
    found, setting = asked(given, shops.JSON, b'{"v":1}')
    assert exit_status(report_of(found, setting)) == 0
    part = replace(found, troubles={"GET /a": "No data can be made"})  # in one phase of several
    (case,) = (each for each in report_of(part, setting).cases if each.name == "GET /a")
    assert (case.state, exit_status(report_of(part, setting))) == (CaseState.UNPROVEN, 3)
    assert case.detail.startswith("No data can be made before all was asked (200 x")


def test_a_run_that_breaks_off_at_its_end_is_unproven() -> None:
    given = document(VALUE, shops.JSON)
    given["paths"] = {"a": given["paths"]["/a"]}  # a path without a slash, over which sequences fall
    found, setting = asked(given, shops.JSON, b'{"v":1}')
    assert found.stopped is not None
    assert exit_status(report_of(found, setting)) == 3
