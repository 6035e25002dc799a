"""`interlock scan` and `interlock scrub`, as they are used: places and kinds, never a value, and the exit status."""

from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from cassettes.redact import commands
from interlock.cli import main
from tests.cassettes.redact.formats import FORMATS
from tests.cassettes.redact.planted import CANARY, HEADERS, left
from tests.closed import close

ROOT = Path(__file__).parents[3]
CLEAN = ("https://h.example/", ("Accept", "*/*"), "{}")


def _run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(each) for each in arguments])
    said = capsys.readouterr()
    assert not left(said.out + said.err)
    return int(ended.value.code or 0), said.out, said.err


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A cassette, a settings file, a source and what is passed over."""
    folder = tmp_path / "tree"
    (folder / "cassettes").mkdir(parents=True)
    name, make = FORMATS["vcrpy YAML"]
    (folder / "cassettes" / name).write_text(make(CLEAN[0], HEADERS["cookie"], CLEAN[2]))
    (folder / ".env").write_text(f"NAME=team\nAPI_TOKEN={CANARY}\n")
    (folder / "ok.py").write_text("token = os.environ['TOKEN']\n")
    (folder / "picture.png").write_bytes(b"\x89PNG\0\0")
    (folder / "link").symlink_to(folder / "ok.py")
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "x.env").write_text(f"API_TOKEN={CANARY}\n")
    return folder


def test_a_tree(capsys: pytest.CaptureFixture[str], tree: Path) -> None:
    """Each secret with its file, line and place; what was passed over is said."""
    status, out, _ = _run(capsys, "scan", tree)
    assert status == 1
    assert f"at        {tree}/.env:2 /API_TOKEN" in out
    assert f"{tree}/cassettes/a.yaml:6 /interactions/0/request/headers/Cookie/0" in out
    assert out.endswith("3 errors in 3 texts; passed over: 1 a folder of tools, 1 a link, 1 binary\n")


def test_a_folder_that_cannot_be_listed_is_no_pass(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "locked").mkdir()
    (tmp_path / "fine.txt").write_text("nothing\n")
    close(tmp_path / "locked", monkeypatch)
    status, out, _ = _run(capsys, "scan", tmp_path)
    assert status == 3
    assert "locked: cannot be read (Permission denied)" in out


def test_scrub_in_place_and_scan_again(capsys: pytest.CaptureFixture[str], tree: Path) -> None:
    """Nothing is left, files without secrets are not touched, permissions stay."""
    (tree / ".env").chmod(0o600)
    before = (tree / "ok.py").stat().st_mtime_ns
    assert _run(capsys, "scrub", "--check", tree)[0] == 1
    status, out, _ = _run(capsys, "scrub", "--in-place", tree)
    assert (status, out.split(";")[0]) == (0, "3 values in 2 of 3 files replaced")
    assert _run(capsys, "scan", tree)[0] == 0
    assert _run(capsys, "scrub", "--check", tree)[0] == 0
    assert (tree / ".env").stat().st_mode & 0o777 == 0o600
    assert (tree / "ok.py").stat().st_mtime_ns == before
    assert not left((tree / "cassettes" / "a.yaml").read_text())
    assert not [path for path in tree.rglob(".*") if path.name != ".env"]


def test_scrub_into_another_folder_with_a_key(
    capsys: pytest.CaptureFixture[str], tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tree is rebuilt there; with the same key two runs write the same bytes."""
    monkeypatch.setenv("SCRUB_KEY", "a key of the team")
    for out in ("one", "two"):
        assert _run(capsys, "scrub", "--out", tmp_path / out, "--key", "env:SCRUB_KEY", tree)[0] == 0
    for name in (".env", "ok.py", "cassettes/a.yaml"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert CANARY in (tree / ".env").read_text()
    assert CANARY not in (tmp_path / "one" / ".env").read_text()


@pytest.mark.parametrize("form", FORMATS)
def test_every_format(capsys: pytest.CaptureFixture[str], tmp_path: Path, form: str) -> None:
    name, make = FORMATS[form]
    path = tmp_path / name
    path.write_text(make(CLEAN[0], HEADERS["authorization bearer"], CLEAN[2]))
    assert _run(capsys, "scan", path)[0] == 1
    assert _run(capsys, "scrub", "--in-place", path)[0] == 0
    assert _run(capsys, "scan", path)[0] == 0


def test_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    log = f"12:00 sent Authorization: Bearer {CANARY}\n12:01 ok\n".encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(log)))
    status, out, _ = _run(capsys, "scan", "-")
    assert status == 1
    assert "at        <stdin>:1 /Authorization" in out


def test_reports_and_baseline(capsys: pytest.CaptureFixture[str], tree: Path, tmp_path: Path) -> None:
    """What is accepted today is no finding tomorrow, also where the file has grown above it; a new one is."""
    accepted = tmp_path / "baseline.json"
    assert _run(capsys, "scan", tree, "--write-baseline", accepted)[0] == 0
    (tree / ".env").write_text(f"MORE=1\nNAME=team\nAPI_TOKEN={CANARY}\n")
    status, out, _ = _run(capsys, "scan", tree, "--baseline", accepted)
    assert status == 0
    assert out.startswith("no findings in 3 texts")
    (tree / ".env").write_text(f"OTHER_SECRET={CANARY}\nAPI_TOKEN={CANARY}\n")
    sarif = tmp_path / "out.sarif"
    status, out, _ = _run(
        capsys, "scan", tree, "--baseline", accepted, "--format", "json", "--report", f"sarif={sarif}"
    )
    made = json.loads(out)
    assert status == 1
    assert made["schema"] == "interlock.scan/1"
    assert made["summary"]["in_baseline"] == 3
    assert made["summary"]["by_rule"] == {"secret-field": 1}
    (run,) = json.loads(sarif.read_text())["runs"]
    assert len(run["results"]) == 1
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["shortDescription"]["text"] == run["results"][0]["message"]["text"].partition("\n")[0]


def test_personal_data_only_where_it_is_asked_for(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("from anna.muster@mail-house.de\n")
    assert _run(capsys, "scan", path)[0] == 0
    status, out, _ = _run(capsys, "scan", "--personal", "all", path)
    assert status == 0
    assert "warning personal-email: a mail address" in out
    assert _run(capsys, "scan", "--personal", "email,phone", "--fail-on", "warning", path)[0] == 1
    assert _run(capsys, "scan", "--personal", "phone", "--fail-on", "info", path)[0] == 0


def test_what_the_settings_name_is_sought_by_value(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BILLING_TOKEN", "horse battery staple")
    settings = tmp_path / "interlock.toml"
    settings.write_text(
        '[integrations.billing]\nprovider = "generic"\nbase_url = "https://b.example.com"\n'
        'credentials.token = "env:BILLING_TOKEN"\nservice = { auth = "bearer", identity = { path = "/me" } }\n'
    )
    path = tmp_path / "a.txt"
    path.write_text("and then horse%20battery%20staple was seen\n")
    assert _run(capsys, "scan", path)[0] == 0
    status, out, _ = _run(capsys, "scan", "--config", settings, path)
    assert status == 1
    assert "secret-known: a secret that the settings name" in out
    assert "battery" not in out


def _git(folder: Path, *arguments: str) -> None:
    names = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = os.environ | names | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, env=environment, capture_output=True)


def test_git_history(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """What was deleted is still there: named by commit and path, each version once, messages too."""
    _git(tmp_path, "init", "-q")
    odd = tmp_path / "odd näme\n.env"
    odd.write_text(f"API_TOKEN={CANARY}\n")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-qm", "first")
    odd.rename(tmp_path / "again.env")
    (tmp_path / "ok.txt").write_text("fine\n")
    _git(tmp_path, "add", "-A")
    _git(tmp_path, "commit", "-qm", f"second\n\nuse API_KEY={CANARY} for now")
    (tmp_path / "again.env").unlink()
    _git(tmp_path, "commit", "-qam", "third")
    assert _run(capsys, "scan", tmp_path)[0] == 0
    status, out, _ = _run(capsys, "scan", "--git", tmp_path, "--format", "json")
    made = json.loads(out)
    found = [finding for case in made["cases"] for finding in case["findings"]]
    assert status == 1
    assert [each["location"]["file"] for each in found] == ["odd näme\n.env", "(message)"]
    assert all(" in commit " in each["subject"] for each in found)
    assert made["summary"]["looked_at"] == 5


WRONG = {
    "no path": (["scan"], "scan needs a PATH"),
    "missing": (["scan", "nowhere"], "nowhere: there is no such file or folder"),
    "no repository": (["scan", "--git", "/"], "git log failed"),
    "rule": (["scan", "--personal", "shoe", "."], "no rule for personal data is called 'shoe'"),
    "report": (["scan", ".", "--report", "pdf=x"], "--report pdf=x: must be FORMAT=FILE"),
    "how": (["scrub", "."], "scrub needs one of --in-place, --out DIR and --check"),
    "both": (["scrub", ".", "--check", "--in-place"], "scrub needs one of"),
    "stdin": (["scrub", "-", "--check"], "scrub wants files or folders"),
    "key": (["scrub", ".", "--check", "--key", CANARY], "--key must be a reference"),
    "settings": (["scan", ".", "--config", "nowhere.toml"], "nowhere.toml: there is no such file"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_command_says_what_is_wrong(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments, message = WRONG[kind]
    status, _, err = _run(capsys, *arguments)
    assert status == 2
    assert message in err


def test_what_could_not_be_looked_at_is_not_fine(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "long.log"
    path.write_text("x" * 100)
    status, out, _ = _run(capsys, "scan", "--max-bytes", "50", path)
    assert status == 3
    assert "larger than 50 bytes" in out


def test_the_hook_runs_as_pre_commit_would(tree: Path) -> None:
    """pre-commit gives the changed files as arguments, and blocks on a status that is not 0."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hook["language"] == "python"
    program, *arguments = shlex.split(hook["entry"])
    assert program == "interlock"
    run = [sys.executable, "-c", "from interlock.cli import main; main()", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ends = {}
    for name in ("ok.py", ".env"):
        ended = subprocess.run(
            [*run, name], cwd=tree, capture_output=True, text=True, env=environment, check=False
        )
        ends[name] = ended.returncode
        assert CANARY not in ended.stdout + ended.stderr
    assert ends == {"ok.py": 0, ".env": 1}


def test_the_progress_counts_what_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal it is drawn, and passes everything on."""
    from cassettes.redact.sources import Piece  # noqa: PLC0415 - beside its use

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    seen = [commands.Seen(piece=Piece(name="a", raw=None), looked=None)]
    assert list(commands._progress(iter(seen), "scanning", shown=True)) == seen
