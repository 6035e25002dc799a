"""What formats have in common: header lists in their many spellings, numbers, dates, bodies as text or base64."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import re
from collections.abc import Collection, Iterable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from cassettes.bodies import Headers
from cassettes.unreadable import Unreadable
from cassettes.yaml_tree import is_null, settled

_GO_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_GO_DURATION = re.compile(r"(?:\d+(?:\.\d*)?(?:ns|us|µs|μs|ms|s|m|h))+")
_GO_PART = re.compile(r"(\d+(?:\.\d*)?)(ns|us|µs|μs|ms|s|m|h)")
_PAIR = 2


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """A mapping, or `Unreadable` that names what should have been one."""
    if not isinstance(value, dict):
        raise Unreadable(f"{what} is not a mapping")
    return value


def text(value: Any, what: str) -> str:
    """Text that must be there, or `Unreadable`."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if not isinstance(value, str) or not value:
        raise Unreadable(f"{what} is missing")
    return str(value)


def optional_text(value: Any) -> str | None:
    """Text, or None where there is none."""
    if is_null(value):
        return None
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def status(value: Any) -> int:
    """A status code. Raises `Unreadable`."""
    try:
        code = int(value)
    except (TypeError, ValueError):
        raise Unreadable("its status code is not a number") from None
    if isinstance(value, bool) or not 100 <= code <= 999:  # noqa: PLR2004 - three digits, as RFC 9110 has them
        raise Unreadable("its status code has not three digits")
    return code


def headers(value: Any) -> Headers:
    """Header fields as pairs, one for each value, from any spelling that a recorder is known to use."""
    if isinstance(value, dict):
        found: list[tuple[str, str]] = []
        for name, item in value.items():
            if item.__class__ is list:
                found.extend([(name, one if one.__class__ is str else field(one)) for one in item])
            elif isinstance(item, dict):  # a group, as some scrubbers leave behind
                found.extend(headers(item))
            else:
                found.append((name, field(item)))
        return tuple(found)
    if is_null(value):
        return ()
    if not isinstance(value, list):
        raise Unreadable("its headers are neither a mapping nor a list")
    return tuple(_listed(value))


def _listed(items: list[Any]) -> Iterable[tuple[str, str]]:
    for item in items:
        if isinstance(item, dict) and "name" in item:
            yield field(item["name"]), field(item.get("value"))
        elif isinstance(item, dict):
            yield from headers(item)
        elif isinstance(item, list) and len(item) == _PAIR and not isinstance(item[0], list):
            yield field(item[0]), field(item[1])
        elif isinstance(item, list):
            yield from _listed(item)
        elif isinstance(item, str) and ":" in item:
            name, _, value = item.partition(":")
            yield name, value.strip()
        else:
            raise Unreadable("its headers hold something that is no field")


def field(value: Any) -> str:
    """A header's name or value as text."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, list | dict):
        raise Unreadable("a header's value is not text")
    return "" if is_null(value) else str(value)


def body(value: Any, encoding: str | None = None) -> bytes | None:
    """A body that is text, bytes or null. `encoding`: the one that its text stood in. Raises `Unreadable`."""
    if value.__class__ is str:
        return encoded(value, encoding)
    if is_null(value):
        return None
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return encoded(value, encoding)
    if isinstance(value, dict | list):  # a recorder that keeps JSON as JSON
        return json.dumps(settled(value), ensure_ascii=False).encode("utf-8", "surrogatepass")
    return str(value).encode()


def encoded(value: str, encoding: str | None = None) -> bytes:
    """Text as the bytes it was; UTF-8 where its own encoding is not known or does not hold it."""
    if encoding and not encoding.lower().replace("_", "-").startswith(("utf-8", "ascii-8bit", "us-ascii")):
        try:
            return value.encode(encoding)
        except (LookupError, UnicodeError, ValueError):
            pass
    return value.encode("utf-8", "surrogatepass")


def from_base64(value: Any, what: str) -> bytes:
    """The bytes that base64 text stands for. Raises `Unreadable`."""
    try:
        return base64.b64decode(value)
    except (binascii.Error, ValueError, TypeError):
        raise Unreadable(f"{what} is not base64") from None


def tagged_body(value: Any) -> bytes | None:
    """A body as VCR and betamax keep it: `{encoding, string}` or `{encoding, base64_string}`."""
    if not isinstance(value, dict):
        return body(value)
    if "base64_string" in value:
        return from_base64(value["base64_string"], "a body")
    content = value.get("string")
    if isinstance(content, dict) and "str" in content:  # a String of a class of its own, as Ruby writes it
        content = content["str"]
    return body(content, optional_text(value.get("encoding")))


def moment(value: Any) -> dt.datetime | None:
    """When it was: RFC 3339, without a zone taken as UTC, or an HTTP date. None where there is none or no date."""
    if is_null(value):
        return None
    written = str(value).strip()
    for read in (dt.datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(written)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
        try:
            aware = found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)
            return aware.astimezone(dt.UTC)
        except (OverflowError, ValueError):
            return None
    return None


def go_duration(value: Any) -> float | None:
    """Seconds of a Go duration such as `871.131917ms`, or of a number of nanoseconds; None for nothing."""
    if is_null(value):
        return None
    written = str(value)
    if written.isdigit():
        return int(written) * 1e-9
    if _GO_DURATION.fullmatch(written):
        return sum(float(number) * _GO_UNITS[unit] for number, unit in _GO_PART.findall(written))
    return None


def seconds(value: Any, per_second: float = 1.0) -> float | None:
    """A number of seconds, or of parts of one; None for what is no number, or below nothing."""
    try:
        found = float(value) / per_second
    except (TypeError, ValueError, OverflowError):
        return None
    return found if 0 <= found < float("inf") else None


def http_version(value: Any) -> str | None:
    """`1.1` for `HTTP/1.1`, `1.1` or `http/1.1`; None where it is not told."""
    if is_null(value) or value == "":
        return None
    written = str(value).strip()
    if written.upper().startswith("HTTP/"):
        written = written[5:]
    return {"h2": "2", "2.0": "2", "h3": "3", "3.0": "3"}.get(written, written) or None


def rest(record: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """What a record holds beside what is known, null and empty left out."""
    if not record.keys() - known:
        return {}
    found = {name: settled(value) for name, value in record.items() if name not in known}
    return {name: value for name, value in found.items() if value not in (None, "", [], {})}


def joined(**parts: Any) -> dict[str, Any]:
    """Extras of several places, the empty ones left out."""
    return {name: value for name, value in parts.items() if value not in (None, "", [], {})}
