"""Swagger 2.0 as a contract, Azure's `x-ms-paths` and `x-ms-parameterized-host` with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from contracts.adapters.common import (
    METHODS,
    Built,
    Reader,
    holds_slashes,
    hosts_of,
    split_query,
    told_apart,
    undefined_schemes,
)
from contracts.contract import FORM_NODE, Answer, Body, Media, Operation, Parameter, SecurityScheme, Selector
from contracts.pointers import follow, join

_STYLES = {"csv": "simple", "ssv": "spaceDelimited", "tsv": "tsv", "pipes": "pipeDelimited", "multi": "form"}
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_SECTIONS = ("paths", "x-ms-paths")


def recognises(document: Mapping[str, Any]) -> bool:
    """Whether it calls itself Swagger 2."""
    return str(document.get("swagger", "")).startswith("2.")


def build(document: dict[str, Any]) -> Built:
    """Everything that it promises."""
    reader = _Reader(document)
    info = document.get("info")
    about: Mapping[str, Any] = info if isinstance(info, Mapping) else {}
    reader.find_hosts()
    operations, schemes = tuple(told_apart(reader.operations())), reader.schemes()
    return Built(
        title=str(about.get("title", "")),
        version=str(about.get("version", "")),
        dialect="swagger",
        format="swagger 2.0",
        operations=operations,
        hosts=reader.hosts,
        schemes=schemes,
        notes=(*reader.notes, *undefined_schemes(document, operations, schemes)),
    )


class _Reader(Reader):
    def find_hosts(self) -> None:
        host, azure = self.document.get("host"), self.document.get("x-ms-parameterized-host")
        if isinstance(host, str):
            self.add_hosts(hosts_of(f"//{host}"))
        if isinstance(azure, Mapping) and isinstance(azure.get("hostTemplate"), str):
            self.add_hosts(hosts_of(f"//{azure['hostTemplate'].partition('//')[2] or azure['hostTemplate']}"))

    def operations(self) -> Iterator[Operation]:
        base = self.document.get("basePath")
        bases = (base.rstrip("/") if isinstance(base, str) else "",)
        for section in _SECTIONS:
            paths = self.document.get(section)
            for path, given in paths.items() if isinstance(paths, Mapping) else ():
                item, at = self.resolve(given, join(f"/{section}", path))
                if not isinstance(item, Mapping):
                    continue
                shared = list(self._listed(item.get("parameters"), join(at, "parameters")))
                for method in METHODS:
                    if isinstance(node := item.get(method), Mapping):
                        yield self._operation(str(path), method, node, join(at, method), shared, bases)

    def _listed(self, listed: Any, at: str) -> Iterator[tuple[Mapping[str, Any], str]]:
        for index, given in enumerate(listed if isinstance(listed, list) else []):
            node, where = self.resolve(given, join(at, index))
            if isinstance(node, Mapping) and isinstance(node.get("name"), str):
                yield node, where

    def _operation(
        self,
        path: str,
        method: str,
        node: Mapping[str, Any],
        at: str,
        shared: list[tuple[Mapping[str, Any], str]],
        bases: tuple[str, ...],
    ) -> Operation:
        given = {(p["name"], str(p.get("in"))): (p, w) for p, w in shared}
        given |= {
            (p["name"], str(p.get("in"))): (p, w)
            for p, w in self._listed(node.get("parameters"), join(at, "parameters"))
        }
        template, selectors = split_query(path)
        fixed = {each.name for each in selectors}
        selectors += tuple(_fixed_values(p for p, _ in given.values() if p["name"] not in fixed))
        return Operation(
            id=str(node.get("operationId") or f"{method.upper()} {path}"),
            method=method.upper(),
            path=template,
            pointer=at,
            bases=bases,
            parameters=tuple(
                _parameter(p, w, self.document)
                for p, w in given.values()
                if _is_plain(p) and p["name"] not in fixed
            ),
            body=self._body(node, at, list(given.values())),
            answers=tuple(self._answers(node, join(at, "responses"))),
            security=self.security(node.get("security", self.document.get("security"))),
            deprecated=node.get("deprecated") is True,
            selectors=selectors,
        )

    def _types(self, node: Mapping[str, Any], name: str) -> list[str]:
        listed = node.get(name, self.document.get(name))
        return [str(each) for each in listed] if isinstance(listed, list) else []

    def _body(
        self, node: Mapping[str, Any], at: str, given: list[tuple[Mapping[str, Any], str]]
    ) -> Body | None:
        consumes = self._types(node, "consumes")
        for parameter, where in given:
            if parameter.get("in") == "body":
                schema = join(where, "schema") if "schema" in parameter else None
                types = (
                    ["*/*"] if self._is_file(parameter.get("schema")) else consumes or ["application/json"]
                )
                media = tuple(Media(media_type=each, pointer=where, schema=schema) for each in types)
                return Body(pointer=where, required=parameter.get("required") is True, media=media)
        fields = [(p, w) for p, w in given if p.get("in") == "formData"]
        if not fields:
            return None
        # A form's fields are parameters of their own: the schema of the whole is made of them, and kept beside them.
        where = join(at, FORM_NODE)
        follow(self.document, at)[FORM_NODE] = _form(fields)
        forms = [each for each in consumes if each.lower().startswith(_FORMS)] or list(_FORMS)
        required = any(p.get("required") is True for p, _ in fields)
        return Body(
            pointer=join(at, "parameters"),
            required=required,
            media=tuple(
                Media(media_type=each, pointer=where, schema=join(where, "schema")) for each in forms
            ),
        )

    def _is_file(self, schema: Any) -> bool:
        """Whether a body is bytes, of whatever media type."""
        found, _ = self.resolve(schema, "")
        return isinstance(found, Mapping) and "file" in (found.get("type"), found.get("format"))

    def _answers(self, node: Mapping[str, Any], at: str) -> Iterator[Answer]:
        responses = node.get("responses")
        produces = self._types(node, "produces") or ["application/json"]
        for status, given in responses.items() if isinstance(responses, Mapping) else ():
            if str(status).startswith("x-"):
                continue
            answer, where = self.resolve(given, join(at, status))
            inside = answer if isinstance(answer, Mapping) else {}
            schema = join(where, "schema") if "schema" in inside else None
            types = ["*/*"] if self._is_file(inside.get("schema")) else produces
            media = (
                tuple(Media(media_type=each, pointer=where, schema=schema) for each in types)
                if schema
                else ()
            )
            headers = inside.get("headers")
            yield Answer(
                status=str(status).upper() if str(status) != "default" else "default",
                pointer=where,
                media=media,
                headers=tuple(
                    Parameter(
                        name=str(name), place="header", pointer=place, schema=place, style=_style(header)
                    )
                    for name, header in (headers.items() if isinstance(headers, Mapping) else ())
                    for place in (join(where, "headers", name),)
                    if isinstance(header, Mapping)
                ),
            )

    def schemes(self) -> dict[str, SecurityScheme]:
        """Where each security definition puts its credential."""
        listed = self.document.get("securityDefinitions")
        found = {}
        for name, node in listed.items() if isinstance(listed, Mapping) else ():
            kind = str(node.get("type")) if isinstance(node, Mapping) else ""
            if kind == "apiKey" and str(node.get("in")) in {"header", "query"}:
                found[str(name)] = SecurityScheme(
                    name=str(name), kind=node["in"], field=str(node.get("name", ""))
                )
            elif kind in {"basic", "oauth2"}:
                prefix = "basic " if kind == "basic" else ""
                found[str(name)] = SecurityScheme(
                    name=str(name), kind="header", field="Authorization", prefix=prefix
                )
            else:
                found[str(name)] = SecurityScheme(name=str(name), kind="other")
        return found


def _is_plain(node: Mapping[str, Any]) -> bool:
    ignored = node.get("in") == "header" and node["name"].lower() in {
        "accept",
        "content-type",
        "authorization",
    }
    return str(node.get("in")) in {"path", "query", "header"} and not ignored and not _is_host(node)


def _fixed_values(nodes: Iterable[Mapping[str, Any]]) -> Iterator[Selector]:
    """Required parameters that have one value alone tell operations of one path from each other."""
    for node in nodes:
        values = node.get("enum")
        if not isinstance(values, list) or len(values) != 1 or node.get("required") is not True:
            continue
        if str(node.get("in")) in {"query", "header"} and "version" not in node["name"].lower():
            yield Selector(place=node["in"], name=node["name"], value=str(values[0]))


def _is_host(node: Mapping[str, Any]) -> bool:
    """Azure writes the account's address as a parameter in the path; it is no part of a request."""
    return node.get("x-ms-skip-url-encoding") is True and node.get("in") == "path"


def _parameter(node: Mapping[str, Any], at: str, document: Mapping[str, Any]) -> Parameter:
    style = _style(node)
    return Parameter(
        name=node["name"],
        place=node["in"],
        pointer=at,
        schema=at,
        required=node.get("required") is True or node["in"] == "path",
        style=style,
        explode=style == "form",
        greedy=node["in"] == "path" and holds_slashes(node, node, document),
    )


def _style(node: Mapping[str, Any]) -> str:
    return _STYLES.get(str(node.get("collectionFormat", "csv")), "simple")


def _field(parameter: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a form's field. A file is bytes."""
    schema = {name: said for name, said in parameter.items() if name != "required"}
    return schema | ({"type": "string", "format": "binary"} if schema.get("type") == "file" else {})


def _form(fields: list[tuple[Mapping[str, Any], str]]) -> dict[str, Any]:
    """The whole of a form, as OpenAPI 3 has it: its schema, and how its lists are written; and where each field is."""
    lists = [p for p, _ in fields if p.get("type") == "array"]
    return {
        "schema": {
            "type": "object",
            "properties": {p["name"]: _field(p) for p, _ in fields},
            "required": [p["name"] for p, _ in fields if p.get("required") is True],
        },
        "encoding": {p["name"]: {"style": _style(p), "explode": _style(p) == "form"} for p in lists},
        "fields": {p["name"]: where for p, where in fields},
    }
