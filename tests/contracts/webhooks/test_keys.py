"""Keys are fetched over https alone, once, again when they rotate, and never faster than the cool-down."""

from __future__ import annotations

import asyncio
import dataclasses
from dataclasses import dataclass, field

import pytest

from contracts.webhooks.keys import MAX_KEY_BYTES, FetchError, KeyStore, check, over
from contracts.webhooks.records import Checked, Ports, Refusal
from contracts.webhooks.schemes.tokens import GOOGLE_KEYS, RISC_CONFIGURATION
from interlock.records import Reason
from interlock.wire import Answer, Call, Wire, WireError
from tests.contracts.webhooks.signers import NOW, SNS_URL, held, key_set, senders


@dataclass
class World:
    """A clock that is set, and a provider that publishes."""

    now: float = NOW
    published: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        await asyncio.sleep(0)
        if url not in self.published:
            raise FetchError("status 404")
        return self.published[url]

    def store(self) -> KeyStore:
        return KeyStore(self.fetch, lambda: self.now)

    async def check(self, name: str, store: KeyStore) -> Checked:
        sender = senders()[name]
        keys = dataclasses.replace(
            sender.keys, jwks=None, issuers=() if name == "risc" else sender.keys.issuers
        )
        ports = Ports(now=lambda: self.now)
        return await check(sender.scheme, sender.send(at=self.now), keys, ports, store)


async def test_a_certificate_is_fetched_once_for_many_deliveries() -> None:
    world = World(published=dict(held()))
    store = world.store()
    found = await asyncio.gather(*(world.check("sns-1", store) for _ in range(20)))
    assert all(one.accepted for one in found)
    assert world.asked == [SNS_URL]


async def test_it_is_fetched_again_after_its_time() -> None:
    world = World(published=dict(held()))
    store = world.store()
    await world.check("sns-1", store)
    world.now += 3601
    assert (await world.check("sns-1", store)).accepted
    assert len(world.asked) == 2


async def test_a_key_that_rotates_is_found_and_an_invented_one_does_not_make_us_ask() -> None:
    world = World(published={GOOGLE_KEYS: key_set("old")})
    store = world.store()
    assert (await world.check("pubsub", store)).reason is Refusal.KEY_UNKNOWN
    world.published[GOOGLE_KEYS] = key_set()
    assert (await world.check("pubsub", store)).reason is Refusal.KEY_UNKNOWN  # within the cool-down
    assert len(world.asked) == 1
    world.now += 30
    assert (await world.check("pubsub", store)).accepted
    assert len(world.asked) == 2


async def test_a_provider_that_is_away_is_not_asked_for_every_delivery() -> None:
    world = World()
    store = world.store()
    for _ in range(10):
        assert (await world.check("sns-1", store)).reason is Refusal.KEY_UNAVAILABLE
    assert len(world.asked) == 1


async def test_what_is_held_counts_on_while_the_provider_is_away() -> None:
    """But no longer than its time: a failure does not renew it."""
    world = World(published={GOOGLE_KEYS: key_set("old")})
    store = world.store()
    await world.check("pubsub", store)
    world.published.clear()
    world.now += 31
    assert (await world.check("pubsub", store)).reason is Refusal.KEY_UNKNOWN
    assert store.held(GOOGLE_KEYS) is not None
    world.now += 3600
    assert store.held(GOOGLE_KEYS) is None


async def test_many_urls_are_bounded_together() -> None:
    world = World()
    store = world.store()
    for number in range(100):
        await store.load(f"https://api.paypal.com/{number}")
    assert len(world.asked) == 20


async def test_risc_goes_by_its_discovery() -> None:
    configuration = b'{"issuer":"https://accounts.google.com/","jwks_uri":"%s"}'
    world = World(
        published={RISC_CONFIGURATION: configuration % GOOGLE_KEYS.encode(), GOOGLE_KEYS: key_set()}
    )
    assert (await world.check("risc", world.store())).accepted
    assert world.asked == [RISC_CONFIGURATION, GOOGLE_KEYS]
    for elsewhere in (
        b"http://www.googleapis.com/x",
        b"https://googleapis.com.evil.example/x",
        b"https://a@google.com",
    ):
        world = World(published={RISC_CONFIGURATION: configuration % elsewhere})
        assert (await world.check("risc", world.store())).reason is Refusal.KEY_MALFORMED
        assert world.asked == [RISC_CONFIGURATION]


@pytest.mark.parametrize("url", ["http://sns.eu-west-1.amazonaws.com/a.pem", "file:///etc/passwd", ""])
async def test_nothing_but_https_is_fetched(url: str) -> None:
    world = World(published={url: b"x"})
    assert not await world.store().load(url)
    assert world.asked == []
    with pytest.raises(FetchError, match="https alone"):
        await over(Wire())(url)


async def test_what_is_too_large_is_not_kept() -> None:
    world = World(published={SNS_URL: b"x" * (MAX_KEY_BYTES + 1)})
    store = world.store()
    assert not await store.load(SNS_URL)
    assert store.held(SNS_URL) is None


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=302, headers={"location": "https://evil.example/"}, body=b""),
        Answer(status=200, headers={}, body=b"x", truncated=True),
        WireError(Reason.TIMEOUT, "no answer", {}),
    ],
)
async def test_a_redirect_a_cut_and_a_failure_give_no_key(
    answer: Answer | WireError, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def exchange(self: Wire, _call: Call, *, deadline_seconds: float) -> Answer:
        assert (self.max_body_bytes, deadline_seconds) == (MAX_KEY_BYTES, 10)
        if isinstance(answer, WireError):
            raise answer
        return answer

    monkeypatch.setattr(Wire, "exchange", exchange)
    with pytest.raises(FetchError, match="could not be fetched"):
        await over(Wire())(SNS_URL)


async def test_what_the_wire_brings_is_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    async def exchange(_self: Wire, asked: Call, *, deadline_seconds: float) -> Answer:
        assert (asked.method, asked.host, deadline_seconds) == ("GET", "sns.eu-west-1.amazonaws.com", 10)
        return Answer(status=200, headers={}, body=b"pem")

    monkeypatch.setattr(Wire, "exchange", exchange)
    assert await over(Wire())(SNS_URL) == b"pem"
