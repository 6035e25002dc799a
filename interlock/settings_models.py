"""What may stand in `interlock.toml`: the shapes, their defaults, and what each key means."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from interlock.catalogue import Name, Pattern, StatusCode
from interlock.records import Environment, ProbeKind
from interlock.secrets import REFERENCE_PATTERN, SecretRef

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST_SECONDS = 10 * 366 * 86400.0
DURATION_PATTERN = r"^([0-9]+(\.[0-9]+)?(ms|[smhd]))+$"
_DURATION = re.compile(DURATION_PATTERN)
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|[smhd])")


def seconds(text: object) -> float:
    """`"90s"`, `"1h30m"` or `"250ms"` in seconds. Raises `ValueError`."""
    if not isinstance(text, str) or not _DURATION.fullmatch(text):
        raise ValueError('must be a duration in quotes, such as "30s", "5m" or "1h30m"')
    total = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    if not 0 < total <= _LONGEST_SECONDS:
        raise ValueError("must be more than nothing and at most ten years")
    return total


def _reference(text: object) -> object:
    if isinstance(text, SecretRef):
        return text
    if not isinstance(text, str):
        raise ValueError("must be a reference, env:NAME or file:PATH, never the secret itself")  # noqa: TRY004
    return SecretRef.parse(text)


def http_url(text: str) -> str:
    """An address without user, query and fragment, and without a slash at its end. Raises `ValueError`."""
    if any(char.isspace() or not char.isprintable() for char in text):
        raise ValueError("must be a URL without spaces")
    try:
        parts = urlsplit(text)
        port_is_wrong = parts.port == 0
    except ValueError:
        raise ValueError("must be a URL, such as https://api.example.com:8443/v1") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http:// or https:// URL with a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user name or password")
    if parts.query or parts.fragment:
        raise ValueError("must not hold a query or a fragment")
    if port_is_wrong:
        raise ValueError("must be a URL with a port between 1 and 65535, or none")
    return text.rstrip("/")


def _proxy_url(text: str) -> str:
    url = http_url(text)
    if urlsplit(url).path:
        raise ValueError("must not hold a path")
    return url


def _moment(value: object) -> object:
    if not isinstance(value, dt.datetime | str):
        raise ValueError("must be a date and time with a time zone, such as 2026-01-31T02:00:00Z")  # noqa: TRY004
    return value


def _described(kind: str, **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": kind, **more})


Duration = Annotated[
    float,
    BeforeValidator(seconds),
    _described("string", pattern=DURATION_PATTERN, examples=["30s", "5m", "1h30m"]),
]
Reference = Annotated[
    SecretRef,
    BeforeValidator(_reference),
    _described("string", pattern=REFERENCE_PATTERN, examples=["env:NAME", "file:PATH"]),
]
StatusPageEngine = Literal[
    "statuspage",
    "incident-io",
    "instatus",
    "google-cloud",
    "stripe",
    "salesforce",
    "aws",
    "rss",
    "atom",
    "auto",
]
_HEADER = r"^[A-Za-z0-9-]{1,80}$"
HttpUrl = Annotated[str, AfterValidator(http_url), _described("string", pattern=r"^https?://[^\s?#@]+$")]
ProxyUrl = Annotated[
    str, AfterValidator(_proxy_url), _described("string", pattern=r"^https?://[^\s?#@/]+/?$")
]
Moment = Annotated[dt.datetime, BeforeValidator(_moment)]
FilePath = Annotated[Path, AfterValidator(Path.expanduser), _described("string")]
# Before the name of an AWS service: its model, from the installed botocore, in the place of a document.
SERVICE_MODEL = "botocore:"


def _is(default: Any, description: str, **limits: Any) -> Any:
    """A key with its default and what it means, which editors show."""
    return Field(default=default, description=description, **limits)


def _made(default: type[BaseModel], description: str) -> Any:
    """The same for a table. It is made when it is needed, so that importing this builds no validator."""
    return Field(default_factory=default, description=description)


class Model(BaseModel):
    """Frozen; unknown keys refused. What was given never stands in an error: it may be a secret."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
        defer_build=True,
    )


class ClientCertificate(Model):
    """A client certificate: two PEM files, and the key's password by reference."""

    certificate: FilePath = Field(description="PEM file with the certificate, beside this file or absolute.")
    key: FilePath = Field(description="PEM file with its private key.")
    password: Reference | None = _is(None, "The key's password, by reference.")


class Network(Model):
    """The way out. `proxy`: an egress proxy, reached by CONNECT; `proxy_password` goes with a user name."""

    proxy: ProxyUrl | None = _is(None, "Egress proxy, reached by CONNECT, such as http://proxy.example:3128.")
    proxy_username: str | None = _is(None, "User name for the proxy.")
    proxy_password: Reference | None = _is(None, "Password for the proxy, by reference.")
    ca_file: FilePath | None = _is(None, "PEM file of a private CA to trust, beside this file or absolute.")
    client_certificate: ClientCertificate | None = _is(None, "Client certificate to show.")

    @model_validator(mode="after")
    def _password_has_a_user(self) -> Network:
        if self.proxy_password is not None and self.proxy_username is None:
            raise ValueError("proxy_password needs proxy_username")
        return self


class Web(Model):
    """The web face. With `token`, or `username` and `password`, page and API and metrics ask for it."""

    host: str = _is("127.0.0.1", "Address to listen on; loopback unless you say otherwise.")
    port: StrictInt = _is(9464, "Port to listen on; 0 takes any free one.", ge=0, le=65535)
    token: Reference | None = _is(None, "Bearer token that page, API and metrics ask for, by reference.")
    username: str | None = _is(None, "User name for basic auth.")
    password: Reference | None = _is(None, "Password for basic auth, by reference.")
    allowed_hosts: tuple[str, ...] = _is((), "Host names that the page answers to, beside loopback.")

    @model_validator(mode="after")
    def _name_and_password(self) -> Web:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together")
        return self


class Concurrency(Model):
    """How many probes may be under way: in all, for one provider, for one credential."""

    total: StrictInt = _is(64, "Probes under way in all.", ge=1)
    provider: StrictInt = _is(16, "Probes under way for one provider.", ge=1)
    credential: StrictInt = _is(2, "Probes under way for one credential.", ge=1)


class Retention(Model):
    """How long is kept: single outcomes, and the hourly sums that the charts read."""

    outcomes: Duration = _is(14 * 86400.0, 'How long single outcomes are kept; "14d" if not said.')
    hours: Duration = _is(400 * 86400.0, 'How long hourly sums are kept; "400d" if not said.')


class Suite(Network):
    """What holds for the whole suite."""

    store: str = _is("sqlite:///interlock.db", "Database: sqlite:///FILE or postgresql+psycopg://HOST/NAME.")
    store_password: Reference | None = _is(None, "Password of the database, by reference.")
    region: str = _is(
        "local", "Where this copy of interlock runs, as outcomes name it.", pattern=r"^[A-Za-z0-9._-]{1,40}$"
    )
    fingerprint_key: Reference | None = _is(None, "Key of the hash that tells credentials apart.")
    budget: float = _is(
        0.01,
        "Part of a rate limit that the probes may use, 0 to 1; a hundredth if not said.",
        gt=0,
        le=1,
        strict=True,
    )
    web: Web = _made(Web, "The web page, the API and the metrics.")
    concurrency: Concurrency = _made(Concurrency, "How many probes may be under way.")
    retention: Retention = _made(Retention, "How long results are kept.")


class ProbeSettings(Model):
    """What differs for one probe of an integration."""

    enabled: StrictBool = _is(True, "false leaves this probe out.")  # noqa: FBT003 - a default
    every: Duration | None = _is(None, "Time between two runs of this probe.")
    timeout: Duration | None = _is(None, "Time after which this probe gives up.")
    slow_after: Duration | None = _is(None, "Time after which an answer to this probe counts as slow.")
    failures_before_down: StrictInt | None = _is(None, "Failures in a row before it counts as down.", ge=1)
    warn_days: float | None = _is(
        None, "Days before a certificate ends at which to warn.", gt=0, le=3650, strict=True
    )
    warn_below: float | None = _is(
        None, "Part of the rate limit left, 0 to 1, below which to warn.", gt=0, lt=1, strict=True
    )
    minimum: float | None = _is(
        None, "Balance or credits, in the account's own unit, below which to warn.", gt=0, strict=True
    )
    oldest_days: float | None = _is(
        None, "Age of a key in days at which to warn; 90 if not said.", gt=0, le=3650, strict=True
    )


class Maintenance(Model):
    """A planned window, in aware time. What is seen in it is kept and marked."""

    start: Moment = Field(description="Start, with a time zone, such as 2026-01-31T02:00:00Z.")
    end: Moment = Field(description="End, with a time zone.")
    note: str = _is("", "Why.")

    @model_validator(mode="after")
    def _in_order(self) -> Maintenance:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("start and end need a time zone, such as 2026-01-31T02:00:00Z")
        if self.end <= self.start:
            raise ValueError("end must be after start")
        return self


class Health(Model):
    """The generic provider's question without a credential."""

    path: str = _is("/", "Path to ask, after base_url.", pattern=r"^/[^\s#]*$")
    status: tuple[StatusCode, ...] = _is((200,), "Status codes of a good answer.", min_length=1)
    pattern: Pattern | None = _is(None, "Regular expression that the body of a good answer holds.")
    json_schema: Mapping[str, Any] | None = _is(None, "JSON Schema of the body of a good answer.")


class Identity(Health):
    """The generic provider's question with the credential. `refused`: what a bad one gets."""

    refused: tuple[StatusCode, ...] = _is((401,), "Status codes that a bad credential gets.", min_length=1)


class Service(Model):
    """The generic provider, described wholly here."""

    title: str = _is("Generic HTTP API", "Name of the service, as people call it.")
    auth: Literal["none", "bearer", "basic", "header", "query"] = _is(
        "none",
        "How the credential is sent. basic uses credentials.username and credentials.password; "
        "bearer, header and query use credentials.token.",
    )
    header: str = _is(
        "Authorization",
        'Header that carries the credential; for auth = "header".',
        pattern=r"^[A-Za-z0-9-]+$",
    )
    query: str | None = _is(None, 'Query parameter that carries the credential; for auth = "query".')
    health: Health = _made(Health, "The question without a credential.")
    identity: Identity | None = _is(None, "The question with the credential.")
    rate_limit_headers: tuple[str, ...] = _is((), "Dialects of its rate-limit headers.")


class HmacSettings(Model):
    """A sender's own HMAC, described, where no scheme knows it."""

    header: str = Field(description="Header that carries the signature.", pattern=_HEADER)
    prefix: str = _is("", "What stands before the signature in that header, such as sha256=.")
    algorithm: Literal["sha1", "sha256", "sha384", "sha512"] = _is("sha256", "The digest.")
    encoding: Literal["hex", "base64", "base64url"] = _is("hex", "How the signature is written.")
    signed: str = _is(
        "{body}", "What is signed: {body}, {timestamp}, {id}, {method}, {url} and text between."
    )
    timestamp_header: str | None = _is(None, "Header that carries the time.", pattern=_HEADER)
    timestamp_unit: Literal["s", "ms"] = _is("s", "Unit of that time.")
    id_header: str | None = _is(None, "Header that carries the id of the event.", pattern=_HEADER)
    key_encoding: Literal["text", "hex", "base64"] = _is("text", "How the secret is to be read as a key.")


class WebhookSettings(Model):
    """Our receiver of a provider's webhooks: what is registered there, how deliveries are checked, where they go."""

    url: HttpUrl | None = _is(
        None, "Our address as it is registered at the provider; its query is left out of the comparison."
    )
    events: tuple[str, ...] = _is((), "Event types that this address should get.")
    scheme: str | None = _is(
        None,
        "Signature scheme, if not the catalogue's, such as standard-webhooks or hmac.",
        pattern=r"^[a-z0-9-]{2,40}$",
    )
    secrets: tuple[Reference, ...] = _is(
        (), "Secrets that sign deliveries, by reference; several while one is rolled."
    )
    public_keys: tuple[str, ...] = _is((), "Public keys that deliveries are checked with (SendGrid).")
    roots: FilePath | None = _is(None, "PEM file of the authorities that a sender's certificate leads to.")
    webhook_id: str | None = _is(None, "PayPal's id of this webhook.")
    organization_id: str | None = _is(None, "Salesforce's id of the organization.")
    account: str | None = _is(None, "Service account that signs (Google Pub/Sub push).")
    audiences: tuple[str, ...] = _is((), "Audiences that a token may be for.")
    issuers: tuple[str, ...] = _is((), "Issuers that a token may come from.")
    topics: tuple[str, ...] = _is((), "ARNs of the topics that are ours (SNS); any, if none is named.")
    verify_token: Reference | None = _is(None, "Token that a handshake repeats (Facebook), by reference.")
    header: str | None = _is(None, "Header of a static credential, if not the usual one.", pattern=_HEADER)
    hmac: HmacSettings | None = _is(None, 'The HMAC of scheme = "hmac".')
    tolerance: Duration | None = _is(
        None, "How old a signed time may be, if not as the provider's own check."
    )
    future: Duration | None = _is(
        None, "How far ahead of our clock it may lie, if not as the provider's own."
    )
    versions: tuple[str, ...] = _is((), "Versions of the scheme that are let in; all, if none is named.")
    forward: HttpUrl | None = _is(None, "Where the inbox sends what it took.")
    silent_after: Duration | None = _is(None, "Without a delivery for this long, silence is a finding.")


class IntegrationSettings(Network):
    """One team's use of a provider."""

    provider: Name = Field(
        description="Name of a provider; `interlock providers` lists them; generic is any other HTTP API.",
        examples=["stripe", "github", "generic"],
    )
    environment: Environment = _is(Environment.LIVE, "Which of the provider's worlds to ask.")
    owner: str | None = _is(None, "The team to call.")
    every: Duration = _is(60.0, 'Time between two runs of a probe; "60s" if not said.')
    timeout: Duration = _is(10.0, 'Time after which a probe gives up; "10s" if not said.')
    slow_after: Duration = _is(3.0, 'Time after which an answer counts as slow; "3s" if not said.')
    failures_before_down: StrictInt = _is(3, "Failures in a row before it counts as down.", ge=1)
    base_url: HttpUrl | None = _is(None, "Address to ask instead of the provider's own.")
    base_urls: Mapping[Name, HttpUrl] = _is({}, "The same by name, where a provider has several.")
    provider_region: str | None = _is(None, "The provider's region, where it has several.")
    credentials: Mapping[Name, Reference] = _is({}, "Credentials by name, each by reference.")
    parameters: Mapping[Name, str] = _is({}, "What is part of the address and not secret: account, region.")
    probes: Mapping[ProbeKind, ProbeSettings] = _is({}, "What differs for single probes.")
    required_scopes: tuple[str, ...] = _is(
        (), "Scopes that the credential must have, where the provider tells them."
    )
    status_page: HttpUrl | None = _is(None, "Address of the provider's status page, if not the catalogue's.")
    status_page_engine: StatusPageEngine | None = _is(
        None, "How that page is written; found out if not said."
    )
    status_components: tuple[str, ...] = _is((), "Names of the components on the status page that matter.")
    webhooks: WebhookSettings | None = _is(None, "Our receiver of the provider's webhooks.")
    maintenance: tuple[Maintenance, ...] = _is((), "Planned windows.")
    contract: str | None = _is(
        None,
        "What the service promises, if not the provider's own contract: a document, or botocore:SERVICE.",
        examples=["contracts/billing.yaml", "botocore:s3"],
    )
    service: Service | None = _is(None, 'The service itself; only with provider = "generic".')


IntegrationName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class InboxSettings(Model):
    """The inbox that takes webhooks: POST /hooks/NAME of an integration with a `webhooks` table."""

    host: str = _is("127.0.0.1", "Address to listen on; loopback unless you say otherwise.")
    port: StrictInt = _is(9465, "Port to listen on; 0 takes any free one.", ge=0, le=65535)
    keep: Duration = _is(30 * 86400.0, 'How long raw deliveries are kept; "30d" if not said.')
    key: Reference | None = _is(None, "Key that encrypts raw deliveries at rest, by reference.")
    largest_bytes: StrictInt = _is(
        26 * 1024 * 1024, "A larger delivery is refused; 26 MiB if not said.", ge=1024, le=256 * 1024 * 1024
    )
    attempts: StrictInt = _is(12, "Attempts to forward before a delivery is set aside as dead.", ge=1, le=100)


class HeartbeatSettings(Model):
    """A job that reports in by itself: POST /heartbeats/NAME with its token in the Authorization header."""

    every: Duration = Field(description="How often it reports in, at the least.")
    grace: Duration = _is(300.0, 'How much later it may be before it counts as down; "5m" if not said.')
    token: Reference = Field(description="Token that the job sends, by reference.")
    owner: str | None = _is(None, "The team to call.")


class VerifySettings(Model):
    """How recorded traffic is held against contracts."""

    rules: Mapping[str, Literal["critical", "error", "warning", "info", "off"]] = _is(
        {}, "Severity of single rules; `interlock verify --rules` lists them."
    )


class DriftSettings(Model):
    """How contracts are compared with each other, and recorded answers with them."""

    rules: Mapping[str, Literal["critical", "error", "warning", "info", "off"]] = _is(
        {}, "Severity of single rules; `interlock drift --rules` lists them."
    )


class Settings(Model):
    """Settings of interlock: the services you depend on, and how they are probed."""

    suite: Suite = _made(Suite, "What holds for the whole suite.")
    integrations: Mapping[IntegrationName, IntegrationSettings] = _is({}, "Your services by name.")
    inbox: InboxSettings = _made(InboxSettings, "The inbox that takes webhooks.")
    heartbeats: Mapping[IntegrationName, HeartbeatSettings] = _is(
        {}, "Your own jobs that report in, by name."
    )
    verify: VerifySettings = _made(VerifySettings, "How recorded traffic is held against contracts.")
    drift: DriftSettings = _made(DriftSettings, "How contracts are compared.")
    path: SkipJsonSchema[Path | None] = Field(default=None, exclude=True)

    @property
    def folder(self) -> Path:
        """Relative paths in the settings start here; `path` is None for settings made in memory."""
        return self.path.parent if self.path else Path.cwd()
