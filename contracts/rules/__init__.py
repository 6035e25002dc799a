"""What is asked of every interaction: one file a family, one row a check."""

from __future__ import annotations

from collections.abc import Callable

from contracts.rules import answers, bodies, lifecycle, references, requests, security
from contracts.rules.table import RULES, Rule, severities
from contracts.view import View

# In the order of a message. Each adds its findings to the view.
CHECKS: tuple[Callable[[View], None], ...] = (
    lifecycle.operation,
    references.broken,
    requests.parameters,
    requests.unknown_fields,
    bodies.request_body,
    security.credentials,
    security.in_query,
    security.in_clear,
    answers.accept,
    answers.status,
    answers.headers,
    bodies.response_body,
    lifecycle.announced,
    lifecycle.version,
    lifecycle.age,
)
# Those that need an answer.
_ANSWERED = frozenset({answers.status, answers.headers, bodies.response_body, lifecycle.announced})

__all__ = ["CHECKS", "RULES", "Rule", "answered", "severities"]


def answered(check: Callable[[View], None]) -> bool:
    """Whether a check looks at the answer, so that it has nothing to say without one."""
    return check in _ANSWERED
