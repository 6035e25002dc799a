"""The recordings of other people's tests: where they lie, and every header in them, found by pattern alone."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# What follows the name of a field in any of their formats: `"Name": "v"`, `"Name": ["v"]`, in HAR
# `"name": "Name", "value": "v"`, and in YAML `Name: v`, or a list under `Name:`. Quotes may be escaped, where JSON
# stands in a string. Names are found first, and the rest is matched at that place alone: the files are large.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{3,60}(?![A-Za-z0-9-])")
_REST = re.compile(
    r"""\\?["']?(?:\s{0,40}:\s{0,40}(?:\[\s{0,60})?(?:-[ ]{1,4})?|\s{0,4},\s{0,60}\\?["']value\\?["']\s{0,4}:\s{0,4})"""
    r"""(?:\\?"(?P<double>[^"\n]{0,300}?)\\?"|'(?P<single>[^'\n]{0,300})'|(?P<bare>[^\s"'{}\[\],-][^\n,\]}]{0,300}))"""
)
_RESPONSE = re.compile(r"""["']?\b[Rr]esponse["']?\s{0,4}:""")


@dataclass(frozen=True, slots=True)
class Found:
    """The wanted header fields of one response, by lower-case name."""

    path: str
    provider: str
    headers: dict[str, str]


def folder(part: str) -> Path:
    """A folder of the corpus; skips the test, with the reason, where there is no corpus."""
    named = os.environ.get("INTERLOCK_CORPUS")
    corpus = Path(named) if named else ROOT.parent / "shared" / "corpus"
    if not (corpus / part).is_dir():
        pytest.skip(
            f"no corpus of recordings: {corpus / part} is not a folder; INTERLOCK_CORPUS names another"
        )
    return corpus / part


def providers(corpus: Path) -> dict[str, str]:
    """The provider of each file, as the corpus's index has it."""
    lines = (corpus / "INDEX.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return {row[0]: row[6] for row in (line.split("\t") for line in lines) if len(row) > 6}


def responses(cassettes: Path, wanted: re.Pattern[str]) -> Iterator[Found]:
    """The fields whose names fit, and the date, of every response of every file."""
    known = providers(cassettes.parent)
    for path in sorted(p for p in cassettes.rglob("*") if p.is_file()):
        text = path.read_text(encoding="utf-8", errors="replace")
        name = str(path.relative_to(cassettes.parent))
        for part in _RESPONSE.split(text):
            for headers in _groups(part, wanted):
                yield Found(name, known.get(name, ""), headers)


def _groups(text: str, wanted: re.Pattern[str]) -> Iterator[dict[str, str]]:
    """One dictionary for each response: a field that comes again begins the next."""
    headers: dict[str, str] = {}
    for match in _NAME.finditer(text):
        name = match[0].lower()
        if name != "date" and not wanted.fullmatch(name):
            continue
        rest = _REST.match(text, match.end())
        if rest is None:
            continue
        value = next(v for v in (rest["double"], rest["single"], rest["bare"]) if v is not None)
        if name in headers:
            if headers.keys() - {"date"}:
                yield headers
            headers = {}
        headers[name] = value.strip()
    if headers.keys() - {"date"}:
        yield headers
