"""The catalogue's S3 entry against moto with its IAM checks on: a server that others wrote."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.config import Config

from interlock.records import ProbeKind, Reason, State
from tests.contracts.clients.asking import ask, integrate

POLICY = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"},'
    ' {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}]}'
)


@pytest.fixture(scope="module")
def moto() -> Iterator[tuple[str, Mapping[str, str]]]:
    """A moto server whose first three calls are free and make one user; its URL and that user's key."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    script = "import sys; from moto.server import main; main(sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", script, "-H", "127.0.0.1", "-p", str(port)],
        env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": "3"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        while "Running on" not in (line := process.stderr.readline()):
            assert line, "moto did not start"
        url = f"http://127.0.0.1:{port}"
        yield url, _user(url)
    finally:
        process.kill()
        process.communicate(timeout=10)


def _user(url: str) -> Mapping[str, str]:
    iam = boto3.client(
        "iam",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(proxies={}),
    )
    iam.create_user(UserName="made-up")
    key = iam.create_access_key(UserName="made-up")["AccessKey"]
    iam.put_user_policy(UserName="made-up", PolicyName="all", PolicyDocument=POLICY)
    return {"id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}


def _table(url: str) -> dict[str, Any]:
    return {
        "provider": "s3",
        "environment": "stand_in",
        "base_url": url,
        "credentials": {"access_key_id": "env:MOTO_ID", "secret_access_key": "env:MOTO_SECRET"},
    }


async def _judge(
    moto: tuple[str, Mapping[str, str]], monkeypatch: pytest.MonkeyPatch, kind: ProbeKind, **other: str
) -> tuple[State, Reason]:
    url, key = moto
    key = {**key, **other}
    it = integrate(_table(url), {"MOTO_ID": key["id"], "MOTO_SECRET": key["secret"]}, monkeypatch)
    async with asyncio.timeout(20):
        judged = await ask(it, kind)
    return judged.state, judged.reason


async def test_a_good_key_is_operational(moto: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await _judge(moto, monkeypatch, ProbeKind.CREDENTIAL) == (State.OPERATIONAL, Reason.OK)


@pytest.mark.parametrize(
    "other", [{"id": "AKIAMADEUP2222222222"}, {"secret": "madeup222222222222222222222222222"}]
)
async def test_a_bad_key_is_auth_failed(
    moto: Any, monkeypatch: pytest.MonkeyPatch, other: dict[str, str]
) -> None:
    judged = await _judge(moto, monkeypatch, ProbeKind.CREDENTIAL, **other)
    assert judged == (State.AUTH_FAILED, Reason.BAD_CREDENTIAL)
