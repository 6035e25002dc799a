"""Which contract a recorded interaction is held against: the one that was named, or that of its host's provider."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from contracts.adapters import aws_hosts
from contracts.adapters.common import hosts_of
from contracts.contract import FILE, LIBRARY, PULLED, Contract
from contracts.shelf import Shelf, provider_of
from contracts.view import Bench, Rulebook
from interlock import catalogue
from interlock.records import Interaction
from interlock.resolve import is_loopback


class Named:
    """Everything is held against contracts that the user named, whatever its host."""

    def __init__(self, benches: Sequence[Bench]) -> None:
        self._benches = tuple(benches)

    def __call__(self, interaction: Interaction) -> Sequence[Bench]:  # noqa: ARG002 - as `ByHost` is called
        """Those that were named."""
        return self._benches


class ByHost:
    """The provider is found out by the host: the bases of the catalogue, and the servers of its contract."""

    def __init__(self, shelf: Shelf, book: Rulebook) -> None:
        self._shelf = shelf
        self._book = book
        self._known = shelf.known()
        self._patterns: list[tuple[re.Pattern[str], str]] | None = None
        self._benches: dict[str, Bench] = {}
        self._hosts: dict[str, tuple[Bench, ...]] = {}

    def __call__(self, interaction: Interaction) -> Sequence[Bench]:
        """The contract of the provider of this host; nothing where none is known."""
        host = host_of(interaction.url)
        if host not in self._hosts:
            names = dict.fromkeys(name for pattern, name in self._all() if pattern.fullmatch(host))
            names = names or dict.fromkeys(self._serving(host))  # reads every contract: only where it must
            self._hosts[host] = tuple(self._bench(name) for name in names)
        return self._hosts[host]

    def _all(self) -> list[tuple[re.Pattern[str], str]]:
        if self._patterns is None:
            self._patterns = []
            own = [name for name in self._known if self._known[name].origin == FILE]
            wholes = dict.fromkeys([*own, *map(provider_of, self._known)])
            names = (each for whole in wholes for each in self._shelf.family(whole) if each in self._known)
            for name in names:
                self._patterns += [(re.compile(each), name) for each in dict.fromkeys(self._of(name))]
        return self._patterns

    def _serving(self, host: str) -> Iterator[str]:
        """The library's contracts of which an operation is served there, though the catalogue knows no such base."""
        for name in (each for each in self._known if self._known[each].origin == LIBRARY):
            if any(re.fullmatch(pattern, host) for pattern in self._bench(name).contract.hosts):
                yield name

    def _of(self, name: str) -> Sequence[str]:
        """Patterns of the hosts that a contract speaks of. A model of AWS's speaks of its own service alone."""
        if name in self._shelf.own:
            return self._shelf.own[name].hosts or self._bench(name).contract.hosts
        own = aws_hosts.hosts(aws_hosts.ENDPOINTS.get(name, ""))
        if own and self._known[name].origin == PULLED:
            return own
        return (*catalogue_hosts(name), *own) or self._bench(name).contract.hosts

    def _bench(self, name: str) -> Bench:
        if name not in self._benches:
            self._benches[name] = Bench(self._shelf.load(name), self._book)
        return self._benches[name]


def catalogue_hosts(name: str, environment: str | None = None) -> list[str]:
    """Patterns of the hosts of a contract's provider, as the catalogue has them.

    A place in a host stands for one label or more.
    """
    provider = provider_of(name)
    if provider not in catalogue.names():
        return []
    bases = [base for base in catalogue.load(provider).bases if environment in {None, base.environment}]
    return [pattern for base in bases for pattern in hosts_of(base.url)]


def origin_of(interaction: Interaction, contract: Contract) -> str:
    """As the recorder says; else by the host: what was asked of the provider's own host is live or its sandbox.

    Where the contract is an integration's own, what the settings say of it holds for all but a provider's sandbox.
    """
    if interaction.origin:
        return interaction.origin
    host = host_of(interaction.url)
    if not host or is_loopback(host):
        return "stand_in"
    sandboxes = catalogue_hosts(contract.provider or contract.name, "sandbox")
    if any(re.fullmatch(each, host) for each in sandboxes):
        return "sandbox"
    return contract.environment or "live"


def host_of(url: str) -> str:
    """The host of a URL, in lower case; empty where it has none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
