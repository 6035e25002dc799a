"""How often a delivery without an event id acted, told from the effects around it. Pure.

Such an effect bears no id that the drill has sent, and so does one of anybody else's. What tells them apart is when
they come: effects of the drill's own come whenever it sends without an id, and never when it sends with one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from contracts.webhooks.drill.records import Heard, Shot, Watched

ONCE = "the same delivery without id acts once at most"
_REFUSED = "a delivery without id is refused"
_UNSEEN = "a delivery without id does not break it, and --effects shows nothing that it did"
FORGETS = "--effects lost what it had shown before, so how often it acted cannot be told"
_BEHIND = "--effects did not show the valid deliveries beside it in time, so what acted without an id cannot be counted"


@dataclass(frozen=True, slots=True)
class Told:
    """`acted`: how often, where it did so each time it came; else 0. Otherwise one of the two others says what is."""

    acted: int = 0
    proven: str = ""
    unproven: str = ""


def is_nameless(shot: Shot) -> bool:
    """Whether its effects are to be counted, and no id of ours names them."""
    return shot.event_id is None and shot.effects is not None


def tell(shots: Sequence[Shot], heard: Sequence[Sequence[Heard]], watched: Watched) -> Told:
    """What the looks prove of the deliveries without id, each of which is followed by one with an id."""
    at = [turn for turn, shot in enumerate(shots) if is_nameless(shot)]
    came = [_strangers(one, other, watched.ids) for one, other in pairwise((watched.before, *watched.after))]
    with_it = [came[turn] + came[turn + 1] for turn in at]
    total, within = sum(came), sum(came[1:])
    if all(with_it) and sum(with_it) == total:
        return Told(acted=total)
    if not any(answer.taken for turn in at for answer in heard[turn]):
        return Told(proven=_REFUSED)
    if any(gone(one, other) for one, other in pairwise((watched.before, *watched.after))):
        return Told(unproven=FORGETS)
    if any(
        shot.event_id not in seen for shot, seen in zip(shots, watched.after, strict=True) if shot.event_id
    ):
        return Told(unproven=_BEHIND)
    if within > 1:
        return Told(
            unproven=f"{within} effects of ids that the drill did not send came meanwhile, "
            "and whether its delivery without id is behind them cannot be told"
        )
    return Told(proven=f"the same delivery without id, {len(at)} times, acts once" if within else _UNSEEN)


def _strangers(one: Mapping[str, int], other: Mapping[str, int], ours: frozenset[str]) -> int:
    """How many effects came from one look to the other that bear no id of ours."""
    return sum(max(0, count - one.get(name, 0)) for name, count in other.items() if name not in ours)


def gone(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    """Whether what one look showed is missing in the other."""
    return any(other.get(name, 0) < count for name, count in one.items())
