"""Operations of two contracts side by side: which are gone or new, and what each of those that are left has changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contracts.contract import Answer, Body, Contract, Media, Operation, Parameter
from contracts.drift import forms, lifecycle, pairing, security
from contracts.drift.naming import PLACE
from contracts.drift.walk import (
    ANSWERED,
    ANSWERED_HEADER,
    DELIVERED,
    DELIVERED_HEADER,
    RECEIVED,
    RECEIVED_HEADER,
    SENT,
    SENT_PARAMETER,
    Lane,
    Noted,
    Walk,
)
from contracts.pointers import follow
from contracts.schemas import REQUEST
from contracts.view import listed
from interlock.records import Finding


@dataclass(slots=True)
class Sides:
    """Two contracts under comparison.

    `sent`: the walk for requests, `walk` that for answers: one for both where no schema tells them apart.
    `notes`: changes of operations, with the operations that they hold for. `loose`: the operations of which nothing is
    promised yet, with their stability level.
    """

    base: Contract
    revision: Contract
    walk: Walk
    sent: Walk
    notes: dict[Noted, list[str]] = field(default_factory=dict)
    loose: dict[str, str] = field(default_factory=dict)
    _hidden: dict[bool, set[str]] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether neither leaves anything out on purpose."""
        return not (self.base.partial or self.revision.partial)

    @classmethod
    def of(cls, base: Contract, revision: Contract) -> Sides:
        """Two contracts before anything is compared."""
        walk, models = Walk.of(base, revision), any(c.dialect == "botocore" for c in (base, revision))
        return cls(base, revision, walk, Walk.of(base, revision, REQUEST) if models else walk)

    @property
    def walks(self) -> list[Walk]:
        """The walks, each once."""
        return [self.walk] if self.sent is self.walk else [self.walk, self.sent]

    def note(self, noted: Noted, operation: str) -> None:
        """Keep a change."""
        self.notes.setdefault(noted, []).append(operation)

    def node(self, operation: Operation, *, revised: bool) -> Mapping[str, Any]:
        """An operation as it stands in its document."""
        found = follow((self.revision if revised else self.base).document, operation.pointer)
        return found if isinstance(found, Mapping) else {}

    def hides(self, *places: str, revised: bool) -> bool:
        """Whether below any of the places a reference leads nowhere, so that nobody knows what is there."""
        if (hidden := self._hidden.get(revised)) is None:
            lost = _lost(self.revision if revised else self.base)
            above = (_upwards(note.location.contract_pointer or "") for note in lost)
            hidden = self._hidden[revised] = set().union(*above)
        return not hidden.isdisjoint(places)

    def lost(self) -> set[str]:
        """The references that lead nowhere, of operations and of schemas."""
        found = {each for w in self.walks for shapes in (w.base, w.revision) for each in shapes.lost}
        for contract in (self.base, self.revision):
            for note in _lost(contract):
                node = follow(contract.document, note.location.contract_pointer or "")
                if isinstance(node, Mapping) and isinstance(node.get("$ref"), str):
                    found.add(node["$ref"])
        return found


def _upwards(pointer: str) -> Iterator[str]:
    """A place, and all that it stands within."""
    while pointer:
        yield pointer
        pointer = pointer.rpartition("/")[0]


def _lost(contract: Contract) -> list[Finding]:
    return [note for note in contract.notes if note.rule == "contract-reference"]


@dataclass(frozen=True, slots=True)
class Twin:
    """One operation in both contracts. `incoming`: the provider asks it of us, so that directions are turned round."""

    sides: Sides
    base: Operation
    revision: Operation
    name: str
    incoming: bool = False

    def note(
        self, rule: str, what: str, base: str | None, revision: str | None, promised: str | None = None,
        seen: str | None = None,
    ) -> None:  # fmt: skip
        """Keep a change of it."""
        self.sides.note(Noted(rule, f"{self.name}{what}", base, revision, promised, seen), self.name)

    def begin(self, lane: Lane, base: str | None, revision: str | None, label: str) -> None:
        """Have two schemas of it compared."""
        walk = self.sides.sent if lane.sent else self.sides.walk
        walk.begin(lane, base, revision, f"{self.name} {label}", self.name)


def compare_operation(twin: Twin) -> None:
    """Everything that one operation promises."""
    lifecycle.compare(twin)
    if not twin.incoming:
        security.compare(twin)
        _parameters(twin)
        _request(twin)
        _answers(twin)
    else:
        _delivery(twin)


def _parameters(twin: Twin) -> None:
    one, two = _by_place(twin.base), _by_place(twin.revision)
    hidden = [
        twin.sides.hides(f"{at}/parameters", f"{at.rpartition('/')[0]}/parameters", revised=revised)
        for at, revised in _both_places(twin)
    ]
    for key in sorted(one.keys() | two.keys()):
        before, after = one.get(key), two.get(key)
        if before is None and after is not None:
            if not hidden[0]:
                _new_parameter(twin, after)
        elif after is None and before is not None:
            if not hidden[1]:
                _gone_parameter(twin, before)
        elif before is not None and after is not None:
            _parameter(twin, before, after)


def _by_place(operation: Operation) -> dict[tuple[str, str], Parameter]:
    """Parameters by place and name; those of the path by where they stand in it."""
    names = PLACE.findall(operation.path)
    found = {}
    for each in operation.parameters:
        name = each.name.lower() if each.place == "header" else each.name
        if each.place == "path" and each.name in names:
            name = f"{names.index(each.name):03}"
        found[each.place, name] = each
    return found


def _new_parameter(twin: Twin, after: Parameter) -> None:
    rule = f"request-parameter-added{'-required' if after.required else ''}"
    what = f": {after.place} parameter {after.name} is new{' and must be sent' if after.required else ''}"
    twin.note(
        rule, what, twin.base.pointer, after.pointer, "nothing", "required" if after.required else "optional"
    )


def _gone_parameter(twin: Twin, before: Parameter) -> None:
    rule = f"request-parameter-removed{'-after-deprecation' if before.deprecated else ''}"
    twin.note(rule, f": {before.place} parameter {before.name} is gone", before.pointer, twin.revision.pointer,
              before.name, "nothing")  # fmt: skip


def _parameter(twin: Twin, before: Parameter, after: Parameter) -> None:
    what = f": {before.place} parameter {before.name}"
    at = (before.pointer, after.pointer)
    if before.required is not after.required:
        suffix = "required" if after.required else "optional"
        twin.note(f"request-parameter-became-{suffix}", f"{what} is {suffix} now", *at)
    lifecycle.parameter(twin, before, after, what)
    one, two = (_style(each) for each in (before, after))
    if one != two and _is_seen(twin, before, after):
        twin.note("request-parameter-style-changed", f"{what} is written in another way", *at, one, two)
    label = f"{before.place} parameter {before.name}"
    if (items := _now_a_list(twin, before, after)) is not None:
        twin.note(
            "request-parameter-type-widened", f"{what} may come several times now", *at, "one value", "a list"
        )
        twin.begin(SENT_PARAMETER, before.schema, items, label)
    else:
        twin.begin(SENT_PARAMETER, before.schema, after.schema, label)


def _is_seen(twin: Twin, before: Parameter, after: Parameter) -> bool:
    """Whether another style shows: in lists and objects, in what may be one of several, in a mark before a value."""
    marked = before.place == "path" and before.style != after.style
    if marked or before.media_type != after.media_type:
        return True
    walk = twin.sides.walk
    shape = walk.base.of(walk.base.places(before.schema))
    return _structured(shape.types) or (shape.types is None and bool(shape.groups or shape.properties))


def _now_a_list(twin: Twin, before: Parameter, after: Parameter) -> str | None:
    """The schema of an item, where a single value became a list that is written as the value was: `a=1&a=2`."""
    walk = twin.sides.walk
    one = walk.base.of(walk.base.places(before.schema))
    two = walk.revision.of(walk.revision.places(after.schema))
    was_single = one.types is not None and not _structured(one.types)
    is_list = two.types == frozenset({"array"}) and len(two.items) == 1
    written_alike = after.style == "form" and after.explode and after.place in {"query", "cookie"}
    return two.items[0] if was_single and is_list and written_alike else None


def _style(each: Parameter) -> str:
    """How a list or object is written; in a query, Swagger's plain lists are forms that are not exploded."""
    style = "form" if each.style == "simple" and each.place in {"query", "cookie"} else each.style
    return each.media_type or f"{style}{', exploded' if each.explode else ''}"


def _structured(types: frozenset[str] | None) -> bool:
    return types is not None and bool(types & {"array", "object"})


def _request(twin: Twin) -> None:
    before, after = twin.base.body, twin.revision.body
    at = (before.pointer if before else twin.base.pointer, after.pointer if after else twin.revision.pointer)
    if any(twin.sides.hides(f"{where}/requestBody", revised=side) for where, side in _both_places(twin)):
        return
    if before is None and after is not None:
        suffix = "-required" if after.required else ""
        twin.note(f"request-body-added{suffix}", f" takes a body now{' and needs it' if suffix else ''}", *at)
    elif after is None and before is not None:
        twin.note("request-body-removed", " takes no body any more", *at)
    elif before is not None and after is not None:
        _required_body(twin, before, after)
        _media(twin, SENT, before.media, after.media, "request body", at)


def _both_places(twin: Twin) -> list[tuple[str, bool]]:
    return [(twin.base.pointer, False), (twin.revision.pointer, True)]


def _required_body(twin: Twin, before: Body, after: Body) -> None:
    if before.required is not after.required:
        suffix = "required" if after.required else "optional"
        twin.note(
            f"request-body-became-{suffix}", f": the body is {suffix} now", before.pointer, after.pointer
        )


def _media(
    twin: Twin,
    lane: Lane,
    before: tuple[Media, ...],
    after: tuple[Media, ...],
    label: str,
    at: tuple[str, str],
) -> None:
    side = "request" if lane.sent else "response"
    for one, two in pairing.media_types(before, after, sent=lane.sent):
        if one is None and two is not None:
            twin.note(f"{side}-media-type-added", f" {label}: {two.media_type} is new", at[0], two.pointer,
                      listed(m.media_type for m in before), two.media_type)  # fmt: skip
        elif two is None and one is not None:
            twin.note(f"{side}-media-type-removed", f" {label}: {one.media_type} is gone", one.pointer, at[1],
                      one.media_type, listed(m.media_type for m in after))  # fmt: skip
        elif one is not None and two is not None:
            _schema(twin, lane, one, two, label)


def _schema(twin: Twin, lane: Lane, one: Media, two: Media, label: str) -> None:
    side = "request" if lane.sent else "response"
    if one.schema is None and two.schema is not None:
        twin.note(
            f"{side}-schema-added",
            f" {label} has a schema now",
            one.pointer,
            two.schema,
            "anything",
            "a schema",
        )
    elif two.schema is None and one.schema is not None:
        twin.note(f"{side}-schema-removed", f" {label} has no schema any more", one.schema, two.pointer, "a schema",
                  "anything")  # fmt: skip
    else:
        forms.compare(twin, side, label, one, two)
        twin.begin(lane, one.schema, two.schema, label)


def _answers(twin: Twin) -> None:
    for one, two in pairing.statuses(twin.base.answers, twin.revision.answers):
        if one is None and two is not None:
            twin.note("response-status-added", f": {two.status} is a new status", twin.base.pointer, two.pointer,
                      listed(a.status for a in twin.base.answers), two.status)  # fmt: skip
        elif two is None and one is not None:
            rule = (
                "response-status-removed" if one.status.startswith("2") else "response-error-status-removed"
            )
            twin.note(rule, f": the status {one.status} is gone", one.pointer, twin.revision.pointer, one.status,
                      listed(a.status for a in twin.revision.answers))  # fmt: skip
        elif one is not None and two is not None:
            _answer(twin, one, two)


def _answer(twin: Twin, one: Answer, two: Answer) -> None:
    _headers(
        twin, RECEIVED_HEADER, one.headers, two.headers, (one.pointer, two.pointer), f"{one.status} header"
    )
    _media(twin, RECEIVED, one.media, two.media, f"{one.status} body", (one.pointer, two.pointer))


def _headers(
    twin: Twin,
    lane: Lane,
    before: Sequence[Parameter],
    after: Sequence[Parameter],
    at: tuple[str, str],
    label: str,
) -> None:
    for one, two in pairing.pairs(before, after, (lambda p: p.name.lower(),)):
        if one is None and two is not None:
            twin.note("response-header-added", f" {label} {two.name} is new", at[0], two.pointer)
        elif two is None and one is not None:
            rule = f"response-header-removed{'-required' if one.required else ''}"
            twin.note(rule, f" {label} {one.name} is gone", one.pointer, at[1])
        elif one is not None and two is not None:
            if one.required is not two.required:
                suffix = "required" if two.required else "optional"
                twin.note(
                    f"response-header-became-{suffix}",
                    f" {label} {one.name} is {suffix} now",
                    one.pointer,
                    two.pointer,
                )
            twin.begin(lane, one.schema, two.schema, f"{label} {one.name}")


def _delivery(twin: Twin) -> None:
    """What the provider sends us, and what it takes for an answer: the directions are turned round."""
    before, after = twin.base.body, twin.revision.body
    at = (before.pointer if before else twin.base.pointer, after.pointer if after else twin.revision.pointer)
    _media(twin, DELIVERED, before.media if before else (), after.media if after else (), "delivery", at)
    one, two = ([p for p in o.parameters if p.place == "header"] for o in (twin.base, twin.revision))
    _headers(twin, DELIVERED_HEADER, one, two, (twin.base.pointer, twin.revision.pointer), "header")
    _replies(twin)


def _replies(twin: Twin) -> None:
    """What the provider takes for an answer of ours."""
    statuses = [listed(each.status for each in operation.answers) for operation in (twin.base, twin.revision)]
    for one, two in pairing.statuses(twin.base.answers, twin.revision.answers):
        if one is None and two is not None:
            at = (twin.base.pointer, two.pointer)
            twin.note("reply-status-added", f": {two.status} may be our answer now", *at, *statuses)
        elif two is None and one is not None:
            error = "" if one.status.startswith("2") else "error-"
            at = (one.pointer, twin.revision.pointer)
            twin.note(
                f"reply-{error}status-removed", f": {one.status} may be our answer no longer", *at, *statuses
            )
        elif one is not None and two is not None:
            _media(twin, ANSWERED, one.media, two.media, f"{one.status} answer", (one.pointer, two.pointer))
            _reply_headers(twin, one, two)


def _reply_headers(twin: Twin, one: Answer, two: Answer) -> None:
    for before, after in pairing.pairs(one.headers, two.headers, (lambda p: p.name.lower(),)):
        label = f"{one.status} header"
        if after is None and before is not None:
            what = f": our {label} {before.name} is gone"
            twin.note("reply-header-removed", what, before.pointer, two.pointer)
        elif after is not None and after.required and not (before and before.required):
            what = f": our {label} {after.name} must be sent now"
            at = before.pointer if before else one.pointer
            twin.note("reply-header-added-required", what, at, after.pointer)
        elif before is None and after is not None:
            twin.note("reply-header-added", f": our {label} {after.name} is new", one.pointer, after.pointer)
        if before is not None and after is not None:
            twin.begin(ANSWERED_HEADER, before.schema, after.schema, f"{label} {before.name}")
