"""What boto3 sends and moto answers on this machine, held against the models of the installed botocore."""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from contracts import adapters, installed
from contracts.shelf import Shelf
from contracts.verify import Verified, verify
from contracts.view import Bench
from interlock.records import Interaction, Message, Source
from tests.contracts.verify.made import bench
from tests.others.servers import free_port, running

REGION = "us-east-1"
MADE_UP = {"aws_access_key_id": "AKIAMADEUPMADEUPMADE", "aws_secret_access_key": "made-up"}
BUCKET = "made-up-bucket"


class Taped:
    """Clients of one server, and everything that they said and heard, by service."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.heard: dict[str, list[Interaction]] = {}

    def client(self, service: str, **config: Any) -> Any:
        """A client that is listened to."""
        made = boto3.client(
            service, endpoint_url=self.url, region_name=REGION, config=Config(**config), **MADE_UP
        )
        session, tape = made._endpoint.http_session, self.heard.setdefault(service, [])
        send = session.send

        def listened(request: Any) -> Any:
            answer = send(request)
            tape.append(_interaction(request, answer, len(tape)))
            return answer

        session.send = listened
        return made


def _interaction(request: Any, answer: Any, index: int) -> Interaction:
    body = request.body
    if hasattr(body, "read"):
        body.seek(0)
        body = body.read()
    return Interaction(
        source=Source(file="moto.yaml", format="vcrpy", index=index, line=index + 1),
        method=request.method,
        url=request.url,
        request=_message(request.headers, body.encode() if isinstance(body, str) else body),
        status=answer.status_code,
        response=_message(answer.headers, answer.content),
        error=None,
        http_version=None,
        recorded_at=None,
        elapsed_seconds=None,
        origin=None,
    )


def _message(headers: Any, body: bytes | None) -> Message:
    listed = tuple(
        (name, value.decode() if isinstance(value, bytes) else value) for name, value in headers.items()
    )
    return Message(headers=listed, body=body or b"", body_state="full")


def _s3(tape: Taped) -> None:
    s3 = tape.client("s3", s3={"addressing_style": "path"})
    s3.create_bucket(Bucket=BUCKET)
    s3.list_buckets()
    s3.head_bucket(Bucket=BUCKET)
    s3.get_bucket_location(Bucket=BUCKET)
    key = "a folder/b+c/ü.txt"
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"made up", Metadata={"made": "up"}, ContentType="text/plain")
    s3.get_object(Bucket=BUCKET, Key=key)
    s3.get_object(Bucket=BUCKET, Key=key, Range="bytes=0-2")
    s3.head_object(Bucket=BUCKET, Key=key)
    s3.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": key})
    s3.put_object_tagging(Bucket=BUCKET, Key=key, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.get_object_tagging(Bucket=BUCKET, Key=key)
    s3.put_object_acl(Bucket=BUCKET, Key=key, ACL="private")
    s3.get_object_acl(Bucket=BUCKET, Key=key)
    s3.get_bucket_acl(Bucket=BUCKET)
    s3.list_objects_v2(Bucket=BUCKET, Prefix="a", Delimiter="/", MaxKeys=5)
    s3.list_objects(Bucket=BUCKET, MaxKeys=1)
    _s3_in_parts(s3)
    _s3_settings(s3)
    with suppress(ClientError):
        s3.get_object(Bucket=BUCKET, Key="nothing")
    with suppress(ClientError):
        s3.list_objects_v2(Bucket="no-such-bucket-made-up")
    s3.delete_object(Bucket=BUCKET, Key=key)
    s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "copy"}, {"Key": "whole"}], "Quiet": False})
    s3.list_object_versions(Bucket=BUCKET)


def _s3_in_parts(s3: Any) -> None:
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="whole")["UploadId"]
    part = s3.upload_part(Bucket=BUCKET, Key="whole", UploadId=upload, PartNumber=1, Body=b"1")
    s3.list_parts(Bucket=BUCKET, Key="whole", UploadId=upload)
    s3.list_multipart_uploads(Bucket=BUCKET)
    done = {"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]}
    s3.complete_multipart_upload(Bucket=BUCKET, Key="whole", UploadId=upload, MultipartUpload=done)
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="given up")["UploadId"]
    copied = {"Bucket": BUCKET, "Key": "whole"}
    s3.upload_part_copy(Bucket=BUCKET, Key="given up", UploadId=upload, PartNumber=1, CopySource=copied)
    s3.abort_multipart_upload(Bucket=BUCKET, Key="given up", UploadId=upload)


def _s3_settings(s3: Any) -> None:
    rule = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 7}}
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [rule]})
    s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)
    cors = {"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["*"], "MaxAgeSeconds": 30}
    s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [cors]})
    s3.get_bucket_cors(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    s3.get_bucket_versioning(Bucket=BUCKET)
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": [{"Key": "team", "Value": "made up"}]})
    s3.get_bucket_tagging(Bucket=BUCKET)
    s3.get_bucket_notification_configuration(Bucket=BUCKET)
    public = {"BlockPublicAcls": True, "IgnorePublicAcls": True}
    s3.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=public)
    s3.get_public_access_block(Bucket=BUCKET)


def _ses(tape: Taped) -> None:
    ses = tape.client("ses")
    ses.verify_email_identity(EmailAddress="from@made-up.example")
    ses.list_identities(MaxItems=10)
    ses.get_identity_verification_attributes(Identities=["from@made-up.example"])
    message = {"Subject": {"Data": "made up"}, "Body": {"Text": {"Data": "made up", "Charset": "UTF-8"}}}
    to = {"ToAddresses": ["a@made-up.example", "b@made-up.example"]}
    ses.send_email(
        Source="from@made-up.example", Destination=to, Message=message, Tags=[{"Name": "a", "Value": "b"}]
    )
    raw = b"From: from@made-up.example\r\nTo: a@made-up.example\r\nSubject: x\r\n\r\nmade up"
    ses.send_raw_email(RawMessage={"Data": raw})
    ses.get_send_quota()
    ses.get_send_statistics()
    ses.create_template(Template={"TemplateName": "t", "SubjectPart": "s", "TextPart": "x"})
    ses.list_templates()
    with suppress(ClientError):
        ses.send_email(Source="nobody@nowhere.example", Destination=to, Message=message)


def _sesv2(tape: Taped) -> None:
    ses = tape.client("sesv2")
    ses.create_email_identity(EmailIdentity="from@made-up.example")
    ses.list_email_identities()
    ses.get_email_identity(EmailIdentity="from@made-up.example")
    simple = {"Subject": {"Data": "made up"}, "Body": {"Text": {"Data": "made up"}}}
    to = {"ToAddresses": ["a@made-up.example"]}
    ses.send_email(FromEmailAddress="from@made-up.example", Destination=to, Content={"Simple": simple})
    ses.create_contact_list(ContactListName="made-up")
    ses.get_contact_list(ContactListName="made-up")
    with suppress(ClientError):
        ses.get_email_identity(EmailIdentity="nobody@nowhere.example")


def _sns(tape: Taped) -> None:
    sns = tape.client("sns")
    tags = [{"Key": "team", "Value": "made up"}]
    topic = sns.create_topic(Name="made-up", Attributes={"DisplayName": "Made up"}, Tags=tags)["TopicArn"]
    sns.list_topics()
    sns.get_topic_attributes(TopicArn=topic)
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="x")
    reader = {"Protocol": "email", "Endpoint": "reader@made-up.example"}  # to whom moto delivers nothing
    subscription = sns.subscribe(TopicArn=topic, ReturnSubscriptionArn=True, **reader)
    sns.list_subscriptions_by_topic(TopicArn=topic)
    attributes = {"kind": {"DataType": "String", "StringValue": "made up"}}
    sns.publish(TopicArn=topic, Message="made up", Subject="made up", MessageAttributes=attributes)
    sns.publish(PhoneNumber="+15005550006", Message="made up")
    entries = [{"Id": str(number), "Message": "made up"} for number in range(11)][:10]
    sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    sns.list_tags_for_resource(ResourceArn=topic)
    with suppress(ClientError):
        sns.get_topic_attributes(TopicArn=f"{topic}-of-nobody")
    sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    sns.delete_topic(TopicArn=topic)


def _cognito(tape: Taped) -> None:
    cognito = tape.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="made-up")["UserPool"]["Id"]
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    app = cognito.create_user_pool_client(UserPoolId=pool, ClientName="made-up", ExplicitAuthFlows=flows)
    client = app["UserPoolClient"]["ClientId"]
    cognito.describe_user_pool(UserPoolId=pool)
    cognito.list_user_pools(MaxResults=10)
    name, secret = "made-up-user", "Made-up-0-password"
    attributes = [{"Name": "email", "Value": "a@made-up.example"}]
    cognito.admin_create_user(UserPoolId=pool, Username=name, UserAttributes=attributes)
    cognito.admin_set_user_password(UserPoolId=pool, Username=name, Password=secret, Permanent=True)
    given = {"USERNAME": name, "PASSWORD": secret}
    signed = cognito.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)
    cognito.get_user(AccessToken=signed["AuthenticationResult"]["AccessToken"])
    cognito.admin_get_user(UserPoolId=pool, Username=name)
    cognito.list_users(UserPoolId=pool, Limit=5)
    cognito.sign_up(ClientId=client, Username="another", Password=secret)
    with suppress(ClientError):
        wrong = {"USERNAME": name, "PASSWORD": "wrong"}
        cognito.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=wrong)
    with suppress(ClientError):
        cognito.admin_get_user(UserPoolId=pool, Username="nobody")
    cognito.admin_delete_user(UserPoolId=pool, Username=name)


def _sts(tape: Taped) -> None:
    sts = tape.client("sts")
    sts.get_caller_identity()
    role = "arn:aws:iam::123456789012:role/made-up"
    sts.assume_role(RoleArn=role, RoleSessionName="made-up", DurationSeconds=900)
    sts.get_session_token()


SERVICES = {"s3": _s3, "ses": _ses, "sesv2": _sesv2, "sns": _sns, "cognito-idp": _cognito, "sts": _sts}


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
