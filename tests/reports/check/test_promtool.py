"""promtool's own linter over what we tell."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from reports.exposition import PLAIN, encode
from reports.face import Face
from reports.metrics import families

pytestmark = pytest.mark.prometheus


def test_promtool_finds_nothing_to_say(face: Face) -> None:
    promtool = shutil.which("promtool")
    assert promtool, "promtool is missing: `make check` installs it"
    text = encode(families(face), PLAIN)
    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
