"""Right receivers in another language have no finding: the drill asks for what is right, not for our way."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from contracts.webhooks.drill.command import group

SECRET = "made-up-drill-secret-4711"
RECEIVERS = Path(__file__).parent / "receivers.mjs"


@pytest.mark.node
@pytest.mark.parametrize("scheme", ["github", "stripe"])
def test_a_right_receiver_on_node_has_no_finding(scheme: str, tmp_path: Path) -> None:
    node = shutil.which("node")
    assert node is not None
    with subprocess.Popen(
        [node, str(RECEIVERS), scheme],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "WEBHOOK_SECRET": SECRET},
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        (tmp_path / "secret").write_text(SECRET)
        words = [
            "webhook",
            scheme,
            "--url",
            url,
            "--secret",
            f"file:{tmp_path / 'secret'}",
            "--effects",
            f"url:{url}",
        ]
        result = CliRunner().invoke(group, words, standalone_mode=False)
        assert process.stdin is not None
        process.stdin.close()
    assert result.return_value == 0, result.output
    assert "no findings" in result.output
    assert SECRET not in result.output
