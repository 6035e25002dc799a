"""Calls of boto3 to moto, and everything that was said and heard in them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from interlock.records import Interaction, Message, Source

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
