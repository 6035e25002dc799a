"""What the inbox does on every database: these tests run on SQLite, and on PostgreSQL in `make check`."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from contracts.webhooks.inbox.keeper import LEASE_SECONDS, Keeper
from contracts.webhooks.inbox.person import holds
from contracts.webhooks.inbox.records import Outcome, Stage
from interlock import tables
from interlock.errors import UsageError
from interlock.secrets import Secret
from interlock.store import Store
from tests.contracts.webhooks.inbox.household import NOON, House, delivery, receiver


class InboxBehaviour:
    """Mixed into a test class that has the fixture `store`."""

    @pytest.fixture
    def house(self, store: Store) -> object:
        with Keeper(store) as keeper:
            yield House(store, keeper)

    async def test_a_delivery_is_taken_once_and_answered_after_it_is_kept(self, house: House) -> None:
        assert (await house.post(delivery())).status_code == 200
        [row] = house.rows()
        assert (row["event_id"], row["event_type"], row["dedupe_source"]) == (
            "evt_1",
            "invoice.paid",
            "signed_id",
        )
        assert (row["state"], row["received_at"], row["duplicates"]) == (Stage.KEPT, NOON, 0)
        [body] = house.rows(tables.delivery_bodies)
        assert body["expires_at"] == NOON + dt.timedelta(days=30)
        assert b"evt_1" in body["data"]

    @pytest.mark.parametrize("odd", [rb"\ud800", rb"\u0000"])
    async def test_names_that_no_database_takes_are_kept_and_end_nothing(
        self, odd: bytes, house: House
    ) -> None:
        body = b'{"id":"evt_%s","type":"charge.%s"}' % (odd, odd)
        assert (await house.post(delivery(body=body))).status_code == 200
        assert (await house.post(delivery(body=body))).status_code == 200
        assert (await house.post(delivery(2))).status_code == 200
        assert len(house.rows(tables.deliveries)) == 2

    async def test_when_it_came_last_never_goes_back(self, house: House) -> None:
        for at in (NOON, NOON - dt.timedelta(minutes=5), NOON + dt.timedelta(minutes=1), NOON):
            house.keeper.count("pay", Outcome.REFUSED, "no_signature", at).result(10)
        [row] = house.rows(tables.delivery_counts)
        assert (row["count"], row["last_at"]) == (4, NOON + dt.timedelta(minutes=1))

    async def test_a_race_of_twenty_equal_deliveries_keeps_one(self, house: House) -> None:
        sent = delivery()
        async with house.client() as client:
            answers = await asyncio.gather(*(house.post(sent, client=client) for _ in range(20)))
        assert {answer.status_code for answer in answers} == {200}
        [row] = house.rows()
        assert row["duplicates"] == 19
        assert len(house.rows(tables.delivery_bodies)) == 1
        assert house.counts() == {("taken", ""): 1, ("duplicate", ""): 19}

    async def test_the_same_event_with_a_fresh_signature_is_the_same(self, house: House) -> None:
        await house.post(delivery())
        await house.post(delivery(at=NOON + dt.timedelta(seconds=30)))
        assert len(house.rows()) == 1

    async def test_a_stripped_id_falls_back_to_a_digest_and_says_so(self, house: House) -> None:
        nameless = delivery(body=b'{"type":"invoice.paid"}')
        other = delivery(body=b'{"type":"invoice.paid","n":2}')
        for sent in (nameless, nameless, other):
            assert (await house.post(sent)).status_code == 200
        assert [row["dedupe_source"] for row in house.rows()] == ["body_digest"] * 2
        assert sorted(row["duplicates"] for row in house.rows()) == [0, 1]

    async def test_what_is_refused_leaves_nothing_but_a_count(self, house: House) -> None:
        forged = delivery().with_body(b'{"id":"evt_9"}')
        answer = await house.post(forged)
        assert (answer.status_code, answer.content) == (401, b"")
        assert house.rows() == []
        assert house.counts() == {("refused", "signature_mismatch"): 1}

    async def test_what_is_due_is_leased_and_due_again_if_nothing_is_heard(self, house: House) -> None:
        house.receivers = {"pay": receiver(forward="http://127.0.0.1:1/")}
        for number in range(3):
            await house.post(delivery(number))
        due = house.keeper.due(NOON, 2).result(10)
        assert [len(due), len(house.keeper.due(NOON, 10).result(10))] == [2, 1]
        assert house.keeper.due(NOON + dt.timedelta(seconds=LEASE_SECONDS - 1), 10).result(10) == []
        again = house.keeper.due(NOON + dt.timedelta(seconds=LEASE_SECONDS), 10).result(10)
        assert {each.id for each in due} < {each.id for each in again}
        assert again[0].delivery.body.startswith(b'{"id":"evt_')

    async def test_dead_deliveries_are_replayed_under_their_own_id(self, house: House) -> None:
        house.receivers = {"pay": receiver(forward="http://127.0.0.1:1/")}
        await house.post(delivery())
        [due] = house.keeper.due(NOON, 10).result(10)
        house.keeper.sent(due, 500, Stage.DEAD, None, NOON).result(10)
        assert house.keeper.due(NOON + dt.timedelta(days=1), 10).result(10) == []
        assert house.keeper.replay(NOON, "other", ()).result(10) == 0
        assert house.keeper.replay(NOON, None, ()).result(10) == 1
        [once_more] = house.keeper.due(NOON, 10).result(10)
        assert (once_more.id, once_more.attempts) == (due.id, 0)

    async def test_a_persons_deliveries_are_deleted_in_any_spelling(self, house: House) -> None:
        await house.post(delivery(1))
        await house.post(delivery(2, body=b'{"id":"evt_2","to":"other@made-up.example"}'))
        await house.post(delivery(3, body=b'{"id":"evt_3","url":"https://x/?m=MIRA%40made-up.example"}'))
        seeks = holds(["Mira@made-up.example"])
        assert len(house.keeper.find(seeks).result(10)) == 2
        assert len(house.rows()) == 3
        assert len(house.keeper.forget(seeks).result(10)) == 2
        assert [row["event_id"] for row in house.rows()] == ["evt_2"]
        assert len(house.rows(tables.delivery_bodies)) == 1

    async def test_raw_bytes_have_an_end_unless_they_are_still_to_be_sent(self, house: House) -> None:
        await house.post(delivery(1))
        house.receivers = {"pay": receiver(forward="http://127.0.0.1:1/")}
        await house.post(delivery(2))
        assert house.keeper.prune(NOON + dt.timedelta(days=29)).result(10) == 0
        assert house.keeper.prune(NOON + dt.timedelta(days=31)).result(10) == 1
        assert len(house.rows()) == 2

    async def test_raw_bytes_are_sealed_where_a_key_is_named(self, store: Store) -> None:
        key = Secret("madeup-inbox-key", name="env:KEY")
        with Keeper(store, key) as keeper:
            house = House(store, keeper, receivers={"pay": receiver(forward="http://127.0.0.1:1/")})
            await house.post(delivery())
            [body] = house.rows(tables.delivery_bodies)
            assert body["sealed"]
            assert b"evt_1" not in body["data"]
            [due] = keeper.due(NOON, 1).result(10)
            assert due.delivery.body == delivery().body
        with Keeper(store, Secret("madeup-other-key", name="env:KEY")) as keeper:
            with pytest.raises(UsageError, match="sealed with another key"):
                keeper.forget(lambda _: True).result(10)
            later = NOON + dt.timedelta(seconds=LEASE_SECONDS)
            assert keeper.due(later, 1).result(10) == []  # never sent in a form that nobody can read
        assert House(store, keeper).rows()[0]["state"] == Stage.DEAD

    async def test_a_long_name_is_kept_by_its_digest(self, house: House) -> None:
        for end in (b"a", b"b"):
            await house.post(delivery(body=b'{"id":"' + b"x" * 500 + end + b'"}'))
        assert len(house.rows()) == 2
