"""Every contract of the library is a sound document, fits its own examples, and agrees with the catalogue."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

ROOT = Path(__file__).parents[3]
DOCUMENTS = sorted((ROOT / "contracts" / "library").glob("*/openapi.yaml"))
METHODS = ("get", "put", "post", "delete", "patch", "head")
LONGEST_TEXT = 200


@pytest.fixture(params=DOCUMENTS, ids=lambda path: path.parent.name)
def path(request: pytest.FixtureRequest) -> Path:
    """One contract of the library."""
    found: Path = request.param
    return found


@pytest.fixture
def document(path: Path) -> dict[str, Any]:
    """The contract as data."""
    return _document(path)


@pytest.fixture
def catalogue(path: Path) -> dict[str, Any]:
    """The provider's row of the catalogue."""
    return tomllib.loads((ROOT / "interlock" / "providers" / f"{path.parent.name}.toml").read_text("utf-8"))


def test_there_are_contracts() -> None:
    """The rest of this file has something to judge."""
    assert DOCUMENTS


def test_valid_openapi(document: dict[str, Any]) -> None:
    """Each document is OpenAPI 3.1, and each of its shared schemas a JSON Schema of 2020-12."""
    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()
    for schema in document["components"].get("schemas", {}).values():
        Draft202012Validator.check_schema(schema)


def test_sources_and_errors(document: dict[str, Any]) -> None:
    """Each operation names its source; each says how it refuses."""
    for name, operation in (*_operations(document["paths"]), *_operations(document.get("webhooks", {}))):
        assert operation["x-interlock-source"], name
        assert any(status == "default" or status[0] in "45" for status in operation["responses"]), name


def test_texts_are_short_and_references_local(document: dict[str, Any]) -> None:
    """No long text that could be someone else's, and nothing to fetch."""
    for key, value in _leaves(document):
        assert key != "description" or len(value) <= LONGEST_TEXT, value
        assert key != "$ref" or value.startswith("#/"), value


def test_events_fit_their_schemas(document: dict[str, Any]) -> None:
    """Each event has an example, and it fits."""
    for name, operation in _operations(document.get("webhooks", {})):
        for media in operation["requestBody"]["content"].values():
            assert "example" in media, name
            assert not _faults(document, media["schema"], media["example"]), name


def test_an_event_without_its_contents_is_refused(document: dict[str, Any]) -> None:
    """The schemas of events are not so loose that anything fits."""
    for name, operation in _operations(document.get("webhooks", {})):
        for media in operation["requestBody"]["content"].values():
            assert _faults(document, media["schema"], {}), name


def test_event_names_are_the_catalogues(document: dict[str, Any], catalogue: dict[str, Any]) -> None:
    """An event has the same name in both places."""
    listed = catalogue.get("webhooks", {}).get("events")
    if listed is not None:
        assert set(document["webhooks"]) == set(listed)


def test_probes_fit(document: dict[str, Any], catalogue: dict[str, Any]) -> None:
    """Each probe asks for something in the contract; the catalogue's example of a good answer fits."""
    for probe in catalogue["probes"]:
        operation = _asked(document, probe)
        assert operation is not None, probe["path"]
        example = probe["example"]
        if example["status"] == 200 and "body" in example:
            media = next(iter(operation["responses"]["200"]["content"].values()))
            assert not _faults(document, media["schema"], example["body"]), probe["path"]


@functools.cache
def _document(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    return found


def _operations(items: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, item in items.items():
        yield from ((name, item[method]) for method in METHODS if method in item)


def _leaves(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _leaves(value, name)
    elif isinstance(node, list):
        for value in node:
            yield from _leaves(value, key)
    else:
        yield key, node


def _asked(document: dict[str, Any], probe: dict[str, Any]) -> dict[str, Any] | None:
    path, method = probe["path"].partition("?")[0], probe.get("method", "GET").lower()
    for template, item in sorted(document["paths"].items(), key=lambda each: each[0].count("{")):
        plain = re.split("[?#]", template)[0]  # what follows tells operations of one path apart
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(plain)), path) and method in item:
            found: dict[str, Any] | None = item[method]
            return found
    return None


def _faults(document: dict[str, Any], schema: dict[str, Any], instance: Any) -> list[str]:
    whole = {**schema, "components": document["components"]}
    return [error.message for error in Draft202012Validator(whole).iter_errors(instance)]
