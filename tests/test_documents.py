"""The documents say what the code has: every JSON form by its name."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ("interlock", "cassettes", "contracts", "probes", "scheduler", "reports")
_SCHEMA = re.compile(r'"(interlock\.[a-z.-]+/\d+)"')


def test_every_json_form_is_described_and_no_other() -> None:
    sources = [path.read_text() for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    written = {name for text in sources for name in _SCHEMA.findall(text)}
    described = set(re.findall(r"`(interlock\.[a-z.-]+/\d+)`", (ROOT / "docs" / "json.md").read_text()))
    assert written == described
