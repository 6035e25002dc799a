"""TOML text from plain values, for tests that write settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def as_toml(value: Mapping[str, Any]) -> str:
    """One dotted key a line: not pretty, and always right."""
    return "\n".join(_lines(value, "")) + "\n"


def _lines(value: Mapping[str, Any], prefix: str) -> list[str]:
    found: list[str] = []
    for key, each in value.items():
        name = f"{prefix}{json.dumps(key)}"
        found += _lines(each, f"{name}.") if isinstance(each, Mapping) else [f"{name} = {json.dumps(each)}"]
    return found
