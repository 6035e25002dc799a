"""What `check` prints and writes: text, JSON, JUnit, and Markdown for pull requests."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from interlock.errors import UsageError
from interlock.integration import Integration
from interlock.records import Outcome, Reason, State
from interlock.redacted import visible
from interlock.status import WORST_FIRST, worst
from interlock.verdict import Blame
from probes.check import Checked, advice_for, json_text

PIPED_WIDTH = 120
BLAME_WORDS = {
    Blame.OK: "well",
    Blame.OURS: "ours to mend",
    Blame.THEIRS: "theirs",
    Blame.NETWORK: "the network's",
    Blame.THROTTLED: "throttled",
    Blame.UNKNOWN: "not clear whose",
}
STYLES = {
    State.OPERATIONAL: "green",
    State.DEGRADED: "yellow",
    State.THROTTLED: "yellow",
    State.AUTH_FAILED: "red",
    State.FAILING: "red",
    State.DOWN: "red",
    State.UNKNOWN: "bright_black",
}


def parse_reports(wanted: tuple[str, ...]) -> list[tuple[str, Path]]:
    """`FORMAT=FILE` pairs. Raises `UsageError`."""
    found = []
    for text in wanted:
        kind, _, path = text.partition("=")
        if kind not in RENDERERS or kind == "text" or not path:
            raise UsageError(f"--report {text}: must be FORMAT=FILE with json, junit or markdown")
        found.append((kind, Path(path)))
    return found


def render(checked: Checked, kind: str, *, terminal: bool = False) -> str:
    """The check in one of the formats. What a provider says cannot wipe the screen of whoever reads it."""
    if kind in {"text", "markdown"}:
        checked = dataclasses.replace(checked, outcomes=visible(checked.outcomes))
    return RENDERERS[kind](checked, terminal)


def as_text(checked: Checked, terminal: bool) -> str:  # noqa: FBT001 - one signature for the table
    """A table of state, why and what to do, and one line that sums it up."""
    from rich.console import Console  # noqa: PLC0415 - only for text
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    stream = io.StringIO()
    width = Console().width if terminal else max(Console().width, PIPED_WIDTH)
    console = Console(file=stream, force_terminal=terminal, width=width, highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold" if terminal else "")
    for name in ("integration", "probe", "state", "time"):
        table.add_column(name, no_wrap=True, justify="right" if name == "time" else "left")
    table.add_column("why, and what to do", ratio=1, overflow="fold")
    for integration in checked.integrations:
        for index, each in enumerate(checked.of(integration.name)):
            # a name stands once; its other probes follow below it
            label = Text(integration.name if index == 0 else "")
            state = Text(each.state.value, style=STYLES[each.state])
            took = "" if each.duration_seconds is None else f"{each.duration_seconds * 1000:.0f} ms"
            table.add_row(label, Text(each.probe.value), state, took, Text(_said(each, integration, checked)))
    console.print(table)
    for words, names in _verdicts(checked).items():
        console.print(Text(f"{', '.join(names)}: {words}"))
    for name, why in checked.unasked:
        console.print(Text(f"not asked: {name}: {why}"))
    console.print(Text(summary(checked)))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def _verdicts(checked: Checked) -> dict[str, list[str]]:
    """Whose it is, in words, with those of whom it is true; those that are well are left out."""
    found: dict[str, list[str]] = {}
    for integration in checked.integrations:
        verdict = checked.verdict(integration.name)
        if checked.of(integration.name) and verdict.blame is not Blame.OK:
            words = f"{BLAME_WORDS[verdict.blame]}; {verdict.because}"
            found.setdefault(words, []).append(integration.name)
    return found


def _said(outcome: Outcome, integration: Integration, checked: Checked) -> str:
    """What was seen where all is well; else why it is not and, on a line of its own, what to do."""
    planned = " (planned maintenance)" if outcome.in_maintenance else ""
    if outcome.state is State.OPERATIONAL:
        return outcome.detail + planned
    if outcome.reason is Reason.OFFLINE:
        return f"we are offline: {outcome.detail}"  # once for all is enough advice; the verdict gives it
    words = advice_for(outcome, integration, checked.at)
    return f"{words.why}{planned}\n-> {words.what_to_do}"


def summary(checked: Checked) -> str:
    """How many probes are in each state, worst first."""
    counts = [(state, sum(o.state is state for o in checked.outcomes)) for state in WORST_FIRST]
    parts = ", ".join(f"{count} {state.value}" for state, count in counts if count)
    asked = {each.integration for each in checked.outcomes}
    integrations, probes = _several(len(asked), "integration"), _several(len(checked.outcomes), "probe")
    return f"{integrations}, {probes}: {parts}"


def _several(count: int, name: str) -> str:
    return f"{count} {name}" if count == 1 else f"{count} {name}s"


def as_junit(checked: Checked, _: bool) -> str:  # noqa: FBT001
    """JUnit XML: a suite an integration, a case a probe; what could not be judged is an error."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', '<testsuites name="interlock check">']
    for integration in checked.integrations:
        own = checked.of(integration.name)
        errors = sum(o.state is State.UNKNOWN for o in own)
        failures = sum(o.state is not State.OPERATIONAL for o in own) - errors
        counts = f'tests="{len(own)}" failures="{failures}" errors="{errors}"'
        head = f'{counts} timestamp="{checked.at:%Y-%m-%dT%H:%M:%S}"'
        lines.append(f"  <testsuite name={quoteattr(integration.name)} {head}>")
        lines += [_case(each, advice_for(each, integration, checked.at).what_to_do) for each in own]
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>", ""])


def _case(outcome: Outcome, todo: str) -> str:
    took = f"{outcome.duration_seconds or 0:.3f}"
    head = f"    <testcase classname={quoteattr(outcome.integration)} name={quoteattr(outcome.probe.value)}"
    if outcome.state is State.OPERATIONAL:
        return f'{head} time="{took}"/>'
    tag = "error" if outcome.state is State.UNKNOWN else "failure"
    what = f"type={quoteattr(outcome.reason.value)} message={quoteattr(outcome.detail)}"
    said = f"<{tag} {what}>{escape(todo)}</{tag}>"
    return f'{head} time="{took}">{said}</testcase>'


def as_markdown(checked: Checked, _: bool) -> str:  # noqa: FBT001
    """A table for a pull request."""
    lines = ["| integration | probe | state | why | what to do |", "|---|---|---|---|---|"]
    for integration in checked.integrations:
        for each in checked.of(integration.name):
            words = advice_for(each, integration, checked.at)
            cells = (integration.name, each.probe.value, each.state.value, words.why, words.what_to_do)
            lines.append(
                "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
            )
    overall = worst([each.state for each in checked.outcomes]).value
    return "\n".join([f"**{overall}**: {summary(checked)}", "", *lines, ""])


RENDERERS: dict[str, Callable[[Checked, bool], str]] = {
    "text": as_text,
    "json": lambda checked, _: json_text(checked),
    "junit": as_junit,
    "markdown": as_markdown,
}
