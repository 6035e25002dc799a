"""The port of the web face: what the pages, the API and the metrics need to know."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from interlock.integration import Integration
from interlock.records import Environment, ProbeKind
from interlock.redaction import Redactor
from interlock.secrets import Secret
from interlock.store import Store


def utc_now() -> dt.datetime:
    """The wall clock."""
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An integration as the settings name it: shown before it has any outcome.

    `title`: the provider's. `documentation`: an https address or "". `every_seconds`: planned probes and how
    many seconds lie between two runs of each; empty: whatever the store holds is shown.
    """

    name: str
    provider: str
    title: str
    environment: Environment
    owner: str | None = None
    documentation: str = ""
    every_seconds: Mapping[ProbeKind, float] = field(default_factory=dict)


def listed(integration: Integration, every_seconds: Mapping[ProbeKind, float] | None = None) -> Listed:
    """What the pages show of a resolved integration. `every_seconds` as in `Listed`."""
    return Listed(
        name=integration.name,
        provider=integration.provider.name,
        title=integration.provider.title,
        environment=integration.environment,
        owner=integration.settings.owner,
        documentation=integration.provider.documentation,
        every_seconds=dict(every_seconds or {}),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiving:
    """An integration that receives webhooks. `silent_after_seconds`: None where silence is no finding."""

    name: str
    title: str
    silent_after_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """Who may read. `token`: as bearer, or as the password of basic (a browser cannot send a bearer token).

    `username` and `password` go together. With none of them everybody who reaches the address may read.
    """

    token: Secret | None = None
    username: str | None = None
    password: Secret | None = None

    @property
    def wanted(self) -> bool:
        """Whether anything is asked for."""
        return self.token is not None or self.password is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """Everything that the web face stands on.

    `allowed_hosts`: names that a `Host` header may carry, besides loopback names and plain addresses;
    `*.example.org` takes every name below, `*` takes all. `region`: whose scheduler `/healthz` looks at;
    None: the one seen last.
    """

    store: Store
    integrations: tuple[Listed, ...] = ()
    receiving: tuple[Receiving, ...] = ()
    redactor: Redactor = field(default_factory=Redactor)
    clock: Callable[[], dt.datetime] = utc_now
    auth: Auth = Auth()
    allowed_hosts: tuple[str, ...] = ()
    region: str | None = None
