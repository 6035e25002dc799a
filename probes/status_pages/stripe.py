"""Stripe's own page: `https://status.stripe.com/current`. Source: four public clients of it; attested only."""

from __future__ import annotations

import datetime as dt

from probes.status_pages.told import Component, Incident, Level, Told, Unreadable, as_object, text

WORDS = {"up": Level.OPERATIONAL, "degraded": Level.DEGRADED, "down": Level.MAJOR_OUTAGE}


def read(body: bytes, _: dt.datetime) -> Told:
    """Raises `Unreadable` without a known word for the whole."""
    page = as_object(body)
    word = text(page.get("largestatus"))
    if word not in WORDS:
        raise Unreadable("it has no known largestatus")
    statuses = page.get("statuses")
    parts = statuses.items() if isinstance(statuses, dict) else ()
    components = tuple(Component(str(name), WORDS.get(text(each))) for name, each in parts)
    message = text(page.get("message"))
    level = WORDS[word]
    incidents = (Incident(message, level),) if level is not Level.OPERATIONAL and message else ()
    return Told(level, components, incidents)
