"""What the store knows, as the pages show it: uptime, latency, hours, headrooms. Pure."""

from __future__ import annotations

import datetime as dt
import functools
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from interlock import histogram
from interlock.headroom import exhausted_at, is_stale, lasts
from interlock.records import Headroom, ProbeKind, Reason, State, Status
from interlock.status import WORST_FIRST
from interlock.verdict import Weighed, heard, weigh
from reports.face import Listed

HOUR = 3600
DAY_HOURS, WEEK_HOURS, MONTH_HOURS = 24, 7 * 24, 30 * 24
ALIVE_SECONDS = 60.0  # a scheduler that has said nothing for longer is taken for dead
BUCKETS_SHOWN = (
    40  # rate-limit buckets of one integration, newest first: providers name them, so they are bounded
)
TOLD = frozenset({"header", "endpoint"})  # sources of a headroom that are the provider's own word
ENOUGH_HOURS = 3  # fewer points make no line by hour
NEWEST = 40  # answers that stand in for the hours of a young store
UP = frozenset({State.OPERATIONAL, State.DEGRADED, State.THROTTLED})
NOT_UP = frozenset({State.AUTH_FAILED, State.FAILING, State.DOWN})
SERVICE_PROBES = (ProbeKind.REACHABILITY, ProbeKind.CREDENTIAL)  # what uptime of an integration is made of
LATENCY_PROBES = (ProbeKind.CREDENTIAL, ProbeKind.REACHABILITY)  # what its latency is read from, best first
_LANES = 4 * histogram.BUCKETS


@dataclass(frozen=True, slots=True)
class Tally:
    """How many outcomes were up, and how many could be judged."""

    up: int = 0
    judged: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.up + other.up, self.judged + other.judged)

    @property
    def share(self) -> float | None:
        """Uptime, 0 to 1; None where nothing could be judged: no data is never 100 %."""
        return self.up / self.judged if self.judged else None


@dataclass(frozen=True, slots=True)
class Uptime:
    """The share of judged outcomes in which the service worked for us; None without a judged outcome.

    Up: `operational`, `degraded` (slower or odd, but it answers) and `throttled` (it is there; the limit is
    ours). Not up: `failing`, and `auth_failed` (whoever's fault: nothing of ours goes through). Left out on
    both sides: `unknown`, which is no evidence, and everything in planned maintenance. The windows are 24 h,
    7 and 30 days, in whole hours that include the one under way. An integration has the lowest share of
    its probes `reachability` and `credential`, or of all its probes where it has neither.
    """

    day: float | None = None
    week: float | None = None
    month: float | None = None


@dataclass(frozen=True, slots=True)
class Latency:
    """Durations in logarithmic buckets, exact to about 6 %. Quantiles are seconds; None without counts."""

    blob: bytes = b""

    def quantile(self, q: float) -> float | None:
        """The duration below which the part `q` lies."""
        return histogram.quantile(histogram.load(self.blob), q) if self.blob else None

    @property
    def p50(self) -> float | None:
        """The median."""
        return self.quantile(0.5)

    @property
    def p95(self) -> float | None:
        """19 of 20 are faster."""
        return self.quantile(0.95)

    @property
    def p99(self) -> float | None:
        """99 of 100 are faster."""
        return self.quantile(0.99)


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of one probe. `start`: epoch seconds. `maintenance`: outcomes in a planned window."""

    start: int
    tally: Tally = Tally()
    maintenance: int = 0
    latency: Latency = Latency()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeView:
    """One probe in one region. `status` and `region` are None before the first outcome.

    `hours`: the last 24, oldest first, empty ones included. `days`: 30 tallies, oldest first, or none.
    `newest`: seconds of the newest answers, oldest first, while there are too few hours to draw.
    """

    kind: ProbeKind
    region: str | None
    status: Status | None
    every_seconds: float | None
    uptime: Uptime
    latency: Latency
    hours: tuple[Hour, ...]
    days: tuple[Tally, ...] = ()
    newest: tuple[float, ...] = ()

    @property
    def drawable(self) -> bool:
        """Whether enough hours are known for a line."""
        return sum(bool(hour.latency.blob) for hour in self.hours) >= ENOUGH_HOURS

    def stale(self, now: dt.datetime) -> bool:
        """Whether three runs in a row are missing, and a minute more."""
        if self.status is None or self.every_seconds is None:
            return False
        return (now - self.status.last.started_at).total_seconds() > 3 * self.every_seconds + 60


@dataclass(frozen=True, slots=True)
class Room:
    """A headroom as it may be shown: past its reset, `remaining` and `ratio` are no longer known."""

    told: Headroom
    stale: bool

    @property
    def remaining(self) -> float | None:
        """What is left, as far as is known now."""
        return None if self.stale else self.told.remaining

    @property
    def ratio(self) -> float | None:
        """The part that is left, as far as is known now."""
        return None if self.stale else self.told.ratio

    @property
    def used(self) -> float | None:
        """What is used, where that is told, as far as is known now."""
        return None if self.stale else self.told.used

    @property
    def exhausted_at(self) -> dt.datetime | None:
        """When nothing is left, if it goes on like this; None where that is after the reset, or not known."""
        return exhausted_at(self.told) if not self.stale and lasts(self.told) is False else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A row of `transitions`."""

    integration: str
    probe: str
    region: str
    at: dt.datetime
    before: State | None
    after: State
    reason: Reason
    detail: str
    outcome_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationView:
    """One integration as it stands. `lead`: the probe that decides its state; None before any outcome."""

    listed: Listed
    lead: ProbeView | None
    probes: tuple[ProbeView, ...]
    rooms: tuple[Room, ...]
    uptime: Uptime
    changes: tuple[Change, ...] = ()

    @property
    def status(self) -> Status | None:
        """The worst status of its probes."""
        return self.lead.status if self.lead else None

    @property
    def state(self) -> State:
        """The worst state of its probes; `unknown` before any outcome."""
        return self.status.state if self.status else State.UNKNOWN

    @property
    def since(self) -> dt.datetime | None:
        """When the worst state began."""
        return self.status.since if self.status else None

    @property
    def verdict(self) -> Weighed:
        """Whose it is, weighed from all probes."""
        return weigh([heard(p.status) for p in self.probes if p.status])

    @property
    def last_seen(self) -> dt.datetime | None:
        """The newest outcome of any probe."""
        return max((p.status.last.started_at for p in self.probes if p.status), default=None)

    @property
    def timed(self) -> ProbeView | None:
        """The probe whose latency stands for the integration."""
        found = {p.kind: p for p in reversed(self.probes) if p.latency.blob}
        return next((found[kind] for kind in LATENCY_PROBES if kind in found), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduler:
    """What the scheduler says of itself. `last_seen`: None if it never has.

    `intervals`: seconds between two runs of `integration/probe`, as little headroom stretches them just now.
    """

    last_seen: dt.datetime | None
    alive: bool
    lag_seconds: float | None = None
    missed: float | None = None
    intervals: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything that the list shows, worst first."""

    at: dt.datetime
    scheduler: Scheduler
    integrations: tuple[IntegrationView, ...]
    changes: tuple[Change, ...]


@functools.lru_cache(maxsize=65536)
def tally(seen: str) -> Tally:
    """Up and judged from the JSON of a row of `hours`; see `Uptime` for what counts."""
    counts: dict[str, int] = json.loads(seen)
    up = sum(counts.get(state, 0) for state in UP)
    return Tally(up, up + sum(counts.get(state, 0) for state in NOT_UP))


def add_up(blobs: Iterable[bytes]) -> bytes:
    """The sum of several histograms, all their counts at once as the digits of one large number.

    Equal to `histogram.merge` as long as no count reaches 2**32, and thirty times as fast.
    """
    total = sum(int.from_bytes(blob, sys.byteorder) for blob in blobs)
    return total.to_bytes(_LANES, sys.byteorder) if total else b""


def hour_of(now: dt.datetime) -> int:
    """Epoch seconds of the hour under way."""
    return int(now.timestamp()) // HOUR * HOUR


def rooms(told: Iterable[Headroom], now: dt.datetime) -> tuple[Room, ...]:
    """The newest headroom of each bucket, least left first; what is not known comes last.

    What the provider said of our credential goes before what it says to strangers, and before what we reckon.
    """
    newest: dict[str, Headroom] = {}
    for room in sorted(told, key=_weight):
        newest[room.bucket] = room
    kept = sorted(newest.values(), key=lambda r: r.seen_at, reverse=True)[:BUCKETS_SHOWN]
    found = [Room(each, is_stale(each, now)) for each in kept]
    return tuple(sorted(found, key=lambda r: (r.ratio is None, r.ratio or 0.0, r.told.bucket)))


def _weight(room: Headroom) -> tuple[bool, bool, dt.datetime]:
    return room.credential_fingerprint is not None, room.source in TOLD, room.seen_at


def lead(probes: Sequence[ProbeView]) -> ProbeView | None:
    """The probe that decides: the worst, and of equals the one that changed last; if all is well, the credential.

    A provider that does not tell a thing is no reason to call an integration `unknown` while others answer.
    """
    seen = [(probe, probe.status) for probe in probes if probe.status is not None]
    telling = [pair for pair in seen if not _says_nothing(pair[1])] or seen

    def rank(pair: tuple[ProbeView, Status]) -> tuple[int, bool, bool, float]:
        status = pair[1]
        public = status.last.reason is Reason.PUBLIC_FACE  # says less than an answer to a credential
        lesser = status.state is State.OPERATIONAL and status.last.probe is not ProbeKind.CREDENTIAL
        return WORST_FIRST.index(status.state), public, lesser, -status.since.timestamp()

    worst = min(telling, key=rank, default=None)
    return worst[0] if worst else None


def _says_nothing(status: Status) -> bool:
    """Whether a provider does not tell, or its status page cannot be read."""
    hearsay = status.last.probe is ProbeKind.STATUS_PAGE and status.state is State.UNKNOWN
    return hearsay or status.last.reason is Reason.NOT_TOLD


def uptime(probes: Sequence[ProbeView]) -> Uptime:
    """An integration's uptime; see `Uptime`."""
    asked = [p for p in probes if p.kind in SERVICE_PROBES] or list(probes)
    return Uptime(*(_lowest(getattr(p.uptime, window) for p in asked) for window in ("day", "week", "month")))


def matching(
    views: Iterable[IntegrationView],
    *,
    state: State | None = None,
    owner: str | None = None,
    text: str | None = None,
) -> tuple[IntegrationView, ...]:
    """The integrations that have this state and owner, and this text in name, provider, title or owner."""
    sought = (text or "").strip().casefold()

    def fits(view: IntegrationView) -> bool:
        known = view.listed
        words = " ".join((known.name, known.provider, known.title, known.owner or "")).casefold()
        same_state = state is None or view.state is state
        return same_state and (not owner or known.owner == owner) and sought in words

    return tuple(view for view in views if fits(view))


def _lowest(shares: Iterable[float | None]) -> float | None:
    return min((share for share in shares if share is not None), default=None)


def planned(
    shown: Listed, statuses: Sequence[tuple[str, Status]]
) -> list[tuple[ProbeKind, str | None, Status | None]]:
    """What is shown of an integration: its planned probes, seen or not; whatever it has where no plan is."""
    kinds = list(shown.every_seconds) or sorted(
        {s.last.probe for _, s in statuses}, key=list(ProbeKind).index
    )
    found: list[tuple[ProbeKind, str | None, Status | None]] = []
    for kind in kinds:
        mine = [(region, status) for region, status in statuses if status.last.probe is kind]
        found += [(kind, region, status) for region, status in mine] or [(kind, None, None)]
    return found


def days(hours: Iterable[Hour], now: dt.datetime) -> tuple[Tally, ...]:
    """30 tallies of 24 hours each, oldest first; the last one ends with the hour under way."""
    found = [Tally()] * (MONTH_HOURS // DAY_HOURS)
    for hour in hours:
        age = (hour_of(now) - hour.start) // (DAY_HOURS * HOUR)
        if 0 <= age < len(found):
            found[-1 - age] += hour.tally
    return tuple(found)


def scheduler_of(gauges: Sequence[Mapping[Any, Any]], now: dt.datetime) -> Scheduler:
    """The scheduler's state from rows of `gauges`."""
    seen = max((row["at"] for row in gauges if row["name"] == "scheduler_alive"), default=None)
    lags = [row["value"] for row in gauges if row["name"] == "scheduler_lag_seconds"]
    missed = [row["value"] for row in gauges if row["name"] == "missed_runs_total"]
    return Scheduler(
        last_seen=seen,
        alive=seen is not None and (now - seen).total_seconds() <= ALIVE_SECONDS,
        lag_seconds=max(lags, default=None),
        missed=sum(missed) if missed else None,
        intervals={row["label"]: row["value"] for row in gauges if row["name"] == "probe_interval_seconds"},
    )


def as_run(shown: Listed, scheduler: Scheduler) -> Listed:
    """The same with the intervals that the scheduler keeps just now: what it leaves out is not overdue."""
    if not scheduler.alive:
        return shown
    every = {
        kind: max(seconds, scheduler.intervals.get(f"{shown.name}/{kind.value}", 0.0))
        for kind, seconds in shown.every_seconds.items()
    }
    return replace(shown, every_seconds=every)


def share_of(hours: Iterable[Hour], now: dt.datetime, window: int) -> float | None:
    """Uptime over the last `window` hours, the one under way included."""
    first = hour_of(now) - (window - 1) * HOUR
    return sum((h.tally for h in hours if h.start >= first), Tally()).share


def probe_view(
    shown: Listed,
    seen: tuple[ProbeKind, str | None, Status | None],
    shares: Uptime,
    hours: Sequence[Hour],
    now: dt.datetime,
    *,
    days: tuple[Tally, ...] = (),
) -> ProbeView:
    """Put one probe together; `hours` are at most the last 24."""
    kind, region, status = seen
    by_start = {h.start: h for h in hours}
    starts = range(hour_of(now) - (DAY_HOURS - 1) * HOUR, hour_of(now) + 1, HOUR)
    return ProbeView(
        kind=kind,
        region=region,
        status=status,
        every_seconds=shown.every_seconds.get(kind),
        uptime=shares,
        latency=Latency(add_up(h.latency.blob for h in hours)),
        hours=tuple(by_start.get(start) or Hour(start) for start in starts),
        days=days,
    )


def integration_view(
    shown: Listed, probes: Sequence[ProbeView], told: Iterable[Headroom], now: dt.datetime
) -> IntegrationView:
    """Put one integration together, without its transitions."""
    return IntegrationView(
        listed=shown,
        lead=lead(probes),
        probes=tuple(probes),
        rooms=rooms(told, now),
        uptime=uptime(probes),
    )
