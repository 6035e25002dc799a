"""Documents of one operation for the tests, and what drift finds between two of them."""

from __future__ import annotations

import copy
import datetime as dt
import json
from typing import Any

from contracts import adapters
from contracts.contract import Contract
from contracts.drift import Compared, compare

TODAY = dt.date(2026, 11, 25)
JSON = "application/json"


def document(operation: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A document of `GET /things`, or of whatever paths are given."""
    made = {
        "openapi": "3.1.0",
        "info": {"title": "Things", "version": "1"},
        "paths": {"/things": {"get": operation or {"responses": {"200": {"description": ""}}}}},
    }
    return copy.deepcopy(made | more)


def answering(schema: Any, **more: Any) -> dict[str, Any]:
    """A document whose operation answers with a schema."""
    return document(
        {"responses": {"200": {"description": "", "content": {JSON: {"schema": schema}}}}}, **more
    )


def asking(schema: Any, **more: Any) -> dict[str, Any]:
    """A document whose operation takes a schema."""
    body = {"requestBody": {"content": {JSON: {"schema": schema}}}, "responses": {"200": {"description": ""}}}
    return document(None, paths={"/things": {"post": body}}, **more)


def contract(given: dict[str, Any], **about: Any) -> Contract:
    """A document as a contract."""
    return adapters.parse(json.dumps(given).encode(), name="things", source="things.json", **about)


def compared(base: dict[str, Any], revision: dict[str, Any]) -> Compared:
    """What drift finds between two documents."""
    return compare(contract(base), contract(revision), today=TODAY)


def rules(base: dict[str, Any], revision: dict[str, Any]) -> dict[str, str]:
    """The rules that find something, with their levels."""
    return {each.rule: each.severity.value for each in compared(base, revision).findings}
