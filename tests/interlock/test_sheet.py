"""`interlock providers` in a pipe and on a terminal: everything that is known, each fact with its source."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner
from rich.console import Console

from interlock import catalogue, cli, sheet
from interlock.catalogue import Fact, Provider
from interlock.errors import UsageError

ALL = [pytest.param(p, id=p.name) for p in catalogue.load_all()]


def run(*arguments: str) -> str:
    result = CliRunner().invoke(sheet.command, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def flat(text: str) -> str:
    """Wrapped text on one line."""
    return " ".join(text.split())


def test_the_list_names_every_provider_with_probes_and_ways() -> None:
    text = run()
    for name in catalogue.names():
        assert f"\n{name} " in text
    assert "reachability" in text
    assert all(word in flat(text) for word in ("token, app key", "SigV4", "service"))


@pytest.mark.parametrize("arguments", [(), *((name,) for name in catalogue.names())])
def test_a_pipe_gets_plain_text_within_80_columns(arguments: tuple[str, ...]) -> None:
    text = run(*arguments)
    assert "\x1b" not in text
    assert [line for line in text.splitlines() if len(line) > 80 or line != line.rstrip()] == []


@pytest.mark.parametrize("provider", ALL)
def test_the_sheet_shows_every_source(provider: Provider) -> None:
    text = "".join(run(provider.name).split())
    facts: list[Fact] = [*provider.bases, *provider.credentials.values(), *provider.auth.values()]
    facts += [*provider.probes, *provider.errors, *provider.rate_limits.declared, *provider.contracts]
    facts += [fact for fact in (provider.retry, provider.status_page, provider.webhooks) if fact]
    for fact in facts:
        assert "".join(f"source: {fact.source} ({fact.verified})".split()) in text
    for rule in (*provider.auth_failed, *provider.rate_limits.throttled):
        assert "".join((rule.source or "-").split()) in text


def test_what_third_parties_attest_is_marked_and_nothing_else() -> None:
    lines = [line for p in catalogue.load_all() for _, lines in sheet.sections(p) for line in lines]
    assert any(line.attested for line in lines)
    assert flat(run("stripe")).count("[attested by third parties only]") == 2


@pytest.mark.parametrize("provider", ALL)
def test_a_terminal_gets_colours_and_no_line_too_long(provider: Provider) -> None:
    page = io.StringIO()
    console = Console(file=page, width=80, force_terminal=True, color_system="truecolor")
    sheet._print_sheet(console, provider)
    sheet._print_list(console, catalogue.load_all())
    assert "\x1b[" in page.getvalue()


def test_json_of_the_list() -> None:
    told = json.loads(run("--format", "json"))
    assert told["schema"] == "interlock.providers/1"
    assert [each["name"] for each in told["providers"]] == list(catalogue.names())
    github = next(each for each in told["providers"] if each["name"] == "github")
    assert github["probes"] == [
        "reachability",
        "credential",
        "headroom",
        "tls",
        "status-page",
        "webhook-endpoint",
    ]
    assert github["auth"] == ["bearer", "github_app"]


@pytest.mark.parametrize("provider", ALL)
def test_json_of_one_provider_is_the_whole_entry(provider: Provider) -> None:
    told = json.loads(run(provider.name, "--format", "json"))
    assert told["schema"] == "interlock.providers/1"
    kinds = told["provider"].pop("kinds")
    assert kinds == list(sheet.asked(provider))
    again = Provider.model_validate(told["provider"] | {"schema": 1}, strict=False)
    assert again == provider


def test_an_unknown_name_is_a_usage_error_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'twilio'"):
        CliRunner().invoke(sheet.command, ["twillio"], catch_exceptions=False, standalone_mode=False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("providers", "githb"), "error: no provider is called 'githb'; did you mean 'github'?\n"),
        (("scan", "x" * 300), f"error: {'x' * 300}: File name too long\n"),
    ],
)
def test_the_command_line_ends_with_2_and_no_traceback(words: tuple[str, ...], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from interlock.cli import main; main()", *words],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(said)


def test_nobody_who_reads_is_neither_good_nor_a_finding() -> None:
    read, write = os.pipe()
    os.close(read)
    words = [sys.executable, "-c", "from interlock.cli import main; main()", "providers", "stripe"]
    done = subprocess.run(words, stdout=write, stderr=subprocess.PIPE, text=True, timeout=20, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_disk_that_is_full_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(cli.root, "main", full)
    with pytest.raises(SystemExit) as ended:
        cli.main([])
    assert (ended.value.code, capsys.readouterr().err) == (
        2,
        "error: standard output: No space left on device\n",
    )
