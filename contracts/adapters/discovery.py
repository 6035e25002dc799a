"""Google's discovery documents as a contract."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from contracts.adapters.common import Built, Reader, hosts_of
from contracts.contract import Answer, Body, Media, Operation, Parameter, SecurityScheme, Selector
from contracts.pointers import join

_PLACE = re.compile(r"\{([^{}]*)\}")
_SIGN_IN = "google"
_MAX_DEPTH = 12


def recognises(document: Mapping[str, Any]) -> bool:
    """Whether it calls itself a discovery document."""
    return document.get("kind") == "discovery#restDescription" or "discoveryVersion" in document


def build(document: dict[str, Any]) -> Built:
    """Everything that it promises."""
    reader = _Reader(document)
    reader.add_hosts(hosts_of(str(document.get("rootUrl", ""))))
    _point(document.get("schemas"))
    return Built(
        title=str(document.get("title", "")),
        version=str(document.get("revision") or document.get("version", "")),
        dialect="discovery",
        format="google discovery",
        operations=tuple(reader.operations()),
        hosts=reader.hosts,
        schemes={_SIGN_IN: SecurityScheme(name=_SIGN_IN, kind="header", field="Authorization")},
    )


def _point(schemas: Any) -> None:
    """References are names of schemas: make pointers of them."""
    stack = [schemas]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            name = node.get("$ref")
            if isinstance(name, str) and not name.startswith("#"):
                node["$ref"] = f"#/schemas/{name}"
            stack += node.values()
        elif isinstance(node, list):
            stack += node


class _Reader(Reader):
    def operations(self) -> Iterator[Operation]:
        """The methods, with those of every resource below."""
        _point(self.document.get("resources"))
        _point(self.document.get("methods"))
        yield from self._of(self.document, "", _MAX_DEPTH)

    def _of(self, node: Mapping[str, Any], at: str, left: int) -> Iterator[Operation]:
        methods, resources = node.get("methods"), node.get("resources")
        for name, method in methods.items() if isinstance(methods, Mapping) else ():
            if isinstance(method, Mapping):
                yield from self._method(method, join(at, "methods", name))
        for name, inner in resources.items() if isinstance(resources, Mapping) and left > 0 else ():
            if isinstance(inner, Mapping):
                yield from self._of(inner, join(at, "resources", name), left - 1)

    def _method(self, node: Mapping[str, Any], at: str) -> Iterator[Operation]:
        service = f"/{str(self.document.get('servicePath', '')).strip('/')}".rstrip("/")
        path = str(node.get("path", ""))
        yield self._operation(node, at, path, (service,))
        upload = node.get("mediaUpload")
        listed = upload.get("protocols") if isinstance(upload, Mapping) else None
        protocols: Mapping[str, Any] = listed if isinstance(listed, Mapping) else {}
        for name, protocol in protocols.items():
            if name == "simple" and isinstance(protocol, Mapping) and isinstance(protocol.get("path"), str):
                plain = self._upload(node, at, protocol["path"])
                yield plain
                if "resumable" in protocols:
                    yield _continued(plain)
        if node.get("supportsMediaDownload") is True and node.get("useMediaDownloadService") is True:
            yield self._operation(node, at, path, (f"/download{service}",))

    def _operation(self, node: Mapping[str, Any], at: str, path: str, bases: tuple[str, ...]) -> Operation:
        template = "/" + path.lstrip("/")
        greedy = {place.lstrip("+") for place in _PLACE.findall(template) if place.startswith("+")}
        template = template.replace("{+", "{")
        request, response = node.get("request"), node.get("response")
        answers = [Answer(status="2XX", pointer=at, media=self._media(response, join(at, "response"), node))]
        answers += [Answer(status=status, pointer=at) for status in ("3XX", "4XX", "5XX")]
        return Operation(
            id=str(node.get("id", at)),
            method=str(node.get("httpMethod", "GET")).upper(),
            path=template,
            pointer=at,
            bases=bases,
            parameters=tuple(self._parameters(node, at, greedy)),
            body=Body(
                pointer=join(at, "request"),
                required=False,
                media=self._media(request, join(at, "request"), {}),
            )
            if isinstance(request, Mapping)
            else None,
            answers=tuple(answers),
            security=((_SIGN_IN,),) if node.get("scopes") else (),
            deprecated=node.get("deprecated") is True,
        )

    def _upload(self, node: Mapping[str, Any], at: str, path: str) -> Operation:
        """An upload takes any bytes, and answers as the method does or, when resumable, with nothing."""
        plain = self._operation(node, at, path, ("",))
        anything = Media(media_type="*/*", pointer=at, schema=None)
        fields = {name: getattr(plain, name) for name in plain.__slots__}
        more = (*plain.parameters, Parameter(name="upload_id", place="query", pointer=at, schema=None))
        return Operation(
            **fields | {"body": Body(pointer=at, required=False, media=(anything,)), "parameters": more}
        )

    def _media(self, node: Any, at: str, method: Mapping[str, Any]) -> tuple[Media, ...]:
        found = []
        if isinstance(node, Mapping) and "$ref" in node:
            found.append(Media(media_type="application/json", pointer=at, schema=at))
        if method.get("supportsMediaDownload") is True or "mediaUpload" in method:
            found.append(Media(media_type="*/*", pointer=at, schema=None))
        return tuple(found)

    def _parameters(self, node: Mapping[str, Any], at: str, greedy: set[str]) -> Iterator[Parameter]:
        for base, listed in (
            ("/parameters", self.document.get("parameters")),
            (join(at, "parameters"), node.get("parameters")),
        ):
            for name, each in listed.items() if isinstance(listed, Mapping) else ():
                if isinstance(each, Mapping):
                    place = "path" if each.get("location") == "path" else "query"
                    where = join(base, name)
                    yield Parameter(
                        name=str(name),
                        place=place,
                        pointer=where,
                        schema=None if each.get("repeated") is True else where,
                        required=each.get("required") is True,
                        style="form" if place == "query" else "simple",
                        explode=True,
                        deprecated=each.get("deprecated") is True,
                        greedy=name in greedy,
                    )


def _continued(upload: Operation) -> Operation:
    """The bytes of a resumable upload, sent to the address that its start was answered with.

    cloud.google.com/storage/docs/resumable-uploads: PUT, and `upload_id` in the query. The document says of it
    only that it is supported. What else stands in that address is the service's own.
    """
    return replace(
        upload,
        method="PUT",
        parameters=tuple(replace(each, required=each.place == "path") for each in upload.parameters),
        selectors=(Selector(place="query", name="upload_id"),),
    )
