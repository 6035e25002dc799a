"""`--self-test`: the drill held against reference receivers whose faults are known. Says so when the drill is wrong."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import functools
import hmac
import math
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from contracts.contract import Contract
from contracts.shelf import LIBRARY_FOLDER, Shelf
from contracts.webhooks.configure import PUBLIC_KEY_SCHEMES, Receiver, made
from contracts.webhooks.drill.receivers import checks
from contracts.webhooks.drill.receivers.checks import CHECKS, Came
from contracts.webhooks.drill.receivers.server import Fault, Reference
from contracts.webhooks.drill.run import Ports, drill
from contracts.webhooks.drill.setting import PRIVATE_KEY_SCHEMES, Signer, bench, profile_of, wrong
from contracts.webhooks.records import HmacShape, Keys
from interlock import catalogue
from interlock.output import Case, CaseState
from interlock.secrets import Secret

GROUP = "drill self-test"
Found = frozenset[tuple[str, str]]
_TEXT = "made-up-for-the-self-test"
_ORGANIZATION = "00D000000000001"
OVERSIZE_BYTES = 2 * 1024 * 1024
HANG_SECONDS = 1.0  # twice this is waited for what never answers


def _pairs(rule: str, *cases: str) -> Found:
    return frozenset((case, rule) for case in cases)


_TAKEN, _ACTED, _5XX = "webhook-forgery-taken", "webhook-forgery-acted", "webhook-answers-5xx"
_REFUSED, _REPEATED = "webhook-valid-refused", "webhook-effect-repeated"
_FORGERIES = ("no-signature", "empty-signature", "wrong-secret", "tampered-body", "tampered-timestamp")
_TIMES = ("stale", "future")
_REPLAYS = ("exact-replay", "fresh-again", "twenty-at-once", "id-stripped")
_STALE = _pairs("webhook-stale-taken", "stale")
_FUTURE = _pairs("webhook-future-taken", "future")
_WEAKER = _pairs("webhook-downgrade-taken", "downgraded")

# by fault: the scheme of the receiver it is planted in, and every finding that it must give
PLANTED: dict[Fault, tuple[str, Found]] = {
    Fault.CHECKS_NOTHING: ("stripe", _pairs(_TAKEN, *_FORGERIES) | _STALE | _FUTURE | _WEAKER),
    Fault.TAKES_UNSIGNED: ("stripe", _pairs(_TAKEN, "no-signature")),
    Fault.TAKES_EMPTY: ("stripe", _pairs(_TAKEN, "empty-signature")),
    Fault.SECOND_SECRET: ("stripe", _pairs(_TAKEN, "wrong-secret")),
    Fault.IGNORES_A_FIELD: ("github", _pairs(_TAKEN, "tampered-body")),
    Fault.ROUNDS_TIME: ("stripe", _pairs(_TAKEN, "tampered-timestamp")),
    Fault.IGNORES_ID: ("standard-webhooks", _pairs(_TAKEN, "tampered-id")),
    Fault.NO_PAST: ("stripe", _STALE),
    Fault.NO_FUTURE: ("stripe", _FUTURE),
    Fault.TAKES_WEAKER: ("github", _WEAKER),
    Fault.BREAKS_ON_FORGERY: (
        "stripe",
        _pairs(_5XX, *_FORGERIES, *_TIMES, "downgraded", "duplicated-header"),
    ),
    Fault.ACTS_FIRST: (
        "stripe",
        _pairs(_ACTED, *_FORGERIES, "stale") | _pairs(_REPEATED, *_REPLAYS),
    ),
    Fault.ACTS_AGAIN: ("stripe", _pairs(_REPEATED, *_REPLAYS)),
    Fault.KEYED_BY_SIGNATURE: ("stripe", _pairs(_REPEATED, "fresh-again")),
    Fault.RACES: ("stripe", _pairs(_REPEATED, "twenty-at-once")),
    Fault.NEEDS_ID: ("stripe", _pairs(_5XX, "id-stripped")),
    Fault.NULL_IS_NO_KEY: ("stripe", _pairs(_REPEATED, "id-stripped")),
    Fault.INVENTS_ID: ("stripe", _pairs(_REPEATED, "id-stripped")),
    Fault.IN_ORDER: ("stripe", _pairs(_REFUSED, "out-of-order")),
    Fault.NEEDS_KNOWN_TYPE: ("stripe", _pairs(_5XX, "unknown-type")),
    Fault.BREAKS_ON_JSON: ("stripe", _pairs(_5XX, "malformed-json")),
    Fault.BREAKS_ON_CONTENT_TYPE: ("stripe", _pairs(_5XX, "wrong-content-type")),
    Fault.BREAKS_ON_SIZE: ("stripe", _pairs(_5XX, "oversize")),
    Fault.FIRST_SIGNATURE: ("stripe", _pairs(_REFUSED, "two-secrets")),
    Fault.BREAKS_ON_DOUBLES: ("github", _pairs(_5XX, "duplicated-header")),
    Fault.RESERIALISES: ("square", _pairs(_REFUSED, "unicode", "pretty-printed")),
    Fault.ASCII_ONLY: ("github", _pairs(_REFUSED, "unicode")),
    Fault.STRIPS: ("stripe", _pairs(_REFUSED, "pretty-printed")),
    Fault.ONE_PIECE: ("stripe", _pairs(_REFUSED, "slow-body")),
    Fault.SLOW: ("stripe", _pairs("webhook-slow", "unknown-type")),
    Fault.HANGS: ("stripe", _pairs("webhook-hangs", "unknown-type")),
    Fault.BREAKS_ON_A_TYPE: ("stripe", _pairs(_5XX, "every-type")),
    Fault.UNACKNOWLEDGED: ("mixpanel", _pairs("webhook-unacknowledged", "acknowledgement")),
    Fault.NO_ECHO: ("facebook", _pairs("webhook-handshake-unanswered", "handshake")),
    Fault.ANY_TOKEN: ("facebook", _pairs(_TAKEN, "handshake")),
}


@dataclass(frozen=True, slots=True)
class _Held:
    """What the drill signs with, and what the receiver checks with."""

    signs: Secret
    checks: str


def _held(scheme: str) -> _Held:
    if scheme in PRIVATE_KEY_SCHEMES:
        return _pair(scheme)
    text = {
        "standard-webhooks": f"whsec_{base64.b64encode(_TEXT.encode()).decode()}",
        "mixpanel": f"user:{_TEXT}",
        "salesforce": _ORGANIZATION,
    }.get(scheme, _TEXT)
    return _Held(Secret(text, name="made-up secret"), text)


@functools.cache
def _pair(scheme: str) -> _Held:
    key = (
        ec.generate_private_key(ec.SECP256R1())
        if scheme in PUBLIC_KEY_SCHEMES
        else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return _Held(Secret(text, name="made-up key"), base64.b64encode(public).decode())


def _weaker(came: Came, secret: str) -> bool:
    expected = "sha1=" + hmac.new(secret.encode(), came.body, "sha1").hexdigest()
    return hmac.compare_digest(came.headers.get("x-hub-signature", ""), expected)


# What the reference receivers are, beside their secret.
_KEYS = Keys(
    verify_token=Secret("made-up-token", name="made-up token"),
    webhook_id=checks.WEBHOOK_ID,
    organization_id=_ORGANIZATION,
    audiences=(checks.AUDIENCE,),
    account=checks.ACCOUNT,
)
_SHAPE = HmacShape(
    header="X-Made-Up-Signature", prefix="v1=", algorithm="sha512", encoding="base64",
    signed="{id}.{timestamp}.{body}", timestamp_header="X-Made-Up-Time", timestamp_unit="ms",
    id_header="X-Made-Up-Id",
)  # fmt: skip
# The provider whose catalogue and contract a scheme is drilled with, where it is not called as the scheme is.
_PROVIDERS = {
    "google-pubsub-push": "gcs", "google-risc": "google_oauth", "event-grid": "azure_blob",
}  # fmt: skip


def _receiver(scheme: str) -> tuple[Receiver, Contract | None]:
    name = _PROVIDERS.get(scheme, scheme)
    provider = catalogue.load(name) if name in catalogue.names() else None
    keys = dataclasses.replace(_KEYS, shape=_SHAPE) if scheme == "hmac" else _KEYS
    receiver = dataclasses.replace(made(f"reference-{scheme}", provider, scheme, ()), keys=keys)
    return receiver, Shelf(LIBRARY_FOLDER).of_events(name)


async def drilled(
    scheme: str,
    fault: Fault | None = None,
    *,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[None]] | None = None,
    effects: bool = True,
    shown: Callable[[bytes], bytes] = bytes,
) -> tuple[Case, ...]:
    """The drill of one reference receiver, on loopback. What is slow or hangs does so by a clock of its own.

    `shown`: what becomes of its list of effects before the drill reads it.
    """
    held, (receiver, contract) = _held(scheme), _receiver(scheme)
    signer = Signer(secrets=(held.signs,), certificate_url="https://sns.us-east-1.amazonaws.com/drill.pem")
    second, slow = wrong(scheme, receiver.keys).secrets, _Slow()
    reference = Reference(
        scheme=scheme, profile=profile_of(receiver, receiver.keys), secret=held.checks, now=now,
        verify_token="made-up-token",  # noqa: S106 - made up
        second=second[0].reveal() if second else "", fault=fault, pause=slow.pause, weaker=_weaker,
    )  # fmt: skip

    async def read() -> bytes:
        return shown(await reference.read_effects())

    if fault is Fault.HANGS:
        receiver = dataclasses.replace(receiver, timeout_seconds=HANG_SECONDS)
    async with reference.serving() as url:
        made_bench = bench(
            receiver, signer, url=url, now=now(), run="selftest", contract=contract,
            oversize_bytes=OVERSIZE_BYTES,
        )  # fmt: skip
        ports = Ports(
            effects=read if effects else None,
            settle_seconds=0,
            pause_seconds=0.02,
            clock=slow.clock,
        )
        return await drill(made_bench, dataclasses.replace(ports, sleep=sleep) if sleep else ports)


@dataclass
class _Slow:
    """A clock that only a slow receiver moves."""

    seconds: float = 0.0

    def clock(self) -> float:
        return self.seconds

    async def pause(self, seconds: float) -> None:
        if math.isinf(seconds):
            await asyncio.Event().wait()
        self.seconds += seconds


def found_in(cases: tuple[Case, ...]) -> Found:
    """Case and rule of every finding."""
    return frozenset((case.name, each.rule) for case in cases for each in case.findings)


async def self_test() -> tuple[Case, ...]:
    """A case for each reference receiver: passed where the drill finds what is planted, and nothing else."""
    wanted: list[tuple[str, str, Fault | None, Found]] = [
        (f"right {scheme}", scheme, None, frozenset()) for scheme in CHECKS
    ]
    wanted += [(f"{scheme}: {fault}", scheme, fault, found) for fault, (scheme, found) in PLANTED.items()]
    cases = []
    for name, scheme, fault, expected in wanted:
        found = found_in(await drilled(scheme, fault))
        detail = "; ".join(_differs(expected, found))
        state = CaseState.FAILED if detail else CaseState.PASSED
        cases.append(Case(name=name, group=GROUP, state=state, detail=detail))
    return tuple(cases)


def _differs(expected: Found, found: Found) -> Iterator[str]:
    for case, rule in sorted(expected - found):
        yield f"not found: {rule} in {case}"
    for case, rule in sorted(found - expected):
        yield f"found, and not planted: {rule} in {case}"
