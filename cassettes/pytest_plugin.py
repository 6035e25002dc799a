"""A pytest fixture for teams that test in Python: vcrpy records, and secrets are taken out by interlock's rules.

`pytest_plugins = ["cassettes.pytest_plugin"]` in conftest.py, or `pytest -p cassettes.pytest_plugin`. A test that
asks for `interlock_cassette` plays or records `cassettes/<module>/<test>.yaml` beside its file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
import vcr
from vcr.request import Request

from cassettes.bodies import ABSENT, FULL, Headers
from cassettes.matching import query, same_path, same_query
from cassettes.redact import Redactor
from cassettes.shapes import headers as header_pairs
from interlock.records import Interaction, Message, Source

_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_.-]+")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The record mode, as vcrpy has it."""
    parser.addoption(
        "--interlock-record",
        choices=["once", "new_episodes", "none", "all"],
        default=None,
        help="when to record (default: once; none where CI is set)",
    )


@pytest.fixture(scope="session")
def interlock_redactor() -> Redactor:
    """What takes secrets out before a cassette is written. Override it to add values or to keep a key."""
    return Redactor()


@pytest.fixture
def interlock_cassette(request: pytest.FixtureRequest, interlock_redactor: Redactor) -> Iterator[Any]:
    """A cassette of the test's own: played where it is there, else recorded, and without secrets on disk."""
    mode = request.config.getoption("--interlock-record") or ("none" if os.environ.get("CI") else "once")
    own = request.path.parent / "cassettes" / request.path.stem
    path = own / f"{_NOT_A_NAME.sub('_', request.node.name)}.yaml"
    with recorder(interlock_redactor).use_cassette(str(path), record_mode=mode) as cassette:
        yield cassette


def recorder(redactor: Redactor) -> Any:
    """A `vcr.VCR` whose cassettes are redacted as they are saved, and whose placeholders fit what is asked."""

    def clean(request: Request, response: dict[str, Any]) -> tuple[Request, dict[str, Any]]:
        return redacted(redactor, request, response)

    own = vcr.VCR(
        decode_compressed_response=True,
        before_save_interaction=clean,
        match_on=["method", "scheme", "host", "port", "interlock_path", "interlock_query"],
    )
    own.register_matcher("interlock_path", _match_path)
    own.register_matcher("interlock_query", _match_query)
    return own


def redacted(
    redactor: Redactor, request: Request, response: dict[str, Any]
) -> tuple[Request, dict[str, Any]]:
    """What vcrpy holds of an exchange, without secrets."""
    status = response["status"]
    whole = Interaction(
        source=Source(file="", format="vcrpy", index=0, line=None),
        method=request.method,
        url=request.uri,
        request=_message(_pairs(request.headers), request.body_bytes),
        status=status["code"],
        response=_message(header_pairs(response["headers"]), response["body"]["string"]),
        error=None,
        http_version=None,
        recorded_at=None,
        elapsed_seconds=None,
        origin=None,
    )
    kept, _ = redactor.interaction(whole)
    assert kept.response is not None
    asked = Request(kept.method, kept.url, kept.request.body, dict(kept.request.headers))
    body = kept.response.body
    return asked, {**response, "headers": _listed(kept.response.headers), "body": {"string": body}}


def _message(headers: Headers, body: Any) -> Message:
    raw = body.encode() if isinstance(body, str) else body
    return Message(headers=headers, body=raw, body_state=ABSENT if raw is None else FULL)


def _pairs(headers: Any) -> Headers:
    text = {
        name: value.decode("latin-1") if isinstance(value, bytes) else value
        for name, value in headers.items()
    }
    return header_pairs(text)


def _listed(headers: Headers) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name, []).append(value)
    return found


def _match_path(asked: Request, kept: Request) -> None:
    """The request that is made comes first, the recorded one second. Raises `AssertionError`, as its matchers do."""
    if not same_path(asked.path, kept.path):
        raise AssertionError(f"{asked.path} != {kept.path}")


def _match_query(asked: Request, kept: Request) -> None:
    if not same_query(query(asked.parsed_uri.query), query(kept.parsed_uri.query)):
        raise AssertionError(f"the queries differ: {asked.parsed_uri.query} and {kept.parsed_uri.query}")
