"""What the inbox took and refused, as the pages and the metrics show it: two queries, whatever its size."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from interlock import tables
from interlock.store import Store
from reports.exposition import Family, Sample
from reports.face import Receiving

TYPES_SHOWN = 50  # event types of one integration; a provider names them, so they are bounded
OTHER = "other"
PAST_THE_DOOR = ("taken", "duplicate")
MISSHAPEN = "misshapen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The deliveries of one integration. `last_at`: of the newest one; None if none ever came.

    `counts`: by outcome. `types`: by event type and outcome. `refusals`: by reason. `misshapen`: events that are not as
    their contract promises, by type and the place in the body. `waiting`, `dead`: how many are
    to be sent on, and were given up. `oldest_waiting_at`: since when the oldest waits.
    """

    receiving: Receiving
    counts: Mapping[str, int] = field(default_factory=dict)
    types: Mapping[tuple[str, str], int] = field(default_factory=dict)
    refusals: Mapping[str, int] = field(default_factory=dict)
    misshapen: Mapping[tuple[str, str], int] = field(default_factory=dict)
    last_at: dt.datetime | None = None
    last_refused_at: dt.datetime | None = None
    waiting: int = 0
    dead: int = 0
    oldest_waiting_at: dt.datetime | None = None

    def silent(self, now: dt.datetime) -> bool:
        """Whether nothing has come for longer than the settings allow; never, where they say nothing."""
        limit = self.receiving.silent_after_seconds
        if limit is None:
            return False
        return self.last_at is None or (now - self.last_at).total_seconds() > limit


def read(store: Store, receiving: Sequence[Receiving]) -> tuple[Taken, ...]:
    """What is known of each receiver, in the order of the settings. Raises `StoreError`."""
    if not receiving:
        return ()
    counts, deliveries = tables.delivery_counts, tables.deliveries
    queue = (
        sa.select(
            deliveries.c.integration,
            deliveries.c.state,
            sa.func.count().label("count"),
            sa.func.min(deliveries.c.received_at).label("oldest"),
        )
        .where(deliveries.c.state.in_(["queued", "dead"]))
        .group_by(deliveries.c.integration, deliveries.c.state)
    )
    with store.reading() as connection:
        told = connection.execute(sa.select(counts)).mappings().all()
        waiting = connection.execute(queue).mappings().all()
    return tuple(_taken(each, told, waiting) for each in receiving)


def _taken(receiving: Receiving, told: Sequence[sa.RowMapping], waiting: Sequence[sa.RowMapping]) -> Taken:
    own = [row for row in told if row["integration"] == receiving.name]
    counts, refusals = Counter[str](), Counter[str]()
    types, misshapen = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for row in own:
        counts[row["outcome"]] += row["count"]
        if row["outcome"] == "refused":
            refusals[row["reason"]] += row["count"]
        elif row["outcome"] == MISSHAPEN:
            misshapen[row["event_type"], row["reason"]] += row["count"]
        else:
            types[row["event_type"], row["outcome"]] += row["count"]
    queued = {row["state"]: row for row in waiting if row["integration"] == receiving.name}
    return Taken(
        receiving=receiving,
        counts=dict(counts),
        types=_bounded(types),
        refusals=dict(refusals),
        misshapen=dict(misshapen.most_common()),
        last_at=max((row["last_at"] for row in own if row["outcome"] in PAST_THE_DOOR), default=None),
        last_refused_at=max((row["last_at"] for row in own if row["outcome"] == "refused"), default=None),
        waiting=queued["queued"]["count"] if "queued" in queued else 0,
        dead=queued["dead"]["count"] if "dead" in queued else 0,
        oldest_waiting_at=queued["queued"]["oldest"] if "queued" in queued else None,
    )


def _bounded(types: Counter[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The most usual types by their names, all others as one."""
    totals = Counter[str]()
    for (name, _), count in types.items():
        totals[name] += count
    shown = {name for name, _ in totals.most_common(TYPES_SHOWN)}
    found: Counter[tuple[str, str]] = Counter()
    for (name, outcome), count in types.items():
        found[name if name in shown else OTHER, outcome] += count
    return dict(found)


def _by_type(misshapen: Mapping[tuple[str, str], int]) -> Counter[str]:
    found = Counter[str]()
    for (kind, _), count in misshapen.items():
        found[kind] += count
    return found


def families(taken: Sequence[Taken], now: dt.datetime, clean: Callable[[str], str]) -> Iterable[Family]:
    """The metrics of the inbox; what never happened has no series."""
    named = [(f'integration="{clean(each.receiving.name)}"', each) for each in taken]
    yield Family(
        "interlock_webhook_deliveries",
        "counter",
        "Webhook deliveries by event type and outcome.",
        [
            ("_total", f'{label},event_type="{clean(kind)}",outcome="{clean(outcome)}"', count)
            for label, each in named
            for (kind, outcome), count in each.types.items()
        ],
    )
    yield Family(
        "interlock_webhook_refusals",
        "counter",
        "Webhook deliveries that were not let in, by reason.",
        [
            ("_total", f'{label},reason="{clean(reason)}"', count)
            for label, each in named
            for reason, count in each.refusals.items()
        ],
    )
    broken = [(label, _by_type(each.misshapen)) for label, each in named]
    yield Family(
        "interlock_webhook_misshapen_events",
        "counter",
        "Events that were taken and are not as the provider's contract promises, by event type.",
        [
            ("_total", f'{label},event_type="{clean(kind)}"', count)
            for label, types in broken
            for kind, count in types.items()
        ],
    )
    moments: list[tuple[str, str, Callable[[Taken], dt.datetime | None]]] = [
        ("last_delivery", "When the newest delivery came.", lambda each: each.last_at),
        ("oldest_waiting", "When the oldest that waits to be sent on came.", lambda each: each.oldest_waiting_at),
    ]  # fmt: skip
    for name, words, of in moments:
        samples: list[Sample] = [
            ("", label, moment.timestamp()) for label, each in named if (moment := of(each)) is not None
        ]
        yield Family(f"interlock_webhook_{name}_timestamp_seconds", "gauge", words, samples)
    yield Family(
        "interlock_webhook_queue",
        "gauge",
        "Deliveries that wait to be sent on, and that were given up.",
        [
            ("", f'{label},state="{state}"', count)
            for label, each in named
            for state, count in (("queued", each.waiting), ("dead", each.dead))
        ],
    )
    yield Family(
        "interlock_webhook_silent",
        "gauge",
        "1 where nothing has come for longer than webhooks.silent_after allows; absent where nothing is said.",
        [
            ("", label, float(each.silent(now)))
            for label, each in named
            if each.receiving.silent_after_seconds is not None
        ],
    )
