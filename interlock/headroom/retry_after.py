"""When a provider asks us to come back: `Retry-After` in both forms, its kin in milliseconds, and in a body."""

from __future__ import annotations

import datetime as dt
import math
import re
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from interlock.headroom.reading import LONGEST_RESET, Headers, after, amount, number

# What Azure's and Amazon's own clients honour; the name says the unit.
MILLISECONDS = ("retry-after-ms", "x-ms-retry-after-ms", "x-amz-retry-after")
_DIGITS = re.compile(r"-?[0-9.]+")


def retry_at(headers: Headers, now: dt.datetime) -> dt.datetime | None:
    """When the headers ask us to come back (RFC 9110, 10.2.3: seconds or a date); None if they do not.

    A date that is past means now. The fields in milliseconds count where `Retry-After` says nothing.
    """
    text = headers.get("retry-after", "").strip()
    found = _seconds_or_date(text, now) if text else None
    if found is not None:
        return found
    told = (number(headers.get(name)) for name in MILLISECONDS)
    return next((after(value / 1000, now) for value in told if value is not None), None)


def _seconds_or_date(text: str, now: dt.datetime) -> dt.datetime | None:
    if _DIGITS.fullmatch(text):
        return after(number(text), now)
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=dt.UTC)
        return max(moment.astimezone(dt.UTC), now) if moment - now <= LONGEST_RESET else None
    except (ValueError, TypeError, OverflowError):
        return None


def retry_in_body(body: Any, now: dt.datetime) -> dt.datetime | None:
    """When the JSON body of a throttle answer asks us to come back; None if it does not.

    `{"retry-seconds": 60}` is Mailgun's, https://documentation.mailgun.com (Domains and Webhooks, 429).
    """
    return after(amount(body.get("retry-seconds")), now) if isinstance(body, dict) else None


def write_retry_after(moment: dt.datetime, now: dt.datetime, *, as_date: bool = False) -> dict[str, str]:
    """`Retry-After` for a moment, in seconds (rounded up) or as a date."""
    if as_date:
        return {"retry-after": format_datetime(moment.astimezone(dt.UTC), usegmt=True)}
    return {"retry-after": str(max(0, math.ceil((moment - now).total_seconds())))}
