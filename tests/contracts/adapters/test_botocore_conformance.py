"""botocore's own suites: what it sends and what it reads fits the models that the suites come with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from contracts import adapters, installed
from contracts.contract import Contract, Operation
from contracts.media import FORM
from contracts.verify import Verified, verify
from tests.contracts.verify.made import bench, interaction
from tests.corpus import folder

HOST = "https://service.made-up.example"
PROTOCOLS = ("rest-xml", "rest-json", "json", "json_1_0", "query")
# A list of maps whose member is a string in the suite's model.
WRONG_IN_THE_SUITE = {
    "Lists 1": [("response-body", "/response/body/ListMemberMap/0")],
}
LEAST = {"rest-xml": 50, "rest-json": 50, "json": 50, "json_1_0": 25, "query": 45}
# These answers were recorded before the service promised what they lack.
IAM = "/response/body/List"
OF_ANOTHER_TIME = {
    "iam-list-instance-profiles": [
        ("response-body", f"{IAM}InstanceProfilesResult/InstanceProfiles/0/InstanceProfileId")
    ],
    "iam-list-users": [("response-body", f"{IAM}UsersResult/Users/0/CreateDate")],
}
Case = tuple[str, dict[str, Any], dict[str, Any]]


def _suites(side: str, protocol: str) -> Iterator[Case]:
    """Every case but those in which botocore itself differs from the model, as the suite's own list has it."""
    root = folder("conformance/botocore-protocols")
    ignored = json.loads((root / "protocol-tests-ignore-list.json").read_text("utf-8"))
    parts = [ignored["general"].get(side, {}), ignored["protocols"].get(protocol, {}).get(side, {})]
    for path in (root / side / f"{protocol}.json", root / "legacy" / side / f"{protocol}.json"):
        for suite in json.loads(path.read_text("utf-8")) if path.is_file() else ():
            for index, case in enumerate(suite["cases"]):
                name = case.get("id") or suite["description"]
                if not any(
                    name in p.get("cases", ()) or suite["description"] in p.get("suites", ()) for p in parts
                ):
                    yield f"{name} {index}", suite, case


def _held(suite: Mapping[str, Any], case: Mapping[str, Any], **about: Any) -> Verified:
    given = {"name": "Made", **case["given"]}
    given["http"] = {"method": "POST", "requestUri": "/", **given.get("http", {})}
    model = {
        "metadata": suite["metadata"],
        "operations": {given["name"]: given},
        "shapes": suite["shapes"],
    }
    contract = adapters.parse(json.dumps(model).encode(), name="made", source="made.json")
    return verify(interaction(**about), bench(contract))


def sent(suite: Mapping[str, Any], case: Mapping[str, Any]) -> Verified:
    """A request as botocore serialises it, before its answer."""
    wanted = case["serialized"]
    body = wanted.get("body", "")
    form = case["given"].get("http", {}).get("method", "POST")
    about = suite["metadata"]
    target = {"X-Amz-Target": f"{about.get('targetPrefix', '')}.{case['given']['name']}"}
    return _held(
        suite,
        case,
        method=wanted.get("method", form),
        path=HOST + wanted.get("uri", "/"),
        status=None,
        sent=body.encode() if body else None,
        headers={"Content-Type": "", **target, **wanted.get("headers", {})},
    )


def received(suite: Mapping[str, Any], case: Mapping[str, Any]) -> Verified:
    """An answer as botocore reads it, to a request of which nothing is asked here."""
    answer, given = case["response"], case["given"]
    http, name = given.get("http", {}), given.get("name", "Made")
    target = {"X-Amz-Target": f"{suite['metadata'].get('targetPrefix', '')}.{name}", "Content-Type": FORM}
    body = answer.get("body", "")
    return _held(
        suite,
        case,
        method=http.get("method", "POST"),
        path=HOST + re.sub(r"\{[^}]*\}", "x", http.get("requestUri", "/")),
        headers=target,
        sent=f"Action={name}&Version=made-up".encode(),
        status=answer["status_code"],
        got=body.encode() if body else None,
        answered={"Content-Type": "", **answer.get("headers", {})},
    )


def _of_the_answer(found: Verified) -> list[tuple[str, str]]:
    listed = [(each.rule, each.location.message_pointer or "") for each in found.findings]
    return [each for each in listed if not each[1].startswith("/request")]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_botocore_sends_is_as_promised(protocol: str) -> None:
    for name, suite, case in _suites("input", protocol):
        found = sent(suite, case)
        assert found.operation is not None, name
        assert not found.findings, (name, found.findings)
        assert not found.unjudged, (name, found.unjudged)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_botocore_reads_is_as_promised(protocol: str) -> None:
    for name, suite, case in _suites("output", protocol):
        found = received(suite, case)
        assert found.operation is not None, name
        if "Event Stream" in name:
            assert set(_of_the_answer(found)) <= {("body-unjudged", "/response/body")}, name
            continue
        assert _of_the_answer(found) == WRONG_IN_THE_SUITE.get(name, []), name
        assert not found.unjudged, (name, found.unjudged)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_half_a_body_is_not_as_promised(protocol: str) -> None:
    """The suites' answers are looked into: none of JSON or XML is still good when its second half is lost."""
    judged = 0
    for name, suite, case in _suites("output", protocol):
        whole = case["response"].get("body", "").strip()
        if not whole.startswith(("{", "<")) or not _answered(suite, case, "\x00") or "Event Stream" in name:
            continue  # nothing that is looked into is promised of it
        if "<KVP>" in whole:
            continue  # in capitals it may be what a redactor left
        assert _answered(suite, case, whole[: len(whole) // 2]), name
        judged += 1
    assert judged >= LEAST[protocol]


def _answered(suite: Mapping[str, Any], case: Mapping[str, Any], body: str) -> list[tuple[str, str]]:
    """What is found where another body was answered."""
    return _of_the_answer(received(suite, {**case, "response": {**case["response"], "body": body}}))


def _recorded(kind: str) -> Iterator[tuple[str, Path]]:
    """Answers that botocore was shown, by service and operation."""
    for path in sorted(folder(f"conformance/botocore-response-parsing/{kind}").iterdir()):
        if path.suffix == ".xml":
            yield path.stem, path


def test_answers_of_other_services_are_as_promised() -> None:
    """Those of the query and rest-xml services; each model is the installed one."""
    judged = 0
    for place, status in (("xml/responses", 200), ("xml/errors", 400)):
        for name, path in _recorded(place):
            service, _, operation = name.partition("-")
            data, _ = installed.service_model(service)
            if json.loads(data)["metadata"]["protocol"] not in PROTOCOLS:
                continue
            contract = adapters.parse(data, name=service, source=service)
            known = {each.id.lower(): each for each in contract.operations}
            asked = known.get(operation.replace("-", ""))
            if asked is None:  # the service has left it behind
                continue
            found = _answer(contract, asked, status, path.read_bytes())
            assert _of_the_answer(found) == OF_ANOTHER_TIME.get(name, []), name
            judged += 1
    assert judged > 15


def _answer(contract: Contract, asked: Operation, status: int, body: bytes) -> Verified:
    query = "&".join(f"{s.name}={s.value or 'x'}" for s in asked.selectors if s.place == "query")
    form = "&".join(f"{s.name}={s.value}" for s in asked.selectors if s.place == "form")
    path = re.sub(r"\{[^}]*\}", "x", asked.path)
    return verify(
        interaction(
            method=asked.method,
            path=f"{HOST}{path}?{query}",
            sent=form.encode(),
            headers={"Content-Type": FORM},
            status=status,
            got=body,
            answered={"Content-Type": "text/xml"},
        ),
        bench(contract),
    )
