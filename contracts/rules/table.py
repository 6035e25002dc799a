"""The table of rules: one row each, with its severity unless the user says otherwise, and what it promises."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from interlock.errors import UsageError
from interlock.records import Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `severity`: None where it is off unless asked for."""

    name: str
    severity: Severity | None
    promise: str


_E, _W, _I, _C = Severity.ERROR, Severity.WARNING, Severity.INFO, Severity.CRITICAL

RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule("request-url", _W, "the URL of a request can be read"),
        Rule("operation-unknown", _W, "every request is an operation of the contract"),
        Rule("method-unknown", _E, "a path is asked with a method that is promised for it"),
        Rule("operation-deprecated", _W, "no operation is used that the provider has deprecated"),
        Rule("request-path", _E, "what stands in the path is as its schema says"),
        Rule("request-query", _E, "a query parameter is as its schema says, and there where it must be"),
        Rule("request-query-unknown", _W, "no query parameter is sent that the operation does not know"),
        Rule("request-header", _E, "a request header is as its schema says, and there where it must be"),
        Rule("request-header-unknown", None, "no header is sent that neither HTTP nor the operation knows"),
        Rule("request-cookie", _E, "a cookie is as its schema says, and there where it must be"),
        Rule("parameter-deprecated", _W, "no parameter is sent that the provider has deprecated"),
        Rule("request-media-type", _E, "a request body has a media type that the operation takes"),
        Rule("request-body-missing", _E, "a request body is there where it must be"),
        Rule("request-body-unexpected", _W, "no body is sent to an operation that takes none"),
        Rule("request-body-syntax", _E, "a request body is well-formed"),
        Rule("request-body", _E, "a request body is as its schema says"),
        Rule("request-read-only", _W, "a request holds no member that only the provider may set"),
        Rule("request-accept", _W, "the client accepts a media type that the operation answers with"),
        Rule("request-accept-unpromised", None, "the operation says which media types it answers with"),
        Rule("response-status", _E, "every answer has a status that the operation promises"),
        Rule(
            "response-error-status", _W, "every refusal and failure has a status that the operation promises"
        ),
        Rule("response-status-default", None, "an answer has a status of its own in the contract"),
        Rule("response-media-type", _E, "an answer has a media type that is promised for its status"),
        Rule("response-media-type-unpromised", None, "an answer has a media type only where one is promised"),
        Rule("response-body-missing", _E, "an answer has the body that is promised"),
        Rule("response-body-syntax", _E, "the body of an answer is well-formed"),
        Rule("response-body", _E, "the body of an answer is as its schema says"),
        Rule("response-write-only", _W, "an answer holds no member that is for requests alone"),
        Rule("response-ambiguous", _I, "where one of several schemas holds, no second does"),
        Rule("response-format", _W, "a text in an answer has the format that is promised"),
        Rule("response-enum", _W, "a value in an answer is one of those that the contract lists"),
        Rule("response-header", _E, "a header of an answer is as its schema says"),
        Rule("response-header-missing", _W, "a header of an answer is there where it must be"),
        Rule(
            "response-header-unknown",
            None,
            "an answer has no header that neither HTTP nor the contract knows",
        ),
        Rule("body-unjudged", _I, "a body can be looked into"),
        Rule("body-opaque", None, "a body is of a media type that can be looked into"),
        Rule("credential-missing", _E, "a request carries a credential where one is promised"),
        Rule(
            "credential-in-query",
            _E,
            "no credential stands in a URL, where it is logged, unless that is promised",
        ),
        Rule("credential-in-clear", _C, "no credential goes over plain http"),
        Rule("deprecation-announced", _W, "no answer announces that its operation is deprecated"),
        Rule("sunset-announced", _W, "no answer announces that its operation will end"),
        Rule("version-mismatch", _I, "the version that is asked for is that of the contract"),
        Rule("recording-old", _I, "a recording is young enough to say something of today"),
        Rule("retry-too-soon", _W, "a client comes back only when it was told to"),
        Rule("retry-unsafe", _W, "a write is repeated with the idempotency key that makes that safe"),
        Rule("retry-new-key", _E, "a repeated write keeps its idempotency key"),
        Rule("retry-key-reused", _E, "an idempotency key stands for one request alone"),
        Rule("cassette-incomplete", _W, "a recording has everything that it says it has"),
        Rule(
            "cassette-body-too-large", _E, "the bodies of a recording are small enough to be unpacked whole"
        ),
        Rule("contract-reference", _I, "every reference of the contract leads to a part of it"),
    )
}


def promises(rules: Mapping[str, Rule] = RULES) -> dict[str, str]:
    """What every rule says, by its name."""
    return {name: rule.promise for name, rule in rules.items()}


def severities(
    chosen: Iterable[str], rules: Mapping[str, Rule] = RULES, *, command: str = "verify"
) -> Mapping[str, Severity | None]:
    """Every rule's severity, with `NAME=critical|error|warning|info|off` as the user says. Raises `UsageError`.

    `rules`: the table of `command`, the command that lists them.
    """
    found = {name: rule.severity for name, rule in rules.items()}
    for text in chosen:
        name, _, level = text.partition("=")
        if name not in rules:
            import difflib  # noqa: PLC0415 - only for a mistake

            near = difflib.get_close_matches(name, rules, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise UsageError(
                f"no rule is called {name!r}{meant}", hint=f"`interlock {command} --rules` lists them"
            )
        if level == "off":
            found[name] = None
        elif level in set(Severity):
            found[name] = Severity(level)
        else:
            raise UsageError(f"--rule {text}: must be {name}=error, warning, info, critical or off")
    return found
