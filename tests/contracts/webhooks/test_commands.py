"""`interlock webhooks verify` as a user runs it: exit status, words, JSON, and no secret in any of it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from contracts.webhooks import commands, delivery_files
from contracts.webhooks.commands import group
from contracts.webhooks.configure import made
from contracts.webhooks.keys import FetchError
from contracts.webhooks.records import Delivery, Keys, Ports
from contracts.webhooks.signatures import sign, verify
from interlock import catalogue
from interlock.errors import UsageError
from interlock.secrets import Secret
from tests.contracts.webhooks.signers import NOW, held, senders

AT = dt.datetime(2026, 9, 21, 14, 13, 20, tzinfo=dt.UTC)
SECRET = "whsec_madeup4711madeup4711"
BODY = b'{"id": "evt_1", "type": "invoice.paid"}'


def delivery(body: bytes = BODY, secret: str = SECRET) -> Delivery:
    draft = Delivery(url="https://shop.example.com/hooks/stripe", body=body)
    return sign("stripe", draft, Keys(secrets=(Secret(secret, name="x"),)), at=AT.timestamp())


def run(*words: str, text: str | None = None, **environ: str) -> Result:
    if text is None:
        text = delivery_files.write(delivery(), AT)
    return CliRunner(env=environ).invoke(group, ["verify", *words], input=text, standalone_mode=False)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", ["stripe"])
def test_one_that_fits_is_0_and_says_who_sent_it(name: str) -> None:
    result = run(name, "--secret", "env:WH", WH=SECRET)
    assert result.return_value == 0
    assert "verdict         it fits: Stripe sent this" in result.output
    assert "event           invoice.paid, evt_1" in result.output
    assert SECRET not in result.output


def test_one_that_does_not_fit_is_1_and_says_why() -> None:
    changed = delivery().with_body(json.dumps(json.loads(BODY), separators=(",", ":")).encode())
    result = run("stripe", "--secret", "env:WH", text=delivery_files.write(changed, AT), WH=SECRET)
    assert result.return_value == 1
    assert "it does not fit, signature_mismatch" in result.output
    assert "the body was parsed and written again" in result.output
    assert "verify the raw bytes" in result.output


def test_the_json_is_stable() -> None:
    result = run("stripe", "--secret", "env:WH", "--format", "json", WH=SECRET)
    told: dict[str, Any] = json.loads(result.output)
    assert told["schema"] == "interlock.webhook-check/1"
    assert (told["accepted"], told["event_ids"], told["dedupe_key"]) == (True, ["evt_1"], "evt_1")
    assert told["signed_at"] == "2026-09-21T14:13:20Z"


def test_the_settings_name_secret_url_and_tolerance(tmp_path: Path) -> None:
    (tmp_path / "interlock.toml").write_text(
        '[integrations.pay]\nprovider = "stripe"\ncredentials.webhook_secret = "env:WH"\n'
        '[integrations.old]\nprovider = "stripe"\nwebhooks.secrets = ["env:OLD"]\nwebhooks.tolerance = "1s"\n'
    )
    assert run("pay", WH=SECRET, OLD="madeup-old").return_value == 0
    swapped = run("old", WH=SECRET, OLD="madeup-old-secret")
    assert swapped.return_value == 1
    assert "the secret of pay (env:WH) fits" in swapped.output
    late = delivery_files.write(delivery(), AT + dt.timedelta(seconds=5))
    assert "signed 5 s ago, 1 s are allowed" in run("old", text=late, WH=SECRET, OLD=SECRET).output


@pytest.mark.parametrize(
    ("words", "text", "message"),
    [
        (("nobody", "--secret", "env:WH"), None, "no integration, provider or signature scheme is called"),
        (("stripe",), None, "a secret is needed"),
        (("stripe", "--secret", SECRET), None, "never the secret itself"),
        (("stripe", "--secret", "env:NOT_SET"), None, "is not set"),
        (("fcm", "--secret", "env:WH"), None, "sends no webhooks"),
        (("stripe", "--secret", "env:WH"), "no JSON", "is not JSON"),
        (("stripe", "--secret", "env:WH"), "[]", "is not a JSON object"),
        (("stripe", "--secret", "env:WH"), '{"headers": [["a"]]}', "not pairs of name and value"),
        (("stripe", "--secret", "env:WH"), '{"body_b64": "%"}', "is not base64"),
        (("stripe", "--secret", "env:WH"), '{"received_at": "yesterday"}', "no time with a zone"),
        (("stripe", "--secret", "env:WH"), '{"method": 1}', "is not text"),
    ],
)
def test_a_mistake_is_named_and_shows_no_secret(
    words: tuple[str, ...], text: str | None, message: str
) -> None:
    result = run(*words, text=text, WH=SECRET)
    assert isinstance(result.exception, UsageError)
    assert message in result.exception.message
    assert SECRET not in result.exception.message + (result.exception.hint or "") + result.output


def test_a_delivery_file_comes_back_as_it_was_written() -> None:
    one = delivery(b"\xff\x00 any bytes")
    assert delivery_files.read(delivery_files.write(one, AT)) == (one, AT)


def test_the_type_of_what_sns_carries_is_that_of_the_event_inside() -> None:
    """Mail events come in the `Message` of a notification: the catalogue's place is sought there."""
    message = json.dumps({"eventType": "Bounce", "mail": {"messageId": "m"}})
    body = {
        "Type": "Notification",
        "MessageId": "m1",
        "TopicArn": "arn:aws:sns:eu-west-1:1:t",
        "Message": message,
    }
    sent = senders()["sns-2"].send(json.dumps(body).encode())
    chosen = made("mail", catalogue.load("ses"), "sns", [])
    checked = verify("sns", sent, chosen.keys, Ports(now=lambda: NOW, held=held().get), chosen.policy)
    assert (checked.accepted, checked.event_type, checked.event_id) == (True, "Bounce", "m1")


def test_the_secret_that_fits_is_named_by_its_reference() -> None:
    result = run("stripe", "--secret", "env:OLD", "--secret", "env:WH", OLD="madeup-old", WH=SECRET)
    assert "key             env:WH\n" in result.output
    assert "(body, timestamp)" in result.output


@pytest.mark.parametrize(
    ("name", "said", "hint"),
    [
        ("stripe", "a secret is needed to check what Stripe sends", "--secret env:NAME or file:PATH"),
        ("hmac", "a secret and hmac are needed", "--secret env:NAME or file:PATH"),
        (
            "paypal",
            "webhook_id and roots are needed to check what PayPal sends",
            "set webhook_id under [integrations.NAME.webhooks]",
        ),
    ],
)
def test_what_a_check_lacks_is_said_with_where_to_set_it(name: str, said: str, hint: str) -> None:
    refused = run(name).exception
    assert isinstance(refused, UsageError)
    assert said in refused.message
    assert hint in (refused.hint or "")


def test_a_key_that_cannot_be_fetched_settles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unreachable(_url: str) -> bytes:
        raise FetchError("unreachable")

    monkeypatch.setattr(commands, "over", lambda _wire: unreachable)
    result = run("sns", text=delivery_files.write(senders()["sns-2"].send(), AT))
    assert result.return_value == 3
    assert "it cannot be judged, key_unavailable" in result.output
