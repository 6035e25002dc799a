"""What boto3 sends and moto answers on this machine, held against the models of the installed botocore."""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts import adapters, installed
from contracts.shelf import Shelf
from contracts.verify import Verified, verify
from contracts.view import Bench
from interlock.records import Interaction
from tests.contracts.adapters.moto_calls import BUCKET, SERVICES, Taped
from tests.contracts.verify.made import bench
from tests.others.servers import free_port, running


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Interaction]]:
    """Everything that the clients said and heard, by service."""
    port = free_port()
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with running(words, port, cwd=tmp_path_factory.mktemp("moto")):
        tape = Taped(f"http://127.0.0.1:{port}")
        for calls in SERVICES.values():
            calls(tape)
    return tape.heard


@functools.cache
def model(service: str) -> Bench:
    """The service's model, ready to judge by."""
    data, source = installed.service_model(service)
    return bench(adapters.parse(data, name=service, source=source))


# moto calls its JSON text/html in these answers of SES; AWS does not.
MOTO_CALLS_IT_HTML = frozenset(
    {
        "POST /v2/email/identities",
        "POST /v2/email/list-identities",
        "POST /v2/email/outbound-emails",
        "GET /v2/email/identities/{EmailIdentity}",
        "GET /v2/email/contact-lists/{ContactListName}",
    }
)


# Contracts of our library, the services that they speak of, and the least that is an operation of them.
OURS = [
    ("s3", ("s3", "sts"), 20),
    ("ses", ("sesv2", "sts"), 2),
    ("sns", ("sns", "sts"), 9),
    ("cognito", ("cognito-idp", "sts"), 7),
]
MOTO_ALONE = {"ses": [("response-media-type", "/response/header/content-type")]}


def places(found: Verified) -> list[tuple[str, str | None]]:
    """The rule and the pointer of every finding."""
    return [(each.rule, each.location.message_pointer) for each in found.findings]


@pytest.mark.parametrize("service", SERVICES)
def test_what_boto3_and_moto_say_is_as_promised(service: str, heard: dict[str, list[Interaction]]) -> None:
    for interaction in heard[service]:
        found = verify(interaction, model(service))
        assert found.operation is not None, interaction.url
        assert not found.unjudged, (found.operation, found.unjudged)
        if found.operation in MOTO_CALLS_IT_HTML and interaction.status == 200:
            assert places(found) == [("response-media-type", "/response/header/content-type")]
        else:
            assert not found.findings, (found.operation, found.findings)


@pytest.mark.parametrize(("name", "services", "least"), OURS)
def test_it_is_as_our_library_promises_too(
    name: str, services: tuple[str, ...], least: int, heard: dict[str, list[Interaction]]
) -> None:
    known = bench(Shelf(Path("nowhere")).load(name))
    matched = 0
    for interaction in (each for service in services for each in heard[service]):
        found = verify(interaction, known)
        matched += found.operation is not None
        wrong = [place for place in places(found) if place not in MOTO_ALONE.get(name, ())]
        assert not wrong, (found.operation, found.findings)
    assert matched >= least


@pytest.mark.parametrize(
    "host",
    [
        f"https://{BUCKET}.s3.eu-central-1.amazonaws.com",
        f"https://{BUCKET}.s3.amazonaws.com",
        f"https://{BUCKET}.s3.dualstack.us-west-2.amazonaws.com",
        f"https://s3.amazonaws.com/{BUCKET}",
        f"https://s3-fips.us-gov-west-1.amazonaws.com/{BUCKET}",
    ],
)
def test_a_bucket_may_stand_in_the_host_or_in_the_path(
    host: str, heard: dict[str, list[Interaction]]
) -> None:
    for interaction in heard["s3"]:
        before, bucket, rest = interaction.url.partition(f"/{BUCKET}")
        if not bucket:
            continue
        moved = dataclasses.replace(interaction, url=f"{host}{rest if rest.startswith('/') else f'/{rest}'}")
        found = verify(moved, model("s3"))
        assert found.operation == verify(interaction, model("s3")).operation, (before, moved.url)
        assert not found.findings, found.findings


Change = Callable[[Interaction], Interaction]


def url(old: str, new: str) -> Change:
    """The request's address with something else in it."""
    return lambda given: dataclasses.replace(given, url=_exchanged(given.url, old, new))


def sent(old: str, new: str) -> Change:
    """The request's body with something else in it."""

    def changed(given: Interaction) -> Interaction:
        body = _exchanged((given.request.body or b"").decode(), old, new).encode()
        return dataclasses.replace(given, request=dataclasses.replace(given.request, body=body))

    return changed


def got(old: str, new: str) -> Change:
    """The answer's body with something else in it."""

    def changed(given: Interaction) -> Interaction:
        assert given.response is not None
        body = _exchanged((given.response.body or b"").decode(), old, new).encode()
        return dataclasses.replace(given, response=dataclasses.replace(given.response, body=body))

    return changed


def header(name: str, value: str) -> Change:
    """One more header of the request."""

    def changed(given: Interaction) -> Interaction:
        message = dataclasses.replace(given.request, headers=(*given.request.headers, (name, value)))
        return dataclasses.replace(given, request=message)

    return changed


def answered(status: int) -> Change:
    """Another status."""
    return lambda given: dataclasses.replace(given, status=status)


def _exchanged(text: str, old: str, new: str) -> str:
    assert old in text, (old, text)
    return text.replace(old, new, 1)


LISTED, COPIED = "GET /{Bucket}?list-type=2", "PUT /{Bucket}/{Key+} x-amz-copy-source"
TARGET = "POST / X-Amz-Target=AWSCognitoIdentityProviderService."
PLANTED: list[tuple[str, str, Change, str, str]] = [
    ("s3", LISTED, url("max-keys=5", "max-keys=five"), "request-query", "/request/query/max-keys"),
    ("s3", LISTED, url("prefix=", "prefx="), "request-query-unknown", "/request/query/prefx"),
    ("s3", LISTED, got("<IsTruncated>", "<IsTruncated>x"), "response-body", "/response/body/IsTruncated"),
    ("s3", LISTED, got("</ListBucketResult>", ""), "response-body-syntax", "/response/body"),
    ("s3", "GET /{Bucket}", got("<Size>", "<Size>x"), "response-body", "/response/body/Contents/0/Size"),
    (
        "s3",
        "GET /{Bucket}",
        got("<LastModified>", "<LastModified>x"),
        "response-format",
        "/response/body/Contents/0/LastModified",
    ),
    ("s3", COPIED, header("x-amz-acl", "publick"), "request-header", "/request/header/x-amz-acl"),
    ("s3", "POST /{Bucket}/{Key+}", url("uploadId", "upload"), "request-query", "/request/query/uploadId"),
    (
        "s3",
        "POST /{Bucket}/{Key+}",
        sent("<PartNumber>", "<PartNumber>x"),
        "request-body",
        "/request/body/Part/0/PartNumber",
    ),
    (
        "s3",
        "PUT /{Bucket}?lifecycle",
        sent("<Status>Enabled", "<Status>On"),
        "request-body",
        "/request/body/Rule/0/Status",
    ),
    (
        "s3",
        "PUT /{Bucket}?lifecycle",
        sent("<ID>r</ID>", "<Name>r</Name>"),
        "request-body",
        "/request/body/Rule/0/Name",
    ),
    (
        "s3",
        "PUT /{Bucket}?tagging",
        sent("<Value>made up</Value>", ""),
        "request-body",
        "/request/body/TagSet/0/Value",
    ),
    ("ses", "POST / Action=SendEmail", sent("Source=", "From="), "request-body", "/request/body/Source"),
    (
        "ses",
        "POST / Action=SendEmail",
        sent("Message.Subject.Data", "Message.Subject.Text"),
        "request-body",
        "/request/body/Message/Subject/Data",
    ),
    (
        "ses",
        "POST / Action=SendEmail",
        sent("ToAddresses.member.1=", "ToAddresses="),
        "request-body",
        "/request/body/Destination/ToAddresses",
    ),
    (
        "ses",
        "POST / Action=SendEmail",
        sent("Version=2010-12-01", "Version=2019-09-27"),
        "request-body",
        "/request/body/Version",
    ),
    (
        "ses",
        "POST / Action=SendEmail",
        got("SendEmailResult>", "SendMailResult>"),
        "response-body-syntax",
        "/response/body",
    ),
    (
        "ses",
        "POST / Action=GetSendQuota",
        got("<Max24HourSend>", "<Max24HourSend>x"),
        "response-body",
        "/response/body/GetSendQuotaResult/Max24HourSend",
    ),
    (
        "sesv2",
        "POST /v2/email/outbound-emails",
        sent("Content", "Contents"),
        "request-body",
        "/request/body/Content",
    ),
    (
        "sns",
        "POST / Action=PublishBatch",
        sent(".member.1.Id", ".member.1.Key"),
        "request-body",
        "/request/body/PublishBatchRequestEntries/0/Id",
    ),
    (
        "sns",
        "POST / Action=Publish",
        sent("DataType", "Type"),
        "request-body",
        "/request/body/MessageAttributes/kind/DataType",
    ),
    (
        "sns",
        "POST / Action=Subscribe",
        sent("Protocol=", "Protokol="),
        "request-body",
        "/request/body/Protocol",
    ),
    ("sns", "POST / Action=CreateTopic", answered(201), "response-status", "/response/status"),
    (
        "cognito-idp",
        f"{TARGET}InitiateAuth",
        sent("USER_PASSWORD_AUTH", "PASSWORD"),
        "request-body",
        "/request/body/AuthFlow",
    ),
    (
        "cognito-idp",
        f"{TARGET}ListUsers",
        sent('"Limit": 5', '"Limit": 500'),
        "request-body",
        "/request/body/Limit",
    ),
    (
        "cognito-idp",
        f"{TARGET}ListUsers",
        sent('"Limit": 5', '"Limit": "5"'),
        "request-body",
        "/request/body/Limit",
    ),
    (
        "cognito-idp",
        f"{TARGET}ListUsers",
        sent("UserPoolId", "PoolId"),
        "request-body",
        "/request/body/UserPoolId",
    ),
    (
        "cognito-idp",
        f"{TARGET}AdminGetUser",
        got('"Enabled": true', '"Enabled": "yes"'),
        "response-body",
        "/response/body/Enabled",
    ),
    (
        "sts",
        "POST / Action=AssumeRole",
        sent("DurationSeconds=900", "DurationSeconds=60"),
        "request-body",
        "/request/body/DurationSeconds",
    ),
    (
        "sts",
        "POST / Action=AssumeRole",
        got("<Expiration>", "<Expiration>x"),
        "response-format",
        "/response/body/AssumeRoleResult/Credentials/Expiration",
    ),
]


@pytest.mark.parametrize(("service", "operation", "change", "rule", "pointer"), PLANTED)
def test_planted_mistakes_are_found(
    service: str,
    operation: str,
    change: Change,
    rule: str,
    pointer: str,
    heard: dict[str, list[Interaction]],
) -> None:
    known = model(service)
    good = next(each for each in heard[service] if verify(each, known).operation == operation)
    before = places(verify(good, known))
    found = [place for place in places(verify(change(good), known)) if place not in before]
    assert (rule, pointer) in found, found
