"""Other people's recordings: every one is read, and gives as many interactions as the corpus's index counts."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cassettes.read import INCOMPLETE, UNKNOWN, Reading, read_file
from tests import corpus


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


def test_nothing_is_lost_but_what_stands_in_files_that_the_corpus_has_not(
    readings: list[tuple[Row, Reading]],
) -> None:
    """No interaction is broken; the only other finding is a file that the index counts as holding none."""
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
