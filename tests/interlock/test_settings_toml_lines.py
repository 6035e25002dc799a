"""The line locator finds in any TOML document what tomllib finds, at the line that decides it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlock.toml_lines import KeyPath, locate


def _leaves(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    if not items and path:
        yield path, value
    for key, item in items:
        yield from _leaves(item, (*path, key))


def _at(data: Any, path: KeyPath) -> Any:
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


ODD = ["plain", "A-b_9", "1234", "with space", "dot.ted", "ha#sh", "br]ack[et", "eq=ual", "qu'ote", 'qu"ote',
       "", "é", "back\\slash", "tab\there", "new\nline", "\U0001f600", "{curly}"]  # fmt: skip


@dataclass
class Writer:
    """Writes a random valid document with values that occur once."""

    draw: st.DrawFn
    out: list[str] = field(default_factory=list)
    count: int = 0

    def unique(self) -> int:
        self.count += 1
        return self.count

    def key(self) -> str:
        name = f"{self.draw(st.sampled_from(ODD))}{self.unique()}"
        bare = name.replace("-", "").replace("_", "").isalnum() and name.isascii()
        forms = [self.basic(name)]
        forms += [name] if bare else []
        forms += [f"'{name}'"] if not set(name) & {"'", "\n"} else []
        return self.draw(st.sampled_from(forms))

    def basic(self, text: str) -> str:
        def char(one: str) -> str:
            plain = one.isprintable() and one not in '"\\'
            forms = [f"\\U{ord(one):08x}"] + ([f"\\u{ord(one):04X}"] if ord(one) < 0x10000 else [])
            named = {"\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
            return self.draw(st.sampled_from([one, one, one, *forms])) if plain else named.get(one, forms[0])

        return '"' + "".join(map(char, text)) + '"'

    def dotted(self) -> str:
        dot: str = self.draw(st.sampled_from([".", " . ", ".\t"]))
        return dot.join(self.key() for _ in range(self.draw(st.integers(1, 3))))

    def gap(self) -> str:
        """White space, line ends and comments between the items of an array."""
        return self.draw(st.sampled_from(["", " ", "\n", "\n  # a ] \" ''' , = comment\n", "\n\n\t"]))

    def value(self, depth: int = 0) -> str:
        n = self.unique()
        scalars = [f"{n}", f"{n}.5", f"-{n}e3", f"0x{n:x}", f'"v{n} # ] }} \\" \\\\"', f"'v{n} \" # [ \\'",
                   f'"""v{n}\n\n "" # x = [\n"""', f"'''\nv{n} '' = \\\n'''", f'"""\\\n  v{n}\\"""  """',
                   f'""""v{n}"""""', f"''''v{n}'''''", f"{1000 + n}-01-02T03:04:05Z",
                   f"{1000 + n}-01-02 03:04:05", f"{1000 + n}-02-03"]  # fmt: skip
        kinds = ["scalar"] * 5 + (["array", "table"] if depth < 3 else [])
        kind = self.draw(st.sampled_from(kinds))
        if kind == "array":
            items = [
                self.gap() + self.value(depth + 1) + self.gap() for _ in range(self.draw(st.integers(0, 3)))
            ]
            comma = "," + self.gap() if self.draw(st.booleans()) and items else ""
            return f"[{','.join(items)}{comma}]"
        if kind == "table":
            pairs = (
                f" {self.dotted()} = {self.value(depth + 1)} " for _ in range(self.draw(st.integers(0, 3)))
            )
            return "{" + ",".join(pairs) + "}"
        return self.draw(st.sampled_from(scalars))

    def pairs(self) -> None:
        for _ in range(self.draw(st.integers(0, 3))):
            if self.draw(st.booleans()):
                self.out.append(self.draw(st.sampled_from(["", "# [not.a.table]", '  # x = """', "\t"])))
            end = self.draw(st.sampled_from(["", " # comment", "\t# 'x\" ]"]))
            self.out.append(f"{self.draw(st.sampled_from(['', '  ']))}{self.dotted()} = {self.value()}{end}")

    def document(self) -> str:
        self.pairs()
        for _ in range(self.draw(st.integers(0, 3))):
            header = self.dotted()
            if self.draw(st.booleans()):
                self.out.append(f"[{header}] # ]")
                self.pairs()
                continue
            for _ in range(self.draw(st.integers(1, 3))):
                self.out.append(f"[[ {header} ]]")
                self.pairs()
                if self.draw(st.booleans()):
                    self.out.append(f"[ {header} . {self.key()} ]")
                    self.pairs()
        end = self.draw(st.sampled_from(["\n", "\r\n"]))
        return "\n".join(self.out).replace("\n", end) + self.draw(st.sampled_from(["", end]))


@st.composite
def documents(draw: st.DrawFn) -> str:
    return Writer(draw).document()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents())
def test_every_leaf_is_found_and_no_other(text: str) -> None:
    """The paths are those of tomllib, through every way of writing a key."""
    data = tomllib.loads(text)
    lines = locate(text).lines
    assert {path for path, _ in _leaves(data)} <= set(lines)
    assert all(_at(data, path) is not None for path in lines)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents())
def test_the_line_decides_the_leaf(text: str) -> None:
    """Take that line away, and the leaf is another or the document is broken."""
    lines = text.split("\n")
    found = locate(text)
    for path, value in _leaves(tomllib.loads(text)):
        if isinstance(value, dict | list):
            continue  # empty, and so equal to any other that is empty
        at = found.line(path) - 1
        changed = "\n".join([*lines[:at], "", *lines[at + 1 :]])
        try:
            now = _at(tomllib.loads(changed), path)
        except tomllib.TOMLDecodeError:
            continue
        assert now != value, path


def test_a_document_with_everything() -> None:
    text = """\
a.b = 1 # first
"c.d" = { e = [1, 2], f.g = "x" }
[t]
list = [
  'one', # two ]
  { k = 1 },
]
long = \"\"\"
[x]
\"\"\"
after = 1
[[t.u]]
n = 1
[[t.u]]
[t.u.deep]
n = 2
"""
    found = locate(text)
    assert {path: found.line(path) for path, _ in _leaves(tomllib.loads(text))} == {
        ("a", "b"): 1,
        ("c.d", "e", 0): 2,
        ("c.d", "e", 1): 2,
        ("c.d", "f", "g"): 2,
        ("t", "list", 0): 5,
        ("t", "list", 1, "k"): 6,
        ("t", "long"): 8,
        ("t", "after"): 11,
        ("t", "u", 0, "n"): 13,
        ("t", "u", 1, "deep", "n"): 16,
    }
    assert found.comments == ((1, "first"), (5, "two ]"))
    assert found.line(("t", "u", 1, "deep")) == 15
    assert found.line(("t", "nothing", "here")) == 3
    assert found.line(("nothing",)) == 1


@pytest.mark.parametrize("text", ["", "\n", "# only a comment", "\r\n# x\r\n", "a=1"])
def test_small_documents(text: str) -> None:
    assert set(locate(text).lines) == {path for path, _ in _leaves(tomllib.loads(text))}
