"""Other people's recordings against the documents of their providers: nothing crashes, and what is found is counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from contracts.running import Options, Runner
from tests.contracts.verify.made import NOW
from tests.corpus import folder

SENDGRID = ("mail", "mail_settings", "scopes", "suppressions", "user", "webhooks")
AUTH0 = ("auth0/management/v2/management-api-oas.json", "auth0/authentication/authentication-api-oas.json")
# Recordings, the documents nearest in date, and the least that must be matched.
SETS = {
    "ruby-vcr-yaml/solidus_square": (("square/api.json",), 68),
    "ruby-vcr-yaml/mailgun-ruby": (("mailgun/openapi.yaml",), 16),
    "ruby-vcr-yaml/sendgrid_webapi": (tuple(f"sendgrid/tsg_{name}_v3.json" for name in SENDGRID), 9),
    "ruby-vcr-yaml/pay": (("stripe/2023-09-12/spec3.yaml",), 119),
    "betamax-json/github3.py": (("github/api.github.com.json",), 103),
    "go-vcr/go-auth0": (AUTH0, 158),
    "polly-har/graph-auth0": (AUTH0, 31),
    "ruby-vcr-json/octokit.rb": (("github/api.github.com.json",), 106),
    "wiremock/hub4j-github-api": (("github/api.github.com.json",), 43),
    "vcrpy-yaml/azure-storage-python": (("azure-blob/blob-storage-2021-10-04.json",), 126),
    "vcrpy-yaml/gcsfs": (("google/storage.v1.json",), 731),
}

ONLY = {"vcrpy-yaml/azure-storage-python": b".blob.core.windows.net"}

# Each of these was judged by hand: docs/known-deviations.md says why it is true.
JUDGED = {
    "ruby-vcr-yaml/solidus_square": {"response-body": 4, "operation-deprecated": 2},
    "polly-har/graph-auth0": {"response-ambiguous": 2},
    "vcrpy-yaml/gcsfs": {"operation-unknown": 111, "request-query": 46},
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table in docs/verification.md."""

    interactions: int
    matched: int
    partly: int
    rules: Counter[str]


def _files(recordings: str) -> list[Path]:
    """The recordings of one set; of Azure those of blobs, since queues and file shares have other documents."""
    path, only = folder(f"cassettes/{recordings}"), ONLY.get(recordings)
    if only is None:
        return [path]
    return [Path(each) for each in sorted(path.rglob("*")) if each.is_file() and only in each.read_bytes()]


def row(recordings: str, documents: tuple[str, ...]) -> Row:
    """What becomes of one set of recordings."""
    paths, specs = _files(recordings), folder("specs")
    options = Options(
        paths=tuple(map(str, paths)),
        root=str(Path.cwd()),
        now=NOW.isoformat(),
        contracts=tuple(str(specs / each) for each in documents),
        rules=("recording-old=off", "version-mismatch=off", "body-unjudged=off"),
    )
    runner = Runner(options)
    outcomes = [runner.file(path) for path in runner.files()]
    found = Counter(each.rule for outcome in outcomes for each in outcome.findings if outcome.matched)
    return Row(
        sum(each.interactions for each in outcomes),
        sum(each.matched for each in outcomes),
        sum(each.partly for each in outcomes),
        found,
    )


@pytest.mark.parametrize("recordings", SETS)
def test_recordings_are_matched_and_every_finding_has_its_rule(recordings: str) -> None:
    documents, least = SETS[recordings]
    found = row(recordings, documents)
    assert found.matched >= least
    assert found.partly <= found.interactions
    if recordings in JUDGED:
        assert found.rules == JUDGED[recordings]
