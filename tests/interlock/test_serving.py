"""The sockets of our servers: where they listen, and that nothing is held back on them."""

from __future__ import annotations

import asyncio
import socket

import pytest

from interlock import serving
from interlock.errors import UsageError

HOSTS = ("127.0.0.1", "::1") if socket.has_dualstack_ipv6() else ("127.0.0.1",)


async def delayed(sock: socket.socket) -> bool:
    """Whether what is written in small parts waits for the other side, on a connection that came in."""
    held: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        own = writer.get_extra_info("socket")
        held.set_result(not own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    async with await asyncio.start_server(accepted, sock=sock):
        _, writer = await asyncio.open_connection(*sock.getsockname()[:2])
        writer.close()
        return await asyncio.wait_for(held, 5)


@pytest.mark.parametrize("host", HOSTS)
async def test_answers_are_not_held_back(host: str) -> None:
    sock = serving.bind(host, 0)
    address = serving.url(host, sock)
    assert await delayed(sock) is False
    assert address.startswith("http://[::1]:" if ":" in host else "http://127.0.0.1:")


def test_an_address_that_is_taken_is_said() -> None:
    with serving.bind("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        with pytest.raises(UsageError, match=f"cannot listen on 127.0.0.1 port {port}"):
            serving.bind("127.0.0.1", port)
