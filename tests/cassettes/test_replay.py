"""What may be served of a folder: other files are passed over, a broken cassette is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cassettes.replay import load
from interlock.errors import CannotJudge, UsageError

FIXTURE = Path(__file__).parent / "fixtures" / "vcrpy.yaml"


def test_other_files_of_a_folder_are_passed_over(tmp_path: Path) -> None:
    shutil.copy(FIXTURE, tmp_path)
    alone = load([tmp_path])
    (tmp_path / "README.txt").write_text("about these recordings")
    assert len(load([tmp_path])) == len(alone) > 0


def test_a_broken_cassette_is_refused_and_named(tmp_path: Path) -> None:
    shutil.copy(FIXTURE, tmp_path)
    (tmp_path / "cut.yaml").write_text("interactions:\n- request: {method: GET\n")
    with pytest.raises(UsageError, match=r"cut\.yaml"):
        load([tmp_path])


def test_a_file_that_was_named_and_is_no_cassette_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.txt").write_text("about these recordings")
    with pytest.raises(UsageError, match=r"README\.txt"):
        load([tmp_path / "README.txt"])


def test_a_folder_without_recordings_serves_nothing(tmp_path: Path) -> None:
    with pytest.raises(CannotJudge):
        load([tmp_path])
