"""Servers: an address that an operation had and has no longer is gone, wherever the document says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from contracts.contract import Contract, Operation
from contracts.drift.naming import normal
from contracts.drift.walk import Noted
from contracts.pointers import follow, join
from contracts.view import listed

if TYPE_CHECKING:
    from contracts.drift.operations import Sides, Twin

_SHARED = "/servers"


def compare(sides: Sides, twins: Sequence[Twin]) -> None:
    """What becomes of the servers of operations that are in both.

    What counts is the whole address: a step that moved from the paths into the server changes nothing.
    """
    changed: dict[Noted, list[str]] = {}
    for twin in twins:
        for noted in _changes(sides, twin):
            changed.setdefault(noted, []).append(twin.name)
    for noted, names in changed.items():
        everywhere = noted.base == noted.revision == _SHARED and len(names) == len(twins)
        for name in [noted.subject] if everywhere else names:
            sides.note(noted, name)


def _changes(sides: Sides, twin: Twin) -> Iterator[Noted]:
    (at_one, one), (at_two, two) = _servers(sides.base, twin.base), _servers(sides.revision, twin.revision)
    before = {normal(where + twin.base.path): where for where in one}
    after = {normal(where + twin.revision.path): where for where in two}
    whose = "" if at_one == at_two == _SHARED else f"{twin.name}: "
    for whole, where in before.items():
        if whole not in after:
            what = f"{whose}the server {where} is gone"
            yield Noted("server-removed", what, at_one, at_two, where, listed(two))
    for whole, where in after.items():
        if whole not in before:
            yield Noted(
                "server-added", f"{whose}the server {where} is new", at_one, at_two, listed(one), where
            )


def _servers(contract: Contract, operation: Operation) -> tuple[str, list[str]]:
    """Where the servers of an operation are listed, and their addresses as the document writes them.

    Those of Swagger are its host with its schemes; those of formats without hosts are base paths.
    """
    document = contract.document
    host = document.get("host")
    if isinstance(host, str) and host and "swagger" in document:
        schemes, base = document.get("schemes"), str(document.get("basePath") or "")
        every = schemes if isinstance(schemes, list) and schemes else ["https"]
        return _SHARED, [f"{scheme}://{host}{base}".rstrip("/") for scheme in every]
    if contract.dialect == "openapi":
        for place in (operation.pointer, operation.pointer.rpartition("/")[0], ""):
            node = follow(document, place)
            found = node.get("servers") if isinstance(node, Mapping) else None
            if isinstance(found, list):
                urls = (each["url"] for each in found if isinstance(each, Mapping) and "url" in each)
                return join(place, "servers"), [str(each).rstrip("/") for each in urls]
    return _SHARED, [each for each in operation.bases if each]
