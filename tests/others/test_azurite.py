"""Azure Blob Storage probes against Azurite, Microsoft's own emulator, with signatures made by Microsoft's SDK."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.storage.blob import (
    AccountSasPermissions,
    BlobServiceClient,
    ResourceTypes,
    generate_account_sas,
)

from interlock.integration import resolve
from interlock.records import Outcome, ProbeKind, Reason, State
from interlock.settings import IntegrationSettings, Network
from probes.kinds import plan
from probes.probe import Tools
from probes.run import run
from tests.others.servers import free_port, running

pytestmark = pytest.mark.node
FOLDER = Path(__file__).parent / "node"
ACCOUNT = "devstoreaccount1"
# The key that every Azurite has; it is published in its documentation and opens nothing else.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port, node = free_port(), shutil.which("node")
    program = FOLDER / "node_modules/azurite/dist/src/blob/main.js"
    assert node, "Node is not installed; `make check` installs it"
    assert program.exists(), "Azurite is not installed; `make check` installs it"
    words = [node, str(program), "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    words += ["--inMemoryPersistence", "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
    with running(words, port, cwd=tmp_path_factory.mktemp("azurite")):
        url = f"http://127.0.0.1:{port}/{ACCOUNT}"
        with BlobServiceClient(url, credential=KEY) as client:
            client.create_container("uploads")
        yield url


def signed(*, minutes: float) -> str:
    """An account SAS that may list, and ends so many minutes from now."""
    now = dt.datetime.now(dt.UTC)
    return generate_account_sas(
        ACCOUNT,
        KEY,
        resource_types=ResourceTypes(service=True, container=True),
        permission=AccountSasPermissions(read=True, list=True),
        start=now - dt.timedelta(hours=1),
        expiry=now + dt.timedelta(minutes=minutes),
    )


async def ask(url: str, token: str, monkeypatch: pytest.MonkeyPatch, container: str | None) -> Outcome:
    monkeypatch.setenv("SAS", token)
    parameters = {"account": ACCOUNT} | ({"container": container} if container else {})
    table = {
        "provider": "azure_blob",
        "environment": "stand_in",
        "base_url": url,
        "credentials": {"sas_token": "env:SAS"},
        "parameters": parameters,
    }
    joined = resolve("blobs", IntegrationSettings.model_validate(table), network=Network(), folder=Path())
    tools = Tools()
    (planned,) = plan(joined, tools, frozenset({ProbeKind.CREDENTIAL}))
    return await run(planned, tools)


@pytest.mark.parametrize("container", [None, "uploads"])
async def test_a_good_signature_is_operational(
    url: str, container: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = await ask(url, signed(minutes=30), monkeypatch, container)
    assert outcome.state is State.OPERATIONAL, outcome.detail


async def test_a_wrong_signature_is_not_taken_for_a_good_one(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Azure answers AuthenticationFailed; Azurite says AuthorizationFailure, Azure's word for lack of permission."""
    token = signed(minutes=30)
    outcome = await ask(url, token[:-8] + "AAAAA%3D", monkeypatch, None)
    assert (outcome.state, outcome.reason, outcome.status_code) == (State.DEGRADED, Reason.SCOPE, 403)


async def test_an_ended_signature_is_not_taken_for_a_good_one(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = await ask(url, signed(minutes=-5), monkeypatch, None)
    assert outcome.state is not State.OPERATIONAL
    assert outcome.status_code == 403
