"""The table of cases: how each one's deliveries are made, and what a right receiver does. Pure."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from contracts.webhooks.drill.profiles import compose, event_id, rewritten, without
from contracts.webhooks.drill.records import Bench, Expect, Planned, Row, Shot, WhyNot
from contracts.webhooks.records import Delivery, Keys
from contracts.webhooks.schemes import SCHEMES
from contracts.webhooks.signatures import sign

_OLD_SECONDS, _COPIES = 60, 20
_ODD_TEXT = "Zo\u00eb \u6f22\u5b57 \U0001f389 <&> \u2028"
Made = tuple[Shot, ...] | WhyNot


def plan(bench: Bench) -> tuple[Planned, ...]:
    """Every case, in the order in which it is sent; the control first."""
    return tuple(Planned(row, row.make(bench)) for row in ROWS)


def _draft(bench: Bench, name: str, kind: str | None = None) -> tuple[Delivery, str | None]:
    own = event_id(bench.profile, bench.run, name)
    made = compose(bench.profile, bench.document, own, kind or bench.profile.type, bench.url)
    return made, own if bench.profile.id_at else None


def _signed(bench: Bench, draft: Delivery, *, keys: Keys | None = None, at: float | None = None) -> Delivery:
    return sign(bench.receiver.scheme, draft, keys or bench.keys, at=bench.now if at is None else at)


def _valid(bench: Bench, name: str, kind: str | None = None) -> Shot:
    draft, own = _draft(bench, name, kind)
    return Shot(delivery=_signed(bench, draft), expect=Expect.TAKEN, event_id=own, effects=1)


def _forged(bench: Bench, name: str, change: Callable[[Delivery], Delivery]) -> tuple[Shot, ...]:
    shot = _valid(bench, name)
    forged = change(shot.delivery)
    return (dataclasses.replace(shot, delivery=forged, expect=Expect.REFUSED, effects=0),)


def _signs(bench: Bench, what: str) -> bool:
    return what in SCHEMES[bench.receiver.scheme].signs


def _unsigned(bench: Bench, what: str) -> WhyNot:
    return WhyNot(f"{bench.receiver.scheme} does not sign {what}", bench.profile.source)


# --- forgeries ---


def _control(bench: Bench) -> Made:
    return (_valid(bench, "control"),)


def _no_signature(bench: Bench) -> Made:
    def change(delivery: Delivery) -> Delivery:
        if bench.profile.signature:
            return without(delivery, bench.profile.signature)
        return rewritten(bench.profile, delivery, lambda document: document.pop("signature"))

    return _forged(bench, "no-signature", change)


def _with_signature(bench: Bench, text: str) -> Callable[[Delivery], Delivery]:
    def change(delivery: Delivery) -> Delivery:
        if bench.profile.signature:
            return delivery.with_headers({bench.profile.signature: text})
        return rewritten(
            bench.profile, delivery, lambda document: document["signature"].update(signature=text)
        )

    return change


def _empty_signature(bench: Bench) -> Made:
    return _forged(bench, "empty-signature", _with_signature(bench, ""))


def _wrong_secret(bench: Bench) -> Made:
    draft, own = _draft(bench, "wrong-secret")
    made = _signed(bench, draft, keys=bench.wrong)
    return (Shot(delivery=made, expect=Expect.REFUSED, event_id=own, effects=0),)


def _tampered_body(bench: Bench) -> Made:
    if not _signs(bench, "body"):
        return _unsigned(bench, "the body")

    def change(delivery: Delivery) -> Delivery:
        return rewritten(bench.profile, delivery, _tamper)

    return _forged(bench, "tampered-body", change)


def _tamper(document: Any) -> None:
    target = document[0] if isinstance(document, list) else document
    target["interlock_tampered"] = "9"


def _tampered_timestamp(bench: Bench) -> Made:
    if not _signs(bench, "timestamp"):
        return _unsigned(bench, "a time")
    later = int(bench.now) + 1

    def change(delivery: Delivery) -> Delivery:
        profile = bench.profile
        if profile.timestamp:
            came = delivery.values(profile.timestamp)[0]
            return delivery.with_headers({profile.timestamp: str(int(came) + 1)})
        if profile.in_body:
            return rewritten(profile, delivery, lambda found: found["signature"].update(timestamp=str(later)))
        header = profile.signature or ""
        value = delivery.values(header)[0].replace(f"t={int(bench.now)}", f"t={later}")
        return delivery.with_headers({header: value})

    return _forged(bench, "tampered-timestamp", change)


def _tampered_id(bench: Bench) -> Made:
    where = bench.profile.id_at or ""
    if not where.startswith("header:"):
        return WhyNot("the id stands in the body, which other cases change", bench.profile.source)
    if not _signs(bench, "id"):
        return _unsigned(bench, "the id")
    other = event_id(bench.profile, bench.run, "tampered-id-other")
    shots = _forged(bench, "tampered-id", lambda found: found.with_headers({where[7:]: other}))
    return tuple(dataclasses.replace(shot, event_id=other) for shot in shots)


def _at(bench: Bench, name: str, at: float, expect: Expect) -> Made:
    if not _signs(bench, "timestamp"):
        return _unsigned(bench, "a time")
    if bench.receiver.policy.tolerance_seconds is None:
        return WhyNot("the provider's own verifier has no window of time", bench.profile.source)
    draft, own = _draft(bench, name)
    effects = 0 if expect is Expect.STALE else None
    return (Shot(delivery=_signed(bench, draft, at=at), expect=expect, event_id=own, effects=effects),)


def _stale(bench: Bench) -> Made:
    tolerance = bench.receiver.policy.tolerance_seconds or 0
    return _at(bench, "stale", bench.now - tolerance - _OLD_SECONDS, Expect.STALE)


def _future(bench: Bench) -> Made:
    policy = bench.receiver.policy
    ahead = policy.future_seconds or policy.tolerance_seconds or 0
    return _at(bench, "future", bench.now + ahead + _OLD_SECONDS, Expect.FUTURE)


def _downgraded(bench: Bench) -> Made:
    if bench.profile.weaken is None:
        return WhyNot("the scheme has no weaker version that the provider has retired", bench.profile.source)
    draft, own = _draft(bench, "downgraded")
    made = bench.profile.weaken(draft, bench.keys, bench.now)
    return (Shot(delivery=made, expect=Expect.DOWNGRADED, event_id=own, effects=None),)


# --- one event, one effect ---


def _no_id(bench: Bench) -> WhyNot | None:
    if bench.profile.id_at is None:
        return WhyNot("its deliveries carry no id, so effects cannot be counted", bench.profile.source)
    return None


def _exact_replay(bench: Bench) -> Made:
    shot = _valid(bench, "exact-replay")
    return _no_id(bench) or (shot, dataclasses.replace(shot, expect=Expect.CALM))


def _fresh_again(bench: Bench) -> Made:
    draft, own = _draft(bench, "fresh-again")
    first = _signed(bench, draft, at=bench.now - 5)
    again = Shot(delivery=_signed(bench, draft), expect=Expect.TAKEN, event_id=own, effects=1)
    return _no_id(bench) or (dataclasses.replace(again, delivery=first), again)


def _at_once(bench: Bench) -> Made:
    shot = _valid(bench, "twenty-at-once")
    return _no_id(bench) or (dataclasses.replace(shot, expect=Expect.CALM, at_once=_COPIES),)


def _id_stripped(bench: Bench) -> Made:
    where, profile = bench.profile.id_at, bench.profile
    if where is None:
        return WhyNot("its deliveries carry no id", profile.source)
    draft, _ = _draft(bench, "id-stripped")
    if where.startswith("header:"):
        made = without(_signed(bench, draft), where[7:])
        expect = Expect.REFUSED if _signs(bench, "id") else Expect.CALM
        return (Shot(delivery=made, expect=expect),)
    made = _signed(bench, rewritten(profile, draft, lambda document: _drop(document, where)))
    return (Shot(delivery=made, expect=Expect.CALM),)


def _drop(document: Any, pointer: str) -> None:
    *way, last = pointer.split("/")[1:]
    for step in way:
        document = document[int(step)] if isinstance(document, list) else document[step]
    del document[last]


def _out_of_order(bench: Bench) -> Made:
    newer = _valid(bench, "out-of-order-newer")
    draft, own = _draft(bench, "out-of-order-older")
    older = _signed(bench, draft, at=bench.now - _OLD_SECONDS)
    return newer, dataclasses.replace(newer, delivery=older, event_id=own)


# --- what a receiver must bear ---


def _unknown_type(bench: Bench) -> Made:
    shot = _valid(bench, "unknown-type", "interlock.unknown")
    return (dataclasses.replace(shot, expect=Expect.UNKNOWN, effects=None),)


def _malformed(bench: Bench) -> Made:
    if bench.profile.form or bench.profile.in_body:
        return WhyNot(
            "a body that cannot be read carries no valid signature, or is no JSON", bench.profile.source
        )
    draft, _ = _draft(bench, "malformed-json")
    made = _signed(bench, draft.with_body(draft.body[: len(draft.body) // 2]))
    return (Shot(delivery=made, expect=Expect.CALM),)


def _wrong_content_type(bench: Bench) -> Made:
    shot = _valid(bench, "wrong-content-type")
    made = shot.delivery.with_headers({"Content-Type": "text/plain"})
    return (Shot(delivery=made, expect=Expect.CALM),)


def _oversize(bench: Bench) -> Made:
    def pad(document: Any) -> None:
        (document[0] if isinstance(document, list) else document)["padding"] = "x" * bench.oversize_bytes

    draft, _ = _draft(bench, "oversize")
    return (Shot(delivery=_signed(bench, rewritten(bench.profile, draft, pad)), expect=Expect.CALM),)


def _rotation(bench: Bench) -> Made:
    if not bench.profile.several:
        return WhyNot("a delivery carries one signature only", bench.profile.source)
    draft, own = _draft(bench, "two-secrets")
    both = dataclasses.replace(bench.keys, secrets=(*bench.wrong.secrets, *bench.keys.secrets))
    return (Shot(delivery=_signed(bench, draft, keys=both), expect=Expect.TAKEN, event_id=own, effects=1),)


def _duplicated(bench: Bench) -> Made:
    if bench.profile.signature is None:
        return WhyNot("the signature stands in no header", bench.profile.source)
    made = _valid(bench, "duplicated-header").delivery
    more = (bench.profile.signature, "made-up")
    twice = Delivery(method=made.method, url=made.url, headers=(*made.headers, more), body=made.body)
    return (Shot(delivery=twice, expect=Expect.CALM),)


def _unicode(bench: Bench) -> Made:
    draft, own = _draft(bench, "unicode")
    if bench.profile.form:
        body = draft.body + b"&" + urlencode({"Body": _ODD_TEXT}).encode()
        made = draft.with_body(body)
    else:
        text = json.dumps({"note": _ODD_TEXT}, ensure_ascii=False)[1:-1].encode()
        at = draft.body.rindex(b"}")
        made = draft.with_body(draft.body[:at] + b',"escaped":"\\u00eb\\/",' + text + draft.body[at:])
    return (Shot(delivery=_signed(bench, made), expect=Expect.TAKEN, event_id=own, effects=1),)


def _pretty(bench: Bench) -> Made:
    if bench.profile.form or bench.profile.in_body:
        return WhyNot("spelling of JSON is not signed", bench.profile.source)
    draft, own = _draft(bench, "pretty-printed")
    made = rewritten(bench.profile, draft, lambda _: None, indent=2, separators=(", ", " : "))
    signed = _signed(bench, made.with_body(made.body + b"\n"))
    return (Shot(delivery=signed, expect=Expect.TAKEN, event_id=own, effects=1),)


def _slow_body(bench: Bench) -> Made:
    return (dataclasses.replace(_valid(bench, "slow-body"), slowly=True),)


def _handshake(bench: Bench) -> Made:
    if bench.receiver.scheme != "facebook":
        return WhyNot("the scheme has no handshake", bench.profile.source)
    token = bench.keys.verify_token
    if token is None:
        return WhyNot("the settings name no verify_token", bench.profile.source, missing=True)

    def asked(text: str) -> Delivery:
        joint = "&" if "?" in bench.url else "?"
        query = {"hub.mode": "subscribe", "hub.challenge": "4711", "hub.verify_token": text}
        return Delivery(method="GET", url=bench.url + joint + urlencode(query))

    right = Shot(delivery=asked(token.reveal()), expect=Expect.TAKEN, echoes=b"4711")
    return right, Shot(delivery=asked("made-up"), expect=Expect.REFUSED)


def _row(name: str, proves: str, make: Callable[[Bench], Made], *, by_effects: bool = False) -> Row:
    return Row(name=name, proves=proves, make=make, by_effects=by_effects)


ROWS = (
    _row("control", "a valid delivery is taken", _control),
    _row("no-signature", "a delivery without signature is refused", _no_signature),
    _row("empty-signature", "an empty signature is refused", _empty_signature),
    _row("wrong-secret", "a signature by another secret is refused", _wrong_secret),
    _row("tampered-body", "a changed body is refused", _tampered_body),
    _row("tampered-timestamp", "a changed time is refused", _tampered_timestamp),
    _row("tampered-id", "a changed id is refused", _tampered_id),
    _row("stale", "an old delivery is refused", _stale),
    _row("future", "a delivery from the future is refused", _future),
    _row("downgraded", "a signature of a weaker version is refused", _downgraded),
    _row("exact-replay", "the same bytes again act once", _exact_replay, by_effects=True),
    _row("fresh-again", "the same event, signed again, acts once", _fresh_again, by_effects=True),
    _row("twenty-at-once", "twenty copies at the same time act once", _at_once, by_effects=True),
    _row("id-stripped", "a delivery without id does not break it", _id_stripped),
    _row("out-of-order", "a later event before an earlier one: both are taken", _out_of_order),
    _row("unknown-type", "a new type of event does not break it", _unknown_type),
    _row("malformed-json", "a body that is no JSON, validly signed, does not break it", _malformed),
    _row("wrong-content-type", "another content type does not break it", _wrong_content_type),
    _row("oversize", "a large body neither breaks nor hangs it", _oversize),
    _row("two-secrets", "signed with old and new secret: taken", _rotation),
    _row("duplicated-header", "the signature's header twice does not break it", _duplicated),
    _row("unicode", "a body beyond ASCII is taken: raw bytes are checked", _unicode),
    _row("pretty-printed", "a body with other white space is taken: raw bytes are checked", _pretty),
    _row("slow-body", "a body that comes in pieces is taken", _slow_body),
    _row("handshake", "the provider's handshake is answered, and only with the right token", _handshake),
)
