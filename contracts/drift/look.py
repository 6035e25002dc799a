"""One pair of schemas under comparison, and how what differs is put."""

from __future__ import annotations

import json
from typing import Any

from contracts.drift.shapes import Shape
from contracts.drift.walk import Lane, Noted, Pair, Walk

_WIDTH = 100  # characters of a schema that a finding quotes


class Look:
    """Two shapes that stand for the same. `label`: what they are called; `notes` are kept by the walk."""

    def __init__(self, walk: Walk, pair: Pair, label: str, base: Shape, revision: Shape) -> None:
        self.walk, self.pair, self.label = walk, pair, label
        self.base, self.revision = base, revision

    @property
    def lane(self) -> Lane:
        """The direction."""
        return self.pair.lane

    def note(
        self, rule: str, subject: str, base: str | None, revision: str | None, promised: str, seen: str
    ) -> None:  # fmt: skip
        """Keep a change."""
        self.walk.note(self.pair, Noted(rule, subject, base, revision, promised, seen))

    def add(
        self, suffix: str, what: str, *keywords: str, promised: str | None = None, seen: str | None = None
    ) -> None:
        """Keep a change of the schema itself, at the first of the keywords that is there."""
        pair = self.pair
        base = self.base.at(*keywords) or next(iter(pair.base), None)
        revision = self.revision.at(*keywords) or next(iter(pair.revision), None)
        self.walk.note(
            self.pair,
            Noted(f"{self.lane.side}-{suffix}", f"{self.label} {what}", base, revision, promised, seen),
        )

    def both(self, kind: str) -> bool:
        """Whether both may be of a type."""
        return all(shape.types is None or kind in shape.types for shape in (self.base, self.revision))

    def nullable(self) -> None:
        """Keep it where null is taken on one side alone."""
        if self.base.nullable is self.revision.nullable or self.pair.null_told:
            return
        words = ("null as well", "not null")
        if self.revision.nullable:
            self.add(
                "became-nullable", "may be null now", "nullable", "type", promised=words[1], seen=words[0]
            )
        else:
            self.add("became-not-nullable", "may be null no longer", "nullable", "type",
                     promised=words[0], seen=words[1])  # fmt: skip


def shown(value: Any) -> str:
    """A value in JSON, not too long."""
    return short(json.dumps(value, ensure_ascii=False, default=str))


def short(text: str | None) -> str:
    """A text for a finding; None is nothing."""
    return "nothing" if text is None else text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."
