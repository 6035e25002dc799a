"""An inbox in memory's reach: a door without a server, a store in a folder, a clock that is set by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import sqlalchemy as sa
from starlette.applications import Starlette

from contracts.webhooks.configure import Receiver, made
from contracts.webhooks.inbox.door import Door, Taken
from contracts.webhooks.inbox.keeper import Keeper
from contracts.webhooks.keys import KeyStore
from contracts.webhooks.records import Delivery
from contracts.webhooks.signatures import sign
from interlock import catalogue, tables
from interlock.secrets import Secret
from interlock.store import Store

NOON = dt.datetime(2026, 9, 21, 12, tzinfo=dt.UTC)
URL = "https://shop.example.com/hooks/pay"
SECRET = Secret("whsec_madeup4711madeup", name="env:WH")


@dataclass
class Clock:
    """Stands until it is moved."""

    now: dt.datetime = NOON

    def __call__(self) -> dt.datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)


def receiver(provider: str = "stripe", name: str = "pay", **changes: Any) -> Receiver:
    known = catalogue.load(provider)
    assert known.webhooks is not None
    found = made(name, known, known.webhooks.scheme, [SECRET])
    fields = {field: getattr(found, field) for field in found.__dataclass_fields__} | changes
    return Receiver(**fields)


def delivery(
    number: int = 1, provider: str = "stripe", at: dt.datetime = NOON, body: bytes | None = None
) -> Delivery:
    raw = b'{"id":"evt_%d","type":"invoice.paid","data":{"email":"mira@made-up.example"}}' % number
    draft = Delivery(
        url=URL, headers=(("Content-Type", "application/json"),), body=raw if body is None else body
    )
    return sign(receiver(provider).scheme, draft, receiver(provider).keys, at=at.timestamp())


async def _nothing(_url: str) -> bytes:
    return b""


@dataclass
class House:
    """A door over a keeper; `post` sends a delivery through the whole of the ASGI application."""

    store: Store
    keeper: Keeper
    clock: Clock = field(default_factory=Clock)
    receivers: Mapping[str, Receiver] = field(default_factory=lambda: {"pay": receiver()})
    taken: Taken | None = None
    largest_bytes: int = 100_000

    def door(self) -> Door:
        return Door(
            receivers=self.receivers,
            keeper=self.keeper,
            keys=KeyStore(fetch=_nothing, now=lambda: self.clock().timestamp()),
            clock=self.clock,
            largest_bytes=self.largest_bytes,
            keep=dt.timedelta(days=30),
            fingerprint_key=b"key",
            taken=self.taken,
        )

    def client(self) -> httpx.AsyncClient:
        app = Starlette(routes=list(self.door().routes()))
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://shop.example.com")

    async def post(
        self, sent: Delivery, name: str = "pay", client: httpx.AsyncClient | None = None
    ) -> httpx.Response:
        target = f"/hooks/{name}"
        if client is not None:
            return await client.request(sent.method, target, headers=list(sent.headers), content=sent.body)
        async with self.client() as own:
            return await own.request(sent.method, target, headers=list(sent.headers), content=sent.body)

    def rows(self, table: sa.Table = tables.deliveries) -> list[dict[str, Any]]:
        with self.store.reading() as connection:
            return [dict(row) for row in connection.execute(sa.select(table)).mappings()]

    def counts(self) -> dict[tuple[str, str], int]:
        self.keeper.find(lambda _: False).result(10)  # whatever was handed over before is written
        found: dict[tuple[str, str], int] = {}
        for row in self.rows(tables.delivery_counts):
            key = (row["outcome"], row["reason"])
            found[key] = found.get(key, 0) + row["count"]
        return found
