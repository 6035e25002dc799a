"""Which events a delivery holds: ids and types, found where the catalogue says they stand."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from contracts.webhooks.records import Delivery

MAX_EVENTS = 10_000


def identify(delivery: Delivery, where: str | None) -> tuple[str, ...]:
    """What stands at `where`: a JSON pointer (`/*` for each member of a list), `header:NAME` or `form:NAME`.

    Empty if nothing stands there, or the body cannot be read. A list that is promised may come as its one member.
    """
    return identify_both(delivery, where, None)[0]


def identify_both(
    delivery: Delivery, one: str | None, other: str | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What stands at each of two places; the body is read once for both."""
    body = _json(delivery.body) if any(where and where.startswith("/") for where in (one, other)) else None
    return _at(delivery, one, body), _at(delivery, other, body)


def _at(delivery: Delivery, where: str | None, body: Any) -> tuple[str, ...]:
    if where is None:
        return ()
    kind, colon, name = where.partition(":")
    if colon and kind == "header":
        return tuple(dict.fromkeys(value for value in delivery.values(name) if value))
    if colon and kind == "form":
        return _form(delivery.body, name)
    return tuple(_texts(_walk([body], where)))


def _form(body: bytes, name: str) -> tuple[str, ...]:
    try:
        pairs = parse_qsl(body.decode("utf-8", "replace"), max_num_fields=5000)
    except ValueError:
        return ()
    return tuple(dict.fromkeys(value for key, value in pairs if key == name))


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _walk(found: list[Any], pointer: str) -> list[Any]:
    for step in pointer.split("/")[1:]:
        if step == "*":
            found = [one for value in found for one in (value if isinstance(value, list) else [value])]
        else:
            found = [one for value in found for one in _step(value, step)]
    return found


def _step(value: Any, step: str) -> list[Any]:
    step = step.replace("~1", "/").replace("~0", "~")
    if isinstance(value, dict):
        return [value[step]] if step in value else []
    if isinstance(value, list) and step.isascii() and step.isdigit() and len(step) < 6:  # noqa: PLR2004
        return value[int(step) : int(step) + 1]
    return []


def _texts(found: list[Any]) -> list[str]:
    wanted = [one for one in found[:MAX_EVENTS] if isinstance(one, str | int) and not isinstance(one, bool)]
    return [text for text in map(_say, wanted) if text]


def _say(value: str | int) -> str:
    try:
        return str(value)
    except ValueError:  # an integer of more digits than Python prints
        return ""
