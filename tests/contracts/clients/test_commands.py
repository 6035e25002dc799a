"""`interlock stand-in NAME` as a process: what it prints works, and it ends as it is told."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from contracts.clients import commands
from contracts.clients.stand_in import StandIn
from interlock import catalogue, listening
from interlock.errors import UsageError
from interlock.settings import parse

COMMAND = [sys.executable, "-c", "from interlock.cli import main; main()", "stand-in"]
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ended(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=20, check=False)


def told(process: subprocess.Popen[str]) -> dict[str, object]:
    assert process.stdout is not None
    parsed: dict[str, object] = json.loads(process.stdout.readline())
    return parsed


def invoke(*arguments: str) -> None:
    """The command in this process: errors come out as they are."""
    CliRunner().invoke(commands.stand_in, list(arguments), catch_exceptions=False, standalone_mode=False)


def status(url: str, headers: dict[str, str] | None = None, context: ssl.SSLContext | None = None) -> int:
    opener = OPENER
    if context is not None:
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
    try:
        with opener.open(urllib.request.Request(url, headers=headers or {}), timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as exc:
        exc.close()
        return exc.code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal_and_ends_with_0(number: signal.Signals) -> None:
    with started("stripe", "--format", "json") as process:
        about = told(process)
        url, environ = about["urls"]["api"], about["environ"]  # type: ignore[index]
        key = environ["STAND_IN_STRIPE_SECRET_KEY"]  # type: ignore[index]
        assert status(f"{url}/v1/balance", {"authorization": f"Bearer {key}"}) == 200
        assert status(f"{url}/v1/balance") == 401
        process.send_signal(number)
        assert process.wait(timeout=10) == 0


def test_tls_with_the_authority_in_a_file(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    with started("github", "--tls", "--ca-file", str(ca), "--format", "json") as process:
        about = told(process)
        assert about["settings"]["ca_file"] == str(ca)  # type: ignore[index]
        context = ssl.create_default_context(cafile=str(ca))
        assert status(f"{about['urls']['api']}/rate_limit", context=context) == 200  # type: ignore[index]
        process.terminate()
        assert process.wait(timeout=10) == 0


def test_limits_and_faults_from_the_command_line() -> None:
    with started("sendgrid", "--requests-per-window", "1", "--format", "json") as process:
        about = told(process)
        headers = {"authorization": f"Bearer {about['environ']['STAND_IN_SENDGRID_API_KEY']}"}  # type: ignore[index]
        url = f"{about['urls']['api']}/v3/scopes"  # type: ignore[index]
        assert [status(url, headers) for _ in range(2)] == [200, 429]
    with started("sendgrid", "--fault", "outage", "--format", "json") as process:
        assert status(told(process)["urls"]["api"]) == 503  # type: ignore[index]


@pytest.mark.parametrize("name", catalogue.names())
async def test_what_it_prints_can_be_pasted(name: str, tmp_path: Path) -> None:
    """The settings are valid, and every variable that they name is exported."""
    ca_file = tmp_path / "ca.pem"
    async with StandIn(name, tls=True) as stand_in:
        ca_file.write_text(stand_in.ca_pem or "")
        text = commands._text(stand_in, ca_file)
    exports, _, table = text.partition("# for interlock.toml\n")
    words = [word for word in shlex.split(exports, comments=True) if word != "export"]
    environ = dict(word.split("=", 1) for word in words)
    settings = parse(table, tmp_path / "interlock.toml")
    (integration,) = settings.integrations.values()
    assert (integration.provider, integration.environment.value) == (name, "stand_in")
    for reference in integration.credentials.values():
        assert environ[str(reference).removeprefix("env:")] in stand_in.credentials.values()
    assert set(integration.base_urls) == {base.name for base in catalogue.load(name).bases}
    assert tomllib.loads(table)


def test_it_stops_by_itself_and_prints_text() -> None:
    done = ended("stripe", "--tls", "--for", "0")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("# Stripe stands in at https://127.0.0.1:")


def test_only_loopback_unless_the_host_is_ones_own() -> None:
    with pytest.raises(UsageError, match="is not loopback") as caught:
        invoke("stripe", "--listen", "0.0.0.0:0", "--for", "0")
    assert caught.value.hint == "listen on 127.0.0.1, or add --i-own-this-host"


def test_a_port_that_is_taken_is_said_so() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        with pytest.raises(
            UsageError, match=rf"cannot listen on 127.0.0.1:{port} \(Address already in use\)"
        ):
            invoke("stripe", "--listen", f"127.0.0.1:{port}", "--for", "0")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["strip"], "no provider is called 'strip'; did you mean 'stripe'?"),
        (["stripe", "--fault", "rest"], "no state or fault is called 'rest'; did you mean 'reset'?"),
        (["stripe", "--listen", "8080"], "--listen '8080' is not HOST:PORT"),
        (["stripe", "--ca-file", "x.pem"], "--ca-file needs --tls"),
    ],
)
def test_a_wrong_command_is_a_usage_error(arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        invoke(*arguments, "--for", "0")
    assert caught.value.message.startswith(message)
    assert caught.value.exit_status == 2


def test_a_wrong_command_ends_with_2_and_no_traceback() -> None:
    done = ended("strip")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: no provider is called 'strip'; did you mean 'stripe'?\nhint: ")


@pytest.mark.parametrize(
    ("text", "own_host", "wanted"),
    [
        ("127.0.0.1:80", False, ("127.0.0.1", 80)),
        ("127.9.9.9:0", False, ("127.9.9.9", 0)),
        ("localhost:1", False, ("127.0.0.1", 1)),
        ("[::1]:65535", False, ("::1", 65535)),
        (":8080", False, ("127.0.0.1", 8080)),
        ("0.0.0.0:8080", True, ("0.0.0.0", 8080)),
        ("example.org:80", True, ("example.org", 80)),
    ],
)
def test_addresses(text: str, *, own_host: bool, wanted: tuple[str, int]) -> None:
    assert listening.address(text, own_host=own_host) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "80",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "10.0.0.1:80",
        "example.org:80",
        "[::]:80",
    ],
)
def test_addresses_that_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        listening.address(text, own_host=False)
