"""Where each key of a TOML document stands: the line of every table, key and element, and the comments.

tomllib and pydantic tell what is wrong but not where: tomllib gives no positions, and tomlkit, which keeps
white space and comments, keeps no line numbers either. So this is a small scanner of our own. It reads only
documents that tomllib has accepted, and so need not judge them.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

KeyPath = tuple[str | int, ...]

_BLANK = re.compile(r"[ \t\r\n]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"(?:[^"\\]|\\.)*"')
_LITERAL = re.compile(r"'[^']*'")
_LONG_BASIC = re.compile(r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''.*?'''(?:'{0,2})", re.DOTALL)
_SCALAR = re.compile(r"[^,\]}#\r\n]+")
_ESCAPE = re.compile(r"\\\\|\\(?:U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{2}|e)")


@dataclass(frozen=True, slots=True)
class TomlLines:
    """`lines`: line number (from 1) by key path; a number in a path is the index in an array.

    `comments`: (line, text after `#`) in the order of the document.
    """

    lines: Mapping[KeyPath, int]
    comments: tuple[tuple[int, str], ...]

    def line(self, path: KeyPath) -> int:
        """The line of `path`, or of the nearest table around it; 1 if there is none."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


def locate(text: str) -> TomlLines:
    """Find every key of a document that `tomllib.loads` accepts."""
    scanner = _Scanner(text)
    scanner.document()
    return TomlLines(scanner.lines, tuple(scanner.comments))


class _Scanner:
    """Walks once through the text; `at` is where it stands."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self.comments: list[tuple[int, str]] = []
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._sizes: dict[KeyPath, int] = {}  # of arrays of tables

    def document(self) -> None:
        """Tables and pairs, to the end."""
        table: KeyPath = ()
        while self._skip():
            if self.text.startswith("[[", self.at):
                table = self._header(2)
            elif self.text[self.at] == "[":
                table = self._header(1)
            else:
                self._pair(table)

    def _header(self, brackets: int) -> KeyPath:
        """`[a.b]` or `[[a.b]]`. A name that is an array of tables means its newest element."""
        line = self._line()
        self.at += brackets
        *parents, last = self._key()
        self.at = self.text.index("]", self.at) + brackets
        path: KeyPath = ()
        for part in parents:
            path = self._newest(self._mark((*path, part), line))
        path = self._mark((*path, last), line)
        if brackets == 2:  # noqa: PLR2004 - [[ ]]
            self._sizes[path] = self._sizes.get(path, 0) + 1
            return self._mark(self._newest(path), line)
        return self._newest(path)

    def _newest(self, path: KeyPath) -> KeyPath:
        return (*path, self._sizes[path] - 1) if path in self._sizes else path

    def _pair(self, table: KeyPath) -> None:
        """`key = value`, the key perhaps dotted."""
        line = self._line()
        path = table
        for part in self._key():
            path = self._mark((*path, part), line)
        self.at = self.text.index("=", self.at) + 1
        self._skip()
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        """Stands on a value and goes past it."""
        char = self.text[self.at]
        if char == "[":
            self._array(path)
        elif char == "{":
            self._inline(path)
        else:
            self.at = self._scalar().end()

    def _array(self, path: KeyPath) -> None:
        for index, _ in enumerate(self._items("]")):
            self._value(self._mark((*path, index), self._line()))

    def _inline(self, path: KeyPath) -> None:
        for _ in self._items("}"):
            self._pair(path)

    def _items(self, end: str) -> Iterator[None]:
        """Stops at each item between the brackets, then goes past the closing one."""
        self.at += 1
        self._skip()
        while self.text[self.at] != end:
            yield
            self._skip()
            if self.text[self.at] == ",":
                self.at += 1
                self._skip()
        self.at += 1

    def _scalar(self) -> re.Match[str]:
        for start, pattern in (
            ('"""', _LONG_BASIC),
            ("'''", _LONG_LITERAL),
            ('"', _BASIC),
            ("'", _LITERAL),
            ("", _SCALAR),
        ):
            if self.text.startswith(start, self.at) and (match := pattern.match(self.text, self.at)):
                return match
        raise ValueError(f"line {self._line()}: not a TOML value")

    def _key(self) -> list[str]:
        """A key's parts: bare, quoted and dotted."""
        parts = []
        while True:
            self._blank()
            parts.append(self._key_part())
            self._blank()
            if self.text[self.at] != ".":
                return parts
            self.at += 1

    def _key_part(self) -> str:
        pattern = {'"': _BASIC, "'": _LITERAL}.get(self.text[self.at], _BARE)
        match = pattern.match(self.text, self.at)
        if match is None:
            raise ValueError(f"line {self._line()}: not a TOML key")
        self.at = match.end()
        if pattern is _BASIC:
            return _unescape(match.group())
        return match.group()[1:-1] if pattern is _LITERAL else match.group()

    def _skip(self) -> bool:
        """Past white space, line ends and comments; whether anything is left."""
        while True:
            self._blank()
            if not self.text.startswith("#", self.at):
                return self.at < len(self.text)
            end = self.text.find("\n", self.at)
            end = len(self.text) if end < 0 else end
            self.comments.append((self._line(), self.text[self.at + 1 : end].strip()))
            self.at = end

    def _blank(self) -> None:
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def _line(self) -> int:
        return bisect_right(self._starts, self.at)

    def _mark(self, path: KeyPath, line: int) -> KeyPath:
        """The first line where a path is named is its line."""
        self.lines.setdefault(path, line)
        return path


def _unescape(quoted: str) -> str:
    r"""The text of a basic string. TOML adds `\U`, `\x` and `\e` to what JSON escapes."""
    escaped = _ESCAPE.sub(_one_escape, quoted)
    text: str = json.loads(escaped, strict=False)
    return text


def _one_escape(match: re.Match[str]) -> str:
    text = match.group()
    if text == "\\\\":
        return text
    return json.dumps(chr(int(text[2:] or "1b", 16)))[1:-1]
