"""One order placed, as thirteen recorders keep it: read into the same record, with all that each form holds."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from cassettes.formats import FORMATS
from cassettes.read import Reading, read_file
from interlock.records import Interaction

FIXTURES = Path(__file__).parent / "fixtures"
ORDER = b'{"sku": "A-1", "quantity": 2}'
MADE = '{"id": "ord_1", "note": "grün"}'.encode()
PICTURE = b"\x89PNG\r\n\x1a\n\x00\x01\xff\xfe"
LIST = '{"list":["å","ß"]}'.encode()
RECORDED_AT = dt.datetime(2026, 1, 31, 2, 3, 4, tzinfo=dt.UTC)
IN_GO = {
    "request": {
        "proto": "HTTP/1.1",
        "proto_major": 1,
        "proto_minor": 1,
        "content_length": 29,
        "host": "api.example.com",
    },
    "response": {
        "proto_major": 2,
        "proto_minor": 0,
        "content_length": -1,
        "uncompressed": True,
        "reason": "Created",
    },
    "id": 0,
}

# file: (format, what the form holds of this interaction beside the order itself)
HELD: dict[str, tuple[str, dict[str, Any]]] = {
    "vcrpy.yaml": ("vcrpy-yaml", {"line": 2}),
    "vcrpy.json": ("vcrpy-json", {}),
    "vcrpy_httpx.yaml": ("vcrpy-yaml", {"line": 2, "http_version": "1.1"}),
    "vcrpy_before_1.yaml": ("vcrpy-yaml", {"line": 1}),
    "includes/vcrpy_includes.yaml": ("vcrpy-yaml", {"line": 3}),
    "betamax.json": ("betamax-json", {"recorded_at": RECORDED_AT}),
    "ruby_vcr.yml": ("ruby-vcr-yaml", {"line": 3, "recorded_at": RECORDED_AT, "http_version": "1.1"}),
    "ruby_vcr.json": ("ruby-vcr-json", {"recorded_at": RECORDED_AT, "http_version": "1.1"}),
    "go_vcr_v1.yaml": ("go-vcr-v1", {"line": 4}),
    "go_vcr_v2.yaml": (
        "go-vcr-v2",
        {"line": 4, "http_version": "2", "elapsed_seconds": 62.5, "extras": IN_GO},
    ),
    "go_vcr_v3.yaml": (
        "go-vcr-v2",
        {"line": 4, "http_version": "2", "elapsed_seconds": 62.5, "extras": IN_GO},
    ),
    "browser.har": (
        "har",
        {
            "recorded_at": RECORDED_AT + dt.timedelta(milliseconds=250),
            "http_version": "2",
            "elapsed_seconds": 62.5,
        },
    ),
    "polly.har": (
        "polly-har",
        {
            "recorded_at": RECORDED_AT + dt.timedelta(milliseconds=250),
            "http_version": "2",
            "elapsed_seconds": 62.5,
        },
    ),
    "php_vcr.yml": ("php-vcr-yaml", {"line": 3, "http_version": "1.1"}),
    "php_vcr.json": ("php-vcr-json", {"http_version": "1.1"}),
    "exvcr.json": ("exvcr-json", {"http_version": "1.1"}),
    "wiremock/mappings/orders.json": ("wiremock", {"url": "/v1/orders?expand=lines"}),
    "smithy_dvr.json": ("smithy-dvr", {"http_version": "1.1", "extras": {"connection_id": 0}}),
    "pygithub.txt": ("pygithub-replay", {"line": 1, "extras": {}}),
}
REASONLESS = {"vcrpy_httpx.yaml", "smithy_dvr.json", "pygithub.txt"}


def reading(name: str) -> Reading:
    found = read_file(FIXTURES / name)
    assert not found.findings
    return found


def answer(interaction: Interaction) -> tuple[int | None, bytes | None, str]:
    assert interaction.response is not None
    return interaction.status, interaction.response.body, interaction.response.body_state


@pytest.mark.parametrize("name", HELD)
def test_the_order_is_the_same_in_every_form(name: str) -> None:
    form, held = HELD[name]
    found = reading(name)
    order = found.interactions[0]
    assert (found.format, order.source.format, order.source.index) == (form, form, 0)
    assert order.source.file == str(FIXTURES / name)
    assert order.method == "POST"
    assert order.url == held.get("url", "https://api.example.com/v1/orders?expand=lines")
    assert (order.request.body, order.request.body_state) == (ORDER, "full")
    assert ("content-type", "application/json") in [(n.lower(), v) for n, v in order.request.headers]
    assert answer(order) == (201, MADE, "full")
    assert order.response is not None
    assert [(n.lower(), v) for n, v in order.response.headers] == [
        ("content-type", "application/json"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
    ]
    assert order.error is None
    assert order.origin is None


@pytest.mark.parametrize("name", HELD)
def test_what_a_form_holds_survives_and_what_it_lacks_is_none(name: str) -> None:
    _, held = HELD[name]
    order = reading(name).interactions[0]
    assert order.source.line == held.get("line")
    for field in ("recorded_at", "elapsed_seconds", "http_version"):
        assert getattr(order, field) == held.get(field), field
    assert order.extras.get("response", {}).get("reason") == (None if name in REASONLESS else "Created")
    if "extras" in held:
        assert order.extras == held["extras"]


def test_every_fixture_of_a_form_is_in_the_table_and_every_row_of_the_formats_is_shown() -> None:
    files = {
        str(p.relative_to(FIXTURES)) for p in FIXTURES.rglob("*") if p.suffix in {".yaml", ".yml", ".har"}
    }
    assert files - {"includes/shared_cassettes/made_order.yaml"} <= HELD.keys()
    assert len({form.interaction for form in FORMATS}) == len(FORMATS)
    shown = {form.split("-")[0] for form, _ in HELD.values()}
    told_by = {form.fits.__module__.rpartition(".")[2].partition("_")[0] for form in FORMATS}
    assert told_by - {"http"} <= shown  # and Ruby VCR and betamax share one file
    assert {"ruby", "betamax"} <= shown


def test_vcrpy_binary_bodies_and_pickled_buffers() -> None:
    _, packed, buffered = reading("vcrpy.yaml").interactions
    assert (packed.request.body, packed.request.body_state) == (None, "absent")
    assert answer(packed) == (200, LIST, "full")
    assert buffered.request.body == PICTURE
    assert answer(buffered) == (204, b"", "full")
    assert (packed.source.line, buffered.source.line) == (22, 36)


def test_vcrpy_includes_and_templates() -> None:
    filled = reading("includes/vcrpy_includes.yaml").interactions[1]
    assert answer(filled) == (200, b"<order><id>ord_1</id><state>new</state></order>", "full")
    assert filled.response is not None
    assert filled.response.headers == filled.request.headers == (("Accept", "application/xml"),)


def test_a_template_that_is_not_there_is_a_loss_and_an_absent_body(tmp_path: Path) -> None:
    text = (FIXTURES / "includes/vcrpy_includes.yaml").read_text().replace("order_xml.tpl", "other.tpl")
    (tmp_path / "a.yaml").write_text(text.replace("- include_file: made_order.yaml", ""))
    found = read_file(tmp_path / "a.yaml")
    assert answer(found.interactions[0]) == (200, None, "absent")
    assert [finding.subject for finding in found.findings] == [
        "a.yaml: the template other.tpl of a body is not there"
    ]


@pytest.mark.parametrize("name", ["betamax.json", "ruby_vcr.yml"])
def test_base64_bodies_of_vcr_and_betamax(name: str) -> None:
    packed = reading(name).interactions[1]
    assert (packed.method, packed.request.body, packed.request.body_state) == ("GET", b"", "full")
    assert answer(packed) == (200, LIST, "full")


def test_ruby_text_is_written_in_its_own_encoding(tmp_path: Path) -> None:
    text = (FIXTURES / "ruby_vcr.json").read_text()
    data = json.loads(text)
    data["http_interactions"][0]["response"]["body"] = {"encoding": "ISO-8859-1", "string": "grün"}
    (tmp_path / "a.json").write_text(json.dumps(data))
    assert answer(read_file(tmp_path / "a.json").interactions[0])[1] == b"gr\xfcn"


def test_har_forms_binary_contents_and_requests_without_an_answer() -> None:
    _, form, gone = reading("browser.har").interactions
    assert form.request.body == b"a=1+2&b=%C3%BC"
    assert answer(form) == (200, PICTURE, "full")
    assert (gone.status, gone.response, gone.error) == (None, None, "net::ERR_CONNECTION_RESET")
    assert gone.elapsed_seconds == 3.0
    assert form.extras["timings"] == {"send": 0, "wait": 12, "receive": 0}


def test_har_says_what_it_holds_beside_its_entries() -> None:
    found = reading("browser.har")
    assert found.extras["pages"] == [{"id": "page_1", "title": "orders"}]
    assert found.interactions[0].extras["serverIPAddress"] == "192.0.2.1"


@pytest.mark.parametrize("base64", [True, False], ids=["base64", "hex"])
def test_polly_keeps_packed_bodies_as_a_list_of_chunks(tmp_path: Path, base64: bool) -> None:
    data = json.loads((FIXTURES / "polly.har").read_text())
    if not base64:
        from base64 import b64decode  # noqa: PLC0415 - for this case

        content = data["log"]["entries"][1]["response"]["content"]
        content["text"] = json.dumps([b64decode(part).hex() for part in json.loads(content["text"])])
    (tmp_path / "recording.har").write_text(json.dumps(data))
    assert answer(read_file(tmp_path / "recording.har").interactions[1]) == (200, LIST, "full")


def test_a_body_that_is_a_mark_as_a_whole_is_redacted(tmp_path: Path) -> None:
    text = (FIXTURES / "polly.har").read_text().replace(json.dumps(ORDER.decode()), '"[REDACTED]"')
    (tmp_path / "recording.har").write_text(text)
    order = read_file(tmp_path / "recording.har").interactions[0]
    assert (order.request.body, order.request.body_state) == (b"[REDACTED]", "redacted")


def test_php_base64_bodies() -> None:
    assert answer(reading("php_vcr.yml").interactions[1]) == (200, PICTURE, "full")


def test_exvcr_erlang_binaries_and_errors() -> None:
    _, picture, gone = reading("exvcr.json").interactions
    assert answer(picture) == (200, PICTURE, "full")
    assert (gone.status, gone.response, gone.error) == (None, None, "econnrefused")


def test_wiremock_conditions_that_are_no_values_are_kept_as_they_stand() -> None:
    order = reading("wiremock/mappings/orders.json").interactions[0]
    assert order.extras["request"] == {
        "headers": {"Accept": {"contains": "json"}},
        "bodyPatterns": [{"ignoreExtraElements": True}],
    }
    assert order.extras["response"]["bodyFileName"] == "orders/made.json"


def test_wiremock_several_mappings_in_one_file() -> None:
    found = reading("wiremock/mappings/several.json")
    pattern, picture, gone = found.interactions
    assert (pattern.method, pattern.url, answer(pattern)) == (
        "ANY",
        "/v1/orders/[a-z]+",
        (200, b'{"id": "ord_1"}', "full"),
    )
    assert pattern.extras["request"] == {"urlPattern": "/v1/orders/[a-z]+"}
    assert answer(picture) == (200, PICTURE, "full")
    assert (gone.status, gone.response, gone.error) == (None, None, "CONNECTION_RESET_BY_PEER")


def test_smithy_connections_that_overlap_fail_and_break_off() -> None:
    _, gone, broken = reading("smithy_dvr.json").interactions
    assert (gone.status, gone.response, gone.error) == (None, None, "the connection was reset")
    assert answer(broken) == (200, b"[1, 2", "truncated")


def test_pygithub_ports_and_bytes() -> None:
    picture = reading("pygithub.txt").interactions[1]
    assert picture.url == "https://api.example.com:8443/v1/picture"
    assert (picture.request.body_state, answer(picture)) == ("absent", (200, PICTURE, "full"))
    assert picture.source.line == 12


def test_detection_is_by_content_alone(tmp_path: Path) -> None:
    """The name says nothing: YAML in .txt, JSON in .yml, and a byte order mark before either."""
    for name, form in (("vcrpy.yaml", "vcrpy-yaml"), ("vcrpy.json", "vcrpy-json"), ("pygithub.txt", None)):
        content = (FIXTURES / name).read_text()
        for encoding in ("utf-8", "utf-8-sig", "utf-16"):
            path = tmp_path / "unnamed"
            path.write_bytes(content.encode(encoding))
            assert read_file(path).format == (form or "pygithub-replay")
