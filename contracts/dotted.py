"""Forms whose names are steps with dots between them, as AWS's query protocol writes structures, lists and maps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from contracts.values import Coercer, types_of

_MAX_DEPTH = 24


def value(fields: Iterable[tuple[str, str]], pointer: str | None, coercer: Coercer) -> dict[str, Any]:
    """`Tags.member.1.Key=a` as `{"Tags": [{"Key": "a"}]}`, where the schema says so; all else stays as it is."""
    tree: dict[str, Any] = {}
    for name, text in fields:
        _put(tree, name.split(".")[:_MAX_DEPTH], text)
    made = _shaped(tree, coercer.schema_at(pointer), coercer, _MAX_DEPTH)
    return made if isinstance(made, dict) else tree


def _put(into: dict[str, Any], steps: list[str], text: str) -> None:
    for step in steps[:-1]:
        inner = into.get(step)
        if not isinstance(inner, dict):
            inner = into[step] = {} if inner is None else {"": inner}
        into = inner
    before = into.get(steps[-1])
    if isinstance(before, dict):  # both `Tags=a` and `Tags.member.1=b` were sent
        before[""] = text
    else:
        into[steps[-1]] = text


def _shaped(tree: Any, schema: Any, coercer: Coercer, left: int) -> Any:
    plain = coercer.plain(schema)
    if not isinstance(plain, Mapping) or left <= 0:
        return tree
    how = written(schema, plain)
    if "array" in types_of(plain):
        items = plain.get("items")
        within = written(items, None).get("name", "member") if how.get("wrapped") is True else None
        listed = [] if tree == "" else _numbered(tree, within)
        return tree if listed is None else [_shaped(each, items, coercer, left - 1) for each in listed]
    if not isinstance(tree, dict):
        return tree
    if (names := map_names(how)) is not None:
        return _map(tree, names, plain, coercer, left, flat=how.get("x-flattened") is True)
    known = plain.get("properties")
    inner = known if isinstance(known, Mapping) else {}
    return {name: _shaped(each, inner.get(name), coercer, left - 1) for name, each in tree.items()}


def _map(
    tree: dict[str, Any],
    names: tuple[str, str],
    schema: Mapping[str, Any],
    coercer: Coercer,
    left: int,
    *,
    flat: bool,
) -> Any:
    listed = _numbered(tree, None if flat else "entry")
    if listed is None or not all(isinstance(each, dict) and names[0] in each for each in listed):
        return tree
    values = schema.get("additionalProperties")
    return {
        str(each[names[0]]): _shaped(each.get(names[1], ""), values, coercer, left - 1) for each in listed
    }


def _numbered(tree: Any, within: str | None) -> list[Any] | None:
    """The members of a list in their order, `within` a step of their own; None where they are not so."""
    if within is not None:
        tree = tree[within] if isinstance(tree, dict) and set(tree) == {within} else None
    if not isinstance(tree, dict) or not all(name.isdecimal() and len(name) < 8 for name in tree):  # noqa: PLR2004
        return None
    return [tree[name] for name in sorted(tree, key=int)]


def map_names(how: Mapping[str, Any]) -> tuple[str, str] | None:
    """What key and value of a map's entries are called; None for what is written otherwise."""
    names = how.get("x-map")
    if isinstance(names, list) and len(names) == 2 and all(isinstance(each, str) for each in names):  # noqa: PLR2004
        return names[0], names[1]
    return None


def written(schema: Any, plain: Any) -> dict[str, Any]:
    """How a value is written, as a member and as what it is: OpenAPI's `xml` of both."""
    found: dict[str, Any] = {}
    for each in (plain, schema):
        said = each.get("xml") if isinstance(each, Mapping) else None
        found |= said if isinstance(said, Mapping) else {}
    return found
