"""Our contracts beside the providers' own: what differs, place by place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contracts.contract import Answer, Contract, Media, Operation, Parameter
from contracts.matching import Matcher
from contracts.media import essence, is_json, is_xml
from contracts.pointers import MISSING, follow, of_reference
from contracts.rules.requests import STANDARD
from contracts.values import types_of

_MAX_DEPTH = 12
_LISTS = ("allOf", "anyOf", "oneOf")
# What every model of AWS's takes in the query; only S3's are sent so.
SIGNATURE = frozenset(
    ["x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signedheaders", "x-amz-signature",
     "x-amz-security-token", "x-amz-content-sha256", "x-id"]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema with the document that it stands in."""

    node: Any
    document: Mapping[str, Any]

    def inner(self, node: Any) -> Schema:
        """Another of the same document."""
        return Schema(node, self.document)

    @property
    def plain(self) -> Mapping[str, Any]:
        """Behind its references; empty where it says nothing."""
        node = self.node
        for _ in range(16):
            target = of_reference(node.get("$ref")) if isinstance(node, Mapping) else None
            if target is None:
                break
            node = follow(self.document, target)
        return node if isinstance(node, Mapping) and node is not MISSING else {}

    def branches(self, word: str) -> list[Schema]:
        """The parts under allOf, anyOf or oneOf."""
        found = self.plain.get(word)
        return [self.inner(each) for each in found] if isinstance(found, list) else []

    def members(self, left: int = _MAX_DEPTH, *, in_xml: bool = False) -> dict[str, list[Schema]]:
        """Every property that it names anywhere, with each schema of it; `in_xml`: by its other name too."""
        found: dict[str, list[Schema]] = {}
        own = self.plain.get("properties")
        for name, node in own.items() if isinstance(own, Mapping) else ():
            inner = self.inner(node)
            for each in {str(name), *(inner.written() if in_xml else ())}:
                found.setdefault(each, []).append(inner)
        for word in _LISTS if left > 0 else ():
            for branch in self.branches(word):
                for name, listed in branch.members(left - 1, in_xml=in_xml).items():
                    found.setdefault(name, []).extend(listed)
        return found

    def written(self) -> set[str]:
        """The name that it has in XML, where it has one."""
        nodes = [self.node, self.plain]
        nodes += [each.plain for each in self.items()] if "array" in types_of(self.plain) else []
        told = (each.get("xml") for each in nodes if isinstance(each, Mapping))
        return {str(each["name"]) for each in told if isinstance(each, Mapping) and "name" in each}

    def required(self, left: int = _MAX_DEPTH) -> set[str]:
        """What must be there, whichever branch holds."""
        own = self.plain.get("required")
        found = {each for each in own if isinstance(each, str)} if isinstance(own, list) else set()
        known = self.plain.get("properties") or {}
        for name in list(found):
            found |= self.inner(known.get(name)).written()
        if left <= 0:
            return found
        for branch in self.branches("allOf"):
            found |= branch.required(left - 1)
        for word in ("anyOf", "oneOf"):
            if branches := self.branches(word):
                found |= set.intersection(*(each.required(left - 1) for each in branches))
        return found

    def types(self, left: int = _MAX_DEPTH) -> set[str]:
        """The types that it takes; empty where it takes any."""
        plain = self.plain
        own = types_of(plain)
        if not own and isinstance(values := plain.get("enum"), list):
            own = {_type(each) for each in values}
        if not own and "const" in plain:
            own = {_type(plain["const"])}
        for word in ("anyOf", "oneOf") if left > 0 else ():
            branches = [each.types(left - 1) for each in self.branches(word) if not each.is_no_number]
            if branches and all(branches):
                either = {name for each in branches for name in each}
                own = (own & either) or own or either
        for branch in self.branches("allOf") if left > 0 and not own else ():
            own |= branch.types(left - 1)
        if own and (plain.get("nullable") is True or plain.get("x-nullable") is True):
            own = own | {"null"}
        return own

    def enum(self) -> list[Any] | None:
        """The values that it lists; None where it lists none."""
        plain = self.plain
        if "const" in plain:
            return [plain["const"]]
        values = plain.get("enum")
        return list(values) if isinstance(values, list) else None

    @property
    def is_no_number(self) -> bool:
        """Whether it is what stands for a number that is none: NaN and the infinite, in AWS's models."""
        return "NaN" in str(self.plain.get("pattern", ""))

    @property
    def is_free(self) -> bool:
        """Whether it takes members of any name."""
        others = self.plain.get("additionalProperties")
        return not self.members() and (others is not False)

    def items(self) -> list[Schema]:
        """The schemas of the members of a list."""
        found = [self.inner(self.plain["items"])] if isinstance(self.plain.get("items"), Mapping) else []
        for word in _LISTS:
            found += [each for branch in self.branches(word) for each in branch.items()]
        return found


def _type(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


@dataclass(slots=True)
class Compared:
    """What was held against what: `deviations` are texts of one line; `operations` those that were found there."""

    deviations: list[str] = field(default_factory=list)
    operations: int = 0
    properties: int = 0


class Officials:
    """The provider's own documents, by the operations in them."""

    def __init__(self, contracts: Sequence[Contract], *, by_id: bool) -> None:
        self._by_id = by_id
        self._index: dict[str, list[tuple[Operation, Contract]]] = {}
        for contract in contracts:
            for operation in contract.operations:
                for key in dict.fromkeys(self._named(operation)):
                    self._index.setdefault(key, []).append((operation, contract))
        self._matchers = [(Matcher(each), each) for each in contracts if not by_id]

    def of(self, operation: Operation) -> list[tuple[Operation, Contract]]:
        """Theirs of the same method and path, or id; where ours names one value of a place, that of the place."""
        found = next((self._index[key] for key in self._named(operation) if key in self._index), [])
        if found:
            return found
        path = re.sub(r"\{[^{}]*\}", "x", operation.path)  # a place of theirs may hold several steps
        asked = (
            (each.find(operation.method, path, lambda _: None), contract) for each, contract in self._matchers
        )
        return [(match.operation, contract) for match, contract in asked if match is not None]

    def _named(self, operation: Operation) -> list[str]:
        """What it goes by; an action is one of a service whose others may have the same id."""
        actions = [
            f"Action={s.value}" for s in operation.selectors if (s.place, s.name) == ("form", "Action")
        ]
        return (actions or [operation.id]) if self._by_id else list(_keys(operation))


def compared(ours: Contract, theirs: Sequence[Contract], *, by_id: bool = False) -> Compared:
    """Every operation of ours beside the provider's own. Where they have several of one path, the nearest counts."""
    told, officials = Compared(), Officials(theirs, by_id=by_id)
    for operation in ours.operations:
        found = officials.of(operation)
        if not found:
            told.deviations.append(f"{operation.name}: is not there")
            continue
        tries = [_Beside(operation, ours, *each) for each in found]
        for each in tries:
            each.run()
        shared = [text for text in tries[0].deviations if all(text in each.deviations for each in tries)]
        told.deviations += dict.fromkeys(shared)
        told.operations += 1
        told.properties += max(each.properties for each in tries)
    return told


def event(ours: Schema, theirs: Schema, where: str) -> Compared:
    """What we promise of an event beside what they promise of it."""
    told = _Schemas()
    shown = [theirs.plain["example"]] if "example" in theirs.plain else []
    told.schema(where, ours, [theirs], shown, frozenset())
    return Compared(list(dict.fromkeys(told.deviations)), 1, told.properties)


def _keys(operation: Operation) -> Iterator[str]:
    """Its method and path with places for names, with its base and without."""
    query = "&".join(
        f"{s.name}={s.value}" for s in sorted(operation.selectors, key=str) if s.place == "query"
    )
    for base in (*operation.bases, ""):
        path = re.sub(r"\{[^{}]*\}", "{}", f"{base}{operation.path}").rstrip("/") or "/"
        yield f"{operation.method} {re.sub(r'[.]json$', '', path)}?{query}"


class _Schemas:
    """Walks two schemas side by side."""

    def __init__(self) -> None:
        self.deviations: list[str] = []
        self.properties = 0

    def schema(
        self,
        where: str,
        ours: Schema,
        theirs: list[Schema],
        examples: list[Any],
        seen: frozenset[tuple[int, ...]],
    ) -> None:
        """Ours takes every type and value that theirs gives; what it names is there, and what it requires too."""
        key = (id(ours.plain), *(id(each.plain) for each in theirs))
        if key in seen:
            return
        seen = seen | {key}
        mine, given = ours.types(), [each.types() for each in theirs]
        if mine and given and all(given):
            lost = set.union(*given) - mine - ({"integer"} if "number" in mine else set())
            if lost:
                self._say(where, f"theirs may be {', '.join(sorted(lost))}, ours {', '.join(sorted(mine))}")
        self._values(where, ours.enum(), [each.enum() for each in theirs])
        self._members(where, ours, theirs, examples, seen)
        items = [item for each in theirs for item in each.items()]
        inner = [one for each in examples if isinstance(each, list) for one in each]
        for item in ours.items() if items else ():
            self.schema(f"{where}/*", item, items, inner, seen)

    def _values(self, where: str, ours: list[Any] | None, theirs: list[list[Any] | None]) -> None:
        if ours is None:
            return
        mine = set(map(str, ours))
        for listed in theirs:
            lost = ["any value"] if listed is None else sorted({*map(str, listed)} - mine)
            if lost:
                self._say(where, f"ours lists {len(mine)} values and lacks {', '.join(lost)[:100]}")

    def _members(
        self,
        where: str,
        ours: Schema,
        theirs: list[Schema],
        examples: list[Any],
        seen: frozenset[tuple[int, ...]],
    ) -> None:
        held: dict[str, list[Schema]] = {}
        for each in theirs:
            for name, listed in each.members(in_xml=True).items():
                held.setdefault(name, []).extend(listed)
        free = any(each.is_free for each in theirs)
        shown = [each for each in examples if isinstance(each, Mapping)]
        for name, schemas in ours.members().items():
            if name not in held:
                if not free:
                    self._say(f"{where}/{name}", "is not there")
                continue
            self.properties += 1
            for schema in schemas:
                inner = [each[name] for each in shown if name in each]
                self.schema(f"{where}/{name}", schema, held[name], inner, seen)
        always = set.intersection(*(each.required() for each in theirs)) if theirs else set()
        for name in sorted(ours.required() - always) if not free else ():
            if not shown or not all(name in each for each in shown):
                self._say(f"{where}/{name}", "is not required there")

    def _say(self, where: str, what: str) -> None:
        self.deviations.append(f"{where}: {what}")


class _Beside(_Schemas):
    """One operation of ours beside one of theirs."""

    def __init__(self, mine: Operation, ours: Contract, other: Operation, theirs: Contract) -> None:
        super().__init__()
        self._mine, self._ours, self._other, self._theirs = mine, ours, other, theirs

    def run(self) -> None:
        """Find what differs."""
        mine, other = self._mine, self._other
        known = {_same(each.place, each.name): each for each in other.parameters}
        fixed = {_same(each.place, each.name) for each in other.selectors}
        for parameter in mine.parameters:
            key = _same(parameter.place, parameter.name)
            if parameter.place != "path" and key not in fixed and key[1] not in STANDARD:
                self._parameter(parameter, known.get(key))
        named = {_same(each.place, each.name) for each in mine.parameters}
        named |= {_same(each.place, each.name) for each in mine.selectors}
        for parameter in other.parameters:
            key = _same(parameter.place, parameter.name)
            if parameter.place == "query" and key not in named and key[1] not in SIGNATURE:
                self._say(f"{mine.name} query {parameter.name}", "is theirs alone")
        if mine.body and mine.body.required and not self._needs_body():
            self._say(f"{mine.name} request", "is not required there")
        for media in mine.body.media if mine.body else ():
            self._media(f"{mine.name} request", media, other.body.media if other.body else ())
        for answer in mine.answers:
            if answer.status.startswith("2"):
                self._answer(answer)

    def _needs_body(self) -> bool:
        """Whether theirs must have a body: it says so, or something must be in it."""
        body = self._other.body
        schemas = [_at(self._theirs, each.schema) for each in body.media if each.schema] if body else []
        return body is not None and (body.required or any(each.required() for each in schemas))

    def _parameter(self, parameter: Parameter, held: Parameter | None) -> None:
        where = f"{self._mine.name} {parameter.place} {parameter.name}"
        if held is None:
            self._say(where, "is not there")
            return
        self.properties += 1
        if parameter.required and not held.required:
            self._say(where, "is not required there")
        if parameter.schema and held.schema:
            ours, theirs = _at(self._ours, parameter.schema), _at(self._theirs, held.schema)
            self.schema(where, ours, [theirs], [], frozenset())

    def _answer(self, answer: Answer) -> None:
        where = f"{self._mine.name} {answer.status}"
        by_status = {each.status: each for each in self._other.answers}
        held = by_status.get(answer.status) or by_status.get("2XX") or by_status.get("default")
        if held is None:
            self._say(where, "is not answered there")
            return
        for media in answer.media if self._mine.method != "HEAD" else ():
            self._media(where, media, held.media)

    def _media(self, where: str, media: Media, listed: Sequence[Media]) -> None:
        held = _fitting(media, listed)
        if held is None:
            self._say(where, f"is not there as {media.media_type}")
        elif media.schema and held.schema:
            fixed = {name for s in self._mine.selectors if s.place == "form" for name in (s.name,)}
            theirs = _at(self._theirs, held.schema)
            before = len(self.deviations)
            self.schema(
                where, _at(self._ours, media.schema), [theirs], _examples(held, self._theirs), frozenset()
            )
            told = (text for text in self.deviations[before:] if text.partition(":")[0] not in
                    {f"{where}/{name}" for name in fixed})  # fmt: skip
            self.deviations[before:] = list(told)


def _same(place: str, name: str) -> tuple[str, str]:
    return place, name.lower().removesuffix("[]")


def _at(contract: Contract, pointer: str) -> Schema:
    return Schema(follow(contract.document, pointer), contract.document)


def _examples(media: Media, contract: Contract) -> list[Any]:
    """The examples that they show of a body."""
    node = follow(contract.document, media.pointer)
    if not isinstance(node, Mapping):
        return []
    found = [node["example"]] if "example" in node else []
    listed = node.get("examples")
    for each in listed.values() if isinstance(listed, Mapping) else ():
        plain = Schema(each, contract.document).plain
        found += [plain["value"]] if "value" in plain else []
    return found


def _fitting(media: Media, listed: Sequence[Media]) -> Media | None:
    """Theirs of the same kind."""
    name = essence(media.media_type)
    for each in listed:
        other = essence(each.media_type)
        if name == other or (is_json(name) and is_json(other)) or (is_xml(name) and is_xml(other)):
            return each
    return next((each for each in listed if "*" in {name[:1], essence(each.media_type)[:1]}), None)
