"""Why a signature fits or fails: what was signed, with which key, how old, and the likely mistake. Pure.

A mistake is likely if the delivery would be let in without it: the body in another spelling, the URL as the
provider knew it, another secret. What is tried is a closed list, and none of it makes anything be let in.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from contracts.webhooks.configure import Receiver
from contracts.webhooks.records import Checked, Delivery, Keys, Policy, Ports, Refusal
from contracts.webhooks.schemes import SCHEMES
from contracts.webhooks.signatures import sign, verify
from interlock.errors import UsageError
from interlock.secrets import Secret, fingerprint

HOUR_SECONDS = 3600.0
_ANY_TIME = {"tolerance_seconds": None, "future_seconds": None}
_MISMATCHES = frozenset(
    {
        Refusal.SIGNATURE_MISMATCH,
        Refusal.SIGNATURE_MALFORMED,
        Refusal.SIGNATURE_MISSING,
        Refusal.BODY_DIGEST_MISMATCH,
        Refusal.BODY_UNSIGNED,
        Refusal.BODY_MALFORMED,
        Refusal.CREDENTIAL_MISMATCH,
    }
)
_SIGNATURE_WORDS = ("signature", "hmac", "authorization", "webhook", "hub-")


@dataclass(frozen=True, slots=True)
class Explained:
    """Everything that is known of one check. `likely`: the mistake without which it would be let in; else None.

    `expected`, `came`: signatures, where one can be computed. `fix`: what to do about the mistake. `key`: the
    reference of the secret that fits; None for other keys, and where none does.
    """

    checked: Checked
    expected: str | None
    likely: str | None
    fix: str | None
    key: str | None = None

    def steps(self) -> list[tuple[str, str]]:
        """The check as name and words, in its order; what is not known is left out."""
        checked = self.checked
        found = [
            ("scheme", checked.scheme + (f", {checked.version}" if checked.version else "")),
            ("signed", _signed(checked)),
            ("signed at", _at(checked)),
            ("key", self._key()),
            ("came", checked.came or ""),
            ("expected", self.expected or ""),
            ("event", ", ".join([*checked.event_types[:3], *checked.event_ids[:3]])),
            ("taken once by", f"{checked.dedupe_source}: {checked.dedupe_key}" if checked.accepted else ""),
        ]
        return [(name, words) for name, words in found if words]

    def _key(self) -> str:
        """Which key fits: a secret by its reference, what the provider signs with by its fingerprint."""
        if self.checked.reason in {Refusal.SIGNATURE_MISMATCH, Refusal.CREDENTIAL_MISMATCH}:
            return "no configured key fits"
        return self.key or self.checked.key_fingerprint or ""


def explain(
    receiver: Receiver, delivery: Delivery, ports: Ports, others: Mapping[str, Secret] | None = None
) -> Explained:
    """Check a delivery and say why. `others`: secrets of other receivers, by name, that may be the right one."""
    checked = verify(receiver.scheme, delivery, receiver.keys, ports, receiver.policy)
    likely = _mistake(receiver, delivery, ports, checked, others or {})
    said, fix = likely or (None, None)
    expected = _expected(receiver, delivery, ports, checked)
    return Explained(checked, expected, said, fix, _name(checked, receiver.keys.secrets, ports))


def _name(checked: Checked, secrets: tuple[Secret, ...], ports: Ports) -> str | None:
    known = {fingerprint({"secret": each.reveal()}, ports.fingerprint_key): each.name for each in secrets}
    return known.get(checked.key_fingerprint or "")


def _signed(checked: Checked) -> str:
    covers = ", ".join(sorted(SCHEMES[checked.scheme].signs))
    if checked.signed is None:
        return f"covers {covers or 'nothing: the sender shows a static value'}"
    return f"{len(checked.signed)} bytes ({covers}), SHA-256 {checked.signed_digest}"


def _at(checked: Checked) -> str:
    if checked.signed_at is None or checked.age_seconds is None:
        return ""
    age = checked.age_seconds
    where = f"{age:.0f} s ago" if age >= 0 else f"{-age:.0f} s ahead of our clock"
    return f"{checked.signed_at:%Y-%m-%d %H:%M:%S} UTC, {where}"


def _expected(receiver: Receiver, delivery: Delivery, ports: Ports, checked: Checked) -> str | None:
    """What the first configured secret gives for the same bytes; None for schemes that sign with a private key."""
    if not receiver.keys.secrets or checked.signed is None or checked.accepted:
        return None
    at = checked.signed_at.timestamp() if checked.signed_at else ports.now()
    try:
        version = checked.version if checked.version in SCHEMES[receiver.scheme].versions else None
        again = sign(receiver.scheme, delivery, receiver.keys, at=at, version=version)
    except (UsageError, ValueError):
        return None
    found = verify(receiver.scheme, again, receiver.keys, ports, _timeless(receiver.policy))
    return found.came if found.signed == checked.signed else None


def _timeless(policy: Policy) -> Policy:
    return dataclasses.replace(policy, **_ANY_TIME)  # type: ignore[arg-type]


# --- the likely mistake ---


@dataclass(frozen=True, slots=True)
class _Try:
    """One change: if the delivery is let in with it, `said` is the mistake and `fix` what to do."""

    said: str
    fix: str
    delivery: Delivery
    keys: Keys


def _mistake(
    receiver: Receiver, delivery: Delivery, ports: Ports, checked: Checked, others: Mapping[str, Secret]
) -> tuple[str, str] | None:
    if checked.reason in {Refusal.TIMESTAMP_STALE, Refusal.TIMESTAMP_FUTURE}:
        return _clock(checked)
    if checked.reason not in _MISMATCHES:
        return None
    policy = _timeless(receiver.policy)
    for each in _tries(receiver, delivery, others):
        try:
            found = verify(receiver.scheme, each.delivery, each.keys, ports, policy)
        except UsageError:
            continue
        if found.accepted:
            return each.said, each.fix
    return _missing_header(receiver, delivery) if checked.reason is Refusal.SIGNATURE_MISSING else None


def _clock(checked: Checked) -> tuple[str, str]:
    age = checked.age_seconds or 0.0
    hours = round(age / HOUR_SECONDS)
    if hours and abs(age - hours * HOUR_SECONDS) < HOUR_SECONDS / 12:
        return (
            f"the signature fits, and its time is about {hours} h off: a clock is set to local time",
            "set both clocks to UTC by NTP",
        )
    if age < 0:
        return "the signature fits, and our clock is behind the sender's", "keep this machine's time by NTP"
    return (
        "the signature fits, and the delivery is old: it was queued on the way, or is played again",
        "check the clock and the queue before the receiver; do not widen the tolerance to let replays in",
    )


def _tries(receiver: Receiver, delivery: Delivery, others: Mapping[str, Secret]) -> Iterator[_Try]:
    keys = receiver.keys
    for name, secret in others.items():
        said = f"the secret of {name} fits: this is its delivery, or the secrets are swapped"
        yield _Try(said, "give the receiver the secret of this very endpoint", delivery, _only(keys, secret))
    for said, secret in _secret_spellings(keys.secrets):
        yield _Try(said, "store the secret exactly as the provider shows it", delivery, _only(keys, secret))
    for said, body in _body_spellings(delivery.body):
        fix = "verify the raw bytes of the request, before anything parses or rewrites them"
        yield _Try(said, fix, delivery.with_body(body), keys)
    for said, url in _url_spellings(delivery, keys.url):
        moved = dataclasses.replace(keys, url=url)
        yield _Try(said, f"verify with the URL that the provider was given: {_shown(url)}", delivery, moved)
    for said, changed in _signature_spellings(delivery):
        yield _Try(said, "pass the signature header on unchanged", changed, keys)


def _only(keys: Keys, secret: Secret) -> Keys:
    return dataclasses.replace(keys, secrets=(secret,))


def _secret_spellings(secrets: tuple[Secret, ...]) -> Iterator[tuple[str, Secret]]:
    for secret in secrets:
        text = secret.reveal()
        bare = text.strip().strip("\"'")
        if bare != text:
            yield "the secret is stored with quotes or blanks around it", Secret(bare, name=secret.name)
        for prefix in ("whsec_", "sha256="):
            if bare.startswith(prefix):
                cut = Secret(bare.removeprefix(prefix), name=secret.name)
                yield f"the sender signs with the secret without its {prefix}", cut
            else:
                yield f"the secret's {prefix} was cut off", Secret(prefix + bare, name=secret.name)
        for said, key in _decoded(bare):
            yield said, Secret(key, name=secret.name)
        yield "a line break belongs to the secret's end", Secret(bare + "\n", name=secret.name)


def _decoded(text: str) -> Iterator[tuple[str, str]]:
    with contextlib.suppress(ValueError, binascii.Error):
        decoded = base64.b64decode(text, validate=True).decode()
        yield "the sender signs with the decoded secret (base64)", decoded
    encoded = base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()
    yield "the sender signs with the secret in base64", encoded


def _body_spellings(body: bytes) -> Iterator[tuple[str, bytes]]:
    stripped = body.rstrip(b"\r\n")
    for ending in (b"\n", b"\r\n", b""):
        original = stripped + ending
        if original != body:
            lost = len(original) > len(body)
            said = "the body lost the line break at its end" if lost else "a line break was added to the body"
            yield said, original
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return
    said = "the body was parsed and written again: what came is not what was signed"
    for text in _json_spellings(data):
        for tail in ("", "\n", "\r\n"):
            if (written := (text + tail).encode("utf-8", "surrogatepass")) != body:
                yield said, written


def _json_spellings(data: Any) -> Iterator[str]:
    for separators in ((",", ":"), (", ", ": ")):
        for ascii_only in (False, True):
            for sort in (False, True):
                yield json.dumps(data, separators=separators, ensure_ascii=ascii_only, sort_keys=sort)
    for indent in (2, 4):
        for ascii_only in (False, True):
            yield json.dumps(data, indent=indent, ensure_ascii=ascii_only)


def _url_spellings(delivery: Delivery, configured: str | None) -> Iterator[tuple[str, str]]:
    said = "the URL that was signed is not the one that was checked: a proxy, a port or a slash lies between"
    known = configured or delivery.url
    for url in dict.fromkeys((delivery.url, known)):
        for changed in _moved(url, delivery):
            if changed != known:
                yield said, changed


def _moved(url: str, delivery: Delivery) -> Iterator[str]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return
    forwarded = [host for name in ("x-forwarded-host", "host") for host in delivery.values(name)]
    bare = parts.hostname or ""
    ports = [f"{bare}:{each}" for each in (port, 443, 80, 8443, 8080) if each]
    hosts = dict.fromkeys((parts.netloc, bare, *forwarded, *ports))
    path = parts.path.rstrip("/")
    for scheme in ("https", "http"):
        for host in hosts:
            for each in dict.fromkeys((parts.path, path, f"{path}/")):
                for query in dict.fromkeys((parts.query, "")):
                    yield urlunsplit((scheme, host, each, query, ""))


def _shown(url: str) -> str:
    """Without its query, which may hold a token."""
    return urlunsplit((*urlsplit(url)[:3], "", ""))


def _signature_spellings(delivery: Delivery) -> Iterator[tuple[str, Delivery]]:
    for name, value in delivery.headers:
        if not any(word in name.lower() for word in _SIGNATURE_WORDS):
            continue
        for said, text in _respelled(value.strip()):
            yield said, delivery.with_headers({name: text})


def _respelled(value: str) -> Iterator[tuple[str, str]]:
    bare = value.partition("=")[2] if value.startswith(("sha256=", "sha1=")) else value
    for prefix in ("sha256=", "v1=", "v1,"):
        if not value.startswith(prefix):
            yield f"the signature's {prefix} was cut off", prefix + bare
    yield "the signature carries a prefix that does not belong to it", bare
    yield "the signature was written in capitals", value.lower()
    for said, raw in (("base64", _unbase64(bare)), ("hexadecimal", _unhex(bare))):
        if raw is None:
            continue
        other = raw.hex() if said == "base64" else base64.b64encode(raw).decode()
        wanted = "hexadecimal" if said == "base64" else "base64"
        for prefix in ("", "sha256=", "v1,"):
            yield f"the signature came in {said}, and {wanted} is meant", prefix + other


def _unbase64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) or None
    except (ValueError, binascii.Error):
        return None


def _unhex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text) or None
    except ValueError:
        return None


def _missing_header(receiver: Receiver, delivery: Delivery) -> tuple[str, str]:
    """The names that are there say what the proxy before the receiver lets through."""
    names = sorted({name for name, _ in delivery.headers})
    shown = ", ".join(names[:12]) or "none at all"
    said = f"the signature's header did not arrive; headers that did: {shown}"
    return said, f"have the proxy pass on what {receiver.title} sends, and check that signing is switched on"
