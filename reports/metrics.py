"""`/metrics`, read from the store at each scrape: bounded labels, and no series for what is not known."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from interlock import __version__, histogram, tables
from interlock.records import ProbeKind, Reason, State
from interlock.rows import headroom_from_plain
from interlock.verdict import Blame, Heard, weigh
from reports import inbox
from reports.exposition import Family, Sample, escaped, label_text, number
from reports.face import Face, Listed
from reports.views import Room, rooms

# Upper bounds in seconds of the duration histogram: coarse, and wide enough for every timeout.
BOUNDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
OUTCOME_STATES = tuple(state for state in State if state is not State.DOWN)  # only a status can be down
# A 2xx answer to a call with the credential: it is valid, whatever else is wrong.
ACCEPTED = frozenset({Reason.SLOW, Reason.SCOPE, Reason.LOW_HEADROOM})
LABEL_LIMIT = 120  # characters; a provider names its buckets itself
KINDS = frozenset(ProbeKind)
_BOUND_LABELS = tuple(f',le="{number(bound)}"' for bound in (*BOUNDS, float("inf")))


@dataclass(frozen=True, slots=True)
class Seen:
    """A row of `statuses`, its last outcome, and its labels as text."""

    row: Mapping[str, Any]
    last: Mapping[str, Any]
    labels: str


def families(face: Face) -> list[Family]:
    """Every family of one scrape, from three queries, and two more for an inbox. Raises `StoreError`.

    Shows the integrations and probes of the settings; what else the store remembers would go stale unseen.
    """
    now, shown = face.clock(), {each.name: each for each in face.integrations}
    clean = _remembered(face.redactor.text)
    with face.store.reading() as connection:
        statuses = (
            connection.execute(sa.select(tables.statuses).order_by(*tables.statuses.primary_key))
            .mappings()
            .all()
        )
        told = connection.execute(sa.select(tables.headrooms)).mappings().all()
        gauges = connection.execute(sa.select(tables.gauges)).mappings().all()
    seen = [_seen(row, clean) for row in statuses if _is_shown(shown, row["integration"], row["probe"])]
    return [
        Family(
            "interlock_build_info", "gauge", "The version that runs.", [("", f'version="{__version__}"', 1)]
        ),
        *_states(seen),
        _verdicts(seen, clean),
        *_moments(seen, now),
        *_credentials(seen, clean),
        _durations(seen),
        _outcomes(seen),
        *_headrooms(_rooms(told, shown, now), clean),
        *_scheduler([dict(row) for row in gauges], shown, clean),
        *(inbox.families(inbox.read(face.store, face.receiving), now, clean) if face.receiving else ()),
    ]


def _remembered(redact: Callable[[str], str]) -> Callable[[str], str]:
    """Redact and escape a label once, not once for each series."""
    memory: dict[str, str] = {}

    def clean(text: str) -> str:
        if text not in memory:
            memory[text] = escaped(redact(text)[:LABEL_LIMIT])
        return memory[text]

    return clean


def _is_shown(shown: Mapping[str, Listed], integration: str, probe: str) -> bool:
    if (listed := shown.get(integration)) is None:
        return False
    return not listed.every_seconds or probe in listed.every_seconds


def _seen(row: Mapping[Any, Any], clean: Callable[[str], str]) -> Seen:
    last = json.loads(row["last"])
    labels = (
        f'integration="{clean(row["integration"])}",provider="{clean(last["provider"])}",'
        f'environment="{clean(last["environment"])}",probe="{clean(row["probe"])}",region="{clean(row["region"])}"'
    )
    return Seen(row, last, labels)


def _states(seen: Sequence[Seen]) -> Iterable[Family]:
    states = [(state.value, f',state="{state.value}"') for state in State]
    yield Family(
        "interlock_probe_state",
        "gauge",
        "The de-bounced state of a probe: 1 for the state it is in, 0 for the others.",
        [
            ("", each.labels + text, 1.0 if each.row["state"] == state else 0.0)
            for each in seen
            for state, text in states
        ],
    )
    yield Family(
        "interlock_probe_failures",
        "gauge",
        "Failing answers in a row.",
        [("", each.labels, each.row["failures"]) for each in seen],
    )
    yield Family(
        "interlock_probe_in_maintenance",
        "gauge",
        "Whether the last run lay in a planned window.",
        [("", each.labels, float(each.last["in_maintenance"])) for each in seen],
    )


def _verdicts(seen: Sequence[Seen], clean: Callable[[str], str]) -> Family:
    """Whose it is, for each integration: 1 for the verdict, 0 for the others."""
    by_integration: dict[str, list[Heard]] = {}
    for each in seen:
        by_integration.setdefault(each.row["integration"], []).append(
            Heard(
                probe=ProbeKind(each.row["probe"]),
                state=State(each.row["state"]),
                seen=State(each.last["state"]),
                reason=Reason(each.last["reason"]),
                failures=each.row["failures"],
                detail="",
            )
        )
    samples = [
        ("", f'integration="{clean(name)}",verdict="{blame.value}"', 1.0 if found is blame else 0.0)
        for name, witnesses in by_integration.items()
        for found in [weigh(witnesses).blame]
        for blame in Blame
    ]
    words = "Whose it is, weighed from all probes: 1 for the verdict, 0 for the others."
    return Family("interlock_integration_verdict", "gauge", words, samples)


def _moments(seen: Sequence[Seen], now: dt.datetime) -> Iterable[Family]:
    yield Family(
        "interlock_probe_last_run_timestamp_seconds",
        "gauge",
        "When the probe last ran.",
        [("", each.labels, _epoch(each.last["started_at"])) for each in seen],
    )
    yield Family(
        "interlock_probe_state_since_timestamp_seconds",
        "gauge",
        "When the probe's state began.",
        [("", each.labels, each.row["since"].timestamp()) for each in seen],
    )
    yield Family(
        "interlock_probe_retry_after_timestamp_seconds",
        "gauge",
        "When the provider asked us to come back; absent once that is past.",
        [s for s in _told(seen, "retry_at") if s[2] > now.timestamp()],
    )
    yield Family(
        "interlock_tls_certificate_expiry_timestamp_seconds",
        "gauge",
        "When the first certificate of the chain expires.",
        _told(seen, "certificate_expires_at"),
    )


def _told(seen: Sequence[Seen], name: str) -> list[Sample]:
    return [("", each.labels, _epoch(each.last[name])) for each in seen if each.last.get(name)]


def _credentials(seen: Sequence[Seen], clean: Callable[[str], str]) -> Iterable[Family]:
    verdicts = [(each.labels, _valid(each)) for each in seen if each.row["probe"] == ProbeKind.CREDENTIAL]
    yield Family(
        "interlock_credential_valid",
        "gauge",
        "Whether the provider accepted our credential when it last told; absent where that is not known.",
        [("", labels, float(valid)) for labels, valid in verdicts if valid is not None],
    )
    told = [(each.labels, each.last.get("credential") or {}) for each in seen]
    for name, field, words in (
        ("expiry", "expires_at", "When our credential ends; absent where that is not told."),
        ("issued", "issued_at", "Since when our credential is good; absent where that is not told."),
    ):
        samples = [("", labels, _epoch(facts[field])) for labels, facts in told if facts.get(field)]
        yield Family(f"interlock_credential_{name}_timestamp_seconds", "gauge", words, samples)
    yield Family(
        "interlock_probe_findings",
        "gauge",
        "Findings of the last run, by rule and severity; absent where there are none.",
        [
            ("", f'{each.labels},rule="{clean(rule)}",severity="{clean(severity)}"', count)
            for each in seen
            for (rule, severity), count in _counted(each.last.get("findings") or ()).items()
        ],
    )


def _counted(findings: Sequence[Mapping[str, Any]]) -> Counter[tuple[str, str]]:
    return Counter((each["rule"], each["severity"]) for each in findings)


def _valid(seen: Seen) -> bool | None:
    """What the last answer says of the credential; None where it says nothing, as an outage or a 429."""
    state, reason = seen.last["state"], seen.last["reason"]
    if state == State.AUTH_FAILED:
        return False
    if (state == State.OPERATIONAL and reason == Reason.OK) or (
        state == State.DEGRADED and reason in ACCEPTED
    ):
        return True
    return None


def _durations(seen: Sequence[Seen]) -> Family:
    samples: list[Sample] = []
    for each in seen:
        counts = histogram.load(each.row["durations"])
        if not (total := sum(counts)):
            continue
        sums = (*histogram.cumulative(counts, BOUNDS), total)
        samples += [("_bucket", each.labels + le, n) for le, n in zip(_BOUND_LABELS, sums, strict=True)]
        samples += [("_count", each.labels, total), ("_sum", each.labels, each.row["duration_sum"])]
    text = "How long probes took, in seconds."
    return Family("interlock_probe_duration_seconds", "histogram", text, samples)


def _outcomes(seen: Sequence[Seen]) -> Family:
    samples: list[Sample] = []
    for each in seen:
        counts = json.loads(each.row["seen"])
        samples += [
            ("_total", f'{each.labels},state="{state.value}"', counts.get(state.value, 0))
            for state in OUTCOME_STATES
        ]
    return Family("interlock_probe_outcomes", "counter", "Outcomes by state.", samples)


def _rooms(
    told: Iterable[Mapping[Any, Any]], shown: Mapping[str, Listed], now: dt.datetime
) -> dict[str, tuple[Room, ...]]:
    found: dict[str, list[Any]] = {}
    for row in told:
        if row["integration"] in shown:
            found.setdefault(row["integration"], []).append(headroom_from_plain(dict(row)))
    return {name: rooms(each, now) for name, each in found.items()}


def _headrooms(told: Mapping[str, tuple[Room, ...]], clean: Callable[[str], str]) -> Iterable[Family]:
    """What is not told has no series; what is past its reset has no remaining and no ratio."""
    named: dict[str, Room] = {}
    for name, each in sorted(told.items()):
        for room in each:
            names = (clean(name), clean(room.told.bucket), clean(room.told.source))
            labels = 'integration="{}",bucket="{}",source="{}"'.format(*names)
            named.setdefault(labels, room)  # two names that redaction made one are shown once
    parts: tuple[tuple[str, str, Callable[[Room], float | None]], ...] = (
        ("limit", "How much the limit allows in its window, in its own unit.", lambda r: r.told.limit),
        ("remaining", "How much of it is left, in its own unit.", lambda r: r.remaining),
        ("used", "How much of it is used, where the provider tells that, in its own unit.", lambda r: r.used),
        ("ratio", "The part of it that is left, 0 to 1.", lambda r: r.ratio),
        (
            "exhaustion_timestamp_seconds",
            "When it will be used up, if it goes on like this; absent where it lasts until its reset.",
            lambda r: _stamp(r.exhausted_at),
        ),
        ("reset_timestamp_seconds", "When it is whole again.", lambda r: _stamp(r.told.reset_at)),
        ("seen_timestamp_seconds", "When the provider told it.", lambda r: _stamp(r.told.seen_at)),
    )
    for suffix, text, read in parts:
        values = [(labels, read(room)) for labels, room in named.items()]
        samples = [("", labels, value) for labels, value in values if value is not None]
        yield Family(f"interlock_headroom_{suffix}", "gauge", text, samples)


def _scheduler(
    gauges: Sequence[Mapping[str, Any]], shown: Mapping[str, Listed], clean: Callable[[str], str]
) -> Iterable[Family]:
    def of(name: str) -> list[tuple[str, Mapping[str, Any]]]:
        return [(f'region="{clean(row["region"])}"', row) for row in gauges if row["name"] == name]

    yield Family(
        "interlock_scheduler_last_heartbeat_timestamp_seconds",
        "gauge",
        "The scheduler's last sign of life.",
        [("", region, row["at"].timestamp()) for region, row in of("scheduler_alive")],
    )
    yield Family(
        "interlock_scheduler_lag_seconds",
        "gauge",
        "How late the scheduler starts its probes.",
        [("", region, row["value"]) for region, row in of("scheduler_lag_seconds")],
    )
    missed: list[Sample] = []
    for region, row in of("missed_runs_total"):
        integration, _, probe = row["label"].rpartition("/")
        if probe in KINDS and _is_shown(shown, integration, probe):
            labels = label_text({"integration": integration, "probe": probe})
            missed.append(("_total", f"{labels},{region}", row["value"]))
    yield Family(
        "interlock_scheduler_missed_runs", "counter", "Runs that were due and did not happen.", missed
    )
    yield _own_requests(gauges, shown, clean)
    yield Family(
        "interlock_store_lost_records",
        "counter",
        "Records that the store did not take.",
        [("_total", region, row["value"]) for region, row in of("store_lost_total")],
    )


def _own_requests(
    gauges: Sequence[Mapping[str, Any]], shown: Mapping[str, Listed], clean: Callable[[str], str]
) -> Family:
    """What our own probes use up, so that nobody need suspect them."""
    samples: list[Sample] = []
    for row in gauges:
        integration, _, bucket = row["label"].partition("/")
        if row["name"] == "probe_requests_total" and integration in shown:
            names = (clean(integration), clean(bucket), clean(row["region"]))
            labels = 'integration="{}",bucket="{}",region="{}"'.format(*names)
            samples.append(("_total", labels, row["value"]))
    words = "Requests of our own probes that count against a rate limit."
    return Family("interlock_probe_requests", "counter", words, samples)


def _epoch(text: str) -> float:
    return dt.datetime.fromisoformat(text).timestamp()


def _stamp(moment: dt.datetime | None) -> float | None:
    return moment.timestamp() if moment else None
