"""Probes that ask over HTTP what the catalogue says: reachability, credential, headroom."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from interlock.answers import Case, Judgement, judge
from interlock.auth import Signer, TokenRefused
from interlock.catalogue import Ask, Cost
from interlock.credentials import ending, missing_scopes, read
from interlock.http import Draft
from interlock.integration import Integration
from interlock.records import Environment, Finding, ProbeKind, Reason, Severity, State
from interlock.wire import Answer
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
            return unknown(Reason.NOT_CONFIGURED, f"the address is not known: set {_unset(integration, ask)}")
        draft = _draft(integration, ask, url)
        if not ask.credentialed:
            return await self._asked(planned, ask, draft, None, tools)
        if integration.missing is not None:
            return unknown(Reason.NO_CREDENTIAL, integration.missing)
        signer = tools.signer(integration)
        seen = await self._asked(planned, ask, draft, signer, tools)
        if seen.judgement.state is State.AUTH_FAILED and signer is not None and signer.forget():
            seen = await self._asked(planned, ask, draft, signer, tools)  # it was the cached token, perhaps
        return seen

    async def _asked(
        self, planned: Planned, ask: Ask, draft: Draft, signer: Signer | None, tools: Tools
    ) -> Seen:
        integration = planned.integration
        try:
            signed = await signer.sign(draft) if signer else draft
            answer = await tools.client.ask(
                signed,
                network=integration.network,
                folder=integration.folder,
                deadline_seconds=planned.timeout_seconds,
            )
        except TokenRefused as exc:
            answer = exc.answer
        case = Case(
            provider=integration.provider,
            ask=ask,
            answer=answer,
            now=tools.clock(),
            credentialed=signer is not None,
            fingerprint=planned.credential_fingerprint if signer is not None else None,
            slow_after_seconds=planned.slow_after_seconds,
        )
        judgement = judge(case)
        rooms = tools.trail.follow(integration.provider.name, judgement.headrooms)
        judgement = dataclasses.replace(judgement, headrooms=rooms)
        if self.kind is ProbeKind.HEADROOM:
            judgement = weigh_headroom(judgement, planned)
        elif integration.ask(ProbeKind.HEADROOM) is None:
            judgement = weigh_pace(judgement)
        if self.kind is not ProbeKind.CREDENTIAL or signer is None:
            return Seen(judgement=judgement, phases=dict(answer.phases), status_code=answer.status)
        return _about_credential(planned, ask, judgement, answer, tools)


def _draft(integration: Integration, ask: Ask, url: str) -> Draft:
    headers = tuple(ask.headers.items())
    return Draft(method=ask.method, url=url, headers=headers, body=integration.body(ask), service=ask.service)


def _about_credential(planned: Planned, ask: Ask, judgement: Judgement, answer: Answer, tools: Tools) -> Seen:
    """What the answer tells of the credential itself: the wrong mode, missing scopes, an end that is near."""
    integration, now = planned.integration, tools.clock()
    facts, findings = None, _wrong_mode(integration)
    if judgement.state in {State.OPERATIONAL, State.DEGRADED}:
        way = integration.auth
        secrets = [integration.secrets[name].reveal() for name in way.credentials] if way else []
        facts = read(ask.tells, answer, secrets)
    end = ending(facts, now, integration.name)
    missing = missing_scopes(facts, integration.settings.required_scopes)
    if judgement.state is State.OPERATIONAL:
        judgement = _weighed(judgement, planned, findings, missing, end)
    findings += (end,) if end else ()
    return Seen(
        judgement=judgement,
        phases=dict(answer.phases),
        status_code=answer.status,
        findings=findings,
        credential=facts,
    )


def _weighed(
    judgement: Judgement,
    planned: Planned,
    findings: tuple[Finding, ...],
    missing: tuple[str, ...],
    end: Finding | None,
) -> Judgement:
    """A credential that is accepted, judged again by what is told of it: the worst first."""
    warn_days = planned.integration.probe_settings(ProbeKind.CREDENTIAL).warn_days or WARN_DAYS
    near = end is not None and (warn_days > WARN_DAYS or end.severity is not Severity.WARNING)
    for problem, reason, words in (
        (bool(findings), Reason.WRONG_MODE, findings[0].seen if findings else ""),
        (bool(missing), Reason.SCOPE, f"it lacks {', '.join(missing)}"),
        (near, Reason.CREDENTIAL_EXPIRES, end.seen if end else ""),
    ):
        if problem:
            detail = f"{judgement.detail}; but {words}"
            return dataclasses.replace(judgement, state=State.DEGRADED, reason=reason, detail=detail)
    return judgement


def _unset(integration: Integration, ask: Ask) -> str:
    from interlock.catalogue import places  # noqa: PLC0415 - only for a message

    wanted = ask.places
    for base in integration.provider.bases:
        if base.name == ask.base:
            wanted |= places(base.url)
    names = sorted(wanted - set(integration.parameters)) or ["base_url"]
    given = integration.provider.credentials
    return ", ".join(
        f"credentials.{n}" if n in given else n if n == "base_url" else f"parameters.{n}" for n in names
    )


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
            return (
                _mode_finding(
                    integration, name, f"credentials.{name} is a {mode} key in a {world} environment"
                ),
            )
    return ()


def _mode_finding(integration: Integration, name: str, seen: str) -> Finding:
    rule = "credential-mode"
    mark = hashlib.sha256(f"{rule} {integration.name} {name}".encode()).hexdigest()[:16]
    return Finding(
        fingerprint=mark,
        rule=rule,
        severity=Severity.ERROR,
        integration=integration.name,
        subject=f"credentials.{name}",
        promised=f'environment = "{integration.environment.value}"',
        seen=seen,
        fix="point the reference at a key of the right mode, or change `environment`",
        source=integration.provider.credentials[name].source,
    )
