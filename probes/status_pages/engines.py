"""The table of engines: how each writes its page, and in which order an unknown page is tried."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from probes.status_pages import aws, feeds, google, incident_io, instatus, salesforce, statuspage, stripe
from probes.status_pages.told import Told

Reader = Callable[[bytes, dt.datetime], Told]

ENGINES: dict[str, Reader] = {
    "statuspage": statuspage.read,
    "incident-io": incident_io.read,
    "instatus": instatus.read,
    "google-cloud": google.read,
    "stripe": stripe.read,
    "salesforce": salesforce.read,
    "aws": aws.read,
    "rss": feeds.read,
    "atom": feeds.read,
}

# `auto`: the page's address with each of these, until one can be read. incident.io comes first, because it answers
# on Atlassian's address too, and less fully there.
TRIED: tuple[tuple[str, str], ...] = (
    ("incident-io", "/api/v1/summary"),
    ("statuspage", "/api/v2/summary.json"),
    ("instatus", "/summary.json"),
)
