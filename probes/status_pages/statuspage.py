"""Atlassian Statuspage, API v2: `/api/v2/summary.json` and `/api/v2/status.json`.

Source: the API page of any Statuspage, for example https://www.githubstatus.com/api
"""

from __future__ import annotations

import datetime as dt

from probes.status_pages.told import Component, Incident, Level, Told, Unreadable, as_object, objects, text

INDICATORS = {
    "none": Level.OPERATIONAL,
    "maintenance": Level.MAINTENANCE,
    "minor": Level.DEGRADED,
    "major": Level.PARTIAL_OUTAGE,
    "critical": Level.MAJOR_OUTAGE,
}
COMPONENTS = {
    "operational": Level.OPERATIONAL,
    "under_maintenance": Level.MAINTENANCE,
    "degraded_performance": Level.DEGRADED,
    "partial_outage": Level.PARTIAL_OUTAGE,
    "major_outage": Level.MAJOR_OUTAGE,
}
OVER = frozenset({"resolved", "postmortem", "completed"})
UNDER_WAY = frozenset({"in_progress", "verifying"})


def read(body: bytes, _: dt.datetime) -> Told:
    """Raises `Unreadable` without a known indicator; `status.json` has neither components nor incidents."""
    page = as_object(body)
    status = page.get("status")
    word = text(status.get("indicator")) if isinstance(status, dict) else ""
    if word not in INDICATORS:
        raise Unreadable("it has no known indicator")
    components = [
        Component(text(each.get("name")), COMPONENTS.get(text(each.get("status"))))
        for each in objects(page.get("components", []))
        if not each.get("group")
    ]
    incidents = [
        _incident(each) for each in objects(page.get("incidents", [])) if text(each.get("status")) not in OVER
    ]
    planned = objects(page.get("scheduled_maintenances", []))
    incidents += [
        _incident(each, Level.MAINTENANCE) for each in planned if text(each.get("status")) in UNDER_WAY
    ]
    return Told(INDICATORS[word], tuple(components), tuple(incidents))


def _incident(told: dict[str, object], level: Level | None = None) -> Incident:
    touches = tuple(text(each.get("name")) for each in objects(told.get("components", [])))
    known = INDICATORS.get(text(told.get("impact")), Level.DEGRADED)
    return Incident(text(told.get("name")), level or known, touches)
