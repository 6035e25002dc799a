"""What passed between a client and its provider, as an interaction: bodies unpacked, so that they can be read."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from cassettes.bodies import ABSENT, FULL, TRUNCATED, UNPACKERS, Budget, Headers, unpack
from interlock.records import Interaction, Message, Source

FORMAT = "recorded"


class Copy:
    """A copy of a body that passes, up to a limit."""

    def __init__(self, limit_bytes: int) -> None:
        self._parts: list[bytes] = []
        self._left = limit_bytes
        self.whole = True

    def add(self, part: bytes) -> None:
        """Keep what fits."""
        if len(part) > self._left:
            part, self.whole = part[: self._left], False
        self._left -= len(part)
        self._parts.append(part)

    @property
    def body(self) -> bytes:
        """What was kept."""
        return b"".join(self._parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer, as they stood on the wire, without their framing."""

    method: str
    url: str
    request_headers: Headers
    sent: Copy
    status: int
    reason: str
    response_headers: Headers
    got: Copy
    http_version: str
    started_at: dt.datetime
    elapsed_seconds: float
    origin: str | None


def interaction(exchange: Exchange) -> Interaction:
    """The exchange as an interaction, secrets and all: it must be redacted before it goes anywhere."""
    request, request_coding = _side(exchange.request_headers, exchange.sent, no_body_is_absent=True)
    response, response_coding = _side(exchange.response_headers, exchange.got)
    packed = {
        name: {"content_encoding": coding}
        for name, coding in (("request", request_coding), ("response", response_coding))
        if coding
    }
    reason = {"reason": exchange.reason} if exchange.reason else {}
    answered = packed.pop("response", {}) | reason
    return Interaction(
        source=Source(file="", format=FORMAT, index=0, line=None),
        method=exchange.method,
        url=exchange.url,
        request=request,
        status=exchange.status,
        response=response,
        error=None,
        http_version=exchange.http_version,
        recorded_at=exchange.started_at,
        elapsed_seconds=round(exchange.elapsed_seconds, 6),
        origin=exchange.origin,
        extras=packed | ({"response": answered} if answered else {}),
    )


def _side(headers: Headers, copy: Copy, *, no_body_is_absent: bool = False) -> tuple[Message, str | None]:
    """One message, its body unpacked where we know how, and the codings that were taken off."""
    body = copy.body
    codings = ", ".join(value for name, value in headers if name.lower() == "content-encoding")
    known = all(each.strip().lower() in {*UNPACKERS, "identity"} for each in codings.split(",")) and bool(
        codings
    )
    state: str | None = None if copy.whole else TRUNCATED
    if known and body:
        body, unpacked = unpack(body, codings, Budget())
        state = state or unpacked
        headers = _unpacked(headers, len(body))
    if not body and no_body_is_absent and not _has_body(headers):
        return Message(headers=headers, body=None, body_state=ABSENT), None
    return Message(headers=headers, body=body, body_state=state or FULL), codings if known and body else None


def _unpacked(headers: Headers, length: int) -> Headers:
    """What the headers say once the codings are off, as vcrpy's own decoder leaves them."""
    kept = [(name, value) for name, value in headers if name.lower() != "content-encoding"]
    return tuple((n, str(length) if n.lower() == "content-length" else v) for n, v in kept)


def _has_body(headers: Headers) -> bool:
    return any(name.lower() in {"content-length", "transfer-encoding"} for name, _ in headers)
