"""Google Cloud and Firebase: `/incidents.json`.

Source: https://status.cloud.google.com/incidents.schema.json
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from probes.status_pages.told import Incident, Level, Told, as_json, objects, text

LEVELS = {
    "AVAILABLE": Level.OPERATIONAL,
    "SERVICE_INFORMATION": Level.OPERATIONAL,
    "SERVICE_DISRUPTION": Level.PARTIAL_OUTAGE,
    "SERVICE_OUTAGE": Level.MAJOR_OUTAGE,
}


def read(body: bytes, _: dt.datetime) -> Told:
    """A list of incidents, past ones included: one goes on while it has no end. Raises `Unreadable`."""
    ongoing = [_incident(each) for each in objects(as_json(body)) if not each.get("end")]
    return Told(None, (), tuple(incident for incident in ongoing if incident.level is not Level.OPERATIONAL))


def _incident(told: dict[str, Any]) -> Incident:
    newest = told.get("most_recent_update")
    word = text(newest.get("status")) if isinstance(newest, dict) else ""
    level = LEVELS.get(word or text(told.get("status_impact")), Level.DEGRADED)
    products = told.get("affected_products")
    names = (
        [text(each.get("title")) for each in products if isinstance(each, dict)]
        if isinstance(products, list)
        else []
    )
    return Incident(text(told.get("external_desc")), level, (*names, text(told.get("service_name"))))
