"""go-vcr, of all three major versions of the library: formats 1 and 2 (pkg/cassette/cassette.go)."""

from __future__ import annotations

from typing import Any

from cassettes import document as documents
from cassettes import shapes
from cassettes.bodies import message
from cassettes.document import Document
from cassettes.yaml_tree import settled
from interlock.records import Interaction, Source

_REQUEST = frozenset({"method", "url", "headers", "body", "proto"})
_RESPONSE = frozenset({"status", "code", "headers", "body", "proto", "duration"})
_RECORD = frozenset({"request", "response"})


def fits(document: Document) -> str | None:
    """The name of the form, by its shape: its requests have a `url` where vcrpy's have a `uri`."""
    tree = document.tree
    if document.syntax not in {documents.YAML, documents.JSON} or not isinstance(tree, dict):
        return None
    version, found = settled(tree.get("version")), tree.get("interactions")
    if not isinstance(found, list):
        return None
    if not found:
        return "go-vcr-v2" if version == 2 else None  # noqa: PLR2004 - vcrpy's version is 1
    request = found[0].get("request") if isinstance(found[0], dict) else None
    if not isinstance(request, dict) or "url" not in request or "uri" in request:
        return None
    return f"go-vcr-v{version if version in {1, 2} else 2}"


def records(document: Document) -> list[Any]:
    """Its interactions, as they stand."""
    found: list[Any] = document.tree["interactions"]
    return found


def interaction(record: Any, source: Source, document: Document) -> Interaction:
    """One of them. Raises `Unreadable`."""
    record = shapes.mapping(record, "the interaction")
    asked = shapes.mapping(record.get("request"), "its request")
    answered = shapes.mapping(record.get("response"), "its response")
    reason = (shapes.optional_text(answered.get("status")) or "").partition(" ")[2]
    return Interaction(
        source=source,
        method=shapes.optional_text(asked.get("method")) or "GET",  # as Go's http.Request has it
        url=shapes.text(asked.get("url"), "the request's URL"),
        request=message(
            shapes.headers(asked.get("headers")), shapes.body(asked.get("body")), document.budget
        ),
        status=shapes.status(answered.get("code")),
        response=message(
            shapes.headers(answered.get("headers")), shapes.body(answered.get("body")), document.budget
        ),
        error=None,
        http_version=shapes.http_version(answered.get("proto")),
        recorded_at=None,
        elapsed_seconds=shapes.go_duration(answered.get("duration")),
        origin=None,
        extras=shapes.joined(
            request=shapes.rest(asked, _REQUEST) | shapes.joined(proto=asked.get("proto")),
            response=shapes.rest(answered, _RESPONSE) | shapes.joined(reason=reason),
            **shapes.rest(record, _RECORD),
        ),
    )
