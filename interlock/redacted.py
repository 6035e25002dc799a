"""Reports without secrets: each text of them is redacted alone, so that no mark swallows what stands beside it."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import click

from interlock.evidence import write_whole
from interlock.output import Report, render
from interlock.redaction import Redactor

_T = TypeVar("_T")
_OBEYED = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}
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
    told = redacted(report, redactor)
    if kind not in _LOOSE:
        return render(told, kind)
    return redactor.text(render(visible(told), kind, terminal=terminal))


def redacted(node: _T, redactor: Redactor) -> _T:
    """A record, or what records are made of, with every text in it redacted."""
    return _changed(node, redactor.value)  # type: ignore[no-any-return]


def visible(node: _T) -> _T:
    """The same record with what a terminal would obey, of an answer or a recording, as its escape."""
    return _changed(node, _escaped)  # type: ignore[no-any-return]


def _escaped(value: Any) -> Any:
    return value.translate(_OBEYED) if isinstance(value, str) else value


def _changed(node: Any, change: Callable[[Any], Any]) -> Any:
    """With `change` made to every text and every mapping in it."""
    if isinstance(node, Enum):
        return node
    if isinstance(node, str | Mapping):
        return change(node)
    if isinstance(node, tuple | list):
        return type(node)(_changed(each, change) for each in node)
    if dataclasses.is_dataclass(node) and not isinstance(node, type):
        return dataclasses.replace(
            node,
            **{
                each.name: _changed(getattr(node, each.name), change)
                for each in dataclasses.fields(node)
                if each.init
            },
        )
    return node
