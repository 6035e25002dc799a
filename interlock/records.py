"""The frozen records that every room shares: aware UTC, seconds as float, None for what is not known."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """What one answer means. `DOWN` belongs to a `Status` alone: no single answer can claim it."""

    OPERATIONAL = "operational"
    DEGRADED = "degraded"
    THROTTLED = "throttled"
    AUTH_FAILED = "auth_failed"
    FAILING = "failing"
    UNKNOWN = "unknown"
    DOWN = "down"


class Reason(StrEnum):
    """Why an outcome has its state."""

    OK = "ok"
    PUBLIC_FACE = "public_face"  # refused us without a credential, as a live service does
    SLOW = "slow"
    ERROR_IN_BODY = "error_in_body"
    SHAPE = "shape"  # the body is not what catalogue or contract promises
    UNEXPECTED_STATUS = "unexpected_status"
    REDIRECT = "redirect"
    SCOPE = "scope"  # the credential is valid, but may not do this
    RATE_LIMITED = "rate_limited"
    QUOTA_EXHAUSTED = "quota_exhausted"
    LOW_HEADROOM = "low_headroom"
    PROVIDER_INCIDENT = "provider_incident"  # its own status page says so
    PROVIDER_MAINTENANCE = "provider_maintenance"
    BAD_CREDENTIAL = "bad_credential"
    EXPIRED_CREDENTIAL = "expired_credential"
    CREDENTIAL_EXPIRES = "credential_expires"
    ACCOUNT = "account"  # the account itself is restricted, under review, or about to run dry
    WEBHOOK_ENDPOINT = "webhook_endpoint"  # what is registered at the provider is not what we want
    API_VERSION = "api_version"  # the version that we pin has ended, or is about to
    SERVER_ERROR = "server_error"
    DNS = "dns"
    CONNECT = "connect"
    PROXY = "proxy"
    TLS = "tls"
    CERTIFICATE_INVALID = "certificate_invalid"
    CERTIFICATE_EXPIRES = "certificate_expires"
    TIMEOUT = "timeout"
    PROTOCOL = "protocol"
    NOT_CONFIGURED = "not_configured"  # the settings lack something, or an extra is not installed
    WRONG_MODE = "wrong_mode"  # a live key in the sandbox, or the other way round
    OFFLINE = "offline"  # it is our own connection
    NO_CREDENTIAL = "no_credential"
    NOT_TOLD = "not_told"  # the provider does not tell
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    LATE = "late"  # a job that reports in was not heard in time
    JOB_FAILED = "job_failed"
    INTERNAL = "internal"  # our own mistake; never the provider's fault


class ProbeKind(StrEnum):
    """The questions that can be asked of an integration."""

    REACHABILITY = "reachability"
    CREDENTIAL = "credential"
    HEADROOM = "headroom"
    TLS = "tls"
    STATUS_PAGE = "status-page"
    CONTRACT = "contract"
    WEBHOOK_ENDPOINT = "webhook-endpoint"
    ACCOUNT = "account"
    HEARTBEAT = "heartbeat"


class Environment(StrEnum):
    """Which of the provider's worlds was asked."""

    LIVE = "live"
    SANDBOX = "sandbox"
    STAND_IN = "stand_in"


class Severity(StrEnum):
    """How much a finding matters."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Verdict(StrEnum):
    """What a piece of evidence settles."""

    PROVEN = "proven"
    FAILED = "failed"
    UNPROVEN = "unproven"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Headroom:
    """How much of one rate limit is left, for one credential and one bucket.

    `limit`, `remaining`: in `unit` (requests, messages, bytes, percent, concurrent); None where not told.
    `window_seconds`: length of the window. `reset_at`: when `remaining` is whole again.
    `source`: header, endpoint, declared or observed. `confidence`: high or low. `seen_at`: when it was told.
    `used`: where that is told, in `unit`. `told_by`: the dialect or quota body that it was read with.
    `burn_per_second`: how fast it has gone down over the last observations; None before there are two.
    """

    credential_fingerprint: str | None
    bucket: str
    unit: str
    limit: float | None
    remaining: float | None
    window_seconds: float | None
    reset_at: dt.datetime | None
    source: str
    confidence: str
    seen_at: dt.datetime
    used: float | None = None
    told_by: str | None = None
    burn_per_second: float | None = None

    @property
    def ratio(self) -> float | None:
        """The part that is left, 0 to 1; None where limit or remaining is not known."""
        if self.limit is None or self.remaining is None or self.limit <= 0:
            return None
        return max(0.0, min(1.0, self.remaining / self.limit))


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where exactly a finding is."""

    file: str | None = None
    line: int | None = None
    interaction: int | None = None
    message_pointer: str | None = None
    contract_pointer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A broken promise. `fingerprint` is stable from run to run, for baselines; `seen` is redacted."""

    fingerprint: str
    rule: str
    severity: Severity
    integration: str | None
    subject: str
    location: Location = Location()
    promised: str | None = None
    seen: str | None = None
    fix: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialFacts:
    """What the provider, or the credential itself, tells of a credential; None for what is not told.

    `identity`: whose it is, as the provider names it. `scopes`: what it may do; an empty one may do nothing.
    `issued_at`: since when it is good.
    """

    expires_at: dt.datetime | None
    identity: str | None
    scopes: tuple[str, ...] | None
    issued_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The dated answer to one probe.

    `slot`: scheduled epoch second, None if asked by hand. `duration_seconds`: None if nothing was asked.
    `phases`: seconds by name (dns, connect, tls, first_byte, total). `detail`: one redacted sentence.
    `retry_at`: when the provider asked us to come back. `region`: where the probe ran.
    """

    id: str
    integration: str
    provider: str
    environment: Environment
    probe: ProbeKind
    region: str
    slot: int | None
    started_at: dt.datetime
    duration_seconds: float | None
    phases: Mapping[str, float] = field(default_factory=dict)
    state: State
    reason: Reason
    detail: str
    status_code: int | None = None
    retry_at: dt.datetime | None = None
    in_maintenance: bool = False
    headrooms: tuple[Headroom, ...] = ()
    findings: tuple[Finding, ...] = ()
    certificate_expires_at: dt.datetime | None = None
    credential: CredentialFacts | None = None
    catalogue_digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The de-bounced state of one probe of one integration in one region.

    `since`: when this state began. `failures`: failing answers in a row. `last`: the outcome seen last.
    """

    state: State
    since: dt.datetime
    failures: int
    last: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What settles one checklist item, with its own denominators.

    `covered` of `universe` was exercised; `not_exercised` is the rest. `expires_at`: evidence goes stale.
    `digest`: SHA-256 over the canonical JSON of the other fields. `signature`: None where no key is set.
    """

    id: str
    schema: str
    integration: str
    item: str
    verdict: Verdict
    kind: str
    origin: str
    subject_revision: str | None
    contract_digest: str | None
    tool_version: str
    covered: tuple[str, ...]
    universe: tuple[str, ...]
    not_exercised: tuple[str, ...]
    finding_ids: tuple[str, ...]
    produced_at: dt.datetime
    expires_at: dt.datetime | None
    digest: str
    signature: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One side of an interaction. `body_state`: full, redacted, truncated or absent."""

    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    body_state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where an interaction was read: its file, format, index in it and line."""

    file: str
    format: str
    index: int
    line: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One recorded request with its response, from any cassette format. What the format lacks is None."""

    source: Source
    method: str
    url: str
    request: Message
    status: int | None
    response: Message | None
    error: str | None
    http_version: str | None
    recorded_at: dt.datetime | None
    elapsed_seconds: float | None
    origin: str | None
    extras: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One webhook delivery. `raw_ref` names the private row that holds the raw bytes.

    `dedupe_source`: signed_id, unsigned_id or body_digest. `state`: received, queued, forwarded or dead.
    """

    id: str
    integration: str
    scheme: str
    received_at: dt.datetime
    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    raw_ref: str | None
    event_id: str | None
    event_type: str | None
    dedupe_key: str
    dedupe_source: str
    verdict: str
    reason: str
    key_fingerprint: str | None
    state: str
    attempts: int
    next_attempt_at: dt.datetime | None
    answered_status: int | None
    ack_seconds: float | None


def plain(value: Any) -> Any:
    """Turn a record into JSON-ready values: dates as RFC 3339 in UTC, enums as text, tuples as lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        return [plain(v) for v in value]
    return value
