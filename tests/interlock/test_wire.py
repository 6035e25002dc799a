"""The wire against real sockets: phases, caps, deadlines, and every way in which a server can fail."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import gzip
import socket
import ssl
import struct
import threading
import time
from pathlib import Path

import httpx
import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from interlock.errors import UsageError
from interlock.http import Client, Draft, Transport, call
from interlock.records import Reason
from interlock.resolve import Resolver
from interlock.settings import Network
from interlock.trust import trust
from interlock.wire import MAX_BODY_BYTES, Call, Proxy, Wire, WireError, frame
from tests.loopback import never, says, server, server_context

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def to(port: int, **changes: object) -> Call:
    asked = Call(
        scheme="http", host="127.0.0.1", port=port, method="GET", target="/", headers=((b"Host", b"x"),)
    )
    return dataclasses.replace(asked, **changes)  # type: ignore[arg-type]


async def failure(
    port: int, *, wire: Wire | None = None, deadline_seconds: float = 5.0, **changes: object
) -> WireError:
    with pytest.raises(WireError) as caught:
        await (wire or Wire()).exchange(to(port, **changes), deadline_seconds=deadline_seconds)
    return caught.value


async def test_an_answer_is_read_and_measured() -> None:
    raw = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 2\r\n\r\nhi"
    async with server(says(raw)) as port:
        answer = await Wire().exchange(to(port), deadline_seconds=5)
    assert (answer.status, answer.body, answer.headers["x-a"]) == (200, b"hi", "1, 2")
    assert list(answer.phases) == ["dns", "connect", "first_byte", "total"]
    assert answer.phases["total"] >= answer.phases["connect"] + answer.phases["first_byte"]


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nhi",
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK,
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
    ],
    ids=["chunked", "until the connection ends", "early hints", "continue"],
)
async def test_every_framing_of_http_1_gives_the_same_body(raw: bytes) -> None:
    async with server(says(raw)) as port:
        answer = await Wire().exchange(to(port), deadline_seconds=5)
    assert (answer.status, answer.body) == (200, b"hi")
    assert "link" not in answer.headers


async def test_a_head_request_waits_for_no_body() -> None:
    async with server(says(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")) as port:
        answer = await Wire().exchange(to(port, method="HEAD"), deadline_seconds=5)
    assert answer.body == b""


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "closed before any answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhi", "in the middle of the answer"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi", "in the middle of the answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi", "not HTTP/1.1"),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 70_000, "headers are larger"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi", "not gzip"),
    ],
)
async def test_an_answer_that_is_not_http_is_a_protocol_error(raw: bytes, words: str) -> None:
    async with server(says(raw)) as port:
        error = await failure(port)
    assert error.reason is Reason.PROTOCOL
    assert words in error.detail


async def test_a_reset_is_a_protocol_error() -> None:
    async def reset(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with server(reset) as port:
        assert (await failure(port)).reason is Reason.PROTOCOL


async def test_nobody_listening_is_a_connect_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    error = await failure(port)
    assert error.reason is Reason.CONNECT
    assert set(error.phases) == {"dns", "connect", "total"}


async def test_a_body_is_cut_at_the_cap_and_said_to_be() -> None:
    async def endless(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"a" * 65536)
            await writer.drain()

    async with server(endless) as port:
        answer = await Wire().exchange(to(port), deadline_seconds=20)
    assert answer.truncated
    assert len(answer.body) == MAX_BODY_BYTES


async def test_a_gzip_bomb_is_cut_at_the_cap() -> None:
    bomb = gzip.compress(bytes(50 * 1024 * 1024))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    async with server(says(head + bomb)) as port:
        answer = await Wire().exchange(to(port), deadline_seconds=20)
    assert answer.truncated
    assert len(answer.body) == MAX_BODY_BYTES


async def test_a_drip_does_not_outlast_the_deadline() -> None:
    """Every byte comes in time for a read timeout; only a total deadline ends it."""

    async def drip(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with server(drip) as port:
        began = time.monotonic()
        error = await failure(port, deadline_seconds=0.3)
    assert error.reason is Reason.TIMEOUT
    assert "began but did not end" in error.detail
    assert time.monotonic() - began < 3


async def test_a_silent_server_is_a_timeout_that_says_how_far_it_came() -> None:
    async def silent(_: bytes, __: asyncio.StreamReader, ___: asyncio.StreamWriter) -> None:
        await never()

    async with server(silent) as port:
        error = await failure(port, deadline_seconds=0.1)
    assert (error.reason, error.detail) == (
        Reason.TIMEOUT,
        "no answer within 0.1 s: connected, but nothing came",
    )
    assert "connect" in error.phases


async def test_a_name_that_does_not_resolve() -> None:
    def nowhere(_: str, __: int) -> list[tuple[object, ...]]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    error = await failure(1, wire=Wire(resolver=Resolver(nowhere)), host="nowhere.example")
    assert error.reason is Reason.DNS
    assert error.detail == "nowhere.example does not resolve: Name or service not known"


async def test_a_hung_resolver_holds_up_nobody_else() -> None:
    """One name hangs for ever; a hundred probes of it share one thread, and another name answers at once."""
    release, hung = threading.Event(), []

    def lookup(host: str, port: int) -> list[tuple[object, ...]]:
        if host == "hung.example":
            hung.append(threading.current_thread())
            release.wait(30)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    wire = Wire(resolver=Resolver(lookup))
    try:
        async with server(says(OK)) as port:
            stuck = [
                asyncio.create_task(failure(port, wire=wire, host="hung.example", deadline_seconds=0.5))
                for _ in range(100)
            ]
            answer = await wire.exchange(to(port, host="well.example"), deadline_seconds=5)
            errors = await asyncio.gather(*stuck)
        assert answer.status == 200
        assert {error.reason for error in errors} == {Reason.TIMEOUT}
        assert {error.detail for error in errors} == {"no answer within 0.5 s: the name was not resolved"}
        assert len(hung) == 1
        assert hung[0].daemon, "a hung lookup must not keep the process from ending"
    finally:
        release.set()
        hung[0].join(5)


async def test_tls_is_measured_and_its_chain_read(authority: trustme.CA) -> None:
    wire = Wire(tls=trusting(authority))
    async with server(says(OK), tls=server_context(authority, "localhost")) as port:
        answer = await wire.exchange(to(port, scheme="https", host="localhost"), deadline_seconds=5)
    assert answer.status == 200
    assert {"dns", "connect", "tls", "first_byte", "total"} == set(answer.phases)
    assert len(answer.chain) >= 1


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def test_a_certificate_that_is_not_trusted_is_named_so(authority: trustme.CA) -> None:
    async with server(says(OK), tls=server_context(authority, "localhost")) as port:
        stranger = await failure(port, scheme="https", host="localhost")
        other_name = await failure(port, wire=Wire(tls=trusting(authority)), scheme="https", host="127.0.0.1")
    assert stranger.reason is other_name.reason is Reason.CERTIFICATE_INVALID
    assert "mismatch" in other_name.detail


async def test_plain_text_where_tls_is_expected_is_a_tls_error() -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 smtp.example ESMTP\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        assert (await failure(port, scheme="https", host="localhost")).reason is Reason.TLS


async def test_an_egress_proxy_is_asked_to_connect_and_sees_its_password(authority: trustme.CA) -> None:
    seen: list[bytes] = []
    async with server(says(OK), tls=server_context(authority, "localhost")) as port:

        async def tunnel(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(head)
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

            async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
                while data := await source.read(65536):
                    target.write(data)

            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(copy(reader, up_writer))
                    group.create_task(copy(up_reader, writer))
            finally:
                up_writer.transport.abort()

        async with server(tunnel) as proxy_port:
            proxy = Proxy(host="127.0.0.1", port=proxy_port, authorization="Basic dTpw")
            wire = Wire(tls=trusting(authority), proxy=proxy)
            answer = await wire.exchange(to(port, scheme="https", host="localhost"), deadline_seconds=5)
    assert answer.body == b"hi"
    assert seen[0].startswith(b"CONNECT localhost:%d HTTP/1.1\r\n" % port)
    assert b"Proxy-Authorization: Basic dTpw" in seen[0]
    assert "proxy" in answer.phases


async def test_a_proxy_that_refuses_is_named_so() -> None:
    async with server(says(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")) as proxy_port:
        wire = Wire(proxy=Proxy(host="127.0.0.1", port=proxy_port))
        error = await failure(443, wire=wire, scheme="https", host="far.example")
    assert error.reason is Reason.PROXY
    assert "407" in error.detail


async def test_plain_http_goes_through_a_proxy_with_the_whole_url() -> None:
    seen: list[bytes] = []

    async def note(head: bytes, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(head)
        writer.write(OK)

    async with server(note) as port:
        wire = Wire(proxy=Proxy(host="127.0.0.1", port=port))
        await wire.exchange(to(80, host="far.example", target="/a?b"), deadline_seconds=5)
    assert seen[0].startswith(b"GET http://far.example:80/a?b HTTP/1.1\r\n")


async def test_a_client_certificate_is_shown(authority: trustme.CA, tmp_path: Path) -> None:
    context = server_context(authority, "localhost")
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    own = authority.issue_cert("client.example")
    (tmp_path / "own.pem").write_bytes(own.cert_chain_pems[0].bytes())
    (tmp_path / "own.key").write_bytes(own.private_key_pem.bytes())
    (tmp_path / "ca.pem").write_bytes(authority.cert_pem.bytes())
    network = Network.model_validate(
        {"ca_file": "ca.pem", "client_certificate": {"certificate": "own.pem", "key": "own.key"}}
    )
    async with server(says(OK), tls=context) as port:
        draft = Draft(method="GET", url=f"https://localhost:{port}/")
        answer = await Client().ask(draft, network=network, folder=tmp_path, deadline_seconds=5)
        without = Network.model_validate({"ca_file": "ca.pem"})
        with pytest.raises(WireError):
            await Client().ask(draft, network=without, folder=tmp_path, deadline_seconds=5)
    assert answer.status == 200


def test_a_ca_file_that_is_none_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("this is no certificate")
    with pytest.raises(UsageError, match="cannot be used"):
        trust(tmp_path / "ca.pem")


def test_the_same_draft_is_built_once() -> None:
    draft = Draft(method="GET", url="http://127.0.0.1:1/a?b=c", headers=(("Accept", "application/json"),))
    assert call(draft) is call(draft)
    assert dict(call(draft).headers)[b"Accept"] == b"application/json"


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=30))
def test_no_header_can_break_out_of_its_line(text: str) -> None:
    asked = to(1, headers=((b"Host", b"x"), (b"X-A", text.encode())))
    if "\r" in text or "\n" in text:
        with pytest.raises(ValueError, match="line break"):
            frame(asked)
    else:
        assert frame(asked).count(b"\r\n") == 4


@pytest.mark.parametrize("url", ["ftp://x/", "http://", "nonsense", "http://[::1"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        call(Draft(method="GET", url=url))


async def test_httpx_can_stand_on_the_wire() -> None:
    async with server(says(OK)) as port, httpx.AsyncClient(transport=Transport(Wire())) as client:
        response = await client.get(f"http://127.0.0.1:{port}/")
        assert (response.status_code, response.text) == (200, "hi")
        assert response.extensions["phases"]["total"] > 0
        with pytest.raises(httpx.TransportError):
            await client.get("http://127.0.0.1:1/")


async def test_an_ipv6_literal_needs_no_lookup() -> None:
    def forbidden(host: str, _: int) -> list[tuple[object, ...]]:
        raise AssertionError(host)

    found = await Resolver(forbidden)("::1", 80)
    assert found[0][0] is socket.AF_INET6


async def test_an_exchange_that_is_cancelled_at_any_point_leaves_nothing_behind() -> None:
    heard: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: heard.append(context["message"]))

    async def silent(_: bytes, __: asyncio.StreamReader, ___: asyncio.StreamWriter) -> None:
        await never()

    wire = Wire()
    async with server(silent) as port:
        for turns in range(12):
            asking = asyncio.create_task(wire.exchange(to(port), deadline_seconds=5))
            for _ in range(turns):
                await asyncio.sleep(0)
            asking.cancel()
            await asyncio.wait({asking})
            assert asking.cancelled()
            for _ in range(5):
                await asyncio.sleep(0)
            del asking
            gc.collect()
    assert heard == []
