"""The scenarios of openapi-pact-comparator: what it expects is found, by interaction and class of place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from contracts import adapters
from contracts.verify import verify
from interlock.records import Interaction, Message, Severity, Source
from tests.contracts.verify.made import bench
from tests.corpus import folder

# Its words for a place, and ours.
CLASSES = {
    "request.path-or-method": {"request-path", "operation-unknown", "method-unknown"},
    "request.header": {"request-header", "request-header-unknown"},
    "request.content-type": {"request-media-type"},
    "request.accept": {"request-accept", "request-accept-unpromised"},
    "request.authorization": {"credential-missing"},
    "request.body": {
        "request-body",
        "request-body-missing",
        "request-body-syntax",
        "body-unjudged",
        "body-opaque",
    },
    "response.status": {"response-status", "response-error-status", "response-status-default"},
    "response.header": {"response-header", "response-header-unknown", "response-header-missing"},
    "response.content-type": {"response-media-type", "response-media-type-unpromised"},
    "response.body": {
        "response-body",
        "response-enum",
        "response-format",
        "response-body-syntax",
        "body-unjudged",
        "body-opaque",
    },
}
RULES = (
    "request-header-unknown",
    "response-header-unknown",
    "response-status-default",
    "request-accept-unpromised",
    "response-media-type-unpromised",
    "body-opaque",
    "body-unjudged",
)
# Paths are told apart by case (RFC 3986, 6.2.2.1); that scenario is for a server that is not.
NOT_OURS = {("request-parameters-path-case-sensitivity", "request.path-or-method")}


def _message(given: dict[str, Any]) -> Message:
    headers = [
        (n, ", ".join(map(str, v)) if isinstance(v, list) else str(v))
        for n, v in (given.get("headers") or {}).items()
    ]
    body, kind = given.get("body"), {n.lower(): v for n, v in headers}.get("content-type", "")
    if isinstance(body, dict) and "content" in body and ("contentType" in body or "encoded" in body):
        if not kind:
            kind = body.get("contentType", "")
            headers.append(("content-type", kind))
        body = body["content"]
    if "body" not in given:
        return Message(headers=tuple(headers), body=b"" if "path" in given else None, body_state="full")
    raw = body if isinstance(body, str) and "json" not in kind else json.dumps(body)
    return Message(headers=tuple(headers), body=raw.encode(), body_state="full")


def _interactions(pact: dict[str, Any], name: str) -> Iterator[Interaction]:
    for index, each in enumerate(pact.get("interactions") or []):
        if "request" not in each:
            continue
        request, query = each["request"], each["request"].get("query") or ""
        text = urlencode(query, doseq=True) if isinstance(query, dict) else query
        yield Interaction(
            source=Source(file=name, format="pact", index=index, line=None),
            method=request.get("method", "GET"),
            url=f"https://api.example{request.get('path', '/')}{'?' + text if text else ''}",
            request=_message(request),
            status=each["response"].get("status", 200),
            response=_message(each["response"]),
            error=None,
            http_version=None,
            recorded_at=None,
            elapsed_seconds=None,
            origin=None,
        )


def _expected(results: list[dict[str, Any]]) -> set[tuple[int, str]]:
    found = set()
    for each in results:
        index = int(each["mockDetails"]["location"].split("interactions[")[1].split("]")[0])
        found.add((index, each["code"].rpartition(".")[0]))
    return found


def _seen(scenario: Path) -> set[tuple[int, str]]:
    own = bench(adapters.load(scenario / "oas.yaml"), *(f"{rule}=warning" for rule in RULES), complete=True)
    found = set()
    pact = json.loads((scenario / "pact.json").read_text(encoding="utf-8"))
    for interaction in _interactions(pact, scenario.name):
        for each in verify(interaction, own).findings:
            if each.severity is not Severity.INFO:
                found |= {
                    (interaction.source.index, name)
                    for name, rules in CLASSES.items()
                    if each.rule in rules
                    and (
                        name.startswith("response")
                        == (each.location.message_pointer or "").startswith("/response")
                    )
                }
    return found


def test_what_the_scenarios_expect_is_found_and_little_else() -> None:
    expected, seen, interactions = set(), set(), 0
    for scenario in sorted(folder("conformance/openapi-pact-comparator").iterdir()):
        results = json.loads((scenario / "results.json").read_text(encoding="utf-8"))
        expected |= {(scenario.name, *each) for each in _expected(results)}
        seen |= {
            (scenario.name, *each) for each in _seen(scenario) if (scenario.name, each[1]) not in NOT_OURS
        }
        interactions += len(
            json.loads((scenario / "pact.json").read_text(encoding="utf-8")).get("interactions") or []
        )
    missed, false = expected - seen, seen - expected
    assert len(missed) <= 0.05 * len(expected), missed
    assert len(false) < 0.03 * interactions, false
