"""What one scheme has and others have not: versions, topics, roots, handshakes, batches, ids, keys of several makes."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
import trustme

from contracts.webhooks.events import identify
from contracts.webhooks.records import Checked, Delivery, HmacShape, Keys, Policy, Ports, Refusal
from contracts.webhooks.signatures import sign, verify
from interlock.errors import UsageError
from tests.contracts.webhooks.signers import NOW, PAYPAL_URL, URL, certificate, held, issued, secret, senders


def _check(name: str, keys: Keys | None = None, policy: Policy | None = None, **ports: object) -> Checked:
    sender = senders()[name]
    world = Ports(now=lambda: NOW, **{"held": held().get, **ports})  # type: ignore[arg-type]
    return verify(sender.scheme, sender.send(), keys or sender.keys, world, policy)


@pytest.mark.parametrize(
    ("name", "versions"),
    [("hubspot-v1", {"v3"}), ("hubspot-v2", {"v3"}), ("sns-1", {"2"}), ("twilio-form", {"HMAC_SHA256"})],
)
def test_a_version_that_policy_forbids_is_a_downgrade(name: str, versions: set[str]) -> None:
    checked = _check(name, policy=Policy(versions=frozenset(versions)))
    assert checked.reason is Refusal.SIGNATURE_DOWNGRADED


def test_an_older_signature_beside_a_wrong_newer_one_lets_nothing_in() -> None:
    sender = senders()["hubspot-v1"]
    delivery = sender.send().with_headers(
        {"X-HubSpot-Signature-v3": "x", "X-HubSpot-Request-Timestamp": f"{NOW:.0f}000"}
    )
    assert sender.check(delivery).reason is Refusal.SIGNATURE_MISMATCH


def test_a_topic_of_someone_else_is_refused_though_aws_signed_it() -> None:
    assert _check("sns-1").accepted
    assert _check("sns-1", policy=Policy(topics=frozenset({"arn:other"}))).reason is Refusal.TOPIC_MISMATCH
    assert _check("sns-1", policy=Policy(topics=frozenset({"arn:aws:sns:eu-west-1:1:t"}))).accepted


def test_a_confirmation_names_the_url_to_fetch_on_the_hosts_of_sns_alone() -> None:
    sender = senders()["sns-2"]
    message = {
        "Type": "SubscriptionConfirmation",
        "MessageId": "m",
        "TopicArn": "t",
        "Message": "",
        "Token": "k",
    }
    right = sender.send(
        json.dumps({**message, "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?A=1"}).encode()
    )
    assert sender.check(right).confirm_url == "https://sns.eu-west-1.amazonaws.com/?A=1"
    wrong = sender.send(json.dumps({**message, "SubscribeURL": "https://10.0.0.1/"}).encode())
    assert sender.check(wrong).reason is Refusal.SUBSCRIBE_URL_UNTRUSTED


def test_the_type_of_what_sns_carries_is_read_inside_it() -> None:
    sender = senders()["sns-1"]
    inner = {"Type": "Notification", "MessageId": "m", "TopicArn": "t", "Message": '{"eventType":"Bounce"}'}
    policy = Policy(event_type="/eventType")
    checked = dataclasses.replace(sender, policy=policy).check(sender.send(json.dumps(inner).encode()))
    assert (checked.event_type, checked.event_id, checked.id_signed) == ("Bounce", "m", True)


@pytest.mark.parametrize(
    ("name", "key"), [("paypal", "messageverificationcerts.paypal.com"), ("sns-1", "sns")]
)
def test_a_certificate_that_leads_to_no_given_root_is_refused(name: str, key: str) -> None:
    keys = dataclasses.replace(senders()[name].keys, roots=(certificate(f"other.{key}"),))
    assert _check(name, keys=keys).reason is Refusal.CERTIFICATE_UNTRUSTED
    keys = dataclasses.replace(keys, roots=("no certificate",))
    with pytest.raises(UsageError, match="root"):
        _check(name, keys=keys)


def test_a_chain_from_a_root_to_a_name_of_paypals_is_taken() -> None:
    """Through an intermediate; another name under the same root, and the chain cut, are refused."""
    root = trustme.CA()
    between = root.create_child_ca()
    sender = senders()["paypal"]
    for name, cut, reason in (
        ("messageverificationcerts.paypal.com", False, None),
        ("messageverificationcerts.paypal.com", True, Refusal.CERTIFICATE_UNTRUSTED),
        ("paypal.com.evil.example", False, Refusal.CERTIFICATE_UNTRUSTED),
    ):
        pem = issued(between, name) + (b"" if cut else between.cert_pem.bytes())
        keys = dataclasses.replace(sender.keys, roots=(root.cert_pem.bytes().decode(),))
        world = Ports(now=lambda: NOW, held={PAYPAL_URL: pem}.get)
        assert verify("paypal", sender.send(), keys, world).reason is reason


def test_a_route_of_mailguns_may_come_in_parts() -> None:
    block = json.loads(senders()["mailgun"].send().body)["signature"]
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, text in block.items()
    ]
    file = '--b\r\nContent-Disposition: form-data; name="token"; filename="token"\r\n\r\nx\r\n'
    headers = (("Content-Type", "multipart/form-data; boundary=b"),)
    right = Delivery(headers=headers, body="".join((*parts, file, "--b--\r\n")).encode())
    assert senders()["mailgun"].check(right).accepted
    twice = dataclasses.replace(right, body="".join((*parts, parts[1], "--b--\r\n")).encode())
    assert senders()["mailgun"].check(twice).reason is Refusal.SIGNATURE_DUPLICATED


def test_a_token_that_came_before_is_refused() -> None:
    sender = senders()["mailgun"]
    token = _check("mailgun").replay_token
    assert token is not None
    assert _check("mailgun", seen=lambda one: one == token).reason is Refusal.REPLAYED
    assert sender.send(at=NOW + 1).body != sender.send(at=NOW).body


def test_a_batch_of_segment_is_signed_in_its_first_event_only() -> None:
    sender = senders()["segment"]
    one = sender.check(sender.send(b'[{"messageId":"a"}]'))
    two = sender.check(sender.send(b'[{"messageId":"a"}, {"messageId":"b"}]'))
    assert (one.accepted, one.body_signed, two.accepted, two.body_signed) == (True, True, True, False)


def test_the_challenge_is_answered_raw_and_signs_nothing() -> None:
    keys = Keys(verify_token=secret("tok"))
    query = "?hub.mode=subscribe&hub.challenge=99&hub.verify_token=tok"
    checked = verify("facebook", Delivery(method="GET", url=URL + query), keys, Ports(now=lambda: NOW))
    assert checked.answer is not None
    assert (checked.accepted, checked.answer.body, checked.signed) == (True, b"99", None)
    twice = Delivery(method="GET", url=URL + query + "&hub.verify_token=tok")
    assert verify("facebook", twice, keys, Ports(now=lambda: NOW)).reason is Refusal.HANDSHAKE_MALFORMED


def test_behind_a_proxy_the_url_that_the_provider_was_given_counts() -> None:
    for name in ("square", "hubspot-v3", "twilio-form"):
        sender = senders()[name]
        inside = dataclasses.replace(sender.send(), url="http://10.0.0.2:8080/hook")
        assert sender.check(inside).reason is Refusal.SIGNATURE_MISMATCH
        assert sender.check(inside, keys=dataclasses.replace(sender.keys, url=URL)).accepted


def test_a_body_beyond_the_cap_is_refused_before_it_is_read() -> None:
    assert _check("stripe", policy=Policy(max_body_bytes=3)).reason is Refusal.BODY_TOO_LARGE


@pytest.mark.parametrize("encoding", ["hex", "base64", "base64url"])
@pytest.mark.parametrize(("made", "key"), [("text", "k"), ("hex", "00ff"), ("base64", "AAEC")])
def test_a_described_hmac_in_every_spelling(encoding: str, made: str, key: str) -> None:
    template = "{id}:{url}:{method}:{body}"
    made_of: Any = {"encoding": encoding, "key_encoding": made}
    shape = HmacShape(header="X-S", signed=template, id_header="X-I", **made_of)
    keys = Keys(secrets=(secret(key),), shape=shape)
    delivery = sign("hmac", Delivery(url=URL, body=b"\xff"), keys, at=NOW)
    assert verify("hmac", delivery, keys, Ports(now=lambda: NOW)).accepted
    checked = verify("hmac", delivery, keys, Ports(now=lambda: NOW))
    assert (checked.event_id, checked.dedupe_source) == ("evt_1", "signed_id")
    other = delivery.with_headers({"X-I": "other"})
    assert verify("hmac", other, keys, Ports(now=lambda: NOW)).reason is Refusal.SIGNATURE_MISMATCH


def test_a_key_that_is_none_is_our_own_mistake() -> None:
    world = Ports(now=lambda: NOW)
    with pytest.raises(UsageError, match="whsec_"):
        verify("standard-webhooks", senders()["standard"].send(), Keys(secrets=(secret("whsec_!"),)), world)
    with pytest.raises(UsageError, match="PEM nor base64"):
        verify("sendgrid", senders()["sendgrid"].send(), Keys(public_keys=("!",)), world)
    with pytest.raises(UsageError, match="private key"):
        sign("sendgrid", Delivery(), Keys(private_key=secret("x")), at=NOW)


@pytest.mark.parametrize(
    ("name", "event_id", "source"),
    [("stripe", "e1", "signed_id"), ("mailgun", "e1", "unsigned_id"), ("facebook", None, "body_digest")],
)
def test_what_a_delivery_is_told_apart_by(name: str, event_id: str | None, source: str) -> None:
    checked = _check(name)
    assert (checked.event_id, checked.dedupe_source) == (event_id, source)
    assert checked.dedupe_key == (event_id or f"sha256:{checked.body_digest}")


def test_several_events_have_one_key_in_their_order() -> None:
    sender = senders()["sendgrid"]
    keys = {
        sender.check(sender.send(body)).dedupe_key
        for body in (
            b'[{"sg_event_id":"a"},{"sg_event_id":"b"}]',
            b'[ {"sg_event_id":"a"}, {"sg_event_id":"b"} ]',
            b'[{"sg_event_id":"ab"},{"sg_event_id":""}]',
            b'[{"sg_event_id":"b"},{"sg_event_id":"a"}]',
        )
    }
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("/a/0/b", ("1",)),
        ("/a/*/b", ("1", "2")),
        ("/c~1d", ("x",)),
        ("/a", ()),
        ("/none/deeper", ()),
        ("header:X-Id", ("h",)),
        ("form:a", ()),
        (None, ()),
    ],
)
def test_events_are_found_where_the_catalogue_says(where: str | None, found: tuple[str, ...]) -> None:
    body = b'{"a":[{"b":1},{"b":"2"},{"b":null}],"c/d":"x"}'
    assert identify(Delivery(headers=(("x-id", "h"),), body=body), where) == found


def test_a_fingerprint_gives_nothing_away_and_holds_under_one_key() -> None:
    one, two = _check("stripe", fingerprint_key=b"a"), _check("stripe", fingerprint_key=b"b")
    assert one.key_fingerprint != two.key_fingerprint
    assert one.key_fingerprint == _check("stripe", fingerprint_key=b"a").key_fingerprint


def test_amplitude_without_a_configured_header_is_read_where_it_is_signed() -> None:
    keys, world = Keys(secrets=(secret("made-up"),)), Ports(now=lambda: NOW)
    assert verify("amplitude", sign("amplitude", Delivery(url=URL), keys, at=NOW), keys, world).accepted
    assert verify("amplitude", Delivery(url=URL), keys, world).reason is Refusal.CREDENTIAL_MISSING


def test_every_certificate_of_a_file_of_roots_is_one() -> None:
    sender = senders()["paypal"]
    bundle = certificate("other.example") + sender.keys.roots[0]
    assert _check("paypal", keys=dataclasses.replace(sender.keys, roots=(bundle,))).accepted
