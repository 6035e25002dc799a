"""The fixture for Python teams: recorded once, played without the provider, and no secret on disk."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cassettes.read import read_file
from tests.cassettes.upstream import Upstream

ROOT = Path(__file__).resolve().parents[2]
KEY = "made-up-secret-key-0123456789-abcdef"
TEST = """
import requests

def test_it(interlock_cassette):
    answer = requests.get("{url}/secret?api_key={key}&page=1", headers={{"Authorization": "Bearer {key}"}}, timeout=20)
    assert answer.status_code == 200
    packed = requests.get("{url}/packed/gzip", timeout=20)
    assert packed.json()["id"] == "ord_1"
"""


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream("made-up-token-0123456789-abcdefghij") as server:
        yield server


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if name != "CI"} | {"PYTHONPATH": str(ROOT)}
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "cassettes.pytest_plugin",
        "-p",
        "no:cacheprovider",
        *words,
    ]
    return subprocess.run(
        argv, cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_test_is_recorded_without_secrets_and_played_again(upstream: Upstream, tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(TEST.format(url=upstream.url, key=KEY))
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout
    path = tmp_path / "cassettes" / "test_own" / "test_it.yaml"
    secret, packed = read_file(path).interactions
    assert (secret.status, packed.status) == (200, 200)
    text = path.read_text()
    assert KEY not in text
    assert upstream.token not in text
    asked = list(upstream.asked)
    again = run(tmp_path, "--interlock-record", "none")  # in a process with another key of its placeholders
    assert again.returncode == 0, again.stdout
    assert upstream.asked == asked
