"""What two schemas promise, compared: each change is noted by the rule for its direction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from contracts.drift import alternatives, kinds, members, stability
from contracts.drift.keywords import EXTENSIBLE, LIMITS, TRUTH, Limit, closer, keeps
from contracts.drift.look import Look, short, shown
from contracts.drift.naming import component_at
from contracts.drift.shapes import Shape, Shapes
from contracts.drift.walk import Walk
from contracts.pointers import MISSING, of_reference
from contracts.schemas import validator_of_own
from contracts.view import listed

_ANY_TEXT = frozenset({"", ".*", "^.*$"})
_MANY = 3  # values that are named in a finding's subject


def compare_schemas(walk: Walk) -> None:
    """Compare every pair that waits, and those that they lead to."""
    for pair, label, base, revision in walk.pairs():
        if (
            base.unknown
            or revision.unknown
            or _leaves_out(walk.base, base)
            or _leaves_out(walk.revision, revision)
        ):
            continue
        look = Look(walk, pair, label, base, revision)
        if alternatives.alone(look):
            _annotations(look)
            continue
        for check in _CHECKS:
            check(look)


def _leaves_out(shapes: Shapes, shape: Shape) -> bool:
    """Whether it says nothing of a value because its contract is partial."""
    return shapes.partial and not shape.parts


def _types(look: Look) -> None:
    one, two = _kinds(look.base, look.walk.base), _kinds(look.revision, look.walk.revision)
    if look.base.values and look.revision.values:
        one, two = kinds.of_values(look.base), kinds.of_values(look.revision)
    else:
        _formats(look)
    said = {"promised": kinds.spelled(one, look.base), "seen": kinds.spelled(two, look.revision)}
    places = ("type", "format", "enum", "const")
    if one != two and not _told_by_values(look):
        wider, narrower = kinds.covers(two, one), kinds.covers(one, two)
        if wider and not narrower:
            look.add("type-widened", "takes more types", *places, **said)
        elif narrower and not wider:
            look.add("type-narrowed", "takes fewer types", *places, **said)
        elif not wider:
            look.add("type-changed", "is of another type", *places, **said)
    if one is not None and two is not None:
        look.nullable()


def _formats(look: Look) -> None:
    """Formats that nothing can be held to."""
    told = kinds.HELD | (kinds.OF_BYTES if kinds.same_bytes(look.base, look.revision) else frozenset())
    loose = [", ".join(sorted(shape.formats - told)) or "none" for shape in (look.base, look.revision)]
    if loose[0] != loose[1]:
        look.add("format-changed", "has another format", "format", promised=loose[0], seen=loose[1])


def _kinds(shape: Shape, shapes: Shapes) -> kinds.Kinds | None:
    """The types that it names, or those of its alternatives, where each names some."""
    found = kinds.kinds(shape)
    if found is not None or shape.values is not None:
        return found
    for group in shape.groups:
        each = [kinds.kinds(shapes.of(branch)) for branch in group.branches]
        if all(one is not None for one in each):
            return frozenset().union(*(one for one in each if one is not None))
    return None


def _told_by_values(look: Look) -> bool:
    """Whether one side names no type but values, and the other neither: the rules on values say what changed."""
    sides = (look.base, look.revision)
    return any(s.types is None for s in sides) and any(s.values and not _names_type(s) for s in sides)


def _names_type(shape: Shape) -> bool:
    return any("type" in part.node for part in shape.parts)


def _values(look: Look) -> None:
    one, two = _listed_values(look.base, look.revision), _listed_values(look.revision, look.base)
    said = {"promised": _list_of(one), "seen": _list_of(two)}
    if one is None and two is not None:
        suffix = "const-added" if look.revision.const else "became-enum"
        look.add(suffix, "is bound to listed values now", "const", "enum", **said)
    elif two is None and one is not None:
        suffix = "const-removed" if look.base.const else "no-longer-enum"
        look.add(suffix, "is bound to listed values no longer", "const", "enum", **said)
    elif one is not None and two is not None and one.keys() != two.keys():
        if look.base.const and look.revision.const:
            look.add("const-changed", "is bound to another value", "const", **said)
            return
        # Where the base says that more may come, a client was told.
        beginning = "" if look.base.open_values is None else "extensible-"
        _come_and_gone(look, beginning, one, two, "enum", "const")


def _listed_values(shape: Shape, other: Shape) -> Mapping[str, Any] | None:
    """The values to which it is bound. Of a boolean these are two, where the other side lists some."""
    if shape.values is None and other.values is not None and shape.types == frozenset({"boolean"}):
        return TRUTH
    return shape.values


def _extensible(look: Look) -> None:
    """Values of a list that binds nobody: that it comes or goes as a whole changes nothing."""
    one, two = look.base.open_values, look.revision.open_values
    bound = look.base.values is not None and look.revision.values is not None
    if one is not None and two is not None and not bound:
        _come_and_gone(look, "extensible-", one, two, EXTENSIBLE)


def _come_and_gone(
    look: Look, beginning: str, one: Mapping[str, Any], two: Mapping[str, Any], *keywords: str
) -> None:
    said = {"promised": _list_of(one), "seen": _list_of(two)}
    for suffix, verb, texts in (
        ("enum-value-removed", "has lost", [text for text in one if text not in two]),
        ("enum-value-added", "has gained", [text for text in two if text not in one]),
    ):
        if texts:
            what = f"{verb} {listed(map(short, texts), _MANY)}"
            look.add(f"{beginning}{suffix}", what, *keywords, **said)


def _list_of(values: Mapping[str, Any] | None) -> str:
    if values is None:
        return "any value"
    if not values:
        return "no value"
    texts = listed(map(short, values))
    return texts if len(values) == 1 else f"one of {texts}"


def _limits(look: Look) -> None:
    for name in LIMITS:
        one, two = look.base.limits.get(name), look.revision.limits.get(name)
        if one == two or _moot(look, name, one, two):
            continue
        places = (name, {"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}.get(name, name))
        said = {"promised": _limit(name, one), "seen": _limit(name, two)}
        if one is None:
            look.add("limit-set", f"has a {name} now", *places, **said)
        elif two is None:
            look.add("limit-removed", f"has no {name} any more", *places, **said)
        elif closer(name, two, one):
            look.add("limit-tightened", f"has a closer {name}", *places, **said)
        else:
            look.add("limit-relaxed", f"has a wider {name}", *places, **said)


def _moot(look: Look, name: str, one: Limit | None, two: Limit | None) -> bool:
    """Whether listed values keep a limit anyhow, so that it makes no difference that it came, went or moved."""
    looser = two is None or (one is not None and closer(name, one, two))
    values, limit = (look.revision.values, one) if looser else (look.base.values, two)
    return (
        values is not None and limit is not None and all(keeps(name, limit, each) for each in values.values())
    )


def _limit(name: str, limit: Limit | None) -> str:
    if limit is None:
        return f"no {name}"
    return f"{name} {limit[0]}{', itself shut out' if limit[1] else ''}"


def _patterns(look: Look) -> None:
    loose = _ANY_TEXT if look.lane.sent else frozenset({""})
    one, two = look.base.patterns - loose, look.revision.patterns - loose
    if _fit(look.base.values, two - one) and _fit(look.revision.values, one - two):
        return
    texts = [" and ".join(sorted(each)) or "any text" for each in (one, two)]
    said = {"promised": short(texts[0]), "seen": short(texts[1])}
    if one == two:
        return
    if not one:
        look.add("pattern-added", "has to fit a pattern now", "pattern", **said)
    elif not two:
        look.add("pattern-removed", "has to fit a pattern no longer", "pattern", **said)
    else:
        look.add("pattern-changed", "has to fit another pattern", "pattern", **said)


def _fit(values: Mapping[str, Any] | None, patterns: frozenset[str]) -> bool:
    """Whether listed values fit patterns anyhow, so that it makes no difference that those came or went."""
    if not patterns or values is None:
        return not patterns
    held = [validator_of_own({"pattern": each}) for each in patterns]
    return all(each is not None and each.is_valid(value) for each in held for value in values.values())


def _conditions(look: Look) -> None:
    one, two = look.base.conditions, look.revision.conditions
    for name in sorted(one.keys() | two.keys()):
        if name == "unevaluatedProperties" and look.base.shuts and look.revision.shuts:
            continue  # closed on both sides, in whichever words
        if (
            name in kinds.CONTENT
            and not (name in one and name in two)
            and kinds.same_bytes(look.base, look.revision)
        ):
            continue  # one of them says it by its format
        keyword, _, what = name.partition("/")
        called = f"{keyword} of {what.replace('/', ': ')}" if what else keyword
        (before, inner), (after, revised) = (side.get(name, (None, ())) for side in (one, two))
        said = {"promised": short(before), "seen": short(after)}
        if before is None:
            look.add("condition-added", f"is bound by {called} now", keyword, **said)
        elif after is None:
            look.add("condition-removed", f"is bound by {called} no longer", keyword, **said)
        elif inner or revised:
            look.walk.step(look.pair, inner, revised, f"{look.label} ({called})")
        elif before != after:
            suffix = "content-changed" if keyword.startswith("content") else "condition-changed"
            look.add(suffix, f"is bound by another {called}", keyword, **said)


def _annotations(look: Look) -> None:
    if not (look.base.parts and look.revision.parts):
        return
    stability.of_schema(look)
    one, two = look.base.says("default"), look.revision.says("default")
    if one != two:
        said = ["nothing" if value is MISSING else shown(value) for value in (one, two)]
        look.add("default-changed", "has another default", "default", promised=said[0], seen=said[1])
    tags = [_discriminator(shape.says("discriminator")) for shape in (look.base, look.revision)]
    if tags[0] != tags[1]:
        said = ["nothing" if each is None else shown(each) for each in tags]
        look.add("discriminator-changed", "is told apart in another way", "discriminator",
                 promised=said[0], seen=said[1])  # fmt: skip


def _discriminator(said: Any) -> Any:
    """What tells alternatives apart, as OpenAPI has it: Swagger names the member alone. Components are their names."""
    if not isinstance(said, Mapping):
        return None if said is MISSING else {"propertyName": said}
    mapping = said.get("mapping")
    if not isinstance(mapping, Mapping):
        return said
    named = {tag: component_at(of_reference(to) or "")[0] or to for tag, to in mapping.items()}
    return {**said, "mapping": dict(sorted(named.items(), key=str))}


def _inner(look: Look) -> None:
    """The pairs that this one holds, other than its members and conditions."""
    base, revision, walk, pair = look.base, look.revision, look.walk, look.pair
    if (base.items or revision.items) and look.both("array") and not (_is_short(base, revision)):
        walk.step(pair, base.items, revision.items, f"{look.label}[]")
    for index in range(max(len(base.first), len(revision.first))):
        one, two = (s.first[index] if index < len(s.first) else s.items for s in (base, revision))
        walk.step(pair, one, two, f"{look.label}[{index}]")
    if (base.others or revision.others) and not (base.closed or revision.closed) and look.both("object"):
        walk.step(pair, base.others, revision.others, f"{look.label}.*")


def _is_short(*shapes: Shape) -> bool:
    """Whether no item comes after those that have schemas of their own."""
    most = max(len(shape.first) for shape in shapes)
    return all("maxItems" in shape.limits and shape.limits["maxItems"][0] <= most for shape in shapes)


_CHECKS: tuple[Callable[[Look], None], ...] = (
    _types, _values, _extensible, _limits, _patterns, _conditions, members.compare, members.further, _annotations,
    _inner, alternatives.beside,
)  # fmt: skip
