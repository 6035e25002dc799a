"""When a probe is due: its phase comes from its name, so runs spread out and a restart keeps them."""

from __future__ import annotations

import hashlib
import math


def phase_seconds(key: str, every_seconds: float) -> float:
    """How long after each multiple of the interval a probe runs: SHA-256 of its key, in milliseconds."""
    digest = hashlib.sha256(key.encode()).digest()
    return int.from_bytes(digest[:8], "big") % max(1, round(every_seconds * 1000)) / 1000


def due_at(now: float, key: str, every_seconds: float) -> float:
    """The last scheduled moment at or before `now`, in epoch seconds."""
    phase = phase_seconds(key, every_seconds)
    return math.floor((now - phase) / every_seconds + 1e-6) * every_seconds + phase


def next_at(now: float, key: str, every_seconds: float) -> float:
    """The first scheduled moment after `now`, in epoch seconds."""
    return due_at(now, key, every_seconds) + every_seconds


def slot(due: float) -> int:
    """The name of a scheduled moment: its whole epoch second."""
    return math.floor(due)


def missed(last_due: float | None, due: float, every_seconds: float) -> int:
    """How many scheduled moments lie between two that were run."""
    if last_due is None:
        return 0
    return max(0, round((due - last_due) / every_seconds) - 1)
