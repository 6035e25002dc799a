"""Service models of botocore as contracts: what tells operations apart, where they are found, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contracts import adapters
from contracts.choosing import ByHost
from contracts.contract import Contract
from contracts.pull import documents, pull
from contracts.shelf import Shelf, read_named
from contracts.verify import verify
from contracts.view import Bench
from interlock.errors import UsageError
from tests.contracts.verify.made import NOW, bench, interaction, places


def _contract(document: dict[str, Any]) -> Contract:
    return adapters.parse(json.dumps(document).encode(), name="made", source="made.json")


def _model(**about: Any) -> dict[str, Any]:
    model: dict[str, Any] = {"metadata": {"protocol": "json"}, "operations": {}, "shapes": {}}
    return model | about


def _named(name: str) -> Contract:
    return read_named(f"botocore:{name}")


def test_the_installed_model_is_named_by_its_service() -> None:
    s3 = _named("s3")
    assert (s3.name, s3.format, s3.version) == ("s3", "botocore rest-xml", "2006-03-01")
    assert "data/s3/2006-03-01" in s3.source
    assert not s3.notes


@pytest.mark.parametrize(
    ("name", "message"),
    [("no-such-service", "has no such service"), ("../s3", "is no name of a service"), ("", "is no name")],
)
def test_a_service_that_there_is_not_is_refused(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        _named(name)


def test_a_protocol_that_is_not_read_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="'ec2', which is not read"):
        _contract(_model(metadata={"protocol": "ec2"}))


def test_of_several_protocols_one_that_is_read_is_taken() -> None:
    about = {"protocol": "smithy-rpc-v2-cbor", "protocols": ["smithy-rpc-v2-cbor", "json"]}
    assert _contract(_model(metadata=about)).format == "botocore json"


def test_every_operation_has_a_name_of_its_own() -> None:
    """They are the denominator of evidence. One that replaced another at the same address shares its name."""
    for service in ("ses", "sesv2", "sns", "sts", "cognito-idp"):
        names = [each.name for each in _named(service).operations]
        assert len(names) == len(set(names)), service
    names = [each.name for each in _named("s3").operations if not each.deprecated]
    assert sorted({name for name in names if names.count(name) > 1}) == ["GET /"]


@pytest.mark.parametrize(
    ("method", "url", "operation"),
    [
        ("GET", "https://s3.amazonaws.com/", "ListBuckets"),
        ("GET", "https://made-up.s3.amazonaws.com/", "ListObjects"),
        ("GET", "https://made-up.s3.amazonaws.com/?list-type=2", "ListObjectsV2"),
        ("GET", "https://made.up.s3.eu-central-1.amazonaws.com/a/b/c", "GetObject"),
        ("GET", "https://made-up.s3.eu-central-1.amazonaws.com/a/b?acl", "GetObjectAcl"),
        ("GET", "https://s3.eu-central-1.amazonaws.com/made-up/a/b/?uploadId=1", "ListParts"),
        ("PUT", "https://made-up.s3-us-west-2.amazonaws.com/a/b", "PutObject"),
        ("PUT", "https://made-up.s3.amazonaws.com/a/b?partNumber=1&uploadId=1&x-id=UploadPart", "UploadPart"),
        ("PUT", "https://made-up.s3-accelerate.amazonaws.com/?lifecycle", "PutBucketLifecycleConfiguration"),
        ("DELETE", "https://s3.amazonaws.com/made-up/a?uploadId=1", "AbortMultipartUpload"),
        ("GET", "https://s3.amazonaws.com/made-up?analytics&id=1", "GetBucketAnalyticsConfiguration"),
        ("GET", "https://s3.amazonaws.com/made-up?analytics", "ListBucketAnalyticsConfigurations"),
        ("GET", "http://127.0.0.1:9000/made-up/key", "GetObject"),
    ],
)
def test_operations_of_s3(method: str, url: str, operation: str) -> None:
    known = _named("s3")
    found = bench(known).matcher
    view = verify(interaction(method, url, status=None), bench(known))
    names = {each.name: each.id for each in known.operations if not each.deprecated}
    if operation == "ListBuckets":
        assert found.find("GET", "/", lambda _: None) is not None
    else:
        assert names[view.operation or ""] == operation
    assert not view.findings, view.findings


def test_a_signed_url_is_as_promised() -> None:
    query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=made-up&X-Amz-Date=20261125T120000Z"
    url = f"https://made-up.s3.eu-central-1.amazonaws.com/a?{query}&X-Amz-Expires=60&X-Amz-SignedHeaders=host"
    asked = interaction("GET", f"{url}&X-Amz-Signature=made-up", status=404, got=b"<Error><Code>A</Code></Error>",
                        answered={"Content-Type": "application/xml"})  # fmt: skip
    assert not verify(asked, bench(_named("s3"), complete=True)).findings


def test_an_error_in_another_envelope_is_found() -> None:
    asked = interaction("GET", "https://s3.amazonaws.com/made-up/a", status=404, got=b"<Oops><Why>none</Why></Oops>",
                        answered={"Content-Type": "application/xml"})  # fmt: skip
    (found,) = verify(asked, bench(_named("s3"))).findings
    assert (found.rule, found.location.message_pointer) == ("response-body", "/response/body/Code")


def test_an_error_within_a_good_answer_is_found() -> None:
    """S3 answers 200 before a copy is done."""
    asked = interaction(
        "PUT",
        "https://s3.amazonaws.com/made-up/a",
        headers={"x-amz-copy-source": "made-up/b"},
        got=b"<Error><Code>InternalError</Code><Message>made up</Message></Error>",
        answered={"Content-Type": "application/xml"},
    )
    (found,) = verify(asked, bench(_named("s3"))).findings
    assert (found.rule, found.location.contract_pointer) == ("response-body", "/shapes/CopyObjectResult/not")
    assert found.promised == 'nothing that fits {"required": ["Code", "Message"]}'


def test_a_policy_is_a_text() -> None:
    """Its shape is a string, and none of the fields of an error can be in it."""
    asked = interaction(
        "GET",
        "https://made-up.s3.amazonaws.com/?policy",
        got=b'{"Version": "2012-10-17"}',
        answered={"Content-Type": "application/json"},
    )
    assert not verify(asked, bench(_named("s3"))).findings
    node = _named("s3").document["shapes"]["Policy"]
    assert "x-interlock-response" not in node


EVENTS = {"Content-Type": "application/vnd.amazon.eventstream"}


def _streaming(protocol: str) -> Bench:
    payload = {} if protocol == "json" else {"payload": "Talk"}
    side = {"type": "structure", "members": {"Talk": {"shape": "Stream"}, "Id": {"shape": "Text"}}} | payload
    shapes = {
        "Both": side,
        "Text": {"type": "string"},
        "Stream": {"type": "structure", "eventstream": True, "members": {"Said": {"shape": "Said"}}},
        "Said": {"type": "structure", "event": True, "members": {"words": {"shape": "Text"}}},
    }
    asked = {"input": {"shape": "Both"}, "output": {"shape": "Both"}}
    about = {"protocol": protocol, "targetPrefix": "Made"}
    return bench(_contract(_model(metadata=about, operations={"Talk": asked}, shapes=shapes)))


@pytest.mark.parametrize("protocol", ["json", "rest-json", "rest-xml"])
@pytest.mark.parametrize("answered", [EVENTS, {}])
def test_a_stream_of_events_is_no_json_and_is_said_to_be_unjudged(
    protocol: str, answered: dict[str, str]
) -> None:
    frames = b"\x00\x00\x00\x72\x00\x00\x00\x60 made up"
    headers = {"X-Amz-Target": "Made.Talk", "Content-Type": ""}
    asked = interaction("POST", "https://made-up.example/", sent=frames, headers=headers | answered, got=frames,
                        answered={"Content-Type": ""} | answered)  # fmt: skip
    found = verify(asked, _streaming(protocol))
    assert places(found) == [("body-unjudged", "/request/body"), ("body-unjudged", "/response/body")]
    assert found.unjudged[0] == "/request/body: application/vnd.amazon.eventstream is not looked into"


@pytest.mark.parametrize("protocol", ["json", "rest-json", "rest-xml"])
def test_json_in_place_of_a_stream_of_events_is_told(protocol: str) -> None:
    asked = interaction("POST", "https://made-up.example/", sent=b"made up", got={"Talk": []},
                        headers={"X-Amz-Target": "Made.Talk", **EVENTS})  # fmt: skip
    found = verify(asked, _streaming(protocol))
    assert [each.promised for each in found.findings if each.rule == "response-media-type"] == [
        "application/vnd.amazon.eventstream"
    ]


def test_an_action_that_there_is_not_is_no_operation() -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    asked = interaction("POST", "https://sns.eu-west-1.amazonaws.com/", sent=b"Action=Publisch", headers=form)
    (found,) = verify(asked, bench(_named("sns"))).findings
    assert (found.rule, found.location.message_pointer) == ("operation-unknown", "/request/path")
    assert found.seen == "POST / Action=Publisch"


SNS = "https://sns.eu-west-1.amazonaws.com/?Action="
TOPIC = "TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A000000000000%3Amade-up"
LINK = f"{SNS}ConfirmSubscription&{TOPIC}&Token=made-up-made-up"
SIGNED = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=made-up"
OLD = "AWSAccessKeyId=made-up&SignatureVersion=2&SignatureMethod=HmacSHA256&Timestamp=2012&Signature=made-up"


@pytest.mark.parametrize(
    ("url", "operation", "found"),
    [
        (LINK, "ConfirmSubscription", []),
        (f"{SNS}Publish&Version=2010-03-31&{TOPIC}&Message=a&{SIGNED}", "Publish", []),
        (f"{SNS}Publish&Version=2010-03-31&{TOPIC}&Message=a&{OLD}", "Publish", []),
        (f"{SNS}Publish&Version=2010-03-31&{TOPIC}", "Publish", [("request-body", "/request/query/Message")]),
        (
            f"{SNS}Publish&Version=2009&{TOPIC}&Message=a&Masage=b",
            "Publish",
            [("request-body", "/request/query/Masage"), ("request-body", "/request/query/Version")],
        ),
    ],
)
def test_the_query_protocol_may_be_spoken_by_get(
    url: str, operation: str, found: list[tuple[str, str]]
) -> None:
    seen = verify(interaction("GET", url, status=None), bench(_named("sns"), complete=True))
    assert seen.operation == f"POST / Action={operation}"
    assert places(seen) == found


def test_by_get_our_library_is_spoken_to_too() -> None:
    ses = Shelf(Path("nowhere")).load("ses")
    for query in ("GetSendQuota&Version=2010-12-01", "GetSendQuota"):
        seen = verify(interaction("GET", f"https://email.eu-west-1.amazonaws.com/?Action={query}", status=None),
                      bench(ses))  # fmt: skip
        assert (seen.operation, seen.findings) == ("POST / Action=GetSendQuota", ())


@pytest.mark.parametrize("promised", [{}, {"requestBody": {"content": {}}}])
def test_an_action_of_which_no_form_is_promised_is_matched_and_no_more(promised: dict[str, Any]) -> None:
    post = {"post": promised | {"responses": {"200": {"description": ""}}}}
    given = {"openapi": "3.1.0", "info": {"title": "A", "version": "1"}, "paths": {"/#Action=Do": post}}
    seen = verify(interaction("GET", "https://made-up.example/?Action=Do&a=1"), bench(_contract(given)))
    assert (seen.operation, seen.findings) == ("POST / Action=Do", ())


def test_an_action_by_get_that_there_is_not_is_no_operation() -> None:
    (found,) = verify(interaction("GET", f"{SNS}Publisch", status=None), bench(_named("sns"))).findings
    assert (found.rule, found.seen) == ("operation-unknown", "GET / Action=Publisch")


async def test_it_is_pulled_from_the_installed_botocore_and_chosen_by_its_hosts(tmp_path: Path) -> None:
    ((_, contract),) = await pull(documents("s3"), tmp_path, now=NOW)
    pinned = Shelf(tmp_path).lock()["s3"]
    assert pinned["url"].startswith("botocore ")
    assert pinned["sha256"] == contract.digest
    choose = ByHost(Shelf(tmp_path), bench().book)

    def chosen(url: str) -> list[tuple[str, str]]:
        return [(each.contract.name, each.contract.origin) for each in choose(interaction("GET", url))]

    assert chosen("https://made-up.s3.eu-central-1.amazonaws.com/key") == [("s3", "pulled")]
    assert chosen("https://s3.amazonaws.com/made-up/key") == [("s3", "pulled")]
    assert ("s3", "pulled") not in chosen("https://sts.eu-west-1.amazonaws.com/")


@pytest.mark.parametrize(
    "shapes",
    [
        {"In": {"type": "structure", "members": {"a": {"shape": "Nowhere"}}}},
        {"In": {"type": "list", "member": {"shape": 7}}},
        {"In": {"type": "list", "member": {"shape": "In"}}},
        {"In": {"type": "structure", "members": [], "required": 7}, "Other": None},
        {"In": {"type": "string", "pattern": "(", "min": "many", "enum": 7}},
        {"In": {}},
        {"In": {"type": "structure", "payload": "a", "members": {"a": {"shape": {"a": 1}}}}},
        {"In": {"type": "structure", "payload": "a", "members": {"a": None}}},
        {"In": {"type": "structure", "payload": ["a"], "members": {"a": {"shape": "In"}}}},
    ],
)
def test_a_model_that_is_broken_promises_nothing_there(shapes: dict[str, Any]) -> None:
    operation = {"name": "A", "http": None, "input": {"shape": "In"}, "output": {"shape": "In"}}
    for protocol in ("json", "query", "rest-xml", "rest-json"):
        broken = _model(metadata={"protocol": protocol}, operations={"A": operation, "B": 7}, shapes=shapes)
        contract = _contract(json.loads(json.dumps(broken)))
        headers = {"X-Amz-Target": ".A", "Content-Type": "application/json"}
        verify(interaction("POST", "https://made-up.example/", sent={}, headers=headers), bench(contract))


def test_where_botocore_is_not_installed_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(UsageError) as refused:
        _named("s3")
    assert "extra `aws`" in str(refused.value.hint)
