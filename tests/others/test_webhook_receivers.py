"""Receivers that others wrote, drilled: GitHub's own passes, and one that knows SHA-1 alone is found out."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import flask
import pytest
from click.testing import CliRunner, Result
from github_webhook import Webhook
from werkzeug.serving import make_server

from contracts.webhooks.drill.command import group

SECRET = "made-up-drill-secret-4711"
NODE = Path(__file__).parent / "node"


def drill(url: str, *words: str) -> Result:
    """The drill of a receiver of GitHub's webhooks."""
    command = ["webhook", "github", "--url", url, "--secret", "env:WH", *words]
    result = CliRunner(env={"WH": SECRET}).invoke(group, command, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result


@pytest.mark.node
def test_octokit_passes() -> None:
    node = shutil.which("node")
    assert node, "Node is not installed; `make check` installs it"
    assert (NODE / "node_modules/@octokit/webhooks").exists(), "`make check` installs it"
    with subprocess.Popen(
        [node, str(NODE / "octokit.mjs")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "WEBHOOK_SECRET": SECRET},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        try:
            result = drill(url, "--effects", f"url:{url}")
        finally:
            process.stdin.close()
    assert result.return_value == 0, result.output
    assert "no findings" in result.output


@contextmanager
def github_webhook(secret: str | None) -> Iterator[tuple[str, Path]]:
    """PyPI's github-webhook 1.0.4 in a Flask application that does what every event says, and its address."""
    app = flask.Flask("receiver")
    acted: list[str] = []
    hooks = Webhook(app, endpoint="/hook", secret=secret)
    for kind in ("issues", "push", "interlock.unknown"):
        hooks.hook(kind)(lambda _: acted.append(flask.request.headers["X-GitHub-Delivery"]))
    app.add_url_rule("/acted", view_func=lambda: flask.jsonify(acted))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", Path("/acted")
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def found(result: Result) -> set[tuple[str, str]]:
    """Rule and case of each finding, as the text says them."""
    lines = [line.strip() for line in result.output.splitlines() if ": drill case " in line]
    pairs = [line.partition(": drill case ") for line in lines]
    return {(rule.split()[-1], case.split()[0]) for rule, _, case in pairs}


def test_github_webhook_without_a_secret_takes_everything() -> None:
    with github_webhook(None) as (url, acted):
        result = drill(f"{url}/hook", "--effects", f"url:{url}{acted}")
    assert result.return_value == 1
    forged = {"no-signature", "empty-signature", "wrong-secret", "tampered-body"}
    assert {("webhook-forgery-taken", case) for case in forged} <= found(result)


def test_github_webhook_with_a_secret_knows_the_retired_signature_alone_and_acts_again() -> None:
    with github_webhook(SECRET) as (url, acted):
        result = drill(f"{url}/hook", "--effects", f"url:{url}{acted}")
    assert result.return_value == 1
    told = found(result)
    assert ("webhook-downgrade-taken", "downgraded") in told
    assert {case for rule, case in told if rule == "webhook-effect-repeated"} == {
        "exact-replay",
        "fresh-again",
        "twenty-at-once",
    }
    assert not [case for rule, case in told if rule == "webhook-forgery-taken"]
