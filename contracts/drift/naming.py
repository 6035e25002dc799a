"""How a place in a contract is called: by the component that it belongs to, and the way from there."""

from __future__ import annotations

import re

from contracts.adapters import aws_shapes
from contracts.contract import Contract
from contracts.pointers import steps

PLACE = re.compile(r"\{([^{}]*)\}")  # in the template of a path


def normal(path: str) -> str:
    """A path without the names of its places, and without a slash at its end."""
    return PLACE.sub("{}", path).rstrip("/") or "/"


def section(contract: Contract) -> str:
    """Where a document lists its operations."""
    return {"botocore": "/operations", "discovery": "/resources"}.get(contract.dialect, "/paths")


def as_written(contract: Contract, pointer: str | None) -> str | None:
    """A place of a contract as its document has it: that of a service model was rewritten to schemas."""
    if pointer is None or contract.dialect != "botocore":
        return pointer
    return aws_shapes.as_written(contract.document, pointer)


def component_at(pointer: str) -> tuple[str, list[str]]:
    """The name of the component that a pointer leads into, and the steps within it; empty where it is none."""
    match steps(pointer):
        case ["components", "schemas", name, *rest] | ["definitions" | "schemas" | "shapes", name, *rest]:
            return name, rest
    return "", []


def component(places: tuple[str, ...]) -> str:
    """What a schema is called, if it belongs to a component: `Order.items[]`."""
    name, rest = component_at(places[0]) if len(places) == 1 else ("", [])
    return name + spelled(rest)


def spelled(parts: list[str]) -> str:
    """The steps below a schema as people write them: `.items[].price`."""
    text, rest = "", iter(parts)
    for part in rest:
        if part in {"properties", "patternProperties", "dependentSchemas"}:
            text += f".{next(rest, '')}"
        elif part == "items":
            text += "[]"
        elif part == "additionalProperties":
            text += ".*"
        elif part in {"anyOf", "oneOf"}:
            text += f" ({part} {next(rest, '')})"
        elif part == "allOf":
            next(rest, "")
        else:
            text += f" {part}"
    return text
