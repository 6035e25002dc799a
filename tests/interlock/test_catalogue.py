"""Every catalogue file holds together with itself and with the truth table; a wrong one is refused by name."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock import catalogue, headroom
from interlock.answers import Case, Judgement, judge
from interlock.catalogue import Ask, Example, Fact, Provider, Rule, Sourced, places
from interlock.errors import CatalogueError, UsageError
from interlock.records import ProbeKind, Reason, State
from interlock.redaction import Redactor
from interlock.wire import Answer

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
FIRST_EIGHT = {"azure_blob", "gcs", "github", "paypal", "s3", "sendgrid", "stripe", "twilio"}
ALL = catalogue.load_all()
ASKS = [
    pytest.param(p, ask, id=f"{p.name}-{n}-{ask.kind.value}") for p in ALL for n, ask in enumerate(p.probes)
]
PROVIDERS = [pytest.param(p, id=p.name) for p in ALL]


def answer(example: Example) -> Answer:
    """An example as it comes off the wire."""
    body = (
        json.dumps(example.body) if example.text is None and example.body is not None else example.text or ""
    )
    headers = {name.lower(): value for name, value in example.headers.items()}
    if example.body is not None:
        headers.setdefault("content-type", "application/json")
    return Answer(status=example.status, headers=headers, body=body.encode())


def judged(provider: Provider, ask: Ask, example: Example) -> Judgement:
    got = answer(example)
    for name, credential in provider.credentials.items():
        if credential.public:
            body = got.body.replace(f"{{{name}}}".encode(), credential.example.encode())
            got = dataclasses.replace(got, body=body)
    return judge(Case(provider=provider, ask=ask, answer=got, now=NOW, credentialed=ask.credentialed))


def facts(value: Any, place: str) -> Iterator[tuple[str, Sourced]]:
    """Every table that says where it was read."""
    if isinstance(value, Sourced):
        yield place, value
    if isinstance(value, catalogue.Model):
        for name in type(value).model_fields:
            yield from facts(getattr(value, name), f"{place}.{name}")
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from facts(each, f"{place}.{name}")
    elif isinstance(value, tuple):
        for number, each in enumerate(value):
            yield from facts(each, f"{place}.{number}")


def test_the_first_eight_are_there() -> None:
    assert set(catalogue.names()) >= FIRST_EIGHT


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_fact_has_a_source_and_a_day(provider: Provider) -> None:
    for place, fact in facts(provider, provider.name):
        if isinstance(fact, Fact) or not re.search(
            r"\.(scope|untold)\.\d+$", place
        ):  # such a rule has its probe's
            assert fact.source, place
            assert fact.verified is not None, place
            assert fact.verified <= dt.date(2026, 11, 22) or fact.verified <= dt.datetime.now(dt.UTC).date()


@pytest.mark.parametrize(("provider", "ask"), ASKS)
def test_the_example_of_a_probe_is_operational(provider: Provider, ask: Ask) -> None:
    """Or unknown, with the reason, where no answer could tell."""
    got = judged(provider, ask, ask.example)
    if ask.cannot_tell:
        assert (got.state, got.reason) == (State.UNKNOWN, Reason.NOT_TOLD)
        assert ask.cannot_tell in got.detail
        return
    assert got.state is State.OPERATIONAL, got
    assert (got.reason is Reason.PUBLIC_FACE) == (ask.example.status >= 400)


@pytest.mark.parametrize(("provider", "ask"), ASKS)
def test_a_credentialed_probe_knows_its_refusal_and_it_is_auth_failed(provider: Provider, ask: Ask) -> None:
    if not ask.credentialed:
        assert ask.refusal is None
        return
    assert ask.refusal is not None
    wanted = State.UNKNOWN if ask.cannot_tell else State.AUTH_FAILED
    assert judged(provider, ask, ask.refusal).state is wanted


@pytest.mark.parametrize(("provider", "ask"), ASKS)
def test_what_an_exhausted_client_gets_is_throttled(provider: Provider, ask: Ask) -> None:
    assert provider.rate_limits.example is not None
    assert judged(provider, ask, provider.rate_limits.example).state is State.THROTTLED


@pytest.mark.parametrize(("provider", "ask"), ASKS)
def test_a_plain_failure_is_failing_and_never_a_throttle_or_a_refusal(provider: Provider, ask: Ask) -> None:
    for status in (500, 502, 503, 504):
        got = judged(provider, ask, Example(status=status, text="<html>upstream is gone</html>"))
        assert got.state is State.FAILING, (status, got)


@pytest.mark.parametrize(("provider", "ask"), ASKS)
def test_an_anonymous_question_proves_who_answers(provider: Provider, ask: Ask) -> None:
    """The right status from a captive portal or a proxy is not the provider."""
    if not ask.credentialed:
        page = Example(
            status=ask.example.status, headers={"content-type": "text/html"}, text="<h1>Sign in</h1>"
        )
        assert judged(provider, ask, page).state is State.DEGRADED


@pytest.mark.parametrize(("provider", "ask"), ASKS)
def test_probes_are_asked_safely(provider: Provider, ask: Ask) -> None:
    assert ask.method in {"GET", "HEAD"} or ask.read_only_because
    assert ask.places <= catalogue.known_places(provider)
    assert set(ask.headers) == {name.strip() for name in ask.headers}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_way_of_signing_in_has_a_probe_of_its_credential(provider: Provider) -> None:
    assert provider.auth
    for way in provider.auth:
        assert provider.ask(ProbeKind.CREDENTIAL, way) is not None
    assert provider.ask(ProbeKind.REACHABILITY) is not None


@pytest.mark.parametrize("provider", PROVIDERS)
def test_headroom_is_asked_only_where_it_is_told(provider: Provider) -> None:
    asked = [ask for ask in provider.probes if ask.kind is ProbeKind.HEADROOM]
    assert bool(asked) == provider.rate_limits.tells
    assert set(provider.rate_limits.dialects) <= set(headroom.DIALECTS)
    for ask in asked:
        assert ask.quota is None or ask.quota in headroom.QUOTAS
        assert judged(provider, ask, ask.example).headrooms


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_refused_token_request_is_auth_failed(provider: Provider) -> None:
    for key, way in provider.auth.items():
        if way.token_path is not None and way.scheme != "introspection":  # which fetches no token
            assert way.example is not None
            assert way.refusal is not None
            ask = provider.ask(ProbeKind.CREDENTIAL, key)
            assert ask is not None
            assert judged(provider, ask, way.refusal).state is State.AUTH_FAILED


@pytest.mark.parametrize("provider", PROVIDERS)
def test_patterns_recognise_their_own_examples_and_no_ordinary_words(provider: Provider) -> None:
    for name, credential in provider.credentials.items():
        for pattern in (credential.pattern, credential.redact, credential.live, credential.sandbox):
            if pattern is not None:
                assert not re.search(pattern, "the quick brown fox jumps over the lazy dog"), name
        if credential.pattern is not None:
            assert re.search(credential.pattern, credential.example), name
        if credential.live is not None and credential.sandbox is not None:
            both = [bool(re.search(p, credential.example)) for p in (credential.live, credential.sandbox)]
            assert both == [False, True], f"{name}: an example must never look like a live key"
    for name, parameter in provider.parameters.items():
        assert re.search(parameter.pattern, parameter.example), name
        assert parameter.default is None or re.search(parameter.pattern, parameter.default), name


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_answer_in_the_catalogue_holds_what_the_redactor_would_hide(provider: Provider) -> None:
    shapes = [re.compile(c.redact) for p in ALL for c in p.credentials.values() if c.redact]
    redactor = Redactor(shapes=shapes)
    for ask in provider.probes:
        for example in (ask.example, ask.refusal):
            text = json.dumps(example and example.body) + ((example and example.text) or "")
            assert redactor.text(text) == text


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_secret_is_found_in_text_by_its_shape_or_has_none(provider: Provider) -> None:
    """With a `redact` pattern, a key that nobody told us of is hidden all the same."""
    rng = random.Random(1)
    for name, credential in provider.credentials.items():
        if credential.redact is None or "PRIVATE KEY" in credential.redact:
            continue
        value = re.sub("0{4,}", lambda run: "".join(rng.choice("234567") for _ in run[0]), credential.example)
        text = f"GET https://x.invalid/?{value} failed with {value}, see log"
        hidden = re.compile(credential.redact).sub("[hidden]", text)
        assert value not in hidden, name


def test_the_expired_rule_is_told_apart_where_the_provider_tells_it() -> None:
    stripe, azure, s3 = catalogue.load("stripe"), catalogue.load("azure_blob"), catalogue.load("s3")
    cases = [
        (stripe, Example(status=401, body={"error": {"code": "api_key_expired"}})),
        (s3, Example(status=403, text="<Error><Code>ExpiredToken</Code></Error>")),
        (
            azure,
            Example(
                status=403,
                headers={"x-ms-error-code": "AuthenticationFailed"},
                text="<Detail>Signature not valid in the specified time frame: Start [..]</Detail>",
            ),
        ),
    ]
    for provider, example in cases:
        ask = provider.ask(ProbeKind.CREDENTIAL, next(iter(provider.auth)))
        assert ask is not None
        assert judged(provider, ask, example).reason is Reason.EXPIRED_CREDENTIAL


def test_a_missing_permission_is_scope_and_not_a_bad_credential() -> None:
    cases = [
        ("stripe", Example(status=403, body={"error": {"message": "no", "type": "invalid_request_error"}})),
        (
            "s3",
            Example(
                status=403, text="<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"
            ),
        ),
        ("gcs", Example(status=403, body={"error": {"code": 403, "errors": [{"reason": "forbidden"}]}})),
        ("azure_blob", Example(status=403, headers={"x-ms-error-code": "AuthorizationPermissionMismatch"})),
        ("sendgrid", Example(status=403, body={"errors": [{"message": "access forbidden"}]})),
        ("paypal", Example(status=403, body={"name": "NOT_AUTHORIZED", "message": "no"})),
        ("twilio", Example(status=403, body={"code": 70051})),
    ]
    for name, example in cases:
        provider = catalogue.load(name)
        ask = provider.ask(ProbeKind.CREDENTIAL, next(iter(provider.auth)))
        assert ask is not None
        got = judged(provider, ask, example)
        assert (name, got.state, got.reason) == (name, State.DEGRADED, Reason.SCOPE)


def test_a_probe_whose_places_are_known_goes_before_one_whose_are_not() -> None:
    gcs = catalogue.load("gcs")
    by = {
        known: gcs.ask(ProbeKind.CREDENTIAL, "token", known)
        for known in ((), ("project",), ("bucket", "project"))
    }
    assert {known: ask and places(ask.path) for known, ask in by.items()} == {
        (): {"bucket"},
        ("project",): {"project"},
        ("bucket", "project"): {"bucket"},
    }


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="no provider is called 'strip'; did you mean 'stripe'"):
        catalogue.load("strip")
    with pytest.raises(UsageError, match=r"no provider is called 'zzz'$"):
        catalogue.load("zzz")


TOLD = 'source = "a public page"\nverified = 2026-11-22\n'
SMALL = f"""
schema = 1
name = "small"
title = "Small"
category = "other"
documentation = ""
summary = ""
[[bases]]
url = "https://small.invalid/{{zone}}"
{TOLD}
[parameters.zone]
description = "zone"
pattern = "^z"
example = "z1"
[credentials.key]
description = "key"
example = "k0"
{TOLD}
[auth.key]
scheme = "bearer"
credentials = ["key"]
{TOLD}
[[probes]]
kind = "credential"
path = "/me"
{TOLD}
[probes.example]
status = 200
[[auth_failed]]
status = [401]
{TOLD}
[rate_limits]
{TOLD}
[[rate_limits.throttled]]
status = [429]
{TOLD}
"""

WRONG = {
    "not TOML": ("schema = 1", "schema 1", "small.toml: Expected '=' after a key"),
    "an unknown key": (
        'path = "/me"',
        'path = "/me"\npaht = "/"',
        "probes.0.paht: Extra inputs are not permitted",
    ),
    "an unknown table": (
        "[rate_limits]",
        "[limits]\nx = 1\n[rate_limits]",
        "limits: Extra inputs are not permitted",
    ),
    "another schema": ("schema = 1", "schema = 2", "schema: Input should be 1"),
    "an unknown category": ('"other"', '"toys"', "category: Input should be 'payments'"),
    "no title": ('title = "Small"', "", "title: Field required"),
    "a path without a slash": ('"/me"', '"me"', "probes.0.path: String should match pattern"),
    "an unknown probe": ('"credential"', '"credentials"', "probes.0.kind: Input should be"),
    "a broken pattern": ('"^z"', '"("', "parameters.zone.pattern: Value error, is not a regular expression"),
    "an impossible status": (
        "[401]",
        "[999]",
        "auth_failed.0.status.0: Input should be less than or equal to 599",
    ),
    "no status": ("[401]", "[]", "auth_failed.0.status: Tuple should have at least 1 item"),
    "values without a pointer": (
        "[401]",
        '[401]\nvalues = ["x"]',
        "auth_failed.0: Value error, pointer and values go together",
    ),
    "a pointer that is none": (
        "[401]",
        '[401]\npointer = "x"\nvalues = ["x"]',
        "auth_failed.0.pointer: Value error, is not a JSON pointer",
    ),
    "a probe that writes": (
        'path = "/me"',
        'path = "/me"\nmethod = "POST"',
        "probes.0: Value error, a probe never writes: a POST needs read_only_because",
    ),
    "an unknown credential": (
        'credentials = ["key"]',
        'credentials = ["kee"]',
        "Value error, auth.key uses unknown credentials ['kee']",
    ),
    "an unknown place": ("{zone}", "{zoen}", "Value error, base api uses unknown parameters ['zoen']"),
    "a secret in a path": (
        '"/me"',
        '"/me/{key}"',
        "Value error, probe credential uses unknown parameters ['key']",
    ),
    "an unknown place in a body": (
        'path = "/me"',
        'path = "/me"\nbody = \'{"in": "{zoen}", "a": {"b": 1}}\'',
        "Value error, probe credential uses unknown parameters ['zoen']",
    ),
    "an unknown place in a token request": (
        'scheme = "bearer"',
        'scheme = "bearer"\ntoken_fields = { audience = "https://{zoen}/" }',
        "Value error, auth.key uses unknown parameters ['zoen']",
    ),
    "a reason that is none": (
        'path = "/me"',
        'path = "/me"\ncannot_tell = "no"',
        "probes.0.cannot_tell: String should have at least 20 characters",
    ),
    "a client that is shown nowhere": (
        'scheme = "bearer"',
        'scheme = "bearer"\nclient_in = "body"',
        "auth.key.client_in: Input should be 'header' or 'form'",
    ),
    "an unknown base": (
        'path = "/me"',
        'path = "/me"\nbase = "b"',
        "Value error, probe credential uses unknown base 'b'",
    ),
    "an unknown way": (
        'path = "/me"',
        'path = "/me"\nauth = ["x"]',
        "Value error, probe credential uses unknown auth ['x']",
    ),
}


def test_the_small_example_is_right() -> None:
    assert catalogue.parse(SMALL, where="small.toml").name == "small"


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_refused_with_its_name_and_place(case: str) -> None:
    before, after, message = WRONG[case]
    assert before in SMALL
    with pytest.raises(CatalogueError) as caught:
        catalogue.parse(SMALL.replace(before, after, 1), where="small.toml")
    assert caught.value.message.startswith("small.toml: ")
    assert message in caught.value.message


SOURCED = {
    "bases.0": 0,
    "credentials.key": 1,
    "auth.key": 2,
    "probes.0": 3,
    "auth_failed.0": 4,
    "rate_limits": 5,
    "rate_limits.throttled.0": 6,
}


@pytest.mark.parametrize("place", SOURCED)
@pytest.mark.parametrize("field", ["source", "verified"])
def test_a_fact_without_a_source_or_a_day_is_refused(place: str, field: str) -> None:
    parts = SMALL.split(TOLD)
    line = next(each for each in TOLD.splitlines(keepends=True) if each.startswith(field))
    told = [TOLD] * (len(parts) - 1)
    told[SOURCED[place]] = TOLD.replace(line, "")
    text = "".join(a + b for a, b in zip(parts, [*told, ""], strict=True))
    with pytest.raises(CatalogueError) as caught:
        catalogue.parse(text, where="small.toml")
    assert caught.value.message == f"small.toml: {place}.{field}: Field required"


def test_all_mistakes_are_told_at_once() -> None:
    text = SMALL.replace('title = "Small"', "").replace('"/me"', '"me"')
    with pytest.raises(CatalogueError) as caught:
        catalogue.parse(text, where="small.toml")
    assert len(caught.value.message.splitlines()) == 2


@given(
    status=st.integers(100, 599),
    wanted=st.lists(st.integers(100, 599), min_size=1, max_size=3),
    body=st.one_of(st.none(), st.dictionaries(st.sampled_from("ab"), st.one_of(st.integers(), st.text()))),
)
def test_a_rule_never_fits_more_when_it_says_more(status: int, wanted: list[int], body: Any) -> None:
    """The law of rules: every condition narrows."""
    from interlock.answers import matches  # noqa: PLC0415 - the other side of the seam

    got = answer(Example(status=status, body=body))
    wide = Rule(status=tuple(wanted))
    for narrow in (
        wide.model_copy(update={"pattern": "a"}),
        wide.model_copy(update={"headers": {"content-type": "json"}}),
        wide.model_copy(update={"pointer": "/a", "values": (1, "x")}),
    ):
        assert matches(wide, got) or not matches(narrow, got)
