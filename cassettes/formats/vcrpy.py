"""vcrpy, YAML and JSON: today's form, httpx's old one, that of before 1.0, and CumulusCI's includes.

Forms: vcr/serialize.py, vcr/migration.py and vcr/stubs/httpx_stubs.py of vcrpy 9.4; CumulusCI's
cumulusci/tests/pytest_plugins/pytest_sf_vcr_serializer.py and vcr_string_compressor.py.
"""

from __future__ import annotations

import re
from typing import Any

from cassettes import document as documents
from cassettes import shapes
from cassettes.bodies import message
from cassettes.document import Document
from cassettes.unreadable import Unreadable
from cassettes.yaml_tree import is_null, settled
from interlock.records import Interaction, Message, Source

SIDE_FIELD = "interlock"  # where our own recorder keeps what vcrpy's format has no field for

_REQUEST = frozenset({"method", "uri", "headers", "body", "protocol", "host", "port", "path"})
_RESPONSE = frozenset(
    {"status", "status_code", "http_version", "headers", "body", "content", "base64encoded", "protocol"}
)
_RECORD = frozenset({"request", "response", SIDE_FIELD})
_SHARED = ("shared_cassettes", "tests/shared_cassettes")
_TEMPLATES = tuple(f"{folder}/vcr_string_templates" for folder in _SHARED)
_PLACE = re.compile(r"\{([^:}]+)(?::(.*?))?\}")
_PORTS = {"http": 80, "https": 443}


def fits(document: Document) -> str | None:
    """The name of the form, by its shape."""
    if document.syntax not in {documents.JSON, documents.YAML}:
        return None
    name = f"vcrpy-{document.syntax}"
    tree = document.tree
    if isinstance(tree, dict):
        records = tree.get("interactions")
        if isinstance(records, list) and all(_is_record(each) for each in records[:1]):
            return name
        return name if _is_record(tree) and "include_file" not in tree else None
    old = isinstance(tree, list) and tree and isinstance(tree[0], dict) and tree[0].get("request")
    return name if isinstance(old, dict) and {"host", "path"} <= old.keys() else None


def _is_record(record: Any) -> bool:
    if not isinstance(record, dict):
        return False
    request = record.get("request")
    return "include_file" in record or (isinstance(request, dict) and "uri" in request)


def records(document: Document) -> list[Any]:
    """Its interactions, as they stand."""
    tree = document.tree
    if isinstance(tree, list):
        return tree
    found: list[Any] = tree.get("interactions", [tree])
    return found


def interaction(record: Any, source: Source, document: Document) -> Interaction:
    """One of them. Raises `Unreadable`."""
    record = shapes.mapping(record, "the interaction")
    if "include_file" in record:
        record = _included(record, document)
    asked = shapes.mapping(record.get("request"), "its request")
    answered = record.get("response")
    side = record.get(SIDE_FIELD)
    side = side if isinstance(side, dict) else {}
    status, response, told = _response(answered, side, document)
    return Interaction(
        source=source,
        method=shapes.text(asked.get("method"), "the request's method"),
        url=_url(asked),
        request=message(
            shapes.headers(asked.get("headers")),
            _body(asked.get("body"), document),
            document.budget,
            shapes.optional_text(side.get("request_body_state")),
        ),
        status=status,
        response=response,
        error=None,
        http_version=told.pop("http_version", None) or shapes.http_version(side.get("http_version")),
        recorded_at=shapes.moment(side.get("recorded_at")),
        elapsed_seconds=shapes.seconds(side.get("elapsed_seconds")),
        origin=shapes.optional_text(side.get("origin")),
        extras=shapes.joined(
            request=shapes.rest(asked, _REQUEST), response=told, **shapes.rest(record, _RECORD)
        )
        | _kept(side, told),
    )


def _kept(side: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """The extras that our own writer put aside, joined with what the response says."""
    kept = settled(side.get("extras"))
    if not isinstance(kept, dict):
        return {}
    response = kept.get("response")
    return kept | ({"response": response | told} if told and isinstance(response, dict) else {})


def _url(asked: Any) -> str:
    if "uri" in asked or "host" not in asked:
        return shapes.text(asked.get("uri"), "the request's URI")
    scheme = shapes.text(asked.get("protocol"), "the request's protocol")
    host = shapes.text(asked.get("host"), "the request's host")
    port = "" if str(asked.get("port", "")) in {"", str(_PORTS.get(scheme))} else f":{asked['port']}"
    return f"{scheme}://{host}{port}{asked.get('path', '')}"


def _response(
    answered: Any, side: dict[str, Any], document: Document
) -> tuple[int | None, Message | None, dict[str, Any]]:
    """Status, message, and what else it says."""
    if is_null(answered):
        return None, None, {}
    answered = shapes.mapping(answered, "its response")
    extras = shapes.rest(answered, _RESPONSE)
    if version := shapes.http_version(answered.get("http_version", answered.get("protocol"))):
        extras["http_version"] = version
    line = answered.get("status")
    if isinstance(line, dict):
        code = line.get("code")
        if reason := shapes.field(line.get("message")):
            extras["reason"] = reason
    else:
        code = answered.get("status_code", line)
    found = message(
        shapes.headers(answered.get("headers")),
        _content(answered, document),
        document.budget,
        shapes.optional_text(side.get("response_body_state")),
    )
    return shapes.status(code), found, extras


def _content(answered: Any, document: Document) -> bytes | None:
    if "content" in answered:  # httpx's old form
        if answered.get("base64encoded") in {True, "true"}:
            return shapes.from_base64(answered["content"], "the response's content")
        return shapes.body(answered["content"])
    body = answered.get("body")
    if isinstance(body, dict) and "string" in body:
        body = body["string"]
        return shapes.encoded(body) if body.__class__ is str else _body(body, document)
    if isinstance(body, dict) and "base64_string" in body:
        return shapes.tagged_body(body)
    return _body(body, document)


def _body(value: Any, document: Document) -> bytes | None:
    """A body in any of the ways in which vcrpy has kept one: text, bytes, a pickled buffer, an iterator."""
    if isinstance(value, dict):
        if "include_template" in value:
            return _filled(value, document)
        if isinstance(value.get("state"), list):
            return shapes.body(value["state"][0] if value["state"] else b"")
        if isinstance(value.get("args"), list):
            value = value["args"][0] if value["args"] else []
    if isinstance(value, list) and all(isinstance(part, str | bytes) for part in value):
        return b"".join(shapes.body(part) or b"" for part in value)
    return shapes.body(value)


def _included(record: Any, document: Document) -> Any:
    """The interaction that stands in a file of its own."""
    name = shapes.text(record["include_file"], "the name of its include file")
    if name not in document.included:
        path = document.beside(name, *_SHARED)
        if path is None:
            raise Unreadable(f"includes the file {name}, which is not there")
        try:
            tree = documents.parse(path, documents.read_bytes(path)).tree
        except Unreadable as exc:
            raise Unreadable(f"includes the file {name}, which {exc.reason}") from exc
        if not _is_record(tree) or "include_file" in tree:
            raise Unreadable(f"includes the file {name}, which holds no interaction")
        document.included[name] = tree
    return document.included[name]


def _filled(value: Any, document: Document) -> bytes | None:
    """A body that is a template with values; None, and a loss, where the template is not there."""
    name = shapes.text(value["include_template"], "the name of its template")
    if name not in document.included:
        path = document.beside(name, *_TEMPLATES, "vcr_string_templates")
        document.included[name] = documents.read_bytes(path).decode() if path else None
    template = document.included[name]
    if template is None:
        document.lost.append(f"the template {name} of a body is not there")
        return None
    values = shapes.mapping(value.get("vars") or {}, "the template's values")

    def fill(place: re.Match[str]) -> str:
        return shapes.field(values.get(place[1], place[2] or ""))

    return _PLACE.sub(fill, template).encode()
