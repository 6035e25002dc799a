"""Where a request may go: the provider's own hosts, and what stands in for them by the settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from interlock.catalogue import Base
from interlock.integration import Integration

_PORTS = {"http": 80, "https": 443}
_PLACE = re.compile(r"\\\{[a-z][a-z0-9_]*\\\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One request's way. `url`: what the client meant, and what is recorded. The rest: where it is sent.

    `host_header`: what the Host field says; None leaves the client's own, which a signature may cover.
    """

    url: str
    scheme: str
    host: str
    port: int
    target: str
    host_header: str | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """One host of the provider's. `port`: None for any. `instead`: the URL that the settings put in its place."""

    host: re.Pattern[str]
    port: int | None
    instead: str | None = None


class Destinations:
    """The hosts of one integration. `base`: the name of the base URL that the reverse proxy stands before."""

    def __init__(self, integration: Integration, base: str | None = None) -> None:
        own = [_own(each, integration) for each in integration.provider.bases if each.url]
        self._known = [known for known in own if known is not None]
        self._known += [_literal(url) for url in integration.bases.values() if url]
        name = base or next(iter(integration.bases), None)
        self.reverse_url = integration.bases.get(name) if name else None

    def behind(self, target: str) -> Route | None:
        """The way of a request to the reverse proxy; None where the integration's address is not known."""
        if not self.reverse_url:
            return None
        base = urlsplit(self.reverse_url)
        port = base.port or _PORTS[base.scheme]
        path = base.path.rstrip("/") + target
        return Route(
            self.reverse_url + target, base.scheme, base.hostname or "", port, path, host_header=base.netloc
        )

    def through(self, scheme: str, host: str, port: int, target: str) -> Route | None:
        """The way of a request that the client sends to a host; None where that is not the provider's."""
        known = next((each for each in self._known if _is(each, host, port)), None)
        if known is None:
            return None
        shown = f"[{host}]" if ":" in host else host
        url = f"{scheme}://{shown}{'' if _PORTS.get(scheme) == port else f':{port}'}{target}"
        if known.instead is None:
            return Route(url, scheme, host, port, target)
        base = urlsplit(known.instead)
        path = base.path.rstrip("/") + target
        return Route(url, base.scheme, base.hostname or "", base.port or _PORTS[base.scheme], path)


def _is(known: _Known, host: str, port: int) -> bool:
    return known.port in {None, port} and known.host.fullmatch(host.lower()) is not None


def _own(base: Base, integration: Integration) -> _Known | None:
    """A host of the catalogue, or any below it: a bucket, an account. None where a parameter is the whole host."""
    named = urlsplit(base.url).netloc.partition(":")[0].lower()
    if named.rpartition("}")[2].count(".") < 1:
        return None
    pattern = _PLACE.sub(r"[a-z0-9-]+", re.escape(named))
    settings = integration.settings
    instead = settings.base_urls.get(base.name) or settings.base_url
    return _Known(re.compile(rf"(?:[a-z0-9_.-]+\.)?{pattern}"), None if instead else _port(base.url), instead)


def _port(url: str) -> int | None:
    match = re.search(r":(\d+)$", urlsplit(url).netloc)
    return int(match[1]) if match else _PORTS.get(urlsplit(url).scheme)


def _literal(url: str) -> _Known:
    parts = urlsplit(url)
    return _Known(re.compile(re.escape(parts.hostname or "")), parts.port or _PORTS[parts.scheme])
