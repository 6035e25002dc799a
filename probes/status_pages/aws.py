"""AWS Health's public events: a JSON list, in UTF-16. Source: public clients of it; undocumented, attested only."""

from __future__ import annotations

import datetime as dt
from typing import Any

from probes.status_pages.told import Incident, Level, Told, as_json, objects, text

# The numbers that the page shows as information, degradation and disruption.
LEVELS = {"1": Level.DEGRADED, "2": Level.PARTIAL_OUTAGE, "3": Level.MAJOR_OUTAGE}


def read(body: bytes, _: dt.datetime) -> Told:
    """Every event that is listed goes on. Raises `Unreadable`."""
    return Told(None, (), tuple(_incident(each) for each in objects(as_json(body))))


def _incident(told: dict[str, Any]) -> Incident:
    level = LEVELS.get(str(told.get("status", "")), Level.DEGRADED)
    names = (text(told.get("service_name")), text(told.get("service")), text(told.get("region_name")))
    return Incident(text(told.get("summary")), level, tuple(name for name in names if name))
