"""The members of two objects: which are gone or new, and which must be there."""

from __future__ import annotations

from contracts.drift import kinds
from contracts.drift.look import Look
from contracts.drift.shapes import Places, Shape, Shapes


def compare(look: Look) -> None:
    """Every member of either, and whether there may be further ones."""
    one, two = look.base.properties, look.revision.properties
    silent = [shape.types is None and not shape.properties for shape in (look.base, look.revision)]
    if any(silent) and not all(silent):
        return  # one of them says nothing of members: what it lacks is not gone
    for name in sorted(one.keys() | two.keys()):
        if name not in two:
            if not _left_out(look, look.walk.base, one[name]):
                _gone(look, name)
        elif name not in one:
            if not _left_out(look, look.walk.revision, two[name]):
                _new(look, name)
        else:
            _in_both(look, name)
    for name in sorted(look.base.required ^ look.revision.required):
        if name not in one and name not in two:
            _need(look, name, now=name in look.revision.required)


def further(look: Look) -> None:
    """Whether members that are not named are taken."""
    before, after = look.base.closed is None, look.revision.closed is None
    # Whoever takes no unevaluated member is closed, too; that is a condition of its own.
    if look.both("object") and before is not after and not (look.base.shuts and look.revision.shuts):
        if before:
            look.add("additional-properties-closed", "takes no further members now", "additionalProperties")
        else:
            look.add("additional-properties-opened", "may have further members now", "additionalProperties")


def _left_out(look: Look, shapes: Shapes, places: Places) -> bool:
    """Whether a member belongs to the other direction alone."""
    flag = look.lane.left_out
    return flag is not None and shapes.of(places).flagged(flag)


def _owner(look: Look) -> str:
    """Members of parameters and headers are rare; they are judged as members of bodies are."""
    return "request-property" if look.lane.sent else "response-property"


def _gone(look: Look, name: str, what: str = "is gone", seen: str = "nothing") -> None:
    places = look.base.properties[name]
    kind = kinds.shown(look.walk.base.of(places))
    needed = name in look.base.required and not look.lane.sent
    rule = f"{_owner(look)}-removed{'-required' if needed else ''}"
    if look.lane.sent and look.revision.shuts:
        rule = f"{_owner(look)}-refused"
    elif look.walk.revision.of(look.revision.others).parts:  # what stands for it now
        look.walk.step(look.pair, places, look.revision.others, f"{look.label}.{name}")
    promised = f"{kind}, always there" if needed else kind
    at = look.revision.at("properties") if seen == "nothing" else look.revision.closed
    look.note(rule, f"{look.label}.{name} {what}", look.base.member_at(name), at, promised, seen)


def _new(look: Look, name: str) -> None:
    needed = name in look.revision.required
    if name in look.base.required and not needed:
        _need(look, name, now=False)
    places = look.revision.properties[name]
    if look.walk.base.of(look.base.others).parts:  # what stood for it before
        look.walk.step(look.pair, look.base.others, places, f"{look.label}.{name}")
    must = needed and look.lane.sent
    rule = f"{_owner(look)}-added{'-required' if must else ''}"
    what = f"{look.label}.{name} is new{' and must be sent' if must else ''}"
    look.note(
        rule,
        what,
        look.base.at("properties"),
        look.revision.member_at(name),
        "nothing",
        kinds.shown(look.walk.revision.of(places)),
    )


def _in_both(look: Look, name: str) -> None:
    walk = look.walk
    one, two = look.base.properties[name], look.revision.properties[name]
    inner = Look(walk, look.pair, f"{look.label}.{name}", walk.base.of(one), walk.revision.of(two))
    _access(inner)
    out = [_left_out(look, walk.base, one), _left_out(look, walk.revision, two)]
    shut = [name in shape.shut_out for shape in (look.base, look.revision)]
    if out == [False, True]:
        _gone(look, name)  # in this direction
        return
    if shut == [False, True]:
        _gone(look, name, "is refused by additionalProperties, beside which it is not named", "closed")
        return
    if shut == [True, False]:
        _new(look, name)
        return
    needed = [name in look.base.required and not out[0], name in look.revision.required and not out[1]]
    if needed[0] is not needed[1] and (look.lane.sent or not any(out)):
        _need(look, name, now=needed[1])
    if not all(out):
        _deprecation(inner)
        walk.step(look.pair, one, two, inner.label)


def _access(inner: Look) -> None:
    for flag in ("readOnly", "writeOnly"):
        before, after = inner.base.flagged(flag), inner.revision.flagged(flag)
        if before is not after:
            what = f"is {flag} {'now' if after else 'no longer'}"
            inner.add(
                "access-changed", what, flag, promised=_up(inner.base, flag), seen=_up(inner.revision, flag)
            )


def _up(shape: Shape, flag: str) -> str:
    return flag if shape.flagged(flag) else f"not {flag}"


def _need(look: Look, name: str, *, now: bool) -> None:
    rule = f"{look.lane.side}-became-{'required' if now else 'optional'}"
    what = f"{look.label}.{name} is required {'now' if now else 'no longer'}"
    words = ("may be left out", "always there")
    look.note(rule, what, look.base.at("required"), look.revision.at("required"), words[not now], words[now])


def _deprecation(inner: Look) -> None:
    before, after = inner.base.flagged("deprecated"), inner.revision.flagged("deprecated")
    if before is not after:
        what = "is deprecated now" if after else "is deprecated no longer"
        inner.add("deprecated" if after else "reactivated", what, "deprecated")
