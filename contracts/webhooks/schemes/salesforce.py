"""Salesforce outbound messages: nothing is signed; the organisation's id in the message is all there is to compare.

Sources: https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging.htm (WSDL,
notifications, the acknowledgement); aspnet/AspNetWebHooks `SalesforceSoapWebHookReceiver` (15 characters compared).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from typing import NoReturn
from xml.parsers import expat

from contracts.webhooks.records import Answer, Delivery, Keys, Refusal
from contracts.webhooks.schemes.base import Ask, Proof, Refused, same, wanted

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_NAMESPACE = "http://soap.sforce.com/2005/09/outbound"
_TYPE = "http://www.w3.org/2001/XMLSchema-instance type"
_HEAD = ("Envelope", "Body", "notifications")
_ORGANIZATION = re.compile(rb"(<OrganizationId>)[^<]*(</OrganizationId>)")
_COMPARED = 15  # characters that name the organisation; three more are a check sum
_MAX_DEPTH = 64
ACKNOWLEDGEMENT = (
    f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{_SOAP}"><soapenv:Body>'
    f'<notificationsResponse xmlns="{_NAMESPACE}"><Ack>true</Ack></notificationsResponse>'
    "</soapenv:Body></soapenv:Envelope>"
)


def check(ask: Ask) -> Proof:
    """The first 15 characters of the ids are compared. A 200 without the acknowledgement counts as a failure."""
    organization = wanted(ask.keys.organization_id, "the organisation's id")
    seen = _read(ask.delivery.body)
    if not seen.organizations or not seen.actions or not all(seen.actions):
        raise Refused(Refusal.BODY_MALFORMED, "OrganizationId or ActionId is missing")
    if len(seen.organizations) > 1:
        raise Refused(Refusal.SIGNATURE_DUPLICATED, "OrganizationId stands more than once")
    came = seen.organizations[0]
    if not same(came[:_COMPARED], organization[:_COMPARED]) or len(came) not in {15, 18}:
        raise Refused(Refusal.ORGANIZATION_MISMATCH, "sent by another organisation")
    if not seen.ids:
        raise Refused(Refusal.BODY_MALFORMED, "the message holds no Notification with an Id")
    answer = Answer(headers=(("Content-Type", "text/xml; charset=utf-8"),), body=ACKNOWLEDGEMENT.encode())
    types = tuple(name.rpartition(":")[2] for name in seen.types)
    return Proof().but(event_ids=tuple(seen.ids), event_types=types, answer=answer)


def sign(delivery: Delivery, keys: Keys, *_: object) -> Delivery:
    """The delivery with the organisation's id in its place; the body itself is all that names the sender."""
    if keys.organization_id is None:
        return delivery
    own = rf"\g<1>{escape(keys.organization_id)}\g<2>".encode()
    return delivery.with_body(_ORGANIZATION.sub(own, delivery.body, count=1))


@dataclass
class _Seen:
    """What was read so far. `path`: local names from the root; `text`: of the element that is open."""

    path: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    organizations: list[str] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        known = local in _HEAD and namespace == (_NAMESPACE if local == "notifications" else _SOAP)
        self.path.append(local if known or namespace == _NAMESPACE else f"{{{namespace}}}{local}")
        self.text.clear()
        if len(self.path) > _MAX_DEPTH:
            raise ValueError("nested too deeply")
        if self.path[3:] == ["Notification", "sObject"] and _TYPE in attributes:
            self.types.append(attributes[_TYPE])

    def end(self, _name: str) -> None:
        places = {
            ("OrganizationId",): self.organizations,
            ("ActionId",): self.actions,
            ("Notification", "Id"): self.ids,
        }
        place = places.get(tuple(self.path[3:]))
        if place is not None and tuple(self.path[:3]) == _HEAD:
            place.append("".join(self.text).strip())
        self.path.pop()
        self.text.clear()


def _no_doctype(*_: object) -> NoReturn:
    raise ValueError("a document type is refused")


def _read(body: bytes) -> _Seen:
    """What the message says, or a refusal. A document type (entities) is refused before it is read."""
    seen = _Seen()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.StartElementHandler = seen.start
    parser.EndElementHandler = seen.end
    parser.CharacterDataHandler = seen.text.append
    try:
        parser.Parse(body, True)  # noqa: FBT003 - expat's own signature
    except (expat.ExpatError, ValueError, LookupError):
        raise Refused(Refusal.BODY_MALFORMED, "the body is no XML that can be read") from None
    return seen
