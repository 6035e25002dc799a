"""Documents from outside, JSON or YAML, read with caps on size, depth and aliases."""

from __future__ import annotations

import codecs
import contextlib
import functools
import json
import re
from pathlib import Path
from typing import Any

from interlock.errors import UsageError

MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 200
MAX_NODES = 4_000_000  # after aliases are followed: a bomb of ten lines has more
_NESTED = (dict, list)  # a union takes twice as long, and this is asked of every value
_ALIAS = re.compile(rb"(?:^|[\s\[{,:-])\*[^\s,\[\]{}]")


def read_bytes(path: Path) -> bytes:
    """The bytes of a document. Raises `UsageError`."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as exc:
        raise UsageError(f"{path} cannot be read: {exc.strerror}") from exc
    if len(data) > MAX_BYTES:
        raise UsageError(f"{path}: is larger than {MAX_BYTES // 1024 // 1024} MiB")
    return data


def parse(data: bytes, where: str) -> dict[str, Any]:
    """An object from JSON or YAML. Raises `UsageError` with the place where it is wrong."""
    if len(data) > MAX_BYTES:
        raise UsageError(f"{where}: is larger than {MAX_BYTES // 1024 // 1024} MiB")
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        document = _loaded(data, where)
    except RecursionError as exc:
        raise UsageError(f"{where}: is nested too deeply") from exc
    except ValueError as exc:  # such as a number of thousands of digits
        raise UsageError(f"{where}: {exc}") from exc
    if not isinstance(document, dict):
        raise UsageError(f"{where}: is not an object, so it is no contract")
    _check_depth(document, where)
    return document


def _loaded(data: bytes, where: str) -> Any:
    if data.lstrip()[:1] == b"{":
        with contextlib.suppress(ValueError):  # YAML may begin with a brace too
            return json.loads(data)
    return _yaml(data, where)


def _yaml(data: bytes, where: str) -> Any:
    import yaml  # noqa: PLC0415 - most documents are JSON

    try:
        document = yaml.load(data, Loader=_loader())  # noqa: S506 - a safe loader, made below
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(exc, "problem", None) or "is not YAML"
        raise UsageError(f"{where}{line}: {problem}") from exc
    if _ALIAS.search(data) and _size(document, {}, where) > MAX_NODES:
        raise UsageError(f"{where}: its aliases stand for more than {MAX_NODES} values")
    return document


@functools.cache
def _loader() -> type[Any]:
    """Safe YAML with the plain values of JSON alone: no dates, no `yes`, no octal; keys are text."""
    import yaml  # noqa: PLC0415

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc]
        yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002
            self.flatten_mapping(node)
            made = {}
            for key_node, value_node in node.value:
                key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
                if key is None:
                    raise yaml.constructor.ConstructorError(
                        None, None, "a key is not text", key_node.start_mark
                    )
                made[key] = self.construct_object(value_node, deep=deep)
            return made

    tag = "tag:yaml.org,2002:"
    integer = re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$")
    number = re.compile(r"^[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$")
    Loader.add_implicit_resolver(
        f"{tag}bool", re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
    )
    Loader.add_implicit_resolver(f"{tag}null", re.compile("^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
    Loader.add_implicit_resolver(f"{tag}int", integer, list("-+0123456789"))
    Loader.add_implicit_resolver(f"{tag}float", number, list("-+.0123456789"))
    Loader.add_implicit_resolver(f"{tag}merge", re.compile("^<<$"), ["<"])
    Loader.add_constructor(f"{tag}float", lambda self, node: float(self.construct_scalar(node)))
    Loader.add_constructor(f"{tag}int", lambda self, node: int(self.construct_scalar(node)))
    return Loader


def _size(value: Any, known: dict[int, int], where: str) -> int:
    """How many values there are once every alias is followed. Raises `UsageError` for a circle."""
    if not isinstance(value, dict | list):
        return 1
    if (size := known.get(id(value))) is not None:
        if size < 0:
            raise UsageError(f"{where}: an alias stands inside itself")
        return size
    known[id(value)] = -1
    children = value.values() if isinstance(value, dict) else value
    known[id(value)] = 1 + sum(_size(child, known, where) for child in children)
    return known[id(value)]


def _check_depth(document: Any, where: str) -> None:
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for each in level
            for child in (each.values() if isinstance(each, dict) else each)
            if isinstance(child, _NESTED)
        ]
        if not level:
            return
    raise UsageError(f"{where}: is nested more than {MAX_DEPTH} levels deep")
