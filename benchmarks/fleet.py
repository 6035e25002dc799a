"""1,000 targets every 30 s, probed, judged, stored, metered: `interlock run` beside blackbox_exporter and Prometheus.

Both ask the same nginx at the same time, each target once in 30 s, a hundredth of them broken. Our `/metrics` is
scraped as often as Prometheus scrapes the exporter. CPU and memory are read from /proc.
"""

from __future__ import annotations

import contextlib
import json
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.origins import certify
from benchmarks.shared import (
    INTERLOCK,
    MEBIBYTE,
    DifferentAnswersError,
    Figure,
    cpu_seconds,
    free_port,
    program,
    pss_bytes,
    same,
    started,
)

TARGETS = 1000
BROKEN = 10
EVERY_SECONDS = 30
WARM_UP_SECONDS = 65.0
WINDOW_SECONDS = 30.0
WINDOWS = 3
SIDES = ("interlock", "blackbox + Prometheus")


@dataclass(frozen=True, slots=True)
class Ports:
    """Where everybody listens."""

    nginx: int
    interlock: int
    blackbox: int
    prometheus: int


@dataclass(frozen=True, slots=True)
class Cost:
    """One side over one window. `core`: part of a core, 0 to 1."""

    core: float
    pss_bytes: int


def run() -> list[Figure]:
    """Plain, then TLS."""
    return [*kind("http", 0.5, 0.35), *kind("https", 0.8, 0.6)]


def kind(scheme: str, target: float, beyond: float) -> list[Figure]:
    """Both sides at once on one nginx."""
    print(
        f"\n{TARGETS} targets every {EVERY_SECONDS} s, {scheme}; {WARM_UP_SECONDS:g} s to warm up", flush=True
    )
    ports = Ports(free_port(), free_port(), free_port(), free_port())
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)  # nginx's worker may be another user
        certify(folder)
        stack.enter_context(_nginx(folder, ports, scheme))
        sides = {
            SIDES[1]: stack.enter_context(_prometheus(folder, ports, scheme)),
            SIDES[0]: stack.enter_context(_interlock(folder, ports, scheme)),
        }
        _scraping(ports, WARM_UP_SECONDS)
        same("broken targets", *_answers(ports))
        costs = [_window(ports, sides, number) for number in range(WINDOWS)]
        same("broken targets at the end", *_answers(ports))
    return _figures(scheme, costs, target, beyond)


def _figures(scheme: str, costs: list[dict[str, Cost]], target: float, beyond: float) -> list[Figure]:
    ours, theirs = ([each[side] for each in costs] for side in SIDES)
    core = [statistics.median(cost.core for cost in side) for side in (ours, theirs)]
    ratio = statistics.median(one.core / other.core for one, other in zip(ours, theirs, strict=True))
    memory = [side[-1].pss_bytes for side in (ours, theirs)]
    label = "plain" if scheme == "http" else "TLS"
    return [
        Figure(f"1,000 targets every 30 s, {label}: CPU", ratio, target=target, beyond=beyond),
        Figure(f"1,000 targets every 30 s, {label}: memory (PSS)", memory[0] / memory[1], target=0.3),
        Figure(f"  interlock, {label}: CPU", core[0] * 100, unit=" %"),
        Figure(f"  blackbox + Prometheus, {label}: CPU", core[1] * 100, unit=" %"),
        Figure(f"  interlock, {label}: memory", memory[0] / MEBIBYTE, unit=" MiB"),
        Figure(f"  blackbox + Prometheus, {label}: memory", memory[1] / MEBIBYTE, unit=" MiB"),
    ]


def _window(ports: Ports, sides: dict[str, list[int]], number: int) -> dict[str, Cost]:
    """One interval, in which each target is asked once by each side and each side is scraped once."""
    began = {side: cpu_seconds(pids) for side, pids in sides.items()}
    at = time.monotonic()
    _scraping(ports, WINDOW_SECONDS)
    took = time.monotonic() - at
    found = {
        side: Cost((cpu_seconds(pids) - began[side]) / took, pss_bytes(pids)) for side, pids in sides.items()
    }
    said = (f"{s} {c.core * 100:.2f} % of a core, {c.pss_bytes / MEBIBYTE:.0f} MiB" for s, c in found.items())
    ratio = found[SIDES[0]].core / found[SIDES[1]].core
    print(f"  window {number + 1}: {'; '.join(said)}; CPU {ratio:.2f}x", flush=True)
    return found


def _scraping(ports: Ports, seconds: float) -> None:
    """Wait so long, and read our /metrics as often as Prometheus reads the exporter's."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, EVERY_SECONDS / 2))
        if until - time.monotonic() > EVERY_SECONDS / 4:
            _get(f"http://127.0.0.1:{ports.interlock}/metrics")


def _answers(ports: Ports) -> tuple[set[str], set[str]]:
    """The targets that each side calls broken. Raises `DifferentAnswersError` if one does not know all."""
    text = _get(f"http://127.0.0.1:{ports.interlock}/metrics").decode()
    lines = [
        line for line in text.splitlines()
        if line.startswith("interlock_probe_state{") and 'probe="reachability"' in line and line.endswith(" 1.0")
    ]  # fmt: skip
    ours = {_label(line, "integration"): _label(line, "state") for line in lines}
    query = urllib.parse.urlencode({"query": "probe_success"})
    told = json.loads(_get(f"http://127.0.0.1:{ports.prometheus}/api/v1/query?{query}"))["data"]["result"]
    theirs = {each["metric"]["target"]: each["value"][1] for each in told}
    if not len(ours) == len(theirs) == TARGETS:
        raise DifferentAnswersError(f"interlock knows {len(ours)} targets, Prometheus {len(theirs)}")
    return (
        {name for name, state in ours.items() if state != "operational"},
        {name for name, success in theirs.items() if success != "1"},
    )


def _label(line: str, name: str) -> str:
    return line.partition(f'{name}="')[2].partition('"')[0]


# -- the processes -------------------------------------------------------------------------------------


@contextlib.contextmanager
def _nginx(folder: Path, ports: Ports, scheme: str) -> Iterator[None]:
    listen = f"127.0.0.1:{ports.nginx}"
    tls = f"ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;"
    config = folder / "nginx.conf"
    config.write_text(
        f"""daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; default_type application/json;
  server {{
    listen {listen}{" ssl; " + tls if scheme == "https" else ";"}
    location /health/ {{ return 200 '{{"status": "ok"}}'; }}
    location /broken/ {{ return 503 '{{"status": "out"}}'; }}
  }}
}}
""",
        encoding="utf-8",
    )
    argv = [program("nginx", "nginx-light"), "-c", str(config), "-e", f"{folder}/nginx.log"]
    with started(argv, stderr=subprocess.DEVNULL):
        _wait(f"{scheme}://{listen}/health/", folder)
        yield


def _targets(ports: Ports, scheme: str) -> list[tuple[str, str, str]]:
    """Name, base and path of each; the last ones are broken."""
    base = f"{scheme}://127.0.0.1:{ports.nginx}"
    paths = ["health"] * (TARGETS - BROKEN) + ["broken"] * BROKEN
    return [(f"service-{n:04}", base, f"/{path}/{n:04}") for n, path in enumerate(paths)]


@contextlib.contextmanager
def _interlock(folder: Path, ports: Ports, scheme: str) -> Iterator[list[int]]:
    lines = ["[suite]", 'store = "sqlite:///bench.db"']
    lines += [f'ca_file = "{folder}/ca.pem"'] if scheme == "https" else []
    for name, base, path in _targets(ports, scheme):
        lines += [
            f"[integrations.{name}]", 'provider = "generic"', f'every = "{EVERY_SECONDS}s"', f'base_url = "{base}"',
            f'service.health.path = "{path}"',
        ]  # fmt: skip
    config = folder / "interlock.toml"
    config.write_text("\n".join(lines), encoding="utf-8")
    argv = [*INTERLOCK, "run", "--config", str(config), "--port", str(ports.interlock)]
    with (folder / "interlock.log").open("wb") as log, started(argv, stderr=log) as process:
        _wait(f"http://127.0.0.1:{ports.interlock}/healthz", folder, log="interlock.log")
        yield [process.pid]


@contextlib.contextmanager
def _prometheus(folder: Path, ports: Ports, scheme: str) -> Iterator[list[int]]:
    module = {"prober": "http", "timeout": "10s", "http": {"method": "GET", "follow_redirects": False,
              "preferred_ip_protocol": "ip4", "tls_config": {"ca_file": f"{folder}/ca.pem"}}}  # fmt: skip
    targets = [
        {"targets": [base + path], "labels": {"target": name}} for name, base, path in _targets(ports, scheme)
    ]
    job = {
        "job_name": "blackbox", "metrics_path": "/probe", "params": {"module": ["http"]},
        "scrape_interval": f"{EVERY_SECONDS}s", "static_configs": targets,
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"target_label": "__address__", "replacement": f"127.0.0.1:{ports.blackbox}"},
        ],
    }  # fmt: skip
    # JSON is YAML
    (folder / "blackbox.yml").write_text(json.dumps({"modules": {"http": module}}), encoding="utf-8")
    (folder / "prometheus.yml").write_text(json.dumps({"scrape_configs": [job]}), encoding="utf-8")
    exporter = [
        program("prometheus-blackbox-exporter", "prometheus-blackbox-exporter"),
        f"--config.file={folder}/blackbox.yml", f"--web.listen-address=127.0.0.1:{ports.blackbox}",
    ]  # fmt: skip
    server = [
        program("prometheus", "prometheus"), f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/tsdb", f"--web.listen-address=127.0.0.1:{ports.prometheus}",
    ]  # fmt: skip
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with started(exporter, **quiet) as one, started(server, **quiet) as other:
        _wait(f"http://127.0.0.1:{ports.blackbox}/-/healthy", folder)
        _wait(f"http://127.0.0.1:{ports.prometheus}/-/ready", folder)
        yield [one.pid, other.pid]


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        body: bytes = answer.read()
        return body


def _wait(url: str, folder: Path, *, log: str = "nginx.log", seconds: float = 60.0) -> None:
    """Until it answers. Raises `DifferentAnswersError` with the end of its log if it does not."""
    until = time.monotonic() + seconds
    ask = _listens if url.startswith("https:") else _get
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            ask(url)
            return
        time.sleep(0.2)
    said = (folder / log).read_text("utf-8")[-500:] if (folder / log).exists() else ""
    raise DifferentAnswersError(f"{url} does not answer: {said}")


def _listens(url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    socket.create_connection((parts.hostname, parts.port), 5).close()
