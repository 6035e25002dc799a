"""Manners: ask no more than our share of a limit, and stay away for as long as we are told to. No I/O.

What decides is pure: `slowest_needed` (our share of a published limit), `stretched` (less often as less is
left). `Holds` remembers who asked us to stay away; `scheduler.ledger` what was told, and what we used.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from interlock.catalogue import DeclaredLimit
from interlock.records import Environment, Outcome, State
from probes.probe import Planned

SHARE = 0.01  # of a limit, for all probes of one credential together
LONGEST_HOLD_SECONDS = 24 * 3600.0
# A failing service may ask for patience, but must not hide its outage behind it.
LONGEST_FAILING_HOLD_SECONDS = 300.0
COMFORTABLE = 0.5  # of a limit left: above it nothing is stretched
MOST_STRETCHED = 16.0  # times, where nobody tells when the window ends
Bucket = tuple[str, str]  # whose patience it is, and the bucket's name


def share_out(plans: Sequence[Planned], share: float = SHARE) -> list[Planned]:
    """The same probes at intervals that keep all users of a credential together within `share` of its limits.

    An interval that the settings name stays as it is.
    """
    costs = costs_by_bucket(plans)
    return [politely(planned, share, costs[who(planned), planned.cost.bucket]) for planned in plans]


def politely(planned: Planned, share: float = SHARE, requests: int | None = None) -> Planned:
    """The same probe at a polite interval. `requests`: what all who share its quota ask in one round."""
    if planned.cost.free or has_own_interval(planned):
        return planned
    asked = planned.cost.requests if requests is None else requests
    slowest = slowest_needed(asked, planned.cost.bucket, limits_of(planned), share)
    return dataclasses.replace(planned, every_seconds=max(planned.every_seconds, slowest))


def has_own_interval(planned: Planned) -> bool:
    """Whether the settings name the interval of this very probe."""
    return planned.integration.probe_settings(planned.kind).every is not None


def costs_by_bucket(plans: Iterable[Planned]) -> dict[Bucket, int]:
    """How many requests one round of all probes takes, for each credential (or host) and bucket."""
    costs: dict[Bucket, int] = {}
    for planned in plans:
        key = (who(planned), planned.cost.bucket)
        costs[key] = costs.get(key, 0) + (0 if planned.cost.free else planned.cost.requests)
    return costs


def slowest_needed(
    requests: int, bucket: str, limits: Iterable[DeclaredLimit], share: float = SHARE
) -> float:
    """The interval in seconds at which `requests` are our share of every declared limit of the bucket."""
    return max(
        (spacing(requests, d.limit, d.window_seconds, share) for d in limits if d.bucket == bucket),
        default=0.0,
    )


def spacing(requests: int, limit: float, window_seconds: float, share: float) -> float:
    """Seconds between rounds of so many requests that are `share` of a limit; 0 where the limit is 0."""
    return requests * window_seconds / (limit * share) if limit > 0 else 0.0


def stretched(every_seconds: float, ratio: float | None, seconds_to_reset: float | None) -> float:
    """The interval in seconds where this part of a limit is left: longer as less is left.

    From half of the limit down it grows as what is left shrinks, but not beyond the reset, after which all is
    there again. Where no reset is told, to 16 times at most. Unknown is not little: nothing is stretched.
    """
    if ratio is None or ratio >= COMFORTABLE:
        return every_seconds
    wanted = every_seconds * COMFORTABLE / ratio if ratio > 0 else float("inf")
    if seconds_to_reset is None:
        return min(wanted, every_seconds * MOST_STRETCHED)
    return min(wanted, max(every_seconds, seconds_to_reset), every_seconds + LONGEST_HOLD_SECONDS)


def limits_of(planned: Planned) -> list[DeclaredLimit]:
    """The published limits on requests and messages that hold in the probe's world."""
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
