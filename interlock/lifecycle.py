"""What ends by a date: a pinned API version, and what `Deprecation` and `Sunset` announce. Pure.

`Deprecation` is a structured date (RFC 9745, 2.1), in older drafts an HTTP date or `true`; `Sunset` is an HTTP
date (RFC 8594, 3).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime

from interlock import findings
from interlock.catalogue import Provider
from interlock.records import Finding, Severity

# Days before the end at which to warn, and how loudly; after it, critical.
WARNINGS = ((0.0, Severity.CRITICAL), (30.0, Severity.ERROR), (180.0, Severity.WARNING))
DAY_SECONDS = 86400.0
_EPOCH = re.compile(r"@(-?\d{1,12})\s*(?:;.*)?\Z", re.DOTALL)


def version_findings(
    provider: Provider, parameters: Mapping[str, str], headers: Mapping[str, str], now: dt.datetime, name: str
) -> tuple[Finding, ...]:
    """Whether the pinned version has an end that is near or past, and whether another one answered.

    `headers`: of the answer, names in lower case; `name`: of the integration.
    """
    versions = provider.versions
    pinned = parameters.get(versions.parameter) if versions else None
    if versions is None or pinned is None:
        return ()
    found = []
    answered = headers.get(versions.header or "")
    if answered and answered != pinned:
        found.append(
            findings.make(
                "api-version-differs", Severity.ERROR, f"parameters.{versions.parameter}", integration=name,
                promised=f"an answer of version {pinned}", seen=f"version {answered[:40]} answered",
                fix="the pinned version is not served any more, or not sent: move to one that is",
            )
        )  # fmt: skip
    for end in versions.ends:
        if re.fullmatch(end.versions, pinned):
            when = f"{end.said} ({end.ends})" if end.said else str(end.ends)
            severity = _severity(dt.datetime.combine(end.ends, dt.time(), dt.UTC), now)
            if severity is not None:
                ended = "has ended" if severity is Severity.CRITICAL else "ends"
                found.append(
                    findings.make(
                        "api-version", severity, f"parameters.{versions.parameter}", integration=name,
                        promised="a version that is served for a while yet",
                        seen=f"version {pinned} {ended}: {when}",
                        fix="move to a newer version, and change the parameter", source=end.source,
                    )
                )  # fmt: skip
    return tuple(found)


def announced(headers: Mapping[str, str], now: dt.datetime, subject: str, name: str) -> tuple[Finding, ...]:
    """What the `Deprecation` and `Sunset` headers of an answer say of `subject`, dated."""
    return tuple(_announced(headers, now, subject, name))


def _announced(headers: Mapping[str, str], now: dt.datetime, subject: str, name: str) -> Iterator[Finding]:
    sunset = when(headers.get("sunset", ""))
    if sunset is not None:
        severity = _severity(sunset, now) or Severity.INFO
        seen = f"Sunset: it {'ended' if sunset <= now else 'ends'} on {sunset:%Y-%m-%d}"
        yield findings.make(
            "sunset", severity, subject, integration=name, promised="a resource that stays", seen=seen,
            fix="see the provider's changelog for what takes its place", source="RFC 8594",
        )  # fmt: skip
    told = headers.get("deprecation", "").strip()
    if not told or told.lower() in {"false", "?0"}:
        return
    since = when(told)
    seen = f"Deprecation: {'since' if since <= now else 'from'} {since:%Y-%m-%d}" if since else "Deprecation"
    yield findings.make(
        "deprecation", Severity.WARNING, subject, integration=name,
        promised="a resource that is not deprecated", seen=seen,
        fix="see the provider's changelog for what takes its place", source="RFC 9745",
    )  # fmt: skip


def when(text: str) -> dt.datetime | None:
    """A date of either header, aware UTC; None for anything else."""
    text = text.strip()
    try:
        if match := _EPOCH.match(text):
            return dt.datetime.fromtimestamp(int(match[1]), dt.UTC)
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError, OSError, TypeError, IndexError):
        return None
    return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)


def _severity(end: dt.datetime, now: dt.datetime) -> Severity | None:
    days = (end - now).total_seconds() / DAY_SECONDS
    return next((severity for limit, severity in WARNINGS if days <= limit), None)
