"""Write interactions as a vcrpy cassette: what vcrpy itself loads, with what it has no field for at the side."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from cassettes.bodies import FULL, Headers
from cassettes.formats.vcrpy import SIDE_FIELD
from interlock.evidence import write_whole
from interlock.records import Interaction, Message, plain

_HEAD, _TAIL = "interactions:\n", "version: 1\n"
_NONE = "interactions: []\n"


def write(path: Path, interactions: Iterable[Interaction]) -> None:
    """Write a cassette whole or not at all. Raises `UsageError` for a file that cannot be written."""
    write_whole(path, joined([entry(each) for each in interactions]))


def joined(entries: list[str]) -> str:
    """A cassette of entries that are text already."""
    return (_HEAD + "".join(entries) if entries else _NONE) + _TAIL


def entry(interaction: Interaction) -> str:
    """One interaction as an item of the list. `ValueError` for one without a response: vcrpy has no form for it."""
    if interaction.response is None or interaction.status is None:
        raise ValueError("vcrpy's format holds no interaction without a response")
    reason = _reason(interaction)
    record = {
        "request": {
            "body": _text(interaction.request.body),
            "headers": _headers(interaction.request.headers),
            "method": interaction.method,
            "uri": interaction.url,
        },
        "response": {
            "body": {"string": _text(interaction.response.body)},
            "headers": _headers(interaction.response.headers),
            "status": {"code": interaction.status, "message": reason},
        },
    }
    if side := _side(interaction):
        record[SIDE_FIELD] = side
    return yaml.dump([record], Dumper=yaml.CSafeDumper, sort_keys=False, default_flow_style=False)


def _text(body: bytes | None) -> str | bytes | None:
    """As vcrpy keeps a body: text where it is UTF-8, so that people can read it."""
    try:
        return None if body is None else body.decode()
    except UnicodeDecodeError:
        return body


def _headers(headers: Headers) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name, []).append(value)
    return found


def _reason(interaction: Interaction) -> str:
    response = interaction.extras.get("response")
    return str(response.get("reason", "")) if isinstance(response, dict) else ""


def _side(interaction: Interaction) -> dict[str, Any]:
    """What the format has no field for; left out where there is nothing to say."""
    sides: list[tuple[str, Message | None]] = [
        ("request", interaction.request),
        ("response", interaction.response),
    ]
    states = {
        f"{name}_body_state": side.body_state
        for name, side in sides
        if side is not None and side.body is not None and side.body_state != FULL
    }
    found = {
        "recorded_at": plain(interaction.recorded_at) if interaction.recorded_at else None,
        "elapsed_seconds": interaction.elapsed_seconds,
        "http_version": interaction.http_version,
        "origin": interaction.origin,
        **states,
        "extras": _extras(interaction),
    }
    return {name: value for name, value in found.items() if value not in (None, {})}


def _extras(interaction: Interaction) -> dict[str, Any]:
    extras = plain(interaction.extras)
    response = extras.get("response")
    if isinstance(response, dict):
        left = {name: value for name, value in response.items() if name != "reason"}
        extras = {name: value for name, value in extras.items() if name != "response"}
        extras |= {"response": left} if left else {}
    found: dict[str, Any] = extras
    return found
