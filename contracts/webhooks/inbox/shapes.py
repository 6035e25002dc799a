"""Whether what was taken is shaped as the provider's contract promises: judged beside the door, no answer waits.

A delivery that is not is taken all the same: it is the provider's, and it is counted as a finding.
"""

from __future__ import annotations

import datetime as dt
import logging
import queue
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

from contracts.events_judged import judge_delivery
from contracts.shelf import Shelf
from contracts.view import Bench, Rulebook
from contracts.webhooks.configure import Receiver
from contracts.webhooks.inbox.keeper import Keeper
from contracts.webhooks.inbox.records import Arrival, Outcome
from contracts.webhooks.schemes import SCHEMES
from interlock.errors import UsageError
from interlock.redaction import Redactor

log = logging.getLogger(__name__)
WAITING = 1000  # deliveries; more are left out, and that is said
PLACES = 200  # that are told apart
OTHER = "other places"
_LONGEST = 40  # characters of a place, its end


def benches(receivers: Mapping[str, Receiver], shelf: Shelf, now: dt.datetime) -> dict[str, Bench]:
    """A bench for each receiver whose provider has a contract with events; of one that cannot be read that is said."""
    book = Rulebook(severities={}, now=now, redactor=Redactor())
    found: dict[str, Bench] = {}
    for name, each in receivers.items():
        try:
            contract = shelf.of_events(each.provider, name)
        except UsageError as exc:
            log.warning("%s: deliveries are taken, and not held against a contract: %s", name, exc.message)
            continue
        if contract is not None:
            found[name] = Bench(contract, book)
    return found


@dataclass
class Shapes:
    """`with` starts and ends its thread. What waits when it ends is judged first."""

    benches: Mapping[str, Bench]
    keeper: Keeper
    clock: Callable[[], dt.datetime]
    _waiting: queue.Queue[tuple[Receiver, Arrival] | None] = field(
        default_factory=lambda: queue.Queue(WAITING)
    )
    _places: set[str] = field(default_factory=set)
    _left_out: int = 0

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._work, name="inbox-shapes", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.put(None)
        self._thread.join()
        if self._left_out:
            log.warning("%d deliveries were not held against their contract: too many came", self._left_out)

    def look(self, receiver: Receiver, arrival: Arrival) -> None:
        """Have it judged when there is time."""
        if receiver.name not in self.benches:
            return
        try:
            self._waiting.put_nowait((receiver, arrival))
        except queue.Full:
            self._left_out += 1

    def _work(self) -> None:
        while (job := self._waiting.get()) is not None:
            try:
                self._judge(*job)
            except Exception:  # one delivery that nobody thought of must not end the watch
                log.exception("%s: a delivery could not be held against its contract", job[0].name)

    def _judge(self, receiver: Receiver, arrival: Arrival) -> None:
        delivery = arrival.delivery
        where = receiver.policy.event_type or SCHEMES[receiver.scheme].event_type
        content_type = "".join(delivery.values("content-type")[:1])
        bench = self.benches[receiver.name]
        for event in judge_delivery(bench, delivery.body, content_type, delivery.headers, where):
            if event.faults:
                self._count(receiver, event.type or "", self._place(event.faults[0].pointer))

    def _count(self, receiver: Receiver, kind: str, place: str) -> None:
        self.keeper.count(receiver.name, Outcome.MISSHAPEN, place, self.clock(), event_type=kind)

    def _place(self, pointer: str) -> str:
        """Without the numbers of list members, and short: it is one of the names that are counted by."""
        place = re.sub(r"/\d+(?=/|$)", "/*", pointer)[-_LONGEST:] or "the whole body"
        if place not in self._places and len(self._places) >= PLACES:
            return OTHER
        self._places.add(place)
        return place
