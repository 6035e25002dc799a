"""JSON bodies against a JSON Schema: compiled once, no remote `$ref`, no value of the body told."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any, NoReturn

import jsonschema_rs


def _refuse(uri: str) -> NoReturn:
    raise ValueError(f"a remote $ref is refused: {uri}")


@functools.lru_cache(maxsize=1024)
def _compiled(text: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(json.loads(text), retriever=_refuse)


def mismatch(schema: Mapping[str, Any], body: Any) -> str | None:
    """Where the body breaks the schema first, by place and keyword; None where it fits.

    Raises `ValueError` for a schema that is none.
    """
    error = next(iter(_compiled(json.dumps(schema, sort_keys=True, default=dict)).iter_errors(body)), None)
    if error is None:
        return None
    place = "/" + "/".join(map(str, error.instance_path)) if error.instance_path else "the body"
    return f"{place} breaks {'/'.join(map(str, error.schema_path))}"
