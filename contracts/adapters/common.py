"""What every adapter needs: references followed, notes kept, hosts as patterns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contracts.contract import Event, Operation, SecurityScheme, Selector
from contracts.pointers import MISSING, follow, join, of_reference
from interlock import findings
from interlock.records import Finding, Location, Severity

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_MAX_HOPS = 32
_BESIDE_SLASHES = re.compile(r"\[\^[^\]]*\]")
_HOST = re.compile(r"^(?:[a-z]+:)?//([^/?#]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What an adapter makes of a document; the fields are those of `Contract`."""

    title: str
    version: str
    dialect: str
    format: str
    operations: tuple[Operation, ...]
    hosts: tuple[str, ...] = ()
    events: Mapping[str, Event] = field(default_factory=dict)
    schemes: Mapping[str, SecurityScheme] = field(default_factory=dict)
    virtual_hosts: tuple[str, ...] = ()
    telling: tuple[str, ...] = ()
    directional: bool = False
    notes: tuple[Finding, ...] = ()


class Reader:
    """Walks a document and follows its local references."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.notes: list[Finding] = []
        self._hosts: dict[str, None] = {}

    @property
    def hosts(self) -> tuple[str, ...]:
        """Patterns of the hosts it speaks of."""
        return tuple(self._hosts)

    def add_hosts(self, patterns: Iterable[str]) -> None:
        """Remember hosts."""
        self._hosts.update(dict.fromkeys(patterns))

    def resolve(self, node: Any, at: str) -> tuple[Any, str]:
        """What a node stands for, and where that is; a reference that leads nowhere is noted, and is None."""
        for _ in range(_MAX_HOPS):
            if not (isinstance(node, Mapping) and isinstance(node.get("$ref"), str)):
                return node, at
            target = of_reference(node["$ref"])
            found = MISSING if target is None else follow(self.document, target)
            if target is None or found is MISSING:
                self.notes.append(broken_reference(at, node["$ref"]))
                return None, at
            node, at = found, target
        self.notes.append(broken_reference(at, node.get("$ref")))
        return None, at

    def security(self, listed: Any) -> tuple[tuple[str, ...], ...]:
        """The alternatives of a security requirement."""
        if not isinstance(listed, list):
            return ()
        return tuple(tuple(map(str, each)) for each in listed if isinstance(each, Mapping))


def broken_reference(at: str, reference: object) -> Finding:
    """A reference that leads nowhere: what it stands for promises nothing."""
    return findings.make(
        "contract-reference",
        Severity.INFO,
        f"the contract refers to {str(reference)[:200]!r}, which is not in it",
        location=Location(contract_pointer=at),
        promised="a local reference to a part of the document; nothing is fetched",
        fix="nothing is checked there; tell the provider, or mend the document",
    )


def undefined_schemes(
    document: Mapping[str, Any], operations: Iterable[Operation], schemes: Mapping[str, SecurityScheme]
) -> Iterator[Finding]:
    """Security schemes that are asked for and that nobody defines: once for each place that names one."""
    told: dict[str, str] = {}
    for operation in operations:
        at = security_at(document, operation)
        for index, needed in enumerate(operation.security):
            told |= {join(at, index, name): name for name in needed if name not in schemes}
    for place, name in told.items():
        yield findings.make(
            "contract-reference",
            Severity.INFO,
            f"the contract asks for the security scheme {name[:200]!r}, which is not defined in it",
            location=Location(contract_pointer=place),
            promised="the name of a security scheme of the document",
            fix="no credential is judged by it; tell the provider, or mend the document",
        )


def security_at(document: Mapping[str, Any], operation: Operation) -> str:
    """Where an operation's security is said: by itself, or for all."""
    own = join(operation.pointer, "security")
    return "/security" if follow(document, own) is MISSING else own


def holds_slashes(node: Mapping[str, Any], schema: Any, document: Mapping[str, Any]) -> bool:
    """Whether a parameter of the path may hold slashes: it is marked so, or its pattern has them."""
    if node.get("x-multi-segment") is True:
        return True
    target = of_reference(schema.get("$ref")) if isinstance(schema, Mapping) else None
    schema = schema if target is None else follow(document, target)
    pattern = schema.get("pattern") if isinstance(schema, Mapping) else None
    return isinstance(pattern, str) and "(?!" not in pattern and "/" in _BESIDE_SLASHES.sub("", pattern)


def told_apart(operations: Iterable[Operation]) -> Iterator[Operation]:
    """Operations of one path and method, told apart by what one of them needs and the others do not know.

    So Azure's document has `?comp=block` and `?comp=block&fromURL`: the second needs `x-ms-copy-source`.
    """
    listed = list(operations)
    alike: dict[tuple[object, ...], list[Operation]] = {}
    for each in listed:
        alike.setdefault(_address(each), []).append(each)
    own = {key: _of_their_own(group) for key, group in alike.items() if len(group) > 1}
    for each in listed:
        selectors = own.get(_address(each), {})
        # One must be left for the requests that have none of it.
        yield (
            replace(each, selectors=(*each.selectors, *selectors[each.pointer]))
            if selectors and not all(selectors.values())
            else each
        )


def _address(operation: Operation) -> tuple[object, ...]:
    return operation.method, operation.path, operation.bases, operation.selectors


def _of_their_own(group: Iterable[Operation]) -> dict[str, tuple[Selector, ...]]:
    """What each needs that no other knows, by the pointer of the operation."""
    listed = list(group)
    known = Counter((p.place, p.name) for one in listed for p in one.parameters)
    return {
        one.pointer: tuple(
            Selector(place=p.place, name=p.name)
            for p in one.parameters
            if p.required and p.place in {"query", "header"} and known[p.place, p.name] == 1
        )
        for one in listed
    }


def hosts_of(url: str) -> list[str]:
    """A pattern for the host of a server's URL, its variables standing for anything; none if it has no host."""
    match = _HOST.match(url)
    if not match:
        return []
    host = match[1].rpartition("@")[2]
    if not host.startswith("{") or "}." in host:
        host = re.sub(r":(\d+|\{[^}]*\})$", "", host)
    parts = re.split(r"(\{[^{}]*\})", host.lower())
    pattern = "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in parts)
    return [] if pattern == "[^/]+" else [pattern]


def split_query(path: str) -> tuple[str, tuple[Selector, ...]]:
    """A path that has a query, as Azure's have, is a path and what must stand in the query.

    A name without a value there only tells two paths apart on paper.
    """
    template, mark, query = path.partition("?")
    if not mark or "{" in query:
        return (path if not mark else template), ()
    pairs = (pair.partition("=") for pair in query.split("&") if "=" in pair)
    return template, tuple(Selector(place="query", name=name, value=value) for name, _, value in pairs)
