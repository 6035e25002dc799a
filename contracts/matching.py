"""Which operation of a contract a request is: literal steps before places, exact paths before greedy ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from contracts import placeholders
from contracts.contract import Contract, Operation, Selector

_PLACE = re.compile(r"\{([^{}]*)\}")
_MAX_STEPS = 200

# Reads a selector's field of the request at hand; None where it is absent.
Field = Callable[[Selector], "str | None"]


@dataclass(frozen=True, slots=True)
class Match:
    """An operation, and what stands at the places of its path, still percent-encoded."""

    operation: Operation
    values: Mapping[str, str]


@dataclass(slots=True)
class _Node:
    """One step. `literal`: by text; `mixed`: text and places together; `place`: anything; `ends`: operations here."""

    literal: dict[str, _Node] = field(default_factory=dict)
    mixed: list[tuple[re.Pattern[str], str, _Node]] = field(default_factory=list)
    place: _Node | None = None
    ends: dict[str, list[_End]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _End:
    operation: Operation
    names: tuple[str, ...]


class Matcher:
    """Finds operations by method, path and selectors in time that grows with the path alone.

    `beside`: place and name of the headers and form fields that name an operation where path and method do not.
    """

    def __init__(self, contract: Contract) -> None:
        self._root, self._bare = _Node(), _Node()
        self._greedy: list[tuple[re.Pattern[str], Operation]] = []
        for operation in contract.operations:
            for base in operation.bases:
                self._add(self._root, operation, base + operation.path)
            if (
                "" not in operation.bases
            ):  # a stand-in, or a recorder that keeps paths alone, has no base path
                self._add(self._bare, operation, operation.path)
        self._greedy.sort(key=_preference)
        beside = (each for one in contract.operations for each in one.selectors if each.place != "query")
        self.beside = tuple(
            dict.fromkeys((each.place, each.name) for each in beside if each.value is not None)
        )
        self._telling = tuple(Selector(place="query", name=name) for name in contract.telling)
        self._virtual = tuple(re.compile(each) for each in contract.virtual_hosts)
        self._known: dict[tuple[str, str], tuple[Match, ...]] = {}

    def located(self, host: str, path: str) -> str:
        """The path of a request, with the step in front that its host stands for."""
        for pattern in self._virtual:
            if match := pattern.fullmatch(host):
                return f"/{match['step']}{path}"
        return path

    def find(self, method: str, path: str, read: Field) -> Match | None:
        """The operation of a request; None if there is none."""
        for match in self._candidates(method, path):
            if told_by(match.operation, read) and not self._other(match, read):
                return match
        return None

    def _other(self, match: Match, read: Field) -> bool:
        """Whether the request has a parameter by which it must be another operation."""
        told = [each.name for each in self._telling if read(each) is not None]
        if not told:
            return False
        named = {each.name for each in match.operation.selectors}
        named |= {each.name for each in match.operation.parameters}
        return any(name not in named for name in told)

    def methods(self, path: str) -> list[str]:
        """The methods that are promised for a path, for the text of a finding."""
        found = {name for node, _ in self._walk(path) for name in node.ends}
        return sorted(found | {o.method for pattern, o in self._greedy if pattern.fullmatch(path)})

    def _candidates(self, method: str, path: str) -> tuple[Match, ...]:
        key = (method, path)
        found = self._known.get(key)
        if found is None:
            found = tuple(self._all(method, path))
            if len(self._known) < 4096:  # noqa: PLR2004 - enough for the paths of a suite; hostile ones do not fill memory
                self._known[key] = found
        return found

    def _all(self, method: str, path: str) -> Iterator[Match]:
        plain = path.rstrip("/") or "/"
        for each in dict.fromkeys((path, plain, f"{plain}/")):
            for node, values in self._walk(each):
                for end in node.ends.get(method, ()):
                    yield Match(end.operation, dict(zip(end.names, values, strict=True)))
        yield from self._greedily(method, path)
        if placeholders.in_text(unquote(path)):
            for node, values in _guess(self._root, unquote(path).split("/"), 0, []):
                for end in node.ends.get(method, ()):
                    yield Match(end.operation, dict(zip(end.names, values, strict=True)))

    def _greedily(self, method: str, path: str) -> Iterator[Match]:
        for pattern, operation in self._greedy:
            if operation.method == method and (match := pattern.fullmatch(path)):
                yield Match(operation, {k[1:]: v for k, v in match.groupdict().items()})

    def _walk(self, path: str) -> Iterator[tuple[_Node, list[str]]]:
        steps = path.split("/")
        if len(steps) <= _MAX_STEPS:
            yield from _descend(self._root, steps, 0, [])
            yield from _descend(self._bare, steps, 0, [])

    def _add(self, root: _Node, operation: Operation, path: str) -> None:
        greedy = {p.name for p in operation.parameters if p.greedy and p.place == "path"}
        if greedy:
            self._greedy.append((_greedy_pattern(path, greedy), operation))
        node, names = root, []
        for step in path.split("/"):
            node, more = _child(node, step)
            names += more
        node.ends.setdefault(operation.method, []).append(_End(operation, tuple(names)))
        node.ends[operation.method].sort(key=lambda end: _preference((None, end.operation)))


def _preference(end: tuple[object, Operation]) -> tuple[int, bool]:
    """The more must be there, the sooner it is asked; what is deprecated comes last."""
    return (-len(end[1].selectors), end[1].deprecated)


def _child(node: _Node, step: str) -> tuple[_Node, list[str]]:
    names = [_bare(name) for name in _PLACE.findall(step)]
    if not names:
        return node.literal.setdefault(unquote(step), _Node()), []
    if _PLACE.fullmatch(step):
        node.place = node.place or _Node()
        return node.place, names
    for _, text, child in node.mixed:
        if _PLACE.sub("{}", text) == _PLACE.sub("{}", step):
            return child, names
    parts = _PLACE.split(step)
    pattern = "".join("(.+?)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    child = _Node()
    node.mixed.append((re.compile(pattern), step, child))
    node.mixed.sort(key=lambda each: -len(_PLACE.sub("", each[1])))
    return child, names


def _bare(name: str) -> str:
    """The parameter in a place such as `{+key}`, `{.id*}` or `{Key+}`."""
    return name.strip("+*.;?&#/")


def _descend(node: _Node, steps: list[str], at: int, values: list[str]) -> Iterator[tuple[_Node, list[str]]]:
    if at == len(steps):
        if node.ends:
            yield node, values
        return
    step = steps[at]
    if child := node.literal.get(unquote(step)):
        yield from _descend(child, steps, at + 1, values)
    for pattern, _, child in node.mixed:
        if match := pattern.fullmatch(step):
            yield from _descend(child, steps, at + 1, [*values, *match.groups()])
    if node.place is not None and step:
        yield from _descend(node.place, steps, at + 1, [*values, step])


def _guess(node: _Node, steps: list[str], at: int, values: list[str]) -> Iterator[tuple[_Node, list[str]]]:
    """The same for a path in which something was redacted: what is left must fit."""
    if at == len(steps) or at > _MAX_STEPS:
        if node.ends:
            yield node, values
        return
    step = steps[at]
    if placeholders.in_text(step):
        shape = placeholders.pattern(step)
        for text, child in node.literal.items():
            if shape.fullmatch(text):
                yield from _guess(child, steps, at + 1, values)
    elif step in node.literal:
        yield from _guess(node.literal[step], steps, at + 1, values)
    if node.place is not None and step:
        yield from _guess(node.place, steps, at + 1, [*values, step])


def _greedy_pattern(path: str, greedy: Iterable[str]) -> re.Pattern[str]:
    parts = _PLACE.split(path)
    made = ""
    for index, part in enumerate(parts):
        if index % 2:
            name = _bare(part)
            made += f"(?P<_{name}>{'.+' if name in greedy else '[^/]+'})" if name.isidentifier() else "[^/]+"
        else:
            made += re.escape(part)
    return re.compile(made)


def told_by(operation: Operation, read: Field) -> bool:
    """Whether a request has all that tells an operation from the others of its path and method."""
    return all(_fits(each, read) for each in operation.selectors)


def _fits(selector: Selector, read: Field) -> bool:
    seen = read(selector)
    return seen is not None and (selector.value is None or seen == selector.value)


def selector_reader(
    query: Mapping[str, Any], headers: Mapping[str, str], form: Callable[[], Mapping[str, Any]]
) -> Field:
    """Reads the fields that selectors name; the form is parsed only if one asks for it."""

    def read(selector: Selector) -> str | None:
        if selector.place == "header":
            return headers.get(selector.name.lower())
        found = (query if selector.place == "query" else form()).get(selector.name)
        return found if isinstance(found, str) or found is None else str(found)

    return read
