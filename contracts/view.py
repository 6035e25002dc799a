"""One interaction laid out to be judged: what its rules read, each part worked out once and only if asked for."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, unquote, urlsplit

from contracts import values
from contracts.contract import Answer, Contract, Operation
from contracts.engine import Engine
from contracts.matching import Match, Matcher, selector_reader
from contracts.media import FORM, essence
from contracts.pointers import nodes
from contracts.values import Coercer
from interlock import findings
from interlock.records import Finding, Interaction, Location, Message, Severity
from interlock.redaction import Redactor

_LIKE_A_FORM = re.compile(rb"[\w.%-]{1,100}=")
# The statuses that say that the request itself is wrong (RFC 9110, 15.5; 422 is 15.5.21). 401, 403, 404 and 409 are
# given to requests that nobody looked into.
_WRONG_REQUEST = frozenset({400, 405, 406, 411, 413, 414, 415, 422})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """What holds for a whole run. `severities`: None is off. `now`: what ages are reckoned from.

    `old_after`: the age from which a recording is old. `complete`: the recordings show every header that was
    sent, so that a credential that is not there was not sent. `idempotency_header`: of a contract's provider.
    """

    severities: Mapping[str, Severity | None]
    now: dt.datetime
    redactor: Redactor
    old_after: dt.timedelta = dt.timedelta(days=365)
    complete: bool = False
    idempotency_header: Callable[[Contract], str | None] = lambda _: None


class Bench:
    """One contract, ready to judge by: its operations indexed, its schemas compiled when asked."""

    def __init__(self, contract: Contract, book: Rulebook) -> None:
        self.contract = contract
        self.book = book
        self.matcher = Matcher(contract)
        self.engine = Engine(contract)
        self.coercer = Coercer(contract.document)
        self.idempotency_header = book.idempotency_header(contract)
        self.secrets_in_query = frozenset(s.field for s in contract.schemes.values() if s.kind == "query")

    @functools.cached_property
    def one_way(self) -> frozenset[str]:
        """Which of `readOnly` and `writeOnly` the contract marks members with."""
        found: set[str] = set()
        for node in nodes(self.contract.document) if self.contract.directional else ():
            found |= {name for name in _ONE_WAY if node.get(name) is True}
            if len(found) == len(_ONE_WAY):
                break
        return frozenset(found)


class View:
    """One interaction before one contract. Rules add `findings`, and `unjudged` what could not be looked into.

    `readable`: whether its URL is one. `as_get`: whether it is a HEAD that is held against what GET promises.
    `form_in_query`: whether it is a GET whose query is the form that the operation promises.
    """

    def __init__(self, interaction: Interaction, bench: Bench) -> None:
        self.interaction = interaction
        self.bench = bench
        self.findings: list[Finding] = []
        self.unjudged: list[str] = []
        split = _split(interaction.url)
        self.readable = split is not None
        self.url: SplitResult = split or _NO_URL
        self.path: str = bench.matcher.located((self.url.hostname or "").lower(), self.url.path or "/")
        self.as_get = self.form_in_query = False
        self.match: Match | None = self._match() if self.readable else None

    @property
    def contract(self) -> Contract:
        """What was promised."""
        return self.bench.contract

    @property
    def operation(self) -> Operation:
        """The operation; only where there is a match."""
        assert self.match is not None
        return self.match.operation

    @functools.cached_property
    def request_headers(self) -> Mapping[str, str]:
        """By lower-case name; several of one name are one, as HTTP has it."""
        return joined(self.interaction.request)

    @functools.cached_property
    def response_headers(self) -> Mapping[str, str]:
        """The same of the answer."""
        return joined(self.interaction.response) if self.interaction.response else {}

    @functools.cached_property
    def query_pairs(self) -> list[tuple[str, str]]:
        """The query, decoded; the first of its fields where it is cut."""
        query = self.url.query
        return values.pairs("&".join(query.split("&", values.MAX_FIELDS)[:-1]) if self.query_cut else query)

    @property
    def query_cut(self) -> bool:
        """Whether the query has more fields than are looked at, so that what is not there may be beyond."""
        return self.url.query.count("&") >= values.MAX_FIELDS

    @functools.cached_property
    def query(self) -> dict[str, list[str]]:
        """Its values by name."""
        return values.grouped(self.query_pairs)

    @functools.cached_property
    def answer(self) -> Answer | None:
        """What is promised for the status that came; None where nothing is."""
        status = self.interaction.status
        found = None if status is None else self.operation.answer(status)
        if self.is_part and (found is None or found.status == "default"):
            return self.operation.answer(_WHOLE) or found
        return found

    @property
    def is_part(self) -> bool:
        """Whether it is the part that the client asked for of what would else have come (RFC 9110, 14 and 15.3.7)."""
        return self.interaction.status == _PART and "range" in self.request_headers

    @property
    def may_be_form(self) -> bool:
        """Whether the query may be a form: AWS takes by GET in the query what it takes by POST in a form."""
        return self.interaction.method.upper() == "GET" and ("form", "Action") in self.bench.matcher.beside

    @property
    def refused(self) -> bool:
        """Whether the provider itself called the request wrong: what was wrong with it was answered."""
        return self.interaction.status in _WRONG_REQUEST

    def _match(self) -> Match | None:
        form = functools.cache(self._form)
        first = {name: texts[0] for name, texts in self.query.items()}
        read = selector_reader(first, self.request_headers, form)
        method, find = self.interaction.method.upper(), self.bench.matcher.find
        found = find(method, self.path, read)
        if found is None and method == "HEAD":
            # What is promised for GET holds for HEAD too, but for its body (RFC 9110, 9.3.2).
            if (found := find("GET", self.path, read)) is not None:
                self.as_get = True
                return replace(found, operation=replace(found.operation, method=method))
        elif found is None and self.may_be_form:
            found = find("POST", self.path, selector_reader(first, self.request_headers, lambda: first))
            self.form_in_query = found is not None
        return found

    def _form(self) -> Mapping[str, str]:
        """The fields of the body; also where its header says something else, which is then the finding."""
        body = self.interaction.request.body or b""
        if essence(self.request_headers.get("content-type", "")) != FORM and not _LIKE_A_FORM.match(body):
            return {}
        try:
            return dict(values.pairs(body.decode("utf-8", "replace")))
        except ValueError:
            return {}

    def add(  # noqa: PLR0913 - the fields of a finding
        self,
        rule: str,
        subject: str,
        pointer: str,
        contract_pointer: str | None,
        *,
        promised: str | None = None,
        seen: str | None = None,
        fix: str | None = None,
        at_most: Severity | None = None,
    ) -> None:
        """A finding by a rule, unless it is off. `at_most`: lowers its severity for this once."""
        severity = self.bench.book.severities.get(rule)
        if severity is None:
            return
        if at_most is not None and _RANK[severity] > _RANK[at_most]:
            severity = at_most
        self.findings.append(
            finding_at(
                rule,
                severity,
                subject,
                self.interaction,
                pointer=pointer,
                contract_pointer=contract_pointer,
                promised=promised,
                seen=self.bench.book.redactor.text(seen) if seen else seen,
                fix=fix,
                source=self.contract.source,
            )
        )


_WHOLE, _PART = 200, 206
_ONCE = frozenset({"content-type"})
_NO_URL = SplitResult("", "", "", "", "")
_ONE_WAY = ("readOnly", "writeOnly")
_RANK = {severity: rank for rank, severity in enumerate(reversed(findings.WORST_FIRST))}


def finding_at(  # noqa: PLR0913 - the fields of a finding
    rule: str,
    severity: Severity,
    subject: str,
    interaction: Interaction,
    *,
    pointer: str | None = None,
    contract_pointer: str | None = None,
    promised: str | None = None,
    seen: str | None = None,
    fix: str | None = None,
    source: str | None = None,
) -> Finding:
    """A finding at a place of an interaction."""
    where = interaction.source
    place = Location(
        file=where.file,
        line=where.line,
        interaction=where.index,
        message_pointer=pointer,
        contract_pointer=contract_pointer,
    )
    return findings.make(
        rule,
        severity,
        subject,
        location=place,
        promised=promised,
        seen=seen,
        fix=fix,
        source=source,
        told_apart_by=promised or "",
    )


def joined(message: Message) -> dict[str, str]:
    """Header fields by lower-case name."""
    found: dict[str, str] = {}
    for name, text in message.headers:
        key, value = name.lower(), text.strip(" \t")
        if key not in found:
            found[key] = value
        elif key not in _ONCE or found[key] != value:  # some recorders keep it twice
            found[key] = f"{found[key]}, {value}"
    return found


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises where it is wrong
    except ValueError:
        return None
    return parts


def decoded(text: str) -> str:
    """A step of a path without its percent-encoding."""
    return unquote(text)


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names for a text, not too many."""
    found = list(names)
    return ", ".join(found[:most]) + (f" and {len(found) - most} more" if len(found) > most else "")
