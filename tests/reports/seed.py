"""A store filled like a real one: eight integrations in eight conditions, thirty days of hours, no network."""

from __future__ import annotations

import datetime as dt
import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from interlock import findings, histogram, tables
from interlock.records import (
    CredentialFacts,
    Environment,
    Finding,
    Headroom,
    Outcome,
    ProbeKind,
    Reason,
    Severity,
    State,
)
from interlock.store import Store
from interlock.writing import Gauge, Recorded
from reports.face import Listed

NOW = dt.datetime(2026, 3, 14, 15, 9, 26, tzinfo=dt.UTC)
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
PLAN = {ProbeKind.REACHABILITY: 60.0, ProbeKind.CREDENTIAL: 300.0, ProbeKind.TLS: 21600.0}


@dataclass(frozen=True, kw_only=True)
class Story:
    """What happens to one integration. `last`: how the newest minutes went, oldest first."""

    name: str
    provider: str
    title: str
    owner: str | None = "team-platform"
    environment: Environment = Environment.LIVE
    latency_seconds: float = 0.12
    last: tuple[tuple[State, Reason, str, int | None], ...] = ()
    probe: ProbeKind = ProbeKind.CREDENTIAL
    retry_after: dt.timedelta | None = None
    rooms: tuple[tuple[str, str, float | None, float | None, float | None], ...] = ()
    bad_hours: dict[int, float] = field(default_factory=dict)  # hours ago: share that failed
    certificate_days: float = 61.0
    facts: CredentialFacts | None = None
    findings: tuple[Finding, ...] = ()


GOOD = (State.OPERATIONAL, Reason.OK, "200, and the body is as promised", 200)
STORIES = (
    Story(
        name="payments", provider="stripe", title="Stripe", owner="team-checkout", latency_seconds=0.142,
        rooms=(("live read", "requests", 100, 97, 1),), bad_hours={300: 0.02},
    ),
    Story(
        name="messages", provider="twilio", title="Twilio", owner="team-growth", latency_seconds=0.21,
        last=((State.THROTTLED, Reason.RATE_LIMITED, "429 with Retry-After: 95", 429),) * 2,
        retry_after=dt.timedelta(seconds=95),
        rooms=(("api", "requests", 100, 0, 60), ("sms", "messages", 1000, 212, 86400)),
    ),
    Story(
        name="code", provider="github", title="GitHub", latency_seconds=0.088,
        last=((State.AUTH_FAILED, Reason.BAD_CREDENTIAL, "401 Bad credentials", 401),) * 4,
        rooms=(
            ("core", "requests", 5000, 4312, 3600), ("search", "requests", 30, 11, 60),
            ("graphql", "requests", 5000, 5000, 3600),
        ),
    ),
    Story(name="uploads", provider="s3", title="Amazon S3", owner="team-media", latency_seconds=0.047),
    Story(
        name="mail", provider="sendgrid", title="SendGrid", owner="team-growth", latency_seconds=0.31,
        environment=Environment.SANDBOX,
        last=((State.DEGRADED, Reason.SLOW, "answered after 3.4 s, the threshold is 3 s", 200),) * 3,
        rooms=(("v3/scopes", "requests", 600, 148, 60),), bad_hours={4: 0.0, 30: 0.1},
        facts=CredentialFacts(
            expires_at=NOW + 5 * DAY, identity="acme-mailer", scopes=("mail.send", "stats.read"),
            issued_at=NOW - 120 * DAY,
        ),
        findings=(
            findings.make(
                "credential-expiry", Severity.ERROR, "credentials", seen="the credential ends in 5 days, on 2026-03-19",
                fix="issue a new one and put it where the settings refer to",
            ),
            findings.make(
                "sunset", Severity.WARNING, "GET /v3/scopes", seen="Sunset: it ends on 2026-06-30",
                fix="see the provider's changelog for what takes its place",
            ),
        ),
    ),
    Story(
        name="files", provider="gcs", title="Google Cloud Storage", owner="team-media", latency_seconds=0.064,
        last=((State.UNKNOWN, Reason.NO_CREDENTIAL, "env:GOOGLE_APPLICATION_CREDENTIALS is not set", None),) * 3,
    ),
    Story(
        name="blobs", provider="azure_blob", title="Azure Blob Storage", owner="team-media", latency_seconds=0.093,
        bad_hours={52: 0.4, 53: 0.2}, certificate_days=9,
    ),
    Story(
        name="payouts", provider="paypal", title="PayPal", owner="team-checkout", latency_seconds=0.38,
        probe=ProbeKind.REACHABILITY,
        last=((State.FAILING, Reason.SERVER_ERROR, "503 Service Unavailable from /v1/oauth2/token", 503),) * 9,
        bad_hours={0: 0.6, 1: 0.35, 9: 0.05, 200: 0.3},
    ),
)  # fmt: skip


def listing(stories: tuple[Story, ...] = STORIES) -> tuple[Listed, ...]:
    """The stories as the settings would name them."""
    return tuple(
        Listed(
            name=s.name,
            provider=s.provider,
            title=s.title,
            environment=s.environment,
            owner=s.owner,
            documentation=f"https://docs.example/{s.provider}",
            every_seconds=PLAN,
        )
        for s in stories
    )


def outcome(**changes: Any) -> Outcome:
    """A good answer of Stripe, with what is changed."""
    fields: dict[str, Any] = {
        "id": "o-1", "integration": "payments", "provider": "stripe", "environment": Environment.LIVE,
        "probe": ProbeKind.REACHABILITY, "region": "local", "slot": None, "started_at": NOW,
        "duration_seconds": 0.12, "state": State.OPERATIONAL, "reason": Reason.OK, "detail": GOOD[2],
        "status_code": 200,
    }  # fmt: skip
    return Outcome(**(fields | changes))


def headroom(**changes: Any) -> Headroom:
    """A rate limit that is half used, with what is changed."""
    fields: dict[str, Any] = {
        "credential_fingerprint": "f00d", "bucket": "core", "unit": "requests", "limit": 100.0,
        "remaining": 50.0, "window_seconds": 60.0, "reset_at": NOW + MINUTE, "source": "header",
        "confidence": "high", "seen_at": NOW - dt.timedelta(seconds=5),
    }  # fmt: skip
    return Headroom(**(fields | changes))


def fill(
    store: Store, *, now: dt.datetime = NOW, stories: tuple[Story, ...] = STORIES, alive: bool = True
) -> None:
    """Write the stories: single outcomes for the newest minutes, hourly sums for thirty days."""
    chance = random.Random(3141)
    for story in stories:
        store.write([Recorded(each) for each in _minutes(story, now, chance)])
    with store.engine.begin() as connection:
        rows = [row for story in stories for row in _hours(story, now, chance)]
        connection.execute(sa.delete(tables.hours).where(tables.hours.c.probe != ProbeKind.TLS.value))
        connection.execute(sa.insert(tables.hours), rows)
    if alive:
        store.write(heartbeat(now))


def heartbeat(now: dt.datetime) -> list[Recorded | Gauge]:
    """What a living scheduler says."""
    return [
        Gauge("local", "scheduler_alive", "", 1.0, now - dt.timedelta(seconds=3)),
        Gauge("local", "scheduler_lag_seconds", "", 0.012, now),
        Gauge("local", "missed_runs_total", "payments/reachability", 2.0, now),
        Gauge("local", "store_lost_total", "", 0.0, now),
    ]


def open_store(folder: Path) -> Store:
    """A store of its own in `folder`."""
    return Store("sqlite:///seed.db", folder=folder)


def _minutes(story: Story, now: dt.datetime, chance: random.Random) -> list[Outcome]:
    found = [_tls(story, now)]
    for kind in (ProbeKind.REACHABILITY, ProbeKind.CREDENTIAL):
        told = story.last if kind is story.probe else ()
        answers = [GOOD] * (14 - len(told)) + list(told)
        for index, answer in enumerate(answers):
            at = now - (13 - index) * MINUTE - dt.timedelta(seconds=12 if kind is story.probe else 31)
            found.append(_answer(story, kind, answer, at, chance))
    return sorted(found, key=lambda o: o.started_at)


def _answer(
    story: Story, kind: ProbeKind, answer: tuple[Any, ...], at: dt.datetime, chance: random.Random
) -> Outcome:
    state, reason, detail, status = answer
    took = story.latency_seconds * chance.uniform(0.8, 1.5) if status else None
    took = 3.4 if reason is Reason.SLOW else took
    throttled = state is State.THROTTLED
    return outcome(
        id=f"{story.name}-{kind.value}-{int(at.timestamp())}", integration=story.name, provider=story.provider,
        environment=story.environment, probe=kind, started_at=at, duration_seconds=took, state=state, reason=reason,
        detail=detail, status_code=status, phases=_phases(took) if took else {},
        retry_at=at + story.retry_after if throttled and story.retry_after else None,
        headrooms=tuple(_rooms(story, at)) if kind is ProbeKind.CREDENTIAL else (),
        credential=story.facts if kind is ProbeKind.CREDENTIAL else None,
        findings=story.findings if kind is ProbeKind.CREDENTIAL else (),
    )  # fmt: skip


def _phases(took: float) -> dict[str, float]:
    return {
        "dns": took * 0.06,
        "connect": took * 0.17,
        "tls": took * 0.27,
        "first_byte": took * 0.44,
        "total": took,
    }


def _rooms(story: Story, at: dt.datetime) -> list[Headroom]:
    return [
        headroom(
            bucket=bucket, unit=unit, limit=limit, remaining=remaining, window_seconds=window, seen_at=at,
            reset_at=at + max(dt.timedelta(seconds=window or 0), 2 * MINUTE),
        )
        for bucket, unit, limit, remaining, window in story.rooms
    ]  # fmt: skip


def _tls(story: Story, now: dt.datetime) -> Outcome:
    soon = story.certificate_days < 14
    return outcome(
        id=f"{story.name}-tls", integration=story.name, provider=story.provider, environment=story.environment,
        probe=ProbeKind.TLS, started_at=now - 3 * HOUR, duration_seconds=0.05, status_code=None,
        state=State.DEGRADED if soon else State.OPERATIONAL,
        reason=Reason.CERTIFICATE_EXPIRES if soon else Reason.OK,
        detail=f"the chain is trusted, {story.certificate_days:g} days are left",
        certificate_expires_at=now + story.certificate_days * DAY,
    )  # fmt: skip


def _hours(story: Story, now: dt.datetime, chance: random.Random) -> list[dict[str, Any]]:
    rows = []
    current = int(now.timestamp()) // 3600 * 3600
    for kind, count in ((ProbeKind.REACHABILITY, 60), (ProbeKind.CREDENTIAL, 12)):
        for ago in range(30 * 24):
            hour = current - ago * 3600
            bad = round(count * story.bad_hours.get(ago, 0.0))
            if kind is ProbeKind.CREDENTIAL and story.last and ago == 0:
                bad = min(count, len(story.last)) if story.last[0][0] is State.AUTH_FAILED else bad
            counts, total = _latencies(story, count, dt.datetime.fromtimestamp(hour, dt.UTC), chance)
            seen = {"operational": count - bad} | ({"failing": bad} if bad else {})
            rows.append(
                {
                    "integration": story.name, "probe": kind.value, "region": "local", "hour": hour,
                    "seen": json.dumps(seen), "in_maintenance": 0, "duration_sum": total, "durations": counts,
                }
            )  # fmt: skip
    return rows


def _latencies(story: Story, count: int, hour: dt.datetime, chance: random.Random) -> tuple[bytes, float]:
    counts, total = histogram.empty(), 0.0
    busy = 1.0 + 0.35 * (1 - abs(hour.hour - 14) / 12)
    for _ in range(count):
        took = story.latency_seconds * busy * chance.lognormvariate(0, 0.28)
        histogram.add(counts, took)
        total += took
    return counts.tobytes(), total
