"""`/metrics` with 10,000 series beside prometheus-client's text of the same families."""

from __future__ import annotations

import datetime as dt
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.made import START, listed, outcome
from benchmarks.shared import Figure, ratio, rounds, same, spent, worker
from interlock.store import Store
from interlock.writing import Recorded
from reports.exposition import PLAIN, Family, encode
from reports.face import Face
from reports.metrics import families

ROUNDS = 7
SERIES = 10_000
REPEAT = 5
NOW = START + dt.timedelta(minutes=1)


def run() -> list[Figure]:
    """Ours reads the store and writes the text; the peer and the floor get what they write ready made."""
    with tempfile.TemporaryDirectory() as folder:
        probes = worker(fill, folder=folder, series=SERIES)

        def cost(name: str) -> float:
            return float(worker(measure, name=name, folder=folder, probes=probes)) * 1000

        title = f"one scrape of {probes} probes, {SERIES} series and a few more: CPU"
        contenders = {name: partial(cost, name) for name in ("lines", *CONTENDERS)}
        same_samples(folder, probes)
        seen = rounds(title, contenders, count=ROUNDS, unit="ms", floor="lines")
    ours = statistics.median(seen["interlock"])
    return [
        Figure("/metrics with 10,000 series, CPU", ours, unit=" ms", target=100),
        Figure(
            "/metrics / prometheus-client's generate_latest, CPU",
            ratio(seen, "interlock", "prometheus_client"),
        ),
    ]


def same_samples(folder: str, probes: int) -> None:
    """Parsed, both texts hold the same samples."""
    with _store(folder) as store:
        told = families(_face(store, probes))
        texts = [work().decode() for work in (partial(encode, told, PLAIN), partial(_theirs, _metrics(told)))]
    ours, theirs = (sorted(_samples(text)) for text in texts)
    same("samples of interlock and prometheus-client", ours, theirs)
    assert len(ours) >= min(SERIES, 20 * probes)


def _samples(text: str) -> Iterator[tuple[Any, ...]]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield sample.name, sorted(sample.labels.items()), sample.value


def fill(*, folder: str, series: int) -> int:
    """Write outcomes of as many probes as it takes for so many series; returns how many."""
    with _store(folder) as store:
        store.write([Recorded(outcome(0, START))])
        one = _count(store, 1)
        store.write([Recorded(outcome(1, START))])
        each = _count(store, 2) - one
        needed = -(-series // each)
        store.write([Recorded(outcome(number, START)) for number in range(2, needed)])
        return needed


def _count(store: Store, probes: int) -> int:
    return sum(len(family.samples) for family in families(_face(store, probes)))


def _store(folder: str) -> Store:
    return Store(f"sqlite:///{Path(folder) / 'metrics.db'}")


def _face(store: Store, probes: int) -> Face:
    return Face(store=store, integrations=listed(probes), clock=lambda: NOW)


def measure(*, name: str, folder: str, probes: int) -> float:
    """CPU seconds of one scrape."""
    with _store(folder) as store:
        face = _face(store, probes)
        work = CONTENDERS[name](face) if name in CONTENDERS else _lines(face)
        work()
        return statistics.median(spent(work).cpu_seconds for _ in range(REPEAT))


def _ours(face: Face) -> Callable[[], bytes]:
    return lambda: encode(families(face), PLAIN)


def _peer(face: Face) -> Callable[[], bytes]:
    return partial(_theirs, _metrics(families(face)))


def _lines(face: Face) -> Callable[[], bytes]:
    """The floor: one formatted string for each series, and one join."""
    ready = [(f.name + suffix, labels, value) for f in families(face) for suffix, labels, value in f.samples]
    return lambda: "".join([f"{name}{{{labels}}} {value}\n" for name, labels, value in ready]).encode()


def _metrics(told: Sequence[Family]) -> list[Metric]:
    """The same families as prometheus-client keeps them."""
    found = []
    for family in told:
        if not family.samples:
            continue
        metric = Metric(family.name, family.help, family.kind)
        for suffix, labels, value in family.samples:
            pairs = dict(pair.split("=", 1) for pair in labels.split(",")) if labels else {}
            metric.add_sample(family.name + suffix, {k: v.strip('"') for k, v in pairs.items()}, value)
        found.append(metric)
    return found


class _Ready:
    """A registry whose families are there already."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Sequence[Metric]:
        """All of them."""
        return self._metrics


def _theirs(metrics: Sequence[Metric]) -> bytes:
    text: bytes = generate_latest(_Ready(metrics))
    return text


CONTENDERS = {"interlock": _ours, "prometheus_client": _peer}
