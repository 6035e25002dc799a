"""Recorded traffic against what was promised: pure, one interaction or the interactions of one cassette."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from contracts import values
from contracts.branching import BEYOND_MEASURE, beyond_measure
from contracts.contract import PULLED, Contract, Event
from contracts.engine import REQUEST, TooDeep
from contracts.explain import OF_MANY, explain
from contracts.media import chosen, read
from contracts.placeholders import in_text
from contracts.rules import CHECKS, answered, retries
from contracts.rules.requests import leniency
from contracts.view import Bench, View, listed
from interlock.records import Finding, Interaction

_ONCE = frozenset(
    {"recording-old", "version-mismatch"}
)  # what holds for the cassette as a whole is said once
_SHOWN = 80  # characters of a name that nobody knows
# The contracts that an interaction may be held against; none where none is known for its host.
Chooser = Callable[[Interaction], Sequence[Bench]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What became of one interaction.

    `contract`: what it was held against, None where none is known. `operation`: its
    operation's name, None where there was no match. `unjudged`: what could not be looked into, and why.
    """

    interaction: Interaction
    contract: Contract | None
    operation: str | None
    findings: tuple[Finding, ...] = ()
    unjudged: tuple[str, ...] = ()


def verify(interaction: Interaction, bench: Bench) -> Verified:
    """One interaction against one contract."""
    return _settled(_looked_at(View(interaction, bench)))


def verify_all(interactions: Iterable[Interaction], choose: Chooser) -> Iterator[Verified]:
    """The interactions of one cassette in their order, each against the contract of its provider.

    What shows only over several of them (retries, idempotency keys) is found too.
    """
    views: list[View] = []
    done: list[View | Verified] = []
    for interaction in interactions:
        benches = choose(interaction)
        if not benches:
            done.append(Verified(interaction=interaction, contract=None, operation=None))
        else:
            views.append(_looked_at(_view(interaction, benches)))
            done.append(views[-1])
    together: dict[int, list[Finding]] = {}
    for finding in retries.judged(views):
        together.setdefault(finding.location.interaction or 0, []).append(finding)
    said: set[str] = set()
    for each in done:
        if isinstance(each, Verified):
            yield each
        else:
            found = _settled(each)
            own = [x for x in found.findings if _as_a_whole(x) not in said]
            said |= {told for x in own if (told := _as_a_whole(x)) is not None}
            yield replace(found, findings=(*own, *together.get(each.interaction.source.index, ())))


def _as_a_whole(finding: Finding) -> str | None:
    """What a finding is of, where that is the cassette or the contract and no single interaction."""
    if finding.rule == "contract-reference":
        return f"{finding.rule} {finding.location.contract_pointer}"
    return finding.rule if finding.rule in _ONCE else None


def _view(interaction: Interaction, benches: Sequence[Bench]) -> View:
    """Before the first contract that knows its operation.

    Else before the first that knows its path and is no part of another, else that is no part of a provider's own.
    """
    unknown = []
    for bench in benches:
        view = View(interaction, bench)
        if view.match is not None:
            return view
        unknown.append(view)
    wholes = [each for each in unknown if not _is_part(each.contract)] or unknown
    near = (each for each in wholes if not each.contract.partial and each.bench.matcher.methods(each.path))
    return next(near, wholes[0])


def _is_part(contract: Contract) -> bool:
    return contract.partial and contract.origin == PULLED


def _looked_at(view: View) -> View:
    if view.match is None:
        _unmatched(view)
        return view
    for check in CHECKS:
        if view.interaction.status is not None or not answered(check):
            check(view)
    return view


def _settled(view: View) -> Verified:
    return Verified(
        interaction=view.interaction,
        contract=view.contract,
        operation=view.operation.name if view.match else None,
        findings=tuple(view.findings),
        unjudged=tuple(view.unjudged),
    )


def _unmatched(view: View) -> None:
    if not view.readable:
        _unreadable(view)
        return
    method, path = view.interaction.method.upper(), view.path
    shown = view.bench.book.redactor.text(" ".join((f"{method} {path}", *_named(view))))
    others = view.bench.matcher.methods(path)
    if view.contract.partial:
        view.unjudged.append(f"/request: the contract of {view.contract.name} leaves {shown} out")
    elif others and method == "OPTIONS":  # as browsers ask before they ask (RFC 9110, 9.3.7; CORS)
        view.unjudged.append("/request: OPTIONS of a known path is promised by no contract")
    elif others and method not in others and not view.may_be_form:
        view.add(
            "method-unknown",
            f"{shown}: the contract knows this path, not this method",
            "/request/method",
            "/paths",
            promised=listed(others),
            seen=method,
            at_most=leniency(view),
        )
    else:
        view.add(
            "operation-unknown",
            f"{shown} is no operation of {view.contract.title}",
            "/request/path",
            "/paths",
            promised="a path of the contract",
            seen=shown,
            fix="look whether path and version are right; a document that is not the provider's whole may lack it",
        )


def _unreadable(view: View) -> None:
    """A URL that is none; what was put for a host by whoever redacted it is no fault."""
    view.unjudged.append("/request/url: it cannot be read")
    url = view.interaction.url
    if not in_text(url):
        view.add(
            "request-url",
            "the URL of the request cannot be read",
            "/request/url",
            None,
            promised="a URL",
            seen=url[:_SHOWN],
            fix="look how it was recorded: nothing can be said of this interaction",
        )


def _named(view: View) -> Iterator[str]:
    """What the request says of its operation in headers and form, where the contract tells operations by that."""
    fields: dict[str, str] = {}
    if view.may_be_form:
        fields = dict(view.query_pairs)
    elif any(place == "form" for place, _ in view.bench.matcher.beside):
        with contextlib.suppress(ValueError):
            fields = dict(values.pairs((view.interaction.request.body or b"").decode("utf-8", "replace")))
    for place, name in view.bench.matcher.beside:
        value = view.request_headers.get(name.lower()) if place == "header" else fields.get(name)
        if value:
            yield f"{name}={value[:_SHOWN]}"


Fault = tuple[str, str, str, str]


def verify_event(
    body: bytes, content_type: str, event: Event, bench: Bench
) -> tuple[list[Fault], str | None]:
    """A delivery's body against what is promised of its event type.

    What is wrong, as pointer into the body, contract pointer, promised and seen; empty where nothing is. And why it
    could not be judged, or not all of it; None where it was.
    """
    media = chosen(event.media, content_type or "application/json")
    if media is None:
        return [("", event.pointer, listed(m.media_type for m in event.media), content_type)], None
    got = read(body, content_type or "application/json", media, bench.coercer)
    if got.problem is not None:
        return [("", media.pointer, media.media_type, got.problem)], None
    if got.opaque is not None or media.schema is None:
        return [], got.opaque if media.schema is not None else None
    return _held(media.schema, got.value, bench)


def _held(schema: str, value: Any, bench: Bench) -> tuple[list[Fault], str | None]:
    if beyond_measure(bench.contract.document, value, schema):
        return [], BEYOND_MEASURE
    try:
        good = bench.engine.valid(schema, value, REQUEST)
        broken = [] if good else explain(bench.engine, bench.contract, schema, value, REQUEST)
    except TooDeep as exc:
        return [], f"it {exc}"
    faults = [(e.pointer, e.contract_pointer, e.promised, e.seen) for e in broken if not e.placeholder]
    if bench.engine.lost(schema, REQUEST):
        return faults, "the contract is broken behind its schema"
    if any(each.of_many for each in broken):
        return faults, f"it {OF_MANY}"
    return faults, "something in it was redacted" if len(faults) < len(broken) else None
