"""Secrets by reference: `env:NAME` or `file:PATH`. A value never shows itself by accident."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from interlock.errors import SecretError

_REFERENCE = re.compile(r"(env|file):(.+)", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
REFERENCE_PATTERN = r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$"  # for the JSON Schema of the settings
MAX_SECRET_BYTES = 64 * 1024


class Secret:
    """A value that hides itself in `repr`, `str`, `format`, copies and pickles; only `reveal()` shows it.

    Two secrets are equal when both name and value are.
    """

    __slots__ = ("_bytes", "_value", "name")
    name: str
    _value: str
    _bytes: bytes

    def __init__(self, value: str, *, name: str) -> None:
        """`name` is what may be shown: the reference it came from."""
        object.__setattr__(self, "_value", value)
        object.__setattr__(self, "_bytes", _raw(value))
        object.__setattr__(self, "name", name)

    def reveal(self) -> str:
        """The value itself. Call it where it goes on the wire, and nowhere else."""
        return self._value

    def reveal_bytes(self) -> bytes:
        """The value as UTF-8; the same care is due."""
        return self._bytes

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Secret cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a Secret cannot be changed")

    def __repr__(self) -> str:
        return f"Secret({self.name!r})"

    def __str__(self) -> str:
        return f"[{self.name}]"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        same = hmac.compare_digest(self._bytes, other._bytes)
        return same and self.name == other.name

    def __hash__(self) -> int:
        return hash((Secret, self.name))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A reference to a secret: where its value is, not the value."""

    kind: str
    target: str

    @classmethod
    def parse(cls, text: str) -> SecretRef:
        """Read `env:NAME` or `file:PATH`; `ValueError` for anything else. The text is not echoed."""
        match = _REFERENCE.fullmatch(text.strip())
        if match is None:
            raise ValueError("must be a reference, env:NAME or file:PATH, never the secret itself")
        kind, target = match.groups()
        if kind == "env" and not _NAME.fullmatch(target):
            raise ValueError("env: must be followed by the name of an environment variable")
        if "\0" in target:
            raise ValueError("file: must be followed by the path of a file")
        return cls(kind, target)

    def __str__(self) -> str:
        return f"{self.kind}:{self.target}"

    def resolve(self, environ: Mapping[str, str] | None = None, *, base: Path | None = None) -> Secret:
        """Fetch the value. A relative file is sought beside `base`. Raises `SecretError`."""
        if self.kind == "env":
            value = (os.environ if environ is None else environ).get(self.target)
            if value is None:
                raise SecretError(f"{self}: the environment variable is not set")
            if not _is_utf8(value):
                raise SecretError(f"{self}: is not UTF-8 text")
        else:
            value = self._read(base)
        value = value.strip()
        if not value:
            raise SecretError(f"{self}: is empty")
        return Secret(value, name=str(self))

    def warning(self, *, base: Path | None = None) -> str | None:
        """What is careless about where the secret is kept; None if nothing is, or if it cannot be told."""
        if self.kind != "file" or os.name != "posix":
            return None
        try:
            mode = self._path(base).stat().st_mode
        except (OSError, SecretError):
            return None
        if not mode & stat.S_IROTH:
            return None
        return f"{self}: every user of this machine can read it; `chmod o-r` it"

    def _path(self, base: Path | None) -> Path:
        try:
            return (base or Path()) / Path(self.target).expanduser()
        except RuntimeError:  # no such home
            raise SecretError(f"{self}: cannot be read (the home folder is not known)") from None

    def _read(self, base: Path | None) -> str:
        path = self._path(base)
        try:
            with path.open("rb") as stream:
                raw = stream.read(MAX_SECRET_BYTES + 1)
        except OSError as exc:
            raise SecretError(f"{self}: cannot be read ({exc.strerror})") from exc
        if len(raw) > MAX_SECRET_BYTES:
            raise SecretError(f"{self}: is larger than {MAX_SECRET_BYTES} bytes")
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError:  # it carries the bytes, so it is not chained
            raise SecretError(f"{self}: is not UTF-8 text") from None


def _is_utf8(text: str) -> bool:
    """Whether every character is one; an environment variable may hold bytes that are not text."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def fingerprint(values: Mapping[str, str], key: bytes) -> str:
    """A keyed hash (HMAC-SHA-256, 16 hex digits) that tells credentials apart and gives nothing away."""
    text = "\n".join(f"{name}={values[name]}" for name in sorted(values))
    return hmac.digest(key, text.encode(), hashlib.sha256).hex()[:16]
