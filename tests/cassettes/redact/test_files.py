"""Files of every format: whatever is planted is found, is gone after scrub, and the rest of the file stands."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cassettes.redact import Redactor
from cassettes.redact.documents import Mapping, Scalar, Sequence, UnreadableError, read_json
from cassettes.redact.files import is_recording, look_at
from cassettes.redact.yaml_documents import read_yaml
from tests.cassettes.redact.formats import FORMATS
from tests.cassettes.redact.planted import BODIES, CANARY, HEADERS, URLS, left, provider_secrets
from tests.corpus import folder

REDACTOR = Redactor(key=b"a key for tests")
SECRETS_ONLY = Redactor(key=b"a key for tests", personal=())
PLAIN = ("https://h.example/v1/x?limit=1", ("Accept", "*/*"), '{"id": 1, "note": "nothing to see"}')


class _Loader(yaml.SafeLoader):
    """Ruby's tags as inert data."""


def _binary(loader: Any, node: Any) -> Any:
    return loader.construct_yaml_binary(node)


_Loader.add_constructor("!binary", _binary)
_Loader.add_multi_constructor("!ruby/", lambda loader, _, node: loader.construct_mapping(node, deep=True))


def _shape(value: Any) -> Any:
    """A document's structure and types without its values."""
    if isinstance(value, dict):
        return {str(key): _shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shape(item) for item in value]
    return type(value).__name__


def _loaded(text: str, name: str) -> Any:
    if name.endswith((".json", ".har")):
        return json.loads(text)
    return yaml.load(text, _Loader)


def _scrubbed(form: str, url: str, header: tuple[str, str], body: str) -> str:
    name, make = FORMATS[form]
    text = make(url, header, body)
    found = look_at(text.encode(), name, SECRETS_ONLY)
    assert found.hits, text
    assert CANARY not in repr(found.hits)
    assert all(hit.line and hit.line <= text.count("\n") + 1 for hit in found.hits)
    clean = look_at(text.encode(), name, REDACTOR, strict=True).raw
    assert look_at(clean, name, REDACTOR, strict=True).hits == ()
    assert look_at(clean, name, REDACTOR).raw == clean
    assert _shape(_loaded(clean.decode(), name)) == _shape(_loaded(text, name))
    return clean.decode()


def _everything(text: str, name: str) -> str:
    """All that a file says, with what is in base64 undone."""
    import base64  # noqa: PLC0415 - beside its use
    import binascii  # noqa: PLC0415

    said = [text]
    stack = [_loaded(text, name)]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            stack += [*value, *value.values()]
        elif isinstance(value, list):
            stack += value
        elif isinstance(value, bytes):
            said.append(value.decode("utf-8", "replace"))
        elif isinstance(value, str):
            said.append(value)
            try:
                said.append(base64.b64decode(value).decode("utf-8", "replace"))
            except (binascii.Error, ValueError):
                continue
    return "\n".join(said)


@pytest.mark.parametrize("form", FORMATS)
def test_every_header(form: str) -> None:
    for header in HEADERS.values():
        clean = _scrubbed(form, PLAIN[0], header, PLAIN[2])
        assert not left(_everything(clean, FORMATS[form][0])), (header, clean)


@pytest.mark.parametrize("form", FORMATS)
def test_every_url(form: str) -> None:
    for url in URLS.values():
        clean = _scrubbed(form, url, PLAIN[1], PLAIN[2])
        assert not left(_everything(clean, FORMATS[form][0])), (url, clean)


@pytest.mark.parametrize("form", FORMATS)
def test_every_body(form: str) -> None:
    for body in BODIES.values():
        clean = _scrubbed(form, PLAIN[0], PLAIN[1], body)
        assert not left(_everything(clean, FORMATS[form][0])), (body, clean)


@pytest.mark.parametrize("form", FORMATS)
def test_every_kind_of_every_provider(form: str) -> None:
    for secret in provider_secrets().values():
        clean = _scrubbed(form, PLAIN[0], PLAIN[1], f"so [{secret}] it was")
        assert not left(_everything(clean, FORMATS[form][0]), secret), (secret, clean)


@pytest.mark.parametrize("form", FORMATS)
def test_a_recording_without_secrets_stays_byte_for_byte(form: str) -> None:
    name, make = FORMATS[form]
    raw = make(*PLAIN).encode()
    looked = look_at(raw, name, REDACTOR, strict=True)
    assert looked.raw == raw
    assert looked.hits == ()
    assert is_recording(raw.decode())


def test_only_what_holds_a_secret_is_written_anew() -> None:
    """Comments, indentation, quotes, anchors, line ends and a byte order mark stay as they were."""
    text = (
        "\ufeff# made by hand\r\ninteractions:\r\n- request:   {uri: 'https://h.example/?token=abc123def', n: 007}\r\n"
        "  response: &r   # here\r\n    headers: {Set-Cookie: [\"a=secret99; Path=/\"], X: !foo 'bar'}\r\n"
        "  again: *r\r\n"
    )
    clean = look_at(text.encode(), "a.yaml", REDACTOR).raw.decode()
    marks = REDACTOR.rules.marks
    expected = text.replace("abc123def", marks.token("abc123def")).replace(
        "secret99", marks.token("secret99")
    )
    assert clean == expected


def test_a_block_of_text_stays_one() -> None:
    text = 'request:\n  body: |\n    {\n      "password": "hunter2"\n    }\n  x: 1\nresponse: {}\n'
    clean = look_at(text.encode(), "a.yaml", REDACTOR).raw.decode()
    assert clean == text.replace("hunter2", REDACTOR.rules.marks.token("hunter2"))


def test_lengths_follow_the_body() -> None:
    text = FORMATS["vcrpy JSON"][1](PLAIN[0], PLAIN[1], json.dumps({"token": CANARY * 3}))
    message = json.loads(look_at(text.encode(), "a.json", REDACTOR).raw)["interactions"][0]["response"]
    assert message["headers"]["Content-Length"] == [str(len(message["body"]["string"]))]
    text = FORMATS["go-vcr"][1](PLAIN[0], PLAIN[1], json.dumps({"token": CANARY * 3}))
    message = yaml.safe_load(look_at(text.encode(), "a.yaml", REDACTOR).raw)["interactions"][0]["response"]
    assert int(message["content_length"]) == len(message["body"])


def test_a_value_under_an_alias_is_found() -> None:
    text = "x: &p hunter2x\nrequest: {password: *p}\nresponse: {}\n"
    assert b"hunter2x" not in look_at(text.encode(), "a.yaml", REDACTOR).raw


HOSTILE = {
    "alias bomb": "a: &a [x,x]\n"
    + "".join(f"{c}: &{c} [*{p},*{p},*{p}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)),
    "deep flow": "request: " + "[" * 5000,
    "deep json": '{"request": ' + "[" * 100_000,
    "deep closed": "[" * 5000 + "]" * 5000,
    "tag": "request: !!python/object/apply:os.system ['true']\nresponse: {}\n",
    "merge": "a: &a {x: 1}\nrequest: {<<: *a}\n",
    "no key": "? [a, b]\n: c\n",
    "nul": "request: a\x00b",
    "not closed": "request: 'abc\nresponse: \"",
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("name", ["a.yaml", "a.json", "a.txt"])
def test_hostile_files_are_looked_at_as_text(kind: str, name: str) -> None:
    """No tag is obeyed, no alias unfolded, no depth followed; a secret behind them is found all the same."""
    text = HOSTILE[kind] + "\nAPI_TOKEN=abc123def456\n"
    looked = look_at(text.encode(), name, REDACTOR)
    assert b"abc123def456" not in looked.raw


@settings(deadline=None, max_examples=150)
@given(
    raw=st.one_of(
        st.binary(max_size=100),
        st.text(alphabet="{}[]:,\"'&*!|>-#ab1 \n\r\t\\u\ufeff", max_size=60).map(str.encode),
    ),
    name=st.sampled_from(["a.yaml", "a.json", "a.txt", "a"]),
)
def test_nothing_raises_and_twice_equals_once(raw: bytes, name: str) -> None:
    looked = look_at(raw, name, REDACTOR)
    assert look_at(looked.raw, name, REDACTOR).hits == ()


plain = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8)
trees = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), plain),
    lambda t: st.lists(t) | st.dictionaries(plain, t),
)


@settings(deadline=None, max_examples=100)
@given(tree=trees, indent=st.sampled_from([None, 1, 4]))
def test_json_is_read_as_json_has_it(tree: Any, indent: int | None) -> None:
    """What the standard library writes is read; what it cannot read is refused."""
    text = json.dumps(tree, indent=indent)
    assert len(read_json(text)) == 1
    for broken in (text + "]", "," + text, "[" + text):
        with pytest.raises(UnreadableError):
            read_json(broken)


def test_a_million_characters_cost_no_more_than_their_number() -> None:
    """Work grows with the length: counted in calls of the interpreter, so that no clock is asked."""
    import sys  # noqa: PLC0415 - beside its use

    def steps(text: str) -> int:
        count = 0

        def counted(*_: object) -> None:
            nonlocal count
            count += 1

        sys.setprofile(counted)
        try:
            SECRETS_ONLY.text(text)
        finally:
            sys.setprofile(None)
        return count

    for piece in (
        "token=abc123def ",
        "a%20b%3D",
        "password: x, ",
        "https://u@h/?a=1&",
        '{"a": "b"} ',
        "=&?",
        "eyJ.",
    ):
        short, long = steps(piece * 500), steps(piece * 4000)
        assert long < short * 8 * 1.5 + 2000, piece


def test_yaml_places_are_those_of_the_text() -> None:
    text = "é: [ü, 'ö']\nb: \U0001f600 x\n"
    root = read_yaml(text)[0]
    assert isinstance(root, Mapping)
    (first, items), (second, last) = root.pairs
    assert isinstance(items, Sequence)
    seen = [node for node in (first, *items.items, second, last) if isinstance(node, Scalar)]
    assert [text[node.start : node.end].strip() for node in seen] == ["é", "ü", "'ö'", "b", "\U0001f600 x"]


def test_false_alarms_on_recordings_of_others(capsys: pytest.CaptureFixture[str]) -> None:
    """Counted and printed by rule; each recording is still read the same, and is clean after scrub."""
    counts: dict[str, int] = {}
    files = 0
    for path in sorted(folder("cassettes").rglob("*")):
        raw = path.read_bytes() if path.is_file() else b"\0"
        if b"\0" in raw[:4096]:
            continue
        files += 1
        looked = look_at(raw, path.name, SECRETS_ONLY)
        for hit in looked.hits:
            counts[hit.rule] = counts.get(hit.rule, 0) + 1
        if looked.hits:
            assert look_at(looked.raw, path.name, SECRETS_ONLY).hits == (), path
    with capsys.disabled():
        print(f"\n{files} recordings of others: {dict(sorted(counts.items()))}")  # noqa: T201 - it is what is asked
    shapes = {
        rule: count
        for rule, count in counts.items()
        if rule
        not in {
            "secret-authorization",
            "secret-field",
            "secret-set-cookie",
            "secret-cookie",
            "secret-signature",
        }
    }
    assert sum(shapes.values()) <= 3, (
        "what is found by its look alone should be rare in recordings that were cleaned"
    )
