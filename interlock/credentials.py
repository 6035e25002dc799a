"""What an answer, or the credential itself, tells of the credential: who it is, what it may, when it ends. Pure.

`exp` of a JSON web token is read without checking its signature (RFC 7519, 4.1.4): it is our own token. The
dates of a key whose provider publishes a certificate for it are those of the certificate.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any

from interlock import findings
from interlock.answers import at_pointer
from interlock.catalogue import Tells
from interlock.records import CredentialFacts, Finding, Severity
from interlock.wire import Answer

# Days before the end at which to warn, and how loudly.
WARNINGS = ((1.0, Severity.CRITICAL), (7.0, Severity.ERROR), (30.0, Severity.WARNING))
DAY_SECONDS = 86400.0
# As Google advises: cloud.google.com, "Best practices for managing service account keys".
OLDEST_DAYS = 90.0
_FORMS = ("%Y-%m-%d %H:%M:%S %Z", "%Y-%m-%d %H:%M:%S %z")  # GitHub's header, both of its spellings
_EARLIEST, _LATEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC)


def read(
    tells: Tells | None,
    answer: Answer,
    secrets: Iterable[str],
    *,
    moments: Iterable[str] = (),
    parameters: Mapping[str, str] | None = None,
) -> CredentialFacts | None:
    """What is told; None if nothing is. Never raises for what a provider sent.

    `moments`: texts that say when the credential ends. `parameters`: what fills the places of pointers.
    """
    ends = [end for end in (*map(token_ends_at, secrets), *map(moment, moments)) if end is not None]
    if tells is None:
        return CredentialFacts(expires_at=min(ends), identity=None, scopes=None) if ends else None
    body = _body(answer)
    issued = None
    if (pem := published(tells, body, parameters or {})) is not None:
        issued, end = certificate_dates(pem)
        ends += [end] if end else []
    told = moment(answer.headers.get(tells.expires_header or "", None))
    told = told or moment(_value(tells.expires_pointer, body))
    ends += [told] if told else []
    facts = CredentialFacts(
        expires_at=min(ends, default=None),
        identity=_text(_value(tells.identity_pointer, body)),
        scopes=_scopes(_value(tells.scopes_pointer, body), answer.headers.get(tells.scopes_header or "")),
        issued_at=issued,
    )
    return facts if facts != CredentialFacts(expires_at=None, identity=None, scopes=None) else None


def published(tells: Tells | None, body: Any, parameters: Mapping[str, str]) -> str | None:
    """The certificate of our key, PEM, as the provider publishes it; None where it does not."""
    if tells is None or tells.certificate_pointer is None:
        return None
    try:
        found = at_pointer(tells.certificate_pointer.format_map(parameters), body)
    except KeyError:
        return None
    return found if isinstance(found, str) else None


def certificate_dates(pem: str) -> tuple[dt.datetime | None, dt.datetime | None]:
    """From when to when a PEM certificate holds; an end beyond 2200 means that it has none."""
    from cryptography import x509  # noqa: PLC0415 - slow to import, and needed for few providers

    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except ValueError:
        return None, None
    return start, end if end <= _LATEST else None


def aged(
    facts: CredentialFacts | None, now: dt.datetime, integration: str, oldest_days: float | None
) -> Finding | None:
    """A finding for a key that is older than it should become; None where its age is not told."""
    limit = OLDEST_DAYS if oldest_days is None else oldest_days
    if facts is None or facts.issued_at is None:
        return None
    days = (now - facts.issued_at).total_seconds() / DAY_SECONDS
    if days <= limit:
        return None
    return findings.make(
        "credential-age", Severity.WARNING, "credentials", integration=integration,
        promised=f"a key that is at most {limit:.0f} days old",
        seen=f"the key is {days:.0f} days old, of {facts.issued_at:%Y-%m-%d}",
        fix="issue a new key, put it where the settings refer to, and delete the old one",
    )  # fmt: skip


def moment(value: Any) -> dt.datetime | None:
    """A date as providers write it: RFC 3339, GitHub's header, epoch seconds; None for anything else, and for 0."""
    found = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        found = _epoch(value)
    elif isinstance(value, str) and value.strip():
        found = _written(value.strip())
    return found if found is not None and _EARLIEST <= found <= _LATEST else None


def _epoch(value: float) -> dt.datetime | None:
    try:
        return dt.datetime.fromtimestamp(value, dt.UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _written(text: str) -> dt.datetime | None:
    for form in _FORMS:
        try:
            found = dt.datetime.strptime(text, form)  # noqa: DTZ007 - `%Z` reads UTC and leaves it out
        except ValueError:
            continue
        return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def token_ends_at(secret: str) -> dt.datetime | None:
    """`exp` of a secret that is a JSON web token; None for any other."""
    parts = secret.split(".")
    if len(parts) != 3 or not secret.startswith("ey"):  # noqa: PLR2004 - RFC 7515, 3.1
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    return moment(claims.get("exp")) if isinstance(claims, dict) else None


def missing_scopes(facts: CredentialFacts | None, required: Iterable[str]) -> tuple[str, ...]:
    """The required scopes that the provider told us we lack; none where it tells no scopes."""
    if facts is None or facts.scopes is None:
        return ()
    return tuple(sorted(set(required) - set(facts.scopes)))


def ending(facts: CredentialFacts | None, now: dt.datetime, integration: str) -> Finding | None:
    """A finding for a credential that ends within 30 days: louder at 7, loudest at 1."""
    if facts is None or facts.expires_at is None:
        return None
    days = (facts.expires_at - now).total_seconds() / DAY_SECONDS
    severity = next((severity for limit, severity in WARNINGS if days <= limit), None)
    if severity is None:
        return None
    return findings.make(
        "credential-expiry",
        severity,
        "credentials",
        integration=integration,
        promised="a credential that stays valid",
        seen=f"the credential ends in {days:.0f} days, on {facts.expires_at:%Y-%m-%d}",
        fix="issue a new one and put it where the settings refer to",
    )


def _body(answer: Answer) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _value(pointer: str | None, body: Any) -> Any:
    return None if pointer is None or body is None else at_pointer(pointer, body)


def _text(value: Any) -> str | None:
    return (
        str(value)[:120]
        if isinstance(value, str | int) and not isinstance(value, bool) and value != ""
        else None
    )


def _scopes(listed: Any, header: str | None) -> tuple[str, ...] | None:
    """A JSON list of names, or names in a header parted by commas or blanks; None where nothing is told."""
    if isinstance(listed, list):
        return tuple(sorted({each for each in listed if isinstance(each, str)}))
    if isinstance(listed, Mapping):
        return tuple(sorted(f"{name}:{level}" for name, level in listed.items() if isinstance(level, str)))
    text = listed if isinstance(listed, str) else header
    return None if text is None else tuple(sorted({name for name in text.replace(",", " ").split() if name}))
