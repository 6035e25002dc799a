"""Mistakes in the settings, worded for the person who made them: line, key, what is wrong, what was meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel

from interlock import catalogue
from interlock.records import ProbeKind
from interlock.settings_models import IntegrationSettings, Settings
from interlock.toml_lines import KeyPath, TomlLines, locate

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
HIDDEN = "(hidden)"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake at a key. `extra`: it is about the key itself, not about its value. `line`: None looks it up."""

    path: KeyPath
    text: str
    extra: bool = False
    line: int | None = None


def report(
    mistakes: Iterable[Mistake], text: str, shown: str, hidden: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """One line for each mistake, in the order of the file. No line holds any of `hidden`."""
    found = _located(text)
    lines: dict[tuple[int, str], list[Mistake]] = {}
    for mistake in mistakes:
        key = (mistake.line or found.line(mistake.path), written(mistake.path, hidden))
        before = lines.setdefault(key, [])
        repeats = any(other.extra == mistake.extra for other in before)
        if not repeats and not (before and hidden.intersection(mistake.path)):  # the first one knows most
            before.append(mistake)
    return tuple(
        _without(hidden, f"{shown}:{line}: {path}{': ' if path else ''}{mistake.text}")
        for (line, path), group in sorted(lines.items(), key=lambda item: item[0][0])
        for mistake in group
    )


def _located(text: str) -> TomlLines:
    try:
        return locate(text)
    except RecursionError:
        return TomlLines({}, ())


def _without(hidden: frozenset[str], text: str) -> str:
    for value in hidden:
        text = re.sub(re.escape(value), HIDDEN, text, flags=re.IGNORECASE)
    return text


def written(path: KeyPath, hidden: frozenset[str] = frozenset()) -> str:
    """A key path as it would be written in the file."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = HIDDEN if part in hidden else part if _BARE.fullmatch(part) else quoted(part)
            text += f".{name}" if text else name
    return text


def quoted(text: str) -> str:
    """Text between quotes, on one line and not too long."""
    short = text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - of the same number
    return '"' + short.encode("unicode_escape").decode("ascii").replace('"', '\\"') + '"'


def meant(name: str, known: Iterable[str], kind: str = "known here") -> str:
    """The nearest known name, or all of them."""
    names = list(known)
    near = difflib.get_close_matches(name.lower().replace("-", "_"), names, n=1) or difflib.get_close_matches(
        name.lower(), names, n=1
    )
    if near:
        return f"; did you mean {quoted(near[0])}?"
    return f"; {kind}: {', '.join(names)}" if names else ""


# --- TOML ---------------------------------------------------------------------------------------------------

_SYNTAX = (
    ("Invalid value", 'this is not a value; text stands in quotes, as in name = "text"'),
    ("Expected '=' after a key", 'a key is followed by = and a value, as in every = "60s"'),
    ("Expected ']' at the end of a table", "the name of a table ends with ], as in [integrations.payments]"),
    ("Expected ']]' at the end of an array", "the name of an array of tables ends with ]]"),
    (
        "Expected newline or end of document",
        "something follows the value; one line holds one key and its value",
    ),
    ("Cannot overwrite a value", "this key stands twice"),
    ("Duplicate inline table key", "a key stands twice in this inline table"),
    ("Cannot declare", "this table stands twice, or its name is already the name of a value"),
    ("Cannot mutate immutable", "this table is closed: it was written as { ... } or as a list"),
    ("Unterminated string", "this text does not end: its closing quote is missing"),
    ("Unclosed array", "this list does not end: a comma or its closing ] is missing"),
    ("Unclosed inline table", "this inline table does not end: a comma or its closing } is missing"),
    ("Unescaped '\\'", 'a backslash in "..." starts an escape; write \\\\, or use single quotes'),
    (
        "Illegal character",
        "there is a character that text on one line cannot hold: is a closing quote missing?",
    ),
    ("Found invalid character", "text in single quotes does not end on its line"),
    ("Invalid statement", "a line starts with a key, [table] or #"),
    (
        "Invalid initial character for a key",
        "a key is missing or holds a character that needs quotes around the key",
    ),
    ("Invalid date or datetime", "this date or time does not exist"),
    ("Expected", "something is missing here"),
)


def syntax_mistake(text: str, told: str) -> str:
    """`LINE: column N: sentence` for what tomllib says. Nothing of the text is repeated."""
    place = _PLACE.search(told)
    end = text.rstrip("\n")
    line, column = end.count("\n") + 1, len(end) - (end.rfind("\n") + 1) + 1
    if place and place.group(1):
        line, column = int(place.group(1)), int(place.group(2))
    sentence = next((plain for start, plain in _SYNTAX if told.startswith(start)), "this is not TOML")
    return f"{line}: column {column}: {sentence}"


# --- shapes -------------------------------------------------------------------------------------------------

_PLAIN = {
    "string_type": 'must be text in quotes, such as "text"',
    "int_type": "must be a whole number without quotes, such as 3",
    "int_from_float": "must be a whole number, such as 3",
    "int_parsing": "must be a whole number without quotes, such as 3",
    "float_type": "must be a number without quotes, such as 0.1",
    "finite_number": "must be a number that ends",
    "bool_type": "must be true or false, without quotes",
    "path_type": "must be the path of a file, in quotes",
    "datetime_parsing": "must be a date and time with a time zone, such as 2026-01-31T02:00:00Z",
    "datetime_from_date_parsing": "must be a date and time with a time zone, such as 2026-01-31T02:00:00Z",
}
_ALSO_CALLED = {
    "production": "live",
    "prod": "live",
    "test": "sandbox",
    "testing": "sandbox",
    "staging": "sandbox",
}
_PATTERNS = {
    "region": "must be 1 to 40 letters, digits, dots, _ or -",
    "path": "must be a path that starts with /, without spaces and #",
    "header": "must be the name of a header: letters, digits and -",
    "provider": 'must be the name of a provider in lower-case letters, such as "stripe"',
}
_INTEGRATION_NAME = (
    "an integration's name is at most 63 lower-case letters, digits, _ and -, a letter or digit first"
)
_EXAMPLES = {
    "provider": 'write provider = "stripe"; `interlock providers` lists them',
    "certificate": 'write certificate = "client.pem"',
    "key": 'write key = "client-key.pem"',
    "start": "write start = 2026-01-31T02:00:00Z",
    "end": "write end = 2026-01-31T04:00:00Z",
}


def shape_mistakes(errors: Iterable[Any], data: Mapping[str, Any]) -> Iterator[Mistake]:
    """What pydantic found, in our words."""
    for error in errors:
        path: KeyPath = tuple(error["loc"])
        if path and path[-1] == "[key]":
            yield Mistake(path[:-1], _wrong_key(path[:-1]), extra=True)
        elif error["type"] == "extra_forbidden":
            yield Mistake(path, f"unknown key{meant(str(path[-1]), _known_at(path[:-1]))}", extra=True)
        else:
            text = _sentence(path, error, data)
            first = text.partition(" ")[0]  # of a table: the sentence starts with the key it is about
            own = (
                (*path, first)
                if error["type"] == "value_error" and at(data, (*path, first)) is not None
                else path
            )
            yield Mistake(own, text)


def _wrong_key(path: KeyPath) -> str:
    """A name that the user chooses, or one out of a list, is not as it must be."""
    if len(path) >= 2 and path[-2] == "probes":  # noqa: PLR2004 - integrations.NAME.probes.KIND
        kinds = [kind.value for kind in ProbeKind]
        return f"unknown probe{meant(str(path[-1]).replace('_', '-'), kinds, 'the probes are')}"
    if path[0] == "integrations" and len(path) == 2:  # noqa: PLR2004 - integrations.NAME
        better = re.sub(r"[^a-z0-9_-]+", "-", str(path[1]).lower()).strip("-_")[:63]
        return f"{_INTEGRATION_NAME}; did you mean {quoted(better)}?" if better else _INTEGRATION_NAME
    return "a name here is lower-case letters, digits and _, and starts with a letter"


def _sentence(path: KeyPath, error: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    kind, last = error["type"], str(path[-1]) if path else ""
    context = error.get("ctx", {})
    if kind == "missing":
        return f"is missing; {_EXAMPLES.get(last, 'it is needed here')}"
    if kind in {"enum", "literal_error"}:
        return _one_of(at(data, path), context["expected"])
    if kind == "value_error":
        return _value_error(path, str(context["error"]), data)
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(last, "must be lower-case letters, digits and _, and start with a letter")
    if kind in {"int_type", "float_type"} and re.fullmatch(r"[0-9]{1,5}", str(at(data, path))):
        return f"must be a number without quotes; did you mean {at(data, path)}?"
    return _PLAIN.get(kind) or _container(kind, path) or _limit(kind, context, str(error["msg"]))


def _container(kind: str, path: KeyPath) -> str | None:
    if kind in {"model_type", "dict_type", "mapping_type", "model_attributes_type"}:
        return _table(path)
    return _list(path) if kind in {"tuple_type", "too_short"} else None


def _limit(kind: str, context: Mapping[str, Any], told: str) -> str:
    words = {
        "greater_than_equal": ("ge", "at least"),
        "greater_than": ("gt", "more than"),
        "less_than_equal": ("le", "at most"),
        "less_than": ("lt", "less than"),
    }
    if kind in words:
        key, word = words[kind]
        return f"must be {word} {context[key]:g}"
    return told[:1].lower() + told[1:]


def _one_of(given: object, expected: str) -> str:
    allowed = re.findall(r"'([^']*)'", expected)
    said = f"must be one of {', '.join(map(quoted, allowed))}"
    word = given.lower() if isinstance(given, str) else ""
    near = difflib.get_close_matches(word, allowed, n=1) or [
        w for w in [_ALSO_CALLED.get(word)] if w in allowed
    ]
    return f"{said}; did you mean {quoted(near[0])}?" if near else said


def _value_error(path: KeyPath, told: str, data: Mapping[str, Any]) -> str:
    last = str(path[-1]) if path else ""
    given = at(data, path)
    if "a duration" in told and isinstance(given, int | float) and not isinstance(given, bool):
        return f'{told}; did you mean "{given}s"?'
    if "user name or password" in told and last == "proxy":
        return f"{told}: write proxy_username, and proxy_password by reference"
    if "reference" in told or told.startswith(("env:", "file:")):
        return (
            f'must be a reference, such as "env:{suggested(path, data)}" or "file:PATH", never the secret itself'
            if "reference" in told
            else f'{told}, such as "env:{suggested(path, data)}"'
        )
    return told


def variable(path: KeyPath) -> str:
    """The name of an environment variable that would suit a secret at this key."""
    own = [str(part) for part in path if part not in {"integrations", "credentials", "suite"}]
    prefix = ["INTERLOCK"] if path[0] == "suite" else []
    return re.sub(r"[^A-Z0-9]+", "_", "_".join([*prefix, *own]).upper()).lstrip("_0123456789") or "SECRET"


def suggested(path: KeyPath, data: Mapping[str, Any]) -> str:
    """The name of the environment variable that fits a key: the catalogue's, else one made of the key."""
    if len(path) == 4 and path[0] == "integrations" and path[2] == "credentials":  # noqa: PLR2004
        name = at(data, (*path[:2], "provider"))
        if isinstance(name, str) and name in catalogue.names():
            credential = catalogue.load(name).credentials.get(str(path[3]))
            if credential is not None and credential.environment_names:
                return credential.environment_names[0]
    return variable(path)


def _table(path: KeyPath) -> str:
    if len(path) == 2 and path[0] == "integrations":  # noqa: PLR2004 - integrations.NAME
        return f"must be a table: write [{written(path)}] and its keys below"
    return f"must be a table: write [{written(path)}] and its keys below, or {{ key = value }}"


def _list(path: KeyPath) -> str:
    if path[-1] == "maintenance":
        return f"must be a list of tables: write [[{written(path)}]]"
    if path[-1] in {"status", "refused"}:
        return "must be a list of status codes, such as [200]"
    return 'must be a list, such as ["text"]'


def at(data: Any, path: KeyPath) -> Any:
    """What stands at a path; None if nothing does."""
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _known_at(path: KeyPath) -> list[str]:
    """The keys that may stand at a path."""
    annotation: Any = Settings
    for part in path:
        annotation = _below(_model(annotation), part)
    model = _model(annotation)
    return (
        [name for name in model.model_fields if not (model is Settings and name == "path")] if model else []
    )


def _below(model: Any, part: str | int) -> Any:
    if isinstance(model, type) and issubclass(model, BaseModel):
        field = model.model_fields.get(str(part))
        return field.annotation if field else None
    return (
        get_args(model)[1 if len(get_args(model)) > 1 and get_args(model)[1] is not ... else 0]
        if model
        else None
    )


def _model(annotation: Any) -> Any:
    """The model, mapping or tuple behind `Annotated` and `X | None`."""
    if get_origin(annotation) is Annotated:
        return _model(get_args(annotation)[0])
    inside = [arg for arg in get_args(annotation) if arg is not type(None)]
    if type(None) in get_args(annotation):
        return _model(inside[0])
    return annotation


INTEGRATION_KEYS = tuple(IntegrationSettings.model_fields)
