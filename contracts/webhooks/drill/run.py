"""Sends the plan over the wire, reads the effects, and has each case judged."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import operator
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from urllib.parse import urlsplit

from contracts.webhooks.drill import effects as effects_module
from contracts.webhooks.drill.cases import plan
from contracts.webhooks.drill.judge import judge
from contracts.webhooks.drill.nameless import gone, is_nameless
from contracts.webhooks.drill.records import Bench, Effects, Heard, Planned, Shot, Watched
from contracts.webhooks.records import Delivery
from interlock.errors import CannotJudge
from interlock.output import Case
from interlock.records import Reason
from interlock.wire import Answer, Call, Wire, WireError, frame

_PIECES = 4
_LOOK_AGAIN_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The world outside. `settle_seconds`: how long effects may take; `pause_seconds`: between a body's pieces.

    `clock`: monotonic seconds, for how long an answer took.
    """

    wire: Wire = field(default_factory=Wire)
    effects: effects_module.Read | None = None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = time.perf_counter
    settle_seconds: float = 2.0
    pause_seconds: float = 0.1


async def drill(bench: Bench, ports: Ports) -> tuple[Case, ...]:
    """Every case. Raises `CannotJudge` if a valid delivery is not taken: then no refusal proves anything."""
    planned = plan(bench)
    deadline = bench.receiver.timeout_seconds * 2
    before = await _effects(frozenset(), ports)  # what cannot be read is said before anything is sent
    heard: list[list[list[Heard]]] = []
    looks: dict[str, tuple[Counter[str], ...]] = {}
    for each in planned:
        if each.row.watched and ports.effects is not None:
            answers, looks[each.row.name] = await _watched(each, ports, deadline)
        else:
            answers = [await _send(shot, ports, deadline) for shot in each.shots]
        heard.append(answers)
        if each.row.name == "control" and not answers[0][0].taken:
            raise CannotJudge(
                f"the control run failed, a valid delivery was not taken: {answers[0][0].words}",
                hint="is --secret the receiver's, and --url the address that it checks against?",
            )
    shots = [shot for each in planned for shot in each.shots]
    last = await _effects(_acting(shots), ports)
    effects = None if before is None or last is None else _summed(before, looks, last, shots)
    return tuple(judge(each, answers, effects, bench) for each, answers in zip(planned, heard, strict=True))


def _summed(
    before: Counter[str],
    looks: Mapping[str, tuple[Counter[str], ...]],
    last: Counter[str],
    shots: Sequence[Shot],
) -> Effects:
    ids = frozenset(shot.event_id for shot in shots if shot.event_id)
    every = [before, *(look for after in looks.values() for look in after), last]
    return Effects(
        count=functools.reduce(operator.or_, every),
        around={name: Watched(before, after, ids) for name, after in looks.items()},
        forgets=any(gone(one, other) for one, other in pairwise(every)),
    )


async def _watched(
    planned: Planned, ports: Ports, deadline: float
) -> tuple[list[list[Heard]], tuple[Counter[str], ...]]:
    """Its answers, and the effects after each delivery: waited for until one of them does not come."""
    heard, looks, patient = [], [], True
    for shot in planned.shots:
        heard.append(await _send(shot, ports, deadline))
        wanted = _acting([shot] if patient else [])
        looks.append(await _effects(wanted, ports) or Counter())
        patient = patient and wanted <= set(looks[-1])
    if any(
        is_nameless(shot) and answers[0].taken for shot, answers in zip(planned.shots, heard, strict=True)
    ):
        await ports.sleep(ports.settle_seconds)
        looks[-1] = await _effects(frozenset(), ports) or Counter()
    return heard, tuple(looks)


def _acting(shots: Sequence[Shot]) -> frozenset[str]:
    """The ids that must act."""
    return frozenset(shot.event_id for shot in shots if shot.event_id and shot.effects)


async def _effects(wanted: frozenset[str], ports: Ports) -> Counter[str] | None:
    """As soon as every event that must act has, or when it has had its time; None where nobody tells."""
    if ports.effects is None:
        return None
    looks = max(1, round(ports.settle_seconds / _LOOK_AGAIN_SECONDS))
    found: Counter[str] = Counter()
    for look in range(looks):
        found = effects_module.parse(await ports.effects())
        if wanted <= set(found):
            break
        if look + 1 < looks:
            await ports.sleep(_LOOK_AGAIN_SECONDS)
    return found


async def _send(shot: Shot, ports: Ports, deadline: float) -> list[Heard]:
    if shot.slowly:
        return [await _heard(lambda: _dripped(shot.delivery, ports, deadline), ports.clock)]
    one = call_of(shot.delivery)

    async def exchange() -> Answer:
        return await ports.wire.exchange(one, deadline_seconds=deadline)

    return list(await asyncio.gather(*(_heard(exchange, ports.clock) for _ in range(shot.at_once))))


async def _heard(exchange: Callable[[], Awaitable[Answer]], clock: Callable[[], float]) -> Heard:
    began = clock()
    try:
        answer = await exchange()
    except WireError as exc:
        hung = exc.reason is Reason.TIMEOUT
        return Heard(None, clock() - began, f"no answer: {exc.detail}", hung)
    return Heard(answer.status, clock() - began, body=answer.body)


def call_of(delivery: Delivery) -> Call:
    """The delivery as it goes on the wire, headers in order, doubles kept."""
    parts = urlsplit(delivery.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    framing = (("Host", parts.netloc), ("Content-Length", str(len(delivery.body))), ("Connection", "close"))
    headers = tuple((name.encode(), value.encode()) for name, value in (*framing, *delivery.headers))
    return Call(
        scheme=parts.scheme, host=parts.hostname or "",
        port=parts.port or (443 if parts.scheme == "https" else 80),
        method=delivery.method, target=target, headers=headers, body=delivery.body,
    )  # fmt: skip


async def _dripped(delivery: Delivery, ports: Ports, deadline: float) -> Answer:
    """The body in pieces with pauses between them. Only the status is read."""
    one = call_of(delivery)
    reader, writer = await ports.wire.streams(one, deadline_seconds=deadline)
    try:
        writer.write(frame(dataclasses.replace(one, body=b"")))
        step = max(1, -(-len(one.body) // _PIECES))
        for start in range(0, len(one.body), step):
            await ports.sleep(ports.pause_seconds)
            writer.write(one.body[start : start + step])
            await writer.drain()
        async with asyncio.timeout(deadline):
            line = await reader.readline()
    except TimeoutError:
        raise WireError(Reason.TIMEOUT, f"no answer within {deadline:g} s", {}) from None
    except (OSError, ValueError) as exc:
        raise WireError(Reason.PROTOCOL, "the connection broke", {}) from exc
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    words = line.split()
    if len(words) < 2 or not words[1].isdigit():  # noqa: PLR2004 - version and status
        raise WireError(Reason.PROTOCOL, "the answer is not HTTP", {})
    return Answer(status=int(words[1]), headers={}, body=b"")
