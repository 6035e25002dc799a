"""Errors: ours or the user's, named for who is at fault; a finding is never an error.

InterlockError
├── UsageError          the command or its arguments are wrong            exit 2
│   ├── SettingsError   interlock.toml is wrong; carries every mistake    exit 2
│   ├── SecretError     a secret reference cannot be resolved             exit 2
│   └── MissingExtra    an optional dependency is not installed           exit 2
├── CatalogueError      a catalogue file of ours is wrong                 exit 2
├── CannotJudge         nothing to look at, or the control run failed     exit 3
└── StoreError          the store cannot be opened, read or written       exit 2
"""

from __future__ import annotations


class InterlockError(Exception):
    """The root. `exit_status` is what the command line ends with; `hint` is what to do next."""

    exit_status = 2

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(InterlockError):
    """The command or the configuration is wrong."""


class SettingsError(UsageError):
    """The settings file is wrong. `mistakes` holds one `file:line: what was meant` line for each."""

    def __init__(self, mistakes: tuple[str, ...], *, hint: str | None = None) -> None:
        super().__init__("\n".join(mistakes), hint=hint)
        self.mistakes = mistakes


class SecretError(UsageError):
    """A secret reference cannot be resolved. The message names the reference, never a value."""


class MissingExtra(UsageError):  # noqa: N818 - it names what is missing
    """An optional dependency is not installed."""

    def __init__(self, extra: str, *, needed_for: str) -> None:
        super().__init__(
            f"{needed_for} needs the extra `{extra}`, which is not installed",
            hint=f'run: make install EXTRAS="{extra}"',
        )
        self.extra = extra


class CatalogueError(InterlockError):
    """A catalogue file is wrong."""


class StoreError(InterlockError):
    """The store cannot be opened, read or written."""


class CannotJudge(InterlockError):  # noqa: N818 - it says what happened
    """There is no ground for a judgement: nothing to look at, or the control run failed."""

    exit_status = 3
