"""Names on the command line: a provider's own, or that of an integration, which stands for its provider."""

from __future__ import annotations

from pathlib import Path

from interlock import catalogue
from interlock.errors import UsageError

_DESCRIBED = "generic"  # its integrations have no provider that anybody could name


def provider_called(name: str) -> str:
    """The provider of an integration that the settings found from here call so; else the name as it is.

    A provider's own name goes before. Settings that are wrong are not what is asked for, and say nothing here.
    """
    if name in catalogue.names():
        return name
    from interlock import settings  # noqa: PLC0415 - most names are those of providers

    path = settings.find(Path.cwd())
    try:
        own = settings.load(path).integrations.get(name) if path else None
    except UsageError:
        return name
    return own.provider if own is not None and own.provider != _DESCRIBED else name
