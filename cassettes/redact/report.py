"""Hits as findings: what each rule means, how much it matters, what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cassettes.redact.files import Looked
from cassettes.redact.sources import Piece
from interlock import findings
from interlock.records import Finding, Location, Severity

_SAID = {
    "secret-authorization": "a credential in an authorization header",
    "secret-cookie": "the value of a cookie",
    "secret-set-cookie": "the value of a cookie",
    "secret-field": "a value whose name says that it is secret",
    "secret-signature": "a signature",
    "secret-url-password": "user and password in a URL",
    "secret-private-key": "a private key",
    "secret-json-web-token": "a JSON web token",
    "secret-known": "a secret that the settings name",
    "personal-email": "a mail address",
    "personal-phone": "a telephone number",
    "personal-card": "a card number",
    "personal-iban": "a bank account number",
    "personal-name": "a person's name",
    "personal-address": "a postal address",
    "personal-birth-date": "a date of birth",
    "personal-national-id": "a national identity number",
}
_REPLACE = "replace the secret where it is valid: it has been written down; then take it out"
_SCRUB = "`interlock scrub` takes it out"


def said(rule: str) -> str:
    """What a rule found, in words."""
    return _SAID.get(rule) or f"what looks like a {rule.removeprefix('secret-').replace('-', ' ')}"


def severity(rule: str) -> Severity:
    """A secret is an error; personal data, and a signature, which opens nothing by itself, a warning."""
    return Severity.WARNING if rule.startswith("personal-") or rule == "secret-signature" else Severity.ERROR


def of(piece: Piece, looked: Looked) -> Iterator[Finding]:
    """The findings of one text. The same rule at the same place is told apart by how often it was there before."""
    seen: Counter[tuple[str, str]] = Counter()
    for hit in looked.hits:
        number = seen[hit.rule, hit.place]
        seen[hit.rule, hit.place] += 1
        within = f" in commit {piece.commit[:12]}" if piece.commit else ""
        personal = hit.rule.startswith("personal-")
        yield findings.make(
            hit.rule,
            severity(hit.rule),
            said(hit.rule) + within,
            location=Location(file=piece.name, line=hit.line, message_pointer=hit.place or None),
            fix=_SCRUB if personal or looked.kind != "text" else _REPLACE,
            told_apart_by=str(number),
        )
