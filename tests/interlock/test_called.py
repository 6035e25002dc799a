"""Names on the command line: an integration stands for its provider."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.shelf import Shelf
from interlock import settings as settings_module
from interlock.called import provider_asked, provider_called, provider_of
from interlock.cli import main
from interlock.errors import SettingsError, UsageError
from interlock.settings import Settings

SETTINGS = """
[integrations.payments]
provider = "stripe"
[integrations.stripe]
provider = "stripe"
[integrations.partner]
provider = "generic"
base_url = "https://partner.example"
service = { auth = "bearer", health = { path = "/health" } }
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, with the working directory below it."""
    (tmp_path / "interlock.toml").write_text(SETTINGS)
    below = tmp_path / "src"
    below.mkdir()
    monkeypatch.chdir(below)
    return tmp_path


@pytest.fixture
def settings(folder: Path) -> Settings:
    """Its settings."""
    return settings_module.load(folder / "interlock.toml")


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("payments", "stripe"),
        ("payments.more", "stripe.more"),
        ("stripe", "stripe"),
        ("github", "github"),
        ("partner", "partner"),
        ("nobody", "nobody"),
    ],
)
def test_an_integration_stands_for_its_provider_and_a_provider_for_itself(
    name: str, provider: str, settings: Settings
) -> None:
    assert provider_called(name, settings) == provider
    assert provider_called(name, None) == name


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("paymnts", "no provider and no integration is called 'paymnts'; did you mean 'payments'?"),
        ("githb", "no provider and no integration is called 'githb'; did you mean 'github'?"),
        ("partner", "partner is an integration of no provider in the catalogue"),
    ],
)
def test_what_stands_for_no_provider_is_said(name: str, said: str, settings: Settings) -> None:
    with pytest.raises(UsageError) as caught:
        provider_of(name, settings)
    assert caught.value.message == said


def test_settings_are_read_only_for_what_is_no_provider(folder: Path) -> None:
    assert provider_asked("payments", None) == "stripe"
    (folder / "other.toml").write_text(SETTINGS.replace("payments", "billing"))
    assert provider_asked("billing", folder / "other.toml") == "stripe"
    (folder / "interlock.toml").write_text("[integrations.payments]\nprovidr = 1\n")
    assert provider_asked("stripe", None) == "stripe"
    with pytest.raises(SettingsError, match="providr"):
        provider_asked("payments", None)


def test_the_name_of_another_provider_is_a_mistake(folder: Path) -> None:
    (folder / "interlock.toml").write_text(SETTINGS.replace("integrations.payments", "integrations.github"))
    with pytest.raises(SettingsError, match=r"interlock.toml:2: .*has the name of another provider"):
        settings_module.load(folder / "interlock.toml")


def test_on_the_shelf_a_name_of_its_own_goes_before_that_of_an_integration(
    folder: Path, settings: Settings
) -> None:
    assert Shelf(folder).called("payments", settings) == "stripe"
    Shelf(folder).pin("payments", b"{}", url="https://partner.example/", pulled_at="2026-11-26")
    assert Shelf(folder).called("payments", settings) == "payments"


@pytest.mark.parametrize(
    "words",
    [
        ("providers", "billing"),
        ("stand-in", "billing", "--for", "0"),
        ("verify", "--provider", "billing", "."),
        ("drift", "billing", "stripe"),
    ],
)
def test_the_settings_that_are_named_say_who_is_meant(
    words: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "other.toml").write_text(SETTINGS.replace("payments", "billing"))
    Path("some.yaml").write_text("interactions: []\nversion: 1\n")
    with pytest.raises(SystemExit) as without:
        main([*words])
    assert without.value.code == 2
    assert "billing" in capsys.readouterr().err
    with pytest.raises(SystemExit) as named:
        main([*words, "--config", str(folder / "other.toml")])
    assert named.value.code != 2
