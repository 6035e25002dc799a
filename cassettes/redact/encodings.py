"""Encodings that hide a secret in text: percent, backslash-u, base64, gzip. Undone to look inside, and done again."""

from __future__ import annotations

import base64
import binascii
import codecs
import gzip
import io
import re
import zlib
from collections.abc import Callable
from urllib.parse import quote, unquote

import brotli
import zstandard

MAX_INFLATED_BYTES = 64 * 1024 * 1024
SHORTEST_BASE64 = 16
_GZIP = b"\x1f\x8b"
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd]")
_CHARSET = re.compile(r"charset=\"?([\w-]{1,40})", re.IGNORECASE)
_U = re.compile(r"\\u([0-9a-fA-F]{4})")


def percent_decoded(text: str) -> str:
    """Without percent-encoding; bytes that are not UTF-8 keep theirs."""
    return unquote(text, errors="surrogateescape")


def form_decoded(text: str) -> str:
    """A value of a form or query; a `+` beside percent-encoding is a space, else base64 that nobody encoded."""
    return percent_decoded(text.replace("+", " ") if "%" in text else text)


def percent_encoded(text: str, like: str) -> str:
    """As `like` does it: what stands there as it is stays so."""
    safe = "".join(char for char in "/:@,;$!*'()[]{}|?~=" if char in like)
    if "+" not in like:
        return quote(text, safe=safe, errors="surrogateescape")
    if "%" not in like:
        return quote(text, safe=safe + "+", errors="surrogateescape")
    return quote(text, safe=safe, errors="surrogateescape").replace("%20", "+")


def u_decoded(text: str) -> str:
    """Without JSON's escapes of four hex digits."""
    return _U.sub(lambda match: chr(int(match[1], 16)), text)


def u_encoded(text: str) -> str:
    """Letters, digits and harmless marks as they are, the rest in JSON's escapes."""
    return re.sub(r"[^\w.~/:@-]", lambda match: f"\\u{ord(match[0]):04x}", text)


def base64_decoded(text: str) -> bytes | None:
    """The bytes behind base64 of either alphabet, with line breaks and padding or without; None if it is none."""
    plain = "".join(text.split()).rstrip("=").replace("-", "+").replace("_", "/")
    if len(plain) % 4 == 1:
        return None
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def base64_encoded(raw: bytes, like: str) -> str:
    """As `like` does it: its alphabet, its padding, the length of its lines."""
    written = base64.b64encode(raw).decode()
    if "-" in like or "_" in like:
        written = written.replace("+", "-").replace("/", "_")
    if not like.rstrip().endswith("=") and len("".join(like.split())) % 4:
        written = written.rstrip("=")
    first, newline, _ = like.partition("\n")
    if not newline:
        return written
    width = len(first.rstrip()) or 60
    lines = [written[at : at + width] for at in range(0, len(written), width)]
    return "\n".join(lines) + ("\n" if like.endswith("\n") else "")


def inflated(raw: bytes) -> bytes | None:
    """What gzip holds; None if it is none, is broken or too large."""
    if not raw.startswith(_GZIP):
        return None
    engine = zlib.decompressobj(wbits=31)
    try:
        out = engine.decompress(raw, MAX_INFLATED_BYTES)
    except zlib.error:
        return None
    return out if engine.eof and not engine.unused_data else None


def deflated(raw: bytes) -> bytes:
    """gzip, the same bytes for the same content."""
    return gzip.compress(raw, mtime=0)


def as_text(raw: bytes) -> str | None:
    """Bytes that somebody can read; None for anything else."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if _UNPRINTABLE.search(text) else text


def undone(raw: bytes, encoding: str) -> tuple[bytes, Callable[[bytes], bytes]] | None:
    """A body without its content-encoding, and how to put that back; None if it does not have it, or is too large."""
    name = encoding.strip().lower()
    try:
        if name == "br":
            return _limited(brotli.decompress(raw)), brotli.compress
        if name == "zstd":
            with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(raw)) as reader:
                return _limited(reader.read(MAX_INFLATED_BYTES + 1)), zstandard.ZstdCompressor().compress
        if name == "deflate":
            engine = zlib.decompressobj()
            plain = engine.decompress(raw, MAX_INFLATED_BYTES)
            return (plain, zlib.compress) if engine.eof else None
    except (brotli.error, zstandard.ZstdError, zlib.error, ValueError):
        return None
    return None


def _limited(raw: bytes) -> bytes:
    if len(raw) > MAX_INFLATED_BYTES:
        raise ValueError("inflates beyond the limit")
    return raw


def charset(raw: bytes, content_type: str) -> str:
    """The encoding of a text body: its byte order mark, else what the media type says, else UTF-8.

    Only those that give back the same bytes are taken.
    """
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and len(raw) % 2 == 0:
        name = "utf-16-le" if raw.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    else:
        match = _CHARSET.search(content_type)
        name = match[1] if match else "utf-8"
    try:
        same = raw.decode(name).encode(name) == raw
    except (LookupError, ValueError):
        return "utf-8"
    return name if same else "utf-8"
