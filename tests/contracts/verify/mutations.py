"""Valid interactions made from contracts, and each of them made wrong at one place that is known: drawn by a seed."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

import yaml

from contracts import adapters
from contracts.contract import Answer, Contract, Media, Operation, Parameter
from contracts.shelf import LIBRARY_FOLDER
from interlock.records import Interaction, Message, Source
from tests.contracts.verify.generated import Schemas, Unmade, pointer_of, spoilt
from tests.contracts.verify.warehouse import FORM, HOST, JSON, MULTIPART, WAREHOUSE

BOUNDARY = "made-up"
SEED = 20261125
KINDS = ("drop", "type", "enum", "unknown", "media-type", "status", "truncated")
_TEXTUAL = frozenset({FORM, MULTIPART})
_UNPROMISED = (418, 299, 599, 226)
_NOTHING: Any = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One exchange before it is written down. `sent`, `got`: bodies as values.

    `given`: values by place and parameter; `unknown`: query fields that no parameter names; `cut`: which of
    request and response breaks off.
    """

    operation: Operation
    given: Mapping[str, Mapping[str, Any]]
    unknown: Mapping[str, str]
    takes: str | None
    sent: Any
    status: int
    gives: str | None
    got: Any
    cut: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """An interaction that is wrong at one place. `where`: request, response, form or parameter; `pointer`: the place.

    `under`: whether it stands below `anyOf` or `oneOf`; `control`: the same, unspoilt.
    """

    document: str
    kind: str
    where: str
    under: bool
    pointer: str
    operation: Operation
    interaction: Interaction
    control: Interaction

    @property
    def side(self) -> str:
        """Request or response."""
        return self.pointer.split("/")[1]


# -- documents -------------------------------------------------------------------------------------------


def drawn(
    name: str, document: dict[str, Any], *, operations: int, times: int = 1
) -> tuple[Maker, list[Mutation]]:
    """Mutations of some operations of a document, of each so many interactions; the same from run to run."""
    maker = Maker(name, strict(document), SEED)
    listed = maker.operations()
    chosen = maker.rng.sample(listed, min(operations, len(listed)))
    return maker, [each for operation in chosen for _ in range(times) for each in maker.mutations(operation)]


def library() -> Iterator[tuple[str, dict[str, Any]]]:
    """The documents of our library, and one that has what they lack."""
    for path in sorted(LIBRARY_FOLDER.glob("*/openapi.yaml")):
        yield path.parent.name, yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    yield "warehouse", copy.deepcopy(WAREHOUSE)


def strict(document: dict[str, Any]) -> dict[str, Any]:
    """The same without its answers for every other status, so that there are undocumented ones."""
    for item in document["paths"].values():
        for operation in item.values():
            answers = operation.get("responses", {}) if isinstance(operation, dict) else {}
            if len(answers) > 1:
                answers.pop("default", None)
    return document


def contract_of(name: str, document: dict[str, Any]) -> Contract:
    """A document as a contract."""
    return adapters.parse(json.dumps(document).encode(), name=name, source=f"{name}.json")


# -- valid interactions ----------------------------------------------------------------------------------


class Maker:
    """Makes interactions of one contract, and mutations of them. The same seed makes the same."""

    def __init__(self, name: str, document: dict[str, Any], seed: int) -> None:
        self.contract = contract_of(name, document)
        self.rng = random.Random(f"{seed} {name}")
        self.schemas = Schemas(document, self.rng)

    def operations(self) -> list[Operation]:
        """Those that can be asked without a finding."""
        return [each for each in self.contract.operations if not each.deprecated]

    def mutations(self, operation: Operation, *, most: int = 3) -> Iterator[Mutation]:
        """An interaction with an operation, wrong in one way after the other; at most so many of one kind and place."""
        groups: dict[tuple[str, str, bool], list[tuple[str, Draft]]] = {}
        try:
            draft = self.draft(operation)
            for kind, where, under, pointer, spoilt_draft in self._spoilt(draft):
                groups.setdefault((kind, where, under), []).append((pointer, spoilt_draft))
        except Unmade:
            return
        control = self.interaction(draft)
        for (kind, where, under), found in groups.items():
            for pointer, each in self.rng.sample(found, min(most, len(found))):
                yield Mutation(
                    document=self.contract.name, kind=kind, where=where, under=under, pointer=pointer,
                    operation=operation, interaction=self.interaction(each), control=control,
                )  # fmt: skip

    def draft(self, operation: Operation) -> Draft:
        """An exchange in which every promise is kept. Raises `Unmade`."""
        places: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}, "cookie": {}}
        for parameter in operation.parameters:
            if parameter.required or (not parameter.deprecated and self.rng.random() < 0.5):
                if parameter.schema is None or not _is_writable(parameter):
                    if parameter.required:
                        raise Unmade(parameter.name)
                    continue
                places[parameter.place][parameter.name] = self.schemas.value(parameter.schema, textual=True)
        unknown = {}
        for selector in operation.selectors:
            if selector.place == "query":
                unknown[selector.name] = selector.value or "oak"
        takes, sent = self._sent(operation)
        status, gives, got = self._got(operation)
        return Draft(
            operation=operation, given=places, unknown=unknown, takes=takes, sent=sent, status=status, gives=gives,
            got=got,
        )  # fmt: skip

    def _sent(self, operation: Operation) -> tuple[str | None, Any]:
        if operation.body is None:
            return None, _NOTHING
        media = next(
            (m for m in operation.body.media if m.media_type in {JSON, *_TEXTUAL} and m.schema), None
        )
        if media is None or media.schema is None:
            raise Unmade(operation.name)
        sent = self.schemas.value(media.schema, textual=media.media_type in _TEXTUAL, without="readOnly")
        fixed = {s.name: s.value for s in operation.selectors if s.place == "form" and s.value is not None}
        if media.media_type in _TEXTUAL and not sent | fixed:
            return None, _NOTHING
        return media.media_type, sent | fixed if fixed else sent

    def _got(self, operation: Operation) -> tuple[int, str | None, Any]:
        answers = [each for each in operation.answers if each.status != "default"]
        if not answers:
            raise Unmade(operation.name)
        good = [each for each in answers if each.status[0] == "2"] or answers
        answer = self.rng.choice(good if self.rng.random() < 0.7 else answers)
        status = int(answer.status.replace("XX", "00"))
        media = _json(answer)
        if media is None or media.schema is None:
            return status, None, _NOTHING
        return status, media.media_type, self.schemas.value(media.schema, without="writeOnly")

    # -- spoilt ----------------------------------------------------------------------------------------------

    def _spoilt(self, draft: Draft) -> Iterator[tuple[str, str, bool, str, Draft]]:
        """Kind, where, whether under anyOf, pointer, and the draft that is wrong there."""
        yield from self._spoilt_parameters(draft)
        yield from self._spoilt_request(draft)
        yield from self._spoilt_response(draft)

    def _spoilt_parameters(self, draft: Draft) -> Iterator[tuple[str, str, bool, str, Draft]]:
        for parameter in draft.operation.parameters:
            given = draft.given[parameter.place]
            if parameter.name not in given or parameter.schema is None:
                continue
            name = parameter.name.lower() if parameter.place == "header" else parameter.name
            base = f"/request/{parameter.place}{pointer_of((name,))}"
            if parameter.required and parameter.place != "path":
                rest = {k: v for k, v in given.items() if k != parameter.name}
                yield (
                    "drop",
                    "parameter",
                    False,
                    base,
                    replace(draft, given={**draft.given, parameter.place: rest}),
                )
            for site in self.schemas.sites(given[parameter.name], parameter.schema, textual=True):
                if site.kind == "unknown" or (parameter.place == "path" and site.kind == "drop"):
                    continue
                changed = {**given, parameter.name: spoilt(given[parameter.name], site)}
                yield (
                    site.kind,
                    "parameter",
                    site.under,
                    base + site.place,
                    replace(draft, given={**draft.given, parameter.place: changed}),
                )
        if not any(
            p.place == "query" and p.schema and _takes_any_name(p, self.schemas)
            for p in draft.operation.parameters
        ):
            unknown = {**draft.unknown, "zz_unknown": "oak"}
            yield "unknown", "parameter", False, "/request/query/zz_unknown", replace(draft, unknown=unknown)

    def _spoilt_request(self, draft: Draft) -> Iterator[tuple[str, str, bool, str, Draft]]:
        if draft.sent is _NOTHING or draft.operation.body is None:
            return
        media = next(m for m in draft.operation.body.media if m.media_type == draft.takes)
        assert media.schema is not None
        textual = media.media_type in _TEXTUAL
        fixed = {(each.name,) for each in draft.operation.selectors}
        for site in self.schemas.sites(draft.sent, media.schema, textual=textual):
            if site.at[:1] not in fixed and site.at:
                yield (
                    site.kind,
                    "form" if textual else "request",
                    site.under,
                    f"/request/body{site.place}",
                    (replace(draft, sent=spoilt(draft.sent, site))),
                )
        if not any("*" in m.media_type for m in draft.operation.body.media):
            yield (
                "media-type",
                "request",
                False,
                "/request/header/content-type",
                replace(draft, takes="text/csv"),
            )
        if not textual:
            yield "truncated", "request", False, "/request/body", replace(draft, cut=frozenset({"request"}))

    def _spoilt_response(self, draft: Draft) -> Iterator[tuple[str, str, bool, str, Draft]]:
        answers = {each.status: each for each in draft.operation.answers}
        unpromised = [
            code for code in _UNPROMISED if not answers.keys() & {str(code), f"{code // 100}XX", "default"}
        ]
        for code in unpromised:
            yield "status", "response", False, "/response/status", replace(draft, status=code)
        answer = answers.get(str(draft.status)) or answers.get(f"{draft.status // 100}XX")
        if draft.got is _NOTHING or answer is None:
            return
        media = _json(answer)
        assert media is not None
        assert media.schema is not None
        for site in self.schemas.sites(draft.got, media.schema):
            yield (
                site.kind,
                "response",
                site.under,
                f"/response/body{site.place}",
                replace(draft, got=spoilt(draft.got, site)),
            )
        if not any("*" in m.media_type for m in answer.media):
            yield (
                "media-type",
                "response",
                False,
                "/response/header/content-type",
                replace(draft, gives="text/csv"),
            )
        if isinstance(draft.got, dict | list):
            yield (
                "truncated",
                "response",
                False,
                "/response/body",
                replace(draft, cut=frozenset({"response"})),
            )

    # -- written -----------------------------------------------------------------------------------------------

    def interaction(self, draft: Draft) -> Interaction:
        """An exchange as a recorder would have it."""
        operation = draft.operation
        path = operation.path
        for name, value in draft.given["path"].items():
            path = path.replace(f"{{{name}}}", quote(_text(value), safe=""))
        base = operation.bases[0].replace("{server}", "v1")
        fields = [pair for p in operation.parameters if p.place == "query" and p.name in draft.given["query"]
                  for pair in _fields(p, draft.given["query"][p.name])]  # fmt: skip
        fields += draft.unknown.items()
        headers = [(name, _text(value)) for name, value in draft.given["header"].items()]
        headers += [(s.name, s.value or "oak") for s in operation.selectors if s.place == "header"]
        fields += self._credentials(operation, headers)
        if draft.given["cookie"]:
            headers.append(("Cookie", "; ".join(f"{k}={_text(v)}" for k, v in draft.given["cookie"].items())))
        body = _written(draft.sent, _sent_as(draft), cut="request" in draft.cut)
        if draft.sent is not _NOTHING:
            headers.append(("Content-Type", _with_boundary(draft.takes)))
        return Interaction(
            source=Source(file="made.json", format="made", index=0, line=1), method=operation.method,
            url=HOST + base + path + (f"?{urlencode(fields)}" if fields else ""),
            request=Message(headers=tuple(headers), body=body, body_state="full"),
            status=draft.status, response=self._response(draft), error=None, http_version=None, recorded_at=None,
            elapsed_seconds=None, origin=None,
        )  # fmt: skip

    def _response(self, draft: Draft) -> Message:
        headers = [] if draft.got is _NOTHING else [("Content-Type", str(draft.gives))]
        for answer in draft.operation.answers:
            if answer.status == str(draft.status):
                headers += [(h.name, "7") for h in answer.headers if h.required]
        return Message(
            headers=tuple(headers),
            body=_written(draft.got, JSON, cut="response" in draft.cut),
            body_state="full",
        )

    def _credentials(self, operation: Operation, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        fields = []
        for name in operation.security[0] if operation.security else ():
            scheme = self.contract.schemes[name]
            if scheme.kind == "header":
                headers.append((scheme.field, f"{scheme.prefix}[redacted]"))
            elif scheme.kind == "query":
                fields.append((scheme.field, "[redacted]"))
        return fields


def _sent_as(draft: Draft) -> str:
    """How the body is written, whatever its header says."""
    if draft.takes in {JSON, *_TEXTUAL} or draft.operation.body is None:
        return str(draft.takes)
    return next(m.media_type for m in draft.operation.body.media if m.media_type in {JSON, *_TEXTUAL})


def _with_boundary(takes: str | None) -> str:
    return f"{takes}; boundary={BOUNDARY}" if takes == MULTIPART else str(takes)


def _json(answer: Answer) -> Media | None:
    return next(
        (m for m in answer.media if m.schema and m.media_type.partition(";")[0].endswith("json")), None
    )


def _takes_any_name(parameter: Parameter, schemas: Schemas) -> bool:
    assert parameter.schema is not None
    schema, _ = schemas.behind(parameter.schema)
    return parameter.style == "form" and parameter.explode and schema.get("type") == "object"


def _is_writable(parameter: Parameter) -> bool:
    return parameter.media_type is None and parameter.style in {"simple", "form", "deepObject"}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(map(_text, value))
    if isinstance(value, dict):
        return ",".join(f"{k},{_text(v)}" for k, v in value.items())
    return str(value)


def _fields(parameter: Parameter, value: Any) -> list[tuple[str, str]]:
    if parameter.style == "deepObject" and isinstance(value, dict | list):
        return list(_bracketed(parameter.name, value))
    if isinstance(value, list) and parameter.explode:
        return [(parameter.name, _text(each)) for each in value]
    return [(parameter.name, _text(value))]


def _bracketed(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """As clients write what is nested: `a[b][0][c]`, texts of a list as `a[]`."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _bracketed(f"{name}[{key}]" if name else key, each)
    elif isinstance(value, list):
        plain = not any(isinstance(each, dict | list) for each in value)
        for index, each in enumerate(value):
            yield from _bracketed(f"{name}[{'' if plain else index}]", each)
    else:
        yield name, _text(value)


def _written(value: Any, media_type: str, *, cut: bool) -> bytes:
    if value is _NOTHING:
        return b""
    if media_type == FORM:
        return urlencode(list(_bracketed("", value))).encode()
    if media_type == MULTIPART:
        parts = [
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
            for name, text in _bracketed("", value)
        ]
        return "".join([*parts, f"--{BOUNDARY}--\r\n"]).encode()
    whole = json.dumps(value).encode()
    return whole[: max(1, len(whole) // 2)] if cut else whole
