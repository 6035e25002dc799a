"""The catalogue: what is known of each provider, read from TOML and held to a schema of its own.

Every table that states a fact carries `source` and `verified`; what is attested only by third parties says
`certainty = "attested"` and never settles a state alone.
"""

from __future__ import annotations

import datetime as dt
import difflib
import functools
import hashlib
import json
import re
import string
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from interlock.errors import CatalogueError, UsageError
from interlock.records import ProbeKind

FOLDER = Path(__file__).parent / "providers"
CATEGORIES = (
    "payments",
    "authentication",
    "email",
    "messaging",
    "storage",
    "analytics",
    "crm",
    "code",
    "other",
)


_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as exc:
        raise ValueError(f"is not a regular expression: {exc}") from exc
    return pattern


def _pointer(text: str) -> str:
    if text and not text.startswith("/"):
        raise ValueError("is not a JSON pointer: it must be empty or start with /")
    return text


Pattern = Annotated[str, AfterValidator(_compiles)]
Pointer = Annotated[str, AfterValidator(_pointer)]
StatusCode = Annotated[int, Field(ge=100, le=599)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Model(BaseModel):
    """Frozen; unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Sourced(Model):
    """Something that may say where it was read and when; a catalogue file must say it, settings need not."""

    source: str | None = Field(default=None, min_length=4)
    verified: dt.date | None = None
    certainty: Literal["verified", "attested"] = "verified"


class Fact(Sourced):
    """Something that is known of a provider: where it was read and when."""

    source: str = Field(min_length=4)
    verified: dt.date


class Parameter(Model):
    """A value that is part of the provider's address and not secret: an account name, a region."""

    description: str
    pattern: Pattern
    example: str
    default: str | None = None
    environment_names: tuple[str, ...] = ()


class Credential(Fact):
    """One credential: `public` ones may be shown; `pattern` recognises the whole value.

    `redact` finds it inside other text; `live` and `sandbox` tell the two kinds apart, where they differ.
    `environment_names` are the names that teams use, most usual first. `example` is made up: a stand-in puts
    digits of its own in the place of each zero of a run of four or more, so that no two runs have the same key.
    `moment`: its value is the time at which the others end.
    """

    description: str
    environment_names: tuple[str, ...] = ()
    public: bool = False
    pattern: Pattern | None = None
    redact: Pattern | None = None
    live: Pattern | None = None
    sandbox: Pattern | None = None
    moment: bool = False
    example: str


class Base(Fact):
    """One base URL, with `{parameter}` places. `environment` any: the credential decides the world."""

    name: str = "api"
    url: str
    environment: Literal["live", "sandbox", "any"] = "any"
    region: str = ""


class Rule(Sourced):
    """Recognises an answer: status in `status`, and each of the others that is given.

    `headers`: pattern by lower-case name. `pointer` and `values`: what stands at a place in a JSON body.
    `pattern`: sought in the body's text. `expired`: the credential was good once.
    """

    status: tuple[StatusCode, ...] = Field(min_length=1)
    headers: Mapping[str, Pattern] = {}
    pointer: Pointer | None = None
    values: tuple[bool | int | str, ...] = ()
    pattern: Pattern | None = None
    expired: bool = False

    @model_validator(mode="after")
    def _values_need_a_place(self) -> Rule:
        if bool(self.values) != (self.pointer is not None):
            raise ValueError("pointer and values go together")
        return self


class Example(Model):
    """An answer as the provider gives it: what the stand-in serves, and what the tests hold the rules to."""

    status: StatusCode
    headers: Mapping[str, str] = {}
    body: Any = None
    text: str | None = None


class Refusal(Fact):
    """How the provider words an error to what no probe asks. `answer` may name the `{method}` and the `{path}` asked.

    `to`: what is wrong. `service`: that a signature is for, where several share the provider's keys; `path`: which.
    """

    to: Literal["unknown_path", "no_credential", "unknown_key", "bad_signature", "late_signature"]
    service: str | None = None
    path: Pattern | None = None
    answer: Example


class Expectation(Model):
    """What a good answer is: its status, its media type, and a JSON Schema or a pattern for its body."""

    status: tuple[StatusCode, ...] = (200,)
    content_type: Pattern | None = None
    json_schema: Mapping[str, Any] | None = None
    pattern: Pattern | None = None
    headers: Mapping[str, Pattern] = {}


class Standing(Model):
    """One thing that a good answer says of the account. `name` and `says`: for people.

    `pointer`: where it stands; `/*` for each member of a list. `of`: what names a member, from the member on.
    `good`, `warn`: the values that are well, and those that are half so; any other is bad. With `amount` it is a
    number, or the text of one: bad at nothing or less, and half so below what the settings want to have left.
    `unit`: where the amount's unit stands (a currency), or the unit itself.
    """

    name: str
    pointer: Pointer
    says: str
    of: Pointer | None = None
    good: tuple[bool | int | str, ...] = ()
    warn: tuple[bool | int | str, ...] = ()
    amount: bool = False
    unit: str | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Standing:
        if bool(self.good) == self.amount:
            raise ValueError("needs good values, or amount, and not both")
        return self


class Endpoints(Model):
    """How the registered webhook endpoints stand in an answer; pointers but `members` start at a member.

    `url`: every place where an address of ours may stand. Without it the members are subscriptions that hold for
    all endpoints; with `failed_at` they are deliveries that failed, and that is when.
    `enabled` and `enabled_values`: whether it is switched on. `events`: its event types, or the one; `every`
    are values that mean all. `event_flags`: event type by the name of a flag. `last_status`: HTTP status of the
    last delivery. `version`: the API version of its events. `more`: from the root: whether there are more members.
    `optional`: the list is left out where it is empty.
    """

    members: Pointer = ""
    optional: bool = False
    name: Pointer | None = None
    url: tuple[Pointer, ...] = ()
    enabled: Pointer | None = None
    enabled_values: tuple[bool | str, ...] = (True,)
    disabled_values: tuple[bool | str, ...] = ()
    events: Pointer | None = None
    every: tuple[str, ...] = ()
    event_flags: Mapping[str, str] = {}
    last_status: Pointer | None = None
    version: Pointer | None = None
    failed_at: Pointer | None = None
    more: Pointer | None = None


class Cost(Model):
    """What one asking uses up: `requests` of the rate limit `bucket`; `free` where it is not counted."""

    requests: int = Field(default=1, ge=0)
    bucket: str = "default"
    free: bool = False


class Tells(Model):
    """What a good answer says of the credential itself: places in its JSON body, names of its headers.

    `certificate_pointer`: a PEM certificate of our key, with `{parameter}` places; its dates are the key's.
    """

    expires_pointer: Pointer | None = None
    expires_header: str | None = None
    identity_pointer: Pointer | None = None
    scopes_pointer: Pointer | None = None
    scopes_header: str | None = None
    certificate_pointer: Pointer | None = None


class Ask(Fact):
    """One probe: what to send and what to make of the answer.

    `headers` with a `{parameter}` that is not set are left out. `standing`: what is read of the account.
    `endpoints`: how registered webhook endpoints are read. `untold`: answers by which the provider says that it
    does not tell this of such an account.

    `auth`: the ways of signing in that fit; empty for all. `quota`: name of the reader of a quota body.
    `body`: what is sent, with `{parameter}` places. `service`: the AWS service that is asked, where it is not
    the one of the way of signing in. `cannot_tell`: why no answer shows whether the credential is good; then
    neither a good answer nor a refusal settles it.
    """

    kind: ProbeKind
    base: str = "api"
    method: Literal["GET", "HEAD", "POST", "OPTIONS"] = "GET"
    path: str = Field(pattern=r"^/")
    headers: Mapping[str, str] = {}
    body: str | None = None
    credentialed: bool = True
    auth: tuple[str, ...] = ()
    expect: Expectation = Expectation()
    scope: tuple[Rule, ...] = ()
    untold: tuple[Rule, ...] = ()
    quota: str | None = None
    tells: Tells | None = None
    standing: tuple[Standing, ...] = ()
    endpoints: Endpoints | None = None
    service: str | None = None
    cannot_tell: str | None = Field(default=None, min_length=20)
    cost: Cost = Cost()
    read_only_because: str | None = None
    example: Example
    refusal: Example | None = None

    @model_validator(mode="after")
    def _never_writes(self) -> Ask:
        if self.method == "POST" and not self.read_only_because:
            raise ValueError("a probe never writes: a POST needs read_only_because")
        return self

    @model_validator(mode="after")
    def _reads_what_it_asks_for(self) -> Ask:
        if (self.kind is ProbeKind.WEBHOOK_ENDPOINT) != (self.endpoints is not None):
            raise ValueError("a webhook-endpoint probe, and no other, needs endpoints")
        return self

    def headers_with(self, values: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """The headers with their places filled; one whose parameter is not set is left out."""
        return tuple(
            (name, text.format_map(values))
            for name, text in self.headers.items()
            if places(text) <= values.keys()
        )

    @property
    def places(self) -> set[str]:
        """The `{parameters}` in its path and body."""
        return places(self.path) | set(_PLACE.findall(self.body or ""))

    def body_with(self, values: Mapping[str, str]) -> bytes:
        """The body with its places filled, as its media type writes them: a form's percent-encoded, else JSON.

        Braces of JSON stay, and so do places without a value.
        """
        media = next((value for name, value in self.headers.items() if name.lower() == "content-type"), "")
        written = (lambda value: quote(value, safe="")) if "form" in media else _in_json
        filled = _PLACE.sub(
            lambda place: written(values[place[1]]) if place[1] in values else place[0], self.body or ""
        )
        return filled.encode()


class AuthWay(Fact):
    """One way to present a credential. `credentials` names those it needs; the first complete way is used.

    `username`, `password`: names of credentials. `example`, `refusal`: what a token endpoint answers.
    `query`: the parameter that carries the credential, or the token that was bought with it.
    `token_fields`: more fields of the token request, with `{parameter}` places. `client_in`: whether the token
    request shows client id and secret by HTTP Basic or in its form. `introspection`: `token_path` is asked about
    the token, as its client; any other path gets the token itself.
    """

    scheme: Literal[
        "none",
        "bearer",
        "basic",
        "header",
        "query",
        "app_token",
        "oauth_client_credentials",
        "oauth_refresh_token",
        "sigv4",
        "google_service_account",
        "github_app",
        "introspection",
        "sas",
    ]
    credentials: tuple[str, ...] = ()
    header: str = "Authorization"
    prefix: str = ""
    username: str | None = None
    password: str | None = None
    query: str | None = None
    token_base: str = "api"  # noqa: S105 - the name of a base
    token_path: str | None = None
    token_fields: Mapping[str, str] = {}
    client_in: Literal["header", "form"] = "header"
    scopes: tuple[str, ...] = ()
    service: str | None = None
    region_parameter: str | None = None
    example: Example | None = None
    refusal: Example | None = None


class DeclaredLimit(Fact):
    """A published limit: `limit` of `unit` in `window_seconds`, a default that a plan may change."""

    bucket: str
    limit: float = Field(gt=0)
    window_seconds: float = Field(gt=0)
    unit: Literal["requests", "messages", "bytes", "percent", "concurrent"] = "requests"
    environment: Literal["live", "sandbox", "any"] = "any"


class RateLimits(Sourced):
    """How the provider tells its limits: header dialects, throttle rules, published numbers.

    `tells`: whether ordinary answers, or a quota endpoint, say how much is left. `retry_after`: whether a
    throttle answer may say when to come back. `example`: what an exhausted client gets.
    """

    dialects: tuple[str, ...] = ()
    throttled: tuple[Rule, ...] = ()
    declared: tuple[DeclaredLimit, ...] = ()
    example: Example | None = None
    tells: bool = True
    retry_after: bool = False


class Retry(Fact):
    """What may be retried. `idempotency_header` or `idempotency_field` makes a write safe to repeat."""

    statuses: tuple[StatusCode, ...] = ()
    never: tuple[StatusCode, ...] = ()
    idempotency_header: str | None = None
    idempotency_field: str | None = None
    headers: Mapping[str, str] = {}


class StatusPage(Fact):
    """The provider's own account of its health. `components`: names of those that matter to its API.

    A page of many services (AWS, Google Cloud) is read for these alone; empty: for the whole.
    """

    engine: str
    url: str
    human_url: str | None = None
    components: tuple[str, ...] = ()


class VersionEnd(Fact):
    """When versions of the API end. `versions`: pattern of their names. `said`: as the provider puts it."""

    versions: Pattern
    ends: dt.date
    said: str | None = None


class Versions(Model):
    """How the API is versioned. `parameter` holds the version that is pinned; `header` says which one answered.

    `ends`: those whose end is published; a version that none of them names has no published end.
    """

    parameter: Name
    header: str | None = None
    ends: tuple[VersionEnd, ...] = ()


class Webhooks(Fact):
    """How the provider delivers events. `timeout_seconds`, `tolerance_seconds`: None where not published.

    `event_id`, `event_type`: a JSON pointer (`/*` for each member of a list), `header:NAME` or `form:NAME`; of what
    SNS carries, from its `Message` on. `credential`: name of the one that signs, where the settings name no
    other. `refuses`: the status that a refused delivery gets, so that the provider understands.
    """

    scheme: str
    credential: Name | None = None
    refuses: StatusCode = 401
    headers: tuple[str, ...] = ()
    tolerance_seconds: float | None = None
    timeout_seconds: float | None = None
    event_id: str | None = None
    event_type: str | None = None
    accepts: str = "2xx"
    retries: str | None = None
    handshake: str | None = None
    events: tuple[str, ...] = ()


class ContractPointer(Fact):
    """Where the provider's own machine-readable contract is. `name`: of one document, where there are several."""

    name: Name | None = None
    format: Literal["openapi", "swagger", "discovery", "botocore", "none"]
    url: str


class Provider(Model):
    """Everything the catalogue knows of one provider."""

    schema_version: Literal[1] = Field(alias="schema")
    name: Name
    title: str
    category: Literal[CATEGORIES]  # type: ignore[valid-type]
    documentation: str
    summary: str
    notes: tuple[str, ...] = ()
    packages: tuple[Annotated[str, Field(pattern=r"^(pypi|npm|import):\S+$")], ...] = ()
    parameters: Mapping[Name, Parameter] = {}
    credentials: Mapping[Name, Credential] = {}
    bases: tuple[Base, ...] = ()
    auth: Mapping[Name, AuthWay] = {}
    probes: tuple[Ask, ...] = ()
    auth_failed: tuple[Rule, ...] = ()
    errors: tuple[Refusal, ...] = ()
    rate_limits: RateLimits = RateLimits()
    retry: Retry | None = None
    status_page: StatusPage | None = None
    versions: Versions | None = None
    webhooks: Webhooks | None = None
    contracts: tuple[ContractPointer, ...] = ()
    digest: str = ""

    @model_validator(mode="after")
    def _holds_together(self) -> Provider:
        for problem in _loose_ends(self):
            raise ValueError(problem)
        return self

    def ask(
        self, kind: ProbeKind, way: str | None = None, parameters: Collection[str] | None = None
    ) -> Ask | None:
        """The probe of this kind that fits the way of signing in; None if the provider has none.

        Several may fit. With `parameters`, those whose `{places}` are all among them go before the rest.
        """
        fitting = [ask for ask in self.probes if ask.kind is kind and (not ask.auth or way in ask.auth)]
        if parameters is not None:
            fitting.sort(key=lambda ask: not ask.places <= set(parameters))
        return fitting[0] if fitting else None


def _in_json(value: str) -> str:
    return json.dumps(value)[1:-1]


def places(template: str) -> set[str]:
    """The `{names}` in a template."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


# Parameters that are read from a credential: whose key a Google service account's JSON is, and which.
DERIVED = {"google_service_account": ("service_account_email", "service_account_key_id")}


def known_places(provider: Provider) -> set[str]:
    """Every `{place}` that can be filled: parameters, public credentials, and what is read from a credential."""
    public = {name for name, credential in provider.credentials.items() if credential.public}
    derived = {name for way in provider.auth.values() for name in DERIVED.get(way.scheme, ())}
    return set(provider.parameters) | public | derived


def _loose_ends(provider: Provider) -> Iterator[str]:
    known = known_places(provider)
    yield from _loose_ends_beside(provider, known)
    names = {base.name for base in provider.bases}
    for key, way in provider.auth.items():
        if missing := set(way.credentials) - set(provider.credentials):
            yield f"auth.{key} uses unknown credentials {sorted(missing)}"
        if unknown := {place for text in way.token_fields.values() for place in places(text)} - known:
            yield f"auth.{key} uses unknown parameters {sorted(unknown)}"
    for ask in provider.probes:
        if ask.base not in names:
            yield f"probe {ask.kind.value} uses unknown base {ask.base!r}"
        yield from _loose_ends_of(ask, provider, known)


def _loose_ends_beside(provider: Provider, known: set[str]) -> Iterator[str]:
    for base in provider.bases:
        if unknown := places(base.url) - known:
            yield f"base {base.name} uses unknown parameters {sorted(unknown)}"
    if provider.versions and provider.versions.parameter not in provider.parameters:
        yield f"versions uses unknown parameter {provider.versions.parameter!r}"
    if provider.webhooks and provider.webhooks.credential not in {None, *provider.credentials}:
        yield f"webhooks uses unknown credential {provider.webhooks.credential!r}"
    documents = [each.name for each in provider.contracts]
    if any(documents) and (None in documents or len(set(documents)) < len(documents)):
        yield "contracts: where one has a name, each needs one of its own"
    if provider.status_page and (unknown := places(provider.status_page.url) - known):
        yield f"status_page uses unknown parameters {sorted(unknown)}"


def _loose_ends_of(ask: Ask, provider: Provider, known: set[str]) -> Iterator[str]:
    if unknown := ask.places - known:
        yield f"probe {ask.kind.value} uses unknown parameters {sorted(unknown)}"
    if unknown := {place for text in ask.headers.values() for place in places(text)} - known:
        yield f"probe {ask.kind.value} uses unknown parameters {sorted(unknown)} in its headers"
    if unknown := set(ask.auth) - set(provider.auth):
        yield f"probe {ask.kind.value} uses unknown auth {sorted(unknown)}"


def _unsourced(provider: Provider) -> Iterator[str]:
    """What a catalogue file states without saying where it was read."""
    stated: list[tuple[str, Sourced]] = [("rate_limits", provider.rate_limits)]
    stated += [(f"auth_failed.{i}", rule) for i, rule in enumerate(provider.auth_failed)]
    stated += [(f"rate_limits.throttled.{i}", rule) for i, rule in enumerate(provider.rate_limits.throttled)]
    for place, fact in stated:
        if fact.source is None:
            yield f"{place}.source: Field required"
        if fact.verified is None:
            yield f"{place}.verified: Field required"


def parse(text: str, *, where: str) -> Provider:
    """Read one catalogue file. Raises `CatalogueError` with every mistake in it."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise CatalogueError(f"{where}: {exc}") from exc
    data["digest"] = hashlib.sha256(text.encode()).hexdigest()[:16]
    try:
        provider = Provider.model_validate(data, strict=False)
    except ValidationError as exc:
        lines = [f"{where}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors()]
        raise CatalogueError("\n".join(lines)) from exc
    if missing := [f"{where}: {line}" for line in _unsourced(provider)]:
        raise CatalogueError("\n".join(missing))
    return provider


@functools.cache
def names() -> tuple[str, ...]:
    """The providers that have a catalogue file, in alphabetical order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@functools.cache
def load(name: str) -> Provider:
    """The catalogue's entry for a provider. Raises `UsageError` for an unknown name."""
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"no provider is called {name!r}{meant}", hint="`interlock providers` lists them")
    path = FOLDER / f"{name}.toml"
    provider = parse(path.read_text(encoding="utf-8"), where=path.name)
    if provider.name != name:
        raise CatalogueError(f"{path.name}: name is {provider.name!r}")
    return provider


def load_all() -> tuple[Provider, ...]:
    """Every provider of the catalogue, by name."""
    return tuple(load(name) for name in names())
