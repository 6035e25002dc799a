"""`interlock init`: find the services a project uses and write a settings file that teaches."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

FILE_NAME = "interlock.toml"
SCHEMA_NAME = "interlock.schema.json"
_SHOWN_SIGNS = 6

_HEAD = f"""\
#:schema ./{SCHEMA_NAME}
# Settings of interlock: the services this project depends on, and how they are probed.
# Check it with `interlock check`. For completion in your editor:
#   interlock init --print-schema > {SCHEMA_NAME}
#
# A secret never stands in this file. It is named by reference: "env:NAME" or "file:PATH".

[suite]
# store = "sqlite:///interlock.db"     # or postgresql+psycopg://user@host/name
# proxy = "http://proxy.example:3128"  # the way out, if there is only one
"""

_STARTER = """
# [integrations.payments]              # the name is yours
# provider = "stripe"                  # `interlock providers` lists them
# environment = "sandbox"              # "live" if nothing is said
# owner = "team-checkout"              # whom to call
# credentials.secret_key = "env:STRIPE_SECRET_KEY"

# [integrations.stock]                 # any other HTTP API is described here
# provider = "generic"
# base_url = "https://stock.example.com"
# credentials.token = "env:STOCK_TOKEN"
# service = { auth = "bearer", health.path = "/health", identity.path = "/me" }
"""


@click.command(name="init")
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
@click.option("--dry-run", is_flag=True, help="Print the file to standard output and write nothing.")
@click.option("--force", is_flag=True, help="Overwrite an interlock.toml that is there.")
@click.option(
    "--print-schema", is_flag=True, help="Print the JSON Schema of interlock.toml, for editors, and end."
)
def command(path: Path, *, dry_run: bool, force: bool, print_schema: bool) -> None:
    """Find the services that the project in PATH (default: here) uses, and write PATH/interlock.toml.

    Looks at the names of environment variables, at the names in .env* files, at Python and npm manifests and at
    imports in Python, JavaScript and TypeScript. Only names are looked at: no value is kept, printed or written.

    Exit status: 0 written or printed; 2 there is an interlock.toml already; 3 no service was found.
    """
    if print_schema:
        click.echo((Path(__file__).parent / "settings_schema.json").read_text(encoding="utf-8"), nl=False)
        return
    target = path / FILE_NAME
    if not dry_run and not force:
        _refuse_to_overwrite(target)
    text, report, remarks = _look(path)
    for remark in remarks:
        click.echo(f"note: {remark}", err=True)
    for line in report:
        click.echo(line, err=dry_run)
    if dry_run or not report:
        click.echo(text, nl=False)
    if not report:
        _nothing_found(path)
    if not dry_run:
        _write(target, text, overwrite=force)
        click.echo(f"wrote {target}; next: read it, then run `interlock check`", err=True)


def _refuse_to_overwrite(target: Path) -> None:
    from interlock.errors import UsageError  # noqa: PLC0415 - see `_look`

    if target.exists() or target.is_symlink():
        raise UsageError(
            f"{target} is there already",
            hint="`interlock init --dry-run` shows what would be written; --force overwrites it",
        )


def _nothing_found(path: Path) -> None:
    from interlock.errors import CannotJudge  # noqa: PLC0415 - see `_look`

    raise CannotJudge(
        f"no service that interlock knows was found in {path}, so nothing was written",
        hint=f"save what is on standard output as {FILE_NAME} to start from; `interlock providers` lists what is known",
    )


def _look(path: Path) -> tuple[str, list[str], tuple[str, ...]]:
    """The text of the file, the lines that say why, and remarks. Values of variables are not read."""
    from interlock import discovery, draft  # noqa: PLC0415 - --help needs neither them nor the catalogue
    from interlock.catalogue import load_all  # noqa: PLC0415

    result = discovery.discover(path, load_all(), os.environ.keys())
    report = list(_report(result.found))
    body = "".join(draft.integration(found) for found in result.found) if report else _STARTER
    return _HEAD + body, report, result.remarks


def _report(found: tuple[object, ...]) -> Iterator[str]:
    from interlock.discovery import Found  # noqa: PLC0415 - see `_look`

    for each in found:
        assert isinstance(each, Found)
        doubt = "  (perhaps: every trace fits another service too)" if each.shared else ""
        yield f"{each.provider.title} ({each.provider.name}){doubt}"
        yield from (f"  {sign}" for sign in each.signs[:_SHOWN_SIGNS])
        if len(each.signs) > _SHOWN_SIGNS:
            yield f"  and {len(each.signs) - _SHOWN_SIGNS} more"


def _write(target: Path, text: str, *, overwrite: bool) -> None:
    """All or nothing: into a new file beside it, which then takes its name."""
    from interlock.errors import UsageError  # noqa: PLC0415 - see `_look`

    target = target.resolve() if overwrite else target
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{FILE_NAME}.")
    except OSError as exc:
        raise UsageError(f"{target} cannot be written: {exc.strerror}") from exc
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).chmod(0o666 & ~_umask())
        if overwrite:
            Path(name).replace(target)
        else:
            os.link(name, target)  # unlike a rename, it fails if somebody else was first
    except FileExistsError:
        raise UsageError(f"{target} is there already") from None
    except OSError as exc:
        raise UsageError(f"{target} cannot be written: {exc.strerror}") from exc
    finally:
        Path(name).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
