"""The contracts that we know: our library, what was pulled from the providers and pinned, what the settings name."""

from __future__ import annotations

import codecs
import difflib
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from contracts import adapters, installed
from contracts.adapters.common import hosts_of
from contracts.contract import FILE, LIBRARY, PULLED, Contract
from contracts.documents import read_bytes
from interlock import catalogue
from interlock.called import provider_called
from interlock.errors import UsageError
from interlock.evidence import write_whole

if TYPE_CHECKING:
    from interlock.settings import Settings
    from interlock.settings_models import IntegrationSettings

LIBRARY_FOLDER = Path(__file__).parent / "library"
PULLED_FOLDER = Path(".interlock") / "contracts"
LOCK = "contracts.lock.json"
LOCK_SCHEMA = "interlock.contracts.lock/1"
_ENTRY = ("file", "url", "sha256", "pulled_at")
_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")  # it is a file's name, too


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """The contract that the settings name for an integration.

    `said`: a file, from the folder of the settings, or `botocore:SERVICE`. `environment`: live, sandbox or stand_in.
    `hosts`: patterns of the hosts of the addresses that the settings name for it; `bases`: the paths of these.
    """

    said: str
    provider: str
    environment: str
    hosts: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: IntegrationSettings) -> Own | None:
        """That of an integration; None where its settings name none."""
        if settings.contract is None:
            return None
        urls = [url for url in (settings.base_url, *settings.base_urls.values()) if url is not None]
        hosts = dict.fromkeys(pattern for url in urls for pattern in hosts_of(url))
        bases = dict.fromkeys(path for url in urls if (path := urlsplit(url).path))
        return cls(
            said=str(Path(settings.contract).expanduser()),
            provider=settings.provider,
            environment=settings.environment.value,
            hosts=tuple(hosts),
            bases=tuple(bases),
        )

    def read(self, name: str, root: Path) -> Contract:
        """What it promises at the addresses of the settings, too. Raises `UsageError`."""
        try:
            found = read_named(self.said, root=root, name=name)
        except UsageError as exc:
            raise UsageError(f"integrations.{name}.contract: {exc.message}", hint=exc.hint) from exc
        operations = (
            replace(each, bases=tuple(dict.fromkeys((*each.bases, *self.bases)))) for each in found.operations
        )
        return replace(
            found, provider=self.provider, environment=self.environment, operations=tuple(operations)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One contract on the shelf. `source`: what findings call it; `path`: where it is, if it is a file of ours.

    `pinned`: its line in the lock, None where it was not pulled.
    """

    name: str
    origin: str
    source: str
    path: Path
    pinned: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One document to be kept. `name`: on the shelf; `url`: where it was had, without secrets."""

    name: str
    data: bytes
    url: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is there for a project: `root` is the folder of its settings, `own` what they name by integration.

    What was pulled goes before the library, and what the settings name before both.
    """

    root: Path
    library: Path = field(default=LIBRARY_FOLDER)
    own: Mapping[str, Own] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings | None) -> Shelf:
        """That of a project, by its settings; of the working directory where there are none."""
        if settings is None:
            return cls(Path.cwd())
        named = {name: own for name, each in settings.integrations.items() if (own := Own.of(each))}
        return cls(settings.folder, own=named)

    @property
    def folder(self) -> Path:
        """Where pulled contracts lie."""
        return self.root / PULLED_FOLDER

    def known(self) -> dict[str, Known]:
        """Every contract by the name of its provider or integration, sorted. `UsageError` for a lock that is broken."""
        found = {path.parent.name: path for path in sorted(self.library.glob("*/openapi.yaml"))}
        known = {
            name: Known(name=name, origin=LIBRARY, source=f"contracts/library/{name}/{path.name}", path=path)
            for name, path in found.items()
        }
        known |= {name: self._pulled(name, entry) for name, entry in self.lock().items()}
        for name, own in self.own.items():
            known[name] = Known(name=name, origin=FILE, source=own.said, path=self.root / own.said)
        return dict(sorted(known.items()))

    def _pulled(self, name: str, entry: Mapping[str, Any]) -> Known:
        file = entry["file"]
        return Known(
            name=name, origin=PULLED, source=str(PULLED_FOLDER / file), path=self.folder / file, pinned=entry
        )

    def called(self, name: str, settings: Settings | None) -> str:
        """The name on the shelf: its own, else that of the provider for which an integration of the settings stands."""
        return name if name in self.known() else provider_called(name, settings)

    def family(self, name: str) -> tuple[str, ...]:
        """What a provider's promises are sought in, in turn: the parts of its own that were pulled, then `name`."""
        return (*sorted(each for each in self.lock() if each != name and provider_of(each) == name), name)

    def load(self, name: str) -> Contract:
        """The contract of a provider. Raises `UsageError` where there is none, or it is not the pinned one."""
        known = self.known().get(name)
        if known is None:
            if provider_of(name) not in catalogue.names():
                near = difflib.get_close_matches(name, self.known(), n=1)
                meant = f"; did you mean {near[0]!r}?" if near else ""
                raise UsageError(
                    f"there is no contract of {name!r}{meant}",
                    hint="`interlock contracts` lists those that there are; --contract FILE takes any other",
                )
            raise UsageError(
                f"there is no contract of {name!r}",
                hint=f"`interlock contracts pull {name}` fetches the provider's own; --contract FILE takes any other",
            )
        if known.origin == FILE:
            return self.own[name].read(name, self.root)
        partial = known.origin == LIBRARY or provider_of(name) != name
        data = _pinned_bytes(known) if known.pinned is not None else read_bytes(known.path)
        return adapters.parse(data, name=name, source=known.source, origin=known.origin, partial=partial)

    def of_events(self, provider: str, integration: str | None = None) -> Contract | None:
        """What says what is delivered: the integration's contract where it does, the provider's, our library's.

        Raises `UsageError`.
        """
        if integration in self.own and (own := self.load(str(integration))).events:
            return own
        theirs, library = replace(self, own={}), Shelf(self.library, library=self.library)
        for shelf in (theirs, library):
            if provider in shelf.known() and (found := shelf.load(provider)).events:
                return found
        return None

    def lock(self) -> dict[str, dict[str, Any]]:
        """The lines of the lock by name; empty where nothing was pulled. Raises `UsageError`."""
        path = self.folder / LOCK
        if not path.is_file():
            return {}
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            entries = data["contracts"]
            if data["schema"] != LOCK_SCHEMA or not all(_is_entry(each) for each in entries.values()):
                raise ValueError  # noqa: TRY301 - one answer for every way in which it can be wrong
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
            raise UsageError(f"{path}: is not a lock of contracts", hint="remove it and pull again") from exc
        return dict(entries)

    def pin(self, name: str, data: bytes, *, url: str, pulled_at: str) -> Known:
        """Keep a document and its digest. Raises `UsageError`."""
        return self.pin_all([Fetched(name=name, data=data, url=url)], pulled_at=pulled_at)[0]

    def pin_all(self, documents: Sequence[Fetched], *, pulled_at: str) -> tuple[Known, ...]:
        """Keep documents and their digests, all of them or none. Raises `UsageError`.

        The lock is written last, and once: what breaks off before leaves files that do not fit it, and `load` says so.
        """
        new = {each.name: _entry(each, pulled_at) for each in documents}
        before = self.lock()
        entries = dict(sorted({**before, **new}.items()))
        for each in documents:
            write_whole(self.folder / new[each.name]["file"], each.data)
        write_whole(
            self.folder / LOCK, json.dumps({"schema": LOCK_SCHEMA, "contracts": entries}, indent=2) + "\n"
        )
        kept = {entry["file"] for entry in entries.values()}
        for name in new.keys() & before.keys():
            if before[name]["file"] not in kept:  # it was JSON, and is YAML now, or the other way round
                (self.folder / before[name]["file"]).unlink(missing_ok=True)
        return tuple(self._pulled(name, entry) for name, entry in new.items())


def read_named(said: str, *, root: Path | None = None, name: str | None = None) -> Contract:
    """A document that the user named, or a service model by `botocore:SERVICE`. Raises `UsageError`.

    `root`: where relative paths begin, if not in the working directory. `name`: if it is not called as the file is.
    """
    if said.startswith(installed.PREFIX):
        service = said.removeprefix(installed.PREFIX)
        data, source = installed.service_model(service)
        return adapters.parse(data, name=name or service, source=source)
    return adapters.load((root or Path()) / said, name=name, source=said)


def _pinned_bytes(known: Known) -> bytes:
    """What was pulled, and nothing else. Raises `UsageError` for a file that is gone or was changed."""
    assert known.pinned is not None
    where = "" if provider_of(known.name) in catalogue.names() else f" --url {known.pinned['url']}"
    anew = f"`interlock contracts pull {known.name}{where}` fetches it anew"
    if not known.path.is_file():
        raise UsageError(f"{known.path}: is in {LOCK}, and is not there", hint=anew)
    data = read_bytes(known.path)
    if hashlib.sha256(data).hexdigest() != known.pinned["sha256"]:
        raise UsageError(
            f"{known.path}: is not what was pulled: its digest differs from the one in {LOCK}", hint=anew
        )
    return data


def provider_of(name: str) -> str:
    """The provider that a contract is of: `paypal` for `paypal`, and for a part of its own, `paypal.payments`."""
    stem = name.partition(".")[0]
    return stem if stem in catalogue.names() else name


def _entry(document: Fetched, pulled_at: str) -> dict[str, Any]:
    """The line of the lock. Raises `UsageError` for what cannot be kept."""
    if not _NAME.fullmatch(document.name) or document.name == LOCK.removesuffix(".json"):
        raise UsageError(
            f"{document.name!r} is no name for a contract",
            hint="a name has a-z, A-Z, 0-9, _ and - in it, and dots between; the lock has its own",
        )
    try:
        document.data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise UsageError(f"{document.url}: is not UTF-8 text") from exc
    suffix = ".json" if document.data.removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"{" else ".yaml"
    return {
        "file": f"{document.name}{suffix}",
        "url": document.url,
        "sha256": hashlib.sha256(document.data).hexdigest(),
        "bytes": len(document.data),
        "pulled_at": pulled_at,
    }


def _is_entry(entry: Any) -> bool:
    if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in _ENTRY):
        return False
    return not any(sign in entry["file"] for sign in "/\\\0")
