"""What a contract says of elements of XML, place by place: each worked out once, behind its references."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.dotted import written
from contracts.pointers import MISSING, follow, join, of_reference
from contracts.values import types_of

_MAX_HOPS = 16


@dataclass(frozen=True, slots=True)
class Shape:
    """What one place says.

    `at`: where the schema stands, behind its references. `how`: OpenAPI's `xml` of it. `types`: its own, or those of
    what it is made of. `members`: where the schema of each stands, `branches`: where those of `oneOf` and `anyOf` do,
    both with those of `allOf`. `items`, `others`: where the schema of a list's items and of unnamed members stands.
    """

    at: str
    schema: Any = None
    how: Mapping[str, Any] = field(default_factory=dict)
    types: frozenset[str] = frozenset()
    members: Mapping[str, str] = field(default_factory=dict)
    branches: tuple[str, ...] = ()
    items: str | None = None
    others: str | None = None
    required: frozenset[str] = frozenset()

    @property
    def closed(self) -> bool:
        """Whether it takes no member but those that it names."""
        return isinstance(self.schema, Mapping) and self.schema.get("additionalProperties") is False


class Shapes:
    """The shapes of one document, made when asked for."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._made: dict[str, Shape] = {}

    def at(self, pointer: str) -> Shape:
        """The shape at a place; a schema that is made of itself adds nothing to itself."""
        if pointer not in self._made:
            self._made[pointer] = Shape(pointer)
            self._made[pointer] = self._shape(pointer)
        return self._made[pointer]

    def branches(self, shape: Shape) -> list[Shape]:
        """The shapes of its branches, without the one that is null alone."""
        return [each for at in shape.branches if (each := self.at(at)).types != {"null"}]

    def _shape(self, pointer: str) -> Shape:
        end, schema = self._resolved(pointer)
        if not isinstance(schema, Mapping):
            return Shape(end)
        parts = [self.at(join(end, "allOf", index)) for index in range(len(_listed(schema, "allOf")))]
        own = schema.get("properties")
        named = {str(name): join(end, "properties", name) for name in own} if isinstance(own, Mapping) else {}
        branches = [
            join(end, key, index) for key in ("oneOf", "anyOf") for index in range(len(_listed(schema, key)))
        ]
        items = join(end, "items") if "items" in schema else None
        others = isinstance(schema.get("additionalProperties"), Mapping)
        return Shape(
            end,
            schema,
            written(follow(self._document, pointer), schema),
            frozenset(types_of(schema) or {name for each in parts for name in each.types}),
            {name: at for each in parts for name, at in each.members.items()} | named,
            tuple(branch for each in parts for branch in each.branches) + tuple(branches),
            items or next((each.items for each in parts if each.items), None),
            join(end, "additionalProperties") if others else None,
            frozenset(map(str, _listed(schema, "required"))).union(*(each.required for each in parts)),
        )

    def _resolved(self, pointer: str) -> tuple[str, Any]:
        for _ in range(_MAX_HOPS):
            node = follow(self._document, pointer)
            target = of_reference(node.get("$ref")) if isinstance(node, Mapping) else None
            if target is None:
                return pointer, None if node is MISSING else node
            pointer = target
        return pointer, None


def _listed(schema: Mapping[str, Any], name: str) -> list[Any]:
    found = schema.get(name)
    return found if isinstance(found, list) else []
