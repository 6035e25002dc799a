"""HAR 1.2, as browsers and proxies save it, and Polly.JS, which keeps its recordings in it.

Form: http://www.softwareishard.com/blog/har-12-spec/; a HAR keeps bodies without their compression.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any
from urllib.parse import urlencode

from cassettes import document as documents
from cassettes import shapes
from cassettes.bodies import message
from cassettes.document import Document
from interlock.records import Interaction, Message, Source

_REQUEST = frozenset({"method", "url", "headers", "httpVersion"})
_RESPONSE = frozenset({"status", "statusText", "headers", "content", "httpVersion"})
_CONTENT = frozenset({"text"})
_ENTRY = frozenset({"request", "response", "startedDateTime", "time"})


def fits(document: Document) -> str | None:
    """The name of the form, by its shape and its creator."""
    tree = document.tree
    log = tree.get("log") if isinstance(tree, dict) and document.syntax == documents.JSON else None
    if not isinstance(log, dict) or not isinstance(log.get("entries"), list):
        return None
    creator = log.get("creator")
    name = creator.get("name") if isinstance(creator, dict) else None
    return "polly-har" if name == "Polly.JS" or "_recordingName" in log else "har"


def records(document: Document) -> list[Any]:
    """Its entries, as they stand."""
    found: list[Any] = document.tree["log"]["entries"]
    return found


def interaction(record: Any, source: Source, document: Document) -> Interaction:
    """One of them. Raises `Unreadable`."""
    record = shapes.mapping(record, "the entry")
    asked = shapes.mapping(record.get("request"), "its request")
    answered = shapes.mapping(record.get("response"), "its response")
    post = asked.get("postData")
    code, response, error = _response(answered, document)
    content = answered.get("content")
    return Interaction(
        source=source,
        method=shapes.text(asked.get("method"), "the request's method"),
        url=shapes.text(asked.get("url"), "the request's URL"),
        request=message(shapes.headers(asked.get("headers")), _posted(post), document.budget),
        status=code,
        response=response,
        error=error,
        http_version=shapes.http_version(answered.get("httpVersion"))
        or shapes.http_version(asked.get("httpVersion")),
        recorded_at=shapes.moment(record.get("startedDateTime")),
        elapsed_seconds=shapes.seconds(record.get("time"), 1000),
        origin=None,
        extras=shapes.joined(
            request=shapes.rest(asked, _REQUEST | {"postData"})
            | shapes.joined(postData=shapes.rest(post, _CONTENT) if isinstance(post, dict) else None),
            response=shapes.rest(answered, _RESPONSE)
            | shapes.joined(
                reason=answered.get("statusText"),
                content=shapes.rest(content, _CONTENT) if isinstance(content, dict) else None,
            ),
            **shapes.rest(record, _ENTRY),
        ),
    )


def _posted(post: Any) -> bytes | None:
    """What was sent; a form that was kept as fields is written as a form again."""
    if not isinstance(post, dict):
        return None
    if post.get("text") is not None:
        encoded = post.get("encoding") == "base64"
        return shapes.from_base64(post["text"], "its post data") if encoded else shapes.body(post["text"])
    fields = post.get("params")
    if not isinstance(fields, list) or "urlencoded" not in str(post.get("mimeType")):
        return None
    pairs = [
        (shapes.field(f.get("name")), shapes.field(f.get("value"))) for f in fields if isinstance(f, dict)
    ]
    return urlencode(pairs).encode()


def _response(answered: Any, document: Document) -> tuple[int | None, Message | None, str | None]:
    """Status, message and error; a status of 0 says that there was no answer."""
    error = shapes.optional_text(answered.get("_error"))
    if answered.get("status") in {0, None, "0", -1}:
        return None, None, error or shapes.optional_text(answered.get("statusText")) or "there was no answer"
    content = answered.get("content")
    body = _content(content) if isinstance(content, dict) else None
    return (
        shapes.status(answered["status"]),
        message(shapes.headers(answered.get("headers")), body, document.budget),
        error,
    )


def _content(content: Any) -> bytes | None:
    text = content.get("text")
    if text is None:
        # A saver that leaves contents out says how large they were.
        return b"" if content.get("size") == 0 else None
    if content.get("encoding") == "base64":
        return _chunks(text) if str(text).startswith("[") else shapes.from_base64(text, "its content")
    if content.get("_isBinary") and str(text).startswith("["):
        return _chunks(text)
    return shapes.body(text)


def _chunks(text: str) -> bytes:
    """A packed body of Polly's: a JSON list of the chunks as they came, each base64 or, before 6.0, hex."""
    try:
        parts = json.loads(text)
        return b"".join(_chunk(part) for part in parts)
    except (ValueError, TypeError, binascii.Error):
        return shapes.encoded(text)


def _chunk(part: str) -> bytes:
    try:
        return bytes.fromhex(part)
    except ValueError:
        return base64.b64decode(part, validate=True)
