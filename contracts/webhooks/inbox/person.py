"""Which deliveries are about a person: those that hold a text that names them, in any spelling. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from contracts.webhooks.records import Delivery
from interlock.errors import UsageError
from interlock.redaction import spellings

SHORTEST = 4  # a shorter text would be found in half of all deliveries


def holds(texts: Sequence[str]) -> Callable[[Delivery], bool]:
    """Whether a delivery holds one of the texts, without regard to case. Raises `UsageError` for one too short."""
    if not texts:
        raise UsageError("name at least one text by which the person is known")
    if any(len(text) < SHORTEST for text in texts):
        raise UsageError(f"a text needs at least {SHORTEST} characters, or it is found everywhere")
    sought = {
        spelled.casefold().encode("utf-8", "surrogatepass")
        for text in texts
        for spelled in spellings(text) | spellings(text.casefold())
    }

    def wanted(delivery: Delivery) -> bool:
        lines = (delivery.url, *(value for _, value in delivery.headers))
        head = "\n".join(lines).casefold().encode("utf-8", "surrogatepass")
        body = delivery.body.decode("utf-8", "surrogateescape").casefold().encode("utf-8", "surrogateescape")
        return any(text in body or text in head for text in sought)

    return wanted
