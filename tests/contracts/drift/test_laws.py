"""Laws of drift, with the engine that judges messages as the judge of what truly breaks."""

from __future__ import annotations

import contextlib
import copy
import functools
import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from contracts.contract import Contract
from contracts.drift import answer_drift, compare
from contracts.drift.table import RULES, SIDES
from contracts.engine import RESPONSE, Engine
from contracts.shelf import LIBRARY_FOLDER, Shelf
from interlock.errors import CannotJudge, UsageError
from tests.contracts.drift.generated import Schema, edits, rewritten, schemas, values
from tests.contracts.drift.made import TODAY, answering, asking, compared, contract, rules
from tests.contracts.verify import made as shop

_MANY = settings(max_examples=100, deadline=None)
_TURNED = {
    "type-narrowed": "type-widened",
    "became-nullable": "became-not-nullable",
    "became-enum": "no-longer-enum",
    "enum-value-added": "enum-value-removed",
    "limit-set": "limit-removed",
    "limit-tightened": "limit-relaxed",
    "became-required": "became-optional",
    "additional-properties-closed": "additional-properties-opened",
    "alternative-added": "alternative-removed",
    "condition-added": "condition-removed",
    "added": "removed",
    "added-required": "removed",
    "refused": "added",
}


@functools.lru_cache(maxsize=4096)
def _validator(text: str) -> Any:
    return jsonschema_rs.Draft202012Validator(json.loads(text))


def _is_valid(schema: Any, value: Any) -> bool:
    return bool(_validator(json.dumps(schema)).is_valid(value))


def _holds(made: Contract, engine: Engine, value: Any) -> bool:
    (pointer,) = made.roots()
    return engine.valid(pointer, value, RESPONSE)


def _breaking(base: Schema, revision: Schema) -> list[Any]:
    """Values that the revision promises and the base does not, as the engine says."""
    one, two = contract(answering(base)), contract(answering(revision))
    before, after = Engine(one), Engine(two)
    tried = [value for value in values(base, revision, _is_valid) if _holds(two, after, value)]
    assume(tried)  # a revision that takes nothing at all says nothing
    return [value for value in tried if not _holds(one, before, value)]


@_MANY
@given(schemas)
def test_a_contract_against_itself_has_no_drift(schema: Schema) -> None:
    for made in (answering(schema), asking(schema)):
        assert compared(made, made).findings == ()


@pytest.mark.parametrize("name", sorted(path.parent.name for path in LIBRARY_FOLDER.glob("*/openapi.yaml")))
def test_our_own_contracts_against_themselves_have_no_drift(name: str, tmp_path: Any) -> None:
    shelf = Shelf(tmp_path)
    found = compare(shelf.load(name), shelf.load(name), today=TODAY)
    assert found.findings == ()
    assert found.operations > 0


_NONSENSE: tuple[Any, ...] = (
    None, [], {}, "x", 5, True, [1, None], {"$ref": "#/nowhere"}, {"$ref": "#"}, {"$ref": 7}, {"x": {}}, ["type"],
)  # fmt: skip


@_MANY
@given(st.data())
def test_nonsense_anywhere_in_a_document_breaks_nothing_off(data: st.DataObject) -> None:
    """Adapters, shapes, engine and rules: what makes no sense promises nothing, and is the same as itself."""
    plain = shop.document()
    odd = _odd(plain, data)
    odd["openapi"] = "3.1.0"
    compared(plain, odd)
    compared(odd, plain)
    assert compared(odd, odd).findings == ()
    with contextlib.suppress(CannotJudge):
        answer_drift(shop.interaction(got={"id": 7, "name": "Tom", "kind": "cow"}), shop.bench(contract(odd)))


@_MANY
@given(st.data())
def test_nonsense_in_scopes_levels_and_open_lists_breaks_nothing_off(data: st.DataObject) -> None:
    held = {"type": "object", "properties": {"a": {"x-extensible-enum": ["x"], "x-stability-level": "beta"}}}
    flows = {"implicit": {"authorizationUrl": "https://a.example", "scopes": {"read": "", "write": ""}}}
    signed = {"components": {"securitySchemes": {"o": {"type": "oauth2", "flows": flows}}}}
    plain = answering(held, security=[{"o": ["read"]}], **signed)
    plain["paths"]["/things"]["get"] |= {"security": [{"o": ["write"]}, {}], "x-stability-level": "alpha"}
    odd = _odd(plain, data)
    with contextlib.suppress(UsageError):  # no contract at all
        compared(plain, odd)
        compared(odd, plain)
        assert compared(odd, odd).findings == ()


def _odd(plain: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    """The same document with nonsense at some places."""
    odd = copy.deepcopy(plain)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(sorted(_places(odd), key=str)))
        holder: Any = odd
        for step in place[:-1]:
            holder = holder[step]
        holder[place[-1]] = copy.deepcopy(data.draw(st.sampled_from(_NONSENSE)))
    return odd


def _places(node: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, inner in inside:
        yield (*at, step)
        yield from _places(inner, (*at, step))


@_MANY
@given(edits())
def test_what_is_an_error_in_an_answer_truly_breaks(edit: tuple[Schema, Schema]) -> None:
    found = rules(answering(edit[0]), answering(edit[1]))
    assume("error" in found.values())
    assert _breaking(*edit), found


@_MANY
@given(rewritten())
def test_the_same_written_in_another_way_is_no_drift(way: tuple[Schema, Schema, dict[str, Schema]]) -> None:
    """References, `allOf`, order and words: no finding, and no value that one takes and the other does not."""
    base, revision, components = way
    one, two = answering(base), answering(revision, components={"schemas": components})
    assert rules(one, two) == {}, json.dumps(way)
    before, after = contract(one), contract(two)
    engines = Engine(before), Engine(after)
    for value in values(base, base, _is_valid):
        assert _holds(before, engines[0], value) is _holds(after, engines[1], value)


@settings(max_examples=500, deadline=None)
@given(edits())
def test_what_breaks_is_an_error_or_a_warning_or_a_new_member(edit: tuple[Schema, Schema]) -> None:
    found = rules(answering(edit[0]), answering(edit[1]))
    worst = set(found.values()) & {"error", "warning"} or set(found) & {"response-property-added"}
    if not worst:  # one edit in six
        assert _breaking(*edit) == [], found


@_MANY
@given(edits())
def test_turned_round_a_narrowing_is_a_widening(edit: tuple[Schema, Schema]) -> None:
    there, back = asking(edit[0]), asking(edit[1])
    forth = {_suffix(rule) for rule in rules(there, back)}
    returned = {_suffix(rule) for rule in rules(back, there)}
    turned = _TURNED | {two: one for one, two in _TURNED.items() if one not in {"added-required", "refused"}}
    alike = {"added-required": "added", "refused": "removed"}
    expected = {turned.get(each, each) for each in forth}
    assert expected == {alike.get(each, each) for each in returned}


def _suffix(rule: str) -> str:
    return rule.removeprefix("request-property-").removeprefix("response-property-")


def test_what_narrows_a_request_is_never_milder_than_the_same_in_an_answer() -> None:
    """The table itself: each change is as bad as it is for the side that has to bear it."""
    rank = ["info", "warning", "error"]
    for narrowing in (
        "type-narrowed",
        "became-not-nullable",
        "enum-value-removed",
        "limit-tightened",
        "became-required",
    ):
        levels = {side: RULES[f"{side}-{narrowing}"].severity for side in SIDES}
        sent = min(rank.index(str(levels[s])) for s in SIDES if s.startswith("request"))
        received = max(rank.index(str(levels[s])) for s in SIDES if s.startswith("response"))
        assert sent > received, narrowing
