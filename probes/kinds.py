"""The table of probe kinds: a new kind is one file and one row here."""

from __future__ import annotations

from interlock.catalogue import Cost
from interlock.integration import Integration
from interlock.records import ProbeKind
from probes.contract import ContractProbe
from probes.http import HttpProbe
from probes.probe import Planned, Probe, Tools
from probes.status_pages.probe import StatusPageProbe
from probes.tls import TlsProbe
from probes.webhook_endpoint import WebhookEndpointProbe

KINDS: dict[ProbeKind, Probe] = {
    ProbeKind.REACHABILITY: HttpProbe(ProbeKind.REACHABILITY),
    ProbeKind.CREDENTIAL: HttpProbe(ProbeKind.CREDENTIAL),
    ProbeKind.HEADROOM: HttpProbe(ProbeKind.HEADROOM),
    ProbeKind.TLS: TlsProbe(),
    ProbeKind.STATUS_PAGE: StatusPageProbe(),
    ProbeKind.CONTRACT: ContractProbe(),
    ProbeKind.ACCOUNT: HttpProbe(ProbeKind.ACCOUNT),
    ProbeKind.WEBHOOK_ENDPOINT: WebhookEndpointProbe(),
}

# No kind is asked more often than this unless the settings say so: certificates do not change by the minute,
# and what costs a request of the quota is asked less often than what costs nothing.
SLOWEST_NEEDED_SECONDS = {
    ProbeKind.REACHABILITY: 0.0,
    ProbeKind.CREDENTIAL: 300.0,
    ProbeKind.HEADROOM: 300.0,
    ProbeKind.TLS: 3600.0,
    ProbeKind.STATUS_PAGE: 300.0,
    ProbeKind.CONTRACT: 3600.0,
    ProbeKind.ACCOUNT: 3600.0,
    ProbeKind.WEBHOOK_ENDPOINT: 3600.0,
}


def plan(integration: Integration, tools: Tools, only: frozenset[ProbeKind] | None = None) -> list[Planned]:
    """The probes that make sense for an integration, in the order of the table.

    `only` keeps those kinds. What the settings switch off is left out. Without any settings for a credential
    (a public face) what needs one is left out; with settings but no value it stays, and says so.
    """
    found = []
    for kind, probe in KINDS.items():
        cost = probe.cost(integration)
        wanted = (only is None or kind in only) and integration.probe_settings(kind).enabled
        if cost is not None and wanted and (integration.way or not _stranger(integration, kind)):
            found.append(_planned(integration, kind, cost, tools))
    return found


def _stranger(integration: Integration, kind: ProbeKind) -> bool:
    """Whether the question needs a credential and nobody ever named one."""
    ask = integration.ask(kind)
    return ask is not None and ask.credentialed and not integration.settings.credentials


def _planned(integration: Integration, kind: ProbeKind, cost: Cost, tools: Tools) -> Planned:
    settings, own = integration.settings, integration.probe_settings(kind)
    return Planned(
        integration=integration,
        kind=kind,
        every_seconds=own.every or max(settings.every, SLOWEST_NEEDED_SECONDS[kind]),
        timeout_seconds=own.timeout or settings.timeout,
        slow_after_seconds=own.slow_after or settings.slow_after,
        failures_before_down=own.failures_before_down or settings.failures_before_down,
        cost=cost,
        host=KINDS[kind].host(integration),
        credential_fingerprint=tools.fingerprint(integration),
    )
