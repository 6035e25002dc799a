"""Google Cloud Storage probes against gcp-storage-emulator, which others wrote."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from interlock.integration import resolve
from interlock.records import Outcome, ProbeKind, Reason, State
from interlock.settings import IntegrationSettings, Network
from probes.kinds import plan
from probes.probe import Tools
from probes.run import run
from tests.others.servers import free_port, running


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    program = shutil.which("gcp-storage-emulator", path=str(Path(sys.executable).parent))
    assert program is not None
    words = [
        program,
        "start",
        "--host=127.0.0.1",
        f"--port={port}",
        "--in-memory",
        "--default-bucket=acme-uploads",
    ]
    with running(words, port, cwd=tmp_path_factory.mktemp("emulator")):
        yield f"http://127.0.0.1:{port}"


async def ask(url: str, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    monkeypatch.setenv("TOKEN", "made-up-access-token-1234")
    table = {
        "provider": "gcs",
        "environment": "stand_in",
        "base_url": url,
        "credentials": {"access_token": "env:TOKEN"},
        "parameters": {"bucket": bucket},
    }
    joined = resolve("archive", IntegrationSettings.model_validate(table), network=Network(), folder=Path())
    tools = Tools()
    (planned,) = plan(joined, tools, frozenset({ProbeKind.CREDENTIAL}))
    return await run(planned, tools)


async def test_a_bucket_that_is_there_is_operational(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = await ask(url, "acme-uploads", monkeypatch)
    assert outcome.state is State.OPERATIONAL, outcome.detail


async def test_a_bucket_that_is_not_there_is_not_called_healthy(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = await ask(url, "nobody-has-this", monkeypatch)
    assert (outcome.state, outcome.reason) == (State.DEGRADED, Reason.UNEXPECTED_STATUS), outcome.detail
