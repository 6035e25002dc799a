"""A provider on loopback for recordings: packed, chunked, binary and large bodies, streams, and answers that fail."""

from __future__ import annotations

import gzip
import http.server
import json
import threading
import zlib
from typing import Self

import brotli
import zstandard

TEXT = json.dumps({"id": "ord_1", "note": "grün", "lines": list(range(200))}, ensure_ascii=False).encode()
BINARY = bytes(range(256)) * 4096
PACKED = {
    "gzip": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
    "br": bytes(brotli.compress(TEXT)),
    "zstd": zstandard.ZstdCompressor().compress(TEXT),
}
PATHS = ("/json?a=1&b=%C3%BC", "/chunked", "/binary", "/nothing", "/until-closed", "/missing", "/packed/gzip")


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers by path, on connections that are kept alive."""

    protocol_version = "HTTP/1.1"
    server: Upstream

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/packed/"):
            coding = path.rpartition("/")[2]
            self._answer(
                200, PACKED[coding], {"Content-Encoding": coding, "Content-Type": "application/json"}
            )
        elif path == "/chunked":
            self._chunks([TEXT[:10], TEXT[10:20], TEXT[20:]])
        elif path == "/stream":
            self._chunks([b"first\n"], end=False)
            self.server.go_on.wait(10)
            self._chunks([b"second\n"], head=False)
        elif path == "/binary":
            self._answer(200, BINARY, {"Content-Type": "application/octet-stream"})
        elif path == "/nothing":
            self._answer(204, b"", {})
        elif path == "/until-closed":
            self.close_connection = True
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(TEXT)
        elif path == "/broken":
            self.close_connection = True
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"half")
        elif path == "/missing":
            self._answer(404, b"not here\n", {"Content-Type": "text/plain"})
        elif path == "/secret":
            told = {"access_token": self.server.token, "echo": self.headers.get("Authorization")}
            self._answer(200, json.dumps(told).encode(), {"Set-Cookie": f"session={self.server.token}"})
        else:
            self._answer(
                200, TEXT, {"Content-Type": "application/json", "X-Host": self.headers.get("Host", "")}
            )

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self._answer(201, body, {"Content-Type": self.headers.get("Content-Type", "text/plain")})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _chunks(self, parts: list[bytes], *, head: bool = True, end: bool = True) -> None:
        if head:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
        for part in parts:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n" if end else b"")
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        self.server.asked.append(f"{self.command} {self.path}")


class Upstream(http.server.ThreadingHTTPServer):
    """`with` starts and stops it. `asked`: every request. `go_on` lets a held stream go on."""

    daemon_threads = True

    def __init__(self, token: str = "") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.token = token
        self.asked: list[str] = []
        self.go_on = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on.set()
        self.shutdown()
        self._thread.join(5)
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is part of the tests."""
