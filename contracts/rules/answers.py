"""Rules on an answer's status and headers, and on what the client said it accepts."""

from __future__ import annotations

import re

from contracts.engine import RESPONSE
from contracts.media import essence
from contracts.pointers import join
from contracts.rules.requests import STANDARD, read_held
from contracts.view import View, listed

_STANDARD_ANSWERS = STANDARD | frozenset(
    [
        "accept-ranges",
        "access-control-allow-credentials",
        "access-control-allow-headers",
        "access-control-allow-methods",
        "access-control-allow-origin",
        "access-control-expose-headers",
        "access-control-max-age",
        "age",
        "allow",
        "alt-svc",
        "content-disposition",
        "content-location",
        "content-range",
        "content-security-policy",
        "cross-origin-opener-policy",
        "deprecation",
        "etag",
        "expires",
        "last-modified",
        "link",
        "location",
        "nel",
        "p3p",
        "permissions-policy",
        "proxy-authenticate",
        "referrer-policy",
        "report-to",
        "retry-after",
        "server",
        "server-timing",
        "set-cookie",
        "status",
        "strict-transport-security",
        "sunset",
        "timing-allow-origin",
        "vary",
        "www-authenticate",
        "x-content-type-options",
        "x-frame-options",
        "x-powered-by",
        "x-xss-protection",
        "x-runtime",
        "x-request-id",
        "x-cache",
        "x-served-by",
        "x-timer",
        "x-dns-prefetch-control",
        "x-download-options",
        "x-permitted-cross-domain-policies",
    ]
)
_FIRST_ERROR = 400
_REFUSED = re.compile(r";\s*q\s*=\s*0(?:\.0*)?\s*(?:;|$)", re.IGNORECASE)  # RFC 9110, 12.4.2
# What any service may say though no operation lists it: a condition that held, and ways to another place.
_ANYWHERE = frozenset({304})


def status(view: View) -> None:
    """Whether the status is promised."""
    code, answer = view.interaction.status, view.answer
    if code is None or code in _ANYWHERE:
        return
    where = join(view.operation.pointer, "responses")
    if answer is None:
        rule = "response-status" if code < _FIRST_ERROR else "response-error-status"
        view.add(
            rule,
            f"{view.operation.name} answers {code}, which is not promised",
            "/response/status",
            where,
            promised=listed(each.status for each in view.operation.answers) or "no answer at all",
            seen=str(code),
            fix="be ready for it; the provider's document does not list it",
        )
    elif answer.status == "default":
        view.add(
            "response-status-default",
            f"{view.operation.name} answers {code}, for which only the default stands",
            "/response/status",
            answer.pointer,
            promised="default",
            seen=str(code),
        )


def headers(view: View) -> None:
    """The headers that are promised for this answer."""
    answer = view.answer
    if answer is None or view.interaction.response is None:
        return
    for header in answer.headers:
        name = header.name.lower()
        pointer = join("/response/header", name)
        text = view.response_headers.get(name)
        if text is None:
            if header.required and not view.as_get:  # HEAD may leave it out (RFC 9110, 9.3.2)
                view.add(
                    "response-header-missing",
                    f"{view.operation.name}: the answer lacks {header.name}",
                    pointer,
                    header.pointer,
                    promised="it must be there",
                    seen="nothing",
                )
        elif header.schema is not None:
            read_held(view, "response-header", header, [text], pointer, RESPONSE)
    said = view.response_headers.get("content-type")
    if said and not any(each.media for each in view.operation.answers):
        view.add(
            "response-media-type-unpromised",
            f"{view.operation.name} says no media type of its answers",
            "/response/header/content-type",
            answer.pointer,
            seen=said,
        )
    _unknown_headers(view, {header.name.lower() for header in answer.headers})


def _unknown_headers(view: View, known: set[str]) -> None:
    if view.bench.book.severities.get("response-header-unknown") is None:
        return
    assert view.answer is not None
    for name in view.response_headers:
        if name not in known and (name not in _STANDARD_ANSWERS or name == "age"):
            view.add(
                "response-header-unknown",
                f"{view.operation.name}: the contract knows no header {name}",
                join("/response/header", name),
                view.answer.pointer,
                seen=name,
            )


def accept(view: View) -> None:
    """Whether what the client accepts is something that the operation answers with."""
    said = view.request_headers.get("accept")
    promised = {essence(m.media_type) for each in view.operation.answers for m in each.media}
    if said and not promised:
        view.add(
            "request-accept-unpromised",
            f"{view.operation.name} says no media type of its answers",
            "/request/header/accept",
            join(view.operation.pointer, "responses"),
            seen=said,
        )
    good = [each for each in view.operation.answers if each.status.startswith("2")]
    bodiless = bool(good) and not any(
        each.media for each in good
    )  # what it accepts counts for refusals alone
    if not said or not promised or view.refused or bodiless:
        return
    wanted = [essence(part) for part in said.split(",") if not _REFUSED.search(part)]
    if not any(_covers(each, name) for each in wanted for name in promised):
        view.add(
            "request-accept",
            f"{view.operation.name} answers with nothing that the client accepts",
            "/request/header/accept",
            join(view.operation.pointer, "responses"),
            promised=listed(sorted(promised)),
            seen=said,
        )


def _covers(wanted: str, name: str) -> bool:
    if wanted in {"*/*", "*", "", name} or name in {"*/*", ""}:
        return True
    if wanted.endswith("/*") and name.startswith(wanted[:-1]):
        return True
    return _kind(wanted) == _kind(name) != ""


def _kind(name: str) -> str:
    """`json` for JSON and for what ends in `+json`: a provider answers the one for the other."""
    kind = name.rpartition("+")[2].rpartition("/")[2]
    return kind if kind in {"json", "xml"} else ""
