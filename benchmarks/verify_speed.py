"""`verify` on Stripe's document: its engine beside bare jsonschema-rs and openapi-core, a cold start, the whole.

Document and fixtures are those of the corpus (github.com/stripe/openapi); INTERLOCK_CORPUS names its folder.
"""

from __future__ import annotations

import datetime as dt
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.shared import (
    MEBIBYTE,
    Figure,
    corpus,
    peak_rss_bytes,
    ratio,
    rounds,
    same,
    spent,
    together,
    worker,
)

STRIPE = "specs/stripe/2022-04-12/spec3.json"
FIXTURES = "specs/stripe/head/fixtures3.json"
JSON = "application/json"
ROUNDS, BATCHES, FEWER = 5, 30, 15  # what takes long runs in every fifteenth batch
FLOORS = {"bodies": "bare", "answers": "engine"}
SCHEMAS = "/components/schemas/"
ANSWERS = "answers.json"
CASSETTES, DRAWN, TIMES = 8, 120, 5  # files, operations that are drawn, and how often each stands in a file


def run() -> list[Figure]:
    """The engine, a cold start, and the whole command. Raises `MissingProgramError` where there is no corpus."""
    corpus(STRIPE), corpus(FIXTURES)
    with tempfile.TemporaryDirectory() as folder:
        count = worker(make, folder=folder)
        return [*_engine(folder), *_cold(folder), *_whole(folder, count)]


def _document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(corpus(STRIPE).read_bytes())
    return found


# -- the engine ------------------------------------------------------------------------------------------


def _engine(folder: str) -> list[Figure]:
    different, count = worker(differing, folder=folder)
    print(
        f"  its own validator of schemas differs on {different} of {count} bodies, which are left out for all"
    )

    def turns(part: str) -> dict[str, list[float]]:
        floor = FLOORS[part]
        about = f"{part}, parsed and judged: CPU for each"
        return together(
            about, lambda: worker(judged, folder=folder, part=part), count=ROUNDS, unit="µs", floor=floor
        )

    bodies, answers = turns("bodies"), turns("answers")
    return [
        Figure("engine / json.loads with bare jsonschema-rs, speed", ratio(bodies, "bare", "engine"), target=0.8,
               at_least=True),
        Figure("engine / openapi-core, answers, speed", ratio(answers, "openapi-core", "engine"), target=50,
               at_least=True),
        Figure("engine / openapi-core's validator of schemas alone, speed", ratio(bodies, "its validator", "engine")),
    ]  # fmt: skip


def answers_of(folder: str) -> list[dict[str, Any]]:
    """The answers that `make` has made."""
    found: list[dict[str, Any]] = json.loads((Path(folder) / ANSWERS).read_bytes())
    return found


def _written(answers: list[dict[str, Any]]) -> list[tuple[str, bytes]]:
    return [(each["schema"], json.dumps(each["body"]).encode()) for each in answers]


def _bodies(folder: str) -> list[tuple[str, bytes]]:
    """Pointer of the schema and JSON: Stripe's fixtures, which are younger than the document, and the made answers."""
    schemas = _document()["components"]["schemas"]
    resources = json.loads(corpus(FIXTURES).read_bytes())["resources"]
    made = [
        (SCHEMAS + name, json.dumps(each).encode()) for name, each in resources.items() if name in schemas
    ]
    return made + _written(answers_of(folder))


def _agreed(folder: str) -> list[tuple[str, bytes]]:
    """The bodies on which all give one answer."""
    made = _bodies(folder)
    bare, ours, theirs = (judge(made)() for judge in (_bare, _ours, _their_validator))
    same("verdicts of the engine and of bare jsonschema-rs", ours, bare)
    return [body for body, one, other in zip(made, ours, theirs, strict=True) if one == other]


def differing(folder: str) -> tuple[int, int]:
    """How many bodies openapi-core's validator judges in another way, and how many there are."""
    count = len(_bodies(folder))
    return count - len(_agreed(folder)), count


def judged(folder: str, part: str, batches: int = BATCHES) -> dict[str, float]:
    """Microseconds of CPU for a body, warm, in turns; the best of some batches, as other work only adds."""
    works: dict[str, Callable[[], list[bool]]]
    if part == "bodies":
        made = _agreed(folder)
        works = {"bare": _bare(made), "engine": _ours(made), "its validator": _their_validator(made)}
    else:
        answers = answers_of(folder)
        made = _written(answers)
        works = {"engine": _ours(made), "openapi-core": _openapi_core(answers)}
        same("verdicts on right answers", works["engine"](), works["openapi-core"]())
    best = dict.fromkeys(works, float("inf"))
    for number in range(batches):
        for name, work in works.items():
            if name in {"bare", "engine"} or number % FEWER == 0:
                best[name] = min(best[name], spent(work).cpu_seconds / len(made) * 1e6)
    return best


def _ours(made: list[tuple[str, bytes]]) -> Callable[[], list[bool]]:
    from contracts import adapters  # noqa: PLC0415 - in the worker alone
    from contracts.contract import Media  # noqa: PLC0415
    from contracts.engine import RESPONSE, Engine  # noqa: PLC0415
    from contracts.media import read  # noqa: PLC0415
    from contracts.values import Coercer  # noqa: PLC0415

    contract = adapters.load(corpus(STRIPE))
    engine, coercer = Engine(contract), Coercer(contract.document)
    media = {at: Media(media_type=JSON, pointer=at, schema=at) for at, _ in made}
    return lambda: [
        engine.valid(at, read(body, JSON, media[at], coercer).value, RESPONSE) for at, body in made
    ]


def _bare(made: list[tuple[str, bytes]]) -> Callable[[], list[bool]]:
    from contracts import adapters  # noqa: PLC0415
    from contracts.engine import RESPONSE, Engine  # noqa: PLC0415

    engine = Engine(adapters.load(corpus(STRIPE)))
    for at, body in made:
        engine.valid(at, json.loads(body), RESPONSE)
    validator = engine.side(RESPONSE).validator(made[0][0])
    return lambda: [validator.is_valid({at: json.loads(body)}) for at, body in made]


def _their_validator(made: list[tuple[str, bytes]]) -> Callable[[], list[bool]]:
    from jsonschema_path import SchemaPath  # noqa: PLC0415
    from openapi_core.validation.schemas import oas30_read_schema_validators_factory as factory  # noqa: PLC0415
    from openapi_core.validation.schemas.exceptions import InvalidSchemaValue  # noqa: PLC0415

    spec = SchemaPath.from_dict(_document())
    validators = {at: factory.create(spec, _at(spec, at)) for at, _ in made}

    def fits(at: str, body: bytes) -> bool:
        try:
            validators[at].validate(json.loads(body))
        except InvalidSchemaValue:
            return False
        return True

    return lambda: [fits(at, body) for at, body in made]


def _at(spec: Any, pointer: str) -> Any:
    """A place in openapi-core's view of a document."""
    for step in pointer.split("/")[1:]:
        spec /= step.replace("~1", "/").replace("~0", "~")
    return spec


def _openapi_core(answers: list[dict[str, Any]]) -> Callable[[], list[bool]]:
    """As it is used: it finds the operation, and deserialises the body, too."""
    import openapi_core  # noqa: PLC0415
    from openapi_core.testing import MockRequest, MockResponse  # noqa: PLC0415

    app = openapi_core.OpenAPI.from_dict(
        _document(),
        config=openapi_core.Config(spec_validator_cls=None),  # type: ignore[arg-type]
    )
    host = "https://api.stripe.com"
    pairs = [
        (
            MockRequest(host, each["method"], urlsplit(each["url"]).path),
            MockResponse(body, each["status"], content_type=JSON),
        )
        for each, (_, body) in zip(answers, _written(answers), strict=True)
    ]
    return lambda: [not any(app.iter_response_errors(request, answer)) for request, answer in pairs]


# -- a cold start ----------------------------------------------------------------------------------------


def _cold(folder: str) -> list[Figure]:
    figures = []
    for what, count in (("one answer", 1), ("an answer of every operation drawn", DRAWN)):
        told = {"folder": folder, "count": count}
        answers = {name: worker(cold, name=name, **told)["found"] for name in STARTS}
        same("findings in right answers and in one that is empty", *answers.values())
        peaks: dict[str, list[float]] = {name: [] for name in STARTS}

        def cost(name: str, told: dict[str, Any] = told, peaks: dict[str, list[float]] = peaks) -> float:
            spent_there = worker(cold, name=name, **told)
            peaks[name].append(spent_there["peak"] / MEBIBYTE)
            return float(spent_there["cpu"])

        contenders = {name: lambda name=name, cost=cost: cost(name) for name in STARTS}
        seen = rounds(
            f"a fresh process that judges {what}: CPU",
            contenders,
            count=ROUNDS,
            unit="s",
            floor="schemathesis",
        )
        print("  peak memory: " + ", ".join(f"{name} {min(each):.0f} MiB" for name, each in peaks.items()))
        figures += [
            Figure(
                f"cold, {what} / schemathesis, CPU", ratio(seen, "interlock", "schemathesis"), target=0.15
            ),
            Figure("the same, peak memory", ratio(peaks, "interlock", "schemathesis"), target=0.2),
        ]
    return figures


def cold(name: str, folder: str, count: int) -> dict[str, Any]:
    """What a whole process costs, from its first line to the last verdict."""
    answers = answers_of(folder)[:count]
    found = STARTS[name]([*answers, {**answers[0], "body": {}}])
    return {"found": found, "cpu": time.process_time(), "peak": float(peak_rss_bytes())}


def start(answers: list[dict[str, Any]]) -> list[bool]:
    """Which of the answers interlock finds fault with."""
    from contracts import adapters  # noqa: PLC0415
    from contracts.rules import severities  # noqa: PLC0415
    from contracts.verify import verify  # noqa: PLC0415
    from contracts.view import Bench, Rulebook  # noqa: PLC0415
    from interlock.records import Interaction, Message, Source  # noqa: PLC0415
    from interlock.redaction import Redactor  # noqa: PLC0415

    book = Rulebook(severities=severities(()), now=dt.datetime.now(dt.UTC), redactor=Redactor())
    bench = Bench(adapters.load(corpus(STRIPE)), book)
    none = Message(headers=(), body=None, body_state="absent")

    def found(each: dict[str, Any]) -> bool:
        got = Message(
            headers=(("Content-Type", JSON),), body=json.dumps(each["body"]).encode(), body_state="full"
        )
        interaction = Interaction(
            source=Source(file="a", format="made", index=0, line=1), method=each["method"], url=each["url"],
            request=none, status=each["status"], response=got, error=None, http_version=None, recorded_at=None,
            elapsed_seconds=None, origin=None,
        )  # fmt: skip
        places = (finding.location.message_pointer or "" for finding in verify(interaction, bench).findings)
        return any(place.startswith("/response") for place in places)

    return [found(each) for each in answers]


def _start_schemathesis(answers: list[dict[str, Any]]) -> list[bool]:
    import requests  # noqa: PLC0415
    import schemathesis  # noqa: PLC0415
    from schemathesis.specs.openapi import checks  # noqa: PLC0415

    schema = schemathesis.openapi.from_path(str(corpus(STRIPE)))
    used = [
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    ]

    def found(each: dict[str, Any]) -> bool:
        got = schemathesis.Response(
            status_code=each["status"], headers={"content-type": [JSON]}, content=json.dumps(each["body"]).encode(),
            request=requests.Request(each["method"], each["url"]).prepare(), elapsed=0.0, verify=True,
        )  # fmt: skip
        case = schema[each["path"]][each["method"]].Case(path_parameters=each["places"])
        try:
            case.validate_response(got, checks=used)
        except (AssertionError, BaseExceptionGroup):
            return True
        return False

    return [found(each) for each in answers]


STARTS: dict[str, Callable[[list[dict[str, Any]]], list[bool]]] = {
    "schemathesis": _start_schemathesis,
    "interlock": start,
}


# -- the whole command -----------------------------------------------------------------------------------


def _whole(folder: str, count: int) -> list[Figure]:
    same("interactions held against the contract", worker(whole, folder=folder)["matched"], count)
    print(f"\nthe whole of `interlock verify`, YAML to report, {count} interactions in {CASSETTES} cassettes")
    speeds = []
    for number in range(ROUNDS):
        speeds.append(count / worker(whole, folder=folder)["cpu"])
        print(f"  round {number + 1}: {speeds[-1]:,.0f} interactions for a second of CPU")
    speed = statistics.median(speeds)
    return [
        Figure(
            "interlock verify, whole and warm, a second of CPU", speed, unit="", target=2000, at_least=True
        )
    ]


def make(folder: str, drawn: int = DRAWN) -> int:
    """Right interactions of some operations, as answers alone and as cassettes of vcrpy; how many are in these."""
    import yaml  # noqa: PLC0415

    from tests.contracts.verify.generated import Unmade  # noqa: PLC0415
    from tests.contracts.verify.mutations import SEED, Maker  # noqa: PLC0415

    maker = Maker("stripe", _document(), SEED)
    recorded, answers = [], []
    for operation in maker.rng.sample(maker.operations(), drawn):
        try:
            draft = maker.draft(operation)
        except Unmade:
            continue
        if draft.gives is None:
            continue
        one = maker.interaction(draft)
        recorded.append(yaml.dump([_recorded(one)], Dumper=yaml.CSafeDumper))
        schema = next(
            m.schema for each in operation.answers if each.status == str(one.status) for m in each.media
        )
        answers.append({"method": one.method, "path": operation.path, "url": one.url, "status": one.status,
                        "body": draft.got, "schema": schema, "places": draft.given["path"]})  # fmt: skip
    (Path(folder) / ANSWERS).write_text(json.dumps(answers), encoding="utf-8")
    text = "interactions:\n" + "".join(recorded * TIMES) + "version: 1\n"
    for number in range(CASSETTES):
        (Path(folder) / f"{number}.yaml").write_text(text, encoding="utf-8")
    return len(recorded) * TIMES * CASSETTES


def _recorded(one: Any) -> dict[str, Any]:
    return {
        "request": {
            "method": one.method,
            "uri": one.url,
            "body": one.request.body.decode() or None,
            "headers": {name: [value] for name, value in one.request.headers}
            | {"User-Agent": ["made-up/1.0"]},
        },
        "response": {
            "status": {"code": one.status, "message": "OK"},
            "headers": {name: [value] for name, value in one.response.headers} | {"Server": ["nginx"]},
            "body": {"string": one.response.body.decode()},
        },
    }


def whole(folder: str) -> dict[str, float]:
    """CPU of one run over all cassettes, in a process that has done one cassette before; and what was matched."""
    from contracts.reporting import report_of  # noqa: PLC0415
    from contracts.running import Options  # noqa: PLC0415
    from contracts.verify_command import run as session  # noqa: PLC0415
    from interlock.output import render  # noqa: PLC0415
    from interlock.records import Severity  # noqa: PLC0415

    matched = 0

    def once(*paths: str) -> None:
        nonlocal matched
        now = dt.datetime.now(dt.UTC).isoformat()
        options = Options(paths=paths, root=folder, now=now, contracts=(str(corpus(STRIPE)),))
        outcomes = session(options)
        report = report_of(outcomes, options, accepted=frozenset(), fail_on=Severity.ERROR)
        render(report, "text")
        matched = sum(each.matched for each in outcomes)

    paths = [f"{folder}/{number}.yaml" for number in range(CASSETTES)]
    once(paths[0])
    cost = spent(lambda: once(*paths))
    return {"cpu": cost.cpu_seconds, "matched": matched}
