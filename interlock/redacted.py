"""Reports without secrets: each text of them is redacted alone, so that no mark swallows what stands beside it."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import click

from interlock.evidence import write_whole
from interlock.output import Report, render
from interlock.redaction import Redactor

_T = TypeVar("_T")
_LOOSE = frozenset({"text", "markdown"})  # for people: what only the whole gives away is hidden there, too


def tell(
    report: Report,
    redactor: Redactor,
    form: str,
    wanted: Iterable[tuple[str, Path]],
    *,
    shown: Report | None = None,
) -> None:
    """Write the reports that are `wanted`, formats and files, and print it in its form; `shown`: less of it."""
    for kind, path in wanted:
        write_whole(path, rendered(report, kind, redactor))
    click.echo(rendered(shown or report, form, redactor, terminal=sys.stdout.isatty()), nl=False)


def rendered(report: Report, kind: str, redactor: Redactor, *, terminal: bool = False) -> str:
    """The report in one of the formats, redacted."""
    text = render(redacted(report, redactor), kind, terminal=terminal)
    return redactor.text(text) if kind in _LOOSE else text


def redacted(node: _T, redactor: Redactor) -> _T:
    """A record, or what records are made of, with every text in it redacted."""
    return _redacted(node, redactor)  # type: ignore[no-any-return]


def _redacted(node: Any, redactor: Redactor) -> Any:
    if isinstance(node, Enum):
        return node
    if isinstance(node, str | Mapping):
        return redactor.value(node)
    if isinstance(node, tuple | list):
        return type(node)(_redacted(each, redactor) for each in node)
    if dataclasses.is_dataclass(node) and not isinstance(node, type):
        return dataclasses.replace(
            node,
            **{
                each.name: _redacted(getattr(node, each.name), redactor)
                for each in dataclasses.fields(node)
                if each.init
            },
        )
    return node
