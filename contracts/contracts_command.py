"""`interlock contracts`: the contracts we know; `interlock contracts pull NAME` fetches and pins the provider's own."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from pathlib import Path

import click

from contracts.contract import FILE
from contracts.shelf import Known, Shelf
from interlock import catalogue, options
from interlock import settings as settings_module
from interlock.called import provider_called, provider_of
from interlock.output import number

SCHEMA = "interlock.contracts/1"


@click.group(invoke_without_command=True, short_help="List the contracts we know; fetch a provider's own.")
@options.form
@options.config
@click.pass_context
def group(ctx: click.Context, form: str, config: Path | None) -> int:
    """List the contracts that are known: our library's, those that were pulled and pinned, and the settings' own."""
    if ctx.invoked_subcommand is not None:
        return 0
    known = Shelf.of(settings_module.wanted(config)).known()
    if form == "json":
        entries = [
            {"name": each.name, "origin": each.origin, "source": each.source, "pinned": each.pinned}
            for each in known.values()
        ]
        click.echo(json.dumps({"schema": SCHEMA, "contracts": entries}, indent=2))
        return 0
    width = max(map(len, known), default=0)
    for each in known.values():
        click.echo(_line(each, width))
    if not known:
        click.echo("no contract is known; `interlock contracts pull NAME` fetches a provider's own", err=True)
    return 0


def _line(known: Known, width: int) -> str:
    if known.origin == FILE:
        return f"{known.name:<{width}} {known.origin:<8} {known.source}"
    if known.pinned is None:
        return f"{known.name:<{width}} {known.origin}"
    return f"{known.name:<{width}} {known.origin:<8} {known.pinned['sha256'][:12]}  {known.pinned['url']}"


def _root(config: Path | None) -> Path:
    """The folder of the settings that were named, else of the project around the working directory."""
    path = config or settings_module.find(Path.cwd())
    return path.parent if path else Path.cwd()


@group.command(short_help="Fetch a provider's own contract and pin it.")
@click.argument("name")
@click.option("--url", metavar="URL", help="Fetch it from here, not from the address in the catalogue.")
@options.config
@click.pass_context
def pull(ctx: click.Context, name: str, url: str | None, config: Path | None) -> int:
    """Fetch the contract of a provider, check that it can be read, and keep it with its digest.

    NAME is a provider, or an integration of interlock.toml, which stands for its provider; with --url any name.
    Where a provider has its contract in several documents, all of them are fetched and kept, or none; NAME.DOCUMENT
    fetches one alone (`interlock providers NAME` lists them).

    From then on `verify` uses it in place of our library's; documents of several are asked first, and our library's
    for what they leave out. Commit the folder `.interlock/contracts`. Those of AWS's services are taken from the
    installed botocore.
    """
    from contracts.pull import Document, documents, raw  # noqa: PLC0415 - the network, only now
    from contracts.pull import pull as fetch_and_pin  # noqa: PLC0415

    config = config or (ctx.parent.params["config"] if ctx.parent else None)
    stem, dot, part = name.partition(".")
    settings = None if stem in catalogue.names() else settings_module.wanted(config)
    asked: tuple[Document, ...]
    if url:
        asked = (Document(name=provider_called(name, settings), place=raw(url)),)
    else:
        asked = documents(f"{provider_of(stem, settings)}{dot}{part}")
    now = dt.datetime.now(dt.UTC)
    for known, contract in asyncio.run(fetch_and_pin(asked, _root(config), now=now)):
        assert known.pinned is not None
        click.echo(
            f"{contract.title} {contract.version}: {number(len(contract.operations), 'operation')}, {contract.format}"
        )
        click.echo(f"pinned as {known.path} ({known.pinned['bytes']} bytes, sha256 {contract.digest})")
    return 0
