"""What happens once a delivery is kept: it is recorded, a subscription is confirmed, the forwarder wakes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cassettes.redact import Redactor
from contracts.webhooks import delivery_files
from contracts.webhooks.configure import Receiver
from contracts.webhooks.inbox.records import Arrival
from contracts.webhooks.inbox.shapes import Shapes
from contracts.webhooks.records import Delivery
from interlock.errors import UsageError
from interlock.evidence import write_whole
from interlock.http import Draft, built
from interlock.wire import Wire, WireError

log = logging.getLogger(__name__)
SCHEMA = "interlock.delivery/1"
SUFFIX = ".delivery.json"
CONFIRM_SECONDS = 10.0


@dataclass
class After:
    """Called by the door for each new delivery; does its work beside it, so that no answer waits.

    `folder`: where redacted deliveries go; None: nowhere. `shapes`: holds them against contracts. A subscription is
    confirmed only where the settings name the topics that are ours, since AWS signs for all of its customers.
    """

    wake: asyncio.Event
    wire: Wire
    redactor: Redactor
    folder: Path | None = None
    shapes: Shapes | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __call__(self, receiver: Receiver, arrival: Arrival) -> None:
        """Start what is to be done."""
        self.wake.set()
        if self.shapes is not None:
            self.shapes.look(receiver, arrival)
        if self.folder is not None:
            self._start(asyncio.to_thread(record, self.folder, receiver, arrival, self.redactor))
        if arrival.checked.confirm_url and receiver.policy.topics:
            self._start(self._confirm(receiver, arrival.checked.confirm_url))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Wait for what was started."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _confirm(self, receiver: Receiver, url: str) -> None:
        """Ask for the URL that the message names; the scheme has made sure that its host is the provider's."""
        try:
            answer = await self.wire.exchange(
                built(Draft(method="GET", url=url)), deadline_seconds=CONFIRM_SECONDS
            )
            said = str(answer.status)
        except (WireError, ValueError) as exc:
            said = type(exc).__name__
        log.info("%s: the subscription was to be confirmed, and %s was answered", receiver.name, said)


def record(folder: Path, receiver: Receiver, arrival: Arrival, redactor: Redactor) -> None:
    """Write the delivery without secrets and personal data, as `interlock verify` reads it."""
    delivery = arrival.delivery
    headers, _ = redactor.headers(delivery.headers)
    content_type = "".join(delivery.values("content-type")[:1])
    body, hits = redactor.body(delivery.body, content_type)
    url, _ = redactor.url(delivery.url)
    clean = Delivery(method=delivery.method, url=url, headers=headers, body=body)
    text = delivery_files.write(
        clean,
        arrival.received_at,
        schema=SCHEMA,
        integration=receiver.name,
        provider=receiver.provider,
        event_type=arrival.checked.event_type,
        body_state="redacted" if hits else "full",
    )
    name = f"{arrival.received_at:%Y%m%dT%H%M%S}-{arrival.id[:12]}{SUFFIX}"
    try:
        write_whole(folder / receiver.name / name, text)
    except UsageError as exc:
        log.warning("a delivery was kept and not recorded: %s", exc.message)
