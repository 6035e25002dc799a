"""What the alternatives of one document come to: whether null is among them, and the values that they list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.drift import keywords
from contracts.drift.keywords import ANNOTATIONS

_MAX_NESTED = 4  # alternatives within alternatives that are read as one list
_MAX_VALUES = 2_000
_BESIDE_VALUES = ANNOTATIONS | {"type", "nullable", "x-nullable"}

Values = dict[str, Any]


class Unions:
    """Asks each schema of a document once, so that unions that hold each other stay cheap.

    `_null`: whether a union takes null, `_values`: what one schema lists, down to a depth; both by identity, and
    only of what stands in the document, which outlives them.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._null: dict[int, bool] = {}
        self._values: dict[tuple[int, int], Values | None] = {}

    def takes_null(self, node: Mapping[str, Any]) -> bool:
        """Whether null is among what a schema takes."""
        types = keywords.named_types(node)
        if types and "null" not in types:
            return False
        if isinstance(node.get("enum"), list) and None not in node["enum"]:
            return False
        if "const" in node and node["const"] is not None:
            return False
        return all(any(map(self._branch_takes_null, branches)) for branches in keywords.choices(node))

    def _branch_takes_null(self, node: Any) -> bool:
        said = self._said(node)
        if isinstance(said, bool):
            return said
        if id(said) not in self._null:
            self._settle(said)
        return self._null[id(said)]

    def _said(self, node: Any) -> bool | Mapping[str, Any]:
        """Whether an alternative takes null: yes, too, if it says nothing at all. The union whose branches tell."""
        node = keywords.meant(node, self._document, stop=keywords.welcomes_null)
        if not isinstance(node, Mapping):
            return node is not False
        types = keywords.named_types(node)
        if keywords.welcomes_null(node) or "null" in types or None in keywords.listed(node, "enum"):
            return True
        if not node.keys() - ANNOTATIONS:
            return True
        return node if not types and keywords.choices(node) else False

    def _settle(self, union: Mapping[str, Any]) -> None:
        """Answer for a union and all that it leads to: first those that say so, then whoever holds one of them."""
        held: dict[int, list[set[int]]] = {}
        stack = [union]
        while stack:
            each = stack.pop()
            if id(each) in held or id(each) in self._null:
                continue
            told = [[self._said(branch) for branch in branches] for branches in keywords.choices(each)]
            open_ = [said for said in told if True not in said]
            inner = [[one for one in said if not isinstance(one, bool)] for said in open_]
            held[id(each)] = [{id(one) for one in group} for group in inner]
            stack += [one for group in inner for one in group]
        taking = {name for name, takes in self._null.items() if takes}
        found = True
        while found:
            found = False
            for name, groups in reversed(held.items()):  # the innermost first
                if name not in taking and not any(map(taking.isdisjoint, groups)):
                    taking.add(name)
                    found = True
        self._null |= {name: name in taking for name in held}

    def listed(self, node: Mapping[str, Any], keyword: str) -> Values | None:
        """The values of all alternatives other than null, where they do no more than list some; else None.

        None, too, for a single one, which is what is meant, where one value is in two of `oneOf`, and where there
        are too many to be a list.
        """
        return self._of_alternatives(node, keyword, _MAX_NESTED, least=2)

    def _of_alternatives(
        self, node: Mapping[str, Any], keyword: str, left: int, *, least: int
    ) -> Values | None:
        made: Values = {}
        lists = named = 0
        for _, each in keywords.alternatives(node, "", keyword):
            if keywords.is_null(keywords.meant(each, self._document)):
                continue
            mine = self._only_values(each, left)
            if mine is None or named + len(mine) > _MAX_VALUES:
                return None
            lists, named = lists + 1, named + len(mine)
            made.update(mine)
        return made if lists >= least and (keyword == "anyOf" or len(made) == named) else None

    def _only_values(self, node: Any, left: int) -> Values | None:
        """The values to which it is bound, where they are all that it says: true and false, too; else None."""
        node = keywords.meant(node, self._document)
        if not isinstance(node, Mapping) or left <= 0:
            return None
        key = id(node), left
        if key not in self._values:
            self._values[key] = self._read(node, left)
        return self._values[key]

    def _read(self, node: Mapping[str, Any], left: int) -> Values | None:
        said = node.keys() - _BESIDE_VALUES
        if said in ({"anyOf"}, {"oneOf"}):
            return self._of_alternatives(node, said.pop(), left - 1, least=1)
        if said - {"const", "enum"}:
            return None
        if keywords.bound(node):
            return dict(keywords.values(node))
        return dict(keywords.TRUTH) if keywords.named_types(node) == ["boolean"] else None
