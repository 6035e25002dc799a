"""The examples that providers give of their own messages: those inside their documents, and those beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contracts.contract import Contract
from contracts.pointers import join


def inside(node: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every example in a document, with the pointer of the schema that it is an example of."""
    if isinstance(node, list):
        for index, each in enumerate(node):
            yield from inside(each, join(at, index))
    if not isinstance(node, dict):
        return
    where = join(at, "schema") if "schema" in node else at
    if "example" in node and node.keys() & {"schema", "type", "$ref", "properties"}:
        yield where, node["example"]
    listed = node.get("examples")
    for each in listed.values() if isinstance(listed, dict) and "schema" in node else ():
        if isinstance(each, dict) and "value" in each:
            yield where, each["value"]
    for name, inner in node.items():
        if name not in {"example", "examples", "enum", "default"}:
            yield from inside(inner, join(at, name))


def stripe(contract: Contract, fixtures: Path) -> Iterator[tuple[str, Any]]:
    """Stripe's fixtures by the name of their schema."""
    schemas = contract.document["components"]["schemas"]
    for name, value in json.loads(fixtures.read_bytes())["resources"].items():
        if name in schemas:
            yield f"/components/schemas/{name}", value


def github(contract: Contract, payloads: Path) -> Iterator[tuple[str, Any]]:
    """GitHub's payloads by event: the name of their folder, and their action, unless that is a user's own."""
    for path in sorted(payloads.rglob("*.json")):
        value = json.loads(path.read_bytes())
        kind = path.parent.name.replace("_", "-")
        name = f"{kind}-{value.get('action')}".replace("_", "-")
        fitting = [each for each in contract.events if each in {name, kind}]
        fitting += [each for each in contract.events if each.startswith(f"{kind}-")]
        schema = contract.events[fitting[0]].media[0].schema
        assert schema is not None
        yield schema, value
