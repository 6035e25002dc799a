"""Answers against a contract: every kind of drift, once for its place, and nothing where the promise is kept."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from contracts.drift import answer_drift, recorded_drift
from contracts.view import Bench
from interlock.errors import CannotJudge
from interlock.records import Finding
from interlock.redaction import Redactor
from tests.contracts.verify.made import bench, contract, document, interaction

CAT = {"id": 7, "name": "Tom", "kind": "cat"}
OPEN = document()
OPEN["components"]["schemas"]["Pet"].pop("additionalProperties")
BENCH = bench(contract(OPEN))


def drift(**about: Any) -> tuple[Finding, ...]:
    return answer_drift(interaction(**about), BENCH)


def places(found: tuple[Finding, ...]) -> list[tuple[str, str | None]]:
    return [(each.rule, each.location.message_pointer) for each in found]


@pytest.mark.parametrize(
    "about",
    [
        {"got": CAT},
        {"got": CAT | {"owner": None}},
        {"got": CAT | {"owner": {"object": "owner", "email": "a@made-up.example"}}},
        {"got": CAT | {"name": "[redacted]", "born": "[redacted]"}},
        {"status": 404, "got": {"error": {}}},
        {"method": "DELETE", "status": 204},
    ],
)
def test_an_answer_as_promised_has_no_drift(about: dict[str, Any]) -> None:
    assert drift(**about) == ()


@pytest.mark.parametrize(
    ("about", "rule", "pointer"),
    [
        ({"got": CAT | {"age": 3}}, "recorded-field-new", "/response/body/age"),
        (
            {"got": CAT | {"owner": {"object": "owner", "email": "", "address": {"city": "Ulm", "zip": 1}}}},
            "recorded-field-new",
            "/response/body/owner/address/zip",
        ),
        ({"got": {"id": 7}}, "recorded-field-missing", "/response/body/name"),
        ({"got": CAT | {"id": "7"}}, "recorded-type-changed", "/response/body/id"),
        ({"got": CAT | {"name": None}}, "recorded-type-changed", "/response/body/name"),
        ({"got": CAT | {"kind": "cow"}}, "recorded-enum-value-new", "/response/body/kind"),
        ({"got": CAT | {"name": "T" * 21}}, "recorded-value-changed", "/response/body/name"),
        ({"got": b"{", "status": 200}, "recorded-type-changed", "/response/body"),
        ({}, "recorded-field-missing", "/response/body"),
        ({"got": CAT, "status": 202}, "recorded-status-new", "/response/status"),
        (
            {"got": b"<p>", "answered": {"Content-Type": "text/html"}},
            "recorded-media-type-new",
            "/response/header/content-type",
        ),
        ({"status": 404, "got": {"message": "gone"}}, "recorded-error-changed", "/response/body"),
        ({"status": 404, "got": {"error": "gone"}}, "recorded-error-changed", "/response/body"),
        (
            {"status": 404, "got": b"<p>", "answered": {"Content-Type": "text/html"}},
            "recorded-error-changed",
            "/response/header/content-type",
        ),
    ],
)
def test_each_kind_of_drift_is_found_at_its_place(about: dict[str, Any], rule: str, pointer: str) -> None:
    assert (rule, pointer) in places(drift(**about))


def test_a_list_is_folded_and_counted() -> None:
    """Many items in three answers are one finding, with the count of answers, and where it was seen first."""
    total = {"X-Total": "1"}
    many = [
        interaction(
            path="/v1/pets", got=[CAT | {"kind": kind} for kind in ("cat", "cow")], answered=total, index=i
        )
        for i in range(3)
    ]
    plain = interaction(path="/v1/pets", got=[CAT], answered=total, index=3)
    found = recorded_drift([plain, *many], BENCH)
    (finding,) = found.findings
    assert finding.rule == "recorded-enum-value-new"
    assert finding.location.message_pointer == "/response/body/*/kind"
    assert finding.location.interaction == 0
    assert finding.seen is not None
    assert "in 3 of 4 answers" in finding.seen
    assert '"cow"' in finding.seen


def _kinds(**kind: Any) -> Bench:
    """A bench whose pets are of kinds as the schema says."""
    made = document()
    made["components"]["schemas"]["Pet"]["properties"]["kind"] = kind
    return bench(contract(made))


OPEN_LIST = {"x-extensible-enum": ["cat", "dog"]}


@pytest.mark.parametrize(
    "kind",
    [
        {"type": "string", **OPEN_LIST},
        {"type": "string", "enum": ["cat", "dog"], **OPEN_LIST},
        {"anyOf": [{"type": "string", **OPEN_LIST}, {"type": "object"}]},
        {"allOf": [{"type": "string"}, OPEN_LIST]},
    ],
)
def test_a_new_value_in_a_list_to_which_more_may_come_is_told_and_no_more(kind: dict[str, Any]) -> None:
    held = _kinds(**kind)
    (finding,) = answer_drift(interaction(got=CAT | {"kind": "cow"}), held)
    assert (finding.rule, finding.severity.value) == ("recorded-extensible-enum-value-new", "info")
    assert finding.location.message_pointer == "/response/body/kind"
    assert finding.seen is not None
    assert '"cow"' in finding.seen
    for known in ("cat", "[redacted]"):
        assert answer_drift(interaction(got=CAT | {"kind": known}), held) == ()


def test_of_a_list_without_values_every_value_is_new() -> None:
    held = _kinds(type="string", **{"x-extensible-enum": []})
    (finding,) = answer_drift(interaction(got=CAT | {"kind": "cow"}), held)
    assert finding.promised == "a value that is not known yet"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ({"type": ["string", "null"], **OPEN_LIST}, None),
        ({"type": ["string", "integer"], "x-extensible-enum": ["cat", 7]}, 7.0),
        ({"anyOf": [{"type": "string", **OPEN_LIST}, {"type": ["string", "null"]}]}, "cow"),
        ({"type": ["string", "null"], "x-extensible-enum": "cat"}, "cow"),
    ],
)
def test_what_is_listed_what_another_schema_takes_and_null_are_no_new_values(
    kind: dict[str, Any], value: Any
) -> None:
    assert answer_drift(interaction(got=CAT | {"kind": value}), _kinds(**kind)) == ()


def test_values_of_a_list_to_which_more_may_come_are_folded_and_counted() -> None:
    pets = [interaction(path="/v1/pets", got=[CAT | {"kind": each}], answered={"X-Total": "1"}, index=i)
            for i, each in enumerate(("cat", "cow", "hen"))]  # fmt: skip
    (finding,) = recorded_drift(pets, _kinds(type="string", **OPEN_LIST)).findings
    assert finding.subject == "GET /pets 200: the body[].kind has a new value"
    assert (finding.promised, finding.seen) == (
        'one of "cat", "dog", or a new one',
        '"cow", "hen", in 2 of 3 answers',
    )


def test_keys_that_the_contract_does_not_name_are_folded_and_no_value_is_shown() -> None:
    """A map from ids to prices: one finding, whatever the ids, and no text of the answer but what enums list."""
    given = document()
    given["components"]["schemas"]["Pet"]["properties"]["prices"] = {
        "type": "object",
        "additionalProperties": {"type": "object", "properties": {"amount": {"type": "integer"}}},
    }
    wrong = {key: {"amount": "Max Mustermann"} for key in ("one", "two", "7")}
    (finding,) = answer_drift(interaction(got=CAT | {"prices": wrong}), bench(contract(given)))
    assert finding.location.message_pointer == "/response/body/prices/*/amount"
    assert finding.subject == "GET /pets/{key} 200: prices[].amount is of another type"
    assert (finding.promised, finding.seen) == ("integer", "string")


def test_the_fingerprint_does_not_hang_on_which_recording_showed_it_first() -> None:
    one = drift(got=CAT | {"kind": "cow"}, index=1)
    two = drift(got=CAT | {"kind": "cow"}, index=9)
    assert [each.fingerprint for each in one] == [each.fingerprint for each in two]


def test_a_member_that_is_never_there_is_said_when_there_were_enough_answers() -> None:
    few = recorded_drift([interaction(got=CAT, index=i) for i in range(9)], BENCH)
    enough = recorded_drift([interaction(got=CAT, index=i) for i in range(10)], BENCH)
    assert few.findings == ()
    (finding,) = enough.findings
    assert finding.rule == "recorded-field-unseen"
    assert finding.promised == "born, owner, tags"  # `secret` is write-only


def test_one_answer_does_not_say_what_is_never_there() -> None:
    """However many objects it lists."""
    assert drift(path="/v1/pets", got=[CAT] * 50, answered={"X-Total": "50"}) == ()


def test_what_cannot_be_held_against_the_contract_is_no_pass() -> None:
    with pytest.raises(CannotJudge, match="no operation"):
        drift(path="/v1/elsewhere", got={})
    with pytest.raises(CannotJudge, match="truncated"):
        drift(got=CAT, state="truncated")
    found = recorded_drift([interaction(path="/v1/elsewhere"), interaction(status=None)], BENCH)
    assert (found.interactions, found.matched, found.judged) == (2, 1, 0)
    assert sum(found.unjudged.values()) == 2


def test_our_own_partial_contracts_name_no_new_members() -> None:
    partial = bench(contract(OPEN, partial=True))
    assert answer_drift(interaction(got=CAT | {"age": 3}), partial) == ()


def test_secrets_in_answers_do_not_reach_a_finding() -> None:
    book = dataclasses.replace(BENCH.book, redactor=Redactor(shapes=[re.compile("made_up_[a-z]+")]))
    keeping = Bench(BENCH.contract, book)
    (finding,) = answer_drift(interaction(got=CAT | {"kind": "made_up_key"}), keeping)
    assert "made_up_key" not in repr(finding)
