"""Bodies as they were meant: compression taken off within a budget, and what state they are in."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable

from interlock.records import Message

FULL, REDACTED, TRUNCATED, ABSENT = "full", "redacted", "truncated", "absent"
MAX_BODY_BYTES = 32 * 1024 * 1024
MAX_FILE_BODY_BYTES = 64 * 1024 * 1024  # of everything that is unpacked for one file
_ZSTD_STEP_BYTES = 256  # at a time: so much may become 8 MiB

Headers = tuple[tuple[str, str], ...]

# A body that is a mark as a whole: `[REDACTED]`, `<FILTERED>`, `***`.
_MARK = re.compile(
    rb"\W{0,8}(?:(?:redacted|filtered|scrubbed|sanitized|hidden|elided|removed|masked)|[*xX]{3,64})\W{0,8}",
    re.IGNORECASE,
)
_LONGEST_MARK = 80


class Budget:
    """How many bytes may still be unpacked for one file."""

    def __init__(self, total: int = MAX_FILE_BODY_BYTES, one: int = MAX_BODY_BYTES) -> None:
        self.left, self.one = total, one
        self.exceeded = False
        self.damaged = 0  # packed bodies that end early or are spoilt

    def allowed(self) -> int:
        """How large the next body may become."""
        return min(self.left, self.one)

    def take(self, size: int, *, whole: bool) -> None:
        """Count what a body became; one that is not whole was cut off here, or came so."""
        cut_off = not whole and size >= self.allowed()
        self.exceeded = self.exceeded or cut_off
        self.damaged += not whole and not cut_off
        self.left -= size


def message(headers: Headers, body: bytes | None, budget: Budget, state: str | None = None) -> Message:
    """One side of an interaction, its body unpacked as `Content-Encoding` says. `state`: where that is known."""
    if body is None:
        return Message(headers=headers, body=None, body_state=state or ABSENT)
    for name, value in headers:
        if len(name) == 16 and name.lower() == "content-encoding" and body:  # noqa: PLR2004 - its length
            body, unpacked = unpack(body, value, budget)
            state = state or unpacked
    if state is None:
        state = REDACTED if len(body) <= _LONGEST_MARK and _MARK.fullmatch(body) else FULL
    return Message(headers=headers, body=body, body_state=state)


def unpack(body: bytes, codings: str, budget: Budget) -> tuple[bytes, str | None]:
    """The body without its codings, and `truncated` where it ends early or is too large.

    Many recorders unpack a body and keep the header: a body that is not packed in that way stays as it is.
    """
    for coding in reversed([each.strip().lower() for each in codings.split(",")]):
        unpacker = UNPACKERS.get(coding)
        if unpacker is None:
            continue
        if (limit := budget.allowed()) <= 0:
            budget.exceeded = True
            return b"", TRUNCATED
        unpacked = unpacker(body, limit)
        if unpacked is None:
            continue
        body, whole = unpacked
        budget.take(len(body), whole=whole)
        if not whole:
            return body, TRUNCATED
    return body, None


Unpacked = tuple[bytes, bool] | None  # None: it is not packed so; False: there was more, or there should be


def _gzip(body: bytes, limit: int) -> Unpacked:
    if body[:2] != b"\x1f\x8b":
        return None
    parts: list[bytes] = []
    left = limit
    while body[:2] == b"\x1f\x8b":
        inflater = zlib.decompressobj(wbits=31)
        try:
            parts.append(inflater.decompress(body, left))
        except zlib.error:
            return b"".join(parts), False
        left -= len(parts[-1])
        if not inflater.eof:
            return b"".join(parts), False
        if left <= 0:
            return b"".join(parts), not inflater.unused_data
        body = inflater.unused_data
    return b"".join(parts), True


def _deflate(body: bytes, limit: int) -> Unpacked:
    for wbits in (15, -15):  # as the standard has it, and as some servers send it
        inflater = zlib.decompressobj(wbits=wbits)
        try:
            found = inflater.decompress(body, limit)
        except zlib.error:
            continue
        if found or inflater.eof:
            return found, inflater.eof
    return None


def _brotli(body: bytes, limit: int) -> Unpacked:
    import brotli  # noqa: PLC0415 - few cassettes need it

    unpacker = brotli.Decompressor()
    parts: list[bytes] = []
    size = 0
    try:
        chunk = unpacker.process(body, output_buffer_limit=limit + 1)
        while chunk and size <= limit:
            parts.append(chunk)
            size += len(chunk)
            chunk = (
                unpacker.process(b"", output_buffer_limit=limit + 1) if not unpacker.is_finished() else b""
            )
    except brotli.error:
        return None
    found = b"".join(parts)
    return (found[:limit], bool(unpacker.is_finished()) and size <= limit) if found else None


def _zstd(body: bytes, limit: int) -> Unpacked:
    if body[:4] != b"\x28\xb5\x2f\xfd":
        return None
    import zstandard  # noqa: PLC0415 - few cassettes need it

    unpacker = zstandard.ZstdDecompressor(max_window_size=2**27).decompressobj()
    parts: list[bytes] = []
    size = at = 0
    try:
        while at < len(body) and size <= limit:
            if unpacker.eof:  # another frame follows
                unpacker = zstandard.ZstdDecompressor(max_window_size=2**27).decompressobj()
            parts.append(unpacker.decompress(body[at : at + _ZSTD_STEP_BYTES]))
            size += len(parts[-1])
            at += _ZSTD_STEP_BYTES - len(unpacker.unused_data)
    except zstandard.ZstdError:
        return b"".join(parts), False
    return b"".join(parts)[:limit], unpacker.eof and size <= limit


UNPACKERS: dict[str, Callable[[bytes, int], Unpacked]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
