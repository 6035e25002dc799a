"""What answers, times and effects prove, without a receiver."""

from __future__ import annotations

import dataclasses

import pytest

from contracts.webhooks.configure import made
from contracts.webhooks.drill.effects import parse
from contracts.webhooks.drill.judge import judge
from contracts.webhooks.drill.records import Effects, Expect, Heard, Planned, Row, Shot, WhyNot
from contracts.webhooks.drill.setting import Signer, bench
from contracts.webhooks.records import Delivery
from interlock import catalogue
from interlock.errors import UsageError
from interlock.output import CaseState
from interlock.records import Severity
from interlock.secrets import Secret

BENCH = bench(  # the provider waits 10 s
    made("pay", None, "stripe", ()),
    Signer(secrets=(Secret("made-up", name="x"),)),
    url="http://127.0.0.1/",
    now=0.0,
    run="t",
)


def judged(
    expect: Expect,
    heard: Heard,
    *,
    effects: Effects | None = None,
    count: int | None = None,
    slowly: bool = False,
) -> list[tuple[str, Severity]]:
    shot = Shot(delivery=Delivery(), expect=expect, event_id="e1", effects=count, slowly=slowly)
    row = Row(name="case", proves="it", make=lambda _: (shot,))
    case = judge(Planned(row, (shot,)), [[heard]], effects, BENCH)
    return [(each.rule, each.severity) for each in case.findings]


def answered(status: int, seconds: float = 0.1) -> Heard:
    return Heard(status, seconds)


@pytest.mark.parametrize(
    ("expect", "status", "found"),
    [
        (Expect.REFUSED, 200, [("webhook-forgery-taken", Severity.CRITICAL)]),
        (Expect.REFUSED, 500, [("webhook-answers-5xx", Severity.ERROR)]),
        (Expect.REFUSED, 401, []),
        (Expect.STALE, 204, [("webhook-stale-taken", Severity.ERROR)]),
        (Expect.FUTURE, 200, [("webhook-future-taken", Severity.WARNING)]),
        (Expect.DOWNGRADED, 200, [("webhook-downgrade-taken", Severity.ERROR)]),
        (Expect.TAKEN, 200, []),
        (Expect.TAKEN, 302, [("webhook-valid-refused", Severity.ERROR)]),
        (Expect.LISTED, 422, [("webhook-type-refused", Severity.WARNING)]),
        (Expect.CALM, 413, []),
        (Expect.CALM, 503, [("webhook-answers-5xx", Severity.ERROR)]),
    ],
)
def test_an_answer(expect: Expect, status: int, found: list[tuple[str, Severity]]) -> None:
    assert judged(expect, answered(status)) == found


def test_a_provider_that_accepts_200_alone_is_not_served_by_204() -> None:
    shot = Shot(delivery=Delivery(), expect=Expect.TAKEN)
    row = Row(name="case", proves="it", make=lambda _: (shot,))
    signer = Signer(secrets=(Secret("made-up", name="x"),))
    facebook = made("face", catalogue.load("facebook"), "facebook", ())
    strict = bench(facebook, signer, url="http://127.0.0.1/", now=0.0, run="t")
    assert judge(Planned(row, (shot,)), [[answered(204)]], None, BENCH).findings == ()
    found = judge(Planned(row, (shot,)), [[answered(204)]], None, strict).findings
    assert [each.rule for each in found] == ["webhook-valid-refused"]
    assert judge(Planned(row, (shot,)), [[answered(200)]], None, strict).findings == ()


def test_a_failure_says_what_the_provider_does_next() -> None:
    shot = Shot(delivery=Delivery(), expect=Expect.TAKEN)
    row = Row(name="case", proves="it", make=lambda _: (shot,))
    known = dataclasses.replace(BENCH, retries="once an hour")
    case = judge(Planned(row, (shot,)), [[answered(500)]], None, known)
    assert case.findings[0].seen == "it was answered with 500; stripe's retries: once an hour"


@pytest.mark.parametrize(
    ("seconds", "found"),
    [
        (4.9, []),
        (5.1, [("webhook-slow", Severity.WARNING)]),
        (10.1, [("webhook-slow", Severity.ERROR)]),
    ],
)
def test_a_slow_handler_is_held_against_the_providers_timeout(
    seconds: float, found: list[tuple[str, Severity]]
) -> None:
    assert judged(Expect.TAKEN, answered(200, seconds)) == found
    assert judged(Expect.TAKEN, answered(200, seconds), slowly=True) == [], "we were slow, not the receiver"


def test_a_connection_that_is_closed_is_a_refusal_and_one_that_hangs_is_not() -> None:
    assert judged(Expect.REFUSED, Heard(None, 0.1, "no answer: closed")) == []
    assert judged(Expect.CALM, Heard(None, 20, "no answer", hung=True)) == [("webhook-hangs", Severity.ERROR)]


@pytest.mark.parametrize(
    ("count", "seen", "rule"),
    [
        (1, 1, None),
        (1, 2, "webhook-effect-repeated"),
        (1, 0, "webhook-effect-missing"),
        (0, 1, "webhook-forgery-acted"),
        (0, 0, None),
    ],
)
def test_one_event_one_effect(count: int, seen: int, rule: str | None) -> None:
    expect, status = (Expect.TAKEN, 200) if count else (Expect.REFUSED, 401)
    found = judged(expect, answered(status), effects=Effects(count={"e1": seen} if seen else {}), count=count)
    assert [name for name, _ in found] == ([rule] if rule else [])


def test_a_case_that_failed_says_what_is_not_so_and_its_finding_what_was_promised() -> None:
    shot = Shot(delivery=Delivery(), expect=Expect.REFUSED)
    row = Row(name="stale", proves="an old delivery is refused", make=lambda _: (shot,))
    case = judge(Planned(row, (shot,)), [[answered(200)]], None, BENCH)
    assert (case.state, case.detail) == (CaseState.FAILED, "not so: an old delivery is refused")
    assert case.findings[0].promised == "an old delivery is refused"
    beside = dataclasses.replace(shot, expect=Expect.TAKEN, about="a valid delivery beside it")
    (found,) = judge(Planned(row, (beside,)), [[answered(400)]], None, BENCH).findings
    assert (found.subject, found.promised) == ("drill case stale (a valid delivery beside it)", "taken")


@pytest.mark.parametrize(("count", "said"), [(1, "once"), (2, "twice"), (20, "20 times")])
def test_how_often_it_acted_is_said_in_words(count: int, said: str) -> None:
    shot = Shot(delivery=Delivery(), expect=Expect.REFUSED, event_id="e1", effects=0)
    row = Row(name="case", proves="it", make=lambda _: (shot,))
    case = judge(Planned(row, (shot,)), [[answered(401)]], Effects(count={"e1": count}), BENCH)
    assert case.findings[0].seen == f"e1 acted {said}"


def test_an_effect_that_is_missing_says_where_the_id_stands() -> None:
    shot = Shot(delivery=Delivery(), expect=Expect.TAKEN, event_id="e1", effects=1)
    case = judge(
        Planned(Row(name="case", proves="it", make=lambda _: (shot,)), (shot,)),
        [[answered(200)]],
        Effects(count={}),
        BENCH,
    )
    assert case.findings[0].seen == f"e1 never acted; that id stands at {BENCH.profile.id_at}"


def test_what_a_list_forgets_is_not_missing_and_nothing_is_proven_by_it() -> None:
    shot = Shot(delivery=Delivery(), expect=Expect.TAKEN, event_id="e1", effects=1)
    row = Row(name="case", proves="it", make=lambda _: (shot,), by_effects=True)
    case = judge(Planned(row, (shot,)), [[answered(200)]], Effects(count={}, forgets=True), BENCH)
    assert (case.state, case.findings) == (CaseState.UNPROVEN, ())
    assert case.detail == "--effects lost what it had shown before, so how often it acted cannot be told"


@pytest.mark.parametrize(
    ("missing", "state"), [(False, CaseState.NOT_APPLICABLE), (True, CaseState.UNPROVEN)]
)
def test_what_was_not_sent_is_never_a_pass(missing: bool, state: CaseState) -> None:
    why = WhyNot("nothing signs the body", "the manual", missing=missing)
    row = Row(name="case", proves="it", make=lambda _: why)
    case = judge(Planned(row, why), [], Effects(count={}), BENCH)
    assert (case.state, case.detail) == (state, "nothing signs the body (the manual)")


@pytest.mark.parametrize("raw", [b'["e1", 7, "e1"]', b"e1\n7\n\ne1\n"])
def test_effects_are_a_list_or_lines(raw: bytes) -> None:
    assert parse(raw) == {"e1": 2, "7": 1}


@pytest.mark.parametrize("raw", [b"[1", b"\xff", b'[{"id": "e1"}]'])
def test_effects_that_cannot_be_read_are_not_nothing(raw: bytes) -> None:
    with pytest.raises(UsageError, match="what --effects gives"):
        parse(raw)
