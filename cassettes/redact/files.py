"""One file: what kind of text it is, what is in it that should not be, and the same file without."""

from __future__ import annotations

import bisect
import codecs
import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass

from cassettes.redact.documents import (
    Edit,
    Mapping,
    Node,
    Scalar,
    Sequence,
    UnreadableError,
    read_json,
    splice,
    write_json,
)
from cassettes.redact.hits import Hit
from cassettes.redact.look import PASSES, Look
from cassettes.redact.redactor import Redactor
from cassettes.redact.walk import Walk
from cassettes.redact.yaml_documents import read_yaml, write_yaml

_JSON_NAMES = (".json", ".har", ".jsonl", ".ndjson")
_YAML_NAMES = (".yml", ".yaml")
_LOOKED_AT = 4096  # bytes and characters from which the kind of a file is told
_YAML_START = re.compile(r"\s*(?:---|-\s+request:|(?:http_)?interactions:|version:\s)")
_SPEAKS = tuple(
    re.compile(rf"(?:^|[\s{{\[,\"']){word}[\"']?\s{{0,4}}:", re.MULTILINE) for word in ("request", "response")
)
_BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class UnwritableError(Exception):
    """The file cannot be written anew so that it reads as before. The message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a look at one file brought. `kind`: json, yaml or text. `raw`: the file without what was found."""

    kind: str
    raw: bytes
    hits: tuple[Hit, ...]


def is_binary(raw: bytes) -> bool:
    """Whether the bytes are no text."""
    return b"\0" in raw[:_LOOKED_AT] and not raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))


def look_at(
    raw: bytes, name: str, redactor: Redactor, *, strict: bool | None = None, rewrite: bool = True
) -> Looked:
    """Look at a file's content. Raises `UnwritableError`.

    `strict`: whether all that stands under a telling name is secret; None: if the file is a recording. `rewrite`:
    False where only the hits are wanted; then `raw` is as it was.
    """
    mark = next((mark for mark in _BOMS if raw.startswith(mark)), b"")
    encoding = _BOMS.get(mark, "utf-8")
    if len(raw) % 2 and encoding.startswith("utf-16"):
        mark, encoding = b"", "utf-8"
    text = raw[len(mark) :].decode(encoding, "surrogateescape" if encoding == "utf-8" else "surrogatepass")
    look = Look(
        redactor.rules,
        strict=is_recording(text) if strict is None else strict,
        passes=PASSES if rewrite else 1,
    )
    kind, new = _document(text, name, look, rewrite=rewrite)
    hits = _with_lines(look, text)
    if not hits or not rewrite:
        return Looked(kind=kind, raw=raw, hits=hits)
    errors = "surrogateescape" if encoding == "utf-8" else "surrogatepass"
    return Looked(kind=kind, raw=mark + new.encode(encoding, errors), hits=hits)


def is_recording(text: str) -> bool:
    """Whether a text speaks of requests and responses, as a recording of any format does."""
    return all(pattern.search(text) for pattern in _SPEAKS)


def _document(text: str, name: str, look: Look, *, rewrite: bool) -> tuple[str, str]:
    """The kind of a text, and the text without what was found."""
    for kind, fits, read, write in _KINDS:
        if fits(text, name.lower()):
            try:
                roots = read(text)
            except UnreadableError:
                continue
            walk = Walk(look, at_home=True)
            walk.roots(roots, ())
            return kind, _written(text, roots, walk, read, write) if rewrite else text
    return "text", look.inside(text, ())


def _looks_json(text: str, name: str) -> bool:
    return name.endswith(_JSON_NAMES) or text[:_LOOKED_AT].lstrip()[:1] in {"{", "["}


def _looks_yaml(text: str, name: str) -> bool:
    return name.endswith(_YAML_NAMES) or _YAML_START.match(text[:_LOOKED_AT]) is not None


Read = Callable[[str], list[Node]]
Write = Callable[[Scalar, str, str], str]
_KINDS: tuple[tuple[str, Callable[[str, str], bool], Read, Write], ...] = (
    ("json", _looks_json, read_json, write_json),
    ("yaml", _looks_yaml, read_yaml, write_yaml),
)


def _written(text: str, roots: list[Node], walk: Walk, read: Read, write: Write) -> str:
    """The text with the changed scalars in their places; it must read as the same document but for these."""
    if not walk.changed:
        return text
    new = splice(text, [Edit(s.start, s.end, write(s, value, text)) for s, value in walk.changed.values()])
    wanted = [walk.changed[s.start][1] if s.start in walk.changed else s.value for s in _scalars(roots)]
    try:
        again = [scalar.value for scalar in _scalars(read(new))]
    except UnreadableError:
        again = []
    if again != wanted:
        raise UnwritableError("what was found cannot be replaced without changing how the file reads")
    return new


def _scalars(nodes: list[Node]) -> list[Scalar]:
    found: list[Scalar] = []
    stack = list(reversed(nodes))
    while stack:
        node = stack.pop()
        if isinstance(node, Scalar):
            found.append(node)
        elif isinstance(node, Sequence):
            stack += reversed(node.items)
        elif isinstance(node, Mapping):
            stack += reversed([part for pair in node.pairs for part in pair])
    return found


def _with_lines(look: Look, text: str) -> tuple[Hit, ...]:
    if not look.hits:
        return ()
    ends = [match.start() for match in re.finditer("\n", text)]
    return tuple(
        dataclasses.replace(hit, line=None if offset is None else bisect.bisect_left(ends, offset) + 1)
        for hit, offset in zip(look.hits, look.offsets, strict=True)
    )
