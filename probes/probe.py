"""What a probe is: planned from an integration, asked over the network, answered with an outcome."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from interlock.answers import Judgement
from interlock.auth import Signer, signer
from interlock.catalogue import Cost
from interlock.errors import UsageError
from interlock.headroom import Trail
from interlock.http import Client, Draft
from interlock.integration import Integration
from interlock.records import CredentialFacts, Finding, Outcome, ProbeKind, Reason, State
from interlock.redaction import Redactor
from interlock.secrets import fingerprint
from interlock.wire import Answer

if TYPE_CHECKING:
    from contracts.view import Bench

Clock = Callable[[], dt.datetime]
Reach = str  # a host and port, for counting who can be reached


def utc_now() -> dt.datetime:
    """The wall clock, aware and in UTC."""
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One probe of one integration, with all that does not change from asking to asking.

    `every_seconds`, `timeout_seconds`, `slow_after_seconds`; `cost` of one asking; `host` that is asked.
    """

    integration: Integration
    kind: ProbeKind
    every_seconds: float
    timeout_seconds: float
    slow_after_seconds: float
    failures_before_down: int
    cost: Cost
    host: str | None
    credential_fingerprint: str | None

    @property
    def key(self) -> str:
        """`integration/probe`: the name of the job, and where its phase comes from."""
        return f"{self.integration.name}/{self.kind.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a probe brings back: a judgement, and what was measured on the way."""

    judgement: Judgement
    phases: dict[str, float] = field(default_factory=dict)
    status_code: int | None = None
    certificate_expires_at: dt.datetime | None = None
    findings: tuple[Finding, ...] = ()
    credential: CredentialFacts | None = None


@dataclass(kw_only=True)
class Tools:
    """What probes work with: one set for a process. `region` names where this process runs.

    `benches`: contracts that are read, by name, file and its time of change in nanoseconds. `heard`: what probes of
    one run have been answered to signed questions, by integration, way of signing in and question, None for what was
    not good; None where nothing is kept.
    """

    client: Client = field(default_factory=Client)
    clock: Clock = utc_now
    redactor: Redactor = field(default_factory=Redactor)
    fingerprint_key: bytes = b"interlock"
    region: str = "local"
    trail: Trail = field(default_factory=Trail)
    benches: dict[tuple[str, Path, int], asyncio.Future[Bench]] = field(default_factory=dict)
    heard: dict[tuple[str, str | None, Draft], asyncio.Future[Answer | None]] | None = None
    _signers: dict[tuple[str, str | None], Signer | None] = field(default_factory=dict)

    def ready(self, plans: Iterable[Planned]) -> None:
        """Make every signer of these ready: keys and SDKs take their time, which no answer is to be timed by."""
        for each in plans:
            made = self.signer(each.integration) if each.credential_fingerprint is not None else None
            if made is not None:
                with contextlib.suppress(UsageError):  # the probe says it
                    made.ready()

    def signer(self, integration: Integration) -> Signer | None:
        """The integration's signer; the same one each time, because it may hold a token."""
        key = (integration.name, integration.way)
        if key not in self._signers:
            self._signers[key] = signer(integration, self.client, self.clock)
        return self._signers[key]

    def fingerprint(self, integration: Integration) -> str | None:
        """The keyed hash of the credential in use; None without one."""
        way = integration.auth
        if way is None or not way.credentials:
            return None
        return fingerprint(
            {n: integration.secrets[n].reveal() for n in way.credentials}, self.fingerprint_key
        )


class Probe(Protocol):
    """One kind of question: one file, one row in `probes.kinds.KINDS`, one test file."""

    def cost(self, integration: Integration) -> Cost | None:
        """What one asking costs; None if the question makes no sense for this integration."""
        ...

    def host(self, integration: Integration) -> str | None:
        """The host that is asked; None where its address is not known."""
        ...

    async def ask(self, planned: Planned, tools: Tools) -> Seen:
        """Ask once. Raises `WireError`, `TokenRefused`, `UsageError`."""
        ...


def unknown(reason: Reason, detail: str) -> Seen:
    """Nothing was asked, or nothing can be said."""
    return Seen(judgement=Judgement(state=State.UNKNOWN, reason=reason, detail=detail))


def _redacted(found: Finding, redactor: Redactor) -> Finding:
    """What was seen and promised may hold an address, and an address a token."""
    seen, promised = (None if text is None else redactor.text(text) for text in (found.seen, found.promised))
    return dataclasses.replace(found, seen=seen, promised=promised)


def outcome(
    planned: Planned, seen: Seen, *, tools: Tools, started_at: dt.datetime, slot: int | None
) -> Outcome:
    """The dated, redacted record of what was seen."""
    integration, judgement = planned.integration, seen.judgement
    return Outcome(
        id=uuid.uuid4().hex,
        integration=integration.name,
        provider=integration.provider.name,
        environment=integration.environment,
        probe=planned.kind,
        region=tools.region,
        slot=slot,
        started_at=started_at,
        duration_seconds=seen.phases.get("total"),
        phases={name: round(seconds, 6) for name, seconds in seen.phases.items()},
        state=judgement.state,
        reason=judgement.reason,
        detail=tools.redactor.text(judgement.detail),
        status_code=seen.status_code,
        retry_at=judgement.retry_at,
        in_maintenance=integration.in_maintenance(started_at),
        headrooms=judgement.headrooms,
        findings=tuple(_redacted(found, tools.redactor) for found in seen.findings),
        certificate_expires_at=seen.certificate_expires_at,
        credential=seen.credential,
        catalogue_digest=integration.provider.digest or None,
    )
