"""Rules on a request's parameters: path, query, headers, cookies."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from contracts import values
from contracts.branching import BEYOND_MEASURE, beyond_measure
from contracts.contract import Media, Parameter
from contracts.engine import REQUEST, TooDeep
from contracts.explain import OF_MANY, Broken, explain
from contracts.media import read
from contracts.placeholders import in_text
from contracts.pointers import MISSING, follow, join
from contracts.rules import references
from contracts.view import View, decoded, listed
from interlock.records import Severity

# Headers of HTTP itself and of what stands between client and server: no contract need name them.
STANDARD = frozenset(
    [
        "accept",
        "accept-charset",
        "accept-datetime",
        "accept-encoding",
        "accept-language",
        "authorization",
        "cache-control",
        "connection",
        "content-encoding",
        "content-language",
        "content-length",
        "content-md5",
        "content-type",
        "cookie",
        "date",
        "digest",
        "expect",
        "forwarded",
        "from",
        "host",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "keep-alive",
        "max-forwards",
        "origin",
        "pragma",
        "prefer",
        "priority",
        "proxy-authorization",
        "proxy-connection",
        "range",
        "referer",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "via",
        "warning",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-request-id",
        "x-requested-with",
        "traceparent",
        "tracestate",
        "baggage",
        "dnt",
    ]
)
_RULES = {
    "path": "request-path",
    "query": "request-query",
    "header": "request-header",
    "cookie": "request-cookie",
}
# Headers in which a client names the version that it speaks.
VERSION_HEADERS = (
    "stripe-version",
    "square-version",
    "x-ms-version",
    "x-github-api-version",
    "notion-version",
    "api-version",
    "shopify-api-version",
)
_BRACKET = re.compile(r"\[.*\]$", re.DOTALL)


def parameters(view: View) -> None:
    """Every parameter that the operation knows: there, and as its schema says."""
    places: dict[str, Any] = {}
    if view.query_cut:
        view.unjudged.append(
            f"/request/query: has more than {values.MAX_FIELDS} fields, the first are judged"
        )
    for parameter in view.operation.parameters:
        if parameter.place not in places:
            places[parameter.place] = _texts(view, parameter.place)
        _parameter(view, parameter, places[parameter.place])


def _texts(view: View, place: str) -> dict[str, list[str]]:
    if place == "path":
        assert view.match is not None
        return {name: [decoded(text)] for name, text in view.match.values.items()}
    if place == "header":
        return {name: [value] for name, value in view.request_headers.items()}
    if place == "cookie":
        return {n: [v] for n, v in values.cookies(view.request_headers.get("cookie", "")).items()}
    return view.query


def _parameter(view: View, parameter: Parameter, texts: dict[str, list[str]]) -> None:
    rule = _RULES[parameter.place]
    name = parameter.name.lower() if parameter.place == "header" else parameter.name
    pointer = join("/request", parameter.place, name)
    found = texts.get(name)
    if found is None and parameter.place == "query":
        found = texts.get(f"{name}[]") or texts.get(name.removesuffix("[]"))
    whole = _whole(view, parameter, texts) if found is None and parameter.place == "query" else None
    if found is None and whole is None:
        if parameter.required and parameter.place != "path" and not _elsewhere(view, parameter):
            view.add(
                rule,
                f"{view.operation.name} lacks the {parameter.place} parameter {parameter.name}",
                pointer,
                parameter.pointer,
                promised="it must be there",
                seen="nothing",
                at_most=leniency(view),
                fix=f"send {parameter.name}",
            )
        return
    if parameter.deprecated:
        view.add(
            "parameter-deprecated",
            f"{parameter.name} of {view.operation.name} is deprecated",
            pointer,
            parameter.pointer,
            fix="see the provider's documentation for what replaces it",
        )
    if parameter.schema is None:
        return
    if whole is not None:
        value = view.bench.coercer.coerce(whole.value, parameter.schema)
        held(view, rule, parameter, [value], whole.pointer, REQUEST)
    elif found is not None and not (found == [""] and _may_be_empty(view, parameter)):
        read_held(view, rule, parameter, found, pointer, REQUEST, _raw(view, parameter))


@dataclass(frozen=True, slots=True)
class _Whole:
    """An object whose members stand in the query one by one; `pointer`: where they stand."""

    value: Any
    pointer: str


def _whole(view: View, parameter: Parameter, texts: dict[str, list[str]]) -> _Whole | None:
    """By names with brackets, or by their own names alone; None where none of them is there."""
    name = parameter.name
    fields = [(key, text) for key, each in texts.items() if key.startswith(f"{name}[") for text in each]
    if fields:
        return _Whole(values.nested(fields).get(name), join("/request/query", name))
    coercer = view.bench.coercer
    schema = coercer.schema_at(parameter.schema)
    if parameter.style != "form" or not parameter.explode or "object" not in coercer.kinds(schema):
        return None
    members = coercer.members(schema)
    if isinstance(schema, dict) and isinstance(schema.get("additionalProperties"), dict):
        others = {each.name for each in view.operation.parameters} | view.bench.secrets_in_query
        members |= {each for each in texts if each not in others}
    found = {each: texts[each] for each in sorted(members) if each in texts}
    made = {key: each[0] if len(each) == 1 else each for key, each in found.items()}
    return _Whole(made, "/request/query") if made else None


def read_held(
    view: View,
    rule: str,
    parameter: Parameter,
    texts: list[str],
    pointer: str,
    direction: str,
    raws: list[str] | None = None,
) -> None:
    """What the texts of a parameter's name stand for, against its schema. `raws`: the same, percent-encoded."""
    if parameter.media_type is not None:
        _document_held(view, rule, parameter, texts[0], pointer, direction)
        return
    try:
        taken = values.readings(parameter, texts, view.bench.coercer, raws)
    except RecursionError:
        view.unjudged.append(f"{pointer}: is nested too deeply")
    else:
        held(view, rule, parameter, taken, pointer, direction)


def _document_held(
    view: View, rule: str, parameter: Parameter, text: str, pointer: str, direction: str
) -> None:
    """A value that is a document of its own, JSON as a rule."""
    name = parameter.media_type or ""
    media = Media(media_type=name, pointer=parameter.pointer, schema=parameter.schema)
    got = read(text.encode("utf-8", "surrogatepass"), name, media, view.bench.coercer)
    if got.opaque is not None:
        view.unjudged.append(f"{pointer}: {got.opaque}")
    elif got.problem is None:
        held(view, rule, parameter, [got.value], pointer, direction)
    elif not in_text(text):
        view.add(
            rule,
            f"{parameter.name} of {view.operation.name} {got.problem}",
            pointer,
            parameter.pointer,
            promised=name,
            at_most=leniency(view) if direction == REQUEST else None,
        )


def _may_be_empty(view: View, parameter: Parameter) -> bool:
    node = follow(view.contract.document, parameter.pointer)
    return isinstance(node, dict) and node.get("allowEmptyValue") is True


def _raw(view: View, parameter: Parameter) -> list[str] | None:
    """The texts as they were sent, percent-encoded."""
    if parameter.place == "path":
        assert view.match is not None
        return [view.match.values[parameter.name]] if parameter.name in view.match.values else None
    if parameter.place != "query":
        return None
    fields = (field.partition("=") for field in view.url.query.split("&"))
    return [value for name, _, value in fields if unquote_plus(name) == parameter.name] or None


def _elsewhere(view: View, parameter: Parameter) -> bool:
    """Whether it may be where nobody can look: beyond what is read of a query, or in a form that was redacted.

    Some clients send in a form what the contract has in the query.
    """
    hidden = view.query_cut or view.interaction.request.body_state == "redacted"
    return hidden and parameter.place == "query"


def held(view: View, rule: str, parameter: Parameter, taken: list[Any], pointer: str, direction: str) -> None:
    """What a text can stand for against its schema: one that fits is enough; of the first is said what is wrong."""
    assert parameter.schema is not None
    if isinstance(taken[0], str) and in_text(taken[0]):
        return
    nested = (each for each in taken if isinstance(each, dict | list))
    if any(beyond_measure(view.contract.document, each, parameter.schema) for each in nested):
        view.unjudged.append(f"{pointer}: {BEYOND_MEASURE}")
        return
    try:
        fits = any(view.bench.engine.valid(parameter.schema, value, direction) for value in taken)
        references.behind(view, parameter.schema, direction, pointer)
        if fits:
            return
        broken = explain(view.bench.engine, view.contract, parameter.schema, taken[0], direction)
    except TooDeep as exc:
        view.unjudged.append(f"{pointer}: {exc}")
        return
    if any(each.of_many for each in broken):
        view.unjudged.append(f"{pointer}: {OF_MANY}")
    for each in broken:
        if each.keyword in {"enum", "const"} and parameter.name.lower() in VERSION_HEADERS:
            continue  # that is a matter of `version-mismatch`
        if not each.placeholder and each.keyword != "ambiguous":
            view.add(
                rule,
                f"{parameter.name} of {view.operation.name} is not as promised",
                pointer + each.pointer,
                each.contract_pointer,
                promised=each.promised,
                seen=each.seen,
                at_most=leniency(view) if direction == REQUEST else None,
                fix=_advice(each),
            )


def _advice(broken: Broken) -> str | None:
    return "send it" if broken.keyword == "required" else None


def leniency(view: View) -> Severity | None:
    """What the provider itself refused was answered: it is worth no more than a remark."""
    return Severity.INFO if view.refused else None


def unknown_fields(view: View) -> None:
    """Query parameters and headers that nobody promised."""
    _unknown_headers(view)
    if view.form_in_query:  # its fields are judged as those of the form
        return
    known = {p.name for p in view.operation.parameters if p.place == "query"}
    known |= {name.removesuffix("[]") for name in known}
    known |= {each.name for each in view.operation.selectors} | view.bench.secrets_in_query
    free = any(
        p.place == "query" and p.style == "form" and p.explode and _any_name(view, p)
        for p in view.operation.parameters
    )
    for name in view.query:
        base = _BRACKET.sub("", name)
        if name not in known and base not in known and not free and not in_text(name):
            view.add(
                "request-query-unknown",
                f"{view.operation.name} knows no query parameter {base}",
                join("/request/query", name),
                _parameters_at(view),
                promised=listed(sorted(known)) or "no query parameters",
                seen=base,
                at_most=leniency(view),
                fix="leave it out, or look whether it is spelled as the provider has it",
            )


def _parameters_at(view: View) -> str:
    """Where the operation lists its parameters; the operation itself where it lists none."""
    listed_at = join(view.operation.pointer, "parameters")
    return view.operation.pointer if follow(view.contract.document, listed_at) is MISSING else listed_at


def _any_name(view: View, parameter: Parameter) -> bool:
    """An exploded object: its members stand in the query under their own names."""
    return "object" in view.bench.coercer.kinds(view.bench.coercer.schema_at(parameter.schema))


def _unknown_headers(view: View) -> None:
    if view.bench.book.severities.get("request-header-unknown") is None:
        return
    known = {p.name.lower() for p in view.operation.parameters if p.place == "header"}
    known |= {s.field.lower() for name in _schemes(view) if (s := view.contract.schemes.get(name))}
    for name in view.request_headers:
        if name not in known and name not in STANDARD:
            view.add(
                "request-header-unknown",
                f"{view.operation.name} knows no header {name}",
                join("/request/header", name),
                view.operation.pointer,
                seen=name,
                at_most=leniency(view),
            )


def _schemes(view: View) -> Iterable[str]:
    return {name for each in view.operation.security for name in each}
