"""The house: one root for all rooms, an import that costs little, text files that speak of the project alone."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("interlock", "cassettes", "contracts", "probes", "scheduler", "reports", "tests")


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_loads_from_this_root(room: str) -> None:
    """`probes` and `reports` are common names: another package of that name must not take their place."""
    module = importlib.import_module(room)
    assert module.__file__ is not None
    assert Path(module.__file__).parent == ROOT / room


def test_the_help_imports_no_room() -> None:
    """What is slow is imported when it is asked for."""
    script = (
        "import sys; from interlock.cli import root\n"
        "try: root.main(['--help'], standalone_mode=False)\n"
        "finally: print([m for m in sys.modules if m.split('.')[0] in "
        "{'pydantic', 'sqlalchemy', 'httpx', 'rich', 'probes', 'reports', 'scheduler', 'contracts', 'cassettes'}])"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.endswith("[]\n"), out.stdout


def test_the_lock_names_only_the_public_index() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    assert {p["source"].get("registry", "https://pypi.org/simple") for p in lock["package"]} == {
        "https://pypi.org/simple"
    }
    hosts = {f["url"].split("/")[2] for p in lock["package"] for f in p.get("wheels", []) if "url" in f}
    assert hosts == {"files.pythonhosted.org"}


def test_pip_gets_the_versions_of_the_lock() -> None:
    out = subprocess.run(
        [sys.executable, "tools/constraints.py"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert any(line.startswith("httpx==") for line in out.stdout.splitlines())
    assert "interlock" not in out.stdout
