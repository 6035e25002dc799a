"""Media types compared, and bodies read as the values that their schemas speak of."""

from __future__ import annotations

import base64
import functools
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from contracts import dotted, multipart, values, xml_bodies
from contracts.contract import Media
from contracts.pointers import follow, join
from contracts.values import Coercer

MAX_DEPTH = 200
_OF_THE_TEXT = frozenset({"charset", "boundary", "q"})
FORM = "application/x-www-form-urlencoded"
_NOTHING: Any = object()


@dataclass(frozen=True, slots=True)
class Read:
    """What a body turned out to be. `problem`: why it is not of its media type; `opaque`: why it cannot be judged.

    `root`: for a problem that is another root element of XML, the promised one and the one that was seen. `parts`:
    the fields of a form that are of another media type than theirs; each with the promised and the seen one.
    """

    value: Any = None
    problem: str | None = None
    root: tuple[str, str] | None = None
    opaque: str | None = None
    parts: tuple[tuple[str, str, str], ...] = ()


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
    """The promised media type that a body's header fits: the exact one, then its kind, then a range.

    One of the same name whose parameters say something else (`version=2` for `version=1`) is another.
    """
    wanted = essence(seen)
    found: list[tuple[int, int, Media]] = []
    for each in media:
        name, beside = essence(each.media_type), 0
        if name == wanted:
            if ";" in each.media_type and ";" in seen:
                ours, theirs = _parameters(each.media_type), _parameters(seen)
                same = ours.keys() & theirs.keys()
                if any(ours[key] != theirs[key] for key in same):
                    continue
                beside = -len(same)
            found.append((0, beside, each))
        elif (is_json(name) and is_json(wanted)) or (is_xml(name) and is_xml(wanted)):
            found.append((1, 0, each))
        elif name.endswith("/*") and name != "*/*" and wanted.startswith(name[:-1]):
            found.append((2, 0, each))
        elif name in {"*/*", "*", ""}:
            found.append((3, 0, each))
    return min(found, key=lambda one: one[:2])[2] if found else None


@functools.lru_cache(maxsize=512)
def _parameters(text: str) -> Mapping[str, str]:
    """Those of a media type that tell it from others, by name; in lower case, as most of them are meant."""
    pairs = (part.partition("=") for part in text.lower().split(";")[1:])
    told = {name.strip(): value.strip().strip('"') for name, _, value in pairs}
    return {name: value for name, value in told.items() if name not in _OF_THE_TEXT}


def read(  # noqa: PLR0911 - one for each kind
    body: bytes, content_type: str, media: Media, coercer: Coercer
) -> Read:
    """A body as the value that the schema of its media type speaks of."""
    name = essence(content_type) or essence(media.media_type)
    if is_json(name):
        return _json(body)
    if is_xml(name):
        return xml(body, media, coercer)
    structured = name.startswith("text/") and _wants_structure(media, coercer)
    if (structured or name in {"*/*", ""}) and body.lstrip()[:1] in {b"{", b"["}:
        return _json(body)
    if name in {FORM, "multipart/form-data"}:
        return _form(body, media, coercer) if name == FORM else _multipart(body, content_type, media, coercer)
    if name.endswith(("+jwt", "/jwt")):
        return claims(body)
    if name.startswith("text/") and not structured:
        return _text(body, content_type, media, coercer)
    if body.lstrip()[:1] in {b"{", b"["} and _wants_structure(media, coercer):  # JSON by a name of one's own
        found = _json(body)
        if found.problem is None:
            return found
    return Read(opaque=f"{name or 'a body without a media type'} is not looked into")


def _text(body: bytes, content_type: str, media: Media, coercer: Coercer) -> Read:
    found = _CHARSET.search(content_type)
    try:
        text = body.decode(found[1] if found else "utf-8", "replace")
    except LookupError:
        return Read(opaque=f"its charset {found[1] if found else ''} is not known")
    kinds = coercer.kinds(coercer.schema_at(media.schema))
    return Read(coercer.coerce(text if not kinds or "string" in kinds else text.strip(), media.schema))


def _wants_structure(media: Media, coercer: Coercer) -> bool:
    """Whether a text can only be JSON: its schema takes nothing else. SNS delivers JSON as text/plain."""
    schema = coercer.schema_at(media.schema)
    types = coercer.kinds(schema)
    return bool(types) and types <= {"object", "array"}


class _Constant(ValueError):  # noqa: N818 - it is what the body has
    """Infinity or NaN, which Python takes and JSON does not have."""


def _refuse(name: str) -> NoReturn:
    raise _Constant(f"{name} is not JSON")


def _float(text: str) -> float:
    """A number beyond all that a float holds is JSON all the same (RFC 8259, 6), and cannot be judged."""
    value = float(text)
    if math.isinf(value):
        raise ValueError(text)
    return value


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_float)  # json.loads would make one for each


def _json(body: bytes) -> Read:
    try:
        return Read(_DECODER.decode(body.decode("utf-8-sig")))
    except RecursionError:
        return Read(opaque="it is nested too deeply")
    except UnicodeDecodeError as exc:
        return Read(problem=f"is not UTF-8 at byte {exc.start}")
    except json.JSONDecodeError as exc:
        return Read(problem=f"is not JSON: {exc.msg} at line {exc.lineno} column {exc.colno}")
    except _Constant as exc:
        return Read(problem=f"is not JSON: {exc}")
    except ValueError:  # what else the decoder refuses is a number of thousands of digits, or beyond a float
        return Read(opaque=_TOO_LARGE)


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
    return Read(_typed(fields, {}, media, coercer))


def _typed(fields: list[tuple[str, str]], sent_as: Mapping[str, str], media: Media, coercer: Coercer) -> Any:
    """Fields as what they stand for. `sent_as`: the media type that the part of a field says, by its name."""
    schema = coercer.schema_at(media.schema)
    made = values.nested(fields, coercer.members(schema))
    ways = follow(coercer.document, join(media.pointer, "encoding"))
    as_json: dict[str, Any] = {}
    for name, value in made.items():
        if not isinstance(value, str):
            continue
        how = ways.get(name) if isinstance(ways, Mapping) else None
        if _is_json_field(
            coercer.kinds(coercer.member(schema, name)), value, sent_as.get(name) or media.parts.get(name)
        ):
            made[name] = _parsed(value, coercer.member(schema, name), coercer)
            if not isinstance(made[name], str):
                as_json[name] = made[name]
        elif isinstance(how, Mapping) and how.get("explode") is False and value:
            made[name] = value.split(values.DELIMITERS.get(str(how.get("style")), ","))
    typed = coercer.coerce(made, media.schema)
    return typed | as_json if as_json and isinstance(typed, dict) else typed  # the types of JSON are its own


def _parsed(text: str, schema: Any, coercer: Coercer) -> Any:
    """A field that is JSON as its value; a file that happens to be JSON stays the text that its schema promises."""
    parsed = _json(text.encode("utf-8", "surrogatepass"))
    if parsed.problem or parsed.opaque:
        return text
    value, kinds = parsed.value, coercer.kinds(schema)
    several = [value]
    if kinds - {"null"} == {"array"}:  # a list of files, of which there is one
        several = value if isinstance(value, list) else several
        kinds = _kinds_of_items(schema, coercer)
    fits = all(values.types_of_value(each) & kinds for each in several)
    return text if "string" in kinds and not fits else value


def _kinds_of_items(schema: Any, coercer: Coercer) -> set[str]:
    plain = coercer.plain(schema)
    found: set[str] = set()
    for each in (plain, *(one for name in ("allOf", "anyOf", "oneOf") for one in plain.get(name) or ())):
        inner = coercer.plain(each)
        found |= coercer.kinds(inner.get("items")) if isinstance(inner, Mapping) else set()
    return found


def _is_json_field(kinds: set[str], value: str, media_type: str | None) -> bool:
    """Whether a field is JSON: by what is said of it; where nothing is, an object is (OpenAPI, Encoding Object)."""
    if media_type is not None and not essence(media_type).startswith("text/plain"):
        return is_json(essence(media_type))
    return bool(kinds) and kinds <= {"object", "array", "null"} and value.lstrip()[:1] in {"{", "["}


_CHARSET = re.compile(r'charset="?([A-Za-z0-9._:-]+)', re.IGNORECASE)
_TOO_LARGE = "a number in it is too large to be judged"


def _multipart(body: bytes, content_type: str, media: Media, coercer: Coercer) -> Read:
    try:
        parts = multipart.parts(body, content_type, values.MAX_FIELDS)
    except multipart.NotMultipart as exc:
        return Read(problem=f"is not multipart: {exc}")
    except OverflowError:
        return Read(opaque=f"it has more than {values.MAX_FIELDS} fields")
    said = {each.name: each.media_type for each in parts if each.media_type is not None}
    fields = [(each.name, each.content.decode("utf-8", "replace")) for each in parts]
    wrong = tuple(
        (name, media.parts[name], kind)
        for name, kind in said.items()
        if name in media.parts and not _fits(media.parts[name], kind)
    )
    return Read(_typed(fields, said, media, coercer), parts=wrong)


def _fits(promised: str, seen: str) -> bool:
    """Whether a part is of one of the media types that its encoding lists."""
    listed = (Media(media_type=each, pointer="", schema=None) for each in promised.split(","))
    return chosen(listed, seen) is not None


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
