"""What was found: which rule, where, and what stands there now. Never the value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One secret or piece of personal data.

    `rule`: `secret-...` or `personal-...`. `place`: a pointer, such as `/response/body/access_token`; empty for
    plain text. `replaced_by`: the placeholder. `line`: in the file, from 1; None where there is no file.
    """

    rule: str
    place: str
    replaced_by: str
    line: int | None = None


def pointer(path: tuple[str, ...]) -> str:
    """A JSON pointer. source: RFC 6901."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)
