"""The inbox on SQLite, and what does not depend on the database: statuses, deadlines, what happens afterwards."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from cassettes.redact import Redactor
from contracts.webhooks import delivery_files
from contracts.webhooks.inbox.after import After
from contracts.webhooks.inbox.keeper import Keeper
from contracts.webhooks.inbox.person import holds
from contracts.webhooks.inbox.records import Arrival, Outcome
from contracts.webhooks.inbox.service import receivers_of
from contracts.webhooks.records import Delivery, Keys
from interlock.errors import StoreError, UsageError
from interlock.integration import Integration, resolve
from interlock.secrets import Secret
from interlock.settings import IntegrationSettings, Network
from interlock.store import Store
from interlock.wire import Wire
from tests.contracts.webhooks.inbox.behaviour import InboxBehaviour
from tests.contracts.webhooks.inbox.household import NOON, SECRET, House, delivery, receiver


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/inbox.db") as opened:
        yield opened


class TestSqlite(InboxBehaviour):
    """Everything that every inbox does."""


@pytest.fixture
def house(store: Store) -> Iterator[House]:
    with Keeper(store) as keeper:
        yield House(store, keeper)


@pytest.mark.parametrize(
    ("provider", "status"), [("stripe", 401), ("mailgun", 406), ("github", 401), ("square", 401)]
)
async def test_a_refusal_is_one_that_the_provider_understands(
    provider: str, status: int, house: House
) -> None:
    house.receivers = {"pay": receiver(provider)}
    sent = delivery(1, provider, body=b'{"id":"e","event-data":{"id":"e","event":"opened"}}')
    assert (await house.post(sent)).status_code == 200
    other = Keys(secrets=(Secret("madeup-wrong", name="x"),))
    house.receivers = {"pay": receiver(provider, keys=other)}
    assert (await house.post(sent)).status_code == status


async def test_a_handshake_is_answered_and_not_kept(house: House) -> None:
    keys = Keys(secrets=(SECRET,), verify_token=Secret("madeup-verify", name="x"))
    house.receivers = {"pay": receiver("facebook", keys=keys)}
    query = "hub.mode=subscribe&hub.challenge=4711&hub.verify_token=madeup-verify"
    async with house.client() as client:
        right = await client.get(f"/hooks/pay?{query}")
        wrong = await client.get(f"/hooks/pay?{query}x")
    assert (right.status_code, right.text) == (200, "4711")
    assert (wrong.status_code, wrong.text) == (401, "")
    assert house.rows() == []
    assert house.counts()["handshake", ""] == 1


async def test_what_we_left_out_ourselves_asks_the_provider_to_come_again(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.receivers = {"pay": receiver("facebook", keys=Keys(secrets=(SECRET,)))}
    async with house.client() as client:
        answer = await client.get("/hooks/pay?hub.mode=subscribe&hub.challenge=4711&hub.verify_token=x")
    assert (answer.status_code, answer.text) == (503, "")
    assert house.counts() == {("not_kept", "misconfigured"): 1}
    assert "pay: the verify token of the handshake is needed" in caplog.text


async def test_a_body_that_is_too_large_is_not_read_to_its_end(house: House) -> None:
    house.largest_bytes = 50
    read = 0

    async def endless() -> Any:
        nonlocal read
        while read < 100_000:
            read += 40
            yield b"x" * 40

    async with house.client() as client:
        answer = await client.post("/hooks/pay", content=endless())
    assert answer.status_code == 413
    assert house.counts() == {("refused", "body_too_large"): 1}


async def test_nobody_lives_at_another_name(house: House) -> None:
    async with house.client() as client:
        assert (await client.post("/hooks/nobody")).status_code == 404
        assert (await client.get("/healthz")).json() == {"schema": "interlock.inbox-health/1", "store": True}


class _Slow(Keeper):
    """Commits too late, or never."""

    def __init__(self, store: Store, error: Exception | None = None) -> None:
        super().__init__(store)
        self.error = error

    def keep(self, arrival: Arrival) -> Future[Outcome]:  # noqa: ARG002 - as the real one is asked
        never: Future[Outcome] = Future()
        if self.error is not None:
            never.set_exception(self.error)
        return never


@pytest.mark.parametrize("error", [None, StoreError("full")])
async def test_what_cannot_be_committed_in_time_is_503_and_comes_again(
    store: Store, error: Exception | None
) -> None:
    """By half of the time that the provider waits."""
    with _Slow(store, error) as keeper:
        house = House(store, keeper, receivers={"pay": receiver(timeout_seconds=0.02)})
        answer = await house.post(delivery())
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert house.rows() == []


async def test_a_slow_body_is_given_up_in_time(house: House) -> None:
    house.receivers = {"pay": receiver(timeout_seconds=0.02)}

    async def dripping() -> Any:
        yield b"{"
        await asyncio.Event().wait()

    async with house.client() as client:
        assert (await client.post("/hooks/pay", content=dripping())).status_code == 503


async def test_the_url_that_the_provider_was_given_is_signed_with_the_query_that_came(house: House) -> None:
    """Behind a proxy the receiver sees another host; Twilio's digest of a body stands in the query."""
    public = "https://public.example.com/in"
    keys = Keys(secrets=(SECRET,), url=public)
    house.receivers = {"pay": receiver("twilio", keys=keys)}
    from contracts.webhooks.signatures import sign  # noqa: PLC0415 - for this test alone

    sent = sign("twilio", Delivery(url=public, body=b'{"a":1}'), Keys(secrets=(SECRET,)), at=NOON.timestamp())
    async with house.client() as client:
        answer = await client.post(
            f"/hooks/pay?{sent.url.partition('?')[2]}", content=sent.body, headers=list(sent.headers)
        )
    assert answer.status_code == 200


# --- afterwards ---


async def after_one(tmp_path: Path, house: House, sent: Delivery, **changes: Any) -> list[Path]:
    after = After(
        wake=asyncio.Event(),
        wire=Wire(),
        redactor=Redactor([SECRET], key=b"k" * 32),
        folder=tmp_path / "kept",
    )
    house.taken = after
    house.receivers = {"pay": receiver(**changes)}
    await house.post(sent)
    await after.finish()
    return sorted((tmp_path / "kept").rglob("*.delivery.json"))


async def test_a_delivery_is_recorded_without_secrets_and_personal_data(tmp_path: Path, house: House) -> None:
    body = b'{"id":"evt_1","type":"invoice.paid","data":{"email":"mira.weber@madeup-mail.org"}}'
    sent = delivery(body=body).with_headers({"Authorization": "Bearer madeup-token-4711"})
    [path] = await after_one(tmp_path, house, sent)
    text = path.read_text()
    written, received_at = delivery_files.read(text)
    told = json.loads(text)
    assert (told["schema"], told["provider"], told["event_type"]) == (
        "interlock.delivery/1",
        "stripe",
        "invoice.paid",
    )
    assert received_at == NOON
    assert json.loads(written.body)["id"] == "evt_1"
    for secret in ("madeup-token-4711", "mira.weber", SECRET.reveal()):
        assert secret not in text + written.body.decode()
    assert told["body_state"] == "redacted"


async def test_a_duplicate_is_recorded_once(tmp_path: Path, house: House) -> None:
    sent = delivery()
    await after_one(tmp_path, house, sent)
    assert len(await after_one(tmp_path, house, sent)) == 1


# --- what it is configured with ---


def integrations(monkeypatch: pytest.MonkeyPatch, **tables_: dict[str, Any]) -> list[Integration]:
    monkeypatch.setenv("WH", SECRET.reveal())
    return [
        resolve(name, IntegrationSettings.model_validate(table), network=Network(), folder=Path())
        for name, table in tables_.items()
    ]


def test_receivers_are_those_with_a_table_of_webhooks(monkeypatch: pytest.MonkeyPatch) -> None:
    given = integrations(
        monkeypatch,
        pay={"provider": "stripe", "webhooks": {"secrets": ["env:WH"], "forward": "http://127.0.0.1:9/a"}},
        code={"provider": "github", "credentials": {"webhook_secret": "env:WH"}, "webhooks": {}},
        mail={"provider": "sendgrid"},
    )
    found = receivers_of(given, "http://127.0.0.1:9/b")
    assert {name: each.forward for name, each in found.items()} == {
        "pay": "http://127.0.0.1:9/a",
        "code": "http://127.0.0.1:9/b",
    }
    assert found["code"].keys.secrets[0].reveal() == SECRET.reveal()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"provider": "stripe", "webhooks": {}}, r"integrations\.pay: webhooks\.secrets is needed"),
        (
            {"provider": "paypal", "webhooks": {"webhook_id": "W1"}},
            r"integrations\.pay: webhooks\.roots is needed",
        ),
        (
            {
                "provider": "cognito",
                "webhooks": {"scheme": "cognito-token", "audiences": ["a"], "issuers": ["b"]},
            },
            "cognito-token is a check of tokens, not of deliveries",
        ),
        ({"provider": "fcm", "webhooks": {}}, "delivers no webhooks that are known"),
        ({"provider": "stripe", "webhooks": {"scheme": "nonsense"}}, "no signature scheme 'nonsense'"),
        ({"provider": "stripe", "webhooks": {"secrets": ["env:NOT_SET"]}}, "is not set"),
        ({"provider": "stripe"}, "no integration receives webhooks"),
    ],
)
def test_what_is_missing_is_said_at_the_start(
    table: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=message):
        receivers_of(integrations(monkeypatch, pay=table), None)


@pytest.mark.parametrize("texts", [[], ["abc"], ["mira@made-up.example", "x"]])
def test_a_person_is_not_sought_by_next_to_nothing(texts: list[str]) -> None:
    with pytest.raises(UsageError):
        holds(texts)
