"""What is made wrong on purpose is found, at its exact place and alone; what is left right has no finding."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from contracts.verify import verify
from contracts.view import Bench
from tests.contracts.verify.made import bench, contract, interaction, places
from tests.contracts.verify.mutations import KINDS, Maker, Mutation, library, strict
from tests.corpus import folder

SEED = 20261125
FLOOR = 0.99
# Documents of providers, and how many of their operations are drawn.
OFFICIAL = {
    "stripe/2022-04-12/spec3.json": 25,
    "github/api.github.com.json": 40,
    "square/api.json": 40,
    "twilio/twilio_api_v2010.json": 40,
}


def drawn(
    name: str, document: dict[str, Any], *, operations: int, times: int
) -> Iterator[tuple[Bench, Mutation]]:
    """Mutations of some operations of a document; each control is looked at on the way."""
    maker = Maker(name, strict(document), SEED)
    judge = bench(maker.contract, "body-unjudged=off")
    listed = maker.operations()
    for operation in maker.rng.sample(listed, min(operations, len(listed))):
        for _ in range(times):
            found = list(maker.mutations(operation, most=3))
            if found:
                control = verify(found[0].control, judge)
                assert (control.operation, places(control)) == (operation.name, []), found[0].control
            yield from ((judge, each) for each in found)


def scored(mutations: Iterable[tuple[Bench, Mutation]]) -> tuple[Counter[str], Counter[str], int]:
    """How many there are of each kind and place, how many were found exactly, and how often there was more."""
    total: Counter[str] = Counter()
    exact: Counter[str] = Counter()
    noisy = 0
    for judge, each in mutations:
        seen = [pointer for _, pointer in places(verify(each.interaction, judge))]
        name = f"{each.kind} {each.where}{' under' if each.under else ''}"
        total[name] += 1
        exact[name] += each.pointer in seen
        noisy += len(seen) > 1 and each.pointer in seen
    return total, exact, noisy


def test_what_is_spoilt_in_our_library_is_found_at_its_place() -> None:
    """Some thousand mutations of our own contracts."""
    pairs = [pair for name, document in library() for pair in drawn(name, document, operations=99, times=4)]
    total, exact, noisy = scored(pairs)
    assert total.total() > 4000
    assert exact.total() / total.total() >= FLOOR, total - exact
    assert noisy / total.total() <= 1 - FLOOR
    assert {each.kind for _, each in pairs} == set(KINDS)
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
    total, exact, noisy = scored(drawn(path, document, operations=OFFICIAL[path], times=1))
    assert total.total() > 200
    assert exact.total() / total.total() >= FLOOR, total - exact
    assert noisy / total.total() <= 1 - FLOOR


def test_the_same_seed_makes_the_same_mutations() -> None:
    one, other = (
        [m for name, d in library() for _, m in drawn(name, d, operations=2, times=1)] for _ in "ab"
    )
    assert one == other


# -- what the mutations brought to light -------------------------------------------------------------------


def answered(schema: Any, value: Any) -> list[tuple[str, str | None]]:
    """What is found in an answer."""
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
    return places(verify(interaction(got=value), bench(contract(given))))


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
