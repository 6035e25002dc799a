"""The settings file `interlock.toml`, parsed once at the border; every mistake is reported at once."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
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
    ValidationError,
    model_validator,
)

from interlock.catalogue import Name, Pattern, StatusCode
from interlock.errors import SettingsError
from interlock.records import Environment, ProbeKind
from interlock.secrets import SecretRef

FILE_NAME = "interlock.toml"
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhd]))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")


def seconds(text: object) -> float:
    """`"90s"`, `"1h30m"` or `"250ms"` in seconds. Raises `ValueError`."""
    if not isinstance(text, str) or not _DURATION.fullmatch(text):
        raise ValueError('must be a duration such as "30s", "5m" or "1h30m"')
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def _reference(text: object) -> object:
    return SecretRef.parse(text) if isinstance(text, str) else text


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http:// or https:// URL with a host")
    if parts.username or parts.password:
        raise ValueError("must not hold a user name or password")
    if parts.query or parts.fragment:
        raise ValueError("must not hold a query or a fragment")
    return text.rstrip("/")


Duration = Annotated[float, BeforeValidator(seconds)]
Reference = Annotated[SecretRef, BeforeValidator(_reference)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]


class Model(BaseModel):
    """Frozen; unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class ClientCertificate(Model):
    """A client certificate: two PEM files, and the key's password by reference."""

    certificate: Path
    key: Path
    password: Reference | None = None


class Network(Model):
    """The way out. `proxy`: an egress proxy, reached by CONNECT; `proxy_password` goes with a user name."""

    proxy: HttpUrl | None = None
    proxy_username: str | None = None
    proxy_password: Reference | None = None
    ca_file: Path | None = None
    client_certificate: ClientCertificate | None = None


class Web(Model):
    """The web face. With `token`, or `username` and `password`, page and API and metrics ask for it."""

    host: str = "127.0.0.1"
    port: int = Field(default=9464, ge=0, le=65535)
    token: Reference | None = None
    username: str | None = None
    password: Reference | None = None
    allowed_hosts: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _name_and_password(self) -> Web:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together")
        return self


class Concurrency(Model):
    """How many probes may be under way: in all, for one provider, for one credential."""

    total: int = Field(default=64, ge=1)
    provider: int = Field(default=16, ge=1)
    credential: int = Field(default=2, ge=1)


class Retention(Model):
    """How long is kept: single outcomes, and the hourly sums that the charts read."""

    outcomes: Duration = 14 * 86400.0
    hours: Duration = 400 * 86400.0


class Suite(Network):
    """What holds for the whole suite."""

    store: str = "sqlite:///interlock.db"
    store_password: Reference | None = None
    region: str = Field(default="local", pattern=r"^[A-Za-z0-9._-]{1,40}$")
    fingerprint_key: Reference | None = None
    web: Web = Web()
    concurrency: Concurrency = Concurrency()
    retention: Retention = Retention()


class ProbeSettings(Model):
    """What differs for one probe of an integration."""

    enabled: bool = True
    every: Duration | None = None
    timeout: Duration | None = None
    slow_after: Duration | None = None
    failures_before_down: int | None = Field(default=None, ge=1)
    warn_days: float | None = Field(default=None, gt=0)
    warn_below: float | None = Field(default=None, gt=0, lt=1)


class Maintenance(Model):
    """A planned window, in aware time. What is seen in it is kept and marked."""

    start: dt.datetime
    end: dt.datetime
    note: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Maintenance:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("start and end need a time zone, such as 2026-01-31T02:00:00Z")
        if self.end <= self.start:
            raise ValueError("end must be after start")
        return self


class Health(Model):
    """The generic provider's question without a credential."""

    path: str = Field(default="/", pattern=r"^/")
    status: tuple[StatusCode, ...] = (200,)
    pattern: Pattern | None = None
    json_schema: Mapping[str, Any] | None = None


class Identity(Health):
    """The generic provider's question with the credential. `refused`: what a bad one gets."""

    refused: tuple[StatusCode, ...] = (401,)


class Service(Model):
    """The generic provider, described wholly here."""

    title: str = "Generic HTTP API"
    auth: Literal["none", "bearer", "basic", "header", "query"] = "none"
    header: str = "Authorization"
    query: str | None = None
    health: Health = Health()
    identity: Identity | None = None
    rate_limit_headers: tuple[str, ...] = ()
    status_page: str | None = None


class IntegrationSettings(Network):
    """One team's use of a provider."""

    provider: Name
    environment: Environment = Environment.LIVE
    owner: str | None = None
    every: Duration = 60.0
    timeout: Duration = 10.0
    slow_after: Duration = 3.0
    failures_before_down: int = Field(default=3, ge=1)
    base_url: HttpUrl | None = None
    base_urls: Mapping[Name, HttpUrl] = {}
    provider_region: str | None = None
    credentials: Mapping[Name, Reference] = {}
    parameters: Mapping[Name, str] = {}
    probes: Mapping[ProbeKind, ProbeSettings] = {}
    maintenance: tuple[Maintenance, ...] = ()
    service: Service | None = None


IntegrationName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class Settings(Model):
    """The whole file. `path` is where it was read; None for settings that were made in memory."""

    suite: Suite = Suite()
    integrations: Mapping[IntegrationName, IntegrationSettings] = {}
    path: Path | None = Field(default=None, exclude=True)

    @property
    def folder(self) -> Path:
        """Relative paths in the settings start here."""
        return self.path.parent if self.path else Path.cwd()


def find(start: Path) -> Path | None:
    """`interlock.toml` in `start` or the nearest folder above it; None if there is none."""
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    return None


def load(path: Path) -> Settings:
    """Read and check a settings file. Raises `SettingsError` with every mistake at once."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise SettingsError((f"{path}: cannot be read: {exc}",)) from exc
    return parse(text, path)


def parse(text: str, path: Path) -> Settings:
    """Check the text of a settings file. Raises `SettingsError` with every mistake at once."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise SettingsError((f"{path}: {exc}",)) from exc
    try:
        return Settings.model_validate({**data, "path": path})
    except ValidationError as exc:
        raise SettingsError(
            tuple(f"{path}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors())
        ) from exc
