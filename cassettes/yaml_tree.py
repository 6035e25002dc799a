"""YAML built straight from libyaml's events: no tag is executed, every scalar stays text, attacks are refused."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

from yaml._yaml import CParser
from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from cassettes.unreadable import Unreadable

MAX_DEPTH = 100
MAX_REPEATED_CHARACTERS = 16 * 1024 * 1024  # that aliases may stand for, in all

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
# A plain scalar that begins otherwise is text, whatever follows.
_MAY_BE_MORE = frozenset("~nNtTfF.+-0123456789")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,18})")
_FLOAT = re.compile(r"[-+]?[0-9]{1,30}\.[0-9]{0,30}(?:[eE][-+][0-9]{1,3})?")  # as YAML 1.1 has them
_BINARY = frozenset({"tag:yaml.org,2002:binary", "!binary"})
_MISSING: Any = object()


class Plain(str):
    """A scalar that stood without quotes, so that it may be null, a number or a truth value: see `settled`."""

    __slots__ = ()


class Mapping(dict[str, Any]):
    """A mapping that is a member of a list, with the line that it begins on, counted from 1."""

    __slots__ = ("line",)
    line: int


def settled(value: Any) -> Any:
    """A tree as JSON has it: what stood without quotes becomes null, a truth value or a number where it is one."""
    if isinstance(value, Plain):
        return _scalar(value)
    if isinstance(value, dict):
        return {key: settled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [settled(item) for item in value]
    return value


def _scalar(text: Plain) -> Any:
    if text in _NULLS:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else str(text)


def is_null(value: Any) -> bool:
    """Whether a value is null: None, or a scalar without quotes that says so."""
    return value is None or (isinstance(value, Plain) and value in _NULLS)


def load(data: bytes) -> Any:
    """The first document of a YAML file. Raises `Unreadable`, with the line where that is known."""
    try:
        return _Builder(CParser(data)).build()
    except MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        raise Unreadable(f"is not YAML: {exc.problem}", line=mark.line + 1 if mark else None) from exc
    except (YAMLError, UnicodeDecodeError) as exc:
        raise Unreadable(f"is not YAML: {str(exc).splitlines()[0]}") from exc


class _Builder:
    """Builds the tree of one document, and keeps count of what aliases repeat."""

    def __init__(self, parser: CParser) -> None:
        self._next: Callable[[], Any] = parser.get_event
        self._keys: dict[str, str] = {}
        self._anchors: dict[str, Any] = {}
        self._weights: dict[str, int] = {}
        self._open: list[tuple[str, int, int]] = []  # anchors whose content is not complete yet
        self._repeated = 0

    def build(self) -> Any:  # noqa: C901, PLR0912, PLR0915 - one flat loop: every call costs a third of an event
        next_event, keys = self._next, self._keys
        stack: list[tuple[Any, Any, bool, str | None]] = []
        holder: Any = None  # the container that is being filled, None at the root
        key: Any = _MISSING  # the key of a mapping that waits for its value
        in_mapping = False
        while True:
            event = next_event()
            kind = event.__class__
            if kind is ScalarEvent:
                value = event.value
                if event.tag is not None and event.tag in _BINARY:
                    value = _binary(event)
                elif event.implicit[0] and (not value or value[0] in _MAY_BE_MORE):
                    value = Plain(value)
                if event.anchor is not None:
                    self._anchors[event.anchor] = value
                    self._weights[event.anchor] = len(value)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                if len(stack) >= MAX_DEPTH:
                    raise Unreadable(f"is nested deeper than {MAX_DEPTH} levels", line=_line(event))
                stack.append((holder, key, in_mapping, event.anchor))
                if event.anchor is not None:
                    self._open.append((event.anchor, event.start_mark.index, self._repeated))
                in_list = holder.__class__ is list
                if kind is SequenceStartEvent:
                    holder, in_mapping = [], False
                else:
                    holder, in_mapping = (Mapping() if in_list else {}), True
                    if in_list:
                        holder.line = event.start_mark.line + 1
                key = _MISSING
                continue
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                value = holder
                holder, key, in_mapping, anchor = stack.pop()
                if anchor is not None:
                    self._close(anchor, value, event.end_mark.index)
            elif kind is AliasEvent:
                value = self._alias(event)
            elif kind is StreamEndEvent:
                return None
            else:
                if kind is DocumentStartEvent:
                    self._keys.clear()
                continue
            if in_mapping:
                if key is _MISSING:
                    if value.__class__ is not str:
                        value = _as_key(value, event)
                    key = keys.setdefault(value, value)
                else:
                    if key == "<<" and isinstance(value, dict | list):
                        _merge(holder, value)
                    else:
                        holder[key] = value
                    key = _MISSING
            elif holder is None:
                return value
            else:
                holder.append(value)

    def _close(self, anchor: str, value: Any, index: int) -> None:
        _, start, repeated = self._open.pop()
        self._anchors[anchor] = value
        self._weights[anchor] = index - start + self._repeated - repeated

    def _alias(self, event: AliasEvent) -> Any:
        name = event.anchor
        if any(name == anchor for anchor, _, _ in self._open):
            raise Unreadable(f"the alias *{name} stands inside what it names", line=_line(event))
        if name not in self._anchors:
            raise Unreadable(f"the alias *{name} names nothing", line=_line(event))
        self._repeated += self._weights[name]
        if self._repeated > MAX_REPEATED_CHARACTERS:
            raise Unreadable(
                f"its aliases repeat more than {MAX_REPEATED_CHARACTERS // 1024**2} MiB", line=_line(event)
            )
        return self._anchors[name]


def _binary(event: ScalarEvent) -> bytes:
    try:
        return base64.b64decode(event.value)
    except (binascii.Error, ValueError) as exc:
        raise Unreadable("holds binary data that is not base64", line=_line(event)) from exc


def _as_key(value: Any, event: Any) -> str:
    """A key as text: Ruby writes the names of binary headers as base64."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str):
        return str(value)
    raise Unreadable("has a key that is not text", line=_line(event))


def _merge(holder: dict[str, Any], value: Any) -> None:
    for source in value if isinstance(value, list) else [value]:
        if isinstance(source, dict):
            for name, item in source.items():
                holder.setdefault(name, item)


def _line(event: Any) -> int:
    line: int = event.start_mark.line + 1
    return line
