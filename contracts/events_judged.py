"""A webhook delivery against what is promised of its events: each event by its own type, wherever it stands.

Some providers deliver one event, some a list of them, some wrap it: SNS as text in an envelope, Google as a signed
token. A delivery is unwrapped, and each event is held against its type's own schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from contracts.media import FORM, claims, essence
from contracts.pointers import MISSING, follow
from contracts.values import MAX_FIELDS, types_of
from contracts.verify import verify_event
from contracts.view import Bench

MAX_EVENTS = 10_000
JSON = "application/json"
_SECURITY_EVENT = "application/secevent+jwt"
_EACH = "/*"
# Two ways in which one provider says the type: SES's events and its older notifications; Twilio's messages and
# calls; S3's events and the message by which it tries its way.
_ELSE = {
    "/eventType": "/notificationType",
    "form:MessageStatus": "form:CallStatus",
    "/Records/0/eventName": "/Event",
}
_ENVELOPES = frozenset({"Notification"})


@dataclass(frozen=True, slots=True)
class Fault:
    """A broken promise: where in the delivery's body and in the contract, what was promised and what was seen."""

    pointer: str
    contract_pointer: str
    promised: str
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedEvent:
    """One event of a delivery.

    `pointer`: where it stands in the body, empty for the whole. `type`: as the delivery says it, None where it says
    none. `known`: whether the contract names this type; where it does not, nothing is judged. `unjudged`: why not all
    of it could be judged.
    """

    pointer: str
    type: str | None
    known: bool
    faults: tuple[Fault, ...] = ()
    unjudged: str | None = None


def judge_delivery(
    bench: Bench, body: bytes, content_type: str, headers: Sequence[tuple[str, str]], where: str | None
) -> tuple[JudgedEvent, ...]:
    """Every event of a delivery. Pure.

    `where`: the place of the event's type as the catalogue has it (`webhooks.event_type`): a JSON pointer, `/*/NAME`
    for each member of a list, `header:NAME` or `form:NAME`; None where the provider has one type alone, or the
    type is in a token. Empty for a contract that promises no events, or a list that is empty.
    """
    events = bench.contract.events
    if not events:
        return ()
    parsed = _parsed(body, content_type)
    if _is_token(body):
        content_type = _SECURITY_EVENT
    if where is not None and where.startswith(_EACH):
        return tuple(_each(bench, body, parsed, content_type, where.removeprefix(_EACH)))
    found = _type(parsed, body, headers, where)
    inner = _unwrapped(parsed) if found not in events else None
    if inner is not None:
        parsed, content_type = inner, JSON
        body = json.dumps(inner).encode()
        found = _type(parsed, body, headers, where)
    if found is None and where is None and len(events) == 1:
        found = next(iter(events))
    return (_judged(bench, body, content_type, found, "", "/Message" if inner is not None else ""),)


def _each(bench: Bench, body: bytes, parsed: Any, content_type: str, place: str) -> Iterator[JudgedEvent]:
    """The members of a list; one alone may come without its list."""
    if not isinstance(parsed, list):
        yield _judged(
            bench, _listed(bench, place, parsed, body), content_type, _text(parsed, place), "/0", ""
        )
        return
    for index, event in enumerate(parsed[:MAX_EVENTS]):
        alone = json.dumps([event]).encode()
        yield _judged(bench, alone, content_type, _text(event, place), "/0", f"/{index}")
    if len(parsed) > MAX_EVENTS:
        why = f"the delivery has more than {MAX_EVENTS} events"
        yield JudgedEvent(pointer=f"/{MAX_EVENTS}", type=None, known=False, unjudged=why)


def _listed(bench: Bench, place: str, parsed: Any, body: bytes) -> bytes:
    """A single event as the list that its schema wants."""
    event = bench.contract.events.get(_text(parsed, place) or "")
    schemas = [bench.coercer.schema_at(media.schema) for media in event.media] if event else []
    wants = any(isinstance(schema, dict) and types_of(schema) == {"array"} for schema in schemas)
    return json.dumps([parsed]).encode() if wants and parsed is not MISSING else body


def _judged(
    bench: Bench, body: bytes, content_type: str, found: str | None, inside: str, pointer: str
) -> JudgedEvent:
    """`inside`: where the event stands in `body`; `pointer`: where it stands in the delivery."""
    event = bench.contract.events.get(found or "")
    if event is None:
        return JudgedEvent(pointer=pointer, type=found, known=False)
    broken, unjudged = verify_event(body, content_type, event, bench)
    faults = tuple(
        Fault(pointer + at.removeprefix(inside), contract_pointer, promised, seen)
        for at, contract_pointer, promised, seen in broken
    )
    return JudgedEvent(pointer=pointer, type=found, known=True, faults=faults, unjudged=unjudged)


def _parsed(body: bytes, content_type: str) -> Any:
    """The body as JSON, whatever it calls itself: SNS says text/plain; `MISSING` where it is none."""
    name = essence(content_type)
    if name == FORM and body.lstrip()[:1] not in {b"{", b"["}:
        return MISSING
    if _is_token(body):
        return claims(body).value
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return MISSING


def _is_token(body: bytes) -> bool:
    """Whether it is a signed token, whatever it calls itself: what Google says of it is not published."""
    return body[:2] == b"ey" and body.count(b".") == 2  # noqa: PLR2004 - head, claims and signature


def _type(parsed: Any, body: bytes, headers: Sequence[tuple[str, str]], where: str | None) -> str | None:
    """The type at its place; of a security event token the last step of its first event's name (RFC 8417)."""
    if where is None:
        told = parsed.get("events") if isinstance(parsed, dict) else None
        return next((name.rpartition("/")[2] for name in told), None) if isinstance(told, dict) else None
    kind, colon, name = where.partition(":")
    found: str | None
    if colon and kind == "header":
        found = next((value for given, value in headers if given.lower() == name.lower() and value), None)
    elif colon and kind == "form":
        found = _of_form(body, name)
    else:
        found = _text(parsed, where)
    return found if found is not None or where not in _ELSE else _type(parsed, body, headers, _ELSE[where])


def _of_form(body: bytes, name: str) -> str | None:
    try:
        fields = parse_qsl(body.decode("utf-8", "replace"), max_num_fields=MAX_FIELDS)
    except ValueError:
        return None
    return next((value for key, value in fields if key == name), None)


def _text(value: Any, pointer: str) -> str | None:
    found = MISSING if value is MISSING else follow(value, pointer)
    return found if isinstance(found, str) else None


def _unwrapped(parsed: Any) -> Any:
    """What SNS carries as the text of its `Message`; None where it carries no JSON."""
    if not isinstance(parsed, dict) or parsed.get("Type") not in _ENVELOPES:
        return None
    try:
        inner = json.loads(parsed["Message"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    return inner if isinstance(inner, dict) else None
