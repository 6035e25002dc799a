"""The table of cases: how each one's deliveries are made, and what a right receiver does. Pure."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from functools import reduce
from urllib.parse import urlencode

from contracts.webhooks.drill import places
from contracts.webhooks.drill.profiles import compose, event_id, respelled
from contracts.webhooks.drill.records import (
    Bench,
    EventPayloads,
    Expect,
    Heard,
    Planned,
    Row,
    Shot,
    Wanted,
    WhyNot,
)
from contracts.webhooks.records import Delivery, Keys
from contracts.webhooks.schemes import SCHEMES
from contracts.webhooks.schemes.event_grid import VALIDATION
from contracts.webhooks.signatures import sign

_OLD_SECONDS, _COPIES = 60, 20
_NAMELESS = 3  # times without id: the second may be a stranger's by chance, two of them hardly
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
    """As the provider signs it, with the older signature beside the new one where it still sends both."""
    keys, at = keys or bench.keys, bench.now if at is None else at
    made, profile = sign(bench.receiver.scheme, draft, keys, at=at), bench.profile
    return profile.weaken(made, keys, at) if profile.weaker_at and profile.weaken else made


def _valid(bench: Bench, name: str, kind: str | None = None) -> Shot:
    draft, own = _draft(bench, name, kind)
    return Shot(delivery=_signed(bench, draft), expect=Expect.TAKEN, event_id=own, effects=1)


def _forged(bench: Bench, name: str, change: Callable[[Delivery], Delivery]) -> tuple[Shot, ...]:
    shot = _valid(bench, name)
    forged = change(shot.delivery)
    return (dataclasses.replace(shot, delivery=forged, expect=Expect.REFUSED, effects=0),)


def _signs(bench: Bench, what: str) -> bool:
    own = bench.profile.signs
    return what in (SCHEMES[bench.receiver.scheme].signs if own is None else own)


def _unsigned(bench: Bench, what: str) -> WhyNot:
    return WhyNot(f"{bench.receiver.scheme} does not sign {what}", bench.profile.source)


# --- forgeries ---


def _control(bench: Bench) -> Made:
    return (_valid(bench, "control"),)


def _signatures(bench: Bench) -> tuple[str, ...]:
    """Where they stand: the one that counts, and the older one that is sent beside it."""
    return (bench.profile.signature, *filter(None, [bench.profile.weaker_at]))


def _no_signature(bench: Bench) -> Made:
    return _forged(bench, "no-signature", lambda found: reduce(places.drop, _signatures(bench), found))


def _empty_signature(bench: Bench) -> Made:
    def emptied(found: Delivery, place: str) -> Delivery:
        return places.put(found, place, "")

    return _forged(bench, "empty-signature", lambda found: reduce(emptied, _signatures(bench), found))


def _wrong_secret(bench: Bench) -> Made:
    draft, own = _draft(bench, "wrong-secret")
    made = _signed(bench, draft, keys=bench.wrong)
    return (Shot(delivery=made, expect=Expect.REFUSED, event_id=own, effects=0),)


def _tampered_body(bench: Bench) -> Made:
    if not _signs(bench, "body"):
        return _unsigned(bench, "the body")
    return _forged(bench, "tampered-body", lambda found: _tampered(bench, found))


def _tampered(bench: Bench, found: Delivery) -> Delivery:
    if bench.profile.tamper_at:
        return places.put(found, bench.profile.tamper_at, "tampered")
    return places.add(found, "interlock_tampered", "9")


def _tampered_timestamp(bench: Bench) -> Made:
    where = bench.profile.timestamp
    if where is None or not _signs(bench, "timestamp"):
        return _unsigned(bench, "a time")
    return _forged(bench, "tampered-timestamp", lambda found: _a_second_later(found, where))


def _a_second_later(found: Delivery, where: str) -> Delivery:
    later = places.later(places.get(found, where) or "")
    return places.put(found, where, int(later) if where.startswith("claim:") else later)


def _tampered_id(bench: Bench) -> Made:
    where = bench.profile.id_at or ""
    if not where.startswith("header:"):
        if not _signs(bench, "body"):
            return _unsigned(bench, "the id")
        return WhyNot("the id stands in the body, which other cases change", bench.profile.source)
    if not _signs(bench, "id"):
        return _unsigned(bench, "the id")
    other = event_id(bench.profile, bench.run, "tampered-id-other")
    shots = _forged(bench, "tampered-id", lambda found: places.put(found, where, other))
    return tuple(dataclasses.replace(shot, event_id=other) for shot in shots)


def _at(bench: Bench, name: str, at: float, expect: Expect) -> Made:
    if not _signs(bench, "timestamp"):
        return _unsigned(bench, "a time")
    if _window(bench) is None:
        return WhyNot("the provider's own verifier has no window of time", bench.profile.source)
    draft, own = _draft(bench, name)
    effects = 0 if expect is Expect.STALE else None
    return (Shot(delivery=_signed(bench, draft, at=at), expect=expect, event_id=own, effects=effects),)


def _window(bench: Bench) -> float | None:
    """How old a delivery may be: as long as its token lives, or as policy says."""
    return bench.profile.lifetime_seconds or bench.receiver.policy.tolerance_seconds


def _stale(bench: Bench) -> Made:
    return _at(bench, "stale", bench.now - (_window(bench) or 0) - _OLD_SECONDS, Expect.STALE)


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
    if profile.needs_id:
        return WhyNot("without its id a delivery cannot be signed", profile.source)
    beside = "a valid delivery beside it"
    turns = [
        dataclasses.replace(_valid(bench, f"id-stripped-beside-{turn}"), about=beside)
        for turn in range(2 * _NAMELESS + 1)
    ]
    rounds = zip(turns[1::2], turns[2::2], strict=True)
    nameless = _without_id(bench, where)
    return turns[0], *(shot for one, other in rounds for shot in (nameless, one, other))


def _without_id(bench: Bench, where: str) -> Shot:
    """The same bytes each time, and other ones in another run: a receiver may know a digest of them."""
    draft, _ = _draft(bench, "id-stripped")
    draft = places.add(draft, "interlock_run", bench.run)
    if not where.startswith("header:"):
        return Shot(delivery=_signed(bench, places.drop(draft, where)), expect=Expect.CALM, effects=1)
    made = places.drop(_signed(bench, draft), where)
    signed = _signs(bench, "id")
    return Shot(delivery=made, expect=Expect.REFUSED if signed else Expect.CALM, effects=0 if signed else 1)


def _out_of_order(bench: Bench) -> Made:
    newer = _valid(bench, "out-of-order-newer")
    draft, own = _draft(bench, "out-of-order-older")
    older = _signed(bench, draft, at=bench.now - _OLD_SECONDS)
    return newer, dataclasses.replace(newer, delivery=older, event_id=own)


# --- what a receiver must bear ---


def _unknown_type(bench: Bench) -> Made:
    if bench.profile.type_at is None:
        return WhyNot("its deliveries name no type of their own", bench.profile.source)
    shot = _valid(bench, "unknown-type", "interlock.unknown")
    return (dataclasses.replace(shot, expect=Expect.LISTED, effects=None),)


def _every_type(bench: Bench) -> Made:
    """Each type's example must be taken; what was made from its schema must not break anything."""
    if not bench.events:
        return WhyNot("no contract of its events is known", bench.profile.source)
    return tuple(shot for event in bench.events for shot in _of_type(bench, event))


def _of_type(bench: Bench, event: EventPayloads) -> Iterator[Shot]:
    known = [] if event.example is None else [(event.example, Expect.LISTED, "its example")]
    known += [(document, Expect.CALM, "made from its schema") for document in event.made]
    for turn, (document, expect, said) in enumerate(known):
        own = event_id(bench.profile, bench.run, f"{event.type}-{turn}")
        draft = compose(bench.profile, document, own, event.kind, bench.url, make=True)
        yield Shot(delivery=_signed(bench, draft), expect=expect, event_id=own, about=f"{event.type}, {said}")


def _malformed(bench: Bench) -> Made:
    profile = bench.profile
    if not profile.json and not profile.content_type.startswith("text/xml"):
        return WhyNot("a body that cannot be read carries no valid signature, or is no JSON", profile.source)
    draft, _ = _draft(bench, "malformed-json")
    made = _signed(bench, draft.with_body(draft.body[: len(draft.body) // 2]))
    return (Shot(delivery=made, expect=Expect.CALM),)


def _wrong_content_type(bench: Bench) -> Made:
    shot = _valid(bench, "wrong-content-type")
    made = shot.delivery.with_headers({"Content-Type": "text/plain"})
    return (Shot(delivery=made, expect=Expect.CALM),)


def _oversize(bench: Bench) -> Made:
    draft, _ = _draft(bench, "oversize")
    made = _signed(bench, places.add(draft, "padding", "x" * bench.oversize_bytes))
    return (Shot(delivery=made, expect=Expect.CALM),)


def _rotation(bench: Bench) -> Made:
    if not bench.profile.several:
        return WhyNot("a delivery carries one signature only", bench.profile.source)
    draft, own = _draft(bench, "two-secrets")
    both = dataclasses.replace(bench.keys, secrets=(*bench.wrong.secrets, *bench.keys.secrets))
    return (Shot(delivery=_signed(bench, draft, keys=both), expect=Expect.TAKEN, event_id=own, effects=1),)


def _duplicated(bench: Bench) -> Made:
    made = _valid(bench, "duplicated-header").delivery
    bearer = bench.profile.signature == "token:" and places.has_bearer(made)
    name = "Authorization" if bearer else places.header_of(bench.profile.signature)
    if name is None:
        return WhyNot("the signature stands in no header", bench.profile.source)
    twice = dataclasses.replace(made, headers=(*made.headers, (name, "made-up")))
    return (Shot(delivery=twice, expect=Expect.CALM),)


def _unicode(bench: Bench) -> Made:
    draft, own = _draft(bench, "unicode")
    if places.is_form(draft):
        made = places.add(draft, "Body", _ODD_TEXT)
    elif draft.body.startswith(b"<"):
        made = places.add(draft, "note", _ODD_TEXT)
    else:
        text = json.dumps({"note": _ODD_TEXT}, ensure_ascii=False)[1:-1].encode()
        at = draft.body.rindex(b"}")
        made = draft.with_body(draft.body[:at] + b',"escaped":"\\u00eb\\/",' + text + draft.body[at:])
    return (Shot(delivery=_signed(bench, made), expect=Expect.TAKEN, event_id=own, effects=1),)


def _pretty(bench: Bench) -> Made:
    if not bench.profile.json:
        return WhyNot("spelling of JSON is not signed", bench.profile.source)
    draft, own = _draft(bench, "pretty-printed")
    return (Shot(delivery=_signed(bench, respelled(draft)), expect=Expect.TAKEN, event_id=own, effects=1),)


def _slow_body(bench: Bench) -> Made:
    return (dataclasses.replace(_valid(bench, "slow-body"), slowly=True),)


def _acknowledgement(bench: Bench) -> Made:
    wanted = _ACKNOWLEDGEMENTS.get(bench.receiver.scheme)
    if wanted is None:
        return WhyNot("to the provider the status says it all", bench.profile.source)
    return (dataclasses.replace(_valid(bench, "acknowledgement"), answer=wanted),)


def _handshake(bench: Bench) -> Made:
    made = _HANDSHAKES.get(bench.receiver.scheme)
    return made(bench) if made else WhyNot("the scheme has no handshake", bench.profile.source)


def _facebook_handshake(bench: Bench) -> Made:
    token = bench.keys.verify_token
    if token is None:
        return WhyNot("the settings name no verify_token", bench.profile.source, missing=True)

    def asked(text: str) -> Delivery:
        joint = "&" if "?" in bench.url else "?"
        query = {"hub.mode": "subscribe", "hub.challenge": "4711", "hub.verify_token": text}
        return Delivery(method="GET", url=bench.url + joint + urlencode(query))

    challenge = Wanted("the challenge alone", lambda heard: heard.body.strip() == b"4711")
    right = Shot(delivery=asked(token.reveal()), expect=Expect.TAKEN, answer=challenge)
    return right, Shot(delivery=asked("made-up"), expect=Expect.REFUSED)


def _event_grid_handshake(bench: Bench) -> Made:
    """The validation of a subscription; and the preflight of CloudEvents, which not every receiver needs."""
    event = {"id": "1", "eventType": VALIDATION, "data": {"validationCode": "drill-4711"}}
    body = json.dumps([event | {"topic": "/drill", "subject": "", "dataVersion": "1"}]).encode()
    draft = Delivery(url=bench.url, headers=(("Content-Type", bench.profile.content_type),), body=body)
    draft = draft.with_headers({"aeg-event-type": "SubscriptionValidation"})
    code = Wanted(
        "validationResponse with the code", lambda heard: _says(heard, "validationResponse", "drill-4711")
    )
    preflight = Delivery(
        method="OPTIONS", url=bench.url, headers=(("WebHook-Request-Origin", "eventgrid.azure.net"),)
    )
    return (
        Shot(delivery=_signed(bench, draft), expect=Expect.TAKEN, answer=code),
        Shot(delivery=_signed(bench, preflight), expect=Expect.CALM),
    )


def _sns_handshake(bench: Bench) -> Made:
    """A forged confirmation: who believes it subscribes to a stranger's topic, or fetches a stranger's address."""
    draft, _ = _draft(bench, "handshake")
    for where, text in {
        "/Type": "SubscriptionConfirmation",
        "/Token": "made-up",
        "/SubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=made-up",
    }.items():
        draft = places.put(draft, where, text)
    return (Shot(delivery=_signed(bench, draft, keys=bench.wrong), expect=Expect.REFUSED),)


def _says(heard: Heard, name: str, value: str) -> bool:
    try:
        found = json.loads(heard.body)
    except ValueError:
        return False
    return isinstance(found, dict) and found.get(name) == value


def _acknowledged(heard: Heard) -> bool:
    return bool(re.search(rb"<(?:\w+:)?Ack>\s*true\s*</", heard.body))


_HANDSHAKES: dict[str, Callable[[Bench], Made]] = {
    "facebook": _facebook_handshake,
    "event-grid": _event_grid_handshake,
    "sns": _sns_handshake,
}
_ACKNOWLEDGEMENTS = {
    "mixpanel": Wanted("status success", lambda heard: _says(heard, "status", "success")),
    "salesforce": Wanted("notificationsResponse with Ack true", _acknowledged),
}


def _row(
    name: str, proves: str, make: Callable[[Bench], Made], *, by_effects: bool = False, watched: bool = False
) -> Row:
    return Row(name=name, proves=proves, make=make, by_effects=by_effects, watched=watched)


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
    _row("id-stripped", "a delivery without id does not break it", _id_stripped, watched=True),
    _row("out-of-order", "a later event before an earlier one: both are taken", _out_of_order),
    _row("unknown-type", "a new type of event does not break it", _unknown_type),
    _row("every-type", "every type of event is taken, and no payload of it breaks it", _every_type),
    _row("malformed-json", "a body that is no JSON, validly signed, does not break it", _malformed),
    _row("wrong-content-type", "another content type does not break it", _wrong_content_type),
    _row("oversize", "a large body neither breaks nor hangs it", _oversize),
    _row("two-secrets", "signed with old and new secret: taken", _rotation),
    _row("duplicated-header", "the signature's header twice does not break it", _duplicated),
    _row("unicode", "a body beyond ASCII is taken: raw bytes are checked", _unicode),
    _row("pretty-printed", "a body with other white space is taken: raw bytes are checked", _pretty),
    _row("slow-body", "a body that comes in pieces is taken", _slow_body),
    _row("acknowledgement", "the answer says what the provider wants to read", _acknowledgement),
    _row("handshake", "the provider's handshake is answered, and a forged one is not", _handshake),
)
