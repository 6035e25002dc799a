"""Names on the command line: an integration stands for its provider."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.shelf import Shelf
from interlock.called import provider_called

SETTINGS = """
[integrations.payments]
provider = "stripe"
[integrations.github]
provider = "stripe"
[integrations.partner]
provider = "generic"
base_url = "https://partner.example"
service = { auth = "bearer", health = { path = "/health" } }
"""


@pytest.mark.parametrize(
    ("name", "provider"),
    [("payments", "stripe"), ("github", "github"), ("partner", "partner"), ("nobody", "nobody")],
)
def test_an_integration_stands_for_its_provider_and_a_provider_for_itself(
    name: str, provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "interlock.toml").write_text(SETTINGS)
    below = tmp_path / "src"
    below.mkdir()
    monkeypatch.chdir(below)
    assert provider_called(name) == provider


def test_wrong_settings_say_nothing_of_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "interlock.toml").write_text("[integrations.payments]\nprovidr = 1\n")
    monkeypatch.chdir(tmp_path)
    assert provider_called("payments") == "payments"


def test_without_settings_a_name_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert provider_called("payments") == "payments"


def test_on_the_shelf_a_name_of_its_own_goes_before_that_of_an_integration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "interlock.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    assert Shelf(tmp_path).called("payments") == "stripe"
    Shelf(tmp_path).pin("payments", b"{}", url="https://partner.example/", pulled_at="2026-11-26")
    assert Shelf(tmp_path).called("payments") == "payments"
