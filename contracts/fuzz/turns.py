"""What schemathesis is told: the document as it is served at an address, in as many turns as its paths need.

To schemathesis an operation is a path and a method. Some contracts have several operations there, told apart by a
parameter, a header or a form field (`GET /{Bucket}?list-type=2`, `POST / Action=Publish`): each has a turn of its own,
and what tells it is asked for in it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from contracts.contract import Contract, Operation, Selector
from contracts.fuzz import links
from contracts.media import essence, is_json, is_xml
from contracts.pointers import MISSING, follow, join, nodes, of_reference, pointer, steps
from interlock.errors import UsageError

_FORM = "application/x-www-form-urlencoded"
_MADE = frozenset({_FORM, "multipart/form-data", "application/octet-stream", "*/*", ""})
_ANY_SERVER = "{server}"
_ASIDE = "x-interlock-paths"  # the items as they were, for references into them
_INTO_PATHS = "#/paths/"
_UNTOLD = ("servers", "basePath", "host", "schemes", "webhooks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One run of schemathesis's. `known`: its operations by schemathesis's labels."""

    known: Mapping[str, Operation]
    aside: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """What schemathesis is told of them, made anew, for a turn of a large contract is large, too."""
        made = copy.deepcopy(dict(self.aside)) | {"paths": {}}
        moved: dict[str, str] = {}
        for label, operation in self.known.items():
            path, method = label.partition(" ")[2], operation.method.lower()
            *above, key = steps(operation.pointer)
            item = follow(made, pointer([_ASIDE if above[0] == "paths" else above[0], *above[1:]]))
            shared = {"parameters": item["parameters"]} if "parameters" in item else {}
            told = made["paths"].setdefault(path, copy.deepcopy(shared))
            told[method] = _alone(item[key])
            for selector in operation.selectors:
                _ask_for(selector, told[method], told, made)
            moved[operation.pointer] = join("/paths", path, method)
        links.lead(made, moved)
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """All of them. `operations`: that are in one, in the contract's order.

    `left_out`: why an operation is in none; `unmade`: what of an operation's requests cannot be made; by their names.
    """

    turns: tuple[Turn, ...]
    operations: tuple[Operation, ...]
    left_out: Mapping[str, str]
    unmade: Mapping[str, str]


def prepared(contract: Contract, url: str) -> Turns:
    """What is asked at `url`. The contract's base paths hold, unless the URL has a path of its own. `UsageError`."""
    if not contract.format.startswith(("openapi 3", "swagger")):
        raise UsageError(
            f"{contract.source}: {contract.format} cannot be fuzzed", hint="OpenAPI 3 and Swagger 2 can"
        )
    based = bool(urlsplit(url).path.strip("/"))
    sorted_out: list[dict[str, Operation]] = []
    left_out: dict[str, str] = {}
    asked: dict[tuple[str, frozenset[Selector]], Operation] = {}
    for operation in contract.operations:
        path = ("" if based else operation.bases[0]) + operation.path
        label = f"{operation.method} {path}"
        if _ANY_SERVER in path:
            left_out[operation.name] = "its base path is a variable of its server: --url with a path says it"
            continue
        if asked.setdefault((label, frozenset(operation.selectors)), operation) is not operation:
            left_out[f"{operation.name} at {operation.pointer}"] = "nothing tells it from another"
            continue
        free = next((known for known in sorted_out if label not in known), None)
        if free is None:
            sorted_out.append(free := {})
        free[label] = operation
    aside = _aside(contract.document)
    return Turns(
        turns=tuple(Turn(known=known, aside=aside) for known in sorted_out),
        operations=tuple(asked.values()),
        left_out=left_out,
        unmade={each.name: why for each in asked.values() if (why := _unmade(each)) is not None},
    )


def _unmade(operation: Operation) -> str | None:
    """Of several media types of its body schemathesis leaves out those that it cannot write, and says nothing."""
    media = operation.body.media if operation.body is not None else ()
    odd = [each.media_type for each in media if not _is_made(essence(each.media_type))]
    return f"no request of {odd[0]} can be made" if odd and len(odd) < len(media) else None


def _is_made(name: str) -> bool:
    return is_json(name) or is_xml(name) or "yaml" in name or name.startswith("text/") or name in _MADE


def _aside(document: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a document that has its paths elsewhere, and references into them lead there."""
    made = {name: value for name, value in copy.deepcopy(dict(document)).items() if name not in _UNTOLD}
    made[_ASIDE] = made.pop("paths", {})
    for node in nodes(made):
        to = node.get("$ref")
        if isinstance(to, str) and to.startswith(_INTO_PATHS):
            node["$ref"] = f"#/{_ASIDE}/{to.removeprefix(_INTO_PATHS)}"
    return made


def _alone(operation: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of an operation without its servers, and without a name that is no text: nothing is called so."""
    kept = copy.deepcopy({name: value for name, value in operation.items() if name != "servers"})
    if not isinstance(kept.get("operationId", ""), str):
        del kept["operationId"]
    return kept


# -- what tells an operation -----------------------------------------------------------------------------


def _ask_for(
    selector: Selector, operation: dict[str, Any], item: Mapping[str, Any], document: Mapping[str, Any]
) -> None:
    """Let an operation want what tells it from the others of its path and method."""
    swagger = "swagger" in document
    if selector.place == "form" and not swagger:
        _ask_for_field(selector, operation, document)
        return
    place = "formData" if selector.place == "form" else selector.place
    own, shared = (list(_parameters(each.get("parameters"), document)) for each in (operation, item))
    kept = [each for each in own if not _is(each, place, selector.name)]
    said = next((each for each in own + shared if _is(each, place, selector.name)), {})
    plain: dict[str, Any] = {"type": "string"} | (
        {} if selector.value is None else {"enum": [selector.value]}
    )
    asked: dict[str, Any] = {"name": selector.name, "in": place, "required": True}
    if selector.value is None and said:
        asked = {**said, "required": True}
    elif swagger:
        asked |= plain
    else:
        asked["schema"] = plain
    operation["parameters"] = [*kept, asked]


def _parameters(listed: Any, document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for each in listed if isinstance(listed, list) else ():
        to = of_reference(each.get("$ref")) if isinstance(each, Mapping) else None
        found = each if to is None else follow(document, to)
        yield found if isinstance(found, dict) else each


def _is(parameter: Any, place: str, name: str) -> bool:
    if not isinstance(parameter, Mapping) or parameter.get("in") != place:
        return False
    said = str(parameter.get("name"))
    return said.lower() == name.lower() if place == "header" else said == name


def _ask_for_field(selector: Selector, operation: dict[str, Any], document: Mapping[str, Any]) -> None:
    field = {} if selector.value is None else {"enum": [selector.value]}
    wanted = {"type": "object", "required": [selector.name], "properties": {selector.name: field}}
    body = operation.get("requestBody")
    to = of_reference(body.get("$ref")) if isinstance(body, Mapping) else None
    body = copy.deepcopy(body if to is None else follow(document, to))
    if body is MISSING or not isinstance(body, dict):
        body = {}
    forms = body.setdefault("content", {})
    said = forms.setdefault(_FORM, {}).get("schema")
    if not _has(said, selector, document):
        forms[_FORM]["schema"] = {"allOf": [said, wanted]} if said else wanted
    operation["requestBody"] = {**body, "required": True}


def _has(schema: Any, selector: Selector, document: Mapping[str, Any]) -> bool:
    """Whether a schema says it already."""
    to = of_reference(schema.get("$ref")) if isinstance(schema, Mapping) else None
    found = schema if to is None else follow(document, to)
    if not isinstance(found, Mapping) or selector.name not in (found.get("required") or ()):
        return False
    field = (found.get("properties") or {}).get(selector.name)
    return isinstance(field, Mapping) and (
        field.get("const") == selector.value or field.get("enum") == [selector.value]
    )
