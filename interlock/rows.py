"""Records to rows and back. A row holds plain values alone: text, numbers, bytes, whole microseconds."""

from __future__ import annotations

import datetime as dt
import json
from array import array
from collections.abc import Mapping
from typing import Any, Self

import sqlalchemy as sa

from interlock import histogram, tables
from interlock.records import (
    CredentialFacts,
    Environment,
    Finding,
    Headroom,
    Location,
    Outcome,
    ProbeKind,
    Reason,
    Severity,
    State,
    Status,
    plain,
)
from interlock.status import Transition
from interlock.tables import microseconds

Key = tuple[str, str, str]
_MORE = ("phases", "headrooms", "findings", "credential")
_PLAIN_COLUMNS = tuple(c.name for c in tables.outcomes.columns if c.name not in {"seq", "more"})


class Sums:
    """Counts by state and durations, as a row of `statuses` or `hours` holds them."""

    __slots__ = ("duration_sum", "durations", "in_maintenance", "seen")

    def __init__(
        self, seen: dict[str, int], duration_sum: float, durations: array[int], in_maintenance: int
    ) -> None:
        self.seen, self.duration_sum, self.durations = seen, duration_sum, durations
        self.in_maintenance = in_maintenance

    @classmethod
    def of(cls, row: sa.RowMapping | None) -> Self:
        """What a row holds; nothing for None."""
        if row is None:
            return cls({}, 0.0, histogram.empty(), 0)
        durations = histogram.load(row["durations"])
        return cls(json.loads(row["seen"]), row["duration_sum"], durations, row.get("in_maintenance", 0))

    def add(self, outcome: Outcome, *, judged: bool = True) -> None:
        """Count one outcome; what is not judged counts as a duration alone."""
        if judged:
            self.seen[outcome.state.value] = self.seen.get(outcome.state.value, 0) + 1
        if outcome.duration_seconds is not None:
            self.duration_sum += outcome.duration_seconds
            histogram.add(self.durations, outcome.duration_seconds)

    def row(self) -> dict[str, Any]:
        """The columns that these fill."""
        return {
            "seen": json.dumps(self.seen),
            "duration_sum": self.duration_sum,
            "durations": self.durations.tobytes(),
        }


def key_of(outcome: Outcome) -> Key:
    """What a status is of: integration, probe, region."""
    return (outcome.integration, outcome.probe.value, outcome.region)


def row_key(row: sa.RowMapping) -> Key:
    """The same, of a row."""
    return (row["integration"], row["probe"], row["region"])


def key_columns(key: Key) -> dict[str, Any]:
    """A key as columns."""
    return {"integration": key[0], "probe": key[1], "region": key[2]}


def hour_of(moment: dt.datetime) -> int:
    """The epoch second at which its hour began."""
    return int(moment.timestamp()) // 3600 * 3600


def outcome_row(outcome: Outcome) -> dict[str, Any]:
    """An outcome as a row of `outcomes`."""
    o = outcome
    return {
        "id": o.id,
        "integration": o.integration,
        "probe": o.probe.value,
        "region": o.region,
        "slot": o.slot,
        "provider": o.provider,
        "environment": o.environment.value,
        "started_at": microseconds(o.started_at),
        "duration_seconds": o.duration_seconds,
        "state": o.state.value,
        "reason": o.reason.value,
        "detail": o.detail,
        "status_code": o.status_code,
        "retry_at": _instant(o.retry_at),
        "in_maintenance": o.in_maintenance,
        "certificate_expires_at": _instant(o.certificate_expires_at),
        "catalogue_digest": o.catalogue_digest,
        "more": _more(o),
    }


def _more(outcome: Outcome) -> str | None:
    more = {name: value for name in _MORE if (value := getattr(outcome, name))}
    return json.dumps(plain(more)) if more else None


def outcome_text(outcome: Outcome) -> str:
    """The JSON of `plain(outcome)`: written out, because it is done for every outcome there is."""
    o = outcome
    return json.dumps(
        {
            "id": o.id,
            "integration": o.integration,
            "provider": o.provider,
            "environment": o.environment.value,
            "probe": o.probe.value,
            "region": o.region,
            "slot": o.slot,
            "started_at": plain(o.started_at),
            "duration_seconds": o.duration_seconds,
            "phases": dict(o.phases),
            "state": o.state.value,
            "reason": o.reason.value,
            "detail": o.detail,
            "status_code": o.status_code,
            "retry_at": plain(o.retry_at),
            "in_maintenance": o.in_maintenance,
            "headrooms": plain(o.headrooms) if o.headrooms else [],
            "findings": plain(o.findings) if o.findings else [],
            "certificate_expires_at": plain(o.certificate_expires_at),
            "credential": plain(o.credential),
            "catalogue_digest": o.catalogue_digest,
        }
    )


def status_row(key: Key, status: Status, sums: Sums) -> dict[str, Any]:
    """A status with the sums since the beginning as a row of `statuses`."""
    return {
        **key_columns(key),
        "state": status.state.value,
        "since": microseconds(status.since),
        "failures": status.failures,
        "last": outcome_text(status.last),
        **sums.row(),
    }


def hour_row(key: Key, hour: int, sums: Sums) -> dict[str, Any]:
    """The sums of one hour as a row of `hours`."""
    return {**key_columns(key), "hour": hour, "in_maintenance": sums.in_maintenance, **sums.row()}


def transition_row(change: Transition) -> dict[str, Any]:
    """A change as a row of `transitions`."""
    o = change.outcome
    return {
        **key_columns(key_of(o)),
        "at": microseconds(change.at),
        "before": change.before.value if change.before else None,
        "after": change.after.value,
        "reason": o.reason.value,
        "detail": o.detail,
        "outcome_id": o.id,
    }


def headroom_row(integration: str, room: Headroom) -> dict[str, Any]:
    """A headroom as a row of `headrooms`."""
    row = {c.name: getattr(room, c.name) for c in tables.headrooms.columns if c.name != "integration"}
    times = {"reset_at": _instant(room.reset_at), "seen_at": microseconds(room.seen_at)}
    return (
        row
        | times
        | {"integration": integration, "credential_fingerprint": room.credential_fingerprint or ""}
    )


def _instant(moment: dt.datetime | None) -> int | None:
    return None if moment is None else microseconds(moment)


def status_from_row(row: sa.RowMapping) -> Status:
    """A `Status` from a row of `statuses`."""
    last = outcome_from_plain(json.loads(row["last"]))
    return Status(state=State(row["state"]), since=row["since"], failures=row["failures"], last=last)


def outcome_from_row(row: Mapping[str, Any] | sa.RowMapping) -> Outcome:
    """An `Outcome` from a row of `outcomes`."""
    more = json.loads(row["more"]) if row["more"] else {}
    plain_columns = {name: row[name] for name in _PLAIN_COLUMNS}
    return outcome_from_plain(plain_columns | more)


def outcome_from_plain(data: Mapping[str, Any]) -> Outcome:
    """The opposite of `plain(outcome)`."""
    return Outcome(
        **{
            **data,
            "environment": Environment(data["environment"]),
            "probe": ProbeKind(data["probe"]),
            "state": State(data["state"]),
            "reason": Reason(data["reason"]),
            "started_at": _moment(data["started_at"]),
            "retry_at": _moment(data["retry_at"]),
            "certificate_expires_at": _moment(data["certificate_expires_at"]),
            "phases": data.get("phases") or {},
            "headrooms": tuple(headroom_from_plain(each) for each in data.get("headrooms") or ()),
            "credential": credential_from_plain(data.get("credential")),
            "findings": tuple(finding_from_plain(each) for each in data.get("findings") or ()),
        }
    )


def headroom_from_plain(data: Mapping[str, Any]) -> Headroom:
    """The opposite of `plain(headroom)`; also reads a row of `headrooms`."""
    fields = {name: data[name] for name in Headroom.__dataclass_fields__ if name in data}
    times = {"reset_at": _moment(data["reset_at"]), "seen_at": _moment(data["seen_at"])}
    return Headroom(**{**fields, **times, "credential_fingerprint": data["credential_fingerprint"] or None})


def credential_from_plain(data: Mapping[str, Any] | None) -> CredentialFacts | None:
    """The opposite of `plain(credential facts)`."""
    if data is None:
        return None
    scopes = None if data["scopes"] is None else tuple(data["scopes"])
    return CredentialFacts(
        expires_at=_moment(data["expires_at"]),
        identity=data["identity"],
        scopes=scopes,
        issued_at=_moment(data.get("issued_at")),  # rows of an earlier version have none
    )


def finding_from_plain(data: Mapping[str, Any]) -> Finding:
    """The opposite of `plain(finding)`."""
    location = Location(**data["location"])
    return Finding(**{**data, "severity": Severity(data["severity"]), "location": location})


def _moment(value: Any) -> Any:
    return dt.datetime.fromisoformat(value) if isinstance(value, str) else value
