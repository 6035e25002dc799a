"""Two documents of one provider, of four megabytes each: compared whole, with every change at its place."""

from __future__ import annotations

from contracts import adapters
from contracts.drift import compare
from contracts.pointers import MISSING, follow
from tests.contracts.drift.made import TODAY
from tests.corpus import folder


def test_two_versions_of_a_large_document() -> None:
    """What is known of them: `GET /v1/skus` and 50 others are gone, and every pointer leads somewhere."""
    specs = folder("specs/stripe")
    one = adapters.load(specs / "2022-04-12" / "spec3.json")
    two = adapters.load(specs / "2023-09-12" / "spec3.yaml")
    found = compare(one, two, today=TODAY)
    assert (found.operations, found.gone, found.new, found.unjudged) == (366, 51, 102, ())
    assert found.schemas < 10_000  # each pair once, though every operation leads to most of them
    assert "GET /v1/skus is gone" in {each.subject for each in found.findings}
    for each in found.findings:
        where = each.location
        assert (
            where.contract_pointer is None or follow(one.document, where.contract_pointer) is not MISSING
        ), each
        assert where.message_pointer is None or follow(two.document, where.message_pointer) is not MISSING, (
            each
        )
    assert compare(two, two, today=TODAY).findings == ()
