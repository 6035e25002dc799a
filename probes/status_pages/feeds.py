"""RSS 2.0 and Atom feeds: a list of messages, newest first, whose titles say whether they are over.

Sources: RFC 4287; https://www.rssboard.org/rss-specification. A feed tells no level, so an entry that is neither
old nor over counts as degraded, and what cannot be dated is not guessed.
"""

from __future__ import annotations

import datetime as dt
import re
from email.utils import parsedate_to_datetime
from xml.etree import ElementTree as ET

from probes.status_pages.told import Incident, Level, Told, Unreadable, as_xml, moment

ATOM = "{http://www.w3.org/2005/Atom}"
STILL_NEWS = dt.timedelta(hours=24)  # an older entry that was never closed was forgotten
OVER = re.compile(
    r"(?i)\b(resolved|completed|closed|service is operating normally|postponed|rescheduled|cancell?ed)\b"
)
PLANNED = re.compile(r"(?i)\b(scheduled|maintenance|planned)\b")


def read(body: bytes, now: dt.datetime) -> Told:
    """The entries of the last day that are not over. Raises `Unreadable`, also for an entry without a date."""
    root = as_xml(body)
    if root.tag == "rss":
        entries = [_rss(item) for item in root.iter("item")]
    elif root.tag == f"{ATOM}feed":
        entries = [_atom(entry) for entry in root.iter(f"{ATOM}entry")]
    else:
        raise Unreadable("it is neither RSS nor Atom")
    fresh = [(title, words) for title, words, at in entries if now - at <= STILL_NEWS]
    return Told(
        None, (), tuple(_incident(title) for title, words in fresh if not OVER.search(f"{title} {words}"))
    )


def _incident(title: str) -> Incident:
    return Incident(title, Level.MAINTENANCE if PLANNED.search(title) else Level.DEGRADED)


def _rss(item: ET.Element) -> tuple[str, str, dt.datetime]:
    try:
        at = parsedate_to_datetime(item.findtext("pubDate", ""))
    except (ValueError, TypeError) as exc:
        raise Unreadable("an entry has no date") from exc
    return _line(item.findtext("title")), _first(item.findtext("description")), _aware(at)


def _atom(entry: ET.Element) -> tuple[str, str, dt.datetime]:
    at = moment((entry.findtext(f"{ATOM}updated") or entry.findtext(f"{ATOM}published") or "").strip())
    if at is None:
        raise Unreadable("an entry has no date")
    words = entry.findtext(f"{ATOM}content") or entry.findtext(f"{ATOM}summary")
    return _line(entry.findtext(f"{ATOM}title")), _first(words), at


def _aware(at: dt.datetime) -> dt.datetime:
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)


def _line(value: str | None) -> str:
    return " ".join((value or "").split())


def _first(value: str | None) -> str:
    """The newest update of an entry: what stands first in its text, without markup."""
    return _line(re.sub(r"<[^>]*>", " ", value or ""))[:160]
