"""Rules on a request's parameters: path, query, headers, cookies."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from contracts import values
from contracts.contract import Parameter
from contracts.engine import REQUEST, TooDeep
from contracts.explain import Broken, explain
from contracts.placeholders import in_text
from contracts.pointers import MISSING, follow, join
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
    deep = found is None and parameter.place == "query" and any(key.startswith(f"{name}[") for key in texts)
    if found is None and not deep:
        if parameter.required and parameter.place != "path" and not _in_body(view, parameter):
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
    if deep:
        fields = [(key, text) for key, each in texts.items() if key.startswith(f"{name}[") for text in each]
        value = view.bench.coercer.coerce(values.nested(fields).get(name), parameter.schema)
    else:
        assert found is not None
        try:
            value = values.parameter_value(parameter, found, view.bench.coercer)
        except ValueError:
            view.add(
                rule,
                f"{parameter.name} of {view.operation.name} is not JSON",
                pointer,
                parameter.pointer,
                promised=parameter.media_type,
                at_most=leniency(view),
            )
            return
    held(view, rule, parameter, value, pointer, REQUEST)


def _in_body(view: View, parameter: Parameter) -> bool:
    """Some clients send in a form what the contract has in the query; forms are redacted as a whole, too."""
    return view.interaction.request.body_state == "redacted" and parameter.place == "query"


def held(view: View, rule: str, parameter: Parameter, value: Any, pointer: str, direction: str) -> None:
    """A value against its schema."""
    assert parameter.schema is not None
    if isinstance(value, str) and in_text(value):
        return
    try:
        if view.bench.engine.valid(parameter.schema, value, direction):
            return
        broken = explain(view.bench.engine, view.contract, parameter.schema, value, direction)
    except TooDeep:
        view.unjudged.append(f"{pointer}: is nested too deeply")
        return
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
    _unknown_headers(view)


def _parameters_at(view: View) -> str:
    """Where the operation lists its parameters; the operation itself where it lists none."""
    listed_at = join(view.operation.pointer, "parameters")
    return view.operation.pointer if follow(view.contract.document, listed_at) is MISSING else listed_at


def _any_name(view: View, parameter: Parameter) -> bool:
    """An exploded object: its members stand in the query under their own names."""
    schema = view.bench.coercer.schema_at(parameter.schema)
    return isinstance(schema, dict) and "object" in values.types_of(schema)


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
