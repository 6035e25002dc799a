"""The laws of every scheme: what is signed is let in; one byte changed, and it is refused by name."""

from __future__ import annotations

import dataclasses
import json
from urllib.parse import parse_qsl

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from contracts.webhooks.records import Delivery, Keys, Policy, Ports, Refusal
from contracts.webhooks.schemes import SCHEMES
from contracts.webhooks.signatures import sign, verify
from interlock.catalogue import load_all
from interlock.errors import UsageError
from tests.contracts.webhooks.signers import NOW, URL, Sender, held, secret, senders

RELAXED = settings(deadline=None)  # a loaded machine is no failure
ALL = sorted(senders())
BOUND = [name for name in ALL if senders()[name].body_bound]
SIGNED = [name for name in ALL if senders()[name].signature]
SECRET = [name for name in ALL if senders()[name].secret_bound]

MISMATCH = {Refusal.SIGNATURE_MISMATCH, Refusal.CREDENTIAL_MISMATCH}
BODY = MISMATCH | {Refusal.BODY_MALFORMED, Refusal.BODY_DIGEST_MISMATCH}
TOKEN = {Refusal.TOKEN_MALFORMED, Refusal.ALGORITHM_UNSUPPORTED, Refusal.KEY_UNKNOWN}
SNS = {
    Refusal.TYPE_UNKNOWN,
    Refusal.SIGNATURE_MISSING,
    Refusal.SIGNATURE_MALFORMED,
    Refusal.TIMESTAMP_MALFORMED,
    Refusal.ALGORITHM_UNSUPPORTED,
    Refusal.CERTIFICATE_URL_UNTRUSTED,
    Refusal.KEY_UNAVAILABLE,
}
HEADER = MISMATCH | TOKEN | {
    Refusal.SIGNATURE_MALFORMED,
    Refusal.SIGNATURE_MISSING,
    Refusal.SIGNATURE_DUPLICATED,
    Refusal.SIGNATURE_DOWNGRADED,
    Refusal.TIMESTAMP_MISSING,
    Refusal.TIMESTAMP_MALFORMED,
}  # fmt: skip


def _flip(data: bytes, at: int, by: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes([data[at] ^ by]) + data[at + 1 :]


def _meaning(sender: Sender, body: bytes) -> object:
    """What a scheme that reads its body signs of it; others sign the bytes."""
    if sender.name.startswith("sns"):
        try:
            return json.loads(body)
        except ValueError:
            return body
    if sender.name in {"twilio-form", "twilio-shared-key"}:
        pairs = sorted(set(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)))
        return "".join(name + value for name, value in pairs)  # Twilio joins them without a separator
    return body


def _reason(sender: Sender, delivery: Delivery) -> Refusal | None:
    return sender.check(delivery).reason


@pytest.mark.parametrize("name", ALL)
def test_what_is_signed_is_let_in(name: str) -> None:
    sender = senders()[name]
    checked = sender.check(sender.send())
    assert checked.accepted, (checked.reason, checked.detail)
    assert checked.key_fingerprint
    assert "made-up" not in repr(checked)


@RELAXED
@given(st.sampled_from([n for n in BOUND if n not in {"risc", "sns-1", "sns-2"}]), st.binary(max_size=200))
def test_any_body_that_is_signed_is_let_in(name: str, body: bytes) -> None:
    """Not UTF-8, not JSON, with NULs: bytes are bytes."""
    sender = senders()[name]
    assume(body or name != "square")
    assume(not (name == "segment" and body.startswith(b"[")))
    assume(not name.startswith("twilio-") or body.isascii())
    assert _reason(sender, sender.send(body)) is None


@RELAXED
@given(st.sampled_from(BOUND), st.integers(0, 4000), st.integers(1, 255))
def test_one_changed_byte_of_the_body_is_refused(name: str, at: int, by: int) -> None:
    sender = senders()[name]
    delivery = sender.send()
    changed = _flip(delivery.body, at, by)
    assume(_meaning(sender, changed) != _meaning(sender, delivery.body))
    allowed = BODY | (SNS if name.startswith("sns") else TOKEN if name == "risc" else set())
    assert _reason(sender, delivery.with_body(changed)) in allowed


@RELAXED
@given(st.sampled_from(SIGNED), st.integers(0, 4000), st.integers(1, 127))
def test_one_changed_byte_of_the_signature_is_refused(name: str, at: int, by: int) -> None:
    sender = senders()[name]
    assert sender.signature is not None
    delivery = sender.send()
    (value,) = delivery.values(sender.signature)
    changed = _flip(value.encode(), at, by).decode("latin-1")
    assume(changed.partition(" ")[2] != value.partition(" ")[2] or changed.lower() != value.lower())
    if name == "auth0":
        assume(changed != value)
    checked = sender.check(delivery.with_headers({sender.signature: changed}))
    assert checked.reason in HEADER, (value, changed)


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("hubspot-v3", "X-HubSpot-Request-Timestamp"),
        ("standard", "webhook-timestamp"),
        ("standard", "webhook-id"),
        ("sendgrid", "X-Twilio-Email-Event-Webhook-Timestamp"),
        ("paypal", "PAYPAL-TRANSMISSION-ID"),
        ("paypal", "PAYPAL-TRANSMISSION-TIME"),
        ("hmac", "X-Time"),
    ],
)
def test_one_changed_byte_of_a_signed_header_is_refused(name: str, header: str) -> None:
    sender = senders()[name]
    delivery = sender.send()
    (value,) = delivery.values(header)
    for at in range(len(value)):
        changed = value[:at] + ("1" if value[at] != "1" else "2") + value[at + 1 :]
        reason = _reason(sender, delivery.with_headers({header: changed}))
        assert reason in {Refusal.SIGNATURE_MISMATCH, Refusal.TIMESTAMP_MALFORMED}, (at, reason)


@RELAXED
@given(st.sampled_from(SECRET), st.integers(0, 100), st.integers(1, 31))
def test_one_changed_byte_of_the_key_is_refused(name: str, at: int, by: int) -> None:
    sender = senders()[name]
    right = sender.keys.secrets[0].reveal()
    wrong = _flip(right.encode(), at, by).decode("latin-1")
    assume(wrong.isprintable() and wrong.isascii())
    keys = dataclasses.replace(sender.keys, secrets=(secret(wrong),))
    try:
        checked = sender.check(sender.send(), keys=keys)
    except UsageError:
        return  # a key that is none is ours to mend
    assert checked.reason in MISMATCH


@pytest.mark.parametrize("name", SECRET)
def test_old_and_new_secret_count_together(name: str) -> None:
    """During a rotation, in either order, and the fingerprint tells which one fits."""
    sender = senders()[name]
    right, other = sender.keys.secrets[0], secret("whsec_b3RoZXItc2VjcmV0LW9mLTI0LWJ5dGU=")
    prints = set()
    for pair in ((right, other), (other, right)):
        checked = sender.check(sender.send(), keys=dataclasses.replace(sender.keys, secrets=pair))
        assert checked.accepted
        prints.add(checked.key_fingerprint)
    assert len(prints) == 1


@pytest.mark.parametrize("name", SIGNED)
def test_a_signature_header_that_stands_twice_is_refused(name: str) -> None:
    """Even twice the same: who reads the first and who reads the last would differ."""
    sender = senders()[name]
    assert sender.signature is not None
    delivery = sender.send()
    again = (sender.signature.swapcase(), delivery.values(sender.signature)[0])
    twice = dataclasses.replace(delivery, headers=(*delivery.headers, again))
    assert _reason(sender, twice) is Refusal.SIGNATURE_DUPLICATED


@pytest.mark.parametrize("name", SIGNED)
def test_no_signature_and_an_empty_one_are_refused(name: str) -> None:
    sender = senders()[name]
    assert sender.signature is not None
    delivery, lower = sender.send(), sender.signature.lower()
    bare = dataclasses.replace(delivery, headers=tuple(p for p in delivery.headers if p[0].lower() != lower))
    missing = {Refusal.SIGNATURE_MISSING, Refusal.CREDENTIAL_MISSING}
    assert _reason(sender, bare) in missing
    assert _reason(sender, delivery.with_headers({sender.signature: ""})) in missing


NAMES = sorted(
    {name for sender in senders().values() for name, _ in sender.send().headers}
    | {
        "Content-Type",
        "aeg-event-type",
        "WebHook-Request-Origin",
        "svix-id",
        "X-Hub-Signature",
        "X-HubSpot-Signature-Version",
    }
)
TEXT = st.text(st.characters(codec=None), max_size=40) | st.sampled_from(
    [
        "multipart/form-data; boundary=b",
        "Bearer a.b.c",
        "Basic !",
        "t=1,v1=",
        "sha256=",
        "SHA256withRSA",
        "1790000000",
        "v1,",
        "https://[",
        "\ud800",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["signature", "Type", "Signature", "SignatureVersion", "timestamp", "token", "keys", "kid"]
            )
            | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=8,
)
BODIES = (
    st.binary(max_size=80)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.sampled_from(
        [b"[" * 100_000, b'{"a":' * 100_000, b"<a>" * 9000, b"&" * 9000, b"9" * 5000, b"[1", b"a.b.c"]
    )
)


@RELAXED
@given(
    st.sampled_from(ALL),
    st.sampled_from(["GET", "POST", "OPTIONS", ""]),
    TEXT | st.just(URL) | st.sampled_from(["https://[", "https://a:b/", "//:99999", "?code=1&code=1"]),
    st.lists(st.tuples(st.sampled_from(NAMES), TEXT), max_size=6),
    BODIES,
)
def test_nothing_raises_for_what_comes(
    name: str, method: str, url: str, headers: list[tuple[str, str]], body: bytes
) -> None:
    keys = dataclasses.replace(senders()[name].keys, verify_token=secret("made-up"))
    delivery = Delivery(method=method, url=url, headers=tuple(headers), body=body)
    checked = senders()[name].check(delivery, keys=keys)
    assert not checked.accepted
    assert checked.dedupe_key


@RELAXED
@given(st.sampled_from(ALL), st.data())
def test_nothing_raises_for_a_delivery_with_one_strange_part(name: str, data: st.DataObject) -> None:
    sender = senders()[name]
    delivery = sender.send()
    at = data.draw(st.integers(-2, len(delivery.headers) - 1))
    if at == -2:
        sender.check(delivery.with_body(data.draw(BODIES)))
    elif at == -1:
        sender.check(dataclasses.replace(delivery, url=data.draw(TEXT)))
    else:
        sender.check(delivery.with_headers({delivery.headers[at][0]: data.draw(TEXT)}))


@RELAXED
@given(st.sampled_from(["sns-1", "paypal", "pubsub", "risc", "cognito"]), BODIES)
def test_nothing_raises_for_what_is_fetched(name: str, fetched: bytes) -> None:
    sender = senders()[name]
    keys = dataclasses.replace(sender.keys, jwks=None)
    ports = Ports(now=lambda: NOW, held=lambda _url: fetched)
    checked = verify(sender.scheme, sender.send(), keys, ports)
    assert checked.reason in {Refusal.CERTIFICATE_MALFORMED, Refusal.KEY_MALFORMED, Refusal.KEY_UNKNOWN}


@pytest.mark.parametrize("name", ALL)
def test_what_is_not_configured_is_our_own_mistake(name: str) -> None:
    sender = senders()[name]
    if not name.startswith("sns") and name != "event-grid-token":  # without issuers it is asked for its key
        with pytest.raises(UsageError, match="configured"):
            sender.check(sender.send(), keys=Keys())
    if sender.keys.private_key is None:
        with pytest.raises(UsageError, match="configured"):
            sign(sender.scheme, Delivery(url=URL, body=sender.body), Keys(), at=NOW)


@pytest.mark.parametrize("name", ["stripe", "hubspot-v3", "standard", "mailgun", "hmac"])
def test_the_bounds_of_time_are_the_policys(name: str) -> None:
    """At the bound it is let in, a second beyond it is not; None bounds nothing."""
    sender = senders()[name]
    policy = Policy(tolerance_seconds=60, future_seconds=30)
    strict = dataclasses.replace(sender, policy=policy)
    delivery = sender.send()
    assert strict.check(delivery, now=NOW + 60).accepted
    assert strict.check(delivery, now=NOW + 61).reason is Refusal.TIMESTAMP_STALE
    assert strict.check(delivery, now=NOW - 30).accepted
    late = strict.check(delivery, now=NOW - 31)
    assert (late.reason, late.age_seconds) == (Refusal.TIMESTAMP_FUTURE, -31)
    assert dataclasses.replace(sender, policy=Policy()).check(delivery, now=NOW + 10**8).accepted


def test_every_scheme_of_the_catalogue_has_a_row_that_finds_events_where_it_says() -> None:
    for provider in load_all():
        told = provider.webhooks
        if told is None:
            continue
        row = SCHEMES[told.scheme]
        if row.event_id is not None and told.scheme != "sns":
            assert row.event_id == told.event_id, provider.name
            assert row.event_type == told.event_type or told.event_type is None, provider.name


@pytest.mark.parametrize("row", SCHEMES.values(), ids=list(SCHEMES))
def test_a_row_has_its_source_and_a_sender(row: object) -> None:
    scheme = SCHEMES[row.name]  # type: ignore[attr-defined]
    module = __import__(scheme.check.__module__, fromlist=["x"])
    assert "Source" in (module.__doc__ or "")
    assert scheme.name == "salesforce" or scheme.name in {one.scheme for one in senders().values()}


def test_a_scheme_or_version_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match="no signature scheme 'strip'"):
        verify("strip", Delivery(), Keys(), Ports(now=lambda: NOW))
    with pytest.raises(UsageError, match="stripe has no version 'v9'"):
        sign("stripe", Delivery(), Keys(), at=NOW, version="v9")


def test_what_is_held_is_asked_for_by_its_url() -> None:
    for name in ("sns-1", "paypal"):
        sender = senders()[name]
        checked = verify(sender.scheme, sender.send(), sender.keys, Ports(now=lambda: NOW))
        assert checked.reason is Refusal.KEY_UNAVAILABLE
        assert checked.key_url in held()
