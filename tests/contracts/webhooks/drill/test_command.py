"""`interlock drill webhook` as a user runs it: exit status, words, files, and no secret in any of it."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import trustme
from click.testing import CliRunner, Result

from contracts.webhooks.drill import self_test
from contracts.webhooks.drill.command import group
from contracts.webhooks.drill.profiles import PROFILES
from contracts.webhooks.drill.receivers.checks import CHECKS
from contracts.webhooks.drill.receivers.server import Fault, Reference
from interlock.errors import CannotJudge, UsageError

SECRET = "made-up-drill-secret-4711"
CLOSED = "http://127.0.0.1:9/hook"


@contextmanager
def receiver(
    fault: Fault | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[str, Reference]]:
    """A Stripe receiver in a thread: the command has an event loop of its own."""
    reference = Reference(
        scheme="stripe", profile=PROFILES["stripe"], secret=SECRET, now=time.time, fault=fault
    )
    loop, ready, addresses = asyncio.new_event_loop(), threading.Event(), list[str]()
    ended = asyncio.Event()

    async def serve() -> None:
        async with reference.serving(tls) as url:
            addresses.append(url)
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(10)
    try:
        yield addresses[0], reference
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*words: str, secret: str = SECRET) -> Result:
    result = CliRunner(env={"WH": secret}).invoke(group, ["webhook", *words], standalone_mode=False)
    if result.exception is not None and not isinstance(result.exception, UsageError | CannotJudge):
        raise result.exception
    assert secret not in result.output
    return result


def drill(url: str, *words: str, secret: str = SECRET) -> Result:
    return run("stripe", "--url", url, "--secret", "env:WH", "--settle", "0", *words, secret=secret)


def test_a_fault_is_1_with_reports_and_evidence_and_without_the_secret(tmp_path: Path) -> None:
    with receiver(Fault.TAKES_UNSIGNED) as (url, _):
        result = drill(
            url,
            "--report",
            "json=out.json",
            "--report",
            "junit=out.xml",
            "--evidence",
            str(tmp_path / "evidence"),
        )
    assert result.return_value == 1
    assert "critical webhook-forgery-taken: drill case no-signature" in result.output
    assert "say --effects" in result.output
    told = json.loads((tmp_path / "out.json").read_text())
    assert told["schema"] == "interlock.drill/1"
    assert [f["rule"] for case in told["cases"] for f in case["findings"]] == ["webhook-forgery-taken"]
    suite = ET.parse(tmp_path / "out.xml").getroot()[0]
    assert suite.get("failures") == "1"
    piece = json.loads((tmp_path / "evidence" / "stripe.webhook-drill.json").read_text())
    assert (piece["verdict"], piece["not_exercised"]) == (
        "failed",
        ["exact-replay", "fresh-again", "twenty-at-once"],
    )
    assert not any(SECRET in path.read_text() for path in tmp_path.rglob("*") if path.is_file())


def test_a_right_receiver_is_3_without_effects_for_they_prove_what_answers_cannot() -> None:
    with receiver() as (url, _):
        assert drill(url).return_value == 3


def test_effects_that_do_not_hold_the_events_are_findings(tmp_path: Path) -> None:
    (tmp_path / "acted").write_text("of-another-day\n")
    with receiver() as (url, _):
        result = drill(url, "--effects", "file:acted")
    assert result.return_value == 1
    assert "webhook-effect-missing: drill case control" in result.output


def test_a_control_that_is_not_taken_ends_the_drill() -> None:
    with receiver() as (url, reference):
        result = drill(url, secret="another-made-up-secret")
        assert isinstance(result.exception, CannotJudge)
        assert result.exception.exit_status == 3
        assert "answered with 401" in str(result.exception)
        assert reference.effects == []


def test_a_dry_run_lists_and_sends_nothing() -> None:
    text = drill(CLOSED, "--dry-run")
    assert text.return_value == 0
    assert "twenty-at-once        20  taken or refused" in text.output
    assert "none was" in text.output
    told = json.loads(drill(CLOSED, "--dry-run", "--format", "json").output)
    assert told["schema"] == "interlock.drill-plan/1"
    assert next(row for row in told["cases"] if row["case"] == "tampered-id")["deliveries"] == 0


@pytest.mark.parametrize("scheme", sorted(PROFILES))
def test_a_dry_run_needs_no_secret(scheme: str) -> None:
    result = run(scheme, "--url", CLOSED, "--dry-run")
    assert result.return_value == 0, result.exception
    assert "none was" in result.output


def test_what_the_settings_name_is_not_read_where_it_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "interlock.toml").write_text(
        '[integrations.pay]\nprovider = "stripe"\nwebhooks.secrets = ["env:NOT_SET_HERE"]\n'
    )
    assert run("pay", "--dry-run").return_value == 0
    assert "NOT_SET_HERE" in str(run("pay", "--url", CLOSED).exception)
    with receiver() as (url, reference):
        assert run("pay", "--url", url, "--secret", "env:WH", "--settle", "0").return_value == 3
        assert reference.effects


def test_a_payload_of_the_users_own_carries_id_and_type(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text('{"id": "evt_0", "type": "x", "data": {"object": {"customer": "c1"}}}')
    with receiver() as (url, reference):
        drill(url, "--payload", "own.json")
        assert len(reference.effects) > 4
        assert all(each.startswith("drill-") for each in reference.effects[:4])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["stripe"], "NAME and --url"),
        (["stripe", "--url", CLOSED], "a secret is needed"),
        (["stripe", "--url", "ftp://x", "--secret", "env:WH"], "--url"),
        (["stripe", "--url", "http://192.0.2.7/hook", "--secret", "env:WH"], "beyond loopback"),
        (["stripe", "--url", "https://api.stripe.com/x", "--i-own-this-host"], "is stripe's own host"),
        (["stripe", "--url", "http://localhost/h\u00f6k", "--secret", "env:WH"], "must be ASCII"),
        (["stripe", "--url", "http://me:x@localhost/", "--secret", "env:WH"], "user name"),
        (["stripe", "--url", CLOSED, "--secret", "env:WH", "--effects", "file:gone"], "No such file"),
        (["stripe", "--url", CLOSED, "--secret", "env:WH", "--effects", "command:false"], "ended with 1"),
        (
            ["stripe", "--url", CLOSED, "--secret", "env:WH", "--effects", "command:cat 'x"],
            "No closing quotation",
        ),
        (["stripe", "--url", CLOSED, "--secret", "env:WH", "--effects", "command: "], "names no command"),
        (
            ["stripe", "--url", CLOSED, "--secret", "env:WH", "--effects", f"url:{CLOSED}"],
            "could not be asked",
        ),
        (["paypal", "--url", CLOSED, "--secret", "env:WH"], "must know webhook_id"),
        (["sns", "--url", CLOSED, "--secret", "env:WH"], "that URL is needed"),
        (["nobody", "--url", CLOSED, "--secret", "env:WH"], "is called 'nobody'"),
        (["stripe", "--url", CLOSED, "--secret", "env:WH", "--effects", "nothing"], "no reference"),
        (["stripe", "--url", CLOSED, "--secret", "env:WH", "--payload", "gone.json"], "gone.json"),
    ],
)
def test_a_wrong_command_says_what_is_wrong(words: list[str], message: str) -> None:
    found = run(*words).exception
    assert isinstance(found, UsageError)
    assert message in str(found)


def test_a_live_secret_is_refused_and_not_shown() -> None:
    live = "sk_live_made-up"
    found = drill(CLOSED, secret=live).exception
    assert isinstance(found, UsageError)
    assert "is a live secret_key of Stripe" in str(found)
    assert live not in str(found)


def test_the_self_test_says_that_the_drill_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three receivers; `test_faults` has every one of them."""
    monkeypatch.setattr(self_test, "CHECKS", {"salesforce": CHECKS["salesforce"]})
    planted = {fault: self_test.PLANTED[fault] for fault in (Fault.TAKES_EMPTY, Fault.RACES)}
    monkeypatch.setattr(self_test, "PLANTED", planted)
    result = run("--self-test")
    assert result.return_value == 0, result.output
    assert "3 reference receivers: the drill is right about each" in result.output


def test_a_receiver_behind_a_private_authority_is_reached_and_no_proxy_stands_before_loopback(
    tmp_path: Path,
) -> None:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(tls)
    (tmp_path / "interlock.toml").write_text(
        '[suite]\nca_file = "ca.pem"\nproxy = "http://127.0.0.1:9"\n'
        '[integrations.pay]\nprovider = "stripe"\n'
        'webhooks.secrets = ["env:WH"]\n'
    )
    with receiver(tls=tls) as (url, _):
        result = run("pay", "--url", url, "--effects", f"url:{url}")
    assert isinstance(result.exception, UsageError), (
        "effects are asked of the same address, which refuses a GET"
    )
    with receiver(tls=tls) as (url, reference):
        assert run("pay", "--url", url).return_value == 3, "unproven without effects, and nothing else"
        assert reference.effects


def test_a_plan_needs_no_receiver_and_leaves_nothing_behind(tmp_path: Path) -> None:
    script = "from interlock.cli import main; main()"
    words = [sys.executable, "-c", script, "drill", "webhook", "stripe", "--dry-run"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("none was\n")
    assert list(tmp_path.iterdir()) == []
