"""Every rule fires where its promise is broken, at the exact place, and stays silent where it is kept."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from contracts.rules import RULES, severities
from contracts.verify import verify, verify_all
from interlock.errors import UsageError
from interlock.records import Severity
from tests.contracts.verify.made import FORM, NOW, bench, contract, document, interaction, places, verified

CAT = {"id": 7, "name": "Tom", "kind": "cat"}
NEW = {"name": "Tom"}


@pytest.mark.parametrize(
    "about",
    [
        {"got": CAT},
        {"got": CAT | {"owner": None}},
        {"got": CAT | {"owner": "o_1"}},
        {"got": CAT | {"owner": {"object": "owner", "email": "a@made-up.example", "address": None}}},
        {"path": "/v1/pets/search", "got": CAT},
        {"path": "/pets/7", "got": CAT},
        {"path": "/v1/pets/7/", "got": CAT},
        {"method": "POST", "path": "/v1/pets", "sent": NEW, "got": CAT},
        {
            "path": "/v1/pets?limit=5&created[gte]=3&expand[]=owner&expand[]=x",
            "got": [CAT],
            "answered": {"X-Total": "1"},
        },
        {"status": 404, "got": {"error": {}}},
        {"status": None},
        {
            "method": "POST",
            "path": "/v1/charges",
            "headers": {"Content-Type": FORM},
            "got": {},
            "sent": b"amount=5&currency=eur&items[0][price]=p_1&items[1][price]=p_2&expand[]=a&metadata[k]=1&live=true",
        },
        {
            "method": "POST",
            "path": "/v1/charges",
            "headers": {"Content-Type": FORM},
            "got": {},
            "sent": b"amount=5&metadata=&expand[0]=a",
        },
    ],
)
def test_a_promise_that_is_kept_is_no_finding(about: dict[str, Any]) -> None:
    found = verified(**about)
    assert places(found) == []
    assert found.operation is not None


BROKEN = [
    ({"got": {"id": 7}}, "response-body", "/response/body/name"),
    ({"got": CAT | {"id": "7"}}, "response-body", "/response/body/id"),
    ({"got": CAT | {"kind": "cow"}}, "response-enum", "/response/body/kind"),
    ({"got": CAT | {"born": "yesterday"}}, "response-format", "/response/body/born"),
    ({"got": CAT | {"extra": 1}}, "response-body", "/response/body/extra"),
    ({"got": CAT | {"owner": {"object": "owner"}}}, "response-body", "/response/body/owner/email"),
    ({"got": CAT | {"owner": 5}}, "response-body", "/response/body/owner"),
    (
        {"got": CAT | {"owner": {"object": "owner", "email": "x", "address": {}}}},
        "response-body",
        "/response/body/owner/address/city",
    ),
    ({"got": b'{"id": 7, "na'}, "response-body-syntax", "/response/body"),
    (
        {"got": b"<p>", "answered": {"Content-Type": "text/html"}},
        "response-media-type",
        "/response/header/content-type",
    ),
    ({}, "response-body-missing", "/response/body"),
    ({"status": 302}, "response-status", "/response/status"),
    ({"status": 503}, "response-error-status", "/response/status"),
    ({"path": "/v1/pets/seven", "got": CAT}, "request-path", "/request/path/key"),
    (
        {"path": "/v1/pets?limit=101", "got": [], "answered": {"X-Total": "0"}},
        "request-query",
        "/request/query/limit",
    ),
    (
        {"path": "/v1/pets?created[gte]=x", "got": [], "answered": {"X-Total": "0"}},
        "request-query",
        "/request/query/created/gte",
    ),
    (
        {"path": "/v1/pets?lmit=1", "got": [], "answered": {"X-Total": "0"}},
        "request-query-unknown",
        "/request/query/lmit",
    ),
    (
        {"path": "/v1/pets?old=1", "got": [], "answered": {"X-Total": "0"}},
        "parameter-deprecated",
        "/request/query/old",
    ),
    (
        {"path": "/v1/pets", "got": [], "answered": {"X-Total": "0"}, "headers": {"X-Trace": "a"}},
        "request-header",
        "/request/header/x-trace",
    ),
    (
        {"path": "/v1/pets", "got": [], "answered": {"X-Total": "0"}, "headers": {"Cookie": "session=a"}},
        "request-cookie",
        "/request/cookie/session",
    ),
    ({"path": "/v1/pets", "got": []}, "response-header-missing", "/response/header/x-total"),
    (
        {"path": "/v1/pets", "got": [], "answered": {"X-Total": "many"}},
        "response-header",
        "/response/header/x-total",
    ),
    ({"method": "DELETE", "status": 204}, "operation-deprecated", "/request"),
    ({"method": "PUT", "path": "/v1/pets", "got": CAT}, "method-unknown", "/request/method"),
    ({"path": "/v1/cows", "got": CAT}, "operation-unknown", "/request/path"),
    ({"method": "POST", "path": "/v1/pets", "got": CAT}, "request-body-missing", "/request/body"),
    ({"sent": {"a": 1}, "got": CAT}, "request-body-unexpected", "/request/body"),
    (
        {"method": "POST", "path": "/v1/pets", "sent": {"name": 5}, "got": CAT},
        "request-body",
        "/request/body/name",
    ),
    (
        {"method": "POST", "path": "/v1/pets", "sent": b'{"name"', "got": CAT},
        "request-body-syntax",
        "/request/body",
    ),
    (
        {"method": "POST", "path": "/v1/pets", "sent": NEW | {"id": 1}, "got": CAT},
        "request-read-only",
        "/request/body/id",
    ),
    (
        {
            "method": "POST",
            "path": "/v1/pets",
            "sent": b"x",
            "headers": {"Content-Type": "text/plain"},
            "got": CAT,
        },
        "request-media-type",
        "/request/header/content-type",
    ),
    ({"got": CAT, "headers": {"Accept": "image/png"}}, "request-accept", "/request/header/accept"),
    (
        {"got": CAT, "path": "/v1/pets/7?access_token=madeup0000"},
        "credential-in-query",
        "/request/query/access_token",
    ),
    ({"got": CAT, "path": "http://api.shop.example/v1/pets/7"}, "credential-in-clear", "/request/url"),
    (
        {"got": CAT, "answered": {"Deprecation": "@1700000000"}},
        "deprecation-announced",
        "/response/header/deprecation",
    ),
    (
        {"got": CAT, "answered": {"Sunset": "Sat, 01 Feb 2025 00:00:00 GMT"}},
        "sunset-announced",
        "/response/header/sunset",
    ),
    (
        {"got": CAT, "headers": {"Stripe-Version": "2020-01-01"}},
        "version-mismatch",
        "/request/header/stripe-version",
    ),
    ({"got": CAT, "at": NOW - dt.timedelta(days=400)}, "recording-old", ""),
]


@pytest.mark.parametrize(("about", "rule", "pointer"), BROKEN, ids=[f"{rule}{p}" for _, rule, p in BROKEN])
def test_a_broken_promise_is_found_at_its_place(about: dict[str, Any], rule: str, pointer: str) -> None:
    assert (rule, pointer) in places(verified(**about))


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        (b"amount=five", "/request/body/amount"),
        (b"currency=eur", "/request/body/amount"),
        (b"amount=5&currency=gbp", "/request/body/currency"),
        (b"amount=5&items[0][cost]=1", "/request/body/items/0/price"),
        (b"amount=5&items[0][price]=a&items[1][x]=b", "/request/body/items/1/price"),
        (b"amount=5&live=maybe", "/request/body/live"),
        (b"amount=5&colour=red", "/request/body/colour"),
    ],
)
def test_forms_with_brackets_are_judged_by_their_schema(sent: bytes, pointer: str) -> None:
    found = verified(method="POST", path="/v1/charges", headers={"Content-Type": FORM}, sent=sent, got={})
    assert places(found) == [("request-body", pointer)]


def test_the_contract_pointer_leads_to_the_keyword_in_the_document() -> None:
    found = verified(got=CAT | {"owner": {"object": "owner", "email": "x", "address": {}}}).findings[0]
    assert found.location.contract_pointer == "/components/schemas/Address/required"
    assert found.location.file == "shop.yaml"
    assert found.promised == "'city' must be there"
    assert found.seen == "nothing"


def test_like_faults_in_a_list_are_one_finding_that_counts_them() -> None:
    found = verified(path="/v1/pets", got=[{"id": 1}, {"id": 2}, CAT, {"id": 3}], answered={"X-Total": "4"})
    assert places(found) == [("response-body", "/response/body/0/name")]
    assert "2 more" in str(found.findings[0].seen)


@pytest.mark.parametrize(
    "mark",
    [
        *(
            "[redacted]",
            "[redacted env:SHOP_KEY]",
            "<REDACTED>",
            "REDACTED",
            "redacted",
            "redacted-0123456789ab",
        ),
        *("[FILTERED]", "[Filtered]", "FILTERED", "<FILTERED by us, twice>", "sk_test_FILTERED", "(removed)"),
        *(
            "***",
            "*****",
            "sk_test_***",
            "XXXXX",
            "xxxxxxxx",
            "XXXX-XXXX-XXXX",
            "•••••",
            "[REMOVED]",
            "<fake>",
        ),
        *(
            "<ID>",
            "<VENDOR_ID>0",
            "<client id>",
            "{{id}}",
            "{id}",
            "%{id}",
            "${ID}",
            "[x]",
            "<%= id %>",
            "{% id %}",
        ),
    ],
)
def test_what_was_redacted_is_not_judged_and_said(mark: str) -> None:
    found = verified(got=CAT | {"id": mark, "extra": 1})
    assert places(found) == [("response-body", "/response/body/extra")]
    assert found.unjudged == ("/response/body/id: stands for something redacted",)


@pytest.mark.parametrize(
    "value",
    [
        *(
            "removed",
            "hidden",
            "user_hidden",
            "masked_card",
            "fake",
            "REMOVED",
            "HIDDEN",
            "xxx",
            "XXX",
            "---",
            "...",
        ),
        *(
            "(none)",
            "(null)",
            "<nil>",
            "[None]",
            "[object Object]",
            "<Pet object at 0x7f00>",
            "<Pet object>\n<Pet>",
        ),
        *(
            "{}",
            "[]",
            "[ ]",
            "[1, 2]",
            "[true]",
            '{"a": 1}',
            '{"state": "removed"}',
            "{a=1}",
            "[a, b]",
        ),
    ],
)
def test_what_a_program_may_answer_is_no_mark(value: str) -> None:
    found = verified(got=CAT | {"id": value})
    assert places(found) == [("response-body", "/response/body/id")]
    assert found.unjudged == ()


@pytest.mark.parametrize("state", ["truncated", "absent"])
def test_a_body_that_is_not_whole_is_not_judged_and_said(state: str) -> None:
    found = verified(got=b'{"id": 7, "na', state=state)
    assert places(found) == []
    assert found.unjudged == (f"/response/body: the recording holds it {state}",)


def test_a_credential_is_missed_only_where_the_recording_would_show_it() -> None:
    bare = interaction(got=CAT, headers={})
    stripped = bare.__class__(
        **{name: getattr(bare, name) for name in bare.__slots__}
        | {"request": bare.request.__class__(headers=(), body=b"", body_state="full")}
    )
    assert verify(stripped, bench()).unjudged == (
        "/request/header/authorization: the recording does not show the credential",
    )
    found = verify(stripped, bench(None, complete=True))
    assert places(found) == [("credential-missing", "/request/header/authorization")]


def test_an_operation_that_the_library_leaves_out_is_no_finding() -> None:
    found = verify(interaction(path="/v1/cows", got=CAT), bench(contract(partial=True)))
    assert found.findings == ()
    assert found.unjudged == ("/request: the contract of shop leaves GET /v1/cows out",)


def test_a_rule_can_be_turned_off_or_made_worse() -> None:
    assert places(verified("response-body=off", got={"id": 7})) == []
    assert verified("response-body=critical", got={"id": 7}).findings[0].severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("response-bdy=off", "no rule is called 'response-bdy'; did you mean 'response-body'?"),
        (
            "response-body=loud",
            "--rule response-body=loud: must be response-body=error, warning, info, critical or off",
        ),
        (
            "response-body",
            "--rule response-body: must be response-body=error, warning, info, critical or off",
        ),
    ],
)
def test_a_wrong_rule_is_said(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        severities([text])
    assert caught.value.message == said


def test_every_rule_promises_something() -> None:
    assert all(rule.promise and rule.name == name for name, rule in RULES.items())


def _write(
    index: int, seconds: float, status: int = 200, key: str | None = None, name: str = "Tom", **more: str
) -> Any:
    return interaction(
        "POST",
        "/v1/pets",
        sent={"name": name},
        status=status,
        got=CAT if status == 200 else {"error": {}},
        index=index,
        headers={"Idempotency-Key": key} if key else {},
        answered=more,
        at=NOW + dt.timedelta(seconds=seconds),
    )


@pytest.mark.parametrize(
    ("cassette", "rule"),
    [
        ([_write(0, 0, 429, "k", **{"Retry-After": "30"}), _write(1, 5, key="k")], "retry-too-soon"),
        ([_write(0, 0, 503), _write(1, 5)], "retry-unsafe"),
        ([_write(0, 0, 503, "k"), _write(1, 5, key="l")], "retry-new-key"),
        ([_write(0, 0, key="k"), _write(1, 5, key="k", name="Kit")], "retry-key-reused"),
    ],
)
def test_retries_are_judged_over_a_cassette(cassette: list[Any], rule: str) -> None:
    own = bench(None, "response-error-status=off")
    found = [each for one in verify_all(cassette, lambda _: [own]) for each in one.findings]
    assert [(each.rule, each.location.interaction) for each in found] == [(rule, 1)]


def test_a_good_retry_is_no_finding() -> None:
    own = bench(None, "response-error-status=off")
    cassette = [
        _write(0, 0, 429, "k", **{"Retry-After": "30"}),
        _write(1, 31, key="k"),
        _write(2, 40, key="l", name="Kit"),
    ]
    assert [each.findings for each in verify_all(cassette, lambda _: [own])] == [(), (), ()]


def test_a_broken_reference_promises_nothing_and_is_noted() -> None:
    given = document()
    given["paths"]["/pets"]["post"]["requestBody"] = {"$ref": "#/components/requestBodies/Gone"}
    given["components"]["schemas"]["Pet"]["properties"]["kind"] = {"$ref": "#/components/schemas/Gone"}
    made = contract(given)
    assert [each.rule for each in made.notes] == ["contract-reference"]
    found = verify(interaction(got=CAT | {"kind": 5}), bench(made))
    assert places(found) == [("contract-reference", "/response/body")]
    assert found.unjudged == ("/response/body: the contract is broken behind its schema",)


def test_a_body_nested_beyond_reason_is_said_and_crashes_nothing() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    found = verified(got=deep)
    assert found.unjudged == ("/response/body: it is nested too deeply",)


@pytest.mark.parametrize(("good", "found"), [({}, []), ({"content": {"text/csv": {}}}, ["request-accept"])])
def test_what_is_accepted_is_asked_only_where_a_good_answer_has_a_body(
    good: dict[str, object], found: list[str]
) -> None:
    refused = {"description": "", "content": {"application/json": {"schema": {}}}}
    answers = {"204": {"description": "gone", **good}, "404": refused}
    given = document() | {"paths": {"/pets": {"delete": {"responses": answers}}}}
    sent = interaction("DELETE", "/v1/pets", status=204, headers={"Accept": "application/vnd.made-up"})
    told = verify(sent, bench(contract(given)))
    assert told.operation == "DELETE /pets"
    assert [each.rule for each in told.findings if each.rule == "request-accept"] == found


@pytest.mark.parametrize(
    ("status", "severity"),
    [
        (201, Severity.ERROR), (400, Severity.INFO), (422, Severity.INFO),
        (401, Severity.ERROR), (404, Severity.ERROR), (409, Severity.ERROR), (429, Severity.ERROR),
    ],
)  # fmt: skip
def test_what_was_wrong_is_a_remark_only_where_the_provider_called_the_request_wrong(
    status: int, severity: Severity
) -> None:
    found = verified(method="POST", path="/v1/pets", sent={"name": 7}, status=status)
    assert [each.severity for each in found.findings if each.rule == "request-body"] == [severity]
