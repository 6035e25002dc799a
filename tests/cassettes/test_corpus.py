"""Other people's recordings: every one is read, and gives as many interactions as the corpus's index counts."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from vcr.filters import decode_response
from vcr.serialize import deserialize
from vcr.serializers import jsonserializer, yamlserializer

from cassettes.read import INCOMPLETE, UNKNOWN, Reading, read_file
from interlock.records import Interaction
from tests import corpus

SERIALIZERS = {"vcrpy-yaml": yamlserializer, "vcrpy-json": jsonserializer}


@dataclass(frozen=True, slots=True)
class Row:
    """What the index says of one file. `source`: the folder of one repository's recordings."""

    path: str
    kind: str
    count: int

    @property
    def source(self) -> str:
        return "/".join(self.path.split("/")[:-1][:3])


def rows(root: Path) -> Iterator[Row]:
    with (root / "INDEX.tsv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            if row["kind"].startswith("cassette"):
                yield Row(row["path"], row["kind"], int(row["count"] or 0))


@pytest.fixture(scope="module")
def readings() -> list[tuple[Row, Reading]]:
    root = corpus.folder(".")
    if not (root / "INDEX.tsv").is_file():
        pytest.skip(f"no index of recordings: {root / 'INDEX.tsv'} is not there")
    return [(row, read_file(root / row.path)) for row in rows(root)]


def test_every_cassette_is_read_and_counts_agree_with_the_index(
    readings: list[tuple[Row, Reading]], capsys: pytest.CaptureFixture[str]
) -> None:
    differing = [
        f"{row.path}: {len(reading.interactions)} interactions, {row.count} by the index; "
        + "; ".join(finding.subject for finding in reading.findings)
        for row, reading in readings
        if len(reading.interactions) != row.count
    ]
    with capsys.disabled():
        print("\n" + table(readings))  # noqa: T201 - what was read is to be seen
    assert not differing, "\n".join(differing)
    assert readings, "the index names no cassette"


def test_nothing_is_lost_but_what_the_recordings_themselves_lack(
    readings: list[tuple[Row, Reading]],
) -> None:
    """No interaction is broken.

    A loss is a file with a body that the corpus has not, or a packed body that a scrubber has spoilt. The only
    other finding is a file that the index counts as holding none.
    """
    unexpected = [
        finding.subject
        for row, reading in readings
        for finding in reading.findings
        if finding.rule != INCOMPLETE and not (finding.rule == UNKNOWN and row.count == 0)
    ]
    assert not unexpected, "\n".join(unexpected)


def test_every_interaction_says_what_was_asked_and_what_came_back(
    readings: list[tuple[Row, Reading]],
) -> None:
    for row, reading in readings:
        for each in reading.interactions:
            assert each.method.isupper(), row.path
            assert each.url, row.path
            assert each.status is not None or each.error, row.path
            assert each.source.file.endswith(row.path)
            for side in (each.request, each.response):
                if side is not None:
                    assert (side.body is None) == (side.body_state == "absent"), row.path
                    assert all(
                        isinstance(name, str) and isinstance(value, str) for name, value in side.headers
                    )


def test_vcrpy_reads_the_same(readings: list[tuple[Row, Reading]]) -> None:
    """Of every cassette that vcrpy itself can load, bodies unpacked as vcrpy would for a client."""
    compared = 0
    for row, reading in readings:
        peers = as_vcrpy_reads(reading) if (reading.format or "").startswith("vcrpy-") else None
        for peer, ours in zip(peers or (), reading.interactions, strict=peers is not None):
            compared += 1
            assert peer == as_vcrpy_has_it(ours), f"{row.path} {ours.source.index}"
    assert compared or not any((reading.format or "").startswith("vcrpy-") for _, reading in readings)


def as_vcrpy_reads(reading: Reading) -> list[Any] | None:
    """Each request and response by vcrpy; None for what it refuses: its old forms, and includes."""
    text = Path(reading.file).read_text(encoding="utf-8")
    try:
        requests, responses, *_ = deserialize(text, SERIALIZERS[reading.format or ""])
    except (ValueError, KeyError):
        return None
    return [
        (
            request.method,
            request.uri,
            request.body,
            listed(request.headers),
            answered(decode_response(response)),
        )
        for request, response in zip(requests, responses, strict=True)
    ]


def as_vcrpy_has_it(ours: Interaction) -> Any:
    assert ours.response is not None
    kept = [
        (n, v) for n, v in ours.response.headers if n.lower() not in {"content-encoding", "content-length"}
    ]
    response = (ours.status, kept, ours.response.body)
    return ours.method, ours.url, ours.request.body, listed(dict(ours.request.headers)), response


def listed(headers: Any) -> list[tuple[str, str]]:
    return sorted((name.lower(), str(value)) for name, value in dict(headers).items())


def answered(response: Any) -> Any:
    fields = [pair for name, values in response["headers"].items() for pair in flat(name, values)]
    kept = [(n, v) for n, v in fields if n.lower() not in {"content-encoding", "content-length"}]
    return response["status"]["code"], kept, response["body"]["string"]


def flat(name: str, values: Any) -> list[tuple[str, str]]:
    """One pair for each value; a group of headers, which one scrubber makes, is taken apart."""
    if isinstance(values, dict):
        return [pair for inner, more in values.items() for pair in flat(inner, more)]
    return [(name, value) for value in ([values] if isinstance(values, str) else values)]


def table(readings: list[tuple[Row, Reading]]) -> str:
    """Files, interactions and losses of each source."""
    files: Counter[str] = Counter()
    interactions: Counter[str] = Counter()
    losses: Counter[str] = Counter()
    formats: dict[str, set[str]] = defaultdict(set)
    for row, reading in readings:
        files[row.source] += 1
        interactions[row.source] += len(reading.interactions)
        losses[row.source] += sum(finding.rule != UNKNOWN for finding in reading.findings)
        formats[row.source] |= {reading.format} if reading.format else set()
    lines = [f"{'source':<52} {'files':>6} {'interactions':>13} {'losses':>7}  formats"]
    lines += [
        f"{source:<52} {files[source]:>6} {interactions[source]:>13} {losses[source]:>7}  "
        + ", ".join(sorted(formats[source]))
        for source in sorted(files)
    ]
    total = f"{'all':<52} {files.total():>6} {interactions.total():>13} {losses.total():>7}"
    return "\n".join([*lines, total])
