"""`python -m benchmarks [NAME]...`: run all benchmarks, or those named, and sum up what was reached."""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import time

from benchmarks.shared import DifferentAnswersError, Figure, MissingProgramError

NAMES = {  # in the order in which they run: the quick ones first
    "help": "`interlock --help` beside `python -c pass`",
    "one_probe": "one probe beside raw asyncio streams with httptools, and httpx",
    "metrics": "/metrics with 10,000 series beside prometheus-client",
    "store": "inserts beside stdlib sqlite3; pages over 24 h of 1,000 probes beside GROUP BY",
    "cassette_reading": "reading vcrpy cassettes of 2 and 10 MB beside vcrpy; what an attack costs",
    "record_overhead": "what `interlock record` adds to a request on loopback",
    "signatures": "webhook signatures of 2 KB beside five official SDKs and bare cryptography",
    "verify_speed": "verify on Stripe's document beside jsonschema-rs, openapi-core and schemathesis",
    "mutations": "what verify finds of what was made wrong on purpose, beside schemathesis and openapi-core (no times)",
    "inbox": "500 webhooks a second for a minute beside a server that keeps nothing (about two minutes)",
    "scan": "scan of recordings, sources and a log beside detect-secrets, where that is installed, and a bare pattern",
    "cold_check": "a cold `interlock check` of 22 stand-ins beside an httpx script",
    "schedule": "10,000 jobs every 30 s beside a bare heap",
    "fleet": "1,000 targets every 30 s beside blackbox_exporter with Prometheus (about five minutes)",
}


def main() -> int:
    """Run them one after the other. A figure that misses its target is said, and is no error."""
    about = "\n".join(f"  {name:<11} {line}" for name, line in NAMES.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog=about,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*NAMES, []], help="which; all if none")
    asked = parser.parse_args().names or list(NAMES)
    figures: list[Figure] = []
    troubles: list[str] = []
    for name in asked:
        print(f"\n== {name}: {NAMES[name]}", flush=True)
        began = time.perf_counter()
        try:
            figures += importlib.import_module(f"benchmarks.{name}").run()
        except (MissingProgramError, DifferentAnswersError, subprocess.CalledProcessError) as exc:
            said = (
                exc.stderr.decode(errors="replace")
                if isinstance(exc, subprocess.CalledProcessError) and exc.stderr
                else ""
            )
            troubles.append(f"{name}: {exc}\n{said}".rstrip())
            print(troubles[-1], file=sys.stderr)
        print(f"  ({time.perf_counter() - began:.0f} s)", flush=True)
    print("\n== what was reached (medians)")
    for figure in figures:
        print(figure)
    for trouble in troubles:
        print(f"not measured: {trouble}")
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
