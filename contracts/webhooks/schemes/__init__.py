"""The table of signature schemes: one row each, one file a family."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from contracts.webhooks.records import Delivery, Keys, Policy
from contracts.webhooks.schemes import (
    event_grid,
    generic,
    hub,
    hubspot,
    mailgun,
    paypal,
    salesforce,
    segment,
    sendgrid,
    sns,
    square,
    standard,
    static,
    stripe,
    tokens,
    twilio,
)
from contracts.webhooks.schemes.base import Ask, Proof

Check = Callable[[Ask], Proof]
Sign = Callable[[Delivery, Keys, float, str | None], Delivery]


_LENIENT = Policy()


@dataclass(frozen=True, slots=True)
class Scheme:
    """One scheme. `policy`: what the provider's own verifier does.

    `signs` names what a forger cannot change: of `body` `timestamp` `id` `url` `method` `parameters` `token`.
    `versions` can be asked of `sign`, the default first. `event_id`, `event_type`: as in `Policy`.
    """

    name: str
    check: Check
    sign: Sign
    signs: frozenset[str]
    policy: Policy = _LENIENT
    event_id: str | None = None
    event_type: str | None = None
    versions: tuple[str, ...] = ()


def _row(name: str, check: Check, sign: Sign, signs: str, **more: object) -> Scheme:
    return Scheme(name, check, sign, frozenset(signs.split()), **more)  # type: ignore[arg-type]


_FIVE_MINUTES = Policy(tolerance_seconds=300)
_FIVE_MINUTES_EACH_WAY = Policy(tolerance_seconds=300, future_seconds=300)
_MAILGUN = Policy(tolerance_seconds=900, future_seconds=900)

_TABLE = (
    _row(
        "stripe", stripe.check, stripe.sign, "timestamp body",
        policy=_FIVE_MINUTES, event_id="/id", event_type="/type",
    ),
    _row("square", square.check, square.sign, "url body", event_id="/event_id", event_type="/type"),
    _row(
        "paypal", paypal.check, paypal.sign, "timestamp id body",
        event_id="/id", event_type="/event_type",
    ),
    _row(
        "sendgrid", sendgrid.check, sendgrid.sign, "timestamp body",
        event_id="/*/sg_event_id", event_type="/*/event",
    ),
    _row(
        "mailgun", mailgun.check, mailgun.sign, "timestamp token",
        policy=_MAILGUN, event_id="/event-data/id", event_type="/event-data/event",
    ),
    _row(
        "twilio", twilio.check, twilio.sign, "url body",
        event_id="header:I-Twilio-Idempotency-Token", event_type="form:MessageStatus",
        versions=("HMAC_SHA1", "HMAC_SHA256"),
    ),
    _row(
        "sns", sns.check, sns.sign, "timestamp id body",
        event_id="/MessageId", event_type="/Type", versions=("1", "2"),
    ),
    _row(
        "github", hub.check, hub.sign, "body",
        event_id="header:X-GitHub-Delivery", event_type="header:X-GitHub-Event",
    ),
    _row("facebook", hub.check_facebook, hub.sign, "body", event_type="/object"),
    _row(
        "hubspot", hubspot.check, hubspot.sign, "timestamp method url body",
        policy=_FIVE_MINUTES, event_id="/*/eventId", event_type="/*/subscriptionType",
        versions=("v3", "v2", "v1"),
    ),
    _row("segment", segment.check, segment.sign, "body", event_id="/messageId", event_type="/type"),
    _row(
        "google-pubsub-push", tokens.check_pubsub, tokens.sign_pubsub, "token",
        event_id="/message/messageId", event_type="/message/attributes/eventType",
    ),
    _row("google-risc", tokens.check_risc, tokens.sign_risc, "timestamp id body"),
    _row(
        "event-grid", event_grid.check, event_grid.sign, "",
        event_id="/*/id", event_type="/*/eventType",
    ),
    _row("auth0", static.check, static.sign, "", event_id="/id", event_type="/type"),
    _row("amplitude", static.check, static.sign, "", event_id="/message_id"),
    _row(
        "mixpanel", static.check_mixpanel, static.sign_mixpanel, "",
        event_id="/parameters/mixpanel_session_id", event_type="/action",
    ),
    _row("salesforce", salesforce.check, salesforce.sign, ""),
    _row("auth0-id-token", tokens.check_auth0_id, tokens.sign_auth0_id, "token"),
    _row("cognito-token", tokens.check_cognito, tokens.sign_cognito, "token"),
    _row(
        "standard-webhooks", standard.check, standard.sign, "timestamp id body",
        policy=_FIVE_MINUTES_EACH_WAY, event_type="/type",
    ),
    _row("hmac", generic.check, generic.sign, "body id", policy=_FIVE_MINUTES, event_id="/id", event_type="/type"),
)  # fmt: skip

SCHEMES = {row.name: row for row in _TABLE}
