"""The options that commands share, said once: a decorator each."""

from __future__ import annotations

from pathlib import Path

import click

from interlock.records import Severity

LEVELS = ("critical", "error", "warning", "info")
_NEVER = "never"

config = click.option(
    "--config", type=click.Path(path_type=Path), help="The settings file (default: found upward from here)."
)
fail_on = click.option(
    "--fail-on",
    type=click.Choice([*LEVELS, _NEVER]),
    default="error",
    show_default=True,
    help="The least that fails.",
)
form = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
reports = click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FORMAT=FILE",
    help="Also write json, junit, sarif or markdown.",
)
evidence = click.option(
    "--evidence",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write evidence files here.",
)
baseline = click.option(
    "--baseline", type=click.Path(path_type=Path), metavar="FILE", help="Findings in it are accepted."
)
write_baseline = click.option(
    "--write-baseline", type=click.Path(path_type=Path), metavar="FILE", help="Accept today's findings."
)
rules = click.option(
    "--rule", "rules", multiple=True, metavar="NAME=LEVEL", help="critical, error, warning, info or off."
)


def threshold(least: str) -> Severity | None:
    """What `--fail-on` says as a severity; None for never."""
    return None if least == _NEVER else Severity(least)
