"""Manners: our share of a limit, and staying away when told to."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.catalogue import Cost, DeclaredLimit
from interlock.integration import resolve
from interlock.records import ProbeKind, Reason, State
from interlock.settings import IntegrationSettings, Network
from probes.kinds import plan
from probes.probe import Planned, Tools
from scheduler.manners import Holds, politely, share_out, slowest_needed, stretched
from tests.records import NOON, an_outcome

MINUTE = dt.timedelta(minutes=1)


def planned(kind: ProbeKind, monkeypatch: pytest.MonkeyPatch, **more: Any) -> Planned:
    monkeypatch.setenv("TOKEN", "ghp_" + "madeup" * 6)
    table = {"provider": "github", "credentials": {"token": "env:TOKEN"}, **more}
    joined = resolve("code", IntegrationSettings.model_validate(table), network=Network(), folder=Path())
    (found,) = plan(joined, Tools(), frozenset({kind}))
    return found


def declared(limit: float, window_seconds: float, bucket: str = "core") -> DeclaredLimit:
    verified = dt.date(2026, 11, 22)
    return DeclaredLimit(
        bucket=bucket, limit=limit, window_seconds=window_seconds, source="a test", verified=verified
    )


def test_one_percent_of_a_limit_is_our_share() -> None:
    assert slowest_needed(1, "core", [declared(5000, 3600)]) == pytest.approx(72)
    assert slowest_needed(2, "core", [declared(5000, 3600), declared(100, 1)]) == pytest.approx(144)
    assert slowest_needed(1, "core", [declared(60, 3600, "other")]) == 0


def test_all_that_share_a_credential_share_out_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    one = dataclasses.replace(
        planned(ProbeKind.CREDENTIAL, monkeypatch, every="1m"), cost=Cost(bucket="core")
    )
    alone, *_ = share_out([one])
    assert alone.every_seconds == 300, "72 s would do"
    five = share_out([one] * 5)
    assert [each.every_seconds for each in five] == [pytest.approx(360)] * 5
    generous = share_out([one] * 5, 0.5)
    assert {each.every_seconds for each in generous} == {300}
    free = share_out([dataclasses.replace(one, cost=Cost(bucket="core", free=True))] * 99)
    assert {each.every_seconds for each in free} == {300}


@pytest.mark.parametrize(
    ("ratio", "to_reset", "wanted"),
    [
        (None, None, 60),
        (None, 10, 60),
        (1.0, 3600, 60),
        (0.5, 3600, 60),
        (0.25, 3600, 120),
        (0.1, 3600, 300),
        (0.1, 200, 200),
        (0.1, 20, 60),
        (0.0, 3600, 3600),
        (0.0, 30 * 86400, 86460),
        (0.1, None, 300),
        (0.0, None, 960),
    ],
)
def test_the_less_is_left_the_longer_between_two_runs(
    ratio: float | None, to_reset: float | None, wanted: float
) -> None:
    assert stretched(60, ratio, to_reset) == pytest.approx(wanted)


@given(st.floats(1, 1e5), st.floats(0, 1), st.floats(0, 1), st.none() | st.floats(-1e6, 1e6))
def test_stretching_never_shortens_and_grows_as_less_is_left(
    every: float, ratio: float, other: float, to_reset: float | None
) -> None:
    less, more = sorted((ratio, other))
    assert every <= stretched(every, more, to_reset) <= stretched(every, less, to_reset)
    assert stretched(every, less, to_reset) <= every * 16 + 86400


def test_an_interval_that_asks_too_often_is_stretched(monkeypatch: pytest.MonkeyPatch) -> None:
    found = politely(planned(ProbeKind.CREDENTIAL, monkeypatch, every="1m"))
    assert found.every_seconds >= 72


def test_an_interval_that_the_settings_name_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    found = politely(planned(ProbeKind.CREDENTIAL, monkeypatch, probes={"credential": {"every": "20s"}}))
    assert found.every_seconds == 20


def test_all_that_use_a_credential_stay_away_together(monkeypatch: pytest.MonkeyPatch) -> None:
    holds, asked = Holds(), planned(ProbeKind.CREDENTIAL, monkeypatch)
    told = an_outcome(state=State.THROTTLED, reason=Reason.RATE_LIMITED, retry_at=NOON + 10 * MINUTE)
    holds.note(asked, told)
    other = planned(ProbeKind.CREDENTIAL, monkeypatch)
    assert holds.until(other, NOON + 9 * MINUTE) == NOON + 10 * MINUTE
    assert holds.until(other, NOON + 10 * MINUTE) is None
    assert holds.until(planned(ProbeKind.TLS, monkeypatch), NOON) is None, "a handshake uses up nothing"


def test_an_earlier_moment_does_not_shorten_a_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    holds, asked = Holds(), planned(ProbeKind.CREDENTIAL, monkeypatch)
    for minutes in (10, 2):
        holds.note(asked, an_outcome(state=State.THROTTLED, retry_at=NOON + minutes * MINUTE))
    assert holds.until(asked, NOON + 5 * MINUTE) == NOON + 10 * MINUTE


def test_an_outage_cannot_hide_behind_a_long_retry_after(monkeypatch: pytest.MonkeyPatch) -> None:
    holds, asked = Holds(), planned(ProbeKind.CREDENTIAL, monkeypatch)
    holds.note(asked, an_outcome(state=State.FAILING, retry_at=NOON + 600 * MINUTE))
    assert holds.until(asked, NOON + 4 * MINUTE) is not None
    assert holds.until(asked, NOON + 5 * MINUTE) is None


def test_a_good_answer_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    holds, asked = Holds(), planned(ProbeKind.CREDENTIAL, monkeypatch)
    holds.note(asked, an_outcome(retry_at=NOON + MINUTE))
    assert holds.until(asked, NOON) is None
