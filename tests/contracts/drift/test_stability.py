"""Stability levels: what is promised may not become less, and of what is not promised nothing breaks."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.drift import compare
from contracts.drift.compare import LEVELS
from interlock.records import Severity
from tests.contracts.drift.made import JSON, TODAY, answering, asking, compared, contract, document, rules

STRING, INTEGER = {"type": "string"}, {"type": "integer"}
DECREASED, INCREASED = "stability-decreased", "stability-increased"


def at(level: Any, **more: Any) -> dict[str, Any]:
    """An operation of a level; None says nothing of it."""
    made = {"responses": {"200": {"description": "", "content": {JSON: {"schema": STRING}}}}} | more
    return made if level is None else made | {"x-stability-level": level}


def answers(schema: Any, level: Any = None) -> dict[str, Any]:
    return at(level, responses={"200": {"description": "", "content": {JSON: {"schema": schema}}}})


@pytest.mark.parametrize(
    ("one", "two", "found"),
    [
        ("stable", "beta", {DECREASED: "error"}),
        (None, "beta", {DECREASED: "error"}),
        ("stable", "draft", {DECREASED: "error"}),
        ("beta", "alpha", {DECREASED: "error"}),
        ("beta", "stable", {INCREASED: "info"}),
        ("beta", None, {INCREASED: "info"}),
        ("stable", None, {}),
        ("alpha", "draft", {}),
        ("draft", "stable", {}),
        ("draft", "draft", {}),
        ("stable", "final", {"unreadable": "error"}),
        ("draft", "final", {"unreadable": "error"}),
        (7, 8, {"unreadable": "error"}),
        (7, None, {}),
        ("final", "stable", {}),
        (["draft"], ["draft"], {}),
    ],
)
def test_a_promise_may_become_firmer_but_no_looser(one: Any, two: Any, found: dict[str, str]) -> None:
    """Of operations, and of members of what we send and of what comes to us."""

    def member(level: Any) -> dict[str, Any]:
        inner = STRING if level is None else STRING | {"x-stability-level": level}
        return {"type": "object", "properties": {"a": inner}}

    def named(side: str) -> dict[str, str]:
        return {
            "stability-unreadable" if rule == "unreadable" else f"{side}-{rule}": level
            for rule, level in found.items()
        }

    assert rules(document(at(one)), document(at(two))) == named("operation")
    assert rules(asking(member(one)), asking(member(two))) == named("request-property")
    assert rules(answering(member(one)), answering(member(two))) == named("response-property")


def test_a_level_is_found_where_it_stands() -> None:
    """Also behind a reference, and as that of a parameter's schema."""
    held = {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/A"}}}
    one, two = (
        answering(held, components={"schemas": {"A": STRING | {"x-stability-level": level}}})
        for level in ("stable", "beta")
    )
    (finding,) = compared(one, two).findings
    assert finding.location.contract_pointer == "/components/schemas/A/x-stability-level"
    assert (finding.subject, finding.promised, finding.seen) == (
        "A is beta now",
        "stable",
        "beta; reached from GET /things",
    )
    query = [
        {"name": "q", "in": "query", "schema": STRING | {"x-stability-level": level}}
        for level in ("beta", "alpha")
    ]
    assert rules(*(document(at(None, parameters=[each])) for each in query)) == {
        "request-parameter-stability-decreased": "error"
    }


@pytest.mark.parametrize("level", ["draft", "alpha"])
def test_of_what_is_not_promised_yet_nothing_breaks(level: str) -> None:
    (finding,) = compared(document(answers(STRING, level)), document(answers(INTEGER, level))).findings
    assert (finding.rule, finding.severity) == ("response-property-type-changed", Severity.INFO)
    assert finding.seen == f"integer; promised as {level}"
    gone = document(paths={"/kept": {"get": at(None)}, "/gone": {"get": at(level)}})
    kept = document(paths={"/kept": {"get": at(None)}})
    (finding,) = compared(gone, kept).findings
    assert (finding.rule, finding.severity, finding.seen) == (
        "operation-removed", Severity.INFO, f"promised as {level}",
    )  # fmt: skip


@pytest.mark.parametrize("level", ["beta", "stable", None, "final"])
def test_what_is_promised_breaks_as_ever(level: str | None) -> None:
    changed = compared(document(answers(STRING, level)), document(answers(INTEGER, level)))
    assert [each.severity for each in changed.findings] == [Severity.ERROR]
    gone = document(paths={"/kept": {"get": at(None)}, "/gone": {"get": at(level)}})
    assert rules(gone, document(paths={"/kept": {"get": at(None)}})) == {"operation-removed": "error"}


def test_what_was_promised_breaks_whatever_it_is_called_now() -> None:
    """A draft that becomes stable is held to what it says from then on."""
    assert rules(document(answers(STRING, "stable")), document(answers(INTEGER, "draft"))) == {
        "operation-stability-decreased": "error",
        "response-property-type-changed": "error",
    }
    assert rules(document(answers(STRING, "draft")), document(answers(INTEGER, "stable"))) == {
        "response-property-type-changed": "error"
    }


def test_a_shared_schema_breaks_whoever_of_its_operations_is_promised() -> None:
    def shared(schema: Any, *levels: str | None) -> dict[str, Any]:
        reference = {"$ref": "#/components/schemas/A"}
        paths = {f"/{i}": {"get": answers(reference, level)} for i, level in enumerate(levels)}
        return document(paths=paths, components={"schemas": {"A": schema}})

    both, none = ("alpha", None), ("alpha", "draft")
    assert rules(shared(STRING, *both), shared(INTEGER, *both)) == {"response-property-type-changed": "error"}
    (finding,) = compared(shared(STRING, *none), shared(INTEGER, *none)).findings
    assert finding.severity is Severity.INFO
    assert finding.seen == "integer; reached from GET /0, GET /1; promised as alpha or draft"


def test_webhooks_and_callbacks_have_levels_too() -> None:
    """A callback has that of its operation where it says nothing itself."""

    def hooked(schema: Any, level: Any) -> dict[str, Any]:
        body = {"requestBody": {"content": {JSON: {"schema": schema}}}}
        return document(webhooks={"paid": {"post": at(level, **body)}})

    assert rules(hooked(STRING, "draft"), hooked(INTEGER, "draft")) == {
        "response-property-type-changed": "info"
    }
    assert rules(hooked(STRING, "stable"), hooked(STRING, "draft")) == {
        "operation-stability-decreased": "error"
    }
    assert rules(hooked(STRING, "draft"), document()) == {"webhook-removed": "info"}
    assert rules(hooked(STRING, "beta"), document()) == {"webhook-removed": "error"}

    def calling(schema: Any, level: Any, own: Any = None) -> dict[str, Any]:
        called = at(own, requestBody={"content": {JSON: {"schema": schema}}})
        return document(at(level, callbacks={"done": {"{$request.body#/url}": {"post": called}}}))

    assert rules(calling(STRING, "alpha"), calling(INTEGER, "alpha")) == {
        "response-property-type-changed": "info"
    }
    assert rules(calling(STRING, None), calling(INTEGER, None)) == {"response-property-type-changed": "error"}
    own = rules(calling(STRING, "alpha", "stable"), calling(INTEGER, "alpha", "stable"))
    assert own == {"response-property-type-changed": "error"}


def test_levels_that_the_user_sets_hold_up_to_that() -> None:
    one, two = contract(document(answers(STRING, "draft"))), contract(document(answers(INTEGER, "draft")))
    rule = "response-property-type-changed"
    assert compare(one, two, today=TODAY, levels={**LEVELS, rule: None}).findings == ()
    (finding,) = compare(one, two, today=TODAY, levels={**LEVELS, rule: Severity.CRITICAL}).findings
    assert finding.severity is Severity.INFO
