"""What schemathesis passes over in bodies: what is neither JSON nor YAML, what is called so, what references hide."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.contract import Contract, Media, Operation
from contracts.engine import RESPONSE, Engine, TooDeep
from contracts.explain import explain
from contracts.media import chosen, essence, is_json, read
from contracts.pointers import join
from contracts.values import Coercer

if TYPE_CHECKING:
    from schemathesis import Response

_NAMES = (b"NaN", b"Infinity")
_MOST = 20  # that are told of one body: thousands say no more


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
        for place, name in itertools.islice(constants(response).items(), _MOST):
            yield Wrong(pointer=place, seen=f"the body is not JSON, which has no {name}")
        if media is None or media.schema is None or not body or _is_schemathesis(kind):
            return
        got = read(body, kind, media, self._coercer)
        if got.problem is not None:
            yield Wrong(pointer="", seen=f"the body {got.problem}")
        elif got.opaque is None:
            yield from self._explained(media.schema, got.value)

    def leaves(self, operation: Operation, response: Response) -> tuple[Wrong, ...]:
        """What is wrong with JSON that fits no branch: of the branch that was most likely meant."""
        media = self._media(operation, response)
        if media is None or media.schema is None:
            return ()
        got = read(response.content, _kind(response), media, self._coercer)
        return tuple(self._explained(media.schema, got.value)) if got.problem is got.opaque is None else ()

    def _explained(self, schema: str, value: Any) -> Iterator[Wrong]:
        try:
            if not self._engine.valid(schema, value, RESPONSE):
                broken = explain(self._engine, self._contract, schema, value, RESPONSE)
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


class _Constant(float):
    """Where a body says so, though JSON has no word for it."""

    name: str


def _constant(name: str) -> _Constant:
    made = _Constant(name)
    made.name = name
    return made


_DECODER = json.JSONDecoder(parse_constant=_constant)


def constants(response: Response) -> dict[str, str]:
    """NaN, Infinity and -Infinity by their places, in what is called JSON: schemathesis takes them for null."""
    if not is_json(essence(_kind(response))) or not any(name in response.content for name in _NAMES):
        return {}
    try:
        value = _DECODER.decode(response.content.decode("utf-8-sig"))
    except (ValueError, RecursionError):  # which schemathesis says
        return {}
    ahead: list[tuple[str, Any]] = [("", value)]
    found = {}
    while ahead:
        at, value = ahead.pop()
        if isinstance(value, _Constant):
            found[at] = value.name
        elif isinstance(value, dict | list):
            inner = value.items() if isinstance(value, dict) else enumerate(value)
            ahead += [(join(at, key), each) for key, each in inner][::-1]
    return found


def _kind(response: Response) -> str:
    return next(iter(response.headers.get("content-type") or ()), "")


def _is_schemathesis(kind: str) -> bool:
    name = essence(kind)
    return is_json(name) or "yaml" in name
