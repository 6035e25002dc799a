"""Types with their formats: which takes all that another takes."""

from __future__ import annotations

from contracts.drift.keywords import type_of
from contracts.drift.shapes import Shape
from contracts.schemas import FORMATS, validator_of_own

# Formats that a value can be held to; each takes what those in its set take, and no format takes all.
_WIDER = {"int64": frozenset({"int32"}), "double": frozenset({"float"})}
HELD = FORMATS | {"int32", "int64", "float", "double"}

# How a text that stands for bytes is told: by its format before OpenAPI 3.1, by what it contains since.
# https://learn.openapis.org/upgrading/v3.0-to-v3.1
OF_BYTES = frozenset({"binary", "byte", "base64"})
CONTENT = frozenset({"contentMediaType", "contentEncoding"})

Kinds = frozenset[tuple[str, str]]


def kinds(shape: Shape) -> Kinds | None:
    """Every type with the format that holds for it; None where anything goes."""
    if shape.impossible:
        return frozenset()
    if shape.types is None:
        return None
    return frozenset((each, _format(shape, each)) for each in shape.types)


def of_values(shape: Shape) -> Kinds:
    """The types of its listed values; one that does not fit its format is none that anybody may send."""
    held = [validator_of_own({"format": each}) for each in shape.formats & FORMATS]
    fitting = (
        value
        for value in (shape.values or {}).values()
        if all(each is None or each.is_valid(value) for each in held)
    )
    return frozenset((type_of(value), "") for value in fitting)


def _format(shape: Shape, name: str) -> str:
    return next((each for each in sorted(shape.formats & HELD) if _fits(each, name)), "")


def _speaks_of(name: str) -> str:
    return {"int32": "integer", "int64": "integer", "float": "number", "double": "number"}.get(name, "string")


def _fits(name: str, kind: str) -> bool:
    about = _speaks_of(name)
    return about == kind or (about == "integer" and kind == "number")


def covers(wide: Kinds | None, narrow: Kinds | None) -> bool:
    """Whether the first takes everything that the second takes."""
    if wide is None:
        return True
    return narrow is not None and all(any(_takes(one, two) for one in wide) for two in narrow)


def _takes(wide: tuple[str, str], narrow: tuple[str, str]) -> bool:
    if wide[0] != narrow[0] and (wide[0], narrow[0]) != ("number", "integer"):
        return False
    return not wide[1] or wide[1] == narrow[1] or narrow[1] in _WIDER.get(wide[1], ())


def shown(shape: Shape) -> str:
    """The types of a shape for a finding."""
    return spelled(kinds(shape), shape)


def spelled(found: Kinds | None, shape: Shape) -> str:
    """For a finding: `string/date-time or integer`."""
    if found is None:
        return "anything"
    nothing = "null" if shape.nullable else "nothing"
    return " or ".join(f"{kind}/{name}" if name else kind for kind, name in sorted(found)) or nothing


def same_bytes(one: Shape, two: Shape) -> bool:
    """Whether both are texts that stand for bytes in the same way: raw, or in Base64."""
    kind = _bytes(one)
    return bool(kind) and kind == _bytes(two)


def _bytes(shape: Shape) -> str:
    encoding, _ = shape.conditions.get("contentEncoding", ("", ()))
    if encoding == '"base64"' or shape.formats & {"byte", "base64"}:
        return "base64"
    raw = "binary" in shape.formats or ("contentMediaType" in shape.conditions and not encoding)
    return "binary" if raw else ""
