"""What a good answer says of the account itself: sending paused, credits used up, a domain not verified. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from interlock import findings, trees
from interlock.answers import at_pointer
from interlock.catalogue import Standing
from interlock.records import Finding, Severity

RULE = "account-standing"


@dataclass(frozen=True, slots=True)
class Stood:
    """How an account stands. `said`: one phrase for each thing that is well; `untold`: what was not said."""

    findings: tuple[Finding, ...]
    said: tuple[str, ...]
    untold: tuple[str, ...]


def read(
    standings: Sequence[Standing], body: Any, *, minimum: float | None, integration: str, source: str
) -> Stood:
    """Hold a body to what is promised of the account. `minimum`: how much of an amount must be left, if any."""
    found: list[Finding] = []
    said, untold = [], []
    for standing in standings:
        values = list(trees.each(standing.pointer, body))
        if not values and trees.members(standing.pointer.partition("/*")[0], body) is None:
            untold.append(standing.name)
        for member, value in values:
            subject = _subject(standing, member)
            severity, seen = _judge(standing, member, value, minimum)
            if seen is None:
                untold.append(subject)
            elif severity is None:
                said.append(f"{subject}: {seen}")
            else:
                promised = _promised(standing, minimum)
                found.append(
                    findings.make(
                        RULE, severity, subject, integration=integration, promised=promised,
                        seen=f"{standing.says} ({seen})", source=source,
                        fix="see the provider's console, and its mails to the owner of the account",
                    )
                )  # fmt: skip
    return Stood(tuple(found), tuple(said), tuple(untold))


def _subject(standing: Standing, member: Any) -> str:
    name = at_pointer(standing.of, member) if standing.of else None
    return f"{standing.name} of {str(name)[:80]}" if isinstance(name, str | int) else standing.name


def _judge(
    standing: Standing, member: Any, value: Any, minimum: float | None
) -> tuple[Severity | None, str | None]:
    """How bad it is, None for well; and what was seen, None where nothing can be read."""
    if not standing.amount:
        if not isinstance(value, str | int):
            return None, None
        shown = str(value).lower() if isinstance(value, bool) else str(value)[:60]
        if any(value == good and type(value) is type(good) for good in standing.good):
            return None, shown
        half = any(value == each and type(value) is type(each) for each in standing.warn)
        return (Severity.WARNING if half else Severity.CRITICAL), shown
    amount = _number(value)
    if amount is None:
        return None, None
    shown = f"{amount:g}{_unit(standing, member)}"
    if amount <= 0:
        return Severity.CRITICAL, shown
    return (Severity.WARNING if minimum is not None and amount < minimum else None), shown


def _number(value: Any) -> float | None:
    """A finite number, or the text of one; nothing else is an amount, and nothing is never zero."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _unit(standing: Standing, member: Any) -> str:
    if standing.unit is None:
        return ""
    unit = at_pointer(standing.unit, member) if standing.unit.startswith("/") else standing.unit
    return f" {unit[:12]}" if isinstance(unit, str) else ""


def _promised(standing: Standing, minimum: float | None) -> str:
    if standing.amount:
        return "more than nothing" if minimum is None else f"at least {minimum:g}"
    return " or ".join(str(good).lower() if isinstance(good, bool) else str(good) for good in standing.good)
