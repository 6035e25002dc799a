"""Read recorded traffic of any format: a broken file, or a broken part of one, is a finding and the rest goes on."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cassettes import document as documents
from cassettes import shapes
from cassettes.document import Document
from cassettes.formats import FORMATS, Format
from cassettes.unreadable import Unreadable
from interlock import findings
from interlock.records import Finding, Interaction, Location, Severity, Source

UNREADABLE = "cassette-unreadable"
UNKNOWN = "cassette-format-unknown"
BROKEN = "cassette-interaction-broken"
INCOMPLETE = "cassette-incomplete"
TOO_LARGE = "cassette-body-too-large"

_LISTS = frozenset({"interactions", "http_interactions", "events", "mappings", "log", "request", "response"})
_LIKE_A_CASSETTE = (b"interactions", b"request:", b'"request"', b'"entries"')
_LOOKED_AT_BYTES = 64 * 1024
# Folders that hold no cassettes of their own: histories, caches, and the bodies that WireMock mappings name.
_PASSED_OVER = frozenset({"__files", "__pycache__", "node_modules"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one file gave. `format`: None where none fits. `extras`: what the file says of itself."""

    file: str
    format: str | None
    interactions: tuple[Interaction, ...] = ()
    findings: tuple[Finding, ...] = ()
    extras: Mapping[str, Any] = field(default_factory=dict)


def read_paths(paths: Iterable[Path]) -> Iterator[Reading]:
    """Read files, and folders with all that is in them, in sorted order.

    A file of a folder that is no cassette is worth a notice; one that was named itself is an error.
    """
    for path in paths:
        if path.is_dir():
            for each in walk(path):
                yield read_file(each, named=False)
        else:
            yield read_file(path)


def walk(folder: Path) -> Iterator[Path]:
    """The regular files below a folder, sorted; hidden folders, caches and links to folders left out.

    A folder that cannot be listed is among them, so that whoever reads it learns why.
    """
    closed: list[OSError] = []
    for root, folders, files in os.walk(folder, onerror=closed.append):
        folders[:] = sorted(name for name in folders if name not in _PASSED_OVER and name[0] != ".")
        for name in sorted(files):
            path = Path(root, name)
            if _is_file(path):
                yield path
    yield from (Path(exc.filename) for exc in closed)


def _is_file(path: Path) -> bool:
    """A file, or what cannot even be looked at: reading it says why."""
    try:
        return path.is_file()
    except OSError:
        return True


def read_file(path: Path, *, named: bool = True) -> Reading:
    """Read one file. Never raises for what is in it. `named`: the user named this very file."""
    data = b""
    try:
        data = documents.read_bytes(path)
        document = documents.parse(path, data)
    except Unreadable as exc:
        if data and not any(word in data[:_LOOKED_AT_BYTES] for word in _LIKE_A_CASSETTE):
            return _not_known(path, named=named)
        return _refused(path, exc)
    del data
    try:
        for form in FORMATS:
            if name := form.fits(document):
                return _read(document, name, form)
    except Unreadable as exc:
        return _refused(path, exc)
    except RecursionError:
        return _refused(path, Unreadable("is nested too deeply"))
    return _not_known(path, named=named)


def _read(document: Document, name: str, form: Format) -> Reading:
    file = str(document.path)
    extras = _file_extras(document)
    records = form.records(document)
    document.tree = None  # the records are let go one by one: a large file is not held twice
    interactions: list[Interaction] = []
    found: list[Finding] = []
    for index, record in enumerate(records):
        records[index] = None
        line = record[0] if isinstance(record, tuple) else getattr(record, "line", None)
        try:
            interactions.append(
                form.interaction(record, Source(file=file, format=name, index=index, line=line), document)
            )
        except (Unreadable, RecursionError) as exc:
            reason = exc.reason if isinstance(exc, Unreadable) else "is nested too deeply"
            found.append(_broken(Location(file=file, line=line, interaction=index), reason))
    found += _losses(document, file)
    return Reading(
        file=file, format=name, interactions=tuple(interactions), findings=tuple(found), extras=extras
    )


def _file_extras(document: Document) -> dict[str, Any]:
    """What a file says of itself, beside its interactions: version, recorder, pages."""
    tree = document.tree
    if not isinstance(tree, dict):
        return {}
    log = tree.get("log")
    found = shapes.rest(tree, _LISTS) if "request" not in tree else {}
    return found | (shapes.rest(log, {"entries"}) if isinstance(log, dict) else {})


def _losses(document: Document, file: str) -> Iterator[Finding]:
    for what in dict.fromkeys(document.lost):
        yield findings.make(
            INCOMPLETE,
            Severity.WARNING,
            f"{document.path.name}: {what}",
            location=Location(file=file),
            fix="keep the files that the cassette names beside it",
            told_apart_by=what,
        )
    if count := document.budget.damaged:
        yield findings.make(
            INCOMPLETE,
            Severity.WARNING,
            f"{document.path.name}: {count} packed {'body is' if count == 1 else 'bodies are'} damaged; "
            "what could be unpacked is kept",
            location=Location(file=file),
            fix="record it again; a scrubber that replaces text inside base64 does this",
            told_apart_by="damaged",
        )
    if document.budget.exceeded:
        yield findings.make(
            TOO_LARGE,
            Severity.ERROR,
            f"{document.path.name}: unpacked bodies are larger than a cassette's may be, and are cut off",
            location=Location(file=file),
        )


def _broken(location: Location, reason: str) -> Finding:
    return findings.make(
        BROKEN,
        Severity.ERROR,
        f"an interaction cannot be read: {reason}",
        location=location,
        fix="record it again, or take it out",
    )


def _refused(
    path: Path, problem: Unreadable, rule: str = UNREADABLE, severity: Severity = Severity.ERROR
) -> Reading:
    finding = findings.make(
        rule,
        severity,
        f"{path.name}: {problem.reason}",
        location=Location(file=str(path), line=problem.line),
    )
    return Reading(file=str(path), format=None, findings=(finding,))


def _not_known(path: Path, *, named: bool) -> Reading:
    severity = Severity.ERROR if named else Severity.INFO
    return _refused(path, Unreadable("is no cassette of a format that interlock reads"), UNKNOWN, severity)
