"""Ways to sign in: a way that is gone breaks whoever uses it, and so does a need where there was none."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.contract import Contract, Operation, SecurityScheme
from contracts.drift.walk import Noted
from contracts.pointers import follow, join, of_reference
from contracts.view import listed

if TYPE_CHECKING:
    from contracts.drift.operations import Sides, Twin

_SECTIONS = ("/components/securitySchemes", "/securityDefinitions")
_MANY = 12  # ways that a finding names
_GOOGLE = "/auth/oauth2"  # where a discovery document lists its scopes
# Swagger's names of OAuth's flows, as OpenAPI has them.
_FLOWS = {"application": "clientCredentials", "accessCode": "authorizationCode"}


@dataclass(frozen=True, slots=True)
class Way:
    """One way to sign in: all the schemes that it needs, and all the scopes, each with its scheme."""

    schemes: frozenset[str]
    scopes: frozenset[tuple[str, str]]

    def __str__(self) -> str:
        told = (f"{name}{f' ({each})' if (each := self.of(name)) else ''}" for name in sorted(self.schemes))
        return " with ".join(told) or "no credential"

    def of(self, scheme: str) -> str:
        """The scopes of one of its schemes."""
        return ", ".join(sorted(scope for name, scope in self.scopes if name == scheme))


def compare(twin: Twin) -> None:
    """The alternatives of one operation. What the whole document says is noted at its place, so that it is one."""
    sides = twin.sides
    one, two = (list(dict.fromkeys(_ways(twin, revised=revised))) for revised in (False, True))
    at = (_where(sides, twin.base, revised=False), _where(sides, twin.revision, revised=True))
    shared = at == ("/security", "/security")
    subject = "every operation without security of its own" if shared else twin.name
    for noted in _changes(tuple(one), tuple(two), subject, at):
        sides.note(noted, twin.name)


@functools.lru_cache(maxsize=8)  # what a whole document says is the same for operation after operation
def _changes(
    one: tuple[Way, ...], two: tuple[Way, ...], subject: str, at: tuple[str, str]
) -> tuple[Noted, ...]:
    said = (_told(one), _told(two))
    changes = (*_narrowed(one, two), *_widened(one, two))
    return tuple(Noted(rule, f"{subject}: {what}", *at, *said) for rule, what in changes)


def _told(ways: Sequence[Way]) -> str:
    more = len(ways) - _MANY
    return " or ".join([*map(str, ways[:_MANY]), *([f"{more} more"] if more > 0 else [])])


def _narrowed(one: Sequence[Way], two: Sequence[Way]) -> Iterator[tuple[str, str]]:
    for way, other in _alone(one, two):
        if other is None:
            yield "security-alternative-removed", f"{way} is enough no longer"
        else:
            for scheme, scopes in _beyond(other, way):
                yield "security-scope-added", f"{scheme} needs {listed(scopes)} as well"


def _widened(one: Sequence[Way], two: Sequence[Way]) -> Iterator[tuple[str, str]]:
    for way, other in _alone(two, one):
        if other is None:
            yield "security-alternative-added", f"{way} is enough now"
        else:
            for scheme, scopes in _beyond(other, way):
                yield "security-scope-removed", f"{scheme} needs {listed(scopes)} no longer"


def _alone(ways: Sequence[Way], others: Sequence[Way]) -> Iterator[tuple[Way, Way | None]]:
    """The ways that none of the others takes, each with the one that stands for it but for its scopes.

    None where there is no such one, or more than one: then it is another way.
    """
    left = [way for way in ways if way not in others]
    right = [way for way in others if way not in ways]
    for way in ways:
        if not any(each.schemes <= way.schemes and each.scopes <= way.scopes for each in others):
            own, their = ([each for each in side if each.schemes == way.schemes] for side in (left, right))
            yield way, their[0] if len(own) == len(their) == 1 else None


def _beyond(more: Way, less: Way) -> Iterator[tuple[str, list[str]]]:
    """The scopes that the first needs and the second does not, by scheme."""
    beyond = sorted(more.scopes - less.scopes)
    for scheme in dict.fromkeys(name for name, _ in beyond):
        yield scheme, [scope for name, scope in beyond if name == scheme]


def _ways(twin: Twin, *, revised: bool) -> Iterator[Way]:
    sides = twin.sides
    own, other = (sides.revision, sides.base) if revised else (sides.base, sides.revision)
    operation = twin.revision if revised else twin.base
    for needed in list(_needed(operation, own, sides.node(operation, revised=revised))) or [{}]:
        names = {name: _identity(name, own, other) for name in needed}
        scopes = ((names[name], scope) for name, every in needed.items() for scope in every)
        yield Way(frozenset(names.values()), frozenset(scopes) if sides.whole else frozenset())


def _needed(
    operation: Operation, contract: Contract, node: Mapping[str, Any]
) -> Iterator[dict[str, list[str]]]:
    """Each alternative: the scopes by the names of its schemes."""
    if contract.dialect == "discovery" and (scopes := _texts(node.get("scopes"))):
        # Any one of them is enough.
        yield from ({name: [scope] for name in names} for names in operation.security for scope in scopes)
        return
    said = node.get("security", contract.document.get("security"))
    written = [each for each in said if isinstance(each, Mapping)] if isinstance(said, list) else []
    for index, names in enumerate(operation.security):
        scopes_of = written[index] if index < len(written) else {}
        yield {name: _texts(scopes_of.get(name)) for name in names}


def _texts(node: object) -> list[str]:
    return [each for each in node if isinstance(each, str)] if isinstance(node, list) else []


def _identity(name: str, own: Contract, other: Contract) -> str:
    """A scheme's name where both sides know it; else what it does, so that another name is no change."""
    scheme = own.schemes.get(name)
    if name in other.schemes or scheme is None:
        return name
    alike = (each.name for each in other.schemes.values() if _presents(each) == _presents(scheme))
    return min([name, *alike]) if scheme.kind != "other" else name


def _presents(scheme: SecurityScheme) -> tuple[str, str, str]:
    """How it presents a credential. Names of headers know no case."""
    name = scheme.field.lower() if scheme.kind == "header" else scheme.field
    return scheme.kind, name, scheme.prefix


def _where(sides: Sides, operation: Operation, *, revised: bool) -> str:
    node = sides.node(operation, revised=revised)
    own = next((name for name in ("security", "scopes") if name in node), None)
    return join(operation.pointer, own) if own else "/security"


def schemes(sides: Sides) -> None:
    """What each scheme that both know does: how it presents its credential, where tokens come from, their scopes."""
    used = [
        {name for o in side.operations for way in o.security for name in way}
        for side in (sides.base, sides.revision)
    ]
    for name in sorted(sides.base.schemes.keys() & sides.revision.schemes.keys() & (used[0] | used[1])):
        (at_one, before), (at_two, after) = (_scheme(c, name) for c in (sides.base, sides.revision))
        one, two = sides.base.schemes[name], sides.revision.schemes[name]
        changes = [*_presented(one, two, before, after), *_endpoints(name, before, after)]
        if sides.whole:
            changes += _scopes(name, before, after)
        for rule, what, promised, seen in changes:
            sides.note(Noted(rule, what, at_one, at_two, promised, seen), name)


_TYPES = {"basic": "http"}  # as Swagger 2 has it
# A rule, what it says, what was promised and what was seen.
Change = tuple[str, str, str, str]


def _presented(
    one: SecurityScheme, two: SecurityScheme, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Change]:
    types = [_TYPES.get(str(each.get("type")), each.get("type")) for each in (before, after)]
    other_type = types[0] != types[1] and all(types)
    if other_type or _presents(one) != _presents(two):
        said = [
            f"{node.get('type', s.kind)} in {s.kind} {s.field} {s.prefix}".strip()
            for s, node in ((one, before), (two, after))
        ]
        yield "security-scheme-changed", f"{one.name} is presented in another way", said[0], said[1]


def _endpoints(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    one, two = dict(_addresses(before)), dict(_addresses(after))
    for where in sorted(one.keys() & two.keys()):
        if one[where] != two[where]:
            yield "security-endpoint-changed", f"{name}: {where} is another address", one[where], two[where]


def _scopes(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """What tokens may be asked for, flow by flow."""
    one, two = dict(_offered(before)), dict(_offered(after))
    for flow in sorted(one.keys() | two.keys()):
        was, now = one.get(flow, []), two.get(flow, [])
        offers = f"{name}{f': {flow}' if flow else ''} offers"
        said = (_or_none(was), _or_none(now))
        if gone := [scope for scope in was if scope not in now]:
            yield "security-scheme-scope-removed", f"{offers} {listed(gone)} no longer", *said
        if new := [scope for scope in now if scope not in was]:
            yield "security-scheme-scope-added", f"{offers} {listed(new)} too", *said


def _or_none(scopes: Iterable[str]) -> str:
    return listed(scopes) or "none"


def _offered(node: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Each flow, and the scopes that it offers."""
    for flow, inside in _flows(node):
        if isinstance(scopes := inside.get("scopes"), Mapping):
            named = flow or str(inside.get("flow", ""))
            yield _FLOWS.get(named, named), [str(scope) for scope in scopes]


def _flows(node: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The scheme itself, as Swagger has its one flow, and each flow of OpenAPI."""
    yield "", node
    flows = node.get("flows")
    for flow, inside in flows.items() if isinstance(flows, Mapping) else ():
        if isinstance(inside, Mapping):
            yield str(flow), inside


def _scheme(contract: Contract, name: str) -> tuple[str, Mapping[str, Any]]:
    places = [join(section, name) for section in _SECTIONS]
    for place in [*places, _GOOGLE] if contract.dialect == "discovery" else places:
        found = follow(contract.document, place)
        if isinstance(found, Mapping) and (target := of_reference(found.get("$ref"))) is not None:
            place, found = target, follow(contract.document, target)  # noqa: PLW2901 - where it truly stands
        if isinstance(found, Mapping):
            return place, found
    return "/", {}


def _addresses(node: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for flow, inside in _flows(node):
        for name in ("authorizationUrl", "tokenUrl", "refreshUrl", "openIdConnectUrl"):
            if isinstance(inside.get(name), str):
                yield f"{flow} {name}".strip(), inside[name]
