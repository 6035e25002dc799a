"""`interlock fuzz NAME --url URL`: made-up requests to a server that claims to keep a contract; its answers judged."""

from __future__ import annotations

import dataclasses
import datetime as dt
import secrets as random
from pathlib import Path

import click

from interlock import options
from interlock.progress import progress


@click.command(short_help="Ask a server that claims to keep a contract for all that it must answer.")
@click.argument("name", required=False)
@click.option(
    "--contract", "document", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="The contract: OpenAPI 3 or Swagger 2. If not said, that of NAME.",
)  # fmt: skip
@click.option("--url", required=True, help="The server's address: loopback, unless --i-own-this-host.")
@click.option(
    "--header", "headers", multiple=True, metavar="NAME=REF",
    help="A header for every request; REF is env:NAME or file:PATH. May be given again.",
)  # fmt: skip
@click.option(
    "--max-examples", type=click.IntRange(1, 10_000), default=50, show_default=True,
    help="Requests that are made up for an operation, beside those that cover its schema; sequences in a round.",
)  # fmt: skip
@click.option(
    "--steps", type=click.IntRange(0, 100), default=6, show_default=True,
    help="The most requests in a sequence; 0: no sequences.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), help="Makes the same requests again.")
@click.option(
    "--time", "seconds", type=click.FloatRange(min=0.1), metavar="SECONDS", help="Stop after this long."
)
@click.option("--strict", is_flag=True, help="Wrong requests and missing credentials must be refused, too.")
@click.option(
    "--refusals-suffice", is_flag=True,
    help="An operation of which no request succeeds is told, and is no reason to end with 3.",
)  # fmt: skip
@click.option(
    "--i-own-this-host", "own_host", is_flag=True, help="The host beyond loopback is yours to fuzz."
)
@options.config
@options.fail_on
@options.form
@options.reports
@options.evidence
def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    name: str | None,
    document: Path | None,
    url: str,
    headers: tuple[str, ...],
    max_examples: int,
    steps: int,
    seed: int | None,
    seconds: float | None,
    config: Path | None,
    fail_on: str,
    form: str,
    reports: tuple[str, ...],
    folder: Path | None,
    *,
    strict: bool,
    refusals_suffice: bool,
    own_host: bool,
) -> int:
    """Fuzz the server at --url by the contract of NAME, a provider or an integration of interlock.toml.

    An integration's own credential is sent where its environment is sandbox or stand_in; --header sends any other.
    The base path is the contract's, unless --url has a path. Over https the settings' ca_file and client_certificate
    hold. Ctrl-C and SIGTERM end it early, and so does --time: what was found until then is told. An answer that has no
    end after 10 seconds, or more than 16 MiB, is given up and told.

    Where the answer to one operation has what another asks for, by the contract's links or by the names and shapes
    of what is there, they are asked in sequences, too: what was created must be there, what was deleted must be gone.
    A round of sequences ends at a fault that is new; then there is another, 8 at most.

    An operation of which no request succeeded (404 alone, say) is unproven: nobody has seen what it is for. Examples
    in the contract are asked for, too, and can name what is there. --refusals-suffice lets it be, but not where a
    credential is wanted (401, 403), it was too much (429), or nothing at all succeeded; and nothing is proven by it.

    Exit status: 0 every operation was asked, succeeded at least once, and every answer kept the contract; 1 findings
    at or above --fail-on; 3 the server cannot be reached, or an operation could not be judged; 2 the command or the
    settings are wrong; 130 after Ctrl-C, 143 after SIGTERM.
    """
    from contracts.fuzz.engine import MAX_SEED, Wish, fuzz  # noqa: PLC0415 - keeps --help fast
    from contracts.fuzz.halt import halting  # noqa: PLC0415
    from contracts.fuzz.report import Setting, report_of, write_evidence  # noqa: PLC0415
    from contracts.fuzz.target import found, way  # noqa: PLC0415
    from interlock.output import exit_status, parse_reports  # noqa: PLC0415
    from interlock.redacted import tell  # noqa: PLC0415

    wanted, threshold = parse_reports(reports), options.threshold(fail_on)
    target = found(name, document, url, headers, config, own_host=own_host)
    wish = Wish(
        url=target.url, seed=random.randbelow(MAX_SEED) if seed is None else seed, headers=target.headers,
        max_examples=max_examples, steps=steps, seconds=seconds, strict=strict,
    )  # fmt: skip
    with halting() as halt:
        total = len(target.contract.operations) * 3
        with way(target) as trusted, progress("fuzzing", total, shown=form == "text") as done:
            fuzzed = fuzz(target.contract, dataclasses.replace(wish, trusted=trusted), done, halt)
        setting = Setting(
            name=name or target.contract.name, contract=target.contract, wish=wish, now=dt.datetime.now(dt.UTC),
            fail_on=threshold, refusals_suffice=refusals_suffice,
        )  # fmt: skip
        report = report_of(fuzzed, setting)
        if folder is not None:
            write_evidence(fuzzed, report, setting, folder)
        tell(report, target.redactor, form, wanted)
        return halt.exit_status or exit_status(report, threshold)
