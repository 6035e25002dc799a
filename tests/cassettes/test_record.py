"""Recording through both kinds of proxy, from several clients; and replay, which gives the same bytes."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import h11
import pytest

from cassettes.destinations import Destinations
from cassettes.http1 import Peer
from cassettes.intercept import environment
from cassettes.matching import Tape
from cassettes.proxy import RecordingProxy
from cassettes.read import read_file
from cassettes.recorder import Mode, Recorder
from cassettes.redact import Redactor
from cassettes.replay import ReplayServer
from interlock.http import Client
from interlock.integration import Integration, resolve
from interlock.records import Interaction
from interlock.secrets import Secret
from interlock.settings import IntegrationSettings, Network
from tests.cassettes.upstream import BINARY, PACKED, PATHS, TEXT, Upstream

CLIENTS = Path(__file__).parent / "clients"
HOST = "https://api.stripe.com"
TOKEN = "made-up-token-0123456789-abcdefghij"
NO_HOST = "interlock record: {} is no host of the provider that is recorded, so nothing goes there\n"
WANTED = [
    [200, TEXT],
    [200, TEXT],
    [200, BINARY],
    [204, b""],
    [200, TEXT],
    [404, b"not here\n"],
    [200, TEXT],
    [201, b"one,two"],
]


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream(TOKEN) as server:
        yield server


def integration(upstream: Upstream, provider: str = "stripe") -> Integration:
    settings = IntegrationSettings.model_validate(
        {"provider": provider, "environment": "stand_in", "base_url": upstream.url}
    )
    return resolve("payments", settings, network=Network(), folder=Path())


@contextlib.asynccontextmanager
async def recording(
    upstream: Upstream, path: Path, mode: Mode = Mode.ONCE, secrets: tuple[Secret, ...] = ()
) -> AsyncIterator[RecordingProxy]:
    """A proxy that records; what it recorded is written when the block ends."""
    recorder = Recorder(path, Redactor(secrets, key=b"k" * 32, personal=()), mode)
    wanted = integration(upstream)
    wire = Client().wire(wanted.network, wanted.folder)
    try:
        async with RecordingProxy(Destinations(wanted), recorder, wire, origin="stand_in") as proxy:
            yield proxy
    finally:
        await asyncio.to_thread(recorder.close)


async def run(words: list[str], environ: dict[str, str] | None = None) -> Any:
    """What a client says; its complaint is shown where it fails."""
    process = await asyncio.create_subprocess_exec(
        *words, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, complaint = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, complaint.decode()
    return [[status, base64.b64decode(body)] for status, body in json.loads(said)]


def words(client: str) -> list[str]:
    runner = "node" if client.endswith(".mjs") else sys.executable
    return [runner, str(CLIENTS / client)]


def led(proxy: RecordingProxy, folder: Path) -> dict[str, str]:
    """The environment that `interlock record -- COMMAND` gives."""
    authority = folder / "authority.pem"
    authority.write_text(proxy.authority.pem)
    return environment(os.environ, proxy_url=proxy.url, authority=authority)


EVERY_CLIENT = [
    "httpx_client.py",
    "requests_client.py",
    pytest.param("curl_client.py", marks=pytest.mark.curl),
    pytest.param("node_fetch.mjs", marks=pytest.mark.node),
    pytest.param("node_https.mjs", marks=pytest.mark.node),
]


@pytest.mark.parametrize("client", EVERY_CLIENT)
@pytest.mark.parametrize("kind", ["reverse", "intercepting"])
async def test_what_is_recorded_and_replayed_is_what_the_provider_said(
    upstream: Upstream, tmp_path: Path, kind: str, client: str
) -> None:
    async with recording(upstream, tmp_path / "a.yaml") as proxy:
        base, environ = (proxy.url, None) if kind == "reverse" else (HOST, led(proxy, tmp_path))
        assert await run([*words(client), base, *PATHS], environ) == WANTED
    assert proxy.counts == {"recorded": len(WANTED)}
    found = read_file(tmp_path / "a.yaml")
    assert not found.findings
    meant = upstream.url if kind == "reverse" else HOST
    assert [each.url for each in found.interactions] == [f"{meant}{path}" for path in (*PATHS, "/v1/orders")]
    assert [body(each) for each in found.interactions] == [wanted for _, wanted in WANTED]
    assert all(each.origin == "stand_in" and each.elapsed_seconds for each in found.interactions)
    assert found.interactions[-1].request.body == b"one,two"

    async with ReplayServer(Tape(found.interactions)) as replay:
        assert await run([*words(client), replay.url, *PATHS]) == WANTED
    assert replay.counts == {"replayed": len(WANTED)}


def body(interaction: Interaction) -> bytes | None:
    assert interaction.response is not None
    assert interaction.response.body_state == "full"
    return interaction.response.body


# -- one raw client, for what no library does ------------------------------------------------------------


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[Peer]:
    host, _, port = url.removeprefix("http://").rpartition(":")
    peer = Peer(h11.CLIENT, *await asyncio.open_connection(host, int(port)))
    try:
        yield peer
    finally:
        peer.abort()


async def ask(
    peer: Peer, target: str, *, method: str = "GET", headers: dict[str, str] | None = None, sent: bytes = b""
) -> tuple[int, dict[str, str], bytes]:
    fields = [(n, v) for n, v in ({"Host": "127.0.0.1"} | (headers or {})).items()]
    fields += [("Content-Length", str(len(sent)))] if sent else []
    await peer.send(h11.Request(method=method, target=target, headers=fields))
    if sent:
        await peer.send(h11.Data(data=sent))
    await peer.send(h11.EndOfMessage())
    response = await peer.response()
    got = b"".join([part async for part in peer.body()])
    return response.status_code, {n.decode().lower(): v.decode() for n, v in response.headers}, got


@pytest.mark.parametrize("coding", PACKED)
async def test_a_packed_body_passes_packed_and_is_kept_unpacked(
    upstream: Upstream, tmp_path: Path, coding: str
) -> None:
    async with recording(upstream, tmp_path / "a.yaml") as proxy, connected(proxy.url) as peer:
        status, headers, got = await ask(peer, f"/packed/{coding}")
    assert (status, headers["content-encoding"], got) == (200, coding, PACKED[coding])
    (kept,) = read_file(tmp_path / "a.yaml").interactions
    assert body(kept) == TEXT
    assert kept.response is not None
    fields = {name.lower(): value for name, value in kept.response.headers}
    assert fields["content-length"] == str(len(TEXT))
    assert "content-encoding" not in fields
    assert kept.extras["response"]["content_encoding"] == coding


async def test_a_connection_is_kept_alive_on_both_sides(upstream: Upstream, tmp_path: Path) -> None:
    async with recording(upstream, tmp_path / "a.yaml") as proxy, connected(proxy.url) as peer:
        for number in range(5):
            assert (await ask(peer, f"/json?n={number}"))[0] == 200
            assert peer.again()
    assert len(read_file(tmp_path / "a.yaml").interactions) == 5


async def test_a_stream_passes_while_it_is_recorded(upstream: Upstream, tmp_path: Path) -> None:
    """The client has the first part before the provider says the second."""
    async with recording(upstream, tmp_path / "a.yaml") as proxy, connected(proxy.url) as peer:
        await peer.send(h11.Request(method="GET", target="/stream", headers=[("Host", "x")]))
        await peer.send(h11.EndOfMessage())
        await peer.response()
        parts = peer.body()
        assert await asyncio.wait_for(anext(parts), 10) == b"first\n"
        assert not upstream.go_on.is_set()
        upstream.go_on.set()
        assert b"".join([part async for part in parts]) == b"second\n"
    (kept,) = read_file(tmp_path / "a.yaml").interactions
    assert body(kept) == b"first\nsecond\n"


async def test_a_large_upload_passes_and_an_expectation_is_met(upstream: Upstream, tmp_path: Path) -> None:
    sent = os.urandom(1024) * 4096
    async with recording(upstream, tmp_path / "a.yaml") as proxy, connected(proxy.url) as peer:
        fields = [("Host", "x"), ("Content-Length", str(len(sent))), ("Expect", "100-continue")]
        await peer.send(h11.Request(method="POST", target="/v1/files", headers=fields))
        assert (await peer.event()).status_code == 100
        await peer.send(h11.Data(data=sent))
        await peer.send(h11.EndOfMessage())
        assert (await peer.response()).status_code == 201
        assert b"".join([part async for part in peer.body()]) == sent
    (kept,) = read_file(tmp_path / "a.yaml").interactions
    assert kept.request.body == sent


async def test_head_keeps_the_length_it_was_told(upstream: Upstream, tmp_path: Path) -> None:
    async with recording(upstream, tmp_path / "a.yaml") as proxy, connected(proxy.url) as peer:
        status, headers, got = await ask(peer, "/json", method="HEAD")
    assert (status, headers["content-length"], got) == (200, str(len(TEXT)), b"")
    found = read_file(tmp_path / "a.yaml").interactions
    async with ReplayServer(Tape(found)) as replay, connected(replay.url) as peer:
        status, headers, got = await ask(peer, "/json", method="HEAD")
    assert (status, headers["content-length"], got) == (200, str(len(TEXT)), b"")


async def test_other_hosts_are_refused_and_counted(upstream: Upstream, tmp_path: Path) -> None:
    async with recording(upstream, tmp_path / "a.yaml") as proxy:
        async with connected(proxy.url) as peer:
            status, _, said = await ask(peer, "http://elsewhere.example/steal?x=1")
            assert (status, said.decode()) == (
                403,
                NO_HOST.format("elsewhere.example:80"),
            )
        async with connected(proxy.url) as peer:
            status, _, _ = await ask(peer, "api.stripe.com.elsewhere.example:443", method="CONNECT")
            assert status == 403
    assert proxy.counts == {"refused": 2}
    assert proxy.refused_hosts == {"elsewhere.example:80": 1, "api.stripe.com.elsewhere.example:443": 1}
    assert upstream.asked == []
    assert not (tmp_path / "a.yaml").exists()


async def test_a_provider_that_cannot_be_reached_is_a_502_that_says_so(
    upstream: Upstream, tmp_path: Path
) -> None:
    async with recording(upstream, tmp_path / "a.yaml") as proxy:
        upstream.shutdown()
        upstream.server_close()
        async with connected(proxy.url) as peer:
            status, _, said = await ask(peer, "/json", method="POST", sent=b"x" * 100_000)
    assert status == 502
    assert said.decode().startswith(
        "interlock record: the provider gave no answer: cannot connect to 127.0.0.1"
    )
    assert proxy.counts == {"failed": 1}


async def test_an_answer_that_breaks_off_breaks_off_for_the_client_and_is_not_kept(
    upstream: Upstream, tmp_path: Path
) -> None:
    async with recording(upstream, tmp_path / "a.yaml") as proxy:
        async with connected(proxy.url) as peer:
            with pytest.raises((ConnectionError, h11.RemoteProtocolError)):
                await ask(peer, "/broken")
        async with connected(proxy.url) as peer:
            assert (await ask(peer, "/json"))[0] == 200
    assert proxy.counts == {"failed": 1, "recorded": 1}
    assert len(read_file(tmp_path / "a.yaml").interactions) == 1


async def test_secrets_never_reach_the_disk(upstream: Upstream, tmp_path: Path) -> None:
    key = "made-up-key-9876543210-zyxwvutsrq"
    secrets = (Secret(key, name="env:KEY"),)
    async with (
        recording(upstream, tmp_path / "a.yaml", secrets=secrets) as proxy,
        connected(proxy.url) as peer,
    ):
        _, _, got = await ask(peer, "/secret?x=1", headers={"Authorization": f"Bearer {key}"})
        assert TOKEN in got.decode()
        assert peer.again()
        await ask(peer, "/json", method="POST", sent=json.dumps({"note": f"mine is {key}"}).encode())
    text = (tmp_path / "a.yaml").read_text()
    assert len(read_file(tmp_path / "a.yaml").interactions) == 2
    assert key not in text
    assert TOKEN not in text
    assert base64.b64encode(key.encode()).decode() not in text
    assert "redacted-" in text


# -- modes, as vcrpy has them ----------------------------------------------------------------------------


async def asked(
    upstream: Upstream, path: Path, mode: Mode, *targets: str
) -> tuple[list[int], dict[str, int]]:
    async with recording(upstream, path, mode) as proxy:
        statuses = []
        for target in targets:
            async with connected(proxy.url) as peer:
                statuses.append((await ask(peer, target))[0])
    return statuses, dict(proxy.counts)


def urls(path: Path, upstream: Upstream) -> list[str]:
    return [each.url.removeprefix(upstream.url) for each in read_file(path).interactions]


async def test_once_records_a_new_cassette_and_after_that_nothing(upstream: Upstream, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    assert await asked(upstream, path, Mode.ONCE, "/json", "/missing") == ([200, 404], {"recorded": 2})
    written = path.read_bytes()
    again = await asked(upstream, path, Mode.ONCE, "/missing", "/json", "/json", "/binary")
    assert again == ([404, 200, 501, 501], {"replayed": 2, "missed": 2})
    assert path.read_bytes() == written
    assert upstream.asked == ["GET /json", "GET /missing"]


async def test_new_episodes_adds_what_is_not_there(upstream: Upstream, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    await asked(upstream, path, Mode.ONCE, "/json")
    assert await asked(upstream, path, Mode.NEW_EPISODES, "/json", "/missing") == (
        [200, 404],
        {"replayed": 1, "recorded": 1},
    )
    assert urls(path, upstream) == ["/json", "/missing"]


async def test_none_records_nothing(upstream: Upstream, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    await asked(upstream, path, Mode.ONCE, "/json")
    assert await asked(upstream, path, Mode.NONE, "/missing") == ([501], {"missed": 1})


async def test_all_replaces_what_it_matches_and_keeps_the_rest(upstream: Upstream, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    await asked(upstream, path, Mode.ONCE, "/json", "/missing")
    before = read_file(path).interactions
    assert await asked(upstream, path, Mode.ALL, "/json") == ([200], {"recorded": 1})
    after = read_file(path).interactions
    assert urls(path, upstream) == ["/missing", "/json"]
    assert after[0].recorded_at == before[1].recorded_at
    assert after[1].recorded_at != before[0].recorded_at
