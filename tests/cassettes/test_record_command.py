"""`interlock record` as a user runs it: exit status, what it says, Ctrl-C, and that no secret is left anywhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from cassettes.read import read_file
from tests.cassettes.upstream import Upstream

INTERLOCK = (sys.executable, "-c", "from interlock.cli import main; main()")
KEY = "made-up-secret-key-0123456789-abcdef"
ASK = "import requests, sys; [requests.get(u, timeout=20, headers={'X': 'y'}) for u in sys.argv[1:]]"


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream("made-up-token-0123456789-abcdefghij") as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path, upstream: Upstream) -> Path:
    (tmp_path / "interlock.toml").write_text(
        '[integrations.payments]\nprovider = "stripe"\nenvironment = "stand_in"\n'
        f'base_url = "{upstream.url}"\ncredentials.secret_key = "env:PAYMENTS_KEY"\n'
    )
    return tmp_path


def interlock(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PAYMENTS_KEY": KEY}
    return subprocess.run(
        [*INTERLOCK, "record", *words],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_command_is_recorded_without_knowing_it(folder: Path, upstream: Upstream) -> None:
    said = interlock(
        folder,
        "payments",
        "--out",
        "made/a.yaml",
        "--",
        sys.executable,
        "-c",
        ASK,
        "https://api.stripe.com/json",
    )
    assert said.returncode == 0, said.stderr
    assert (said.stdout, said.stderr) == ("", "1 recorded: made/a.yaml\n")
    (kept,) = read_file(folder / "made/a.yaml").interactions
    assert (kept.url, kept.status, kept.origin) == ("https://api.stripe.com/json", 200, "stand_in")
    assert upstream.asked == ["GET /json"]


def test_no_secret_is_left_in_any_output(folder: Path, upstream: Upstream) -> None:
    ask = f"import requests; requests.get('https://api.stripe.com/secret', headers={{'Authorization': 'Bearer {KEY}'}})"
    said = interlock(folder, "payments", "--out", "a.yaml", "--", sys.executable, "-c", ask)
    assert said.returncode == 0, said.stderr
    assert "secrets and personal data replaced by placeholders" in said.stderr
    for text in (said.stdout, said.stderr, (folder / "a.yaml").read_text()):
        assert KEY not in text
        assert upstream.token not in text


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("-c", "raise SystemExit(7)"), 1, "the command ended with status 7"),
        (("-c", ""), 3, "nothing recorded: a.yaml"),
        (
            ("-c", ASK, "https://api.stripe.com/json", "http://elsewhere.example/"),
            0,
            "refused 1 to elsewhere.example:80",
        ),
    ],
)
def test_the_exit_status_says_how_it_went(
    folder: Path, words: tuple[str, ...], status: int, said: str
) -> None:
    done = interlock(folder, "payments", "--out", "a.yaml", "--", sys.executable, *words)
    assert (done.returncode, said in done.stderr) == (status, True), done.stderr


def test_what_the_cassette_lacks_fails_in_mode_none(folder: Path) -> None:
    url = "https://api.stripe.com/json"
    interlock(folder, "payments", "--out", "a.yaml", "--", sys.executable, "-c", ASK, url)
    done = interlock(
        folder, "payments", "--out", "a.yaml", "--mode", "none", "--", sys.executable, "-c", ASK, url, url
    )
    assert done.returncode == 1
    assert "1 replayed: a.yaml\n1 not in the cassette, and the mode records nothing new" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nobody", "--out", "a.yaml"), "error: no provider is called 'nobody'"),
        (
            ("payments", "--out", "a.yaml", "--mode", "none"),
            "error: a.yaml is not there, and mode none records nothing",
        ),
        (
            ("payments", "--out", "a.yaml", "--listen", "0.0.0.0:0"),
            "error: --listen '0.0.0.0:0' is not loopback",
        ),
        (("payments", "--out", "a.yaml", "--base", "files"), "error: payments has no base 'files'"),
        (("payments", "--out", "interlock.toml/a.yaml"), "error: interlock.toml/a.yaml cannot be written"),
        (
            ("payments", "--out", "a.yaml", "--", "no-such-program"),
            "error: no-such-program cannot be started",
        ),
        (("payments", "--out", "interlock.toml"), "error: interlock.toml cannot be gone on with"),
    ],
)
def test_a_mistake_of_the_user_exits_2_and_says_what_it_is(
    folder: Path, words: tuple[str, ...], said: str
) -> None:
    done = interlock(folder, *words)
    assert (done.returncode, done.stderr.startswith(said)) == (2, True), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_what_was_recorded_is_written(folder: Path, number: signal.Signals) -> None:
    words = [*INTERLOCK, "record", "payments", "--out", "a.yaml", "--format", "json"]
    with subprocess.Popen(
        words,
        cwd=folder,
        env={**os.environ, "PAYMENTS_KEY": KEY},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        greeting = process.stderr.readline().decode()
        url = greeting.split(" at ")[1].split()[0]
        with urllib.request.urlopen(f"{url}/chunked", timeout=20) as answer:
            answer.read()
        process.send_signal(number)
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    told = json.loads(said)
    assert (told["schema"], told["counts"]["recorded"]) == ("interlock.record/1", 1)
    assert len(read_file(folder / "a.yaml").interactions) == 1
