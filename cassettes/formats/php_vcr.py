"""PHP-VCR, YAML and JSON (src/VCR/Request.php and Response.php)."""

from __future__ import annotations

from typing import Any

from cassettes import document as documents
from cassettes import shapes
from cassettes.bodies import Headers, message
from cassettes.document import Document
from interlock.records import Interaction, Source

_REQUEST = frozenset({"method", "url", "headers", "body"})
_RESPONSE = frozenset({"status", "headers", "body"})
_RECORD = frozenset({"request", "response"})


def fits(document: Document) -> str | None:
    """The name of the form, by its shape: a bare list whose responses have a `status`."""
    tree = document.tree
    if document.syntax not in {documents.YAML, documents.JSON} or not isinstance(tree, list) or not tree:
        return None
    first = tree[0] if isinstance(tree[0], dict) else {}
    request: Any = first.get("request")
    response: Any = first.get("response")
    fitting = isinstance(request, dict) and isinstance(response, dict)
    return f"php-vcr-{document.syntax}" if fitting and "url" in request and "status" in response else None


def records(document: Document) -> list[Any]:
    """Its interactions, as they stand."""
    found: list[Any] = document.tree
    return found


def interaction(record: Any, source: Source, document: Document) -> Interaction:
    """One of them. Raises `Unreadable`."""
    record = shapes.mapping(record, "the interaction")
    asked = shapes.mapping(record.get("request"), "its request")
    answered = shapes.mapping(record.get("response"), "its response")
    line = answered.get("status")
    line = line if isinstance(line, dict) else {"code": line}
    headers = shapes.headers(answered.get("headers"))
    content = answered.get("body")
    body = shapes.from_base64(content, "its body") if content and _binary(headers) else shapes.body(content)
    return Interaction(
        source=source,
        method=shapes.text(asked.get("method"), "the request's method"),
        url=shapes.text(asked.get("url"), "the request's URL"),
        request=message(
            shapes.headers(asked.get("headers")), shapes.body(asked.get("body")), document.budget
        ),
        status=shapes.status(line.get("code")),
        response=message(headers, body, document.budget),
        error=None,
        http_version=shapes.http_version(line.get("http_version")),
        recorded_at=None,
        elapsed_seconds=None,
        origin=None,
        extras=shapes.joined(
            request=shapes.rest(asked, _REQUEST),
            response=shapes.rest(answered, _RESPONSE)
            | shapes.joined(reason=shapes.field(line.get("message"))),
            **shapes.rest(record, _RECORD),
        ),
    )


def _binary(headers: Headers) -> bool:
    """Whether the body was written as base64: php-vcr tells by two headers."""
    named = {name.lower(): value for name, value in headers}
    return "application/x-gzip" in named.get("content-type", "") or (
        named.get("content-transfer-encoding") == "binary"
    )
