"""incident.io's status pages: `/api/v1/summary`, what their widget reads.

Source: public clients of it, such as PostHog's and Materialize's (the field names agree in all that were read).
"""

from __future__ import annotations

import datetime as dt

from probes.status_pages.told import Incident, Level, Told, as_object, objects, text

IMPACTS = {
    "operational": Level.OPERATIONAL,
    "degraded_performance": Level.DEGRADED,
    "partial_outage": Level.PARTIAL_OUTAGE,
    "full_outage": Level.MAJOR_OUTAGE,
}


def read(body: bytes, _: dt.datetime) -> Told:
    """Only what is wrong is listed: empty lists mean that all is well. Raises `Unreadable`."""
    page = as_object(body)
    ongoing = [
        Incident(
            text(each.get("name")),
            IMPACTS.get(text(each.get("current_worst_impact")), Level.DEGRADED),
            _touches(each),
        )
        for each in objects(page.get("ongoing_incidents"))
        if each.get("status") != "resolved"
    ]
    planned = objects(page.get("in_progress_maintenances", []))
    ongoing += [Incident(text(each.get("name")), Level.MAINTENANCE, _touches(each)) for each in planned]
    overall = max((incident.level for incident in ongoing), default=Level.OPERATIONAL)
    return Told(overall, (), tuple(ongoing))


def _touches(told: dict[str, object]) -> tuple[str, ...]:
    return tuple(text(each.get("name")) for each in objects(told.get("affected_components", [])))
