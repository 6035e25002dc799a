"""A signed S3 request is recorded through the intercepting proxy: host and signature stay, and moto takes it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from cassettes.read import read_file
from tests.others.test_moto import Account, account

__all__ = ["account"]
INTERLOCK = (sys.executable, "-c", "from interlock.cli import main; main()")
UPLOAD = """
import boto3
s3 = boto3.client("s3", region_name="eu-central-1")
s3.create_bucket(Bucket="made-up", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
s3.put_object(Bucket="made-up", Key="a.txt", Body=b"kept as it is")
assert s3.get_object(Bucket="made-up", Key="a.txt")["Body"].read() == b"kept as it is"
"""


def test_a_signed_request_is_recorded_and_its_signature_holds(account: Account, tmp_path: Path) -> None:
    (tmp_path / "interlock.toml").write_text(
        '[integrations.uploads]\nprovider = "s3"\nenvironment = "stand_in"\n'
        f'base_url = "{account.url}"\nparameters.region = "eu-central-1"\n'
        'credentials.access_key_id = "env:AWS_ACCESS_KEY_ID"\n'
        'credentials.secret_access_key = "env:AWS_SECRET_ACCESS_KEY"\n'
    )
    keys = {"AWS_ACCESS_KEY_ID": account.key_id, "AWS_SECRET_ACCESS_KEY": account.secret}
    done = subprocess.run(
        [*INTERLOCK, "record", "uploads", "--out", "a.yaml", "--", sys.executable, "-c", UPLOAD],
        cwd=tmp_path,
        env={**os.environ, **keys},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made, put, got = read_file(tmp_path / "a.yaml").interactions
    assert [each.status for each in (made, put, got)] == [200, 200, 200]
    assert put.url == "https://made-up.s3.eu-central-1.amazonaws.com/a.txt"
    assert got.response is not None
    assert got.response.body == b"kept as it is"
    text = (tmp_path / "a.yaml").read_text()
    assert account.secret not in text
    assert account.key_id not in text
