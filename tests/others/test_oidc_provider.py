"""Signing in by OAuth against an authorization server that others wrote: tokens, refusals, introspection."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import trustme

from interlock import catalogue
from interlock.answers import Case, judge
from interlock.auth import TokenRefused
from interlock.http import Draft
from interlock.integration import Integration, resolve
from interlock.records import Outcome, ProbeKind, Reason, State
from interlock.settings import IntegrationSettings, Network
from probes.kinds import plan
from probes.probe import Tools
from probes.run import run
from tests.others.servers import free_port, running

pytestmark = pytest.mark.node
FOLDER = Path(__file__).parent / "node"
# Providers whose client buys a token with its own id and secret, and how they are addressed here.
CLIENTS = [("auth0", "client"), ("paypal", "client"), ("salesforce", "client")]


class Server:
    """One running provider: where it is, its authority's file, and the client that it knows."""

    def __init__(self, url: str, ca_file: Path, client: tuple[str, str]) -> None:
        self.url, self.ca_file, self.client = url, ca_file, client


@contextlib.contextmanager
def serving(name: str, way: str, folder: Path, **routes: str) -> Iterator[Server]:
    known = catalogue.load(name).auth[way]
    node, port = shutil.which("node"), free_port()
    assert node, "Node is not installed; `make check` installs it"
    assert (FOLDER / "node_modules/oidc-provider").exists(), "`make check` installs oidc-provider"
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    client = ("madeup-client", "madeup-secret-of-the-client-4711")
    told = {
        "port": port,
        "cert": str(folder / "cert.pem"),
        "key": str(folder / "key.pem"),
        "issuer": "https://tenant.made-up.example/",
        "routes": {"token": known.token_path, **routes},
        "client_id": client[0],
        "client_secret": client[1],
        "auth": "client_secret_post" if known.client_in == "form" else "client_secret_basic",
        "seconds": 600,
    }
    with running([node, str(FOLDER / "oidc.mjs"), json.dumps(told)], port, cwd=folder):
        yield Server(f"https://127.0.0.1:{port}", folder / "ca.pem", client)


def joined(
    server: Server, name: str, monkeypatch: pytest.MonkeyPatch, secrets: dict[str, str]
) -> Integration:
    provider = catalogue.load(name)
    for key, value in secrets.items():
        monkeypatch.setenv(f"MADE_UP_{key}".upper(), value)
    table: dict[str, Any] = {
        "provider": name,
        "environment": "stand_in",
        "base_url": server.url,
        "ca_file": str(server.ca_file),
        "credentials": {key: f"env:MADE_UP_{key.upper()}" for key in secrets},
        "parameters": {key: p.default or p.example for key, p in provider.parameters.items()},
    }
    settings = IntegrationSettings.model_validate(table)
    return resolve("acme", settings, network=Network(), folder=Path())


async def ask(integration: Integration, kind: ProbeKind) -> Outcome:
    tools = Tools()
    (planned,) = plan(integration, tools, frozenset({kind}))
    return await run(planned, tools)


async def token(integration: Integration) -> str:
    """The header with which the next request would be sent."""
    signer = Tools().signer(integration)
    assert signer is not None
    signed = await signer.sign(Draft(method="GET", url="https://127.0.0.1/"))
    return dict(signed.headers)["Authorization"]


@pytest.mark.parametrize(("name", "way"), CLIENTS)
async def test_a_client_buys_a_token_and_a_wrong_secret_is_auth_failed(
    name: str, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = catalogue.load(name).auth[way].credentials
    with serving(name, way, tmp_path) as server:
        good = joined(server, name, monkeypatch, dict(zip(names, server.client, strict=True)))
        assert good.way == way
        assert len(await token(good)) > len("Bearer ") + 20
        wrong = (server.client[0], "madeup-secret-of-somebody-else")
        bad = joined(server, name, monkeypatch, dict(zip(names, wrong, strict=True)))
        with pytest.raises(TokenRefused) as refused:
            await token(bad)
    question = good.ask(ProbeKind.CREDENTIAL)
    assert question is not None
    now = Tools().clock()
    answer = refused.value.answer
    case = Case(provider=good.provider, ask=question, answer=answer, now=now, credentialed=True)
    assert judge(case).state is State.AUTH_FAILED, answer


async def test_discovery_is_what_auth0s_probe_expects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving("auth0", "client", tmp_path) as server:
        outcome = await ask(joined(server, "auth0", monkeypatch, {}), ProbeKind.REACHABILITY)
    assert outcome.state is State.OPERATIONAL, outcome.detail


async def test_introspection_tells_a_good_token_with_its_end_from_a_revoked_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    introspected = catalogue.load("salesforce").auth["introspected"]
    routes = {"introspection": introspected.token_path or "", "revocation": "/revoke"}
    with serving("salesforce", "client", tmp_path, **routes) as server:
        client = {"consumer_key": server.client[0], "consumer_secret": server.client[1]}
        bought = (await token(joined(server, "salesforce", monkeypatch, client))).removeprefix("Bearer ")
        integration = joined(server, "salesforce", monkeypatch, client | {"access_token": bought})
        assert integration.way == "introspected"
        good = await ask(integration, ProbeKind.CREDENTIAL)
        form = {"token": bought, "client_id": server.client[0], "client_secret": server.client[1]}
        answer = await Tools().client.ask(
            Draft(
                method="POST",
                url=f"{server.url}/revoke",
                headers=(("Content-Type", "application/x-www-form-urlencoded"),),
                body=urlencode(form).encode(),
            ),
            network=integration.network,
            folder=integration.folder,
            deadline_seconds=10,
        )
        assert answer.status == 200
        revoked = await ask(integration, ProbeKind.CREDENTIAL)
    assert (good.state, good.reason) == (State.DEGRADED, Reason.CREDENTIAL_EXPIRES)  # it lives ten minutes
    assert good.credential is not None
    assert good.credential.expires_at is not None
    assert 500 < (good.credential.expires_at - good.started_at).total_seconds() <= 601
    assert revoked.state is State.AUTH_FAILED, revoked.detail
