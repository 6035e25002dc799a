"""The engine of `verify` beside json.loads with bare jsonschema-rs, on Stripe's own document and fixtures.

Run: python -m benchmarks.verify_speed SPEC FIXTURES (both from github.com/stripe/openapi).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from contracts import adapters
from contracts.contract import Media
from contracts.engine import RESPONSE, Engine
from contracts.media import read
from contracts.values import Coercer

ROUNDS, TIMES = 7, 20


def main(spec: Path, fixtures: Path) -> None:
    """Print bodies a second of CPU for both, and their ratio, round by round."""
    contract = adapters.load(spec)
    engine, coercer = Engine(contract), Coercer(contract.document)
    schemas = contract.document["components"]["schemas"]
    resources = json.loads(fixtures.read_bytes())["resources"]
    bodies = [
        (f"/components/schemas/{name}", json.dumps(value).encode())
        for name, value in resources.items()
        if name in schemas
    ]
    media = {at: Media(media_type="application/json", pointer=at, schema=at) for at, _ in bodies}
    expected = [engine.valid(at, json.loads(body), RESPONSE) for at, body in bodies]
    validator = engine.side(RESPONSE).validator(bodies[0][0])

    def bare() -> list[bool]:
        return [validator.is_valid({at: json.loads(body)}) for at, body in bodies]

    def ours() -> list[bool]:
        return [
            engine.valid(at, read(body, "application/json", media[at], coercer).value, RESPONSE)
            for at, body in bodies
        ]

    assert bare() == ours() == expected, "both must give the same answers"
    for number in range(ROUNDS):
        floor, own = seconds(bare), seconds(ours)
        count = len(bodies) * TIMES
        print(
            f"round {number}: bare {count / floor:,.0f}/s  ours {count / own:,.0f}/s  ratio {floor / own:.2f}"
        )


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of `TIMES` runs."""
    start = time.process_time()
    for _ in range(TIMES):
        work()
    return time.process_time() - start


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
