"""OpenAPI 3.0 and 3.1 as a contract."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from contracts.adapters.common import (
    METHODS,
    Built,
    Reader,
    holds_slashes,
    hosts_of,
    split_query,
    undefined_schemes,
)
from contracts.adapters.servers import base_path, urls_of
from contracts.contract import Answer, Body, Event, Media, Operation, Parameter, SecurityScheme, Selector
from contracts.pointers import follow, join

_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
# Marks of our own library: a parameter that tells operations apart, query parameters that belong to operations which
# are left out, and the variable of a server's host that stands for the first step of the path.
_TELLS, _TELLING, _FIRST_STEP = "x-interlock-tells", "x-interlock-telling", "x-interlock-first-step"
_IGNORED = frozenset(
    {"accept", "content-type", "authorization"}
)  # OpenAPI: parameters of these names do not count


def recognises(document: Mapping[str, Any]) -> bool:
    """Whether it calls itself OpenAPI 3."""
    return str(document.get("openapi", "")).startswith("3.")


def build(document: dict[str, Any]) -> Built:
    """Everything that it promises."""
    reader = _Reader(document)
    servers = reader.servers(document.get("servers"))
    info = document.get("info")
    about: Mapping[str, Any] = info if isinstance(info, Mapping) else {}
    operations, schemes = tuple(reader.operations(servers)), reader.schemes()
    return Built(
        title=str(about.get("title", "")),
        version=str(about.get("version", "")),
        dialect="openapi",
        format=f"openapi {'3.0' if str(document['openapi']).startswith('3.0') else '3.1'}",
        operations=operations,
        hosts=reader.hosts,
        virtual_hosts=tuple(reader.virtual_hosts),
        telling=tuple(map(str, listed)) if isinstance(listed := document.get(_TELLING), list) else (),
        events=reader.events(),
        schemes=schemes,
        notes=(*reader.notes, *undefined_schemes(document, operations, schemes)),
    )


def incoming(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Operation]]:
    """What the provider asks of us: `webhook` or `callback`, its name, and the operation that we answer."""
    reader = _Reader(dict(document))
    for section in ("webhooks", "x-webhooks"):
        yield from (("webhook", *each) for each in reader.asked(document.get(section), f"/{section}"))
    for operation in reader.operations(("",)):
        node = follow(document, operation.pointer)
        yield from (
            ("callback", f"{operation.name} {name}", each)
            for name, each in reader.called_back(node.get("callbacks"), join(operation.pointer, "callbacks"))
        )


class _Reader(Reader):
    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(document)
        self.virtual_hosts: dict[str, None] = {}

    def asked(self, listed: Any, at: str) -> Iterator[tuple[str, Operation]]:
        """The operations of path items by the names of these; the method is told where it is not POST."""
        for name, item in listed.items() if isinstance(listed, Mapping) else ():
            for each in self._of_path(str(name), item, at, ("",)):
                yield (str(name) if each.method == "POST" else f"{each.method} {name}"), each

    def called_back(self, listed: Any, at: str) -> Iterator[tuple[str, Operation]]:
        """The operations of an operation's callbacks."""
        for name, given in listed.items() if isinstance(listed, Mapping) else ():
            item, where = self.resolve(given, join(at, name))
            yield from ((f"{name} {asked}", each) for asked, each in self.asked(item, where))

    def servers(self, listed: Any) -> tuple[str, ...]:
        """The base paths; hosts are gathered on the way."""
        bases: dict[str, None] = {}
        for server in listed if isinstance(listed, list) else []:
            if isinstance(server, Mapping) and isinstance(server.get("url"), str):
                url, urls = server["url"], tuple(urls_of(server))
                self.add_hosts(host for each in (url, *urls) for host in hosts_of(each))
                self.virtual_hosts.update(dict.fromkeys(_first_steps(url, server.get(_FIRST_STEP))))
                bases |= dict.fromkeys(map(base_path, urls))
        return tuple(bases) or ("",)

    def operations(self, servers: tuple[str, ...]) -> Iterator[Operation]:
        for name in ("paths", "x-ms-paths"):
            paths = self.document.get(name)
            for path, item in paths.items() if isinstance(paths, Mapping) else ():
                yield from self._of_path(str(path), item, f"/{name}", servers)

    def _of_path(self, path: str, item: Any, base: str, servers: tuple[str, ...]) -> Iterator[Operation]:
        item, at = self.resolve(item, join(base, path))
        if not isinstance(item, Mapping):
            return
        own = self.servers(item["servers"]) if "servers" in item else servers
        shared = list(self._parameters(item.get("parameters"), join(at, "parameters")))
        for method in METHODS:
            if isinstance(operation := item.get(method), Mapping):
                yield self._operation(path, method, operation, join(at, method), shared, own)

    def _operation(
        self,
        path: str,
        method: str,
        node: Mapping[str, Any],
        at: str,
        shared: list[Parameter],
        servers: tuple[str, ...],
    ) -> Operation:
        own = {(p.name, p.place): p for p in shared}
        own |= {
            (p.name, p.place): p for p in self._parameters(node.get("parameters"), join(at, "parameters"))
        }
        template, selectors = split_query("/" if path.startswith("/#") else path)
        telling = {key: told for key, each in own.items() if (told := self._telling(each)) is not None}
        selectors += (*_after_hash(path, method), *telling.values())
        return Operation(
            id=str(node.get("operationId") or f"{method.upper()} {path}"),
            method=method.upper(),
            path=template,
            pointer=at,
            bases=self.servers(node["servers"]) if "servers" in node else servers,
            parameters=tuple(each for key, each in own.items() if key not in telling),
            body=self._body(node.get("requestBody"), join(at, "requestBody")),
            answers=tuple(self._answers(node.get("responses"), join(at, "responses"))),
            security=self.security(node.get("security", self.document.get("security"))),
            deprecated=node.get("deprecated") is True,
            selectors=selectors,
        )

    def _telling(self, parameter: Parameter) -> Selector | None:
        """What a parameter that our library marks asks for: by it operations of one path are told apart."""
        node = follow(self.document, parameter.pointer)
        if not isinstance(node, Mapping) or node.get(_TELLS) is not True:
            return None
        schema = node.get("schema")
        value = schema.get("const") if isinstance(schema, Mapping) else None
        return Selector(
            place=parameter.place, name=parameter.name, value=None if value is None else str(value)
        )

    def _parameters(self, listed: Any, at: str) -> Iterator[Parameter]:
        for index, given in enumerate(listed if isinstance(listed, list) else []):
            node, where = self.resolve(given, join(at, index))
            if (
                isinstance(node, Mapping)
                and isinstance(node.get("name"), str)
                and str(node.get("in")) in _STYLES
            ):
                if node["in"] == "header" and node["name"].lower() in _IGNORED:
                    continue
                yield self._parameter(node, where, node["name"], node["in"])

    def _parameter(self, node: Mapping[str, Any], at: str, name: str, place: str) -> Parameter:
        said = node.get("style")
        style = said if isinstance(said, str) else _STYLES[place]
        content = node.get("content")
        media, schema = None, join(at, "schema") if "schema" in node else None
        if isinstance(content, Mapping) and content:
            media = str(next(iter(content)))
            inside = content[media]
            schema = (
                join(at, "content", media, "schema")
                if isinstance(inside, Mapping) and "schema" in inside
                else None
            )
        return Parameter(
            name=name,
            place=place,
            pointer=at,
            schema=schema,
            required=node.get("required") is True or place == "path",
            style=style,
            explode=node["explode"] if isinstance(node.get("explode"), bool) else style == "form",
            media_type=media,
            deprecated=node.get("deprecated") is True,
            greedy=place == "path" and holds_slashes(node, node.get("schema"), self.document),
        )

    def _body(self, node: Any, at: str) -> Body | None:
        node, at = self.resolve(node, at)
        if not isinstance(node, Mapping):
            return None
        media = tuple(self._media(node.get("content"), join(at, "content")))
        return Body(pointer=at, required=node.get("required") is True, media=media)

    def _media(self, content: Any, at: str) -> Iterator[Media]:
        for name, given in content.items() if isinstance(content, Mapping) else ():
            node, where = self.resolve(given, join(at, name))
            inside = node if isinstance(node, Mapping) else {}
            yield Media(
                media_type=str(name).strip(),
                pointer=where,
                schema=join(where, "schema") if "schema" in inside else None,
                parts=_parts(inside.get("encoding")),
            )

    def _answers(self, responses: Any, at: str) -> Iterator[Answer]:
        for status, given in responses.items() if isinstance(responses, Mapping) else ():
            if str(status).startswith("x-"):
                continue
            node, where = self.resolve(given, join(at, status))
            inside = node if isinstance(node, Mapping) else {}
            yield Answer(
                status=str(status).upper() if str(status) != "default" else "default",
                pointer=where,
                media=tuple(self._media(inside.get("content"), join(where, "content"))),
                headers=tuple(self._headers(inside.get("headers"), join(where, "headers"))),
            )

    def _headers(self, headers: Any, at: str) -> Iterator[Parameter]:
        for name, given in headers.items() if isinstance(headers, Mapping) else ():
            node, where = self.resolve(given, join(at, name))
            if isinstance(node, Mapping) and str(name).lower() != "content-type":
                yield self._parameter(node, where, str(name), "header")

    def schemes(self) -> dict[str, SecurityScheme]:
        """Where each security scheme puts its credential."""
        components = self.document.get("components")
        listed = components.get("securitySchemes") if isinstance(components, Mapping) else None
        found = {}
        for name, given in listed.items() if isinstance(listed, Mapping) else ():
            node, _ = self.resolve(given, join("/components/securitySchemes", name))
            if isinstance(node, Mapping):
                found[str(name)] = _scheme(str(name), node)
        return found

    def events(self) -> dict[str, Event]:
        """The `webhooks` section: what a delivery of each event type holds."""
        found = {}
        for section in ("webhooks", "x-webhooks"):
            listed = self.document.get(section)
            for name, given in listed.items() if isinstance(listed, Mapping) else ():
                item, at = self.resolve(given, join(f"/{section}", name))
                post = item.get("post") if isinstance(item, Mapping) else None
                body = (
                    self._body(post.get("requestBody"), join(at, "post", "requestBody"))
                    if isinstance(post, Mapping)
                    else None
                )
                if body is not None:
                    found[str(name)] = Event(type=str(name), pointer=join(at, "post"), media=body.media)
        return found


def _scheme(name: str, node: Mapping[str, Any]) -> SecurityScheme:
    kind, place = str(node.get("type")), str(node.get("in"))
    if kind == "apiKey" and place in {"header", "query", "cookie"}:
        return SecurityScheme(name=name, kind=str(place), field=str(node.get("name", "")))
    if kind == "http":
        return SecurityScheme(
            name=name, kind="header", field="Authorization", prefix=f"{str(node.get('scheme', '')).lower()} "
        )
    if kind in {"oauth2", "openIdConnect"}:
        return SecurityScheme(name=name, kind="header", field="Authorization")
    return SecurityScheme(name=name, kind="other")


def _parts(encoding: Any) -> dict[str, str]:
    listed = encoding.items() if isinstance(encoding, Mapping) else ()
    return {
        str(name): node["contentType"]
        for name, node in listed
        if isinstance(node, Mapping) and isinstance(node.get("contentType"), str)
    }


def _after_hash(path: str, method: str) -> Iterator[Selector]:
    """`/#X-Amz-Target=NAME` and `/#Action=NAME`: so are services of AWS's described that have one path alone."""
    name, equals, value = path.partition("#")[2].partition("=")
    if equals and path.startswith("/#"):
        place = "header" if name.lower().startswith("x-") else "form" if method == "post" else "query"
        yield Selector(place=place, name=name, value=value)


def _first_steps(url: str, variable: Any) -> Iterator[str]:
    """The patterns of a host with a group for the variable that stands for the first step of the path."""
    if isinstance(variable, str) and f"{{{variable}}}" in url:
        marked = url.replace(f"{{{variable}}}", "interlock-step", 1)
        yield from (
            each.replace(re.escape("interlock-step"), "(?P<step>[^/]+?)", 1) for each in hosts_of(marked)
        )
