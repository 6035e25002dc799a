"""The seam: is this delivery the provider's, and how the provider would have signed it."""

from __future__ import annotations

from datetime import UTC, datetime

from contracts.webhooks.events import identify_both
from contracts.webhooks.records import Checked, Delivery, Keys, Policy, Ports, Refusal
from contracts.webhooks.schemes import SCHEMES, Scheme
from contracts.webhooks.schemes.base import Ask, Proof, Refused
from interlock.errors import UsageError


def scheme_named(name: str) -> Scheme:
    """The row of the table. Raises `UsageError` for a name that it does not have."""
    if name not in SCHEMES:
        raise UsageError(f"no signature scheme {name!r}", hint=f"one of: {', '.join(sorted(SCHEMES))}")
    return SCHEMES[name]


def verify(name: str, delivery: Delivery, keys: Keys, ports: Ports, policy: Policy | None = None) -> Checked:
    """Check one delivery. Whatever came over the wire, the answer is a `Checked`; no I/O is done.

    A key that is to be fetched and is not held is refused as `KEY_UNAVAILABLE`, with its URL in `key_url`.
    `policy` None: the scheme's own. Raises `UsageError` if the scheme is unknown or a key is not configured.
    """
    scheme = scheme_named(name)
    policy = policy or scheme.policy
    ask = Ask(delivery, keys, policy, ports)
    try:
        _bounded(ask)
        proof = scheme.check(ask)
    except Refused as refused:
        return _checked(scheme, ask, refused.proof, refused)
    return _checked(scheme, ask, proof, None)


def refusal(
    name: str, delivery: Delivery, keys: Keys, ports: Ports, policy: Policy | None = None
) -> Refusal | None:
    """Why `verify` would refuse a delivery, None if it would not: the decision alone, without reading its events."""
    scheme = SCHEMES.get(name) or scheme_named(name)
    ask = Ask(delivery, keys, policy or scheme.policy, ports)
    try:
        if len(delivery.body) > ask.policy.max_body_bytes:
            return Refusal.BODY_TOO_LARGE
        scheme.check(ask)
    except Refused as refused:
        return refused.reason
    return None


def sign(name: str, delivery: Delivery, keys: Keys, *, at: float, version: str | None = None) -> Delivery:
    """The delivery as the provider would send it at `at` (epoch seconds), signed with what is in `keys`.

    Schemes that keep the signature in the body give another body. `version`: one of the row's `versions`.
    Raises `UsageError` if a key is missing or the version is unknown, `ValueError` for a body of the wrong kind.
    """
    scheme = scheme_named(name)
    if version is not None and version not in scheme.versions:
        raise UsageError(f"{name} has no version {version!r}", hint=f"one of: {', '.join(scheme.versions)}")
    return scheme.sign(delivery, keys, at, version)


def _bounded(ask: Ask) -> None:
    if len(ask.delivery.body) > ask.policy.max_body_bytes:
        raise Refused(Refusal.BODY_TOO_LARGE, f"larger than {ask.policy.max_body_bytes} bytes")


def _checked(scheme: Scheme, ask: Ask, proof: Proof, refused: Refused | None) -> Checked:
    policy, delivery = ask.policy, ask.delivery
    body_signed = proof.body_signed if proof.body_signed is not None else "body" in scheme.signs
    id_at = policy.event_id or scheme.event_id
    in_body = id_at is not None and id_at.startswith(("/", "form:"))
    id_signed = "id" in scheme.signs if proof.event_ids is not None else body_signed and in_body
    type_at = policy.event_type or scheme.event_type
    ids, types = identify_both(
        delivery,
        id_at if proof.event_ids is None else None,
        type_at if proof.event_types is None else None,
    )
    return Checked(
        scheme=scheme.name,
        accepted=refused is None,
        reason=refused.reason if refused else None,
        detail=refused.detail if refused else "",
        version=proof.version,
        signed_at=_moment(proof.signed_at),
        age_seconds=None if proof.signed_at is None else ask.ports.now() - proof.signed_at,
        key_fingerprint=ask.fingerprint(proof.secret) if proof.secret else proof.key_fingerprint,
        signed=proof.signed,
        came=proof.came,
        event_ids=ids if proof.event_ids is None else proof.event_ids,
        event_types=types if proof.event_types is None else proof.event_types,
        id_signed=id_signed and refused is None,
        body_signed=body_signed and refused is None,
        body=delivery.body,
        replay_token=proof.replay_token,
        key_url=proof.key_url,
        confirm_url=proof.confirm_url,
        answer=proof.answer,
    )


def _moment(at: float | None) -> datetime | None:
    """Aware UTC; None for no time, or one beyond the calendar."""
    try:
        return None if at is None else datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError):
        return None
