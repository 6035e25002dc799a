"""PyGithub's replay files: ten lines an exchange, headers as Python literals (tests/Framework.py)."""

from __future__ import annotations

import ast
import re
from typing import Any

from cassettes import document as documents
from cassettes import shapes
from cassettes.bodies import message
from cassettes.document import Document
from cassettes.unreadable import Unreadable
from interlock.records import Interaction, Source

LINES = 10  # protocol, verb, host, port, path, headers, input; status, headers, output
_MAX_LITERAL = 64 * 1024
_METHOD = re.compile(r"[A-Z]{3,10}")
_BYTES = re.compile(r"b(['\"]).*\1\Z", re.DOTALL)


def fits(document: Document) -> str | None:
    """The name of the form: text that begins with a protocol and a verb."""
    if document.syntax != documents.TEXT:
        return None
    lines = document.tree.split("\n", 7)
    fitting = len(lines) > 6 and _METHOD.fullmatch(lines[1].strip()) and lines[4].startswith("/")  # noqa: PLR2004
    return "pygithub-replay" if fitting else None


def records(document: Document) -> list[Any]:
    """The lines of each exchange, and the number of the first."""
    found: list[tuple[int, list[str]]] = []
    lines = [line.strip() for line in document.tree.split("\n")]
    at = 0
    while at < len(lines):
        if not lines[at]:
            at += 1
            continue
        found.append((at + 1, lines[at : at + LINES]))
        at += LINES
    return list(found)


def interaction(record: Any, source: Source, document: Document) -> Interaction:
    """One of them. Raises `Unreadable`."""
    _, lines = record
    if len(lines) < LINES:
        raise Unreadable(f"ends after {len(lines)} of {LINES} lines")
    scheme, verb, host, port, path, sent_headers, sent, code, got_headers, got = lines
    if scheme not in {"http", "https"} or not _METHOD.fullmatch(verb):
        raise Unreadable("does not begin with a protocol and a verb")
    where = host if port in {"None", ""} else f"{host}:{port}"
    return Interaction(
        source=source,
        method=verb,
        url=path if path.startswith(("http://", "https://")) else f"{scheme}://{where}{path}",
        request=message(
            shapes.headers(_literal(sent_headers)), None if sent == "None" else _output(sent), document.budget
        ),
        status=shapes.status(code),
        response=message(shapes.headers(_literal(got_headers)), _output(got), document.budget),
        error=None,
        http_version=None,
        recorded_at=None,
        elapsed_seconds=None,
        origin=None,
    )


def _literal(text: str) -> Any:
    """A dict, or a list of pairs, as Python prints it. Nothing in it can be executed."""
    if len(text) > _MAX_LITERAL:
        raise Unreadable("its headers are too long")
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise Unreadable("its headers are not a Python literal") from None
    if isinstance(value, list):
        return [list(each) if isinstance(each, tuple) else each for each in value]
    return value


def _output(text: str) -> bytes:
    """A body's one line; bytes were written as Python prints them."""
    if _BYTES.fullmatch(text) and len(text) <= _MAX_LITERAL:
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return shapes.encoded(text)
        return value if isinstance(value, bytes) else shapes.encoded(text)
    return shapes.encoded(text)
