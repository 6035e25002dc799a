"""What schemathesis tells as an error of its run, and is a fault of the server: no answer, or none that can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.fuzz.checks import NO_ANSWER, TOO_LARGE, Check

if TYPE_CHECKING:
    from schemathesis.engine.events import NonFatalError


def no_answer(event: NonFatalError) -> tuple[Check, str, str] | None:
    """The fault of a request that was sent and has no whole answer: rule, title, what was seen; None for the rest."""
    from requests import exceptions as failed  # noqa: PLC0415 - slow to import

    from contracts.fuzz.way import Surplus, TooLarge, Unended  # noqa: PLC0415

    error = event.value
    titles: dict[type[Exception], str] = {
        Unended: "An answer has no end",
        Surplus: "An answer goes on after its end",
    }
    if isinstance(error, TooLarge):
        return TOO_LARGE, "An answer is too large", str(error)
    if (title := titles.get(type(error))) is not None:
        return NO_ANSWER, title, str(error)
    said = event.info.message if isinstance(error, failed.ReadTimeout) else _unreadable(error)
    if said is None:
        return None
    answer = getattr(error, "response", None)
    if answer is None:
        return NO_ANSWER, "No answer came", said
    return NO_ANSWER, "An answer cannot be read", f"{answer.status_code}: {said}"


def _unreadable(error: BaseException) -> str | None:
    """What is wrong with the bytes that came; None where that is not what failed."""
    from http.client import BadStatusLine, RemoteDisconnected, UnknownProtocol  # noqa: PLC0415

    from requests import exceptions as failed  # noqa: PLC0415 - slow to import
    from urllib3.exceptions import ProtocolError  # noqa: PLC0415

    inner = error.args[0] if error.args else None
    if isinstance(error, failed.ContentDecodingError | failed.InvalidHeader):
        return str((getattr(inner, "args", None) or (inner,))[0])
    if not (isinstance(error, failed.RequestException) and isinstance(inner, ProtocolError)):
        return None
    why = inner.args[-1]
    said = "".join(each if each.isprintable() else " " for each in str(why)).strip()
    if isinstance(why, BadStatusLine) and not isinstance(why, RemoteDisconnected):
        return f"what came begins with no status line{said and f': {said}'}"
    return f"an unknown protocol: {said}" if isinstance(why, UnknownProtocol) else said
