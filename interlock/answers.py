"""The truth table: what an answer means. Pure, and no text of the answer is in what it says."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from interlock import headroom
from interlock.catalogue import Ask, Expectation, Provider, Rule
from interlock.headroom import Unread
from interlock.records import Headroom, Reason, State
from interlock.shape import mismatch
from interlock.wire import Answer

OK = range(200, 300)
REDIRECTS = range(300, 400)
SERVER_ERRORS = range(500, 600)
# An exhausted rate-limit header makes these a throttle; 401 stays a matter of the credential.
THROTTLE_CANDIDATES = frozenset({400, 403, 503})
FAILING = frozenset(
    {
        Reason.DNS,
        Reason.CONNECT,
        Reason.PROXY,
        Reason.TLS,
        Reason.CERTIFICATE_INVALID,
        Reason.TIMEOUT,
        Reason.PROTOCOL,
    }
)
_UNSET = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What one answer means, before it is dated and signed as an outcome."""

    state: State
    reason: Reason
    detail: str
    retry_at: dt.datetime | None = None
    headrooms: tuple[Headroom, ...] = ()
    unread: tuple[Unread, ...] = ()  # rate-limit fields that were there and could not be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything a judgement rests on. `credentialed`: whether a credential was sent."""

    provider: Provider
    ask: Ask
    answer: Answer
    now: dt.datetime
    credentialed: bool
    fingerprint: str | None = None
    slow_after_seconds: float | None = None


def judge_failure(reason: Reason, detail: str) -> Judgement:
    """What it means that there was no answer. Our own missing network is not the provider's failure."""
    state = State.FAILING if reason in FAILING else State.UNKNOWN
    return Judgement(state=state, reason=reason, detail=detail)


def judge(case: Case) -> Judgement:
    """The meaning of one answer, by the table. Where no answer could tell, neither good nor bad is claimed."""
    found = _by_table(case)
    if case.ask.cannot_tell is None or found.state not in {State.OPERATIONAL, State.AUTH_FAILED}:
        return found
    detail = f"{case.answer.status}: {case.ask.cannot_tell}"
    return dataclasses.replace(found, state=State.UNKNOWN, reason=Reason.NOT_TOLD, detail=detail)


def _by_table(case: Case) -> Judgement:
    """The first row that fits."""
    rooms = _headrooms(case)
    for row in (_throttled, _refused, _scope, _not_told, _unexpected, _content, _slow):
        if (found := row(case, rooms)) is not None:
            return found
    face = case.answer.status not in OK
    detail = f"{case.answer.status}, as {case.provider.title} answers " + (
        "strangers" if face else "when it is well"
    )
    return _say(case, rooms, State.OPERATIONAL, Reason.PUBLIC_FACE if face else Reason.OK, detail)


def _headrooms(case: Case) -> tuple[Headroom, ...]:
    answer = case.answer
    told = headroom.read(case.provider.rate_limits.dialects, answer.headers, case.now, case.fingerprint)
    if case.ask.quota and answer.status in OK and not answer.truncated:
        try:
            quota = headroom.read_quota(case.ask.quota, answer.json(), case.now, case.fingerprint)
        except ValueError:
            quota = ()
        named = {room.bucket for room in quota}
        told = (*(room for room in told if room.bucket not in named), *quota)
    return told


def _throttled(case: Case, rooms: tuple[Headroom, ...]) -> Judgement | None:
    answer = case.answer
    exhausted = [room for room in rooms if room.remaining == 0]
    by_rule = any(matches(rule, answer) for rule in case.provider.rate_limits.throttled)
    refused = case.credentialed and any(matches(rule, answer) for rule in case.provider.auth_failed)
    sure = any(room.confidence == "high" for room in exhausted)  # hearsay settles nothing alone
    by_header = answer.status in THROTTLE_CANDIDATES and sure and not refused
    if not (by_rule or by_header or answer.status == 429):  # noqa: PLR2004 - RFC 6585, 4
        return None
    retry_at = headroom.retry_at(answer.headers, case.now) or _retry_in_body(case)
    if retry_at is None:
        spent = exhausted or [room for room in rooms if room.remaining is None]
        resets = [room.reset_at for room in spent if room.reset_at is not None]
        retry_at = max([*resets, case.now]) if resets else None
    told = "it says when to come back" if retry_at else "it does not say when to come back"
    reason = Reason.QUOTA_EXHAUSTED if exhausted else Reason.RATE_LIMITED
    detail = f"{answer.status}: the rate limit is reached; {told}"
    return _say(case, rooms, State.THROTTLED, reason, detail, retry_at=retry_at)


def _retry_in_body(case: Case) -> dt.datetime | None:
    try:
        return headroom.retry_in_body(case.answer.json(), case.now)
    except ValueError:
        return None


def _refused(case: Case, rooms: tuple[Headroom, ...]) -> Judgement | None:
    if not case.credentialed:
        return None
    rule = next((rule for rule in case.provider.auth_failed if matches(rule, case.answer)), None)
    if rule is None and case.answer.status != 401:  # noqa: PLR2004 - RFC 9110, 15.5.2
        return None
    expired = rule is not None and rule.expired
    reason = Reason.EXPIRED_CREDENTIAL if expired else Reason.BAD_CREDENTIAL
    what = "an expired or revoked credential" if expired else "a credential that it does not accept"
    detail = f"{case.answer.status}, as {case.provider.title} answers {what}"
    attested = rule is not None and rule.certainty == "attested"
    return _say(case, rooms, State.AUTH_FAILED, reason, detail, attested=attested)


def _scope(case: Case, rooms: tuple[Headroom, ...]) -> Judgement | None:
    if not any(matches(rule, case.answer) for rule in case.ask.scope):
        return None
    detail = f"{case.answer.status}: the credential is valid, but may not {case.ask.method} {case.ask.path}"
    return _say(case, rooms, State.DEGRADED, Reason.SCOPE, detail)


def _not_told(case: Case, rooms: tuple[Headroom, ...]) -> Judgement | None:
    if not any(matches(rule, case.answer) for rule in case.ask.untold):
        return None
    detail = f"{case.answer.status}: {case.provider.title} does not tell this of such an account"
    return _say(case, rooms, State.UNKNOWN, Reason.NOT_TOLD, detail)


def _unexpected(case: Case, rooms: tuple[Headroom, ...]) -> Judgement | None:
    status = case.answer.status
    if status in case.ask.expect.status:
        return None
    retry_at = headroom.retry_at(case.answer.headers, case.now)
    if status in SERVER_ERRORS:
        detail = f"{status}: {case.provider.title} failed to answer"
        return _say(case, rooms, State.FAILING, Reason.SERVER_ERROR, detail, retry_at=retry_at)
    if status in REDIRECTS:
        host = urlsplit(case.answer.headers.get("location", "")).hostname
        detail = (
            f"{status}: sends us elsewhere" + (f" (to {host})" if host else "") + ", and we do not follow"
        )
        return _say(case, rooms, State.DEGRADED, Reason.REDIRECT, detail)
    wanted = " or ".join(map(str, case.ask.expect.status))
    return _say(case, rooms, State.DEGRADED, Reason.UNEXPECTED_STATUS, f"{status} where {wanted} is expected")


def _content(case: Case, rooms: tuple[Headroom, ...]) -> Judgement | None:
    expect, answer = case.ask.expect, case.answer
    needs_body = expect.json_schema is not None or expect.pattern is not None
    if answer.truncated and needs_body:
        detail = f"the body is larger than {len(answer.body)} bytes and was not read to its end"
        return _say(case, rooms, State.UNKNOWN, Reason.TOO_LARGE, detail)
    problem = unlike(expect, answer)
    if problem is None:
        return None
    reason = Reason.ERROR_IN_BODY if _tells_error(answer) else Reason.SHAPE
    return _say(case, rooms, State.DEGRADED, reason, f"{answer.status}, but {problem}")


def _slow(case: Case, rooms: tuple[Headroom, ...]) -> Judgement | None:
    total, limit = case.answer.phases.get("total"), case.slow_after_seconds
    if total is None or limit is None or total <= limit:
        return None
    return _say(case, rooms, State.DEGRADED, Reason.SLOW, f"{total:.2f} s, slower than {limit:g} s")


def unlike(expect: Expectation, answer: Answer) -> str | None:
    """How an answer differs from what is promised, in words without its content; None where it does not."""
    kind = answer.headers.get("content-type", "")
    if expect.content_type is not None and not re.search(expect.content_type, kind):
        return f"its content type is {kind.partition(';')[0][:60] or 'missing'}"
    for name, pattern in expect.headers.items():
        if not re.search(pattern, answer.headers.get(name, "")):
            return f"the header {name} is missing or not as promised"
    if expect.pattern is not None and not re.search(expect.pattern, answer.text):
        return "the body is not as promised"
    if expect.json_schema is None:
        return None
    try:
        body = answer.json()
    except ValueError:
        return "the body is not JSON"
    return mismatch(expect.json_schema, body)


def matches(rule: Rule, answer: Answer) -> bool:
    """Whether an answer is the one that a rule describes."""
    if answer.status not in rule.status:
        return False
    if not all(re.search(pattern, answer.headers.get(name, "")) for name, pattern in rule.headers.items()):
        return False
    if rule.pattern is not None and not re.search(rule.pattern, answer.text):
        return False
    return rule.pointer is None or _at(rule.pointer, answer) in rule.values


def _at(pointer: str, answer: Answer) -> Any:
    """The text or number at a JSON pointer of the body; a mark that equals nothing if none."""
    try:
        value = at_pointer(pointer, answer.json())
    except ValueError:
        return _UNSET
    return value if isinstance(value, str | int) else _UNSET


def at_pointer(pointer: str, value: Any) -> Any:
    """What stands at a JSON pointer (RFC 6901); None if nothing does."""
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, Mapping) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value


def _tells_error(answer: Answer) -> bool:
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and bool(body.get("error") or body.get("errors"))


def _say(
    case: Case,
    rooms: tuple[Headroom, ...],
    state: State,
    reason: Reason,
    detail: str,
    *,
    retry_at: dt.datetime | None = None,
    attested: bool = False,
) -> Judgement:
    attested |= case.ask.certainty == "attested" and state in {State.OPERATIONAL, State.AUTH_FAILED}
    if attested:
        detail += " (how it answers is attested by third parties only)"
    dialects = case.provider.rate_limits.dialects
    return Judgement(
        state=state,
        reason=reason,
        detail=detail,
        retry_at=retry_at,
        headrooms=rooms,
        unread=headroom.unread(dialects, case.answer.headers, case.now) if dialects and not rooms else (),
    )
