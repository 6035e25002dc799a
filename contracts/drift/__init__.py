"""Drift: how a contract has changed against another, and how the answers have changed against the contract."""

from contracts.drift.compare import Compared, compare
from contracts.drift.recorded import Recorded, answer_drift, recorded_drift

__all__ = ["Compared", "Recorded", "answer_drift", "compare", "recorded_drift"]
