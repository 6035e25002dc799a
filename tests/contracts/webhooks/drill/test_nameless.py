"""What has no id is counted where the effects show it, and is never taken for what others do."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from contracts.webhooks.drill.effects import parse
from contracts.webhooks.drill.judge import judge
from contracts.webhooks.drill.nameless import Told, tell
from contracts.webhooks.drill.receivers.server import Fault
from contracts.webhooks.drill.records import Effects, Expect, Heard, Planned, Row, Shot, Watched
from contracts.webhooks.drill.self_test import drilled, found_in
from contracts.webhooks.records import Delivery
from interlock.output import Case, CaseState
from tests.contracts.webhooks.drill.test_faults import now
from tests.contracts.webhooks.drill.test_judge import BENCH

NAMED = [Shot(delivery=Delivery(), expect=Expect.TAKEN, event_id=f"beside-{n}", effects=1) for n in range(7)]
NAMELESS = Shot(delivery=Delivery(), expect=Expect.CALM, effects=1)
SHOTS = (
    NAMED[0], NAMELESS, NAMED[1], NAMED[2], NAMELESS, NAMED[3], NAMED[4], NAMELESS, NAMED[5], NAMED[6],
)  # fmt: skip
IDS = frozenset({"control", *(each.event_id for each in NAMED if each.event_id)})


def looked(*came: list[str], before: tuple[str, ...] = ()) -> Watched:
    """The effects, by what came after each delivery; the ids of those that have one come of themselves."""
    kept, looks = Counter(before), []
    for shot, new in zip(SHOTS, came, strict=True):
        kept += Counter([*new, *filter(None, [shot.event_id])])
        looks.append(Counter(kept))
    return Watched(Counter(before), tuple(looks), IDS)


def answered(status: int) -> list[list[Heard]]:
    return [[Heard(200 if shot.event_id else status, 0.1)] for shot in SHOTS]


def quiet(**at: list[str]) -> list[list[str]]:
    """Nothing but what came after some of the deliveries: `_1` is the first without id."""
    return [at.get(f"_{turn}", []) for turn in range(len(SHOTS))]


@pytest.mark.parametrize(
    "names", [("", "", ""), ("None", "None", "None"), ("d1ge57", "d1ge57", "d1ge57"), ("u1", "u2", "u3")]
)
def test_what_acts_each_time_is_found_whatever_it_is_called(names: tuple[str, ...]) -> None:
    one, two, three = ([each] for each in names)
    assert tell(SHOTS, answered(200), looked(*quiet(_1=one, _4=two, _7=three))) == Told(acted=3)


def test_an_effect_may_come_with_the_next_delivery() -> None:
    assert tell(SHOTS, answered(200), looked(*quiet(_2=["x"], _5=["x"], _8=["x"]))) == Told(acted=3)


def test_what_stood_there_before_the_drill_is_not_counted() -> None:
    watched = looked(*quiet(_1=[""]), before=("", "", "evt_of_yesterday"))
    assert tell(SHOTS, answered(200), watched).proven.endswith("3 times, acts once")


@pytest.mark.parametrize(
    "came",
    [
        pytest.param(quiet(_1=["x"], _4=["evt_9"]), id="once, and a stranger's by chance"),
        pytest.param(quiet(_0=["evt_8"], _1=["x"], _4=["x"], _7=["x"]), id="strangers' before it too"),
        pytest.param(quiet(_1=["x"], _4=["x"], _7=["x"], _9=["x"]), id="and with an id too"),
        pytest.param(quiet(_1=["x"], _6=["x"]), id="late"),
        pytest.param([["evt_9"]] * len(SHOTS), id="strangers' all the time"),
    ],
)
def test_what_may_be_anothers_is_unproven(came: list[list[str]]) -> None:
    told = tell(SHOTS, answered(200), looked(*came))
    assert told.acted == 0
    assert "cannot be told" in told.unproven


def test_one_of_a_strangers_leaves_it_proven() -> None:
    """Whoever's the one effect is, the deliveries without id acted once at most."""
    assert "acts once" in tell(SHOTS, answered(200), looked(*quiet(_0=["evt_8"], _3=["evt_9"]))).proven


def test_a_list_that_forgets_proves_nothing() -> None:
    whole = looked(*quiet(_1=["x"]))
    capped = tuple(Counter(dict(list(look.items())[-4:])) for look in whole.after)
    told = tell(SHOTS, answered(200), Watched(whole.before, capped, IDS))
    assert told.unproven.startswith("--effects lost what it had shown before")


def test_a_list_that_is_full_or_behind_proves_nothing() -> None:
    whole = looked(*quiet())
    told = tell(SHOTS, answered(200), Watched(whole.before, (whole.after[3],) * len(SHOTS), IDS))
    assert told.unproven.startswith("--effects did not show the valid deliveries beside it in time")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "a delivery without id is refused"),
        (200, "a delivery without id does not break it, and --effects shows nothing that it did"),
    ],
)
def test_what_shows_no_effect_is_called_no_more_than_it_is(status: int, said: str) -> None:
    assert tell(SHOTS, answered(status), looked(*quiet())) == Told(proven=said)


def test_a_refusal_is_proven_by_the_answers_whoever_else_acts() -> None:
    assert tell(SHOTS, answered(400), looked(*[["evt_9"]] * len(SHOTS))).proven.endswith("is refused")


def judged(nameless: Shot, status: int) -> Case:
    """A case whose deliveries without id act each time."""
    shots = tuple(nameless if shot is NAMELESS else shot for shot in SHOTS)
    row = Row(name="id-stripped", proves="it", make=lambda _: shots, watched=True)
    watched = looked(*quiet(_1=["x"], _4=["x"], _7=["x"]))
    effects = Effects(count=watched.after[-1], around={"id-stripped": watched})
    return judge(Planned(row, shots), answered(status), effects, BENCH)


def test_a_forgery_without_id_that_acts_is_one_finding() -> None:
    forged = Shot(delivery=Delivery(), expect=Expect.REFUSED, effects=0)
    assert [each.rule for each in judged(forged, 401).findings] == ["webhook-forgery-acted"]
    assert [each.rule for each in judged(forged, 200).findings] == ["webhook-forgery-taken"]
    assert judged(NAMELESS, 200).detail == "not so: the same delivery without id acts once at most"
    assert judged(NAMELESS, 500).detail == "not so: the same delivery without id acts once at most"
    (found,) = judged(NAMELESS, 200).findings
    assert found.rule == "webhook-effect-repeated"
    assert found.seen == "the same delivery without id, sent 3 times, acted 3 times"


def test_null_and_an_empty_name_are_effects_without_id() -> None:
    assert parse(b'["a", null, "", 7]') == {"a": 1, "": 2, "7": 1}


# --- and over the wire ---


class Kept:
    """What becomes of the list on its way."""

    def __init__(self, change: Callable[[list[Any], int], list[Any]]) -> None:
        self.change, self.reads = change, 0

    def __call__(self, raw: bytes) -> bytes:
        self.reads += 1
        return json.dumps(self.change(json.loads(raw), self.reads)).encode()


async def _no_sleep(_seconds: float) -> None:
    return None


async def drilled_with(
    change: Callable[[list[Any], int], list[Any]], fault: Fault | None = None
) -> tuple[Case, ...]:
    return await drilled("stripe", fault, now=now, sleep=_no_sleep, shown=Kept(change))


def stripped(cases: tuple[Case, ...]) -> Case:
    return next(case for case in cases if case.name == "id-stripped")


def shared(effects: list[Any], reads: int) -> list[Any]:
    return [*effects, *(f"evt_of_others_{turn}" for turn in range(reads))]


@pytest.mark.parametrize(
    ("change", "state", "said"),
    [
        (
            lambda effects, _: [each for each in effects if each],
            CaseState.PASSED,
            "shows nothing that it did",
        ),
        (shared, CaseState.UNPROVEN, "of ids that the drill did not send"),
    ],
)
async def test_a_list_that_cannot_show_it_gives_no_finding(
    change: Callable[[list[Any], int], list[Any]], state: CaseState, said: str
) -> None:
    case = stripped(await drilled_with(change, Fault.NULL_IS_NO_KEY))
    assert (case.state, case.findings) == (state, ())
    assert said in case.detail


async def test_a_right_receiver_whose_list_others_share_has_no_finding() -> None:
    cases = await drilled_with(shared)
    assert found_in(cases) == frozenset()
    assert {case.name for case in cases if case.state is CaseState.UNPROVEN} == {"id-stripped"}


@pytest.mark.parametrize("length", [6, 30])
async def test_a_right_receiver_whose_list_forgets_has_no_finding_and_proves_less(length: int) -> None:
    cases = await drilled_with(lambda effects, _: effects[-length:])
    assert found_in(cases) == frozenset()
    unproven = {case.name for case in cases if case.state is CaseState.UNPROVEN}
    assert unproven >= {"exact-replay", "fresh-again", "twenty-at-once"}


@pytest.mark.parametrize("scheme", ["stripe", "github", "twilio", "salesforce"])
async def test_a_right_receiver_is_shown_to_act_once(scheme: str) -> None:
    cases = await drilled(scheme, now=now, sleep=_no_sleep)
    assert stripped(cases).detail == "the same delivery without id, 3 times, acts once"
    assert found_in(cases) == frozenset()


async def test_where_the_id_is_signed_it_is_refused() -> None:
    cases = await drilled("standard-webhooks", now=now, sleep=_no_sleep)
    assert stripped(cases).detail == "a delivery without id is refused"
