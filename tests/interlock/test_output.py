"""Findings as people and machines read them; baselines; and the exit status."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock import findings, output
from interlock.errors import UsageError
from interlock.output import Case, CaseState, Report
from interlock.records import Finding, Location, Severity

NOW = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)


def _finding(**more: object) -> Finding:
    given_ = {
        "location": Location(
            file="a/pay.yaml", line=7, interaction=2, message_pointer="/response/body/amount"
        ),
        "promised": "an integer",
        "seen": '"12" | <b>',
    } | more
    return findings.make("response-body", Severity.ERROR, "POST /v1/charges", **given_)  # type: ignore[arg-type]


def _report(*cases: Case, **more: object) -> Report:
    return Report(schema="interlock.verify/1", title="verify", produced_at=NOW, cases=cases, **more)  # type: ignore[arg-type]


FAILED = Case(name="2", group="a/pay.yaml", state=CaseState.FAILED, findings=(_finding(),))
PASSED = Case(name="1", group="a/pay.yaml", state=CaseState.PASSED, seconds=0.25)
UNPROVEN = Case(name="3", group="b.yaml", state=CaseState.UNPROVEN, detail="no operation fits")
LEFT_OUT = Case(name="4", group="b.yaml", state=CaseState.NOT_APPLICABLE, detail="it has no timestamp")


def test_a_fingerprint_stays_while_lines_move_and_tells_places_apart() -> None:
    moved = _finding(
        location=Location(file="a/pay.yaml", line=99, interaction=2, message_pointer="/response/body/amount")
    )
    elsewhere = _finding(
        location=Location(file="a/pay.yaml", line=7, interaction=2, message_pointer="/response/body")
    )
    assert moved.fingerprint == _finding(seen="other").fingerprint != elsewhere.fingerprint


def test_text_says_where_what_was_promised_and_what_was_seen() -> None:
    text = output.render(_report(PASSED, FAILED, UNPROVEN), "text")
    assert text == (
        "unproven       3: no operation fits\n"
        "error response-body: POST /v1/charges\n"
        "  at        a/pay.yaml:7 interaction 2 /response/body/amount\n"
        "  promised  an integer\n"
        '  seen      "12" | <b>\n'
        "1 error\n"
    )


def test_json_is_whole_and_says_its_schema() -> None:
    form = json.loads(output.render(_report(PASSED, FAILED, summary={"matched": 2}), "json"))
    assert form["schema"] == "interlock.verify/1"
    assert form["summary"] == {"matched": 2}
    assert form["cases"][1]["findings"][0]["location"]["message_pointer"] == "/response/body/amount"


def test_junit_counts_what_was_not_judged_as_an_error_and_never_as_a_pass() -> None:
    root = ET.fromstring(output.render(_report(PASSED, FAILED, UNPROVEN, LEFT_OUT), "junit"))
    counts = [
        (s.get("name"), s.get("tests"), s.get("failures"), s.get("errors"), s.get("skipped")) for s in root
    ]
    assert counts == [("a/pay.yaml", "2", "1", "0", "0"), ("b.yaml", "2", "0", "1", "1")]


@given(st.text())
def test_junit_is_xml_whatever_was_seen(seen: str) -> None:
    case = Case(name=seen, group=seen, state=CaseState.FAILED, findings=(_finding(seen=seen),))
    ET.fromstring(output.render(_report(case), "junit").encode("utf-8", "surrogatepass"))


def test_sarif_names_rule_level_file_line_and_fingerprint() -> None:
    form = json.loads(output.render(_report(FAILED), "sarif"))
    [run] = form["runs"]
    [result] = run["results"]
    assert (form["version"], run["tool"]["driver"]["rules"][0]["id"]) == ("2.1.0", "response-body")
    assert (result["ruleId"], result["level"]) == ("response-body", "error")
    where = result["locations"][0]["physicalLocation"]
    assert (where["artifactLocation"]["uri"], where["region"]["startLine"]) == ("a/pay.yaml", 7)
    assert result["partialFingerprints"] == {"interlock/v1": _finding().fingerprint}


def test_sarif_says_what_a_rule_is_about_where_the_command_knows_it() -> None:
    other = Case(
        name="9", group="x", state=CaseState.FAILED, findings=(findings.make("odd", Severity.INFO, "x"),)
    )
    about = {"response-body": "the body is as its schema says", "never-broken": "nothing"}
    form = json.loads(output.render(_report(FAILED, other, rules=about), "sarif"))
    assert form["runs"][0]["tool"]["driver"]["rules"] == [
        {"id": "odd", "name": "odd"},
        {
            "id": "response-body",
            "name": "response-body",
            "shortDescription": {"text": "the body is as its schema says"},
        },
    ]
    assert output.render(_report(FAILED, rules=about), "json") == output.render(_report(FAILED), "json")


def test_sarif_names_a_file_by_an_address_that_is_valid() -> None:
    form = json.loads(output.render(_report(_failed_in("my tests/50% #1.yaml")), "sarif"))
    [where] = form["runs"][0]["results"][0]["locations"]
    assert where["physicalLocation"]["artifactLocation"]["uri"] == "my%20tests/50%25%20%231.yaml"


def _failed_in(file: str) -> Case:
    return Case(
        name=file, group="x", state=CaseState.FAILED, findings=(_finding(location=Location(file=file)),)
    )


def test_markdown_keeps_its_table_whatever_was_seen() -> None:
    lines = output.render(_report(FAILED, UNPROVEN), "markdown").splitlines()
    [row] = [line for line in lines if line.startswith("| error")]
    assert row.replace("\\|", "").count("|") == 7
    assert "&lt;b>" in row
    assert "| 3 | no operation fits |" in lines


@pytest.mark.parametrize(
    ("cases", "fail_on", "status"),
    [
        ((PASSED,), Severity.ERROR, 0),
        ((PASSED, FAILED, UNPROVEN), Severity.ERROR, 1),
        ((PASSED, FAILED), Severity.CRITICAL, 0),
        ((PASSED, UNPROVEN), Severity.ERROR, 3),
        ((LEFT_OUT,), Severity.ERROR, 3),
        ((), Severity.ERROR, 3),
        ((PASSED, FAILED), None, 0),
    ],
)
def test_the_exit_status(cases: tuple[Case, ...], fail_on: Severity | None, status: int) -> None:
    assert output.exit_status(_report(*cases), fail_on) == status


def test_a_baseline_takes_what_was_known_and_nothing_new(tmp_path: Path) -> None:
    old, new = _finding(), _finding(told_apart_by="b")
    findings.write_baseline(tmp_path / "b.json", [old])
    assert findings.beyond([old, new], findings.read_baseline(tmp_path / "b.json")) == [new]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "other/1", "findings": []}'])
def test_what_is_no_baseline_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "b.json").write_text(text)
    with pytest.raises(UsageError, match=r"b\.json"):
        findings.read_baseline(tmp_path / "b.json")


@pytest.mark.parametrize("wanted", ["junit", "text=x", "html=x", "json="])
def test_a_wrong_report_option_is_refused(wanted: str) -> None:
    with pytest.raises(UsageError, match="must be FORMAT=FILE"):
        output.parse_reports((wanted,))
    assert output.parse_reports(("sarif=x=y",)) == [("sarif", Path("x=y"))]
