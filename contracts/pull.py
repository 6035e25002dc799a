"""A provider's own contract, fetched from the address in the catalogue: capped in size, never redirected.

AWS's are taken from the installed botocore, which brings them along.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from urllib.parse import urlsplit

from contracts import adapters, installed
from contracts.contract import PULLED, Contract
from contracts.documents import MAX_BYTES
from contracts.shelf import Known, Shelf
from interlock import catalogue
from interlock.errors import CannotJudge, UsageError
from interlock.http import Draft, call
from interlock.redaction import Redactor
from interlock.wire import Wire, WireError

DEADLINE_SECONDS = 120.0
_OK = 200
_MODEL = re.compile(r"/botocore/data/([a-z0-9-]+)(?:/|$)")
_BLOB = re.compile(r"https://github\.com/([^/]+/[^/]+)/blob/(.+)")


def address(name: str) -> str:
    """Where the provider's own document is. Raises `UsageError` where the catalogue names no single file."""
    pointers = [each for each in catalogue.load(name).contracts if each.format != "none"]
    if not pointers:
        raise UsageError(
            f"{name} publishes no contract that could be fetched",
            hint="give one with --url, or use `interlock verify --contract FILE`",
        )
    if pointers[0].format == "botocore" and (model := _MODEL.search(pointers[0].url)):
        return f"{installed.PREFIX}{model[1]}"
    url = raw(pointers[0].url)
    if url.startswith(("https://github.com/", "https://www.npmjs.com/")):
        raise UsageError(
            f"the contract of {name} is in several files: {pointers[0].url}",
            hint=f"choose one and give its address: interlock contracts pull {name} --url URL",
        )
    return url


def raw(url: str) -> str:
    """The file behind the page that GitHub shows of it."""
    found = _BLOB.fullmatch(url)
    return f"https://raw.githubusercontent.com/{found[1]}/{found[2]}" if found else url


async def fetch(url: str, wire: Wire | None = None) -> bytes:
    """The document at an address. Raises `UsageError` or `CannotJudge`."""
    parts = urlsplit(url)
    if parts.username is not None:
        raise UsageError("an address with a user name or a password in it is not asked")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(f"{url!r} is not an http:// or https:// address")
    wire, shown = wire or Wire(max_body_bytes=MAX_BYTES), Redactor().text(url)
    try:
        answer = await wire.exchange(call(Draft(method="GET", url=url)), deadline_seconds=DEADLINE_SECONDS)
    except (WireError, ValueError) as exc:
        raise CannotJudge(f"{shown}: {exc}") from exc
    if answer.status != _OK:
        raise CannotJudge(f"{shown}: answers {answer.status}", hint="--url names another address")
    if answer.truncated:
        raise UsageError(f"{shown}: is larger than {MAX_BYTES // 1024 // 1024} MiB")
    return answer.body


async def pull(
    name: str, root: Path, *, url: str | None, now: dt.datetime, wire: Wire | None = None
) -> tuple[Known, Contract]:
    """Fetch, read and pin a contract; what is none is not kept. Raises `UsageError` or `CannotJudge`."""
    place = raw(url) if url else address(name)
    if place.startswith(installed.PREFIX):
        data, place = installed.service_model(place.removeprefix(installed.PREFIX))
    else:
        data = await fetch(place, wire)
    shown = Redactor().text(place)  # the lock is committed
    contract = adapters.parse(data, name=name, source=shown, origin=PULLED)
    known = Shelf(root).pin(name, data, url=shown, pulled_at=now.isoformat(timespec="seconds"))
    return known, contract
