"""The geometry of the charts: numbers in, SVG attributes out; the templates draw, without inline style."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 240.0, 100.0
SLIVER = 0.01  # a smaller rest is noise
SMALLEST = 1e-9  # below it an axis has nothing to show
_STEPS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 8.0, 10.0)
PHASES = ("dns", "connect", "tls", "first_byte")


@dataclass(frozen=True, slots=True)
class Line:
    """A line with gaps where nothing is known, and the area below it; SVG path data."""

    path: str
    area: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a stacked bar: `x` and `width` in percent, `seconds` what it stands for."""

    name: str
    x: float
    width: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Cell:
    """A bar of a strip: `x`, `width`, `height` in the strip's units; `height` None where nothing is known."""

    x: float
    width: float
    height: float | None
    share: float | None


def nice_top(values: Sequence[float | None]) -> float:
    """A round number at or above all values, for the top of an axis; 1 for none."""
    largest = max((value for value in values if value is not None), default=0.0)
    if largest < SMALLEST:
        return 1.0
    magnitude = 10.0 ** math.floor(math.log10(largest))
    return next((step * magnitude for step in _STEPS if step * magnitude >= largest), 10 * magnitude)


def line(values: Sequence[float | None], top: float, *, width: float = WIDTH, height: float = HEIGHT) -> Line:
    """A line through `values`, evenly spread. A lone value is a dot (drawn by a round line cap)."""
    step = width / max(1, len(values) - 1)
    runs: list[list[tuple[float, float]]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((index * step, height - height * min(1.0, value / top)))
    drawn = [run for run in runs if run]
    return Line(
        path=" ".join(_through(run) for run in drawn),
        area=" ".join(f"{_through(run)} V{height:g} H{run[0][0]:.1f} Z" for run in drawn if len(run) > 1),
    )


def _through(run: Sequence[tuple[float, float]]) -> str:
    (x, y), *rest = run
    rest = rest or [(x, y)]
    return f"M{x:.1f} {y:.1f} " + " ".join(f"L{x:.1f} {y:.1f}" for x, y in rest)


def stack(phases: Mapping[str, float], total: float | None) -> tuple[Segment, ...]:
    """The phases of one answer as a stacked bar; what is left of the total is `rest`."""
    known = [(name, phases[name]) for name in PHASES if phases.get(name, 0.0) > 0]
    whole = total if total is not None else phases.get("total")
    rest = (whole or 0.0) - sum(seconds for _, seconds in known)
    if known and rest > SLIVER * (whole or 0.0):
        known.append(("rest", rest))
    scale = sum(seconds for _, seconds in known)
    found, x = [], 0.0
    for name, seconds in known:
        width = 100.0 * seconds / scale
        found.append(Segment(name, round(x, 3), round(width, 3), seconds))
        x += width
    return tuple(found)


def strip(shares: Sequence[float | None], *, height: float = 24.0) -> tuple[Cell, ...]:
    """Uptime by hour or day, in 10 units for each. A bad stretch is never too small to be seen."""
    found = []
    for index, share in enumerate(shares):
        tall = None if share is None else max(3.0, height * share)
        found.append(Cell(index * 10.0, 8.0, tall, share))
    return tuple(found)
