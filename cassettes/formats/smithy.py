"""smithy-rs' DVR: events of connections, from which exchanges are put together (aws-smithy-http-client, dvr)."""

from __future__ import annotations

from typing import Any

from cassettes import document as documents
from cassettes import shapes
from cassettes.bodies import TRUNCATED, message
from cassettes.document import Document
from interlock.records import Interaction, Source

_REQUEST = frozenset({"uri", "method", "headers", "version"})
_RESPONSE = frozenset({"status", "headers", "version"})


def fits(document: Document) -> str | None:
    """The name of the form, by its shape: a list of events with actions."""
    tree = document.tree
    events = tree.get("events") if isinstance(tree, dict) and document.syntax == documents.JSON else None
    if not isinstance(events, list) or not all(isinstance(each, dict) for each in events[:1]):
        return None
    return "smithy-dvr" if (events and "action" in events[0]) or (not events and "version" in tree) else None


def records(document: Document) -> list[Any]:
    """One for each request, with all that followed it on its connection."""
    found: list[dict[str, Any]] = []
    current: dict[Any, dict[str, Any]] = {}
    for event in document.tree["events"]:
        event = shapes.mapping(event, "an event")  # noqa: PLW2901 - the same, checked
        number = event.get("connection_id")
        for kind, detail in shapes.mapping(event.get("action"), "an event's action").items():
            if kind == "Request":
                current[number] = {"Request": detail, "sent": [], "got": [], "Response": None, "ends": {}}
                current[number]["connection_id"] = number
                found.append(current[number])
            elif number in current:
                _follow(current[number], kind, shapes.mapping(detail, f"a {kind} event"))
    return list(found)


def _follow(record: dict[str, Any], kind: str, detail: Any) -> None:
    mine = detail.get("direction") == "Request"
    if kind == "Response":
        record["Response"] = detail.get("response")
    elif kind == "Data":
        data = shapes.mapping(detail.get("data"), "an event's data")
        part = (
            shapes.from_base64(data["Base64"], "an event's data")
            if "Base64" in data
            else shapes.body(data.get("Utf8"))
        )
        record["sent" if mine else "got"].append(part or b"")
    elif kind == "Eof":
        record["ends"]["sent" if mine else "got"] = detail.get("ok") is True


def interaction(record: Any, source: Source, document: Document) -> Interaction:
    """One of them. Raises `Unreadable`."""
    asked = shapes.mapping(record["Request"], "its request")
    asked = shapes.mapping(asked.get("request"), "its request")
    outcome = record["Response"] if isinstance(record["Response"], dict) else {}
    answered = outcome.get("Ok")
    response, code, error = None, None, None
    if isinstance(answered, dict):
        code = shapes.status(answered.get("status"))
        response = message(shapes.headers(answered.get("headers")), *_body(record, "got", document))
    else:
        error = shapes.optional_text(outcome.get("Err")) if outcome else None
        error = error or "no answer is recorded"
    return Interaction(
        source=source,
        method=shapes.text(asked.get("method"), "the request's method"),
        url=shapes.text(asked.get("uri"), "the request's URI"),
        request=message(shapes.headers(asked.get("headers")), *_body(record, "sent", document)),
        status=code,
        response=response,
        error=error,
        http_version=shapes.http_version((answered or {}).get("version")),
        recorded_at=None,
        elapsed_seconds=None,
        origin=None,
        extras=shapes.joined(
            request=shapes.rest(asked, _REQUEST),
            response=shapes.rest(answered, _RESPONSE) if isinstance(answered, dict) else None,
            connection_id=record["connection_id"],
        ),
    )


def _body(record: Any, side: str, document: Document) -> tuple[bytes | None, Any, str | None]:
    """The body, and its state where the recording says that it broke off; absent where nothing was recorded."""
    whole = record["ends"].get(side)
    if not record[side] and whole is None:
        return None, document.budget, None
    return b"".join(record[side]), document.budget, TRUNCATED if whole is False else None
