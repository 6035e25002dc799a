"""What exactly is wrong with a value: from the validator's errors to the leaves of the nearest branch."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import jsonschema_rs

from contracts.contract import Contract
from contracts.engine import Engine, TooDeep
from contracts.gathering import gathered
from contracts.placeholders import in_text, is_placeholder
from contracts.pointers import MISSING, escape, follow, join, number
from contracts.schemas import NULL_GUARD

MAX_TEXT = 120
OF_MANY = "has so many faults that not all were looked for"
_AMBIGUOUS = "ambiguous"
_INDEX = re.compile(r"/\d+(?=/|$)")
_MANY = 12  # options that are listed
_ENOUGH = 500  # faults by one keyword of the contract that are looked into
_NAMED = 50  # unknown members that are named one by one
_SAID = {
    "uniqueItems": "no item twice",
    "contains": "an item of a kind that is not among them",
    "falseSchema": "nothing",
    "unevaluatedItems": "no more items",
}


@dataclass(frozen=True, slots=True)
class Broken:
    """One thing that is wrong. `pointer`: in the value; `contract_pointer`: the keyword that says so.

    `keyword`: of JSON Schema, or `ambiguous` where two branches of oneOf hold. `placeholder`: the value was put
    there by whoever redacted the recording, so nothing can be said. `of_many`: there were so many faults in all that
    not every one was looked for.
    """

    pointer: str
    contract_pointer: str
    keyword: str
    promised: str
    seen: str
    placeholder: bool = False
    of_many: bool = False


def explain(engine: Engine, contract: Contract, pointer: str, value: Any, direction: str) -> list[Broken]:
    """Everything that is wrong with a value, each at its exact place; like faults of a list's items are one.

    Of a value that is wrong all over its front is told. Raises `TooDeep`.
    """
    explainer = _Explainer(contract, engine.side(direction).schemas)
    found: dict[tuple[str, str, str], list[Broken]] = {}
    looked_at: Counter[str] = Counter()
    errors, whole = _errors(engine, pointer, value, direction)
    for error in errors:
        by = "/".join(map(str, error.schema_path))
        looked_at[by] += 1
        if looked_at[by] > _ENOUGH:  # of so many like faults the first are enough
            continue
        for broken in explainer.leaves(error, value):
            place = broken.pointer.rpartition("/")[0] if broken.keyword == "propertyNames" else broken.pointer
            like = (_INDEX.sub("/*", place), broken.keyword, broken.contract_pointer)
            same = found.setdefault(like, [])
            if all(each.pointer != broken.pointer for each in same):
                same.append(broken)
    _drop_consequences(found)
    told = (replace(_one_of(same), of_many=not whole) for same in found.values())
    return sorted(told, key=lambda each: (_natural(each.pointer), each.keyword))


def _errors(engine: Engine, pointer: str, value: Any, direction: str) -> tuple[list[Any], bool]:
    try:
        return gathered(engine, pointer, value, direction)
    except ValueError as exc:  # to say that it is wrong less of it had to be looked at
        raise TooDeep from exc


def _drop_consequences(found: dict[tuple[str, str, str], list[Broken]]) -> None:
    """What is of the wrong type is none of the values that are listed either: that goes without saying."""
    mistyped = {each.pointer for key, same in found.items() if key[1] == "type" for each in same}
    for key in [each for each in found if each[1] in {"enum", "const"}]:
        found[key] = [each for each in found[key] if each.pointer not in mistyped]
        if not found[key]:
            del found[key]


def _one_of(same: list[Broken]) -> Broken:
    """The first of those that differ in their place in a list alone; it says how many more there are."""
    first = min(same, key=lambda each: (each.placeholder, _natural(each.pointer)))
    return (
        first
        if len(same) == 1
        else replace(first, seen=f"{first.seen}; {_more(len(same) - 1)} more in the list like it")
    )


def _more(count: int) -> str:
    return str(count) if count < _ENOUGH - 1 else "many"


def _natural(pointer: str) -> list[tuple[int, str]]:
    return [(-1, part) if (index := number(part)) is None else (index, "") for part in pointer.split("/")]


class _Explainer:
    def __init__(self, contract: Contract, schemas: Mapping[str, Any]) -> None:
        self._contract = contract
        self._schemas = schemas

    def leaves(self, error: Any, value: Any) -> Iterator[Broken]:
        """The leaves of an error: those of the branch that was most likely meant, else the error itself."""
        keyword = error.kind.name
        if keyword in {"anyOf", "oneOf"}:
            yield from self._branches(error, value)
        elif keyword in {"additionalProperties", "unevaluatedProperties"}:
            names = error.kind.unexpected
            for name in names[:_NAMED]:
                yield self._broken(error, value, keyword, "no such member", [name])
            if len(names) > _NAMED:
                last = self._broken(error, value, keyword, "no such member", [names[_NAMED]])
                yield replace(last, seen=f"{last.seen}; {len(names) - _NAMED - 1} more members like it")
        elif keyword == "required":
            yield self._broken(
                error, value, keyword, f"{error.kind.property!r} must be there", [error.kind.property]
            )
        elif keyword == "propertyNames":
            inner = error.kind.error
            promised = f"in names {_promise(inner, inner.kind.name)}"
            told = self._broken(error, value, keyword, promised, [str(inner.instance)])
            yield replace(
                told, seen=f"the name {json.dumps(str(inner.instance), ensure_ascii=False)}"[:MAX_TEXT]
            )
        else:
            yield self._broken(error, value, keyword, _promise(error, keyword))

    def _branches(self, error: Any, value: Any) -> Iterator[Broken]:
        context = error.kind.context
        if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.OneOfMultipleValid):
            yield self._broken(error, value, _AMBIGUOUS, "exactly one of the alternatives holds")
            return
        best = self._nearest(error, context)
        if best is None:
            yield self._broken(error, value, error.kind.name, self._alternatives(context))
            return
        if names := _any_of_these(context, len(error.instance_path)):
            more = f" or {len(names) - _MANY} more" if len(names) > _MANY else ""
            promised = f"{' or '.join(map(repr, names[:_MANY]))}{more} must be there"
            yield self._broken(error, value, "required", promised, names[:1])
            return
        for each in context[best]:
            yield from self.leaves(each, value)

    def _nearest(self, error: Any, context: list[list[Any]]) -> int | None:
        """The branch that was meant: named by the discriminator, else by tags, else the one that fits furthest."""
        named = self._by_discriminator(error)
        if named is not None and named < len(context) and context[named]:
            return named
        base = len(error.instance_path)
        best, best_rank = None, None
        for index, errors in enumerate(context):
            if not errors:
                continue
            rank = self._rank(errors, base, error.instance)
            if best_rank is None or rank < best_rank:
                best, best_rank = index, rank
        if best_rank is None or best_rank[0]:  # no branch takes even the type
            return None
        return best

    def _rank(self, errors: list[Any], base: int, instance: Any) -> tuple[int, ...]:
        """Lower is nearer: of the right type, with the right tags, least wrong at the top, least wrong at all."""
        wrong_type = any(
            len(e.instance_path) == base and e.kind.name in {"type", "enum", "const"} for e in errors
        )
        if (
            wrong_type
            and isinstance(instance, str)
            and all(
                e.kind.name in {"enum", "const", "pattern", "format", "maxLength", "minLength"}
                for e in errors
                if len(e.instance_path) == base
            )
        ):
            wrong_type = False
        tags = sum(len(e.instance_path) == base + 1 and _is_tag(e.kind) for e in errors)
        shallow = sum(_faults(e.kind) for e in errors if len(e.instance_path) <= base)
        return (int(wrong_type), tags, shallow, len(errors))

    def _by_discriminator(self, error: Any) -> int | None:
        at, keyword = self.contract_place(error.schema_path)
        schema = follow(self._contract.document, at)
        if not isinstance(schema, Mapping) or not isinstance(error.instance, Mapping):
            return None
        rule, branches = schema.get("discriminator"), schema.get(keyword)
        if not isinstance(rule, Mapping) or not isinstance(branches, list):
            return None
        tag = error.instance.get(rule.get("propertyName"))
        if not isinstance(tag, str):
            return None
        mapping = rule.get("mapping")
        target = mapping.get(tag, tag) if isinstance(mapping, Mapping) else tag
        for index, branch in enumerate(branches):
            reference = branch.get("$ref") if isinstance(branch, Mapping) else None
            if isinstance(reference, str) and (reference == target or reference.endswith(f"/{target}")):
                return index
        return None

    def _alternatives(self, context: list[list[Any]]) -> str:
        said = dict.fromkeys(_promise(each, each.kind.name) for errors in context for each in errors[:1])
        return " or ".join(list(said)[:_MANY])

    def contract_place(self, path: list[Any]) -> tuple[str, str]:
        """The pointer of the schema that an error's path leads to, and the keyword in it."""
        pointer, rest = str(path[1]), path[2:]
        node = self._schemas.get(pointer)
        at = pointer
        for step in rest[:-1]:
            if step == "then" and isinstance(node, Mapping) and node.get(NULL_GUARD):
                node = node["then"]
                continue
            node = (
                node[int(step)]
                if isinstance(node, list)
                else node.get(step)
                if isinstance(node, Mapping)
                else None
            )
            at = join(at, step)
        return at, str(rest[-1]) if rest else ""

    def _broken(
        self, error: Any, value: Any, keyword: str, promised: str, beyond: list[str] | None = None
    ) -> Broken:
        path = [*error.instance_path[1:], *(beyond or [])]
        at, last = self.contract_place(error.schema_path)
        seen = _at(value, path)
        return Broken(
            pointer="".join(f"/{escape(part)}" for part in path),
            contract_pointer=join(at, last) if last else at,
            keyword=keyword,
            promised=promised,
            seen=shown(seen),
            placeholder=_was_redacted(path, seen, keyword),
        )


def _any_of_these(context: list[list[Any]], base: int) -> list[str]:
    """The members of which any would do, where every branch lacks one alone; empty for anything else."""
    names = []
    for errors in context:
        if len(errors) != 1 or errors[0].kind.name != "required" or len(errors[0].instance_path) != base:
            return []
        names.append(str(errors[0].kind.property))
    return list(dict.fromkeys(names)) if len(set(names)) > 1 else []


def _faults(kind: Any) -> int:
    """How much is wrong by one error: a branch that knows none of an object's members is far from it."""
    return len(kind.unexpected) if kind.name in {"additionalProperties", "unevaluatedProperties"} else 1


def _is_tag(kind: Any) -> bool:
    """Whether an error is of the one text that names the branch; `deleted: true` and a list of choices name none."""
    if kind.name == "const":
        return isinstance(kind.expected_value, str)
    return kind.name == "enum" and len(kind.options) == 1 and isinstance(kind.options[0], str)


def _was_redacted(path: list[Any], seen: Any, keyword: str) -> bool:
    """Whether a value, or the name of a member that nobody knows, was put there by a redactor."""
    if keyword in {"additionalProperties", "unevaluatedProperties"}:
        return in_text(str(path[-1]))
    return isinstance(seen, str) and (is_placeholder(seen) or in_text(seen))


def _at(value: Any, path: list[Any]) -> Any:
    for part in path:
        if isinstance(value, Mapping):
            value = value.get(str(part), MISSING)  # the validator takes a key of digits for an index
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return MISSING
        if value is MISSING:
            return MISSING
    return value


def shown(value: Any) -> str:
    """A value for a finding: its type, and the value where it is short; not yet redacted."""
    if value is MISSING:
        return "nothing"
    kind = _kind(value)
    text = json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, dict | list) or len(text) > MAX_TEXT:
        size = f" of {len(value)}" if isinstance(value, dict | list | str) else ""
        return (
            f"{kind}{size}" if isinstance(value, dict | list) else f"{kind}{size}: {text[: MAX_TEXT - 40]}..."
        )
    return "null" if value is None else f"{kind} {text}"


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    names = {str: "string", int: "integer", float: "number", list: "array", dict: "object"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), "null")


def _promise(error: Any, keyword: str) -> str:  # noqa: PLR0911 - one for each kind of keyword
    """What the keyword promises, in words."""
    kind = error.kind
    if keyword == "type":
        return " or ".join(kind.types)
    if keyword == "enum":
        options = [json.dumps(each, ensure_ascii=False) for each in kind.options]
        more = f" or {len(options) - _MANY} more" if len(options) > _MANY else ""
        return f"one of {', '.join(options[:_MANY])}{more}"
    if keyword == "const":
        return json.dumps(kind.expected_value, ensure_ascii=False)
    limits = {
        "minimum": "at least", "maximum": "at most", "exclusiveMinimum": "more than", "exclusiveMaximum": "less than",
        "minLength": "at least this many characters:", "maxLength": "at most this many characters:",
        "minItems": "at least this many items:", "maxItems": "at most this many items:",
        "minProperties": "at least this many members:", "maxProperties": "at most this many members:",
    }  # fmt: skip
    if keyword in limits:
        return f"{limits[keyword]} {kind.limit}"
    if keyword in {"pattern", "format"}:
        return f"{keyword} {getattr(kind, keyword)}"
    if keyword == "not":
        return f"nothing that fits {json.dumps(kind.schema, ensure_ascii=False)}"[:MAX_TEXT]
    if keyword == "multipleOf":
        return f"a multiple of {kind.multiple_of}"
    # Not the validator's own message: what was seen stands in it, and is not yet redacted.
    return _SAID.get(keyword, f"what {keyword} says")
