"""What the providers' own SDKs send, to a server on this machine, is as our contracts promise."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import sendgrid
import stripe
from azure.core.credentials import AzureSasCredential
from azure.storage.blob import BlobServiceClient
from botocore.config import Config
from google.auth.transport.requests import Request
from google.oauth2._client import jwt_grant
from google.oauth2.credentials import Credentials
from hubspot.crm.contacts import ApiClient, BasicApi, Configuration, SearchApi
from hubspot.crm.contacts import PublicObjectSearchRequest as Search
from hubspot.crm.contacts import SimplePublicObjectInput as Changed
from hubspot.crm.contacts import SimplePublicObjectInputForCreate as Made
from sendgrid.helpers.mail import Mail
from square import Square
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from contracts.shelf import Shelf
from contracts.verify import verify
from interlock.records import Interaction, Message, Source
from tests.contracts.verify.made import bench

HOSTS = {
    "stripe": "https://api.stripe.com",
    "twilio": "https://api.twilio.com",
    "sendgrid": "https://api.sendgrid.com",
    "hubspot": "https://api.hubapi.com",
    "square": "https://connect.squareup.com",
    "azure_blob": "https://made-up.blob.core.windows.net",
    "google_oauth": "https://oauth2.googleapis.com",
    "ses": "https://email.eu-west-1.amazonaws.com",
}


class Taker(ThreadingHTTPServer):
    """Takes every request, keeps it and answers with nothing in JSON."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.taken: list[tuple[str, str, tuple[tuple[str, str], ...], bytes]] = []

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def _take(self) -> None:
        server = self.server
        assert isinstance(server, Taker)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server.taken.append((self.command, self.path, tuple(self.headers.items()), body))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}" if self.command != "HEAD" else b"")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _take  # noqa: N815 - as the handler calls them

    def log_message(self, *_: object) -> None:
        """Nothing: the tests are told what came."""


@pytest.fixture
def taker() -> Iterator[Taker]:
    """A server that takes everything."""
    with Taker() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(10)


def _stripe(url: str) -> None:
    v1: Any = stripe.StripeClient("made-up", base_addresses={"api": url}).v1
    intent = {
        "amount": 100,
        "currency": "eur",
        "automatic_payment_methods": {"enabled": True},
        "metadata": {"a": "b"},
    }
    _tried(lambda: v1.payment_intents.create(intent))
    _tried(lambda: v1.customers.create({"email": "a@made-up.example", "name": "Made up"}))
    items = [{"price": "price_madeup", "quantity": 2}]
    session = {"mode": "payment", "line_items": items, "success_url": "https://made-up.example"}
    _tried(lambda: v1.checkout.sessions.create(session))
    _tried(lambda: v1.refunds.create({"payment_intent": "pi_madeup", "amount": 50}))
    _tried(lambda: v1.subscriptions.create({"customer": "cus_madeup", "items": [{"price": "price_madeup"}]}))
    _tried(v1.balance.retrieve)
    _tried(lambda: v1.events.list({"limit": 3}))


def _twilio(url: str) -> None:
    class Here(TwilioHttpClient):  # type: ignore[misc]  # it has no types
        def request(self, method: str, uri: str, *args: Any, **more: Any) -> Any:
            return super().request(method, re.sub(r"https://\w+\.twilio\.com", url, uri), *args, **more)

    client = Client("AC0", "made-up", http_client=Here())
    _tried(lambda: client.messages.create(to="+15005550006", from_="+15005550006", body="made up"))
    _tried(
        lambda: client.messages.create(
            to="+15005550006", messaging_service_sid="MG0", media_url=["https://made-up.example"]
        )
    )
    _tried(
        lambda: client.calls.create(to="+15005550006", from_="+15005550006", url="https://made-up.example")
    )
    _tried(lambda: client.messages("SM0").fetch())
    _tried(lambda: client.usage.records.list(limit=1))
    service = client.verify.v2.services("VA0")
    _tried(lambda: service.verifications.create(to="+15005550006", channel="sms", locale="de"))
    _tried(lambda: service.verifications("VE0").fetch())
    _tried(lambda: service.verifications("VE0").update(status="canceled"))
    _tried(lambda: service.verification_checks.create(to="+15005550006", code="000000"))


def _sendgrid(url: str) -> None:
    client = sendgrid.SendGridAPIClient("made-up", host=url)
    mail = Mail(
        "from@made-up.example", ["a@made-up.example", "b@made-up.example"], "made up", "text", "<p>html</p>"
    )
    _tried(lambda: client.send(mail))
    _tried(client.client.scopes.get)
    _tried(client.client.suppression.bounces.get)
    _tried(client.client.user.webhooks.event.settings.all.get)
    _tried(lambda: client.client.templates.post(request_body={"name": "Made up", "generation": "dynamic"}))
    _tried(lambda: client.client.templates.get(query_params={"page_size": 1, "generations": "dynamic"}))
    _tried(client.client.templates._("made-up").get)
    _tried(lambda: client.client.stats.get(query_params={"start_date": "2026-11-25"}))


def _hubspot(url: str) -> None:
    settings = Configuration(host=url)
    settings.access_token = "made-up"
    client = ApiClient(settings)
    properties = {"email": "a@made-up.example", "firstname": "Made"}
    _tried(lambda: BasicApi(client).create(Made(properties=properties, associations=[])))
    _tried(lambda: BasicApi(client).get_by_id("1", properties=["email"], archived=False))
    _tried(lambda: BasicApi(client).update("1", Changed(properties=properties)))
    _tried(
        lambda: SearchApi(client).do_search(
            Search(query="made", limit=1, sorts=[], properties=["email"], filter_groups=[])
        )
    )


def _square(url: str) -> None:
    client = Square(token="made-up", base_url=url)
    money = {"amount": 100, "currency": "EUR"}
    _tried(lambda: client.payments.create(source_id="cnon:made-up", idempotency_key="k", amount_money=money))
    _tried(
        lambda: client.refunds.refund_payment(idempotency_key="k", amount_money=money, payment_id="made-up")
    )
    _tried(lambda: client.customers.create(given_name="Made", email_address="a@made-up.example"))
    _tried(lambda: client.orders.create(order={"location_id": "made-up"}, idempotency_key="k"))
    _tried(lambda: client.merchants.get("me"))
    _tried(lambda: list(client.payments.list(location_id="made-up", limit=3)))


def _azure(url: str) -> None:
    client = BlobServiceClient(url, credential=AzureSasCredential("sv=2024-05-04&sig=made-up"), retry_total=0)
    container, blob = (
        client.get_container_client("made-up"),
        client.get_blob_client("made-up", "a folder/b.txt"),
    )
    _tried(lambda: list(client.list_containers(name_starts_with="a")))
    _tried(lambda: list(container.list_blobs(name_starts_with="a", include=["metadata"])))
    _tried(lambda: list(container.walk_blobs()))
    _tried(container.create_container)
    _tried(lambda: blob.upload_blob(b"made up", overwrite=True, metadata={"made": "up"}))
    _tried(blob.download_blob)
    _tried(blob.get_blob_properties)
    _tried(lambda: blob.set_blob_metadata({"made": "up"}))
    _tried(lambda: blob.stage_block("AAAA", b"made up"))
    _tried(lambda: blob.commit_block_list([]))
    _tried(lambda: blob.start_copy_from_url("https://made-up.example/a"))
    _tried(lambda: blob.delete_blob(delete_snapshots="include"))
    _tried(client.get_account_information)


def _google(url: str) -> None:
    given = {"client_id": "made-up", "client_secret": "made-up", "token_uri": f"{url}/token"}
    signed_in: Any = Credentials
    user = signed_in(None, refresh_token="made-up", **given)
    _tried(lambda: user.refresh(Request()))
    grant: Any = jwt_grant
    _tried(lambda: grant(Request(), f"{url}/token", "made-up"))


def _aws(service: str, url: str) -> Any:
    made: Any = botocore.session.get_session().create_client(
        service,
        region_name="eu-west-1",
        endpoint_url=url,
        aws_access_key_id="made",
        aws_secret_access_key="up",
        config=Config(retries={"max_attempts": 0}),
    )
    return made


def _ses(url: str) -> None:
    first, second = _aws("ses", url), _aws("sesv2", url)
    to, text = {"ToAddresses": ["b@made-up.example"]}, {"Data": "made up"}
    mail = {"Subject": text, "Body": {"Text": text}}
    _tried(first.get_send_quota)
    _tried(lambda: first.list_identities(MaxItems=3))
    _tried(lambda: first.send_email(Source="a@made-up.example", Destination=to, Message=mail))
    _tried(lambda: first.send_raw_email(RawMessage={"Data": b"made up"}))
    _tried(second.get_account)
    _tried(lambda: second.list_email_identities(PageSize=3))
    _tried(lambda: second.list_suppressed_destinations(Reasons=["BOUNCE"]))
    _tried(lambda: second.send_email(Destination=to, Content={"Simple": mail}))


def _tried(call: Callable[[], object]) -> None:
    """What is made of the answer does not matter."""
    with contextlib.suppress(Exception):
        call()


# The SDKs, and how many of their requests are operations of our contracts.
SENT = {
    "stripe": (_stripe, 7),
    "twilio": (_twilio, 9),
    "sendgrid": (_sendgrid, 8),
    "hubspot": (_hubspot, 4),
    "square": (_square, 6),
    "azure_blob": (_azure, 11),
    "google_oauth": (_google, 2),
    "ses": (_ses, 8),
}


@pytest.mark.parametrize("name", SENT)
def test_what_the_sdk_sends_is_as_promised(name: str, taker: Taker) -> None:
    calls, least = SENT[name]
    calls(taker.url)
    known = bench(Shelf(Path("nowhere")).load(name), "version-mismatch=off", complete=True)
    matched = 0
    for index, (method, path, headers, body) in enumerate(taker.taken):
        found = verify(_interaction(name, index, method, path, headers, body), known)
        assert not found.findings, (path, found.findings)
        matched += found.operation is not None
    assert matched >= least


def _interaction(
    name: str, index: int, method: str, path: str, headers: tuple[tuple[str, str], ...], body: bytes
) -> Interaction:
    return Interaction(
        source=Source(file="sdk", format="made", index=index, line=index + 1),
        method=method,
        url=HOSTS[name] + path,
        request=Message(headers=headers, body=body, body_state="full"),
        status=None,
        response=None,
        error=None,
        http_version=None,
        recorded_at=None,
        elapsed_seconds=None,
        origin=None,
    )
