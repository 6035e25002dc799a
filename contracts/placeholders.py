"""What recorders and people put in the place of a secret, a name or a number: nothing can be said of it."""

from __future__ import annotations

import re

_LONGEST = 400
_WORDS = "filtered|removed|hidden|masked|scrubbed|sanitized|obfuscated|placeholder|dummy|fake"
# What programs print where they had nothing, or a thing that has no text. It stands in brackets too, and is a fault.
_PRINTED = r"(?:null|nil|none|undefined|true|false|nan|empty|object\ object)\W|[^<>]*\ object\ at\ 0x"
_NAME = rf"(?!(?i:{_PRINTED}))[A-Za-z_*$%.•:-][\w .:*•@/#%-]*"
_ABOUT = rf"[^<>\[\](){{}}\"]*(?i:redacted|{_WORDS})[^<>\[\](){{}}\"]*"
# A whole value: <TOKEN>, [redacted], {{key}}, *****, sk_test_***, FILTERED. Brackets hold a name or one of the words,
# and no JSON. What a program may well answer (`removed`, `fake`) is a mark in brackets, or in capitals; `HIDDEN` and
# `REMOVED`, of which enums are made, in brackets alone.
_WHOLE = re.compile(
    rf"""\s*(?:
        <{{1,2}}(?:{_NAME}|{_ABOUT})>{{1,2}} | <%.*%>
      | \[{{1,2}}(?:{_NAME}|{_ABOUT})\]{{1,2}}
      | [%$\#]?\{{(?:{_NAME}|{_ABOUT})\}} | \{{\{{[^{{}}]+\}}\}}
      | \({_ABOUT}\)
      | .*\*{{3,}}.* | (?=.*(?:•{{3}}|X{{4}}|x{{4}}))[*xX•.-]+
      | (?:.*[_\W])?(?:(?i:redacted)|FILTERED|MASKED|SCRUBBED|SANITIZED|OBFUSCATED|PLACEHOLDER|DUMMY|FAKE)(?:[_\W].*)?
    )\s*""",
    re.VERBOSE | re.DOTALL,
)
# Inside other text: only what nobody writes for another reason.
_INSIDE = re.compile(
    r"<[A-Z][A-Z0-9_ -]{2,60}>|\{\{[\w .-]{1,60}\}\}|\[(?:REDACTED|FILTERED|redacted|filtered)\]|\*{3,}|REDACTED"
)
_INSIDE_BYTES = re.compile(_INSIDE.pattern.encode())


def is_placeholder(text: str) -> bool:
    """Whether a text as a whole stands for another."""
    return bool(text) and len(text) <= _LONGEST and _WHOLE.fullmatch(text) is not None


def in_text(text: str) -> bool:
    """Whether a part of a text stands for another."""
    return _INSIDE.search(text) is not None


def in_bytes(body: bytes) -> bool:
    """The same of a body."""
    return _INSIDE_BYTES.search(body) is not None


def pattern(text: str) -> re.Pattern[str]:
    """What a text may have been, its placeholders being anything."""
    parts = _INSIDE.split(text)
    return re.compile(".*".join(map(re.escape, parts)), re.DOTALL)
