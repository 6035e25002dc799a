"""Rules on credentials: there where promised, never in a URL where not, never in the clear."""

from __future__ import annotations

import re

from contracts.contract import SecurityScheme
from contracts.placeholders import in_text, is_placeholder
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
_TOKEN = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)  # RFC 9110, 5.6.2
_REFUSED = frozenset({401, 403})
_NOTHING, _EMPTY = "nothing", "an empty value"
# The schemes of HTTP's registry: any other name in a document may be a word for a bare key.
_HTTP_SCHEMES = {
    name.lower(): name
    for name in (
        *("Basic", "Bearer", "Concealed", "Digest", "DPoP", "GNAP", "HOBA", "Mutual", "Negotiate", "OAuth"),
        *("PrivateToken", "SCRAM-SHA-1", "SCRAM-SHA-256", "vapid"),
    )
}
_OTHER = frozenset(_HTTP_SCHEMES.values())
_TAKEN_FOR = frozenset({("bearer", "token")})  # GitHub takes both


def credentials(view: View) -> None:
    """Whether the credential that is promised is there."""
    wanted = view.operation.security
    if not wanted or any(not each for each in wanted) or view.interaction.status in _REFUSED:
        return
    schemes = view.contract.schemes
    known = [[s for name in each if (s := schemes.get(name)) and s.kind != "other"] for each in wanted]
    lacks = [[(s, said) for s in each if (said := _lack(view, s))] for each in known]
    undefined = [[name for name in each if name not in schemes] for each in wanted]
    if any(not lack and not lost for lack, lost in zip(lacks, undefined, strict=True)):
        return
    for lack, lost in zip(lacks, undefined, strict=True):
        if not lack:
            view.unjudged.append(f"/request: the contract does not define the credential {lost[0]}")
            return
    if all(any(s.kind == "cookie" for s in each) for each in known) and not view.bench.book.complete:
        return  # recorders leave cookies out more often than not
    _lacking(view, known, lacks)


def _lacking(
    view: View, known: list[list[SecurityScheme]], lacks: list[list[tuple[SecurityScheme, str]]]
) -> None:
    """Tells of the alternative of which most is there; of all of them where nothing is."""
    part = [pair for pair in zip(known, lacks, strict=True) if len(pair[1]) < len(pair[0])]
    near, lack = min(part or zip(known, lacks, strict=True), key=lambda pair: len(pair[1]))
    missed = lack if part else [pair for each in lacks for pair in each]
    scheme, seen = next((pair for pair in missed if pair[1] in _OTHER), missed[0])
    place = join("/request", scheme.kind, scheme.field.lower() if scheme.kind == "header" else scheme.field)
    if not view.bench.book.complete and seen not in _OTHER:
        # no 401 came: whoever recorded it left the credential out
        view.unjudged.append(f"{place}: the recording does not show the credential")
        return
    there = [_said(s) for s in near if s not in [each for each, _ in lack]] if part else []
    view.add(
        "credential-missing",
        f"{view.operation.name} is sent without {'all of its credentials' if there else 'its credential'}",
        place,
        join(view.operation.pointer, "security"),
        promised=listed(dict.fromkeys(_said_in_full(s, said) for s, said in missed)),
        seen=f"{listed(there)} alone" if there and seen == _NOTHING else seen,
        at_most=leniency(view),
        fix="send the credential",
    )


def _lack(view: View, scheme: SecurityScheme) -> str | None:
    """What stands in the place of the credential; None where it is shown, or something that was put for it."""
    text = _text(view, scheme)
    if text is None:
        return None if scheme.kind == "query" and view.query_cut else _NOTHING
    wanted = scheme.prefix.strip()
    word, _, rest = text.strip().partition(" ")
    if not word or (word.lower() == wanted and not rest.strip()):
        return _EMPTY
    if wanted not in _HTTP_SCHEMES or in_text(text) or is_placeholder(text) or is_placeholder(rest.strip()):
        return None
    if word.lower() == wanted or (wanted, word.lower()) in _TAKEN_FOR:
        return None
    return _HTTP_SCHEMES.get(word.lower(), "a value without the scheme")


def _text(view: View, scheme: SecurityScheme) -> str | None:
    if scheme.kind == "header":
        return view.request_headers.get(scheme.field.lower())
    if scheme.kind == "query":
        return max(view.query.get(scheme.field, ()), default=None)
    whole = view.request_headers.get("cookie", "")
    pairs = [part.partition("=") for part in whole.split(";") if part.strip()]
    if all(equals and _TOKEN.fullmatch(name.strip()) for name, equals, _ in pairs):
        return cookies(whole).get(scheme.field)
    return whole  # what was put for it, or no cookies that could be told apart


def _said_in_full(scheme: SecurityScheme, seen: str) -> str:
    """With the scheme of HTTP where another was sent."""
    named = _HTTP_SCHEMES.get(scheme.prefix.strip())
    return f"{_said(scheme)}, {named}" if named and seen != _NOTHING else _said(scheme)


def _said(scheme: SecurityScheme) -> str:
    return f"{scheme.kind} {scheme.field}" if scheme.field else scheme.name


def in_query(view: View) -> None:
    """A credential in the URL stands in every log on its way."""
    if view.form_in_query:  # a token there is what the operation asks for
        return
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
