"""What the drill plans, hears and is set up with: frozen records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from contracts.webhooks.configure import Receiver
from contracts.webhooks.drill.profiles import Profile
from contracts.webhooks.records import Delivery, Keys


class Expect(StrEnum):
    """What a right receiver answers."""

    TAKEN = "taken"  # 2xx
    REFUSED = "refused"  # 4xx: it is a forgery
    STALE = "refused, it is old"
    FUTURE = "refused, it is from the future"
    DOWNGRADED = "refused, its signature is of a weaker version"
    LISTED = "taken, whatever the type"
    CALM = "taken or refused, without a 5xx and in time"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the provider wants to read in an answer: in words, and how it is seen."""

    words: str
    seen: Callable[[Heard], bool]


@dataclass(frozen=True, slots=True)
class EventPayloads:
    """One type of event: its name in the contract, and what stands at the type's place; None: the payloads say it.

    `example`: the contract's own, None where it has none. `made`: from the schema.
    """

    type: str
    kind: str | None
    example: object | None
    made: tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One delivery. `effects`: how often the event may act, None: not judged. `at_once`: copies sent together.

    `event_id` None with `effects`: nothing names its effects; in a watched case they are told from those around it.
    `slowly`: the body comes in pieces. `answer`: what the answer must say. `about`: which one of many it is.
    """

    delivery: Delivery
    expect: Expect
    event_id: str | None = None
    effects: int | None = None
    at_once: int = 1
    slowly: bool = False
    answer: Wanted | None = None
    about: str = ""


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Why a case cannot be decided. `missing`: it could be, if the user told more: unproven, not inapplicable."""

    reason: str
    source: str = ""
    missing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What cases are made of. `now`: epoch seconds. `wrong`: keys that the receiver does not hold.

    `run` makes the ids of this run its own. `retries`: what the provider does after an answer that is not 2xx, in
    the catalogue's words, empty if not known.
    `accepts`: the statuses that it takes for delivered, None: every 2xx.
    `document`: the user's payload, None: the profile's. `events`: what its contract says of each type, none if none is
    known; `contract_digest`: of that contract.
    """

    receiver: Receiver
    profile: Profile
    keys: Keys
    wrong: Keys
    url: str
    now: float
    run: str
    retries: str = ""
    accepts: frozenset[int] | None = None
    document: object = None
    events: tuple[EventPayloads, ...] = ()
    contract_digest: str | None = None
    oversize_bytes: int = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One case. `proves`: one sentence. `make`: its deliveries, or why it cannot be decided.

    `by_effects`: the answers alone prove nothing. `watched`: the effects are read after each of its deliveries.
    """

    name: str
    proves: str
    make: Callable[[Bench], tuple[Shot, ...] | WhyNot]
    by_effects: bool = False
    watched: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """A case with its deliveries, or why there are none."""

    row: Row
    made: tuple[Shot, ...] | WhyNot

    @property
    def shots(self) -> tuple[Shot, ...]:
        """The deliveries; none where the case cannot be decided."""
        return () if isinstance(self.made, WhyNot) else self.made


@dataclass(frozen=True, slots=True)
class Watched:
    """The effects around one case, how often each name. `before`: before the drill; `after`: after each delivery.

    `ids`: all that the drill sends.
    """

    before: Mapping[str, int]
    after: tuple[Mapping[str, int], ...]
    ids: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What the receiver has done. `count`: how often each id, in all looks; `around`: by case, where it is watched.

    `forgets`: what one look showed was gone in a later one, so what is missing may have been there.
    """

    count: Mapping[str, int]
    around: Mapping[str, Watched] = field(default_factory=dict)
    forgets: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back. `status` None: no answer, and `problem` says why. `hung`: the deadline passed."""

    status: int | None
    seconds: float
    problem: str = ""
    hung: bool = False
    body: bytes = field(default=b"", repr=False)

    @property
    def taken(self) -> bool:
        """Whether the receiver says that it let it in: any 2xx."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004

    @property
    def failed(self) -> bool:
        """A 5xx."""
        return self.status is not None and self.status >= 500  # noqa: PLR2004

    @property
    def words(self) -> str:
        """For a finding."""
        return self.problem if self.status is None else f"it was answered with {self.status}"
