"""How the fields of forms are written: OpenAPI's Encoding Object, with what holds where it says nothing.

https://spec.openapis.org/oas/v3.1.1.html#encoding-object
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contracts.contract import Media
from contracts.drift.shapes import Places, Shapes
from contracts.media import essence
from contracts.pointers import follow, join

if TYPE_CHECKING:
    from contracts.drift.operations import Twin

_URLENCODED, _MULTIPART = "application/x-www-form-urlencoded", "multipart/"
_WRITTEN = ("style", "explode", "allowReserved")


def compare(twin: Twin, side: str, label: str, one: Media, two: Media) -> None:
    """The fields that both forms have, and that one of them describes."""
    kind = essence(one.media_type)
    if kind != essence(two.media_type) or not kind.startswith((_URLENCODED, _MULTIPART)):
        return
    walk = twin.sides.walk
    before, after = _described(walk.base, one), _described(walk.revision, two)
    bases, revisions = (shapes.of(shapes.places(each.schema)).properties for shapes, each in (
        (walk.base, one), (walk.revision, two)))  # fmt: skip
    for name in sorted((before.keys() | after.keys()) & bases.keys() & revisions.keys()):
        if (name not in before and walk.base.partial) or (name not in after and walk.revision.partial):
            continue  # it leaves out how the field is written
        was = _way(walk.base, bases[name], before.get(name), kind)
        now = _way(walk.revision, revisions[name], after.get(name), kind)
        if was is None or now is None or was == now or _is_wider(was, now, sent=side == "request"):
            continue
        at = (_at(one, name, before), _at(two, name, after))
        twin.note(f"{side}-field-encoding-changed", f" {label}: the field {name} is written in another way",
                  *at, " or ".join(sorted(was)), " or ".join(sorted(now)))  # fmt: skip


def _described(shapes: Shapes, media: Media) -> Mapping[str, Mapping[str, Any]]:
    found = follow(shapes.document, join(media.pointer, "encoding"))
    listed = found.items() if isinstance(found, Mapping) else ()
    return {str(name): each for name, each in listed if isinstance(each, Mapping)}


def _at(media: Media, name: str, described: Mapping[str, Any]) -> str:
    return join(media.pointer, "encoding", name) if name in described else media.pointer


def _is_wider(was: frozenset[str], now: frozenset[str], *, sent: bool) -> bool:
    """Whether what was sent is still taken, or what comes is what came before."""
    return was <= now if sent else now <= was


def _way(
    shapes: Shapes, places: Places, described: Mapping[str, Any] | None, kind: str
) -> frozenset[str] | None:
    """How a field is written: the ways that are taken. None where its type says too little to know."""
    said = described or {}
    types = shapes.of(places).types
    if any(name in said for name in _WRITTEN) or (kind == _URLENCODED and "contentType" not in said):
        if types is None:
            return None
        if not types & {"array", "object"}:
            return frozenset({"plain"})
        style = str(said.get("style", "form")).replace("simple", "form")  # as Swagger's lists are called
        return frozenset({f"{style}{', exploded' if said.get('explode', style == 'form') is True else ''}"})
    content = said.get("contentType")
    if isinstance(content, str):
        return frozenset(essence(each) for each in content.split(","))
    default = _media_type(shapes, places)
    return None if default is None else frozenset({default})


def _media_type(shapes: Shapes, places: Places) -> str | None:
    """What a part is where nothing is said of it; items of a list are a part each."""
    shape = shapes.of(places)
    if shape.types == frozenset({"array"}) and shape.items:
        shape = shapes.of(shape.items)
    if "binary" in shape.formats or "contentEncoding" in shape.conditions:
        return "application/octet-stream"
    if not shape.types or len(shape.types) > 1:
        return None
    return "application/json" if shape.types & {"object", "array"} else "text/plain"
