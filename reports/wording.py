"""Numbers and times as people read them. Nothing is rounded up to perfect."""

from __future__ import annotations

import datetime as dt
import math

from interlock.records import State
from interlock.verdict import Blame

STATE_WORDS = {
    State.OPERATIONAL: "Operational",
    State.DEGRADED: "Degraded",
    State.THROTTLED: "Throttled",
    State.AUTH_FAILED: "Credential refused",
    State.FAILING: "Failing",
    State.UNKNOWN: "Unknown",
    State.DOWN: "Down",
}
VERDICT_WORDS = {
    Blame.OK: "",
    Blame.OURS: "ours to mend",
    Blame.THEIRS: "theirs",
    Blame.NETWORK: "the network between us",
    Blame.THROTTLED: "throttled",
    Blame.UNKNOWN: "not clear whose",
}
PHASE_WORDS = {
    "dns": "DNS",
    "connect": "Connect",
    "tls": "TLS",
    "first_byte": "First byte",
    "rest": "Body",
    "total": "Total",
}
ENVIRONMENT_WORDS = {"live": "live", "sandbox": "sandbox", "stand_in": "stand-in"}
OUTCOME_WORDS = {
    "taken": "taken",
    "duplicate": "came again, and was taken once",
    "refused": "refused",
    "handshake": "answered",
    "not_kept": "asked to come again",
    "forwarded": "sent on",
    "dead": "given up",
}
UNKNOWN = "\N{EN DASH}"
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_MILLISECONDS_END = 0.9995
_LARGE = ((1e9, "G"), (1e6, "M"), (1e4, "k"))


def span(seconds: float | None) -> str:
    """A stretch of time in its two largest units: `2 h 14 min`. A dash where it is not known."""
    if seconds is None:
        return UNKNOWN
    parts: list[str] = []
    rest = max(0, int(seconds))
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count or (parts and len(parts) == 1):
            parts.append(f"{count} {unit}" if count else "")
        if len(parts) == 2:  # noqa: PLR2004 - two units are enough for anybody
            break
    return " ".join(part for part in parts if part) or "0 s"


def ago(moment: dt.datetime | None, now: dt.datetime) -> str:
    """How long ago: `3 min ago`, in one unit. "never" for None."""
    if moment is None:
        return "never"
    seconds = (now - moment).total_seconds()
    if seconds < 0:
        return f"in {_one_unit(-seconds)}"
    return "just now" if seconds < 2 else f"{_one_unit(seconds)} ago"  # noqa: PLR2004


def _one_unit(seconds: float) -> str:
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "0 s"


def duration(seconds: float | None) -> str:
    """A latency: `84 ms`, `1.24 s`. A dash where it is not known."""
    if seconds is None:
        return UNKNOWN
    if seconds < _MILLISECONDS_END:
        thousandths = seconds * 1000
        digits = 2 if thousandths < 1 else 1 if thousandths < 10 else 0  # noqa: PLR2004
        return f"{thousandths:.{digits}f} ms"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"  # noqa: PLR2004


def percent(share: float | None) -> str:
    """A share with two decimals, rounded down: only the perfect is `100 %`. A dash where it is not known."""
    if share is None:
        return UNKNOWN
    hundredths = math.floor(share * 10_000 + 1e-9)
    if share < 1:
        hundredths = min(hundredths, 9999)
    return "100 %" if hundredths == 10_000 else f"{hundredths / 100:.2f} %"  # noqa: PLR2004


def amount(value: float | None) -> str:
    """A count: `4 983`, `1.2 M`. A dash where it is not known."""
    if value is None:
        return UNKNOWN
    for size, unit in _LARGE[:2]:
        if abs(value) >= size:
            return f"{value / size:.4g} {unit}"
    text = f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"
    return text.replace(",", "\N{NARROW NO-BREAK SPACE}")


def sentence(text: str) -> str:
    """Words as a sentence: a capital at the beginning, a full stop at the end."""
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "." if text else ""


def clock(moment: dt.datetime | None) -> str:
    """`2026-01-31 02:00:00 UTC`. A dash for None."""
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC" if moment else UNKNOWN


def iso(moment: dt.datetime | None) -> str:
    """RFC 3339, for machines."""
    return f"{moment.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}" if moment else ""
