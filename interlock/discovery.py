"""Which providers a project uses, told by names alone: of variables, of packages, of imports. No value is kept."""

from __future__ import annotations

import ast
import configparser
import json
import os
import re
import time
import tomllib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from interlock.catalogue import Provider

MAX_FILES = 20_000
MAX_FILE_BYTES = 1024 * 1024
MAX_SECONDS = 10.0
_SKIPPED = {
    *("node_modules", "bower_components", "venv", "env", "virtualenv", "site-packages", "__pycache__"),
    *("vendor", "dist", "build", "target", "coverage"),
}
_DOTENV = re.compile(r"\.env(?:rc|\..+|)|.+\.env")
_ASSIGNMENT = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=")
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_SCRIPT_IMPORT = re.compile(
    r"""(?:\bfrom|\bimport|\brequire[ \t]*\(|\bimport[ \t]*\()[ \t]*["']((?:@[\w.-]+/)?[\w.-]+)(?:/[^"']*)?["']"""
)
_SCRIPTS = {".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".vue", ".svelte"}


@dataclass(frozen=True, slots=True)
class Sign:
    """One trace of a provider. `line` is None for the environment. `variable`: the name, where it is one."""

    text: str
    place: str
    line: int | None = None
    variable: str | None = None

    def __str__(self) -> str:
        return f"{self.place}:{self.line}: {self.text}" if self.line else f"{self.place}: {self.text}"


@dataclass(slots=True)
class Found:
    """What was found of a provider. `shared`: every sign would fit another provider too."""

    provider: Provider
    signs: list[Sign] = field(default_factory=list)
    shared: bool = True

    @property
    def variables(self) -> frozenset[str]:
        """The names of the environment variables among the signs."""
        return frozenset(sign.variable for sign in self.signs if sign.variable)


@dataclass(frozen=True, slots=True)
class Discovery:
    """`found`: providers with their signs. `remarks`: what was left out or could not be read, in words."""

    found: tuple[Found, ...]
    remarks: tuple[str, ...]


def discover(
    root: Path,
    providers: Iterable[Provider],
    variables: Iterable[str],
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Discovery:
    """Look at the names of `variables` and at the files below `root`; bounded in files, bytes and seconds."""
    search = _Search(root, tuple(providers))
    for name in sorted(set(variables)):
        search.tell("variable", name, Sign("is set", f"environment variable {name}", variable=name))
    deadline = clock() + MAX_SECONDS
    for count, path in enumerate(_files(root)):
        if count >= MAX_FILES or clock() > deadline:
            search.remarks.append(f"stopped after {count} files; name a smaller folder to see the rest")
            break
        search.read(path)
    found = (each for each in search.found.values() if each.signs)
    return Discovery(tuple(found), tuple(search.remarks))


def _files(root: Path) -> Iterator[Path]:
    """Files below a folder, near ones first. Links are not followed, so no loop can trap it."""
    folders = [root]
    for folder in folders:
        if len(folders) > MAX_FILES:
            return
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            continue
        if folder != root and any(entry.name == "pyvenv.cfg" for entry in entries):
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _SKIPPED and not entry.name.startswith("."):
                    folders.append(Path(entry.path))
            elif entry.is_file():
                yield Path(entry.path)


class _Search:
    """Gathers signs. What names point to is looked up in one index: (kind, name) to providers."""

    def __init__(self, root: Path, providers: tuple[Provider, ...]) -> None:
        self.root = root
        self.found = {provider.name: Found(provider) for provider in providers}
        self.remarks: list[str] = []
        self._index: dict[tuple[str, str], list[str]] = {}
        for provider in providers:
            for key in _keys(provider):
                self._index.setdefault(key, []).append(provider.name)
        roots = {name.split(".")[0] for kind, name in self._index if kind == "import"}
        self._imports = re.compile(
            rf"^[ \t]*(?:from|import)\b.*\b(?:{'|'.join(map(re.escape, roots)) or '(?!)'})\b", re.MULTILINE
        )

    def tell(self, kind: str, name: str, sign: Sign) -> None:
        """Keep a sign if the catalogue knows the name."""
        names = self._index.get((kind, name), [])
        for provider in names:
            found = self.found[provider]
            if all((sign.text, sign.place) != (other.text, other.place) for other in found.signs):
                found.signs.append(sign)
            found.shared = found.shared and len(names) > 1

    def read(self, path: Path) -> None:
        """Read one file, if it is of a kind that tells something."""
        reader = _reader(path)
        if reader is None:
            return
        shown = str(path.relative_to(self.root))
        try:
            if path.stat().st_size > MAX_FILE_BYTES:
                return
            text = path.read_text(encoding="utf-8", errors="replace")
            reader(self, text, shown)
        except (OSError, ValueError, SyntaxError, RecursionError, MemoryError, configparser.Error):
            self.remarks.append(f"{shown}: cannot be read as what its name says; left out")

    def dotenv(self, text: str, shown: str) -> None:
        """Names only: what stands behind `=` is not looked at."""
        for number, line in enumerate(text.splitlines(), 1):
            if match := _ASSIGNMENT.match(line):
                name = match.group(1)
                self.tell("variable", name, Sign(f"names {name}", shown, number, name))

    def requirements(self, text: str, shown: str) -> None:
        """`requirements*.txt` and its relatives."""
        for number, line in enumerate(text.splitlines(), 1):
            if match := _REQUIREMENT.match(line):
                self._requires("pypi", match.group(1), shown, number)

    def pyproject(self, text: str, shown: str) -> None:
        """`[project]`, `[dependency-groups]`, Poetry, uv, PDM; and a Pipfile."""
        data = tomllib.loads(text)
        for requirement in _python_requirements(data):
            if match := _REQUIREMENT.match(requirement):
                self._requires("pypi", match.group(1), shown, _line_of(match.group(1), text))

    def setup_cfg(self, text: str, shown: str) -> None:
        """`install_requires` and extras."""
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        parser.read_string(text)
        lists = [parser.get("options", "install_requires", fallback="")]
        if parser.has_section("options.extras_require"):
            lists += [value for _, value in parser.items("options.extras_require")]
        for line in "\n".join(lists).splitlines():
            if match := _REQUIREMENT.match(line):
                self._requires("pypi", match.group(1), shown, _line_of(match.group(1), text))

    def package_json(self, text: str, shown: str) -> None:
        """Every kind of dependency."""
        data = json.loads(text)
        for key in ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies"):
            names = data.get(key) if isinstance(data, dict) else None
            for name in names if isinstance(names, dict) else ():
                self._requires("npm", name, shown, _line_of(f'"{name}"', text))

    def python(self, text: str, shown: str) -> None:
        """Imports, read from the syntax tree of files that seem to have one of interest."""
        if not self._imports.search(text):
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the file's own making
            tree = ast.parse(text)
        for node in ast.walk(tree):
            for module in _modules(node):
                self.tell("import", module, Sign(f"imports {module}", shown, getattr(node, "lineno", 1)))

    def script(self, text: str, shown: str) -> None:
        """`import ... from`, `import(...)` and `require(...)` of JavaScript and TypeScript."""
        for match in _SCRIPT_IMPORT.finditer(text):
            name = match.group(1)
            self.tell("npm", name, Sign(f"imports {name}", shown, text.count("\n", 0, match.start()) + 1))

    def _requires(self, kind: str, name: str, shown: str, line: int) -> None:
        self.tell(kind, _normal(kind, name), Sign(f"requires {name}", shown, line))


def _reader(path: Path) -> Callable[[_Search, str, str], None] | None:
    name = path.name
    if name in {"pyproject.toml", "Pipfile"}:
        return _Search.pyproject
    if (
        re.fullmatch(r"(?:.*requirements.*|constraints.*)\.(?:txt|in)", name)
        or path.parent.name == "requirements"
    ):
        return _Search.requirements if path.suffix in {".txt", ".in"} else None
    named = {"package.json": _Search.package_json, "setup.cfg": _Search.setup_cfg}
    if name in named:
        return named[name]
    if _DOTENV.fullmatch(name):
        return _Search.dotenv
    if path.suffix in {".py", ".pyi"}:
        return _Search.python
    return _Search.script if path.suffix in _SCRIPTS and not name.endswith(".min.js") else None


def _keys(provider: Provider) -> Iterator[tuple[str, str]]:
    """What points to a provider: names of variables, packages and imports."""
    named = [known.environment_names for known in provider.credentials.values()]
    named += [known.environment_names for known in provider.parameters.values()]
    yield from (("variable", name) for names in named for name in names)
    for package in provider.packages:
        kind, _, name = package.partition(":")
        yield kind, _normal(kind, name)


def _normal(kind: str, name: str) -> str:
    """A distribution's name as PyPI compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower() if kind == "pypi" else name


def _python_requirements(data: Mapping[str, Any]) -> Iterator[str]:
    project, tool = _table(data, "project"), _table(data, "tool")
    poetry, uv, pdm = (_table(tool, name) for name in ("poetry", "uv", "pdm"))
    lists = [project.get("dependencies"), uv.get("dev-dependencies")]
    groups = [_table(project, "optional-dependencies"), _table(data, "dependency-groups"),
              _table(pdm, "dev-dependencies")]  # fmt: skip
    lists += [names for group in groups for names in group.values()]
    for names in lists:
        yield from (name for name in names if isinstance(name, str)) if isinstance(names, list) else ()
    tables = [
        (poetry, "dependencies"),
        (poetry, "dev-dependencies"),
        (data, "packages"),
        (data, "dev-packages"),
    ]
    tables += [(group, "dependencies") for group in _table(poetry, "group").values()]
    for table, key in tables:
        yield from _table(table, key)


def _table(data: object, key: str) -> Mapping[str, Any]:
    value = data.get(key) if isinstance(data, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _line_of(name: str, text: str) -> int:
    """The first line that has the name, whole."""
    match = re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text)
    return text.count("\n", 0, match.start()) + 1 if match else 1


def _modules(node: ast.AST) -> Iterator[str]:
    """The modules an import names, with all the packages around them."""
    dotted: list[str] = []
    if isinstance(node, ast.Import):
        dotted = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        dotted = [f"{node.module}.{alias.name}" for alias in node.names]
    for name in dict.fromkeys(dotted):
        parts = name.split(".")
        yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))
