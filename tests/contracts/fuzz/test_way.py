"""Answers that are slow, endless, too large, cut off or only announced, by a server that writes bytes."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from contracts.fuzz import engine, way
from contracts.fuzz.checks import RULES
from contracts.fuzz.engine import Fuzzed, Wish, fuzz
from tests.contracts.fuzz import shops

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
Say = Callable[[socket.socket], None]


def document(count: int) -> dict[str, Any]:
    """Operations `GET /0`, `GET /1` and so on."""
    item = {"get": {"responses": {"200": shops.answer({"type": "object"})}}}
    paths = {f"/{index}": item for index in range(count)}
    return {"openapi": "3.1.0", "info": {"title": "Way", "version": "1"}, "paths": paths}


@contextlib.contextmanager
def saying(says: Sequence[Say]) -> Iterator[str]:
    """The address of a server that takes a connection for each request, and says what its path is the number of."""

    def one(sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            path = sock.recv(65536).split()[1].decode().strip("/")
            if path.isdecimal():
                says[int(path)](sock)

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


def asked(*says: Say | bytes) -> Fuzzed:
    """What comes of fuzzing a server that says these."""

    def saying_it(said: Say | bytes) -> Say:
        return (lambda sock: sock.sendall(said)) if isinstance(said, bytes) else said

    with saying([saying_it(each) for each in says]) as url:
        return fuzz(shops.contract(document(len(says))), Wish(url=url, seed=7, max_examples=1))


def told(found: Fuzzed) -> list[set[tuple[str, str, str]]]:
    """Rule, title and what was seen, by operation; faults all have a known rule and the line that shows them."""
    assert {each.check.rule for each in found.faults} <= RULES.keys()
    assert all(each.curl.startswith("curl -i -X GET http://127.0.0.1:") for each in found.faults)
    return [
        {
            (each.check.rule, each.title, each.seen)
            for each in found.faults
            if each.operation.name == operation.name
        }
        for operation in found.operations
    ]


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


ENDLESS: dict[Say, str] = {
    endless(OK + b"Content-Length: 100000\r\n\r\n", b" "): "200: no end of the body after",
    endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"): "200: no end of the body after",
    endless(OK + b"X-Drip: ", b"a"): "Read timed out after",
    endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"): "Read timed out after",
}


def test_an_answer_without_end_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "ANSWER_SECONDS", 0.2)
    found = asked(*ENDLESS)
    for faults, seen in zip(told(found), ENDLESS.values(), strict=True):
        assert {(rule, said.startswith(seen)) for rule, _, said in faults} == {("fuzz-no-answer", True)}
    assert found.finished == frozenset()


def test_an_answer_that_is_too_large_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(way, "MAX_ANSWER_BYTES", 1 << 20)
    body = b"[" + b" " * (1 << 20) + b"]"
    found = asked(whole(body), whole(gzip.compress(body), b"Content-Encoding: gzip"))
    seen = "200: more than 1 MiB"
    assert told(found) == [{("fuzz-too-large", "An answer is too large", seen)}] * 2
    assert found.troubles == {"GET /0": seen, "GET /1": seen}
    assert found.finished == frozenset()


BEYOND, UNREAD, NONE = "An answer goes on after its end", "An answer cannot be read", "No answer came"
WRONG: dict[bytes, tuple[str, str]] = {
    OK + b"Content-Length: 10\r\n\r\n{}": (UNREAD, "200: IncompleteRead(2 bytes read, 8 more expected"),
    OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}": (UNREAD, "200: IncompleteRead(2 bytes read, 3 more"),
    whole(b"{}", b"Content-Encoding: gzip"): (UNREAD, "200: Received response with content-encoding: gzip"),
    whole(b"{}", b"Content-Encoding: rot13"): (UNREAD, "200: nobody asked for its content coding, rot13"),
    OK + b"Content-Length: two\r\n\r\n{}": (UNREAD, "200: its Content-Length is no number"),
    whole(b"{}") + b"more": (BEYOND, "200: 4 bytes after its end"),
    b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n{}": (BEYOND, "204: 2 bytes after its end"),
    OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n2\r\n": (
        BEYOND,
        "200: 1 byte after its end",
    ),
    whole(b"{}", b"Content-Length: 7"): (NONE, "Content-Length contained multiple unmatching values"),
    b"HTTP/1.1 103 Early Hints\r\n\r\n": (NONE, "Remote end closed connection without response"),
    b"\0\0\x12\x04\0\0\0": (NONE, "what came begins with no status line"),
    b"{}": (NONE, "what came begins with no status line: {}"),
    b"HTTP/2.0 200 OK\r\n\r\n{}": (NONE, "an unknown protocol: HTTP/2.0"),
}


def test_bytes_that_are_no_answer_are_a_fault() -> None:
    for faults, (title, seen) in zip(told(asked(*WRONG)), WRONG.values(), strict=True):
        assert {(*each[:2], each[2].startswith(seen)) for each in faults} == {("fuzz-no-answer", title, True)}


def test_a_connection_on_which_too_much_came_is_not_used_again() -> None:
    def stays_open(sock: socket.socket) -> None:
        sock.sendall(OK + b"Content-Length: 2\r\n\r\n{}more")
        again.append(sock.recv(65536))  # and is silent to whoever asks on it again

    again: list[bytes] = []
    surplus, right = told(asked(stays_open, whole(b"{}")))
    assert surplus == {("fuzz-no-answer", BEYOND, "200: 4 bytes after its end")}
    assert right == set()
    assert set(again) == {b""}


RIGHT = (
    b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 2 + whole(b"{}"),
    b"HTTP/1.1 100 Continue\r\n\r\n" + whole(b"{}"),
    whole(gzip.compress(b"{}"), b"Content-Encoding: gzip"),
    whole(b"{}") + b"\r\n",
    whole(b"{}", b"Content-Length: 2"),
    b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{}",
    OK + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
)


def test_what_is_right_in_odd_ways_passes() -> None:
    found = asked(*RIGHT)
    assert found.faults == ()
    assert [set(counts) for counts in found.answered.values()] == [{200}] * len(RIGHT)


def test_a_reading_that_was_dropped_is_closed_with_the_run() -> None:
    ours, theirs = socket.socketpair()
    with theirs, way.bounded():
        dropped = way._Until(ours.makefile("rb", buffering=0), ours)
        ours.close()  # as urllib3 closes a connection; its descriptor stays open for whoever reads
        assert ours.fileno() != -1
    assert dropped.closed
    assert ours.fileno() == -1
