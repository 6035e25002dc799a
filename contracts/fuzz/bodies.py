"""Bodies that schemathesis passes over: those that are neither JSON nor YAML, and what references hide from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.contract import Contract, Media, Operation
from contracts.engine import RESPONSE, Engine, TooDeep
from contracts.explain import explain
from contracts.media import chosen, essence, is_json, read
from contracts.values import Coercer

if TYPE_CHECKING:
    from schemathesis import Response


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """One thing that is wrong with a body. `pointer`: in its value."""

    pointer: str
    seen: str


class Bodies:
    """Judges them as `verify` does."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._engine = Engine(contract)
        self._coercer = Coercer(contract.document)

    def unjudged(self, operation: Operation, response: Response) -> str | None:
        """Why nobody can say whether the body is as promised; None where somebody can."""
        media = self._media(operation, response)
        if media is None or media.schema is None or not response.content:
            return None
        if lost := self._engine.lost(media.schema, RESPONSE):
            return f"a reference of its contract leads nowhere: {next(iter(lost.values()))}"
        kind = _kind(response)
        if _is_schemathesis(kind):
            return None
        if response.content_size > len(response.content):
            return "an answer is too large to be judged"
        got = read(response.content, kind, media, self._coercer)
        free = self._coercer.is_free(media.schema)
        return None if got.opaque is None or free else f"an answer could not be judged: {got.opaque}"

    def wrong(self, operation: Operation, response: Response) -> Iterator[Wrong]:
        """What is wrong with a body that schemathesis does not judge."""
        media, kind = self._media(operation, response), _kind(response)
        body = response.content
        if media is None or media.schema is None or not body or _is_schemathesis(kind):
            return
        got = read(body, kind, media, self._coercer)
        if got.problem is not None:
            yield Wrong(pointer="", seen=f"the body {got.problem}")
        elif got.opaque is None:
            try:
                if not self._engine.valid(media.schema, got.value, RESPONSE):
                    broken = explain(self._engine, self._contract, media.schema, got.value, RESPONSE)
                    yield from (
                        Wrong(pointer=each.pointer, seen=f"{each.promised} is promised, and {each.seen} came")
                        for each in broken
                        if each.keyword != "ambiguous"
                    )
            except TooDeep:
                return

    def _media(self, operation: Operation, response: Response) -> Media | None:
        answer = operation.answer(response.status_code)
        kind = _kind(response)
        return chosen(answer.media, kind) if answer is not None and kind else None


def _kind(response: Response) -> str:
    return next(iter(response.headers.get("content-type") or ()), "")


def _is_schemathesis(kind: str) -> bool:
    name = essence(kind)
    return is_json(name) or "yaml" in name
