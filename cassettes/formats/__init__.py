"""One file a format, one row in this table; the first that fits reads the file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cassettes.document import Document
from cassettes.formats import (
    exvcr,
    go_vcr,
    har,
    http_interactions,
    php_vcr,
    pygithub,
    smithy,
    vcrpy,
    wiremock,
)
from interlock.records import Interaction, Source


@dataclass(frozen=True, slots=True)
class Format:
    """How one recorder keeps its traffic.

    `fits`: the full name of the form (`go-vcr-v2`), or None; only the shape is looked at. `records`: the
    interactions as they stand in the file. `interaction`: one of them; raises `Unreadable`.
    """

    fits: Callable[[Document], str | None]
    records: Callable[[Document], list[Any]]
    interaction: Callable[[Any, Source, Document], Interaction]


FORMATS: tuple[Format, ...] = (
    Format(vcrpy.fits, vcrpy.records, vcrpy.interaction),
    Format(go_vcr.fits, go_vcr.records, go_vcr.interaction),
    Format(http_interactions.fits, http_interactions.records, http_interactions.interaction),
    Format(har.fits, har.records, har.interaction),
    Format(smithy.fits, smithy.records, smithy.interaction),
    Format(wiremock.fits, wiremock.records, wiremock.interaction),
    Format(exvcr.fits, exvcr.records, exvcr.interaction),
    Format(php_vcr.fits, php_vcr.records, php_vcr.interaction),
    Format(pygithub.fits, pygithub.records, pygithub.interaction),
)
