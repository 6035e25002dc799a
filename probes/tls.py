"""The TLS probe: a handshake, the whole chain, and the days that are left of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from interlock.answers import Judgement
from interlock.catalogue import Cost
from interlock.integration import Integration
from interlock.records import ProbeKind, Reason, State
from interlock.wire import Wire, WireError
from probes.probe import Planned, Seen, Tools

WARN_DAYS = 21.0
DAY_SECONDS = 86400.0


@dataclass(frozen=True, slots=True)
class Certificate:
    """What matters of one certificate in a chain."""

    subject: str
    issuer: str
    not_before: dt.datetime
    not_after: dt.datetime


@dataclass(frozen=True, slots=True)
class TlsProbe:
    """Asks for nothing but the handshake: no request is sent."""

    def cost(self, integration: Integration) -> Cost | None:
        """Free; None where the provider is not spoken to over TLS."""
        return Cost(requests=0, free=True) if _address(integration) else None

    def host(self, integration: Integration) -> str | None:
        """Of the first https base."""
        address = _address(integration)
        return address[0] if address else None

    async def ask(self, planned: Planned, tools: Tools) -> Seen:
        """Shake hands. A chain that is refused is looked at once more, without trust, to say why."""
        address = _address(planned.integration)
        assert address is not None, "only an https address is planned"
        wire = tools.client.wire(planned.integration.network, planned.integration.folder)
        host, port = address
        now = tools.clock()
        try:
            answer = await wire.handshake(host, port, deadline_seconds=planned.timeout_seconds)
        except WireError as exc:
            if exc.reason is not Reason.CERTIFICATE_INVALID:
                raise
            chain = await _look(wire, host, port, planned.timeout_seconds)
            detail = "; ".join(filter(None, (exc.detail, explain(chain, now))))
            judgement = Judgement(state=State.FAILING, reason=Reason.CERTIFICATE_INVALID, detail=detail)
            return Seen(judgement=judgement, phases=dict(exc.phases), certificate_expires_at=ends_at(chain))
        chain = read(answer.chain)
        warn_days = planned.integration.probe_settings(ProbeKind.TLS).warn_days or WARN_DAYS
        return Seen(
            judgement=judge(chain, now, warn_days),
            phases=dict(answer.phases),
            certificate_expires_at=ends_at(chain),
        )


async def _look(wire: Wire, host: str, port: int, deadline_seconds: float) -> tuple[Certificate, ...]:
    try:
        answer = await wire.handshake(host, port, deadline_seconds=deadline_seconds, verify=False)
    except WireError:
        return ()
    return read(answer.chain)


def _address(integration: Integration) -> tuple[str, int] | None:
    """Host and port of the first https base; None if there is none."""
    for url in integration.bases.values():
        parts = urlsplit(url)
        if parts.scheme == "https" and parts.hostname:
            return parts.hostname, parts.port or 443
    return None


def read(chain: Sequence[bytes]) -> tuple[Certificate, ...]:
    """The certificates of a chain in DER form; one that cannot be parsed is left out."""
    from cryptography import x509  # noqa: PLC0415 - slow to import, and only this probe needs it

    found = []
    for der in chain:
        try:
            each = x509.load_der_x509_certificate(der)
            names = each.subject.rfc4514_string(), each.issuer.rfc4514_string()
        except ValueError:
            continue
        found.append(Certificate(*names, each.not_valid_before_utc, each.not_valid_after_utc))
    return tuple(found)


def ends_at(chain: Sequence[Certificate]) -> dt.datetime | None:
    """When the first certificate of the chain ends; None for an empty chain."""
    return min((each.not_after for each in chain), default=None)


def judge(chain: Sequence[Certificate], now: dt.datetime, warn_days: float) -> Judgement:
    """What a chain that was accepted means: how many days are left of its weakest part."""
    if not chain:
        return Judgement(state=State.UNKNOWN, reason=Reason.UNREADABLE, detail="the chain cannot be read")
    weakest = min(chain, key=lambda each: each.not_after)
    days = (weakest.not_after - now).total_seconds() / DAY_SECONDS
    part = "the certificate" if weakest is chain[0] else f"{weakest.subject} in its chain"
    detail = f"{part} ends in {days:.0f} days, on {weakest.not_after:%Y-%m-%d}; {len(chain)} in the chain"
    if days < warn_days:
        return Judgement(state=State.DEGRADED, reason=Reason.CERTIFICATE_EXPIRES, detail=detail)
    return Judgement(state=State.OPERATIONAL, reason=Reason.OK, detail=detail)


def explain(chain: Sequence[Certificate], now: dt.datetime) -> str | None:
    """What can be seen to be wrong with a chain that was refused; None if nothing can."""
    if not chain:
        return None
    for each in chain:
        if each.not_after < now:
            return f"{each.subject} ended on {each.not_after:%Y-%m-%d}"
        if each.not_before > now:
            return f"{each.subject} begins only on {each.not_before:%Y-%m-%d}"
    if len(chain) == 1 and chain[0].subject == chain[0].issuer:
        return f"{chain[0].subject} is signed by itself"
    return f"the chain ends at {chain[-1].issuer}"
