"""A folder that nobody may list, whoever runs the tests: root may list them all."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest


def close(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`os.scandir`, which `os.walk` asks, refuses this folder."""
    scandir = os.scandir

    def asked(path: Any = ".") -> Any:
        if Path(path) == folder:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", asked)
