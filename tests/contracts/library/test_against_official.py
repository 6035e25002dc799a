"""Our contracts beside the providers' own documents, events and recordings; what differs has its reason here."""

from __future__ import annotations

import copy
import functools
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts import adapters, installed
from contracts.contract import Contract
from contracts.events_judged import judge_delivery
from contracts.pointers import follow
from contracts.running import Options, Runner
from contracts.shelf import Shelf
from interlock import catalogue
from interlock.records import Finding
from tests.contracts.library.official import Compared, Schema, compared, event
from tests.contracts.verify.made import NOW, bench
from tests.corpus import folder

SENDGRID = ("mail", "mail_settings", "scopes", "suppressions", "user", "webhooks")
# The providers' own documents in the corpus, and how many of our operations and properties are in them.
DOCUMENTS: dict[str, tuple[tuple[str, ...], int, int]] = {
    "stripe": (("stripe/2023-09-12/spec3.yaml",), 8, 80),
    "github": (("github/api.github.com.json",), 11, 115),
    "twilio": (("twilio/twilio_api_v2010.json", "twilio/twilio_messaging_v1.json"), 7, 60),
    "sendgrid": (tuple(f"sendgrid/tsg_{name}_v3.json" for name in SENDGRID), 8, 80),
    "square": (("square/api.json",), 8, 80),
    "paypal": (
        (
            "paypal/checkout_orders_v2.json",
            "paypal/payments_payment_v2.json",
            "paypal/notifications_webhooks_v1.json",
        ),
        8,
        60,
    ),
    "auth0": (
        (
            "auth0/management/v2/management-api-oas.json",
            "auth0/authentication/authentication-api-oas.json",
        ),
        8,
        90,
    ),
    "mailgun": (("mailgun/openapi.yaml",), 7, 30),
    "segment": (("segment/openapi.yaml",), 2, 18),
    "azure_blob": (("azure-blob/blob-storage-2021-10-04.json",), 15, 110),
    "gcs": (("google/storage.v1.json", "google/pubsub.v1.json"), 10, 130),
}
# Service models of the installed botocore.
MODELS: dict[str, tuple[tuple[str, ...], int, int]] = {
    "s3": (("s3", "sts"), 18, 240),
    "ses": (("sesv2", "ses", "sts"), 9, 80),
    "sns": (("sns", "sts"), 9, 60),
    "cognito": (("cognito-idp", "sts"), 13, 130),
}
BESIDE = "the provider's documentation names it beside its document"
# What differs and is meant so: a pattern of the deviation, and why. Each of them must be there.
MEANT: dict[str, dict[str, str]] = {
    "stripe": {r"POST \S+ header Idempotency-Key: is not there": BESIDE},
    "github": {
        r"\w+ \S+ header X-GitHub-Api-Version: is not there": BESIDE,
        r"POST /login/oauth/access_token: is not there": "signing in is no part of the document",
        r"GET /app 200: theirs may be null, ours object": "the schema is shared with places where there is no app",
    },
    "twilio": {r"\w+ /v2/Services/\S+: is not there": "the document of Verify is another one"},
    "sendgrid": {r"\w+ /v3/(stats|templates\S*): is not there": "the documents of these are not among them"},
    "square": {r"\w+ \S+ header Square-Version: is not there": BESIDE},
    "paypal": {r"POST /v1/oauth2/token: is not there": "signing in is in none of the documents"},
    "auth0": {
        r"GET /\.well-known/\S+: is not there": "what every OpenID provider has is in neither document",
        r"GET /api/v2/logs query q: is not there": "Auth0's own SDK for Go sends it, and is answered",
    },
    "mailgun": {
        r"GET /v4/domains/\{name\} 200/domain: theirs may be null, ours object": "a domain that is found is there",
        r"POST /v3/\{domain_name\}/messages request: is not there as application/x-www-form-urlencoded": (
            "Mailgun's own SDKs send messages without attachments so"
        ),
    },
    "segment": {
        r"POST /v1/\w+: is not there": "the document is of the Public API, these are of the tracking API"
    },
    "azure_blob": {
        r"\w+ .+ query (s[vsrtpei]|srt|spr|sip|sk[a-z]+|rsc[cdelt]): is not there": (
            "the parameters of a shared access signature are documented beside the document"
        ),
        r"GET \S+comp=list query delimiter: is not there": (
            "the document has the same address once more for it, with `&hierarchy`"
        ),
        r"GET \S+comp=list 200/Blobs/BlobPrefix: is not there": (
            "the document calls it BlobPrefixes, the service answers BlobPrefix"
        ),
    },
    "gcs": {
        r"GET /robot/v1/metadata/x509/\{account\}: is not there": "certificates are not Cloud Storage's own",
        r"\w+ \S+ query uploadType: is theirs alone": "it is for uploads, and named there",
        r"POST /v1/\S+:publish query access_token: is theirs alone": "a token belongs in the header",
        r"POST /v1/\S+:publish request(/messages)?: is not required there": "the document says so in words alone",
    },
    "sns": {
        r"GET /\?Action=ListTopics: is not there": "a model names POST alone; the query protocol takes GET too"
    },
    "cognito": {
        r"GET /\{user_pool_id\}/\.well-known/\S+: is not there": "keys are no operation of the model"
    },
}


@functools.cache
def library(name: str) -> Contract:
    """One contract of ours."""
    return Shelf(Path("nowhere")).load(name)


def beside(name: str) -> tuple[Compared, int, int]:
    """Ours beside theirs, and how much must have been found there."""
    if name in DOCUMENTS:
        paths, operations, properties = DOCUMENTS[name]
        root = folder("specs")
        return compared(library(name), [adapters.load(root / path) for path in paths]), operations, properties
    services, operations, properties = MODELS[name]
    models = [adapters.parse(installed.service_model(each)[0], name=each, source=each) for each in services]
    return compared(library(name), models, by_id=name in MODELS), operations, properties


@pytest.mark.parametrize("name", [*DOCUMENTS, *MODELS])
def test_our_contract_agrees_with_the_providers_own(name: str) -> None:
    found, operations, properties = beside(name)
    meant = MEANT.get(name, {})
    assert [each for each in found.deviations if not any(re.fullmatch(p, each) for p in meant)] == []
    assert [p for p in meant if not any(re.fullmatch(p, each) for each in found.deviations)] == []
    assert found.operations >= operations
    assert found.properties >= properties


@pytest.mark.parametrize(
    ("place", "value", "deviation"),
    [
        ("properties/Made", {"type": "string"}, "POST / Action=Publish request/Made: is not there"),
        (
            "properties/Subject",
            {"type": "integer"},
            "POST / Action=Publish request/Subject: theirs may be string, ours integer",
        ),
        (
            "required",
            ["Action", "Version", "Subject"],
            "POST / Action=Publish request/Subject: is not required there",
        ),
        (
            "properties/Subject",
            {"enum": ["a"]},
            "POST / Action=Publish request/Subject: ours lists 1 values and lacks any value",
        ),
    ],
)
def test_a_mistake_of_ours_would_be_found(place: str, value: Any, deviation: str) -> None:
    document = copy.deepcopy(dict(library("sns").document))
    schema = follow(document, "/paths/~1#Action=Publish/post/requestBody/content")
    node = schema["application/x-www-form-urlencoded"]["schema"]
    *steps, last = place.split("/")
    for step in steps:
        node = node[step]
    node[last] = value
    ours = adapters.parse(json.dumps(document).encode(), name="sns", source="made up")
    theirs = adapters.parse(installed.service_model("sns")[0], name="sns", source="sns")
    assert deviation in compared(ours, [theirs], by_id=True).deviations


# -- events ------------------------------------------------------------------------------------------------


def test_our_events_of_github_agree_with_its_own_schemas() -> None:
    theirs = json.loads((folder("specs") / "github" / "webhooks-schema.json").read_bytes())
    ours = library("github")
    count = 0
    for name, one in ours.events.items():
        actions = [each for each in theirs["definitions"] if each.startswith(f"{name}$")]
        assert actions, name
        assert one.media[0].schema
        mine = Schema(follow(ours.document, one.media[0].schema), ours.document)
        for action in actions:
            found = event(mine, Schema(theirs["definitions"][action], theirs), action)
            assert found.deviations == [], action
            count += found.properties
    assert count > 500


# What differs in events and is meant so, by provider: an event of ours is of one type.
MEANT_OF_EVENTS = {
    "stripe": r".+/type: ours lists 1 values and lacks any value",
    # The document allows null wherever it promises a text, and its examples have none.
    "square": (
        r".+/type: ours lists 1 values and lacks any value"
        r"|.+/(merchant_id|event_id|type): theirs may be null, ours string"
    ),
    # The document requires nothing of an event; every example of one has these.
    "paypal": (
        r".+/event_type: ours lists 1 values and lacks any value"
        r"|.+/(event_type|id|resource): is not required there"
    ),
}
OF_EVENTS = {
    "stripe": "stripe/2023-09-12/spec3.yaml",
    "square": "square/api.json",
    "paypal": "paypal/notifications_webhooks_v1.json",
}


def _envelope(name: str, one: str) -> str:
    """What they call the schema of an event."""
    if name != "square":
        return "event"
    return "".join(part[:1].upper() + part[1:] for part in re.split("[._]", one)) + "Event"


@pytest.mark.parametrize("name", OF_EVENTS)
def test_our_events_agree_with_the_providers_own(name: str) -> None:
    theirs = adapters.load(folder("specs") / OF_EVENTS[name]).document["components"]["schemas"]
    root = {"components": {"schemas": theirs}}
    ours = library(name)
    for one in ours.events.values():
        assert one.media[0].schema
        mine = Schema(follow(ours.document, one.media[0].schema), ours.document)
        pairs = [(mine, theirs[_envelope(name, one.type)])]
        if name == "stripe":  # and what it is about
            about = follow(ours.document, one.media[0].pointer)["example"]["data"]["object"]["object"]
            data = mine.members()["data"]
            pairs += [(each, theirs[about]) for one in data for each in one.members().get("object", [])]
        for part, node in pairs:
            told = event(part, Schema(node, root), one.type).deviations
            assert [each for each in told if not re.fullmatch(MEANT_OF_EVENTS[name], each)] == []


Payload = tuple[str, bytes, str, tuple[tuple[str, str], ...]]
# Payloads of tests of others, from which those took or to which they have yet to add something.
UNFINISHED = {
    "mailgun mailgun_inbound.test_misconfigured_tracking.raw_event.01.json": ["/event-data/id", "/signature"],
    "mailgun mailgun_webhooks.test_failed_temporary_event.raw_event.03.json": [
        "/event-data/id",
        "/signature",
    ],
    "mailgun mailgun_webhooks.test_unsubscribed_event.raw_event.07.json": ["/signature"],
    "sns amazon_ses_webhooks.test_incorrect_received_event.raw_sns_message.10.json": [
        "/Signature",
        "/SignatureVersion",
        "/SigningCertURL",
        "/Timestamp",
    ],
}
LEAST = {"github": 45, "square": 5, "mailgun": 3, "sendgrid": 5, "ses": 3, "sns": 1, "stripe": 14}


def payloads(name: str) -> Iterator[Payload]:
    """Payloads of a provider: their name, body, media type and headers."""
    root = folder("webhooks")
    folders = {"ses": "aws-ses-sns", "sns": "aws-ses-sns"}
    if name == "stripe":
        yield from _of_stripe(root / "stripe")
        return
    for path in sorted((root / folders.get(name, name)).rglob("*.json")):
        headers = (("X-GitHub-Event", path.parent.name),) if name == "github" else ()
        yield (
            f"{name} {path.name}",
            path.read_bytes(),
            "text/plain" if name == "sns" else "application/json",
            headers,
        )


def _of_stripe(root: Path) -> Iterator[Payload]:
    """Events of ours about the objects that Stripe's fixtures and the tests of a gem hold."""
    ours = library("stripe")
    for path in sorted((*root.glob("fixtures3-objects/*.json"), *root.glob("pay-fixtures/*.json"))):
        data = json.loads(path.read_bytes())
        data = data.get("data", {}).get("object", data) if "data" in data else data
        for one in ours.events.values():
            example = copy.deepcopy(follow(ours.document, one.media[0].pointer)["example"])
            if example["data"]["object"]["object"] == data.get("object"):
                example["data"]["object"] = data
                yield f"{path.name} {one.type}", json.dumps(example).encode(), "application/json", ()


@pytest.mark.parametrize("name", LEAST)
def test_payloads_are_as_our_events_promise(name: str) -> None:
    judge, hooks = bench(library(name)), catalogue.load(name).webhooks
    assert hooks is not None
    known = 0
    for title, body, content_type, headers in payloads(name):
        for one in judge_delivery(judge, body, content_type, headers, hooks.event_type):
            known += one.known
            assert one.unjudged is None, title
            assert [each.pointer for each in one.faults] == UNFINISHED.get(title, []), title
    assert known >= LEAST[name]


# -- recordings --------------------------------------------------------------------------------------------

# Their hosts are the customers' own, or a stand-in's: whose they are must be said.
NAMED = {
    ("auth0", "go-vcr/go-auth0"): 11,
    ("auth0", "polly-har/graph-auth0"): 11,
    ("github", "wiremock/hub4j-github-api"): 18,
    ("salesforce", "vcrpy-yaml-includes/CumulusCI"): 400,
}
# What is found in recordings and is so.
FOUND_THERE = {
    ("ManualEdit_test_describe_to_sql.yaml", "request-body-syntax"),  # edited by hand: a bracket too many
    (
        "should_get_invalid_emails_using_params.yml",
        "response-body",
    ),  # of 2014: texts where objects are promised
}


def _not_known(path: Path, findings: tuple[Finding, ...]) -> list[Finding]:
    return [
        each
        for each in findings
        if each.location.contract_pointer and (path.name, each.rule) not in FOUND_THERE
    ]


# How many interactions in recordings of others are operations of our contracts, at least. Nothing is found in them.
RECORDED = {
    "betamax-json/github3.py": 30,
    "ruby-vcr-json/octokit.rb": 3,
    "ruby-vcr-yaml/mailgun-ruby": 2,
    "ruby-vcr-yaml/pay": 20,
    "ruby-vcr-yaml/sendgrid_webapi": 6,
    "ruby-vcr-yaml/solidus_square": 12,
    "ruby-vcr-yaml/zuck": 6,
    "smithy-dvr/smithy-rs": 7,
    "vcrpy-yaml/azure-storage-python": 54,
    "vcrpy-yaml/gcsfs": 741,
}


def _runner(paths: Path, root: Path, provider: str | None = None) -> Runner:
    off = ("recording-old=off", "version-mismatch=off", "body-unjudged=off")
    options = Options(paths=(str(paths),), root=str(root), now=NOW.isoformat(), rules=off, provider=provider)
    return Runner(options)


@pytest.mark.parametrize(("provider", "recordings"), NAMED)
def test_recordings_of_a_named_provider_are_as_our_contract_promises(
    provider: str, recordings: str, tmp_path: Path
) -> None:
    runner = _runner(folder(f"cassettes/{recordings}"), tmp_path, provider)
    matched = 0
    for path in runner.files():
        outcome = runner.file(path)
        matched += outcome.matched
        assert _not_known(path, outcome.findings) == [], path
    assert matched >= NAMED[provider, recordings]


def test_recordings_are_as_our_contracts_promise(tmp_path: Path) -> None:
    """Each is held against the contract of its host, as `interlock verify` does with nothing pulled."""
    root = folder("cassettes")
    runner = _runner(root, tmp_path)
    matched: Counter[str] = Counter()
    for path in runner.files():
        outcome = runner.file(path)
        matched["/".join(path.relative_to(root).parts[:2])] += outcome.matched
        assert _not_known(path, outcome.findings) == [], path
    assert {name: matched[name] for name in RECORDED if matched[name] < RECORDED[name]} == {}
