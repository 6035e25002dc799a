"""Which operation, status, media type or header of one contract is which of the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from contracts.contract import Answer, Media, Operation
from contracts.drift.naming import normal
from contracts.media import essence

_T = TypeVar("_T")


def operations(
    base: Sequence[Operation], revision: Sequence[Operation]
) -> Iterator[tuple[Operation | None, Operation | None]]:
    """Pairs of operations: by path, by path without the names of its places, by path with that of the server.

    Then those that stand at the same place in either document, as operations with names of their own do.
    Where a path has one operation of a method on either side, a parameter that would tell it apart is compared.
    """
    left, matched = list(revision), dict[int, Operation]()
    keys: tuple[Callable[[Operation], object], ...] = (
        lambda o: (o.method, o.path, o.selectors),
        lambda o: (o.method, normal(o.path), o.selectors),
        lambda o: (o.method, normal(o.bases[0] + o.path), o.selectors),
        lambda o: (o.method, normal(o.path), o.pointer),  # told apart by more or less now
    )
    for key in keys:
        known: dict[object, list[Operation]] = {}
        for each in left:
            known.setdefault(key(each), []).append(each)
        for index, each in enumerate(base):
            if index not in matched and (found := known.get(key(each))):
                matched[index] = found.pop(0)
        taken = {id(each) for each in matched.values()}
        left = [each for each in left if id(each) not in taken]
    one, two = _alone(base), _alone(revision)
    unmatched = {id(each): each for each in left}
    for index, each in enumerate(base):
        other = two.get(_asked(each)) if index not in matched and _asked(each) in one else None
        if other is not None and id(other) in unmatched and _told_by_parameters(each, other):
            matched[index] = unmatched.pop(id(other))
    yield from ((each, matched.get(index)) for index, each in enumerate(base))
    yield from ((None, each) for each in unmatched.values())


def _asked(operation: Operation) -> tuple[str, str]:
    return operation.method, normal(operation.path)


def _alone(operations: Sequence[Operation]) -> dict[tuple[str, str], Operation]:
    """The operations that are the only one of their method and path."""
    counts = Counter(map(_asked, operations))
    return {_asked(each): each for each in operations if counts[_asked(each)] == 1}


def _told_by_parameters(one: Operation, two: Operation) -> bool:
    """Whether all that tells them from each other is among their parameters."""
    places = ({(p.place, p.name) for p in each.parameters} for each in (one, two))
    apart = {(s.place, s.name) for s in {*one.selectors} ^ {*two.selectors}}
    return all(apart <= mine for mine in places)


def statuses(
    base: Sequence[Answer], revision: Sequence[Answer]
) -> Iterator[tuple[Answer | None, Answer | None]]:
    """Answers of one status; `2XX` stands for a status that the other side does not name."""
    before, after = ({each.status: each for each in side} for side in (base, revision))
    _as_success(before, after)
    used = set()
    for status, one in before.items():
        name = status if status in after else f"{status[0]}XX"
        used.add(name)
        if name in after or name != status or not any(each[0] == status[0] for each in after):
            yield one, after.get(name)
    for status, two in after.items():
        if status not in used:
            yield before.get(f"{status[0]}XX"), two


def _as_success(before: dict[str, Answer], after: dict[str, Answer]) -> None:
    """Where one side has no other answer of success, its `default` stands for those of the other."""
    for side, other in ((before, after), (after, before)):
        good = [status for status in other if status.startswith("2")]
        if "default" in side and good and not any(status.startswith("2") for status in side):
            side.update(dict.fromkeys(good, side["default"]))


def media_types(
    before: Sequence[Media], after: Sequence[Media], *, sent: bool
) -> Iterator[tuple[Media | None, Media | None]]:
    """Media types: as they are written, by type and subtype, by the range that they are within."""
    found = pairs(before, after, (lambda m: _plain(m.media_type), lambda m: essence(m.media_type)))
    return _ranged(found, before, after, sent=sent)


def _ranged(
    found: Iterable[tuple[Media | None, Media | None]],
    before: Sequence[Media],
    after: Sequence[Media],
    *,
    sent: bool,
) -> Iterator[tuple[Media | None, Media | None]]:
    """A range such as `*/*` stands for what is within it: what is taken in a wider one now, or came in one before."""
    befores, afters = _ranges(before), _ranges(after)
    for one, two in found:
        if one is not None and two is None and sent:
            yield one, next((each for each in afters if _is_within(one, each)), None)
        elif one is None and two is not None and not sent:
            yield next((each for each in befores if _is_within(two, each)), None), two
        elif (
            one is None
            or two is not None
            or not (_ranges([one]) and any(_is_within(each, one) for each in after))
        ):
            yield one, two


def _ranges(media: Sequence[Media]) -> list[Media]:
    """Those that stand for others, of which there are few."""
    return [each for each in media if essence(each.media_type).endswith("*")]


def _is_within(media: Media, wide: Media) -> bool:
    name, span = essence(media.media_type), essence(wide.media_type)
    return name != span and (span in {"*/*", "*"} or (span.endswith("/*") and name.startswith(span[:-1])))


def _plain(media_type: str) -> str:
    return media_type.replace(" ", "").lower()


def pairs(
    before: Sequence[_T], after: Sequence[_T], keys: Sequence[Callable[[_T], object]]
) -> Iterator[tuple[_T | None, _T | None]]:
    """Those of one key; what is left by the next key."""
    left, right = list(before), list(after)
    for key in keys:
        known: dict[object, list[_T]] = {}
        for two in right:
            known.setdefault(key(two), []).append(two)
        alone = []
        for one in left:
            if found := known.get(key(one)):
                yield one, found.pop(0)
            else:
                alone.append(one)
        left, right = alone, [two for found in known.values() for two in found]
    yield from ((one, None) for one in left)
    yield from ((None, two) for two in right)
