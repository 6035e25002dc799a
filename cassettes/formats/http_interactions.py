"""Ruby VCR, YAML and JSON, and betamax, which took over its form. Ruby's own tags are inert data.

Forms: lib/vcr/structs.rb of vcr; src/betamax/util.py of betamax.
"""

from __future__ import annotations

from typing import Any

from cassettes import shapes
from cassettes.bodies import message
from cassettes.document import Document
from interlock.records import Interaction, Source

_REQUEST = frozenset({"method", "uri", "headers", "body"})
_RESPONSE = frozenset({"status", "status_code", "headers", "body", "http_version"})
_RECORD = frozenset({"request", "response", "recorded_at"})


def fits(document: Document) -> str | None:
    """Which of the two it is: by who says to have recorded it, else betamax keeps the response's URL."""
    tree = document.tree
    if not isinstance(tree, dict) or not isinstance(tree.get("http_interactions"), list):
        return None
    by = str(tree.get("recorded_with", ""))
    if by.startswith("betamax"):
        return f"betamax-{document.syntax}"
    first = tree["http_interactions"][0] if tree["http_interactions"] else None
    response = first.get("response") if isinstance(first, dict) else None
    if not by.startswith("VCR") and isinstance(response, dict) and "url" in response:
        return f"betamax-{document.syntax}"
    return f"ruby-vcr-{document.syntax}"


def records(document: Document) -> list[Any]:
    """Its interactions, as they stand."""
    found: list[Any] = document.tree["http_interactions"]
    return found


def interaction(record: Any, source: Source, document: Document) -> Interaction:
    """One of them. Raises `Unreadable`."""
    record = shapes.mapping(record, "the interaction")
    asked = shapes.mapping(record.get("request"), "its request")
    answered = shapes.mapping(record.get("response"), "its response")
    line = answered.get("status")
    line = line if isinstance(line, dict) else {"code": answered.get("status_code", line)}
    return Interaction(
        source=source,
        method=shapes.text(asked.get("method"), "the request's method").lstrip(":").upper(),
        url=shapes.text(asked.get("uri"), "the request's URI"),
        request=message(
            shapes.headers(asked.get("headers")), shapes.tagged_body(asked.get("body")), document.budget
        ),
        status=shapes.status(line.get("code")),
        response=message(
            shapes.headers(answered.get("headers")), shapes.tagged_body(answered.get("body")), document.budget
        ),
        error=None,
        http_version=shapes.http_version(answered.get("http_version")),
        recorded_at=shapes.moment(record.get("recorded_at")),
        elapsed_seconds=None,
        origin=None,
        extras=shapes.joined(
            request=shapes.rest(asked, _REQUEST) | _body_extras(asked),
            response=shapes.rest(answered, _RESPONSE)
            | shapes.joined(reason=shapes.field(line.get("message")))
            | _body_extras(answered),
            **shapes.rest(record, _RECORD),
        ),
    )


def _body_extras(side: Any) -> dict[str, Any]:
    """What a body says beside its content, such as its encoding."""
    body = side.get("body")
    found = shapes.rest(body, {"string", "base64_string"}) if isinstance(body, dict) else {}
    return {"body": found} if found else {}
