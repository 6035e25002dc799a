"""A bar only where somebody looks at it."""

from __future__ import annotations

import io
import sys

import pytest

from interlock.progress import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "shown", "bar"),
    [(Terminal(), True, True), (Terminal(), False, False), (io.StringIO(), True, False)],
)
def test_a_bar_is_shown_to_people_alone(
    stream: io.StringIO, shown: bool, bar: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    with progress("probing", 3, shown=shown) as done:
        for _ in range(3):
            done()
    assert ("probing" in stream.getvalue()) is bar
