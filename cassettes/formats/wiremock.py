"""WireMock mappings: what a request must be like, and what is answered (wiremock.org/docs/stubbing).

A mapping names no host, and its body may stand in a file of `__files` beside `mappings`.
"""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlencode

from cassettes import document as documents
from cassettes import shapes
from cassettes.bodies import Headers, message
from cassettes.document import Document
from cassettes.unreadable import Unreadable
from interlock.records import Interaction, Source

_PLACES = ("url", "urlPath", "urlPathTemplate", "urlPattern", "urlPathPattern")
_REQUEST = frozenset({"method", "url", "urlPath", "headers", "queryParameters", "bodyPatterns"})
_RESPONSE = frozenset(
    {"status", "statusMessage", "headers", "body", "jsonBody", "base64Body", "bodyFileName", "fault"}
)
_RECORD = frozenset({"request", "response"})


def fits(document: Document) -> str | None:
    """The name of the form, by its shape: one mapping, or a list of them under `mappings`."""
    tree = document.tree
    if document.syntax != documents.JSON or not isinstance(tree, dict):
        return None
    found = tree.get("mappings")
    several = isinstance(found, list) and (not found or _is_mapping(found[0]))
    return "wiremock" if several or _is_mapping(tree) else None


def _is_mapping(tree: Any) -> bool:
    request, response = (tree.get("request"), tree.get("response")) if isinstance(tree, dict) else (0, 0)
    return (
        isinstance(request, dict)
        and isinstance(response, dict)
        and "uri" not in request
        and (any(place in request for place in _PLACES) or {"id", "uuid", "name"} & tree.keys() != set())
    )


def records(document: Document) -> list[Any]:
    """Its mappings, as they stand."""
    found: list[Any] = document.tree.get("mappings", [document.tree])
    return found


def interaction(record: Any, source: Source, document: Document) -> Interaction:
    """One of them. Raises `Unreadable`."""
    record = shapes.mapping(record, "the mapping")
    asked = shapes.mapping(record.get("request"), "its request")
    answered = shapes.mapping(record.get("response"), "its response")
    fields, other_fields = _exact(asked.get("headers"))
    query, other_query = _exact(asked.get("queryParameters"))
    sent, other_body = _sent(asked.get("bodyPatterns"))
    place = next((shapes.field(asked[name]) for name in _PLACES if name in asked), "")
    fault = shapes.optional_text(answered.get("fault"))
    return Interaction(
        source=source,
        method=shapes.optional_text(asked.get("method")) or "ANY",
        url=place + (("&" if "?" in place else "?") + urlencode(query) if query else ""),
        request=message(fields, sent, document.budget),
        status=None if fault else shapes.status(answered.get("status", 200)),
        response=None
        if fault
        else message(shapes.headers(answered.get("headers")), _answered(answered, document), document.budget),
        error=fault,
        http_version=None,
        recorded_at=None,
        elapsed_seconds=None,
        origin=None,
        extras=shapes.joined(
            request=shapes.rest(asked, _REQUEST)
            | shapes.joined(headers=other_fields, queryParameters=other_query, bodyPatterns=other_body),
            response=shapes.rest(answered, _RESPONSE)
            | shapes.joined(reason=answered.get("statusMessage"), bodyFileName=answered.get("bodyFileName")),
            **shapes.rest(record, _RECORD),
        ),
    )


def _exact(value: Any) -> tuple[Headers, dict[str, Any]]:
    """What must be equal to something, as pairs; and the other conditions, as they stand."""
    exact: list[tuple[str, str]] = []
    others: dict[str, Any] = {}
    for name, condition in (value if isinstance(value, dict) else {}).items():
        if isinstance(condition, dict) and isinstance(condition.get("equalTo"), str):
            exact.append((name, condition["equalTo"]))
            condition = {key: item for key, item in condition.items() if key != "equalTo"}  # noqa: PLW2901
        if condition:
            others[name] = condition
    return tuple(exact), others


def _sent(patterns: Any) -> tuple[bytes | None, list[Any]]:
    """The body that a request must have, where one condition says it whole; and the other conditions."""
    body: bytes | None = None
    others: list[Any] = []
    for pattern in patterns if isinstance(patterns, list) else []:
        if not isinstance(pattern, dict) or body is not None:
            others.append(pattern)
            continue
        known = next((name for name in ("equalTo", "equalToJson", "binaryEqualTo") if name in pattern), None)
        if known is None:
            others.append(pattern)
            continue
        given = pattern[known]
        body = shapes.from_base64(given, "its body") if known == "binaryEqualTo" else shapes.body(given)
        if left := {key: item for key, item in pattern.items() if key != known}:
            others.append(left)
    return body, others


def _answered(answered: Any, document: Document) -> bytes | None:
    if "jsonBody" in answered:
        return json.dumps(answered["jsonBody"], ensure_ascii=False).encode("utf-8", "surrogatepass")
    if "base64Body" in answered:
        return shapes.from_base64(answered["base64Body"], "its body")
    if "bodyFileName" in answered:
        return _file(shapes.text(answered["bodyFileName"], "the name of its body's file"), document)
    return shapes.body(answered.get("body"))


def _file(name: str, document: Document) -> bytes | None:
    """A body from `__files`; None, and a loss, where it is not there. Nothing outside is read."""
    wanted = PurePosixPath(name)
    if wanted.is_absolute() or ".." in wanted.parts:
        raise Unreadable(f"names a file outside __files: {name[:60]!r}")
    start = document.path.absolute().parent
    for folder in [start, *start.parents][:4]:
        files = folder / "__files"
        path = files / Path(*wanted.parts)
        if path.is_file() and path.resolve().is_relative_to(files.resolve()):
            return documents.read_bytes(path)
    document.lost.append(f"the file __files/{name} with a body is not there")
    return None
