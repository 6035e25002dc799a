"""Every recorded delivery is let in or refused as its file says: our own file, and any other of that form."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from contracts.webhooks.schemes import SCHEMES
from tests.contracts.webhooks.vectors import Case, load

OWN = Path(__file__).with_name("deliveries.json")
ROOT = Path(__file__).parents[3]
OTHERS = Path(os.environ.get("INTERLOCK_VECTORS", ROOT.parent / "shared/vectors/webhook-signatures.json"))


def _cases(path: Path) -> list[ParameterSet]:
    if not path.is_file():
        mark = pytest.mark.skip(reason=f"no file of deliveries at {path}; INTERLOCK_VECTORS names one")
        return [pytest.param(None, id="absent", marks=mark)]
    return [pytest.param(case, id=case.name) for case in load(path)]


@pytest.mark.parametrize("case", _cases(OTHERS))
def test_others_deliveries(case: Case) -> None:
    _judge(case)


@pytest.mark.parametrize("case", _cases(OWN))
def test_our_own_deliveries(case: Case) -> None:
    """Published ones, and ones signed step by step without this code; made-up keys, each refusal by name."""
    _judge(case)


@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme_has_deliveries_of_both_kinds(name: str) -> None:
    assert {case.expected for case in load(OWN) if case.scheme == name} == {"accept", "reject"}


def _judge(case: Case) -> None:
    checked = case.check()
    assert checked.accepted == (case.expected == "accept"), (checked.reason, checked.detail)
    assert checked.accepted == (checked.reason is None)
    assert case.reason in {None, checked.reason}
    if checked.accepted and case.answer is not None:
        assert checked.answer is not None
        assert checked.answer.status == case.answer["status"]
        assert "json" not in case.answer or json.loads(checked.answer.body) == case.answer["json"]
        assert case.answer.get("text", "").encode() in checked.answer.body
        assert set(case.answer.get("headers", {}).items()) <= set(checked.answer.headers)
