"""Probes that ask over HTTP what the catalogue says: reachability, credential, headroom, account."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from interlock import findings, lifecycle, standing, trees
from interlock.answers import Judgement
from interlock.catalogue import Ask, Cost
from interlock.credentials import aged, ending, missing_scopes, published, read
from interlock.findings import at_least
from interlock.integration import Integration
from interlock.records import CredentialFacts, Environment, Finding, ProbeKind, Reason, Severity, State
from interlock.wire import Answer
from probes.asking import put, unset
from probes.probe import Planned, Seen, Tools, unknown
from probes.weigh import weigh_headroom, weigh_pace

WARN_DAYS = 7.0  # before a credential ends; a finding is made 30 days before


@dataclass(frozen=True, slots=True)
class HttpProbe:
    """One kind of question whose words are in the catalogue."""

    kind: ProbeKind

    def cost(self, integration: Integration) -> Cost | None:
        """As the catalogue says; None if the provider has no such question."""
        ask = integration.ask(self.kind)
        return ask.cost if ask else None

    def host(self, integration: Integration) -> str | None:
        """Of the address that the catalogue and the settings make."""
        ask = integration.ask(self.kind)
        url = integration.url(ask) if ask else None
        return urlsplit(url).hostname if url else None

    async def ask(self, planned: Planned, tools: Tools) -> Seen:
        """Ask, and judge the answer by the truth table."""
        integration = planned.integration
        ask = integration.ask(self.kind)
        assert ask is not None, "only what the catalogue has is planned"
        url = integration.url(ask)
        if url is None:
            return unknown(Reason.NOT_CONFIGURED, f"the address is not known: set {unset(integration, ask)}")
        if ask.credentialed and integration.missing is not None:
            return unknown(Reason.NO_CREDENTIAL, integration.missing)
        signer = tools.signer(integration) if ask.credentialed else None
        answer, judgement = await put(planned, integration, ask, url, tools, signer)
        rooms = tools.trail.follow(integration.provider.name, judgement.headrooms)
        judgement = dataclasses.replace(judgement, headrooms=rooms)
        if self.kind is ProbeKind.HEADROOM:
            judgement = weigh_headroom(judgement, planned)
        elif integration.ask(ProbeKind.HEADROOM) is None:
            judgement = weigh_pace(judgement)
        seen = Seen(judgement=judgement, phases=dict(answer.phases), status_code=answer.status)
        if self.kind is ProbeKind.CREDENTIAL and signer is not None:
            seen = _about_credential(planned, ask, seen, answer, tools)
        if self.kind is ProbeKind.ACCOUNT:
            seen = _about_account(planned, ask, seen, answer, tools)
        return _about_versions(planned, ask, seen, answer, tools)


# --- the credential itself ---


def _about_credential(planned: Planned, ask: Ask, seen: Seen, answer: Answer, tools: Tools) -> Seen:
    """What the answer tells of the credential itself: the wrong mode, missing scopes, an end that is near."""
    integration, now, judgement = planned.integration, tools.clock(), seen.judgement
    facts, found = None, _wrong_mode(integration)
    if judgement.state in {State.OPERATIONAL, State.DEGRADED}:
        facts = _facts(integration, ask, answer)
    end = ending(facts, now, integration.name)
    missing = missing_scopes(facts, integration.settings.required_scopes)
    if judgement.state is State.OPERATIONAL:
        judgement = _weighed(judgement, planned, found, missing, end)
    found += (end,) if end else ()
    return dataclasses.replace(seen, judgement=judgement, findings=found, credential=facts)


def _facts(integration: Integration, ask: Ask, answer: Answer) -> CredentialFacts | None:
    way = integration.auth
    secrets = [integration.secrets[name].reveal() for name in way.credentials] if way else []
    moments, parameters = integration.moments(), integration.parameters
    return read(ask.tells, answer, secrets, moments=moments, parameters=parameters)


def _weighed(
    judgement: Judgement,
    planned: Planned,
    found: tuple[Finding, ...],
    missing: tuple[str, ...],
    end: Finding | None,
) -> Judgement:
    """A credential that is accepted, judged again by what is told of it: the worst first."""
    warn_days = planned.integration.probe_settings(ProbeKind.CREDENTIAL).warn_days or WARN_DAYS
    near = end is not None and (warn_days > WARN_DAYS or end.severity is not Severity.WARNING)
    for problem, reason, words in (
        (bool(found), Reason.WRONG_MODE, found[0].seen if found else ""),
        (bool(missing), Reason.SCOPE, f"it lacks {', '.join(missing)}"),
        (near, Reason.CREDENTIAL_EXPIRES, end.seen if end else ""),
    ):
        if problem:
            return _degraded(judgement, reason, f"{judgement.detail}; but {words}")
    return judgement


def _degraded(judgement: Judgement, reason: Reason, detail: str) -> Judgement:
    return dataclasses.replace(judgement, state=State.DEGRADED, reason=reason, detail=detail)


def _wrong_mode(integration: Integration) -> tuple[Finding, ...]:
    """A live key in the sandbox, or a sandbox key in live; told by the catalogue's patterns, never shown."""
    if integration.environment is Environment.STAND_IN:
        return ()
    live = integration.environment is Environment.LIVE
    for name, secret in sorted(integration.secrets.items()):
        known = integration.provider.credentials.get(name)
        other = (known.sandbox if live else known.live) if known else None
        if other is not None and re.match(other, secret.reveal()):
            mode, world = ("sandbox", "live") if live else ("live", "sandbox")
            said = f"credentials.{name} is a {mode} key in a {world} environment"
            return (_mode_finding(integration, name, said),)
    return ()


def _mode_finding(integration: Integration, name: str, seen: str) -> Finding:
    return findings.make(
        "credential-mode",
        Severity.ERROR,
        f"credentials.{name}",
        integration=integration.name,
        promised=f'environment = "{integration.environment.value}"',
        seen=seen,
        fix="point the reference at a key of the right mode, or change `environment`",
        source=integration.provider.credentials[name].source,
    )


# --- the account ---


def _about_account(planned: Planned, ask: Ask, seen: Seen, answer: Answer, tools: Tools) -> Seen:
    """How the account stands. What the answer does not say is `unknown`, never well."""
    if seen.judgement.state is not State.OPERATIONAL:
        return seen
    integration, own = planned.integration, planned.integration.probe_settings(ProbeKind.ACCOUNT)
    try:
        body = trees.tree(answer)
    except ValueError as exc:
        return _untold(seen, Reason.UNREADABLE, f"the answer cannot be read: {exc}")
    stood = standing.read(
        ask.standing, body, minimum=own.minimum, integration=integration.name, source=ask.source
    )
    facts = _facts(integration, ask, answer)
    told = (
        _unpublished(integration, ask, body),
        aged(facts, tools.clock(), integration.name, own.oldest_days),
        ending(facts, tools.clock(), integration.name),
    )
    found = (*stood.findings, *(each for each in told if each))
    seen = dataclasses.replace(seen, findings=found, credential=facts)
    if bad := [each for each in found if each.rule == standing.RULE or at_least(each, Severity.ERROR)]:
        words = "; ".join(f"{each.subject}: {each.seen}" for each in bad)
        return dataclasses.replace(seen, judgement=_degraded(seen.judgement, Reason.ACCOUNT, words))
    if stood.untold:
        return _untold(seen, Reason.NOT_TOLD, f"the answer does not say: {', '.join(stood.untold)}")
    said = [*stood.said, *(each.seen or "" for each in found)]
    detail = "; ".join(said) or seen.judgement.detail
    return dataclasses.replace(seen, judgement=dataclasses.replace(seen.judgement, detail=detail))


def _untold(seen: Seen, reason: Reason, detail: str) -> Seen:
    judgement = dataclasses.replace(seen.judgement, state=State.UNKNOWN, reason=reason, detail=detail)
    return dataclasses.replace(seen, judgement=judgement)


def _unpublished(integration: Integration, ask: Ask, body: object) -> Finding | None:
    """A key that the provider does not publish among those of its owner is none any more."""
    wanted = ask.tells is not None and ask.tells.certificate_pointer is not None
    if not wanted or published(ask.tells, body, integration.parameters) is not None:
        return None
    return findings.make(
        "credential-unpublished", Severity.CRITICAL, "credentials", integration=integration.name,
        promised="a key that the provider publishes among those of its owner",
        seen="the key is not among them: it was deleted, or is another's",
        fix="issue a new key and put it where the settings refer to", source=ask.source,
    )  # fmt: skip


# --- what ends ---


def _about_versions(planned: Planned, ask: Ask, seen: Seen, answer: Answer, tools: Tools) -> Seen:
    """A pinned version that ends, and what `Deprecation` and `Sunset` announce; both may spoil a good answer."""
    integration, now = planned.integration, tools.clock()
    name = integration.name
    found = lifecycle.version_findings(
        integration.provider, integration.parameters, answer.headers, now, name
    )
    if ask.kind not in {ProbeKind.REACHABILITY, ProbeKind.CREDENTIAL}:
        found = ()  # said once is enough
    found += lifecycle.announced(answer.headers, now, f"{ask.method} {ask.path}", name)
    bad = [each for each in found if at_least(each, Severity.ERROR)]
    judgement = seen.judgement
    if bad and judgement.state is State.OPERATIONAL:
        detail = f"{judgement.detail}; but {bad[0].seen}"
        judgement = _degraded(judgement, Reason.API_VERSION, detail)
    return dataclasses.replace(seen, judgement=judgement, findings=(*seen.findings, *found))
