"""The URLs that an OpenAPI server stands for: what its variables may be is put in, what nobody said stays open."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

_PLACE = re.compile(r"(\{[^/{}]*\})")
_MOST_URLS = 64  # of one server: variables multiply
_OPEN = "{server}"
_AUTHORITY = re.compile(r"(?:[^/]*:)?//[^/]*")
_ALONE = re.compile(r"\{server\}(?=/|$)")
_DOTS = re.compile(r"^(?:\.{1,2}(?:/|$))+")


def urls_of(server: Mapping[str, Any]) -> Iterator[str]:
    """Its URL with the default of every variable first, then with what else they may be.

    A variable with an `enum` is one of these; any other may be anything, so its place stays too.
    """
    url: str = server["url"]
    places: list[str] = list(dict.fromkeys(_PLACE.findall(url)))
    said = server.get("variables")
    variables: Mapping[str, Any] = said if isinstance(said, Mapping) else {}
    choices = [tuple(_values(variables.get(place[1:-1]), place)) for place in places]
    made: list[tuple[str, ...]] = list(itertools.islice(itertools.product(*choices), _MOST_URLS + 1))
    if len(made) > _MOST_URLS:
        made[_MOST_URLS] = tuple(places)
    for values in made:
        known: dict[str, str] = dict(zip(places, values, strict=True))
        yield "".join(known.get(str(part), str(part)) for part in _PLACE.split(url))


def _values(variable: Any, place: str) -> Iterator[str]:
    about = variable if isinstance(variable, Mapping) else {}
    listed = about.get("enum")
    allowed = [str(each) for each in listed if _is_text(each)] if isinstance(listed, list) else []
    default = [str(about["default"])] if _is_text(about.get("default")) else []
    yield from dict.fromkeys((*default, *(allowed or [place])))


def _is_text(value: Any) -> bool:
    """A port or a version that YAML takes for a number is meant as text."""
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def base_path(url: str) -> str:
    """The path of a server's URL; what is open in it takes anything.

    A relative URL counts from where the document lies, which nobody said: it counts from the root then.
    """
    path = re.split(r"[?#]", _PLACE.sub(_OPEN, url), maxsplit=1)[0].rstrip("/")
    if host := _AUTHORITY.match(path) or _ALONE.match(path):
        return path[host.end() :]
    if path.startswith("/"):
        return path
    path = _DOTS.sub("", path)
    return f"/{path}" if path else ""
