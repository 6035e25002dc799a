"""What was taken is held against its contract: counted where it is not as promised, and taken all the same."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from cassettes.redact import Redactor
from contracts.pointers import follow
from contracts.shelf import LIBRARY_FOLDER, LOCK, Shelf
from contracts.webhooks.inbox import shapes
from contracts.webhooks.inbox.after import After
from contracts.webhooks.inbox.keeper import Keeper
from contracts.webhooks.inbox.shapes import OTHER, Shapes, benches
from interlock import tables
from interlock.store import Store
from interlock.wire import Wire
from tests.contracts.webhooks.inbox.household import NOON, House, delivery, receiver

SHELF = Shelf(LIBRARY_FOLDER)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/inbox.db") as opened:
        yield opened


def example(**changes: Any) -> dict[str, Any]:
    """The contract's own example of a paid invoice."""
    contract = SHELF.load("stripe")
    found = follow(contract.document, contract.events["invoice.paid"].media[0].pointer)["example"]
    return {**found, **changes}


async def taken(store: Store, *documents: object, room: int = shapes.WAITING) -> dict[tuple[str, str], int]:
    """What is counted as misshapen once these were taken, by type and place."""
    known = {"pay": receiver()}
    with Keeper(store) as keeper, Shapes(benches(known, SHELF, NOON), keeper, lambda: NOON) as judge:
        after = After(wake=asyncio.Event(), wire=Wire(), redactor=Redactor([], key=b"k" * 32), shapes=judge)
        house = House(store, keeper, receivers=known, taken=after)
        for number, document in enumerate(documents):
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            assert (await house.post(delivery(number, body=body))).status_code == 200
    with store.reading() as connection:
        rows = connection.execute(sa.select(tables.delivery_counts)).mappings().all()
    return {(row["event_type"], row["reason"]): row["count"] for row in rows if row["outcome"] == "misshapen"}


async def test_what_is_as_promised_is_not_counted(store: Store) -> None:
    assert await taken(store, example()) == {}


async def test_what_is_not_is_taken_and_counted_by_type_and_place(store: Store) -> None:
    wrong = [example(id=f"evt_{number}", livemode="no") for number in range(2)]
    assert await taken(store, *wrong) == {("invoice.paid", "/livemode"): 2}


async def test_a_type_that_the_contract_does_not_name_and_no_json_are_not_judged(store: Store) -> None:
    assert await taken(store, {"id": "evt_1", "type": "made.up", "livemode": 1}, b"\xff") == {}


async def test_a_provider_without_a_contract_is_left_alone() -> None:
    assert benches({"x": dataclasses.replace(receiver(), provider="nobody")}, SHELF, NOON) == {}


def test_a_shelf_that_cannot_be_read_is_said_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Shelf(tmp_path)
    broken.folder.mkdir(parents=True)
    (broken.folder / LOCK).write_text("{}")
    assert benches({"pay": receiver()}, broken, NOON) == {}
    assert "pay: deliveries are taken, and not held against a contract" in caplog.text
    assert "is not a lock of contracts" in caplog.text


def test_places_are_short_without_numbers_and_bounded() -> None:
    judge = Shapes({}, None, lambda: NOON)  # type: ignore[arg-type]
    assert judge._place("/data/12/object/3") == "/data/*/object/*"
    assert judge._place("") == "the whole body"
    assert len(judge._place("/a" * 100)) == 40
    for number in range(shapes.PLACES):
        judge._place(f"/x{number}")
    assert judge._place("/never-seen") == OTHER
    assert judge._place("/x1") == "/x1"
