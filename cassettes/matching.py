"""Which recorded interaction answers a request: by method, path and query as vcrpy matches, in recorded order."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qsl, unquote, urlsplit

from cassettes.redact.placeholders import stands
from interlock.records import Interaction

Query = tuple[tuple[str, str], ...]
_ANY_METHOD = "ANY"  # of WireMock


class Tape:
    """Recorded interactions, each given once, or again where `repeats` is set.

    A recording has placeholders where secrets were: they fit whatever stands there now.
    """

    def __init__(self, interactions: Iterable[Interaction], *, repeats: bool = False) -> None:
        self._repeats = repeats
        self._left: dict[str, list[Interaction]] = {}
        self._given: dict[str, list[Interaction]] = {}
        self.played = 0
        for each in interactions:
            self._left.setdefault(_shape(urlsplit(each.url).path), []).append(each)

    def __len__(self) -> int:
        """How many have not been given yet."""
        return sum(map(len, self._left.values()))

    def take(self, method: str, url: str) -> Interaction | None:
        """The first that fits and was not given; with `repeats`, the last that was. None where none fits.

        `url`: with a host where the host matters; a target such as `/v1/orders?a=1` where it does not.
        """
        shape = _shape(urlsplit(url).path)
        for place, each in enumerate(self._left.get(shape, ())):
            if fits(each, method, url):
                self._given.setdefault(shape, []).append(self._left[shape].pop(place))
                self.played += 1
                return each
        if self._repeats:
            again = (each for each in reversed(self._given.get(shape, [])) if fits(each, method, url))
            if (found := next(again, None)) is not None:
                self.played += 1
                return found
        return None


def fits(recorded: Interaction, method: str, url: str) -> bool:
    """Whether a recorded interaction answers a request."""
    if recorded.method not in {method, _ANY_METHOD}:
        return False
    asked, kept = urlsplit(url), urlsplit(recorded.url)
    if asked.netloc and kept.netloc and _place(asked) != _place(kept):
        return False
    return same_path(asked.path, kept.path) and same_query(query(asked.query), query(kept.query))


def query(text: str) -> Query:
    """The pairs of a query, sorted, as vcrpy compares them."""
    return tuple(sorted(parse_qsl(text, keep_blank_values=True)))


def _place(parts: object) -> tuple[str | None, int | None]:
    host, port = parts.hostname, parts.port  # type: ignore[attr-defined]
    return host, port or {"http": 80, "https": 443}.get(parts.scheme)  # type: ignore[attr-defined]


def _shape(path: str) -> str:
    """What paths with and without placeholders have in common: the number of their parts."""
    return str(path.rstrip("/").count("/"))


def same_path(asked: str, kept: str) -> bool:
    """Whether two paths are equal, a placeholder standing for any part."""
    if (asked or "/") == (kept or "/"):
        return True
    ours, theirs = asked.split("/"), kept.split("/")
    return len(ours) == len(theirs) and all(
        one == other or stands(unquote(other)) for one, other in zip(ours, theirs, strict=True)
    )


def same_query(asked: Query, kept: Query) -> bool:
    """Whether two queries are equal, a placeholder standing for any value."""
    if asked == kept:
        return True
    if len(asked) != len(kept):
        return False
    left = list(asked)
    for name, value in sorted(
        kept, key=lambda pair: stands(pair[1])
    ):  # those that fit one value alone go first
        found = next((p for p in left if p[0] == name and (p[1] == value or stands(value))), None)
        if found is None:
            return False
        left.remove(found)
    return True
