"""Reports without secrets: each text alone, so that the form stays whole."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

import pytest

from interlock import findings
from interlock.output import RENDERERS, Case, CaseState, Report
from interlock.records import Location, Severity
from interlock.redacted import rendered
from interlock.redaction import Redactor
from interlock.secrets import Secret

SECRET = "made-up-4711"
REPORT = Report(
    schema="interlock.verify/1",
    title="interlock verify",
    produced_at=dt.datetime(2026, 11, 26, tzinfo=dt.UTC),
    cases=(
        Case(
            name="GET /t",
            group="a.yaml",
            state=CaseState.FAILED,
            findings=(
                findings.make(
                    "security-missing",
                    Severity.ERROR,
                    "sent without its credential",
                    location=Location(
                        message_pointer="/request/header/authorization", contract_pointer="/paths/~1t/get"
                    ),
                    promised="header Authorization",
                    seen=f"a key {SECRET}",
                    source="access_token",
                ),
            ),
        ),
    ),
    summary={"url": f"https://x.example/?k={SECRET}"},
)


@pytest.mark.parametrize("kind", list(RENDERERS))
def test_no_form_tells_a_secret(kind: str) -> None:
    text = rendered(REPORT, kind, Redactor([Secret(SECRET, name="env:KEY")]))
    assert SECRET not in text
    assert "[redacted env:KEY]" in text


def test_a_name_that_begins_a_secret_swallows_no_member() -> None:
    told = json.loads(rendered(REPORT, "json", Redactor()))
    (found,) = told["cases"][0]["findings"]
    assert found["location"]["message_pointer"] == "/request/header/authorization"
    assert found["location"]["contract_pointer"] == "/paths/~1t/get"
    assert (found["promised"], found["seen"]) == ("header Authorization", f"a key {SECRET}")
    assert found["source"] == "access_token"


@pytest.mark.parametrize("kind", ["text", "markdown"])
@pytest.mark.parametrize("terminal", [True, False])
def test_what_a_terminal_would_obey_is_shown_as_its_escape(kind: str, terminal: bool) -> None:
    """A recording or an answer cannot wipe the screen on which it is told."""
    hostile = findings.make(
        "a-rule", Severity.ERROR, "wipes\x1b[2J", seen="\x1b]0;title\x07 \x9b2J", fix="a\ttab"
    )
    report = dataclasses.replace(
        REPORT, cases=(Case(name="x\x1bc", group="g", state=CaseState.FAILED, findings=(hostile,)),)
    )
    told = rendered(report, kind, Redactor(), terminal=terminal)
    assert "wipes\\x1b[2J" in told.replace("\\\\", "\\")
    assert not any(hidden in told for hidden in ("\x1b[2J", "\x1b]", "\x1bc", "\x07", "\x9b"))
