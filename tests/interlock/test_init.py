"""`interlock init` finds services by names alone, and writes a file that loads; no value ever leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from interlock import discovery
from interlock.catalogue import Provider, load, load_all
from interlock.cli import main
from interlock.discovery import Discovery, discover
from interlock.draft import integration
from interlock.settings import json_schema
from interlock.settings import load as load_settings

CANARY = "tuna7f3acanary"


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(["init", *arguments])
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty folder, and none of the variables that this machine happens to have."""
    monkeypatch.chdir(tmp_path)
    for provider in load_all():
        for name in _names(provider):
            monkeypatch.delenv(name, raising=False)


def _names(provider: Provider) -> set[str]:
    known = [each.environment_names for each in provider.credentials.values()]
    known += [each.environment_names for each in provider.parameters.values()]
    return {name for names in known for name in names}


def _look(root: Path, *variables: str) -> Discovery:
    return discover(root, load_all(), variables)


def _signs(result: Discovery) -> dict[str, list[str]]:
    return {found.provider.name: [str(sign) for sign in found.signs] for found in result.found}


def test_a_credential_that_can_be_checked_is_asked_for_beside_one_that_cannot(tmp_path: Path) -> None:
    (found,) = _look(tmp_path, "SEGMENT_WRITE_KEY").found
    lines = integration(found).splitlines()
    keys = [line.split("  ")[0] for line in lines if "credentials." in line]
    assert keys == [
        '# credentials.public_api_token = "env:SEGMENT_PUBLIC_API_TOKEN"',
        'credentials.write_key = "env:SEGMENT_WRITE_KEY"',
    ]


PROJECT = {
    ".env": f"# ours\nSTRIPE_SECRET_KEY={CANARY}\nexport TWILIO_AUTH_TOKEN='{CANARY}'\nOTHER={CANARY}\n",
    "deploy/prod.env": "TWILIO_ACCOUNT_SID=x\n",
    "requirements-dev.txt": "# boto3\n-r other.txt\nSendGrid[x]>=6 # mail\n",
    "pyproject.toml": '[project]\ndependencies = [\n  "google_cloud.storage>=2",\n]\n'
    '[dependency-groups]\ndev = [{include-group = "x"}, "githubkit"]\n[tool.poetry.dependencies]\nPyGithub = "*"\n',
    "setup.cfg": "[options]\ninstall_requires =\n    paypalrestsdk\n",
    "Pipfile": '[packages]\nstripe = "*"\n',
    "web/package.json": '{\n "devDependencies": {\n  "@azure/storage-blob": "^12"\n }\n}',
    "src/a.py": 'import os\nimport stripe.error as e, json\nfrom google.cloud import storage\nX = "\\d"\n',
    "src/b.ts": 'import {\n  S3Client\n} from "@aws-sdk/client-s3/dist/x";\nconst t = require("twilio");\n',
    "src/c.mjs": "const o = await import('@octokit/rest');",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in PROJECT.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_every_kind_of_trace_is_found_with_its_line(project: Path) -> None:
    assert _signs(_look(project, "STRIPE_API_KEY", "PATH")) == {
        "azure_blob": ["web/package.json:3: requires @azure/storage-blob"],
        "gcs": [
            "pyproject.toml:3: requires google_cloud.storage",
            "src/a.py:3: imports google.cloud.storage",
        ],
        "github": [
            "pyproject.toml:6: requires githubkit",
            "pyproject.toml:8: requires PyGithub",
            "src/c.mjs:1: imports @octokit/rest",
        ],
        "paypal": ["setup.cfg:3: requires paypalrestsdk"],
        "s3": ["src/b.ts:3: imports @aws-sdk/client-s3"],
        "sendgrid": ["requirements-dev.txt:3: requires SendGrid"],
        "stripe": [
            "environment variable STRIPE_API_KEY: is set",
            ".env:2: names STRIPE_SECRET_KEY",
            "Pipfile:2: requires stripe",
            "src/a.py:2: imports stripe",
        ],
        "twilio": [
            ".env:3: names TWILIO_AUTH_TOKEN",
            "deploy/prod.env:1: names TWILIO_ACCOUNT_SID",
            "src/b.ts:4: imports twilio",
        ],
    }


@pytest.mark.parametrize("arguments", [(), ("--dry-run",), ("--force",)])
def test_no_value_leaves(
    project: Path,
    arguments: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Values in the environment and in .env files are in no output and in no file."""
    for provider in load_all():
        for name in _names(provider):
            monkeypatch.setenv(name, CANARY)
    before = set(project.rglob("*"))
    assert _run(*arguments) == 0
    out, err = capfd.readouterr()
    written = set(project.rglob("*")) - before
    assert written == (set() if arguments == ("--dry-run",) else {project / "interlock.toml"})
    assert CANARY not in out + err + "".join(path.read_text() for path in written)
    assert "env:STRIPE_SECRET_KEY" in out + "".join(path.read_text() for path in written)


def test_the_environment_is_asked_for_names_only(tmp_path: Path) -> None:
    """The values are not even looked up."""

    class Names(dict[str, str]):
        def __getitem__(self, key: str) -> str:
            raise AssertionError(key)

        def items(self) -> object:  # type: ignore[override]
            raise AssertionError("items")

    assert _signs(discover(tmp_path, load_all(), Names(GITHUB_TOKEN="x").keys()))


def test_the_written_file_loads_without_mistakes(project: Path) -> None:
    assert _run() == 0
    settings = load_settings(project / "interlock.toml")
    assert set(settings.integrations) >= {"stripe", "twilio", "github"}
    twilio = settings.integrations["twilio"]
    assert {name: str(ref) for name, ref in twilio.credentials.items()} == {
        "account_sid": "env:TWILIO_ACCOUNT_SID",
        "auth_token": "env:TWILIO_AUTH_TOKEN",
    }


@pytest.mark.parametrize("provider", load_all(), ids=lambda provider: provider.name)
@pytest.mark.parametrize("known", ["names", "package"])
def test_a_draft_loads_for_every_provider(provider: Provider, known: str, tmp_path: Path) -> None:
    """As it is and with every comment taken up: placeholders are of the right form too."""
    signs = _names(provider) if known == "names" else set()
    found = next((f for f in _look(tmp_path, *signs).found if f.provider is provider), None)
    draft = integration(found or discovery.Found(provider, shared=False))
    path = tmp_path / "interlock.toml"
    path.write_text(draft, encoding="utf-8")
    load_settings(path)
    taken_up = [line.removeprefix("# ") for line in draft.splitlines()]
    keys = [line for line in taken_up if line.startswith(("[", "provider", "credentials", "parameters"))]
    path.write_text("\n".join(keys), encoding="utf-8")
    assert load_settings(path).integrations


@pytest.mark.parametrize("name", ["A_SANDBOX_KEY", "STRIPE_TEST_KEY"])
def test_the_environment_is_guessed_only_where_a_name_says_it(name: str, tmp_path: Path) -> None:
    stripe = load("stripe")
    key = stripe.credentials["secret_key"].model_copy(update={"environment_names": (name, "PLAIN_KEY")})
    provider = stripe.model_copy(update={"credentials": {"secret_key": key}})
    (sure,) = discover(tmp_path, [provider], [name]).found
    (unsure,) = discover(tmp_path, [provider], [name, "PLAIN_KEY"]).found
    assert '\nenvironment = "sandbox"' in integration(sure)
    assert '\n# environment = "sandbox"' in integration(unsure)


def test_a_trace_that_fits_two_services_is_only_a_perhaps(tmp_path: Path) -> None:
    """AWS_ACCESS_KEY_ID alone does not say which service is meant."""
    one = load("s3")
    other = one.model_copy(update={"name": "s4", "title": "Other"})
    (tmp_path / "requirements.txt").write_text("boto3\n")
    result = discover(tmp_path, [one, other], ["AWS_ACCESS_KEY_ID"])
    assert [found.shared for found in result.found] == [True, True]
    assert tomllib.loads(integration(result.found[0])) == {}


def test_what_is_not_the_project_is_skipped(tmp_path: Path) -> None:
    """Dependencies, environments, histories, large files and loops of links."""
    for folder in ("node_modules/x", ".git", "venv", "own", "src/__pycache__"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.py").write_text("import stripe")
    (tmp_path / "own" / "pyvenv.cfg").touch()
    (tmp_path / "src" / "large.py").write_text("import stripe\n" + "#" * discovery.MAX_FILE_BYTES)
    (tmp_path / "src" / "loop").symlink_to(tmp_path)
    (tmp_path / "src" / "dangling.py").symlink_to(tmp_path / "nowhere.py")
    assert _look(tmp_path).found == ()


def test_a_search_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        (tmp_path / f"{number}.py").touch()
    ticks = iter([0.0, 1.0, 2.0, 99.0])
    slow = discover(tmp_path, load_all(), (), clock=lambda: next(ticks))
    assert slow.remarks == ("stopped after 2 files; name a smaller folder to see the rest",)
    monkeypatch.setattr(discovery, "MAX_FILES", 3)
    assert "stopped after 3 files" in _look(tmp_path).remarks[0]


BROKEN = {
    "pyproject.toml": "[project",
    "package.json": "{",
    "setup.cfg": "no section",
    "a.py": "import stripe\ndef (",
    "deep.py": f"import stripe\nx = {'(' * 5000}",
    "Pipfile": "packages = 3",
    "b/package.json": '["stripe"]',
    "requirements.txt": "\0\n-e git+https://x\n===",
}


def test_broken_files_are_left_out_and_named(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name, text in BROKEN.items():
        (tmp_path / name).write_text(text)
    result = _look(tmp_path)
    assert result.found == ()
    said = {remark.partition(":")[0] for remark in result.remarks}
    assert said == {"pyproject.toml", "package.json", "setup.cfg", "a.py", "deep.py"}


def test_a_file_that_is_there_is_not_overwritten(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    target = project / "interlock.toml"
    target.write_text("# mine\n")
    assert _run() == 2
    assert "--force overwrites it" in capfd.readouterr().err
    assert target.read_text() == "# mine\n"
    assert _run("--force") == 0
    assert target.read_text().startswith("#:schema ./interlock.schema.json\n")
    assert target.stat().st_mode & 0o777 == 0o666 & ~_umask()
    assert not list(project.glob(".interlock*")), "no half-written file is left"


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def test_force_writes_through_a_link(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    real = tmp_path_factory.mktemp("real") / "settings.toml"
    real.touch()
    (project / "interlock.toml").symlink_to(real)
    assert _run() == 2
    assert _run("--force") == 0
    assert (project / "interlock.toml").is_symlink()
    assert "stripe" in real.read_text()


def test_a_folder_that_cannot_be_written_is_said(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    assert _run() == 2
    assert not (project / "interlock.toml").exists()


def test_nothing_found_shows_a_starter(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing to look at is exit 3; the starter loads, commented and uncommented."""
    assert _run() == 3
    out, err = capfd.readouterr()
    assert "no service that interlock knows was found" in err
    assert not (tmp_path / "interlock.toml").exists()
    starter = tmp_path / "starter.toml"
    starter.write_text(out)
    assert load_settings(starter).integrations == {}
    after = out[out.index("# [integrations.payments]") :]
    starter.write_text("\n".join(line.removeprefix("# ") for line in after.splitlines()))
    assert set(load_settings(starter).integrations) == {"payments", "stock"}


def test_a_dry_run_prints_only_the_file_on_standard_output(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "interlock.toml").write_text("# mine\n")
    assert _run("--dry-run") == 0
    out, err = capfd.readouterr()
    assert tomllib.loads(out)["integrations"]["stripe"]["provider"] == "stripe"
    assert ".env:2: names STRIPE_SECRET_KEY" in err
    assert (project / "interlock.toml").read_text() == "# mine\n"


def test_the_schema_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    assert _run("--print-schema") == 0
    assert json.loads(capfd.readouterr().out) == json.loads(json.dumps(json_schema()))


def test_another_folder_can_be_named(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "a.py").write_text("import twilio\n")
    assert _run(str(elsewhere)) == 0
    assert (elsewhere / "interlock.toml").is_file()
    assert not (project / "interlock.toml").exists()


def test_help_is_light() -> None:
    """Showing help loads neither pydantic nor the catalogue."""
    code = "import sys, interlock.init; sys.exit('pydantic' in sys.modules or 'interlock.catalogue' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
