"""YAML as trees of scalars with their places: from libyaml's events, with no tag obeyed and no alias unfolded."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from cassettes.redact.documents import Alias, Mapping, Node, Reader, Scalar, Sequence, UnreadableError

_PROPERTIES = re.compile(r"(?:(?:&\S+|!\S*)\s+)*")
_STYLES: dict[str | None, str] = {
    None: "plain",
    "": "plain",
    "'": "single",
    '"': "double",
    "|": "literal",
    ">": "folded",
}
_PLAIN = re.compile(
    r"(?!(?:true|false|yes|no|on|off|null|y|n)\Z)[A-Za-z][\w./=+-]*(?: [\w./=+-]+)*", re.IGNORECASE
)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
_MAY_BE_NUMBER = frozenset("-0123456789")
_SINGLE = re.compile(r"[^\x00-\x1f\x7f-\x9f\ufeff\ud800-\udfff]*")
_LITERAL = re.compile(r"[^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]*")


def read_yaml(text: str) -> list[Node]:
    """The YAML documents of a text. Raises `UnreadableError`."""
    reader = Reader()
    anchors: dict[str, Node] = {}
    try:
        parser = yaml.CSafeLoader(text)
        while (event := parser.get_event()) is not None:
            _take(event, reader, anchors)
    except (yaml.YAMLError, UnicodeError) as exc:
        raise UnreadableError("is not YAML") from exc
    return reader.roots


def _take(event: Any, reader: Reader, anchors: dict[str, Node]) -> None:
    node: Node
    kind = event.__class__
    if kind is yaml.ScalarEvent:
        value, tag, style = event.value, event.tag, _STYLES[event.style]
        if style == "plain" and tag is None and value[:1] in _MAY_BE_NUMBER and _NUMBER.fullmatch(value):
            style = "number"
        node = Scalar(value, event.start_mark.index, event.end_mark.index, style, tag)
        reader.add(node)
    elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
        node = Mapping([]) if kind is yaml.MappingStartEvent else Sequence([])
        reader.open(node)
    elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
        reader.close()
        return
    elif kind is yaml.AliasEvent:
        reader.add(Alias(anchors.get(str(event.anchor))))
        return
    else:
        return
    if event.anchor is not None:
        anchors[event.anchor] = node


def write_yaml(scalar: Scalar, new: str, text: str) -> str:
    """A changed scalar as YAML, in the style in which it stood, where that can hold it."""
    old = text[scalar.start : scalar.end]
    match = _PROPERTIES.match(old)
    properties = match[0] if match else ""
    own = old[len(properties) :]
    if scalar.style == "number" and _NUMBER.fullmatch(new):
        return properties + new
    if scalar.style == "plain" and _PLAIN.fullmatch(new):
        return properties + new
    if scalar.style == "literal" and (written := _literal(own, new)) is not None:
        return properties + written
    tail = own[len(own.rstrip()) :] if scalar.style in {"literal", "folded"} else ""
    if scalar.style != "double" and _SINGLE.fullmatch(new):
        return f"{properties}'{new.replace(chr(39), chr(39) * 2)}'{tail}"
    return properties + _double(new, ascii_only=own.isascii()) + tail


def _double(new: str, *, ascii_only: bool) -> str:
    """JSON's escapes are YAML's, but for characters beyond 16 bits and those that YAML calls unprintable."""
    written = json.dumps(new, ensure_ascii=False)
    beyond = r"[^\x20-\x7e]" if ascii_only else r"[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]"
    return re.sub(beyond, _escape, written)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"  # noqa: PLR2004


def _literal(own: str, new: str) -> str | None:
    """A block in its own indentation; None where its lines cannot be kept apart so."""
    head, newline, rest = own.partition("\n")
    first = next((line for line in rest.split("\n") if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip(" "))]
    if not indent or "\r" in own or new[:1] in {" ", "\n", ""} or not _LITERAL.fullmatch(new):
        return None
    lines = [indent + line if line else "" for line in new.rstrip("\n").split("\n")]
    return head + newline + "\n".join(lines) + own[len(own.rstrip()) :]
