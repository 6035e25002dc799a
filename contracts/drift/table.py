"""The table of drift rules: one row each, with its level unless the user says otherwise.

What can happen to a schema is one row with two levels, because its direction turns it round: what narrows a
request breaks whoever sends it, what widens an answer breaks whoever reads it. Each such row is four rules, for
`request-parameter`, `request-property`, `response-header` and `response-property`. Sent is what we send;
received is what comes to us: answers, and the deliveries of webhooks and callbacks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from contracts.rules.table import Rule
from interlock.records import Severity

_E, _W, _I = Severity.ERROR, Severity.WARNING, Severity.INFO
# Our side of a schema: what it is called, whether we send it, and how oasdiff begins its ids for the same.
SIDES = {
    "request-parameter": ("a parameter", True, ("request-parameter", "request-parameter-property")),
    "request-property": ("a part of a request body", True, ("request-body", "request-property")),
    "response-header": ("a header of an answer", False, ("response-header",)),
    "response-property": ("a part of an answer", False, ("response-body", "response-property")),
}


@dataclass(frozen=True, slots=True)
class DriftRule(Rule):
    """A rule; `promise` says what it finds. `theirs`: the ids of oasdiff that it stands for."""

    theirs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Either:
    """What can happen to a schema. `sent`, `received`: its level.

    `theirs`: how oasdiff ends its ids for it; after `=`, for members of bodies alone and whatever they belong to.
    """

    suffix: str
    sent: Severity
    received: Severity
    finds: str
    theirs: str = ""

    def rules(self) -> Iterator[DriftRule]:
        for side, (thing, sent, begins) in SIDES.items():
            level = self.sent if sent else self.received
            if self.suffix == "default-changed" and side == "request-parameter":
                level = _E  # what is left out means something else from now on
            ends = [each for each in self.theirs.split() if each[0] != "="]
            theirs = [f"{begin}-{end}" for begin in begins for end in ends]
            if side.endswith("-property"):
                theirs += [
                    f"{side.partition('-')[0]}-{each[1:]}" for each in self.theirs.split() if each[0] == "="
                ]
            yield DriftRule(f"{side}-{self.suffix}", level, f"{thing} {self.finds}", tuple(theirs))


_LIMITS = (
    ("max", "exclusive-max", "max-length", "max-items"),
    ("min", "exclusive-min", "min-length", "min-items"),
)


def _limits(high: str, low: str) -> str:
    return " ".join([*(f"{each}-{high}" for each in _LIMITS[0]), *(f"{each}-{low}" for each in _LIMITS[1])])


_KEYWORDS = (
    "if", "then", "else", "contains", "dependent-required", "dependent-schema", "pattern-property",
    "property-names", "unevaluated-items", "unevaluated-properties", "content-schema",
)  # fmt: skip


def _keywords(end: str) -> str:
    return " ".join(f"{each}-{end}" for each in _KEYWORDS)


_EITHER = (
    _Either("type-changed", _E, _E, "has another type",
            "type-changed type-compatible prefix-items-added prefix-items-removed"),
    _Either("type-narrowed", _E, _I, "has fewer types than it had",
            "type-changed type-specialized list-of-types-narrowed"),
    _Either("type-widened", _I, _E, "has more types than it had", "type-generalized list-of-types-widened"),
    _Either("format-changed", _W, _W, "has another format that nothing can be held to"),
    _Either("became-nullable", _I, _E, "may be null now", "became-nullable"),
    _Either("became-not-nullable", _E, _I, "may be null no longer", "became-not-nullable"),
    _Either("became-enum", _E, _I, "is bound to listed values now", "became-enum"),
    _Either("no-longer-enum", _I, _W, "is bound to listed values no longer"),
    _Either("enum-value-removed", _E, _I, "has lost one of its values", "enum-value-removed"),
    _Either("enum-value-added", _I, _W, "has a new value", "enum-value-added"),
    _Either("extensible-enum-value-removed", _E, _I, "has lost a value in a list to which more may come",
            "x-extensible-enum-value-removed"),
    _Either("extensible-enum-value-added", _I, _I, "has a new value in a list to which more may come"),
    _Either("const-added", _E, _I, "is bound to one value now", "const-added"),
    _Either("const-removed", _I, _E, "is bound to its one value no longer", "const-removed"),
    _Either("const-changed", _E, _E, "is bound to another value", "const-changed"),
    _Either("limit-set", _W, _I, "has a limit where there was none",
            "max-set exclusive-max-set max-length-set min-set exclusive-min-set min-items-set"),
    _Either("limit-tightened", _E, _I, "has a closer limit", _limits("decreased", "increased")
            + " min-contains-increased max-contains-decreased"),
    _Either("limit-relaxed", _I, _E, "has a wider limit", _limits("increased", "decreased")
            + " min-contains-decreased max-contains-increased"),
    _Either("limit-removed", _I, _E, "has a limit no longer", "max-length-unset min-items-unset"),
    _Either("pattern-added", _E, _I, "has to fit a pattern now", "pattern-added"),
    _Either("pattern-changed", _W, _I, "has to fit another pattern", "pattern-changed"),
    _Either("pattern-removed", _I, _I, "has to fit a pattern no longer", "pattern-removed pattern-generalized"),
    _Either("became-required", _E, _I, "is always there now", "became-required became-required-with-default"),
    _Either("became-optional", _I, _E, "need not be there any more", "became-optional"),
    _Either("additional-properties-closed", _E, _I, "takes no further members now"),
    _Either("additional-properties-opened", _I, _W, "may have further members now"),
    _Either("alternative-added", _I, _E, "has one more alternative",
            "any-of-added one-of-added wrapped-in-one-of list-of-types-widened"),
    _Either("alternative-removed", _E, _I, "has one alternative less",
            "any-of-removed one-of-removed list-of-types-narrowed"),
    _Either("condition-added", _E, _I, "is bound by one more condition",
            f"{_keywords('added')} dependent-required-changed"),
    _Either("condition-removed", _I, _E, "is bound by one condition less",
            f"{_keywords('removed')} dependent-required-changed"),
    _Either("condition-changed", _W, _W, "is bound by another condition"),
    _Either("content-changed", _E, _E, "holds a text of another media type or encoding",
            "content-media-type-changed content-encoding-changed"),
    _Either("default-changed", _I, _I, "means something else where it is left out",
            "default-value-changed default-value-added default-value-removed"),
    _Either("discriminator-changed", _I, _I, "is told apart in another way",
            "discriminator-added discriminator-removed discriminator-property-name-changed "
            "discriminator-mapping-added discriminator-mapping-deleted discriminator-mapping-changed"),
    _Either("access-changed", _I, _I, "is read-only or write-only, and was not, or the other way round",
            " ".join(f"={need}-property-became-{no}{flag}-only" for need in ("optional", "required")
                     for no in ("", "not-") for flag in ("read", "write"))),
    _Either("stability-decreased", _E, _E, "is promised as less stable now", "stability-decreased"),
    _Either("stability-increased", _I, _I, "is promised as more stable now", "stability-increased"),
    _Either("deprecated", _I, _I, "is deprecated now", "deprecated deprecated-with-sunset"),
    _Either("reactivated", _I, _I, "is deprecated no longer", "reactivated"),
)  # fmt: skip


# Where nothing was needed, what oasdiff calls added is a way that is gone.
_SECURITY = (
    "api-security-removed",
    "api-global-security-removed",
    "api-security-added",
    "api-global-security-added",
)

_ROWS = (
    # paths and operations
    DriftRule("operation-added", _I, "an operation is new", ("endpoint-added",)),
    DriftRule("operation-removed", _E, "an operation is gone that was not deprecated",
              ("api-path-removed-without-deprecation", "api-removed-without-deprecation")),
    DriftRule("operation-removed-before-sunset", _E, "a deprecated operation is gone before the day that was named",
              ("api-path-removed-before-sunset", "api-removed-before-sunset")),
    DriftRule("operation-removed-after-deprecation", _I, "a deprecated operation is gone",
              ("api-path-removed-with-deprecation", "api-removed-with-deprecation")),
    DriftRule("operation-deprecated", _I, "an operation is deprecated now",
              ("endpoint-deprecated", "endpoint-deprecated-with-sunset")),
    DriftRule("operation-reactivated", _I, "an operation is deprecated no longer", ("endpoint-reactivated",)),
    DriftRule("operation-id-changed", _I, "an operation has another id, from which clients are generated",
              ("api-operation-id-removed", "api-operation-id-added")),
    DriftRule("operation-tags-changed", _I, "an operation stands under other tags",
              ("api-tag-removed", "api-tag-added")),
    DriftRule("operation-stability-decreased", _E, "an operation is promised as less stable now",
              ("api-stability-decreased",)),
    DriftRule("operation-stability-increased", _I, "an operation is promised as more stable now",
              ("api-stability-increased",)),
    DriftRule("stability-unreadable", _E, "a stability level is none of draft, alpha, beta and stable",
              ("api-invalid-stability-level",)),
    DriftRule("sunset-removed", _E, "a deprecated operation names no last day any more", ("sunset-deleted",)),
    DriftRule("sunset-earlier", _E, "a deprecated operation ends sooner than was said",
              ("api-sunset-date-changed-too-small",)),
    DriftRule("sunset-unreadable", _E, "the last day of an operation is no date",
              ("api-deprecated-sunset-parse", "api-path-sunset-parse")),
    DriftRule("server-removed", _W, "a server is gone"),
    DriftRule("server-added", _I, "a server is new"),
    # parameters
    DriftRule("request-parameter-added-required", _E, "a parameter is new and must be sent",
              ("new-required-request-parameter", "new-request-path-parameter", "new-required-request-header-property",
               "new-required-request-default-parameter-to-existing-path")),
    DriftRule("request-parameter-added", _I, "a parameter is new and may be sent",
              ("new-optional-request-parameter", "new-optional-request-default-parameter-to-existing-path")),
    DriftRule("request-parameter-removed", _W, "a parameter is gone", ("request-parameter-removed",)),
    DriftRule("request-parameter-removed-after-deprecation", _I, "a deprecated parameter is gone",
              ("request-parameter-removed-with-deprecation",)),
    DriftRule("request-parameter-style-changed", _E, "a list or object is written in another way in the URL"),
    DriftRule("request-parameter-sunset-removed", _E, "a deprecated parameter names no last day any more",
              ("request-parameter-sunset-deleted",)),
    DriftRule("request-parameter-sunset-unreadable", _E, "the last day of a parameter is no date",
              ("request-parameter-sunset-parse",)),
    DriftRule("request-parameter-sunset-earlier", _E, "a deprecated parameter ends sooner than was said",
              ("request-parameter-sunset-date-changed-too-small",)),
    # bodies of requests
    DriftRule("request-body-added", _I, "an operation takes a body now", ("request-body-added-optional",)),
    DriftRule("request-body-added-required", _E, "an operation needs a body now", ("request-body-added-required",)),
    DriftRule("request-body-removed", _E, "an operation takes no body any more",
              ("request-body-removed",)),
    DriftRule("request-body-became-required", _E, "a body must be sent now",
              ("request-body-became-required",)),
    DriftRule("request-body-became-optional", _I, "a body need not be sent any more",
              ("request-body-became-optional",)),
    DriftRule("request-media-type-added", _I, "a body may be of one more media type",
              ("request-body-media-type-added",)),
    DriftRule("request-media-type-removed", _E, "a body may be of one media type less",
              ("request-body-media-type-removed",)),
    DriftRule("request-schema-added", _E, "a body of which nothing was said has a schema now",
              ("request-body-media-type-schema-added",)),
    DriftRule("request-schema-removed", _I, "nothing is said of a body any more",
              ("request-body-media-type-schema-removed",)),
    DriftRule("request-property-added", _I, "a member of a request is new", ("new-optional-request-property",)),
    DriftRule("request-property-added-required", _E, "a member of a request is new and must be sent",
              ("new-required-request-property", "new-required-request-property-with-default")),
    DriftRule("request-property-removed", _W, "a member of a request is gone", ("request-property-removed",)),
    DriftRule("request-property-refused", _E,
              "a member of a request is gone, and members that are not named are refused",
              ("request-property-removed",)),
    DriftRule("request-field-encoding-changed", _E, "a field of a form that we send is written in another way"),
    # answers
    DriftRule("response-status-added", _I, "an answer has one more status",
              ("response-success-status-added", "response-non-success-status-added")),
    DriftRule("response-status-removed", _E, "a status of success is gone", ("response-success-status-removed",)),
    DriftRule("response-error-status-removed", _I, "a status of failure is gone",
              ("response-non-success-status-removed",)),
    DriftRule("response-media-type-added", _I, "an answer may be of one more media type",
              ("response-media-type-added",)),
    DriftRule("response-media-type-removed", _E, "an answer may be of one media type less",
              ("response-media-type-removed",)),
    DriftRule("response-schema-added", _I, "an answer of which nothing was said has a schema now",
              ("response-body-media-type-schema-added",)),
    DriftRule("response-schema-removed", _W, "nothing is said of an answer any more",
              ("response-body-media-type-schema-removed",)),
    DriftRule("response-property-added", _I, "a member of an answer is new",
              ("response-optional-property-added", "response-required-property-added")),
    DriftRule("response-property-removed", _W, "a member of an answer that need not be there is gone",
              ("response-optional-property-removed",)),
    DriftRule("response-property-removed-required", _E, "a member of an answer that was always there is gone",
              ("response-required-property-removed",)),
    DriftRule("response-field-encoding-changed", _E, "a field of a form that comes to us is written in another way"),
    DriftRule("response-header-added", _I, "an answer has a new header", ("response-header-added",)),
    DriftRule("response-header-removed", _W, "a header of an answer that need not be there is gone",
              ("optional-response-header-removed",)),
    DriftRule("response-header-removed-required", _E, "a header of an answer that was always there is gone",
              ("required-response-header-removed",)),
    # security
    DriftRule("security-alternative-removed", _E, "a way to sign in is gone, or one is needed where none was",
              _SECURITY),
    DriftRule("security-alternative-added", _I, "there is one more way to sign in, or none is needed any more",
              _SECURITY),
    DriftRule("security-scope-added", _E, "an operation needs a scope that it did not need",
              ("api-security-scope-added", "api-global-security-scope-added")),
    DriftRule("security-scope-removed", _I, "an operation needs a scope no longer",
              ("api-security-scope-removed", "api-global-security-scope-removed")),
    DriftRule("security-scheme-changed", _E, "a credential is presented in another way",
              ("api-security-component-type-changed",)),
    DriftRule("security-endpoint-changed", _W, "tokens are fetched from another address",
              ("api-security-component-oauth-url-changed", "api-security-component-oauth-token-url-changed")),
    DriftRule("security-scheme-scope-removed", _W, "tokens are given for a scope no longer",
              ("api-security-component-oauth-scope-removed",)),
    DriftRule("security-scheme-scope-added", _I, "tokens are given for one more scope",
              ("api-security-component-oauth-scope-added",)),
    # webhooks and callbacks
    DriftRule("webhook-added", _I, "there is one more event", ("webhook-added",)),
    DriftRule("webhook-removed", _E, "an event is sent no longer", ("webhook-removed",)),
    DriftRule("callback-added", _I, "there is one more callback"),
    DriftRule("callback-removed", _E, "a callback is made no longer"),
    DriftRule("reply-status-removed", _E, "we may answer a delivery with a status of success no longer"),
    DriftRule("reply-error-status-removed", _I, "a status of failure is gone with which we may answer a delivery"),
    DriftRule("reply-status-added", _I, "we may answer a delivery with one more status"),
    DriftRule("reply-header-added-required", _E, "our answer to a delivery needs a header that it did not need"),
    DriftRule("reply-header-added", _I, "our answer to a delivery may have one more header"),
    DriftRule("reply-header-removed", _W, "a header of our answer to a delivery is gone"),
    # recordings against a contract
    DriftRule("recorded-field-new", _I, "answers hold a member that the contract does not name"),
    DriftRule("recorded-field-missing", _E, "answers lack a member that the contract says is always there"),
    DriftRule("recorded-field-unseen", _I, "a member that the contract names was in none of the answers"),
    DriftRule("recorded-type-changed", _E, "a value in answers is of a type that the contract does not name"),
    DriftRule("recorded-enum-value-new", _W, "a value in answers is none of those that the contract lists"),
    DriftRule("recorded-extensible-enum-value-new", _I,
              "a value in answers is none of those that the contract lists, and it says that more may come"),
    DriftRule("recorded-value-changed", _W, "a value in answers breaks a limit, pattern or format of the contract"),
    DriftRule("recorded-status-new", _W, "answers have a status that the contract does not name"),
    DriftRule("recorded-media-type-new", _E, "answers are of a media type that the contract does not name"),
    DriftRule("recorded-error-changed", _W, "refusals and failures are of another shape than the contract says"),
)  # fmt: skip


RULES: dict[str, DriftRule] = {
    rule.name: rule for rule in (*(each for either in _EITHER for each in either.rules()), *_ROWS)
}
