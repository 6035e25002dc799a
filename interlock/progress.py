"""A progress bar on standard error, for what lasts: where that is a terminal, and what is printed is for people."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def progress(doing: str, total: int, *, shown: bool) -> Iterator[Callable[[], None]]:
    """Gives what is called after each of `total` steps. `shown`: whether a bar may be; else nothing is printed."""
    if not (shown and sys.stderr.isatty()):
        yield lambda: None
        return
    from rich.console import Console  # noqa: PLC0415 - only for a terminal
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing, total=total)
        yield lambda: bar.advance(task)
