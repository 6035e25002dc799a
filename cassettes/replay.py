"""A recorded cassette served on loopback, so that a client of any language runs against it without network."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import h11

from cassettes.bodies import ABSENT, FULL, REDACTED, UNPACKERS, Headers
from cassettes.http1 import Peer
from cassettes.listener import Listener
from cassettes.matching import Tape
from cassettes.read import read_paths
from interlock.errors import CannotJudge, UsageError
from interlock.findings import at_least
from interlock.records import Interaction, Severity

_TEXT = (("content-type", "text/plain; charset=utf-8"),)
# What is of the recorded connection, and what the server reckons anew.
_LEFT_OUT = frozenset(
    {
        "connection",
        "keep-alive",
        "transfer-encoding",
        "content-length",
        "proxy-connection",
        "upgrade",
        "trailer",
    }
)
_BODILESS = frozenset({204, 304})


def load(paths: Iterable[Path]) -> list[Interaction]:
    """What can be served of some cassettes. Raises `UsageError` for a broken one, `CannotJudge` for none."""
    found: list[Interaction] = []
    for reading in read_paths(paths):
        broken = [each for each in reading.findings if at_least(each, Severity.WARNING)]
        if broken and reading.format is None:
            raise UsageError(broken[0].subject)
        found += reading.interactions
    if not found:
        raise CannotJudge("the cassette holds no interaction that could be served")
    return found


def servable(interaction: Interaction) -> bool:
    """Whether the recorded answer is there as a whole."""
    response = interaction.response
    if response is None or interaction.status is None or interaction.status < 200:  # noqa: PLR2004
        return False
    if interaction.method == "HEAD" or interaction.status in _BODILESS:
        return True
    return response.body_state in {FULL, REDACTED}


def recorded_answer(interaction: Interaction) -> tuple[int, Headers, bytes, str]:
    """Status, headers, body and reason of the recorded answer, its body as it was meant: without compression."""
    response = interaction.response
    assert response is not None
    assert interaction.status is not None
    bodiless = interaction.method == "HEAD" or interaction.status in _BODILESS
    headers = tuple(
        (name, value)
        for name, value in response.headers
        if name.lower() not in _LEFT_OUT and not (_is_packed(name, value) and not bodiless)
    )
    body = b"" if bodiless else response.body or b""
    if interaction.method == "HEAD":  # the length of what a GET would bring
        headers += tuple((n, v) for n, v in response.headers if n.lower() == "content-length")[:1]
    elif not bodiless:
        headers += (("Content-Length", str(len(body))),)
    told = interaction.extras.get("response")
    reason = told.get("reason") if isinstance(told, dict) else None
    return interaction.status, headers, body, reason if isinstance(reason, str) else ""


def _is_packed(name: str, value: str) -> bool:
    """A coding that reading has taken off."""
    codings = [each.strip().lower() for each in value.split(",")]
    return name.lower() == "content-encoding" and all(each in UNPACKERS for each in codings)


class ReplayServer(Listener):
    """Serves a tape on one loopback port. `async with` starts and stops it.

    `counts`: requests `replayed`, `missed` (nothing fits) and `incomplete` (the recording lacks the body).
    `missed`: how often each method and path was asked for in vain.
    """

    def __init__(
        self, tape: Tape, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self._tape = tape
        super().__init__(host, port, tls)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Peer(h11.SERVER, reader, writer)
        try:
            while await self._exchange(client):
                pass
            await client.close()
        except (OSError, h11.ProtocolError, asyncio.CancelledError):
            pass  # the client hung up, or we are stopping: this connection is over
        finally:
            client.abort()

    async def _exchange(self, client: Peer) -> bool:
        try:
            request = await client.request()
        except h11.RemoteProtocolError as exc:
            await client.answer(exc.error_status_hint, _TEXT, b"this is no HTTP/1.1 request\n")
            return False
        if request is None:
            return False
        async for _ in client.body():
            pass
        method, target = request.method.decode(), request.target.decode("latin-1")
        recorded = self._tape.take(method, target)
        if recorded is None:
            await self._say(client, "missed", method, target, f"the cassette holds no answer to {method}")
        elif not servable(recorded):
            state = recorded.response.body_state if recorded.response else ABSENT
            await self._say(client, "incomplete", method, target, f"the recorded body is {state}: {method}")
        else:
            self.counts["replayed"] += 1
            await client.answer(*recorded_answer(recorded))
        with contextlib.suppress(h11.LocalProtocolError):
            return client.again()
        return False

    async def _say(self, client: Peer, count: str, method: str, target: str, words: str) -> None:
        path = target.partition("?")[0]
        self.counts[count] += 1
        self.missed[f"{method} {path}"] += 1
        await client.answer(501, _TEXT, f"interlock stand-in: {words} {path}\n".encode())
