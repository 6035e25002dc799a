"""Records for the tests, with everything filled in that a test does not care about."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

from interlock.records import Environment, Headroom, Outcome, ProbeKind, Reason, State

NOON = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
_NUMBERS = itertools.count()


def an_outcome(**changes: Any) -> Outcome:
    """An operational outcome of `payments`, with these fields changed."""
    fields: dict[str, Any] = {
        "id": f"outcome-{next(_NUMBERS)}",
        "integration": "payments",
        "provider": "stripe",
        "environment": Environment.LIVE,
        "probe": ProbeKind.CREDENTIAL,
        "region": "local",
        "slot": None,
        "started_at": NOON,
        "duration_seconds": 0.12,
        "phases": {"dns": 0.01, "total": 0.12},
        "state": State.OPERATIONAL,
        "reason": Reason.OK,
        "detail": "200, as Stripe answers when it is well",
        "status_code": 200,
    }
    return Outcome(**(fields | changes))


def a_headroom(**changes: Any) -> Headroom:
    """Half of a hundred requests a minute, told in a header."""
    fields: dict[str, Any] = {
        "credential_fingerprint": "abc",
        "bucket": "default",
        "unit": "requests",
        "limit": 100.0,
        "remaining": 50.0,
        "window_seconds": 60.0,
        "reset_at": NOON + dt.timedelta(seconds=30),
        "source": "header",
        "confidence": "high",
        "seen_at": NOON,
    }
    return Headroom(**(fields | changes))
