"""The parts of a multipart/form-data body (RFC 7578, RFC 2046): their fields, and what media type each says."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^";\s]+))', re.IGNORECASE)
_DISPOSITION = re.compile(r"^content-disposition:[ \t]*[^;\r\n]*(.*)$", re.IGNORECASE | re.MULTILINE)
_PARAMETER = re.compile(r';\s*([\w*-]+)\s*=\s*("(?:\\.|[^"\\])*"|[^;\s]*)')
_KIND = re.compile(r"^content-type:[ \t]*([^\r\n]+)", re.IGNORECASE | re.MULTILINE)
_LEAST = 2  # the dashes before a boundary


class NotMultipart(ValueError):  # noqa: N818 - it is what the body is
    """The body is not well-formed."""


@dataclass(frozen=True, slots=True)
class Part:
    """One field. `media_type`: what its own header says, None where it has none."""

    name: str
    content: bytes
    media_type: str | None


def parts(body: bytes, content_type: str, most: int) -> list[Part]:
    """The fields of a body. Raises `NotMultipart`, and `OverflowError` where there are more than `most`."""
    found = _BOUNDARY.search(content_type)
    mark = (
        b"--" + (found[1] or found[2]).strip().encode("utf-8", "replace")
        if found
        else body.split(b"\r\n", 1)[0].strip()
    )
    if len(mark) <= _LEAST or not mark.startswith(b"--") or mark not in body:
        raise NotMultipart("its boundary is not in it")
    if mark + b"--" not in body:
        raise NotMultipart("its last boundary is missing")
    pieces = re.split(rb"(?:\A|\r?\n)" + re.escape(mark) + rb"(?:--)?[ \t]*(?=\r?\n|\Z)", body)[1:]
    if len(pieces) > most:
        raise OverflowError
    return [part for piece in pieces if (part := _part(piece)) is not None]


def _part(piece: bytes) -> Part | None:
    """A part by its own headers; None for what stands after the last, and for a part without a name."""
    head, blank, content = piece.partition(b"\r\n\r\n")
    if not blank:
        head, blank, content = piece.partition(b"\n\n")
    text = head.decode("utf-8", "replace")
    disposition = _DISPOSITION.search(text)
    said = {} if disposition is None else {m[1].lower(): m[2] for m in _PARAMETER.finditer(disposition[1])}
    name = said.get("name")
    if not blank or name is None:
        return None
    kind = _KIND.search(text)
    return Part(_unquoted(name), content, kind[1].strip() if kind else None)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') and len(text) > 1 else text
