"""Payloads of every event type of a contract: its example, and what schemathesis makes of its schema."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from typing import Any

from contracts.contract import Contract, Event, Media
from contracts.pointers import follow
from contracts.webhooks.drill import places
from contracts.webhooks.drill.profiles import TOKEN_TYPE, Profile, compose
from contracts.webhooks.drill.records import EventPayloads

_SIGNED = frozenset(
    {"iss", "aud", "iat"}
)  # claims that are the receiver's own, whatever the contract's example says
PER_TYPE = 2  # made from the schema, beside the example


def of(contract: Contract, profile: Profile, *, per_type: int = PER_TYPE) -> tuple[EventPayloads, ...]:
    """The payloads of each event type, by its name. The same for the same contract."""
    with _elsewhere():
        found = [_of(contract, event, profile, per_type) for event in contract.events.values()]
    return tuple(each for each in found if each is not None)


@contextlib.contextmanager
def _elsewhere() -> Iterator[None]:
    """Hypothesis keeps what it learns of the program in a folder: not in the working directory of who runs this."""
    from hypothesis.configuration import set_hypothesis_home_dir  # noqa: PLC0415 - slow to import

    with tempfile.TemporaryDirectory(prefix="interlock-") as folder:
        set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            set_hypothesis_home_dir(None)


def _of(contract: Contract, event: Event, profile: Profile, per_type: int) -> EventPayloads | None:
    if not event.media:
        return None
    media = event.media[0]
    told = follow(contract.document, media.pointer).get("example")
    drawn = made(contract, media, per_type) if media.schema and not isinstance(told, str) else ()
    example = None if told is None else _carried(profile, told)
    documents = tuple(each for each in (_carried(profile, one) for one in drawn) if each is not None)
    if example is None and not documents:
        return None
    kind = _kind(profile, event, documents[0] if example is None else example)
    return EventPayloads(event.type, kind, example, documents)


def _kind(profile: Profile, event: Event, example: Any) -> str | None:
    """What stands at the type's place: the contract's name in a header; in a body, what the example has."""
    if profile.type_at is None or profile.type_at.startswith("header:"):
        return event.type
    try:
        return places.get(compose(profile, example, "1", None, "", make=True), profile.type_at)
    except (LookupError, TypeError, ValueError):
        return None


def _carried(profile: Profile, document: Any) -> Any:
    """As it is delivered: within an SNS message, as the one member of a list, as text in a form, as claims to sign.

    None for a message of SNS that is no notification: a confirmation would have the receiver fetch an address.
    """
    if profile.tamper_at == "/Message":
        return _message(profile, document)
    if profile.content_type == TOKEN_TYPE and isinstance(document, dict):
        return {name: value for name, value in document.items() if name not in _SIGNED}
    if (profile.id_at or "").startswith("/0/") and isinstance(document, dict):
        return [document]
    if profile.content_type == places.FORM_TYPE and isinstance(document, dict):
        return {
            name: value if isinstance(value, str) else json.dumps(value) for name, value in document.items()
        }
    return document


def _message(profile: Profile, document: Any) -> Any:
    """For the receiver's own topic, whatever the contract's example says."""
    if not isinstance(document, dict) or "Message" not in document:
        return profile.document | {"Message": json.dumps(document)}
    if document.get("Type") != "Notification":
        return None
    return document | {"TopicArn": profile.document["TopicArn"]}


def made(contract: Contract, media: Media, count: int) -> tuple[Any, ...]:
    """Documents that the schema allows, by schemathesis; none where it cannot make any of it."""
    import schemathesis  # noqa: PLC0415 - slow to import
    from hypothesis import HealthCheck, Phase, given, settings  # noqa: PLC0415
    from hypothesis.errors import HypothesisException  # noqa: PLC0415

    found: list[Any] = []
    try:
        strategy = schemathesis.openapi.from_dict(_as_call(contract, media))["/"]["POST"].as_strategy()

        @settings(
            max_examples=count, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(strategy)
        def draw(case: schemathesis.Case[Any]) -> None:
            found.append(case.body)

        draw()
    except (HypothesisException, schemathesis.errors.SchemathesisError, ValueError, LookupError):
        return ()
    return tuple(each for each in found if "\\u0000" not in json.dumps(each))  # which no provider sends


def _as_call(contract: Contract, media: Media) -> dict[str, Any]:
    """A document whose one call has the event as its body: what generates knows calls alone."""
    schema = follow(contract.document, media.schema or "")
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {
        "openapi": contract.document.get("openapi", "3.1.0"),
        "info": {"title": contract.title, "version": "1"},
        "paths": {"/": {"post": {"requestBody": body, "responses": {"200": {"description": "taken"}}}}},
        "components": contract.document.get("components", {}),
    }
