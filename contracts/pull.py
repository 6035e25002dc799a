"""A provider's own contracts, fetched from the addresses in the catalogue: capped in size, never redirected.

AWS's are taken from the installed botocore, which brings them along.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from contracts import adapters, installed
from contracts.contract import PULLED, Contract
from contracts.documents import MAX_BYTES
from contracts.shelf import Fetched, Known, Shelf
from interlock import catalogue
from interlock.catalogue import ContractPointer
from interlock.errors import CannotJudge, InterlockError, UsageError
from interlock.http import Draft, call
from interlock.redaction import Redactor
from interlock.wire import Wire, WireError

DEADLINE_SECONDS = 120.0
_OK = 200
_MODEL = re.compile(r"/botocore/data/([a-z0-9-]+)(?:/|$)")
_BLOB = re.compile(r"https://github\.com/([^/]+/[^/]+)/blob/(.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document of a provider. `name`: as it is kept on the shelf; `place`: its address, or `botocore:NAME`."""

    name: str
    place: str


def documents(name: str) -> tuple[Document, ...]:
    """Where the documents of a provider are, or that of `provider.name`. Raises `UsageError` where none is told."""
    provider, dot, part = name.partition(".")
    if dot and not part:
        raise UsageError(
            f"{name!r} names no document", hint=f"`interlock contracts pull {provider}` fetches all"
        )
    pointers = [each for each in catalogue.load(provider).contracts if each.format != "none"]
    if not pointers:
        raise UsageError(
            f"{name} publishes no contract that could be fetched",
            hint="give one with --url, or use `interlock verify --contract FILE`",
        )
    several = {each.name: each for each in pointers if each.name is not None}
    if not part:
        return tuple(_document(provider, each) for each in several.values() or pointers[:1])
    if part not in several:
        known = ", ".join(f"{provider}.{each}" for each in several)
        raise UsageError(
            f"{provider} has no document called {part!r}",
            hint=f"there are {known}" if known else "there is one, which has no name of its own",
        )
    return (_document(provider, several[part]),)


def _document(provider: str, pointer: ContractPointer) -> Document:
    name = provider if pointer.name is None else f"{provider}.{pointer.name}"
    if pointer.format == "botocore" and (model := _MODEL.search(pointer.url)):
        return Document(name=name, place=f"{installed.PREFIX}{model[1]}")
    url = raw(pointer.url)
    if url.startswith(("https://github.com/", "https://www.npmjs.com/")):
        raise UsageError(
            f"the contract of {provider} is in several files: {pointer.url}",
            hint=f"choose one and give its address: interlock contracts pull {provider} --url URL",
        )
    return Document(name=name, place=url)


def raw(url: str) -> str:
    """The file behind the page that GitHub shows of it."""
    found = _BLOB.fullmatch(url)
    return f"https://raw.githubusercontent.com/{found[1]}/{found[2]}" if found else url


async def fetch(url: str, wire: Wire | None = None) -> bytes:
    """The document at an address. Raises `UsageError` or `CannotJudge`."""
    shown = Redactor().text(url)
    if not _is_address(url):
        raise UsageError(f"{shown!r} is not an http:// or https:// address")
    wire = wire or Wire(max_body_bytes=MAX_BYTES)
    try:
        answer = await wire.exchange(call(Draft(method="GET", url=url)), deadline_seconds=DEADLINE_SECONDS)
    except (WireError, ValueError) as exc:
        raise CannotJudge(f"{shown}: {exc}") from exc
    if answer.status != _OK:
        raise CannotJudge(f"{shown}: answers {answer.status}", hint="--url names another address")
    if answer.truncated:
        raise UsageError(f"{shown}: is larger than {MAX_BYTES // 1024 // 1024} MiB")
    return answer.body


def _is_address(url: str) -> bool:
    """Whether it can be asked at all. Raises `UsageError` for one with a credential in it."""
    try:
        parts = urlsplit(url)
        if parts.username is not None:
            raise UsageError("an address with a user name or a password in it is not asked")
        port = parts.port  # reading it is what refuses one that there cannot be
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0


async def pull(
    asked: Sequence[Document], root: Path, *, now: dt.datetime, wire: Wire | None = None
) -> tuple[tuple[Known, Contract], ...]:
    """Fetch, read and pin contracts, all of them or none: what is none is not kept, and what was pinned stays so.

    Raises `UsageError` or `CannotJudge`; of several documents each that failed is named.
    """
    got = await asyncio.gather(*(_got(each, wire) for each in asked))
    failed = [each for each in got if isinstance(each, InterlockError)]
    if failed and len(asked) == 1:
        raise failed[0]
    if failed:
        raise _none_of(asked, got, failed)
    read = [each for each in got if not isinstance(each, InterlockError)]
    known = Shelf(root).pin_all([each for each, _ in read], pulled_at=now.isoformat(timespec="seconds"))
    return tuple(zip(known, (contract for _, contract in read), strict=True))


async def _got(document: Document, wire: Wire | None) -> tuple[Fetched, Contract] | InterlockError:
    """A document and what it promises, or why it could not be had."""
    place = document.place
    try:
        if place.startswith(installed.PREFIX):
            data, place = installed.service_model(place.removeprefix(installed.PREFIX))
        else:
            data = await fetch(place, wire)
        shown = Redactor().text(place)  # the lock is committed
        contract = adapters.parse(data, name=document.name, source=shown, origin=PULLED)
        _promises_something(contract)
    except (UsageError, CannotJudge) as exc:
        return exc
    return Fetched(name=document.name, data=data, url=shown), contract


def _promises_something(contract: Contract) -> None:
    """Raises `UsageError` for a document that would take the place of a contract, and has nothing in it."""
    if not contract.operations and not contract.events:
        raise UsageError(
            f"{contract.source}: has no operation and no event, so it promises nothing",
            hint="a document that refers to others for its paths is not read with them",
        )


def _none_of(
    asked: Sequence[Document], got: Sequence[object], failed: Sequence[InterlockError]
) -> InterlockError:
    """One error for several documents: what could not be asked weighs less than what is wrong."""
    lines = [
        f"{document.name}: {each.message}"
        for document, each in zip(asked, got, strict=True)
        if isinstance(each, InterlockError)
    ]
    alone = next((each.name for each, one in zip(asked, got, strict=True) if one not in failed), None)
    kind = UsageError if any(isinstance(each, UsageError) for each in failed) else CannotJudge
    return kind(
        "\n".join([*lines, f"{len(failed)} of {len(asked)} documents failed, and none was pinned"]),
        hint=f"each is fetched alone by its name: interlock contracts pull {alone}" if alone else None,
    )
