"""`interlock providers [NAME]`: the catalogue, and one provider's fact sheet with a source for every fact."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from interlock import catalogue, options
from interlock.called import provider_asked
from interlock.catalogue import (
    Ask,
    AuthWay,
    Base,
    Credential,
    DeclaredLimit,
    Provider,
    Refusal,
    Rule,
    Sourced,
)
from interlock.records import ProbeKind

SCHEMA = "interlock.providers/1"
# The schemes of signing in, in words.
SCHEMES = {
    "none": "not checked",
    "bearer": "token",
    "basic": "basic",
    "header": "header",
    "query": "query",
    "app_token": "app token",
    "oauth_client_credentials": "OAuth client",
    "oauth_refresh_token": "OAuth refresh",
    "sigv4": "SigV4",
    "google_service_account": "service account",
    "github_app": "app key",
    "introspection": "introspection",
    "sas": "signed URL",
}
PLAIN_WIDTH = 80
_INDENT = 2


@dataclass(frozen=True, slots=True)
class Line:
    """One fact in words. `source`, `attested`: None and False where the words are ours."""

    name: str
    words: str
    source: str | None = None
    verified: str | None = None
    attested: bool = False


def asked(provider: Provider) -> tuple[str, ...]:
    """The kinds of probe that a provider has; `tls` follows from its address, `status-page` from its page."""
    kinds = {ask.kind for ask in provider.probes} | ({ProbeKind.TLS} if provider.bases else set())
    kinds |= {ProbeKind.STATUS_PAGE} if provider.status_page else set()
    return tuple(kind.value for kind in ProbeKind if kind in kinds)


def ways(provider: Provider) -> tuple[str, ...]:
    """How one can sign in: the schemes, in the order in which they are tried, each once."""
    return tuple(dict.fromkeys(way.scheme for way in provider.auth.values()))


def _line(name: str, words: str, fact: Sourced) -> Line:
    verified = fact.verified.isoformat() if fact.verified else None
    return Line(name, words, fact.source, verified, fact.certainty == "attested")


def _base(base: Base) -> Line:
    where = ", ".join(part for part in (base.environment, base.region) if part and part != "any")
    return _line(base.name, base.url + (f"  ({where})" if where else ""), base)


def _credential(name: str, credential: Credential) -> Line:
    words = [credential.description, "public" if credential.public else "secret"]
    if credential.environment_names:
        words.append("often in " + ", ".join(credential.environment_names))
    if credential.pattern:
        words.append(f"looks like {credential.pattern}")
    return _line(name, "; ".join(words), credential)


def _way(name: str, way: AuthWay) -> Line:
    needs = " and ".join(way.credentials) or "nothing"
    asks = "asks" if way.scheme == "introspection" else "token from"
    token = f"; {asks} {way.token_path}" if way.token_path else ""
    return _line(name, f"{way.scheme}, needs {needs}{token}", way)


def _ask(ask: Ask) -> Line:
    statuses = ", ".join(map(str, ask.expect.status))
    words = [f"{ask.method} {ask.path}", f"good: {statuses}"]
    if ask.refusal:
        words.append(f"bad credential: {ask.refusal.status}")
    if ask.scope:
        lacking = sorted({status for rule in ask.scope for status in rule.status})
        words.append("permission lacking: " + ", ".join(map(str, lacking)))
    words.append("costs nothing" if ask.cost.free else f"costs {ask.cost.requests} of {ask.cost.bucket}")
    if ask.standing:
        words.append("tells " + ", ".join(standing.name for standing in ask.standing))
    if ask.auth:
        words.append("signed in by " + " or ".join(ask.auth))
    if ask.cannot_tell:
        words.append(f"cannot tell: {ask.cannot_tell}")
    if ask.read_only_because:
        words.append(f"writes nothing: {ask.read_only_because}")
    return _line(ask.kind.value, "; ".join(words), ask)


def _rule(name: str, rule: Rule) -> Line:
    words = ["status " + " or ".join(map(str, rule.status))]
    words += [f"{header} ~ {pattern}" for header, pattern in rule.headers.items()]
    if rule.pointer is not None:
        words.append(f"{rule.pointer} is " + " or ".join(map(str, rule.values)))
    if rule.pattern:
        words.append(f"body ~ {rule.pattern}")
    if rule.expired:
        words.append("it was good once")
    return _line(name, "; ".join(words), rule)


def _error(error: Refusal) -> Line:
    """What is wrong, where it matters for which service, and how it is answered."""
    answer, where = error.answer, f" of {error.service}" if error.service else ""
    where += f" at {error.path}" if error.path else ""
    body = answer.text or json.dumps(answer.body, ensure_ascii=False)
    return _line(error.to.replace("_", " "), f"status {answer.status}{where}: {body}", error)


def _declared(limit: DeclaredLimit) -> Line:
    where = "" if limit.environment == "any" else f", {limit.environment}"
    words = f"{limit.limit:g} {limit.unit} in {limit.window_seconds:g} s{where}"
    return _line(limit.bucket, words, limit)


def _limits(provider: Provider) -> Iterator[Line]:
    limits = provider.rate_limits
    told = "in headers: " + ", ".join(limits.dialects) if limits.dialects else "not in headers"
    told += "" if limits.tells else "; ordinary answers do not say what is left"
    told += "; may send Retry-After" if limits.retry_after else ""
    yield _line("told", told, limits)
    yield from (_rule("throttled", rule) for rule in limits.throttled)
    yield from (_declared(limit) for limit in limits.declared)


def _retry(provider: Provider) -> Iterator[Line]:
    if (retry := provider.retry) is None:
        return
    words = ["retry " + ", ".join(map(str, retry.statuses))] if retry.statuses else []
    words += ["never " + ", ".join(map(str, retry.never))] if retry.never else []
    key = retry.idempotency_header or retry.idempotency_field
    words += [f"repeat a write safely with {key}"] if key else []
    words += [f"{name}: {meaning}" for name, meaning in retry.headers.items()]
    yield _line("statuses", "; ".join(words), retry)


def _versions(provider: Provider) -> Iterator[Line]:
    if (versions := provider.versions) is None:
        return
    answered = f"; {versions.header} says which one answered" if versions.header else ""
    yield Line("pinned", f"by parameters.{versions.parameter}{answered}")
    for end in versions.ends:
        yield _line("end", f"{end.versions}: {end.said or 'until'} ({end.ends})", end)


def _webhooks(provider: Provider) -> Iterator[Line]:
    if (hooks := provider.webhooks) is None:
        return
    words = [f"signature {hooks.scheme}", f"answer {hooks.accepts}"]
    words += [f"within {hooks.timeout_seconds:g} s"] if hooks.timeout_seconds else []
    words += [f"not older than {hooks.tolerance_seconds:g} s"] if hooks.tolerance_seconds else []
    words += [f"headers {', '.join(hooks.headers)}"] if hooks.headers else []
    words += [f"repeated: {hooks.retries}"] if hooks.retries else []
    words += [f"handshake: {hooks.handshake}"] if hooks.handshake else []
    yield _line("delivery", "; ".join(words), hooks)
    if hooks.events:
        yield Line("events", ", ".join(hooks.events))


def sections(provider: Provider) -> Iterator[tuple[str, list[Line]]]:
    """The fact sheet: headings with their facts, the empty ones left out."""
    page = provider.status_page
    parts: Iterable[tuple[str, list[Line]]] = (
        ("Addresses", [_base(base) for base in provider.bases]),
        (
            "Parameters",
            [Line(n, f"{p.description}, such as {p.example}") for n, p in provider.parameters.items()],
        ),
        ("Credentials", [_credential(n, c) for n, c in provider.credentials.items()]),
        ("Signing in", [_way(n, w) for n, w in provider.auth.items()]),
        ("Probes", [_ask(ask) for ask in provider.probes]),
        ("Credential refused", [_rule("rule", rule) for rule in provider.auth_failed]),
        ("Errors", [_error(error) for error in provider.errors]),
        ("Rate limits", list(_limits(provider))),
        ("Retries", list(_retry(provider))),
        ("Status page", [_line(page.engine, page.url, page)] if page else []),
        ("API versions", list(_versions(provider))),
        ("Webhooks", list(_webhooks(provider))),
        ("Contracts", [_line(c.name or c.format, c.url, c) for c in provider.contracts]),
        ("Notes", [Line("", note) for note in provider.notes]),
    )
    return ((title, lines) for title, lines in parts if lines)


def _print_list(console: Console, providers: tuple[Provider, ...]) -> None:
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("Name", "Title"):
        table.add_column(title, no_wrap=True)
    table.add_column("Probes", width=23)
    table.add_column("Signing in", max_width=15)
    for each in providers:
        schemes = ", ".join(SCHEMES[way] for way in ways(each))
        table.add_row(each.name, each.title, " ".join(asked(each)), schemes)
    console.print(table)
    console.print()
    console.print("`interlock providers NAME` shows one of them with the source of every fact.", style="dim")


def _print_sheet(console: Console, provider: Provider) -> None:
    console.print(Text(f"{provider.title} ({provider.name}, {provider.category})", style="bold"))
    console.print(Text(provider.summary))
    console.print(Text(provider.documentation, style="dim"))
    for title, lines in sections(provider):
        console.print()
        console.print(Text(title, style="bold underline" if console.is_terminal else ""))
        for line in lines:
            _print_line(console, line)


def _print_line(console: Console, line: Line) -> None:
    words = Text()
    if line.name:
        words.append(line.name, style="cyan").append("  ")
    words.append(line.words)
    if line.attested:
        words.append("  [attested by third parties only]", style="yellow")
    console.print(Padding(words, (0, 0, 0, _INDENT)))
    if line.source:
        source = Text(f"source: {line.source} ({line.verified})", style="dim")
        console.print(Padding(source, (0, 0, 0, 2 * _INDENT)))


def _summary(provider: Provider) -> dict[str, Any]:
    return {
        "name": provider.name,
        "title": provider.title,
        "category": provider.category,
        "summary": provider.summary,
        "documentation": provider.documentation,
        "probes": list(asked(provider)),
        "auth": list(ways(provider)),
        "digest": provider.digest,
    }


def _json(providers: tuple[Provider, ...], name: str | None) -> str:
    """The list, or with a name the whole entry as the catalogue has it."""
    content: dict[str, Any] = {"schema": SCHEMA}
    if name is None:
        content["providers"] = [_summary(each) for each in providers]
    else:
        entry = catalogue.load(name).model_dump(mode="json", exclude={"schema_version"})
        content["provider"] = entry | {"kinds": list(asked(catalogue.load(name)))}
    return json.dumps(content, indent=2, ensure_ascii=False)


def _show(paint: Callable[[Console], None]) -> None:
    """On a terminal, its width and colours; piped, 80 columns of plain text without trailing blanks."""
    if sys.stdout.isatty():
        paint(Console(highlight=False, markup=False))
        return
    page = io.StringIO()
    paint(Console(file=page, width=PLAIN_WIDTH, highlight=False, markup=False, color_system=None))
    for line in page.getvalue().splitlines():
        click.echo(line.rstrip())


@click.command(name="providers")
@click.argument("name", required=False)
@options.config
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it."
)
def command(name: str | None, config: Path | None, form: str) -> None:
    """Show the catalogue, or one provider's fact sheet with the source of every fact.

    NAME is a provider, or an integration of interlock.toml, which stands for its provider.
    """
    name = provider_asked(name, config) if name else None
    providers = () if name else catalogue.load_all()
    if form == "json":
        click.echo(_json(providers, name))
    elif name is None:
        _show(lambda console: _print_list(console, providers))
    else:
        provider = catalogue.load(name)
        _show(lambda console: _print_sheet(console, provider))
