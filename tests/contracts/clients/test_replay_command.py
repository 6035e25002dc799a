"""`interlock stand-in NAME --cassette PATH`: recorded answers for a client, and what it asks in vain."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

INTERLOCK = (sys.executable, "-c", "from interlock.cli import main; main()")
FIXTURES = Path(__file__).resolve().parents[2] / "cassettes" / "fixtures"


@pytest.mark.parametrize("name", ["vcrpy.yaml", "betamax.json", "ruby_vcr.yml"])
def test_a_recording_of_any_format_is_served(name: str) -> None:
    words = [*INTERLOCK, "stand-in", "stripe", "--cassette", str(FIXTURES / name), "--format", "json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        with urllib.request.urlopen(f"{url}/v1/orders", timeout=20) as answer:
            assert answer.read() == '{"list":["å","ß"]}'.encode()
            assert answer.headers["Content-Encoding"] is None
        with pytest.raises(urllib.error.HTTPError, match="501") as refused:
            urllib.request.urlopen(f"{url}/v1/orders", timeout=20)
        with refused.value:
            assert (
                refused.value.read()
                == b"interlock stand-in: the cassette holds no answer to GET /v1/orders\n"
            )
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said.decode()) == (1, "not in the cassette: 1 GET /v1/orders\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--cassette", str(FIXTURES / "vcrpy.yaml"), "--tls"), "error: --cassette gives what was recorded"),
        (("--cassette", str(FIXTURES.parent / "wrong" / "cut_off.yaml")), "error: cut_off.yaml: is not YAML"),
    ],
)
def test_a_mistake_of_the_user_exits_2(words: tuple[str, ...], said: str) -> None:
    done = subprocess.run(
        [*INTERLOCK, "stand-in", "stripe", *words], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.startswith(said)) == (2, True), done.stderr
