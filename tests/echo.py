"""A server that sends back everything it was sent, in every part of its answer, in many ways of failing."""

from __future__ import annotations

import base64
import json
import socket
import struct
import threading
from typing import Self
from urllib.parse import quote

MODES = (
    "200",
    "302",
    "400",
    "401",
    "403",
    "404",
    "429",
    "500",
    "503",
    "json",
    "token",
    "cut",
    "garbage",
    "reset",
    "hang",
)


class EchoServer:
    """Serves in a thread; `mode` says how it answers, `saw` whether a secret ever reached it."""

    def __init__(self) -> None:
        self.mode = "200"
        self._requests: list[bytes] = []
        self._sock = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._sock.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()
        for thread in self._threads:
            thread.join(5)

    def saw(self, secret: str) -> bool:
        """Whether a request held the secret, plain or in Basic."""
        raw = secret.encode()
        return any(raw in r or any(raw in part for part in _decoded(r)) for r in self._requests)

    def _start(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                peer, _ = self._sock.accept()
            except OSError:
                return
            self._start(self._serve, peer)

    def _serve(self, peer: socket.socket) -> None:
        with peer:
            peer.settimeout(5)
            try:
                request = peer.recv(65536)
                self._requests.append(request)
                if self.mode == "hang":
                    self._ended.wait(2)
                elif self.mode == "reset":
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                else:
                    peer.sendall(answer(self.mode, request))
            except OSError:
                return


def _decoded(request: bytes) -> list[bytes]:
    words = request.replace(b"\r\n", b" ").split()
    found = []
    for word in words:
        try:
            found.append(base64.b64decode(word, validate=True))
        except ValueError:
            continue
    return found


def answer(mode: str, request: bytes) -> bytes:
    """The request, back in the status line, in headers and in the body."""
    if mode == "garbage":
        return b"\x00\xff" + request
    one_line = request.decode("latin-1").replace("\r\n", " ")
    body = request
    if mode in {"json", "token"}:
        shown = {"error": one_line, "message": one_line, one_line: [one_line], "quoted": quote(one_line)}
        token = (
            {"access_token": base64.b64encode(request).decode(), "expires_in": 60} if mode == "token" else {}
        )
        body = json.dumps(shown | token).encode()
    status = mode if mode.isdecimal() else "200"
    head = [
        f"HTTP/1.1 {status} {one_line[:300]}",
        f"Location: http://elsewhere.example/?back={quote(one_line)}",
        f"WWW-Authenticate: {one_line}",
        f"Set-Cookie: session={quote(one_line)}",
        f"X-Request: {one_line}",
        f"X-RateLimit-Resource: {one_line}",
        "X-RateLimit-Limit: 60",
        "X-RateLimit-Remaining: 0",
        f'RateLimit: "{quote(one_line)}";r=0;t=5',
        f"Content-Type: {one_line[:100]}",
        f"Content-Length: {len(body) * (3 if mode == 'cut' else 1)}",
    ]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body
