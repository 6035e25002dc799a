"""What two schemas promise, compared: each change is noted by the rule for its direction."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from contracts.drift import branches, kinds
from contracts.drift.shapes import LIMITS, Places, Shape, Shapes, closer, keeps
from contracts.drift.walk import Lane, Noted, Pair, Walk
from contracts.pointers import MISSING
from contracts.view import listed

_ANY_TEXT = frozenset({"", ".*", "^.*$"})
_MANY = 3  # values that are named in a finding's subject


class Look:
    """One pair under comparison. `add` notes a change; `{}` in what it is told is the schema's name."""

    def __init__(self, walk: Walk, pair: Pair, label: str, base: Shape, revision: Shape) -> None:
        self.walk, self.pair, self.label = walk, pair, label
        self.base, self.revision = base, revision

    @property
    def lane(self) -> Lane:
        """The direction."""
        return self.pair.lane

    def add(
        self, suffix: str, what: str, *keywords: str, promised: str | None = None, seen: str | None = None
    ) -> None:
        """Note a change of the schema itself, at the first of the keywords that is there."""
        noted = Noted(
            rule=f"{self.lane.side}-{suffix}",
            subject=f"{self.label} {what}",
            base=self.base.at(*keywords),
            revision=self.revision.at(*keywords),
            promised=promised,
            seen=seen,
        )
        self.walk.note(self.pair, noted)


def compare_schemas(walk: Walk) -> None:
    """Compare every pair that waits, and those that they lead to."""
    for pair, label, base, revision in walk.pairs():
        look = Look(walk, pair, label, base, revision)
        if _grouped(look):
            _annotations(look)
            continue
        for check in _CHECKS:
            check(look)
        _inner(look)


def _types(look: Look) -> None:
    one, two = kinds.kinds(look.base), kinds.kinds(look.revision)
    said = {"promised": kinds.shown(look.base), "seen": kinds.shown(look.revision)}
    keywords = ("type", "format", "enum", "const")
    if one != two and not _only_by_values(look):
        wider, closer_ = kinds.covers(two, one), kinds.covers(one, two)
        if wider and not closer_:
            look.add("type-widened", "takes more types", *keywords, **said)
        elif closer_ and not wider:
            look.add("type-narrowed", "takes fewer types", *keywords, **said)
        elif not wider:
            look.add("type-changed", "is of another type", *keywords, **said)
    loose = [", ".join(sorted(shape.formats - kinds.HELD)) or "none" for shape in (look.base, look.revision)]
    if loose[0] != loose[1]:
        look.add("format-changed", "has another format", "format", promised=loose[0], seen=loose[1])
    if one is not None and two is not None and look.base.nullable is not look.revision.nullable:
        _nullable(look)


def _only_by_values(look: Look) -> bool:
    """Whether no type is named on one side and its listed values alone say of what type it is."""
    return any(not any("type" in p.node for p in s.parts) and s.values for s in (look.base, look.revision))


def _nullable(look: Look) -> None:
    if look.revision.nullable:
        look.add(
            "became-nullable", "may be null now", "nullable", "type", promised="not null", seen="null as well"
        )
    else:
        look.add(
            "became-not-nullable",
            "may be null no longer",
            "nullable",
            "type",
            promised="null as well",
            seen="not null",
        )


def _values(look: Look) -> None:
    one, two = look.base.values, look.revision.values
    if one == two and look.base.const is look.revision.const:
        return
    said = {"promised": _list_of(one), "seen": _list_of(two)}
    if look.base.const and look.revision.const:
        look.add("const-changed", "is bound to another value", "const", **said)
    elif one is None or two is None:
        kind = "const" if look.base.const or look.revision.const else "enum"
        if one is None:
            suffix, what = (
                ("const-added" if kind == "const" else "became-enum"),
                "is bound to listed values now",
            )
        else:
            suffix, what = (
                ("const-removed" if kind == "const" else "no-longer-enum"),
                "is bound to listed values no longer",
            )
        look.add(suffix, what, kind, "enum", **said)
    else:
        for suffix, verb, values in (
            ("enum-value-removed", "has lost", [v for v in one if v not in two]),
            ("enum-value-added", "has gained", [v for v in two if v not in one]),
        ):
            if values:
                shown = listed((_shown(v) for v in values), _MANY)
                look.add(suffix, f"{verb} {shown}", "enum", "const", **said)


def _list_of(values: tuple[Any, ...] | None) -> str:
    if values is None:
        return "any value"
    shown = listed(_shown(value) for value in values)
    return shown if len(values) == 1 else f"one of {shown}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - fits a line


def _limits(look: Look) -> None:
    for name in LIMITS:
        one, two = look.base.limits.get(name), look.revision.limits.get(name)
        if one == two or _moot(look, name, one, two):
            continue
        exclusive = {"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}.get(name, name)
        said = {"promised": _limit(name, one), "seen": _limit(name, two)}
        if one is None:
            look.add("limit-set", f"has a {name} now", name, exclusive, **said)
        elif two is None:
            look.add("limit-removed", f"has no {name} any more", name, exclusive, **said)
        elif closer(name, two, one):
            look.add("limit-tightened", f"has a closer {name}", name, exclusive, **said)
        else:
            look.add("limit-relaxed", f"has a wider {name}", name, exclusive, **said)


def _moot(look: Look, name: str, one: tuple[float, bool] | None, two: tuple[float, bool] | None) -> bool:
    """Whether listed values keep a limit anyhow, so that it makes no difference that it came, went or moved."""
    looser = two is None or (one is not None and closer(name, one, two))
    values, limit = (look.revision.values, one) if looser else (look.base.values, two)
    return values is not None and limit is not None and all(keeps(name, limit, value) for value in values)


def _limit(name: str, limit: tuple[float, bool] | None) -> str:
    if limit is None:
        return f"no {name}"
    return f"{name} {limit[0]}{', itself shut out' if limit[1] else ''}"


def _patterns(look: Look) -> None:
    loose = _ANY_TEXT if look.lane.sent else frozenset({""})
    one, two = look.base.patterns - loose, look.revision.patterns - loose
    said = {
        "promised": " and ".join(sorted(one)) or "any text",
        "seen": " and ".join(sorted(two)) or "any text",
    }
    if one == two:
        return
    if not one:
        look.add("pattern-added", "has to fit a pattern now", "pattern", **said)
    elif not two:
        look.add("pattern-removed", "has to fit a pattern no longer", "pattern", **said)
    else:
        look.add("pattern-changed", "has to fit another pattern", "pattern", **said)


def _conditions(look: Look) -> None:
    one, two = look.base.conditions, look.revision.conditions
    for name in sorted(one.keys() | two.keys()):
        keyword, _, what = name.partition("/")
        shown = f"{keyword} of {what.replace('/', ': ')}" if what else keyword
        (before, inner), (after, revised) = (side.get(name, (None, ())) for side in (one, two))
        said = {"promised": _short(before), "seen": _short(after)}
        if before is None:
            look.add("condition-added", f"is bound by {shown} now", keyword, **said)
        elif after is None:
            look.add("condition-removed", f"is bound by {shown} no longer", keyword, **said)
        elif inner or revised:
            look.walk.step(look.pair, inner, revised, f"{look.label} ({shown})")
        elif before != after:
            suffix = "content-changed" if keyword.startswith("content") else "condition-changed"
            look.add(suffix, f"is bound by another {shown}", keyword, **said)


def _short(text: str | None) -> str:
    return "nothing" if text is None else text if len(text) <= 100 else f"{text[:97]}..."  # noqa: PLR2004


def _annotations(look: Look) -> None:
    one, two = look.base.says("default"), look.revision.says("default")
    if one != two and look.base.parts and look.revision.parts:
        said = [_shown(v) if v is not MISSING else "nothing" for v in (one, two)]
        look.add("default-changed", "has another default", "default", promised=said[0], seen=said[1])
    tags = [_discriminator(shape) for shape in (look.base, look.revision)]
    if tags[0] != tags[1] and look.base.parts and look.revision.parts:
        look.add(
            "discriminator-changed",
            "is told apart in another way",
            "discriminator",
            promised=_short(tags[0]),
            seen=_short(tags[1]),
        )


def _discriminator(shape: Shape) -> str:
    said = shape.says("discriminator")
    return "nothing" if said is MISSING else json.dumps(said, sort_keys=True, default=str)


def _members(look: Look) -> None:
    one, two = look.base.properties, look.revision.properties
    if any(shape.types is None and not shape.properties for shape in (look.base, look.revision)):
        return  # one of them says nothing of members: what it lacks is not gone
    for name in sorted(one.keys() | two.keys()):
        if name not in two:
            if not _flagged(look.walk.base, one[name], look.lane.left_out):
                _gone(look, name)
        elif name not in one:
            if not _flagged(look.walk.revision, two[name], look.lane.left_out):
                _new(look, name)
        else:
            _member(look, name)
    for name in sorted(look.base.required ^ look.revision.required):
        if name not in one and name not in two:
            _required(look, f"{look.label}.{name}", now=name in look.revision.required)


def _flagged(shapes: Shapes, places: Places, flag: str | None) -> bool:
    return flag is not None and shapes.of(places).flagged(flag)


def _gone(look: Look, name: str) -> None:
    needed = name in look.base.required and not look.lane.sent
    walk, one = look.walk, look.base.properties[name]
    noted = Noted(
        rule=f"{_owner(look.lane)}-removed{'-required' if needed else ''}",
        subject=f"{look.label}.{name} is gone",
        base=one[0],
        revision=look.revision.at("properties"),
        promised=f"{kinds.shown(walk.base.of(one))}{', always there' if needed else ''}",
        seen="nothing",
    )
    walk.note(look.pair, noted)


def _new(look: Look, name: str) -> None:
    needed = name in look.revision.required
    if name in look.base.required and not needed:
        _required(look, f"{look.label}.{name}", now=False)
    walk, two = look.walk, look.revision.properties[name]
    noted = Noted(
        rule=f"{_owner(look.lane)}-added{'-required' if needed and look.lane.sent else ''}",
        subject=f"{look.label}.{name} is new{' and must be sent' if needed and look.lane.sent else ''}",
        base=look.base.at("properties"),
        revision=two[0],
        promised="nothing",
        seen=kinds.shown(walk.revision.of(two)),
    )
    walk.note(look.pair, noted)


def _owner(lane: Lane) -> str:
    """Members of parameters and headers are rare; they are judged as members of bodies are."""
    return "request-property" if lane.sent else "response-property"


def _member(look: Look, name: str) -> None:
    walk = look.walk
    one, two = look.base.properties[name], look.revision.properties[name]
    before, after = walk.base.of(one), walk.revision.of(two)
    label = f"{look.label}.{name}"
    inner = Look(walk, look.pair, label, before, after)
    for flag in ("readOnly", "writeOnly"):
        if before.flagged(flag) is not after.flagged(flag):
            what = "is no longer" if before.flagged(flag) else "is now"
            inner.add(
                "access-changed", f"{what} {flag}", flag, promised=_up(before, flag), seen=_up(after, flag)
            )
    out = [_flagged(walk.base, one, look.lane.left_out), _flagged(walk.revision, two, look.lane.left_out)]
    needed = [name in look.base.required and not out[0], name in look.revision.required and not out[1]]
    if needed[0] is not needed[1] and not (look.lane.sent is False and any(out)):
        _required(look, label, now=needed[1])
    if all(out):
        return
    _deprecation(inner)
    walk.step(look.pair, one, two, label)


def _up(shape: Shape, flag: str) -> str:
    return flag if shape.flagged(flag) else f"not {flag}"


def _required(look: Look, label: str, *, now: bool) -> None:
    noted = Noted(
        rule=f"{look.lane.side}-became-{'required' if now else 'optional'}",
        subject=f"{label} {'is required now' if now else 'is required no longer'}",
        base=look.base.at("required"),
        revision=look.revision.at("required"),
        promised="may be left out" if now else "always there",
        seen="always there" if now else "may be left out",
    )
    look.walk.note(look.pair, noted)


def _deprecation(look: Look) -> None:
    before, after = look.base.flagged("deprecated"), look.revision.flagged("deprecated")
    if before is not after:
        suffix, what = (
            ("deprecated", "is deprecated now") if after else ("reactivated", "is deprecated no longer")
        )
        look.add(suffix, what, "deprecated")


def _further(look: Look) -> None:
    if "object" not in (look.base.types or ("object",)) or "object" not in (
        look.revision.types or ("object",)
    ):
        return
    if look.base.closed is None and look.revision.closed is not None:
        look.add("additional-properties-closed", "takes no further members now", "additionalProperties")
    elif look.base.closed is not None and look.revision.closed is None:
        look.add("additional-properties-opened", "may have further members now", "additionalProperties")


def _inner(look: Look) -> None:
    """The pairs that this one holds, other than its members."""
    base, revision, walk, pair = look.base, look.revision, look.walk, look.pair
    if (base.items or revision.items) and _both(look, "array"):
        walk.step(pair, base.items, revision.items, f"{look.label}[]")
    for index in range(max(len(base.first), len(revision.first))):
        one, two = (
            shape.first[index] if index < len(shape.first) else shape.items for shape in (base, revision)
        )
        walk.step(pair, one, two, f"{look.label}[{index}]")
    if (base.others or revision.others) and not (base.closed or revision.closed) and _both(look, "object"):
        walk.step(pair, base.others, revision.others, f"{look.label}.*")
    if base.groups or revision.groups:
        _alternatives(look)


def _both(look: Look, kind: str) -> bool:
    return all(shape.types is None or kind in shape.types for shape in (look.base, look.revision))


def _grouped(look: Look) -> bool:
    """Whether alternatives are all that one side says: then the other is one alternative. Compares them so."""
    base, revision = look.base, look.revision
    if not (base.only_grouped or revision.only_grouped):
        return False
    if base.groups and revision.groups:
        if not (base.only_grouped and revision.only_grouped):
            return False
        one, two = base.groups[0].branches, revision.groups[0].branches
    elif base.groups and revision.parts:
        one, two = base.groups[0].branches, (look.pair.revision,)
    elif revision.groups and base.parts:
        one, two = (look.pair.base,), revision.groups[0].branches
    else:
        return False
    if base.nullable is not revision.nullable:
        _nullable(look)
    _branches(look, one, two)
    return True


def _alternatives(look: Look) -> None:
    """Alternatives beside other keywords: group by group in their order."""
    one, two = look.base.groups, look.revision.groups
    for before, after in zip(one, two, strict=False):
        _branches(look, before.branches, after.branches)
    for group in one[len(two) :]:
        look.add(
            "condition-removed",
            f"has no {group.keyword} any more",
            group.keyword,
            promised=group.keyword,
            seen="nothing",
        )
    for group in two[len(one) :]:
        look.add(
            "condition-added",
            f"has {group.keyword} now",
            group.keyword,
            promised="nothing",
            seen=group.keyword,
        )


def _branches(look: Look, one: tuple[Places, ...], two: tuple[Places, ...]) -> None:
    walk = look.walk
    found = branches.paired(walk.base, walk.revision, one, two)
    for before, after in found.pairs:
        walk.step(look.pair, before, after, look.label)
    name_before, name_after = branches.named(walk.base), branches.named(walk.revision)
    for gone in found.gone:
        look.add("alternative-removed", f"has no alternative {name_before(gone)} any more", "anyOf", "oneOf",
                 promised=name_before(gone), seen=listed(map(name_after, two)))  # fmt: skip
    for new in found.new:
        look.add("alternative-added", f"has the alternative {name_after(new)} too", "anyOf", "oneOf",
                 promised=listed(map(name_before, one)), seen=name_after(new))  # fmt: skip


_CHECKS: tuple[Callable[[Look], None], ...] = (
    _types, _values, _limits, _patterns, _conditions, _members, _further, _annotations,
)  # fmt: skip
