"""A good answer is judged again by the rate limit that it tells of. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from interlock.answers import Judgement
from interlock.headroom import exhausted_at, lasts, worry
from interlock.records import Headroom, ProbeKind, Reason, State
from probes.probe import Planned

WARN_BELOW = 0.1  # of a limit, where nobody knows whether it lasts
WORTH_A_WORRY = 0.5  # of a limit: with more left, a few requests in a row look like a stampede


def weigh_headroom(judgement: Judgement, planned: Planned) -> Judgement:
    """The headroom probe: by how much of the limit is left. No number is no good answer.

    Where it is known how fast it goes down, it warns only if it will be used up before the reset. What only
    third parties attest, or we merely reckon, is told and settles nothing.
    """
    if judgement.state is not State.OPERATIONAL:
        return judgement
    told = [room for room in judgement.headrooms if room.ratio is not None]
    if not told:
        return _untold(judgement)
    sure = [room for room in told if room.confidence == "high"]
    if not sure:
        detail = f"{_left(_least(told))}, as far as is attested"
        return dataclasses.replace(judgement, detail=detail)
    least = _least(sure)
    if least.remaining == 0:
        return dataclasses.replace(
            judgement,
            state=State.THROTTLED,
            reason=Reason.QUOTA_EXHAUSTED,
            detail=_left(least),
            retry_at=least.reset_at,
        )
    own = planned.integration.probe_settings(ProbeKind.HEADROOM).warn_below
    low = [room for room in sure if _is_low(room, own)]
    paced = weigh_pace(judgement)
    if paced is judgement and low:
        detail = _left(_least(low))
        paced = dataclasses.replace(
            judgement, state=State.DEGRADED, reason=Reason.LOW_HEADROOM, detail=detail
        )
    return paced if paced is not judgement else dataclasses.replace(judgement, detail=_left(least))


def weigh_pace(judgement: Judgement) -> Judgement:
    """A good answer by which a limit will be used up before its reset is degraded; any other stays as it is."""
    if judgement.state is not State.OPERATIONAL:
        return judgement
    worries = [
        (end, sentence)
        for room in judgement.headrooms
        if room.confidence == "high"
        and (room.ratio is None or room.ratio <= WORTH_A_WORRY)
        and (end := exhausted_at(room))
        and (sentence := worry(room))
    ]
    if not worries:
        return judgement
    return dataclasses.replace(
        judgement, state=State.DEGRADED, reason=Reason.LOW_HEADROOM, detail=min(worries)[1]
    )


def _is_low(room: Headroom, own: float | None) -> bool:
    """Little is left, and it is not known to last; a bar that the settings name holds in any case."""
    ratio = 1.0 if room.ratio is None else room.ratio
    return ratio < own if own is not None else ratio < WARN_BELOW and not lasts(room)


def _least(rooms: Sequence[Headroom]) -> Headroom:
    return min(rooms, key=lambda room: room.ratio or 0.0)


def _untold(judgement: Judgement) -> Judgement:
    reason, detail = Reason.NOT_TOLD, "the answer says nothing of a rate limit"
    if judgement.headrooms:
        detail = "the answer names no limit and remainder that go together"
    elif judgement.unread:
        reason = Reason.UNREADABLE
        detail = "the rate limit cannot be read: " + "; ".join(map(str, judgement.unread[:3]))
    return dataclasses.replace(judgement, state=State.UNKNOWN, reason=reason, detail=detail)


def _left(room: Headroom) -> str:
    return f"{room.remaining:g} of {room.limit:g} {room.unit} left in {room.bucket}"
