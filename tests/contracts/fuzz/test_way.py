"""Answers that are slow, endless, too large, cut off or only announced, by a server that writes bytes."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contracts.fuzz import engine, way
from contracts.fuzz.engine import Fuzzed, Wish, fuzz
from tests.contracts.fuzz import shops

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Way", "version": "1"},
    "paths": {"/a": {"get": {"responses": {"200": shops.answer({"type": "object"})}}}},
}
Say = Callable[[socket.socket], None]


@contextlib.contextmanager
def saying(say: Say) -> Iterator[str]:
    """The address of a server that takes a connection for each request, and what it says then."""

    def one(sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            sock.recv(65536)
            say(sock)

    def serve() -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                threading.Thread(target=one, args=(server.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


def asked(say: Say) -> Fuzzed:
    """What comes of fuzzing it."""
    with saying(say) as url:
        return fuzz(shops.contract(DOCUMENT), Wish(url=url, seed=7, max_examples=2))


def whole(body: bytes, *more: bytes) -> bytes:
    """A whole answer."""
    return b"\r\n".join((OK + b"Content-Length: %d" % len(body), *more, b"Connection: close", b"", body))


def endless(head: bytes, again: bytes) -> Say:
    """Says the head, and something again and again, sooner than a read may take."""
    never = threading.Event()

    def say(sock: socket.socket) -> None:
        sock.sendall(head)
        while not never.wait(0.02):
            sock.sendall(again)

    return say


@pytest.mark.parametrize(
    ("say", "seen"),
    [
        (endless(OK + b"Content-Length: 100000\r\n\r\n", b" "), "200: no end of the body after 0.3 seconds"),
        (endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"), "200: no end of the body after"),
        (endless(OK + b"X-Drip: ", b"a"), "Read timed out after 0.3 seconds"),
        (endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"), "Read timed out after 0.3 seconds"),
    ],
)
def test_an_answer_without_end_is_a_fault(say: Say, seen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "ANSWER_SECONDS", 0.3)
    found = asked(say)
    (fault,) = found.faults
    assert fault.check.rule == "fuzz-no-answer"
    assert fault.seen.startswith(seen)
    assert fault.curl.startswith("curl -i -X GET http://127.0.0.1:")
    assert found.finished == frozenset()


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_that_is_too_large_is_a_fault(packed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(way, "MAX_ANSWER_BYTES", 1 << 20)
    body = b"[" + b" " * (1 << 20) + b"]"
    answer = whole(gzip.compress(body), b"Content-Encoding: gzip") if packed else whole(body)
    found = asked(lambda sock: sock.sendall(answer))
    (fault,) = found.faults
    assert (fault.check.rule, fault.seen) == ("fuzz-too-large", "200: more than 1 MiB")
    assert found.troubles == {"GET /a": fault.seen}
    assert found.finished == frozenset()


@pytest.mark.parametrize(
    "first", [b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"]
)
def test_what_announces_an_answer_is_none(first: bytes) -> None:
    found = asked(lambda sock: sock.sendall(first * 2 + whole(b"{}")))
    assert found.faults == ()
    assert found.answered["GET /a"].keys() == {200}


def test_an_answer_that_is_only_announced_is_none() -> None:
    found = asked(lambda sock: sock.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n"))
    assert {each.check.rule for each in found.faults} == {"fuzz-no-answer"}
    assert found.answered == {}


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (OK + b"Content-Length: 10\r\n\r\n{}", "200: IncompleteRead(2 bytes read, 8 more expected"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}", "200: IncompleteRead(2 bytes read, 3 more"),
        (whole(b"{}", b"Content-Encoding: gzip"), "200: Received response with content-encoding: gzip"),
    ],
)
def test_an_answer_that_cannot_be_read_is_a_fault(answer: bytes, seen: str) -> None:
    faults = asked(lambda sock: sock.sendall(answer)).faults
    assert {each.check.rule for each in faults} == {"fuzz-no-answer"}
    assert [each.seen for each in faults if not each.seen.startswith(seen)] == []
    assert all(each.curl.startswith("curl ") for each in faults)


@pytest.mark.parametrize(
    ("answer", "title", "seen"),
    [
        (whole(b"{}") + b"more", "An answer goes on after its end", "200: 4 bytes after its end"),
        (
            b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n{}",
            "An answer goes on after its end",
            "204: 2 bytes after its end",
        ),
        (
            OK + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n2\r\n",
            "An answer goes on after its end",
            "200: 1 bytes after its end",
        ),
        (
            whole(b"{}", b"Content-Encoding: rot13"),
            "An answer cannot be read",
            "200: nobody asked for its content coding, rot13",
        ),
        (
            whole(b"{}", b"Content-Length: 7"),
            "No answer came",
            "Content-Length contained multiple unmatching values",
        ),
        (
            OK + b"Content-Length: two\r\n\r\n{}",
            "An answer cannot be read",
            "200: its Content-Length is no number",
        ),
        (b"\0\0\x12\x04\0\0\0", "No answer came", "what came begins with no status line"),
        (b"{}", "No answer came", "what came begins with no status line: {}"),
        (b"HTTP/2.0 200 OK\r\n\r\n{}", "No answer came", "an unknown protocol: HTTP/2.0"),
    ],
)
def test_bytes_that_are_no_answer_are_a_fault(answer: bytes, title: str, seen: str) -> None:
    found = asked(lambda sock: sock.sendall(answer))
    assert {(each.check.rule, each.title) for each in found.faults} == {("fuzz-no-answer", title)}
    assert all(each.seen.startswith(seen) for each in found.faults)


def test_what_is_right_in_odd_ways_passes() -> None:
    for answer in (
        whole(gzip.compress(b"{}"), b"Content-Encoding: gzip"),
        whole(b"{}") + b"\r\n",
        whole(b"{}", b"Content-Length: 2"),
        b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{}",
        OK + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    ):
        found = asked(lambda sock, answer=answer: sock.sendall(answer))  # type: ignore[misc]
        assert found.faults == ()
        assert found.answered["GET /a"].keys() == {200}
