"""What a right, a wrong, an expired and a weak credential get from each provider, and what nobody can tell."""

from __future__ import annotations

from typing import Any

import pytest

from interlock import catalogue
from interlock.catalogue import Ask, Example
from interlock.records import ProbeKind, Reason, State
from tests.interlock.test_catalogue import judged

GOOD = (State.OPERATIONAL, Reason.OK)
BAD = (State.AUTH_FAILED, Reason.BAD_CREDENTIAL)
EXPIRED = (State.AUTH_FAILED, Reason.EXPIRED_CREDENTIAL)
SCOPE = (State.DEGRADED, Reason.SCOPE)
THROTTLED = (State.THROTTLED, Reason.RATE_LIMITED)
ODD = (State.DEGRADED, Reason.UNEXPECTED_STATUS)
FAILING = (State.FAILING, Reason.SERVER_ERROR)
JSON = "application/json"
NOT_TOLD = (State.UNKNOWN, Reason.NOT_TOLD)


def said(status: int, body: Any = None, **headers: str) -> Example:
    return Example(
        status=status, body=body, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )


def xml(status: int, code: str) -> Example:
    text = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code></Error></ErrorResponse>"
    return Example(status=status, text=text)


def square(code: str, category: str = "AUTHENTICATION_ERROR") -> Any:
    return {"errors": [{"category": category, "code": code}]}


def hubspot(category: str) -> Any:
    return {"status": "error", "message": "", "correlationId": "", "category": category}


def facebook(code: int, subcode: int | None = None, usage: int = 0) -> Example:
    error = {"message": "", "type": "OAuthException", "code": code, "fbtrace_id": ""}
    error |= {"error_subcode": subcode} if subcode else {}
    return said(400, {"error": error}, x_app_usage=f'{{"call_count":{usage}}}')


def salesforce(description: str) -> Any:
    return {"error": "invalid_grant", "error_description": description}


def google(description: str) -> Any:
    return {"error": "invalid_grant", "error_description": description}


# provider, way, what it answers, what that means
ROWS: list[tuple[str, str, Example, tuple[State, Reason]]] = [
    ("square", "token", said(401, square("UNAUTHORIZED")), BAD),
    ("square", "token", said(401, square("ACCESS_TOKEN_EXPIRED")), EXPIRED),
    ("square", "token", said(401, square("ACCESS_TOKEN_REVOKED")), EXPIRED),
    ("square", "token", said(429, square("RATE_LIMITED", "RATE_LIMIT_ERROR")), THROTTLED),
    ("hubspot", "token", said(401, hubspot("INVALID_AUTHENTICATION")), BAD),
    ("hubspot", "token", said(401, hubspot("EXPIRED_AUTHENTICATION")), EXPIRED),
    ("hubspot", "token", said(403, hubspot("MISSING_SCOPES")), SCOPE),
    ("auth0", "token", said(401, {"statusCode": 401, "message": "Invalid token"}), BAD),
    ("auth0", "token", said(401, {"statusCode": 401, "message": "Expired token received"}), EXPIRED),
    ("auth0", "token", said(403, {"statusCode": 403, "message": "Insufficient scope"}), SCOPE),
    ("auth0", "client", said(401, {"error": "invalid_client"}), BAD),
    ("auth0", "client", said(401, {"error": "access_denied"}), BAD),
    ("auth0", "client", said(403, {"error": "unauthorized_client"}), SCOPE),
    ("mailgun", "api_key", said(401, {"message": "Invalid private key"}), BAD),
    ("mailgun", "api_key", said(403, {"message": "Forbidden"}), SCOPE),
    ("mailgun", "sending_key", said(401), NOT_TOLD),
    ("mailgun", "sending_key", said(200, {"items": []}), NOT_TOLD),
    ("mailgun", "sending_key", said(429, {"retry-seconds": 60}), THROTTLED),
    *((name, "keys", xml(403, "InvalidClientTokenId"), BAD) for name in ("ses", "sns", "cognito")),
    *((name, "keys", xml(403, "SignatureDoesNotMatch"), BAD) for name in ("ses", "sns", "cognito")),
    *((name, "temporary", xml(403, "ExpiredToken"), EXPIRED) for name in ("ses", "sns", "cognito")),
    *((name, "keys", xml(403, "AccessDenied"), SCOPE) for name in ("ses", "sns", "cognito")),
    *((name, "keys", xml(400, "Throttling"), THROTTLED) for name in ("ses", "sns", "cognito")),
    ("sns", "keys", xml(403, "AuthorizationError"), SCOPE),
    ("facebook", "token", facebook(190, 467), BAD),
    ("facebook", "token", facebook(190), BAD),
    ("facebook", "token", facebook(102), BAD),
    *(("facebook", "token", facebook(190, subcode), EXPIRED) for subcode in (458, 460, 463, 493)),
    *(("facebook", "token", facebook(code), THROTTLED) for code in (4, 17, 32, 613, 80001)),
    *(("facebook", "token", facebook(code), SCOPE) for code in (10, 200, 299)),
    ("facebook", "token", facebook(100), ODD),
    ("facebook", "token", facebook(1), ODD),
    ("facebook", "token", facebook(190, usage=100), BAD),
    ("facebook", "token", facebook(2, usage=100), ODD),  # a header that only others attest settles nothing
    ("facebook", "inspect", said(200, {"data": {"app_id": "1", "is_valid": True}}), GOOD),
    ("facebook", "inspect", said(200, {"data": {"app_id": "1", "is_valid": False}}), BAD),
    ("facebook", "inspect", said(200, {"data": {"is_valid": False, "error": {"subcode": 463}}}), EXPIRED),
    ("facebook", "inspect", said(200, {"data": {}}), (State.DEGRADED, Reason.SHAPE)),
    ("facebook", "inspect", facebook(190), BAD),
    ("facebook", "app", facebook(101), BAD),
    ("salesforce", "token", said(401, [{"errorCode": "INVALID_SESSION_ID"}]), BAD),
    ("salesforce", "token", said(403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED"}]), THROTTLED),
    ("salesforce", "token", said(403, [{"errorCode": "API_DISABLED_FOR_ORG"}]), SCOPE),
    ("salesforce", "client", said(400, {"error": "invalid_client_id"}), BAD),
    ("salesforce", "client", said(400, {"error": "invalid_client"}), BAD),
    ("salesforce", "refresh", said(400, salesforce("authentication failure")), BAD),
    ("salesforce", "refresh", said(400, salesforce("expired access/refresh token")), EXPIRED),
    ("google_oauth", "token", said(200, {"aud": "x", "expires_in": "3599"}, content_type=JSON), GOOD),
    ("google_oauth", "token", said(400, {"error_description": "Invalid Value"}), BAD),
    ("google_oauth", "token", said(400, {"error": "invalid_token"}), BAD),
    ("google_oauth", "token", said(400, {"error": "invalid_request"}), ODD),
    ("google_oauth", "refresh", said(400, google("Bad Request")), BAD),
    ("google_oauth", "refresh", said(400, google("Token has been expired or revoked.")), EXPIRED),
    ("google_oauth", "refresh", said(401, {"error": "invalid_client"}), BAD),
    ("google_oauth", "service_account", said(400, google("Invalid JWT Signature.")), BAD),
    ("fcm", "token", said(200, {"name": "projects/p/messages/1"}, content_type=JSON), GOOD),
    ("fcm", "token", said(401, {"error": {"status": "UNAUTHENTICATED"}}), BAD),
    ("fcm", "token", said(403, {"error": {"status": "PERMISSION_DENIED"}}), SCOPE),
    ("fcm", "token", said(429, {"error": {"status": "RESOURCE_EXHAUSTED"}}), THROTTLED),
    ("fcm", "token", said(400, {"error": {"status": "INVALID_ARGUMENT"}}), ODD),
    ("fcm", "service_account", said(400, google("Invalid JWT Signature.")), BAD),
    ("segment", "public_api", said(403, {"errors": [{"type": "forbidden"}]}), BAD),
    ("segment", "public_api", said(401), BAD),
    ("segment", "public_api", said(404, {"errors": [{"type": "not-found"}]}), ODD),
    ("segment", "write_key", said(400, {"success": False, "message": "malformed JSON"}), NOT_TOLD),
    ("segment", "write_key", said(401), NOT_TOLD),
    ("segment", "write_key", said(200, {"success": True}), ODD),
    ("segment", "write_key", said(429), THROTTLED),
    ("segment", "write_key", said(503), FAILING),
    ("mixpanel", "service_account", said(200, {"status": "ok", "results": {}}), GOOD),
    ("mixpanel", "service_account", said(401, {"status": "error", "error": "x"}), BAD),
    ("mixpanel", "service_account", said(403, {"status": "error", "error": "x"}), SCOPE),
    ("mixpanel", "project_token", said(200, {"status": 1, "error": None}), NOT_TOLD),
    ("mixpanel", "project_token", said(200, {"status": 0, "error": "x"}), NOT_TOLD),
    ("mixpanel", "project_token", said(401, {"status": "error", "error": "x"}), NOT_TOLD),
    ("amplitude", "keys", said(200, {"data": []}), GOOD),
    ("amplitude", "keys", said(401), BAD),
    ("amplitude", "keys", said(403, {"code": 403, "error": "Forbidden"}), ODD),
    ("amplitude", "ingestion", said(400, {"code": 400, "error": "Invalid API key: x"}), NOT_TOLD),
    ("amplitude", "ingestion", said(403, {"code": 403, "error": "Forbidden"}), ODD),
    ("google_analytics", "token", said(200, {"name": "properties/4711"}), GOOD),
    ("google_analytics", "token", said(401, {"error": {"status": "UNAUTHENTICATED"}}), BAD),
    ("google_analytics", "token", said(403, {"error": {"status": "PERMISSION_DENIED"}}), SCOPE),
    ("google_analytics", "service_account", said(400, google("Invalid JWT Signature.")), BAD),
    ("google_analytics", "api_secret", said(200, {"validationMessages": []}), NOT_TOLD),
    ("google_analytics", "api_secret", said(401), NOT_TOLD),
    ("google_analytics", "api_secret", said(500), FAILING),
    ("sns", "keys", xml(404, "NotFound"), ODD),
]


@pytest.mark.parametrize(("name", "way", "answer", "meaning"), ROWS)
def test_an_answer_means(name: str, way: str, answer: Example, meaning: tuple[State, Reason]) -> None:
    provider = catalogue.load(name)
    question = provider.ask(ProbeKind.CREDENTIAL, way)
    assert question is not None
    got = judged(provider, question, answer)
    assert (got.state, got.reason) == meaning, got.detail


CANNOT_TELL = {
    ("amplitude", "ingestion"),
    ("google_analytics", "api_secret"),
    ("mailgun", "sending_key"),
    ("mixpanel", "project_token"),
    ("segment", "write_key"),
}


def test_what_nobody_can_tell_is_named_and_says_what_would() -> None:
    """And every other way of signing in is told apart by its own probe."""
    found = set()
    for provider in catalogue.load_all():
        for way in provider.auth:
            question = provider.ask(ProbeKind.CREDENTIAL, way)
            if question is not None and question.cannot_tell:
                found.add((provider.name, way))
                assert "name a" in question.cannot_tell or "name the" in question.cannot_tell
    assert found == CANNOT_TELL


@pytest.mark.parametrize("name", ["mailgun", "segment", "mixpanel", "amplitude"])
def test_a_region_has_hosts_of_its_own(name: str) -> None:
    provider = catalogue.load(name)
    names = {base.name for base in provider.bases}
    for region in {base.region for base in provider.bases} - {""}:
        urls = [base.url for base in provider.bases if base.region == region]
        assert len(urls) == len(names) == len(set(urls))


def test_a_refusal_that_only_third_parties_attest_is_said_to_be_so() -> None:
    hubspot_asks = catalogue.load("hubspot").ask(ProbeKind.CREDENTIAL, "token")
    assert hubspot_asks is not None
    details = [
        judged(catalogue.load("hubspot"), hubspot_asks, said(401, hubspot(f"{word}_AUTHENTICATION"))).detail
        for word in ("EXPIRED", "INVALID")
    ]
    assert ["attested" in detail for detail in details] == [True, False]


def question(media: str, body: str) -> Ask:
    told = {"source": "a public page", "verified": "2026-11-22"}
    return Ask.model_validate(
        {"kind": "credential", "path": "/{zone}", "headers": {"content-type": media}, "body": body,
         "example": {"status": 200}, **told},
        strict=False,
    )  # fmt: skip


def test_a_body_is_filled_as_its_media_type_writes_it() -> None:
    values = {"arn": 'a:b&c="d"', "zone": "z"}
    form = question("application/x-www-form-urlencoded", "Topic={arn}&Version=1")
    assert form.body_with(values) == b"Topic=a%3Ab%26c%3D%22d%22&Version=1"
    json = question("application/x-amz-json-1.1", '{"Topic":"{arn}","Inner":{"Left":"{unknown}"}}')
    assert json.body_with(values) == b'{"Topic":"a:b&c=\\"d\\"","Inner":{"Left":"{unknown}"}}'
    assert json.places == {"zone", "arn", "unknown"}
