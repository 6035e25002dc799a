"""Other people's answers, judged by schemathesis too: what interlock finds in a body is wrong for it as well.

schemathesis is another reader of the same documents (`response_schema_conformance`), so that no finding rests on our
own reading of a schema alone. The reverse holds but for what each says it does not assert: recorders put words in
the place of secrets, and the format `uri` is written too loosely to hold anybody to.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
import yaml
from schemathesis.specs.openapi import checks

from cassettes.read import read_paths
from contracts import adapters
from contracts.placeholders import in_bytes
from contracts.verify import verify
from contracts.view import Bench
from interlock.records import Interaction
from tests.contracts.verify.made import bench
from tests.contracts.verify.test_corpus import SETS
from tests.corpus import folder

# Sets whose documents schemathesis reads (OpenAPI), and how many bodies are wrong for both.
JUDGED = {
    "ruby-vcr-yaml/solidus_square": 4,
    "ruby-vcr-yaml/mailgun-ruby": 3,
    "ruby-vcr-yaml/sendgrid_webapi": 2,
    "betamax-json/github3.py": 66,
    "ruby-vcr-json/octokit.rb": 40,
    "go-vcr/go-auth0": 28,
    "polly-har/graph-auth0": 2,
}
_RULES = frozenset({"response-body", "response-enum", "response-ambiguous"})
_LOOSE = re.compile(r'is not a "(?:uri|email|hostname)"')
_REDACTED = re.compile(rb"\[REDACTED\]|<[A-Z_]{4,}>")


def _raw(path: Path) -> dict[str, Any]:
    text = path.read_text()
    loaded: dict[str, Any] = json.loads(text) if path.suffix == ".json" else yaml.load(text, yaml.CSafeLoader)
    return loaded


def _wrong(operation: Any, path: str, interaction: Interaction) -> str:
    """What schemathesis says of the body; empty if nothing."""
    assert interaction.response is not None
    assert interaction.status is not None
    headers = {name.lower(): [value] for name, value in interaction.response.headers}
    headers.pop("content-encoding", None)
    answer = schemathesis.Response(
        status_code=interaction.status,
        headers=headers,
        content=interaction.response.body or b"",
        request=requests.Request(interaction.method, interaction.url).prepare(),
        elapsed=0.0,
        verify=True,
    )
    places = dict.fromkeys(re.findall(r"{([^{}]+)}", path), "a")
    try:
        operation.Case(path_parameters=places).validate_response(
            answer, checks=[checks.response_schema_conformance]
        )
    except AssertionError as exc:
        return str(exc)
    except BaseExceptionGroup as group:
        return " ".join(map(str, group.exceptions))
    return ""


def _pairs(recordings: str) -> Iterator[tuple[Interaction, bool, str]]:
    """Every answer with a body that both can judge: whether ours finds something, and what schemathesis says."""
    documents = [folder("specs") / each for each in SETS[recordings][0]]
    ready: list[tuple[Bench, Any]] = [
        (bench(adapters.load(each)), schemathesis.openapi.from_dict(_raw(each))) for each in documents
    ]
    for reading in read_paths([folder(f"cassettes/{recordings}")]):
        for interaction in reading.interactions:
            for ours, theirs in ready:
                found = verify(interaction, ours)
                method, _, path = (found.operation or "").partition(" ")
                response = interaction.response
                if not method or response is None or response.body_state != "full" or not response.body:
                    continue
                wrong = any(each.rule in _RULES for each in found.findings)
                yield interaction, wrong, _wrong(theirs[path.partition(" ")[0]][method], path, interaction)
                break


@pytest.mark.parametrize("recordings", JUDGED)
def test_what_is_wrong_in_a_body_is_wrong_for_schemathesis_too(recordings: str) -> None:
    counts: Counter[tuple[bool, bool]] = Counter()
    for interaction, ours, theirs in _pairs(recordings):
        where = f"{interaction.source.file}, {interaction.source.index}: {theirs[:300]}"
        counts[ours, bool(theirs)] += 1
        assert not ours or theirs, f"a false finding: {where}"
        body = interaction.response.body if interaction.response else None
        unsaid = in_bytes(body or b"") or _REDACTED.search(body or b"") or _LOOSE.search(theirs)
        assert ours or not theirs or unsaid, f"missed: {where}"
    assert counts[True, True] == JUDGED[recordings]
