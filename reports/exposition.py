"""Metric families as text, in Prometheus format 0.0.4 or OpenMetrics 1.0.0.

Written here because prometheus-client takes about 15 µs for a line, most of it on labels that many series
share; here they are put into text once. Its parsers are the oracle of the tests.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PLAIN = "text/plain; version=0.0.4; charset=utf-8"
OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"
Sample = tuple[str, str, float]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric. `name` without `_total`; `kind`: gauge, counter or histogram.

    `samples`: suffix of the name, labels as text (without braces), value.
    """

    name: str
    kind: str
    help: str
    samples: Sequence[Sample]


def label_text(labels: Mapping[str, str]) -> str:
    """Labels as text, escaped: `a="1",b="2"`."""
    return ",".join(f'{name}="{escaped(value)}"' for name, value in labels.items())


def escaped(value: str) -> str:
    """A label value or a help text as both formats want it."""
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def number(value: float) -> str:
    """A value as both formats want it."""
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else repr(float(value))


def encode(families: Sequence[Family], content_type: str) -> bytes:
    """The whole answer in the format of `content_type`, one of `PLAIN` and `OPEN`."""
    openmetrics = content_type == OPEN
    lines: list[str] = []
    for family in families:
        if not family.samples:
            continue
        told = family.name + ("_total" if family.kind == "counter" and not openmetrics else "")
        lines.append(f"# HELP {told} {escaped(family.help)}\n# TYPE {told} {family.kind}\n")
        name = family.name
        lines += [
            f"{name}{suffix}{{{labels}}} {number(value)}\n" if labels else f"{name}{suffix} {number(value)}\n"
            for suffix, labels, value in family.samples
        ]
    if openmetrics:
        lines.append("# EOF\n")
    return "".join(lines).encode("utf-8", "replace")


def negotiate(accept: str) -> str:
    """`PLAIN` or `OPEN`, by the weights of an `Accept` header; `PLAIN` where nothing is said."""
    best, chosen = 0.0, PLAIN
    for part in accept.split(","):
        kind, *rest = (piece.strip().lower() for piece in part.split(";"))
        fields = dict(piece.split("=", 1) for piece in rest if "=" in piece)
        weight = _weight(fields.get("q", "1"))
        if kind == "application/openmetrics-text" and fields.get("version", "1.0.0") == "1.0.0":
            offered = OPEN
        elif kind in {"text/plain", "text/*", "*/*"}:
            offered = PLAIN
        else:
            continue
        if weight > best:
            best, chosen = weight, offered
    return chosen


def _weight(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0 <= value <= 1 else 0.0
