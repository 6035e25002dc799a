"""A planted fault is found, at its place and with the request that shows it; a right server has none."""

from __future__ import annotations

import itertools
import json
import shlex
import signal
from typing import Any

import pytest

from contracts import adapters
from contracts.fuzz.engine import Fuzzed, Wish, fuzz, refused
from contracts.fuzz.halt import Halt
from contracts.fuzz.turns import prepared
from interlock.errors import UsageError
from tests.contracts.fuzz import shops

ITEMS, ITEM = "GET /items", "GET /items/{id}"


def fuzzed(shop: shops.Shop, **about: Any) -> Fuzzed:
    """A shop, fuzzed a little, by single requests."""
    served = {name: about.pop(name) for name in ("token", "odd") if name in about}
    with shops.served(shop, **served) as (url, _):
        return fuzz(shops.contract(), Wish(url=url, seed=7, max_examples=8, steps=0, **about))


def test_a_server_that_keeps_its_contract_has_no_fault() -> None:
    found = fuzzed(shops.right)
    assert found.faults == ()
    assert found.stopped is None
    assert found.finished == {ITEMS, ITEM}
    assert found.requests == sum(sum(each.values()) for each in found.answered.values()) > 20
    assert found.answered[ITEMS].keys() == {200, 400}


@pytest.mark.parametrize(
    ("shop", "faults"),
    [
        (
            shops.fails_on_odd_input,
            {("fuzz-server-error", ITEMS, "/response/status"), ("fuzz-status", ITEMS, "/response/status")},
        ),
        (shops.forgets_the_name, {("fuzz-body", ITEMS, "/response/body/0")}),
        (shops.answers_202, {("fuzz-status", ITEM, "/response/status")}),
        (
            shops.speaks_text,
            {("fuzz-media-type", name, "/response/header/content-type") for name in (ITEMS, ITEM)},
        ),
    ],
)
def test_each_planted_fault_is_found_where_it_is(shop: shops.Shop, faults: set[tuple[str, str, str]]) -> None:
    found = fuzzed(shop).faults
    assert {(each.check.rule, each.operation.name, each.message_pointer) for each in found} == faults
    assert all(shlex.split(each.curl)[4].startswith("http://127.0.0.1:") for each in found)


@pytest.mark.parametrize(
    ("silence", "stopped"), [(shops.SILENCE, None), (shops.GONE, "the server answered no more")]
)
def test_a_request_that_gets_no_answer_is_a_fault(silence: shops.Reply, stopped: str | None) -> None:
    def falls(path: str, query: dict[str, str]) -> shops.Reply:
        return silence if "limit" in query and query["limit"] != "1" else shops.right(path, query)

    found = fuzzed(falls)
    silent = [each for each in found.faults if each.check.rule == "fuzz-no-answer"]
    fault = next(each for each in silent if each.operation.name == ITEMS)
    assert fault.seen == "Remote end closed connection without response"
    assert "/v1/items?limit=" in fault.curl
    assert found.stopped == stopped


def test_the_same_seed_asks_the_same() -> None:
    came = []
    for _ in range(2):
        with shops.served(shops.right) as (url, paths):
            fuzz(shops.contract(), Wish(url=url, seed=3, max_examples=8, steps=0))
        came.append(paths)
    assert came[0] == came[1]
    assert all(path.startswith(("/v1/items", "/")) for path in came[0])


def test_headers_are_sent_and_stay_out_of_what_is_told() -> None:
    headers = {"Authorization": f"Bearer {shops.TOKEN}"}
    found = fuzzed(shops.forgets_the_name, headers=headers, token=shops.TOKEN)
    assert [each.check.rule for each in found.faults] == ["fuzz-body"]
    assert shops.TOKEN not in repr(found)
    without = fuzzed(shops.forgets_the_name, token=shops.TOKEN)
    assert without.faults == ()
    assert all(refused(each) for each in without.answered.values())


def test_strict_wants_wrong_requests_refused() -> None:
    def takes_all(path: str, query: dict[str, str]) -> shops.Reply:
        return shops.right(path, {})

    assert fuzzed(takes_all).faults == ()
    assert {each.check.rule for each in fuzzed(takes_all, strict=True).faults} >= {"fuzz-takes-wrong"}


def test_other_methods_are_a_matter_of_strictness() -> None:
    assert fuzzed(shops.right, odd=501).faults == ()
    rules = {
        odd: {each.check.rule for each in fuzzed(shops.right, odd=odd, strict=True).faults}
        for odd in (204, 405)
    }
    assert "fuzz-method" in rules[204]
    assert "fuzz-method" not in rules[405]


def test_what_ends_it_early_is_said_and_what_was_found_is_kept() -> None:
    turns, halt = itertools.count(), Halt()

    def interrupt() -> None:
        if next(turns) >= 2:  # the examples of both operations, of which there are none, and one covered
            halt.take(signal.SIGINT)  # more than once

    with shops.served(shops.forgets_the_name) as (url, _):
        found = fuzz(shops.contract(), Wish(url=url, seed=7, max_examples=8), interrupt, halt)
        late = fuzz(shops.contract(), Wish(url=url, seed=7, max_examples=8, seconds=0.0))
    assert found.stopped == "it was interrupted"
    assert late.stopped == "the time was up"
    assert found.finished == late.finished == frozenset()
    assert found.requests > 0
    assert [each.check.rule for each in found.faults] == ["fuzz-body"]


def test_a_server_that_falls_silent_is_no_pass() -> None:
    with shops.served(shops.right) as (url, _):
        pass
    found = fuzz(shops.contract(), Wish(url=url, seed=7, max_examples=8))
    assert (found.requests, found.faults, found.finished) == (0, (), frozenset())
    assert found.troubles.keys() == {ITEMS, ITEM}


# -- what is told to schemathesis ------------------------------------------------------------------------


def test_swagger_is_taken_and_other_formats_are_refused() -> None:
    swagger = {
        "swagger": "2.0",
        "info": {"title": "Old", "version": "1"},
        "host": "old.example",
        "basePath": "/v1",
        "paths": {
            "/items": {
                "get": {
                    "produces": [shops.JSON],
                    "responses": {
                        "200": {"description": "", "schema": {"type": "array", "items": shops.ITEM}}
                    },
                }
            }
        },
    }
    with shops.served(shops.forgets_the_name) as (url, _):
        found = fuzz(shops.contract(swagger), Wish(url=url, seed=7, max_examples=4, steps=0))
    assert ("fuzz-body", "/response/body/0") in {
        (each.check.rule, each.message_pointer) for each in found.faults
    }
    discovery = {"kind": "discovery#restDescription", "name": "x", "version": "v1", "resources": {}}
    other = adapters.parse(json.dumps(discovery).encode(), name="x", source="x.json")
    with pytest.raises(UsageError, match="cannot be fuzzed"):
        prepared(other, "http://127.0.0.1:1")
