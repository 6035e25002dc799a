"""A file as a tree: JSON, YAML or plain text, told apart by what is in it; and the files that stand beside it."""

from __future__ import annotations

import codecs
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cassettes import yaml_tree
from cassettes.bodies import Budget
from cassettes.unreadable import Unreadable

MAX_FILE_BYTES = 64 * 1024 * 1024
JSON, YAML, TEXT = "json", "yaml", "text"

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. ()+@,=-]{0,200}")
_LEVELS_UP = 8
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(slots=True)
class Document:
    """One file, read. `syntax`: json, yaml or text. `tree`: what stands in it; for text, the text.

    `lost`: what it refers to and what is not there, one sentence each.
    """

    path: Path
    syntax: str
    tree: Any
    budget: Budget = field(default_factory=Budget)
    lost: list[str] = field(default_factory=list)
    included: dict[str, Any] = field(default_factory=dict)

    def beside(self, name: str, *folders: str) -> Path | None:
        """A file that this one names, sought in its own folder and those above; None where there is none.

        Only a plain name is followed: a cassette cannot point elsewhere.
        """
        if not _PLAIN_NAME.fullmatch(name):
            raise Unreadable(f"names a file by more than a plain name: {name[:60]!r}")
        start = self.path.absolute().parent
        for folder in [start, *start.parents][: _LEVELS_UP + 1]:
            for place in ("", *folders):
                candidate = folder / place / name
                if candidate.is_file():
                    return candidate
        return None


def read_bytes(path: Path) -> bytes:
    """The content of a regular file within the size limit. Raises `Unreadable`."""
    try:
        if not path.is_file():
            if path.is_dir():
                os.scandir(path).close()  # says why a folder could not be walked
            raise Unreadable("is not a file" if path.exists() else "is not there")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise Unreadable(f"is larger than {MAX_FILE_BYTES // 1024**2} MiB")
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except OSError as exc:
        raise Unreadable(f"cannot be read: {exc.strerror}") from exc
    if len(data) > MAX_FILE_BYTES:  # it grew
        raise Unreadable(f"is larger than {MAX_FILE_BYTES // 1024**2} MiB")
    return data


def parse(path: Path, data: bytes) -> Document:
    """The tree of a file's content. Raises `Unreadable`."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            try:
                data = data.decode(encoding).encode()
            except UnicodeDecodeError as exc:
                raise Unreadable(f"is not {encoding.upper()} text") from exc
            break
    head = data[:4096].lstrip()
    if head[:1] in {b"{", b"["}:
        return Document(path, *_braced(data))
    if re.match(rb"https?\r?\n[A-Z]+\r?\n", head):
        return Document(path, TEXT, _decoded(data))
    return Document(path, YAML, yaml_tree.load(data))


def _braced(data: bytes) -> tuple[str, Any]:
    """JSON, or YAML that begins with a brace."""
    try:
        return JSON, json.loads(_decoded(data))
    except json.JSONDecodeError as exc:
        if not data.lstrip().startswith((b'{"', b'[{"', b"{\n", b"{\r", b"[\n", b"[\r")):
            return YAML, yaml_tree.load(data)
        raise Unreadable(f"is not JSON: {exc.msg.removesuffix(' at')}", line=exc.lineno) from exc
    except RecursionError:
        raise Unreadable("is nested too deeply") from None
    except ValueError as exc:  # a number of more digits than Python reads
        raise Unreadable(f"is not JSON: {exc}") from exc


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as exc:
        raise Unreadable("is not UTF-8 text") from exc
