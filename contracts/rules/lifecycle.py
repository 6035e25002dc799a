"""Rules on time: what is deprecated, what will end, which version, how old the recording is."""

from __future__ import annotations

import datetime as dt
import re
from email.utils import parsedate_to_datetime

from contracts.rules.requests import VERSION_HEADERS
from contracts.view import View
from interlock.records import Severity

_DATED = re.compile(r"\d{4}-\d{2}-\d{2}")


def operation(view: View) -> None:
    """Whether the operation is deprecated in the contract."""
    if view.operation.deprecated:
        view.add(
            "operation-deprecated",
            f"{view.operation.name} is deprecated",
            "/request",
            view.operation.pointer,
            fix="see the provider's documentation for what replaces it",
        )


def announced(view: View) -> None:
    """What the answer itself announces: RFC 9745 and RFC 8594."""
    said = view.response_headers.get("deprecation")
    if said and said.strip().lower() not in {"false", "?0"}:
        view.add(
            "deprecation-announced",
            f"{view.operation.name}: the provider announces its deprecation",
            "/response/header/deprecation",
            view.operation.pointer,
            seen=said,
            fix=view.response_headers.get("link", "see the provider's documentation"),
        )
    ends = view.response_headers.get("sunset")
    if ends:
        moment = _http_date(ends)
        past = moment is not None and moment < view.bench.book.now
        view.add(
            "sunset-announced",
            f"{view.operation.name} {'has ended' if past else 'will end'}",
            "/response/header/sunset",
            view.operation.pointer,
            seen=ends,
            fix="move to what replaces it before then",
        )


def version(view: View) -> None:
    """The version that the client asks for against that of the contract."""
    for name in VERSION_HEADERS:
        sent = view.request_headers.get(name) or view.response_headers.get(name)
        if sent and _differs(sent.strip(), view.contract.version):
            view.add(
                "version-mismatch",
                f"the recording speaks {sent.strip()}, the contract {view.contract.version}",
                f"/request/header/{name}",
                "/info/version",
                promised=view.contract.version,
                seen=sent.strip(),
                fix="hold it against the contract of its own version, or record anew",
            )
            return


def _differs(sent: str, promised: str) -> bool:
    """Only dates are compared: other versions are written in too many ways."""
    ours, theirs = _DATED.match(sent), _DATED.match(promised)
    return bool(ours and theirs and ours[0] != theirs[0])


def age(view: View) -> None:
    """How long ago it was recorded."""
    recorded, book = view.interaction.recorded_at, view.bench.book
    if recorded is not None and book.now - recorded > book.old_after:
        days = (book.now - recorded).days
        view.add(
            "recording-old",
            f"the recording is {days} days old",
            "",
            None,
            promised=f"at most {book.old_after.days} days",
            seen=f"{recorded:%Y-%m-%d}",
            fix="record it anew",
            at_most=Severity.WARNING,
        )


def _http_date(text: str) -> dt.datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
