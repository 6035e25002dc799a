"""What a rehearsal refuses to begin: live secrets, a provider's own host, and any host that nobody called their own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from contracts.choosing import catalogue_hosts
from interlock import catalogue
from interlock.errors import UsageError
from interlock.resolve import is_loopback
from interlock.secrets import Secret
from interlock.settings_models import http_url


def address(url: str, *, own_host: bool, sends: str) -> str:
    """The address of what is rehearsed: loopback, or the user's own. `sends`: what goes there. Raises `UsageError`."""
    try:
        url = http_url(url)
        parts = urlsplit(url)
    except ValueError as exc:
        raise UsageError(f"--url {exc}") from exc
    host = (parts.hostname or "").rstrip(".")  # with a dot at its end it is the same host
    if not url.isascii() or parts.username is not None:
        raise UsageError("--url must be ASCII, other characters percent-encoded, and hold no user name")
    if is_loopback(host):
        return url
    for provider in catalogue.names():
        if any(re.fullmatch(pattern, host) for pattern in catalogue_hosts(provider)):
            raise UsageError(f"--url {host} is {provider}'s own host: {sends} never go to a provider")
    if not own_host:
        raise UsageError(
            f"--url {host} is beyond loopback: it would be sent {sends}",
            hint="run it on this machine, or add --i-own-this-host",
        )
    return url


def refuse_live(secrets: Iterable[Secret]) -> None:
    """Raises `UsageError` for a secret that is a live one of any provider."""
    held = list(secrets)
    for provider in catalogue.load_all() if held else ():
        for name, known in provider.credentials.items():
            if known.live is not None and any(re.search(known.live, each.reveal()) for each in held):
                raise UsageError(
                    f"this is a live {name} of {provider.title}: a rehearsal never uses one",
                    hint="give what is under test a secret of its own",
                )
