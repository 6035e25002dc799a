"""Each planted fault is caught by the right finding and by nothing else; right receivers have none."""

from __future__ import annotations

import pytest

from contracts.webhooks.drill import self_test
from contracts.webhooks.drill.cases import ROWS
from contracts.webhooks.drill.receivers.checks import CHECKS
from contracts.webhooks.drill.receivers.server import Fault
from contracts.webhooks.drill.self_test import PLANTED, drilled, found_in
from interlock.output import CaseState

NOW = 1_790_000_000.0


async def _no_sleep(_seconds: float) -> None:
    return None


def now() -> float:
    return NOW


@pytest.mark.parametrize("scheme", sorted(CHECKS))
async def test_a_right_receiver_has_no_finding(scheme: str) -> None:
    cases = await drilled(scheme, now=now, sleep=_no_sleep)
    assert found_in(cases) == frozenset()
    assert [case.name for case in cases] == [row.name for row in ROWS]
    assert {case.state for case in cases} <= {CaseState.PASSED, CaseState.NOT_APPLICABLE}
    assert all("(" in case.detail for case in cases if case.state is CaseState.NOT_APPLICABLE), (
        "with its source"
    )


@pytest.mark.parametrize("fault", list(PLANTED))
async def test_a_planted_fault_is_caught_and_nothing_else(fault: Fault) -> None:
    scheme, expected = PLANTED[fault]
    cases = await drilled(scheme, fault, now=now)
    assert found_in(cases) == expected
    assert all(each.fix for case in cases for each in case.findings), "and what to do is said"


def test_every_fault_is_planted_somewhere_and_every_case_has_its_fault() -> None:
    assert set(PLANTED) == set(Fault)
    caught = {case for _, expected in PLANTED.values() for case, _ in expected}
    assert {row.name for row in ROWS} - caught == {"control"}, "the control ends the drill instead"


@pytest.mark.parametrize(
    ("scheme", "undecided"),
    [
        ("mailgun", {"tampered-body", "malformed-json", "pretty-printed", "duplicated-header"}),
        ("github", {"tampered-timestamp", "tampered-id", "stale", "future"}),
        ("sendgrid", {"stale", "future"}),
        ("facebook", {"exact-replay", "fresh-again", "twenty-at-once", "id-stripped"}),
    ],
)
async def test_what_a_scheme_cannot_decide_is_said_to_be_so(scheme: str, undecided: set[str]) -> None:
    cases = await drilled(scheme, now=now, sleep=_no_sleep)
    told = {case.name for case in cases if case.state is CaseState.NOT_APPLICABLE}
    assert undecided <= told


async def test_without_effects_what_needs_them_is_unproven() -> None:
    cases = await drilled("stripe", now=now, sleep=_no_sleep, effects=False)
    unproven = {case.name for case in cases if case.state is CaseState.UNPROVEN}
    assert unproven == {"exact-replay", "fresh-again", "twenty-at-once"}


async def test_the_self_test_says_when_the_drill_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver called right that checks nothing, and one whose fault is not there."""
    monkeypatch.setattr(self_test, "CHECKS", {})
    monkeypatch.setattr(
        self_test,
        "PLANTED",
        {
            Fault.TAKES_EMPTY: ("stripe", frozenset()),
            Fault.TAKES_WEAKER: ("stripe", frozenset({("downgraded", "webhook-downgrade-taken")})),
        },
    )
    first, second = await self_test.self_test()
    assert (first.state, first.detail) == (
        CaseState.FAILED,
        "found, and not planted: webhook-forgery-taken in empty-signature",
    )
    assert second.state is CaseState.FAILED
    assert second.detail == "not found: webhook-downgrade-taken in downgraded"
