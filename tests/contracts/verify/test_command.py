"""`interlock verify` as a stranger uses it: exit status, reports, evidence, wrong input."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from contracts.shelf import LOCK, Shelf
from interlock.cli import main, root
from interlock.errors import UsageError
from tests.contracts.verify.made import document

CASSETTE = """version: 1
interactions:
- request:
    method: GET
    uri: https://api.shop.example/v1/pets/7
    body: null
    headers: {}
  response:
    status: {code: 200, message: OK}
    headers: {Content-Type: [application/json]}
    body: {string: '%s'}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.json").write_text(json.dumps(document()))
    (tmp_path / "good.yaml").write_text(CASSETTE % '{"id": 7, "name": "Tom"}')
    (tmp_path / "bad.yaml").write_text(CASSETTE % '{"id": 7}')
    (tmp_path / "other.yaml").write_text((CASSETTE % "{}").replace("/v1/pets/7", "/elsewhere"))
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(root, ["verify", *words], standalone_mode=False)


def test_a_kept_promise_passes_and_leaves_evidence(folder: Path) -> None:
    result = run("good.yaml", "--contract", "shop.json", "--evidence", "proof")
    assert result.return_value == 0, result.output
    proof = json.loads((folder / "proof" / "shop.contract-verify.json").read_text())
    assert proof["verdict"] == "proven"
    assert proof["covered"] == ["GET /pets/{key}"]
    assert len(proof["universe"]) == 6


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_evidence_of_a_contract_is_of_what_was_held_against_it_alone(folder: Path, jobs: str) -> None:
    (folder / "more").mkdir()
    paths = {"/elsewhere": document()["paths"]["/pets/{key}"]}
    (folder / "more" / "shop.json").write_text(json.dumps(document() | {"paths": paths}))
    bad = (CASSETTE % '{"id": 7}').replace("api.shop.example/v1/pets/7", "127.0.0.1/v1/elsewhere")
    (folder / "both.yaml").write_text(
        (folder / "good.yaml").read_text() + bad.partition("interactions:\n")[2]
    )
    words = ("--contract", "shop.json", "--contract", "more/shop.json", "--evidence", "proof", "-n", jobs)
    assert run("both.yaml", "good.yaml", *words).return_value == 1
    found = {}
    for path in (folder / "proof").iterdir():
        piece = json.loads(path.read_text())
        found[piece["integration"]] = (piece["verdict"], piece["origin"], piece["covered"])
    assert found == {
        "shop": ("proven", "live", ["GET /pets/{key}"]),
        "shop-2": ("failed", "stand_in", ["GET /elsewhere"]),
    }


def test_a_broken_promise_fails_and_every_report_says_where(folder: Path) -> None:
    kinds = ("json", "junit", "sarif", "markdown")
    result = run(
        "bad.yaml", "good.yaml", "--contract", "shop.json", *(f"--report={k}=out.{k}" for k in kinds)
    )
    assert result.return_value == 1, result.output
    assert "response-body" in result.output
    assert all("/response/body/name" in (folder / f"out.{kind}").read_text() for kind in kinds)
    rules = json.loads((folder / "out.sarif").read_text())["runs"][0]["tool"]["driver"]["rules"]
    assert {"text": "the body of an answer is as its schema says"} in [
        each["shortDescription"] for each in rules
    ]


def test_a_cassette_of_which_nothing_matched_is_no_pass(folder: Path) -> None:
    assert run("other.yaml", "--contract", "shop.json").return_value == 3


def test_what_could_not_be_judged_is_told_to_people_too(folder: Path) -> None:
    asked, got = CASSETTE.replace("GET", "OPTIONS") % "", CASSETTE % '{"id": 7, "name": "Tom"}'
    (folder / "asked.yaml").write_text(asked + got.partition("interactions:\n")[2])
    result = run("asked.yaml", "--contract", "shop.json", "--report", "markdown=out.md")
    told = "not judged: OPTIONS of a known path is promised by no contract (1)"
    assert result.return_value == 0, result.output
    assert told in result.output.splitlines()
    assert f"- {told}" in (folder / "out.md").read_text().splitlines()


def test_a_baseline_lets_an_old_project_start_green(folder: Path) -> None:
    assert run("bad.yaml", "--contract", "shop.json", "--write-baseline", "known.json").return_value == 0
    assert run("bad.yaml", "--contract", "shop.json", "--baseline", "known.json").return_value == 0
    assert run("bad.yaml", "--contract", "shop.json").return_value == 1


def test_a_baseline_knows_a_file_however_it_is_spelled(folder: Path) -> None:
    (folder / "seen").mkdir()
    (folder / "bad.yaml").rename(folder / "seen" / "bad.yaml")
    spelled = ["seen/bad.yaml", "./seen", "seen/../seen/bad.yaml", str(folder / "seen" / "bad.yaml")]
    for one in spelled:
        assert run(one, "--contract", "shop.json", "--write-baseline", "known.json").return_value == 0
        for other in spelled:
            result = run(other, "--contract", "shop.json", "--baseline", "known.json")
            assert result.return_value == 0, (one, other)


def test_a_baseline_of_absolute_paths_still_holds(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written when paths stood in it as they were spelled; here by a run from elsewhere."""
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    bad = str(folder / "bad.yaml")
    assert run(bad, "--contract", "../shop.json", "--write-baseline", "../known.json").return_value == 0
    monkeypatch.chdir(folder)
    assert run(bad, "--contract", "shop.json", "--baseline", "known.json").return_value == 0
    assert run("bad.yaml", "--contract", "shop.json", "--baseline", "known.json").return_value == 1


def test_the_order_is_the_same_whoever_runs_it(folder: Path) -> None:
    one = json.loads(run(".", "--contract", "shop.json", "--format", "json").output)
    two = json.loads(run(".", "--contract", "shop.json", "--format", "json", "-n", "2").output)
    assert [case["name"] for case in one["cases"]] == ["bad.yaml", "good.yaml", "other.yaml"]
    assert one["cases"] == two["cases"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("gone.yaml",), "gone.yaml: there is no such file or folder"),
        ((), "nothing to look at: name cassettes or folders"),
        (("good.yaml", "--contract", "good.yaml"), "good.yaml: is in no format that is known"),
        *(
            (
                ("good.yaml", "--contract", "shop.json", "--old-after", days),
                f"--old-after {float(days)}: must be a number of days from 0 to 999999999",
            )
            for days in ("nan", "inf", "1e300", "1000000000")
        ),
        (("good.yaml", "--provider", "nobody"), "there is no contract of 'nobody'"),
        (("good.yaml", "--provider", "strpe"), "there is no contract of 'strpe'; did you mean 'stripe'?"),
    ],
)
def test_a_wrong_command_says_what_is_wrong(folder: Path, words: tuple[str, ...], said: str) -> None:
    result = run(*words)
    assert isinstance(result.exception, UsageError)
    assert result.exception.message == said


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize(
    ("lock", "pinned", "said"),
    [
        (False, None, "is not a lock of contracts"),
        (True, b" ", "is not what was pulled"),
        (True, b"}", "is not what was pulled"),
    ],
)
def test_a_lock_or_a_pinned_file_that_is_wrong_is_said_where_nobody_named_it(
    folder: Path, *, jobs: str, lock: bool, pinned: bytes | None, said: str
) -> None:
    shelf = Shelf(folder)
    data = json.dumps(document()).encode()
    known = shelf.pin("stripe", data, url="https://x.example/", pulled_at="2026-11-26")
    known.path.write_bytes(data + (pinned or b""))
    if not lock:
        (shelf.folder / LOCK).write_text("{")
    for name in ("one.yaml", "two.yaml"):
        (folder / name).write_text(
            (CASSETTE % "{}").replace("https://api.shop.example", "https://api.stripe.com")
        )
    refused = run("one.yaml", "two.yaml", "-n", jobs).exception
    assert isinstance(refused, UsageError)
    assert said in refused.message
    assert "pull" in (refused.hint or "")


def test_what_was_named_needs_no_lock(folder: Path) -> None:
    shelf = Shelf(folder)
    shelf.folder.mkdir(parents=True)
    (shelf.folder / LOCK).write_text("{")
    assert run("good.yaml", "--contract", "shop.json", "--evidence", "proof").return_value == 0
    assert run("other.yaml", "--contract", "shop.json").return_value == 3


def test_half_a_character_is_shown_and_ends_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = document()
    said["info"]["title"] = "Shop\ud800"
    pinned = Shelf(folder).pin(
        "shop", json.dumps(said).encode(), url="https://x.example/", pulled_at="2026-11-26"
    )
    assert pinned.path.is_file()
    recorded = {
        "request": {
            "method": "GET",
            "uri": "https://api.shop.example/v1/no\ud800",
            "headers": {},
            "body": None,
        },
        "response": {
            "status": {"code": 200, "message": ""},
            "headers": {"Content-Type": ["a\ud800"]},
            "body": {"string": '"\ud800"'},
        },
    }
    (folder / "half.json").write_text(json.dumps({"version": 1, "interactions": [recorded]}))
    kinds = ("json", "junit", "sarif", "markdown")
    for named in (("--contract", str(pinned.path)), ("--provider", "shop")):
        words = (
            "half.json",
            *named,
            *(f"--report={kind}=out.{kind}" for kind in kinds),
            "--evidence",
            "proof",
        )
        for jobs in ("1", "2"):
            with pytest.raises(SystemExit) as ended:
                main(["verify", *words, "-n", jobs])
            assert ended.value.code == 3
            told = capsys.readouterr()
            assert "/v1/no\\ud800" in told.out
            assert told.err == ""
        assert "no\\ud800" in (folder / "out.markdown").read_text()
        assert all((folder / f"out.{kind}").stat().st_size for kind in kinds)


def test_like_reasons_for_which_nothing_was_judged_are_counted_together(folder: Path) -> None:
    (folder / "one.yaml").write_text(CASSETTE % '{"id": "[redacted]", "name": "Tom"}')
    (folder / "two.yaml").write_text(CASSETTE % '{"id": "[redacted]", "name": "Tom", "born": "[redacted]"}')
    result = run("one.yaml", "two.yaml", "--contract", "shop.json", "--format", "json")
    counted = json.loads(result.output)["summary"]["not_judged"]
    assert counted["stands for something redacted"] == 3


def test_a_broken_cassette_in_a_folder_is_a_finding_and_not_left_out(folder: Path) -> None:
    kept = folder / "kept"
    kept.mkdir()
    (kept / "good.yaml").write_text((folder / "good.yaml").read_text())
    (kept / "cut.yaml").write_text((folder / "good.yaml").read_text()[:-6])
    (kept / "notes.txt").write_text("no cassette at all")
    result = run("kept", "--contract", "shop.json", "--report", "json=out.json")
    assert result.return_value == 1, result.output
    assert "cassette-unreadable" in result.output
    assert "cut.yaml" in result.output
    assert "notes.txt" not in result.output
    assert json.loads((folder / "out.json").read_text())["summary"]["unreadable"] == 1


def test_rules_stand_in_the_settings_and_the_command_line_goes_before(folder: Path) -> None:
    (folder / "interlock.toml").write_text('[verify.rules]\nresponse-body = "warning"\n')
    assert run("bad.yaml", "--contract", "shop.json").return_value == 0
    assert run("bad.yaml", "--contract", "shop.json", "--rule", "response-body=error").return_value == 1
    (folder / "interlock.toml").write_text('[verify.rules]\nresponse-bodi = "warning"\n')
    refused = run("bad.yaml", "--contract", "shop.json").exception
    assert isinstance(refused, UsageError)
    assert "did you mean 'response-body'" in str(refused)


def test_findings_name_a_contract_of_the_library_without_a_path_of_this_machine(folder: Path) -> None:
    asked = (CASSETTE % '{"object": "balance", "available": "none"}').replace(
        "https://api.shop.example/v1/pets/7", "https://api.stripe.com/v1/balance"
    )
    (folder / "stripe.yaml").write_text(asked)
    result = run("stripe.yaml")
    assert result.return_value == 1, result.output
    assert "contracts/library/stripe/openapi.yaml" in result.output
    assert str(Path(__file__).parents[3]) not in result.output
    assert "1 cassette, 1 interaction" in result.output


def test_what_the_contract_leaves_out_is_not_counted_as_held_in_part(folder: Path) -> None:
    left_out = (CASSETTE % "{}").replace(
        "https://api.shop.example/v1/pets/7", "https://api.github.com/gists/1"
    )
    (folder / "gist.yaml").write_text(left_out)
    result = run("gist.yaml")
    assert result.return_value == 3
    assert "1 interaction, 0 held against a contract, 0 of them in part" in result.output
    assert "`interlock contracts pull github` fetches the whole" in result.output


def test_what_a_recording_lost_is_as_severe_as_the_user_says(folder: Path) -> None:
    cut = base64.b64encode(gzip.compress(bytes(n * n % 251 for n in range(3_000)))[:-20]).decode()
    lost = (folder / "good.yaml").read_text().replace('\'{"id": 7, "name": "Tom"}\'', f"!!binary {cut}")
    (folder / "lost.yaml").write_text(
        lost.replace("{Content-Type", "{Content-Encoding: [gzip], Content-Type")
    )
    for words, status, told in (
        ((), 0, "warning cassette-incomplete"),
        (("--rule", "cassette-incomplete=error"), 1, "error cassette-incomplete"),
        (("--rule", "cassette-incomplete=off"), 0, ""),
    ):
        result = run("lost.yaml", "--contract", "shop.json", *words)
        assert result.return_value == status, result.output
        assert ("cassette-incomplete" in result.output) is bool(told)
        assert told in result.output
