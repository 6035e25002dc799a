"""What the answers and effects of one case prove. Pure."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

from contracts.webhooks.configure import Receiver
from contracts.webhooks.drill.nameless import FORGETS, ONCE, Told, is_nameless, tell
from contracts.webhooks.drill.records import Bench, Effects, Expect, Heard, Planned, Row, Shot, WhyNot
from interlock import findings
from interlock.output import Case, CaseState
from interlock.records import Finding, Severity

_NO_EFFECTS = "answers alone do not tell how often it acted; say --effects"
_RAW = "check the raw bytes of the body, before anything parses them"
_UNSIGNED = "refuse what carries no signature before anything else is done with it"
_FIRST = "check the signature before anything acts"
_LATER = "act once on what is taken; what acts later than the drill waits needs a longer --settle"
_FIXES = {
    "unicode": _RAW,
    "pretty-printed": _RAW,
    "no-signature": _UNSIGNED,
    "empty-signature": _UNSIGNED,
    "wrong-secret": "compare with the signature that your own secret gives; know no secret from an example",
    "tampered-body": _RAW,
    "tampered-timestamp": "check the signature over the time as it came",
    "tampered-id": "check the signature over the id as it came",
    "two-secrets": "try every signature of the header, against every secret",
    "exact-replay": "keep the event's id under a unique key, in the transaction that acts",
    "fresh-again": "keep the event's id, not the signature, under a unique key",
    "twenty-at-once": "a unique key decides, in the transaction that acts; looking first is a race",
    "id-stripped": "refuse what carries no event id, or keep a digest of its body in the id's place",
    "stale": "compare the signed time with the clock",
    "future": "compare the signed time with the clock, both ways",
    "downgraded": "take the present version of the signature alone",
    "out-of-order": "take an older event too: providers promise no order",
    "unknown-type": "answer 2xx to types that you do not use",
    "every-type": "answer 2xx to types that you do not use; read what the contract leaves optional as optional",
    "malformed-json": "answer 4xx to a body that cannot be read",
    "wrong-content-type": "answer 4xx to a content type that is not read",
    "oversize": "answer 413 to a body that is too large, before it is read whole",
    "slow-body": "read the body to its end before it is checked",
    "duplicated-header": "answer 4xx where the header comes twice, or check one of them",
    "handshake": "answer the handshake as the provider's manual says, and the right token alone",
    "acknowledgement": "write the answer that the provider's manual asks for",
}
_REFUSED = {
    Expect.REFUSED: ("webhook-forgery-taken", Severity.CRITICAL),
    Expect.STALE: ("webhook-stale-taken", Severity.ERROR),
    Expect.FUTURE: ("webhook-future-taken", Severity.WARNING),
    Expect.DOWNGRADED: ("webhook-downgrade-taken", Severity.ERROR),
}
# an effect that the answer has told of already
_IMPLIES: dict[str, frozenset[str]] = {
    "webhook-forgery-acted": frozenset({"webhook-forgery-taken", "webhook-stale-taken"}),
    "webhook-effect-missing": frozenset({"webhook-valid-refused", "webhook-answers-5xx", "webhook-hangs"}),
    "webhook-effect-repeated": frozenset(),
}


def judge(planned: Planned, heard: Sequence[Sequence[Heard]], effects: Effects | None, bench: Bench) -> Case:
    """One case. `heard`: for each delivery, an answer for each copy. `effects`: None where they are not known."""
    row, group = planned.row, f"drill {bench.receiver.name}"
    if isinstance(planned.made, WhyNot):
        why = planned.made
        state = CaseState.UNPROVEN if why.missing else CaseState.NOT_APPLICABLE
        said = f"{why.reason} ({why.source})" if why.source else why.reason
        return Case(name=row.name, group=group, state=state, detail=said)
    pairs = list(zip(planned.made, heard, strict=True))
    found = [each for shot, answers in pairs for each in _of_answers(row, shot, answers, bench)]
    found += _of_time(row.name, pairs, bench.receiver)
    wanted, proven, unproven = row.proves, row.proves, _NO_EFFECTS if row.by_effects else ""
    if effects is not None:
        around = effects.around.get(row.name)
        nameless = tell(planned.made, heard, around) if around else Told(proven=row.proves)
        proven, unproven = (
            nameless.proven,
            FORGETS if row.by_effects and effects.forgets else nameless.unproven,
        )
        wanted = ONCE if nameless.acted else row.proves
        told = {each.rule for each in found}
        acted = [*_of_effects(row.name, planned.made, effects, bench.profile.id_at)]
        acted += _of_nameless(row.name, planned.made, nameless)
        found += [each for each in acted if not told & _IMPLIES[each.rule]]
    unique = tuple({each.fingerprint: each for each in found}.values())
    state, detail = CaseState.PASSED, "" if unique else proven
    if any(findings.at_least(each, Severity.ERROR) for each in unique):
        state, detail = CaseState.FAILED, f"not so: {wanted}"
    elif unproven:
        state, detail = CaseState.UNPROVEN, unproven
    seconds = sum(max(one.seconds for one in answers) for answers in heard)
    return Case(name=row.name, group=group, state=state, detail=detail, findings=unique, seconds=seconds)


def _of_answers(row: Row, shot: Shot, answers: Sequence[Heard], bench: Bench) -> Iterator[Finding]:
    policy = bench.profile.weaken_is_policy  # the provider still sends it, so to take it is a choice
    make = functools.partial(_make, row.name, about=shot.about)
    wanted = shot.expect if shot.about else row.proves
    for each in answers:
        if each.hung:
            yield make("webhook-hangs", Severity.ERROR, "an answer in time", each.words)
        elif each.failed:
            yield make("webhook-answers-5xx", Severity.ERROR, shot.expect, _then(each, bench))
        elif shot.expect in _REFUSED and each.taken:
            rule, severity = _REFUSED[shot.expect]
            severity = Severity.WARNING if shot.expect is Expect.DOWNGRADED and policy else severity
            yield make(rule, severity, wanted, each.words)
        elif shot.expect is Expect.TAKEN and not _accepted(each, bench):
            yield make("webhook-valid-refused", Severity.ERROR, wanted, _then(each, bench))
        elif shot.expect is Expect.LISTED and not _accepted(each, bench):
            yield make("webhook-type-refused", Severity.WARNING, shot.expect, _then(each, bench))
        elif shot.answer is not None and not shot.answer.seen(each):
            rule = "webhook-handshake-unanswered" if row.name == "handshake" else "webhook-unacknowledged"
            yield make(rule, Severity.ERROR, shot.answer.words, "the answer does not say it")
    if shot.at_once > 1 and not any(_accepted(each, bench) for each in answers):
        seen = f"none of {len(answers)} copies was taken"
        yield make("webhook-valid-refused", Severity.ERROR, "one of them is taken", seen)


def _accepted(heard: Heard, bench: Bench) -> bool:
    """Whether the provider takes a valid delivery for delivered."""
    return heard.taken and (bench.accepts is None or heard.status in bench.accepts)


def _then(heard: Heard, bench: Bench) -> str:
    """With what the provider makes of it, and does next, in the catalogue's words."""
    title = bench.receiver.title
    told = f", which {title} does not take for delivered" if heard.taken else ""
    after = f"; {title}'s retries: {bench.retries}" if bench.retries else ""
    return f"{heard.words}{told}{after}"


def _of_time(
    name: str, pairs: Sequence[tuple[Shot, Sequence[Heard]]], receiver: Receiver
) -> Iterator[Finding]:
    """Against the time that the provider waits; a delivery that we send slowly is not the receiver's doing."""
    waits = receiver.timeout_seconds
    slow = [one.seconds for shot, answers in pairs if not shot.slowly for one in answers if not one.hung]
    worst = max(slow, default=0.0)
    if worst > waits / 2:
        severity = Severity.ERROR if worst > waits else Severity.WARNING
        seen = f"the slowest answer took {worst:.1f} s"
        promised = f"an answer well within {waits:g} s"
        yield _make(
            name, "webhook-slow", severity, promised, seen, "keep the event, answer, and act afterwards"
        )


def _of_effects(name: str, shots: Sequence[Shot], effects: Effects, id_at: str | None) -> Iterator[Finding]:
    wanted = {s.event_id: s.effects for s in shots if s.event_id is not None and s.effects is not None}
    for event, count in wanted.items():
        seen = effects.count.get(event, 0)
        told = f"{event} acted {_times(seen)}"
        if count == 0 and seen:
            yield _make(name, "webhook-forgery-acted", Severity.CRITICAL, "it has no effect", told, _FIRST)
        elif count and seen > count:
            yield _make(name, "webhook-effect-repeated", Severity.ERROR, "one event, one effect", told)
        elif count and not seen and not effects.forgets:
            yield _make(
                name,
                "webhook-effect-missing",
                Severity.ERROR,
                "one event, one effect",
                f"{event} never acted" + (f"; that id stands at {id_at}" if id_at else ""),
                _FIXES.get(name, _LATER),
            )


def _of_nameless(name: str, shots: Sequence[Shot], told: Told) -> Iterator[Finding]:
    if not told.acted:
        return
    sent = [shot for shot in shots if is_nameless(shot)]
    seen = f"the same delivery without id, sent {len(sent)} times, acted {_times(told.acted)}"
    if sent[0].effects:
        yield _make(name, "webhook-effect-repeated", Severity.ERROR, "one event, one effect", seen)
    else:
        yield _make(name, "webhook-forgery-acted", Severity.CRITICAL, "it has no effect", seen, _FIRST)


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _make(
    name: str,
    rule: str,
    severity: Severity,
    promised: str,
    seen: str,
    fix: str | None = None,
    *,
    about: str = "",
) -> Finding:
    subject = f"drill case {name} ({about})" if about else f"drill case {name}"
    fix = fix or _FIXES.get(name)
    return findings.make(rule, severity, subject, promised=str(promised), seen=seen, fix=fix)
