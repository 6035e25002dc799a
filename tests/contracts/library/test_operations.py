"""The operations that teams use most are in the library, each with its refusals and its answer to too many requests."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.contract import Contract, Operation
from contracts.shelf import Shelf

ACCOUNT = "/2010-04-01/Accounts/{AccountSid}"
AWS = "POST / X-Amz-Target=AWSCognitoIdentityProviderService."
BLOB, OBJECT = "/{container}/{blob}", "/{Bucket}/{Key}"
DATA = "/services/data/v{version}"
TOPICS = "/v1/projects/{project}/registrations/{registration}/topicSubscriptions"
MOST_USED = {
    "amplitude": (
        "POST /2/httpapi", "POST /batch", "POST /identify", "GET /api/2/export", "GET /api/3/cohorts",
    ),
    "auth0": (
        "POST /oauth/token", "POST /api/v2/users", "GET /api/v2/users/{id}", "PATCH /api/v2/users/{id}",
        "GET /userinfo", "GET /api/v2/logs", "POST /dbconnections/change_password",
    ),
    "azure_blob": (
        f"PUT {BLOB}", f"GET {BLOB}", f"HEAD {BLOB}", f"DELETE {BLOB}",
        "GET /{container}?restype=container&comp=list",
    ),
    "cognito": (
        f"{AWS}InitiateAuth", f"{AWS}SignUp", f"{AWS}AdminGetUser", f"{AWS}AdminInitiateAuth", f"{AWS}GetUser",
    ),
    "facebook": (
        "GET /{version}/me", "GET /{version}/debug_token", "POST /{version}/{id}/feed",
        "POST /{version}/{id}/subscribed_apps", "POST /{version}/{id}/subscriptions", "GET /oauth/access_token",
    ),
    "fcm": (
        "POST /v1/projects/{project}/messages:send", f"POST {TOPICS}", f"DELETE {TOPICS}/{{topic}}",
        "POST /iid/v1:batchAdd", "POST /iid/v1:batchRemove",
    ),
    "gcs": (
        "POST /upload/storage/v1/b/{bucket}/o", "GET /storage/v1/b/{bucket}/o/{object}",
        "GET /storage/v1/b/{bucket}/o", "DELETE /storage/v1/b/{bucket}/o/{object}",
        "POST /v1/projects/{project}/topics/{topic}:publish",
    ),
    "github": (
        "POST /repos/{owner}/{repo}/issues", "GET /user", "POST /repos/{owner}/{repo}/hooks",
        "GET /repos/{owner}/{repo}/pulls", "POST /login/oauth/access_token",
    ),
    "google_analytics": (
        "POST /mp/collect", "POST /debug/mp/collect", "POST /v1beta/properties/{property}:runReport",
        "POST /v1/accounts:lookup",
    ),
    "google_oauth": (
        "POST /token", "GET /v1/userinfo", "POST /revoke", "GET /tokeninfo", "POST /v1beta/stream:update",
    ),
    "hubspot": (
        "POST /crm/v3/objects/contacts", "GET /crm/v3/objects/contacts/{contactId}",
        "PATCH /crm/v3/objects/contacts/{contactId}", "POST /crm/v3/objects/contacts/search",
        "POST /crm/v3/objects/contacts/batch/upsert", "POST /crm/v3/objects/0-3",
        "GET /account-info/v3/api-usage/daily/private-apps",
    ),
    "mailgun": (
        "POST /v3/{domain_name}/messages", "GET /v3/{domain_name}/events", "GET /v4/domains/{name}",
        "POST /v4/domains/{domain}/webhooks", "GET /v1/keys",
    ),
    "mixpanel": (
        "POST /track", "POST /import", "POST /engage", "POST /groups", "GET /api/query/segmentation",
        "GET /api/2.0/export",
    ),
    "paypal": (
        "POST /v1/oauth2/token", "POST /v2/checkout/orders", "POST /v2/checkout/orders/{id}/capture",
        "GET /v2/checkout/orders/{id}", "POST /v2/payments/captures/{capture_id}/refund",
        "GET /v2/payments/captures/{capture_id}", "POST /v1/notifications/verify-webhook-signature",
    ),
    "s3": (
        f"PUT {OBJECT}", f"GET {OBJECT}", "GET /{Bucket}?list-type=2", f"HEAD {OBJECT}", f"DELETE {OBJECT}",
    ),
    "salesforce": (
        "POST /services/oauth2/token", f"GET {DATA}/query", f"POST {DATA}/sobjects/{{sobject}}",
        f"GET {DATA}/sobjects/{{sobject}}/{{id}}", f"PATCH {DATA}/sobjects/{{sobject}}/{{id}}",
        f"PATCH {DATA}/sobjects/{{sobject}}/{{field}}/{{value}}", f"POST {DATA}/composite",
    ),
    "segment": ("POST /v1/track", "POST /v1/identify", "POST /v1/batch", "POST /v1/group", "GET /sources"),
    "sendgrid": (
        "POST /v3/mail/send", "GET /v3/user/webhooks/event/settings/all", "POST /v3/templates",
        "GET /v3/suppression/bounces", "GET /v3/stats",
    ),
    "ses": (
        "POST /v2/email/outbound-emails", "GET /v2/email/account", "POST /v2/email/list-identities",
        "GET /v2/email/suppression/addresses", "POST / Action=GetSendQuota", "POST / Action=SendEmail",
    ),
    "sns": (
        "POST / Action=Publish", "POST / Action=Subscribe", "POST / Action=ConfirmSubscription",
        "POST / Action=ListSubscriptionsByTopic", "POST / Action=GetTopicAttributes",
    ),
    "square": (
        "POST /v2/payments", "POST /v2/refunds", "POST /v2/orders", "POST /v2/customers", "GET /v2/payments",
    ),
    "stripe": (
        "POST /v1/payment_intents", "POST /v1/customers", "POST /v1/checkout/sessions", "POST /v1/refunds",
        "POST /v1/subscriptions",
    ),
    "twilio": (
        f"POST {ACCOUNT}/Messages.json", f"POST {ACCOUNT}/Calls.json", f"GET {ACCOUNT}/Messages/{{Sid}}.json",
        "POST /v2/Services/{ServiceSid}/Verifications", "POST /v2/Services/{ServiceSid}/VerificationCheck",
        f"GET {ACCOUNT}/Usage/Records.json",
    ),
}  # fmt: skip
SLOWING = {"4XX", "5XX", "429"}  # statuses under which too many requests may be answered
OWN = {"salesforce": {"403"}, "azure_blob": {"503"}, "s3": {"503"}}  # where it is another one


@pytest.fixture(params=MOST_USED)
def contract(request: pytest.FixtureRequest) -> Contract:
    """One contract of the library."""
    return Shelf(Path("nowhere")).load(request.param)


def test_every_provider_is_listed() -> None:
    assert set(MOST_USED) == set(Shelf(Path("nowhere")).known())


def test_the_operations_that_teams_use_most_are_there(contract: Contract) -> None:
    names = {each.name for each in contract.operations}
    assert [each for each in MOST_USED[contract.name] if each not in names] == []


def test_each_says_how_it_refuses_and_how_it_slows_a_client_down(contract: Contract) -> None:
    wanted = OWN.get(contract.name, SLOWING)
    for each in contract.operations:
        statuses = {answer.status for answer in each.answers}
        assert "default" in statuses, each.name
        assert statuses & wanted or _is_public(each), each.name


def _is_public(operation: Operation) -> bool:
    """Whether it is for everybody, and read from a cache."""
    return operation.path.startswith(("/{user_pool_id}/.well-known/",))
