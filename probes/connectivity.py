"""Are we offline ourselves? A guard, so that our own lost connection counts against nobody."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass, field

from interlock.records import Outcome, Reason, State
from interlock.resolve import is_loopback

NETWORK = frozenset({Reason.DNS, Reason.CONNECT, Reason.PROXY, Reason.OFFLINE, Reason.TIMEOUT})
WINDOW_SECONDS = 120.0
HOSTS_NEEDED = 2  # one silent host is that host's affair; several at once, and no other heard, is ours


@dataclass
class Guard:
    """Remembers when each host outside this machine last answered or failed to be reached."""

    window_seconds: float = WINDOW_SECONDS
    _answered: dict[str, dt.datetime] = field(default_factory=dict)
    _silent: dict[str, dt.datetime] = field(default_factory=dict)

    def note(self, host: str | None, outcome: Outcome) -> None:
        """Take one outcome into account. Loopback says nothing about the network."""
        if host is None or is_loopback(host):
            return
        if unreached(outcome):
            self._silent[host] = outcome.started_at
        elif outcome.state is not State.UNKNOWN:
            self._answered[host] = outcome.started_at
            self._silent.pop(host, None)

    def offline(self, now: dt.datetime) -> bool:
        """True if several hosts were silent of late and none has answered since the first of them."""
        since = now - dt.timedelta(seconds=self.window_seconds)
        silent = [at for at in self._silent.values() if at >= since]
        if len(silent) < HOSTS_NEEDED:
            return False
        return not any(at >= min(silent) for at in self._answered.values())

    def correct(self, host: str | None, outcome: Outcome) -> Outcome:
        """The outcome as it should count: a network failure while we are offline is `unknown`."""
        self.note(host, outcome)
        ours = host is not None and not is_loopback(host) and unreached(outcome)
        return as_offline(outcome) if ours and self.offline(outcome.started_at) else outcome


def unreached(outcome: Outcome) -> bool:
    """Whether the host was not reached at all; one that took the connection and stalled was."""
    return outcome.reason in NETWORK and not (
        outcome.reason is Reason.TIMEOUT and "connect" in outcome.phases
    )


def as_offline(outcome: Outcome) -> Outcome:
    """The same answer, read as our own lost connection."""
    return dataclasses.replace(outcome, state=State.UNKNOWN, reason=Reason.OFFLINE)
