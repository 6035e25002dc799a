"""Rules on credentials: there where promised, never in a URL where not, never in the clear."""

from __future__ import annotations

import re

from contracts.contract import SecurityScheme
from contracts.pointers import join
from contracts.rules.requests import leniency
from contracts.values import cookies
from contracts.view import View, listed
from interlock.resolve import is_loopback

_SECRET_NAMES = re.compile(
    r"(?:access|refresh|auth|id|api|bearer|session)?[_-]?(?:token|key|secret|password|passwd)"
    r"|(?:client|app|api)[_-]?(?:secret|key)|authorization|api[_-]?key|hapikey",
    re.IGNORECASE,
)
_SECRET_HEADERS = ("authorization", "x-api-key", "api-key", "x-auth-token", "x-shopify-access-token")
_LEAST = 8  # shorter values are page tokens and the like at best
_REFUSED = frozenset({401, 403})


def credentials(view: View) -> None:
    """Whether the credential that is promised is there."""
    wanted = view.operation.security
    if not wanted or any(not each for each in wanted) or view.interaction.status in _REFUSED:
        return
    known = [[s for name in each if (s := view.contract.schemes.get(name))] for each in wanted]
    if any(all(s.kind == "other" or _shown(view, s) for s in each) for each in known):
        return
    if all(any(s.kind == "cookie" for s in each) for each in known) and not view.bench.book.complete:
        return  # recorders leave cookies out more often than not
    if not view.bench.book.complete:  # no 401 came: whoever recorded it left the credential out
        view.unjudged.append(f"{_place(known)}: the recording does not show the credential")
        return
    view.add(
        "credential-missing",
        f"{view.operation.name} is sent without its credential",
        _place(known),
        join(view.operation.pointer, "security"),
        promised=listed(dict.fromkeys(_said(s) for each in known for s in each)),
        seen="nothing",
        at_most=leniency(view),
        fix="send the credential",
    )


def _shown(view: View, scheme: SecurityScheme) -> bool:
    if scheme.kind == "header":
        value = view.request_headers.get(scheme.field.lower())
        return value is not None
    if scheme.kind == "query":
        return scheme.field in view.query
    return scheme.field in cookies(view.request_headers.get("cookie", "")) or "cookie" in view.request_headers


def _place(known: list[list[SecurityScheme]]) -> str:
    first = next((s for each in known for s in each if s.kind != "other"), None)
    return join("/request", first.kind, first.field.lower()) if first else "/request"


def _said(scheme: SecurityScheme) -> str:
    return f"{scheme.kind} {scheme.field}" if scheme.field else scheme.name


def in_query(view: View) -> None:
    """A credential in the URL stands in every log on its way."""
    declared = {p.name for p in view.operation.parameters if p.place == "query"} | view.bench.secrets_in_query
    for name, texts in view.query.items():
        if (
            name not in declared
            and _SECRET_NAMES.fullmatch(name)
            and any(len(text) >= _LEAST for text in texts)
        ):
            view.add(
                "credential-in-query",
                f"{view.operation.name}: what looks like a credential stands in the query",
                join("/request/query", name),
                join(view.operation.pointer, "security"),
                promised=_promised(view),
                seen=name,
                fix="send it in the header that the provider names",
            )


def _promised(view: View) -> str:
    schemes = (view.contract.schemes.get(name) for each in view.operation.security for name in each)
    return listed(dict.fromkeys(_said(s) for s in schemes if s)) or "no credential in the query"


def in_clear(view: View) -> None:
    """A credential over plain http is everybody's on the way."""
    if view.url.scheme != "http" or is_loopback(view.url.hostname or ""):
        return
    shown = [name for name in _SECRET_HEADERS if name in view.request_headers]
    shown += [name for name in view.query if name in view.bench.secrets_in_query]
    if shown:
        view.add(
            "credential-in-clear",
            f"{view.operation.name} is sent over plain http with a credential",
            "/request/url",
            None,
            promised="https",
            seen=f"http, with {listed(shown)}",
            fix="use https, and replace the credential",
        )
