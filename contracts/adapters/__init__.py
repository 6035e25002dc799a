"""The table of contract formats: each is one file and one row; all become the same `Contract`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts import documents
from contracts.adapters import botocore, discovery, named, openapi, swagger
from contracts.adapters.common import Built
from contracts.contract import FILE, Contract
from interlock.errors import UsageError


@dataclass(frozen=True, slots=True)
class Adapter:
    """One format. `recognises`: by the document alone; `build`: everything that it promises."""

    name: str
    recognises: Callable[[Mapping[str, Any]], bool]
    build: Callable[[dict[str, Any]], Built]


ADAPTERS = (
    Adapter("OpenAPI 3", openapi.recognises, openapi.build),
    Adapter("Swagger 2", swagger.recognises, swagger.build),
    Adapter("Google discovery", discovery.recognises, discovery.build),
    Adapter("botocore service model", botocore.recognises, botocore.build),
)


def load(
    path: Path,
    *,
    name: str | None = None,
    source: str | None = None,
    origin: str = FILE,
    partial: bool = False,
) -> Contract:
    """The contract in a file. `source`: what findings call it, if not by its path. Raises `UsageError`."""
    data = documents.read_bytes(path)
    return parse(data, name=name or path.stem, source=source or str(path), origin=origin, partial=partial)


def _built(adapter: Adapter, document: dict[str, Any], source: str) -> Built:
    try:
        return adapter.build(document)
    except UsageError as exc:
        raise UsageError(f"{source}: {exc}", hint=exc.hint) from exc


def parse(data: bytes, *, name: str, source: str, origin: str = FILE, partial: bool = False) -> Contract:
    """The contract in a document. Raises `UsageError` for what is none, or is in no format that is known."""
    document = documents.parse(data, source)
    named.settle(document, data)
    for adapter in ADAPTERS:
        if adapter.recognises(document):
            built = _built(adapter, document, source)
            break
    else:
        known = ", ".join(each.name for each in ADAPTERS)
        raise UsageError(f"{source}: is in no format that is known", hint=f"known are {known}")
    return Contract(
        name=name,
        title=built.title or name,
        version=built.version,
        dialect=built.dialect,
        format=built.format,
        digest=hashlib.sha256(data).hexdigest(),
        source=source,
        document=document,
        operations=built.operations,
        hosts=built.hosts,
        events=built.events,
        schemes=built.schemes,
        origin=origin,
        partial=partial,
        virtual_hosts=built.virtual_hosts,
        telling=built.telling,
        directional=built.directional or b"readOnly" in data or b"writeOnly" in data,
        notes=built.notes,
    )
