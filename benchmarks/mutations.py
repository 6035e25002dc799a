"""What is found of some thousand interactions that were made wrong on purpose: interlock, schemathesis, openapi-core.

No time is measured. All get the same interactions, drawn by a seed from the documents of our library and, where the
corpus is, from Stripe's own. A mutation counts as found where the contender says that something is wrong and says
nothing of the same interaction unspoilt; for interlock only where the finding has the exact place.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from benchmarks.shared import Figure, MissingProgramError, corpus, worker
from contracts.pointers import steps
from interlock.records import Interaction
from tests.contracts.verify.mutations import KINDS, Maker, Mutation, drawn, library
from tests.contracts.verify.warehouse import HOST

STRIPE = "specs/stripe/2022-04-12/spec3.json"
STRIPE_OPERATIONS = 25
SIDES = ("request", "response")


def run() -> list[Figure]:
    """Print the table, and give the share that each contender found."""
    scores = {name: worker(score, name=name) for name in CONTENDERS}
    print(f"  {'':<22}" + "".join(f"{name:>18}" for name in scores))
    for kind in [f"{kind} {side}" for side in SIDES for kind in KINDS]:
        cells = [_share(each["found"].get(kind, 0), each["total"].get(kind, 0)) for each in scores.values()]
        print(f"  {kind:<22}" + "".join(f"{cell:>18}" for cell in cells))
    refused = [f"{each['refused']} of {each['controls']}" for each in scores.values()]
    print(f"  {'right ones refused':<22}" + "".join(f"{cell:>18}" for cell in refused))
    figures = []
    for name, each in scores.items():
        for side in SIDES:
            total = sum(count for kind, count in each["total"].items() if kind.endswith(side))
            found = sum(count for kind, count in each["found"].items() if kind.endswith(side))
            target = 99.0 if name == "interlock" else None
            if total:
                figures.append(
                    Figure(
                        f"mutations found, {side}s: {name}",
                        100 * found / total,
                        unit="%",
                        target=target,
                        at_least=True,
                    )
                )
    return figures


def _share(found: int, total: int) -> str:
    return f"{100 * found / total:.1f}% of {total}" if total else "-"


def sets() -> Iterator[tuple[Maker, list[Mutation]]]:
    """The mutations, by document."""
    for name, document in library():
        yield drawn(name, document, operations=99, times=2)
    with contextlib.suppress(MissingProgramError):
        yield drawn("stripe-own", json.loads(corpus(STRIPE).read_bytes()), operations=STRIPE_OPERATIONS)


def score(name: str, documents: int | None = None) -> dict[str, Any]:
    """What one contender finds: counts by kind and side, and how many right interactions it refuses.

    `documents`: how many of them, None for all.
    """
    total: Counter[str] = Counter()
    found: Counter[str] = Counter()
    refused = controls = 0
    for maker, mutations in itertools.islice(sets(), documents):
        finds, sides = CONTENDERS[name](maker)
        accepted: dict[tuple[int, str], bool] = {}
        for each in mutations:
            if each.side not in sides or steps(each.operation.pointer)[1] != each.operation.path:
                continue  # operations that are told apart by more than their path are known to interlock alone
            key = (id(each.control), each.side)
            if key not in accepted:
                accepted[key] = not finds(each.control, each, None)
                controls += 1
                refused += not accepted[key]
            kind = f"{each.kind} {each.side}"
            total[kind] += 1
            found[kind] += accepted[key] and finds(each.interaction, each, each.pointer)
    return {"total": total, "found": found, "refused": refused, "controls": controls}


# -- the contenders: does it say that something is wrong with an interaction? ---------------------------

Finds = Callable[[Interaction, Mutation, "str | None"], bool]


def interlock(maker: Maker) -> tuple[Finds, tuple[str, ...]]:
    """Ours: any finding in a right one counts, in a wrong one only that with the exact place."""
    from contracts.verify import verify  # noqa: PLC0415 - in its own process alone
    from tests.contracts.verify.made import bench  # noqa: PLC0415

    judge = bench(maker.contract, "body-unjudged=off")

    def finds(interaction: Interaction, _: Mutation, pointer: str | None) -> bool:
        findings = verify(interaction, judge).findings
        return any(pointer in {None, each.location.message_pointer} for each in findings)

    return finds, SIDES


def schemathesis(maker: Maker) -> tuple[Finds, tuple[str, ...]]:
    """Its four checks of an answer; it has none of requests."""
    import requests  # noqa: PLC0415
    import schemathesis as peer  # noqa: PLC0415
    from schemathesis.specs.openapi import checks  # noqa: PLC0415

    schema = peer.openapi.from_dict(dict(maker.contract.document))
    used = [
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_headers_conformance,
        checks.response_schema_conformance,
    ]

    def finds(interaction: Interaction, mutation: Mutation, _: str | None) -> bool:
        assert interaction.response is not None
        assert interaction.status is not None
        answer = peer.Response(
            status_code=interaction.status,
            headers={name: [value] for name, value in interaction.response.headers},
            content=interaction.response.body or b"",
            request=requests.Request(interaction.method, interaction.url).prepare(),
            elapsed=0.0,
            verify=True,
        )
        operation = schema[mutation.operation.path][mutation.operation.method]
        places = dict.fromkeys(re.findall(r"{([^{}]+)}", mutation.operation.path), "oak")
        try:
            operation.Case(path_parameters=places).validate_response(answer, checks=used)
        except (AssertionError, BaseExceptionGroup):
            return True
        return False

    return finds, ("response",)


def _at_one_host(maker: Maker) -> dict[str, Any]:
    """The document with its servers moved to the host that the interactions were made for."""
    document: dict[str, Any] = copy.deepcopy(dict(maker.contract.document))
    for item in document["paths"].values():
        for node in (item, *item.values()):
            if isinstance(node, dict):
                node.pop("servers", None)
    bases = dict.fromkeys(each.bases[0].replace("{server}", "v1") for each in maker.contract.operations)
    return document | {"servers": [{"url": HOST + base} for base in bases]}


def openapi_core(maker: Maker) -> tuple[Finds, tuple[str, ...]]:
    """Its validation of requests and of answers."""
    import warnings  # noqa: PLC0415

    import openapi_core as peer  # noqa: PLC0415
    from openapi_core.testing import MockRequest, MockResponse  # noqa: PLC0415
    from werkzeug.datastructures import ImmutableMultiDict  # noqa: PLC0415

    warnings.simplefilter("ignore")  # of forms that it knows under an older name
    app = peer.OpenAPI.from_dict(
        _at_one_host(maker),
        config=peer.Config(spec_validator_cls=None),  # type: ignore[arg-type]
    )

    def finds(interaction: Interaction, mutation: Mutation, _: str | None) -> bool:
        assert interaction.response is not None
        assert interaction.status is not None
        url = urlsplit(interaction.url)
        headers = dict(interaction.request.headers)
        cookies = dict(part.strip().split("=", 1) for part in headers.get("Cookie", "").split(";") if part)
        request = MockRequest(
            HOST, interaction.method, url.path, headers=headers, cookies=cookies, data=interaction.request.body,
            content_type=headers.get("Content-Type", ""),
        )  # fmt: skip
        request.parameters.query = ImmutableMultiDict(parse_qsl(url.query, keep_blank_values=True))
        said = dict(interaction.response.headers)
        answer = MockResponse(
            interaction.response.body or b"",
            interaction.status,
            headers=said,
            content_type=said.get("Content-Type", ""),
        )
        try:
            if mutation.side == "request":
                return any(app.iter_request_errors(request))
            return any(app.iter_response_errors(request, answer))
        except Exception:  # noqa: BLE001 - whatever it says no with, it says no
            return True

    return finds, SIDES


CONTENDERS: dict[str, Callable[[Maker], tuple[Finds, tuple[str, ...]]]] = {
    "interlock": interlock,
    "schemathesis": schemathesis,
    "openapi-core": openapi_core,
}
