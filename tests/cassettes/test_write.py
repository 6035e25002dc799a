"""What is written is a cassette of vcrpy's, and reading it gives back what was written."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vcr.cassette import Cassette
from vcr.request import Request
from vcr.serialize import deserialize
from vcr.serializers import yamlserializer

from cassettes import write
from cassettes.bodies import Budget
from cassettes.bodies import message as as_read
from cassettes.read import read_file, read_paths
from interlock.records import Interaction, Message, Source

FIXTURES = Path(__file__).parent / "fixtures"
MOMENT = dt.datetime(2026, 1, 31, 2, 3, 4, 250000, tzinfo=dt.UTC)

names = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,10}", fullmatch=True)
values = st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=12).map(str.strip)
headers = st.dictionaries(names, st.lists(values, min_size=1, max_size=2), max_size=4).map(
    lambda found: tuple((name, value) for name, many in found.items() for value in many)
)
bodies = (
    st.none() | st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "ignore"))
)


def message(fields: tuple[tuple[str, str], ...], body: bytes | None) -> Message:
    """As it is read: a body that is nothing but a mark (`redacted`) was redacted."""
    fields = tuple((n, v) for n, v in fields if n.lower() != "content-encoding")
    return as_read(fields, body, Budget())


interactions = st.builds(
    Interaction,
    source=st.just(Source(file="", format="", index=0, line=None)),
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    url=st.from_regex(r"https://[a-z]{1,8}\.example\.com/[a-z0-9%/]{0,10}(\?[a-z=&]{0,10})?", fullmatch=True),
    request=st.builds(message, headers, bodies),
    status=st.integers(100, 599),
    response=st.builds(message, headers, bodies),
    error=st.none(),
    http_version=st.sampled_from([None, "1.1", "2"]),
    recorded_at=st.none() | st.just(MOMENT),
    elapsed_seconds=st.none() | st.floats(0, 100),
    origin=st.sampled_from([None, "sandbox"]),
    extras=st.just({})
    | st.just({"response": {"reason": "No, 'tis: not\n- ok"}})
    | st.just(
        {"id": 7, "request": {"deep": [{"a": None, "b": 0.5}]}, "response": {"reason": "OK", "x": "007"}}
    ),
)


def same(interaction: Interaction) -> dict[str, Any]:
    """All of it but where it was read."""
    return {
        f.name: getattr(interaction, f.name) for f in dataclasses.fields(interaction) if f.name != "source"
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("written")


@given(st.lists(interactions, max_size=3))
def test_what_is_written_is_read_again(folder: Path, given_ones: list[Interaction]) -> None:
    path = folder / "cassette.yaml"
    write.write(path, given_ones)
    reading = read_file(path)
    assert reading.format == "vcrpy-yaml"
    assert not reading.findings
    assert [same(each) for each in reading.interactions] == [same(each) for each in given_ones]


@given(interactions)
def test_vcrpy_loads_what_is_written(folder: Path, given_one: Interaction) -> None:
    (request,), (response,) = deserialize(write.joined([write.entry(given_one)]), yamlserializer)
    assert (request.method, request.uri, request.body) == (
        given_one.method,
        given_one.url,
        given_one.request.body,
    )
    assert given_one.response is not None
    assert response["body"]["string"] == given_one.response.body
    assert response["status"]["code"] == given_one.status


def test_every_fixture_can_be_written_and_read_again(tmp_path: Path) -> None:
    """Whatever the format it came from, but for what has no response."""
    found = [each for reading in read_paths([FIXTURES]) for each in reading.interactions if each.response]
    assert len({each.source.format for each in found}) == 15
    write.write(tmp_path / "all.yaml", found)
    reading = read_file(tmp_path / "all.yaml")
    assert not reading.findings
    for before, after in zip(found, reading.interactions, strict=True):
        assert same(before) == same(after), before.source


def test_vcrpy_plays_what_is_written(tmp_path: Path) -> None:
    (order,) = read_file(FIXTURES / "vcrpy.json").interactions
    write.write(tmp_path / "a.yaml", [order])
    cassette = Cassette.load(path=str(tmp_path / "a.yaml"))
    played = cassette.play_response(Request(order.method, order.url, b"", {}))
    assert played["body"]["string"] == order.response.body if order.response else False


def test_an_empty_cassette_is_one(tmp_path: Path) -> None:
    write.write(tmp_path / "a.yaml", [])
    reading = read_file(tmp_path / "a.yaml")
    assert (reading.format, reading.interactions, reading.findings) == ("vcrpy-yaml", (), ())
    assert len(Cassette.load(path=str(tmp_path / "a.yaml"))) == 0


def test_what_has_no_response_cannot_be_written(tmp_path: Path) -> None:
    gone = read_file(FIXTURES / "exvcr.json").interactions[2]
    with pytest.raises(ValueError, match="without a response"):
        write.write(tmp_path / "a.yaml", [gone])
    assert not list(tmp_path.iterdir())
