"""What is raised, inside this room only, for a cassette or a part of one that cannot be read; it ends as a finding."""

from __future__ import annotations


class Unreadable(Exception):  # noqa: N818 - it says what the file is
    """`reason` goes on after the file's name or "its": `is not YAML: ...`. `line`: from 1, None where not known."""

    def __init__(self, reason: str, *, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
