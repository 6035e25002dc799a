"""Reading vcrpy's cassettes beside vcrpy itself: time, memory, growth with the length; and what an attack costs."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import statistics
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.shared import MEBIBYTE, Figure, peak_rss_bytes, ratio, rounds, same, spent, worker

ROUNDS = 5
SIZES_MB = (2, 10)
TARGETS = {2: 3.0, 10: 6.0}  # times as fast as vcrpy
SEED = 1


def run() -> list[Figure]:
    """Equal objects first; then both sizes in turn, memory, and the attacks."""
    figures: list[Figure] = []
    ours: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES_MB:
            path = str(Path(folder) / f"{size}.yaml")
            count = worker(make, path=path, megabytes=size)
            same_objects(path)
            seen, peaks = beside(path, f"{size} MB, {count} interactions")
            ours[size] = statistics.median(seen["interlock"]) / Path(path).stat().st_size
            figures += [
                Figure(
                    f"reading a cassette of {size} MB: vcrpy / interlock, CPU",
                    ratio(seen, "vcrpy", "interlock"),
                    target=TARGETS[size],
                    at_least=True,
                ),
                Figure("the same: interlock / vcrpy, peak memory of a process", peaks, target=0.4),
            ]
        figures.append(Figure("time for a byte: 10 MB / 2 MB", ours[10] / ours[2], target=1.2))
        slowest = max(worker(refusal, folder=folder, name=name) for name in ATTACKS)
        figures.append(Figure("the slowest refusal of an attack, CPU", slowest, unit=" s", target=1.0))
    return figures


def beside(path: str, title: str) -> tuple[dict[str, list[float]], float]:
    """CPU by turns, and the ratio of the peaks of memory."""
    peaks: dict[str, list[float]] = {name: [] for name in READERS}

    def cost(name: str) -> float:
        told = worker(read, name=name, path=path)
        peaks[name].append(told["peak"])
        return float(told["cpu"]) * 1000

    contenders = {name: partial(cost, name) for name in READERS}
    seen = rounds(f"reading {title}: CPU", contenders, count=ROUNDS, unit="ms", floor="vcrpy")
    medians = {name: statistics.median(values) for name, values in peaks.items()}
    print("  peak memory: " + ", ".join(f"{n} {value / MEBIBYTE:.0f} MiB" for n, value in medians.items()))
    return seen, medians["interlock"] / medians["vcrpy"]


def same_objects(path: str) -> None:
    """Both give the same requests and responses."""
    same("objects of a cassette", *(worker(digest, name=name, path=path) for name in ("vcrpy", "interlock")))


# -- in a process of its own ---------------------------------------------------------------------------


def make(*, path: str, megabytes: int) -> int:
    """Write a cassette by vcrpy's own hand; returns the number of interactions."""
    from vcr.serialize import serialize  # noqa: PLC0415 - slow to import
    from vcr.serializers import yamlserializer  # noqa: PLC0415

    pairs = list(_made(megabytes * 1_000_000))
    requests, responses = zip(*pairs, strict=True)
    text = serialize({"requests": requests, "responses": responses}, yamlserializer)
    Path(path).write_text(text, encoding="utf-8")
    return len(pairs)


def _made(size_bytes: int) -> Iterator[tuple[Any, Any]]:
    from vcr.request import Request  # noqa: PLC0415

    rng = random.Random(SEED)
    written = number = 0
    while written < size_bytes:
        members = [
            {"id": f"li_{n}", "amount": rng.random(), "note": "grün: and so on"}
            for n in range(rng.randint(2, 20))
        ]
        body: bytes = json.dumps({"id": f"ord_{number}", "lines": members}).encode()
        if number % 10 == 0:
            body = rng.randbytes(len(body))  # binary stands as base64 in the file
        sent = None if number % 2 else b'{"expand": ["lines"]}'
        asked = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate", "User-Agent": "made-up/1.0"}
        asked["X-Request-Id"] = f"{number:032x}"
        answered = {
            "Date": ["Sat, 31 Jan 2026 02:03:04 GMT"],
            "Content-Type": ["application/json; charset=utf-8"],
            "Cache-Control": ["no-cache, no-store"],
            "X-RateLimit-Remaining": [str(4999 - number % 4000)],
            "ETag": [f'"{number:x}"'],
            "Strict-Transport-Security": ["max-age=31556926; includeSubDomains; preload"],
            "Set-Cookie": ["a=1", "b=2"],
            "Content-Length": [str(len(body))],
        }
        yield (
            Request(
                "POST" if sent else "GET",
                f"https://api.example.com/v1/orders/{number}?expand=lines",
                sent,
                asked,
            ),
            {"status": {"code": 200, "message": "OK"}, "headers": answered, "body": {"string": body}},
        )
        written += 885 + (len(body) if number % 10 else len(body) * 3 // 2)
        number += 1


def read(*, name: str, path: str) -> dict[str, float]:
    """CPU seconds of one reading, imports not counted, and the process's peak of memory."""
    reader = READERS[name]()
    kept: list[Any] = []
    cost = spent(lambda: kept.append(reader(path)))
    return {"cpu": cost.cpu_seconds, "peak": float(peak_rss_bytes())}


def digest(*, name: str, path: str) -> list[Any]:
    """How many objects there are, and a digest over all that is in them."""
    hasher = hashlib.sha256()
    count = 0
    for plain in PLAIN[name](READERS[name]()(path)):
        hasher.update(json.dumps(plain).encode() + b"\n")
        count += 1
    return [count, hasher.hexdigest()]


def _vcrpy() -> Callable[[str], Any]:
    from vcr.serialize import deserialize  # noqa: PLC0415
    from vcr.serializers import yamlserializer  # noqa: PLC0415

    return lambda path: deserialize(Path(path).read_text("utf-8"), yamlserializer)


def _interlock() -> Callable[[str], Any]:
    from cassettes.read import read_file  # noqa: PLC0415

    return lambda path: read_file(Path(path))


def _plain_vcrpy(loaded: Any) -> Iterator[list[Any]]:
    for request, response in zip(*loaded[:2], strict=True):
        sent = [[name, value] for name, value in request.headers.items()]
        got = [[name, value] for name, values in response["headers"].items() for value in values]
        bodies = [_text(request.body), _text(response["body"]["string"])]
        status = response["status"]
        yield [request.method, request.uri, sent, status["code"], status["message"], got, *bodies]


def _plain_interlock(loaded: Any) -> Iterator[list[Any]]:
    for each in loaded.interactions:
        sent, got = ([list(pair) for pair in side.headers] for side in (each.request, each.response))
        bodies = [_text(each.request.body), _text(each.response.body)]
        yield [each.method, each.url, sent, each.status, each.extras["response"]["reason"], got, *bodies]


def _text(body: bytes | None) -> str | None:
    return None if body is None else base64.b64encode(body).decode()


READERS: dict[str, Callable[[], Callable[[str], Any]]] = {"vcrpy": _vcrpy, "interlock": _interlock}
PLAIN = {"vcrpy": _plain_vcrpy, "interlock": _plain_interlock}


# -- attacks -------------------------------------------------------------------------------------------


def _laughs() -> bytes:
    lines = ["interactions:", "- &a0 [" + ", ".join(["lol"] * 12) + "]"]
    lines += [f"- &a{n} [" + ", ".join([f"*a{n - 1}"] * 12) + "]" for n in range(1, 12)]
    return "\n".join(lines).encode()


def _repeated() -> bytes:
    return b"interactions:\n- &a {request: '" + b"x" * 10**6 + b"'}\n" + b"- *a\n" * 10**6


def _packed() -> bytes:
    import gzip  # noqa: PLC0415

    body = base64.b64encode(gzip.compress(bytes(10**8))).decode()
    one = {
        "request": {
            "method": "GET",
            "uri": "https://api.example.com/",
            "body": {"string": ""},
            "headers": {},
        },
        "response": {
            "status": {"code": 200},
            "headers": {"Content-Encoding": ["gzip"]},
            "body": {"base64_string": body},
        },
    }
    return json.dumps({"http_interactions": [one] * 20}).encode()


ATTACKS: dict[str, Callable[[], bytes]] = {
    "aliases of aliases": _laughs,
    "many aliases of a long text": _repeated,
    "deep YAML": lambda: b"interactions:\n- " + b"[" * 10**6,
    "deep JSON": lambda: b'{"interactions": ' + b"[" * 10**6,
    "a long number": lambda: b'{"interactions": [], "version": ' + b"9" * 10**7 + b"}",
    "packed bombs": _packed,
}


def refusal(*, folder: str, name: str) -> float:
    """CPU seconds until an attack is refused; asserts that it is."""
    path = Path(folder) / "attack"
    path.write_bytes(ATTACKS[name]())
    reader = _interlock()
    kept: list[Any] = []
    cost = spent(lambda: kept.append(reader(str(path))))
    same(f"refused: {name}", bool(kept[0].findings), True)  # noqa: FBT003
    return cost.cpu_seconds
