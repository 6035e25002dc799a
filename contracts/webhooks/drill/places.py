"""Where things stand in a delivery: read, set and taken out there, however its body is spelled.

A place is a JSON pointer (text that holds JSON is entered) or one of `KINDS` with a name: `header:NAME`,
`part:HEADER:NAME` (of `a=1,b=2`), `form:NAME`, `query:NAME`, `key:POINTER` (the one name in that object),
`element:NAME` and `attribute:NAME` of XML, `claim:NAME` of a token (a bearer's, else the body itself), and `token:`,
that token's signature.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape, unescape
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from contracts.webhooks.records import Delivery

FORM_TYPE = "application/x-www-form-urlencoded"
_BEARER = "Bearer "
_COMPACT = (",", ":")
Value = str | int


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of place is read, set and taken out, by its name."""

    get: Callable[[Delivery, str], str | None]
    put: Callable[[Delivery, str, Value], Delivery]
    drop: Callable[[Delivery, str], Delivery]


def get(delivery: Delivery, place: str) -> str | None:
    """The text that stands there; None if nothing does."""
    kind, name = _split(place)
    if kind:
        return KINDS[kind].get(delivery, name)
    value = _found(json.loads(delivery.body), place.split("/")[1:])
    return None if value is None else str(value)


def put(delivery: Delivery, place: str, value: Value, *, make: bool = False) -> Delivery:
    """The delivery with this value there. A token that is changed so keeps its signature.

    `make`: objects on the way of a pointer are made. Raises `LookupError`, `TypeError`, `ValueError` for a place that
    the body does not have.
    """
    kind, name = _split(place)
    if kind:
        return KINDS[kind].put(delivery, name, value)
    return _edited(delivery, place, lambda holder, key: _set(holder, key, value), make=make)


def drop(delivery: Delivery, place: str) -> Delivery:
    """The delivery with nothing there. Of a bearer token nothing is left; of one that is the body, no byte."""
    kind, name = _split(place)
    if kind:
        return KINDS[kind].drop(delivery, name)
    return _edited(delivery, place, lambda holder, key: holder.pop(key))


def add(delivery: Delivery, name: str, value: str) -> Delivery:
    """The delivery with a member more: of the document, of the first event of a list, of a token's claims."""
    body = delivery.body
    if body.startswith(b"<"):
        at = body.rindex(b"</sObject>")
        return delivery.with_body(body[:at] + f"<sf:{name}>{escape(value)}</sf:{name}>".encode() + body[at:])
    if is_form(delivery):
        return _put_form(delivery, name, value)
    if not body.startswith((b"{", b"[")):
        return _put_claim(delivery, name, value)
    document = json.loads(body)
    (document[0] if isinstance(document, list) else document)[name] = value
    return delivery.with_body(json.dumps(document, separators=_COMPACT).encode())


def later(text: str) -> str:
    """A time, one second later: of decimal digits, or in ISO 8601."""
    if text.isdigit():
        return str(int(text) + 1)
    return (dt.datetime.fromisoformat(text) + dt.timedelta(seconds=1)).isoformat().replace("+00:00", "Z")


def is_form(delivery: Delivery) -> bool:
    """Whether its content type says so."""
    return delivery.values("Content-Type")[:1] == (FORM_TYPE,)


def in_body(place: str) -> bool:
    """Whether it stands in the body."""
    return _split(place)[0] in {"", "form", "key", "element", "attribute"}


def header_of(place: str) -> str | None:
    """The header that it stands in; None if in none."""
    kind, name = _split(place)
    return {"header": name, "part": name.partition(":")[0]}.get(kind)


def claims(delivery: Delivery) -> dict[str, Any]:
    """What its token says."""
    part = _token(delivery).split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def packed(found: Any) -> str:
    """JSON as a part of a token: base64url without padding."""
    return base64.urlsafe_b64encode(json.dumps(found).encode()).rstrip(b"=").decode()


def with_token(delivery: Delivery, token: str) -> Delivery:
    """With another token where one stands."""
    if has_bearer(delivery):
        return delivery.with_headers({"Authorization": _BEARER + token})
    return delivery.with_body(token.encode())


def has_bearer(delivery: Delivery) -> bool:
    """Whether its token stands in a header."""
    return any(value.startswith(_BEARER) for value in delivery.values("Authorization"))


def _split(place: str) -> tuple[str, str]:
    """Its kind, empty for a JSON pointer, and its name."""
    kind, _, name = place.partition(":")
    return ("", place) if place.startswith("/") else (kind, name)


# --- JSON ---


def _found(document: Any, way: list[str]) -> Any:
    for step in way:
        document = json.loads(document) if isinstance(document, str) else document
        try:
            document = document[int(step) if isinstance(document, list) else step]
        except (LookupError, TypeError, ValueError):
            return None
    return document


def _edited(
    delivery: Delivery, pointer: str, change: Callable[[Any, Any], None], *, make: bool = False
) -> Delivery:
    document = _walked(json.loads(delivery.body), pointer.split("/")[1:], change, make=make)
    return delivery.with_body(json.dumps(document, separators=_COMPACT).encode())


def _walked(document: Any, way: list[str], change: Callable[[Any, Any], None], *, make: bool) -> Any:
    if isinstance(document, str):
        return json.dumps(_walked(json.loads(document), way, change, make=make), separators=_COMPACT)
    step: Any = int(way[0]) if isinstance(document, list) else way[0]
    if len(way) == 1:
        change(document, step)
    else:
        below = document.get(step, {}) if make and isinstance(document, dict) else document[step]
        document[step] = _walked(below, way[1:], change, make=make)
    return document


def _set(holder: Any, key: Any, value: object) -> None:
    holder[key] = value


def _put_key(delivery: Delivery, pointer: str, value: Value) -> Delivery:
    def rename(holder: Any, key: Any) -> None:
        holder[key] = {str(value): next(iter(holder[key].values()))}

    return _edited(delivery, pointer, rename)


# --- headers, forms, addresses ---


def _get_header(delivery: Delivery, name: str) -> str | None:
    return next(iter(delivery.values(name)), None)


def _put_header(delivery: Delivery, name: str, value: Value) -> Delivery:
    return delivery.with_headers({name: str(value)})


def _drop_header(delivery: Delivery, name: str) -> Delivery:
    kept = tuple(pair for pair in delivery.headers if pair[0].lower() != name.lower())
    return Delivery(method=delivery.method, url=delivery.url, headers=kept, body=delivery.body)


def _get_part(delivery: Delivery, name: str) -> str | None:
    header, _, part = name.partition(":")
    found = re.search(rf"(?:^|,){re.escape(part)}=([^,]*)", _get_header(delivery, header) or "")
    return found[1] if found else None


def _put_part(delivery: Delivery, name: str, value: Value) -> Delivery:
    header, _, part = name.partition(":")
    came = _get_header(delivery, header) or ""
    text = re.sub(rf"((?:^|,){re.escape(part)}=)[^,]*", rf"\g<1>{value}", came)
    return delivery.with_headers({header: text})


def _pairs(delivery: Delivery) -> list[tuple[str, str]]:
    return parse_qsl(delivery.body.decode(), keep_blank_values=True)


def _put_form(delivery: Delivery, name: str, value: Value) -> Delivery:
    return delivery.with_body(urlencode(dict(_pairs(delivery)) | {name: str(value)}).encode())


def _drop_form(delivery: Delivery, name: str) -> Delivery:
    return delivery.with_body(urlencode([pair for pair in _pairs(delivery) if pair[0] != name]).encode())


def _get_query(delivery: Delivery, name: str) -> str | None:
    return dict(parse_qsl(urlsplit(delivery.url).query, keep_blank_values=True)).get(name)


def _put_query(delivery: Delivery, name: str, value: Value | None) -> Delivery:
    parts = urlsplit(delivery.url)
    kept = [part for part in parts.query.split("&") if part and part.partition("=")[0] != name]
    if value is not None:
        kept.append(f"{name}={quote(str(value), safe='')}")
    url = urlunsplit((parts.scheme, parts.netloc, parts.path, "&".join(kept), ""))
    return Delivery(method=delivery.method, url=url, headers=delivery.headers, body=delivery.body)


# --- XML ---


def _between(before: str, inside: str, after: str) -> Kind:
    """Text between two others, `{}` the name in them: the first that stands so."""

    def pattern(name: str) -> re.Pattern[str]:
        own = re.escape(name)
        return re.compile(f"({before.format(own)})({inside}*)({after.format(own)})")

    def get_it(delivery: Delivery, name: str) -> str | None:
        found = pattern(name).search(delivery.body.decode())
        return unescape(found[2]) if found else None

    def put_it(delivery: Delivery, name: str, value: Value) -> Delivery:
        text = escape(str(value))
        changed = pattern(name).sub(lambda found: found[1] + text + found[3], delivery.body.decode(), count=1)
        return delivery.with_body(changed.encode())

    def drop_it(delivery: Delivery, name: str) -> Delivery:
        return delivery.with_body(pattern(name).sub("", delivery.body.decode(), count=1).encode())

    return Kind(get_it, put_it, drop_it)


# --- tokens ---


def _token(delivery: Delivery) -> str:
    if has_bearer(delivery):
        return delivery.values("Authorization")[0].removeprefix(_BEARER)
    return delivery.body.decode()


def _get_claim(delivery: Delivery, name: str) -> str | None:
    value = claims(delivery).get(name)
    return None if value is None else str(value)


def _put_claim(delivery: Delivery, name: str, value: Value | None) -> Delivery:
    head, _, signature = _token(delivery).split(".")
    said = {key: each for key, each in (claims(delivery) | {name: value}).items() if each is not None}
    return with_token(delivery, ".".join((head, packed(said), signature)))


def _put_token(delivery: Delivery, _: str, value: Value) -> Delivery:
    return with_token(delivery, f"{_token(delivery).rpartition('.')[0]}.{value}")


def _drop_token(delivery: Delivery, _: str) -> Delivery:
    return _drop_header(delivery, "Authorization") if has_bearer(delivery) else delivery.with_body(b"")


KINDS: dict[str, Kind] = {
    "header": Kind(_get_header, _put_header, _drop_header),
    "part": Kind(_get_part, _put_part, lambda found, name: _put_part(found, name, "")),
    "form": Kind(lambda found, name: dict(_pairs(found)).get(name), _put_form, _drop_form),
    "query": Kind(_get_query, _put_query, lambda found, name: _put_query(found, name, None)),
    "key": Kind(
        lambda found, pointer: next(iter(_found(json.loads(found.body), pointer.split("/")[1:]) or ()), None),
        _put_key,
        lambda found, pointer: _edited(found, pointer, lambda holder, key: _set(holder, key, {})),
    ),
    "element": _between("<{}>", "[^<]", "</{}>"),
    "attribute": _between(' {}="', '[^"]', '"'),
    "claim": Kind(_get_claim, _put_claim, lambda found, name: _put_claim(found, name, None)),
    "token": Kind(lambda found, _: _token(found).rpartition(".")[2], _put_token, _drop_token),
}
