"""`interlock webhooks`: why a signature fits or fails, and the inbox that takes deliveries."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from contracts.webhooks import delivery_files
from contracts.webhooks.configure import Receiver, lacking, made, receiver
from contracts.webhooks.explain import Explained, explain
from contracts.webhooks.keys import KeyStore, check, over
from contracts.webhooks.records import Delivery, Ports, Refusal
from contracts.webhooks.schemes import SCHEMES
from interlock import catalogue, options
from interlock import settings as settings_module
from interlock.errors import CannotJudge, UsageError
from interlock.integration import Integration, redactor_for, resolve_all
from interlock.records import plain
from interlock.redaction import Redactor
from interlock.secrets import Secret, SecretRef
from interlock.settings import Settings
from interlock.settings_models import http_url
from interlock.wire import Wire

SCHEMA = "interlock.webhook-check/1"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def group() -> None:
    """Webhooks: why a signature fits or fails, and an inbox that takes deliveries once and keeps them."""


def reference(text: str) -> Secret:
    """A secret by `env:NAME` or `file:PATH`. Raises `UsageError`; the text is not echoed, it may be a secret."""
    try:
        return SecretRef.parse(text).resolve()
    except ValueError as exc:
        raise UsageError(f"--secret {exc}") from exc


@group.command(name="verify", short_help="Why a delivery fits or fails, and the likely mistake.")
@click.argument("name")
@click.option(
    "--secret", "references", multiple=True, metavar="REF",
    help="env:NAME or file:PATH; if not said, what the settings name. Several while one is rolled.",
)  # fmt: skip
@click.option("--url", help="The URL that the provider was given, if not that of the delivery.")
@options.config
@options.form
def verify_command(
    name: str, references: tuple[str, ...], url: str | None, config: Path | None, form: str
) -> int:
    """Say step by step why the delivery on standard input fits or fails, and the likely mistake.

    NAME is an integration of interlock.toml, a provider of the catalogue, or a signature scheme. The delivery is
    {"method", "url", "headers": [[name, value], ...], "body_b64", "received_at"}; without received_at it is judged
    as of now.

    Exit status: 0 it fits; 1 it does not; 3 the key that the provider publishes cannot be fetched; 2 the command, the
    settings or the delivery are wrong.
    """
    settings = settings_module.wanted(config)
    integrations = resolve_all(settings) if settings else ()
    secrets = [reference(text) for text in references]
    chosen = chosen_receiver(name, secrets or None, integrations)
    if url is not None:
        chosen = dataclasses.replace(chosen, keys=dataclasses.replace(chosen.keys, url=url))
    _complete(chosen)
    delivery, received_at = delivery_files.read(sys.stdin.buffer.read(delivery_files.MAX_BYTES))
    now = received_at or dt.datetime.now(dt.UTC)
    redactor = redactor_for(settings, integrations)
    redactor.learn(*secrets)
    told = _explained(chosen, delivery, now, _others(integrations, chosen))
    text = as_json(told) if form == "json" else as_text(told, chosen)
    click.echo(shown(text, redactor), nl=False)
    if told.checked.reason is Refusal.KEY_UNAVAILABLE:
        return CannotJudge.exit_status
    return 0 if told.checked.accepted else 1


def _complete(chosen: Receiver) -> None:
    """Raises `UsageError` where something is not set without which nothing can be checked."""
    missing = lacking(chosen, to_check=True)
    if not missing:
        return
    words = {"secrets": "a secret", "public_keys": "a public key"}
    names = " and ".join(words.get(name, name) for name in missing)
    raise UsageError(
        f"{names} {'is' if len(missing) == 1 else 'are'} needed to check what {chosen.title} sends",
        hint="--secret env:NAME or file:PATH"
        if missing[0] in words
        else f"set {missing[0]} under [integrations.NAME.webhooks], and name that NAME",
    )


def chosen_receiver(
    name: str, secrets: Sequence[Secret] | None, integrations: Sequence[Integration]
) -> Receiver:
    """By the name of an integration, a provider or a scheme; `secrets` None: those that the settings name."""
    own = next((each for each in integrations if each.name == name), None)
    if own is not None:
        return receiver(own, secrets)
    secrets = secrets or ()
    if name in catalogue.names():
        provider = catalogue.load(name)
        if provider.webhooks is None:
            raise UsageError(f"{provider.title} sends no webhooks that are known")
        return made(name, provider, provider.webhooks.scheme, secrets)
    if name in SCHEMES:
        return made(name, None, name, secrets)
    raise UsageError(
        f"no integration, provider or signature scheme is called {name!r}",
        hint=f"the schemes are: {', '.join(sorted(SCHEMES))}; `interlock providers` lists the providers",
    )


def _others(integrations: Sequence[Integration], chosen: Receiver) -> dict[str, Secret]:
    """The secrets of every other receiver that the settings name: one of them may be the right one."""
    found: dict[str, Secret] = {}
    for each in integrations:
        if each.name == chosen.name:
            continue
        try:
            other = receiver(each)
        except UsageError:
            continue
        found |= {f"{each.name} ({secret.name})": secret for secret in other.keys.secrets}
    return found


def _explained(
    chosen: Receiver, delivery: Delivery, now: dt.datetime, others: Mapping[str, Secret]
) -> Explained:
    """With what the check needs fetched from the provider first: certificates and published keys."""
    store = KeyStore(fetch=over(Wire()), now=now.timestamp)
    ports = Ports(now=now.timestamp, held=store.held)

    async def fetched() -> None:
        await check(chosen.scheme, delivery, chosen.keys, ports, store, chosen.policy)

    asyncio.run(fetched())
    return explain(chosen, delivery, ports, others)


def shown(text: str, redactor: Redactor) -> str:
    """Behind the redactor: a header that came may hold a secret."""
    return redactor.text(text)


def as_text(told: Explained, chosen: Receiver) -> str:
    """The steps, the verdict, and the likely mistake with what to do."""
    checked = told.checked
    lines = [f"{name:<15} {words}" for name, words in told.steps()]
    if checked.accepted:
        lines.append(f"{'verdict':<15} it fits: {chosen.title} sent this")
    else:
        because = f": {checked.detail}" if checked.detail else ""
        judged = "cannot be judged" if checked.reason is Refusal.KEY_UNAVAILABLE else "does not fit"
        lines.append(f"{'verdict':<15} it {judged}, {checked.reason}{because}")
    if told.likely:
        lines += [f"{'likely':<15} {told.likely}", f"{'what to do':<15} {told.fix}"]
    return "\n".join([*lines, ""])


def as_json(told: Explained) -> str:
    """The stable JSON form."""
    checked = told.checked
    form: dict[str, Any] = {
        "schema": SCHEMA,
        "accepted": checked.accepted,
        "reason": checked.reason,
        "detail": checked.detail,
        "scheme": checked.scheme,
        "version": checked.version,
        "signed_sha256": checked.signed_digest,
        "signed_bytes": None if checked.signed is None else len(checked.signed),
        "signed_at": checked.signed_at,
        "age_seconds": checked.age_seconds,
        "key_fingerprint": checked.key_fingerprint,
        "came": checked.came,
        "expected": told.expected,
        "event_ids": checked.event_ids,
        "event_types": checked.event_types,
        "dedupe_source": checked.dedupe_source,
        "dedupe_key": checked.dedupe_key,
        "likely_mistake": told.likely,
        "what_to_do": told.fix,
    }
    return json.dumps(plain(form), indent=2) + "\n"


# --- the inbox ---


_CONFIG = click.option(
    "--config", type=click.Path(path_type=Path), help="The settings file (default: found upward from here)."
)


def _settings(config: Path | None) -> Settings:
    settings = settings_module.wanted(config)
    if settings is None:
        raise UsageError(
            "there is no interlock.toml here or above",
            hint='`interlock init` writes one; then add integrations.NAME.webhooks.secrets = ["env:NAME"]',
        )
    return settings


@group.command(short_help="Take webhooks until SIGTERM, each event once, and send them on.")
@click.option("--host", help="Address to listen on (default: that of the settings, else loopback).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes any free one.")
@click.option("--forward", metavar="URL", help="Send what is taken on to this address, where none is set.")
@click.option(
    "--record", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Write each delivery there, without secrets and personal data.",
)  # fmt: skip
@_CONFIG
def listen(
    host: str | None, port: int | None, forward: str | None, record: Path | None, config: Path | None
) -> None:
    """Take webhooks until SIGTERM: verify, take each event once, keep it, answer, and send it on.

    Each integration with a `webhooks` table has the address /hooks/NAME. An answer of 2xx means that the delivery is
    on disk; a delivery is sent on until its target takes it, under one id (header Interlock-Delivery).
    """
    from contracts.webhooks.inbox.service import Wish, receivers_of, serve  # noqa: PLC0415 - slow to import
    from interlock import serving  # noqa: PLC0415 - slow to import

    settings = _settings(config)
    integrations = resolve_all(settings)
    receivers = receivers_of(integrations, _target(forward))
    redactor = redactor_for(settings, integrations)
    serving.set_up_logging(redactor)
    secrets = [secret for each in receivers.values() for secret in each.keys.secrets]
    wish = Wish(host=host, port=port, forward=forward, record=record)

    async def started(url: str) -> None:
        for name, each in receivers.items():
            onward = f", sent on to {each.forward}" if each.forward else ""
            click.echo(f"{name}: {url}{name} ({each.title}, {each.scheme}){onward}", err=True)
        click.echo(url)

    asyncio.run(serve(settings, receivers, secrets, wish, started=started))


def _target(text: str | None) -> str | None:
    try:
        return None if text is None else http_url(text)
    except ValueError as exc:
        raise UsageError(f"--forward {exc}") from exc


@group.command(short_help="Queue dead deliveries again.")
@click.argument("integration", required=False)
@click.option("--id", "only", multiple=True, metavar="ID", help="Only this delivery.")
@_CONFIG
def replay(integration: str | None, only: tuple[str, ...], config: Path | None) -> int:
    """Queue dead deliveries again: all, those of one integration, or those named.

    Exit status: 0 some were queued; 3 there was none.
    """
    from contracts.webhooks.inbox.service import with_keeper  # noqa: PLC0415 - slow to import
    from interlock.store import open_store  # noqa: PLC0415 - slow to import

    settings = _settings(config)
    if integration is not None and integration not in settings.integrations:
        raise UsageError(f"no integration is called {integration!r}")
    with open_store(settings) as store, with_keeper(store, settings) as keeper:
        count = keeper.replay(dt.datetime.now(dt.UTC), integration, only).result()
    click.echo(f"{count} {'delivery' if count == 1 else 'deliveries'} queued again")
    return 0 if count else 3


@group.command(short_help="Delete a person's deliveries.")
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@click.option("--dry-run", is_flag=True, help="Say how many, and delete nothing.")
@_CONFIG
def forget(texts: tuple[str, ...], config: Path | None, *, dry_run: bool) -> int:
    """Delete a person's deliveries: every one whose body, URL or headers hold one of the TEXTs, in any spelling.

    A mail address, a telephone number, a customer's id. With - they are read from standard input, a line each, so that
    they stand in no shell history.

    Exit status: 0 some were deleted (or would be); 3 there was none.
    """
    from contracts.webhooks.inbox.person import holds  # noqa: PLC0415 - slow to import
    from contracts.webhooks.inbox.service import with_keeper  # noqa: PLC0415 - slow to import
    from interlock.store import open_store  # noqa: PLC0415 - slow to import

    wanted = [line.strip() for line in sys.stdin] if texts == ("-",) else list(texts)
    seeks = holds([text for text in wanted if text])
    settings = _settings(config)
    with open_store(settings) as store, with_keeper(store, settings) as keeper:
        gone = (keeper.find(seeks) if dry_run else keeper.forget(seeks)).result()
    word = "delivery" if len(gone) == 1 else "deliveries"
    click.echo(f"{len(gone)} {word} {'would be deleted' if dry_run else 'deleted'}")
    return 0 if gone else 3
