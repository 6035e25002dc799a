"""The webhook-endpoint probe: is our address still registered, switched on, and sent what we want?"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from urllib.parse import urlsplit

from interlock import endpoints, trees
from interlock.answers import Judgement
from interlock.catalogue import Ask, Cost, Endpoints
from interlock.endpoints import Registered, Unreadable, Wanted
from interlock.integration import Integration
from interlock.records import Finding, ProbeKind, Reason, State
from interlock.wire import Answer
from probes.asking import put, unset
from probes.probe import Planned, Seen, Tools, unknown

KIND = ProbeKind.WEBHOOK_ENDPOINT


@dataclass(frozen=True, slots=True)
class WebhookEndpointProbe:
    """Asked only where the settings say which address should be there (`webhooks.url`)."""

    def cost(self, integration: Integration) -> Cost | None:
        """One request for each part of the provider's answer; None where there is nothing to compare with."""
        if _address(integration) is None:
            return None
        fitting = _questions(integration.signed_in_for(KIND))
        if not fitting:
            return None
        return fitting[0].cost.model_copy(update={"requests": sum(ask.cost.requests for ask in fitting)})

    def host(self, integration: Integration) -> str | None:
        """Of the address that the catalogue and the settings make."""
        integration = integration.signed_in_for(KIND)
        urls = [integration.url(ask) for ask in _questions(integration)]
        return next((urlsplit(url).hostname for url in urls if url), None)

    async def ask(self, planned: Planned, tools: Tools) -> Seen:
        """Ask for what is registered; any part that gets no good answer decides."""
        integration = planned.integration.signed_in_for(KIND)
        questions = _questions(integration)
        if integration.missing is not None:
            return unknown(Reason.NO_CREDENTIAL, integration.missing)
        addressed = [(ask, url) for ask in questions if (url := integration.url(ask))]
        if not addressed:
            said = " or ".join(dict.fromkeys(unset(integration, ask) for ask in questions))
            return unknown(Reason.NOT_CONFIGURED, f"the address is not known: set {said}")
        registered, seen = Registered(), unknown(Reason.NOT_TOLD, "nothing was asked")
        for ask, url in addressed:
            answer, judgement = await put(planned, integration, ask, url, tools, tools.signer(integration))
            seen = _seen(judgement, answer, seen)
            if judgement.state is not State.OPERATIONAL:
                return seen
            try:
                registered += endpoints.read(_form(ask), trees.tree(answer))
            except ValueError as exc:
                words = str(exc) if isinstance(exc, Unreadable) else "it is neither JSON nor XML"
                return dataclasses.replace(
                    seen,
                    judgement=_unknown(judgement, Reason.UNREADABLE, f"the answer cannot be read: {words}"),
                )
        found = endpoints.judge(registered, _wanted(integration, questions[0]), tools.clock())
        judgement = _weighed(seen.judgement, found)
        return dataclasses.replace(seen, judgement=judgement, findings=found or ())


def _address(integration: Integration) -> str | None:
    webhooks = integration.settings.webhooks
    return webhooks.url if webhooks else None


def _questions(integration: Integration) -> list[Ask]:
    """Every question of this kind that fits the way of signing in; those that can be asked, if any can."""
    asks = [
        a
        for a in integration.provider.probes
        if a.kind is KIND and (not a.auth or integration.way_meant in a.auth)
    ]
    ready = [ask for ask in asks if ask.places <= set(integration.parameters)]
    return ready or asks


def _form(ask: Ask) -> Endpoints:
    assert ask.endpoints is not None, "the catalogue holds that for every question of this kind"
    return ask.endpoints


def _wanted(integration: Integration, ask: Ask) -> Wanted:
    settings, versions = integration.settings.webhooks, integration.provider.versions
    assert settings is not None, "it is not planned without"
    assert settings.url is not None, "nor without an address"
    return Wanted(
        integration=integration.name,
        url=settings.url,
        events=settings.events,
        version=integration.parameters.get(versions.parameter) if versions else None,
        source=ask.source,
    )


def _seen(judgement: Judgement, answer: Answer, before: Seen) -> Seen:
    """The phases of several requests add up: that is how long the probe took."""
    phases = {
        name: before.phases.get(name, 0.0) + answer.phases.get(name, 0.0)
        for name in {**before.phases, **answer.phases}
    }
    return Seen(judgement=judgement, phases=phases, status_code=answer.status)


def _weighed(judgement: Judgement, found: tuple[Finding, ...] | None) -> Judgement:
    if found is None:
        words = "our address is not on the first page of a list that is longer"
        return _unknown(judgement, Reason.NOT_TOLD, words)
    if not found:
        return dataclasses.replace(judgement, detail="our address is registered and switched on")
    words = "; ".join(each.seen or each.rule for each in found)
    return dataclasses.replace(judgement, state=State.DEGRADED, reason=Reason.WEBHOOK_ENDPOINT, detail=words)


def _unknown(judgement: Judgement, reason: Reason, detail: str) -> Judgement:
    return dataclasses.replace(judgement, state=State.UNKNOWN, reason=reason, detail=detail)
