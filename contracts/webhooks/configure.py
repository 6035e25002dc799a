"""What a receiver of deliveries is configured with: the catalogue's facts, and what the settings say over them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from contracts.webhooks.records import HmacShape, Keys, Policy
from contracts.webhooks.schemes import SCHEMES
from contracts.webhooks.signatures import scheme_named
from interlock.catalogue import Provider, Webhooks
from interlock.errors import UsageError
from interlock.integration import Integration
from interlock.secrets import Secret
from interlock.settings_models import WebhookSettings

PUBLIC_KEY_SCHEMES = frozenset({"sendgrid"})
# What a receiver must be configured with, by the name of its setting; `secrets` for every other scheme.
_NEEDED = {
    "sendgrid": ("public_keys",),
    "paypal": ("webhook_id",),
    "sns": (),  # AWS's certificate is fetched; naming the topics is wise, and not needed
    "salesforce": ("organization_id",),
    "google-pubsub-push": ("audiences", "account"),
    "google-risc": ("audiences",),
    "auth0-id-token": ("audiences", "issuers"),
    "cognito-token": ("audiences", "issuers"),
}
# What only a check needs beside that; whoever signs, as the drill does, can do without.
_TO_CHECK = {"paypal": ("roots",)}
TOKEN_SCHEMES = frozenset(
    {"auth0-id-token", "cognito-token"}
)  # of people who sign in; nobody delivers with them
USUAL_TIMEOUT_SECONDS = 10.0  # where the provider publishes none


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """How the deliveries of one integration are checked and answered.

    `timeout_seconds`: how long the provider waits for the answer. `refuses`: status for what is not let in.
    `forward`: where what is let in goes; None: nowhere. `silent_after_seconds`: None: silence is no finding.
    """

    name: str
    provider: str
    title: str
    scheme: str
    keys: Keys
    policy: Policy
    timeout_seconds: float = USUAL_TIMEOUT_SECONDS
    refuses: int = 401
    forward: str | None = None
    silent_after_seconds: float | None = None


def receiver(integration: Integration, secrets: Sequence[Secret] | None = None) -> Receiver:
    """The receiver that the settings describe. Raises `UsageError`, `SecretError` for what is missing.

    `secrets`: instead of those that the settings name, which are not read then.
    """
    own, known = integration.settings.webhooks or WebhookSettings(), integration.provider.webhooks
    scheme = own.scheme or (known.scheme if known else None)
    if scheme is None:
        raise UsageError(
            f"{integration.name}: {integration.provider.title} delivers no webhooks that are known",
            hint=f"name a signature scheme: integrations.{integration.name}.webhooks.scheme",
        )
    told = _secrets(integration, own, known) if secrets is None else secrets
    base = made(integration.name, integration.provider, scheme, told)
    keys = _keys(base.keys, own, integration.folder)
    if secrets:
        keys = dataclasses.replace(keys, public_keys=base.keys.public_keys)
    return dataclasses.replace(
        base,
        keys=keys,
        policy=_policy(base.policy, own),
        forward=own.forward,
        silent_after_seconds=own.silent_after,
    )


def lacking(found: Receiver, *, to_check: bool = False) -> tuple[str, ...]:
    """The settings without which nothing can be signed, or with `to_check` checked; none if it can work."""
    keys = found.keys
    if found.scheme == "event-grid" and (keys.secrets or keys.issuers):
        return ()  # a key in the address, or tokens of Microsoft's
    needed = ("secrets", "hmac") if found.scheme == "hmac" else _NEEDED.get(found.scheme, ("secrets",))
    needed = (*needed, *(_TO_CHECK.get(found.scheme, ()) if to_check else ()))
    held = {name: getattr(keys, "shape" if name == "hmac" else name) for name in needed}
    return tuple(name for name, value in held.items() if not value)


def made(name: str, provider: Provider | None, scheme: str, secrets: Sequence[Secret]) -> Receiver:
    """A receiver by the catalogue alone; `provider` None for a scheme that stands for itself."""
    known = (
        provider.webhooks if provider and provider.webhooks and provider.webhooks.scheme == scheme else None
    )
    if scheme in PUBLIC_KEY_SCHEMES:
        keys = Keys(public_keys=tuple(secret.reveal() for secret in secrets))
    else:
        keys = Keys(secrets=tuple(secrets))
    policy = scheme_named(scheme).policy
    told: Mapping[str, object] = {}
    if known is not None:
        policy = _placed(policy, known)
        told = {"refuses": known.refuses, "timeout_seconds": known.timeout_seconds or USUAL_TIMEOUT_SECONDS}
    return Receiver(
        name=name,
        provider=provider.name if provider else scheme,
        title=provider.title if provider else scheme,
        scheme=scheme,
        keys=keys,
        policy=policy,
        **told,  # type: ignore[arg-type]
    )


def _placed(policy: Policy, known: Webhooks) -> Policy:
    """With the places of id and type, where the catalogue says them otherwise than the scheme does."""
    row = SCHEMES[known.scheme]
    return dataclasses.replace(
        policy,
        event_id=None if known.event_id == row.event_id else known.event_id,
        event_type=None if known.event_type == row.event_type else known.event_type,
    )


def _secrets(integration: Integration, own: WebhookSettings, known: Webhooks | None) -> list[Secret]:
    if own.secrets:
        return [reference.resolve(base=integration.folder) for reference in own.secrets]
    name = known.credential if known else None
    if name is None or name not in integration.settings.credentials:
        return []
    if name not in integration.secrets:
        integration.settings.credentials[name].resolve(base=integration.folder)  # raises, and says why
    return [integration.secrets[name]]


def _keys(keys: Keys, own: WebhookSettings, folder: Path) -> Keys:
    verify_token = own.verify_token.resolve(base=folder) if own.verify_token else None
    return dataclasses.replace(
        keys,
        public_keys=own.public_keys or keys.public_keys,
        roots=(_text(folder / own.roots),) if own.roots else (),
        webhook_id=own.webhook_id,
        organization_id=own.organization_id,
        account=own.account,
        audiences=own.audiences,
        issuers=own.issuers,
        verify_token=verify_token,
        header=own.header,
        url=own.url,
        shape=HmacShape(**own.hmac.model_dump()) if own.hmac else None,
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as exc:
        raise UsageError(f"{path} cannot be read: {exc.strerror}") from exc


def _policy(policy: Policy, own: WebhookSettings) -> Policy:
    """The scheme's policy, with what the settings say more strictly or less."""
    told: dict[str, object] = {}
    if own.tolerance is not None:
        told["tolerance_seconds"] = own.tolerance
    if own.future is not None:
        told["future_seconds"] = own.future
    if own.versions:
        told["versions"] = frozenset(own.versions)
    if own.topics:
        told["topics"] = frozenset(own.topics)
    return dataclasses.replace(policy, **told)  # type: ignore[arg-type]
