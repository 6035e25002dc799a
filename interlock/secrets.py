"""Secrets by reference: `env:NAME` or `file:PATH`. A value never shows itself by accident."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from interlock.errors import SecretError

_REFERENCE = re.compile(r"(env|file):(.+)", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MAX_SECRET_BYTES = 64 * 1024


class Secret:
    """A value that hides itself in `repr`, `str`, `format` and pickles; only `reveal()` shows it."""

    __slots__ = ("_value", "name")

    def __init__(self, value: str, *, name: str) -> None:
        """`name` is what may be shown: the reference it came from."""
        self._value = value
        self.name = name

    def reveal(self) -> str:
        """The value itself. Call it where it goes on the wire, and nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({self.name!r})"

    def __str__(self) -> str:
        return f"[{self.name}]"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((self.name,))

    def __reduce__(self) -> str:
        raise TypeError("a Secret cannot be pickled")


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
        return cls(kind, target)

    def __str__(self) -> str:
        return f"{self.kind}:{self.target}"

    def resolve(self, environ: Mapping[str, str] | None = None, *, base: Path | None = None) -> Secret:
        """Fetch the value. A relative file is sought beside `base`. Raises `SecretError`."""
        if self.kind == "env":
            value = (os.environ if environ is None else environ).get(self.target)
            if value is None:
                raise SecretError(f"{self}: the environment variable is not set")
        else:
            value = self._read(base)
        value = value.strip()
        if not value:
            raise SecretError(f"{self}: is empty")
        return Secret(value, name=str(self))

    def _read(self, base: Path | None) -> str:
        path = (base or Path()) / Path(self.target).expanduser()
        try:
            with path.open("rb") as stream:
                raw = stream.read(MAX_SECRET_BYTES + 1)
        except OSError as exc:
            raise SecretError(f"{self}: cannot be read ({exc.strerror})") from exc
        if len(raw) > MAX_SECRET_BYTES:
            raise SecretError(f"{self}: is larger than {MAX_SECRET_BYTES} bytes")
        try:
            return raw.decode()
        except UnicodeDecodeError as exc:
            raise SecretError(f"{self}: is not UTF-8 text") from exc


def fingerprint(values: Mapping[str, str], key: bytes) -> str:
    """A keyed hash (HMAC-SHA-256, 16 hex digits) that tells credentials apart and gives nothing away."""
    text = "\n".join(f"{name}={values[name]}" for name in sorted(values))
    return hmac.digest(key, text.encode(), hashlib.sha256).hex()[:16]
