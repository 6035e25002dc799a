"""S3 and STS of moto with its IAM checks on: a good key is operational, a bad one auth_failed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from interlock.integration import resolve
from interlock.records import Outcome, ProbeKind, Reason, State
from interlock.settings import IntegrationSettings, Network
from probes.kinds import plan
from probes.probe import Tools
from probes.run import run
from tests.others.servers import free_port, running


@dataclass(frozen=True)
class Account:
    """A user of moto's with a key, who may do what the policy says."""

    url: str
    key_id: str
    secret: str


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Moto counts the first three calls free; they make a user, its key and its policy."""
    port = free_port()
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    environ = {"INITIAL_NO_AUTH_ACTION_COUNT": "3"}
    with running(words, port, cwd=tmp_path_factory.mktemp("moto"), environ=environ):
        url = f"http://127.0.0.1:{port}"
        made_up = {"aws_access_key_id": "AKIAMADEUPMADEUPMADE", "aws_secret_access_key": "made-up"}
        iam = boto3.client("iam", endpoint_url=url, region_name="us-east-1", **made_up)
        iam.create_user(UserName="interlock")
        key = iam.create_access_key(UserName="interlock")["AccessKey"]
        policy = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": ["s3:*", "sts:*"], "Resource": "*"}],
        }
        iam.put_user_policy(UserName="interlock", PolicyName="p", PolicyDocument=json.dumps(policy))
        yield Account(url, key["AccessKeyId"], key["SecretAccessKey"])


async def ask(
    account: Account, monkeypatch: pytest.MonkeyPatch, key_id: str, secret: str, **more: Any
) -> Outcome:
    monkeypatch.setenv("KEY_ID", key_id)
    monkeypatch.setenv("SECRET", secret)
    table = {
        "provider": "s3",
        "environment": "stand_in",
        "base_url": account.url,
        "credentials": {"access_key_id": "env:KEY_ID", "secret_access_key": "env:SECRET"},
        "parameters": {"region": "us-east-1"},
        **more,
    }
    joined = resolve("uploads", IntegrationSettings.model_validate(table), network=Network(), folder=Path())
    tools = Tools()
    (planned,) = plan(joined, tools, frozenset({ProbeKind.CREDENTIAL}))
    return await run(planned, tools)


async def test_a_good_key_is_operational(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = await ask(account, monkeypatch, account.key_id, account.secret)
    assert outcome.state is State.OPERATIONAL, outcome.detail


async def test_an_unknown_key_is_auth_failed(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = await ask(account, monkeypatch, "AKIANOBODYNOBODYNOBO", account.secret)
    assert (outcome.state, outcome.reason) == (State.AUTH_FAILED, Reason.BAD_CREDENTIAL), outcome.detail


async def test_a_wrong_secret_is_auth_failed(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = await ask(account, monkeypatch, account.key_id, "made-up-and-wrong-made-up-and-wrong-1234")
    assert (outcome.state, outcome.reason) == (State.AUTH_FAILED, Reason.BAD_CREDENTIAL), outcome.detail
