"""Instatus: `/summary.json`.

Source: https://instatus.com/help/api/public-data
"""

from __future__ import annotations

import datetime as dt

from probes.status_pages.told import Incident, Level, Told, Unreadable, as_object, objects, text

PAGES = {"UP": Level.OPERATIONAL, "HASISSUES": Level.DEGRADED, "UNDERMAINTENANCE": Level.MAINTENANCE}
IMPACTS = {
    "OPERATIONAL": Level.OPERATIONAL,
    "UNDERMAINTENANCE": Level.MAINTENANCE,
    "DEGRADEDPERFORMANCE": Level.DEGRADED,
    "MINOROUTAGE": Level.DEGRADED,
    "PARTIALOUTAGE": Level.PARTIAL_OUTAGE,
    "MAJOROUTAGE": Level.MAJOR_OUTAGE,
}


def read(body: bytes, _: dt.datetime) -> Told:
    """Raises `Unreadable` without a known page status."""
    summary = as_object(body)
    page = summary.get("page")
    word = text(page.get("status")) if isinstance(page, dict) else ""
    if word not in PAGES:
        raise Unreadable("it has no known page status")
    ongoing = [
        Incident(text(each.get("name")), IMPACTS.get(text(each.get("impact")), Level.DEGRADED))
        for each in objects(summary.get("activeIncidents", []))
        if each.get("status") != "RESOLVED"
    ]
    planned = objects(summary.get("activeMaintenances", []))
    ongoing += [
        Incident(text(each.get("name")), Level.MAINTENANCE)
        for each in planned
        if each.get("status") == "INPROGRESS"
    ]
    return Told(PAGES[word], (), tuple(ongoing))
