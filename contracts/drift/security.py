"""Ways to sign in: a way that is gone breaks whoever uses it, and so does a need where there was none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from contracts.contract import Contract, Operation
from contracts.drift.walk import Noted
from contracts.pointers import follow, join

if TYPE_CHECKING:
    from contracts.drift.operations import Sides, Twin

Way = frozenset[str]
_SECTIONS = ("/components/securitySchemes", "/securityDefinitions")


def compare(twin: Twin) -> None:
    """The alternatives of one operation. What the whole document says is noted at its place, so that it is one."""
    sides = twin.sides
    one = list(dict.fromkeys(_ways(twin.base, sides.base, sides.revision)))
    two = list(dict.fromkeys(_ways(twin.revision, sides.revision, sides.base)))
    at = (_where(sides, twin.base, revised=False), _where(sides, twin.revision, revised=True))
    shared = at == ("/security", "/security")
    subject = "every operation without security of its own" if shared else twin.name
    said = (_shown(one), _shown(two))
    for way in one:
        if not any(other <= way for other in two):
            noted = Noted(
                "security-alternative-removed", f"{subject}: {_named(way)} is enough no longer", *at, *said
            )
            sides.note(noted, twin.name)
    for way in two:
        if not any(other <= way for other in one):
            noted = Noted("security-alternative-added", f"{subject}: {_named(way)} is enough now", *at, *said)
            sides.note(noted, twin.name)


def _ways(operation: Operation, own: Contract, other: Contract) -> Iterator[Way]:
    for names in operation.security or ((),):
        yield frozenset(_identity(name, own, other) for name in names)


def _identity(name: str, own: Contract, other: Contract) -> str:
    """A scheme's name where both sides know it; else what it does, so that another name is no change."""
    scheme = own.schemes.get(name)
    if name in other.schemes or scheme is None:
        return name
    alike = (each.name for each in other.schemes.values() if (each.kind, each.field, each.prefix) == (
        scheme.kind, scheme.field, scheme.prefix))  # fmt: skip
    return min([name, *alike]) if scheme.kind != "other" else name


def _where(sides: Sides, operation: Operation, *, revised: bool) -> str:
    return (
        join(operation.pointer, "security")
        if "security" in sides.node(operation, revised=revised)
        else "/security"
    )


def _named(way: Way) -> str:
    return " with ".join(sorted(way)) or "no credential"


def _shown(ways: list[Way]) -> str:
    return " or ".join(_named(way) for way in ways)


def schemes(sides: Sides) -> None:
    """How each scheme that both know presents its credential."""
    for name in sorted(sides.base.schemes.keys() & sides.revision.schemes.keys()):
        one, two = sides.base.schemes[name], sides.revision.schemes[name]
        (at_one, before), (at_two, after) = (_scheme(c, name) for c in (sides.base, sides.revision))
        if (one.kind, one.field.lower(), one.prefix) != (two.kind, two.field.lower(), two.prefix) or (
            before.get("type") != after.get("type") and before.get("type") and after.get("type")
        ):
            said = [f"{before.get('type', s.kind)} in {s.kind} {s.field} {s.prefix}".strip() for s, before in (
                (one, before), (two, after))]  # fmt: skip
            noted = Noted(
                "security-scheme-changed", f"{name} is presented in another way", at_one, at_two, *said
            )
            sides.note(noted, name)
        addresses = [dict(_addresses(node)) for node in (before, after)]
        for where in sorted(addresses[0].keys() & addresses[1].keys()):
            if addresses[0][where] != addresses[1][where]:
                noted = Noted(
                    "security-endpoint-changed", f"{name}: {where} is another address", at_one, at_two,
                    addresses[0][where], addresses[1][where],
                )  # fmt: skip
                sides.note(noted, name)


def _scheme(contract: Contract, name: str) -> tuple[str, Mapping[str, Any]]:
    for section in _SECTIONS:
        found = follow(contract.document, join(section, name))
        if isinstance(found, Mapping):
            return join(section, name), found
    return "/", {}


def _addresses(node: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    flows = node.get("flows")
    every = [("", node), *(flows.items() if isinstance(flows, Mapping) else ())]
    for flow, inside in every:
        for name in ("authorizationUrl", "tokenUrl", "refreshUrl", "openIdConnectUrl"):
            if isinstance(inside, Mapping) and isinstance(inside.get(name), str):
                yield f"{flow} {name}".strip(), inside[name]
