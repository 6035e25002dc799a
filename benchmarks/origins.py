"""Origins on loopback that answer at once with fixed bytes, on as many ports as wanted, plain or TLS."""

from __future__ import annotations

import asyncio
import json
import ssl
from pathlib import Path

import trustme

BODY = json.dumps({"status": "ok", "version": 17, "regions": ["eu", "us"]}).encode()
ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\nContent-Type: application/json\r\n"
    b"Cache-Control: no-store\r\nX-Request-Id: 5f1c7f8ad1a24a7b\r\nStrict-Transport-Security: max-age=31536000\r\n"
    b"Content-Length: " + str(len(BODY)).encode() + b"\r\nConnection: close\r\n\r\n" + BODY
)


class _Origin(asyncio.Protocol):
    """Answers when the head of the request is whole, and closes."""

    def __init__(self) -> None:
        self._head = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._head += data
        if self._transport is not None and self._head.endswith(b"\r\n\r\n"):
            self._transport.write(ANSWER)
            self._transport.close()


def serve(*, count: int, folder: str, tls: bool) -> None:
    """Listen on `count` free ports and print them as JSON. With TLS, `folder` gets the authority's `ca.pem`."""
    context = certify(Path(folder)) if tls else None

    async def main() -> None:
        loop = asyncio.get_running_loop()
        servers = [
            await loop.create_server(_Origin, "127.0.0.1", 0, ssl=context, backlog=256) for _ in range(count)
        ]
        print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
        await asyncio.Event().wait()

    asyncio.run(main())


def certify(folder: Path) -> ssl.SSLContext:
    """A throw-away authority (`ca.pem`) and a certificate of it for loopback (`server.pem`, `server.key`)."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate.private_key_pem.write_to_path(str(folder / "server.key"))
    for index, part in enumerate(certificate.cert_chain_pems):
        part.write_to_path(str(folder / "server.pem"), append=index > 0)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context
