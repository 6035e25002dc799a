"""The geometry of the charts."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import charts

values = st.lists(st.none() | st.floats(0, 1e6, allow_nan=False), max_size=40)


@given(values)
def test_a_line_stays_inside_its_frame_and_has_a_gap_for_what_is_not_known(seen: list[float | None]) -> None:
    top = charts.nice_top(seen)
    drawn = charts.line(seen, top)
    runs = sum(1 for a, b in zip([None, *seen], seen, strict=False) if a is None and b is not None)
    assert drawn.path.count("M") == runs
    for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", drawn.path):
        assert 0 <= float(x) <= charts.WIDTH
        assert 0 <= float(y) <= charts.HEIGHT
    assert "nan" not in drawn.path + drawn.area


@given(values)
def test_the_top_of_an_axis_is_at_or_above_all_values(seen: list[float | None]) -> None:
    top = charts.nice_top(seen)
    assert top > 0
    assert all(value <= top * (1 + 1e-9) for value in seen if value is not None)
    assert math.isfinite(top)


@pytest.mark.parametrize(
    ("value", "top"), [(0.0, 1.0), (0.13, 0.15), (0.662, 0.8), (1.0, 1.0), (7.0, 8.0), (9.0, 10.0)]
)
def test_tops_are_round(value: float, top: float) -> None:
    assert charts.nice_top([value]) == pytest.approx(top)


@given(
    st.dictionaries(st.sampled_from([*charts.PHASES, "total"]), st.floats(0, 60)),
    st.none() | st.floats(0, 60),
)
def test_a_stack_fills_its_bar_exactly(phases: dict[str, float], total: float | None) -> None:
    parts = charts.stack(phases, total)
    if parts:
        assert sum(part.width for part in parts) == pytest.approx(100, abs=0.01)
        assert parts[0].x == 0
    assert all(part.seconds > 0 for part in parts)


def test_what_the_phases_leave_of_the_total_is_the_body() -> None:
    names = [(part.name, round(part.seconds, 3)) for part in charts.stack({"dns": 0.1, "tls": 0.2}, 0.5)]
    assert names == [("dns", 0.1), ("tls", 0.2), ("rest", 0.2)]
    assert charts.stack({}, 0.5) == ()


def test_a_strip_shows_the_unknown_as_unknown_and_never_hides_a_bad_hour() -> None:
    unknown, dead, good = charts.strip([None, 0.0, 1.0])
    assert unknown.height is None
    assert dead.height == 3.0
    assert good.height == 24.0
