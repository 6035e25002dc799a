"""What only a sequence of requests shows: by the contract's links, and by those that are worked out from it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from contracts.fuzz.engine import Fuzzed, Wish, fuzz
from contracts.fuzz.events import MAX_ROUNDS
from contracts.fuzz.report import Setting, report_of
from contracts.fuzz.turns import prepared
from interlock.output import CaseState, exit_status
from interlock.records import Severity
from tests.contracts.fuzz import shops, stores
from tests.contracts.fuzz.stores import Store
from tests.contracts.verify.made import NOW

CREATED, LOOK = "POST /items", "GET /items/{id}"
FROM_BODY = {"id": "$response.body#/id"}


def linked(**links: Any) -> dict[str, Any]:
    """The store's document, where what is created leads to what is named so."""
    document = copy.deepcopy(stores.DOCUMENT)
    document["paths"]["/items"]["post"]["responses"]["201"]["links"] = links
    return document


def fuzzed(store: Store, document: dict[str, Any] | None = None, **about: Any) -> Fuzzed:
    """A store, asked a little."""
    with stores.served(store) as url:
        wish = Wish(url=url, seed=7, max_examples=6, **about)
        return fuzz(shops.contract(document or stores.DOCUMENT), wish)


def test_a_store_that_keeps_and_forgets_as_it_must_has_no_fault() -> None:
    found = fuzzed(Store())
    assert found.faults == ()
    assert found.sequences is not None
    assert (found.sequences.asked, found.sequences.trouble) == (6, None)


def test_what_is_still_there_after_it_was_deleted_is_found_with_all_the_requests_that_show_it() -> None:
    found = fuzzed(Store(keeps=True)).faults
    assert [(each.check.rule, each.operation.name) for each in found] == [("fuzz-deleted-still-there", LOOK)]
    created, deleted, looked = found[0].curl.split(" && ")
    assert "-X POST" in created
    assert "-X DELETE" in deleted
    assert "-X GET" in looked
    assert deleted.split()[4] == looked.split()[4]  # the address is the same


def test_what_is_not_there_though_it_was_created_is_found() -> None:
    found = fuzzed(Store(loses=True)).faults
    assert {each.check.rule for each in found} == {"fuzz-created-not-there"}
    assert {each.check.severity for each in found} == {Severity.WARNING}


def test_without_steps_there_are_no_sequences() -> None:
    found = fuzzed(Store(keeps=True), steps=0)
    assert (found.faults, found.sequences) == ((), None)


def test_a_sequence_has_no_more_steps_than_it_may() -> None:
    short = fuzzed(Store(keeps=True), steps=2)
    assert short.faults == ()  # to create, delete and look takes three
    assert short.sequences is not None


def test_links_lead_where_an_operation_is_now_and_those_that_lead_nowhere_are_left_out() -> None:
    document = linked(
        look={"operationId": "look", "parameters": FROM_BODY},
        drop={"operationRef": "#/paths/~1items~1%7Bid%7D/delete", "parameters": FROM_BODY},
        apart={"$ref": "#/components/links/Apart"},
        gone={"operationId": "nobody", "parameters": FROM_BODY},
        elsewhere={"operationRef": "https://other.example/openapi.json#/paths/~1x/get"},
        nothing={"$ref": "#/components/links/Nothing"},
    )
    document["components"] = {"links": {"Apart": {"operationId": "look", "parameters": FROM_BODY}}}
    (turn,) = prepared(shops.contract(document), "http://127.0.0.1:1").turns
    made = turn.document()
    links = made["paths"]["/v1/items"]["post"]["responses"]["201"]["links"]
    assert list(links) == ["look", "drop", "apart"]
    assert links["drop"]["operationRef"] == "#/paths/~1v1~1items~1{id}/delete"
    found = fuzzed(Store(keeps=True), document)
    assert [each.check.rule for each in found.faults] == ["fuzz-deleted-still-there"]


def test_links_that_cannot_be_followed_leave_the_sequences_unproven() -> None:
    found = fuzzed(
        Store(), linked(look={"operationId": "look", "parameters": {"none": "$response.body#/id"}})
    )
    assert found.sequences is not None
    assert "invalid link definitions" in (found.sequences.trouble or "")
    assert found.finished == {each.name for each in found.operations}
    with stores.served(Store()) as url:
        about = Setting(
            name="store",
            contract=shops.contract(stores.DOCUMENT),
            wish=Wish(url=url, seed=7),
            now=NOW,
            fail_on=Severity.ERROR,
        )
    report = report_of(found, about)
    assert report.cases[-1].state is CaseState.UNPROVEN
    assert "3 of 3 operations" in report.closing
    assert exit_status(report) == 3


def test_names_and_links_that_are_none_are_no_links() -> None:
    document = linked(look={"operationId": ["look"], "parameters": FROM_BODY}, also=[1])
    document["paths"]["/items"]["post"]["operationId"] = {"no": "name"}
    document["paths"]["/items/{id}"]["get"]["responses"]["200"]["links"] = [1]
    found = fuzzed(Store(keeps=True), document)
    assert found.stopped is None
    assert found.finished == {each.name for each in found.operations}


def test_a_server_with_many_faults_comes_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    class Varied(Store):
        """Answers a status of its own to each, which nobody promised."""

        def asked(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
            status, content = super().asked(method, path, body)
            return (460 + len(self.items) % 100 if method == "GET" and status == 200 else status), content

    found = fuzzed(Varied())
    assert found.stopped is None
    assert found.sequences is not None
    assert found.sequences.trouble is not None
    assert f"each of {MAX_ROUNDS} rounds" in found.sequences.trouble
    assert found.sequences.asked <= MAX_ROUNDS * 6


def test_the_same_seed_asks_the_same_sequences() -> None:
    first, second = fuzzed(Store(keeps=True)), fuzzed(Store(keeps=True))
    assert first.answered == second.answered
