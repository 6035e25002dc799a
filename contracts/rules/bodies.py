"""Rules on bodies, of requests and of answers: there, of a promised media type, well-formed, as the schema says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from cassettes.bodies import UNPACKERS
from contracts.branching import BEYOND_MEASURE, beyond_measure, is_shallow
from contracts.contract import FORM_NODE, Media
from contracts.engine import REQUEST, RESPONSE, TooDeep
from contracts.explain import OF_MANY, Broken, explain
from contracts.media import FORM, chosen, essence, is_json, is_xml, read
from contracts.placeholders import in_bytes, in_text
from contracts.pointers import MISSING, follow, join
from contracts.rules import one_way, references
from contracts.rules.requests import leniency
from contracts.values import values_of
from contracts.view import View, listed
from interlock.records import Message, Severity

_BODILESS = frozenset({204, 205, 304})
_SOFT = {"format": "response-format", "enum": "response-enum", "ambiguous": "response-ambiguous"}
_FORMS = {FORM, "multipart/form-data"}
_AS_IT_IS = {"", "identity", "utf-8", "aws-chunked"}  # two that clients send, and that pack nothing
# Signature version 2, which stood in the query (docs.aws.amazon.com, IAM User Guide).
_SIGNED_IN_QUERY = frozenset(
    (
        "AWSAccessKeyId",
        "Signature",
        "SignatureMethod",
        "SignatureVersion",
        "Timestamp",
        "Expires",
        "SecurityToken",
    )
)
_SCALAR = re.compile(rb"(?:true|false|null|-?\d[\d.eE+-]{0,40})\s*")
_FIELD = re.compile(rb"[\w.%+\[\]-]{1,100}=")


def request_body(view: View) -> None:
    """The body of the request."""
    if view.form_in_query:
        _form_in_query(view)
        return
    promised, message = view.operation.body, view.interaction.request
    content_type = _content_type(view.request_headers)
    if message.body is None or not message.body.strip():
        if (
            promised
            and promised.required
            and message.body_state != "redacted"
            and not _hollow(promised.media)
        ):
            if message.body_state == "absent" and message.body is None and content_type:
                view.unjudged.append("/request/body: the recording does not hold it")
                return
            view.add(
                "request-body-missing",
                f"{view.operation.name} is sent without a body",
                "/request/body",
                promised.pointer,
                promised=listed(m.media_type for m in promised.media),
                seen="nothing",
                at_most=leniency(view),
                fix="send the body that the operation needs",
            )
        return
    if promised is None:
        _unexpected(view, message)
        return
    media = _media(view, promised.media, content_type, message, REQUEST)
    if media is not None:
        _judge(view, message, content_type, media, REQUEST)


def _form_in_query(view: View) -> None:
    """A query that is the form: without what signs it, and of its version; links that AWS itself sends have none."""
    promised = view.operation.body
    if promised is None or not promised.media:
        return
    media, coercer = promised.media[0], view.bench.coercer
    signing = {each.name for each in view.operation.parameters} | _SIGNED_IN_QUERY
    fields = [(name, text) for name, text in view.query_pairs if name not in signing]
    version = coercer.plain(coercer.member(coercer.schema_at(media.schema), "Version"))
    known = values_of(version) if isinstance(version, Mapping) else None
    if "Version" not in view.query and known:
        fields.append(("Version", str(known[0])))
    message = Message(headers=(), body=urlencode(fields).encode(), body_state="full")
    _judge(view, message, FORM, media, REQUEST)


def _content_type(headers: Mapping[str, str]) -> str:
    """As it was sent; empty where it was not, or was redacted."""
    text = headers.get("content-type", "")
    return "" if in_text(text) else text


def _hollow(media: tuple[Media, ...]) -> bool:
    """Some documents require a form body in which nothing stands."""
    return all(each.media_type.endswith("x-www-form-urlencoded") for each in media)


def _unexpected(view: View, message: Message) -> None:
    body = (message.body or b"").strip()
    if body in {b"{}", b"null", b'""', b"[]"}:  # what clients send for "nothing"
        return
    if message.body_state == "full":
        view.add(
            "request-body-unexpected",
            f"{view.operation.name} takes no body",
            "/request/body",
            view.operation.pointer,
            promised="no body",
            seen=f"{len(body)} bytes",
            at_most=leniency(view),
        )


def response_body(view: View) -> None:
    """The body of the answer."""
    answer, message = view.answer, view.interaction.response
    if answer is None or message is None or view.interaction.method.upper() == "HEAD":
        return
    content_type = _content_type(view.response_headers)
    if message.body is None or not message.body.strip():
        _no_response_body(view, message)
        return
    if not answer.media:  # nothing is promised of a body, so none breaks a promise
        return
    media = _media(view, answer.media, content_type, message, RESPONSE)
    if media is not None:
        _judge(view, message, content_type, media, RESPONSE)


def _no_response_body(view: View, message: Message) -> None:
    answer = view.answer
    assert answer is not None
    wants = [m for m in answer.media if m.schema and is_json(essence(m.media_type))]
    optional = any(essence(m.media_type) == "*/*" for m in answer.media)
    if not wants or optional or view.interaction.status in _BODILESS or answer.status == "default":
        return
    if message.body is None:
        view.unjudged.append("/response/body: the recording does not hold it")
    elif message.body_state == "full":
        view.add(
            "response-body-missing",
            f"{view.operation.name} answers {view.interaction.status} without a body",
            "/response/body",
            answer.pointer,
            promised=listed(m.media_type for m in wants),
            seen="nothing",
        )


def _media(
    view: View, media: tuple[Media, ...], content_type: str, message: Message, side: str
) -> Media | None:
    if not media:
        return None
    if not content_type:
        return _by_look(view, media, message.body or b"", side)
    found = chosen(media, content_type)
    if found is None:
        lenient = leniency(view) if side == REQUEST else None
        if (
            lenient is None
            and essence(content_type) in _FORMS
            and _FORMS & {essence(m.media_type) for m in media}
        ):
            lenient = Severity.WARNING  # one form is taken for the other, as a rule
        view.add(
            f"{side}-media-type",
            f"{view.operation.name}: {_said(media, content_type)} is not among the promised types",
            f"/{side}/header/content-type",
            media[0].pointer.rpartition("/")[0],
            promised=listed(m.media_type for m in media),
            seen=content_type,
            at_most=lenient,
        )
    return found


def _said(media: tuple[Media, ...], content_type: str) -> str:
    """A media type without its parameters, unless these are what is wrong."""
    name = essence(content_type)
    return content_type if name in {essence(each.media_type) for each in media} else name


def _by_look(view: View, media: tuple[Media, ...], body: bytes, side: str) -> Media | None:
    """The media type of a body without a header: the one that is promised, or the one it looks like."""
    text = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    looks = (each for fits in (_is_sure, _is_loose) for each in media if fits(essence(each.media_type), text))
    found = media[0] if len(media) == 1 else next(looks, None)
    if found is None:
        view.unjudged.append(f"/{side}/body: has no media type, and looks like none that is promised")
    elif "*" in found.media_type and text[:1] in {b"{", b"["} and not _parses(text):
        return None  # any bytes will do
    return found


def _parses(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_sure(name: str, text: bytes) -> bool:
    if is_json(name):
        return text[:1] in {b"{", b"[", b'"'} or _SCALAR.fullmatch(text) is not None
    if is_xml(name):
        return text[:1] == b"<"
    return name in _FORMS and (text[:2] == b"--" if name != FORM else _FIELD.match(text) is not None)


def _is_loose(name: str, _: bytes) -> bool:
    """What any bytes may be."""
    return not (is_json(name) or is_xml(name) or name in _FORMS)


def _judge(view: View, message: Message, content_type: str, media: Media, side: str) -> None:
    where = _place(view, side)
    if message.body_state in {"truncated", "absent"} or (
        message.body_state == "redacted" and side == REQUEST
    ):
        view.unjudged.append(f"{where}: the recording holds it {message.body_state}")
        return
    assert message.body is not None
    got = read(message.body, content_type, media, view.bench.coercer)
    lenient = leniency(view) if side == REQUEST else None
    _parts(view, media, got.parts, side)
    if got.problem is not None:
        if message.body_state == "redacted" or in_bytes(message.body):
            view.unjudged.append(f"{where}: the recording holds it redacted")
            return
        if part := _part_of(view, side):
            view.unjudged.append(f"{where}: is a part of {part}")
            return
        if packed := _packed(view, side, message.body):
            _opaque(view, media, f"its coding {packed} cannot be undone", where)
            return
        promised, seen = media.media_type, f"{len(message.body)} bytes"
        if got.root is not None:
            promised, seen = (f"<{name}>" for name in got.root)
        view.add(
            f"{side}-body-syntax" if got.root is None else f"{side}-body",
            f"{view.operation.name}: the {side} body {got.problem}",
            where,
            _told_at(view, media.pointer if got.root is None or media.schema is None else media.schema),
            promised=promised,
            seen=seen,
            at_most=lenient,
        )
    elif got.opaque is not None:
        _opaque(view, media, got.opaque, where)
    elif media.schema is not None:
        as_json = is_json(essence(content_type or media.media_type))
        if not (as_json and is_shallow(message.body)) and beyond_measure(
            view.contract.document, got.value, media.schema
        ):
            _opaque(view, media, BEYOND_MEASURE, where)
        else:
            _schema(view, got.value, media, side)


def _part_of(view: View, side: str) -> str:
    """What a body is a part of; empty where it is whole."""
    if side == RESPONSE:
        return "what was asked for" if view.is_part else ""
    return "what is sent" if "content-range" in view.request_headers else ""  # RFC 9110, 14.5


def _packed(view: View, side: str, body: bytes) -> str:
    """The coding that a body still has; empty where it has none. Most recorders undo it, and keep the header."""
    said = (view.request_headers if side == REQUEST else view.response_headers).get("content-encoding", "")
    codings = {each.strip().lower() for each in said.split(",")} - _AS_IT_IS
    if not codings <= UNPACKERS.keys():
        return said
    try:
        body.decode()
    except UnicodeDecodeError:
        return said if codings else ""
    return ""


def _parts(view: View, media: Media, wrong: Iterable[tuple[str, str, str]], side: str) -> None:
    """Fields of a form that say another media type than their encoding promises."""
    for name, promised, seen in wrong:
        view.add(
            f"{side}-media-type",
            f"{view.operation.name}: the field {name} is {essence(seen)}",
            join(f"/{side}/body", name),
            join(media.pointer, "encoding", name, "contentType"),
            promised=promised,
            seen=seen,
            at_most=(leniency(view) if side == REQUEST else None) or Severity.WARNING,
        )


def _place(view: View, side: str) -> str:
    return "/request/query" if side == REQUEST and view.form_in_query else f"/{side}/body"


def _opaque(view: View, media: Media, why: str, where: str) -> None:
    subject, at = f"{view.operation.name}: {why}", _told_at(view, media.pointer)
    if media.schema is None or view.bench.coercer.is_free(media.schema):  # nothing is promised of it
        view.add("body-opaque", subject, where, at, promised=media.media_type)
        return
    view.unjudged.append(f"{where}: {why}")
    view.add("body-unjudged", subject, where, at, promised=media.media_type)


def _schema(view: View, value: Any, media: Media, side: str) -> None:
    assert media.schema is not None
    engine = view.bench.engine
    try:
        if not engine.valid(media.schema, value, side):
            found = explain(engine, view.contract, media.schema, value, side)
            if any(each.of_many for each in found):
                view.unjudged.append(f"{_place(view, side)}: {OF_MANY}")
            for each in found:
                _report(view, each, side)
    except TooDeep as exc:
        view.unjudged.append(f"{_place(view, side)}: {exc}")
    references.behind(view, media.schema, side, _place(view, side))
    one_way.judge(view, value, media.schema, side)


def _report(view: View, broken: Broken, side: str) -> None:
    where = f"{_place(view, side)}{broken.pointer}"
    if broken.placeholder:
        view.unjudged.append(f"{where}: stands for something redacted")
        return
    if side == REQUEST and broken.keyword == "ambiguous":
        return
    rule = _SOFT.get(broken.keyword, f"{side}-body") if side == RESPONSE else "request-body"
    name = broken.pointer.rpartition("/")[2]
    whole = "query" if side == REQUEST and view.form_in_query else f"{side} body"
    what = f"{name} of the {whole}" if name else f"the {whole}"
    verb = {"required": "is missing", "additionalProperties": "is not known"}.get(
        broken.keyword, "is not as promised"
    )
    view.add(
        rule,
        f"{view.operation.name}: {what} {verb}",
        where,
        _told_at(view, broken.contract_pointer, broken.pointer),
        promised=broken.promised,
        seen=broken.seen,
        at_most=leniency(view) if side == REQUEST else None,
        fix=_fix(side, broken),
    )


def _told_at(view: View, pointer: str, missing: str = "") -> str:
    """Where the document itself says it: in Swagger 2 the schema of a form is made of its parameters."""
    operation, node, inside = pointer.partition(f"/{FORM_NODE}")
    if not node or view.contract.dialect != "swagger":
        return pointer
    document, listed = view.contract.document, join(operation, "parameters")
    name, _, rest = inside.removeprefix("/schema/properties/").partition("/")
    if inside == "/schema/required":
        name, rest = missing.rpartition("/")[2], ""
    field = follow(document, f"{operation}{node}/fields/{name}")
    if isinstance(field, str):
        return f"{field}/{rest}" if rest else field
    return operation if follow(document, listed) is MISSING else listed


def _fix(side: str, broken: Broken) -> str:
    if side == RESPONSE:
        return "the provider has changed, or its document is wrong: be ready for what was seen"
    return "send it" if broken.keyword == "required" else "send what is promised"
