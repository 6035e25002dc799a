"""An integration: a team's settings joined with what the catalogue knows, ready to be probed."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interlock.catalogue import (
    DERIVED,
    Ask,
    AuthWay,
    Base,
    Credential,
    Example,
    Expectation,
    Provider,
    RateLimits,
    Rule,
    load,
    load_all,
    places,
)
from interlock.errors import InterlockError, UsageError
from interlock.records import Environment, ProbeKind
from interlock.redaction import Redactor
from interlock.secrets import Secret
from interlock.settings import Health, IntegrationSettings, Network, ProbeSettings, Service, Settings
from interlock.settings_checks import candidates

GENERIC = "generic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """One team's use of a provider, resolved.

    `bases`: URL by base name. `way`: the way of signing in that is complete; None if there is none.
    `secrets`: values by credential name. `missing`: why a credential cannot be used, in words.
    `parameters`: what fills the `{places}` of URLs and paths, public credentials included.
    """

    name: str
    provider: Provider
    settings: IntegrationSettings
    environment: Environment
    bases: Mapping[str, str]
    way: str | None
    secrets: Mapping[str, Secret]
    parameters: Mapping[str, str]
    missing: str | None
    network: Network
    folder: Path

    @property
    def auth(self) -> AuthWay | None:
        """The way of signing in, as the catalogue describes it."""
        return self.provider.auth[self.way] if self.way else None

    @property
    def way_meant(self) -> str | None:
        """The complete way of signing in, else the one that the settings name: its questions stay unanswered."""
        return self.way or _meant(self.provider, self.settings.credentials)

    def ask(self, kind: ProbeKind) -> Ask | None:
        """The catalogue's question of this kind that fits what is set; None if the provider has none."""
        return self.provider.ask(kind, self.way_meant, self.parameters)

    def signed_in_for(self, kind: ProbeKind) -> Integration:
        """The same, signing in by the first complete way for which the provider has a question of this kind.

        A webhook's settings may belong to another key than the one that the team's calls use.
        """
        if self.ask(kind) is not None:
            return self
        complete = _complete(self.provider, self.secrets)
        fitting = (way for way in complete if self.provider.ask(kind, way, self.parameters) is not None)
        way = next(fitting, None)
        return self if way is None else dataclasses.replace(self, way=way)

    def moments(self) -> tuple[str, ...]:
        """The values of the credentials that say when the others end."""
        known = self.provider.credentials
        return tuple(s.reveal() for n, s in self.secrets.items() if n in known and known[n].moment)

    def probe_settings(self, kind: ProbeKind) -> ProbeSettings:
        """What the settings say of one probe kind."""
        return self.settings.probes.get(kind) or ProbeSettings()

    def url(self, ask: Ask) -> str | None:
        """Where a probe goes; None if a parameter for it is not set."""
        base = self.bases.get(ask.base)
        if base is None or ask.places - set(self.parameters):
            return None
        return base + ask.path.format_map(self.parameters)

    def body(self, ask: Ask) -> bytes:
        """What a probe sends, its places filled in."""
        return ask.body_with(self.parameters)

    def in_maintenance(self, now: dt.datetime) -> bool:
        """Whether `now` lies in a planned window."""
        return any(window.start <= now < window.end for window in self.settings.maintenance)


def resolve(name: str, settings: IntegrationSettings, *, network: Network, folder: Path) -> Integration:
    """Join settings and catalogue. A secret that cannot be read leaves `missing`; it raises nothing."""
    provider = generic(settings) if settings.provider == GENERIC else load(settings.provider)
    secrets: dict[str, Secret] = {}
    problems = []
    for key, reference in settings.credentials.items():
        try:
            secrets[key] = reference.resolve(base=folder)
        except InterlockError as exc:
            problems.append(exc.message)
    parameters = {k: p.default for k, p in provider.parameters.items() if p.default is not None}
    parameters |= settings.parameters
    parameters |= {
        k: s.reveal()
        for k, s in secrets.items()
        if k in provider.credentials and provider.credentials[k].public
    }
    way = next(_complete(provider, secrets), None)
    parameters |= _derived(provider, way, secrets)
    missing = None if way else "; ".join(problems) or _wanted(provider)
    return Integration(
        name=name,
        provider=provider,
        settings=settings,
        environment=settings.environment,
        bases=_bases(provider, settings, parameters),
        way=way,
        secrets=secrets,
        parameters=parameters,
        missing=missing,
        network=_network(network, settings),
        folder=folder,
    )


def resolve_all(settings: Settings, only: tuple[str, ...] = ()) -> tuple[Integration, ...]:
    """Every integration of the settings, or those named. Raises `UsageError` for an unknown name."""
    if unknown := [name for name in only if name not in settings.integrations]:
        raise UsageError(
            f"no integration is called {unknown[0]!r}",
            hint=f"the settings have: {', '.join(settings.integrations) or 'none'}",
        )
    return tuple(
        resolve(name, each, network=settings.suite, folder=settings.folder)
        for name, each in settings.integrations.items()
        if not only or name in only
    )


def redactor_for(
    settings: Settings | None, integrations: Sequence[Integration], *, every_shape: bool = True
) -> Redactor:
    """The redactor that knows every secret the settings name, and the shapes of every provider's credentials.

    `every_shape` False: only the shapes of the providers that are in use, which is faster to start with.
    """
    known = (
        load_all() if every_shape else {each.provider.name: each.provider for each in integrations}.values()
    )
    shapes = [
        c.redact for provider in known for c in provider.credentials.values() if c.redact and not c.public
    ]
    known_values = known_secrets(settings, integrations)
    return Redactor(known_values, [re.compile(shape) for shape in dict.fromkeys(shapes)])


def known_secrets(settings: Settings | None, integrations: Sequence[Integration]) -> Iterator[Secret]:
    """Every secret that the settings name and that can be resolved here; public credentials are none."""
    for integration in integrations:
        public = {n for n, c in integration.provider.credentials.items() if c.public}
        yield from (secret for name, secret in integration.secrets.items() if name not in public)
    if settings is not None:
        yield from _others(settings)


def _others(settings: Settings) -> Iterator[Secret]:
    """Every other secret that the settings refer to: of the pages, the store and the way out."""
    suite = settings.suite
    networks: list[Network] = [suite, *settings.integrations.values()]
    references = [suite.web.token, suite.web.password, suite.store_password, suite.fingerprint_key]
    references += [network.proxy_password for network in networks]
    references += [n.client_certificate.password for n in networks if n.client_certificate]
    references += [settings.inbox.key]
    references += [job.token for job in settings.heartbeats.values()]
    for webhooks in (each.webhooks for each in settings.integrations.values() if each.webhooks):
        references += [*webhooks.secrets, webhooks.verify_token]
    for reference in references:
        if reference is not None:
            with contextlib.suppress(InterlockError):  # said where it is needed
                yield reference.resolve(base=settings.folder)


def public_face(provider: Provider) -> Integration:
    """A provider as anybody sees it: no credential, no settings."""
    return resolve(
        provider.name, IntegrationSettings(provider=provider.name), network=Network(), folder=Path.cwd()
    )


def _complete(provider: Provider, secrets: Mapping[str, Secret]) -> Iterator[str]:
    """The ways of signing in whose credentials are all there, in the catalogue's order."""
    return (key for key, way in provider.auth.items() if set(way.credentials) <= set(secrets))


def _meant(provider: Provider, named: Collection[str]) -> str | None:
    """The way of signing in that the settings speak of, whether or not its credentials can be read."""
    whole = (
        key for key, way in provider.auth.items() if way.credentials and set(way.credentials) <= set(named)
    )
    part = (key for key, way in provider.auth.items() if set(way.credentials) & set(named))
    return next(whole, None) or next(part, None)


def _derived(provider: Provider, way: str | None, secrets: Mapping[str, Secret]) -> dict[str, str]:
    """What the credential in use says of itself and is no secret: whose key it is, and which."""
    used = provider.auth[way] if way else None
    if used is None or used.scheme not in DERIVED:
        return {}
    try:
        account = json.loads(secrets[used.credentials[0]].reveal())
        found = (account["client_email"], account["private_key_id"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}  # said where it is used to sign
    return {name: str(value) for name, value in zip(DERIVED[used.scheme], found, strict=True)}


def _wanted(provider: Provider) -> str:
    ways = [" and ".join(f"credentials.{name}" for name in way.credentials) for way in provider.auth.values()]
    return (
        f"no credential is set; set {' or '.join(way for way in ways if way)}"
        if any(ways)
        else "none is needed"
    )


def _bases(
    provider: Provider, settings: IntegrationSettings, parameters: Mapping[str, str]
) -> dict[str, str]:
    found: dict[str, str] = {}
    region = settings.provider_region or ""
    for name in dict.fromkeys(base.name for base in provider.bases):
        for base in candidates(provider, name, settings.environment.value, region):
            if name not in found and not places(base.url) - set(parameters):
                found[name] = base.url.format_map(parameters).rstrip("/")
    if settings.base_url is not None:
        found = dict.fromkeys({b.name for b in provider.bases} or {"api"}, settings.base_url)
    return found | dict(settings.base_urls)


def _network(suite: Network, own: Network) -> Network:
    """The integration's own way out where it is set, else the suite's; a password stays with its proxy."""
    fields = {name: getattr(own, name) or getattr(suite, name) for name in Network.model_fields}
    login = own if own.proxy is not None or own.proxy_username is not None else suite
    fields |= {"proxy_username": login.proxy_username, "proxy_password": login.proxy_password}
    return Network.model_construct(**fields)


def generic(settings: IntegrationSettings) -> Provider:
    """The provider that the settings describe themselves."""
    service = settings.service or Service()
    told: dict[str, Any] = {"source": "the settings", "verified": dt.date(1970, 1, 1)}
    needed = {"none": (), "basic": ("username", "password")}.get(service.auth, ("token",))
    way = AuthWay(
        scheme=service.auth, credentials=needed, header=service.header, query=service.query,
        prefix="Bearer " if service.auth == "bearer" else "",
        username="username" if service.auth == "basic" else None,
        password="password" if service.auth == "basic" else None,
        **told,
    )  # fmt: skip
    health = service.health
    probes = [_generic_ask(ProbeKind.REACHABILITY, health, told, credentialed=False)]
    if (identity := service.identity) is not None:
        refusal = Example(status=identity.refused[0])
        ask = _generic_ask(ProbeKind.CREDENTIAL, identity, told, credentialed=True)
        probes.append(ask.model_copy(update={"refusal": refusal}))
    return Provider.model_validate(
        {
            "schema": 1,
            "name": GENERIC,
            "title": service.title,
            "category": "other",
            "documentation": "",
            "summary": "Any other HTTP API, described wholly in the settings.",
            "bases": (Base(url=settings.base_url or "", **told),),
            "credentials": {n: Credential(description=n, example="", **told) for n in needed},
            "auth": {"own": way},
            "probes": tuple(probes),
            "auth_failed": (Rule(status=identity.refused),) if identity else (),
            "rate_limits": RateLimits(dialects=service.rate_limit_headers),
        }
    )


def _generic_ask(kind: ProbeKind, health: Health, told: Mapping[str, Any], *, credentialed: bool) -> Ask:
    expect = Expectation(status=health.status, pattern=health.pattern, json_schema=health.json_schema)
    example = Example(status=health.status[0])
    return Ask(kind=kind, path=health.path, credentialed=credentialed, expect=expect, example=example, **told)
