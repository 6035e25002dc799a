"""Rules on retries, as far as a cassette shows them: when the client came back, and under which key."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence

from contracts.pointers import join
from contracts.view import View, finding_at, joined
from interlock.headroom.retry_after import retry_at
from interlock.records import Finding, Interaction

_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_WRITES = frozenset({"POST", "PATCH"})  # PUT and DELETE may be repeated by their nature


def judged(views: Sequence[View]) -> Iterator[Finding]:
    """What the interactions of one cassette show together, in their order."""
    last: dict[str, View] = {}
    keys: dict[tuple[str, str], tuple[str, View]] = {}
    for view in views:
        same = _sameness(view.interaction)
        before = last.get(same)
        if before is not None and before.interaction.status in _AGAIN:
            yield from _too_soon(before, view)
            yield from _key_kept(before, view)
        yield from _key_reused(keys, view, same)
        last[same] = view


def _sameness(interaction: Interaction) -> str:
    body = hashlib.sha256(interaction.request.body or b"").hexdigest()
    return f"{interaction.method.upper()} {interaction.url} {body}"


def _too_soon(before: View, view: View) -> Iterator[Finding]:
    first, again = before.interaction, view.interaction
    if first.recorded_at is None or again.recorded_at is None or first.response is None:
        return
    told = retry_at(joined(first.response), first.recorded_at)
    if told is not None and again.recorded_at < told - dt.timedelta(seconds=1):
        yield from _finding(
            view,
            "retry-too-soon",
            f"the client came back {(again.recorded_at - first.recorded_at).total_seconds():.1f} s"
            f" after a {first.status}",
            "/request",
            promised=f"not before {told:%H:%M:%S} UTC, as the answer said",
            fix="wait as long as the answer says",
        )


def _key_kept(before: View, view: View) -> Iterator[Finding]:
    header = view.bench.idempotency_header
    if header is None or view.interaction.method.upper() not in _WRITES:
        return
    name = header.lower()
    first, again = before.request_headers.get(name), view.request_headers.get(name)
    pointer = join("/request/header", name)
    if again is None and first is None:
        yield from _finding(
            view,
            "retry-unsafe",
            f"a write is repeated after a {before.interaction.status} without {header}",
            pointer,
            promised=f"{header} on the first try and on every other",
            fix=f"send {header}: the first try may have worked",
        )
    elif again != first:
        yield from _finding(
            view,
            "retry-new-key",
            f"a write is repeated after a {before.interaction.status} under another key",
            pointer,
            promised="the key of the first try",
            fix="make the key once, before the first try",
        )


def _key_reused(keys: dict[tuple[str, str], tuple[str, View]], view: View, same: str) -> Iterator[Finding]:
    header = view.bench.idempotency_header
    key = view.request_headers.get(header.lower()) if header else None
    if header is None or not key or key.startswith(("<", "[", "*", "{")):
        return
    place = (view.url.netloc, key)
    known = keys.setdefault(place, (same, view))
    if known[0] != same:
        yield from _finding(
            view,
            "retry-key-reused",
            f"one {header} stands for two requests",
            join("/request/header", header.lower()),
            promised="a key of its own for each request",
            fix=f"interaction {known[1].interaction.source.index} used it for another request: make a new key",
        )


def _finding(
    view: View, rule: str, subject: str, pointer: str, *, promised: str, fix: str
) -> Iterator[Finding]:
    severity = view.bench.book.severities.get(rule)
    if severity is not None:
        yield finding_at(
            rule,
            severity,
            subject,
            view.interaction,
            pointer=pointer,
            promised=promised,
            fix=fix,
            source=view.contract.source,
        )
