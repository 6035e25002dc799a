"""Signing in: every scheme puts the credential where it belongs and nowhere else."""

from __future__ import annotations

import base64
import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from interlock.auth import signer
from interlock.errors import MissingExtra, UsageError
from interlock.http import Client, Draft
from interlock.integration import Integration, resolve
from interlock.records import ProbeKind, Reason, State
from interlock.settings import IntegrationSettings, Network
from probes.kinds import plan
from probes.probe import Tools
from probes.run import run
from tests.records import NOON

DRAFT = Draft(method="GET", url="https://api.example/me?a=b", headers=(("Accept", "application/json"),))


def joined(table: dict[str, Any]) -> Integration:
    return resolve("acme", IntegrationSettings.model_validate(table), network=Network(), folder=Path())


def generic(service: dict[str, Any], *names: str) -> Integration:
    table = {"provider": "generic", "base_url": "https://api.example", "service": service}
    return joined(table | {"credentials": {name: f"env:MADE_UP_{name.upper()}" for name in names}})


async def sign(integration: Integration, draft: Draft = DRAFT) -> Draft:
    chosen = signer(integration, Client(), lambda: NOON)
    assert chosen is not None
    return await chosen.sign(draft)


@pytest.fixture(autouse=True)
def values(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TOKEN", "USERNAME", "PASSWORD"):
        monkeypatch.setenv(f"MADE_UP_{name}", f"made up {name.lower()}&=é")


async def test_bearer() -> None:
    signed = await sign(generic({"auth": "bearer"}, "token"))
    assert dict(signed.headers)["Authorization"] == "Bearer made up token&=é"
    assert signed.url == DRAFT.url


async def test_a_header_of_its_own_name() -> None:
    signed = await sign(generic({"auth": "header", "header": "X-Api-Key"}, "token"))
    assert dict(signed.headers) == {"Accept": "application/json", "X-Api-Key": "made up token&=é"}


async def test_basic_is_utf_8() -> None:
    signed = await sign(generic({"auth": "basic"}, "username", "password"))
    kind, _, coded = dict(signed.headers)["Authorization"].partition(" ")
    assert (kind, base64.b64decode(coded).decode()) == ("Basic", "made up username&=é:made up password&=é")


async def test_a_query_parameter_is_encoded_and_added() -> None:
    signed = await sign(generic({"auth": "query", "query": "api key"}, "token"))
    assert signed.url == "https://api.example/me?a=b&api%20key=made%20up%20token%26%3D%C3%A9"


async def test_a_github_app_signs_its_own_jwt(monkeypatch: pytest.MonkeyPatch) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    monkeypatch.setenv("APP", "4711")
    monkeypatch.setenv("PEM", pem.decode())
    table = {"provider": "github", "credentials": {"app_id": "env:APP", "private_key": "env:PEM"}}
    signed = await sign(joined(table))
    token = dict(signed.headers)["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(
        token, key.public_key(), algorithms=["RS256"], options={"verify_exp": False, "verify_iat": False}
    )
    at = int(NOON.timestamp())
    assert claims == {"iss": "4711", "iat": at - 60, "exp": at + 300}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (
            {
                "provider": "github",
                "credentials": {"app_id": "env:MADE_UP_USERNAME", "private_key": "env:MADE_UP_TOKEN"},
            },
            "credentials.private_key is not a private RSA key in PEM form",
        ),
        (
            {"provider": "gcs", "credentials": {"service_account": "env:MADE_UP_TOKEN"}},
            "credentials.service_account is not the JSON of a Google service account key",
        ),
    ],
)
async def test_a_key_of_the_wrong_form_is_named_and_not_shown(table: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        await sign(joined(table))
    assert caught.value.message == words


@pytest.mark.parametrize(
    ("module", "table", "extra"),
    [
        (
            "botocore.auth",
            {
                "provider": "s3",
                "parameters": {"region": "us-east-1"},
                "credentials": {
                    "access_key_id": "env:MADE_UP_TOKEN",
                    "secret_access_key": "env:MADE_UP_PASSWORD",
                },
            },
            "aws",
        ),
        (
            "google.auth",
            {
                "provider": "gcs",
                "parameters": {"bucket": "acme-uploads"},
                "credentials": {"service_account": "env:MADE_UP_TOKEN"},
            },
            "gcp",
        ),
    ],
)
async def test_a_missing_extra_is_said_with_the_command_that_mends_it(
    module: str, table: dict[str, Any], extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    integration = joined(table | {"base_url": "http://127.0.0.1:1"})
    with pytest.raises(MissingExtra) as caught:
        await sign(integration)
    assert caught.value.hint == f'run: make install EXTRAS="{extra}"'
    tools = Tools(clock=lambda: dt.datetime.now(dt.UTC))
    (planned,) = [p for p in plan(integration, tools) if p.kind is ProbeKind.CREDENTIAL]
    outcome = await run(planned, tools)
    assert (outcome.state, outcome.reason) == (State.UNKNOWN, Reason.NOT_CONFIGURED)
    assert f'make install EXTRAS="{extra}"' in outcome.detail


def test_without_a_credential_there_is_no_signer() -> None:
    assert signer(joined({"provider": "stripe"}), Client(), lambda: NOON) is None


def test_headers_that_are_set_replace_earlier_ones() -> None:
    twice = DRAFT.with_headers({"accept": "text/plain"})
    assert twice.headers == (("accept", "text/plain"),)
    assert json.dumps(twice.headers)
