"""Names on the command line: a provider's own, or that of an integration, which stands for its provider."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from interlock import catalogue
from interlock.errors import UsageError

if TYPE_CHECKING:
    from interlock.settings import Settings

_DESCRIBED = "generic"  # its integrations have no provider that anybody could name


def provider_called(name: str, settings: Settings | None) -> str:
    """The provider of the integration that is called so; a provider's own name, and what nobody knows, as it is.

    What follows a dot stays: `payments.invoices` is `paypal.invoices` where `payments` is an integration of PayPal's.
    An integration that has the name of another provider is a mistake of the settings: there is nothing to choose.
    """
    stem, dot, part = name.partition(".")
    own = settings.integrations.get(stem) if settings is not None else None
    return name if own is None or own.provider == _DESCRIBED else f"{own.provider}{dot}{part}"


def provider_asked(name: str, config: Path | None) -> str:
    """The provider of the catalogue that is meant; settings are read only for a name that is none. Raises `UsageError`.

    `config`: the settings file that was named, else the one found upward from the working directory.
    """
    if name in catalogue.names():
        return name
    from interlock.settings import wanted  # noqa: PLC0415 - most names are those of providers

    return provider_of(name, wanted(config))


def provider_of(name: str, settings: Settings | None) -> str:
    """The same for what must be a provider of the catalogue, or an integration of one. Raises `UsageError`."""
    called = provider_called(name, settings)
    if called in catalogue.names():
        return called
    own = tuple(settings.integrations) if settings is not None else ()
    if name in own:
        raise UsageError(
            f"{name} is an integration of no provider in the catalogue",
            hint="it is generic: the settings say all that is known of it",
        )
    near = difflib.get_close_matches(name, [*own, *catalogue.names()], n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    which = "no provider and no integration" if own else "no provider"
    raise UsageError(
        f"{which} is called {name!r}{meant}",
        hint="`interlock providers` lists the providers"
        + (f"; the settings have: {', '.join(own)}" if own else ""),
    )
