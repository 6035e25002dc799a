"""The engine: values against the schemas of one contract, all in one compiled validator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jsonschema_rs

from contracts import patterns
from contracts.contract import Contract
from contracts.pointers import nodes, of_reference, steps
from contracts.schemas import REQUEST, RESPONSE, Translator

_BACKTRACK_LIMIT = 100_000
_UNFIT = (ValueError, jsonschema_rs.ReferencingError)


class Engine:
    """Compiles when it is first asked: the schema that is asked for and what it needs, then all at once.

    So one look at one message is cheap, and so is the ten-thousandth.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._sides: dict[str, _Side] = {}

    def valid(self, pointer: str, value: Any, direction: str) -> bool:
        """Whether a value is as its schema promises. Raises `TooDeep`."""
        side = self._sides.get(direction) or self.side(direction)
        validator = side.validator(pointer)
        try:
            return validator.is_valid({pointer: value})
        except UnicodeError as exc:
            raise TooDeep("holds half of a pair of UTF-16") from exc
        except ValueError as exc:
            raise TooDeep from exc

    def lost(self, pointer: str, direction: str) -> Mapping[str, str]:
        """What behind a schema cannot be judged: references that lead nowhere, by their places."""
        side = self.side(direction)
        side.validator(pointer)
        return side.lost(pointer)

    def errors(self, pointer: str, value: Any, direction: str) -> list[jsonschema_rs.ValidationError]:
        """Everything that is wrong with it, as the validator says it."""
        return list(self.side(direction).validator(pointer).iter_errors({pointer: value}))

    def side(self, direction: str) -> _Side:
        """The schemas of one direction; both are one where no property is read-only or write-only."""
        key = direction if self._contract.directional else RESPONSE
        if key not in self._sides:
            self._sides[key] = _Side(self._contract, key)
        return self._sides[key]


class TooDeep(Exception):  # noqa: N818 - it says what the value is
    """The value is nested more deeply than the validator follows, or has text that it does not take."""

    def __init__(self, what: str = "is nested too deeply") -> None:
        super().__init__(what)


class _Side:
    def __init__(self, contract: Contract, direction: str) -> None:
        self._contract = contract
        self._translator = Translator(
            contract, direction
        )  # what is translated stays so when more is asked for
        self._validator: jsonschema_rs.Draft202012Validator | None = None
        self._lost: dict[str, dict[str, str]] = {}

    @property
    def schemas(self) -> Mapping[str, Any]:
        """The schemas that are compiled, by pointer."""
        return self._translator.schemas

    def lost(self, pointer: str) -> Mapping[str, str]:
        """The broken references that a schema leads to, and the schemas and patterns that no validator takes."""
        broken = self._translator.broken
        if not broken:
            return {}
        if pointer not in self._lost:
            reached = {pointer}
            ahead = [pointer]
            while ahead:
                new = set(_targets(self._translator.schemas.get(ahead.pop()))) - reached
                reached |= new
                ahead += new
            within = tuple(f"{each}/" for each in reached)
            self._lost[pointer] = {
                at: told for at, told in broken.items() if at in reached or at.startswith(within)
            }
        return self._lost[pointer]

    def validator(self, pointer: str) -> jsonschema_rs.Draft202012Validator:
        """The validator that knows this schema."""
        if self._validator is None or pointer not in self._translator.schemas:
            more = [] if self._validator is None else self._contract.roots()
            self._validator = self._compile([pointer, *more])
        return self._validator

    def _compile(self, roots: Iterable[str]) -> jsonschema_rs.Draft202012Validator:
        wrapper = self._translator.wrapper(roots)
        try:
            return _compiled(wrapper)
        except _UNFIT:
            for pointer, schema in wrapper["properties"].items():
                patterns.mend(schema, pointer, _takes, self._translator.broken)
        try:
            return _compiled(wrapper)
        except _UNFIT:
            _drop_bad_schemas(wrapper["properties"], self._translator.broken)
            return _compiled(wrapper)


def _targets(schema: Any) -> Iterator[str]:
    """The schemas of the wrapper that one refers to."""
    for node in nodes(schema):
        to = of_reference(node.get("$ref"))
        if to is not None and to.startswith("/properties/"):
            yield steps(to)[1]


def _compiled(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        schema,
        validate_formats=True,
        offline=True,
        pattern_options=jsonschema_rs.FancyRegexOptions(backtrack_limit=_BACKTRACK_LIMIT),
    )


def _drop_bad_schemas(schemas: dict[str, Any], broken: dict[str, str]) -> None:
    """What no validator takes promises nothing that could be checked, and is said; the others hold all the same."""
    others = dict.fromkeys(schemas, True)
    for pointer, schema in schemas.items():
        if not _takes({"properties": others | {pointer: schema}}):
            schemas[pointer] = True
            broken.setdefault(pointer, "a schema that no validator takes")


def _takes(schema: dict[str, Any]) -> bool:
    try:
        _compiled(schema)
    except _UNFIT:
        return False
    return True


__all__ = ["REQUEST", "RESPONSE", "Engine", "TooDeep"]
