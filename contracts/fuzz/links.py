"""The links of an OpenAPI document, from an answer to the next request, where paths have moved or are left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from contracts.pointers import MISSING, follow, of_reference

_KEYWORDS = ("links", "x-links")  # OpenAPI's, and schemathesis's for Swagger


def lead(document: dict[str, Any], moved: Mapping[str, str]) -> None:
    """Let every link of a document lead where its operation is now; one that leads nowhere is taken out.

    `moved`: where each operation is, by the pointer at which it was.
    """
    ids = {found for found in (_id(follow(document, place)) for place in moved.values()) if found is not None}
    for answer in _answers(document, moved.values()):
        for keyword in _KEYWORDS:
            found = answer.pop(keyword, None)
            if isinstance(found, Mapping):
                answer[keyword] = dict(_led(document, found, moved, ids))


def _id(operation: Any) -> str | None:
    found = operation.get("operationId") if isinstance(operation, Mapping) else None
    return found if isinstance(found, str) else None


def _answers(document: Mapping[str, Any], places: Any) -> Iterator[dict[str, Any]]:
    """Every answer that is written out: those of the operations, and those that stand apart."""
    apart = [follow(document, place) for place in ("/components/responses", "/responses")]
    for answers in (*apart, *(follow(document, f"{place}/responses") for place in places)):
        if isinstance(answers, Mapping):
            yield from (each for each in answers.values() if isinstance(each, dict))


def _led(
    document: Mapping[str, Any], links: Mapping[str, Any], moved: Mapping[str, str], ids: set[str]
) -> Iterator[tuple[str, Any]]:
    for name, link in links.items():
        apart = of_reference(link.get("$ref")) if isinstance(link, Mapping) else None
        found = follow(document, apart) if apart is not None else link
        if found is MISSING or not isinstance(found, Mapping):
            continue
        place = moved.get(of_reference(found.get("operationRef")) or "")
        if place is not None:
            yield name, {**found, "operationRef": f"#{place}"}
        elif _id(found) in ids:
            yield name, dict(found)
