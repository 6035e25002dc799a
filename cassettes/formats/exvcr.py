"""ExVCR (lib/exvcr/json.ex), with bodies that Erlang wrote as terms, and errors in the place of answers."""

from __future__ import annotations

import zlib
from typing import Any

from cassettes import document as documents
from cassettes import shapes
from cassettes.bodies import MAX_BODY_BYTES, message
from cassettes.document import Document
from cassettes.unreadable import Unreadable
from interlock.records import Interaction, Source

_REQUEST = frozenset({"method", "url", "headers", "body", "request_body"})
_RESPONSE = frozenset({"status_code", "headers", "body", "binary", "type"})
_RECORD = frozenset({"request", "response"})
_TERM, _BINARY, _PACKED = 131, 109, 80  # of Erlang's external term format


def fits(document: Document) -> str | None:
    """The name of the form, by its shape: a bare list whose responses have a `status_code`."""
    tree = document.tree
    if document.syntax != documents.JSON or not isinstance(tree, list) or not tree:
        return None
    first = tree[0] if isinstance(tree[0], dict) else {}
    request: Any = first.get("request")
    response: Any = first.get("response")
    fitting = isinstance(request, dict) and isinstance(response, dict) and "url" in request
    return (
        "exvcr-json" if fitting and ("status_code" in response or response.get("type") == "error") else None
    )


def records(document: Document) -> list[Any]:
    """Its interactions, as they stand."""
    found: list[Any] = document.tree
    return found


def interaction(record: Any, source: Source, document: Document) -> Interaction:
    """One of them. Raises `Unreadable`."""
    record = shapes.mapping(record, "the interaction")
    asked = shapes.mapping(record.get("request"), "its request")
    answered = shapes.mapping(record.get("response"), "its response")
    failed = answered.get("type") == "error"
    code, version, reason = _status_line(answered.get("status_code"))
    response = None
    if not failed:
        headers = shapes.headers(answered.get("headers"))
        response = message(headers, _body(answered), document.budget)
    sent = asked.get("request_body") or asked.get("body")
    return Interaction(
        source=source,
        method=shapes.text(asked.get("method"), "the request's method").upper(),
        url=shapes.text(asked.get("url"), "the request's URL"),
        request=message(shapes.headers(asked.get("headers")), shapes.body(sent), document.budget),
        status=None if failed else shapes.status(code),
        response=response,
        error=(shapes.optional_text(answered.get("body")) or "the request failed") if failed else None,
        http_version=shapes.http_version(version),
        recorded_at=None,
        elapsed_seconds=None,
        origin=None,
        extras=shapes.joined(
            request=shapes.rest(asked, _REQUEST),
            response=shapes.rest(answered, _RESPONSE) | shapes.joined(reason=reason),
            **shapes.rest(record, _RECORD),
        ),
    )


def _status_line(value: Any) -> tuple[Any, Any, Any]:
    """Code, version and reason; httpc's adapter keeps all three."""
    if isinstance(value, list) and len(value) == 3:  # noqa: PLR2004 - version, code, reason
        return value[1], value[0], value[2]
    return value, None, None


def _body(answered: Any) -> bytes | None:
    body = answered.get("body")
    if answered.get("binary") is not True or not isinstance(body, str):
        return shapes.body(body)
    term = shapes.from_base64(body, "its body")
    if term[:2] == bytes((_TERM, _PACKED)):
        size = int.from_bytes(term[2:6], "big")
        if size > MAX_BODY_BYTES:
            raise Unreadable("its body is too large")
        try:
            term = bytes((_TERM,)) + zlib.decompressobj().decompress(term[6:], size or 1)
        except zlib.error:
            raise Unreadable("its body is not an Erlang term") from None
    if term[:2] != bytes((_TERM, _BINARY)):
        raise Unreadable("its body is not an Erlang binary")
    size = int.from_bytes(term[2:6], "big")
    if len(term) - 6 < size:
        raise Unreadable("its body ends early")
    return term[6 : 6 + size]
