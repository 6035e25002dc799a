"""Values made from schemas by a seed, and the places at which such a value can be spoilt; nothing of ours judges."""

from __future__ import annotations

import itertools
import random
import re._parser as regex_parser  # type: ignore[import-not-found]
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from openapi_schema_validator import OAS30Validator, OAS31Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

WORDS = ("alder", "birch", "cedar", "elm", "fir", "hazel", "larch", "maple", "oak", "pine", "rowan", "willow")
DEEPEST = 12
FORMATS = {
    "date": "2026-02-03", "date-time": "2026-02-03T04:05:06Z", "uuid": "2f0c1f2e-8c1d-4b7a-9a53-0d4c6b1a7e90",
    "ipv4": "192.0.2.7", "ipv6": "2001:db8::7", "uri": "https://oak.example/7", "email": "oak@example.com",
}  # fmt: skip
_COMBINED = ("anyOf", "oneOf")
_URI = "urn:document"


class Unmade(Exception):  # noqa: N818 - it says what came of it
    """No value could be made."""


@dataclass(frozen=True, slots=True)
class Site:
    """A place at which a value can be spoilt. `kind`: drop, type, enum or unknown; `at`: the path of what is spoilt.

    `value`: what is put there. `under`: whether it stands below `anyOf` or `oneOf`. `told`: the path at which a judge
    should say so, where it is another one.
    """

    kind: str
    at: tuple[str | int, ...]
    value: Any = None
    under: bool = False
    told: tuple[str | int, ...] = ()

    @property
    def place(self) -> str:
        """The pointer, from the value, at which this is to be found."""
        return pointer_of(self.told or self.at)


class Oracle:
    """Somebody else's validator on one document, to say what fits without asking ours."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._registry: Registry[Any] = Registry().with_resource(_URI, DRAFT202012.create_resource(document))
        self._kind = OAS30Validator if str(document["openapi"]).startswith("3.0") else OAS31Validator
        self._known: dict[str, Any] = {}

    def fits(self, pointer: str, value: Any) -> bool:
        """Whether a value fits the schema at a pointer."""
        if pointer not in self._known:
            self._known[pointer] = self._kind({"$ref": f"{_URI}#{pointer}"}, registry=self._registry)
        valid: bool = self._known[pointer].is_valid(value)
        return valid


class Schemas:
    """The schemas of one document: followed, merged, filled with values."""

    def __init__(self, document: Mapping[str, Any], rng: random.Random) -> None:
        self.document, self.rng = document, rng
        self.oracle = Oracle(document)
        self._without = ""

    def at(self, pointer: str) -> Any:
        """What stands at a pointer. Raises `Unmade` where it leads nowhere, as some do in official documents."""
        node: Any = self.document
        for step in pointer.split("/")[1:]:
            key = unquote(step).replace("~1", "/").replace("~0", "~")
            try:
                node = node[int(key)] if isinstance(node, list) else node[key]
            except LookupError as exc:
                raise Unmade(pointer) from exc
        return node

    def behind(self, pointer: str) -> tuple[Any, str]:
        """A schema behind its references, and where it stands."""
        node = self.at(pointer)
        while isinstance(node, Mapping) and "$ref" in node:
            pointer = node["$ref"][1:]
            node = self.at(pointer)
        return node, pointer

    # -- made ------------------------------------------------------------------------------------------------

    def value(self, pointer: str, *, textual: bool = False, without: str = "") -> Any:
        """A value that fits. Raises `Unmade`.

        `textual`: for a form or URL, which hold no null and nothing empty. `without`: readOnly or writeOnly, whose
        members are left out.
        """
        self._without = without
        for _ in range(6):
            made = self._made({"$ref": f"#{pointer}"}, 0, textual=textual)
            if self.oracle.fits(pointer, made):
                return made
        raise Unmade(pointer)

    def _flat(self, schema: Any) -> dict[str, Any]:
        """One plain schema: references followed, parts of `allOf` joined, a branch of `anyOf` chosen."""
        if not isinstance(schema, Mapping):
            return {}
        made = {k: v for k, v in schema.items() if k not in {"$ref", "allOf", *_COMBINED}}
        inner = [self.at(schema["$ref"][1:])] if "$ref" in schema else []
        inner += schema.get("allOf", [])
        inner += [self.rng.choice(schema[name]) for name in _COMBINED if schema.get(name)]
        for part in inner:
            _join(made, self._flat(part))
        return made

    def _made(self, given: Any, depth: int, *, textual: bool) -> Any:
        if depth > DEEPEST:
            raise Unmade
        schema = self._flat(given)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            full = [each for each in schema["enum"] if each not in {None, ""}]
            if textual and not full:
                raise Unmade
            return self.rng.choice(full or schema["enum"])
        named = schema.get("type") or (
            "object" if "properties" in schema else "array" if "items" in schema else "string"
        )
        kinds = named if isinstance(named, list) else [named]
        nullable = schema.get("nullable") is True or "null" in kinds
        if nullable and not textual and self.rng.random() < 0.1:
            return None
        kind = next((each for each in kinds if each != "null"), "null")
        if kind == "object":
            return self._object(schema, depth, textual=textual)
        if kind == "array":
            least = max(1, schema.get("minItems", 1 if textual or depth < 3 else 0))
            count = min(max(least, self.rng.randint(1, 2)), schema.get("maxItems", 9))
            return [self._made(schema.get("items", {}), depth + 1, textual=textual) for _ in range(count)]
        return self._scalar(kind, schema)

    def _object(self, schema: Mapping[str, Any], depth: int, *, textual: bool) -> dict[str, Any]:
        required = schema.get("required", [])
        made = {}
        for name, inner in schema.get("properties", {}).items():
            if self._is_left_out(inner):
                continue
            if name in required or (depth < 4 and self.rng.random() < 0.6 / (depth + 1)):
                try:
                    made[name] = self._made(inner, depth + 1, textual=textual)
                except Unmade:
                    if name in required:
                        raise
        others = schema.get("additionalProperties", True)
        for name in required:
            made.setdefault(name, self.rng.choice(WORDS))
        if others is not False and (textual or isinstance(others, Mapping)) and not made:
            made["note"] = self._made(others, depth + 1, textual=textual)
        return made

    def _is_left_out(self, schema: Any) -> bool:
        while isinstance(schema, Mapping) and "$ref" in schema and self._without not in schema:
            schema = self.at(schema["$ref"][1:])
        return isinstance(schema, Mapping) and schema.get(self._without) is True

    def _scalar(self, kind: str, schema: Mapping[str, Any]) -> Any:
        if kind in {"integer", "number"}:
            low, high = schema.get("minimum", 1), schema.get("maximum", 10**6)
            number = self.rng.randint(int(low), max(int(low), min(int(high), int(low) + 5000)))
            return number if kind == "integer" or self.rng.random() < 0.5 else float(number)
        if kind in {"boolean", "null"}:
            return None if kind == "null" else self.rng.random() < 0.5
        if schema.get("format") in FORMATS:
            return FORMATS[schema["format"]]
        if "pattern" in schema:
            return matching(schema["pattern"], self.rng)
        word = f"{self.rng.choice(WORDS)} {self.rng.randrange(100)}"
        return word.ljust(schema.get("minLength", 0), "k")[: schema.get("maxLength", 5000)]

    # -- spoilt ----------------------------------------------------------------------------------------------

    def sites(self, value: Any, pointer: str, *, textual: bool = False) -> list[Site]:
        """Where a value that fits can be spoilt, so that it fits no more."""
        found: dict[tuple[str, tuple[str | int, ...]], Site] = {}
        for site in self._sites(value, pointer, (), under=False, textual=textual):
            found.setdefault((site.kind, site.at), site)
        return [
            each for each in found.values()
            if not each.under or not self.oracle.fits(pointer, spoilt(value, each))
        ]  # fmt: skip

    def _sites(
        self, value: Any, pointer: str, at: tuple[str | int, ...], *, under: bool, textual: bool
    ) -> Iterator[Site]:
        for schema, where, below in self._parts(value, pointer, under=under):
            if isinstance(value, dict) and not (
                textual and len(value) == 1
            ):  # nothing would be left to be sent
                yield from self._dropped_of_several(value, schema, where, at)
            yield from self._own_sites(value, schema, at, under=below, textual=textual)
            for name, inner in schema.get("properties", {}).items() if isinstance(value, dict) else ():
                if name in value and inner is not True:
                    step = name.replace("~", "~0").replace("/", "~1")
                    yield from self._sites(
                        value[name], f"{where}/properties/{step}", (*at, name), under=below, textual=textual
                    )
            if isinstance(value, list) and value and isinstance(schema.get("items"), Mapping):
                for index in {0, len(value) - 1}:
                    yield from self._sites(
                        value[index], f"{where}/items", (*at, index), under=below, textual=textual
                    )

    def _parts(
        self, value: Any, pointer: str, *, under: bool
    ) -> Iterator[tuple[Mapping[str, Any], str, bool]]:
        """Every plain schema that holds for a value: the parts of `allOf`, the branch of `anyOf` that fits."""
        schema, where = self.behind(pointer)
        if not isinstance(schema, Mapping):
            return
        yield schema, where, under
        for index, _ in enumerate(schema.get("allOf", ())):
            yield from self._parts(value, f"{where}/allOf/{index}", under=under)
        for name in _COMBINED:
            branches = [f"{where}/{name}/{index}" for index, _ in enumerate(schema.get(name, ()))]
            fitting = next((each for each in branches if self.oracle.fits(each, value)), None)
            if fitting is not None and value is not None:
                yield from self._parts(value, fitting, under=True)

    def _dropped_of_several(
        self,
        value: dict[str, Any],
        schema: Mapping[str, Any],
        where: str,
        at: tuple[str | int, ...],
    ) -> Iterator[Site]:
        """Where each branch needs a member, each another: without the one that is there. A judge names the first."""
        for combined in _COMBINED:
            branches = [
                self.behind(f"{where}/{combined}/{n}")[0] for n, _ in enumerate(schema.get(combined, ()))
            ]
            needed: list[list[str]] = [
                each.get("required", []) if isinstance(each, Mapping) else [] for each in branches
            ]
            names = [each[0] for each in needed if len(each) == 1]
            there = [name for name in dict.fromkeys(names) if name in value]
            if len(there) == 1 and len(set(names)) > 1 and len(names) == len(needed):
                yield Site("drop", (*at, there[0]), under=True, told=(*at, names[0]))

    def _own_sites(
        self, value: Any, schema: Mapping[str, Any], at: tuple[str | int, ...], *, under: bool, textual: bool
    ) -> Iterator[Site]:
        if isinstance(value, dict):
            for name in schema.get("required", ()):
                if name in value and not (textual and len(value) == 1):  # nothing would be left to be sent
                    yield Site("drop", (*at, name), under=under)
            if schema.get("additionalProperties") is False:
                yield Site("unknown", (*at, "zz_unknown"), "oak", under)
        named = schema.get("type")
        kinds = set(named if isinstance(named, list) else [named] if named else [])
        if kinds and schema.get("nullable") is True:
            kinds.add("null")
        if kinds and (at or textual):
            wrong = "seven" if textual else next(v for v, own in _OTHERS if not own & kinds)
            if not (textual and kinds & {"string", "array"}):
                yield Site("type", at, wrong, under)
        options = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
        if options and isinstance(value, str):
            yield Site("enum", at, "no-such-value", under)


_OTHERS: tuple[tuple[Any, set[str]], ...] = (
    ("seven", {"string"}), (7, {"integer", "number"}), (True, {"boolean"}), ({"oak": 7}, {"object"}), ([7], {"array"}),
)  # fmt: skip


def _join(made: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if key == "properties":
            mine = made.setdefault(key, {})
            made[key] = {**mine, **{n: {"allOf": [mine[n], s]} if n in mine else s for n, s in value.items()}}
        elif key == "required":
            made[key] = list(dict.fromkeys([*made.get(key, []), *value]))
        elif key == "items" and key in made:
            made[key] = {"allOf": [made[key], value]}
        else:
            made.setdefault(key, value)


def spoilt(value: Any, site: Site) -> Any:
    """A copy of a value, wrong at one place."""
    if not site.at:
        return site.value
    step, rest = site.at[0], Site(site.kind, site.at[1:], site.value)
    copy: Any = list(value) if isinstance(value, list) else dict(value)
    if not rest.at and site.kind == "drop":
        del copy[step]
    else:
        copy[step] = spoilt(value[step] if rest.at else None, rest)
    return copy


def matching(pattern: str, rng: random.Random) -> str:
    """A text in which a pattern is found. Raises `Unmade` for what is not known here."""
    return "".join(_of(token, rng) for token in regex_parser.parse(pattern))


_CATEGORIES = {"CATEGORY_DIGIT": "7", "CATEGORY_WORD": "k", "CATEGORY_SPACE": " "}


def _of(token: Any, rng: random.Random) -> str:
    name, told = str(token[0]), token[1]
    if name in {"LITERAL", "RANGE", "CATEGORY"}:
        return _CATEGORIES[str(told)] if name == "CATEGORY" else chr(told[0] if name == "RANGE" else told)
    if name in {"AT", "ASSERT", "ASSERT_NOT", "ANY"}:
        return "k" if name == "ANY" else ""
    if name in {"MAX_REPEAT", "MIN_REPEAT"}:
        low, high, inner = told
        return "".join(_of(each, rng) for _ in range(max(low, min(1, high))) for each in inner)
    if name in {"SUBPATTERN", "BRANCH"}:
        return "".join(_of(each, rng) for each in (told[-1] if name == "SUBPATTERN" else rng.choice(told[1])))
    if name == "IN" and str(told[0][0]) != "NEGATE":
        return _of(told[0], rng)
    raise Unmade(name)


def pointer_of(at: tuple[str | int, ...]) -> str:
    """A path as a JSON pointer."""
    steps = (str(each).replace("~", "~0").replace("/", "~1") for each in at)
    return "".join(itertools.chain.from_iterable(("/", step) for step in steps))
