"""`interlock check` as a user runs it: its table, its JSON, its reports, its evidence, its exit status."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime as dt
import json
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from contracts.clients.stand_in import StandIn
from interlock.cli import main
from interlock.evidence import digest_of
from interlock.records import ProbeKind, Reason, State, Verdict
from probes.check import Checked
from probes.report import render
from tests.interlock.toml_text import as_toml
from tests.probes.test_http_probes import ask, integration


class Cast:
    """Stand-ins that play in a thread of their own, while the command runs in this one."""

    def __init__(self, *names: str) -> None:
        self._names = names
        self.stand_ins: dict[str, StandIn] = {}
        self._loop = asyncio.new_event_loop()
        self._ready, self._end = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=(self._play(),), daemon=True
        )

    async def _play(self) -> None:
        async with contextlib.AsyncExitStack() as stack:
            for name in self._names:
                self.stand_ins[name] = await stack.enter_async_context(StandIn(name))
            self._ready.set()
            await self._end.wait()

    def be(self, name: str, state: str, seconds: float | None = None) -> None:
        asyncio.run_coroutine_threadsafe(
            self.stand_ins[name].set_state(state, seconds=seconds), self._loop
        ).result(10)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture
def cast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cast]:
    """Stripe, GitHub and SendGrid, with settings in the working directory that name them."""
    monkeypatch.chdir(tmp_path)
    with Cast("stripe", "github", "sendgrid") as playing:
        tables = {}
        for name, stand_in in playing.stand_ins.items():
            for variable, value in stand_in.environ.items():
                monkeypatch.setenv(variable, value)
            tables[name] = stand_in.settings() | {"timeout": "20s", "slow_after": "10s"}
        (tmp_path / "interlock.toml").write_text(as_toml({"integrations": tables}))
        yield playing


@pytest.fixture
def interlock(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


def test_all_well_is_0(cast: Cast, interlock: Any) -> None:
    status, out, err = interlock("check")
    assert status == 0, out
    assert "3 integrations, 12 probes: 12 operational" in out
    assert err == ""


def test_what_is_wrong_is_said_with_what_to_do(cast: Cast, interlock: Any) -> None:
    cast.be("stripe", "revoked")
    cast.be("github", "down")
    status, out, _ = interlock("check")
    assert status == 1
    assert "auth_failed" in out
    assert "-> Us: " in out
    assert "stripe: ours to mend; it is up, and something on our side keeps it from serving us" in out
    assert "github: the network's" in out
    assert "Connection refused" in out


def test_only_what_is_named_is_asked(cast: Cast, interlock: Any) -> None:
    cast.be("stripe", "revoked")
    status, out, _ = interlock("check", "github", "--probe", "credential")
    assert status == 0
    assert "1 integration, 1 probe: 1 operational" in out
    assert cast.stand_ins["stripe"].requests.total() == 0


@pytest.mark.parametrize(
    ("fail_on", "expected"), [("degraded", 1), ("throttled", 1), ("auth_failed", 0), ("failing", 0)]
)
def test_the_bar_can_be_raised(cast: Cast, interlock: Any, fail_on: str, expected: int) -> None:
    cast.be("stripe", "throttled", 5)
    assert interlock("check", "stripe", "--probe", "credential", "--fail-on", fail_on)[0] == expected


def test_a_missing_credential_cannot_be_judged(
    cast: Cast, interlock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STAND_IN_STRIPE_SECRET_KEY")
    status, out, _ = interlock("check", "stripe")
    assert status == 3
    assert "STAND_IN_STRIPE_SECRET_KEY: the environment variable is not set" in out


def test_something_unhealthy_counts_before_something_unknown(
    cast: Cast, interlock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STAND_IN_STRIPE_SECRET_KEY")
    cast.be("github", "outage")
    assert interlock("check")[0] == 1


def test_the_json_is_stable_and_alone_on_standard_output(cast: Cast, interlock: Any) -> None:
    status, out, err = interlock("check", "--format", "json")
    told = json.loads(out)
    assert (status, err, told["schema"]) == (0, "", "interlock.check/1")
    assert set(told) == {"schema", "checked_at", "integrations", "not_asked", "summary"}
    probe = told["integrations"][0]["probes"][0]
    assert {"state", "reason", "detail", "why", "what_to_do", "whose", "phases", "headrooms"} <= set(probe)
    assert told["summary"]["operational"] == 12


def test_reports_are_written_beside_it(cast: Cast, interlock: Any, tmp_path: Path) -> None:
    cast.be("stripe", "revoked")
    cast.be("sendgrid", "outage")
    words = [f"--report={kind}=out/{kind}" for kind in ("json", "junit", "markdown")]
    status, _, _ = interlock("check", *words)
    assert status == 1
    suites = ET.parse(tmp_path / "out" / "junit").getroot()
    counts = {suite.get("name"): suite.get("failures") for suite in suites}
    assert counts == {"github": "0", "sendgrid": "5", "stripe": "2"}
    assert json.loads((tmp_path / "out" / "json").read_text())["schema"] == "interlock.check/1"
    assert "| stripe | credential | auth_failed |" in (tmp_path / "out" / "markdown").read_text()


def test_evidence_says_where_it_comes_from(cast: Cast, interlock: Any, tmp_path: Path) -> None:
    cast.be("stripe", "revoked")
    interlock("check", "--evidence", "evidence")
    failed = json.loads((tmp_path / "evidence" / "stripe.probe-credential.json").read_text())
    proven = json.loads((tmp_path / "evidence" / "github.probe-credential.json").read_text())
    assert (failed["verdict"], proven["verdict"]) == (Verdict.FAILED, Verdict.PROVEN)
    assert proven["origin"] == "stand_in", "evidence from a stand-in proves nothing about the world"
    assert proven["digest"] == digest_of(proven)
    proven["verdict"] = "failed"
    assert proven["digest"] != digest_of(proven)


def test_outcomes_can_be_kept(cast: Cast, interlock: Any, tmp_path: Path) -> None:
    assert interlock("check", "--record")[0] == 0
    assert (tmp_path / "interlock.db").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("check", "nobody"), "no integration is called 'nobody'"),
        (("check", "--config", "nowhere.toml"), "nowhere.toml: there is no such file"),
        (("check", "--report", "pdf=x"), "--report pdf=x: must be FORMAT=FILE"),
        (("check", "--report", "json=/proc/nothing/x"), "/proc/nothing/x cannot be written"),
        (("check", "--probe", "smell"), "'smell' is not one of"),
        (("chek",), "Did you mean 'check'?"),
    ],
)
def test_a_users_mistake_is_2_and_said_in_words(
    cast: Cast, interlock: Any, words: tuple[str, ...], said: str
) -> None:
    status, out, err = interlock(*words)
    assert (status, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_without_settings_the_public_face_is_asked(
    interlock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A credential that happens to be set is not used. Nobody is reachable from a test: that is our own affair."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_madeupmadeupmadeup")
    monkeypatch.setattr("socket.getaddrinfo", _nobody)
    status, out, _ = interlock("check", "--format", "json", "--timeout", "2")
    told = json.loads(out)
    kinds = {probe["probe"] for each in told["integrations"] for probe in each["probes"]}
    assert status == 3
    assert kinds == {"reachability", "tls", "status-page"}
    reasons = {probe["reason"] for each in told["integrations"] for probe in each["probes"]}
    assert reasons == {"offline"}
    azure = next(each for each in told["integrations"] if each["name"] == "azure_blob")
    assert [probe["probe"] for probe in azure["probes"]] == ["status-page"], "its address needs an account"


def _nobody(*_: object, **__: object) -> list[object]:
    raise OSError("no network in a test")


def test_ctrl_c_is_quiet(cast: Cast, interlock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("probes.check.look", interrupted)
    status, out, err = interlock("check")
    assert (status, out, err) == (130, "", "\ninterrupted\n")


def test_ctrl_c_while_the_command_comes_in_is_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: list[str]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("interlock.cli._bring_in", interrupted)
    with pytest.raises(SystemExit) as end:
        main()
    assert (end.value.code, capsys.readouterr().err) == (130, "interrupted\n")


@pytest.mark.parametrize("kind", ["text", "markdown"])
async def test_what_a_provider_says_cannot_wipe_the_screen(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with StandIn("stripe") as stand_in:
        own = integration(stand_in, monkeypatch)
        well = await ask(own, ProbeKind.REACHABILITY)
    told = dataclasses.replace(well, state=State.DEGRADED, reason=Reason.SHAPE, detail="up\x1b[2J\x07")
    checked = Checked(dt.datetime.now(dt.UTC), (own,), (), (told,), ())
    text = render(checked, kind, terminal=True)
    assert "up\\x1b[2J\\x07" in text
    assert "\x1b[2J" not in text
    assert "\x07" not in text
