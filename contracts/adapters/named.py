"""References by name in OpenAPI 3.1 made references by place, within the document; nothing is fetched.

`$id` is a base for what stands in its schema, `$anchor` and `$dynamicAnchor` are names in it (JSON Schema 2020-12,
core, 8.2). What leads to no place of the document stays as it is, and is told where it is met.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urldefrag, urljoin

from contracts.pointers import MISSING, follow, join

_NAMES = re.compile(rb"\$(?:id|anchor|dynamicAnchor|dynamicRef)\b")
# What looks like a schema there is none.
_DATA = frozenset({"example", "examples", "default", "const", "enum"})
_MAPS = frozenset((  # whose keys are names that somebody chose
    "properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "schemas", "responses", "headers",
    "parameters", "requestBodies", "callbacks", "links", "pathItems", "webhooks", "content",
))  # fmt: skip
_PLAIN = "/~!$&'()*+,;=:@?"  # what stands in a fragment as it is (RFC 3986, 3.5)


@dataclass(frozen=True, slots=True)
class _Place:
    """An object of the document. `base`: the URI of the resource that it belongs to; empty for the document's own."""

    node: dict[str, Any]
    at: str
    base: str


def settle(document: dict[str, Any], data: bytes) -> None:
    """Rewrite such references of a document in place. `data`: its bytes, looked into first."""
    version = str(document.get("openapi", ""))
    if not version.startswith("3.") or version.startswith("3.0") or not _NAMES.search(data):
        return
    places = list(_places(document))
    resources, anchors = _resources(places), _anchors(places)
    for place in places:
        node = place.node
        if "$dynamicRef" in node and "$ref" not in node:
            node["$ref"] = node.pop("$dynamicRef")  # the same, unless something outer is its anchor, too
        told = node.get("$ref")
        target = _target(document, place.base, told, resources, anchors) if isinstance(told, str) else None
        if target is not None:
            node["$ref"] = f"#{quote(target, safe=_PLAIN)}"
    for place in places:
        if _named(place.node):
            del place.node["$id"]  # its references count from the whole document now


def _places(document: dict[str, Any]) -> Iterator[_Place]:
    """Every object of the document that may be a schema, the outer ones first."""
    ahead: list[tuple[Any, str, str, bool]] = [(document, "", "", False)]
    while ahead:
        node, at, base, named = ahead.pop()
        if isinstance(node, dict):
            if not named:
                base = _base(node, base)
                yield _Place(node, at, base)
            inner = ((key, each) for key, each in node.items() if named or key not in _DATA)
            ahead += [(each, join(at, key), base, not named and key in _MAPS) for key, each in inner]
        elif isinstance(node, list):
            ahead += [(each, join(at, index), base, False) for index, each in enumerate(node)]


def _base(node: Mapping[str, Any], base: str) -> str:
    return urldefrag(_joined(base, told)).url if (told := _named(node)) else base


def _named(node: Mapping[str, Any]) -> str:
    """The `$id` of a resource; empty where an object is none."""
    told = node.get("$id")
    return told if isinstance(told, str) and not told.startswith("#") else ""


def _joined(base: str, reference: str) -> str:
    if reference.startswith("#"):  # `urljoin` knows the bases of a few schemes alone
        return f"{base}{reference}"
    try:
        return urljoin(base, reference)
    except ValueError:
        return reference


def _resources(places: list[_Place]) -> dict[str, str]:
    """The place of each resource by its URI; empty where two have one, and nobody knows which is meant."""
    found: dict[str, str] = {}
    for place in places:
        if _named(place.node):
            found[place.base] = place.at if place.base not in found else ""
    return found


def _anchors(places: list[_Place]) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for place in places:
        names = [place.node.get("$anchor"), place.node.get("$dynamicAnchor")]
        for name in dict.fromkeys(each for each in names if isinstance(each, str)):
            key = (place.base, name)
            found[key] = place.at if key not in found else ""
    return found


def _target(
    document: dict[str, Any],
    base: str,
    reference: str,
    resources: Mapping[str, str],
    anchors: Mapping[tuple[str, str], str],
) -> str | None:
    """The place that a reference leads to; None where it is the document's own already, or leads nowhere."""
    uri, fragment = urldefrag(_joined(base, reference))
    if fragment and not fragment.startswith("/"):
        return anchors.get((uri, unquote(fragment))) or None
    resource = resources.get(uri)
    if not resource:
        return None
    target = resource + unquote(fragment)
    return None if follow(document, target) is MISSING else target
