"""`scan` beside detect-secrets, and beside one bare pattern: recordings, sources and a log, on one core."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from benchmarks.shared import MEBIBYTE, ROOT, Figure, MissingProgramError, same, spent, worker
from benchmarks.shared import rounds as take_turns

ROUNDS = 5
INTERACTIONS = 1500
PLANTED = 40
_PEER = "import detect_secrets"


def run() -> list[Figure]:
    """MB for each second of CPU, processes fresh, each kind of text by itself."""
    figures = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder)
        for kind in ("recordings.yaml", "recordings.json", "sources.py", "requests.log"):
            path = folder / kind
            size = path.stat().st_size / 1e6
            same(f"planted in {kind}", worker(found, path=str(path)), PLANTED)
            contenders = {
                "one bare pattern": lambda path=path: worker(bare, path=str(path)),
                "scan": lambda path=path: worker(scanned, path=str(path)),
            }
            if has_peer():
                contenders["detect-secrets"] = lambda path=path: worker(peer, path=str(path))
            seen = take_turns(
                f"CPU, {kind}, {size:.1f} MB", contenders, count=ROUNDS, unit="s", floor="one bare pattern"
            )
            speed = sorted(size / cost for cost in seen["scan"])[ROUNDS // 2]
            figures.append(
                Figure(f"scan, {kind}, a second of CPU", speed, unit="MB", target=5.0, at_least=True)
            )
    return figures


def has_peer() -> bool:
    """Whether detect-secrets is installed beside us; it is no dependency."""
    return subprocess.run([sys.executable, "-c", _PEER], capture_output=True, check=False).returncode == 0


# -- what is scanned ---------------------------------------------------------------------------------


def make(folder: Path) -> None:
    """Texts of a few MB, with as many secrets planted in each."""
    rng = random.Random(7)
    interactions = [_interaction(rng, number) for number in range(INTERACTIONS)]
    for number in range(PLANTED):
        interactions[number * 30]["request"]["headers"]["Authorization"] = [f"Bearer {_token(rng)}"]
    document = {"version": 1, "interactions": interactions}
    (folder / "recordings.yaml").write_text(yaml.dump(document, Dumper=yaml.CSafeDumper), "utf-8")
    (folder / "recordings.json").write_text(json.dumps(document, indent=1), "utf-8")
    sources = "".join(path.read_text("utf-8") for path in sorted((ROOT / "interlock").glob("*.py")))
    keys = "".join(f'api_key = "{_token(rng)}"\n' for _ in range(PLANTED))
    (folder / "sources.py").write_text(_harmless(sources) * (4 * MEBIBYTE // len(sources)) + keys, "utf-8")
    lines = [
        f"2026-01-01T00:00:{n % 60:02} INFO GET https://api.example.com/v1/orders/{n}?limit=10&page={n % 7} 200"
        for n in range(40_000)
    ]
    for number in range(PLANTED):
        lines[number * 900] += f"&access_token={_token(rng)}"
    (folder / "requests.log").write_text("\n".join(lines), "utf-8")


def _harmless(sources: str) -> str:
    """Our sources without the places that speak of secrets by example."""
    return "".join(line for line in sources.splitlines(keepends=True) if "://" not in line)


def _token(rng: random.Random) -> str:
    return "".join(rng.choices("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ", k=24)) + "7"


def _interaction(rng: random.Random, number: int) -> dict[str, Any]:
    items = [
        {"id": f"ord_{rng.getrandbits(48):x}", "object": "order", "amount": rng.randrange(10**5), "currency": "eur",
         "description": "An order of several things, paid at once", "created": 1700000000 + number, "lines": [1, 2, 3]}
        for _ in range(12)
    ]  # fmt: skip
    body = json.dumps({"object": "list", "has_more": True, "data": items})
    headers = {
        "Content-Type": ["application/json"], "Date": ["Fri, 31 Jul 2020 21:49:55 GMT"], "Server": ["nginx"],
        "Content-Length": [str(len(body))], "Request-Id": [f"req_{rng.getrandbits(56):x}"],
        "Strict-Transport-Security": ["max-age=31536000; includeSubDomains"],
    }  # fmt: skip
    return {
        "request": {
            "method": "GET", "uri": f"https://api.example.com/v1/orders?limit=12&page={number}", "body": None,
            "headers": {"Accept": ["*/*"], "User-Agent": ["made-up/1.0"]},
        },
        "response": {"status": {"code": 200, "message": "OK"}, "headers": headers, "body": {"string": body}},
    }  # fmt: skip


# -- the contenders, each in a process of its own ----------------------------------------------------


def found(path: str) -> int:
    """How many secrets our scan finds."""
    return len(_looked(path)().hits)


def scanned(path: str) -> float:
    """Seconds of CPU of our scan, without the start."""
    return spent(_looked(path)).cpu_seconds


def _looked(path: str) -> Any:
    from cassettes.redact import Redactor  # noqa: PLC0415 - in the worker alone
    from cassettes.redact.files import look_at  # noqa: PLC0415

    redactor = Redactor(key=b"a key", personal=())
    return lambda: look_at(Path(path).read_bytes(), path, redactor, rewrite=False)


def bare(path: str) -> float:
    """Seconds of CPU of one pattern of one provider's key over the text: the least that a search by patterns costs."""
    import re  # noqa: PLC0415

    pattern = re.compile(r"\b(sk|rk)_(test|live|prod)_[A-Za-z0-9]{10,247}")
    return spent(lambda: list(pattern.finditer(Path(path).read_text("utf-8")))).cpu_seconds


def peer(path: str) -> float:
    """Seconds of CPU of detect-secrets with the detectors that it comes with."""
    try:
        from detect_secrets import SecretsCollection  # type: ignore[import-not-found]  # noqa: PLC0415
        from detect_secrets.settings import default_settings  # type: ignore[import-not-found]  # noqa: PLC0415
    except ImportError as exc:
        raise MissingProgramError("detect-secrets is not installed") from exc
    secrets = SecretsCollection()
    with default_settings():
        return spent(lambda: secrets.scan_file(path)).cpu_seconds
