"""One delivery as a file: `{"method", "url", "headers": [[name, value], ...], "body_b64", "received_at"}`."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from typing import Any

from contracts.webhooks.records import Delivery
from interlock.errors import UsageError

MAX_BYTES = 64 * 1024 * 1024
_HINT = 'it is {"method", "url", "headers": [[name, value], ...], "body_b64", "received_at"}; "body" may hold text'


def read(text: str | bytes) -> tuple[Delivery, dt.datetime | None]:
    """The delivery and when it came; None where the file does not say. Raises `UsageError`."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise UsageError("the delivery is not JSON", hint=_HINT) from exc
    if not isinstance(data, dict):
        raise UsageError("the delivery is not a JSON object", hint=_HINT)
    delivery = Delivery(
        method=_text(data, "method", "POST"),
        url=_text(data, "url", ""),
        headers=tuple(_headers(data.get("headers", []))),
        body=_body(data),
    )
    return delivery, _moment(data.get("received_at"))


def write(delivery: Delivery, received_at: dt.datetime, **more: Any) -> str:
    """The same form, with what else is known beside it."""
    form = {
        "method": delivery.method,
        "url": delivery.url,
        "headers": [list(pair) for pair in delivery.headers],
        "body_b64": base64.b64encode(delivery.body).decode(),
        "received_at": received_at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z"),
        **more,
    }
    return json.dumps(form, indent=2) + "\n"


def _text(data: dict[str, Any], name: str, usual: str) -> str:
    value = data.get(name, usual)
    if not isinstance(value, str):
        raise UsageError(f"{name} of the delivery is not text", hint=_HINT)
    return value


def _headers(value: Any) -> list[tuple[str, str]]:
    pairs = list(value.items()) if isinstance(value, dict) else value
    if not isinstance(pairs, list) or not all(
        isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(one, str) for one in pair)  # noqa: PLR2004
        for pair in pairs
    ):
        raise UsageError("headers of the delivery are not pairs of name and value", hint=_HINT)
    return [(name, text) for name, text in pairs]


def _body(data: dict[str, Any]) -> bytes:
    if "body_b64" not in data:
        return _text(data, "body", "").encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(_text(data, "body_b64", ""), validate=True)
    except (ValueError, binascii.Error) as exc:
        raise UsageError("body_b64 of the delivery is not base64", hint=_HINT) from exc


def _moment(value: Any) -> dt.datetime | None:
    if value is None:
        return None
    try:
        found = dt.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        found = None
    if found is None or found.tzinfo is None:
        raise UsageError(
            "received_at of the delivery is no time with a zone, such as 2026-01-31T02:00:00Z", hint=_HINT
        )
    return found
