"""What a signature check takes and gives: frozen records, and the ports for clock, keys and memory."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from interlock.secrets import Secret

_PROCESS_KEY = os.urandom(32)

DedupeSource = Literal["signed_id", "unsigned_id", "body_digest"]


class Refusal(StrEnum):
    """Why a delivery is not let in. Every reason has its own name."""

    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_DOWNGRADED = "signature_downgraded"  # only a weaker signature came, or one that policy forbids
    SIGNATURE_DUPLICATED = "signature_duplicated"
    SIGNATURE_MALFORMED = "signature_malformed"
    SIGNATURE_MISMATCH = "signature_mismatch"
    ALGORITHM_UNSUPPORTED = "algorithm_unsupported"
    TIMESTAMP_MISSING = "timestamp_missing"
    TIMESTAMP_MALFORMED = "timestamp_malformed"
    TIMESTAMP_STALE = "timestamp_stale"
    TIMESTAMP_FUTURE = "timestamp_future"
    ID_MISSING = "id_missing"
    REPLAYED = "replayed"
    BODY_EMPTY = "body_empty"
    BODY_MALFORMED = "body_malformed"
    BODY_UNSIGNED = "body_unsigned"
    BODY_DIGEST_MISMATCH = "body_digest_mismatch"
    BODY_TOO_LARGE = "body_too_large"
    URL_MALFORMED = "url_malformed"
    CERTIFICATE_URL_UNTRUSTED = "certificate_url_untrusted"
    CERTIFICATE_MALFORMED = "certificate_malformed"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_UNTRUSTED = "certificate_untrusted"
    KEY_UNAVAILABLE = "key_unavailable"  # it is to be fetched, and is not held (yet)
    KEY_MALFORMED = "key_malformed"  # what was fetched is not a set of keys
    KEY_UNKNOWN = "key_unknown"  # the token names a key that the provider does not publish
    TOKEN_MALFORMED = "token_malformed"  # noqa: S105 - the name of a reason
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - the name of a reason
    TOKEN_EARLY = "token_early"  # noqa: S105 - the name of a reason
    CLAIM_MISSING = "claim_missing"
    ISSUER_MISMATCH = "issuer_mismatch"
    AUDIENCE_MISMATCH = "audience_mismatch"
    ACCOUNT_MISMATCH = "account_mismatch"
    EMAIL_UNVERIFIED = "email_unverified"
    TOKEN_USE_MISMATCH = "token_use_mismatch"  # noqa: S105 - the name of a reason
    CREDENTIAL_MISSING = "credential_missing"
    CREDENTIAL_MISMATCH = "credential_mismatch"
    ORGANIZATION_MISMATCH = "organization_mismatch"
    TOPIC_MISMATCH = "topic_mismatch"
    TYPE_UNKNOWN = "type_unknown"
    SUBSCRIBE_URL_UNTRUSTED = "subscribe_url_untrusted"
    HANDSHAKE_MALFORMED = "handshake_malformed"
    HANDSHAKE_MISMATCH = "handshake_mismatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One request as it came: `headers` keeps order and duplicates, `body` the raw bytes, `url` the whole URL.

    `url` is the one that the provider was given, so behind a proxy it must be put together again.
    """

    method: str = "POST"
    url: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)

    def values(self, name: str) -> tuple[str, ...]:
        """Every value of a header, in order; names are compared without case."""
        wanted = name.lower()
        return tuple([value for key, value in self.headers if key.lower() == wanted])

    def with_headers(self, headers: Mapping[str, str]) -> Delivery:
        """The same with these headers set; earlier ones of the same name go."""
        names = {name.lower() for name in headers}
        kept = tuple(pair for pair in self.headers if pair[0].lower() not in names)
        return Delivery(method=self.method, url=self.url, headers=(*kept, *headers.items()), body=self.body)

    def with_body(self, body: bytes) -> Delivery:
        """The same with another body."""
        return Delivery(method=self.method, url=self.url, headers=self.headers, body=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class HmacShape:
    """A described HMAC, for a sender that no scheme here knows.

    `signed` is a template of `{body}` `{timestamp}` `{id}` `{method}` `{url}` and text between them.
    `prefix` stands before the signature in `header`. `timestamp_unit`: of the value in `timestamp_header`.
    """

    header: str
    prefix: str = ""
    algorithm: Literal["sha1", "sha256", "sha384", "sha512"] = "sha256"
    encoding: Literal["hex", "base64", "base64url"] = "hex"
    signed: str = "{body}"
    timestamp_header: str | None = None
    timestamp_unit: Literal["s", "ms"] = "s"
    id_header: str | None = None
    key_encoding: Literal["text", "hex", "base64"] = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What a receiver was configured with. A scheme reads what it needs and says what it misses.

    - `secrets`: shared secrets or static values; several during a rotation, and any of them fits.
      Mixpanel: `username:password`. Auth0: the whole value of the header.
    - `public_keys`: PEM or base64 DER (SendGrid); several during a rotation.
    - `roots`: PEM certificates that a fetched certificate must lead to, or be (PayPal; SNS if given).
    - `jwks`: a JSON Web Key Set as it was published; None: fetched from `jwks_url`, or the provider's own.
    - `issuers`, `audiences`: what a token's `iss` and `aud` may be. `account`: the service account's address.
    - `token_use`: which Cognito token is wanted.
    - `webhook_id`: PayPal's id of the receiver. `organization_id`: Salesforce's, 15 or 18 characters.
    - `verify_token`: what Facebook repeats in its handshake.
    - `header`, `query`: where a static value stands, if not at the scheme's own place.
    - `url`: the URL that the provider was given, where that of the request differs (Square, HubSpot, Twilio).
    - `shape`: the description of a generic HMAC.
    - `private_key` (PEM), `key_id`, `certificate_url`: for signing only.
    """

    secrets: tuple[Secret, ...] = ()
    public_keys: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    jwks: bytes | None = None
    jwks_url: str | None = None
    issuers: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    account: str | None = None
    token_use: Literal["id", "access"] | None = None
    webhook_id: str | None = None
    organization_id: str | None = None
    verify_token: Secret | None = None
    header: str | None = None
    query: str | None = None
    url: str | None = None
    shape: HmacShape | None = None
    private_key: Secret | None = None
    key_id: str | None = None
    certificate_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the receiver is strict about. Each scheme's default does what the provider's own verifier does.

    - `tolerance_seconds`: how old a signed time may be; None: any age.
    - `future_seconds`: how far a signed time may lie ahead of our clock; None: any distance.
    - `versions`: the scheme's versions that are let in (HubSpot v1 v2 v3; SNS 1 2; Twilio HMAC_SHA1
      HMAC_SHA256; PayPal SHA256withRSA); None: all that the scheme has.
    - `topics`: the topic ARNs that are ours (SNS); None: any, and AWS signs for all of its customers.
    - `origins`: who may ask for a handshake by OPTIONS (Event Grid).
    - `event_id`, `event_type`: where they stand, as the catalogue says it: a JSON pointer (`/*` for each
      member of a list), `header:NAME` or `form:NAME`; None: the scheme's own place.
    - `max_body_bytes`: a larger body is refused before anything is computed.
    """

    tolerance_seconds: float | None = None
    future_seconds: float | None = None
    versions: frozenset[str] | None = None
    topics: frozenset[str] | None = None
    origins: frozenset[str] = frozenset({"eventgrid.azure.net"})
    event_id: str | None = None
    event_type: str | None = None
    max_body_bytes: int = 32 * 1024 * 1024


def _nothing_held(_url: str) -> None:
    return None


def _never_seen(_token: str) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The world outside: `now` in epoch seconds, `held` what was fetched from a URL, `seen` a memory of tokens.

    `seen(token)` says whether the token came before; remembering is the caller's, after the commit.
    `fingerprint_key` keys the fingerprints of secrets; by default they hold for this process alone.
    """

    now: Callable[[], float]
    held: Callable[[str], bytes | None] = _nothing_held
    seen: Callable[[str], bool] = _never_seen
    fingerprint_key: bytes = field(default=_PROCESS_KEY, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the provider expects as the answer: status, headers, body."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check found. `reason` is None when, and only when, the delivery is accepted.

    - `signed_at`: the time that is signed, aware UTC; `age_seconds`: our clock less that time; None: none is.
    - `key_fingerprint`: of the key that fits: HMAC-SHA-256 (16 hex digits) of a secret under the port's key,
      `sha256:` and the digest of a public key, `kid:` and the name of a published one.
    - `version`: which variant of the scheme was used. `detail`: one sentence, without any secret.
    - `signed`: the bytes that the signature covers (hidden from `repr`: it holds the body).
      `came`: the signature as it came.
    - `event_ids`, `event_types`: of every event in the delivery; `id_signed`: whether the signature covers the id.
    - `replay_token`: what the memory is asked for, to be remembered (Mailgun).
    - `key_url`: where the key is published; with `KEY_UNAVAILABLE` or `KEY_UNKNOWN`, what to fetch.
    - `confirm_url`: what to GET to confirm a subscription (SNS), on the provider's host.
    - `answer`: what the provider expects, where 2xx is not enough.
    """

    scheme: str
    accepted: bool
    reason: Refusal | None
    detail: str = ""
    version: str | None = None
    signed_at: datetime | None = None
    age_seconds: float | None = None
    key_fingerprint: str | None = None
    signed: bytes | None = field(default=None, repr=False)
    came: str | None = field(default=None, repr=False)
    event_ids: tuple[str, ...] = ()
    event_types: tuple[str, ...] = ()
    id_signed: bool = False
    body_signed: bool = False
    body: bytes = field(default=b"", repr=False)
    replay_token: str | None = field(default=None, repr=False)
    key_url: str | None = None
    confirm_url: str | None = field(default=None, repr=False)
    answer: Answer | None = None

    @property
    def event_id(self) -> str | None:
        """The id of the one event; None if there is none, or several."""
        return self.event_ids[0] if len(self.event_ids) == 1 else None

    @property
    def event_type(self) -> str | None:
        """The type of the one event, or the one that all events share; else None."""
        return self.event_types[0] if len(set(self.event_types)) == 1 else None

    @property
    def signed_digest(self) -> str | None:
        """SHA-256 (hex) of what was signed; None if nothing is."""
        return None if self.signed is None else hashlib.sha256(self.signed).hexdigest()

    @property
    def body_digest(self) -> str:
        """SHA-256 (hex) of the raw body."""
        return hashlib.sha256(self.body).hexdigest()

    @property
    def dedupe_source(self) -> DedupeSource:
        """What `dedupe_key` is made of."""
        if not self.event_ids:
            return "body_digest"
        return "signed_id" if self.id_signed else "unsigned_id"

    @property
    def dedupe_key(self) -> str:
        """Equal for deliveries of the same events: the id, a digest of the ids, or the digest of the body."""
        if not self.event_ids:
            return f"sha256:{self.body_digest}"
        if len(self.event_ids) == 1:
            return self.event_ids[0]
        return f"sha256:{_digest_of(self.event_ids)}"


def _digest_of(ids: tuple[str, ...]) -> str:
    add = hashlib.sha256()
    for name in ids:
        raw = name.encode("utf-8", "surrogatepass")
        add.update(len(raw).to_bytes(8, "big") + raw)
    return add.hexdigest()
