"""One probe on a new connection beside raw asyncio streams with httptools (the floor) and httpx (the peer).

A kept-alive connection is not measured: a probe opens a fresh one each time, because DNS, connect and TLS are
part of what it looks at.
"""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.origins import serve
from benchmarks.shared import Figure, ratio, rounds, same, serving, spent, worker

ROUNDS = 7
PLAIN, SECURE = 600, 200  # requests in a round
ORIGINS = 250
PATH = "/v1/health"
DEADLINE_SECONDS = 10.0
Asked = tuple[int, dict[str, str], str]  # status, headers, body
Ask = Callable[[str], Awaitable[Asked]]


def run() -> list[Figure]:
    """New connections, new TLS connections, many origins, and what lies around the wire."""
    with tempfile.TemporaryDirectory() as folder:
        with serving(serve, count=ORIGINS, folder=folder, tls=False) as ports:
            plain = beside(urls("http", ports[:1]), PLAIN, None)
            many = spread(ports)
        with serving(serve, count=1, folder=folder, tls=True) as ports:
            secure = beside(urls("https", ports), SECURE, str(Path(folder) / "ca.pem"))
    for what, microseconds in worker(around, count=3000).items():
        print(f"  {what}: {microseconds:.1f} us")
    return [
        Figure(
            "one exchange / raw asyncio + httptools, new connection, CPU",
            ratio(plain, "wire", "raw"),
            target=1.6,
        ),
        Figure("the same, new TLS connection, CPU", ratio(secure, "wire", "raw"), target=1.25),
        Figure("250 origins / 1 origin, CPU", ratio(many, f"{ORIGINS} origins", "1 origin"), target=1.3),
        Figure("whole probe, judged and dated / raw, new connection, CPU", ratio(plain, "probe", "raw")),
        Figure("whole probe, judged and dated / raw, new TLS connection, CPU", ratio(secure, "probe", "raw")),
        Figure("httpx / raw, new connection, CPU", ratio(plain, "httpx", "raw")),
        Figure("httpx / raw, new TLS connection, CPU", ratio(secure, "httpx", "raw")),
    ]


def urls(scheme: str, ports: Sequence[int]) -> list[str]:
    """One address for each port."""
    return [f"{scheme}://127.0.0.1:{port}{PATH}" for port in ports]


def beside(addresses: list[str], count: int, ca: str | None) -> dict[str, list[float]]:
    """Floor, ours and peer in turn; first they must have the same answer."""
    check({name: worker(answer, name=name, url=addresses[0], ca=ca) for name in ASKERS})

    def cost(name: str) -> float:
        return float(worker(measure, name=name, urls=addresses, count=count, ca=ca)) * 1e6

    title = f"one request, {'TLS' if ca else 'plain'}, new connection: CPU of the client, {count} in a round"
    return rounds(title, {name: partial(cost, name) for name in ASKERS}, count=ROUNDS, unit="us", floor="raw")


def check(answers: Mapping[str, Sequence[Any]]) -> None:
    """Status, headers and body agree; the whole probe, which keeps only what they mean, says `operational`."""
    status, headers, body = answers["raw"]
    for name in ("wire", "httpx"):
        same(f"answers of raw and {name}", [status, headers, body], list(answers[name]))
    same("status and state of the whole probe", [status, {}, "operational"], list(answers["probe"]))


def spread(ports: Sequence[int]) -> dict[str, list[float]]:
    """The same number of exchanges, to one origin and to many, as many at once in both."""

    def cost(some: Sequence[int]) -> float:
        found = worker(measure, name="wire", urls=urls("http", some), count=PLAIN, ca=None, at_once=10)
        return float(found) * 1e6

    contenders = {"1 origin": lambda: cost(ports[:1]), f"{ORIGINS} origins": lambda: cost(ports)}
    title = f"exchanges through our wire, ten at once: CPU, {PLAIN} in a round"
    return rounds(title, contenders, count=ROUNDS, unit="us", floor="1 origin")


# -- inside the workers --------------------------------------------------------------------------------


def answer(*, name: str, url: str, ca: str | None) -> Asked:
    """What a contender gets for an answer."""
    return asyncio.run(_once(ASKERS[name](ca), url))


async def _once(ask: Ask, url: str) -> Asked:
    return await ask(url)


def measure(*, name: str, urls: list[str], count: int, ca: str | None, at_once: int = 1) -> float:
    """CPU seconds of one request, imports and first request left out."""
    ask = ASKERS[name](ca)

    async def some(part: int) -> None:
        for number in range(part, count, at_once):
            await ask(urls[number % len(urls)])

    async def all_of_them() -> None:
        await asyncio.gather(*(some(part) for part in range(at_once)))

    with asyncio.Runner() as runner:
        runner.run(_once(ask, urls[0]))
        return spent(lambda: runner.run(all_of_them())).cpu_seconds / count


def _raw(ca: str | None) -> Ask:
    """The floor: streams, one request built by hand, httptools; no deadline, no phases, no limits."""
    import httptools  # noqa: PLC0415 - each worker imports only what it measures

    context = ssl.create_default_context(cafile=ca) if ca else None

    class Reading:
        def __init__(self) -> None:
            self.headers: dict[str, str] = {}
            self.body = b""
            self.ended = False

        def on_header(self, name: bytes, value: bytes) -> None:
            self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

        def on_body(self, data: bytes) -> None:
            self.body += data

        def on_message_complete(self) -> None:
            self.ended = True

    async def ask(url: str) -> Asked:
        host, _, port = url.split("/")[2].partition(":")
        reader, writer = await asyncio.open_connection(host, int(port), ssl=context)
        writer.write(
            f"GET {PATH} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: */*\r\nConnection: close\r\n\r\n".encode()
        )
        reading = Reading()
        parser = httptools.HttpResponseParser(reading)
        while not reading.ended:
            parser.feed_data(await reader.read(65536))
        writer.close()
        return parser.get_status_code(), reading.headers, reading.body.decode()

    return ask


def _wire(ca: str | None) -> Ask:
    """Ours: the request built by `interlock.http.call`, the exchange by `Wire`."""
    from interlock.http import Draft, call  # noqa: PLC0415
    from interlock.trust import trust  # noqa: PLC0415
    from interlock.wire import Wire  # noqa: PLC0415

    wire = Wire(tls=trust(Path(ca)) if ca else None)

    async def ask(url: str) -> Asked:
        found = await wire.exchange(call(Draft(method="GET", url=url)), deadline_seconds=DEADLINE_SECONDS)
        return found.status, dict(found.headers), found.text

    return ask


def _probe(ca: str | None) -> Ask:
    """Ours, whole: planned, asked under its limits, judged, redacted, dated."""
    from probes.probe import Tools  # noqa: PLC0415
    from probes.run import Limits, run  # noqa: PLC0415

    tools, limits, plans = Tools(), Limits(), {}

    async def ask(url: str) -> Asked:
        if url not in plans:
            plans[url] = planned(url, ca, tools)
        async with limits.place(plans[url]):
            outcome = await run(plans[url], tools)
        # an outcome keeps no headers and no body: its state says whether they were as promised
        return outcome.status_code or 0, {}, outcome.state.value

    return ask


def planned(url: str, ca: str | None, tools: Any) -> Any:
    """A generic integration's reachability probe, which expects 200 and a word in the body."""
    from interlock.integration import resolve  # noqa: PLC0415
    from interlock.records import ProbeKind  # noqa: PLC0415
    from interlock.settings import IntegrationSettings, Network  # noqa: PLC0415
    from probes.kinds import plan  # noqa: PLC0415

    table = {
        "provider": "generic",
        "base_url": url.removesuffix(PATH),
        "service": {"health": {"path": PATH, "pattern": '"status": "ok"'}},
    }
    settings = IntegrationSettings.model_validate(table | ({"ca_file": ca} if ca else {}))
    integration = resolve("origin", settings, network=Network(), folder=Path.cwd())
    return plan(integration, tools, frozenset({ProbeKind.REACHABILITY}))[0]


def _httpx(ca: str | None) -> Ask:
    """The peer: httpx as it is, one client and one SSL context, the connection closed after each answer."""
    import httpx  # noqa: PLC0415

    context = ssl.create_default_context(cafile=ca) if ca else ssl.create_default_context()
    client = httpx.AsyncClient(verify=context, headers={"Connection": "close"}, trust_env=False)

    async def ask(url: str) -> Asked:
        found = await client.get(url)
        return found.status_code, dict(found.headers), found.text

    return ask


ASKERS: dict[str, Callable[[str | None], Ask]] = {
    "raw": _raw,
    "wire": _wire,
    "probe": _probe,
    "httpx": _httpx,
}


def around(*, count: int) -> dict[str, float]:
    """Microseconds for building a request (new and remembered) and for judging an answer."""
    import datetime as dt  # noqa: PLC0415

    from benchmarks.origins import BODY  # noqa: PLC0415
    from interlock.answers import Case, judge  # noqa: PLC0415
    from interlock.http import Draft, call  # noqa: PLC0415
    from interlock.wire import Answer  # noqa: PLC0415
    from probes.probe import Seen, Tools, outcome  # noqa: PLC0415

    tools = Tools()
    one = planned("http://127.0.0.1:1" + PATH, None, tools)
    drafts = [Draft(method="GET", url=f"http://127.0.0.1:1/{number}") for number in range(count)]
    found = Answer(
        status=200, headers={"content-type": "application/json"}, body=BODY, phases={"total": 0.01}
    )
    now = dt.datetime.now(dt.UTC)
    ask = one.integration.ask(one.kind)
    case = Case(provider=one.integration.provider, ask=ask, answer=found, now=now, credentialed=False)
    judged = Seen(judgement=judge(case), phases={"total": 0.01}, status_code=200)

    def each(work: Callable[[int], object]) -> float:
        return spent(lambda: [work(number) for number in range(count)]).cpu_seconds / count * 1e6

    return {
        "building a request, new": each(lambda n: call(drafts[n])),
        "building a request, remembered": each(lambda _: call(drafts[-1])),
        "judging an answer": each(lambda _: judge(case)),
        "the redacted record of it": each(
            lambda n: outcome(one, judged, tools=tools, started_at=now, slot=n)
        ),
    }
