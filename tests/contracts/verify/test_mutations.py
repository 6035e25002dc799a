"""What is made wrong on purpose is found, at its exact place and alone; what is left right has no finding."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

from contracts.pointers import MISSING, follow
from contracts.verify import verify
from contracts.view import Bench
from tests.contracts.verify.made import bench, contract, interaction, places
from tests.contracts.verify.mutations import KINDS, Maker, Mutation, drawn, library
from tests.corpus import folder

FLOOR = 0.99
Score = tuple[Counter[str], Counter[str], int]
# Documents of providers, and how many of their operations are drawn.
OFFICIAL = {
    "stripe/2022-04-12/spec3.json": 20,
    "github/api.github.com.json": 40,
    "square/api.json": 40,
    "twilio/twilio_api_v2010.json": 40,
}


def scored(maker: Maker, mutations: Iterable[Mutation]) -> Score:
    """How many there are of each kind and place, how many were found exactly, how often there was more."""
    judge = bench(maker.contract, "body-unjudged=off", "contract-reference=off")
    total: Counter[str] = Counter()
    exact: Counter[str] = Counter()
    noisy, control = 0, None
    for each in mutations:
        if each.control is not control:  # as those of one interaction follow each other, once is enough
            control = each.control
            right = verify(control, judge)
            assert (right.operation, places(right)) == (each.operation.name, []), control
        findings = verify(each.interaction, judge).findings
        promises = [found.location.contract_pointer or "" for found in findings]
        assert all(follow(maker.contract.document, at) is not MISSING for at in promises), promises
        seen = [found.location.message_pointer for found in findings]
        name = f"{each.kind} {each.where}{' under' if each.under else ''}"
        total[name] += 1
        exact[name] += each.pointer in seen
        noisy += len(seen) > 1 and each.pointer in seen
    return total, exact, noisy


def test_what_is_spoilt_in_our_library_is_found_at_its_place() -> None:
    """Some thousand mutations of our own contracts."""
    total: Counter[str] = Counter()
    exact: Counter[str] = Counter()
    noisy = 0
    for name, document in library():
        one = scored(*drawn(name, document, operations=99, times=3))
        total, exact, noisy = total + one[0], exact + one[1], noisy + one[2]
    assert total.total() > 4000
    assert exact.total() / total.total() >= FLOOR, total - exact
    assert noisy / total.total() <= 1 - FLOOR
    assert {name.partition(" ")[0] for name in total} == set(KINDS)
    wanted = (
        "drop form",
        "type form under",
        "enum request",
        "drop response under",
        "unknown form",
        "type parameter",
    )
    assert all(total[name] for name in wanted)


@pytest.mark.parametrize("path", OFFICIAL)
def test_what_is_spoilt_in_an_official_document_is_found_at_its_place(path: str) -> None:
    document = json.loads((folder("specs") / path).read_bytes())
    total, exact, noisy = scored(*drawn(path, document, operations=OFFICIAL[path]))
    assert total.total() > 200
    assert exact.total() / total.total() >= FLOOR, total - exact
    assert noisy / total.total() <= 1 - FLOOR


def test_the_same_seed_makes_the_same_mutations() -> None:
    one, other = ([drawn(name, document, operations=1)[1] for name, document in library()] for _ in "ab")
    assert one == other


# -- what the mutations brought to light -------------------------------------------------------------------


def judge_of(schema: Any) -> Bench:
    """A contract with one operation, which answers this."""
    given = {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "paths": {
            "/v1/pets/7": {
                "get": {
                    "responses": {
                        "200": {"description": "", "content": {"application/json": {"schema": schema}}}
                    }
                }
            }
        },
    }
    return bench(contract(given))


def answered(schema: Any, value: Any) -> list[tuple[str, str | None]]:
    """What is found in an answer."""
    return places(verify(interaction(got=value), judge_of(schema)))


def test_what_is_of_the_wrong_type_is_not_said_to_be_no_choice_too() -> None:
    schema = {"type": "object", "properties": {"state": {"type": "string", "enum": ["open", "sent"]}}}
    assert answered(schema, {"state": 7}) == [("response-body", "/response/body/state")]
    assert answered(schema, {"state": "lost"}) == [("response-enum", "/response/body/state")]


WHOLE = {
    "required": ["id", "made", "state"],
    "properties": {
        "id": {"type": "string"},
        "made": {"type": "integer"},
        "state": {"enum": ["open", "sent"]},
    },
}
GONE = {
    "required": ["id", "gone"],
    "properties": {"id": {"type": "string"}, "gone": {"type": "boolean", "enum": [True]}},
}


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ({"id": "a", "gone": "yes"}, "/response/body/gone"),
        ({"id": "a", "made": 1, "state": "lost"}, "/response/body/state"),
    ],
)
def test_a_choice_that_is_wrong_does_not_turn_away_from_the_branch_that_was_meant(
    value: Any, pointer: str
) -> None:
    """Only the one text of a member such as `object` names a branch."""
    assert [place for _, place in answered({"anyOf": [WHOLE, GONE]}, value)] == [pointer]


def test_where_one_of_several_members_would_do_all_are_named() -> None:
    schema = {"type": "object", "anyOf": [{"required": ["message"]}, {"required": ["errors"]}]}
    (found,) = verify(interaction(path="/v1/pets/7", got={}), judge_of(schema)).findings
    assert found.location.message_pointer == "/response/body/message"
    assert found.promised == "'message' or 'errors' must be there"
    assert (found.location.contract_pointer or "").endswith("/schema/anyOf")
    assert answered(schema, {"errors": []}) == []
