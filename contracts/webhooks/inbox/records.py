"""What travels through the inbox: a delivery that is taken, what became of it, and one that is due to be sent on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum

from contracts.webhooks.records import Checked, Delivery


class Outcome(StrEnum):
    """What became of a request at the door, or of a delivery on its way on."""

    TAKEN = "taken"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    HANDSHAKE = "handshake"
    NOT_KEPT = "not_kept"  # it could not be committed in time: the provider is asked to send it again
    FORWARDED = "forwarded"
    DEAD = "dead"
    MISSHAPEN = "misshapen"  # taken, and an event in it is not as its contract promises


class Stage(StrEnum):
    """Where a delivery is: `KEPT` is not to be sent on; `QUEUED` is, again and again until it is taken."""

    KEPT = "kept"
    QUEUED = "queued"
    FORWARDED = "forwarded"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A delivery that was let in. `id` is ours, and stays the same however often it is sent on."""

    id: str
    integration: str
    checked: Checked
    delivery: Delivery = field(repr=False)
    received_at: dt.datetime
    forwarded: bool
    kept_until: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A delivery that is to be sent on now. `attempts`: how often that was tried before."""

    id: str
    integration: str
    event_type: str | None
    attempts: int
    delivery: Delivery = field(repr=False)
