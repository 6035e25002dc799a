"""The tables of the store. Times are whole microseconds since the epoch, UTC."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

metadata = sa.MetaData()
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


def microseconds(moment: dt.datetime) -> int:
    """Whole microseconds since the epoch."""
    return (moment - _EPOCH) // _MICROSECOND


class Instant(TypeDecorator[dt.datetime]):
    """An aware UTC datetime, kept as microseconds: the same in every database."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Any) -> int | None:  # noqa: ARG002
        """To the database."""
        return None if value is None else microseconds(value)

    def process_result_value(self, value: int | None, dialect: Any) -> dt.datetime | None:  # noqa: ARG002
        """From the database."""
        return None if value is None else _EPOCH + dt.timedelta(microseconds=value)


_KEY = ("integration", "probe", "region")


def _key(*, primary: bool) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.String(80), nullable=False, primary_key=primary) for name in _KEY]


meta = sa.Table(
    "meta",
    metadata,
    sa.Column("key", sa.String(80), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

# One row for an outcome. A slot is filled once: (integration, probe, region, slot) is unique.
outcomes = sa.Table(
    "outcomes",
    metadata,
    sa.Column(
        "seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True
    ),
    sa.Column("id", sa.String(40), nullable=False),
    *_key(primary=False),
    sa.Column("slot", sa.BigInteger),
    sa.Column("provider", sa.String(80), nullable=False),
    sa.Column("environment", sa.String(20), nullable=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("duration_seconds", sa.Float),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("reason", sa.String(40), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("status_code", sa.Integer),
    sa.Column("retry_at", Instant),
    sa.Column("in_maintenance", sa.Boolean, nullable=False),
    sa.Column("certificate_expires_at", Instant),
    sa.Column("catalogue_digest", sa.String(40)),
    sa.Column("more", sa.Text),  # JSON: phases, headrooms, findings, where there are any
    sa.UniqueConstraint(*_KEY, "slot", name="outcomes_slot"),
    sa.Index("outcomes_by_time", *_KEY[:2], "started_at"),
)

# The de-bounced state, with the sums since the beginning that the metrics show.
statuses = sa.Table(
    "statuses",
    metadata,
    *_key(primary=True),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("last", sa.Text, nullable=False),  # JSON: the outcome seen last
    sa.Column("seen", sa.Text, nullable=False),  # JSON: how many outcomes of each state
    sa.Column("duration_sum", sa.Float, nullable=False),
    sa.Column("durations", sa.LargeBinary, nullable=False),  # a histogram
)

transitions = sa.Table(
    "transitions",
    metadata,
    sa.Column(
        "seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True
    ),
    *_key(primary=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("before", sa.String(20)),
    sa.Column("after", sa.String(20), nullable=False),
    sa.Column("reason", sa.String(40), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("outcome_id", sa.String(40), nullable=False),
    sa.Index("transitions_by_time", "integration", "at"),
)

# Hourly sums: what uptime and latency charts read, whatever the number of outcomes.
hours = sa.Table(
    "hours",
    metadata,
    *_key(primary=True),
    sa.Column("hour", sa.BigInteger, primary_key=True, autoincrement=False),  # epoch seconds of its start
    sa.Column("seen", sa.Text, nullable=False),  # JSON: how many outcomes of each state, maintenance left out
    sa.Column("in_maintenance", sa.Integer, nullable=False),  # how many outcomes were in maintenance
    sa.Column("duration_sum", sa.Float, nullable=False),
    sa.Column("durations", sa.LargeBinary, nullable=False),  # a histogram
    sa.Index("hours_by_time", "hour"),
)

# The newest headroom of each bucket, by the way it was told.
headrooms = sa.Table(
    "headrooms",
    metadata,
    sa.Column("integration", sa.String(80), primary_key=True),
    sa.Column("credential_fingerprint", sa.String(40), primary_key=True),
    sa.Column("bucket", sa.String(120), primary_key=True),
    sa.Column("source", sa.String(20), primary_key=True),
    sa.Column("unit", sa.String(20), nullable=False),
    sa.Column("limit", sa.Float),
    sa.Column("remaining", sa.Float),
    sa.Column("window_seconds", sa.Float),
    sa.Column("reset_at", Instant),
    sa.Column("confidence", sa.String(10), nullable=False),
    sa.Column("seen_at", Instant, nullable=False),
    sa.Column("used", sa.Float),
    sa.Column("told_by", sa.String(40)),
    sa.Column("burn_per_second", sa.Float),
)

# What a scheduler says of itself: lag, missed runs, last sign of life. One row for each name and region.
gauges = sa.Table(
    "gauges",
    metadata,
    sa.Column("region", sa.String(80), primary_key=True),
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("label", sa.String(200), primary_key=True),
    sa.Column("value", sa.Float, nullable=False),
    sa.Column("at", Instant, nullable=False),
)

# A delivery that was let in, taken once: (integration, dedupe_key) is unique. `state`: kept, queued, forwarded, dead.
deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("integration", sa.String(80), nullable=False),
    sa.Column("scheme", sa.String(40), nullable=False),
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("event_id", sa.String(200)),
    sa.Column("event_type", sa.String(120)),
    sa.Column("dedupe_key", sa.String(200), nullable=False),
    sa.Column("dedupe_source", sa.String(20), nullable=False),
    sa.Column("key_fingerprint", sa.String(40)),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_attempt_at", Instant),
    sa.Column("answered_status", sa.Integer),  # of the newest attempt to forward
    sa.Column("duplicates", sa.Integer, nullable=False),
    sa.UniqueConstraint("integration", "dedupe_key", name="deliveries_once"),
    sa.Index("deliveries_due", "state", "next_attempt_at"),
    sa.Index("deliveries_by_time", "integration", "received_at"),
)

# The raw bytes of a delivery, which only the forwarder reads, for a while; encrypted where a key is configured.
delivery_bodies = sa.Table(
    "delivery_bodies",
    metadata,
    sa.Column("delivery_id", sa.String(40), primary_key=True),
    sa.Column("integration", sa.String(80), nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("sealed", sa.Boolean, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Index("delivery_bodies_by_end", "expires_at"),
)

# How many deliveries were taken, came again, were refused, were forwarded. `reason`, `event_type`: "" where none is.
delivery_counts = sa.Table(
    "delivery_counts",
    metadata,
    sa.Column("integration", sa.String(80), primary_key=True),
    sa.Column("outcome", sa.String(20), primary_key=True),
    sa.Column("reason", sa.String(40), primary_key=True),
    sa.Column("event_type", sa.String(120), primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("last_at", Instant, nullable=False),
)
