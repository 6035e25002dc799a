"""Latency counts in 96 logarithmic buckets, 1 ms to 60 s: small enough for a row, exact to about 6 %."""

from __future__ import annotations

import bisect
import math
from array import array
from collections.abc import Iterable, Sequence

BUCKETS = 96
SMALLEST_SECONDS = 0.001
GROWTH: float = (60.0 / SMALLEST_SECONDS) ** (1 / (BUCKETS - 2))
# Bucket i holds durations up to BOUNDS[i]; the last one holds everything above.
BOUNDS = tuple(SMALLEST_SECONDS * GROWTH**i for i in range(BUCKETS - 1))


def empty() -> array[int]:
    """A histogram without counts."""
    return array("I", bytes(4 * BUCKETS))


def load(blob: bytes | None) -> array[int]:
    """Read what `bytes(histogram)` wrote; None is an empty one. Raises `ValueError` for a wrong length."""
    counts = array("I")
    counts.frombytes(blob or bytes(4 * BUCKETS))
    if len(counts) != BUCKETS:
        raise ValueError(f"a histogram has {BUCKETS} buckets, not {len(counts)}")
    return counts


def add(counts: array[int], seconds: float) -> None:
    """Count one duration."""
    counts[bisect.bisect_left(BOUNDS, seconds)] += 1


def merge(blobs: Iterable[bytes]) -> list[int]:
    """The sum of several histograms."""
    return [sum(column) for column in zip(*map(load, blobs), strict=True)] or [0] * BUCKETS


def quantile(counts: Sequence[int], q: float) -> float | None:
    """The duration in seconds below which the part `q` lies, by geometric middle; None without counts."""
    total = sum(counts)
    if total == 0:
        return None
    rank, seen = q * (total - 1), 0
    index = 0
    for index, count in enumerate(counts):  # noqa: B007 - where it stops is the answer
        seen += count
        if seen > rank:
            break
    if index == 0:
        return SMALLEST_SECONDS
    middle: float = math.sqrt(GROWTH) if index < BUCKETS - 1 else 1.0
    return BOUNDS[min(index, BUCKETS - 2)] / middle


def cumulative(counts: Sequence[int], bounds: Sequence[float]) -> list[int]:
    """How many durations are at or below each of `bounds`; a bucket that straddles one counts above it."""
    sums, found, index = 0, [], 0
    for bound in bounds:
        while index < BUCKETS - 1 and BOUNDS[index] <= bound * (1 + 1e-9):
            sums += counts[index]
            index += 1
        found.append(sums)
    return found
