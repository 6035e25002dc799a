"""Deprecation, last days, stability, ids and tags of operations; deprecation and last days of parameters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contracts.contract import Operation, Parameter
from contracts.drift import stability
from contracts.drift.naming import section
from contracts.drift.walk import Noted
from contracts.pointers import follow

if TYPE_CHECKING:
    from contracts.drift.operations import Sides, Twin


def compare(twin: Twin) -> None:
    """What becomes of an operation that is in both."""
    one, two = twin.sides.node(twin.base, revised=False), twin.sides.node(twin.revision, revised=True)
    at = (twin.base.pointer, twin.revision.pointer)
    stability.compare(twin, one, two)
    if twin.base.deprecated is not twin.revision.deprecated:
        rule = "operation-deprecated" if twin.revision.deprecated else "operation-reactivated"
        what = " is deprecated now" if twin.revision.deprecated else " is deprecated no longer"
        said = two.get("x-sunset")
        twin.note(rule, what, *at, None, f"until {said}" if twin.revision.deprecated and said else None)
    if twin.revision.deprecated:
        _sunset(twin, "sunset", "", at, one if twin.base.deprecated else {}, two)
    if one.get("operationId") != two.get("operationId"):
        twin.note(
            "operation-id-changed",
            " has another id",
            *at,
            _said(one, "operationId"),
            _said(two, "operationId"),
        )
    tags = [sorted(map(str, each)) if isinstance(each := n.get("tags"), list) else [] for n in (one, two)]
    if tags[0] != tags[1]:
        shown = [", ".join(each) or "none" for each in tags]
        twin.note("operation-tags-changed", " has other tags", *at, *shown)


def parameter(twin: Twin, before: Parameter, after: Parameter, what: str) -> None:
    """What becomes of a parameter that is in both."""
    at = (before.pointer, after.pointer)
    if before.deprecated is not after.deprecated:
        rule = f"request-parameter-{'deprecated' if after.deprecated else 'reactivated'}"
        twin.note(rule, f"{what} is deprecated {'now' if after.deprecated else 'no longer'}", *at)
    if after.deprecated:
        one, two = (
            follow(c.document, p) for c, p in zip((twin.sides.base, twin.sides.revision), at, strict=True)
        )
        if isinstance(one, Mapping) and isinstance(two, Mapping):
            _sunset(twin, "request-parameter-sunset", what, at, one if before.deprecated else {}, two)


def _sunset(
    twin: Twin, rule: str, what: str, at: tuple[str, str], one: Mapping[str, Any], two: Mapping[str, Any]
) -> None:
    before, after = one.get("x-sunset"), two.get("x-sunset")
    said = (_said(one, "x-sunset"), _said(two, "x-sunset"))
    if before == after:
        return
    if after is None:
        twin.note(f"{rule}-removed", f"{what} names no last day any more", *at, *said)
        return
    day = day_of(after)
    if day is None:
        twin.note(f"{rule}-unreadable", f"{what} has a last day that is no date", *at, "a date", str(after))
    elif before is not None and (was := day_of(before)) is not None and day < was:
        twin.note(f"{rule}-earlier", f"{what} ends sooner than was said", *at, *said)


def _said(node: Mapping[str, Any], name: str) -> str:
    return str(node[name]) if name in node else "nothing"


def day_of(said: object) -> dt.date | None:
    """The day of `x-sunset`, a date or a moment of RFC 3339, in UTC; None if it is neither."""
    try:
        moment = dt.datetime.fromisoformat(str(said).strip())
        return moment.date() if moment.tzinfo is None else moment.astimezone(dt.UTC).date()
    except (ValueError, OverflowError):  # in UTC it may be before the first day of all
        return None


def gone(sides: Sides, operation: Operation, today: dt.date) -> None:
    """An operation that is in the base alone."""
    said = sides.node(operation, revised=False).get("x-sunset")
    day = day_of(said) if said is not None else None
    seen: str | None
    if not operation.deprecated:
        rule, seen = "operation-removed", None
    elif day is not None and day > today:
        rule, seen = "operation-removed-before-sunset", f"gone before {day}"
    elif said is not None and day is None:
        rule, seen = "sunset-unreadable", f"{said} is no date"
    else:
        rule, seen = "operation-removed-after-deprecation", None
    stability.mark(sides, operation, operation.name, revised=False)
    noted = Noted(rule, f"{operation.name} is gone", operation.pointer, section(sides.revision), None, seen)
    sides.note(noted, operation.name)
