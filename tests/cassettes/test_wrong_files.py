"""A folder of named wrong files, and the attacks: what is said of each, and that all the others are read."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from pathlib import Path

import brotli
import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cassettes import bodies, document, yaml_tree
from cassettes.read import BROKEN, INCOMPLETE, TOO_LARGE, UNKNOWN, UNREADABLE, read_file, read_paths
from interlock.records import Severity
from tests.closed import close

WRONG = Path(__file__).parent / "wrong"
FIXTURES = Path(__file__).parent / "fixtures"

# name: (interactions that are read all the same, [(rule, line, interaction, what is said)])
Said = tuple[str, int | None, int | None, str]
SAID: dict[str, tuple[int, list[Said]]] = {
    "alias_inside_itself.yaml": (0, [(UNREADABLE, 2, None, "the alias *all stands inside what it names")]),
    "alias_of_nothing.yaml": (0, [(UNREADABLE, 2, None, "the alias *nowhere names nothing")]),
    "base64_that_is_none.json": (0, [(BROKEN, None, 0, "a body is not base64")]),
    "binary_that_is_none.yaml": (0, [(UNREADABLE, 3, None, "holds binary data that is not base64")]),
    "compose.yaml": (0, [(UNKNOWN, None, None, "is no cassette of a format that interlock reads")]),
    "cut_off.json": (
        0,
        [(UNREADABLE, 1, None, "is not JSON: Expecting property name enclosed in double quotes")],
    ),
    "cut_off.yaml": (0, [(UNREADABLE, 5, None, "is not YAML: found unexpected end of stream")]),
    "empty.yaml": (0, [(UNKNOWN, None, None, "is no cassette of a format that interlock reads")]),
    "ends_in_the_middle.txt": (0, [(BROKEN, 1, 0, "ends after 9 of 10 lines")]),
    "file_outside.json": (
        0,
        [(BROKEN, None, 0, "names a file outside __files: '../../fixtures/vcrpy.yaml'")],
    ),
    "headers_that_call.txt": (0, [(BROKEN, 1, 0, "its headers are not a Python literal")]),
    "include_elsewhere.yaml": (
        0,
        [
            (BROKEN, 3, 0, "names a file by more than a plain name: '../fixtures/vcrpy.yaml'"),
            (BROKEN, 4, 1, "includes the file not_there.yaml, which is not there"),
        ],
    ),
    "include_no_interaction.yaml": (
        0,
        [
            (
                BROKEN,
                3,
                0,
                "includes the file cut_off.json, which is not JSON: Expecting property name enclosed in double quotes",
            ),
            (BROKEN, 4, 1, "includes the file include_elsewhere.yaml, which holds no interaction"),
        ],
    ),
    "key_that_is_a_list.yaml": (0, [(UNREADABLE, 2, None, "has a key that is not text")]),
    "no_uri_in_the_second.yaml": (
        1,
        [
            (BROKEN, 4, 1, "the request's URI is missing"),
            (BROKEN, 6, 2, "its status code is not a number"),
        ],
    ),
    "not_utf8.yaml": (
        0,
        [
            (
                UNREADABLE,
                None,
                None,
                "is not YAML: unacceptable character #x00ff: invalid leading UTF-8 octet",
            )
        ],
    ),
    "note.txt": (0, [(UNKNOWN, None, None, "is no cassette of a format that interlock reads")]),
}


@pytest.mark.parametrize("path", sorted(WRONG.iterdir()), ids=lambda path: path.name)
def test_a_wrong_file_is_a_finding_that_says_what_is_wrong_and_where(path: Path) -> None:
    reading = read_file(path)
    count, said = SAID[path.name]
    assert len(reading.interactions) == count
    found = [(f.rule, f.location.line, f.location.interaction, f.subject) for f in reading.findings]
    before = {BROKEN: "an interaction cannot be read"}
    assert found == [(rule, *at, f"{before.get(rule, path.name)}: {what}") for rule, *at, what in said]
    assert all(finding.location.file == str(path) for finding in reading.findings)


def test_the_rest_goes_on() -> None:
    """In one run over good and wrong files every good interaction is there."""
    readings = list(read_paths([WRONG, FIXTURES / "vcrpy.yaml", WRONG / "nowhere.yaml"]))
    by_name = {Path(reading.file).name: reading for reading in readings}
    assert len(by_name["vcrpy.yaml"].interactions) == 3
    assert len(by_name["no_uri_in_the_second.yaml"].interactions) == 1
    assert [finding.subject for finding in by_name["nowhere.yaml"].findings] == ["nowhere.yaml: is not there"]


def test_what_is_no_cassette_is_an_error_only_where_it_was_named() -> None:
    (walked,) = [each for each in read_paths([WRONG]) if Path(each.file).name == "note.txt"]
    (named,) = read_paths([WRONG / "note.txt"])
    assert [finding.severity for finding in walked.findings] == [Severity.INFO]
    assert [finding.severity for finding in named.findings] == [Severity.ERROR]


def test_folders_are_walked_in_order_and_caches_and_histories_left_out(tmp_path: Path) -> None:
    for name in (
        "b/2.yaml",
        "b/1.yaml",
        "a/1.yaml",
        ".git/x.yaml",
        "node_modules/x.yaml",
        "a/__files/x.json",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("interactions: []\nversion: 1\n")
    (tmp_path / "c").symlink_to(tmp_path / "a", target_is_directory=True)
    found = [Path(reading.file).relative_to(tmp_path).as_posix() for reading in read_paths([tmp_path])]
    assert found == ["a/1.yaml", "b/1.yaml", "b/2.yaml"]


def test_a_folder_that_cannot_be_listed_is_a_finding_and_not_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "locked").mkdir()
    close(tmp_path / "locked", monkeypatch)
    assert [finding.subject for reading in read_paths([tmp_path]) for finding in reading.findings] == [
        "locked: cannot be read: Permission denied"
    ]


def refused(path: Path, content: bytes) -> str:
    """What is said of an attack, which must give nothing. `benchmarks/cassette_reading.py` says what it costs."""
    path.write_bytes(content)
    reading = read_file(path)
    assert not reading.interactions
    (finding,) = reading.findings
    return finding.subject


def laughs(levels: int, each: int) -> bytes:
    lines = [
        "interactions:",
        "- request: {method: GET}",
        "bomb:",
        "  - &a0 [" + ", ".join(["lol"] * each) + "]",
    ]
    lines += [f"  - &a{n} [" + ", ".join([f"*a{n - 1}"] * each) + "]" for n in range(1, levels)]
    return "\n".join(lines).encode()


def test_an_alias_bomb_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "bomb.yaml", laughs(12, 12)) == "bomb.yaml: its aliases repeat more than 16 MiB"


def test_a_long_text_behind_many_aliases_is_refused(tmp_path: Path) -> None:
    text = b"interactions:\n- &a {request: '" + b"x" * 1_000_000 + b"'}\n" + b"- *a\n" * 100
    assert refused(tmp_path / "bomb.yaml", text) == "bomb.yaml: its aliases repeat more than 16 MiB"


@pytest.mark.parametrize(
    ("opening", "closing"),
    [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")],
    ids=["list", "map", "dash", "key"],
)
def test_deep_yaml_is_refused(tmp_path: Path, opening: str, closing: str) -> None:
    content = "interactions:\n- " + opening * 50_000 + "x" + closing * 50_000
    assert "nested deeper than 100 levels" in refused(tmp_path / "deep.yaml", content.encode())


def test_deep_json_is_refused(tmp_path: Path) -> None:
    content = '{"interactions": ' + "[" * 500_000 + "]" * 500_000 + "}"
    assert refused(tmp_path / "deep.json", content.encode()) == "deep.json: is nested too deeply"


def test_a_text_that_is_cut_off_is_said_in_a_whole_sentence(tmp_path: Path) -> None:
    assert refused(tmp_path / "half.json", b'{"http_interactions": [{"request": "GE') == (
        "half.json: is not JSON: Unterminated string starting"
    )


def test_a_long_number_is_refused(tmp_path: Path) -> None:
    content = '{"interactions": [], "version": ' + "9" * 1_000_000 + "}"
    assert refused(tmp_path / "long.json", content.encode()).startswith(
        "long.json: is not JSON: Exceeds the limit"
    )


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as stream:
        stream.truncate(document.MAX_FILE_BYTES + 1)
    assert [finding.subject for finding in read_file(path).findings] == ["large.yaml: is larger than 64 MiB"]


def test_no_tag_is_executed(tmp_path: Path) -> None:
    path = tmp_path / "tagged.yaml"
    path.write_text(
        "interactions:\n"
        "- request:\n"
        "    method: GET\n"
        "    uri: https://api.example.com/\n"
        f"    body: !!python/object/apply:os.mkdir ['{tmp_path / 'made'}']\n"
        f"    headers: {{X: !ruby/object:Gem::Installer 'x', Y: !!python/name:os.system ''}}\n"
        "  response: {status: {code: 200}, headers: {}, body: {string: !!python/module:os ''}}\n"
    )
    (interaction,) = read_file(path).interactions
    assert interaction.request.headers == (("X", "x"), ("Y", ""))
    assert not (tmp_path / "made").exists()


def packed(content: bytes, coding: str) -> bytes:
    if coding == "br":
        return bytes(brotli.compress(content, quality=1))
    if coding == "zstd":
        return zstandard.ZstdCompressor().compress(content)
    return zlib.compress(content) if coding == "deflate" else gzip.compress(content)


def cassette(body: bytes, coding: str, count: int = 1) -> bytes:
    one = {
        "request": {"method": "GET", "uri": "https://api.example.com/", "body": None, "headers": {}},
        "response": {
            "status_code": 200,
            "headers": {"Content-Encoding": [coding]},
            "content": base64.b64encode(body).decode(),
            "base64encoded": True,
        },
    }
    return json.dumps({"version": 1, "interactions": [one] * count}).encode()


CODINGS = ("gzip", "deflate", "br", "zstd")


@pytest.mark.parametrize("coding", CODINGS)
def test_a_packed_body_is_unpacked(tmp_path: Path, coding: str) -> None:
    content = bytes(range(256)) * 1000
    (tmp_path / "a.json").write_bytes(cassette(packed(content, coding), coding))
    reading = read_file(tmp_path / "a.json")
    response = reading.interactions[0].response
    assert response is not None
    assert (response.body, response.body_state, reading.findings) == (content, "full", ())
    assert response.headers == (("Content-Encoding", coding),)


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_that_was_unpacked_by_the_recorder_stays_as_it_is(tmp_path: Path, coding: str) -> None:
    (tmp_path / "a.json").write_bytes(cassette(b'{"plain": true}', coding))
    response = read_file(tmp_path / "a.json").interactions[0].response
    assert response is not None
    assert (response.body, response.body_state) == (b'{"plain": true}', "full")


@pytest.mark.parametrize("coding", CODINGS)
def test_a_packed_body_that_ends_early_is_truncated_and_said(tmp_path: Path, coding: str) -> None:
    content = bytes(n * n % 251 for n in range(300_000))
    (tmp_path / "a.json").write_bytes(cassette(packed(content, coding)[:-20], coding))
    reading = read_file(tmp_path / "a.json")
    response = reading.interactions[0].response
    assert response is not None
    assert response.body is not None
    assert response.body_state == "truncated"
    assert content.startswith(response.body)
    assert [finding.rule for finding in reading.findings] == [INCOMPLETE]


@pytest.mark.parametrize("coding", CODINGS)
def test_a_packed_bomb_is_cut_off(tmp_path: Path, coding: str) -> None:
    bomb = packed(bytes(bodies.MAX_BODY_BYTES * 3), coding)
    (tmp_path / "a.json").write_bytes(cassette(bomb, coding, count=8))
    reading = read_file(tmp_path / "a.json")
    unpacked = sum(len(each.response.body or b"") for each in reading.interactions if each.response)
    assert unpacked <= bodies.MAX_FILE_BODY_BYTES
    assert all(each.response and each.response.body_state == "truncated" for each in reading.interactions)
    assert [finding.rule for finding in reading.findings] == [TOO_LARGE]


scalars = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=12)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


@given(trees)
@example({"a": ["~", "null", "", "1e3", "0x1F", "yes", "1.5", "true"]})
@example({"": {"<": None}})
def test_yaml_is_read_as_pyyaml_reads_it(tree: object) -> None:
    """What PyYAML writes, by its own rules for quotes, gives the tree that its own loader builds."""
    import yaml  # noqa: PLC0415 - the peer

    for style in (None, True, False):
        written = yaml.safe_dump(tree, default_flow_style=style, allow_unicode=True)
        peer = yaml.load(written, Loader=yaml.CSafeLoader)
        assert yaml_tree.settled(yaml_tree.load(written.encode())) == peer


@given(
    st.binary(max_size=400),
    st.sampled_from(["", "interactions:\n- ", '{"http_interactions": [', "https\nGET\n"]),
)
@settings(max_examples=200)
def test_no_content_whatever_raises(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, head: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(head.encode() + content)
    reading = read_file(path)
    assert reading.interactions or reading.findings or reading.format
