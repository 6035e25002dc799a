"""`interlock run` and `interlock demo`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from interlock import options
from interlock import settings as settings_module
from interlock.errors import UsageError
from interlock.integration import resolve_all


@click.command(short_help="Probe on a schedule and serve metrics, pages and API until SIGTERM.")
@options.config
@click.option("--host", help="Where to listen (default: suite.web.host, which is 127.0.0.1).")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="The port (default: suite.web.port, which is 9464)."
)
def run(config: Path | None, host: str | None, port: int | None) -> None:
    """Probe every integration on its schedule, keep the results, and show them.

    One process: scheduler, store, web pages, JSON API and /metrics. SIGTERM and Ctrl-C end it when the probes
    that are under way are done and written; it then exits 0.
    """
    path = config or settings_module.find(Path.cwd())
    if path is None or not path.is_file():
        raise UsageError(
            f"{path}: there is no such file" if path else "there is no interlock.toml here or above",
            hint="`interlock init` writes one for this project; `interlock demo` needs none",
        )
    settings = settings_module.load(path)
    if not settings.integrations and not settings.heartbeats:
        raise UsageError(f"{path}: there is no integration to probe", hint="add an [integrations.NAME] table")
    integrations = resolve_all(settings)
    from scheduler.service import Running, serve  # noqa: PLC0415 - slow to import

    async def started(running: Running) -> None:
        click.echo(
            f"interlock is running: {running.url} (metrics at {running.url}metrics); Ctrl-C ends it", err=True
        )

    web = settings.suite.web
    asyncio.run(
        serve(
            settings,
            integrations,
            host=host or web.host,
            port=web.port if port is None else port,
            started=started,
        )
    )


@click.command(short_help="Show all of it against stand-in providers; no account, no network.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the page listens.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=9464, show_default=True, help="Its port; 0 picks one."
)
@click.option("--for", "for_seconds", type=click.FloatRange(min=1), metavar="SECONDS", help="End by itself.")
def demo(host: str, port: int, for_seconds: float | None) -> None:
    """Start stand-in providers on loopback, probe them every few seconds, and let things go wrong.

    One provider is throttled, one loses our credential, one goes down and comes back. The page's address is
    printed; Ctrl-C ends it. Nothing is kept and nothing beyond this machine is asked.
    """
    from scheduler.demo import play  # noqa: PLC0415 - slow to import

    asyncio.run(play(host=host, port=port, for_seconds=for_seconds))
