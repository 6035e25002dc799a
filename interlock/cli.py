"""The front door: `interlock COMMAND`. One lazy table names each room's commands and imports none of them."""

from __future__ import annotations

import errno
import gc
import importlib
import io
import os
import sys
from typing import Any

import click

from interlock import __version__
from interlock.errors import InterlockError

# name: (module, attribute, one line of help). A module is imported when its command is asked for.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "init": ("interlock.init", "command", "Find the services this project uses and write interlock.toml."),
    "providers": (
        "interlock.sheet",
        "command",
        "Show the catalogue, or one provider's fact sheet with sources.",
    ),
    "check": ("probes.check", "command", "Run every probe once, all at the same time."),
    "run": (
        "scheduler.commands",
        "run",
        "Probe on a schedule and serve metrics, pages and API until SIGTERM.",
    ),
    "demo": (
        "scheduler.commands",
        "demo",
        "Show all of it against stand-in providers; no account, no network.",
    ),
    "contracts": (
        "contracts.contracts_command",
        "group",
        "List the contracts we know; fetch a provider's own.",
    ),
    "verify": (
        "contracts.verify_command",
        "command",
        "Hold recorded traffic against what the providers promised.",
    ),
    "drift": (
        "contracts.drift.command",
        "command",
        "Say what changed from a contract to another, or to recorded answers.",
    ),
    "fuzz": (
        "contracts.fuzz.command",
        "command",
        "Ask a server that claims to keep a contract for all that it must answer.",
    ),
    "webhooks": (
        "contracts.webhooks.commands",
        "group",
        "Why a signature fits or fails; an inbox that takes deliveries once.",
    ),
    "drill": (
        "contracts.webhooks.drill.command",
        "group",
        "Forge, replay and garble deliveries to the team's own receiver.",
    ),
    "record": ("cassettes.record", "command", "Record traffic with a provider, from any language."),
    "scan": (
        "cassettes.redact.commands",
        "scan",
        "Find secrets in recordings, sources, logs and git history.",
    ),
    "scrub": ("cassettes.redact.commands", "scrub", "Write recordings without the secrets in them."),
    "stand-in": (
        "contracts.clients.commands",
        "stand_in",
        "Serve a provider on loopback, as the catalogue says.",
    ),
}


class _Unread(Exception):  # noqa: N818 - it says what happened
    """Whoever read our output went away, as `head` does."""


class LazyGroup(click.Group):
    """A group that knows its commands' names and imports a command only to run it."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. click would end with 1 when nobody reads the output, and that says: findings."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as exc:
            raise _Unread from exc

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the module that has the command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of commands, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """A command that does not exist is answered with the nearest one that does."""
        name = args[0] if args else ""
        if name and name not in COMMANDS and not name.startswith("-"):
            import difflib  # noqa: PLC0415 - only for a mistake

            near = difflib.get_close_matches(name, COMMANDS, n=1)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"No such command {name!r}.{meant}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="interlock")
def root() -> None:
    """Is it us or them? Health and contracts of the services you depend on but do not run.

    Exit status: 2 wrong command or settings; 1 unhealthy or findings; 3 could not judge; 0 all good.
    """


def _bring_in(names: list[str]) -> None:
    """Import the process's own command. Its modules stay as long as the process: no collection need look at them.

    Else they are looked through while they come, later and at the end: a third of a second of a `check`. httpx goes
    without its own command line, which brings rich along: a tenth of a second.
    """
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    gc.disable()
    for module, _, _ in (COMMANDS[name] for name in names if name in COMMANDS):
        importlib.import_module(module)
    gc.freeze()
    gc.enable()


def _take_any_text() -> None:
    """Half a character of somebody's JSON, which no encoding has, is shown as its escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def main(argv: list[str] | None = None) -> None:
    """Run a command and end the process with its exit status. A user's mistake never shows a traceback."""
    _take_any_text()
    try:
        if argv is None:
            _bring_in(sys.argv[1:2])
        status: Any = root.main(args=argv, prog_name="interlock", standalone_mode=False)
    except (
        click.exceptions.Abort,
        KeyboardInterrupt,
    ):  # click turns it into its own, but for that of an import
        click.echo("interrupted", err=True)
        sys.exit(130)
    except click.ClickException as exc:
        exc.show()
        sys.exit(exc.exit_code)
    except _Unread:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left to flush goes nowhere
        sys.exit(141)  # as a shell has it for SIGPIPE: neither good nor a finding
    except OSError as exc:  # a file that a command names, a full disk: nothing to be read off its traceback
        if exc.filename is None and exc.errno != errno.ENOSPC:
            raise
        click.echo(f"error: {exc.filename or 'standard output'}: {exc.strerror}", err=True)
        sys.exit(InterlockError.exit_status)
    except InterlockError as exc:
        click.echo(f"error: {exc.message}", err=True)
        if exc.hint:
            click.echo(f"hint: {exc.hint}", err=True)
        sys.exit(exc.exit_status)
    sys.exit(status if isinstance(status, int) else 0)
