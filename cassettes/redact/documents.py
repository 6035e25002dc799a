"""Documents as trees that know where each scalar stands in the text, so that one can be changed and the rest stays."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import NamedTuple

MAX_DEPTH = 100  # of containers in containers; no recording goes that deep
_SPACE = re.compile(r"[ \t\r\n]*")
_BARE = re.compile(r"(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|true|false|null")
_scan = json.decoder.scanstring  # type: ignore[attr-defined]
_SURROGATE = re.compile("[\ud800-\udfff]")
_COLON = re.compile(r"[ \t\r\n]*:[ \t\r\n]*")
_AFTER = re.compile(r"[ \t\r\n]*([,}\]])[ \t\r\n]*")  # what may follow a value in a container


class UnreadableError(ValueError):
    """The text is no document of this kind, or is nested too deep. The message says which."""


class Scalar(NamedTuple):
    """A text, number or other plain value; `text[start:end]` is how it is written.

    `style`: json, number, bare (true, false, null), or how YAML writes it (plain, single, double, literal,
    folded). `tag`: of YAML, as it was resolved; None where there is none.
    """

    value: str
    start: int
    end: int
    style: str
    tag: str | None = None


class Mapping(NamedTuple):
    """Pairs in the order of the text."""

    pairs: list[tuple[Node, Node]]


class Sequence(NamedTuple):
    """Items in the order of the text."""

    items: list[Node]


class Alias(NamedTuple):
    """A second mention of a node: what it names is looked at where it stands, and never unfolded."""

    target: Node | None


Node = Scalar | Mapping | Sequence | Alias


class Edit(NamedTuple):
    """`text[start:end]` is to become `new`."""

    start: int
    end: int
    new: str


def splice(text: str, edits: Iterable[Edit]) -> str:
    """The text with the edits made; of two that overlap, the first in the text holds."""
    parts, at = [], 0
    for edit in sorted(edits):
        if edit.start >= at:
            parts += [text[at : edit.start], edit.new]
            at = edit.end
    return "".join([*parts, text[at:]])


class Reader:
    """Builds trees from values as they come, without recursion."""

    def __init__(self) -> None:
        self.roots: list[Node] = []
        self.stack: list[Mapping | Sequence] = []
        self.keys: list[Node | None] = []

    def open(self, node: Mapping | Sequence) -> None:
        """A container begins. Raises `UnreadableError`."""
        if len(self.stack) >= MAX_DEPTH:
            raise UnreadableError("nested too deep")
        self.stack.append(node)
        self.keys.append(None)

    def close(self) -> None:
        """The last container that was opened is complete."""
        self.keys.pop()
        self.add(self.stack.pop())

    def add(self, node: Node) -> None:
        """A key, a value or an item, as its place has it."""
        if not self.stack:
            self.roots.append(node)
        elif isinstance(top := self.stack[-1], Sequence):
            top.items.append(node)
        elif (key := self.keys[-1]) is None:
            self.keys[-1] = node
        else:
            top.pairs.append((key, node))
            self.keys[-1] = None


def read_json(text: str) -> list[Node]:
    """The JSON values of a text, one or several with space between. Raises `UnreadableError`."""
    reader = Reader()
    try:
        at = _past_space(text, 0)
        while at < len(text):
            at = _past_space(text, _read_value(text, at, reader))
    except (ValueError, IndexError) as exc:
        raise UnreadableError("is not JSON") from exc
    return reader.roots


def _read_value(text: str, at: int, reader: Reader) -> int:
    """One value with all that is in it; returns where it ends. One flat loop: a call costs as much as a token."""
    stack, end = reader.stack, 0
    while True:
        char = text[at]
        if char == '"':
            value, end = _scan(text, at + 1, False)  # noqa: FBT003 - it takes no names
            reader.add(Scalar(value, at, end, "json"))
        elif char in "{[":
            reader.open(Mapping([]) if char == "{" else Sequence([]))
            at = _past_space(text, at + 1)
            if text[at] not in "}]":
                at = _read_key(text, at, reader) if char == "{" else at
                continue
            end = at
        elif match := _BARE.match(text, at):
            end = match.end()
            reader.add(Scalar(match[0], at, end, "number" if match[1] else "bare"))
        else:
            raise UnreadableError("is not JSON")
        while stack:
            after = _AFTER.match(text, end)
            if after is None:
                raise UnreadableError("is not JSON")
            sign, is_mapping, end = after[1], stack[-1].__class__ is Mapping, after.end()
            if sign == ",":
                at = _read_key(text, end, reader) if is_mapping else end
                break
            if (sign == "}") is not is_mapping:
                raise UnreadableError("is not JSON")
            reader.close()
        else:
            return end


def _past_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _read_key(text: str, at: int, reader: Reader) -> int:
    """The name before a value; returns where the value begins."""
    value, end = _scan(text, at + 1, False)  # noqa: FBT003
    colon = _COLON.match(text, end)
    if colon is None or text[at] != '"':
        raise UnreadableError("is not JSON")
    reader.keys[-1] = Scalar(value, at, end, "json")
    return colon.end()


def write_json(scalar: Scalar, new: str, text: str) -> str:
    """A changed scalar as JSON, escaped as the text itself does it."""
    if scalar.style == "number":
        return new
    old = text[scalar.start : scalar.end]
    ascii_only = old.isascii() or (not _SURROGATE.search(old) and bool(_SURROGATE.search(new)))
    written = json.dumps(new, ensure_ascii=ascii_only)
    return written.replace("/", "\\/") if "\\/" in old else written
