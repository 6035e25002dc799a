"""References of the contract that lead nowhere: nothing is judged behind them, and that is said."""

from __future__ import annotations

from contracts.adapters.common import security_at
from contracts.view import View

_RULE = "contract-reference"


def broken(view: View) -> None:
    """Those of the operation itself: its parameters, its body, its answers, its credentials."""
    if not view.contract.notes:
        return
    within = f"{view.operation.pointer}/"
    of_credentials = f"{security_at(view.contract.document, view.operation)}/"
    for each in view.contract.notes:
        at = each.location.contract_pointer or ""
        if each.rule == _RULE and at.startswith((within, of_credentials)):
            if not at.startswith(of_credentials):  # whether one is shown is judged with the credentials
                view.unjudged.append(f"{at}: leads nowhere in the contract")
            view.add(_RULE, each.subject, "", at, promised=each.promised, fix=each.fix)


def behind(view: View, schema: str, direction: str, where: str) -> None:
    """Those behind a schema that something was held against."""
    lost = view.bench.engine.lost(schema, direction)
    if lost:
        view.unjudged.append(f"{where}: the contract is broken behind its schema")
    for at, told in lost.items():
        is_reference = at.endswith("/$ref")
        view.add(
            _RULE,
            f"{view.operation.name}: nothing can be judged behind {told[:200]!r}"
            if is_reference
            else f"{view.operation.name}: nothing can be judged by {told[:200]}",
            where,
            at,
            promised="a local reference to a part of the document; nothing is fetched"
            if is_reference
            else "what a validator takes",
            seen=told[:200] if is_reference else None,
            fix="tell the provider, or mend the document",
        )
