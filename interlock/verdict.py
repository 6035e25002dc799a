"""Whose is it? One verdict for an integration, weighed from all its probes, with the evidence listed. Pure.

To claim an outage takes two witnesses: a status that is down (several failures in a row), two probes that fail at
once, or one failing probe and the provider's own status page. To clear one takes a single good answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from interlock.records import ProbeKind, Reason, State, Status


class Blame(StrEnum):
    """Whose it is."""

    OK = "ok"
    OURS = "ours"
    THEIRS = "theirs"
    NETWORK = "network"
    THROTTLED = "throttled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Heard:
    """What a verdict needs of a status: `state` is de-bounced, `seen` the last answer's own, `failures` in a row."""

    probe: ProbeKind
    state: State
    seen: State
    reason: Reason
    failures: int
    detail: str


def heard(status: Status) -> Heard:
    """The witness that a status is."""
    last = status.last
    return Heard(last.probe, status.state, last.state, last.reason, status.failures, last.detail)


@dataclass(frozen=True, slots=True)
class Weighed:
    """A verdict. `because`: one sentence. `evidence`: a line for each probe that was heard, most telling first."""

    blame: Blame
    because: str
    evidence: tuple[str, ...]


OURS = frozenset(
    {
        Reason.BAD_CREDENTIAL,
        Reason.EXPIRED_CREDENTIAL,
        Reason.SCOPE,
        Reason.CREDENTIAL_EXPIRES,
        Reason.ACCOUNT,
        Reason.WEBHOOK_ENDPOINT,
        Reason.API_VERSION,
        Reason.WRONG_MODE,
        Reason.NO_CREDENTIAL,
        Reason.NOT_CONFIGURED,
        Reason.REDIRECT,
        Reason.PROXY,
        Reason.LATE,
        Reason.JOB_FAILED,
    }
)
THEIRS = frozenset({Reason.SERVER_ERROR, Reason.PROTOCOL, Reason.CERTIFICATE_INVALID})
NETWORK = frozenset({Reason.DNS, Reason.CONNECT, Reason.TLS, Reason.TIMEOUT})
THROTTLED = frozenset({Reason.RATE_LIMITED, Reason.QUOTA_EXHAUSTED})
CHANGED = frozenset({Reason.SHAPE, Reason.ERROR_IN_BODY, Reason.CERTIFICATE_EXPIRES})
# What the provider says of itself is a witness, and no substitute for asking it.
HEARSAY = frozenset({ProbeKind.STATUS_PAGE})
WITNESSES = 2


def weigh(statuses: Sequence[Heard]) -> Weighed:
    """The verdict over the statuses of one integration's probes, in all regions."""
    asked = [s for s in statuses if s.probe not in HEARSAY]
    page = [s for s in statuses if s.probe in HEARSAY and s.reason is Reason.PROVIDER_INCIDENT]
    for row in (_silent, _offline, _outage, _doubt, _ours, _throttled, _changed):
        if (found := row(asked, page)) is not None:
            blame, because, telling = found
            return Weighed(blame, because, _evidence(telling, statuses))
    well = [s for s in asked if s.state is State.OPERATIONAL]
    if not well:
        return Weighed(Blame.UNKNOWN, "no probe has an answer that can be judged", _evidence([], statuses))
    because = (
        "it answers us well, though its status page reports an incident" if page else "it answers us well"
    )
    return Weighed(Blame.OK, because, _evidence(page or well, statuses))


_Found = tuple[Blame, str, list[Heard]] | None


def _silent(asked: list[Heard], page: list[Heard]) -> _Found:
    if asked:
        return None
    return Blame.UNKNOWN, "nothing was asked of it yet", page


def _offline(asked: list[Heard], _: list[Heard]) -> _Found:
    offline = [s for s in asked if s.reason is Reason.OFFLINE]
    if not offline or any(s.state is not State.UNKNOWN for s in asked):
        return None
    return (
        Blame.NETWORK,
        "we are offline ourselves: mend this machine's connection, nothing is known against anybody",
        offline,
    )


def _outage(asked: list[Heard], page: list[Heard]) -> _Found:
    """Failing, by two witnesses."""
    failing = [s for s in asked if s.seen is State.FAILING]
    down = [s for s in failing if s.state is State.DOWN]
    if not failing or not (down or page or len({s.probe for s in failing}) >= WITNESSES):
        return None
    if page:
        return Blame.THEIRS, "it fails, and its own status page reports an incident", [*failing, *page]
    telling = down or failing
    reasons = {s.reason for s in telling}
    if reasons & THEIRS:
        return Blame.THEIRS, "it is reached, and fails to answer", telling
    if reasons <= OURS:
        return Blame.OURS, "something of our own failed", telling
    if any(s.seen is not State.FAILING and s.state is not State.UNKNOWN for s in asked):
        return Blame.THEIRS, "a part of it cannot be reached while another answers", telling
    return (
        Blame.NETWORK,
        "it cannot be reached from here, and nothing shows that it is down for others",
        telling,
    )


def _doubt(asked: list[Heard], _: list[Heard]) -> _Found:
    """Failing, by one witness: too little to claim an outage, too much to call it well."""
    failing = [s for s in asked if s.seen is State.FAILING]
    if not failing:
        return None
    return Blame.UNKNOWN, "one probe failed, which is not enough to claim an outage", failing


def _ours(asked: list[Heard], _: list[Heard]) -> _Found:
    ours = [s for s in asked if s.reason in OURS]
    return (
        (Blame.OURS, "it is up, and something on our side keeps it from serving us", ours) if ours else None
    )


def _throttled(asked: list[Heard], _: list[Heard]) -> _Found:
    held = [s for s in asked if s.reason in THROTTLED]
    return (Blame.THROTTLED, "it is up, and our rate limit is reached", held) if held else None


def _changed(asked: list[Heard], page: list[Heard]) -> _Found:
    changed = [s for s in asked if s.reason in CHANGED]
    if changed:
        return Blame.THEIRS, "it answers, but not as it promised", changed
    slow = [s for s in asked if s.state is State.DEGRADED]
    if not slow:
        return None
    if page:
        return Blame.THEIRS, "it serves us badly, and its own status page reports an incident", [*slow, *page]
    if all(s.reason is Reason.LOW_HEADROOM for s in slow):
        return Blame.THROTTLED, "it is up, and little of our rate limit is left", slow
    return Blame.UNKNOWN, "it serves us badly, and nothing shows whose it is", slow


def _evidence(telling: list[Heard], statuses: Sequence[Heard]) -> tuple[str, ...]:
    rest = [s for s in statuses if s not in telling]
    return tuple(_line(s) for s in [*telling, *rest])


def _line(status: Heard) -> str:
    row = f", {status.failures} in a row" if status.failures > 1 else ""
    return f"{status.probe.value}: {status.state.value}{row} ({status.detail})"
