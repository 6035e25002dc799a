"""`/metrics`: what is there, what must not be, and what prometheus-client's own parsers make of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open
from prometheus_client.parser import text_string_to_metric_families as read_plain

from interlock.records import ProbeKind, Reason, State
from interlock.redaction import Redactor
from interlock.secrets import Secret
from interlock.store import Store
from interlock.writing import Gauge, Recorded
from reports.exposition import OPEN, PLAIN, Family, encode, label_text, negotiate
from reports.face import Face
from reports.metrics import families
from tests.reports import seed
from tests.reports.conftest import Client
from tests.reports.seed import NOW, headroom, outcome

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(face: Face) -> Series:
    """Every series by name and labels, read by prometheus-client; a series that comes twice is refused."""
    found: Series = {}
    for family in read_plain(encode(families(face), PLAIN).decode()):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found
            found[key] = sample.value
    return found


def of(series: Series, name: str, **labels: str) -> list[float]:
    return [v for (n, found), v in series.items() if n == name and labels.items() <= dict(found).items()]


def face_of(store: Store, **changes: Any) -> Face:
    fields: dict[str, Any] = {"store": store, "integrations": seed.listing(), "clock": lambda: NOW}
    return Face(**(fields | changes))


def test_what_is_told_of_a_credential_has_a_series_and_what_is_not_has_none(face: Face) -> None:
    series = scrape(face)
    ends = (NOW + 5 * seed.DAY).timestamp()
    assert of(series, "interlock_credential_expiry_timestamp_seconds", integration="mail") == [ends]
    assert of(series, "interlock_credential_issued_timestamp_seconds", integration="mail") == [
        (NOW - 120 * seed.DAY).timestamp()
    ]
    assert of(series, "interlock_credential_expiry_timestamp_seconds", integration="payments") == []
    counts = {
        severity: of(series, "interlock_probe_findings", integration="mail", severity=severity)
        for severity in ("critical", "error", "warning")
    }
    assert counts == {"critical": [], "error": [1], "warning": [1]}


def test_each_probe_is_in_exactly_one_state(face: Face) -> None:
    series = scrape(face)
    assert of(series, "interlock_probe_state", integration="payouts", probe="reachability", state="down") == [
        1
    ]
    for story in seed.STORIES:
        for kind in seed.PLAN:
            states = of(series, "interlock_probe_state", integration=story.name, probe=kind.value)
            assert sorted(states) == [0] * 6 + [1]


def test_the_histogram_counts_every_answer_once(face: Face) -> None:
    series = scrape(face)
    where = {"integration": "payments", "probe": "reachability"}
    assert of(series, "interlock_probe_duration_seconds_count", **where) == [14]
    assert of(series, "interlock_probe_duration_seconds_bucket", **where, le="+Inf") == [14]
    buckets = of(series, "interlock_probe_duration_seconds_bucket", **where)
    assert buckets == sorted(buckets)
    assert 0.5 < of(series, "interlock_probe_duration_seconds_sum", **where)[0] < 14


def test_counters_moments_and_the_scheduler(face: Face) -> None:
    series = scrape(face)
    told = of(
        series, "interlock_probe_outcomes_total", integration="payouts", probe="reachability", state="failing"
    )
    assert told == [9]
    assert of(
        series, "interlock_probe_last_run_timestamp_seconds", integration="code", probe="credential"
    ) == [(NOW - dt.timedelta(seconds=12)).timestamp()]
    assert len(of(series, "interlock_tls_certificate_expiry_timestamp_seconds")) == 8
    assert of(
        series, "interlock_scheduler_missed_runs_total", integration="payments", probe="reachability"
    ) == [2]
    assert of(series, "interlock_scheduler_lag_seconds", region="local") == [0.012]
    assert of(series, "interlock_store_lost_records_total") == [0]
    assert of(series, "interlock_scheduler_last_heartbeat_timestamp_seconds") == [NOW.timestamp() - 3]
    assert len(of(series, "interlock_build_info")) == 1
    retry = of(series, "interlock_probe_retry_after_timestamp_seconds")
    assert retry == [(NOW + dt.timedelta(seconds=83)).timestamp()]


@pytest.mark.parametrize(
    ("state", "reason", "valid"),
    [
        (State.OPERATIONAL, Reason.OK, [1]),
        (State.DEGRADED, Reason.SCOPE, [1]),
        (State.DEGRADED, Reason.SLOW, [1]),
        (State.AUTH_FAILED, Reason.EXPIRED_CREDENTIAL, [0]),
        (State.OPERATIONAL, Reason.PUBLIC_FACE, []),
        (State.DEGRADED, Reason.UNEXPECTED_STATUS, []),
        (State.THROTTLED, Reason.RATE_LIMITED, []),
        (State.FAILING, Reason.TIMEOUT, []),
        (State.UNKNOWN, Reason.NO_CREDENTIAL, []),
    ],
)
def test_a_credential_is_valid_invalid_or_not_mentioned(
    store: Store, state: State, reason: Reason, valid: list[float]
) -> None:
    store.write([Recorded(outcome(probe=ProbeKind.CREDENTIAL, state=state, reason=reason))])
    assert of(scrape(face_of(store)), "interlock_credential_valid") == valid


def test_what_is_not_told_has_no_series_and_is_never_zero(store: Store) -> None:
    untold = headroom(bucket="untold", limit=None, remaining=None, reset_at=None, window_seconds=None)
    over = headroom(bucket="over", remaining=0.0, reset_at=NOW - dt.timedelta(seconds=1))
    empty = headroom(bucket="empty", remaining=0.0)
    store.write([Recorded(outcome(headrooms=(untold, over, empty), duration_seconds=None))])
    series = scrape(face_of(store))
    assert of(series, "interlock_headroom_remaining", bucket="empty") == [0]
    assert of(series, "interlock_headroom_ratio", bucket="empty") == [0]
    assert of(series, "interlock_headroom_limit", bucket="over") == [100]
    for name in ("limit", "remaining", "ratio", "reset_timestamp_seconds"):
        assert of(series, f"interlock_headroom_{name}", bucket="untold") == []
    for name in ("remaining", "ratio"):
        assert of(series, f"interlock_headroom_{name}", bucket="over") == []
    assert of(series, "interlock_probe_duration_seconds_count") == []
    assert of(series, "interlock_probe_retry_after_timestamp_seconds") == []
    assert of(series, "interlock_tls_certificate_expiry_timestamp_seconds") == []
    assert of(series, "interlock_scheduler_lag_seconds") == []


def test_only_the_integrations_and_probes_of_the_settings_are_shown(store: Store) -> None:
    store.write(
        [
            Recorded(outcome(integration="gone")),
            Recorded(outcome(id="o2", probe=ProbeKind.ACCOUNT)),
            Gauge("local", "missed_runs_total", "gone/reachability", 1.0, NOW),
            Gauge("local", "missed_runs_total", "payments/<script>", 1.0, NOW),
        ]
    )
    series = scrape(face_of(store))
    assert of(series, "interlock_probe_state") == []
    assert of(series, "interlock_scheduler_missed_runs_total") == []
    anything = dataclasses.replace(seed.listing()[0], every_seconds={})
    assert len(of(scrape(face_of(store, integrations=(anything,))), "interlock_probe_state")) == 7


def test_what_our_own_probes_use_up_is_counted_by_bucket(store: Store) -> None:
    store.write(
        [
            Gauge("local", "probe_requests_total", "payments/default", 12.0, NOW),
            Gauge("local", "probe_requests_total", "payments/a/b", 3.0, NOW),
            Gauge("local", "probe_requests_total", "gone/default", 9.0, NOW),
        ]
    )
    series = scrape(face_of(store))
    assert of(series, "interlock_probe_requests_total", integration="payments", bucket="default") == [12]
    assert of(series, "interlock_probe_requests_total", integration="payments", bucket="a/b") == [3]
    assert len(of(series, "interlock_probe_requests_total")) == 2


def test_when_a_limit_will_be_used_up_is_told_only_where_it_does_not_last(store: Store) -> None:
    reset = NOW + dt.timedelta(hours=1)
    fast = headroom(
        bucket="fast", remaining=60.0, reset_at=reset, seen_at=NOW, burn_per_second=1.0, used=40.0
    )
    slow = headroom(bucket="slow", remaining=60.0, reset_at=reset, seen_at=NOW, burn_per_second=0.001)
    store.write([Recorded(outcome(headrooms=(fast, slow)))])
    series = scrape(face_of(store))
    ends = of(series, "interlock_headroom_exhaustion_timestamp_seconds", bucket="fast")
    assert ends == [NOW.timestamp() + 60]
    assert of(series, "interlock_headroom_exhaustion_timestamp_seconds", bucket="slow") == []
    assert of(series, "interlock_headroom_used", bucket="fast") == [40]
    assert of(series, "interlock_headroom_used", bucket="slow") == []


def test_hostile_bucket_names_are_escaped_cut_and_redacted(store: Store) -> None:
    secret = "sk_live_4eC39HqLyjWDarjtT1"
    names = ['a"} 1\nevil{x="', "back\\slash", f"key {secret}", "x" * 120, "<b>"]
    store.write([Recorded(outcome(headrooms=tuple(headroom(bucket=name) for name in names)))])
    face = face_of(store, redactor=Redactor([Secret(secret, name="env:STRIPE")]))
    text = encode(families(face), PLAIN).decode()
    assert secret not in text
    assert "\nevil" not in text
    found = {dict(labels)["bucket"] for (name, labels), _ in scrape(face).items() if "limit" in name}
    assert found == {'a"} 1\nevil{x="', "back\\slash", "key [redacted env:STRIPE]", "x" * 120, "<b>"}


def test_no_address_stands_in_any_label(face: Face) -> None:
    text = encode(families(face), PLAIN).decode()
    assert "http" not in text
    assert "/v1/" not in text


def test_both_formats_say_the_same(face: Face) -> None:
    found = families(face)

    def series(text: str, read: Callable[[str], Any]) -> set[tuple[str, frozenset[tuple[str, str]], float]]:
        return {
            (s.name, frozenset(s.labels.items()), s.value) for family in read(text) for s in family.samples
        }

    plain = series(encode(found, PLAIN).decode(), read_plain)
    opened = series(encode(found, OPEN).decode(), read_open)
    assert plain == opened
    assert len(plain) > 500


@given(st.text(max_size=40), st.floats(allow_nan=False))
def test_any_text_and_any_number_come_back_from_the_parser(text: str, value: float) -> None:
    family = Family("interlock_x", "gauge", text, [("", label_text({"a": text, "b": "c"}), value)])
    if (
        any(char in text for char in "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
        or text != text.strip()
        or "\\" in text
    ):
        return  # the oracle splits lines there itself, and unescapes help texts its own way
    (read,) = read_plain(encode([family], PLAIN).decode())
    (sample,) = read.samples
    assert sample.labels == {"a": text, "b": "c"}
    assert sample.value == value


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", PLAIN),
        ("*/*", PLAIN),
        ("text/plain", PLAIN),
        ("application/openmetrics-text", OPEN),
        ("application/openmetrics-text;version=0.0.1", PLAIN),
        (
            "application/openmetrics-text; version=1.0.0; q=0.5, text/plain;version=0.0.4;q=0.3, */*;q=0.1",
            OPEN,
        ),
        ("application/openmetrics-text;version=1.0.0;q=0.2,text/plain;q=0.8", PLAIN),
        ("application/openmetrics-text;q=nonsense", PLAIN),
        ("application/openmetrics-text;q=0", PLAIN),
        ("image/png,,;;", PLAIN),
    ],
)
def test_the_format_is_what_was_asked_for(accept: str, kind: str) -> None:
    assert negotiate(accept) == kind


def test_the_address_answers_in_both_formats(client: Client, client_with: Callable[..., Client]) -> None:
    plain = client.get("/metrics")
    assert plain.headers["content-type"] == PLAIN
    opened = client.get("/metrics", {"accept": "application/openmetrics-text;version=1.0.0"})
    assert opened.headers["content-type"] == OPEN
    assert opened.text.endswith("# EOF\n")
    assert "interlock_build_info" in client_with(integrations=()).get("/metrics").text
