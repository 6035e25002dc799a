"""Media types compared, and bodies read as the values that their schemas speak of."""

from __future__ import annotations

import base64
import functools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from contracts import dotted, values, xml_bodies
from contracts.contract import Media
from contracts.values import Coercer

MAX_DEPTH = 200
FORM = "application/x-www-form-urlencoded"
_NOTHING: Any = object()


@dataclass(frozen=True, slots=True)
class Read:
    """What a body turned out to be. `problem`: why it is not of its media type; `opaque`: why it cannot be judged.

    `root`: for a problem that is another root element of XML, the promised one and the one that was seen.
    """

    value: Any = None
    problem: str | None = None
    root: tuple[str, str] | None = None
    opaque: str | None = None


@functools.lru_cache(maxsize=512)
def essence(text: str) -> str:
    """A media type without its parameters, in lower case."""
    return text.partition(";")[0].strip().lower()


@functools.lru_cache(maxsize=512)
def is_json(name: str) -> bool:
    """Whether a media type is JSON, under whatever name."""
    named = {"application/json", "text/json", "application/x-json"}
    return name in named or name.endswith("+json") or name.startswith("application/x-amz-json-")


def is_xml(name: str) -> bool:
    """Whether a media type is XML."""
    return name in {"application/xml", "text/xml"} or name.endswith("+xml")


def chosen(media: Iterable[Media], seen: str) -> Media | None:
    """The promised media type that a body's header fits: the exact one, then its kind, then a range."""
    wanted = essence(seen)
    found: list[tuple[int, Media]] = []
    for each in media:
        name = essence(each.media_type)
        if each.media_type.replace(" ", "").lower() == seen.replace(" ", "").lower():
            return each
        if name == wanted:
            found.append((0, each))
        elif (is_json(name) and is_json(wanted)) or (is_xml(name) and is_xml(wanted)):
            found.append((1, each))
        elif name in {"*/*", "*", "", "application/octet-stream"} and name != "application/octet-stream":
            found.append((3, each))
        elif name.endswith("/*") and wanted.startswith(name[:-1]):
            found.append((2, each))
    return min(found, key=lambda pair: pair[0])[1] if found else None


def read(body: bytes, content_type: str, media: Media, coercer: Coercer) -> Read:
    """A body as the value that the schema of its media type speaks of."""
    name = essence(content_type) or essence(media.media_type)
    if is_xml(name):
        return xml(body, media, coercer)
    loose = name in {"*/*", ""} and body[:1] in {b"{", b"["}
    if is_json(name) or loose or (name.startswith("text/") and _wants_structure(media, coercer)):
        return _json(body)
    if name in {FORM, "multipart/form-data"}:
        return _form(body, media, coercer) if name == FORM else _multipart(body, content_type, media, coercer)
    if name.endswith(("+jwt", "/jwt")):
        return claims(body)
    if name.startswith("text/"):
        text = body.decode("utf-8", "replace")
        return Read(coercer.coerce(text, media.schema))
    return Read(opaque=f"{name or 'a body without a media type'} is not looked into")


def _wants_structure(media: Media, coercer: Coercer) -> bool:
    """Whether a text can only be JSON: its schema takes nothing else. SNS delivers JSON as text/plain."""
    schema = coercer.schema_at(media.schema)
    types = values.types_of(schema) if isinstance(schema, Mapping) else set()
    return bool(types) and types <= {"object", "array"}


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)  # made once: json.loads would make one for each body


def _json(body: bytes) -> Read:
    try:
        return Read(_DECODER.decode(body.decode("utf-8-sig")))
    except RecursionError:
        return Read(opaque="it is nested too deeply")
    except UnicodeDecodeError as exc:
        return Read(problem=f"is not UTF-8 at byte {exc.start}")
    except json.JSONDecodeError as exc:
        return Read(problem=f"is not JSON: {exc.msg} at line {exc.lineno} column {exc.colno}")
    except ValueError as exc:
        return Read(problem=f"is not JSON: {exc}")


def claims(token: bytes) -> Read:
    """What a signed token says; whether its signature is good is not asked here. JSON is taken as it is."""
    text = token.strip()
    if text[:1] == b"{":
        return _json(text)
    parts = text.split(b".")
    if len(parts) != 3:  # noqa: PLR2004 - head, claims and signature
        return Read(problem="is not a signed token: it has not three parts")
    try:
        data = base64.b64decode(parts[1] + b"=" * (-len(parts[1]) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return Read(problem="is not a signed token: its claims are not base64")
    return _json(data)


def _form(body: bytes, media: Media, coercer: Coercer) -> Read:
    try:
        fields = values.pairs(body.decode("utf-8").strip())
    except UnicodeDecodeError as exc:
        return Read(problem=f"is not a form: not UTF-8 at byte {exc.start}")
    except ValueError:
        return Read(opaque=f"it has more than {values.MAX_FIELDS} fields")
    if media.dotted:
        return Read(coercer.coerce(dotted.value(fields, media.schema, coercer), media.schema))
    return Read(_typed(values.nested(fields), media, coercer))


def _typed(fields: dict[str, Any], media: Media, coercer: Coercer) -> Any:
    for name, content_type in media.parts.items():
        if is_json(essence(content_type)) and isinstance(fields.get(name), str):
            parsed = _json(fields[name].encode("utf-8", "surrogatepass"))
            if parsed.problem is None and parsed.opaque is None:
                fields[name] = parsed.value
    return coercer.coerce(fields, media.schema)


_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_NAME = re.compile(r'(?<![a-z*])name="([^"]*)"|(?<![a-z*])name=([^;\s"]+)', re.IGNORECASE)


def _multipart(body: bytes, content_type: str, media: Media, coercer: Coercer) -> Read:
    found = _BOUNDARY.search(content_type)
    mark = b"--" + found[1].strip().encode() if found else body.split(b"\r\n", 1)[0].strip()
    if len(mark) <= 2 or not mark.startswith(b"--") or mark not in body:  # noqa: PLR2004 - the two dashes
        return Read(problem="is not multipart: its boundary is not in it")
    if mark + b"--" not in body:
        return Read(problem="is not multipart: its last boundary is missing")
    fields: list[tuple[str, str]] = []
    for part in body.split(mark)[1 : values.MAX_FIELDS]:
        head, blank, content = part.partition(b"\r\n\r\n")
        if not blank:
            head, blank, content = part.partition(b"\n\n")
        named = _NAME.search(head.decode("utf-8", "replace"))
        if blank and named:
            text = content.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "replace")
            fields.append((named[1] if named[1] is not None else named[2], text))
    return Read(_typed(values.nested(fields), media, coercer))


def xml(body: bytes, media: Media, coercer: Coercer) -> Read:
    """XML as far as its schema says."""
    try:
        return Read(xml_bodies.value(body, media.schema, coercer))
    except xml_bodies.NotXml as exc:
        return Read(problem=f"is not XML: {exc}")
    except xml_bodies.OtherRoot as exc:
        return Read(problem=str(exc), root=(exc.promised, exc.seen))
    except xml_bodies.Unjudged as exc:
        return Read(opaque=str(exc))
