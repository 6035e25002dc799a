"""Manners: ask no more than our share of a limit, and stay away for as long as we are told to."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from interlock.catalogue import DeclaredLimit
from interlock.records import Environment, Outcome, State
from probes.probe import Planned

SHARE = 0.01  # of a declared limit, for each probe
LONGEST_HOLD_SECONDS = 24 * 3600.0
# A failing service may ask for patience, but must not hide its outage behind it.
LONGEST_FAILING_HOLD_SECONDS = 300.0


def politely(planned: Planned) -> Planned:
    """The same probe at an interval that keeps within our share, unless the settings name its interval."""
    if planned.cost.free or planned.integration.probe_settings(planned.kind).every is not None:
        return planned
    slowest = slowest_needed(planned.cost.requests, planned.cost.bucket, _limits(planned))
    return dataclasses.replace(planned, every_seconds=max(planned.every_seconds, slowest))


def slowest_needed(requests: int, bucket: str, limits: Iterable[DeclaredLimit]) -> float:
    """The interval in seconds at which `requests` are our share of every declared limit of the bucket."""
    shares = [
        requests * limit.window_seconds / (limit.limit * SHARE) for limit in limits if limit.bucket == bucket
    ]
    return max(shares, default=0.0)


def _limits(planned: Planned) -> list[DeclaredLimit]:
    world = "sandbox" if planned.integration.environment is Environment.SANDBOX else "live"
    declared = planned.integration.provider.rate_limits.declared
    return [d for d in declared if d.environment in {"any", world} and d.unit in {"requests", "messages"}]


@dataclass
class Holds:
    """Who has asked us to stay away, and until when: by credential, or by host where none was sent."""

    _until: dict[str, dt.datetime] = field(default_factory=dict)

    def note(self, planned: Planned, outcome: Outcome) -> None:
        """Take one outcome into account."""
        if outcome.retry_at is None or outcome.state not in {State.THROTTLED, State.FAILING}:
            return
        failing = outcome.state is State.FAILING
        longest = LONGEST_FAILING_HOLD_SECONDS if failing else LONGEST_HOLD_SECONDS
        latest = outcome.started_at + dt.timedelta(seconds=longest)
        key = who(planned)
        until = min(outcome.retry_at, latest)
        self._until[key] = max(until, self._until.get(key, until))

    def until(self, planned: Planned, now: dt.datetime) -> dt.datetime | None:
        """Until when this probe must wait; None if it may ask now."""
        if planned.cost.free and planned.cost.requests == 0:
            return None
        held = self._until.get(who(planned))
        return held if held is not None and held > now else None


def who(planned: Planned) -> str:
    """Whose patience a probe uses up: its credential's where it sends one, else its host's."""
    ask = planned.integration.ask(planned.kind)
    sends = ask is not None and ask.credentialed and planned.credential_fingerprint is not None
    return f"credential {planned.credential_fingerprint}" if sends else f"host {planned.host}"
