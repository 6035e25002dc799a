"""What a provider promised, as one frozen record, whatever format the promise was written in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from interlock.records import Finding

LIBRARY = "library"
PULLED = "pulled"
FILE = "file"
# In an operation of Swagger 2, what was made of its form's parameters: no user wrote it, and no finding names it.
FORM_NODE = "x-form"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a request, or one header of an answer.

    `place`: path, query, header or cookie. `schema`: JSON pointer of its schema in the document, None where it
    has none. `style`, `explode`: how arrays and objects are written (OpenAPI's words; Swagger's `multi` is form,
    exploded). `media_type`: where the value is a document of its own. `greedy`: a path parameter that may hold
    slashes.
    """

    name: str
    place: str
    pointer: str
    schema: str | None
    required: bool = False
    style: str = "simple"
    explode: bool = False
    media_type: str | None = None
    deprecated: bool = False
    greedy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """One media type of a body. `schema`: pointer of its schema, None where anything goes.

    `parts`: for forms, the media type of a field by its name. `dotted`: the names of a form's fields are steps
    with dots between them, as AWS has them.
    """

    media_type: str
    pointer: str
    schema: str | None
    parts: Mapping[str, str] = field(default_factory=dict)
    dotted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The body of a request: in which media types, and whether it must be there."""

    pointer: str
    required: bool
    media: tuple[Media, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is promised for one status. `status`: `200`, `2XX` or `default`."""

    status: str
    pointer: str
    media: tuple[Media, ...] = ()
    headers: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """What beside method and path tells an operation: a `query` or `form` field or a `header`.

    `value`: what it must be; None where it needs only be there.
    """

    place: str
    name: str
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that can be asked of the provider.

    `path`: template with `{name}` places, below the base path. `bases`: base paths of the servers that hold for
    it. `security`: the alternatives, each the names of the schemes that it needs; empty where none is promised.
    """

    id: str
    method: str
    path: str
    pointer: str
    bases: tuple[str, ...] = ("",)
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    answers: tuple[Answer, ...] = ()
    security: tuple[tuple[str, ...], ...] = ()
    deprecated: bool = False
    selectors: tuple[Selector, ...] = ()

    def answer(self, status: int) -> Answer | None:
        """What is promised for a status: by its number, else by its class, else by `default`; None where nothing is."""
        promised = {each.status: each for each in self.answers}
        return promised.get(str(status)) or promised.get(f"{status // 100}XX") or promised.get("default")

    @property
    def name(self) -> str:
        """As people write it: `GET /v1/charges/{charge}`, `GET /{Bucket}?list-type=2`, `POST / Action=Publish`."""
        said = [(s.place, s.name if s.value is None else f"{s.name}={s.value}") for s in self.selectors]
        query = "&".join(text for place, text in said if place == "query")
        beside = [text for place, text in said if place != "query"]
        return " ".join([f"{self.method} {self.path}{'?' if query else ''}{query}", *beside])


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What is promised of the deliveries of one event type: the media of its request body."""

    type: str
    pointer: str
    media: tuple[Media, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityScheme:
    """How a credential is presented. `kind`: `header`, `query`, `cookie` or `other` (not seen in a request).

    `field`: the name of header, parameter or cookie; `prefix`: what its value begins with, in lower case.
    """

    name: str
    kind: str
    field: str = ""
    prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """Everything that one document promises.

    `document`: as it was read, references by name made references by place; every pointer leads into it.
    `dialect`: how its schemas are written (openapi, swagger, discovery, botocore).
    `hosts`: patterns of the hosts it speaks of, empty where it names none.
    `virtual_hosts`: patterns of those whose group `step` stands for the first step of the path. `telling`: query
    parameters that no request has but for an operation that names them.
    `provider`, `environment`: of the integration whose own it is, None where it is nobody's own.
    `digest`: SHA-256 of the bytes. `origin`: library, pulled or file. `partial`: whether operations are left
    out on purpose, so that an unknown one is no finding. `directional`: whether some property is read-only or
    write-only. `events`: by event type. `notes`: what is wrong with the document itself.
    """

    name: str
    title: str
    version: str
    dialect: str
    format: str
    digest: str
    source: str
    document: Mapping[str, Any]
    operations: tuple[Operation, ...]
    hosts: tuple[str, ...] = ()
    events: Mapping[str, Event] = field(default_factory=dict)
    schemes: Mapping[str, SecurityScheme] = field(default_factory=dict)
    virtual_hosts: tuple[str, ...] = ()
    telling: tuple[str, ...] = ()
    provider: str | None = None
    environment: str | None = None
    origin: str = FILE
    partial: bool = False
    directional: bool = False
    notes: tuple[Finding, ...] = ()

    def roots(self) -> Iterator[str]:
        """The pointer of every schema that a message is held against."""
        for operation in self.operations:
            holders: list[Parameter | Media] = [*operation.parameters]
            holders += operation.body.media if operation.body else ()
            for answer in operation.answers:
                holders += (*answer.media, *answer.headers)
            yield from (each.schema for each in holders if each.schema)
        for event in self.events.values():
            yield from (each.schema for each in event.media if each.schema)
