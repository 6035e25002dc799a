"""A first draft of an integration's settings, with comments that teach. It loads without mistakes."""

from __future__ import annotations

import json
from collections.abc import Iterator

from interlock.catalogue import AuthWay, Provider, places
from interlock.discovery import Found
from interlock.records import ProbeKind
from interlock.settings_checks import candidates

_COLUMN = 64
_SANDBOX_WORDS = ("SANDBOX", "_TEST_")


def integration(found: Found) -> str:
    """The table of one provider. It is commented out whole where it is a guess or lacks what only you know."""
    lines = list(_lines(found))
    commented = found.shared or bool(_lacking(found.provider))
    if found.shared:
        lines.insert(
            0, f"# {found.provider.title}? Every trace of it fits another service too. If you use it:"
        )
    elif commented:
        what = " and ".join(f"parameters.{name}" for name in _lacking(found.provider))
        lines.insert(0, f"# {found.provider.title} is not reached without {what}: fill in, then uncomment.")
    out = [
        f"# {line.replace('  #', '#', 1)}" if commented and not line.startswith("#") else line
        for line in lines
    ]
    return "\n" + "\n".join(out) + "\n"


def _lines(found: Found) -> Iterator[str]:
    provider = found.provider
    yield f"[integrations.{provider.name.replace('_', '-')}]"
    yield _noted(f'provider = "{provider.name}"', provider.summary)
    yield from _environment(found)
    yield _noted('# owner = "team"', "whom to call")
    yield from _credentials(found)
    yield from _parameters(provider)


def _noted(line: str, note: str) -> str:
    return f"{line:<{_COLUMN}}  # {note}"


def _environment(found: Found) -> Iterator[str]:
    """Said only where a name tells it; else it is left to be said."""
    worlds = {base.environment for base in found.provider.bases}
    names = [name for name in found.variables if name in _secret_names(found.provider)]
    if names and all(any(word in f"_{name}_" for word in _SANDBOX_WORDS) for name in names):
        yield _noted('environment = "sandbox"', f"as {min(names)} says")
    elif worlds != {"live"}:
        yield _noted('# environment = "sandbox"', "live if nothing is said")


def _secret_names(provider: Provider) -> set[str]:
    return {name for known in provider.credentials.values() for name in known.environment_names}


def _credentials(found: Found) -> Iterator[str]:
    """Those whose variable was seen; else those that are needed to sign in, commented out."""
    provider, seen = found.provider, _seen(found)
    way = _way(provider, set(seen))
    needed = way.credentials if way else ()
    for name, known in provider.credentials.items():
        if name in seen:
            yield _noted(f'credentials.{name} = "env:{seen[name]}"', known.description)
        elif name in needed:
            variable = next(iter(known.environment_names), f"{provider.name}_{name}".upper())
            yield _noted(f'# credentials.{name} = "env:{variable}"', f"{known.description}; not seen here")


def _seen(found: Found) -> dict[str, str]:
    """The most usual variable that was seen, by credential."""
    variables = found.variables
    pairs = (
        (name, next((each for each in known.environment_names if each in variables), None))
        for name, known in found.provider.credentials.items()
    )
    return {name: variable for name, variable in pairs if variable}


def _way(provider: Provider, seen: set[str]) -> AuthWay | None:
    """The way of signing in that lacks least, of those whose credential can be checked where there are any."""

    def rank(name: str) -> tuple[bool, int]:
        question = provider.ask(ProbeKind.CREDENTIAL, name)
        blind = question is not None and question.cannot_tell is not None
        return blind, len(set(provider.auth[name].credentials) - seen)

    best = min((name for name, way in provider.auth.items() if way.credentials), key=rank, default=None)
    return provider.auth[best] if best else None


def _parameters(provider: Provider) -> Iterator[str]:
    for name, known in provider.parameters.items():
        example = json.dumps(known.default or known.example)
        note = f"{known.description}; {'this if nothing is said' if known.default else 'an example'}"
        yield _noted(f"# parameters.{name} = {example}", note)


def _lacking(provider: Provider) -> list[str]:
    """Parameters without a default that the provider's main addresses cannot do without."""
    asked = {ask.base for ask in provider.probes if not ask.auth}
    wanted: set[str] = set()
    for name in asked:
        fitting = candidates(provider, name, "live", "")
        wanted |= min((places(base.url) for base in fitting), key=len, default=set())
    return sorted(n for n in wanted if n in provider.parameters and provider.parameters[n].default is None)
