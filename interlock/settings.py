"""The settings file `interlock.toml`, parsed once at the border; every mistake is reported at once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from interlock.errors import SettingsError, UsageError
from interlock.settings_checks import check
from interlock.settings_mistakes import Mistake, report, shape_mistakes, syntax_mistake
from interlock.settings_models import (
    ClientCertificate,
    Concurrency,
    Duration,
    Health,
    HttpUrl,
    Identity,
    IntegrationName,
    IntegrationSettings,
    Maintenance,
    Model,
    Network,
    ProbeSettings,
    Reference,
    Retention,
    Service,
    Settings,
    Suite,
    Web,
    seconds,
)
from interlock.settings_secrets import literal_secrets

__all__ = [
    "FILE_NAME",
    "ClientCertificate",
    "Concurrency",
    "Duration",
    "Health",
    "HttpUrl",
    "Identity",
    "IntegrationName",
    "IntegrationSettings",
    "Maintenance",
    "Model",
    "Network",
    "ProbeSettings",
    "Reference",
    "Retention",
    "Service",
    "Settings",
    "Suite",
    "Web",
    "find",
    "json_schema",
    "load",
    "parse",
    "seconds",
    "wanted",
]

FILE_NAME = "interlock.toml"
MAX_SETTINGS_BYTES = 1024 * 1024


def find(start: Path) -> Path | None:
    """`interlock.toml` in `start` or the nearest folder above it; None if there is none."""
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    return None


def wanted(config: Path | None) -> Settings | None:
    """The settings that `--config` names, else those found upward from the working directory; None if there are none.

    Raises `UsageError`.
    """
    if config is not None and not config.is_file():
        raise UsageError(f"{config}: there is no such file", hint="`interlock init` writes one")
    path = config or find(Path.cwd())
    return load(path) if path else None


def load(path: Path) -> Settings:
    """Read and check a settings file. Raises `SettingsError` with every mistake at once."""
    shown = shown_path(path)
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_SETTINGS_BYTES + 1)
    except OSError as exc:
        raise SettingsError((f"{shown}: cannot be read: {exc.strerror}",)) from exc
    if len(raw) > MAX_SETTINGS_BYTES:
        raise SettingsError((f"{shown}: is larger than {MAX_SETTINGS_BYTES} bytes",))
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as exc:
        line = raw[: exc.start].count(b"\n") + 1
        wrong = f"{shown}:{line}: is not UTF-8 text"
    else:
        return parse(text, path)
    raise SettingsError((wrong,))


def parse(text: str, path: Path) -> Settings:
    """Check the text of a settings file. Raises `SettingsError` with every mistake at once."""
    shown = shown_path(path)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    data, wrong = _toml(text)
    if data is None:
        raise SettingsError((f"{shown}:{wrong}",), hint="interlock.toml is TOML: https://toml.io")
    secrets, hidden = literal_secrets(data, text)
    settings, shape = _validated(data, path)
    mistakes = (*secrets, *check(data, path.parent), *shape)
    if settings is None or mistakes:
        # Raised outside of any `except`: what pydantic and tomllib raise carries the values.
        raise SettingsError(report(mistakes, text, shown, hidden))
    return settings


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the file, for editors. `settings_schema.json` holds it."""
    schema = _tidy(Settings.model_json_schema(mode="validation"))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": FILE_NAME, **schema}


def _tidy(schema: Any) -> Any:
    """Without titles made of names, and without null, which TOML does not have."""
    if isinstance(schema, list):
        return [_tidy(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {
        key: {name: _tidy(item) for name, item in value.items()}
        if key in {"properties", "$defs"}
        else _tidy(value)
        for key, value in schema.items()
        if key != "title" and not (key == "default" and value is None)
    }
    if "patternProperties" in tidy:
        tidy["additionalProperties"] = False
    if tidy.get("type") == "string" and not isinstance(tidy.get("default", ""), str):
        del tidy["default"]  # a duration's, in seconds
    choices = [choice for choice in tidy.get("anyOf", ()) if choice != {"type": "null"}]
    return {**choices[0], **{k: v for k, v in tidy.items() if k != "anyOf"}} if len(choices) == 1 else tidy


def shown_path(path: Path) -> str:
    """The path as a person in the working directory would write it."""
    here = Path.cwd()
    if path.is_absolute() and path.is_relative_to(here):
        return str(path.relative_to(here))
    if path.is_absolute() and here.is_relative_to(path.parent):
        return str(Path(*[".."] * len(here.relative_to(path.parent).parts), path.name))
    return str(path)


def _toml(text: str) -> tuple[dict[str, Any] | None, str]:
    try:
        return tomllib.loads(text), ""
    except tomllib.TOMLDecodeError as exc:
        return None, syntax_mistake(text, str(exc))
    except RecursionError:
        return None, "1: is nested too deeply"


def _validated(data: Mapping[str, Any], path: Path) -> tuple[Settings | None, Iterable[Mistake]]:
    unknown = [Mistake(("path",), "unknown key; known here: suite, integrations", extra=True)]
    own = unknown if "path" in data else []
    try:
        return Settings.model_validate({**data, "path": path}), own
    except ValidationError as exc:
        return None, [*own, *shape_mistakes(exc.errors(include_url=False, include_input=False), data)]
