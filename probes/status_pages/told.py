"""What a status page tells, whatever its engine, and what that means for one integration. Pure."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any
from xml.etree import ElementTree as ET

from interlock import xml_document
from interlock.answers import Judgement
from interlock.records import Reason, State

LONGEST_TITLE = 120


class Level(IntEnum):
    """How bad it is, worst last."""

    OPERATIONAL = 0
    MAINTENANCE = 1
    DEGRADED = 2
    PARTIAL_OUTAGE = 3
    MAJOR_OUTAGE = 4


class Unreadable(ValueError):  # noqa: N818 - it says what happened
    """The page is not what its engine writes: nothing can be said."""


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the provider with its level; `level` None where the page uses a word that is not known."""

    name: str
    level: Level | None


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that goes on now. `touches`: names of components; empty where the page does not say."""

    title: str
    level: Level
    touches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """A page, read. `overall` None where the page has no word of its own for the whole."""

    overall: Level | None
    components: tuple[Component, ...] = ()
    incidents: tuple[Incident, ...] = ()


def judge(told: Told, chosen: Sequence[str], title: str) -> Judgement:
    """What the page means for those who use the `chosen` components; for everybody if none is chosen.

    A chosen name is sought in names without regard to case. One that the page does not have is `unknown`.
    """
    if chosen:
        return _judge_chosen(told, chosen, title)
    levels = [incident.level for incident in told.incidents]
    levels += [] if told.overall is None else [told.overall]
    levels += [component.level for component in told.components if component.level is not None]
    # without any level it was a list of incidents, and the list is empty
    return _meaning(max(levels, default=Level.OPERATIONAL), told.incidents, title, "everything")


def _judge_chosen(told: Told, chosen: Sequence[str], title: str) -> Judgement:
    levels: list[Level] = []
    touching: list[Incident] = []
    if any(not i.touches and not any(_names(name, i.title) for name in chosen) for i in told.incidents):
        return _unknown(f"{title}'s status page lists an incident without saying what it touches")
    for name in chosen:
        components = [c for c in told.components if _names(name, c.name)]
        incidents = [i for i in told.incidents if any(_names(name, t) for t in (*i.touches, i.title))]
        if told.components and not components and not incidents:
            return _unknown(f"the status page has no component {name!r}")
        if any(component.level is None for component in components):
            return _unknown(f"the status page uses an unknown word for {name!r}")
        levels += [component.level for component in components if component.level is not None]
        levels += [incident.level for incident in incidents]
        touching += incidents
    return _meaning(max(levels, default=Level.OPERATIONAL), touching, title, ", ".join(chosen))


def _names(wanted: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", name, re.IGNORECASE) is not None


def _meaning(level: Level, incidents: Iterable[Incident], title: str, what: str) -> Judgement:
    worst = max(incidents, key=lambda incident: incident.level, default=None)
    said = f": {worst.title[:LONGEST_TITLE]}" if worst else ""
    if level is Level.OPERATIONAL:
        return Judgement(
            state=State.OPERATIONAL, reason=Reason.OK, detail=f"{title} reports {what} operational"
        )
    word = level.name.replace("_", " ").lower()
    reason = Reason.PROVIDER_MAINTENANCE if level is Level.MAINTENANCE else Reason.PROVIDER_INCIDENT
    state = State.FAILING if level is Level.MAJOR_OUTAGE else State.DEGRADED
    return Judgement(state=state, reason=reason, detail=f"{title} reports {word} of {what}{said}")


def _unknown(detail: str) -> Judgement:
    return Judgement(state=State.UNKNOWN, reason=Reason.UNREADABLE, detail=detail)


# -- reading, for the engines ------------------------------------------------------------------------


def as_json(body: bytes) -> Any:
    """The body as JSON in any Unicode encoding (AWS writes UTF-16). Raises `Unreadable`."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise Unreadable("it is not JSON") from exc


def as_object(body: bytes) -> dict[str, Any]:
    """The body as a JSON object. Raises `Unreadable`."""
    value = as_json(body)
    if not isinstance(value, dict):
        raise Unreadable("it is not a JSON object")
    return value


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a JSON list; anything else is no list. Raises `Unreadable`."""
    if not isinstance(value, list):
        raise Unreadable("a list is missing")
    return [each for each in value if isinstance(each, dict)]


def text(value: Any) -> str:
    """A JSON string on one line; anything else is empty."""
    return " ".join(value.split()) if isinstance(value, str) else ""


def as_xml(body: bytes) -> ET.Element:
    """The root of an XML document without entities of its own. Raises `Unreadable`."""
    try:
        return xml_document.root(body)
    except ValueError as exc:
        raise Unreadable(str(exc)) from exc


def moment(value: str) -> dt.datetime | None:
    """An RFC 3339 date, aware; None for anything else."""
    try:
        found = dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else None
