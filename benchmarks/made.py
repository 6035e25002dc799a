"""Made-up records and integrations for the benchmarks, the same in every process."""

from __future__ import annotations

import datetime as dt

from interlock.records import Environment, Outcome, ProbeKind, Reason, State
from reports.face import Listed

START = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
KIND = ProbeKind.CREDENTIAL


def name_of(number: int) -> str:
    """The name of an integration."""
    return f"service-{number:05}"


def outcome(number: int, at: dt.datetime, *, slot: int | None = None, seconds: float = 0.12) -> Outcome:
    """A good answer of an integration's credential probe."""
    return Outcome(
        id=f"{number:016x}{slot or 0:016x}",
        integration=name_of(number),
        provider="generic",
        environment=Environment.LIVE,
        probe=KIND,
        region="local",
        slot=slot,
        started_at=at,
        duration_seconds=seconds,
        phases={"dns": 0.000012, "connect": 0.021, "tls": 0.034, "first_byte": 0.062, "total": seconds},
        state=State.OPERATIONAL,
        reason=Reason.OK,
        detail="200, as Generic HTTP API answers when it is well",
        status_code=200,
        catalogue_digest="2c26b46b68ffc68f",
    )


def listed(count: int, every_seconds: float = 30.0) -> tuple[Listed, ...]:
    """As many integrations, as the pages list them."""
    return tuple(
        Listed(
            name=name_of(number),
            provider="generic",
            title="Generic HTTP API",
            environment=Environment.LIVE,
            every_seconds={KIND: every_seconds},
        )
        for number in range(count)
    )
