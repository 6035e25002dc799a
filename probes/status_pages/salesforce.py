"""Salesforce's own: `https://api.status.salesforce.com/v1/instances/KEY/status`, one instance.

Source: several public clients of it, which agree on its words; attested only.
"""

from __future__ import annotations

import datetime as dt

from probes.status_pages.told import Incident, Level, Told, Unreadable, as_object, text

WORDS = {
    "OK": Level.OPERATIONAL,
    "INFORMATIONAL_NONCORE": Level.OPERATIONAL,
    "INFORMATIONAL_CORE": Level.OPERATIONAL,
    "MAINTENANCE_NONCORE": Level.MAINTENANCE,
    "MAINTENANCE_CORE": Level.MAINTENANCE,
    "MINOR_INCIDENT_NONCORE": Level.DEGRADED,
    "MINOR_INCIDENT_CORE": Level.DEGRADED,
    "MAJOR_INCIDENT_NONCORE": Level.PARTIAL_OUTAGE,
    "MAJOR_INCIDENT_CORE": Level.MAJOR_OUTAGE,
}


def read(body: bytes, _: dt.datetime) -> Told:
    """Raises `Unreadable` without a known word for the instance."""
    page = as_object(body)
    word = text(page.get("status"))
    if word not in WORDS:
        raise Unreadable("it has no known status")
    level = WORDS[word]
    key = text(page.get("key")) or "the instance"
    incidents = () if level is Level.OPERATIONAL else (Incident(f"{key} is in {word}", level),)
    return Told(level, (), incidents)
