"""Every reason has words, and the words say whose it is."""

import datetime as dt

import pytest

from interlock.advice import DETAIL_LIMIT, ROWS, Whose, advise
from interlock.records import Environment, Outcome, ProbeKind, Reason, State, Status

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


def outcome(reason: Reason, state: State = State.FAILING, **more: object) -> Outcome:
    fields = {
        "id": "o", "integration": "payments", "provider": "stripe", "environment": Environment.LIVE,
        "probe": ProbeKind.REACHABILITY, "region": "local", "slot": None, "started_at": NOW,
        "duration_seconds": 0.1, "state": state, "reason": reason, "detail": "", **more,
    }  # fmt: skip
    return Outcome(**fields)  # type: ignore[arg-type]


def test_every_reason_has_a_row() -> None:
    assert set(ROWS) == set(Reason)


@pytest.mark.parametrize("reason", list(Reason))
def test_each_is_one_sentence_for_why_and_one_for_what_to_do(reason: Reason) -> None:
    advice = advise(outcome(reason), "Stripe", now=NOW)
    for sentence in (advice.why, advice.what_to_do):
        assert sentence.endswith(".")
        assert sentence.count(". ") == 0
        assert "{" not in sentence
        assert ".." not in sentence
    assert "Stripe" in advice.why


@pytest.mark.parametrize(
    ("whose", "words"),
    [
        (Whose.OURS, ("Us", "Nothing")),
        (Whose.THEIRS, ("Them", "Most likely them", "Do not work around")),
        (Whose.NETWORK, ("The network", "Our network")),
        (Whose.THROTTLED, ("Throttling",)),
        (Whose.NOBODY, ("Nothing to do",)),
        (Whose.UNKNOWN, ("Us", "Them or us", "The network or them")),
    ],
)
def test_what_to_do_begins_with_whose_it_is(whose: Whose, words: tuple[str, ...]) -> None:
    mine = [row for row in ROWS.values() if row.whose is whose]
    assert mine
    assert all(row.what_to_do.startswith(words) for row in mine)


def test_what_was_seen_stands_in_why_on_one_line_and_short() -> None:
    assert advise(outcome(Reason.SERVER_ERROR, detail="503 from\n/v1/balance."), "Stripe").why == (
        "Stripe answers with an error of its own: 503 from /v1/balance."
    )
    assert len(advise(outcome(Reason.SERVER_ERROR, detail="x" * 9999), "Stripe").why) < DETAIL_LIMIT + 60


def test_a_time_to_come_back_is_told_while_it_is_ahead() -> None:
    seen = outcome(Reason.RATE_LIMITED, State.THROTTLED, retry_at=NOW + dt.timedelta(seconds=90))
    assert "again in 1 min 30 s (12:01:30 UTC)." in advise(seen, "Twilio", now=NOW).what_to_do
    assert "again" not in advise(seen, "Twilio", now=NOW + dt.timedelta(hours=1)).what_to_do
    later = outcome(Reason.RATE_LIMITED, State.THROTTLED, retry_at=NOW + dt.timedelta(hours=2))
    assert "2 h 0 min" in advise(later, "Twilio", now=NOW).what_to_do
    soon = outcome(Reason.RATE_LIMITED, State.THROTTLED, retry_at=NOW + dt.timedelta(seconds=5))
    assert "in 5 s" in advise(soon, "Twilio", now=NOW).what_to_do


def test_a_status_says_how_many_failed_in_a_row() -> None:
    last = outcome(Reason.TIMEOUT)
    down = Status(state=State.DOWN, since=NOW, failures=4, last=last)
    assert advise(down, "PayPal").why == "PayPal gave no whole answer in time, 4 times in a row."
    one = Status(state=State.DEGRADED, since=NOW, failures=1, last=last)
    assert advise(one, "PayPal").why == "PayPal gave no whole answer in time."


def test_braces_in_what_was_seen_are_left_alone() -> None:
    assert "{title}" in advise(outcome(Reason.SHAPE, detail="{title} {0}"), "S3").why
