"""Servers: an address that an operation had and has no longer is gone, wherever the document says so."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contracts.contract import Contract, Operation
from contracts.drift.naming import PLACE, normal
from contracts.drift.walk import Noted
from contracts.pointers import follow, join
from contracts.view import listed

if TYPE_CHECKING:
    from contracts.drift.operations import Sides, Twin

_SHARED = "/servers"
_ROOT = "/rootUrl"  # of a discovery document
_MOST = 100  # addresses of one server that are told one by one


def compare(sides: Sides, twins: Sequence[Twin]) -> None:
    """What becomes of the servers of operations that are in both.

    What counts is the whole address: a step that moved from the paths into the server changes nothing.
    """
    changed: dict[Noted, list[str]] = {}
    for alike in _alike(sides, twins):
        names = [twin.name for twin in alike]
        for noted in _changes(sides, alike[0]):
            changed.setdefault(noted, []).extend(names)
    for noted, names in changed.items():
        everywhere = noted.base == noted.revision in {_SHARED, _ROOT} and len(names) == len(twins)
        for name in [noted.subject] if everywhere else names:
            sides.note(noted, name)


def _alike(sides: Sides, twins: Sequence[Twin]) -> Iterable[list[Twin]]:
    """Operations that have the servers of the whole document and whose path did not move; each other one alone."""
    found: dict[object, list[Twin]] = {}
    for twin in twins:
        moved = normal(twin.base.path) != normal(twin.revision.path)
        if moved or _place(sides.base, twin.base) or _place(sides.revision, twin.revision):
            found[twin.name] = [twin]
        else:
            found.setdefault((twin.base.bases, twin.revision.bases), []).append(twin)
    return found.values()


def _place(contract: Contract, operation: Operation) -> str:
    """What the servers of an operation stand in: itself, its path, or the document, which is empty."""
    places = (operation.pointer, operation.pointer.rpartition("/")[0], "")
    nodes = ((place, follow(contract.document, place)) for place in places)
    return next((p for p, n in nodes if isinstance(n, Mapping) and isinstance(n.get("servers"), list)), "")


def _changes(sides: Sides, twin: Twin) -> Iterator[Noted]:
    (at_one, one), (at_two, two) = _servers(sides.base, twin.base), _servers(sides.revision, twin.revision)
    before, after = _wholes(one, twin.base), _wholes(two, twin.revision)
    whose = "" if at_one == at_two in {_SHARED, _ROOT} else f"{twin.name}: "
    said = [listed(where for where, _ in side) for side in (one, two)]
    for whole, (where, template) in before.items():
        if whole not in after and template not in after:
            what = f"{whose}the server {where} is gone"
            yield Noted("server-removed", what, at_one, at_two, where, said[1])
    for whole, (where, template) in after.items():
        if whole not in before and template not in before:
            yield Noted("server-added", f"{whose}the server {where} is new", at_one, at_two, said[0], where)


# An address, and the template that it was made from: itself where the values of its places are anybody's choice.
Address = tuple[str, str]


def _wholes(servers: Sequence[Address], operation: Operation) -> dict[str, Address]:
    """By the whole address of an operation: the server, and the whole address with its template."""
    path = operation.path
    return {normal(where + path): (where, normal(template + path)) for where, template in servers}


def _servers(contract: Contract, operation: Operation) -> tuple[str, list[Address]]:
    """Where the servers of an operation are listed, and their addresses as the document writes them.

    Those of Swagger are its host with its schemes; those of formats without hosts are base paths.
    """
    document = contract.document
    host, root = document.get("host"), document.get("rootUrl")
    if isinstance(host, str) and host and "swagger" in document:
        schemes, base = document.get("schemes"), str(document.get("basePath") or "")
        every = schemes if isinstance(schemes, list) and schemes else ["https"]
        return _SHARED, [(address, address) for s in every if (address := f"{s}://{host}{base}".rstrip("/"))]
    if contract.dialect == "discovery" and isinstance(root, str):
        return _ROOT, [(address, address) for b in operation.bases if (address := root.rstrip("/") + b)]
    if contract.dialect == "openapi":
        place = join(_place(contract, operation), "servers")
        if isinstance(found := follow(document, place), list):
            servers = (each for each in found if isinstance(each, Mapping) and "url" in each)
            return place, [address for each in servers for address in _addresses(each)]
    return _SHARED, [(each, each) for each in operation.bases if each]


def _addresses(server: Mapping[str, Any]) -> Iterator[Address]:
    """One for each choice of the values that its variables list; the template where one lists none, or too many."""
    template, variables = str(server["url"]).rstrip("/"), server.get("variables")
    names = list(dict.fromkeys(PLACE.findall(template)))
    choices = [_choices(variables, name) for name in names]
    if not all(choices) or math.prod(map(len, choices)) > _MOST:
        yield template, template
        return
    for values in itertools.product(*choices):
        given = dict(zip(names, values, strict=True))
        yield PLACE.sub(lambda found: given[found[1]], template).rstrip("/"), template  # noqa: B023 - used at once


def _choices(variables: Any, name: str) -> list[str]:
    said = variables.get(name) if isinstance(variables, Mapping) else None
    values = said.get("enum") if isinstance(said, Mapping) else None
    return list(dict.fromkeys(map(str, values))) if isinstance(values, list) else []
