"""The providers' own examples against their own documents: nothing is found, or it is true and listed with its reason.

docs/known-deviations.md says why each of the counted findings is true. That they are is said by somebody else's
validator, too: it refuses every example in which we find a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contracts import adapters
from contracts.contract import Contract
from contracts.engine import RESPONSE, Engine
from contracts.explain import explain
from tests.contracts.verify import own_examples
from tests.contracts.verify.generated import Oracle
from tests.corpus import folder

Examples = Callable[[Contract], Iterator[tuple[str, Any]]]


def inside(contract: Contract) -> Iterator[tuple[str, Any]]:
    """The examples that stand in the document."""
    return own_examples.inside(contract.document)


def fixtures(contract: Contract) -> Iterator[tuple[str, Any]]:
    """Stripe's fixtures, of 2026."""
    return own_examples.stripe(contract, folder("specs/stripe/head") / "fixtures3.json")


def payloads(contract: Contract) -> Iterator[tuple[str, Any]]:
    """GitHub's payloads, of 2019 to 2022 for the most part."""
    return own_examples.github(contract, folder("webhooks/github/payloads"))


@pytest.mark.parametrize(
    ("document", "examples", "count", "faulty"),
    [
        ("square/api.json", inside, 601, 27),
        ("paypal/checkout_orders_v2.json", inside, 6, 0),
        ("paypal/notifications_webhooks_v1.json", inside, 5, 0),
        ("paypal/payments_payment_v2.json", inside, 5, 0),
        ("stripe/2022-04-12/spec3.json", fixtures, 106, 19),
        ("stripe/2023-09-12/spec3.yaml", fixtures, 136, 16),
        ("github/webhooks.api.github.com.json", payloads, 171, 69),
    ],
)
def test_findings_in_own_examples_are_true(
    document: str, examples: Examples, count: int, faulty: int
) -> None:
    contract = adapters.load(folder("specs") / document)
    engine, other = Engine(contract), Oracle(contract.document)
    pairs = list(examples(contract))
    side = engine.side(RESPONSE)
    side._validator = side._compile([at for at, _ in pairs])  # all at once: one by one takes half a minute
    wrong = [(at, value) for at, value in pairs if not engine.valid(at, value, RESPONSE)]
    assert [at for at, value in wrong if other.fits(at, value)] == []
    assert all(explain(engine, contract, at, value, RESPONSE) for at, value in wrong)
    assert (len(pairs), len(wrong)) == (count, faulty)
