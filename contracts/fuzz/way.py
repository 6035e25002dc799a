"""The way to a server that is fuzzed: each answer has an end in time and in size, and only the last one counts.

Schemathesis stands on requests, whose timeout is that of one read: an answer that drips would never be given up, and
one without end would be kept whole. Answers that only announce another (103) would be taken for it.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import time
from collections.abc import Iterator
from typing import Any

import requests
import requests.sessions
from requests.adapters import HTTPAdapter
from schemathesis.core.transport import is_event_stream
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ReadTimeoutError
from urllib3.response import HTTPResponse

from interlock.output import number

MAX_ANSWER_BYTES = 16 * 1024 * 1024  # of a body as it is judged, unpacked
_CODINGS = {"identity", *HTTPResponse.CONTENT_DECODERS}
_CHUNK_BYTES = 64 * 1024
_SWITCHING = 101  # the last answer of its kind: what follows is no HTTP


class TooLarge(requests.exceptions.ChunkedEncodingError):
    """The body of an answer has more than `MAX_ANSWER_BYTES`.

    Of the kind after which schemathesis ends an operation's phase: else as much would be sent hundreds of times.
    """


class Unended(requests.Timeout):
    """An answer began, and did not end in its time."""


class Surplus(requests.RequestException):
    """Something came after the end of an answer, such as a body where none may be."""


class _Until(io.RawIOBase):
    """What comes from a socket, until the answer as a whole has taken the time that one read may take."""

    def __init__(self, stream: io.RawIOBase, sock: socket.socket) -> None:
        self._stream, self._sock = stream, sock
        seconds = sock.gettimeout()
        self._end = None if seconds is None else time.monotonic() + seconds
        self.shut = False  # whether no more is read
        _OPEN.add(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.shut:
            return 0
        if self._end is not None:
            left = self._end - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer has no end")
            self._sock.settimeout(left)
        return self._stream.readinto(buffer)

    def give_up(self) -> None:
        """Let the connection be found closed by whoever would use it again."""
        with contextlib.suppress(OSError):  # the other side was sooner
            self._sock.shutdown(socket.SHUT_RDWR)

    @property
    def left(self) -> bool:
        """Whether the connection was closed, and this reading of it was not."""
        return bool(getattr(self._sock, "_closed", False))

    def close(self) -> None:
        _OPEN.discard(self)
        self._stream.close()
        super().close()


# Readings that nobody has closed yet: one that was dropped would keep its socket until somebody collects it.
_OPEN: set[_Until] = set()


class _Answer(http.client.HTTPResponse):
    """The last answer to a request, within its time. `beyond`: how many bytes came with it, after its end."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._until = _Until(self.fp.detach(), sock)
        self.fp = io.BufferedReader(self._until)
        self.beyond = 0

    def _close_conn(self) -> None:
        """Who sends so much that it would be taken for the next answer is found out while it is still here.

        Nothing is asked on that connection any more: it would be another fault, of whoever is asked next.
        """
        self._until.shut = True
        self.beyond = len(self.fp.peek().strip(b"\r\n"))
        if self.beyond:
            self._until.give_up()
        super()._close_conn()  # type: ignore[misc] # private, and all there is

    def _read_status(self) -> tuple[str, int, str]:
        """The status line of the last answer; the standard library passes over 100 alone."""
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc] # private, and all there is
            if not 100 <= status < 200 or status == _SWITCHING:  # noqa: PLR2004
                return version, status, reason
            http.client.parse_headers(self.fp)


class _Plain(HTTPConnection):
    response_class = _Answer


class _Secure(HTTPSConnection):
    response_class = _Answer


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


class _Adapter(HTTPAdapter):
    """Sends a request and reads the answer to its end, or to the end of what it may cost."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Raises `requests.RequestException`, with the request in it, and with the answer where one began."""
        try:
            answer = super().send(request, *args, **kwargs)
            if not is_event_stream(answer.headers.get("Content-Type")):  # these schemathesis ends itself
                answer._content = _read(answer, kwargs["timeout"])  # noqa: SLF001 - as schemathesis does
        except requests.RequestException as exc:
            exc.request = exc.request or request
            raise
        return answer


def _read(answer: requests.Response, seconds: float) -> bytes:
    """The body. Raises `TooLarge`, `Unended` and what else requests raises."""
    body = bytearray()
    try:
        said = answer.headers.get("Content-Length", "0").split(",")  # the same twice is one
        if not all(each.strip().isdecimal() for each in said):
            raise requests.exceptions.InvalidHeader("its Content-Length is no number")
        for chunk in answer.iter_content(_CHUNK_BYTES):
            if odd := _odd_coding(answer):
                raise requests.exceptions.ContentDecodingError(f"nobody asked for its content coding, {odd}")
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                raise TooLarge(f"{answer.status_code}: more than {MAX_ANSWER_BYTES >> 20} MiB")
    except requests.RequestException as exc:
        answer.close()  # nobody reads the rest of it
        if exc.args and isinstance(exc.args[0], ReadTimeoutError):
            raise Unended(f"{answer.status_code}: no end of the body after {seconds:g} seconds") from exc
        exc.response = answer  # which tells it from no answer at all
        raise
    if beyond := getattr(answer.raw, "_original_response").beyond:  # noqa: B009 - as requests looks at it
        raise Surplus(f"{answer.status_code}: {number(beyond, 'byte')} after its end")
    return bytes(body)


def _odd_coding(answer: requests.Response) -> str | None:
    """A content coding that is not undone, and would be taken for the content."""
    said = (each.strip().lower() for each in answer.headers.get("Content-Encoding", "").split(","))
    return next((each for each in said if each and each not in _CODINGS), None)


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """Let every session of requests that begins meanwhile go that way: schemathesis makes several, and shows none."""
    before = requests.sessions.HTTPAdapter
    requests.sessions.HTTPAdapter = _Adapter
    try:
        yield
    finally:
        requests.sessions.HTTPAdapter = before
        for each in [each for each in list(_OPEN) if each.left]:
            each.close()
