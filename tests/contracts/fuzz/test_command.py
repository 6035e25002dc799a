"""The command: what it refuses to begin, what it prints and writes, and how it ends."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.contract import Answer, Operation
from contracts.fuzz import engine, target
from contracts.fuzz.halt import Halt
from contracts.fuzz.report import succeeded
from interlock.cli import main
from tests.contracts.fuzz import shops


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the shop's contract, and a credential in the environment."""
    (tmp_path / "shop.json").write_text(json.dumps(shops.DOCUMENT))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP_TOKEN", f"Bearer {shops.TOKEN}")
    return tmp_path


def ended(*arguments: str) -> int:
    """The exit status of a command."""
    with pytest.raises(SystemExit) as end:
        main(["fuzz", *arguments])
    return int(end.value.code or 0)


def asked(url: str, *more: str) -> int:
    """The shop's contract against an address, a little, by single requests."""
    little = ("--seed", "7", "--max-examples", "5", "--steps", "0")
    return ended("--contract", "shop.json", "--url", url, *little, *more)


IN_SEQUENCES = ("--steps", "6")


def test_a_right_server_passes_and_proves_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with shops.served(shops.right, token=shops.TOKEN) as (url, _):
        told = ("--header", "Authorization=env:SHOP_TOKEN", "--evidence", "found")
        assert asked(url, *told, *IN_SEQUENCES) == 0
    out, err = capsys.readouterr()
    assert "answered by 2 of 2 operations, seed 7: no findings" in out
    assert err == ""
    piece = json.loads((folder / "found" / "shop.contract-fuzz.json").read_text())
    assert (piece["verdict"], piece["origin"]) == ("proven", "stand_in")
    assert piece["covered"] == piece["universe"] == ["GET /items", "GET /items/{id}"]
    assert sorted(each.name for each in folder.iterdir()) == [
        "found",
        "shop.json",
    ]  # schemathesis leaves nothing


def test_a_fault_is_printed_with_the_line_that_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    with shops.served(shops.forgets_the_name) as (url, _):
        assert asked(url) == 1
    out = capsys.readouterr().out
    assert "error fuzz-body: GET /items: response violates schema" in out
    assert "at        /response/body/0" in out
    assert f"fix       seen with: curl -i -X GET '{url}/v1/items?limit=" in out


def test_every_form_tells_the_same_and_no_secret(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kinds = ("json", "junit", "sarif", "markdown")
    reports = [word for kind in kinds for word in ("--report", f"{kind}={kind}.out")]
    with shops.served(shops.forgets_the_name, token=shops.TOKEN) as (url, _):
        more = ("--header", "Authorization=env:SHOP_TOKEN", "--format", "json", *reports)
        assert asked(url, *more, *IN_SEQUENCES) == 1
    told = capsys.readouterr().out
    form: dict[str, Any] = json.loads(told)
    assert (form["schema"], form["summary"]["seed"]) == ("interlock.fuzz/1", 7)
    assert [(case["name"], case["state"]) for case in form["cases"]] == [
        ("GET /items", "failed"),
        ("GET /items/{id}", "passed"),
        ("sequences of requests", "passed"),
    ]
    assert form["summary"]["sequences"] >= 5
    (about,) = json.loads((folder / "sarif.out").read_text())["runs"][0]["tool"]["driver"]["rules"]
    assert about["shortDescription"] == {"text": "a body as its schema says"}
    texts = [told, *((folder / f"{kind}.out").read_text() for kind in kinds)]
    assert all("fuzz-body" in text and shops.TOKEN not in text for text in texts)


def test_refusals_alone_prove_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with shops.served(shops.right, token=shops.TOKEN) as (url, _):
        assert asked(url) == 3
    assert "--header NAME=REF sends a credential" in capsys.readouterr().out
    with shops.served(shops.right, token="another") as (url, _):
        assert asked(url, "--header", "Authorization=env:SHOP_TOKEN") == 3
    assert "every answer was a refusal (401 x" in (told := capsys.readouterr().out)
    assert "the credential is not taken" in told


def test_nobody_listens(capsys: pytest.CaptureFixture[str]) -> None:
    with shops.served(shops.right) as (url, _):
        pass
    assert asked(url) == 3
    assert "cannot be reached (Connection refused)" in capsys.readouterr().err


def test_an_integrations_own_credential_is_sent_where_it_is_a_sandboxs(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk_" + "test_" + "madeup" * 5
    monkeypatch.setenv("SANDBOX_KEY", key)
    (folder / "interlock.toml").write_text(
        '[integrations.shop]\nprovider = "stripe"\nenvironment = "sandbox"\n'
        'credentials.secret_key = "env:SANDBOX_KEY"\n'
    )
    with shops.served(shops.forgets_the_name, token=key) as (url, _):
        assert asked(url, "shop") == 1
    out = capsys.readouterr().out
    assert "fuzz-body" in out
    assert key not in out


def test_a_token_that_was_had_with_a_credential_is_not_told(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "made-up-token-of-the-hour"

    def echoes(path: str, query: dict[str, str]) -> shops.Reply:
        return 200, shops.JSON, [token]

    monkeypatch.setenv("SHOP_ID", "made-up-id")
    (folder / "interlock.toml").write_text(
        '[integrations.shop]\nprovider = "paypal"\nenvironment = "sandbox"\n'
        'credentials.client_id = "env:SHOP_ID"\ncredentials.client_secret = "env:SHOP_TOKEN"\n'
    )
    monkeypatch.setattr(target, "own_headers", lambda *_: {"Authorization": f"Bearer {token}"})
    with shops.served(echoes, token=token) as (url, _):
        assert asked(url, "shop") == 1
    out = capsys.readouterr().out
    assert "fuzz-body" in out
    assert "[redacted a token]" in out
    assert token not in out


HERE = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--url", HERE], "NAME or --contract says what is promised"),
        (["stripe", "--url", "http://shop.example"], "is beyond loopback"),
        (["stripe", "--url", "https://api.stripe.com", "--i-own-this-host"], "is stripe's own host"),
        (["stripe", "--url", "https://api.stripe.com./v1", "--i-own-this-host"], "is stripe's own host"),
        (["stripe", "--url", "http://me:pass@127.0.0.1"], "must not hold a user name"),
        (["stripe", "--url", "http://127.0.0.1/?key=1"], "must not hold a query"),
        (["stripe", "--url", "127.0.0.1"], "--url"),
        (["nobody", "--url", HERE], "there is no contract of 'nobody'"),
        (["stripe", "--url", HERE, "--header", "Authorization=Bearer x"], "must be a reference"),
        (["stripe", "--url", HERE, "--header", "env:TOKEN"], "must be NAME=REF"),
        (["stripe", "--url", HERE, "--header", "A=env:NOT_SET_AT_ALL"], "is not set"),
        (["stripe", "--url", HERE, "--header", "A=env:LIVE_KEY"], "a rehearsal never uses one"),
        (["stripe", "--url", HERE, "--header", "A=env:SNOWMAN"], "the value cannot stand in a header"),
        (["stripe", "--url", HERE, "--header", "A=env:TWO_LINES"], "the value cannot stand in a header"),
        (["stripe", "--url", HERE, "--header", "Content-Length=env:SNOWMAN"], "says where a request ends"),
        (["stripe", "--url", HERE, "--report", "pdf=x"], "must be FORMAT=FILE"),
        (["payments", "--url", HERE], "payments is live"),
    ],
)
def test_what_is_refused_before_anything_is_sent(
    arguments: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    live = "sk_" + "live_" + "madeup" * 5
    monkeypatch.setenv("LIVE_KEY", live)
    monkeypatch.setenv("SNOWMAN", "made-up \u2603")
    monkeypatch.setenv("TWO_LINES", "made-up\r\nX-Other: 1")
    (folder / "interlock.toml").write_text(
        '[integrations.payments]\nprovider = "stripe"\ncredentials.secret_key = "env:LIVE_KEY"\n'
    )
    assert ended(*arguments) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert live not in out + err
    assert "Traceback" not in err


def test_an_answer_that_is_nested_too_deeply_is_a_fault_and_the_rest_is_asked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def deep(path: str, query: dict[str, str]) -> shops.Reply:
        status, kind, body = shops.right(path, query)
        return status, kind, b"[" * 100_000 + b"]" * 100_000 if isinstance(body, list) else body

    with shops.served(deep) as (url, _):
        assert asked(url) == 1
    out, err = capsys.readouterr()
    assert err == ""
    assert "GET /items: JSON that is nested too deeply to be read" in out
    assert "answered by 2 of 2 operations, seed 7: 1 error" in out


def test_what_breaks_schemathesis_is_told_with_what_was_found_before(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise ZeroDivisionError("made up")

    monkeypatch.setattr("schemathesis.engine.context.EngineContext.record_observations", breaks)
    with shops.served(shops.right) as (url, _):
        assert asked(url) == 3
    out, err = capsys.readouterr()
    assert err == ""
    assert "schemathesis broke off: ZeroDivisionError: made up" in out


def test_the_time_is_up_while_a_request_hangs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_LAST_SECONDS", 0.2)
    over, answered = threading.Event(), []

    def hangs(path: str, query: dict[str, str]) -> shops.Reply:
        over.wait(8)  # sooner than schemathesis gives it up
        answered.append(path)
        return shops.right(path, query)

    with shops.served(hangs) as (url, _):
        try:
            assert asked(url, "--time", "0.2") == 3
            assert answered == []
        finally:
            over.set()
    assert (
        "0 requests answered by 0 of 2 operations, seed 7; the time was up before" in capsys.readouterr().out
    )


@pytest.mark.parametrize("about", ["events alone", "sequences that break off"])
def test_what_is_open_is_no_evidence(about: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document: dict[str, Any] = json.loads(json.dumps(shops.DOCUMENT))
    if about == "events alone":
        document["webhooks"] = {"sold": {"post": {"responses": {"200": {"description": ""}}}}}
        document["paths"] = {}
    else:
        there = document["paths"]["/items/{id}"]["get"]
        there["operationId"] = "look"
        link = {"operationId": "look", "parameters": {"none": "$response.body#/id"}}
        document["paths"]["/items"]["get"]["responses"]["200"]["links"] = {"look": link}
    (folder / "shop.json").write_text(json.dumps(document))
    with shops.served(shops.right) as (url, _):
        assert asked(url, "--evidence", "found", *IN_SEQUENCES) == 3
    assert json.loads((folder / "found" / "shop.contract-fuzz.json").read_text())["verdict"] == "unproven"


def test_a_signal_ends_it_and_what_was_found_until_then_is_told(folder: Path) -> None:
    signals = {signal.SIGINT: (5, 130, "it was interrupted"), signal.SIGTERM: (3, 143, "it was told to end")}
    with contextlib.ExitStack() as stack:
        begun = {number: stack.enter_context(_begun(folder / number.name)) for number in signals}
        for number, (times, status, why) in signals.items():
            process, enough = begun[number]
            assert enough.wait(30)
            for _ in range(times):
                process.send_signal(number)
            out, err = process.communicate(timeout=30)
            form = json.loads(out)
            assert (process.returncode, form["summary"]["stopped"], err) == (status, why, b"")
            assert "fuzz-body" in {each["rule"] for case in form["cases"] for each in case["findings"]}
            assert list((folder / number.name).iterdir()) == []


@contextlib.contextmanager
def _begun(temporary: Path) -> Iterator[tuple[subprocess.Popen[bytes], threading.Event]]:
    """A process that fuzzes, and what is set when it has asked enough for a fault to be seen."""
    count, enough = itertools.count(), threading.Event()

    def shop(path: str, query: dict[str, str]) -> shops.Reply:
        if next(count) == 60:
            enough.set()
        return shops.forgets_the_name(path, query)

    temporary.mkdir()
    with shops.served(shop) as (url, _):
        said = ["--contract", "shop.json", "--url", url, "--max-examples", "10000", "--format", "json"]
        process = subprocess.Popen(
            [sys.executable, "-c", "from interlock.cli import main; main()", "fuzz", *said],
            cwd=temporary.parent, env={**os.environ, "TMPDIR": str(temporary)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        with process:
            try:
                yield process, enough
            finally:
                process.kill()


def test_a_signal_before_anything_is_under_way_ends_it_at_once() -> None:
    for number, ends in ((signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)):
        halt = Halt()
        with pytest.raises(ends) as end:
            halt.take(number)
        halt.take(number)  # is passed over, so that what is open is closed
        assert halt.exit_status == 128 + number
        assert getattr(end.value, "code", 130) == halt.exit_status


def never_there(path: str, query: dict[str, str]) -> shops.Reply:
    """No item is there; the list is."""
    return shops.right(path, query) if path == "/v1/items" else (404, shops.JSON, {"error": "there is none"})


def nothing_there(path: str, query: dict[str, str]) -> shops.Reply:
    """Nothing is there, and the contract allows for that."""
    return (400 if path == "/v1/items" else 404), shops.JSON, {"error": "there is none"}


def hidden(path: str, query: dict[str, str]) -> shops.Reply:
    """What is not there is a matter of who asks, at times."""
    kind = 401 if path.endswith(("0", "1")) else 404
    return shops.right(path, query) if path == "/v1/items" else (kind, shops.JSON, {"error": "no"})


@pytest.mark.parametrize(
    ("shop", "more", "ends", "said"),
    [
        (never_there, [], 3, "unproven       GET /items/{id}: no request succeeded (404 x"),
        (never_there, ["--refusals-suffice"], 0, "not_applicable GET /items/{id}: no request succeeded (404"),
        (nothing_there, [], 3, "2 of 2 operations, 2 of them never with success, seed 7"),
        (nothing_there, ["--refusals-suffice"], 3, "unproven       GET /items: no request succeeded (400 x"),
        (hidden, ["--refusals-suffice"], 3, "unproven       GET /items/{id}: no request succeeded (401 x"),
    ],
)
def test_an_operation_of_which_no_request_succeeded_is_unproven(
    shop: shops.Shop, more: list[str], ends: int, said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with shops.served(shop) as (url, _):
        assert asked(url, "--evidence", "found", "--report", "json=told.json", *more) == ends
    assert said in capsys.readouterr().out
    piece = json.loads((folder / "found" / "shop.contract-fuzz.json").read_text())
    assert (piece["verdict"], "GET /items/{id}" in piece["covered"]) == ("unproven", False)
    there = json.loads((folder / "told.json").read_text())["summary"]["outcomes"]["GET /items/{id}"]
    assert (there["successes"], there["failures"]) == (0, 0)
    assert there["refusals"] > 0


def test_an_example_of_the_contract_names_what_is_there(folder: Path) -> None:
    def one_there(path: str, query: dict[str, str]) -> shops.Reply:
        return shops.right(path, query) if path.endswith("/7700077") else never_there(path, query)

    document: dict[str, Any] = json.loads(json.dumps(shops.DOCUMENT))
    document["paths"]["/items/{id}"]["get"]["parameters"][0]["example"] = 7700077
    (folder / "shop.json").write_text(json.dumps(document))
    with shops.served(one_there) as (url, _):
        assert asked(url) == 0


@pytest.mark.parametrize(
    ("promised", "came", "enough"),
    [
        ("200 404", "200 404", True),
        ("200 404", "404", False),
        ("2XX 4XX", "204", True),
        ("default", "404", False),
        ("default", "201", True),
        ("200 302", "302", False),
        ("302 404", "302", True),
        ("404 410", "410", True),
        ("503 default", "503", False),
    ],
)
def test_what_succeeded_is_as_good_as_the_best_that_is_promised(
    promised: str, came: str, enough: bool
) -> None:
    answers = tuple(Answer(status=each, pointer="") for each in promised.split())
    operation = Operation(id="x", method="GET", path="/x", pointer="", answers=answers)
    assert succeeded(operation, {int(each): 3 for each in came.split()}) is enough
