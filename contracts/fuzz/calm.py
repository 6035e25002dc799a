"""An answer that would break schemathesis's run is told as an answer that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from schemathesis import Case, Response
    from schemathesis.hooks import HookContext

_KEPT = 100  # bytes, too few to be nested too deeply


def calming(too_deep: set[str]) -> Callable[[HookContext, Case[Any], Response], None]:
    """The hook `after_call` of schemathesis, which leaves only the beginning of JSON that is nested too deeply.

    It reads JSON with `json.loads`, in many places, and nothing there catches its `RecursionError`; what is cut is
    broken JSON, which is judged. The ids of the cases that were answered so are put into `too_deep`.
    """

    def after_call(_context: HookContext, case: Case[Any], response: Response) -> None:
        try:
            response.json()
        except RecursionError:
            response.content = response.content[:_KEPT]
            too_deep.add(case.id)
        except (ValueError, LookupError):  # no JSON, or in no encoding that anybody knows
            return

    return after_call
