"""SES, SNS and Cognito keys against moto with its IAM checks on: good, unknown, wrong and without a permission."""

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

REGION = "us-east-1"
NAMES = ["ses", "sns", "cognito"]
MADE_UP = {"aws_access_key_id": "AKIAMADEUPMADEUPMADE", "aws_secret_access_key": "made-up"}


@dataclass(frozen=True)
class Account:
    """A user who may use one topic and one pool, and the keys of one who may only publish."""

    url: str
    key: tuple[str, str]
    publisher: tuple[str, str]
    topic_arn: str
    user_pool_id: str


def _user(iam: Any, name: str, actions: list[str]) -> tuple[str, str]:
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    statement = [{"Effect": "Allow", "Action": actions, "Resource": "*"}]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)
    return key["AccessKeyId"], key["SecretAccessKey"]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Moto counts the first calls free: two users of three calls each, a topic and a pool."""
    port = free_port()
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    environ = {"INITIAL_NO_AUTH_ACTION_COUNT": "8"}
    with running(words, port, cwd=tmp_path_factory.mktemp("moto"), environ=environ):
        url = f"http://127.0.0.1:{port}"

        def client(service: str) -> Any:
            return boto3.client(service, endpoint_url=url, region_name=REGION, **MADE_UP)

        iam = client("iam")
        key = _user(iam, "all", ["sns:*", "sts:*", "ses:*", "cognito-idp:*"])
        publisher = _user(iam, "publisher", ["sns:Publish"])
        topic = client("sns").create_topic(Name="made-up")["TopicArn"]
        pool = client("cognito-idp").create_user_pool(PoolName="made-up")["UserPool"]["Id"]
        yield Account(url, key, publisher, topic, pool)


async def ask(
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    key: tuple[str, str],
    kind: ProbeKind = ProbeKind.CREDENTIAL,
    webhook_url: str | None = None,
    **parameters: str,
) -> Outcome:
    monkeypatch.setenv("KEY_ID", key[0])
    monkeypatch.setenv("SECRET", key[1])
    table = {
        "provider": name,
        "environment": "stand_in",
        "base_url": account.url,
        "credentials": {"access_key_id": "env:KEY_ID", "secret_access_key": "env:SECRET"},
        "parameters": {"region": REGION, **parameters},
        "webhooks": {"url": webhook_url} if webhook_url else None,
    }
    joined = resolve("it", IntegrationSettings.model_validate(table), network=Network(), folder=Path())
    tools = Tools()
    (planned,) = plan(joined, tools, frozenset({kind}))
    return await run(planned, tools)


@pytest.mark.parametrize("name", NAMES)
async def test_a_good_key_is_operational(
    name: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = await ask(account, monkeypatch, name, account.key)
    assert outcome.state is State.OPERATIONAL, outcome.detail


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", ["id", "secret"])
async def test_a_bad_key_is_auth_failed(
    name: str, wrong: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = ("AKIANOBODYNOBODYNOBO", account.key[1]) if wrong == "id" else (account.key[0], "made-up-and-wrong")
    outcome = await ask(account, monkeypatch, name, key)
    assert (outcome.state, outcome.reason) == (State.AUTH_FAILED, Reason.BAD_CREDENTIAL), outcome.detail


async def test_a_topic_is_asked_of_sns_itself(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """The signature names another service than that of the way of signing in."""
    good = await ask(account, monkeypatch, "sns", account.key, topic_arn=account.topic_arn)
    assert good.state is State.OPERATIONAL, good.detail
    bad = await ask(account, monkeypatch, "sns", (account.key[0], "wrong"), topic_arn=account.topic_arn)
    assert (bad.state, bad.reason) == (State.AUTH_FAILED, Reason.BAD_CREDENTIAL), bad.detail


async def test_a_key_that_may_only_publish_is_good_and_lacks_a_permission(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = await ask(account, monkeypatch, "sns", account.publisher, topic_arn=account.topic_arn)
    assert (outcome.state, outcome.reason) == (State.DEGRADED, Reason.SCOPE), outcome.detail


async def test_a_user_pool_shows_its_keys_to_anybody(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"user_pool_id": account.user_pool_id}
    outcome = await ask(account, monkeypatch, "cognito", account.key, ProbeKind.REACHABILITY, **known)
    assert outcome.state is State.OPERATIONAL, outcome.detail


async def test_a_subscription_of_the_topic_is_read_as_a_registered_endpoint(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS's own XML, as moto writes it: nobody, then one subscriber, and another address than ours."""
    hooks, kind = "https://hooks.made-up.example/events", ProbeKind.WEBHOOK_ENDPOINT
    known = {"topic_arn": account.topic_arn}

    async def rules(url: str) -> tuple[State, list[str]]:
        outcome = await ask(account, monkeypatch, "sns", account.key, kind, webhook_url=url, **known)
        return outcome.state, [finding.rule for finding in outcome.findings]

    assert await rules(hooks) == (State.DEGRADED, ["webhook-endpoint-missing"])
    keys = {"aws_access_key_id": account.key[0], "aws_secret_access_key": account.key[1]}
    sns = boto3.client("sns", endpoint_url=account.url, region_name=REGION, **keys)
    sns.subscribe(TopicArn=account.topic_arn, Protocol="https", Endpoint=hooks)
    assert await rules(hooks) == (State.OPERATIONAL, [])
    assert await rules("https://hooks.made-up.example/other") == (
        State.DEGRADED,
        ["webhook-endpoint-missing"],
    )
