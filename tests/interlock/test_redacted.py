"""Reports without secrets: each text alone, so that the form stays whole."""

from __future__ import annotations

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
