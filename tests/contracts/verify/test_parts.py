"""A provider that has its contract in several documents: all are pulled or none, and each is asked for its own."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from contracts.choosing import ByHost, origin_of
from contracts.contract import LIBRARY, PULLED
from contracts.contracts_command import group
from contracts.pull import Document, documents, pull
from contracts.running import Options, chooser, idempotency_header, rulebook
from contracts.shelf import LOCK, Fetched, Shelf
from contracts.verify import Verified, verify_all
from contracts.verify_command import command as verify_command
from interlock import catalogue
from interlock.errors import CannotJudge, CatalogueError, InterlockError, UsageError
from interlock.records import Interaction
from tests.contracts.verify.made import NOW, interaction
from tests.loopback import server

PAYPAL = "https://api-m.paypal.com"
SANDBOX = "https://api-m.sandbox.paypal.com"


def made(title: str, *paths: str) -> bytes:
    """A document of PayPal's with these paths to be read, each of which answers an object with an id."""
    schema = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
    answer = {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}
    operations = {path: {"get": {"responses": answer}} for path in paths}
    return json.dumps(
        {
            "openapi": "3.0.3",
            "info": {"title": title, "version": "1"},
            "servers": [{"url": PAYPAL}],
            "paths": operations,
        }
    ).encode()


ORDERS = made("Orders", "/v2/checkout/orders/{id}", "/v2/made-up/{id}")
PAYMENTS = made("Payments", "/v2/payments/refunds/{id}")


def pinned(root: Path) -> Shelf:
    """A shelf with two parts of PayPal's own."""
    shelf = Shelf(root)
    parts = (("checkout_orders", ORDERS), ("payments", PAYMENTS))
    shelf.pin_all(
        [Fetched(name=f"paypal.{name}", data=data, url="https://x.example/") for name, data in parts],
        pulled_at="2026-11-26",
    )
    return shelf


# -- where they are --------------------------------------------------------------------------------------


def test_every_document_of_a_provider_has_a_name_and_an_address() -> None:
    found = {each.name: each.place for each in documents("paypal")}
    own = "https://raw.githubusercontent.com/paypal/paypal-rest-api-specifications/main/openapi"
    assert found["paypal.checkout_orders"] == f"{own}/checkout_orders_v2.json"
    assert documents("paypal.payments") == (
        Document(name="paypal.payments", place=f"{own}/payments_payment_v2.json"),
    )
    assert [each.name for each in documents("stripe")] == ["stripe"]


def test_of_no_provider_a_choice_is_left_to_be_made() -> None:
    several = {name for name in catalogue.names() if len(_told(name)) > 1}
    assert several == {"hubspot", "mixpanel", "paypal", "sendgrid"}
    assert all(" " not in each.place for name in several for each in documents(name))


def _told(name: str) -> tuple[Document, ...]:
    try:
        return documents(name)
    except UsageError:
        return ()


def test_a_document_that_there_is_not_is_told_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="paypal has no document called 'nothing'") as refused:
        documents("paypal.nothing")
    assert "paypal.checkout_orders, paypal.payments" in (refused.value.hint or "")
    with pytest.raises(UsageError, match="has no document called") as refused:
        documents("stripe.nothing")
    assert "there is one" in (refused.value.hint or "")


@pytest.mark.parametrize("names", [("a", None), ("a", "a")])
def test_documents_of_which_one_cannot_be_named_are_no_catalogue(
    names: tuple[str | None, str | None],
) -> None:
    text = (catalogue.FOLDER / "stripe.toml").read_text(encoding="utf-8")
    for name in names:
        text += "" if name is None else f'\n[[contracts]]\nname = "{name}"\n'
        text += "" if name is not None else "\n[[contracts]]\n"
        text += 'format = "openapi"\nurl = "https://x.example/"\nsource = "made up"\nverified = 2026-11-26\n'
    with pytest.raises(CatalogueError, match="where one has a name, each needs one of its own"):
        catalogue.parse(text, where="stripe.toml")


# -- all of them or none ---------------------------------------------------------------------------------


async def pulled(root: Path, *parts: tuple[str, str, bytes]) -> tuple[str, ...]:
    """The names that are pinned when these parts are pulled: name, status and body of each."""
    said = {f"/{name}": (status, body) for name, status, body in parts}

    async def handle(head: bytes, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        status, body = said[head.split()[1].decode()]
        writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body))

    async with server(handle) as port:
        asked = [Document(name=f"paypal.{x}", place=f"http://127.0.0.1:{port}/{x}") for x, _, _ in parts]
        got = await pull(asked, root, now=NOW)
    return tuple(known.name for known, _ in got)


async def test_all_of_them_are_pinned_by_one_lock(tmp_path: Path) -> None:
    parts = (("checkout_orders", "200 OK", ORDERS), ("payments", "200 OK", PAYMENTS))
    assert await pulled(tmp_path, *parts) == ("paypal.checkout_orders", "paypal.payments")
    lock = json.loads((tmp_path / ".interlock" / "contracts" / LOCK).read_text())
    assert list(lock["contracts"]) == ["paypal.checkout_orders", "paypal.payments"]
    assert Shelf(tmp_path).load("paypal.payments").title == "Payments"


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        (("payments", "404 Not Found", b""), CannotJudge, "answers 404"),
        (("payments", "200 OK", b"{}"), UsageError, "paypal.payments"),
    ],
)
async def test_where_one_fails_it_is_named_and_what_was_pinned_stays_as_it_was(
    tmp_path: Path, wrong: tuple[str, str, bytes], error: type[InterlockError], said: str
) -> None:
    pinned(tmp_path)
    folder = tmp_path / ".interlock" / "contracts"
    before = {each.name: each.read_bytes() for each in folder.iterdir()}
    new = made("Newer", "/v2/checkout/orders/{id}")
    with pytest.raises(error) as refused:
        await pulled(tmp_path, ("checkout_orders", "200 OK", new), wrong)
    assert said in refused.value.message
    assert refused.value.message.endswith("\n1 of 2 documents failed, and none was pinned")
    assert "paypal.checkout_orders: " not in refused.value.message
    assert "contracts pull paypal.checkout_orders" in (refused.value.hint or "")
    assert {each.name: each.read_bytes() for each in folder.iterdir()} == before


async def test_one_alone_leaves_the_others(tmp_path: Path) -> None:
    shelf = pinned(tmp_path)
    digest = shelf.load("paypal.checkout_orders").digest
    await pulled(tmp_path, ("payments", "200 OK", made("Newer", "/v2/payments/refunds/{id}")))
    assert shelf.load("paypal.payments").title == "Newer"
    assert shelf.load("paypal.checkout_orders").digest == digest


def test_an_integration_stands_for_its_provider_before_the_dot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "interlock.toml").write_text('[integrations.shop]\nprovider = "paypal"\n')
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(group, ["pull", "shop.nothing"])
    assert "paypal has no document called 'nothing'" in str(result.exception)


# -- asked for their own ---------------------------------------------------------------------------------


def judged(shelf: Shelf, *asked: Interaction, provider: str | None = None) -> list[Verified]:
    """Interactions against the contracts of the shelf."""
    options = Options(paths=(), root=str(shelf.root), now=NOW.isoformat(), provider=provider)
    return list(verify_all(asked, chooser(options, rulebook(options))))


def order(path: str, host: str = PAYPAL, **about: Any) -> Interaction:
    """Something of PayPal's is read; the answer has an id where not said otherwise."""
    return interaction("GET", f"{host}{path}", **{"got": {"id": "X"}} | about)


@pytest.mark.parametrize("provider", [None, "paypal"])
def test_the_part_that_knows_an_operation_judges_it_and_the_library_what_they_leave_out(
    tmp_path: Path, provider: str | None
) -> None:
    shelf = pinned(tmp_path)
    paths = ("/v2/made-up/1", "/v2/payments/refunds/1", "/v1/notifications/webhooks")
    found = judged(shelf, *(order(path, got={}) for path in paths), provider=provider)
    assert [(each.contract and each.contract.name, each.operation) for each in found] == [
        ("paypal.checkout_orders", "GET /v2/made-up/{id}"),
        ("paypal.payments", "GET /v2/payments/refunds/{id}"),
        ("paypal", "GET /v1/notifications/webhooks"),
    ]
    assert {each.rule for each in found[0].findings} == {"response-body"}


def test_a_part_goes_before_the_library_where_both_know_an_operation(tmp_path: Path) -> None:
    (found,) = judged(pinned(tmp_path), order("/v2/checkout/orders/1"))
    assert found.contract is not None
    assert (found.contract.name, found.contract.origin) == ("paypal.checkout_orders", PULLED)


def test_what_no_part_knows_is_left_out_and_no_finding(tmp_path: Path) -> None:
    (found,) = judged(pinned(tmp_path), order("/v2/nobody/knows"))
    assert found.findings == ()
    assert found.unjudged == ("/request: the contract of paypal leaves GET /v2/nobody/knows out",)


def test_one_part_by_its_name_is_asked_alone(tmp_path: Path) -> None:
    (found,) = judged(pinned(tmp_path), order("/v2/payments/refunds/1"), provider="paypal.checkout_orders")
    assert found.operation is None


def test_parts_are_sought_at_the_hosts_of_their_provider_alone(tmp_path: Path) -> None:
    shelf = pinned(tmp_path)
    options = Options(paths=(), root=str(tmp_path), now=NOW.isoformat())
    choose = ByHost(shelf, rulebook(options))
    names = {host: [each.contract.name for each in choose(order("/", host))] for host in (PAYPAL, SANDBOX)}
    assert names[PAYPAL] == names[SANDBOX] == ["paypal.checkout_orders", "paypal.payments", "paypal"]
    assert [each.contract.name for each in choose(order("/", "https://api.stripe.com"))] == ["stripe"]


def test_what_is_known_of_the_provider_holds_for_its_parts(tmp_path: Path) -> None:
    orders = pinned(tmp_path).load("paypal.checkout_orders")
    assert origin_of(order("/v2/checkout/orders/1", SANDBOX), orders) == "sandbox"
    assert origin_of(order("/v2/checkout/orders/1"), orders) == "live"
    header = idempotency_header(Shelf(tmp_path).load("paypal"))
    assert header is not None
    assert idempotency_header(orders) == header


def test_the_providers_own_name_stays_our_librarys(tmp_path: Path) -> None:
    shelf = pinned(tmp_path)
    whole, events = shelf.load("paypal"), shelf.of_events("paypal")
    assert whole.origin == LIBRARY
    assert events is not None
    assert events.digest == whole.digest
    assert shelf.known()["paypal"].origin == LIBRARY
    assert shelf.called("paypal.payments", None) == "paypal.payments"
    assert shelf.load("paypal.payments").partial


def test_a_part_that_is_not_there_is_told_how_to_be_had(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no contract of 'paypal\.payments'") as refused:
        Shelf(tmp_path).load("paypal.payments")
    assert "contracts pull paypal.payments" in (refused.value.hint or "")


def test_to_pull_is_not_advised_where_that_was_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = {
        "request": {"method": "GET", "uri": f"{PAYPAL}/v2/nobody/knows", "headers": {}, "body": None},
        "response": {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": "{}"}},
    }
    (tmp_path / "one.json").write_text(json.dumps({"version": 1, "interactions": [recorded]}))
    (tmp_path / "interlock.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    told = []
    for _ in range(2):
        told.append(CliRunner().invoke(verify_command, ["one.json"]).output)
        pinned(tmp_path)
    assert "is an operation of a contract; our library has a part" in told[0]
    assert "is an operation of a contract" in told[1]
    assert "our library has a part" not in told[1]
