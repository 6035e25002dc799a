"""Quota endpoints: what their JSON bodies say of each bucket."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from interlock.headroom.reading import Reading, amount, epoch_seconds, iso_8601, named, soon

DAY_SECONDS, HOUR_SECONDS = 86400.0, 3600.0
_SALESFORCE_WINDOWS = {"Daily": DAY_SECONDS, "Hourly": HOUR_SECONDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """One kind of quota body. `certainty`: verified in the provider's own words, or attested by others."""

    name: str
    read: Callable[[Any, dt.datetime], Iterable[Reading]]
    source: str
    certainty: str = "verified"


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _github(body: Any, now: dt.datetime) -> Iterable[Reading]:
    """`GET /rate_limit`: `{"resources": {"core": {"limit", "used", "remaining", "reset"}, ...}}`."""
    for name, resource in _object(_object(body).get("resources")).items():
        told = _object(resource)
        reset = amount(told.get("reset"))
        reading = Reading(
            bucket=named(name),
            limit=amount(told.get("limit")),
            remaining=amount(told.get("remaining")),
            reset_at=None if reset is None else epoch_seconds(f"{reset:.0f}", now),
            used=amount(told.get("used")),
        )
        if reading.limit is not None or reading.remaining is not None:
            yield reading


def _ses(body: Any, _: dt.datetime) -> Iterable[Reading]:
    """`GetAccount` (`SendQuota`) or `GetSendQuota`: 24 hours that roll, and a rate. -1 means without limit."""
    told = _object(_object(body).get("SendQuota", body))
    limit, used = amount(told.get("Max24HourSend")), amount(told.get("SentLast24Hours"))
    day = Reading(bucket="24 hours", limit=limit, used=used, unit="messages", window_seconds=DAY_SECONDS)
    if limit is not None and used is not None:
        day = replace(day, remaining=max(0.0, limit - used))
    rate = amount(told.get("MaxSendRate"))
    second = Reading(bucket="second", limit=rate, unit="messages", window_seconds=1.0)
    yield from (reading for reading in (day, second) if reading.says_something)


def _salesforce(body: Any, _: dt.datetime) -> Iterable[Reading]:
    """`/limits`: `{"DailyApiRequests": {"Max": 15000, "Remaining": 14998}, ...}`.

    Only what is counted by the day or the hour is a rate; storage is none, and what an edition lacks has a
    maximum of 0.
    """
    for name, told in _object(body).items():
        window = next((w for prefix, w in _SALESFORCE_WINDOWS.items() if str(name).startswith(prefix)), None)
        limit, left = amount(_object(told).get("Max")), amount(_object(told).get("Remaining"))
        if window is not None and limit and left is not None:
            yield Reading(bucket=named(name), limit=limit, remaining=left, window_seconds=window)


def _hubspot(body: Any, now: dt.datetime) -> Iterable[Reading]:
    """`/account-info/v3/api-usage/daily/private-apps`. What HubSpot itself could not fetch is left out."""
    results = _object(body).get("results")
    for result in results if isinstance(results, list) else ():
        told = _object(result)
        limit, used = amount(told.get("usageLimit")), amount(told.get("currentUsage"))
        if told.get("fetchStatus") not in {"SUCCESS", "CACHED"} or limit is None or used is None:
            continue
        yield Reading(
            bucket="daily",
            limit=limit,
            remaining=max(0.0, limit - used),
            reset_at=iso_8601(str(told.get("resetsAt")), now),
            used=used,
            window_seconds=DAY_SECONDS,
            confidence="high" if told["fetchStatus"] == "SUCCESS" else "low",
        )


def _sendgrid_credits(body: Any, now: dt.datetime) -> Iterable[Reading]:
    """`GET /v3/user/credits`: `{"remain", "total", "overage", "used", "last_reset", "next_reset", ...}`."""
    told = _object(body)
    reading = Reading(
        bucket="credits",
        limit=amount(told.get("total")),
        remaining=amount(told.get("remain")),
        reset_at=_midnight(told.get("next_reset"), now),
        used=amount(told.get("used")),
        unit="messages",
    )
    if reading.limit is not None or reading.remaining is not None:
        yield reading


def _midnight(text: Any, now: dt.datetime) -> dt.datetime | None:
    """The first moment of a day that is told without a time, in UTC."""
    try:
        day = dt.date.fromisoformat(str(text)[:10])
    except ValueError:
        return None
    return soon(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC), now)


def _mailgun_monthly(body: Any, _: dt.datetime) -> Iterable[Reading]:
    """`GET /v5/accounts/limit/custom/monthly`: `{"limit", "current", "period": "1m"}`. No reset is told."""
    told = _object(body)
    limit, used = amount(told.get("limit")), amount(told.get("current"))
    if limit is not None and used is not None:
        left = max(0.0, limit - used)
        yield Reading(bucket="monthly", limit=limit, remaining=left, used=used, unit="messages")


QUOTAS: dict[str, Quota] = {
    q.name: q
    for q in (
        Quota(
            name="github",
            read=_github,
            source="https://docs.github.com/en/rest/rate-limit/rate-limit",
        ),
        Quota(
            name="ses",
            read=_ses,
            source="https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendQuota.html",
        ),
        Quota(
            name="salesforce",
            read=_salesforce,
            source="https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_limits.htm",
        ),
        Quota(
            name="hubspot",
            read=_hubspot,
            source="https://developers.hubspot.com/docs/reference/api/settings/account-information-api",
        ),
        Quota(
            name="sendgrid-credits",
            read=_sendgrid_credits,
            source="https://www.twilio.com/docs/sendgrid/api-reference/users-api/retrieve-your-credit-balance",
        ),
        Quota(
            name="mailgun-monthly",
            read=_mailgun_monthly,
            source="https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/custom-message-limit",
        ),
    )
}
