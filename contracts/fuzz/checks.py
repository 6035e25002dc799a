"""What is asked of answers: schemathesis's checks as rules of ours, and two of our own."""

from __future__ import annotations

from dataclasses import dataclass

from interlock.records import Severity


@dataclass(frozen=True, slots=True)
class Check:
    """One of schemathesis's checks, as a rule of ours. `at`: where in the exchange it looks."""

    rule: str
    severity: Severity
    at: str
    promised: str


_E, _W = Severity.ERROR, Severity.WARNING
CHECKS: dict[str, Check] = {
    "not_a_server_error": Check(
        "fuzz-server-error", _E, "/response/status", "no request makes the server fail"
    ),
    "status_code_conformance": Check(
        "fuzz-status", _E, "/response/status", "every status is in the contract"
    ),
    "content_type_conformance": Check(
        "fuzz-media-type", _E, "/response/header/content-type", "a media type of the contract"
    ),
    "response_headers_conformance": Check(
        "fuzz-header", _E, "/response/header", "the headers that the contract names"
    ),
    "response_schema_conformance": Check("fuzz-body", _E, "/response/body", "a body as its schema says"),
}
# What shows only over several requests, one with what another was answered.
SEQUENCES: dict[str, Check] = {
    "use_after_free": Check("fuzz-deleted-still-there", _E, "/response/status", "what was deleted is gone"),
    "ensure_resource_availability": Check(
        "fuzz-created-not-there", _W, "/response/status", "what was created is there"
    ),
}
# No checks of schemathesis's: it tells of these as errors of the run.
NO_ANSWER = Check("fuzz-no-answer", _E, "/response", "every request is answered, and every answer ends")
TOO_LARGE = Check("fuzz-too-large", _W, "/response/body", "a body that can be judged")
# What a server does with wrong requests: a contract says what is right, and seldom how wrong is answered.
STRICT: dict[str, Check] = {
    "negative_data_rejection": Check("fuzz-takes-wrong", _W, "/request", "a wrong request is refused"),
    "positive_data_acceptance": Check("fuzz-refuses-right", _W, "/request", "a right request is taken"),
    "missing_required_header": Check(
        "fuzz-takes-wrong", _W, "/request/header", "a request without its header is refused"
    ),
    "unsupported_method": Check("fuzz-method", _W, "/request/method", "another method is answered 405"),
    "ignored_auth": Check("fuzz-ignores-credential", _E, "/request/header", "no credential, no answer"),
}
# Of two checks under one rule the first says what it is about.
RULES: dict[str, str] = {
    each.rule: each.promised
    for each in reversed((*(CHECKS | SEQUENCES | STRICT).values(), NO_ANSWER, TOO_LARGE))
}
