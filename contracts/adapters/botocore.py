"""botocore's service models as a contract: rest-xml, rest-json, json and query.

The shapes of a model become JSON Schemas where they stand: `/shapes/Tag/properties/Key` is the member `Key` of
the shape `Tag`, under the name that it has on the wire. How a value is written as XML or as fields of a form is
said by OpenAPI's `xml` beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from contracts.adapters import aws_hosts, aws_shapes
from contracts.adapters.aws_shapes import Shapes, mapping, wire_name
from contracts.adapters.common import Built, Reader
from contracts.contract import Answer, Body, Media, Operation, Parameter, SecurityScheme, Selector
from contracts.media import FORM
from contracts.pointers import join
from interlock.errors import UsageError

PROTOCOLS = ("rest-xml", "rest-json", "json", "query")
# The frames in which events come one after the other (botocore, serialize.py and eventstream.py).
EVENT_STREAM = "application/vnd.amazon.eventstream"
_PLACES = {"uri": "path", "querystring": "query", "header": "header"}
# What a signed URL carries, and the SDKs' name of the operation.
_SIGNED = (
    "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature",
    "X-Amz-Security-Token", "X-Amz-Content-Sha256", "x-id",
)  # fmt: skip
_SIGNED_BEFORE = ("AWSAccessKeyId", "Signature", "Expires")
_READS = frozenset({"GET", "HEAD"})
_SCHEMES = {
    "sigv4": SecurityScheme(name="sigv4", kind="header", field="Authorization"),
    "sigv4-query": SecurityScheme(name="sigv4-query", kind="query", field="X-Amz-Signature"),
}


def recognises(document: Mapping[str, Any]) -> bool:
    """Whether it is a service model."""
    metadata = document.get("metadata")
    parts = (metadata, document.get("operations"), document.get("shapes"))
    return (
        all(isinstance(part, Mapping) for part in parts)
        and isinstance(metadata, Mapping)
        and isinstance(metadata.get("protocol"), str)
    )


def build(document: dict[str, Any]) -> Built:
    """Everything that it promises. Raises `UsageError` for a protocol that is not read."""
    about = document["metadata"]
    reader = _Reader(document, _protocol(about))
    operations = tuple(reader.operations())
    prefix = str(about.get("endpointPrefix", ""))
    buckets = any(p.place == "path" and p.name == "Bucket" for each in operations for p in each.parameters)
    return Built(
        title=str(about.get("serviceFullName", "")),
        version=str(about.get("apiVersion", "")),
        dialect="botocore",
        format=f"botocore {reader.protocol}",
        operations=operations,
        hosts=aws_hosts.hosts(prefix),
        virtual_hosts=aws_hosts.BUCKET_HOSTS if prefix == "s3" and buckets else (),
        schemes=_SCHEMES,
        notes=tuple(reader.notes),
        directional=True,
    )


def _protocol(about: Mapping[str, Any]) -> str:
    """The first of its protocols that we read."""
    listed = about.get("protocols")
    named = [about["protocol"], *(listed if isinstance(listed, list) else [])]
    for each in named:
        if each in PROTOCOLS:
            return str(each)
    raise UsageError(
        f"is a service model of the protocol {str(named[0])[:40]!r}, which is not read",
        hint=f"read are {', '.join(PROTOCOLS)}",
    )


class _Reader(Reader):
    def __init__(self, document: dict[str, Any], protocol: str) -> None:
        super().__init__(document)
        self.protocol = protocol
        self.about: Mapping[str, Any] = document["metadata"]
        self.shapes = Shapes(document, protocol, self.notes)
        self.shapes.rewrite()
        self._errors = self._error_schema()

    def operations(self) -> Iterator[Operation]:
        """Those of one method and path are told apart by what each alone requires."""
        found = [
            self._operation(str(name), node)
            for name, node in self.document["operations"].items()
            if isinstance(node, Mapping)
        ]
        same = Counter(_place(each) for each in found)
        required: Counter[tuple[object, Selector]] = Counter()
        for each in found:
            required.update((_place(each), selector) for selector in _needed(each))
        for each in found:
            place = _place(each)
            own = tuple(s for s in _needed(each) if same[place] > required[place, s])
            yield replace(each, selectors=(*each.selectors, *own))

    def _operation(self, name: str, node: Mapping[str, Any]) -> Operation:
        at = join("/operations", name)
        http = mapping(node.get("http"))
        path, _, query = str(http.get("requestUri") or "/").partition("?")
        selectors = tuple(_fixed(query)) + self._named(name)
        method = str(http.get("method") or "POST").upper()
        parameters = (*self._parameters(node, path), *self._signature())
        return Operation(
            id=name,
            method=method,
            path=path or "/",
            pointer=at,
            parameters=parameters,
            body=self._body(node, at),
            answers=tuple(self._answers(node, at)),
            security=self._security(node, method, parameters),
            deprecated=node.get("deprecated") is True,
            selectors=selectors,
        )

    def _named(self, name: str) -> tuple[Selector, ...]:
        """Where every operation is asked at one path, its name stands in a header or in the form."""
        if self.protocol == "json":
            target = f"{self.about.get('targetPrefix', '')}.{name}"
            return (Selector(place="header", name="X-Amz-Target", value=target),)
        if self.protocol == "query":
            return (Selector(place="form", name="Action", value=name),)
        return ()

    def _security(
        self, node: Mapping[str, Any], method: str, parameters: tuple[Parameter, ...]
    ) -> tuple[tuple[str, ...], ...]:
        if node.get("authtype") == "none" or node.get("auth") == ["smithy.api#noAuth"]:
            return ()
        ways = tuple((name,) for name in _SCHEMES)
        public = method in _READS and any(p.name == "Bucket" for p in parameters)  # a bucket may be public
        return (*ways, ()) if public else ways

    def _members(self, node: Mapping[str, Any], side: str) -> tuple[str | None, Mapping[str, Any]]:
        """The shape of a side of an operation: its name and its members."""
        name = mapping(node.get(side)).get("shape")
        shape = mapping(self.document["shapes"].get(name)) if isinstance(name, str) else {}
        return (name if shape else None), mapping(shape.get("members"))

    def _parameters(self, node: Mapping[str, Any], path: str) -> Iterator[Parameter]:
        shape, members = self._members(node, "input")
        required = self.shapes.required.get(shape or "", frozenset())
        for name, member in members.items() if shape and self.protocol.startswith("rest") else ():
            place = _PLACES.get(str(mapping(member).get("location")))
            if place is None:
                continue
            wire = wire_name(member, name)
            at = join("/shapes", shape, "members", name)
            is_list = self.shapes.located(member, place)
            yield Parameter(
                name=wire,
                place=place,
                pointer=at,
                schema=at,
                required=name in required or place == "path",
                style="form" if place == "query" else "simple",
                explode=place == "query" or not is_list,
                deprecated=mapping(member).get("deprecated") is True,
                greedy=f"{{{wire}+}}" in path,
            )

    def _signature(self) -> Iterator[Parameter]:
        names = _SIGNED + (_SIGNED_BEFORE if self.about.get("signatureVersion") == "s3" else ())
        for name in names:
            yield Parameter(name=name, place="query", pointer="/metadata/signatureVersion", schema=None)

    def _body(self, node: Mapping[str, Any], at: str) -> Body | None:
        shape, members = self._members(node, "input")
        where = join(at, "input")
        if self.protocol == "query":
            form = self.shapes.keep(at, "x-form", self._form(shape))
            fields = Media(media_type=FORM, pointer=where, schema=form, dotted=True)
            return Body(pointer=where, required=True, media=(fields,))
        if self.protocol == "json":
            whole = self._stream(members, where) or self._json(
                where, join("/shapes", shape) if shape else None
            )
            return Body(pointer=where, required=shape is not None, media=(whole,))
        if shape is None:
            return None
        payload = self._payload(node, "input", shape)
        media = self._rest(shape, members, where, payload)
        if media is None:
            return None
        required = self.shapes.required.get(shape, frozenset())
        unlocated = {n for n, m in members.items() if not mapping(m).get("location")}
        needed = payload in required if payload in members else bool(unlocated & required)
        return Body(pointer=where, required=needed, media=(media,))

    def _form(self, shape: str | None) -> dict[str, Any]:
        """The fields of an operation, with its name and its version."""
        own = mapping(self.document["shapes"].get(shape)) if shape else {}
        version = str(self.about.get("apiVersion", ""))
        fixed = {"Action": {"type": "string"}, "Version": {"type": "string", "enum": [version]}}
        return {
            "type": "object",
            "properties": {**fixed, **mapping(own.get("properties"))},
            "required": ["Action", "Version", *own.get("required", ())],
            aws_shapes.REQUEST: {"additionalProperties": False},
        }

    def _payload(self, node: Mapping[str, Any], side: str, shape: str) -> str:
        """The member that is the whole body, empty for none; older models name it beside the shape."""
        own = self.document["shapes"][shape].get("payload") or mapping(node.get(side)).get("payload")
        return own if isinstance(own, str) else ""

    def _rest(self, shape: str, members: Mapping[str, Any], where: str, payload: str) -> Media | None:
        """The body of a side: its payload, else the members that have no other place; None where it has none."""
        if (stream := self._stream(members, where)) is not None:
            return stream
        if payload in members:
            if self.shapes.refer(members[payload]):
                return self._structured(where, join("/shapes", shape, "members", payload))
            return Media(media_type="*/*", pointer=where, schema=None)
        if any(not mapping(member).get("location") for member in members.values()):
            return self._structured(where, join("/shapes", shape))
        return None

    def _stream(self, members: Mapping[str, Any], where: str) -> Media | None:
        """The body where a member is a stream of events; the others then stand in its first frame, if at all."""
        shapes = self.document["shapes"]
        for member in members.values():
            name = mapping(member).get("shape")
            if isinstance(name, str) and mapping(shapes.get(name)).get("eventstream") is True:
                return Media(media_type=EVENT_STREAM, pointer=where, schema=join("/shapes", name))
        return None

    def _structured(self, where: str, schema: str) -> Media:
        if self.protocol == "rest-xml":
            return Media(media_type="application/xml", pointer=where, schema=schema)
        return self._json(where, schema)

    def _json(self, where: str, schema: str | None) -> Media:
        version = self.about.get("jsonVersion", "1.0")
        name = f"application/x-amz-json-{version}" if self.protocol == "json" else "application/json"
        return Media(media_type=name, pointer=where, schema=schema)

    def _answers(self, node: Mapping[str, Any], at: str) -> Iterator[Answer]:
        shape, members = self._members(node, "output")
        where = join(at, "output") if shape else at
        media: Media | None = None
        if self.protocol == "query":
            media = Media(media_type="text/xml", pointer=where, schema=self._wrapped(node, at, shape))
        elif self.protocol == "json":
            media = self._stream(members, where) or self._json(
                where, join("/shapes", shape) if shape else None
            )
        elif shape:
            payload = self._payload(node, "output", shape)
            self._no_error_within(str(mapping(members.get(payload)).get("shape", shape)))
            media = self._rest(shape, members, where, payload)
        yield Answer(
            status=self._status(node, members),
            pointer=where,
            media=(media,) if media else (),
            headers=tuple(self._headers(shape, members)),
        )
        yield Answer(status="3XX", pointer=at)
        for status in ("4XX", "5XX"):
            yield Answer(status=status, pointer=at, media=(self._errors,))

    def _no_error_within(self, shape: str) -> None:
        """S3 answers 200 before a copy is done, and tells a failure in the body: docs.aws.amazon.com, CopyObject."""
        node = self.document["shapes"].get(shape, {})
        own = mapping(node.get("properties")).keys()
        if self.protocol == "rest-xml" and node.get("type") == "object" and not _TOLD.keys() & own:
            node[aws_shapes.RESPONSE] = {"not": {"required": list(_TOLD)}}

    def _status(self, node: Mapping[str, Any], members: Mapping[str, Any]) -> str:
        """rest-xml names one status where several are meant: a part of an object is answered 206."""
        several = any(mapping(member).get("location") == "statusCode" for member in members.values())
        if self.protocol == "rest-xml" or several:
            return "2XX"
        return str(mapping(node.get("http")).get("responseCode") or 200)

    def _wrapped(self, node: Mapping[str, Any], at: str, shape: str | None) -> str | None:
        """`<SendEmailResponse><SendEmailResult>`: the answer's own shape stands within its wrapper."""
        wrapper = mapping(node.get("output")).get("resultWrapper")
        if shape is None or not isinstance(wrapper, str):
            return join("/shapes", shape) if shape else None
        inner = {"$ref": f"#/shapes/{shape}"}
        made = {"type": "object", "properties": {wrapper: inner}, "required": [wrapper]}
        return self.shapes.keep(at, "x-answer", made)

    def _headers(self, shape: str | None, members: Mapping[str, Any]) -> Iterator[Parameter]:
        for name, member in members.items():
            wire = wire_name(member, name)
            if mapping(member).get("location") != "header" or wire.lower() == "content-type":
                continue
            at = join("/shapes", shape, "members", name)
            is_list = self.shapes.located(member, "header")
            yield Parameter(name=wire, place="header", pointer=at, schema=at, explode=not is_list)

    def _error_schema(self) -> Media:
        if self.protocol in {"json", "rest-json"}:
            told = {name: {"type": ["string", "null"]} for name in ("__type", "message", "Message")}
            where = self.shapes.keep("/metadata", "x-error", {"type": "object", "properties": told})
            return self._json(where, where)
        return Media(
            media_type="application/xml",
            pointer="/metadata",
            schema=self.shapes.keep("/metadata", "x-error", _ERROR_IN_XML),
        )


_TOLD = {"Code": {"type": "string", "minLength": 1}, "Message": {"type": "string"}}
# S3 writes `<Error><Code>`; all others `<ErrorResponse><Error><Code>`.
_ERROR_IN_XML = {
    "type": "object",
    "properties": {**_TOLD, "Error": {"type": "object", "properties": _TOLD, "required": ["Code"]}},
    "anyOf": [{"required": ["Code"]}, {"required": ["Error"]}],
}


def _place(operation: Operation) -> tuple[object, ...]:
    return (operation.method, operation.path, operation.selectors)


def _needed(operation: Operation) -> tuple[Selector, ...]:
    """Required parameters, as something that is there or is not."""
    wanted = (p for p in operation.parameters if p.required and p.place in {"query", "header"})
    return tuple(Selector(place=p.place, name=p.name) for p in wanted)


def _fixed(query: str) -> Iterator[Selector]:
    """`list-type=2`, which must have this value, and `uploads`, which must be there."""
    for pair in query.split("&") if query else ():
        name, equals, value = pair.partition("=")
        yield Selector(place="query", name=name, value=value if equals else None)
