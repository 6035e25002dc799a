"""One run of `verify`: its options, and what becomes of each file."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cassettes import read
from contracts.choosing import ByHost, Named, origin_of
from contracts.contract import Contract
from contracts.rules import severities
from contracts.shelf import Own, Shelf, provider_of, read_named
from contracts.verify import Chooser, Verified, verify_all
from contracts.view import Bench, Rulebook
from interlock import catalogue
from interlock.errors import UsageError
from interlock.records import Finding, Location, Severity, plain
from interlock.redaction import Redactor

_SAID = 5  # reasons that are listed for a file


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What `verify` was asked. `root`: the folder of the settings; `now`: the start of the run, ISO."""

    paths: tuple[str, ...]
    root: str
    now: str
    provider: str | None = None
    contracts: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    old_after_days: float = 365.0
    complete: bool = False
    shapes: tuple[str, ...] = ()
    own: Mapping[str, Own] = field(default_factory=dict)

    @property
    def shelf(self) -> Shelf:
        """The contracts of the project."""
        return Shelf(Path(self.root), own=self.own)

    def to_json(self) -> Any:
        """As it travels to the workers."""
        return plain(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Options:
        """The same in a worker."""
        own = {name: Own(**_with_tuples(each)) for name, each in data["own"].items()}
        return cls(**_with_tuples(data) | {"own": own})


def _with_tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has lists in their place."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one file.

    `format`: None where it is no cassette. `interactions`, `known`, `matched`: how many there are, how many are of
    a host whose contract is known, how many are an operation of it. `unjudged`: counts of why, by reason.
    `operations`: how often each was seen, by contract and name. `contracts`: what is to be known of each.
    `hosts`: some of those for which no contract is known. `origins`: where the matched ones were recorded,
    by contract.
    """

    file: str
    format: str | None
    interactions: int = 0
    known: int = 0
    matched: int = 0
    partly: int = 0
    findings: tuple[Finding, ...] = ()
    unjudged: Mapping[str, int] = field(default_factory=dict)
    operations: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    contracts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    origins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def to_json(self) -> Any:
        """JSON-ready."""
        return plain(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Outcome:
        """The same again."""
        found = tuple(_finding(each) for each in data["findings"])
        return cls(
            **_with_tuples(data) | {"findings": found, "origins": _with_tuples(data["origins"])},
        )


def _finding(data: Mapping[str, Any]) -> Finding:
    severity, place = Severity(data["severity"]), Location(**data["location"])
    return Finding(**{**data, "severity": severity, "location": place})


class Runner:
    """Verifies files. Contracts are loaded when the first interaction needs them."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.book = rulebook(options)
        self._choose: Chooser | None = None

    def files(self) -> list[Path]:
        """Every file below the paths, sorted; the order is the same from run to run."""
        found: dict[Path, None] = {}
        for text in self.options.paths:
            path = Path(text)
            found.update(dict.fromkeys(read.walk(path) if path.is_dir() else [path]))
        return list(found)

    def file(self, path: Path) -> Outcome:
        """Read one file and verify what is in it."""
        named = str(path) in self.options.paths
        reading = read.read_file(path, named=named)
        verified = list(verify_all(reading.interactions, self.choose))
        losses = tuple(self._weighed(reading.findings))
        return _outcome(str(path), replace(reading, findings=losses), verified)

    def _weighed(self, found: Iterable[Finding]) -> Iterator[Finding]:
        """What reading told, as severe as the user says; that something could not be read at all stays as it is."""
        for each in found:
            severity = self.book.severities.get(each.rule, each.severity)
            if severity is not None:
                yield replace(each, severity=severity)

    def choose(self, interaction: Any) -> Sequence[Bench]:
        """The contracts for an interaction."""
        if self._choose is None:
            self._choose = chooser(self.options, self.book)
        return self._choose(interaction)


def rulebook(options: Options) -> Rulebook:
    """What holds for the whole run. Raises `UsageError`."""
    days = options.old_after_days
    if not 0 <= days <= dt.timedelta.max.days:  # no number is neither
        raise UsageError(f"--old-after {days}: must be a number of days from 0 to {dt.timedelta.max.days}")
    return Rulebook(
        severities=severities(options.rules),
        now=dt.datetime.fromisoformat(options.now),
        redactor=Redactor(shapes=[re.compile(shape) for shape in options.shapes]),
        old_after=dt.timedelta(days=days),
        complete=options.complete,
        idempotency_header=idempotency_header,
    )


def idempotency_header(contract: Contract) -> str | None:
    """The header that makes a write safe to repeat, as the catalogue has it of a contract's provider."""
    provider = contract.provider or provider_of(contract.name)
    if provider not in catalogue.names():
        return None
    retry = catalogue.load(provider).retry
    return retry.idempotency_header if retry else None


def chooser(options: Options, book: Rulebook) -> Chooser:
    """How contracts are chosen: those that were named, or by host. Raises `UsageError`."""
    shelf = options.shelf
    if options.contracts:
        return Named([Bench(each, book) for each in load_named(options)])
    if options.provider:
        return Named([Bench(shelf.load(each), book) for each in shelf.family(options.provider)])
    if not shelf.known():
        raise UsageError(
            "no contract is known",
            hint="name one with --contract, or fetch one: `interlock contracts pull NAME`",
        )
    return ByHost(shelf, book)


def _outcome(file: str, reading: read.Reading, verified: list[Verified]) -> Outcome:
    operations: dict[str, Counter[str]] = {}
    unjudged: Counter[str] = Counter()
    hosts: dict[str, None] = {}
    origins: dict[str, set[str]] = {}
    for each in verified:
        unjudged.update(each.unjudged)
        if each.contract is not None and each.operation is not None:
            operations.setdefault(each.contract.name, Counter())[each.operation] += 1
            origins.setdefault(each.contract.name, set()).add(origin_of(each.interaction, each.contract))
        elif each.contract is None:
            hosts[_where(each.interaction.url)] = None
    used = {each.contract.name: each.contract for each in verified if each.contract is not None}
    return Outcome(
        file=file,
        format=reading.format,
        interactions=len(verified),
        known=sum(each.contract is not None for each in verified),
        matched=sum(each.operation is not None for each in verified),
        partly=sum(bool(each.unjudged) and each.operation is not None for each in verified),
        findings=(*reading.findings, *(found for each in verified for found in each.findings)),
        unjudged=dict(sorted(unjudged.items())),
        operations={name: dict(sorted(counts.items())) for name, counts in sorted(operations.items())},
        contracts={name: facts(contract) for name, contract in sorted(used.items())},
        hosts=tuple(hosts)[:_SAID],
        origins={name: tuple(sorted(found)) for name, found in sorted(origins.items())},
    )


def _where(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower() or "no host"
    except ValueError:
        return "a URL that cannot be read"


def contracts_of(options: Options, wanted: Collection[str]) -> Iterator[Contract]:
    """The contracts of a run by their names."""
    if options.contracts:
        yield from load_named(options)
        return
    yield from (options.shelf.load(name) for name in sorted(wanted))


def load_named(options: Options) -> Iterator[Contract]:
    """The documents that the user named, and service models by `botocore:NAME`.

    Several of one provider keep the names of their files; of those with one name the later ones have a number, too.
    """
    alone = options.provider if len(options.contracts) == 1 else None
    named: Counter[str] = Counter()
    for path in dict.fromkeys(options.contracts):
        contract = read_named(path, name=alone)
        named[contract.name] += 1
        count = named[contract.name]
        yield contract if count == 1 else replace(contract, name=f"{contract.name}-{count}")


def facts(contract: Contract) -> dict[str, Any]:
    """What a report says of a contract."""
    return {
        "title": contract.title,
        "version": contract.version,
        "format": contract.format,
        "origin": contract.origin,
        "source": contract.source,
        "digest": contract.digest,
        "operations": len(contract.operations),
        "broken_references": len(contract.notes),
    }
