"""What a provider refuses, or does not know, the stand-in says in the provider's own form, and clients read it so."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import botocore.session
import httpx
import jsonschema
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from contracts.clients.stand_in import StandIn
from contracts.shelf import LIBRARY_FOLDER, Shelf
from interlock import catalogue
from interlock.answers import Case, judge
from interlock.auth import signer
from interlock.catalogue import Provider, Refusal
from interlock.http import Client, Draft
from interlock.records import ProbeKind, State
from interlock.wire import Answer
from tests.contracts.clients.asking import integrate, now

TOLD = [(p, error) for p in catalogue.load_all() for error in p.errors]
UNKNOWN = "the stand-in knows no such path"
Call = Callable[[Any], Any]


def named(told: tuple[Provider, Refusal]) -> str:
    return f"{told[0].name}-{told[1].to}-{told[1].service or ''}"


async def refused(s: StandIn, service: str, call: Call, **changed: str) -> tuple[str, int]:
    """The error code and status that botocore's own client reads in the answer to a call."""
    keys = {
        "aws_access_key_id": s.credentials["access_key_id"],
        "aws_secret_access_key": s.credentials["secret_access_key"],
    } | changed
    client = botocore.session.Session().create_client(
        service,
        region_name="us-east-1",
        endpoint_url=s.url,
        config=Config(retries={"max_attempts": 0}),
        **keys,
    )
    with pytest.raises(ClientError) as caught:
        await asyncio.to_thread(call, client)
    told = caught.value.response
    return told["Error"]["Code"], told["ResponseMetadata"]["HTTPStatusCode"]


WRONG_ID, WRONG_SECRET = {"aws_access_key_id": "AKIANOBODYS000000000"}, {"aws_secret_access_key": "another"}
S3: dict[str, Call] = {
    "list_buckets": lambda c: c.list_buckets(),
    "get_object": lambda c: c.get_object(Bucket="made-up", Key="a/b c.txt"),
    "put_object": lambda c: c.put_object(Bucket="made-up", Key="a", Body=b"x"),
    "delete_bucket": lambda c: c.delete_bucket(Bucket="made-up"),
}
SES: dict[str, Call] = {
    "get_account": lambda c: c.get_account(),
    "list_contacts": lambda c: c.list_contacts(ContactListName="made-up"),
    "delete_contact_list": lambda c: c.delete_contact_list(ContactListName="made-up"),
}


@pytest.mark.parametrize("call", S3)
async def test_s3_refuses_in_its_own_words(call: str) -> None:
    async with StandIn("s3") as s:
        assert await refused(s, "s3", S3[call], **WRONG_ID) == ("InvalidAccessKeyId", 403)
        assert await refused(s, "s3", S3[call], **WRONG_SECRET) == ("SignatureDoesNotMatch", 403)
        right = ("AccessDenied", 403) if call == "list_buckets" else ("NoSuchBucket", 404)
        assert await refused(s, "s3", S3[call]) == right
        await s.set_state("revoked")
        assert await refused(s, "s3", S3[call]) == ("InvalidAccessKeyId", 403)


async def test_s3_tells_who_is_late_and_who_shows_no_key() -> None:
    late = now() + dt.timedelta(hours=1)
    async with StandIn("s3", clock=lambda: late) as s, httpx.AsyncClient(trust_env=False) as c:
        assert await refused(s, "s3", S3["get_object"]) == ("RequestTimeTooSkewed", 403)
        r = await c.get(f"{s.url}/made-up/key")
        assert r.status_code == 403
        assert r.headers["content-type"] == "application/xml"
        assert "<Code>AccessDenied</Code>" in r.text


@pytest.mark.parametrize("call", SES)
async def test_ses_refuses_as_json_with_the_error_in_a_header(call: str) -> None:
    async with StandIn("ses") as s:
        assert await refused(s, "sesv2", SES[call], **WRONG_ID) == ("UnrecognizedClientException", 403)
        assert await refused(s, "sesv2", SES[call], **WRONG_SECRET) == ("SignatureDoesNotMatch", 403)
        if call != "get_account":
            assert await refused(s, "sesv2", SES[call]) == ("NotFoundException", 404)


async def test_sns_and_cognito_say_what_they_do_not_have() -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:nobodys"
    async with StandIn("sns") as s:
        publish: Call = lambda c: c.publish(TopicArn=topic, Message="x")  # noqa: E731 - as the tables have them
        assert await refused(s, "sns", publish) == ("NotFound", 404)
        assert await refused(s, "sns", publish, **WRONG_ID) == ("InvalidClientTokenId", 403)
        assert await refused(s, "sns", publish, **WRONG_SECRET) == ("SignatureDoesNotMatch", 403)
    async with StandIn("cognito") as s:
        found = await refused(
            s, "cognito-idp", lambda c: c.describe_user_pool(UserPoolId="us-east-1_nobodys")
        )
        assert found == ("ResourceNotFoundException", 400)


@pytest.mark.parametrize("provider", ["s3", "ses", "sns", "cognito"])
async def test_sts_refuses_as_sts_wherever_it_is_asked(provider: str) -> None:
    async with StandIn(provider) as s:
        who: Call = lambda c: c.get_caller_identity()  # noqa: E731 - as the tables have them
        assert await refused(s, "sts", who, **WRONG_ID) == ("InvalidClientTokenId", 403)
        assert await refused(s, "sts", who, **WRONG_SECRET) == ("SignatureDoesNotMatch", 403)


# --- paths that nobody knows ---


async def asked(
    s: StandIn, path: str, monkeypatch: pytest.MonkeyPatch, *, method: str = "GET"
) -> tuple[Answer, bytes]:
    """The answer to interlock's own client, signed in as the credential probe is."""
    it = integrate(s.settings(), s.environ, monkeypatch)
    draft = Draft(method=method, url=s.url + path)
    client = Client()
    signs = signer(it, client, now)
    assert signs is not None
    answer = await client.ask(
        await signs.sign(draft), network=it.network, folder=it.folder, deadline_seconds=10.0
    )
    return answer, answer.body


@pytest.mark.parametrize(
    "name",
    [p.name for p, error in TOLD if error.to == "unknown_path" and error.service is None],
)
async def test_an_unknown_path_is_answered_in_the_providers_own_form(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = next(each for each in catalogue.load(name).errors if each.to == "unknown_path")
    async with StandIn(name) as s:
        answer, body = await asked(s, "/nobody/knows", monkeypatch)
    assert answer.status == error.answer.status
    assert answer.headers["x-interlock-stand-in"] == UNKNOWN
    assert UNKNOWN.encode() not in body
    if error.answer.text is None:
        wanted = json.dumps(error.answer.body).replace("{method}", "GET").replace("{path}", "/nobody/knows")
        assert json.loads(body) == json.loads(wanted)
    else:
        assert body.decode() == error.answer.text


async def test_what_is_asked_stands_quoted_in_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async with StandIn("stripe") as s:
        _, body = await asked(s, "/v1/%22%3Cb%3E", monkeypatch, method="DELETE")
    assert json.loads(body)["error"]["message"] == "Unrecognized request URL (DELETE: /v1/%22%3Cb%3E)."


async def test_where_nothing_is_known_of_it_the_answer_says_whose_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not catalogue.load("hubspot").errors
    async with StandIn("hubspot") as s:
        answer, body = await asked(s, "/nobody/knows", monkeypatch)
    assert (answer.status, json.loads(body)) == (404, {"message": UNKNOWN})


async def test_a_public_document_is_there_for_who_has_signed_in_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async with StandIn("auth0") as s:
        answer, body = await asked(s, "/.well-known/openid-configuration", monkeypatch)
    assert answer.status == 200
    assert "jwks_uri" in json.loads(body)


# --- the facts themselves ---


@pytest.mark.parametrize(
    "told", [told for told in TOLD if told[1].to in {"unknown_key", "bad_signature"}], ids=named
)
def test_a_refusal_is_judged_to_be_one(told: tuple[Provider, Refusal]) -> None:
    provider, error = told
    question = provider.ask(ProbeKind.CREDENTIAL)
    assert question is not None
    body = error.answer.text or json.dumps(error.answer.body)
    answer = Answer(status=error.answer.status, headers=dict(error.answer.headers), body=body.encode())
    case = Case(provider=provider, ask=question, answer=answer, now=now(), credentialed=True)
    assert judge(case).state is State.AUTH_FAILED


@pytest.mark.parametrize("told", [told for told in TOLD if told[1].answer.body is not None], ids=named)
def test_an_error_has_the_form_that_the_contract_promises(told: tuple[Provider, Refusal]) -> None:
    provider, error = told
    document = Shelf(LIBRARY_FOLDER).load(provider.name).document
    schema = {**document, "$ref": "#/components/schemas/Error"}
    jsonschema.Draft202012Validator(schema).validate(error.answer.body)
